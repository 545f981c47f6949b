//! Stories of notices: who is told of what, once per step, however often the job runs.

use std::collections::BTreeMap;

use tenkoku_ca::letters::send_letters;
use tenkoku_ca::nightly::run_nightly;
use tenkoku_ca::notices::{acknowledge_notice, collect_notices};
use tenkoku_ca::rotate::retire_certificate;
use tenkoku_ca::suspend::{HoldOrder, release_certificate};
use tenkoku_domain::access::{Actor, Principal, Role, RoleGrant, Scope};
use tenkoku_domain::account::Account;
use tenkoku_domain::audit::{Event, ObjectRef};
use tenkoku_domain::certificate::Certificate;
use tenkoku_domain::id::UserId;
use tenkoku_domain::key::KeyAlgorithm;
use tenkoku_domain::level::Level;
use tenkoku_domain::notice::{Delivery, EmailAddress, Notice, NoticeKind};
use tenkoku_domain::organisation::Language;
use tenkoku_domain::revocation::Cause;
use tenkoku_domain::suspension::HoldCause;
use tenkoku_store::StoreError;
use tenkoku_testkit::fixtures::ApplicantKey;
use tenkoku_testkit::world::{THEIRS, World};

use crate::support::{codes, refusal};
use crate::suspension::suspend;

/// The mailbox of the custodian of every branch of the world.
const CUSTODIAN: &str = "taro@sample.example";

/// Somebody with a mailbox and a role.
fn person(world: &World, login: &str, role: Role, scope: Scope) -> Principal {
    let roles = vec![RoleGrant { role, scope, until: world.now().plus_days(3000) }];
    let email = format!("{login}@people.example");
    let account = Account {
        id: UserId::new(world.now(), &*world.env.entropy),
        login: login.to_owned(),
        display_name: login.to_owned(),
        person: world.somebody(login, &[], &Scope::Platform).account.person,
        language: Language::En,
        email: Some(EmailAddress::parse(&email).expect("an address")),
        roles: roles.clone(),
        registered_by: "test".to_owned(),
        created_at: world.now(),
        disabled_at: None,
    };
    let actor = Actor::user(&account.id, "passkey");
    let created = Event::AccountCreated { account };
    world
        .write(|tx| tx.record(&world.shell().origin(), world.now(), &created))
        .expect("an account");
    Principal { actor, roles, ..world.shell() }
}

fn collect(world: &World) -> usize {
    collect_notices(&world.env, &world.permit()).expect("the store answers")
}

fn about(world: &World, kind: &str, id: impl ToString) -> Vec<Notice> {
    world.read(|tx| tx.notices_about(&ObjectRef::new(kind, id)))
}

/// The mailboxes told at each step of a kind, steps in the order they were told.
fn told(notices: &[Notice], kind: NoticeKind) -> Vec<(String, Vec<String>)> {
    let mut steps: Vec<(String, Vec<String>)> = Vec::new();
    for notice in notices.iter().filter(|notice| notice.matter.kind == kind) {
        let (step, mailbox) = (notice.step.to_string(), notice.recipient.mailbox());
        match steps.last_mut().filter(|(last, _)| *last == step) {
            Some((_, mailboxes)) => mailboxes.push(mailbox),
            None => steps.push((step, vec![mailbox])),
        }
    }
    steps
}

fn steps(notices: &[Notice], kind: NoticeKind) -> Vec<String> {
    told(notices, kind).into_iter().map(|(step, _)| step).collect()
}

/// The day on which a seal's end is first of interest, and its kind.
fn end_of(certificate: &Certificate) -> (NoticeKind, tenkoku_domain::time::Timestamp) {
    match certificate.sealing_not_after {
        Some(end) if end < certificate.validity.not_after => (NoticeKind::SealingEnds, end),
        Some(_) | None => (NoticeKind::CertificateEnds, certificate.validity.not_after),
    }
}

#[test]
fn each_step_of_a_seal_s_end_is_told_once_over_a_hundred_days() {
    World::on_each_database(|world| {
        let osaka = world.osaka();
        let scope = Scope::organisation(osaka.organisation.clone());
        person(world, "admin", Role::OrganisationAdministrator, scope);
        let theirs = world.organisation(THEIRS);
        let strange = Scope::organisation(theirs.id.clone());
        person(world, "stranger", Role::OrganisationAdministrator, strange);
        let certificate = world.seal(&osaka, Level::Two);
        let (kind, end) = end_of(&certificate);
        world.clock.advance_days(world.now().days_until(end) - 100);
        for _ in 0..102 {
            world.clock.advance_seconds(43_200);
            collect(world);
            collect(world);
            world.clock.advance_seconds(43_200);
            collect(world);
        }
        let notices = about(world, "certificate", &certificate.id);
        let custodian = || vec![CUSTODIAN.to_owned()];
        let both = || vec!["admin@people.example".to_owned(), CUSTODIAN.to_owned()];
        let expected: Vec<(String, Vec<String>)> = vec![
            ("before-90".to_owned(), custodian()),
            ("before-60".to_owned(), custodian()),
            ("before-30".to_owned(), custodian()),
            ("before-14".to_owned(), both()),
            ("before-7".to_owned(), both()),
            ("before-1".to_owned(), both()),
            ("before-0".to_owned(), both()),
        ];
        assert_eq!(told(&notices, kind), expected);
        let strangers = world.read(|tx| tx.notices_to("stranger@people.example", 10));
        assert_eq!(strangers, [], "a stranger learns nothing");
    });
}

#[test]
fn after_a_stop_of_the_service_the_latest_step_is_told_and_no_earlier_one() {
    World::on_each_database(|world| {
        let certificate = world.seal(&world.osaka(), Level::Two);
        let (kind, end) = end_of(&certificate);
        let id = &certificate.id;
        world.clock.advance_days(world.now().days_until(end) - 20);
        collect(world);
        assert_eq!(steps(&about(world, "certificate", id), kind), ["before-30"]);
        world.clock.advance_days(18);
        collect(world);
        assert_eq!(steps(&about(world, "certificate", id), kind), ["before-30", "before-7"]);
    });
}

#[test]
fn a_successor_in_use_silences_the_end_of_its_predecessor() {
    World::on_each_database(|world| {
        let osaka = world.osaka();
        let certificate = world.seal(&osaka, Level::Two);
        let (_, end) = end_of(&certificate);
        world.clock.advance_days(world.now().days_until(end) - 20);
        let seal = certificate.seal.clone().expect("a seal");
        let order = tenkoku_ca::apply::ApplyOrder {
            branch: osaka.id.clone(),
            level: Level::Two,
            validity_days: None,
            request: None,
            instance: Some(seal.instance),
            wishes: tenkoku_domain::application::Wishes::default(),
        };
        let applied = tenkoku_ca::apply::apply_for_seal(&world.env, &world.permit(), &order);
        let applied = applied.expect("a successor's application");
        let key = ApplicantKey::make(KeyAlgorithm::P256);
        let ready = world.prove(&applied, key.proof(&applied.challenge.text)).expect("ready");
        world.issue(&ready).expect("a successor");
        collect(world);
        assert_eq!(about(world, "certificate", &certificate.id), []);
    });
}

#[test]
fn hold_release_and_revocation_are_told_with_their_event_each_time() {
    World::on_each_database(|world| {
        let certificate = world.seal(&world.osaka(), Level::Two);
        let order = HoldOrder {
            authority: certificate.authority.clone(),
            serial: certificate.serial.clone(),
            comment: String::new(),
        };
        for _ in 0..2 {
            suspend(world, &certificate, HoldCause::UnclearFacts).expect("a hold");
            world.clock.advance_seconds(60);
            release_certificate(&world.env, &world.permit(), &order).expect("a release");
            world.clock.advance_seconds(60);
        }
        world.revoke(&certificate, Cause::KeyExposed).expect("a revocation");
        let notices = about(world, "certificate", &certificate.id);
        let kinds: Vec<&str> = notices.iter().map(|notice| notice.matter.kind.word()).collect();
        let [held, free, gone] =
            ["certificate-suspended", "certificate-released", "certificate-revoked"];
        assert_eq!(kinds, [held, free, held, free, gone]);
        let last = &notices[4];
        assert_eq!(last.recipient.mailbox(), CUSTODIAN);
        assert_eq!(last.matter.facts["cause"], "key-exposed");
        assert_eq!(last.matter.facts["serial"], certificate.serial.to_string());
        assert_eq!(last.due_at, world.now());
        assert!(matches!(last.delivery, Delivery::Waiting { .. }));
    });
}

#[test]
fn a_refused_act_tells_nobody() {
    World::on_each_database(|world| {
        let certificate = world.seal(&world.osaka(), Level::Two);
        world.revoke(&certificate, Cause::Replaced).expect("a revocation");
        world.revoke(&certificate, Cause::Replaced).expect_err("it is revoked already");
        assert_eq!(about(world, "certificate", &certificate.id).len(), 1);
    });
}

#[test]
fn a_key_in_a_second_hand_is_told_to_both_sides_and_the_officers() {
    World::on_each_database(|world| {
        let osaka = world.osaka();
        person(world, "ra", Role::RegistrationOfficer, Scope::Platform);
        let theirs = world.organisation(THEIRS);
        let sakai = world.branch(&theirs, ["BR-0001", "堺支店", "Sakai Branch"]);
        let key = ApplicantKey::make(KeyAlgorithm::P256);
        world.seal_with(&osaka, Level::One, &key);
        let applied = world.open(&sakai, Level::One, None).expect("an application");
        refusal(world.prove(&applied, key.proof(&applied.challenge.text)));
        let page = world.read(|tx| tx.list_incidents(None, None, 10));
        let [incident] = page.items.as_slice() else { panic!("{page:?}") };
        let told: BTreeMap<String, String> = about(world, "incident", &incident.id)
            .iter()
            .map(|notice| (notice.recipient.mailbox(), notice.matter.kind.to_string()))
            .collect();
        assert!(told.contains_key(CUSTODIAN), "{told:?}");
        assert!(told.contains_key("ra@people.example"), "{told:?}");
        // Nobody holds the role of a CA officer with a mailbox: the operator is told.
        assert!(told.contains_key("operator"), "{told:?}");
        assert!(told.values().all(|kind| kind == "duplicate-key"));
    });
}

#[test]
fn destruction_is_told_at_retirement_near_its_day_and_daily_when_overdue() {
    World::on_each_database(|world| {
        let certificate = world.seal(&world.osaka(), Level::Two);
        let name = (&certificate.authority, &certificate.serial);
        retire_certificate(&world.env, &world.permit(), name).expect("a retirement");
        for _ in 0..66 {
            collect(world);
            run_nightly(&world.env, &world.permit()).expect("a nightly run");
            world.clock.advance_seconds(43_200);
        }
        let notices = about(world, "key", &certificate.key);
        let expected = ["begun", "before-14", "before-7", "before-1", "after-1", "after-2"];
        assert_eq!(steps(&notices, NoticeKind::DestructionDue)[..6], expected);
        let told = told(&notices, NoticeKind::DestructionDue);
        let all = |(_, mailboxes): &(String, Vec<String>)| mailboxes == &["operator", CUSTODIAN];
        assert!(told.iter().all(all), "{told:?}");
    });
}

#[test]
fn an_application_that_waits_reminds_the_officer_after_three_and_seven_days() {
    World::on_each_database(|world| {
        let osaka = world.osaka();
        person(world, "ra", Role::RegistrationOfficer, Scope::Platform);
        let key = ApplicantKey::make(KeyAlgorithm::P256);
        let application = world.apply(&osaka, Level::Two, &key).expect("an application");
        for _ in 0..10 {
            collect(world);
            world.clock.advance_days(1);
        }
        let id = format!("{}/ready", application.id);
        let notices = about(world, "application", id);
        let ra = || vec!["ra@people.example".to_owned()];
        let expected: Vec<(String, Vec<String>)> = vec![
            ("begun".to_owned(), ra()),
            ("after-3".to_owned(), ra()),
            ("after-7".to_owned(), ra()),
        ];
        assert_eq!(told(&notices, NoticeKind::ApplicationWaiting), expected);
    });
}

#[test]
fn what_status_rests_on_is_told_when_nothing_renews_it() {
    World::on_each_database(|world| {
        person(world, "ca", Role::CaOfficer, Scope::Platform);
        let authority = world.authority("seal-l2-g1");
        let crl = world.read(|tx| tx.latest_crl(&authority.id)).expect("a CRL");
        collect(world);
        let object = format!("{}/{}", authority.id, crl.number);
        assert_eq!(about(world, "crl", &object), [], "nothing is near its end");
        world.clock.advance_seconds(crl.next_update.seconds() - world.now().seconds() - 43_200);
        collect(world);
        let notices = about(world, "crl", &object);
        let both = vec!["ca@people.example".to_owned(), "operator".to_owned()];
        assert_eq!(told(&notices, NoticeKind::CrlEnds), [("before-1".to_owned(), both)]);
        assert_eq!(notices[0].matter.facts["code"], "seal-l2-g1");
    });
}

#[test]
fn a_notice_is_acknowledged_by_its_reader_alone_and_once() {
    World::on_each_database(|world| {
        let osaka = world.osaka();
        let scope = Scope::branch(osaka.id.clone());
        let reader = person(world, "reader", Role::Custodian, scope.clone());
        let other = person(world, "other", Role::Custodian, scope);
        let certificate = world.seal(&osaka, Level::Two);
        world.revoke(&certificate, Cause::Replaced).expect("a revocation");
        let mine = world.read(|tx| tx.notices_to("reader@people.example", 10));
        let [notice] = mine.as_slice() else { panic!("{mine:?}") };
        let read = |who: &Principal| {
            let permit = who.permit(world.now()).expect("a permit");
            acknowledge_notice(&world.env, &permit, notice.number)
        };
        let unsent = read(&reader).expect_err("it has not left");
        assert!(matches!(unsent, StoreError::Conflict { .. }), "{unsent:?}");
        send_letters(&world.env, &world.permit(), &|_, _| Ok(())).expect("the store answers");
        let strange = read(&other).expect_err("it is somebody else's");
        assert!(matches!(strange, StoreError::NotFound { .. }), "{strange:?}");
        let (done, told) = world.told(|| read(&reader));
        done.expect("an acknowledgement");
        assert_eq!(codes(&told), ["notice.acknowledged"]);
        read(&reader).expect_err("once");
        let now = world.read(|tx| tx.load_notice(notice.number));
        let Delivery::Sent { acknowledged, .. } = now.delivery else { panic!("{now:?}") };
        assert_eq!(acknowledged, Some(world.now()));
    });
}

#[test]
fn a_letter_is_claimed_by_one_sender_however_many_there_are() {
    World::on_each_database(|world| {
        let certificate = world.seal(&world.osaka(), Level::Two);
        world.revoke(&certificate, Cause::Replaced).expect("a revocation");
        let claims = tenkoku_testkit::world::at_once(4, |_| {
            world.write(|tx| tx.claim_letter(world.now())).expect("the store answers").is_some()
        });
        assert_eq!(claims.iter().filter(|claimed| **claimed).count(), 1);
        let none = world.write(|tx| tx.claim_letter(world.now().plus_seconds(599)));
        assert_eq!(none.expect("the store answers"), None, "the claim holds");
        let again = world.write(|tx| tx.claim_letter(world.now().plus_seconds(600)));
        assert_eq!(again.expect("the store answers").map(|notice| notice.attempts), Some(2));
    });
}

#[test]
fn what_waited_for_thirty_days_is_not_sent_any_more() {
    World::on_each_database(|world| {
        let certificate = world.seal(&world.osaka(), Level::Two);
        world.revoke(&certificate, Cause::Replaced).expect("a revocation");
        world.clock.advance_days(30);
        let (sent, told) = world.told(|| {
            let post = |_: &Notice, _| panic!("it must not be sent");
            send_letters(&world.env, &world.permit(), &post).expect("the store answers")
        });
        assert_eq!((sent.sent, sent.kept, sent.held_up), (0, 1, None));
        assert_eq!(told[0]["detail"]["problem"], "too-late");
        assert_eq!(told[0]["detail"]["given_up"], true);
    });
}
