//! Stories of revocation: told at once, by every method, once and for ever, and only to those whose
//! certificate it is.

use tenkoku_ca::revoke::{RevokeError, RevokeOrder, revoke_certificate};
use tenkoku_domain::access::Role;
use tenkoku_domain::certificate::{Certificate, CertificateState};
use tenkoku_domain::level::Level;
use tenkoku_domain::refusal::RefusalCode;
use tenkoku_domain::revocation::Cause;
use tenkoku_domain::time::Timestamp;
use tenkoku_pki::crl::{Crl, CrlEntry};
use tenkoku_pki::ocsp::AnswerStatus;
use tenkoku_store::StoreError;
use tenkoku_testkit::world::{THEIRS, World, at_once, revocation};

use crate::support::{check_refused, codes, refusal};

/// What a CRL says about a certificate.
pub(crate) fn entry(crl: &Crl, certificate: &Certificate) -> Option<CrlEntry> {
    let entries = crl.entries().map(|entry| entry.expect("an entry"));
    entries.into_iter().find(|entry| entry.serial == certificate.serial)
}

#[test]
fn a_revocation_is_told_at_once_with_its_reason() {
    World::on_each_database(|world| {
        let branch = world.osaka();
        for cause in Cause::OFFERED {
            check_told(world, &world.seal(&branch, Level::Two), cause);
        }
    });
}

fn check_told(world: &World, certificate: &Certificate, cause: Cause) {
    assert_eq!(world.status(certificate), AnswerStatus::Good);
    let before = world.crl("seal-l2-g1");
    assert_eq!(entry(&before, certificate), None);
    world.clock.advance_seconds(90);
    let (revoked, told) = world.told(|| world.revoke(certificate, cause));
    assert_eq!(codes(&told), ["cert.revoked"]);
    assert_eq!(told[0]["detail"]["cause"], cause.word());
    let at = world.now().floor();
    let CertificateState::Revoked(decided) = revoked.expect("a revocation").state else {
        panic!("it must be revoked")
    };
    assert_eq!((decided.cause, decided.at), (cause, at));
    let reason = Some(cause.reason().number());
    assert_eq!(world.status(certificate), AnswerStatus::Revoked { at, reason });
    let after = world.crl("seal-l2-g1");
    let listed = entry(&after, certificate).expect("an entry");
    assert_eq!((listed.at, listed.reason), (at, Some(cause.reason())));
    assert_eq!(listed.invalid_since, None);
    assert!(after.number() > before.number());
}

#[test]
fn a_revocation_leaves_the_job_that_makes_the_next_crl() {
    World::on_each_database(|world| {
        let certificate = world.seal(&world.osaka(), Level::One);
        let before = world.crl("seal-l1-g1").number();
        world.revoke(&certificate, Cause::OfficeClosed).expect("a revocation");
        assert_eq!(world.read(|tx| tx.count_jobs()), 1);
        let (done, told) = world.told(|| world.run_jobs());
        assert_eq!((done, codes(&told)), (1, vec!["crl.issued"]));
        assert_eq!(world.read(|tx| tx.count_jobs()), 0);
        let (after, told) = world.told(|| world.crl("seal-l1-g1"));
        assert_eq!(told, Vec::<serde_json::Value>::new());
        assert!(after.number() > before && entry(&after, &certificate).is_some());
    });
}

#[test]
fn only_an_exposed_key_has_a_date_since_when() {
    World::on_each_database(|world| {
        let branch = world.osaka();
        let since = world.now().plus_days(-3);
        check_since(world, (Cause::KeyExposed, Some(since)), Ok(Some(since.floor())), &branch);
        check_since(world, (Cause::KeyExposed, None), Ok(None), &branch);
        check_since(world, (Cause::NameChanged, Some(since)), Ok(None), &branch);
        let later = world.now().plus_seconds(60);
        check_since(world, (Cause::KeyExposed, Some(later)), Err("RV-5"), &branch);
    });
}

fn check_since(
    world: &World,
    (cause, since): (Cause, Option<Timestamp>),
    expected: Result<Option<Timestamp>, &str>,
    branch: &tenkoku_domain::branch::Branch,
) {
    let certificate = world.seal(branch, Level::One);
    let order = RevokeOrder { invalid_since: since, ..revocation(&certificate, cause) };
    let act = || revoke_certificate(&world.env, &world.permit(), &order);
    match expected {
        Ok(told) => {
            act().expect("a revocation");
            let listed = entry(&world.crl("seal-l1-g1"), &certificate).expect("an entry");
            assert_eq!(listed.invalid_since, told);
        }
        Err(rule) => {
            let expected = (RefusalCode::StateConflict, rule);
            check_refused(world, act, expected, "cert.revocation-refused");
            assert_eq!(world.status(&certificate), AnswerStatus::Good);
        }
    }
}

#[test]
fn rv_2_a_revocation_is_final() {
    World::on_each_database(|world| {
        let certificate = world.seal(&world.osaka(), Level::Three);
        world.revoke(&certificate, Cause::Replaced).expect("a revocation");
        let status = world.status(&certificate);
        world.clock.advance_days(1);
        let expected = (RefusalCode::RevocationFinal, "RV-2");
        let again = || world.revoke(&certificate, Cause::KeyExposed);
        check_refused(world, again, expected, "cert.revocation-refused");
        assert_eq!(world.status(&certificate), status);
    });
}

#[test]
fn of_many_revocations_at_once_one_counts() {
    World::on_each_database(|world| {
        let certificate = world.seal(&world.osaka(), Level::One);
        let results = at_once(4, |_| world.revoke(&certificate, Cause::Replaced));
        let (done, refused): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
        assert_eq!(done.len(), 1);
        for result in refused {
            assert_eq!(refusal(result).code, RefusalCode::RevocationFinal);
        }
    });
}

#[test]
fn what_has_expired_is_not_revoked() {
    World::on_each_database(|world| {
        let certificate = world.seal(&world.osaka(), Level::Two);
        world.clock.set(certificate.validity.not_after.plus_seconds(1));
        let expected = (RefusalCode::StateConflict, "6.4");
        let act = || world.revoke(&certificate, Cause::OfficeClosed);
        check_refused(world, act, expected, "cert.revocation-refused");
    });
}

#[test]
fn ab_8_what_the_actor_may_not_see_does_not_exist() {
    World::on_each_database(|world| {
        let certificate = world.seal(&world.osaka(), Level::One);
        let theirs = world.organisation(THEIRS);
        let stranger = world.officer_of(&theirs, Role::OrganisationAdministrator);
        let permit = stranger.permit(world.now()).expect("a permit");
        // Not even a rule that the order breaks is told.
        let order =
            RevokeOrder { comment: "x".repeat(501), ..revocation(&certificate, Cause::KeyExposed) };
        for order in [order, revocation(&certificate, Cause::KeyExposed)] {
            let (result, told) = world.told(|| revoke_certificate(&world.env, &permit, &order));
            let refused = result.expect_err("it does not exist");
            let unseen = matches!(refused, RevokeError::Store(StoreError::NotFound { .. }));
            assert!(unseen, "{refused:?}");
            assert_eq!(told, Vec::<serde_json::Value>::new());
        }
        assert_eq!(world.status(&certificate), AnswerStatus::Good);
    });
}

#[test]
fn a_serial_number_under_another_authority_is_another_certificate() {
    World::on_each_database(|world| {
        let certificate = world.seal(&world.osaka(), Level::One);
        let other = world.authority("seal-l2-g1").id;
        let order = RevokeOrder { authority: other, ..revocation(&certificate, Cause::Replaced) };
        let refused = revoke_certificate(&world.env, &world.permit(), &order);
        let refused = refused.expect_err("there is none");
        assert!(matches!(refused, RevokeError::Store(StoreError::NotFound { .. })));
        assert_eq!(world.status(&certificate), AnswerStatus::Good);
    });
}

#[test]
fn a_comment_that_cannot_be_kept_is_refused() {
    World::on_each_database(|world| {
        let certificate = world.seal(&world.osaka(), Level::One);
        for comment in ["x".repeat(501), "turned \u{202E}around".to_owned()] {
            let order = RevokeOrder { comment, ..revocation(&certificate, Cause::Replaced) };
            let act = || revoke_certificate(&world.env, &world.permit(), &order);
            let expected = (RefusalCode::NameInvalid, "4.4");
            check_refused(world, act, expected, "cert.revocation-refused");
        }
        assert_eq!(world.status(&certificate), AnswerStatus::Good);
    });
}

#[test]
fn an_authority_is_not_ended_by_one_person() {
    World::on_each_database(|world| {
        let authority = world.authority("seal-l2-g1");
        let issuer = authority.issuer.clone().expect("a root");
        let order = RevokeOrder {
            authority: issuer,
            serial: authority.serial.clone(),
            cause: Cause::KeyExposed,
            invalid_since: None,
            comment: String::new(),
        };
        let act = || revoke_certificate(&world.env, &world.permit(), &order);
        let expected = (RefusalCode::DualControl, "KM-19");
        check_refused(world, act, expected, "cert.revocation-refused");
        assert_eq!(world.status(&world.seal(&world.osaka(), Level::Two)), AnswerStatus::Good);
    });
}
