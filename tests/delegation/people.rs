//! Roles that exclude each other, roles that wait for another administrator, and custodians whose
//! only grant ended.

use tenkoku_ca::container::{
    ContainerOrder, change_custodian, place_key, register_container, verify_container,
};
use tenkoku_ca::grant::end_grant;
use tenkoku_ca::nightly::run_nightly;
use tenkoku_ca::office::{PersonOrder, remove_delegate, take_person};
use tenkoku_ca::role::{self, Administrators, ROLE, ask_role, decide_role};
use tenkoku_domain::access::{Role, RoleGrant, Scope};
use tenkoku_domain::approval::{ApprovalState, Verdict};
use tenkoku_domain::certificate::Certificate;
use tenkoku_domain::container::ContainerKind;
use tenkoku_domain::grant::{GrantEnd, GrantState};
use tenkoku_domain::id::ContainerId;
use tenkoku_domain::level::Level;
use tenkoku_domain::refusal::RefusalCode;
use tenkoku_pki::ocsp::AnswerStatus;
use tenkoku_testkit::people::Somebody;
use tenkoku_testkit::world::{OURS, World};

use super::{apply, check, in_production, issued, refused, sample};
use crate::support::codes;

fn role_of(world: &World, role: Role, scope: Scope) -> RoleGrant {
    RoleGrant { role, scope, until: world.now().plus_days(100) }
}

fn ask(
    world: &World,
    asker: &Somebody,
    grantee: &Somebody,
    grant: &RoleGrant,
) -> tenkoku_domain::approval::ApprovalRequest {
    let origin = asker.principal.origin();
    let answer = world
        .env
        .store
        .write(|tx| ask_role(&world.env, tx, &origin, &grantee.account, grant, world.now()));
    answer.expect("an answer").expect("a request")
}

#[test]
fn dom_2_roles_are_told_apart_over_all_accounts_of_a_person() {
    in_production(|world| {
        let ours = world.organisation(OURS);
        let scope = Scope::organisation(ours.id.clone());
        world.somebody("二役 花", &[Role::Delegate], &scope);
        let second = world.somebody("二役 花", &[], &Scope::Platform);
        let held = world.read(|tx| role::roles_of_person(tx, &second.account));
        assert_eq!(held.len(), 1, "over both accounts");
        let officer = role_of(world, Role::RegistrationOfficer, Scope::Platform);
        let told = role::check_role(&world.env, &held, &officer, world.now());
        let told = told.expect_err("of the organisation's own people");
        assert_eq!((told.code, told.rule.as_str()), (RefusalCode::DualControl, "2"));
        let custodian = role_of(world, Role::Custodian, scope);
        assert!(role::check_role(&world.env, &held, &custodian, world.now()).is_ok());
    });
    // One person may do everything in an evaluation.
    World::on_each_database(|world| {
        let held = [role_of(world, Role::Auditor, Scope::Platform)];
        let asked = role_of(world, Role::RegistrationOfficer, Scope::Platform);
        assert!(role::check_role(&world.env, &held, &asked, world.now()).is_ok());
        assert!(!role::must_wait(&world.env, &asked, Administrators::Some));
    });
}

#[test]
fn a_role_with_power_over_issuance_needs_another_administrator() {
    in_production(|world| {
        let everywhere = Scope::Platform;
        let [one, two] = ["管理 一", "管理 二"]
            .map(|name| world.somebody(name, &[Role::PlatformAdministrator], &everywhere));
        let grantee = world.somebody("審査 新", &[Role::PlatformAdministrator], &everywhere);
        let grant = role_of(world, Role::CaOfficer, Scope::Platform);
        assert!(role::must_wait(&world.env, &grant, Administrators::Some));
        assert!(!role::must_wait(&world.env, &grant, Administrators::None), "the very first");
        let custodian = role_of(world, Role::Custodian, Scope::Platform);
        assert!(!role::must_wait(&world.env, &custodian, Administrators::Some));
        let request = ask(world, &one, &grantee, &grant);
        let decide = |who: &Somebody| {
            let ruling = tenkoku_ca::approval::Ruling {
                shown: request.digest,
                verdict: Verdict::Approved,
                reason: String::new(),
            };
            decide_role(&world.env, &who.permit(world), &request.id, &ruling)
        };
        for own in [&one, &grantee] {
            assert_eq!(refused(decide(own)).code, RefusalCode::SelfApproval);
        }
        let roles = || world.read(|tx| tx.load_account(&grantee.account.id)).roles;
        assert_eq!(roles().len(), 1);
        assert_eq!(world.read(|tx| tx.open_approval_requests(ROLE)).len(), 1);
        assert_eq!(decide(&two).expect("given").state, ApprovalState::Approved);
        assert!(roles().iter().any(|held| held.role == Role::CaOfficer));
        assert!(decide(&two).is_err(), "decided");
    });
}

#[test]
fn i_6_persons_are_counted_and_namesakes_told_apart_by_whoever_knows() {
    in_production(|world| {
        let origin = world.shell().origin();
        let take = |order: PersonOrder| {
            let taken = world
                .env
                .store
                .write(|tx| take_person(&world.env, tx, &origin, &order, world.now()));
            taken.expect("a person").id
        };
        let named =
            |name: &str| PersonOrder::Named { name: name.to_owned(), contact: String::new() };
        let first = take(named("山田 一"));
        assert_eq!(take(named("山田　一")), first, "one name in two spellings");
        let namesake =
            take(PersonOrder::New { name: "山田 一".to_owned(), contact: String::new() });
        assert_ne!(namesake, first);
        assert_eq!(take(PersonOrder::Known(namesake.clone())), namesake);
    });
}

#[test]
fn a_delegate_who_leaves_loses_every_grant_at_once() {
    in_production(|world| {
        let (ours, [osaka, nagoya, _]) = sample(world);
        let given = world.delegation(&ours);
        let taken = apply(world, &given.delegate, &osaka, Level::One).expect("taken");
        let certificate = issued(world, &taken);
        let all = world.read(|tx| tx.list_delegates(&Scope::Platform, &ours.id));
        let ended =
            remove_delegate(&world.env, &world.permit(), &all[0].id).expect("the delegate leaves");
        assert_eq!(ended.len(), 1);
        assert_eq!(
            (ended[0].state, ended[0].end),
            (GrantState::Ended, Some(GrantEnd::GranteeLeft))
        );
        check(apply(world, &given.delegate, &nagoya, Level::One), RefusalCode::GrantEnded, "state");
        assert_eq!(world.status(&certificate), AnswerStatus::Good);
        assert!(remove_delegate(&world.env, &world.permit(), &all[0].id).is_err(), "once");
    });
}

/// A delegate who is the custodian of a container with a live key.
fn custodian_s(world: &World) -> (tenkoku_testkit::people::Delegation, ContainerId, Certificate) {
    let (ours, [osaka, ..]) = sample(world);
    let origin = world.shell().origin();
    let order = PersonOrder::New {
        name: "例 花子".to_owned(),
        contact: "hanako@sample.example".to_owned(),
    };
    let known =
        world.env.store.write(|tx| take_person(&world.env, tx, &origin, &order, world.now()));
    known.expect("a person");
    let given = world.delegation(&ours);
    let taken = apply(world, &given.delegate, &osaka, Level::One).expect("taken");
    let certificate = issued(world, &taken);
    let order = ContainerOrder {
        organisation: ours.id.clone(),
        branch: Some(osaka.id.clone()),
        kind: ContainerKind::Token,
        model: "Sample Token".to_owned(),
        serial: "SN-1".to_owned(),
        firmware: "1".to_owned(),
        certification: "FIPS 140-3 level 3".to_owned(),
        partition: String::new(),
        custodian: ("例 花子".to_owned(), "hanako@sample.example".to_owned()),
        location: "Osaka".to_owned(),
        inventory: Vec::new(),
    };
    let container = register_container(&world.env, &world.permit(), &order).expect("a container");
    verify_container(&world.env, &world.permit(), &container.id, b"seen").expect("verified");
    place_key(&world.env, &world.permit(), &certificate.key, &container.id).expect("placed");
    (given, container.id, certificate)
}

#[test]
fn a_container_needs_another_custodian_when_the_only_grant_ended() {
    in_production(|world| {
        let (given, container, certificate) = custodian_s(world);
        let permit = given.representative.permit(world);
        let (_, told) =
            world.told(|| end_grant(&world.env, &permit, &given.grant.terms.id).expect("an end"));
        assert_eq!(codes(&told), ["grant.ended", "container.custodian-changed"]);
        let tasks = world.read(|tx| tx.list_custodian_tasks());
        assert_eq!(tasks.len(), 1);
        assert_eq!((&tasks[0].container, tasks[0].due_at), (&container, world.now().plus_days(14)));
        world.clock.advance_days(13);
        run_nightly(&world.env, &world.permit()).expect("a night");
        world.renew_signers();
        assert_eq!(world.status(&certificate), AnswerStatus::Good);
        world.clock.advance_days(1);
        for _ in 0..2 {
            run_nightly(&world.env, &world.permit()).expect("a night");
            assert!(matches!(world.status(&certificate), AnswerStatus::Revoked { .. }), "on hold");
        }
        assert_eq!(world.read(|tx| tx.list_custodian_tasks()), []);
    });
}

#[test]
fn a_new_custodian_in_time_ends_the_task() {
    in_production(|world| {
        let (given, container, certificate) = custodian_s(world);
        let permit = given.representative.permit(world);
        end_grant(&world.env, &permit, &given.grant.terms.id).expect("an end");
        let next = ("後任 守", "next@sample.example");
        change_custodian(&world.env, &world.permit(), &container, next).expect("a custodian");
        assert_eq!(world.read(|tx| tx.list_custodian_tasks()), []);
        world.clock.advance_days(15);
        run_nightly(&world.env, &world.permit()).expect("a night");
        world.renew_signers();
        assert_eq!(world.status(&certificate), AnswerStatus::Good);
    });
}
