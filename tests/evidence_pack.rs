//! Stories of evidence packs: everything about one credential in one signed archive, believed on
//! another machine with nothing but the audit public key, and not when an octet was touched
//! (DOMAIN 18). An independent program recomputes what the platform says of itself.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};
use tenkoku_ca::apply::{ApplyOrder, apply_under_grant};
use tenkoku_ca::evidence_pack::{
    MANIFEST, Pack, PackError, PackProblem, RECORDS, audit_signer, pack_evidence, verify_pack,
};
use tenkoku_ca::grant::signing_text;
use tenkoku_ca::signer::renew_document_signer;
use tenkoku_console::evidence_pack::summary;
use tenkoku_domain::access::{Role, Scope};
use tenkoku_domain::application::Wishes;
use tenkoku_domain::certificate::Certificate;
use tenkoku_domain::evidence_pack::ProvenRecord;
use tenkoku_domain::grant::Grant;
use tenkoku_domain::key::KeyAlgorithm;
use tenkoku_domain::level::Level;
use tenkoku_domain::proofing::{Method, Subject};
use tenkoku_domain::revocation::Cause;
use tenkoku_pki::archive::{self, ArchiveError, Files};
use tenkoku_pki::key::PublicKey;
use tenkoku_store::StoreError;
use tenkoku_testkit::fixtures::ApplicantKey;
use tenkoku_testkit::tools::{checkout, run};
use tenkoku_testkit::world::{OURS, THEIRS, World};

/// A credential under a grant, with proofing, and revoked; and one of somebody else.
fn revoked_credential(world: &World) -> (Certificate, Grant) {
    let ours = world.organisation(OURS);
    let branch = world.branch(&ours, ["BR-0002", "大阪支店", "Osaka Branch"]);
    let grant = world.delegation(&ours).grant;
    world.proofed(&ours, Subject::Organisation, Method::P2, Level::Three);
    world.proofed(&ours, Subject::Branch(branch.id.clone()), Method::P9, Level::Two);
    let order = ApplyOrder {
        branch: branch.id.clone(),
        level: Level::One,
        validity_days: None,
        request: None,
        instance: None,
        wishes: Wishes::default(),
    };
    let id = &grant.terms.id;
    let applied = apply_under_grant(&world.env, &world.permit(), &order, id).expect("taken");
    let key = ApplicantKey::make(KeyAlgorithm::P256);
    let ready = world.prove(&applied, key.proof(&applied.challenge.text)).expect("ready");
    let certificate = world.issue(&ready).expect("a certificate");
    world.revoke(&certificate, Cause::KeyExposed).expect("revoked");
    let theirs = world.organisation(THEIRS);
    world.seal(&world.find_branch(&theirs, "HQ"), Level::One);
    (certificate, grant)
}

fn packed(world: &World, certificate: &Certificate) -> Pack {
    pack_evidence(&world.env, &world.permit(), &certificate.id, summary).expect("a pack")
}

fn audit_key(world: &World) -> PublicKey {
    let signer = audit_signer(&world.env, &world.permit()).expect("a signer");
    let der = signer.der.expect("a certificate");
    tenkoku_pki::cert::Certificate::parse(&der).expect("it reads").public_key().expect("a key")
}

#[test]
fn a_pack_holds_everything_about_one_credential_and_nothing_of_others() {
    World::on_each_database(|world| {
        let (certificate, grant) = revoked_credential(world);
        let (pack, told) = world.told(|| packed(world, &certificate));
        assert_eq!(told.len(), 1);
        assert_eq!(told[0]["code"], "log.export");
        let verified = verify_pack(&pack.octets, &audit_key(world)).expect("it is believed");
        assert_eq!(verified.manifest, pack.manifest);
        assert_eq!(verified.manifest.serial, certificate.serial.to_string());
        let files = archive::read(&pack.octets).expect("an archive");
        let text = |name: &str| String::from_utf8_lossy(&files[name]).into_owned();
        let json = |name: &str| serde_json::from_str::<Value>(&text(name)).expect("JSON");
        assert!(text("certificate/certificate.pem").contains("BEGIN CERTIFICATE"));
        assert!(files.contains_key("certificate/issuer-2.pem"), "{:?}", files.keys());
        assert!(text("application/request.pem").contains("BEGIN CERTIFICATE REQUEST"));
        let document = format!("grants/{}.document.json", grant.terms.id);
        assert_eq!(text(&document), signing_text(&grant).expect("a text"));
        assert_eq!(json("proofing.json").as_array().map(Vec::len), Some(3));
        let attached = files.keys().filter(|name| name.starts_with("attachments/")).count();
        assert!(attached >= 4, "scan, call back, register, lease: {:?}", files.keys());
        let decisions = json("approvals.json");
        assert_eq!(decisions[0]["decisions"].as_array().map(Vec::len), Some(2), "{decisions}");
        let told: Vec<_> = json("status.json").as_array().expect("a list").clone();
        assert_eq!(told[0]["status"], "good");
        assert_eq!(told[1]["status"], "revoked");
        let records: Vec<ProvenRecord> = serde_json::from_str(&text(RECORDS)).expect("records");
        for code in ["app.submitted", "key.claimed", "cert.issued", "cert.revoked", "grant.signed"]
        {
            let known = records.iter().any(|one| one.record.contains(&format!("\"{code}\"")));
            assert!(known, "no {code}");
        }
        for (language, word) in [("ja", "証跡"), ("en", "Evidence")] {
            let page = text(&format!("summary.{language}.html"));
            assert!(page.contains(word) && page.contains(&certificate.serial.to_string()));
            assert!(page.contains("株式会社サンプル"), "{page}");
        }
        for (name, content) in &files {
            let text = String::from_utf8_lossy(content);
            assert!(!text.contains(THEIRS[0]) && !text.contains(THEIRS[1]), "{name}");
        }
    });
}

#[test]
fn a_stranger_gets_no_pack() {
    World::on_each_database(|world| {
        let (certificate, _) = revoked_credential(world);
        let theirs =
            world.read(|tx| tx.find_organisation_by_identifier(&Scope::Platform, THEIRS[0]));
        let theirs = theirs.expect("the other organisation");
        let auditor = world.officer_of(&theirs, Role::Auditor);
        let permit = auditor.permit(world.now()).expect("an auditor of theirs");
        let refused = pack_evidence(&world.env, &permit, &certificate.id, summary);
        let missing = matches!(refused, Err(PackError::Store(StoreError::NotFound { .. })));
        assert!(missing, "{refused:?}");
    });
}

/// A change to the files of a pack.
type Change = fn(&mut Files);

/// What is said of it.
type Said = fn(&PackProblem) -> bool;

#[test]
fn a_pack_that_was_touched_is_not_believed() {
    World::on_each_database(|world| {
        let (certificate, _) = revoked_credential(world);
        let pack = packed(world, &certificate);
        let key = audit_key(world);
        let changes: [(&str, Change, Said); 6] = [
            (
                "a changed file",
                |files| files.get_mut("status.json").expect("there").push(b' '),
                |problem| matches!(problem, PackProblem::Changed(name) if name == "status.json"),
            ),
            (
                "a missing file",
                |files| drop(files.remove("proofing.json")),
                |problem| matches!(problem, PackProblem::Missing(name) if name == "proofing.json"),
            ),
            (
                "a further file",
                |files| drop(files.insert("more.json".to_owned(), b"{}".to_vec())),
                |problem| matches!(problem, PackProblem::Extra(name) if name == "more.json"),
            ),
            (
                "no manifest",
                |files| drop(files.remove(MANIFEST)),
                |problem| *problem == PackProblem::Manifest,
            ),
            (
                "a manifest of another signature",
                |files| {
                    let manifest = files.get_mut(MANIFEST).expect("there");
                    let last = manifest.len() - 2;
                    manifest[last] = if manifest[last] == b'A' { b'B' } else { b'A' };
                },
                |problem| *problem == PackProblem::Manifest,
            ),
            (
                "records of another chain",
                |files| {
                    let records = files.get_mut(RECORDS).expect("there");
                    let text =
                        String::from_utf8_lossy(records).replacen("app.submitted", "app.ready", 1);
                    *records = text.into_bytes();
                },
                |problem| matches!(problem, PackProblem::Changed(name) if name == RECORDS),
            ),
        ];
        for (what, change, expected) in changes {
            let mut files = archive::read(&pack.octets).expect("an archive");
            change(&mut files);
            let octets = archive::write(&files).expect("an archive");
            let problem = verify_pack(&octets, &key).expect_err(what);
            assert!(expected(&problem), "{what}: {problem}");
        }
        let other = ApplicantKey::make(KeyAlgorithm::P256).public();
        assert_eq!(verify_pack(&pack.octets, &other), Err(PackProblem::Manifest));
        let (first, rest) = pack.octets.split_at(1);
        for octets in [
            [&pack.octets[..], b"PK\x05\x06".as_slice()].concat(),
            [b"#!/bin/sh\n".as_slice(), &pack.octets].concat(),
            [first, &pack.octets, rest].concat(),
            pack.octets[..pack.octets.len() - 1].to_vec(),
        ] {
            let problem = verify_pack(&octets, &key).expect_err("another archive");
            assert!(matches!(
                problem,
                PackProblem::Archive(ArchiveError::Form | ArchiveError::Name)
            ));
        }
    });
}

#[test]
fn without_a_signer_there_is_no_pack() {
    World::on_each_database(|world| {
        let (certificate, _) = revoked_credential(world);
        world.clock.advance_days(1200);
        let refused = pack_evidence(&world.env, &world.permit(), &certificate.id, summary);
        assert!(matches!(refused, Err(PackError::NoSigner)), "{refused:?}");
        renew_document_signer(&world.env, &world.permit()).expect("a new signer");
        let pack = packed(world, &certificate);
        verify_pack(&pack.octets, &audit_key(world)).expect("it is believed");
    });
}

/// The script sees documents and hashes only, and shares no code with the project.
#[test]
fn an_independent_program_recomputes_grant_digests_the_chain_and_the_proofs() {
    World::on_each_database(|world| {
        let (certificate, grant) = revoked_credential(world);
        let pack = packed(world, &certificate);
        let files = archive::read(&pack.octets).expect("an archive");
        let proofs: Value = serde_json::from_slice(&files[RECORDS]).expect("records");
        let chain: Vec<Value> = world
            .records_after(0)
            .into_iter()
            .map(|one| {
                json!({ "seq": one.seq, "record": one.record, "prev": one.prev, "hash": one.hash })
            })
            .collect();
        let vector = fs::read_to_string(checkout().join("tests/data/vectors/grant.json"));
        let said = json!({
            "grants": [
                {
                    "document": signing_text(&grant).expect("a text"),
                    "digest": grant.terms.digest().expect("a digest"),
                },
                {
                    "document": vector.expect("the vector of DOMAIN 22").trim_end(),
                    "digest": "82c5d1454a3a0e54a27c583ae7bb22e5ea57b22e89d4358ddeb6a96a814d5594",
                },
            ],
            "chain": chain,
            "head": pack.manifest.chain,
            "proofs": proofs,
        });
        let folder = tempfile::tempdir().expect("a folder");
        let recompute = |said: &Value| {
            let file = folder.path().join("said.json");
            fs::write(&file, said.to_string()).expect("a file");
            let script = checkout().join("tests/interop/recompute.py");
            run(Command::new("python3").arg(script).arg(file))
        };
        let done: Value = serde_json::from_str(recompute(&said).success()).expect("JSON");
        assert_eq!(done["grants"], 2);
        assert_eq!(done["chain"], chain.len());
        assert!(done["proofs"].as_u64().is_some_and(|n| n > 10), "{done}");
        for place in ["/grants/0/digest", "/chain/3/hash", "/proofs/0/path/0", "/head/root"] {
            let mut wrong = said.clone();
            *wrong.pointer_mut(place).expect("a place") = json!("00".repeat(32));
            assert_eq!(recompute(&wrong).code, Some(1), "{place} was not noticed");
        }
    });
}
