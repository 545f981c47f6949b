//! Stories of suspension: told by OCSP and CRL at once, lifted before its limit, extended once by
//! two officers, made final at the limit with the date it began (RV-1).

use tenkoku_ca::suspend::{
    HoldOrder, SuspendError, SuspendOrder, extend_suspension, release_certificate,
    settle_suspensions, suspend_certificate,
};
use tenkoku_domain::access::{DecideEvidence, Permit};
use tenkoku_domain::certificate::{Certificate, CertificateState};
use tenkoku_domain::level::Level;
use tenkoku_domain::refusal::RefusalCode;
use tenkoku_domain::revocation::{Cause, ReasonCode};
use tenkoku_domain::suspension::HoldCause;
use tenkoku_pki::ocsp::AnswerStatus;
use tenkoku_testkit::world::World;

use crate::revocation::entry;
use crate::support::{check_refused, codes};

/// Puts a certificate on hold as the operator.
pub(crate) fn suspend(
    world: &World,
    certificate: &Certificate,
    because: HoldCause,
) -> Result<Certificate, SuspendError> {
    let order = SuspendOrder {
        authority: certificate.authority.clone(),
        serial: certificate.serial.clone(),
        because,
        comment: String::new(),
    };
    suspend_certificate(&world.env, &world.permit(), &order)
}

fn hold(certificate: &Certificate) -> HoldOrder {
    HoldOrder {
        authority: certificate.authority.clone(),
        serial: certificate.serial.clone(),
        comment: String::new(),
    }
}

fn release(world: &World, certificate: &Certificate) -> Result<Certificate, SuspendError> {
    release_certificate(&world.env, &world.permit(), &hold(certificate))
}

/// The leave of a named officer.
fn officer(world: &World, name: &str) -> Permit<DecideEvidence> {
    world.registration_officer(name).permit(world)
}

#[test]
fn rv_1_a_hold_appears_and_disappears_in_both_methods() {
    World::on_each_database(|world| {
        let certificate = world.seal(&world.osaka(), Level::Two);
        assert_eq!(entry(&world.crl("seal-l2-g1"), &certificate), None);
        let (held, told) = world.told(|| suspend(world, &certificate, HoldCause::UnclearFacts));
        assert_eq!(codes(&told), ["cert.suspended"]);
        held.expect("a hold");
        let at = world.now().floor();
        let reason = Some(ReasonCode::CertificateHold.number());
        assert_eq!(world.status(&certificate), AnswerStatus::Revoked { at, reason });
        let listed = entry(&world.crl("seal-l2-g1"), &certificate).expect("an entry");
        assert_eq!((listed.at, listed.reason), (at, Some(ReasonCode::CertificateHold)));
        world.clock.advance_days(29);
        world.renew_signers();
        let (released, told) = world.told(|| release(world, &certificate));
        assert_eq!(codes(&told), ["cert.released"]);
        assert_eq!(released.expect("a release").state, CertificateState::Active);
        assert_eq!(world.status(&certificate), AnswerStatus::Good);
        assert_eq!(entry(&world.crl("seal-l2-g1"), &certificate), None);
    });
}

#[test]
fn rv_1_a_hold_is_not_lifted_after_its_limit() {
    World::on_each_database(|world| {
        let certificate = world.seal(&world.osaka(), Level::Three);
        suspend(world, &certificate, HoldCause::UnclearFacts).expect("a hold");
        world.clock.advance_days(14);
        let expected = (RefusalCode::SuspensionLimit, "RV-1");
        check_refused(world, || release(world, &certificate), expected, "cert.released");
    });
}

#[test]
fn rv_1_a_hold_at_its_limit_is_made_final_from_the_day_it_began() {
    World::on_each_database(|world| {
        let osaka = world.osaka();
        for (because, cause) in [
            (HoldCause::UnclearFacts, Cause::RightWithdrawn),
            (HoldCause::CopySuspected, Cause::KeyExposed),
        ] {
            let certificate = world.seal(&osaka, Level::Three);
            let began = world.now().floor();
            suspend(world, &certificate, because).expect("a hold");
            world.clock.advance_days(13);
            assert_eq!(settle_suspensions(&world.env, &world.permit()).expect("a run"), 0);
            world.clock.advance_days(1);
            assert_eq!(settle_suspensions(&world.env, &world.permit()).expect("a run"), 1);
            assert_eq!(settle_suspensions(&world.env, &world.permit()).expect("a run"), 0);
            world.renew_signers();
            let reason = Some(cause.reason().number());
            assert_eq!(world.status(&certificate), AnswerStatus::Revoked { at: began, reason });
        }
    });
}

#[test]
fn rv_1_a_hold_is_extended_once_and_by_two_officers() {
    World::on_each_database(|world| {
        let certificate = world.seal(&world.osaka(), Level::Three);
        suspend(world, &certificate, HoldCause::UnclearFacts).expect("a hold");
        let [first, other_account, second] =
            ["審査 一", "審査 一", "審査 二"].map(|name| officer(world, name));
        let extend = |permit| extend_suspension(&world.env, permit, &hold(&certificate));
        let asked = extend(&first).expect("a question");
        assert_eq!(asked.extended_at, None);
        let alone = (RefusalCode::DualControl, "RV-1");
        check_refused(world, || extend(&first), alone, "cert.suspended");
        // I-6: the same person from another account.
        check_refused(world, || extend(&other_account), alone, "cert.suspended");
        let granted = extend(&second).expect("an answer");
        assert_eq!(granted.until, granted.from.plus_days(28));
        let again = (RefusalCode::SuspensionLimit, "RV-1");
        check_refused(world, || extend(&first), again, "cert.suspended");
        world.clock.advance_days(20);
        release(world, &certificate).expect("a release before the new limit");
    });
}

#[test]
fn only_what_is_active_is_put_on_hold_and_only_a_hold_is_lifted() {
    World::on_each_database(|world| {
        let certificate = world.seal(&world.osaka(), Level::One);
        let conflict = (RefusalCode::StateConflict, "6.4");
        check_refused(world, || release(world, &certificate), conflict, "cert.released");
        suspend(world, &certificate, HoldCause::UnclearFacts).expect("a hold");
        let again = || suspend(world, &certificate, HoldCause::UnclearFacts);
        check_refused(world, again, conflict, "cert.suspended");
        world.revoke(&certificate, Cause::KeyExposed).expect("a revocation");
        let last = (RefusalCode::RevocationFinal, "RV-2");
        check_refused(world, again, last, "cert.suspended");
        check_refused(world, || release(world, &certificate), conflict, "cert.released");
    });
}
