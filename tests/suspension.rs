//! Stories of suspension: told by OCSP and CRL at once, lifted before its limit, extended once by
//! two officers, made final at the limit with the date it began (RV-1).

use tenkoku_ca::act::ActError;
use tenkoku_ca::approval::Ruling;
use tenkoku_ca::suspend::{
    HoldOrder, Release, SuspendError, SuspendOrder, decide_release, extend_suspension,
    release_certificate, settle_suspensions, suspend_certificate,
};
use tenkoku_domain::access::{DecideEvidence, Permit, Scope};
use tenkoku_domain::approval::{ApprovalRequest, ApprovalState, Verdict};
use tenkoku_domain::certificate::{Certificate, CertificateState};
use tenkoku_domain::grant::GrantAction;
use tenkoku_domain::level::Level;
use tenkoku_domain::policy::Installation;
use tenkoku_domain::refusal::RefusalCode;
use tenkoku_domain::revocation::{Cause, ReasonCode};
use tenkoku_domain::suspension::HoldCause;
use tenkoku_pki::ocsp::AnswerStatus;
use tenkoku_testkit::people::{Delegation, Somebody};
use tenkoku_testkit::world::World;

use crate::revocation::entry;
use crate::support::{check_refused, codes, refusal};

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

/// Lifts a hold in an evaluation, where nobody else is asked.
fn release(world: &World, certificate: &Certificate) -> Result<Certificate, SuspendError> {
    match release_certificate(&world.env, &world.permit(), &hold(certificate))? {
        Release::Lifted(lifted) => Ok(*lifted),
        Release::Waits(request) => panic!("it waits for {request:?}"),
    }
}

/// Asks in production that a hold be lifted.
fn ask(world: &World, who: &Somebody, certificate: &Certificate) -> ApprovalRequest {
    let asked = release_certificate(&world.env, &who.permit(world), &hold(certificate));
    match asked.expect("a request") {
        Release::Waits(request) => *request,
        Release::Lifted(lifted) => panic!("nobody was asked: {lifted:?}"),
    }
}

fn decide(
    world: &World,
    who: &Somebody,
    request: &ApprovalRequest,
    verdict: Verdict,
) -> Result<ApprovalRequest, ActError> {
    let reason = "looked into".to_owned();
    let ruling = Ruling { shown: request.digest, verdict, reason };
    decide_release(&world.env, &who.permit(world), &request.id, &ruling)
}

fn state(world: &World, certificate: &Certificate) -> CertificateState {
    world.read(|tx| tx.load_certificate(&Scope::Platform, &certificate.id)).state
}

#[test]
fn a_delegate_asks_for_the_end_of_a_hold_only_where_the_grant_says_release() {
    World::on_each_database_of(Installation::Production, |world| {
        let osaka = world.osaka();
        let ours = world.read(|tx| tx.load_organisation(&Scope::Platform, &osaka.organisation));
        let given = world.delegation_of(&ours, |part| {
            part.actions = vec![GrantAction::Apply, GrantAction::Suspend];
        });
        let delegate = &given.delegate;
        let certificate = world.seal(&osaka, Level::One);
        suspend(world, &certificate, HoldCause::UnclearFacts).expect("a hold");
        let release =
            || release_certificate(&world.env, &delegate.permit(world), &hold(&certificate));
        let expected = (RefusalCode::GrantScope, "DG-1");
        let refused = check_refused(world, release, expected, "cert.released");
        assert_eq!(refused.facts["part"].as_str(), "action");
        let mut part = world.wide_part(delegate);
        part.actions = vec![GrantAction::Release];
        world.on_paper(&world.drafted(&given.office, part), &given.officers);
        let (request, told) = world.told(|| ask(world, delegate, &certificate));
        assert_eq!(codes(&told), ["cert.release-asked"]);
        assert!(matches!(state(world, &certificate), CertificateState::Suspended(_)));
        // Asking again is no second request.
        assert_eq!(ask(world, delegate, &certificate).id, request.id);
        let officer = world.registration_officer("審査 一");
        let (decided, told) = world.told(|| decide(world, &officer, &request, Verdict::Approved));
        assert_eq!(decided.expect("an approval").state, ApprovalState::Approved);
        assert_eq!(codes(&told), ["cert.release-asked", "cert.released"]);
        assert_eq!(state(world, &certificate), CertificateState::Active);
        assert_eq!(world.status(&certificate), AnswerStatus::Good);
    });
}

#[test]
fn a_hold_is_not_released_by_whoever_asked_for_it() {
    World::on_each_database_of(Installation::Production, |world| {
        let certificate = world.seal(&world.osaka(), Level::One);
        let [suspicious, asker, other] =
            ["審査 一", "審査 二", "審査 三"].map(|name| world.registration_officer(name));
        let order = SuspendOrder {
            authority: certificate.authority.clone(),
            serial: certificate.serial.clone(),
            because: HoldCause::CopySuspected,
            comment: String::new(),
        };
        suspend_certificate(&world.env, &suspicious.permit(world), &order).expect("a hold");
        let request = ask(world, &asker, &certificate);
        for own in [&suspicious, &asker] {
            let expected = (RefusalCode::SelfApproval, "17");
            let approve = || decide(world, own, &request, Verdict::Approved);
            check_refused(world, approve, expected, "cert.release-asked");
        }
        // The same person under another account counts as the same (I-6).
        let again = world.registration_officer("審査 一");
        let approve = || decide(world, &again, &request, Verdict::Approved);
        let expected = (RefusalCode::SelfApproval, "17");
        check_refused(world, approve, expected, "cert.release-asked");
        assert!(matches!(state(world, &certificate), CertificateState::Suspended(_)));
        decide(world, &other, &request, Verdict::Approved).expect("the last approval");
        assert_eq!(state(world, &certificate), CertificateState::Active);
    });
}

#[test]
fn one_rejection_keeps_a_hold_and_nothing_is_released_after_its_limit() {
    World::on_each_database_of(Installation::Production, |world| {
        let certificate = world.seal(&world.osaka(), Level::One);
        suspend(world, &certificate, HoldCause::CustodianGone).expect("a hold");
        let [asker, officer] = ["審査 一", "審査 二"].map(|name| world.registration_officer(name));
        let request = ask(world, &asker, &certificate);
        decide(world, &officer, &request, Verdict::Rejected).expect("a rejection");
        let late = decide(world, &officer, &request, Verdict::Approved);
        assert_eq!(refusal(late).code, RefusalCode::StateConflict);
        assert!(matches!(state(world, &certificate), CertificateState::Suspended(_)));
        world.clock.advance_days(20);
        let request = ask(world, &asker, &certificate);
        world.clock.advance_days(10);
        let late = || decide(world, &officer, &request, Verdict::Approved);
        let expected = (RefusalCode::SuspensionLimit, "RV-1");
        check_refused(world, late, expected, "cert.release-asked");
    });
}

/// At level 3 two officers release what a delegate asked for.
pub(crate) fn released_by_two(world: &World, given: &Delegation, certificate: &Certificate) {
    suspend(world, certificate, HoldCause::CustodianGone).expect("a hold");
    let [first, second] = &given.officers;
    let request = ask(world, &given.delegate, certificate);
    let open = decide(world, first, &request, Verdict::Approved).expect("the first");
    assert_eq!(open.state, ApprovalState::Open);
    assert!(matches!(state(world, certificate), CertificateState::Suspended(_)));
    decide(world, second, &request, Verdict::Approved).expect("the second");
    assert_eq!(state(world, certificate), CertificateState::Active);
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
