//! Stories of delegation: a representative signs once, delegates act inside the grant, officers
//! decide, and nobody gets more power than was given (DOMAIN 15 to 17, 6.3, 6.8).

mod certificates;
mod issuing;
mod people;

use tenkoku_ca::act::ActError;
use tenkoku_ca::apply::{Applied, ApplyError, ApplyOrder, apply_for_seal};
use tenkoku_ca::approval::withdraw_application;
use tenkoku_ca::grant::{Reach, confirm_grant, decide_paper, end_grant, give_on, hand_in_paper};
use tenkoku_ca::instance::{InstancesOrder, order_instances};
use tenkoku_ca::issue::issue_certificate;
use tenkoku_ca::nightly::run_nightly;
use tenkoku_ca::office::end_representative;
use tenkoku_ca::prove::{Proof, prove_possession};
use tenkoku_ca::revoke::{RevokeOrder, revoke_certificate};
use tenkoku_ca::suspend::{SuspendOrder, suspend_certificate};
use tenkoku_domain::access::{Role, Scope};
use tenkoku_domain::application::{Application, ApplicationState};
use tenkoku_domain::approval::Verdict;
use tenkoku_domain::audit::ObjectRef;
use tenkoku_domain::branch::Branch;
use tenkoku_domain::certificate::Certificate;
use tenkoku_domain::grant::{GrantAction, GrantQuota, GrantState};
use tenkoku_domain::key::KeyAlgorithm;
use tenkoku_domain::level::Level;
use tenkoku_domain::organisation::Organisation;
use tenkoku_domain::policy::Installation;
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_domain::revocation::Cause;
use tenkoku_domain::suspension::HoldCause;
use tenkoku_pki::ocsp::AnswerStatus;
use tenkoku_store::StoreError;
use tenkoku_testkit::fixtures::ApplicantKey;
use tenkoku_testkit::people::{Delegation, Somebody, codes, file};
use tenkoku_testkit::world::{OURS, World, at_once};

use crate::support::{check_refused, codes as told_codes, refusal};

/// Runs a story in a production installation on both databases.
fn in_production(story: impl Fn(&World)) {
    World::on_each_database_of(Installation::Production, story);
}

/// Sample Co. with its branches Osaka, Nagoya and Fukuoka.
fn sample(world: &World) -> (Organisation, [Branch; 3]) {
    let ours = world.organisation(OURS);
    let branches = [
        ["BR-0002", "大阪支店", "Osaka Branch"],
        ["BR-0003", "名古屋支店", "Nagoya Branch"],
        ["BR-0004", "福岡支店", "Fukuoka Branch"],
    ]
    .map(|names| world.branch(&ours, names));
    (ours, branches)
}

fn apply(
    world: &World,
    who: &Somebody,
    branch: &Branch,
    level: Level,
) -> Result<Applied, ApplyError> {
    let order = ApplyOrder {
        branch: branch.id.clone(),
        level,
        validity_days: None,
        request: None,
        instance: None,
        wishes: tenkoku_domain::application::Wishes::default(),
    };
    apply_for_seal(&world.env, &who.permit(world), &order)
}

/// The part of a grant, or the rule, that refuses.
#[track_caller]
fn check(result: Result<Applied, ApplyError>, code: RefusalCode, part: &str) {
    let refused = refusal(result);
    assert_eq!((refused.code, refused.facts["part"].as_str()), (code, part), "{refused}");
}

fn proven(world: &World, applied: &Applied) -> Application {
    let key = ApplicantKey::make(KeyAlgorithm::P256);
    world.prove(applied, key.proof(&applied.challenge.text)).expect("possession")
}

fn issued(world: &World, applied: &Applied) -> Certificate {
    world.issue(&proven(world, applied)).expect("a certificate")
}

fn application(world: &World, applied: &Applied) -> Application {
    world.read(|tx| tx.load_application(&Scope::Platform, &applied.application.id))
}

#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T, ActError>) -> Refusal {
    match result {
        Err(ActError::Refused(refusal)) => refusal,
        other => panic!("no refusal: {other:?}"),
    }
}

/// Osaka and Nagoya, levels 1 and 2, four alive, two a day.
fn worked(world: &World, ours: &Organisation) -> Delegation {
    world.delegation_of(ours, |part| {
        part.reach = Reach::Branches(codes(&["BR-0002", "BR-0003"]));
        part.levels = [Level::One, Level::Two].into_iter().collect();
        part.quota = GrantQuota { active: 4, per_day: 2, total: 12 };
        part.not_after = Some(part.not_before.plus_days(100));
    })
}

#[test]
fn dg_7_the_worked_scope_refuses_what_lies_outside() {
    in_production(|world| {
        let (ours, [osaka, nagoya, fukuoka]) = sample(world);
        let delegate = worked(world, &ours).delegate;
        let try_for = |branch, level| apply(world, &delegate, branch, level);
        check(try_for(&fukuoka, Level::One), RefusalCode::GrantScope, "branch");
        check(try_for(&osaka, Level::Three), RefusalCode::GrantScope, "level");
        for branch in [&osaka, &nagoya] {
            try_for(branch, Level::One).expect("an application");
        }
        check(try_for(&osaka, Level::One), RefusalCode::GrantQuota, "per-day");
        world.clock.advance_days(1);
        for branch in [&osaka, &nagoya] {
            try_for(branch, Level::One).expect("an application of the next day");
        }
        world.clock.advance_days(1);
        check(try_for(&osaka, Level::One), RefusalCode::GrantQuota, "active");
        world.clock.advance_days(99);
        check(try_for(&osaka, Level::One), RefusalCode::GrantEnded, "date");
    });
}

#[test]
fn dg_1_nobody_applies_in_production_without_a_grant_or_with_a_stranger_s() {
    in_production(|world| {
        let (ours, [osaka, ..]) = sample(world);
        let administrator = world.somebody(
            "管理 花",
            &[Role::OrganisationAdministrator],
            &Scope::organisation(ours.id.clone()),
        );
        let try_it = || apply(world, &administrator, &osaka, Level::One);
        check(try_it(), RefusalCode::GrantMissing, "grant");
        worked(world, &ours);
        check(try_it(), RefusalCode::GrantMissing, "grant");
        // A draft that nobody signed gives no power.
        let own = world.delegate(&ours, "管理 花");
        let (_, office) = world.representative(&ours, "見本 次郎");
        world.drafted(&office, world.wide_part(&own));
        check(apply(world, &own, &osaka, Level::One), RefusalCode::GrantMissing, "signature");
    });
}

#[test]
fn dg_1_a_grant_that_ends_before_the_issue_stops_it() {
    in_production(|world| {
        let (ours, [osaka, ..]) = sample(world);
        let given = worked(world, &ours);
        let applied = apply(world, &given.delegate, &osaka, Level::One).expect("an application");
        let ready = proven(world, &applied);
        let permit = given.representative.permit(world);
        let ended = end_grant(&world.env, &permit, &given.grant.terms.id).expect("it ends");
        assert_eq!(ended.len(), 1);
        let refused = refusal(world.issue(&ready));
        assert_eq!(refused.code, RefusalCode::GrantEnded);
        assert_eq!(application(world, &applied).state, ApplicationState::Ready);
    });
}

#[test]
fn dg_2_quotas_count_what_is_reserved_and_give_it_back() {
    in_production(|world| {
        let (ours, [osaka, nagoya, _]) = sample(world);
        let given = world.delegation_of(&ours, |part| {
            part.quota = GrantQuota { active: 1, per_day: 9, total: 2 };
        });
        let delegate = &given.delegate;
        let first = apply(world, delegate, &osaka, Level::One).expect("an application");
        check(apply(world, delegate, &nagoya, Level::One), RefusalCode::GrantQuota, "active");
        let (_, told) = world.told(|| {
            let permit = delegate.permit(world);
            withdraw_application(&world.env, &permit, &first.application.id).expect("withdrawn")
        });
        assert_eq!(told_codes(&told), ["app.withdrawn", "grant.quota-released"]);
        let second = apply(world, delegate, &nagoya, Level::One).expect("its place is free");
        let certificate = issued(world, &second);
        check(apply(world, delegate, &osaka, Level::One), RefusalCode::GrantQuota, "active");
        world.revoke(&certificate, Cause::OfficeClosed).expect("a revocation");
        // What lived is given back, what was issued counts for ever.
        let third = apply(world, delegate, &osaka, Level::One).expect("the second of two");
        let certificate = issued(world, &third);
        world.revoke(&certificate, Cause::OfficeClosed).expect("a revocation");
        check(apply(world, delegate, &osaka, Level::One), RefusalCode::GrantQuota, "total");
    });
}

#[test]
fn dg_2_an_application_that_lapses_gives_its_place_back() {
    in_production(|world| {
        let (ours, [osaka, nagoya, _]) = sample(world);
        let given = world.delegation_of(&ours, |part| {
            part.quota = GrantQuota { active: 1, per_day: 9, total: 9 };
        });
        apply(world, &given.delegate, &osaka, Level::One).expect("an application");
        world.clock.advance_days(11);
        tenkoku_ca::lapse::lapse_applications(&world.env, &world.permit()).expect("a run");
        apply(world, &given.delegate, &nagoya, Level::One).expect("its place is free");
    });
}

#[test]
fn dg_3_an_application_carries_the_digest_of_its_grant() {
    in_production(|world| {
        let (ours, [osaka, ..]) = sample(world);
        let given = worked(world, &ours);
        let applied = apply(world, &given.delegate, &osaka, Level::One).expect("an application");
        let stored = application(world, &applied);
        let named = stored.grant.clone().expect("a grant");
        assert_eq!(named.id, given.grant.terms.id);
        assert_eq!(named.digest, given.grant.terms.digest().expect("a digest"));
        // The digest that is decided on is another without it.
        let own = |grant| {
            let branch = world.find_branch(&ours, "BR-0002");
            let subject = tenkoku_domain::subject::SealSubject::of(&ours, &branch, 1);
            tenkoku_domain::application::application_digest(
                &subject.expect("a subject"),
                stored.level,
                stored.validity_days,
                &stored.policy,
                (grant, &stored.wishes),
            )
            .expect("a digest")
        };
        assert_eq!(own(Some(&named)), stored.digest);
        assert_ne!(own(None), stored.digest);
    });
}

#[test]
fn dg_4_later_branches_need_an_amendment_or_a_grant_that_follows_them() {
    in_production(|world| {
        let (ours, _) = sample(world);
        let fixed = world.delegation_of(&ours, |part| part.reach = Reach::Everywhere);
        let later = world.branch(&ours, ["BR-0099", "札幌支店", "Sapporo Branch"]);
        let refused = apply(world, &fixed.delegate, &later, Level::One);
        check(refused, RefusalCode::GrantScope, "branch");
        let mut part = world.wide_part(&fixed.delegate);
        part.reach = Reach::EverywhereAndLater;
        world.on_paper(&world.drafted(&fixed.office, part), &fixed.officers);
        let newest = world.branch(&ours, ["BR-0100", "仙台支店", "Sendai Branch"]);
        apply(world, &fixed.delegate, &newest, Level::One).expect("it follows");
    });
}

#[test]
fn dg_5_a_delegate_orders_and_the_custodian_shows_the_key() {
    in_production(|world| {
        let (ours, [osaka, nagoya, _]) = sample(world);
        let given = worked(world, &ours);
        let applied = apply(world, &given.delegate, &osaka, Level::One).expect("an application");
        let key = ApplicantKey::make(KeyAlgorithm::P256);
        let proof = Proof::Request(key.proof(&applied.challenge.text));
        let prove = |who: &Somebody| {
            let permit = who.permit(world);
            prove_possession(&world.env, &permit, &applied.application.id, &proof)
        };
        let elsewhere =
            world.somebody("名古屋 守", &[Role::Custodian], &Scope::branch(nagoya.id.clone()));
        assert!(prove(&elsewhere).is_err(), "another branch's custodian");
        let custodian =
            world.somebody("大阪 守", &[Role::Custodian], &Scope::branch(osaka.id.clone()));
        let ready = prove(&custodian).expect("the custodian's key");
        assert_eq!(ready.applicant.id, given.delegate.account.id.to_string());
        world.issue(&ready).expect("a certificate");
    });
}

#[test]
fn scenario_7_dg_6_a_representative_leaves_and_the_grants_are_reviewed() {
    in_production(|world| {
        let (ours, [osaka, nagoya, fukuoka]) = sample(world);
        let given = world.delegation(&ours);
        let delegate = &given.delegate;
        let first = apply(world, delegate, &osaka, Level::One).expect("an application");
        let certificate = issued(world, &first);
        let permit = given.officers[0].permit(world);
        end_representative(&world.env, &permit, &given.office.id).expect("the office ends");
        world.clock.advance_days(29);
        apply(world, delegate, &nagoya, Level::One).expect("still in review");
        world.clock.advance_days(2);
        // Before the job ran, and after it.
        for _ in 0..2 {
            let refused = apply(world, delegate, &fukuoka, Level::One);
            check(refused, RefusalCode::GrantEnded, "paused");
            run_nightly(&world.env, &world.permit()).expect("a night");
        }
        let grant = || world.read(|tx| tx.load_grant(&Scope::Platform, &given.grant.terms.id));
        assert_eq!(grant().state, GrantState::Paused);
        world.renew_signers();
        let status = world.status(&certificate);
        assert_eq!(status, AnswerStatus::Good, "existing seals keep validating");
        let (successor, _) = world.representative(&ours, "後任 次郎");
        let stranger = world.delegate(&ours, "別人 三郎");
        let id = &given.grant.terms.id;
        let told = refused(confirm_grant(&world.env, &stranger.permit(world), id));
        assert_eq!(told.code, RefusalCode::NotAuthorised);
        confirm_grant(&world.env, &successor.permit(world), id).expect("the successor's word");
        assert_eq!((grant().state, grant().review_until), (GrantState::Active, None));
        apply(world, delegate, &fukuoka, Level::One).expect("confirmed");
    });
}

#[test]
fn i_7_a_sub_grant_lies_inside_and_counts_in_its_parent() {
    in_production(|world| {
        let (ours, [osaka, nagoya, _]) = sample(world);
        let given = world.delegation_of(&ours, |part| {
            part.reach = Reach::Branches(codes(&["BR-0002", "BR-0003"]));
            part.levels = [Level::One, Level::Two].into_iter().collect();
            part.quota = GrantQuota { active: 2, per_day: 2, total: 9 };
            part.subgrant_depth = 1;
        });
        let parent = &given.grant.terms;
        let under = world.delegate(&ours, "部下 一");
        let inner = |change: &dyn Fn(&mut tenkoku_ca::grant::GrantPart)| {
            let mut part = world.wide_part(&under);
            part.reach = Reach::Branches(codes(&["BR-0002"]));
            part.levels = [Level::One].into_iter().collect();
            part.quota = GrantQuota { active: 2, per_day: 2, total: 5 };
            part.not_after = Some(parent.not_after);
            change(&mut part);
            give_on(&world.env, &given.delegate.permit(world), &parent.id, &part)
        };
        let failing = |result| {
            let told: Refusal = refused(result);
            (told.code, told.facts["part"].clone())
        };
        let scope = |part: &str| (RefusalCode::GrantScope, part.to_owned());
        let wider = inner(&|part| part.reach = Reach::Branches(codes(&["BR-0002", "BR-0004"])));
        assert_eq!(failing(wider), scope("branch"));
        let higher = inner(&|part| {
            part.levels.insert(Level::Three);
            part.not_after = Some(part.not_before.plus_days(100));
        });
        assert_eq!(failing(higher), scope("level"));
        let longer = inner(&|part| part.not_after = Some(parent.not_after.plus_seconds(1)));
        assert_eq!(failing(longer), scope("date"));
        let deeper = inner(&|part| part.subgrant_depth = 1);
        assert_eq!(failing(deeper).0, RefusalCode::GrantDepth);
        let more = inner(&|part| part.quota.active = 3);
        assert_eq!(failing(more), (RefusalCode::GrantQuota, "active".to_owned()));
        let sub = inner(&|_| ()).expect("a sub-grant");
        assert_eq!(sub.state, GrantState::Active);
        apply(world, &under, &osaka, Level::One).expect("an application");
        check(apply(world, &under, &nagoya, Level::One), RefusalCode::GrantScope, "branch");
        apply(world, &given.delegate, &nagoya, Level::One).expect("the parent's second");
        check(apply(world, &under, &osaka, Level::One), RefusalCode::GrantQuota, "active");
        let ended = end_grant(&world.env, &given.representative.permit(world), &parent.id);
        assert_eq!(ended.expect("both end").len(), 2);
        world.clock.advance_days(1);
        check(apply(world, &under, &osaka, Level::One), RefusalCode::GrantEnded, "state");
    });
}

#[test]
fn ab_10_nobody_races_past_a_quota() {
    in_production(|world| {
        let (ours, [osaka, nagoya, fukuoka]) = sample(world);
        let given = world.delegation_of(&ours, |part| {
            part.quota = GrantQuota { active: 2, per_day: 9, total: 9 };
        });
        let branches = [&osaka, &nagoya, &fukuoka];
        let results =
            at_once(6, |number| apply(world, &given.delegate, branches[number % 3], Level::One));
        let (taken, refused): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
        assert_eq!(taken.len(), 2, "{refused:?}");
        for one in refused {
            check(one, RefusalCode::GrantQuota, "active");
        }
        // At issue the same row is locked: two at once come out, and no third is made of them.
        let ready: Vec<_> =
            taken.into_iter().flatten().map(|applied| proven(world, &applied)).collect();
        let issued = at_once(4, |number| {
            issue_certificate(&world.env, &world.permit(), &ready[number % 2].id)
        });
        assert_eq!(issued.into_iter().flatten().count(), 2);
        let used = world.read(|tx| tx.grant_usage(&given.grant.terms.id, world.now()));
        assert_eq!((used.active, used.total), (2, 2));
    });
}

#[test]
fn a_paper_grant_needs_two_officers_of_somewhere_else() {
    in_production(|world| {
        let (ours, [osaka, ..]) = sample(world);
        let (_, office) = world.representative(&ours, "見本 太郎");
        let delegate = world.delegate(&ours, "例 花子");
        let draft = world.drafted(&office, world.wide_part(&delegate));
        let id = draft.terms.id.clone();
        let officers = ["審査 一", "審査 二"].map(|name| world.registration_officer(name));
        let empty = hand_in_paper(
            &world.env,
            &officers[0].permit(world),
            &id,
            (&file("a scan"), &file("")),
        );
        assert_eq!(refused(empty).code, RefusalCode::ProofingMissing);
        let (scan, call_back) = (file("a scan"), file("called back"));
        hand_in_paper(&world.env, &officers[0].permit(world), &id, (&scan, &call_back))
            .expect("a paper");
        let decide = |who: &Somebody| {
            let ruling = world.approval_of(&ObjectRef::new("grant", &id));
            decide_paper(&world.env, &who.permit(world), &id, &ruling)
        };
        assert_eq!(decide(&officers[0]).expect("one").state, GrantState::Signed);
        assert_eq!(refused(decide(&officers[0])).code, RefusalCode::DualControl);
        // The same person with another account counts once (I-6).
        let again = world.registration_officer("審査　一");
        assert_eq!(refused(decide(&again)).code, RefusalCode::DualControl);
        check(apply(world, &delegate, &osaka, Level::One), RefusalCode::GrantMissing, "signature");
        assert_eq!(decide(&officers[1]).expect("two").state, GrantState::Active);
        apply(world, &delegate, &osaka, Level::One).expect("in force");
        // One rejection ends another.
        let other = world.drafted(&office, world.wide_part(&delegate)).terms.id;
        hand_in_paper(&world.env, &officers[0].permit(world), &other, (&scan, &call_back))
            .expect("a paper");
        let mut ruling = world.approval_of(&ObjectRef::new("grant", &other));
        ruling.verdict = Verdict::Rejected;
        let mute = decide_paper(&world.env, &officers[1].permit(world), &other, &ruling);
        assert_eq!(refused(mute).code, RefusalCode::StateConflict, "a reason is needed");
        "署名が違う".clone_into(&mut ruling.reason);
        let ended = decide_paper(&world.env, &officers[1].permit(world), &other, &ruling);
        assert_eq!(ended.expect("an end").state, GrantState::Ended);
    });
}

#[test]
fn a_stranger_sees_no_grant() {
    in_production(|world| {
        let (ours, _) = sample(world);
        let given = worked(world, &ours);
        let theirs = world.organisation(tenkoku_testkit::world::THEIRS);
        let stranger = world.somebody(
            "他社 花",
            &[Role::OrganisationAdministrator, Role::Representative],
            &Scope::organisation(theirs.id.clone()),
        );
        let id = &given.grant.terms.id;
        for result in [
            end_grant(&world.env, &stranger.permit(world), id).map(drop),
            confirm_grant(&world.env, &stranger.permit(world), id).map(drop),
        ] {
            let unseen = matches!(result, Err(ActError::Store(StoreError::NotFound { .. })));
            assert!(unseen, "{result:?}");
        }
    });
}

#[test]
fn dg_1_a_delegate_holds_revokes_and_adds_instances_only_where_the_grant_says_so() {
    in_production(|world| {
        let (ours, [osaka, ..]) = sample(world);
        let given = world.delegation_of(&ours, |part| part.actions = vec![GrantAction::Apply]);
        let applied = apply(world, &given.delegate, &osaka, Level::One).expect("an application");
        let certificate = issued(world, &applied);
        let (authority, serial) = (certificate.authority.clone(), certificate.serial.clone());
        let revocation = RevokeOrder {
            authority: authority.clone(),
            serial: serial.clone(),
            cause: Cause::Replaced,
            invalid_since: None,
            comment: String::new(),
        };
        let because = HoldCause::UnclearFacts;
        let hold = SuspendOrder { authority, serial, because, comment: String::new() };
        let instances = InstancesOrder {
            branch: osaka.id.clone(),
            level: Level::One,
            validity_days: None,
            count: 1,
        };
        let revoke =
            |who: &Somebody| revoke_certificate(&world.env, &who.permit(world), &revocation);
        let suspend = |who: &Somebody| suspend_certificate(&world.env, &who.permit(world), &hold);
        let add = |who: &Somebody| order_instances(&world.env, &who.permit(world), &instances);
        let outside = (RefusalCode::GrantScope, "DG-1");
        let delegate = &given.delegate;
        check_refused(world, || suspend(delegate), outside, "cert.suspended");
        check_refused(world, || revoke(delegate), outside, "cert.revocation-refused");
        check_refused(world, || add(delegate), outside, "app.submitted");
        let other = world.delegate(&ours, "例 次郎");
        let missing = (RefusalCode::GrantMissing, "DG-1");
        check_refused(world, || suspend(&other), missing, "cert.suspended");
        check_refused(world, || revoke(&other), missing, "cert.revocation-refused");
        let wide = world.drafted(&given.office, world.wide_part(&other));
        world.on_paper(&wide, &given.officers);
        add(&other).expect("an instance");
        suspend(&other).expect("a hold");
        revoke(&other).expect("a revocation");
        // Whoever answers for the organisation needs no grant.
        let applied = apply(world, delegate, &osaka, Level::One).expect("another");
        let second = issued(world, &applied);
        let administrator = world.somebody(
            "見本 課長",
            &[Role::OrganisationAdministrator],
            &Scope::organisation(ours.id.clone()),
        );
        let order = RevokeOrder { serial: second.serial, ..revocation.clone() };
        revoke_certificate(&world.env, &administrator.permit(world), &order).expect("a revocation");
    });
}
