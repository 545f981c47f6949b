//! Stories of succession and scale-out: one credential of an instance and one successor (I-3), many
//! instances under one order (DOMAIN 10.2), and checks that did not run.

use tenkoku_ca::apply::{Applied, ApplyError};
use tenkoku_ca::instance::{InstancesOrder, order_instances};
use tenkoku_ca::nightly::{NIGHTLY, RunWatch, run_nightly, watch_runs};
use tenkoku_ca::rotate::{SuccessorOrder, order_successor, retire_certificate};
use tenkoku_domain::audit::Event;
use tenkoku_domain::certificate::{Certificate, CertificateState, Profile, Serial};
use tenkoku_domain::id::CertificateId;
use tenkoku_domain::key::KeyAlgorithm;
use tenkoku_domain::level::Level;
use tenkoku_domain::refusal::RefusalCode;
use tenkoku_domain::suspension::HoldCause;
use tenkoku_testkit::fixtures::ApplicantKey;
use tenkoku_testkit::world::World;

use crate::support::{check_refused, codes};
use crate::suspension::suspend;

fn succeed(world: &World, certificate: &Certificate) -> Result<Applied, ApplyError> {
    let order = SuccessorOrder { key: certificate.key.clone(), validity_days: None };
    order_successor(&world.env, &world.permit(), &order)
}

/// Shows possession of a fresh key.
fn ready(world: &World, applied: &Applied) -> tenkoku_domain::application::Application {
    let key = ApplicantKey::make(KeyAlgorithm::P256);
    world.prove(applied, key.proof(&applied.challenge.text)).expect("a ready application")
}

#[test]
fn i_3_an_instance_has_one_credential_and_one_successor_and_no_third() {
    World::on_each_database(|world| {
        let first = world.seal(&world.osaka(), Level::Two);
        suspend(world, &first, HoldCause::EmergencyRotation).expect("a hold");
        // Two may apply: each of them is right at this moment.
        let applied = [succeed(world, &first), succeed(world, &first)];
        let [one, other] = applied.map(|one| ready(world, &one.expect("an application")));
        let successor = world.issue(&one).expect("the successor");
        let bound = |one: &Certificate| one.seal.clone().expect("a seal").instance;
        assert_eq!(bound(&successor), bound(&first));
        let expected = (RefusalCode::StateConflict, "I-3");
        check_refused(world, || world.issue(&other), expected, "cert.issued");
        check_refused(world, || succeed(world, &first), expected, "app.submitted");
    });
}

#[test]
fn ro_1_the_successor_takes_over_and_the_predecessor_retires_after_the_overlap() {
    World::on_each_database(|world| {
        let first = world.seal(&world.osaka(), Level::Three);
        let early = (RefusalCode::StateConflict, "RO-2");
        check_refused(world, || succeed(world, &first), early, "app.submitted");
        world.clock.advance_days(365);
        world.renew_signers();
        let applied = succeed(world, &first).expect("an application");
        let successor = world.issue(&ready(world, &applied)).expect("the successor");
        world.clock.advance_days(30);
        run_nightly(&world.env, &world.permit()).expect("a nightly run");
        let state = |one: &Certificate| {
            let scope = tenkoku_domain::access::Scope::Platform;
            world.read(|tx| tx.load_certificate(&scope, &one.id)).state
        };
        assert_eq!(state(&first), CertificateState::Retired);
        assert_eq!(state(&successor), CertificateState::Active);
    });
}

#[test]
fn ten_servers_are_ten_instances_of_one_seal_each_with_its_own_key() {
    World::on_each_database(|world| {
        let osaka = world.osaka();
        let order = |count| {
            let (branch, level, validity_days) = (osaka.id.clone(), Level::Two, None);
            let order = InstancesOrder { branch, level, validity_days, count };
            order_instances(&world.env, &world.permit(), &order)
        };
        let (ordered, told) = world.told(|| order(10));
        let ordered = ordered.expect("an order");
        assert_eq!(codes(&told).iter().filter(|code| **code == "app.submitted").count(), 10);
        assert_eq!(codes(&told).last(), Some(&"key.ordered"));
        let numbers: Vec<_> =
            ordered.applied.iter().map(|one| one.application.instance_number).collect();
        assert_eq!(numbers, (1..=10).collect::<Vec<_>>());
        let issue = |one| world.issue(&ready(world, one)).expect("a certificate");
        let certificates: Vec<_> = ordered.applied.iter().map(issue).collect();
        assert!(certificates.windows(2).all(|two| two[0].common_name == two[1].common_name));
        // One ends without the rest.
        let name = (&certificates[3].authority, &certificates[3].serial);
        retire_certificate(&world.env, &world.permit(), name).expect("a retirement");
        // KM-14: nine are live and twenty are allowed; an order is taken as a whole or not at all.
        let expected = (RefusalCode::InstancesExceeded, "KM-14");
        let refused = check_refused(world, || order(12), expected, "key.ordered");
        assert_eq!(refused.facts["live"], "9");
        order(11).expect("an order that fits");
    });
}

#[test]
fn a_nightly_run_that_did_not_happen_is_noticed() {
    World::on_each_database(|world| {
        let watch = || world.read(|tx| watch_runs(tx, world.now()));
        let run = |outcome| {
            let at = world.now();
            world.write(|tx| tx.begin_job_run(NIGHTLY, at)).expect("a beginning");
            let counts = std::collections::BTreeMap::new();
            world.write(|tx| tx.end_job_run((NIGHTLY, at), outcome, &counts, at)).expect("an end");
            at
        };
        assert_eq!(watch(), RunWatch::Fine { at: None });
        world.clock.advance_seconds(3 * 3600);
        assert_eq!(watch(), RunWatch::Missed { last: None });
        let first = run("done");
        assert_eq!(watch(), RunWatch::Fine { at: Some(first) });
        world.clock.advance_seconds(3600);
        let second = run("failed");
        assert_eq!(watch(), RunWatch::Failed { at: second });
        world.clock.advance_seconds(2 * 3600);
        assert_eq!(watch(), RunWatch::Missed { last: Some(first) });
    });
}

#[test]
fn de_7_the_nightly_run_tells_when_a_time_stamping_key_must_stop_and_go() {
    World::on_each_database(|world| {
        // No command makes time-stamping units yet; their certificates are recorded like all others.
        let signer = world.read(|tx| {
            let authority = tx.find_authority("seal-l1-g1")?.expect("an authority");
            Ok(tx
                .current_signer(&authority.id, Profile::OcspSigner, world.now())?
                .expect("a signer"))
        });
        let unit = Certificate {
            id: CertificateId::new(world.now(), &*world.env.entropy),
            serial: Serial::random(&*world.env.entropy),
            profile: Profile::TimeStamping,
            der: None,
            state: CertificateState::Pending,
            validity: tenkoku_domain::certificate::Validity::days(world.now(), 3650),
            ..signer
        };
        world.write(|tx| tx.insert_pending(&unit)).expect("a pending certificate");
        let certificate = Certificate { state: CertificateState::Active, ..unit };
        let issued = Event::CertificateIssued { certificate };
        world
            .write(|tx| tx.record(&world.shell().origin(), world.now(), &issued).map(drop))
            .expect("a certificate");
        for (days, word) in [(456, None), (1, Some("tsa-stop")), (91, Some("tsa-remove"))] {
            world.clock.advance_days(days);
            let counts = run_nightly(&world.env, &world.permit()).expect("a nightly run");
            let told =
                ["tsa-stop", "tsa-remove"].into_iter().find(|word| counts.contains_key(*word));
            assert_eq!(told, word);
        }
        let counts = run_nightly(&world.env, &world.permit()).expect("a nightly run");
        assert!(!counts.contains_key("tsa-remove"), "told twice");
    });
}
