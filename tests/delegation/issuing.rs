//! From an application to a certificate in production: proofing, approvals, the key, and what stops
//! it on the way.

use tenkoku_ca::acknowledge::{acknowledge, ask_challenge};
use tenkoku_ca::act::ActError;
use tenkoku_ca::apply::Applied;
use tenkoku_ca::approval::{
    Ruling, approve_application, confirm_application, reject_application, withdraw_application,
};
use tenkoku_ca::origin::Exhibits;
use tenkoku_ca::progress::{change_validity, resume_application};
use tenkoku_ca::prove::Proof;
use tenkoku_ca::vendor_root::{add_vendor_root, decide_vendor_root};
use tenkoku_domain::access::{Role, Scope};
use tenkoku_domain::application::{Application, ApplicationState};
use tenkoku_domain::approval::{ApprovalState, Verdict};
use tenkoku_domain::audit::{Event, ObjectRef};
use tenkoku_domain::branch::Branch;
use tenkoku_domain::certificate::Certificate;
use tenkoku_domain::key::{KeyAlgorithm, OriginClass};
use tenkoku_domain::level::Level;
use tenkoku_domain::policy::{Installation, KeyPolicy};
use tenkoku_domain::proofing::{GRACE_DAYS, Method, Subject};
use tenkoku_domain::refusal::RefusalCode;
use tenkoku_pki::ocsp::AnswerStatus;
use tenkoku_store::StoreError;
use tenkoku_testkit::device::Device;
use tenkoku_testkit::fixtures::ApplicantKey;
use tenkoku_testkit::people::{Delegation, Somebody};
use tenkoku_testkit::world::{THEIRS, World};

use super::{application, apply, in_production, proven, refused, sample};
use crate::origin;
use crate::support::{codes, refusal};
use crate::suspension::released_by_two;

/// The origin of keys is another story: here every key may be certified.
fn any_origin(world: &World) {
    let mut policy = KeyPolicy::initial(Installation::Production);
    "any-origin".clone_into(&mut policy.version);
    policy.effective_from = world.now();
    policy.origin.level2 = OriginClass::K0;
    policy.origin.level3 = OriginClass::K0;
    let policy = Box::new(policy);
    world
        .write(|tx| {
            let event = Event::InstallationMade { policy };
            tx.record(&world.shell().origin(), world.now(), &event)
        })
        .expect("a policy");
}

fn ruling_on(world: &World, of: &Application, verdict: Verdict, reason: &str) -> Ruling {
    let ruling = world.approval_of(&ObjectRef::new("application", &of.id));
    Ruling { verdict, reason: reason.to_owned(), ..ruling }
}

fn approve(world: &World, who: &Somebody, of: &Application) -> Result<Application, ActError> {
    let ruling = ruling_on(world, of, Verdict::Approved, "");
    approve_application(&world.env, &who.permit(world), &of.id, &ruling)
}

fn confirm(world: &World, who: &Somebody, of: &Application) -> Result<Application, ActError> {
    let ruling = ruling_on(world, of, Verdict::Approved, "");
    confirm_application(&world.env, &who.permit(world), &of.id, &ruling)
}

fn state(world: &World, of: &Application) -> ApplicationState {
    world.read(|tx| tx.load_application(&Scope::Platform, &of.id)).state
}

/// An application at level 2 that waits for one officer.
fn at_approval(world: &World) -> (Delegation, Branch, Application) {
    any_origin(world);
    let (ours, [osaka, ..]) = sample(world);
    let given = world.delegation(&ours);
    world.proofed_throughout(&ours, &osaka, given.representative.person());
    let applied = apply(world, &given.delegate, &osaka, Level::Two).expect("an application");
    assert_eq!(applied.application.state, ApplicationState::Approval);
    (given, osaka, applied.application)
}

/// Shows possession over the challenge that the application has now, with what shows the origin of
/// the key, and issues.
fn finish(
    world: &World,
    of: &Application,
    key: &ApplicantKey,
    exhibits: impl FnOnce(&Applied) -> Exhibits,
) -> Certificate {
    let application = world.read(|tx| tx.load_application(&Scope::Platform, &of.id));
    let challenge = world.read(|tx| tx.current_challenge(&of.id));
    let applied = Applied { application, challenge };
    let exhibits = exhibits(&applied);
    let ready = origin::prove(world, &applied, key, exhibits).expect("possession");
    world.issue(&ready).expect("a certificate")
}

/// The root of a maker of devices, trusted by two officers of a production installation.
fn trusted(world: &World, device: &Device) {
    let officers = ["機器 一", "機器 二", "機器 三"]
        .map(|name| world.somebody(name, &[Role::CaOfficer], &Scope::Platform));
    let [first, second, third] = &officers;
    let root = device.root();
    add_vendor_root(&world.env, &first.permit(world), "yubico-hsm", root.as_bytes())
        .expect("a root");
    for officer in [second, third] {
        let yes = (Verdict::Approved, "");
        decide_vendor_root(&world.env, &officer.permit(world), "yubico-hsm", yes)
            .expect("an approval");
    }
}

#[test]
fn level_2_goes_from_the_organisation_to_the_certificate() {
    in_production(|world| {
        let (ours, [osaka, ..]) = sample(world);
        let given = world.delegation(&ours);
        let (applied, told) =
            world.told(|| apply(world, &given.delegate, &osaka, Level::Two).expect("taken"));
        let steps = ["app.submitted", "grant.quota-reserved", "app.proofing-started"];
        assert_eq!(codes(&told), steps);
        let waiting = applied.application;
        assert_eq!(waiting.state, ApplicationState::Proofing);
        // The register look-up is there; an extract and evidence about the branch are not.
        let missing = || {
            let found = world.env.store.read(|tx| {
                tenkoku_ca::progress::missing_records(&world.env, tx, &waiting, world.now())
            });
            found.expect("an answer").map(|refusal| refusal.facts["demand"].clone())
        };
        assert_eq!(missing().as_deref(), Some("organisation:P2|P6|P7"));
        world.proofed(&ours, Subject::Organisation, Method::P7, Level::Two);
        assert_eq!(missing().as_deref(), Some("branch:P9"));
        assert_eq!(state(world, &waiting), ApplicationState::Proofing);
        world.proofed(&ours, Subject::Branch(osaka.id.clone()), Method::P9, Level::Two);
        assert_eq!(missing(), None);
        assert_eq!(state(world, &waiting), ApplicationState::Approval);
        let approved = approve(world, &given.officers[0], &waiting).expect("an approval");
        assert_eq!(approved.state, ApplicationState::KeyProof);
        let key = ApplicantKey::make(KeyAlgorithm::P256);
        let container = origin::container(world, &osaka, "SN-2");
        let certificate = finish(world, &waiting, &key, |applied| {
            let own = origin::statement(applied, &key, &container);
            Exhibits { statement: Some(origin::signed(&own, &key)), ..Exhibits::default() }
        });
        assert_eq!(certificate.common_name, "株式会社サンプル 大阪支店 電子印");
        assert_eq!(world.status(&certificate), AnswerStatus::Good);
        // I-8: no longer than the first record to end, with the grace.
        let latest = world.now().plus_days(398 + GRACE_DAYS);
        assert!(certificate.validity.not_after <= latest, "{}", certificate.validity.not_after);
        assert!(certificate.validity.not_after > latest.plus_days(-2));
    });
}

#[test]
fn level_3_needs_strict_proofing_the_representative_and_two_officers() {
    in_production(|world| {
        let (ours, [osaka, ..]) = sample(world);
        let given = world.delegation(&ours);
        let applied = apply(world, &given.delegate, &osaka, Level::Three).expect("taken");
        let waiting = applied.application;
        world.proofed_throughout(&ours, &osaka, given.representative.person());
        assert_eq!(state(world, &waiting), ApplicationState::Approval);
        let [one, two] = &given.officers;
        approve(world, one, &waiting).expect("the first officer");
        let again = refused(approve(world, one, &waiting));
        assert_eq!((again.code, again.rule.as_str()), (RefusalCode::DualControl, "I-6"));
        let of_delegate = refused(confirm(world, &given.delegate, &waiting));
        assert_eq!(of_delegate.code, RefusalCode::SelfApproval);
        approve(world, two, &waiting).expect("the second officer");
        assert_eq!(state(world, &waiting), ApplicationState::Approval, "one place is open");
        let third = world.registration_officer("審査 三");
        assert_eq!(refused(approve(world, &third, &waiting)).code, RefusalCode::StateConflict);
        confirm(world, &given.representative, &waiting).expect("the representative's word");
        let key = ApplicantKey::make(KeyAlgorithm::P256);
        let device = Device::new(7_550_140, world.now());
        trusted(world, &device);
        origin::container(world, &osaka, &device.serial());
        let certificate = finish(world, &waiting, &key, |_| {
            origin::attested(device.attest(&key.public(), device.honest()))
        });
        // It is on hold until its key acknowledges it (DOMAIN 6.4).
        assert!(matches!(world.status(&certificate), AnswerStatus::Revoked { .. }));
        let name = (&certificate.authority, &certificate.serial);
        let challenge = ask_challenge(&world.env, &world.permit(), name).expect("a challenge");
        let answer = Proof::Request(key.proof(&challenge.text));
        acknowledge(&world.env, &world.permit(), name, &answer).expect("an acknowledgement");
        assert_eq!(world.status(&certificate), AnswerStatus::Good);
        released_by_two(world, &given, &certificate);
        assert_eq!(world.status(&certificate), AnswerStatus::Good);
    });
}

#[test]
fn a_representative_applies_in_person_without_a_grant() {
    in_production(|world| {
        let (ours, [osaka, ..]) = sample(world);
        let (boss, _) = world.representative(&ours, "見本 太郎");
        let taken = apply(world, &boss, &osaka, Level::One).expect("taken").application;
        assert_eq!((taken.state, &taken.grant), (ApplicationState::Proofing, &None));
        let person = Subject::Person(boss.person().clone());
        world.proofed(&ours, person, Method::P8, Level::One);
        assert_eq!(state(world, &taken), ApplicationState::Approval, "outside automatic rules");
        let own = refused(approve(
            world,
            &Somebody {
                principal: tenkoku_domain::access::Principal {
                    roles: world.registration_officer("x").principal.roles,
                    ..boss.principal.clone()
                },
                ..boss.clone()
            },
            &taken,
        ));
        assert_eq!(own.code, RefusalCode::SelfApproval);
        let officer = world.registration_officer("審査 一");
        approve(world, &officer, &taken).expect("an approval");
        assert_eq!(state(world, &taken), ApplicationState::KeyProof);
    });
}

#[test]
fn i_6_no_officer_of_the_organisation_s_own_people_decides() {
    in_production(|world| {
        let (given, osaka, waiting) = at_approval(world);
        // One person with an account as custodian and another as officer.
        let scope = Scope::branch(osaka.id.clone());
        world.somebody("二役 花", &[Role::Custodian], &scope);
        let twice = world.registration_officer("二役 花");
        let told = refused(approve(world, &twice, &waiting));
        assert_eq!((told.code, told.rule.as_str()), (RefusalCode::SelfApproval, "2"));
        // The applicant under another account.
        let itself = world.registration_officer("例 花子");
        assert_eq!(refused(approve(world, &itself, &waiting)).code, RefusalCode::SelfApproval);
        approve(world, &given.officers[0], &waiting).expect("an approval");
    });
}

#[test]
fn ab_7_an_approval_is_never_carried_to_another_organisation() {
    in_production(|world| {
        let (given, _, waiting) = at_approval(world);
        let theirs = world.organisation(THEIRS);
        let scope = Scope::organisation(theirs.id.clone());
        let stranger = world.somebody("他社 審査", &[Role::RegistrationOfficer], &scope);
        let unseen = approve(world, &stranger, &waiting);
        assert!(matches!(unseen, Err(ActError::Store(StoreError::NotFound { .. }))), "{unseen:?}");
        // What was shown about one application does not approve another.
        let head = world.find_branch(
            &world.read(|tx| tx.load_organisation(&Scope::Platform, &waiting.organisation)),
            "HQ",
        );
        let person = given.representative.person();
        let ours = world.read(|tx| tx.load_organisation(&Scope::Platform, &waiting.organisation));
        world.proofed_throughout(&ours, &head, person);
        let other = apply(world, &given.delegate, &head, Level::Two).expect("taken").application;
        let ruling = ruling_on(world, &waiting, Verdict::Approved, "");
        let permit = given.officers[0].permit(world);
        let told = refused(approve_application(&world.env, &permit, &other.id, &ruling));
        assert_eq!((told.code, told.rule.as_str()), (RefusalCode::StateConflict, "I-9"));
    });
}

#[test]
fn one_rejection_with_a_reason_ends_an_application() {
    in_production(|world| {
        let (given, _, waiting) = at_approval(world);
        let permit = given.officers[0].permit(world);
        let mute = ruling_on(world, &waiting, Verdict::Rejected, " ");
        let told = refused(approve_application(&world.env, &permit, &waiting.id, &mute));
        assert_eq!(told.facts["state"], "reason");
        let no = ruling_on(world, &waiting, Verdict::Rejected, "支店の実在が確認できない");
        let (ended, told) = world.told(|| {
            approve_application(&world.env, &permit, &waiting.id, &no).expect("a rejection")
        });
        assert_eq!(ended.state, ApplicationState::Rejected);
        let records = ["app.approval-refused", "app.rejected", "grant.quota-released"];
        assert_eq!(codes(&told), records);
        assert_eq!(
            refused(approve(world, &given.officers[1], &waiting)).code,
            RefusalCode::StateConflict
        );
    });
}

#[test]
fn an_officer_rejects_what_can_never_be_proofed_and_an_applicant_withdraws() {
    in_production(|world| {
        let (ours, [osaka, ..]) = sample(world);
        let given = world.delegation(&ours);
        let open = || apply(world, &given.delegate, &osaka, Level::Two).expect("taken").application;
        let first = open();
        let permit = given.officers[0].permit(world);
        assert!(reject_application(&world.env, &permit, &first.id, "").is_err());
        reject_application(&world.env, &permit, &first.id, "支店がない").expect("a rejection");
        assert_eq!(state(world, &first), ApplicationState::Rejected);
        let second = open();
        let own = given.delegate.permit(world);
        withdraw_application(&world.env, &own, &second.id).expect("withdrawn");
        let told = refused(withdraw_application(&world.env, &own, &second.id));
        assert_eq!(told.code, RefusalCode::StateConflict);
        assert_eq!(state(world, &second), ApplicationState::Withdrawn);
    });
}

#[test]
fn approvals_expire_after_14_days_and_are_asked_for_anew() {
    in_production(|world| {
        let (given, _, waiting) = at_approval(world);
        world.clock.advance_days(15);
        let late = refused(approve(world, &given.officers[0], &waiting));
        assert_eq!(late.code, RefusalCode::ApprovalExpired);
        let own = given.delegate.permit(world);
        let anew = resume_application(&world.env, &own, &waiting.id).expect("asked anew");
        assert_eq!(anew.state, ApplicationState::Approval);
        approve(world, &given.officers[0], &waiting).expect("in time");
    });
}

#[test]
fn scenario_9_a_branch_renamed_between_approval_and_issue_voids_the_approvals() {
    in_production(|world| {
        let (given, osaka, waiting) = at_approval(world);
        approve(world, &given.officers[0], &waiting).expect("an approval");
        let challenge = world.read(|tx| tx.current_challenge(&waiting.id));
        let key = ApplicantKey::make(KeyAlgorithm::P256);
        let proof = Proof::Request(key.proof(&challenge.text));
        let ready =
            tenkoku_ca::prove::prove_possession(&world.env, &world.permit(), &waiting.id, &proof)
                .expect("possession");
        rename(world, &osaka, "大阪中央支店");
        let (told, records) = world.told(|| refusal(world.issue(&ready)));
        assert_eq!((told.code, told.rule.as_str()), (RefusalCode::StateConflict, "I-9"));
        assert_eq!(codes(&records), ["app.approvals-voided", "cert.issued"]);
        assert_eq!(state(world, &waiting), ApplicationState::Submitted);
        let requests =
            world.read(|tx| tx.approval_requests_of(&ObjectRef::new("application", &waiting.id)));
        assert_eq!(requests[0].state, ApprovalState::Void);
        // It starts over with the new name; the key that was shown is kept.
        let own = given.delegate.permit(world);
        resume_application(&world.env, &own, &waiting.id).expect("submitted anew");
        let anew = approve(world, &given.officers[0], &waiting).expect("an approval of the new");
        assert_eq!(anew.state, ApplicationState::Ready);
        let certificate = world.issue(&anew).expect("a certificate");
        assert!(certificate.common_name.contains("大阪中央支店"), "{}", certificate.common_name);
    });
}

#[test]
fn ab_13_nothing_is_approved_that_changed_after_it_was_shown() {
    in_production(|world| {
        let (given, osaka, waiting) = at_approval(world);
        let shown = ruling_on(world, &waiting, Verdict::Approved, "");
        rename(world, &osaka, "大阪中央支店");
        let permit = given.officers[0].permit(world);
        let told = refused(approve_application(&world.env, &permit, &waiting.id, &shown));
        assert_eq!((told.code, told.rule.as_str()), (RefusalCode::StateConflict, "I-9"));
        assert_eq!(state(world, &waiting), ApplicationState::Submitted);
        // The applicant asks for another validity: what was shown before is void too.
        let own = given.delegate.permit(world);
        resume_application(&world.env, &own, &waiting.id).expect("submitted anew");
        let shown = ruling_on(world, &waiting, Verdict::Approved, "");
        let changed = change_validity(&world.env, &own, &waiting.id, 100).expect("changed");
        assert_eq!((changed.state, changed.validity_days), (ApplicationState::Approval, 100));
        let told = refused(approve_application(&world.env, &permit, &waiting.id, &shown));
        assert_eq!(told.rule, "I-9");
        approve(world, &given.officers[0], &waiting).expect("what is there now");
    });
}

#[test]
fn proofing_that_expired_stops_the_issue() {
    in_production(|world| {
        let (given, _, waiting) = at_approval(world);
        approve(world, &given.officers[0], &waiting).expect("an approval");
        let stored = world.read(|tx| tx.load_application(&Scope::Platform, &waiting.id));
        let challenge = world.read(|tx| tx.current_challenge(&waiting.id));
        let key = ApplicantKey::make(KeyAlgorithm::P256);
        let proof = Proof::Request(key.proof(&challenge.text));
        let ready =
            tenkoku_ca::prove::prove_possession(&world.env, &world.permit(), &stored.id, &proof)
                .expect("possession");
        let yesterday = world.now().plus_days(-1).millis();
        world.change_directly(&format!(
            "UPDATE proofing_records SET valid_until = {yesterday} WHERE method = 'P9'"
        ));
        let told = refusal(world.issue(&ready));
        assert_eq!(told.code, RefusalCode::ProofingExpired);
        assert_eq!(told.facts["demand"], "branch:P9");
    });
}

#[test]
fn lv_2_a_seal_keeps_its_level() {
    World::on_each_database(|world| {
        let certificate = world.seal(&world.osaka(), Level::One);
        let seal = certificate.seal.expect("a seal");
        let order = tenkoku_ca::apply::ApplyOrder {
            branch: seal.branch,
            level: Level::Two,
            validity_days: None,
            request: None,
            instance: Some(seal.instance),
            wishes: tenkoku_domain::application::Wishes::default(),
        };
        let refused = tenkoku_ca::apply::apply_for_seal(&world.env, &world.permit(), &order);
        let unseen = matches!(
            refused,
            Err(tenkoku_ca::apply::ApplyError::Store(StoreError::NotFound { what: "instance" }))
        );
        assert!(unseen, "{refused:?}");
    });
}

#[test]
fn an_evaluation_still_needs_nobody_else() {
    World::on_each_database(|world| {
        let osaka = world.osaka();
        let applied = world.open(&osaka, Level::Three, None).expect("an application");
        assert_eq!(application(world, &applied).state, ApplicationState::KeyProof);
        assert_eq!(application(world, &applied).grant, None);
        world.issue(&proven(world, &applied)).expect("a certificate");
    });
}

/// A new name for a branch, as the register of branches will hold it.
fn rename(world: &World, branch: &Branch, name: &str) {
    world.change_directly(&format!(
        "UPDATE branches SET name = '{name}' WHERE id = '{}'",
        branch.id
    ));
}
