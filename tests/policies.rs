//! Stories of key-management policies: who approves them, when they come into force, and what they
//! do to what waits.

use tenkoku_ca::policy::{
    PolicyError, PolicyVerdict, activate_due_policies, activate_policy, approve_policy,
    draft_policy, dry_run, reject_policy,
};
use tenkoku_domain::access::{Principal, Scope};
use tenkoku_domain::key::KeyAlgorithm;
use tenkoku_domain::level::Level;
use tenkoku_domain::policy::document::write;
use tenkoku_domain::policy::draft::{DraftState, PolicyDraft};
use tenkoku_domain::policy::{Installation, KeyPolicy};
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_testkit::fixtures::ApplicantKey;
use tenkoku_testkit::world::World;

use crate::support::refusal;

/// Someone with an account under a name.
pub(crate) fn person(world: &World, _login: &str, name: &str) -> Principal {
    let actor = world.somebody(name, &[], &Scope::Platform).principal.actor;
    Principal { actor, ..world.shell() }
}

/// The policy of the world with another version, effective an hour from now.
fn next_version(world: &World) -> KeyPolicy {
    let mut policy = KeyPolicy::initial(Installation::Evaluation);
    "2027.01".clone_into(&mut policy.version);
    policy.effective_from = world.now().floor().plus_seconds(3600);
    policy
}

fn draft(world: &World, who: &Principal, policy: &KeyPolicy) -> Result<PolicyDraft, PolicyError> {
    let permit = who.permit(world.now()).expect("a permit");
    draft_policy(&world.env, &permit, &write(policy))
}

fn approve(
    world: &World,
    who: &Principal,
    draft: &PolicyDraft,
) -> Result<PolicyDraft, PolicyError> {
    let permit = who.permit(world.now()).expect("a permit");
    let verdict = PolicyVerdict { digest: draft.digest, reason: String::new() };
    approve_policy(&world.env, &permit, &verdict)
}

fn refused<T: std::fmt::Debug>(result: Result<T, PolicyError>) -> Refusal {
    match result {
        Err(PolicyError::Refused(refusal)) => refusal,
        other => panic!("no refusal: {other:?}"),
    }
}

#[test]
fn km_22_a_policy_comes_into_force_when_two_others_approved_it() {
    World::on_each_database(|world| {
        let people = [("author", "山田 一"), ("one", "佐藤 二"), ("two", "鈴木 三")];
        let [author, one, two] = people.map(|(login, name)| person(world, login, name));
        let drafted = draft(world, &author, &next_version(world)).expect("a draft");
        let permit = || world.permit();
        for approver in [None, Some(&one)] {
            if let Some(approver) = approver {
                approve(world, approver, &drafted).expect("an approval");
            }
            let told = refused(activate_policy(&world.env, &permit(), &drafted.digest));
            assert_eq!((told.code, told.rule.as_str()), (RefusalCode::PolicyApproval, "KM-22"));
        }
        assert_eq!(
            approve(world, &two, &drafted).expect("an approval").state,
            DraftState::Approved
        );
        assert_eq!(activate_due_policies(&world.env, &permit()).expect("a run"), 0);
        world.clock.advance_seconds(3600);
        assert_eq!(activate_due_policies(&world.env, &permit()).expect("a run"), 1);
        assert_eq!(activate_due_policies(&world.env, &permit()).expect("a run"), 0);
        let in_force = world.read(|tx| tx.current_policy(world.now()));
        assert_eq!(in_force.digest().expect("a digest"), drafted.digest);
        assert_eq!(world.read(|tx| tx.list_policies(world.now())).len(), 1);
        // The same version with another content is refused for ever.
        let mut other = next_version(world);
        other.rotation.lead_days = 61;
        assert_eq!(refused(draft(world, &author, &other)).code, RefusalCode::StateConflict);
    });
}

#[test]
fn i_6_one_person_with_two_accounts_counts_once() {
    World::on_each_database(|world| {
        let author = person(world, "author", "山田 一");
        let drafted = draft(world, &author, &next_version(world)).expect("a draft");
        let itself = person(world, "author-2", "山田　一");
        assert_eq!(refused(approve(world, &itself, &drafted)).code, RefusalCode::SelfApproval);
        // The shell and every part of the platform are one person.
        approve(world, &world.shell(), &drafted).expect("an approval");
        let told = refused(approve(world, &world.shell(), &drafted));
        assert_eq!((told.code, told.rule.as_str()), (RefusalCode::DualControl, "I-6"));
        let still = world.read(|tx| tx.load_draft(&drafted.digest));
        assert_eq!((still.state, still.approvals()), (DraftState::Drafted, 1));
        let one = person(world, "one", "Hanako Rei");
        approve(world, &one, &drafted).expect("the last approval needed");
    });
}

#[test]
fn ab_13_an_approval_falls_on_the_text_that_was_shown() {
    World::on_each_database(|world| {
        let author = person(world, "author", "山田 一");
        let one = person(world, "one", "佐藤 二");
        let shown = draft(world, &author, &next_version(world)).expect("a draft");
        approve(world, &one, &shown).expect("an approval");
        let mut changed = next_version(world);
        changed.validity.level3 = 800;
        let anew = draft(world, &author, &changed).expect("a draft in its place");
        assert_eq!(refused(approve(world, &one, &shown)).code, RefusalCode::StateConflict);
        assert_eq!(anew.approvals(), 0);
        let permit = one.permit(world.now()).expect("a permit");
        let verdict = PolicyVerdict { digest: anew.digest, reason: "期間が短い".to_owned() };
        let ended = reject_policy(&world.env, &permit, &verdict).expect("a rejection");
        assert_eq!(ended.state, DraftState::Rejected);
    });
}

#[test]
fn km_22_a_policy_of_the_past_is_refused() {
    World::on_each_database(|world| {
        let mut policy = next_version(world);
        policy.effective_from = world.now().floor().plus_seconds(-1);
        let told = refused(draft(world, &world.shell(), &policy));
        assert_eq!((told.code, told.rule.as_str()), (RefusalCode::PolicyApproval, "KM-22"));
    });
}

#[test]
fn km_21_what_waits_is_refused_when_the_policy_changed_and_would_refuse_it() {
    World::on_each_database(|world| {
        let branch = world.osaka();
        let sealed = world.seal(&branch, Level::Two);
        let waits = world
            .apply(&branch, Level::Two, &ApplicantKey::make(KeyAlgorithm::P256))
            .expect("an application");
        let mut policy = next_version(world);
        policy.algorithms.level2.ec_curves = vec![tenkoku_domain::policy::Curve::P384];
        let violations = dry_run(&world.env, &world.permit(), &policy).expect("a dry run");
        assert_eq!(violations.len(), 1);
        assert_eq!(violations[0].certificate.id, sealed.id);
        assert_eq!(violations[0].refusals[0].rule, "KM-1");

        let author = person(world, "author", "山田 一");
        let drafted = draft(world, &author, &policy).expect("a draft");
        for (login, name) in [("one", "佐藤 二"), ("two", "鈴木 三")] {
            approve(world, &person(world, login, name), &drafted).expect("an approval");
        }
        world.clock.advance_seconds(3600);
        activate_policy(&world.env, &world.permit(), &drafted.digest).expect("in force");
        let told = refusal(world.issue(&waits));
        assert_eq!((told.code, told.rule.as_str()), (RefusalCode::PolicyChanged, "KM-21"));
    });
}
