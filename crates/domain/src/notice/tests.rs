//! What is due when, and to whom.

use super::*;
use crate::id::{Entropy, PersonId};

struct Number(u8);
impl Entropy for Number {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(self.0);
    }
}

const DAY_0: Timestamp = Timestamp::from_seconds(1_795_371_000);

/// The steps that are told over a term of so many days by a job that runs twice a day, in order.
fn told(kind: NoticeKind, days: i64, until: i64) -> Vec<String> {
    let term = Term { since: DAY_0, date: DAY_0.plus_days(days) };
    let mut told: Vec<Step> = Vec::new();
    for half in 0..=2 * until {
        let now = DAY_0.plus_seconds(half * 43_200);
        match step_due(kind, term, now) {
            Some(step) if !told.contains(&step) => told.push(step),
            Some(_) | None => {}
        }
    }
    told.iter().map(ToString::to_string).collect()
}

#[test]
fn the_end_of_a_certificate_is_told_on_the_days_of_domain_19() {
    let days = ["90", "60", "30", "14", "7", "1", "0"].map(|days| format!("before-{days}"));
    assert_eq!(told(NoticeKind::CertificateEnds, 365, 500), days);
    assert_eq!(told(NoticeKind::SealingEnds, 365, 500), days);
}

#[test]
fn what_lives_for_ten_days_has_no_step_of_thirty() {
    assert_eq!(told(NoticeKind::CertificateEnds, 10, 12), ["before-7", "before-1", "before-0"]);
    assert_eq!(told(NoticeKind::CrlEnds, 7, 8), ["before-3", "before-1"]);
}

#[test]
fn destruction_is_told_at_retirement_then_near_its_day_then_daily() {
    let expected = ["begun", "before-14", "before-7", "before-1", "after-1", "after-2", "after-3"];
    assert_eq!(told(NoticeKind::DestructionDue, 30, 32), expected);
}

#[test]
fn an_application_is_told_at_once_and_after_three_and_seven_days() {
    assert_eq!(told(NoticeKind::ApplicationWaiting, 30, 40), ["begun", "after-3", "after-7"]);
}

#[test]
fn grants_and_services_have_steps_of_their_own() {
    let grant = ["before-60", "before-30", "before-7"];
    assert_eq!(told(NoticeKind::GrantEnds, 365, 400), grant);
    let service = ["30", "14", "7", "3", "1"].map(|days| format!("before-{days}"));
    for kind in [NoticeKind::ListEnds, NoticeKind::OcspSignerEnds, NoticeKind::AuthorityEnds] {
        assert_eq!(told(kind, 180, 200), service, "{kind}");
    }
}

#[test]
fn after_a_stop_of_the_service_only_the_latest_step_is_told() {
    let term = Term { since: DAY_0, date: DAY_0.plus_days(365) };
    let due = |day| step_due(NoticeKind::CertificateEnds, term, DAY_0.plus_days(day));
    assert_eq!(due(274), None);
    assert_eq!(due(275), Some(Step::Before(90)));
    assert_eq!(due(360), Some(Step::Before(7)));
    assert_eq!(due(370), Some(Step::Before(0)));
    assert_eq!(due(395), None, "what ended long ago is not told any more");
}

#[test]
fn the_day_itself_begins_at_midnight_in_japan() {
    let date = Timestamp::parse("2027-06-12T03:10:00Z").unwrap();
    let term = Term { since: DAY_0, date };
    let due = |now: &str| step_due(NoticeKind::SealingEnds, term, Timestamp::parse(now).unwrap());
    assert_eq!(due("2027-06-11T14:59:59Z"), Some(Step::Before(1)));
    assert_eq!(due("2027-06-11T15:00:00Z"), Some(Step::Before(0)));
}

#[test]
fn what_an_event_tells_at_once_has_no_timetable() {
    for kind in [NoticeKind::CertificateRevoked, NoticeKind::DuplicateKey] {
        assert_eq!(told(kind, 30, 40), Vec::<String>::new());
    }
}

#[test]
fn steps_are_stored_as_words_and_read_back() {
    for step in [Step::At(DAY_0), Step::Begun, Step::Before(14), Step::After(3)] {
        assert_eq!(Step::from_word(&step.to_string()), Some(step));
    }
    for word in ["", "before", "before-x", "begun-1", "at-", "after--1", "soon-3"] {
        assert_eq!(Step::from_word(word), None, "{word}");
    }
}

#[test]
fn administrators_are_told_from_fourteen_days_and_representatives_from_seven() {
    let told = |days| NoticeKind::SealingEnds.audience(Step::Before(days));
    let (admin, rep) = (Part::OrganisationAdministrator, Part::Representative);
    assert_eq!(told(30), [Part::Custodian, Part::Delegate]);
    assert_eq!(told(14), [Part::Custodian, Part::Delegate, admin]);
    assert_eq!(told(7), [Part::Custodian, Part::Delegate, admin, rep]);
    assert_eq!(told(0), told(7));
}

fn account(role: Role, scope: Scope) -> Account {
    Account {
        id: UserId::new(DAY_0, &Number(1)),
        login: "hanako".to_owned(),
        display_name: "例 花子".to_owned(),
        person: PersonId::new(DAY_0, &Number(1)),
        language: Language::Ja,
        email: None,
        roles: vec![RoleGrant { role, scope, until: DAY_0.plus_days(30) }],
        registered_by: "setup".to_owned(),
        created_at: DAY_0,
        disabled_at: None,
    }
}

#[test]
fn a_role_is_told_of_what_lies_in_its_scope_while_it_is_in_force() {
    let (ours, theirs) =
        (OrganisationId::new(DAY_0, &Number(1)), OrganisationId::new(DAY_0, &Number(2)));
    let branch = BranchId::new(DAY_0, &Number(1));
    let scope = Scope::organisation(ours.clone());
    let account = account(Role::OrganisationAdministrator, scope);
    let at = |of: &OrganisationId| Reach::Branch(of.clone(), branch.clone());
    let admin = Part::OrganisationAdministrator;
    assert!(plays(&account, admin, &at(&ours), DAY_0));
    assert!(!plays(&account, admin, &at(&theirs), DAY_0), "a stranger is not told");
    assert!(!plays(&account, Part::Custodian, &at(&ours), DAY_0), "another part");
    assert!(!plays(&account, admin, &at(&ours), DAY_0.plus_days(30)), "the role has ended");
    let gone = Account { disabled_at: Some(DAY_0), ..account };
    assert!(!plays(&gone, admin, &at(&ours), DAY_0), "the account is disabled");
}

#[test]
fn an_officer_of_one_authority_is_not_told_of_another() {
    let (ours, theirs) = (AuthorityId::new(DAY_0, &Number(1)), AuthorityId::new(DAY_0, &Number(2)));
    let account = account(Role::CaOfficer, Scope::authority(ours.clone()));
    assert!(plays(&account, Part::CaOfficer, &Reach::Authority(ours), DAY_0));
    assert!(!plays(&account, Part::CaOfficer, &Reach::Authority(theirs), DAY_0));
    assert!(!plays(&account, Part::CaOfficer, &Reach::Platform, DAY_0));
}

#[test]
fn a_letter_is_tried_for_five_days_at_longer_and_longer_intervals() {
    let mut now = DAY_0;
    let mut tries = 1;
    while let Some(next) = try_again(tries, now) {
        assert!(next > now);
        (now, tries) = (next, tries + 1);
    }
    assert_eq!(tries, LAST_ATTEMPT);
    assert_eq!(DAY_0.days_until(now), 5);
    assert_eq!(try_again(0, DAY_0), None);
    assert_eq!(try_again(i32::MAX, DAY_0), None);
}

#[test]
fn an_address_fits_an_envelope_and_a_header() {
    for good in ["taro@sample.example", " a.b+c@x-y.example.jp ", "o'neil@a.example"] {
        assert!(EmailAddress::parse(good).is_ok(), "{good}");
    }
    let long = format!("{}@sample.example", "a".repeat(65));
    for bad in [
        "",
        "taro",
        "@sample.example",
        "taro@",
        "taro@sample",
        "a@b@c.example",
        "taro@sample..example",
        ".taro@sample.example",
        "taro@sample.example\r\nBcc: x@evil.example",
        "taro@sample.example, x@evil.example",
        "\"taro\"@sample.example",
        "<taro@sample.example>",
        "太郎@sample.example",
        &long,
    ] {
        assert_eq!(EmailAddress::parse(bad), Err(EmailError), "{bad}");
    }
    let upper = EmailAddress::parse("Taro@Sample.example").unwrap();
    assert_eq!(upper.mailbox(), "taro@sample.example");
}
