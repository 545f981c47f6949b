//! Documents that are right, and every way in which they are wrong.

use super::*;
use crate::policy::reader::known_keys;

const TEXT: &str = Installation::Production.policy_text();

fn errors(text: &str) -> Vec<DocumentError> {
    parse(text, Installation::Production).unwrap_err()
}

fn changed(from: &str, to: &str) -> String {
    assert_eq!(TEXT.matches(from).count(), 1, "{from}");
    TEXT.replace(from, to)
}

fn line_with(text: &str, part: &str) -> usize {
    text.lines().position(|line| line.contains(part)).unwrap() + 1
}

/// One mistake, at the line that holds `to`.
fn check(from: &str, to: &str, key: &str, code: &str) {
    let text = changed(from, to);
    let found = errors(&text);
    let told: Vec<_> = found.iter().map(ToString::to_string).collect();
    assert_eq!(found.len(), 1, "{told:?}");
    assert_eq!((found[0].key.as_str(), found[0].problem.code()), (key, code), "{told:?}");
    assert_eq!(found[0].line, line_with(&text, to.lines().next().unwrap()), "{told:?}");
}

fn check_rule(from: &str, to: &str, key: &str, rule: Rule) {
    let text = changed(from, to);
    let found = errors(&text);
    let hit = found.iter().find(|error| {
        let told = matches!(&error.problem, DocumentProblem::Contradiction { rule: told, .. } if *told == rule);
        told && error.key == key
    });
    let hit = hit.unwrap_or_else(|| panic!("{key} is not told: {found:?}"));
    assert_eq!(hit.line, line_with(&text, to.lines().last().unwrap()), "{hit}");
}

#[test]
fn the_documents_that_are_built_in_are_right_and_differ() {
    for kind in [Installation::Evaluation, Installation::Production] {
        let policy = parse(kind.policy_text(), kind).unwrap();
        assert_eq!(policy.id, format!("kmp-{kind}"));
        assert_eq!(policy.possession.fresh_challenge_minutes, 60);
        assert_eq!(parse(&write(&policy), kind).unwrap(), policy);
    }
    let refused = parse(Installation::Evaluation.policy_text(), Installation::Production);
    let keys: Vec<_> = refused.unwrap_err().into_iter().map(|error| error.key).collect();
    assert_eq!(keys, ["origin.level2", "origin.level3"]);
}

#[test]
fn the_digest_does_not_depend_on_how_the_text_is_written() {
    let policy = parse(TEXT, Installation::Production).unwrap();
    let terse = parse(&write(&policy), Installation::Production).unwrap();
    assert_eq!(terse.digest().unwrap(), policy.digest().unwrap());
    let other = parse(&changed("lead_days = 60", "lead_days = 61"), Installation::Production);
    assert_ne!(other.unwrap().digest().unwrap(), policy.digest().unwrap());
    let stored = policy.canonical_json().unwrap();
    assert!(stored.contains("\"policy\":{\"approvals_required\":2,"), "{stored}");
    assert_eq!(KeyPolicy::from_stored(&stored).unwrap(), policy);
}

/// The line on which a key of the text is written, and what it is called there.
fn written(path: &str) -> Option<(usize, &str)> {
    let mut section = String::new();
    for (index, line) in TEXT.lines().enumerate() {
        if let Some(name) = line.strip_prefix('[') {
            section = format!("{}.", name.split(']').next().unwrap());
        }
        let key = line.split(" =").next().unwrap();
        if line.contains(" = ") && format!("{section}{key}") == path {
            return Some((index + 1, key));
        }
    }
    None
}

#[test]
fn each_key_that_is_left_out_is_told_with_its_section() {
    let mut seen = 0;
    for path in known_keys() {
        let Some((line, _)) = written(&path) else { continue };
        let kept: Vec<_> =
            TEXT.lines().enumerate().filter(|(index, _)| index + 1 != line).collect();
        let text = kept.iter().map(|(_, line)| *line).collect::<Vec<_>>().join("\n");
        let found = errors(&text);
        assert_eq!(found.len(), 1, "{path}: {found:?}");
        let section = path.rsplit_once('.').unwrap().0;
        if path == "algorithms.level1.rsa_2048_until" {
            assert_eq!(found[0].key, "algorithms.level1.rsa_bits");
        } else {
            assert_eq!(
                (found[0].key.as_str(), &found[0].problem),
                (path.as_str(), &DocumentProblem::MissingKey)
            );
            assert_eq!(found[0].line, line_with(&text, &format!("[{section}]")), "{path}");
        }
        seen += 1;
    }
    assert_eq!(seen, 80);
}

#[test]
fn each_key_that_is_misspelt_is_told_with_its_line_and_the_nearest_key() {
    for path in known_keys() {
        let Some((line, key)) = written(&path) else { continue };
        let lines = TEXT.lines().enumerate().map(|(index, text)| {
            if index + 1 == line {
                text.replacen(key, &format!("{key}x"), 1)
            } else {
                text.to_owned()
            }
        });
        let text = lines.collect::<Vec<_>>().join("\n");
        let found = errors(&text);
        let wrong = found.iter().find(|error| error.key == format!("{path}x"));
        let wrong = wrong.unwrap_or_else(|| panic!("{path}: {found:?}"));
        assert_eq!(wrong.problem, DocumentProblem::UnknownKey);
        assert_eq!((wrong.line, wrong.nearest.as_deref()), (line, Some(path.as_str())));
    }
}

#[test]
fn a_section_that_is_left_out_or_unknown_is_told() {
    let text = TEXT.replace("[clock]", "[clocks]");
    let told: Vec<_> = errors(&text).iter().map(ToString::to_string).collect();
    let (at, end) = (line_with(&text, "[clocks]"), text.lines().count());
    assert_eq!(
        told,
        [
            format!("line {at}, clocks: unknown key; the nearest known key is clock"),
            format!("line {end}, clock: this key is missing"),
        ]
    );
}

#[test]
fn a_key_of_another_section_is_found() {
    let text = changed("[clock]\n", "[clock]\nemergency_hours = 24\n");
    let found = errors(&text);
    assert_eq!(found[0].nearest.as_deref(), Some("rotation.emergency_hours"));
}

#[test]
fn another_unit_is_told_with_the_right_one() {
    let text = changed("fresh_challenge_minutes = 60", "fresh_challenge_hours = 1");
    let found = errors(&text);
    let wrong = found.iter().find(|error| error.key == "possession.fresh_challenge_hours").unwrap();
    assert_eq!(wrong.problem, DocumentProblem::WrongUnit { unit: "minutes" });
    assert_eq!(wrong.nearest.as_deref(), Some("possession.fresh_challenge_minutes"));
    for value in ["\"60 minutes\"", "1.5"] {
        let to = format!("fresh_challenge_minutes = {value}");
        let key = "possession.fresh_challenge_minutes";
        check("fresh_challenge_minutes = 60", &to, key, "wrong-unit");
    }
    check(
        "level1 = 1095\nlevel2 = 825",
        "level1 = \"3 years\"\nlevel2 = 825",
        "validity.level1",
        "wrong-unit",
    );
}

#[test]
fn values_of_another_kind_are_told() {
    check("rsa_roca = true", "rsa_roca = \"yes\"", "weak_keys.rsa_roca", "wrong-type");
    check("rsa_exponent = 65537", "rsa_exponent = true", "weak_keys.rsa_exponent", "wrong-type");
    check("lead_days = 60", "lead_days = -60", "rotation.lead_days", "out-of-range");
    check("lead_days = 60", "lead_days = 0", "rotation.lead_days", "out-of-range");
    check(
        "lead_days = 60",
        "lead_days = 99999999999999999999",
        "rotation.lead_days",
        "out-of-range",
    );
    check("late = \"stop-sealing\"", "late = \"warn\"", "rotation.late", "unknown-word");
    check("scope = \"platform\"", "scope = \"organisation\"", "uniqueness.scope", "unknown-word");
    let key = "uniqueness.same_key_renewal";
    check("same_key_renewal = \"refuse\"", "same_key_renewal = \"allow\"", key, "unknown-word");
    let key = "export_and_backup.party_type_export";
    check("party_type_export = \"never\"", "party_type_export = \"once\"", key, "unknown-word");
    let key = "algorithms.authority.ec_curves";
    check("ec_curves = [\"P-384\"]", "ec_curves = [\"secp256k1\"]", key, "unknown-word");
    check("ec_curves = [\"P-384\"]", "ec_curves = [\"P-384\", \"P-384\"]", key, "repeated");
    check("authorities = [\"*\"]", "authorities = \"*\"", "policy.authorities", "wrong-type");
    check("id = \"kmp-production\"", "id = \" kmp\"", "policy.id", "unreadable");
    let from = "effective_from = 2026-11-01T00:00:00Z";
    check(from, "effective_from = 2026-11-01", "policy.effective_from", "unreadable");
    check(from, "effective_from = \"2026\"", "policy.effective_from", "wrong-type");
    let key = "algorithms.level1.rsa_2048_until";
    check(
        "rsa_2048_until = 2030-12-31",
        "rsa_2048_until = 2030-12-31T00:00:00Z",
        key,
        "unreadable",
    );
    let key = "ceremony.secret_sharing";
    check("secret_sharing = \"2 of 3\"", "secret_sharing = \"1 of 3\"", key, "unreadable");
}

#[test]
fn what_is_no_toml_is_told_with_its_line() {
    check("rsa_roca = true", "rsa_roca = ", "", "syntax");
    let twice = changed("rsa_roca = true", "rsa_roca = true\nrsa_roca = true");
    assert_eq!(errors(&twice)[0].problem.code(), "syntax");
    assert_eq!(errors(&twice)[0].line, line_with(&twice, "rsa_roca") + 1);
    for text in ["", "\u{feff}", "= 1", "[", "a = [1", "policy = 1"] {
        assert!(!errors(text).is_empty(), "{text:?}");
    }
}

#[test]
fn every_mistake_is_told_at_once_in_the_order_of_lines() {
    let text = TEXT
        .replace("lead_days = 60", "leed_days = 60")
        .replace("rsa_roca = true", "rsa_roca = 1")
        .replace("max_per_seal = 20", "max_per_seal = \"20\"");
    let keys: Vec<_> = errors(&text).into_iter().map(|error| error.key).collect();
    let expected = [
        "weak_keys.rsa_roca",
        "rotation.lead_days",
        "rotation.leed_days",
        "instances.max_per_seal",
    ];
    assert_eq!(keys, expected);
}

#[test]
fn rules_that_contradict_domain_are_told() {
    use Rule as R;
    for (from, to, key, rule) in [
        (
            "approvals_required = 2",
            "approvals_required = 1",
            "policy.approvals_required",
            R::TooLow,
        ),
        ("authorities = [\"*\"]", "authorities = []", "policy.authorities", R::Empty),
        (
            "authorities = [\"*\"]",
            "authorities = [\"*\", \"a\"]",
            "policy.authorities",
            R::MixedScope,
        ),
        (
            "rsa_bits = [4096]",
            "rsa_bits = [3072]",
            "algorithms.authority.rsa_bits",
            R::BeyondProfile,
        ),
        ("[\"P-256\", \"P-384\"]", "[\"P-521\"]", "algorithms.level3.ec_curves", R::BeyondProfile),
        ("rsa_exponent = 65537", "rsa_exponent = 3", "weak_keys.rsa_exponent", R::Fixed),
        ("factor_below = 752", "factor_below = 751", "weak_keys.rsa_small_factor_below", R::TooLow),
        ("fermat_rounds = 110", "fermat_rounds = 99", "weak_keys.rsa_fermat_rounds", R::TooLow),
        ("rsa_roca = true", "rsa_roca = false", "weak_keys.rsa_roca", R::Fixed),
        (
            "include_unissued = true",
            "include_unissued = false",
            "uniqueness.include_unissued",
            R::Fixed,
        ),
        ("level3 = \"K2\"", "level3 = \"K1\"", "origin.level3", R::TooLow),
        ("ocsp_signer = 30", "ocsp_signer = 31", "validity.ocsp_signer", R::AboveProfile),
        ("administrator = 365", "administrator = 366", "validity.administrator", R::AboveProfile),
        ("tsa = 457", "tsa = 458", "sealing_period.tsa", R::AboveProfile),
        (
            "level2 = \"never\"",
            "level2 = \"once\"",
            "export_and_backup.pkcs12_delivery.level2",
            R::LevelOneOnly,
        ),
        ("expiry = 10", "expiry = 6", "evidence.retention_years_after_expiry", R::TooLow),
        (
            "{ persons = 2, witness = 1 }",
            "{ persons = 2, witness = 0 }",
            "ceremony.authority_key_destruction.witness",
            R::TooLow,
        ),
    ] {
        check_rule(from, to, key, rule);
    }
}

#[test]
fn values_that_contradict_each_other_are_told() {
    use Rule as R;
    for (from, to, key, rule) in [
        ("level3 = 395", "level3 = 826", "sealing_period.level3", R::AboveOther),
        ("open_days = 30", "open_days = 61", "rotation.open_days", R::AboveOther),
        (
            "overlap_days_max = 30",
            "overlap_days_max = 31",
            "rotation.overlap_days_max",
            R::AboveOther,
        ),
        ("lead_days = 60", "lead_days = 395", "rotation.lead_days", R::AboveOther),
        (
            "after_compromise = 7",
            "after_compromise = 31",
            "destruction.due_days_after_compromise",
            R::AboveOther,
        ),
        (
            "authority = [\"D3\"]",
            "authority = [\"D4\"]",
            "destruction.authority",
            R::WeakerThanLevelBelow,
        ),
        ("authority = [\"D3\"]", "authority = []", "destruction.authority", R::Empty),
        (
            "level2 = \"K1\"
level3 = \"K2\"",
            "level2 = \"K4\"
level3 = \"K1\"",
            "origin.level3",
            R::WeakerThanLevelBelow,
        ),
    ] {
        check_rule(from, to, key, rule);
    }
    // Told at the key beside the one that is missing or changed.
    for (from, to, key) in [
        ("rsa_2048_until = 2030-12-31\n", "", "algorithms.level1.rsa_bits"),
        ("[2048, 3072, 4096]", "[3072, 4096]", "algorithms.level1.rsa_2048_until"),
        ("\"2 of 3\"", "\"3 of 5\"", "ceremony.authority_key_activation.persons"),
        (
            "activation = { persons = 2 }",
            "activation = { person = 2 }",
            "ceremony.authority_key_activation.persons",
        ),
    ] {
        let text = changed(from, to);
        let found = errors(&text);
        let told = found.iter().find(|error| error.key == key);
        let told = told.unwrap_or_else(|| panic!("{key}: {found:?}"));
        let name = key.rsplit('.').find(|part| text.contains(&format!("\n{part} = "))).unwrap();
        assert!(text.lines().nth(told.line - 1).unwrap().starts_with(name), "{told}");
    }
}

/// Release 0.1 stored this; certificates name it by its digest.
const FORMER: &str = r#"{"id":"kmp-evaluation","level1":{"algorithms":["RSA-2048","RSA-3072","RSA-4096","P-256","P-384","P-521"],"origin":"K0","rsa_2048_until":1924991999000,"sealing_days":1095,"validity_days":1095},"level2":{"algorithms":["RSA-3072","RSA-4096","P-256","P-384","P-521"],"origin":"K0","rsa_2048_until":null,"sealing_days":730,"validity_days":825},"level3":{"algorithms":["RSA-3072","RSA-4096","P-256","P-384"],"origin":"K0","rsa_2048_until":null,"sealing_days":395,"validity_days":825},"list_signer_days":730,"max_instances":20,"ocsp_signer_days":30,"ocsp_signer_rotation_days":14,"register_lookup_suffices":3,"version":"2026.11"}"#;

#[test]
fn a_policy_of_release_0_1_reads_back_under_the_digest_it_had() {
    let former = KeyPolicy::from_stored(FORMER).unwrap();
    let digest = "66191dbf7c486125db5a7b3f7efe42863d52d8fca3db043a4e6523505b1a3dfd";
    assert_eq!(former.digest().unwrap().to_string(), digest);
    let initial = KeyPolicy::initial(Installation::Evaluation);
    assert_ne!(former.digest().unwrap(), initial.digest().unwrap());
    for level in crate::level::Level::ALL {
        assert_eq!(former.level(level), initial.level(level));
    }
    assert_eq!(former.ocsp_signer_rotation_days(), 14);
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_reads_back(
            id in "[a-z][a-z0-9-]{0,20}", name in "[ -~あ-ん\"\\\\]{1,20}", lead in 31_i64..390,
            open in 1_i64..31, level1 in 400_i64..1095, roots in proptest::collection::btree_set("[a-z]{1,8}", 0..4),
            seconds in 1_700_000_000_i64..4_000_000_000,
        ) {
            prop_assume!(name.trim() == name && !name.is_empty());
            let mut policy = KeyPolicy::initial(Installation::Production);
            policy.id = id;
            policy.version = name.clone();
            policy.effective_from = crate::time::Timestamp::from_seconds(seconds);
            policy.rotation.lead_days = lead;
            policy.rotation.open_days = open;
            policy.rotation.overlap_days_max = open;
            policy.validity.level1 = level1;
            policy.sealing_period.level1 = level1;
            policy.origin.vendor_roots = roots.into_iter().collect();
            let text = write(&policy);
            prop_assert_eq!(parse(&text, Installation::Production).unwrap(), policy, "{}", text);
        }

        #[test]
        fn no_text_breaks_the_reader(cut in 0_usize..4000, junk in "\\PC{0,30}") {
            let mut at = cut.min(TEXT.len());
            while !TEXT.is_char_boundary(at) { at -= 1; }
            let text = format!("{}{junk}{}", &TEXT[..at], &TEXT[at..]);
            if let Err(errors) = parse(&text, Installation::Production) {
                let lines = text.lines().count() + 1;
                prop_assert!(errors.iter().all(|error| (1..=lines).contains(&error.line)));
            }
        }
    }
}
