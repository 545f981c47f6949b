//! Stories of a power cut or a key store that goes away between the two records of an issuance:
//! what was begun counts as issued, is withdrawn, told, and begun again under another number.

use tenkoku_ca::authority::{AuthorityOrder, create_authority};
use tenkoku_ca::issue::IssueError;
use tenkoku_ca::settle::settle_pending;
use tenkoku_domain::access::Scope;
use tenkoku_domain::application::{Application, ApplicationState};
use tenkoku_domain::audit::Event;
use tenkoku_domain::authority::{AuthorityKind, AuthorityState, ShardCount};
use tenkoku_domain::certificate::{Certificate, CertificateState};
use tenkoku_domain::key::KeyAlgorithm;
use tenkoku_domain::level::Level;
use tenkoku_domain::name::Name;
use tenkoku_domain::refusal::RefusalCode;
use tenkoku_pki::ocsp::{AnswerStatus, HashAlgorithm, UNAUTHORIZED, encode_request};
use tenkoku_store::StoreError;
use tenkoku_testkit::fixtures::ApplicantKey;
use tenkoku_testkit::world::{World, authority_code};

use crate::support::{check_refused, codes};

/// An application whose signing did not come back, and the row that it left.
fn cut_short(world: &World) -> (Application, Certificate) {
    let key = ApplicantKey::make(KeyAlgorithm::P256);
    let application = world.apply(&world.osaka(), Level::One, &key).expect("an application");
    world.keys.fail();
    let failed = world.issue(&application).expect_err("nothing is signed");
    world.keys.recover();
    assert!(matches!(failed, IssueError::Keys(_)), "{failed:?}");
    assert!(failed.to_string().contains("its cable is cut"), "{failed}");
    let mut pending = world.read(|tx| tx.list_pending());
    (application, pending.pop().expect("the row that was recorded first"))
}

fn settle(world: &World) -> usize {
    settle_pending(&world.env, &world.permit()).expect("the store answers")
}

fn state(world: &World, application: &Application) -> ApplicationState {
    world.read(|tx| tx.load_application(&Scope::Platform, &application.id)).state
}

fn listed(world: &World, certificate: &Certificate) -> bool {
    let crl = world.crl("seal-l1-g1");
    crl.entries().any(|entry| entry.expect("an entry").serial == certificate.serial)
}

#[test]
fn a_key_store_that_fails_leaves_nothing_issued() {
    World::on_each_database(|world| {
        let (application, pending) = cut_short(world);
        assert_eq!((&pending.der, &pending.state), (&None, &CertificateState::Pending));
        assert_eq!(state(world, &application), ApplicationState::Ready);
        let id = world.cert_id(&pending.authority, &pending.serial, HashAlgorithm::Sha256);
        assert_eq!(world.ask("seal-l1-g1", &encode_request(&[id], None)), UNAUTHORIZED);
        assert!(!listed(world, &pending));
        // Nobody begins a second time while the first may still be under way.
        let under_way = (RefusalCode::StateConflict, "I-3");
        check_refused(world, || world.issue(&application), under_way, "cert.issued");
        world.clock.advance_seconds(9);
        assert_eq!(settle(world), 0);
        world.clock.advance_seconds(1);
        assert_eq!(settle(world), 1);
    });
}

#[test]
fn what_was_cut_short_is_withdrawn_told_and_issued_under_another_number() {
    World::on_each_database(|world| {
        let (application, pending) = cut_short(world);
        world.clock.advance_seconds(10);
        let (settled, told) = world.told(|| settle(world));
        assert_eq!((settled, codes(&told)), (1, vec!["cert.not-accepted"]));
        let withdrawn = AnswerStatus::Revoked { at: world.now().floor(), reason: Some(5) };
        assert_eq!(world.status(&pending), withdrawn);
        assert!(listed(world, &pending));
        assert_eq!(state(world, &application), ApplicationState::Ready);
        let certificate = world.issue(&application).expect("a certificate");
        assert_ne!(certificate.serial, pending.serial);
        assert_eq!(certificate.key, pending.key);
        assert_eq!(world.status(&certificate), AnswerStatus::Good);
        assert_eq!(world.status(&pending), withdrawn);
        let (settled, told) = world.told(|| settle(world));
        assert_eq!((settled, told.len()), (0, 0));
    });
}

#[test]
fn a_signature_that_comes_too_late_releases_nothing() {
    World::on_each_database(|world| {
        let (_, pending) = cut_short(world);
        world.clock.advance_seconds(10);
        settle(world);
        let certificate =
            Certificate { der: Some(vec![0x30, 0]), state: CertificateState::Active, ..pending };
        let event = Event::CertificateIssued { certificate: certificate.clone() };
        let origin = world.shell().origin();
        let late = world.write(|tx| tx.record(&origin, world.now(), &event));
        assert!(matches!(late, Err(StoreError::Conflict { .. })), "{late:?}");
        let kept = world.read(|tx| tx.load_certificate(&Scope::Platform, &certificate.id));
        assert_eq!(kept.der, None);
    });
}

#[test]
fn an_authority_that_was_cut_short_is_completed_with_its_key() {
    World::on_each_database(|world| {
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
        world.keys.fail();
        let failed = create_authority(&world.env, &world.permit(), &order);
        assert!(matches!(failed, Err(IssueError::Keys(_))), "{failed:?}");
        let begun = world.authority("seal-l1-g2");
        assert_eq!((begun.state, begun.certificate), (AuthorityState::Ceremony, None));
        world.keys.recover();
        let finished = create_authority(&world.env, &world.permit(), &order).expect("an authority");
        assert_eq!((finished.state, finished.key), (AuthorityState::Active, begun.key));
        let again = || create_authority(&world.env, &world.permit(), &order);
        check_refused(world, again, (RefusalCode::StateConflict, "6.7"), "ca.certified");
        // The lost first certificate of the authority is withdrawn by the root.
        world.clock.advance_seconds(10);
        assert_eq!(settle(world), 1);
        assert_eq!(world.crl("root-g1").entries().count(), 1);
    });
}
