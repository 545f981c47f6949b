//! Stories of branch offices and organisations that pause and end (DOMAIN 6.1, 6.2, I-10).

use tenkoku_ca::closing::{
    BranchStep, ClosingError, finish_organisation, lift_restriction, move_branch,
    restrict_organisation,
};
use tenkoku_ca::nightly::run_nightly;
use tenkoku_ca::proposal::propose_closing;
use tenkoku_domain::access::Scope;
use tenkoku_domain::application::ApplicationState;
use tenkoku_domain::branch::{Branch, BranchState};
use tenkoku_domain::certificate::{Certificate, CertificateState};
use tenkoku_domain::key::KeyState;
use tenkoku_domain::level::Level;
use tenkoku_domain::organisation::OrganisationState;
use tenkoku_domain::proposal::{ProposalState, ProposedAct};
use tenkoku_domain::refusal::RefusalCode;
use tenkoku_domain::revocation::{Cause, ReasonCode};
use tenkoku_testkit::fixtures::ApplicantKey;
use tenkoku_testkit::world::{OURS, World};

use crate::support::{check_refused, codes, refusal};

fn state(world: &World, certificate: &Certificate) -> CertificateState {
    world.read(|tx| tx.load_certificate(&Scope::Platform, &certificate.id)).state
}

fn step(world: &World, branch: &Branch, step: BranchStep) -> Result<Branch, ClosingError> {
    move_branch(&world.env, &world.permit(), &branch.id, (step, "改装のため"))
}

#[track_caller]
fn check_revoked(world: &World, certificate: &Certificate, reason: ReasonCode) {
    let CertificateState::Revoked(revocation) = state(world, certificate) else {
        panic!("it must be revoked");
    };
    assert_eq!(revocation.cause.reason(), reason);
    let key = world.read(|tx| tx.load_key(&certificate.key));
    assert_eq!(key.state, KeyState::DestructionDue, "its key is due to be destroyed");
}

#[test]
fn a_pause_puts_the_seals_of_a_branch_on_hold_and_its_end_lifts_them() {
    World::on_each_database(|world| {
        let osaka = world.osaka();
        let certificates = [Level::One, Level::Two].map(|level| world.seal(&osaka, level));
        let paused = step(world, &osaka, BranchStep::Pause).expect("paused");
        assert_eq!(paused.state, BranchState::Paused);
        for certificate in &certificates {
            assert!(matches!(state(world, certificate), CertificateState::Suspended(_)));
        }
        let key = ApplicantKey::make(tenkoku_domain::key::KeyAlgorithm::P256);
        let apply = || world.open(&osaka, Level::One, Some(key.request()));
        check_refused(world, apply, (RefusalCode::BranchClosed, "6.2"), "app.submitted");
        let again = || step(world, &osaka, BranchStep::Pause);
        check_refused(world, again, (RefusalCode::StateConflict, "6.2"), "branch.paused");
        let (open, told) = world.told(|| step(world, &osaka, BranchStep::Reopen));
        assert_eq!(open.expect("open").state, BranchState::Open);
        assert_eq!(codes(&told), ["cert.released", "cert.released", "branch.changed"]);
        for certificate in &certificates {
            assert_eq!(state(world, certificate), CertificateState::Active);
        }
    });
}

#[test]
fn i_10_a_closed_branch_has_no_credential_that_is_live() {
    World::on_each_database(|world| {
        let osaka = world.osaka();
        let active = world.seal(&osaka, Level::One);
        let ready = world.apply(
            &osaka,
            Level::Two,
            &ApplicantKey::make(tenkoku_domain::key::KeyAlgorithm::P256),
        );
        let ready = ready.expect("ready");
        let early = || step(world, &osaka, BranchStep::Finish);
        check_refused(world, early, (RefusalCode::StateConflict, "6.2"), "branch.closed");
        let other = || step(world, &osaka, BranchStep::Close(Cause::KeyExposed));
        let cause = (RefusalCode::StateConflict, "6.1");
        check_refused(world, other, cause, "branch.changed");
        let closing = step(world, &osaka, BranchStep::Close(Cause::OfficeClosed)).expect("closing");
        assert_eq!(closing.state, BranchState::Closing);
        check_revoked(world, &active, ReasonCode::CessationOfOperation);
        let ended = world.read(|tx| tx.load_application(&Scope::Platform, &ready.id));
        assert_eq!(ended.state, ApplicationState::Rejected);
        let issued = refusal(world.issue(&ready));
        assert_eq!(issued.code, RefusalCode::StateConflict);
        let closed = step(world, &osaka, BranchStep::Finish).expect("closed");
        assert_eq!(closed.state, BranchState::Closed);
        let left = world.read(|tx| tx.open_certificates_of_branch(&osaka.id, world.now()));
        assert_eq!(left, []);
        for to in [BranchStep::Reopen, BranchStep::Pause, BranchStep::Close(Cause::OfficeClosed)] {
            assert_eq!(refusal(step(world, &osaka, to)).code, RefusalCode::StateConflict);
        }
    });
}

#[test]
fn i_10_a_certificate_that_is_being_signed_keeps_a_branch_from_being_closed() {
    World::on_each_database(|world| {
        let osaka = world.osaka();
        let key = ApplicantKey::make(tenkoku_domain::key::KeyAlgorithm::P256);
        let ready = world.apply(&osaka, Level::One, &key).expect("ready");
        world.keys.fail();
        assert!(world.issue(&ready).is_err(), "the key store does not sign");
        world.keys.recover();
        step(world, &osaka, BranchStep::Close(Cause::OfficeClosed)).expect("closing");
        let early = || step(world, &osaka, BranchStep::Finish);
        let refused = (RefusalCode::StateConflict, "I-10");
        let refusal = check_refused(world, early, refused, "branch.closed");
        assert_eq!(refusal.facts["count"], "1");
        world.clock.advance_seconds(60);
        tenkoku_ca::settle::settle_pending(&world.env, &world.permit()).expect("settled");
        let counts = run_nightly(&world.env, &world.permit()).expect("a night");
        assert_eq!(counts["branches-closed"], 1, "the night closes what has nothing left");
        let branch = world.read(|tx| tx.load_branch(&Scope::Platform, &osaka.id));
        assert_eq!(branch.state, BranchState::Closed);
    });
}

#[test]
fn i_10_an_organisation_ends_with_everything_it_holds_and_its_evidence() {
    World::on_each_database(|world| {
        let osaka = world.osaka();
        let organisation =
            world.read(|tx| tx.load_organisation(&Scope::Platform, &osaka.organisation));
        let head = world.find_branch(&organisation, "HQ");
        let certificates = [world.seal(&osaka, Level::Two), world.seal(&head, Level::One)];
        let finish = || finish_organisation(&world.env, &world.permit(), &organisation.id, "");
        check_refused(world, finish, (RefusalCode::StateConflict, "6.1"), "org.closed");
        let act = ProposedAct::CloseOrganisation {
            organisation: organisation.id.clone(),
            cause: Cause::NameChanged,
        };
        let done = propose_closing(&world.env, &world.permit(), act.clone(), "merged");
        assert_eq!(done.expect("an evaluation does it at once").state, ProposalState::Done);
        for certificate in &certificates {
            check_revoked(world, certificate, ReasonCode::AffiliationChanged);
        }
        let again = || propose_closing(&world.env, &world.permit(), act.clone(), "merged");
        check_refused(world, again, (RefusalCode::StateConflict, "6.1"), "org.changed");
        let evidence = (RefusalCode::EvidenceIncomplete, "6.1");
        let refusal = check_refused(world, finish, evidence, "org.closed");
        assert_eq!(refusal.facts["count"], "2");
        let waive = ProposedAct::WaiveEvidence { organisation: organisation.id.clone() };
        propose_closing(&world.env, &world.permit(), waive, "the devices burnt").expect("waived");
        let closed = world.read(|tx| tx.load_organisation(&Scope::Platform, &organisation.id));
        assert_eq!(closed.state, OrganisationState::Closed);
        for branch in [&osaka, &head] {
            let branch = world.read(|tx| tx.load_branch(&Scope::Platform, &branch.id));
            assert_eq!(branch.state, BranchState::Closed);
        }
    });
}

#[test]
fn a_restricted_organisation_keeps_its_seals_and_gets_no_new_one() {
    World::on_each_database(|world| {
        let osaka = world.osaka();
        let certificate = world.seal(&osaka, Level::One);
        let (env, id) = (&world.env, &osaka.organisation);
        let moved = restrict_organisation(env, &world.permit(), id, "no contact");
        assert_eq!(moved.expect("restricted").state, OrganisationState::Restricted);
        assert_eq!(state(world, &certificate), CertificateState::Active);
        let apply = || world.open(&osaka, Level::One, None);
        check_refused(world, apply, (RefusalCode::OrganisationRestricted, "6.1"), "app.submitted");
        lift_restriction(env, &world.permit(), id, "found again").expect("lifted");
        world.seal(&osaka, Level::One);
        assert_eq!(OURS[0], "NTRJP-5010401067252");
    });
}
