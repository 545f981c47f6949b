//! After a restoration: a copy has forgotten what came after it, so in production two administrators
//! accept it before anything is issued (DOMAIN 17). How backups are made and read: `cli::backup`.

use tenkoku_ca::act::ActError;
use tenkoku_ca::approval::Ruling;
use tenkoku_ca::issue::IssueError;
use tenkoku_ca::restore::{decide_restore, record_restored};
use tenkoku_domain::access::{ManageAccounts, Permit, Role, Scope};
use tenkoku_domain::approval::{ApprovalRequest, ApprovalState, Verdict};
use tenkoku_domain::audit::BackupSummary;
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::key::KeyAlgorithm;
use tenkoku_domain::level::Level;
use tenkoku_domain::policy::Installation;
use tenkoku_domain::refusal::RefusalCode;
use tenkoku_testkit::fixtures::ApplicantKey;
use tenkoku_testkit::world::World;

/// What a restoration writes into the database that it filled.
fn restored(world: &World) -> ApprovalRequest {
    let (origin, now) = (world.shell().origin(), world.now());
    let backup = BackupSummary { made_at: now, digest: Digest::of(b"a file"), rows: 7, files: 3 };
    let request = world.env.store.write(|tx| {
        let who = (Installation::Production, &*world.env.entropy);
        record_restored(tx, who, &origin, backup, now)
    });
    request.expect("recorded").expect("a request")
}

fn accept(
    world: &World,
    permit: &Permit<ManageAccounts>,
    request: &ApprovalRequest,
) -> Result<ApprovalRequest, ActError> {
    let (shown, reason) = (request.digest, String::new());
    let ruling = Ruling { shown, verdict: Verdict::Approved, reason };
    decide_restore(&world.env, permit, &request.id, &ruling)
}

#[test]
fn i_6_a_restored_installation_issues_after_two_administrators_accepted_it() {
    World::on_each_database(|world| {
        let key = ApplicantKey::make(KeyAlgorithm::P256);
        let ready = world.apply(&world.osaka(), Level::Two, &key).expect("ready");
        let request = restored(world);
        let refused = || {
            let refused = world.issue(&ready).expect_err("it waits");
            let IssueError::Refused(refusal) = refused else { panic!("{refused}") };
            assert_eq!(refusal.code, RefusalCode::DualControl);
        };
        refused();
        let own = accept(world, &world.permit(), &request);
        assert!(own.is_err(), "who restored does not accept");
        let administrator =
            |name: &str| world.somebody(name, &[Role::PlatformAdministrator], &Scope::Platform);
        let [first, second] = ["見本 一郎", "見本 二郎"].map(administrator);
        accept(world, &first.permit(world), &request).expect("one of two");
        refused();
        assert!(accept(world, &first.permit(world), &request).is_err(), "one person counts once");
        let accepted = accept(world, &second.permit(world), &request).expect("two of two");
        assert_eq!(accepted.state, ApprovalState::Approved);
        world.issue(&ready).expect("it goes on");
    });
}
