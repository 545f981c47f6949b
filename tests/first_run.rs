//! What a newcomer does first: `make run` takes an empty folder to a served installation with the
//! main job done, and a second `make run` goes on with what is there.

use std::process::Command;

use tenkoku_testkit::servers::{Installation, get};
use tenkoku_testkit::tools::{checkout, openssl};

fn make_run(installation: &Installation) -> Command {
    let mut command = Command::new(checkout().join("scripts/run"));
    installation.place(&mut command);
    command.env("HOME", installation.path());
    command
}

#[test]
fn a_first_run_plays_the_main_job_and_a_second_goes_on() {
    let installation = Installation::empty();

    let server = installation.start(&mut make_run(&installation));
    let told = server.log();
    assert!(told.contains("4 organisations recorded"), "{told}");
    assert!(told.contains("1206 branches recorded"), "{told}");
    assert!(told.contains("/console/enrol/"), "{told}");
    assert_eq!(get(&format!("{}/", installation.public())).status, 200);
    assert_eq!(server.terminate(), Some(0));
    let records = audit_records(&installation);

    let server = installation.start(&mut make_run(&installation));
    let again = server.log().split_off(told.len());
    assert!(!again.contains("$ tenkoku init"), "{again}");
    judged_by_openssl(&installation);
    assert_eq!(server.terminate(), Some(0));
    assert!(audit_records(&installation) > records, "starting and stopping leave their records");
}

fn audit_records(installation: &Installation) -> i64 {
    let verified = installation.json(["audit", "verify"]);
    verified["records"].as_i64().expect("the number of records")
}

/// Two of the seals, as a relying party sees them with the tools it has.
fn judged_by_openssl(installation: &Installation) {
    for (seal, verdict) in [("BR-0101", ": good"), ("BR-1051", ": revoked")] {
        let file = |name: &str| installation.path().join(name).to_string_lossy().into_owned();
        let (root, certificate) =
            (file("certificates/root-g1.pem"), file(&format!("first-run/{seal}-l1.pem")));
        let (issuer, address) = (
            file("certificates/seal-l1-g1.pem"),
            format!("{}/ocsp/seal-l1-g1", installation.public()),
        );
        let words = ["ocsp", "-CAfile", &root, "-issuer", &issuer, "-cert", &certificate];
        let answer = openssl(words.into_iter().chain(["-url", &address]));
        assert!(answer.success().contains(verdict), "{}", answer.said());
        assert!(answer.said().contains("Response verify OK"), "{}", answer.said());
    }
}
