//! The API of the real program, called by a stranger: `schemathesis` sends what the document allows
//! and what it forbids, and finds no fault of the platform and no answer that the document does not
//! describe.

use std::process::Command;

use tenkoku_testkit::servers::{Installation, get};
use tenkoku_testkit::tools::{Outcome, run, schemathesis};

use crate::cli::BANK;
use crate::doors::guest::Guest;

/// Examples for each operation and phase: enough to meet every member of a document, few enough that
/// nobody waits for it.
const EXAMPLES: &str = "12";

/// What every answer must hold to.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_schema_conformance";

fn try_out(installation: &Installation, headers: &[String]) -> Outcome {
    let mut command: Command = schemathesis();
    command.args(["run", &format!("{}/api/openapi.json", installation.console())]);
    command.args(["--url", &installation.console(), "--checks", CHECKS]);
    command.args(["--phases", "examples,coverage,fuzzing", "--max-examples", EXAMPLES]);
    command.args(["--seed", "22", "--generation-deterministic", "--no-shrink"]);
    command.args(["--warnings", "off", "--no-color"]);
    command.args(["--continue-on-failure", "--suppress-health-check", "all"]);
    for header in headers {
        command.args(["--header", header]);
    }
    command.current_dir(installation.path());
    run(&mut command)
}

#[test]
fn a_stranger_finds_no_fault_in_the_api_and_no_answer_that_is_not_described() {
    let installation = Installation::with_sample();
    let add = ["service", "add", "core", "--name", "Core banking", "--org", BANK];
    installation.tenkoku(add).success();
    let allowed = "view-registry,record-branch,apply,manage-keys,revoke";
    let given = installation.json(["service", "token", "core", "--allow", allowed]);
    let secret = given["secret"].as_str().expect("a secret").to_owned();
    let _server = installation.serve();
    assert_eq!(get(&format!("{}/api/openapi.json", installation.console())).status, 200);
    try_out(&installation, &[format!("Authorization:Bearer {secret}")]).success();
    let roles = "platform-administrator,ca-officer,registration-officer,validation-operator";
    let person = Guest::enrol(&installation, roles);
    try_out(&installation, &person.headers()).success();
    installation.tenkoku(["audit", "verify"]).success();
}

#[test]
fn commands_and_the_api_know_the_same_service_accounts() {
    let installation = Installation::with_sample();
    let add = ["service", "add", "core", "--name", "Core banking", "--org", BANK];
    installation.tenkoku(add).success();
    let token = ["service", "token", "core", "--allow", "view-registry", "--days", "30"];
    let given = installation.json(token);
    let (secret, id) = (given["secret"].as_str(), given["token"]["id"].as_str());
    let (secret, id) = (secret.expect("a secret"), id.expect("an id"));
    let _server = installation.serve();
    let me = format!("{}/api/v1/me", installation.console());
    let ask = || {
        let mut curl = Command::new("curl");
        let header = format!("Authorization: Bearer {secret}");
        run(curl.args(["-s", "-o", "/dev/null", "-w", "%{http_code}", "-H", &header, &me]))
    };
    assert_eq!(ask().success(), "200");
    let listed = installation.json(["service", "list", "--org", BANK]);
    assert_eq!(listed["accounts"][0]["tokens"][0]["id"], id);
    assert!(!listed.to_string().contains(secret));
    installation.tenkoku(["service", "end-token", id]).success();
    assert_eq!(ask().success(), "401");
    for wrong in [
        &["service", "token", "core", "--allow", "issue"][..],
        &["service", "token", "nobody", "--allow", "apply"],
        &["service", "add", "core", "--name", "Again", "--org", BANK],
        &["user", "invite", "core"],
        &["user", "invite", "robot", "--role", "service-account", "--org", BANK],
    ] {
        assert_ne!(installation.tenkoku(wrong.iter().copied()).code, Some(0), "{wrong:?}");
    }
}
