//! Key-management policies in sentences: each rule of a document, and each mistake in one.
//!
//! Pages and the command line say the same. Deliberately not here: which policy is shown.

use tenkoku_domain::level::Level;
use tenkoku_domain::policy::document::{DocumentError, DocumentProblem};
use tenkoku_domain::policy::{KeyPolicy, SameKeyRenewal};

use super::Words;
use crate::format;

/// A document's rules as sentences, in the order of its sections.
pub fn sentences(w: Words, policy: &KeyPolicy) -> Vec<String> {
    let mut told = head(w, policy);
    for level in Level::ALL {
        told.extend(of_level(w, policy, level));
    }
    told.extend(of_keys(w, policy));
    told.extend(of_life(w, policy));
    told.extend(of_authorities(w, policy));
    told
}

fn head(w: Words, policy: &KeyPolicy) -> Vec<String> {
    let number = format::number;
    vec![
        w.say("policy.rule.approvals")
            .with("n", number(policy.approvals_required))
            .with("hours", number(policy.cooling_off_hours))
            .text(),
        w.say("policy.rule.authorities").with("names", policy.authorities.join(", ")).text(),
    ]
}

/// What a document says about one level.
pub fn of_level(w: Words, policy: &KeyPolicy, level: Level) -> Vec<String> {
    let (rules, number) = (policy.level(level), format::number);
    let names: Vec<&str> = rules.algorithms.iter().map(|algorithm| algorithm.name()).collect();
    let classes: Vec<&str> = rules.destruction.iter().map(|class| class.word()).collect();
    let mut told = vec![
        w.say("policy.rule.algorithms").with("level", level).with("names", names.join(", ")).text(),
        w.say("policy.rule.validity")
            .with("level", level)
            .with("n", number(rules.validity_days))
            .with("sealing", number(rules.sealing_days))
            .text(),
        w.say("policy.rule.origin").with("level", level).with("class", rules.origin).text(),
        w.say("policy.rule.destruction")
            .with("level", level)
            .with("classes", classes.join(", "))
            .text(),
    ];
    if let Some(last) = rules.rsa_2048_until {
        let date = format::long_date(w, last);
        told.push(w.say("policy.rule.rsa-2048").with("level", level).with("date", date).text());
    }
    told
}

fn of_keys(w: Words, policy: &KeyPolicy) -> Vec<String> {
    let number = format::number;
    let weak = &policy.weak_keys;
    let renewal = match policy.uniqueness.same_key_renewal {
        SameKeyRenewal::Refuse => w.t("policy.rule.new-key").to_owned(),
        SameKeyRenewal::OnceAtLevel1 => w.t("policy.rule.same-key-once").to_owned(),
    };
    vec![
        w.say("policy.rule.weak")
            .with("exponent", weak.rsa_exponent)
            .with("factor", number(weak.rsa_small_factor_below))
            .with("rounds", number(weak.rsa_fermat_rounds))
            .text(),
        w.t("policy.rule.one-key").to_owned(),
        renewal,
        w.say("policy.rule.challenge")
            .with("n", number(policy.possession.fresh_challenge_minutes))
            .text(),
        w.say("policy.rule.attestation")
            .with("n", number(policy.origin.attestation_max_age_days))
            .text(),
        w.t("policy.rule.export").to_owned(),
    ]
}

fn of_life(w: Words, policy: &KeyPolicy) -> Vec<String> {
    let (number, rotation) = (format::number, &policy.rotation);
    vec![
        w.say("policy.rule.rotation")
            .with("lead", number(rotation.lead_days))
            .with("open", number(rotation.open_days))
            .with("overlap", number(rotation.overlap_days_max))
            .text(),
        w.say("policy.rule.emergency").with("n", number(rotation.emergency_hours)).text(),
        w.say("policy.rule.instances").with("n", number(policy.instances.max_per_seal)).text(),
        w.say("policy.rule.usage").with("n", number(policy.instances.usage_report_days)).text(),
        w.say("policy.rule.evidence-due")
            .with("n", number(policy.destruction.due_days_after_retiring))
            .with("compromise", number(policy.destruction.due_days_after_compromise))
            .text(),
    ]
}

fn of_authorities(w: Words, policy: &KeyPolicy) -> Vec<String> {
    let number = format::number;
    let names: Vec<_> = policy.algorithms.authority.known();
    let names: Vec<&str> = names.iter().map(|algorithm| algorithm.name()).collect();
    vec![
        w.say("policy.rule.authority-keys").with("names", names.join(", ")).text(),
        w.say("policy.rule.ceremony")
            .with("n", number(policy.ceremony.authority_key_generation.persons))
            .with("needed", number(policy.ceremony.secret_sharing.needed))
            .with("made", number(policy.ceremony.secret_sharing.made))
            .text(),
        w.say("policy.rule.signers")
            .with("ocsp", number(policy.validity.ocsp_signer))
            .with("list", number(policy.validity.list_signer))
            .text(),
        w.say("policy.rule.clock").with("n", number(policy.clock.max_offset_ms)).text(),
        w.say("policy.rule.retention")
            .with("n", number(policy.evidence.retention_years_after_expiry))
            .text(),
    ]
}

/// A mistake as one line: where, what, and the nearest known key.
pub fn mistake(w: Words, error: &DocumentError) -> String {
    let key = if error.key.is_empty() { "-" } else { &error.key };
    let place = w.say("policy.mistake.place").with("line", error.line).with("key", key).text();
    let what = problem(w, &error.problem);
    let nearest = error.nearest.as_ref();
    let nearest = nearest.map(|key| w.say("policy.mistake.nearest").with("key", key).text());
    format!("{place}{what}{}", nearest.unwrap_or_default())
}

fn problem(w: Words, problem: &DocumentProblem) -> String {
    use DocumentProblem as P;
    match problem {
        P::Syntax { told } => w.say("policy.mistake.syntax").with("told", told).text(),
        P::UnknownKey => w.t("policy.mistake.unknown-key").to_owned(),
        P::MissingKey => w.t("policy.mistake.missing-key").to_owned(),
        P::WrongType { expected, found } => w
            .say("policy.mistake.wrong-type")
            .with("expected", w.word("policy.kind", expected))
            .with("found", w.word("policy.kind", found))
            .text(),
        P::WrongUnit { unit } => {
            w.say("policy.mistake.wrong-unit").with("unit", w.word("policy.unit", unit)).text()
        }
        P::UnknownWord { found, known } => {
            w.say("policy.mistake.unknown-word").with("found", found).with("known", known).text()
        }
        P::OutOfRange { least, most, found } => w
            .say("policy.mistake.out-of-range")
            .with("found", found)
            .with("least", format::number(*least))
            .with("most", format::number(*most))
            .text(),
        P::Unreadable { expected, found } => w
            .say("policy.mistake.unreadable")
            .with("found", found)
            .with("expected", w.word("policy.kind", expected))
            .text(),
        P::Repeated { found } => w.say("policy.mistake.repeated").with("found", found).text(),
        P::Contradiction { rule, limit } => {
            let told = w.word("policy.broken", rule.word());
            w.say("policy.mistake.contradiction").with("rule", told).with("limit", limit).text()
        }
    }
}

#[cfg(test)]
mod tests {
    use tenkoku_domain::organisation::Language;
    use tenkoku_domain::policy::document::parse;
    use tenkoku_domain::policy::{Installation, Rule};

    use super::*;

    #[test]
    fn every_rule_of_both_documents_is_a_finished_sentence() {
        for language in [Language::Ja, Language::En] {
            for kind in [Installation::Evaluation, Installation::Production] {
                let told = sentences(Words::of(language), &KeyPolicy::initial(kind));
                assert!(told.len() > 25, "{told:?}");
                for sentence in told {
                    assert!(sentence.ends_with(['.', '。']), "{sentence}");
                    assert!(!sentence.contains(['{', '}']), "{sentence}");
                }
            }
        }
    }

    #[test]
    fn every_mistake_is_told_in_both_languages() {
        let text =
            Installation::Production.policy_text().replace("lead_days = 60", "leed_days = 60");
        let errors = parse(&text, Installation::Production).unwrap_err();
        for language in [Language::Ja, Language::En] {
            let words = Words::of(language);
            let told: Vec<_> = errors.iter().map(|error| mistake(words, error)).collect();
            assert!(told.iter().any(|line| line.contains("rotation.lead_days")), "{told:?}");
            for rule in Rule::ALL {
                assert!(words.find(&format!("policy.broken.{rule}")).is_some(), "{rule}");
            }
        }
    }
}
