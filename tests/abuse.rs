//! What somebody with bad intentions would try (DOMAIN 23), where no other story tells it.

use std::process::Command;

use tenkoku_ca::apply::{ApplyError, ApplyOrder, apply_for_seal};
use tenkoku_domain::access::Role;
use tenkoku_domain::application::Wishes;
use tenkoku_domain::certificate::Certificate;
use tenkoku_domain::id::CertificateId;
use tenkoku_domain::level::Level;
use tenkoku_pki::ocsp::AnswerStatus;
use tenkoku_store::StoreError;
use tenkoku_testkit::servers::{Installation, get};
use tenkoku_testkit::tools::{checkout, run};
use tenkoku_testkit::world::{THEIRS, World};

/// Crates that fetch from addresses that somebody wrote.
const CLIENTS: [&str; 8] =
    ["ureq", "reqwest", "hyper-util", "awc", "isahc", "curl", "attohttpc", "minreq"];

#[test]
fn ab_1_a_serial_number_of_an_authority_is_recorded_once() {
    World::on_each_database(|world| {
        let certificate = world.seal(&world.osaka(), Level::One);
        let id = CertificateId::new(world.now().plus_seconds(1), &*world.env.entropy);
        let second = Certificate { id, ..certificate.clone() };
        let refused = world.write(|tx| tx.insert_pending(&second)).expect_err("it is there");
        assert!(matches!(refused, StoreError::Conflict { .. }), "{refused:?}");
        assert_eq!(world.status(&certificate), AnswerStatus::Good);
    });
}

#[test]
fn ab_2_nobody_succeeds_a_stranger_s_seal() {
    World::on_each_database(|world| {
        let certificate = world.seal(&world.osaka(), Level::One);
        let seal = certificate.seal.clone().expect("a seal");
        let theirs = world.organisation(THEIRS);
        let stranger = world.officer_of(&theirs, Role::OrganisationAdministrator);
        let permit = stranger.permit(world.now()).expect("a permit");
        let order = ApplyOrder {
            branch: world.find_branch(&theirs, "HQ").id,
            level: Level::One,
            validity_days: None,
            request: None,
            instance: Some(seal.instance),
            wishes: Wishes::default(),
        };
        let refused = apply_for_seal(&world.env, &permit, &order).expect_err("not theirs");
        let unseen = matches!(refused, ApplyError::Store(StoreError::NotFound { .. }));
        assert!(unseen, "{refused:?}");
    });
}

#[test]
fn ab_4_no_form_of_a_file_reaches_a_private_key() {
    let installation = Installation::evaluation();
    let _server = installation.serve();
    for name in ["root-g1", "seal-l1-g1"] {
        for form in ["key", "pem", "p12", "pfx", "jks", "p8", "cer.key", "der"] {
            let address = format!("{}/ca/{name}.{form}", installation.public());
            assert_eq!(get(&address).status, 404, "{address}");
        }
        let printed = installation.tenkoku(["ca", "export", name]);
        assert!(!printed.success().contains("PRIVATE"), "{name}");
    }
}

#[test]
fn ab_6_the_program_holds_no_client_that_could_be_sent_elsewhere() {
    let words = ["tree", "--offline", "-p", "tenkoku-server", "-e", "normal", "--prefix", "none"];
    let tree = run(Command::new(env!("CARGO")).args(words).current_dir(checkout()));
    let crates: Vec<&str> =
        tree.success().lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(crates.contains(&"actix-web"), "the tree of the program");
    for client in CLIENTS.into_iter().filter(|client| crates.contains(client)) {
        let words = ["tree", "--offline", "-p", "tenkoku-server", "-e", "normal", "--prefix"];
        let more = ["none", "--depth", "1", "--invert", client];
        let mut users = Command::new(env!("CARGO"));
        let users = run(users.args(words).args(more).current_dir(checkout()));
        let users: Vec<&str> =
            users.success().lines().skip(1).filter_map(|line| line.split(' ').next()).collect();
        // It looks at every address it goes to, and goes to public ones only.
        assert_eq!(users, ["tenkoku-fetch"], "{client} fetches from addresses that people wrote");
    }
}
