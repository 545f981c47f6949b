//! Lists that others made and signed.

use std::fs;
use std::process::Command;

use tenkoku_tsl::c14n::{Extent, Method, canonicalise};
use tenkoku_tsl::certificate::Certificate;
use tenkoku_tsl::verify::{Refusal, VerifiedList, read_unsigned, verify};
use tenkoku_tsl::write;

use crate::sample::{at, data, is_installed, shared};

/// Verifies a list of the folder beside the repository; `None` when that folder is absent.
fn read(path: &str) -> Option<Result<VerifiedList, Refusal>> {
    shared(&format!("trust-list/{path}")).map(|path| verify(&fs::read(path).unwrap()))
}

#[test]
fn the_stored_example_verifies_and_is_read() {
    let signer = Certificate::from_der(&fs::read(data().join("example-signer.der")).unwrap());
    let list = verify(&fs::read(data().join("example.xml")).unwrap()).unwrap();
    assert_eq!(list.signing_time(), at("2026-11-20T00:00:05Z"));
    list.require_signer(&[signer.unwrap()]).unwrap();
    let list = list.into_list();
    let names = list.scheme.scheme_name.entries();
    assert_eq!(names[1].value.as_str(), "JP:例示eシール認定制度");
    let services: Vec<_> = list.services().collect();
    assert_eq!(services.len(), 1);
    let name = services[0].1.name.in_english().unwrap();
    assert_eq!(name.as_str(), "e-seal certificates level 2, CA 0");
}

/// A list of others: where it is, territory, sequence, pointers, providers, services, past states.
type Real = (&'static str, &'static str, u64, [usize; 4]);

/// What an independent count of the elements says (`xmllint --xpath 'count(...)'`).
const REAL: &[Real] = &[
    ("eu-lotl/eu-lotl-pivot-282.xml", "EU", 282, [44, 0, 0, 0]),
    ("eu-lotl/eu-lotl-pivot-300.xml", "EU", 300, [43, 0, 0, 0]),
    ("eu-lotl/eu-lotl-pivot-335.xml", "EU", 335, [43, 0, 0, 0]),
    ("eu-lotl/eu-lotl-pivot-341.xml", "EU", 341, [43, 0, 0, 0]),
    ("eu-lotl/eu-lotl-sn369-v5.xml", "EU", 369, [43, 0, 0, 0]),
    ("eu-lotl/eu-lotl-sn388-v6.xml", "EU", 388, [43, 0, 0, 0]),
    ("national/BE-sn74-v5.xml", "BE", 74, [1, 16, 108, 58]),
    ("national/BE-sn75-v5.xml", "BE", 75, [1, 16, 108, 60]),
    ("national/BE-sn81-v6.xml", "BE", 81, [1, 17, 135, 73]),
    ("national/EE-sn68-v5.xml", "EE", 68, [1, 2, 62, 80]),
    ("national/EL-sn69-v5-ecdsa.xml", "EL", 69, [1, 5, 120, 65]),
    ("national/FI-sample-v6-resigned.xml", "FI", 49, [1, 1, 19, 14]),
    ("national/IT-sn194-v5-large.xml", "IT", 194, [1, 53, 451, 606]),
    ("national/SE-sn55-v5.xml", "SE", 55, [1, 4, 12, 6]),
    ("national/UK-sn25-v5-closed.xml", "UK", 25, [1, 16, 19, 27]),
    ("third-country/mra-lotl.xml", "EU", 6, [44, 0, 0, 0]),
    ("third-country/mra-zz-tl.xml", "ZZ", 4, [1, 1, 1, 0]),
];

#[test]
fn every_real_list_of_version_5_and_6_verifies_and_has_its_counts() {
    for (path, territory, sequence, counts) in REAL {
        let Some(list) = read(&format!("lists/{path}")) else { return };
        let list = list.unwrap_or_else(|refusal| panic!("{path}: {refusal}")).into_list();
        let scheme = &list.scheme;
        assert_eq!((scheme.territory.as_str(), scheme.sequence_number), (*territory, *sequence));
        let services: Vec<_> = list.services().map(|(_, service)| service).collect();
        let past = services.iter().map(|service| service.history.len()).sum();
        let found = [scheme.pointers.len(), list.providers.len(), services.len(), past];
        assert_eq!(found, *counts, "{path}");
    }
}

#[test]
fn what_is_read_of_every_real_list_can_be_written_and_read_again() {
    for (path, ..) in REAL {
        let Some(file) = shared(&format!("trust-list/lists/{path}")) else { return };
        let bytes = fs::read(file).unwrap();
        let list = verify(&bytes).unwrap().into_list();
        let written = write::to_xml(&list);
        assert_eq!(read_unsigned(written.as_bytes()).unwrap(), list, "{path}");
        let (theirs, ours) = (information(&bytes), information(written.as_bytes()));
        for (line, (theirs, ours)) in theirs.iter().zip(&ours).enumerate() {
            // The pilot's lists write instants with an offset; `values` shows how those are read.
            if !is_instant_with_offset(theirs) {
                assert_eq!(theirs, ours, "{path}, item {line}");
            }
        }
        assert_eq!(theirs.len(), ours.len(), "{path}");
    }
}

fn is_instant_with_offset(value: &str) -> bool {
    value.len() == "2022-06-27T11:30:08.032+02:00".len()
        && value.contains('T')
        && (value.ends_with("+02:00") || value.ends_with("+01:00"))
}

/// What a list says, seen by a reader that knows nothing of lists: every element, attribute and
/// value in document order, without what carries no information: white space around and within
/// values of bytes, the Id of the root, the version, the signature.
fn information(document: &[u8]) -> Vec<String> {
    let text = std::str::from_utf8(document).unwrap();
    let mut reader = quick_xml::NsReader::from_str(text.trim_start_matches('\u{feff}'));
    reader.config_mut().expand_empty_elements = true;
    let (mut items, mut path, mut value) = (Vec::new(), Vec::<String>::new(), String::new());
    loop {
        use quick_xml::events::Event as E;
        match reader.read_event().unwrap() {
            E::Start(tag) => {
                if tag.local_name().as_ref() == "Signature" && path.len() == 1 {
                    return items;
                }
                let (namespace, name) = reader.resolver().resolve_element(tag.name());
                path.push(name.as_ref().to_owned());
                let mut attributes: Vec<_> = tag
                    .attributes()
                    .map(Result::unwrap)
                    .filter(|a| !a.key.as_ref().starts_with("xmlns") && path.len() > 1)
                    .map(|a| {
                        let value = quick_xml::escape::unescape(&a.value).unwrap().into_owned();
                        format!("{}={}", a.key.as_ref(), value)
                    })
                    .collect();
                attributes.sort();
                items.push(format!("{namespace:?} {} {attributes:?}", path.join("/")));
                value.clear();
            }
            E::Text(text) => value.push_str(&text),
            E::CData(text) => value.push_str(&text),
            E::GeneralRef(reference) => match reference.resolve_char_ref().unwrap() {
                Some(character) => value.push(character),
                None => value.push_str(quick_xml::escape::resolve_xml_entity(&reference).unwrap()),
            },
            E::End(_) => {
                items.extend(item(&path.pop().unwrap(), &value.replace("\r\n", "\n")));
                value.clear();
            }
            E::Eof => return items,
            E::Empty(_) | E::Comment(_) | E::Decl(_) | E::PI(_) | E::DocType(_) => {}
        }
    }
}

fn item(element: &str, value: &str) -> Option<String> {
    let value = value.trim();
    match element {
        _ if value.is_empty() => None,
        "TSLVersionIdentifier" => None,
        "X509Certificate" | "X509SKI" => Some(value.split_whitespace().collect()),
        _ => Some(value.to_owned()),
    }
}

#[test]
fn lists_that_are_broken_on_purpose_are_refused() {
    let folder = "lists/negative";
    let Some(unsigned) = read(&format!("{folder}/CZ-no-signature.xml")) else { return };
    assert!(matches!(unsigned, Err(Refusal::NoSignature)));
    let old = read(&format!("{folder}/FI-v6-old-SigningCertificate.xml")).unwrap();
    assert!(matches!(old, Err(Refusal::CertificateCount(2))), "{old:?}");
    let typed = read(&format!("{folder}/FI-v5-with-v6-supply-point-type.xml")).unwrap();
    assert!(matches!(typed, Err(Refusal::NotAList(why)) if why.contains("ServiceSupplyPoint")));
    let broken = read(&format!("{folder}/eu-lotl-sn248-broken-signature.xml")).unwrap();
    assert!(matches!(broken, Err(Refusal::Digest("the list"))), "{broken:?}");
    // Version 3 has another tag at its root.
    for old in ["PE-sn25-v3-legacy", "gematik-v3-brainpool"] {
        let old = read(&format!("lists/third-country/{old}.xml")).unwrap();
        assert!(matches!(&old, Err(Refusal::NotAList(why)) if why.contains("TSLTag")), "{old:?}");
    }
}

#[test]
fn xmllint_makes_the_same_canonical_form_of_every_real_list() {
    let Some(folder) = shared("trust-list/lists") else { return };
    if !is_installed("xmllint") {
        return;
    }
    for group in ["eu-lotl", "national", "negative", "third-country"] {
        for entry in fs::read_dir(folder.join(group)).unwrap() {
            let file = entry.unwrap().path();
            let ours = canonicalise(&fs::read(&file).unwrap(), Method::Exclusive, Extent::Document);
            let mut xmllint = Command::new("xmllint");
            let theirs = xmllint.args(["--huge", "--exc-c14n"]).arg(&file).output().unwrap();
            // The tool keeps comments, but none of these lists has any.
            let same = ours.is_ok_and(|form| form == theirs.stdout);
            assert!(same, "{}", file.display());
        }
    }
}
