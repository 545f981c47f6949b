//! Tests of the persons of a ceremony (KM-19) and of its file.

use super::script::{ScriptError, read, write};
use super::template::{OfflineIssuer, Wish, script};
use super::*;

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn participants(all: &[(CeremonyRole, &str)]) -> Vec<Participant> {
    all.iter().map(|(role, person)| Participant { role: *role, person: name(person) }).collect()
}

const FULL: [(CeremonyRole, &str); 4] = [
    (CeremonyRole::Leader, "佐藤 恵"),
    (CeremonyRole::Officer, "鈴木 一郎"),
    (CeremonyRole::Witness, "高橋 花"),
    (CeremonyRole::Auditor, "田中 実"),
];

fn ceremony(roles: &[(CeremonyRole, &str)]) -> Ceremony {
    script(Wish {
        id: CeremonyId::parse("crm_01J00000000000000000000001").unwrap(),
        kind: CeremonyKind::RootGeneration,
        subject: Subject::Create(Box::new(NewAuthority {
            code: AuthorityCode::parse("root-g1").unwrap(),
            kind: AuthorityKind::Root,
            generation: 1,
            name: name("Sample Root CA G1"),
            algorithm: KeyAlgorithm::P384,
            days: None,
            issuer: None,
            organisation: None,
            crl_shards: ShardCount::ONE,
        })),
        language: Language::En,
        installation: Installation::Production,
        roles: participants(roles),
        recording: None,
        offline_issuer: OfflineIssuer::Here,
    })
}

fn check(roles: &[(CeremonyRole, &str)], expected: Option<&str>) {
    let refused = ceremony(roles).check_persons(&CeremonyRules::DEFAULT).err();
    let problem = refused.as_ref().and_then(|r| r.facts.get("problem").map(String::as_str));
    assert_eq!(problem, expected, "{roles:?}");
    assert!(refused.is_none_or(|r| r.code == RefusalCode::DualControl && r.rule == "KM-19"));
}

#[test]
fn km_19_refuses_a_ceremony_without_the_persons_of_the_policy() {
    check(&FULL, None);
    check(&FULL[..3], Some("auditor"));
    check(&[FULL[0], FULL[1], FULL[3]], Some("witnesses"));
    check(&[FULL[0], FULL[2], FULL[3]], Some("persons"));
    check(&[], Some("persons"));
}

#[test]
fn km_19_counts_one_person_once() {
    let twice = [FULL[0], FULL[1], (CeremonyRole::Witness, "佐藤 恵"), FULL[3]];
    check(&twice, Some("two-roles"));
}

#[test]
fn km_19_takes_a_recording_for_the_auditor() {
    let mut recorded = ceremony(&FULL[..3]);
    recorded.recording = Some("tape 7".to_owned());
    assert!(recorded.check_persons(&CeremonyRules::DEFAULT).is_ok());
}

fn ticks(of: &Ceremony, step: i32) -> Vec<Tick> {
    let tick = |p: &Participant| Tick {
        step,
        role: p.role,
        person: p.person.clone(),
        at: Timestamp::EPOCH,
    };
    of.roles.iter().map(tick).collect()
}

#[test]
fn km_19_gives_no_consent_while_somebody_is_absent() {
    let held = ceremony(&FULL);
    let all = ticks(&held, 1);
    assert!(held.consent(&CeremonyRules::DEFAULT, &all).is_ok());
    for absent in 0..all.len() {
        let mut there = all.clone();
        there.remove(absent);
        let refused = held.consent(&CeremonyRules::DEFAULT, &there).unwrap_err();
        assert_eq!(refused.facts["problem"], "absent");
    }
}

#[test]
fn km_19_a_step_is_ticked_by_whoever_does_it_and_by_the_witness() {
    let held = ceremony(&FULL);
    let step = &held.steps[2];
    let all = ticks(&held, step.number);
    assert!(held.check_ticks(step, &all).is_ok());
    for missing in [CeremonyRole::Officer, CeremonyRole::Witness] {
        let some: Vec<_> = all.iter().filter(|t| t.role != missing).cloned().collect();
        let refused = held.check_ticks(step, &some).unwrap_err();
        assert_eq!(refused.facts["role"], missing.word());
    }
}

#[test]
fn the_file_reads_back_in_both_languages() {
    for language in [Language::Ja, Language::En] {
        let ceremony = Ceremony { language, ..ceremony(&FULL) };
        assert_eq!(read(&write(&ceremony).unwrap()), Ok(ceremony));
    }
}

fn witnessed(roles: &[(CeremonyRole, &str)]) -> Ceremony {
    script(Wish {
        id: CeremonyId::parse("crm_01J00000000000000000000001").unwrap(),
        kind: CeremonyKind::WitnessedKey,
        subject: Subject::SealKey {
            application: ApplicationId::parse("app_01J00000000000000000000002").unwrap(),
            container: ContainerId::parse("ctr_01J00000000000000000000003").unwrap(),
        },
        language: Language::Ja,
        installation: Installation::Evaluation,
        roles: participants(roles),
        recording: Some("tape 7".to_owned()),
        offline_issuer: OfflineIssuer::Here,
    })
}

#[test]
fn km_19_a_witnessed_key_is_seen_by_two_or_by_one_and_an_auditor_everywhere() {
    let problem = |roles: &[(CeremonyRole, &str)]| {
        let refused = witnessed(roles).check_persons(&CeremonyRules::DEFAULT).err();
        refused.and_then(|refused| refused.facts.get("problem").cloned())
    };
    assert_eq!(problem(&FULL[..2]), None);
    assert_eq!(problem(&[FULL[0], FULL[3]]), None);
    // A recording is no person.
    assert_eq!(problem(&FULL[..1]).as_deref(), Some("persons"));
    assert_eq!(problem(&[FULL[0], FULL[2]]).as_deref(), Some("persons"));
    assert_eq!(problem(&[FULL[3], (CeremonyRole::Auditor, "中村 明")]).as_deref(), Some("persons"));
}

#[test]
fn the_file_of_a_witnessed_key_names_application_and_container() {
    let ceremony = witnessed(&FULL);
    let text = write(&ceremony).unwrap();
    assert_eq!(read(&text), Ok(ceremony));
    let without = read(&text.replace("[key]", "[kay]")).unwrap_err();
    assert!(without.to_string().contains("did you mean key?"), "{without}");
    let other = read(&text.replace("ctr_", "org_")).unwrap_err();
    assert!(other.to_string().starts_with("key.container"), "{other}");
}

fn problem(change: impl Fn(String) -> String) -> ScriptError {
    read(&change(write(&ceremony(&FULL)).unwrap())).unwrap_err()
}

#[test]
fn what_is_wrong_with_a_file_is_told_with_line_and_nearest_key() {
    let unknown = problem(|text| text.replace("person = \"高橋 花\"", "persom = \"高橋 花\""));
    let ScriptError::UnknownKey { line, key, nearest } = unknown else { panic!("{unknown}") };
    assert!(line > 5);
    assert_eq!((key.as_str(), nearest.as_deref()), ("persom", Some("person")));
    let word = problem(|text| text.replace("role = \"witness\"", "role = \"witnes\""));
    assert!(word.to_string().contains("did you mean witness?"), "{word}");
    let kind = problem(|text| text.replace("kind = \"root-generation\"", "kind = \"rollover\""));
    assert!(kind.to_string().contains("[target]"), "{kind}");
    let order = problem(|text| text.replace("act = \"roll-call\"", "act = \"by-hand\""));
    assert!(order.to_string().contains("roll-call"), "{order}");
    assert_eq!(read(&"#".repeat(300_000)), Err(ScriptError::TooLarge));
}
