//! Stories of applications that a rule refuses: the answer names the rule, the audit trail keeps
//! it, nothing changes.

use std::sync::Arc;

use tenkoku_ca::apply::{ApplyOrder, apply_for_seal};
use tenkoku_ca::authority::{AuthorityOrder, establish_authority};
use tenkoku_ca::import::import_organisations;
use tenkoku_ca::issue::issue_certificate;
use tenkoku_domain::access::Scope;
use tenkoku_domain::application::Wishes;
use tenkoku_domain::authority::{AuthorityKind, ShardCount};
use tenkoku_domain::key::KeyAlgorithm;
use tenkoku_domain::level::Level;
use tenkoku_domain::name::Name;
use tenkoku_domain::policy::Installation;
use tenkoku_domain::refusal::RefusalCode;
use tenkoku_pki::oid;
use tenkoku_pki::policy::PolicyArc;
use tenkoku_ports::Env;
use tenkoku_ports::settings::Settings;
use tenkoku_store::ApplicationFilter;
use tenkoku_testkit::fixtures::ApplicantKey;
use tenkoku_testkit::tools::data;
use tenkoku_testkit::world::{OURS, World, authority_code};

use crate::support::{check_not_applied, check_not_proven, check_refused};

fn p256() -> ApplicantKey {
    ApplicantKey::make(KeyAlgorithm::P256)
}

fn applications(world: &World) -> usize {
    let all = ApplicationFilter::default();
    world.read(|tx| tx.list_applications(&Scope::Platform, &all, None, 100)).items.len()
}

#[test]
fn keys_that_the_level_does_not_list_are_refused() {
    World::on_each_database(|world| {
        let osaka = world.osaka();
        let refused = (RefusalCode::KeyAlgorithm, "KM-1");
        for (level, algorithm) in [
            (Level::Two, KeyAlgorithm::Rsa2048),
            (Level::Three, KeyAlgorithm::Rsa2048),
            (Level::Three, KeyAlgorithm::P521),
        ] {
            let request = ApplicantKey::make(algorithm).request();
            check_not_applied(world, (&osaka, level), request, refused, "key.presented");
        }
        assert_eq!(applications(world), 0);
        // What is refused claims nothing: level 1 takes the same keys.
        for algorithm in [KeyAlgorithm::Rsa2048, KeyAlgorithm::P521] {
            world.seal_with(&osaka, Level::One, &ApplicantKey::make(algorithm));
        }
    });
}

#[test]
fn rsa_2048_ends_with_the_policy_s_date() {
    World::on_each_database(|world| {
        let osaka = world.osaka();
        let last = tenkoku_domain::time::Timestamp::parse("2030-12-31T23:59:59Z").expect("a date");
        world.clock.set(last.plus_seconds(1));
        let request = ApplicantKey::make(KeyAlgorithm::Rsa2048).request();
        let refused = (RefusalCode::KeyAlgorithm, "KM-1");
        check_not_applied(world, (&osaka, Level::One), request, refused, "key.presented");
    });
}

#[test]
fn a_validity_beyond_the_level_is_refused() {
    World::on_each_database(|world| {
        let osaka = world.osaka();
        for (level, days) in [(Level::One, 1096), (Level::Two, 826), (Level::Three, 0)] {
            let order = ApplyOrder {
                branch: osaka.id.clone(),
                level,
                validity_days: Some(days),
                request: Some(p256().request()),
                instance: None,
                wishes: Wishes::default(),
            };
            let apply = || apply_for_seal(&world.env, &world.permit(), &order);
            let refused = (RefusalCode::ValidityExceeded, "KM-12");
            check_refused(world, apply, refused, "app.submitted");
        }
    });
}

#[test]
fn km_16_a_branch_without_custodian_gets_nothing() {
    World::on_each_database(|world| {
        let file = format!("identifier,legal_name,country\n{},{},JP\n", OURS[0], OURS[1]);
        import_organisations(&world.env, &world.permit(), file.as_bytes()).expect("recorded");
        let found = world.read(|tx| tx.find_organisation_by_identifier(&Scope::Platform, OURS[0]));
        let head_office = world.find_branch(&found.expect("an organisation"), "HQ");
        let refused = (RefusalCode::CustodianMissing, "KM-16");
        let place = (&head_office, Level::One);
        check_not_applied(world, place, p256().request(), refused, "app.submitted");
    });
}

#[test]
fn a_closed_branch_and_a_restricted_organisation_get_nothing() {
    World::on_each_database(|world| {
        let osaka = world.osaka();
        let ready = world.apply(&osaka, Level::One, &p256()).expect("an application");
        world.change_directly("UPDATE branches SET state = 'closed' WHERE code = 'BR-0002'");
        let closed = (RefusalCode::BranchClosed, "6.2");
        let place = (&osaka, Level::One);
        check_not_applied(world, place, p256().request(), closed, "app.submitted");
        check_refused(world, || world.issue(&ready), closed, "cert.issued");
        world.change_directly("UPDATE branches SET state = 'open' WHERE code = 'BR-0002'");
        world.change_directly("UPDATE organisations SET state = 'restricted'");
        let restricted = (RefusalCode::OrganisationRestricted, "6.1");
        check_not_applied(world, place, p256().request(), restricted, "app.submitted");
    });
}

#[test]
fn km_14_more_live_instances_than_the_policy_allows_are_refused() {
    World::on_each_database(|world| {
        let osaka = world.osaka();
        let waiting = world.apply(&osaka, Level::One, &p256()).expect("an application");
        let mut seals: Vec<_> = (0..20).map(|_| world.seal(&osaka, Level::One)).collect();
        let exceeded = (RefusalCode::InstancesExceeded, "KM-14");
        let place = (&osaka, Level::One);
        check_not_applied(world, place, p256().request(), exceeded, "app.submitted");
        // An application that was taken before does not slip through either.
        check_refused(world, || world.issue(&waiting), exceeded, "cert.issued");
        // Other levels count for themselves, and a revoked certificate makes room.
        world.seal(&osaka, Level::Two);
        let one = seals.pop().expect("a certificate");
        world.revoke(&one, tenkoku_domain::revocation::Cause::Replaced).expect("a revocation");
        world.issue(&waiting).expect("a certificate");
    });
}

#[test]
fn an_authority_that_is_not_active_issues_nothing() {
    World::on_each_database(|world| {
        let osaka = world.osaka();
        let ready = world.apply(&osaka, Level::One, &p256()).expect("an application");
        world
            .change_directly("UPDATE authorities SET state = 'retiring' WHERE code = 'seal-l1-g1'");
        let not_active = (RefusalCode::AuthorityNotActive, "6.7");
        check_refused(world, || world.issue(&ready), not_active, "cert.issued");
        world.seal(&osaka, Level::Two);
        // The next generation takes over, the application is not lost.
        world.create_authority("seal-l1-g2", AuthorityKind::Issuing(Level::One), 2);
        let certificate = world.issue(&ready).expect("a certificate");
        assert_eq!(certificate.authority, world.authority("seal-l1-g2").id);
    });
}

#[test]
fn a_request_that_names_another_organisation_is_refused() {
    World::on_each_database(|world| {
        let osaka = world.osaka();
        let identifier = oid::ORGANISATION_IDENTIFIER;
        let request = p256().request_for(&[(identifier.as_bytes(), "NTRJP-7000000990002")]);
        let mismatch = (RefusalCode::IdentifierMismatch, "12.1");
        check_not_applied(world, (&osaka, Level::One), request, mismatch, "app.submitted");
        let wrong = [(identifier.as_bytes(), "NTRJP-7000000990002")];
        let proof = |challenge: &str| p256().proof_for(&wrong, challenge);
        check_not_proven(world, (&osaka, Level::One), proof, mismatch, "app.ready");
        let fitting = [
            (identifier.as_bytes(), OURS[0]),
            (oid::COMMON_NAME.as_bytes(), "whatever the applicant likes"),
        ];
        let applied = world.open(&osaka, Level::One, None).expect("an application");
        let proof = p256().proof_for(&fitting, &applied.challenge.text);
        let application = world.prove(&applied, proof).expect("possession");
        let certificate = world.issue(&application).expect("a certificate");
        assert_eq!(certificate.common_name, "株式会社サンプル 大阪支店 電子印");
    });
}

#[test]
fn what_is_no_request_is_refused_and_changes_nothing() {
    World::on_each_database(|world| {
        let osaka = world.osaka();
        let folder = data("pki/hostile").read_dir().expect("hostile files");
        let files: Vec<_> = folder.map(|entry| entry.expect("a file").path()).collect();
        assert!(files.len() > 10);
        for file in files {
            let content = std::fs::read(&file).expect("a hostile file");
            let expected = (RefusalCode::PossessionNotShown, "KM-7");
            check_not_applied(world, (&osaka, Level::One), content, expected, "key.pop-failed");
        }
        let forge = |mut request: Vec<u8>| {
            let last = request.len() - 1;
            request[last] ^= 1;
            request
        };
        let expected = (RefusalCode::PossessionNotShown, "KM-7");
        let place = (&osaka, Level::One);
        let forged = forge(p256().request());
        check_not_applied(world, place, forged, expected, "key.pop-failed");
        assert_eq!(applications(world), 0);
        let forged = |challenge: &str| forge(p256().proof(challenge));
        check_not_proven(world, place, forged, expected, "key.pop-failed");
    });
}

#[test]
fn pr_1_production_issues_nothing_from_the_documentation_arc() {
    World::on_each_database_of(Installation::Production, |world| {
        let ready = world.apply(&world.osaka(), Level::One, &p256());
        let ready = ready.expect("an application");
        let arc = PolicyArc::parse("1.3.6.1.4.1.32473.1").expect("an arc");
        let settings = Settings { arc, ..(*world.env.settings).clone() };
        let env = Env { settings: Arc::new(settings), ..world.env.clone() };
        let issue = || issue_certificate(&env, &world.permit(), &ready.id);
        let expected = (RefusalCode::LintFailed, "PR-1");
        check_refused(world, issue, expected, "cert.lint-failed");
        let order = AuthorityOrder {
            code: authority_code("seal-l1-g2"),
            kind: AuthorityKind::Issuing(Level::One),
            generation: 2,
            common_name: Name::parse("Sample E-Seal Issuing CA L1 G2").expect("a name"),
            algorithm: KeyAlgorithm::P384,
            validity_days: None,
            issuer: Some(authority_code("root-g1")),
            dedicated: None,
            predecessor: None,
            crl_shards: ShardCount::ONE,
        };
        let consent = world.consent();
        let create = || establish_authority(&env, &world.permit(), &order, &consent);
        check_refused(world, create, expected, "ca.certified");
    });
}
