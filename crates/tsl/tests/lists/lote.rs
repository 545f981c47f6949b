//! The list as ETSI TS 119 602 JSON: against ETSI's schema, signed and verified.

use std::fs;
use std::process::Command;

use serde_json::{Map, Value};
use tenkoku_tsl::algorithm::SignatureAlgorithm as Algorithm;
use tenkoku_tsl::lote::{LoteError, LoteRefusal, prepare, to_json, verify};
use tenkoku_tsl::model::NextUpdate;
use tenkoku_tsl::rules;

use crate::sample::{self, SIGNED, Signer, at, data, shared};

fn schema() -> Value {
    let text = fs::read_to_string(data().join("lote/1960201_json_schema.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Checks a value against as much of JSON Schema draft 7 as ETSI's schema uses; a keyword that is
/// not known here fails, so nothing of the schema is passed over.
struct Schema(Value);

impl Schema {
    fn check(&self, rule: &Value, value: &Value, path: &str, wrong: &mut Vec<String>) {
        let Value::Object(rule) = rule else {
            assert_eq!(rule, &Value::Bool(true), "{path}");
            return;
        };
        for (keyword, limit) in rule {
            self.keyword(keyword, limit, rule, value, path, wrong);
        }
    }

    fn keyword(
        &self,
        keyword: &str,
        limit: &Value,
        rule: &Map<String, Value>,
        value: &Value,
        path: &str,
        wrong: &mut Vec<String>,
    ) {
        let mut refuse = |refused: bool| {
            if refused {
                wrong.push(format!("{path}: {keyword} {limit} refuses {value}"));
            }
        };
        let length = |value: &Value| {
            let items = value.as_array().map(Vec::len);
            let characters = value.as_str().map(|text| text.chars().count());
            u64::try_from(items.or(characters).unwrap_or_default()).unwrap()
        };
        match keyword {
            "$ref" => {
                let name = limit.as_str().unwrap();
                // The one reference to another file is to keys, of which these lists have none.
                let name = name.strip_prefix("#/definitions/").unwrap();
                self.check(&self.0["definitions"][name], value, path, wrong);
            }
            "type" => refuse(match limit.as_str().unwrap() {
                "object" => !value.is_object(),
                "array" => !value.is_array(),
                "string" => !value.is_string(),
                "integer" => !value.is_u64(),
                other => panic!("{other}"),
            }),
            "required" => {
                for name in limit.as_array().unwrap() {
                    refuse(value.get(name.as_str().unwrap()).is_none());
                }
            }
            "properties" => {
                for (name, part) in value.as_object().into_iter().flatten() {
                    match limit.get(name) {
                        Some(rule) => self.check(rule, part, &format!("{path}/{name}"), wrong),
                        None if rule.get("additionalProperties") == Some(&Value::Bool(false)) => {
                            wrong.push(format!("{path}: {name} is not known"));
                        }
                        None => {}
                    }
                }
            }
            "items" => {
                for (number, item) in value.as_array().into_iter().flatten().enumerate() {
                    self.check(limit, item, &format!("{path}/{number}"), wrong);
                }
            }
            "oneOf" => {
                let fits = |rule: &&Value| {
                    let mut wrong = Vec::new();
                    self.check(rule, value, path, &mut wrong);
                    wrong.is_empty()
                };
                refuse(limit.as_array().unwrap().iter().filter(fits).count() != 1);
            }
            "minItems" | "minLength" => refuse(length(value) < limit.as_u64().unwrap()),
            "maxLength" => refuse(length(value) > limit.as_u64().unwrap()),
            "format" if limit == "uri" => refuse(!value.as_str().unwrap().contains(':')),
            "format" if limit == "date-time" => {
                refuse(tenkoku_domain::time::Timestamp::parse(value.as_str().unwrap()).is_none());
            }
            "contentEncoding" => {
                use base64::Engine;
                let text = value.as_str().unwrap();
                refuse(base64::engine::general_purpose::STANDARD.decode(text).is_err());
            }
            "additionalProperties"
            | "description"
            | "definitions"
            | "$schema"
            | "$id"
            | "title" => {}
            other => panic!("{path}: the keyword {other} is not known"),
        }
    }
}

fn wrong(value: &Value) -> Vec<String> {
    let schema = Schema(schema());
    let mut wrong = Vec::new();
    schema.check(&schema.0, value, "", &mut wrong);
    wrong
}

#[test]
fn the_sample_and_every_real_list_fit_etsi_s_schema() {
    assert_eq!(wrong(&to_json(&sample::list()).unwrap()), [""; 0]);
    let Some(folder) = shared("trust-list/lists") else { return };
    for path in [
        "national/BE-sn81-v6.xml",
        "national/IT-sn194-v5-large.xml",
        "national/EE-sn68-v5.xml",
        "eu-lotl/eu-lotl-sn388-v6.xml",
        "third-country/mra-zz-tl.xml",
    ] {
        let list = tenkoku_tsl::verify::verify(&fs::read(folder.join(path)).unwrap()).unwrap();
        // Belgium gives an address without a scheme; nothing else is wrong with any of them.
        let mut wrong = wrong(&to_json(list.list()).unwrap());
        wrong.retain(|sentence| !sentence.ends_with("refuses \"www.docbyte.com\""));
        assert_eq!(wrong, [""; 0], "{path}");
    }
}

#[test]
fn the_schema_check_itself_finds_what_is_wrong() {
    let good = to_json(&sample::list()).unwrap();
    let spoil = |pointer: &str, value: Value| {
        let mut bad = good.clone();
        *bad.pointer_mut(pointer).unwrap() = value;
        assert_ne!(wrong(&bad), [""; 0], "{pointer}");
    };
    spoil("/LoTE/ListAndSchemeInformation/LoTESequenceNumber", "3".into());
    spoil("/LoTE/ListAndSchemeInformation/SchemeTerritory", "JPN".into());
    spoil("/LoTE/ListAndSchemeInformation/NextUpdate", "tomorrow".into());
    spoil("/LoTE/TrustedEntitiesList/0/TrustedEntityServices", Value::Array(Vec::new()));
    let mut unknown = good.clone();
    unknown["LoTE"]["Extra"] = Value::Bool(true);
    assert_ne!(wrong(&unknown), [""; 0]);
}

/// The reference implementation of JSON Schema agrees, where this machine has it.
#[test]
fn python_s_jsonschema_accepts_the_sample() {
    let present = Command::new("python3").args(["-c", "import jsonschema"]).output();
    if !present.is_ok_and(|output| output.status.success()) {
        sample::skip("jsonschema of Python");
        return;
    }
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("lote.json");
    fs::write(&file, to_json(&sample::list()).unwrap().to_string()).unwrap();
    let script = "import json, sys, jsonschema\n\
        schema, value = (json.load(open(path)) for path in sys.argv[1:])\n\
        jsonschema.Draft7Validator(schema).validate(value)";
    let mut python = Command::new("python3");
    python.args(["-c", script]).arg(data().join("lote/1960201_json_schema.json")).arg(&file);
    let output = python.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn every_algorithm_signs_a_list_in_json_that_verifies() {
    for algorithm in [Algorithm::EcdsaP256Sha256, Algorithm::EcdsaP384Sha384, Algorithm::RsaSha512]
    {
        let signer = Signer::of_list(algorithm);
        let list = sample::list();
        let linted = rules::lint(list.clone()).unwrap();
        let prepared = prepare(&linted, signer.certificate.clone(), algorithm, at(SIGNED)).unwrap();
        let value = signer.sign(prepared.to_be_signed());
        let document = prepared.finish(&value).unwrap();
        let verified = verify(&document).unwrap();
        assert_eq!(verified.signer, signer.certificate);
        assert_eq!(verified.signing_time, at(SIGNED));
        assert_eq!(verified.list, to_json(&list).unwrap());
    }
}

#[test]
fn a_changed_list_in_json_is_refused() {
    let algorithm = Algorithm::EcdsaP256Sha256;
    let (signer, other) = (Signer::of_list(algorithm), Signer::of_list(algorithm));
    let linted = rules::lint(sample::list()).unwrap();
    let prepare = || prepare(&linted, signer.certificate.clone(), algorithm, at(SIGNED)).unwrap();
    let prepared = prepare();
    let value = signer.sign(prepared.to_be_signed());
    let document = prepared.finish(&value).unwrap();
    let parts: Vec<&str> = document.split('.').collect();
    let changed = format!("{}.{}A.{}", parts[0], parts[1], parts[2]);
    assert!(verify(&changed).is_err());
    for position in (0..document.len()).step_by(211) {
        let mut bytes = document.clone().into_bytes();
        bytes[position] = if bytes[position] == b'A' { b'B' } else { b'A' };
        assert!(verify(std::str::from_utf8(&bytes).unwrap()).is_err(), "byte {position}");
    }
    let prepared = prepare();
    let value = other.sign(prepared.to_be_signed());
    assert!(prepared.finish(&value).is_err());
    assert!(matches!(verify("a.b"), Err(LoteRefusal::Form)));
}

#[test]
fn a_closed_list_has_no_json_form() {
    let mut list = sample::list();
    list.scheme.next_update = NextUpdate::Closed;
    assert_eq!(to_json(&list), Err(LoteError::Closed));
}
