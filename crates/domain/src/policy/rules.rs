//! Which values of a policy document contradict each other, DOMAIN, or the installation.

use crate::key::{OriginClass, words};
use crate::level::Level;

use super::sections::LevelAlgorithms;
use super::words::{Curve, Delivery, DestructionClass};
use super::{Installation, KeyPolicy, rank};

words! {
    /// A rule that a document broke.
    Rule {
        /// The value is fixed.
        Fixed = "fixed",
        /// The value is below what DOMAIN allows.
        TooLow = "too-low",
        /// The value is above what the certificate profile allows (DOMAIN 12).
        AboveProfile = "above-profile",
        /// An algorithm that the certificate profile does not have (DOMAIN 12.3, 12.4).
        BeyondProfile = "beyond-profile",
        /// A list that must name something.
        Empty = "empty",
        /// RSA 2048 without its last day, or the day without RSA 2048.
        LastDayOfRsa2048 = "rsa-2048-last-day",
        /// The value lies above another that bounds it.
        AboveOther = "above-other",
        /// A level asks less than the level below it.
        WeakerThanLevelBelow = "weaker-than-level-below",
        /// All authorities and single ones in one list.
        MixedScope = "mixed-scope",
        /// More than level 1 may have.
        LevelOneOnly = "level-1-only",
    }
}

/// A broken rule.
pub(super) struct Broken {
    pub(super) key: String,
    pub(super) rule: Rule,
    pub(super) limit: String,
}

/// Collects broken rules.
struct Findings(Vec<Broken>);

impl Findings {
    fn unless(&mut self, fine: bool, key: impl Into<String>, rule: Rule, limit: impl ToString) {
        if !fine {
            self.0.push(Broken { key: key.into(), rule, limit: limit.to_string() });
        }
    }

    fn at_least(&mut self, key: &str, value: i64, least: i64) {
        self.unless(value >= least, key, Rule::TooLow, least);
    }
}

/// Every rule that the document breaks.
pub(super) fn broken(policy: &KeyPolicy, installation: Installation) -> Vec<Broken> {
    let mut found = Findings(Vec::new());
    header(&mut found, policy, installation);
    algorithms(&mut found, policy);
    weak_keys(&mut found, policy);
    uniqueness(&mut found, policy);
    origin(&mut found, policy, installation);
    periods(&mut found, policy);
    rotation(&mut found, policy);
    destruction(&mut found, policy);
    ceremony(&mut found, policy, installation);
    found.at_least(
        "evidence.retention_years_after_expiry",
        policy.evidence.retention_years_after_expiry,
        7,
    );
    found.0
}

fn header(found: &mut Findings, policy: &KeyPolicy, installation: Installation) {
    let all = policy.authorities.iter().any(|code| code == "*");
    let mixed = all && policy.authorities.len() > 1;
    found.unless(!policy.authorities.is_empty(), "policy.authorities", Rule::Empty, "\"*\"");
    found.unless(!mixed, "policy.authorities", Rule::MixedScope, "\"*\"");
    if installation == Installation::Production {
        found.at_least("policy.approvals_required", policy.approvals_required, 2);
    }
}

fn algorithms(found: &mut Findings, policy: &KeyPolicy) {
    for level in Level::ALL {
        level_algorithms(found, level, policy.algorithms.level(level));
    }
    let authority = &policy.algorithms.authority;
    let key = "algorithms.authority";
    let rsa = authority.rsa_bits.iter().all(|bits| *bits == 4096);
    found.unless(rsa, format!("{key}.rsa_bits"), Rule::BeyondProfile, "4096");
    let ec = authority.ec_curves.iter().all(|curve| *curve == Curve::P384);
    found.unless(ec, format!("{key}.ec_curves"), Rule::BeyondProfile, "\"P-384\"");
    let ml_dsa = authority.ml_dsa.as_ref().is_some_and(|sets| !sets.is_empty());
    let some = !authority.rsa_bits.is_empty() || !authority.ec_curves.is_empty() || ml_dsa;
    found.unless(some, key, Rule::Empty, "rsa_bits, ec_curves, ml_dsa");
    let hashes = format!("{key}.signature_hashes");
    found.unless(!authority.signature_hashes.is_empty(), hashes, Rule::Empty, "\"SHA-384\"");
}

fn level_algorithms(found: &mut Findings, level: Level, rules: &LevelAlgorithms) {
    let key = format!("algorithms.level{level}");
    let sizes: &[i64] = match level {
        Level::One => &[2048, 3072, 4096],
        Level::Two | Level::Three => &[3072, 4096],
    };
    let known: Vec<_> = sizes.iter().map(ToString::to_string).collect();
    let rsa = rules.rsa_bits.iter().all(|bits| sizes.contains(bits));
    found.unless(rsa, format!("{key}.rsa_bits"), Rule::BeyondProfile, known.join(", "));
    let wide = level == Level::Three && rules.ec_curves.contains(&Curve::P521);
    found.unless(!wide, format!("{key}.ec_curves"), Rule::BeyondProfile, "\"P-256\", \"P-384\"");
    found.unless(rules.eddsa.is_empty(), format!("{key}.eddsa"), Rule::BeyondProfile, "[]");
    let some =
        !(rules.rsa_bits.is_empty() && rules.ec_curves.is_empty() && rules.ml_dsa.is_empty());
    found.unless(some, key.clone(), Rule::Empty, "rsa_bits, ec_curves, ml_dsa");
    let listed = rules.rsa_bits.contains(&2048);
    let dated = rules.rsa_2048_until.is_some();
    let at = if dated { format!("{key}.rsa_2048_until") } else { format!("{key}.rsa_bits") };
    found.unless(listed == dated, at, Rule::LastDayOfRsa2048, "rsa_2048_until");
}

fn weak_keys(found: &mut Findings, policy: &KeyPolicy) {
    let rules = &policy.weak_keys;
    let fixed = Rule::Fixed;
    found.unless(rules.rsa_exponent == 65537, "weak_keys.rsa_exponent", fixed, 65537);
    found.at_least("weak_keys.rsa_small_factor_below", rules.rsa_small_factor_below, 752);
    found.at_least("weak_keys.rsa_fermat_rounds", rules.rsa_fermat_rounds, 100);
    found.unless(rules.rsa_roca, "weak_keys.rsa_roca", fixed, true);
    found.unless(rules.ec_full_validation, "weak_keys.ec_full_validation", fixed, true);
    found.unless(rules.blocked_key_store, "weak_keys.blocked_key_store", fixed, true);
    let debian = !rules.rsa_debian_lists.is_empty();
    found.unless(debian, "weak_keys.rsa_debian_lists", Rule::Empty, "\"debian-2048\"");
    let published = !rules.published_key_lists.is_empty();
    let example = "\"published-test-keys\"";
    found.unless(published, "weak_keys.published_key_lists", Rule::Empty, example);
}

fn uniqueness(found: &mut Findings, policy: &KeyPolicy) {
    let unissued = policy.uniqueness.include_unissued;
    found.unless(unissued, "uniqueness.include_unissued", Rule::Fixed, true);
    let methods = !policy.possession.methods.is_empty();
    found.unless(methods, "possession.methods", Rule::Empty, "\"pkcs10-challenge\"");
    let deliveries = &policy.export_and_backup.pkcs12_delivery;
    for level in [Level::Two, Level::Three] {
        let never = match deliveries.level(level) {
            Delivery::Never => true,
            Delivery::Once => false,
        };
        let key = format!("export_and_backup.pkcs12_delivery.level{level}");
        found.unless(never, key, Rule::LevelOneOnly, "\"never\"");
    }
}

fn origin(found: &mut Findings, policy: &KeyPolicy, installation: Installation) {
    for (lower, higher) in [(Level::One, Level::Two), (Level::Two, Level::Three)] {
        let least = policy.origin.level(lower);
        let rises = rank(*policy.origin.level(higher)) >= rank(*least);
        let key = format!("origin.level{higher}");
        found.unless(rises, key, Rule::WeakerThanLevelBelow, format!("\"{least}\""));
    }
    if installation == Installation::Evaluation {
        return;
    }
    for (level, least) in [(Level::Two, OriginClass::K1), (Level::Three, OriginClass::K2)] {
        let enough = rank(*policy.origin.level(level)) >= rank(least);
        found.unless(enough, format!("origin.level{level}"), Rule::TooLow, format!("\"{least}\""));
    }
}

fn periods(found: &mut Findings, policy: &KeyPolicy) {
    let (validity, sealing) = (&policy.validity, &policy.sealing_period);
    let periods = [
        ("level1", validity.level1, 1095, Some(sealing.level1)),
        ("level2", validity.level2, 825, Some(sealing.level2)),
        ("level3", validity.level3, 825, Some(sealing.level3)),
        ("ocsp_signer", validity.ocsp_signer, 30, Some(sealing.ocsp_signer)),
        ("tsa", validity.tsa, 3650, Some(sealing.tsa)),
        ("list_signer", validity.list_signer, 730, Some(sealing.list_signer)),
        ("administrator", validity.administrator, 365, None),
    ];
    for (what, days, most, seals) in periods {
        let key = format!("validity.{what}");
        found.unless(days <= most, key.clone(), Rule::AboveProfile, most);
        let inside = seals.is_none_or(|seals| seals <= days);
        found.unless(inside, format!("sealing_period.{what}"), Rule::AboveOther, key);
    }
    // DOMAIN 12.5: the key of a time-stamping unit serves 15 months at most.
    found.unless(sealing.tsa <= 457, "sealing_period.tsa", Rule::AboveProfile, 457);
}

fn rotation(found: &mut Findings, policy: &KeyPolicy) {
    let rules = &policy.rotation;
    let above = Rule::AboveOther;
    let opens = rules.open_days <= rules.lead_days;
    found.unless(opens, "rotation.open_days", above, "rotation.lead_days");
    let overlaps = rules.overlap_days_max <= rules.open_days;
    found.unless(overlaps, "rotation.overlap_days_max", above, "rotation.open_days");
    for level in Level::ALL {
        let other = format!("sealing_period.level{level}");
        let inside = rules.lead_days < *policy.sealing_period.level(level);
        found.unless(inside, "rotation.lead_days", above, other);
    }
}

fn destruction(found: &mut Findings, policy: &KeyPolicy) {
    let rules = &policy.destruction;
    let sooner = rules.due_days_after_compromise <= rules.due_days_after_retiring;
    let key = "destruction.due_days_after_compromise";
    found.unless(sooner, key, Rule::AboveOther, "destruction.due_days_after_retiring");
    let inventory = rules.backup_inventory_required;
    found.unless(inventory, "destruction.backup_inventory_required", Rule::Fixed, true);
    let classes: [(&str, &[DestructionClass]); 4] = [
        ("level1", &rules.level1),
        ("level2", &rules.level2),
        ("level3", &rules.level3),
        ("authority", &rules.authority),
    ];
    for (what, list) in classes {
        found.unless(!list.is_empty(), format!("destruction.{what}"), Rule::Empty, "\"D3\"");
    }
    for ((lower, wide), (higher, narrow)) in classes.iter().zip(classes.iter().skip(1)) {
        let inside = narrow.iter().all(|class| wide.contains(class));
        let (key, below) = (format!("destruction.{higher}"), format!("destruction.{lower}"));
        found.unless(inside, key, Rule::WeakerThanLevelBelow, below);
    }
}

fn ceremony(found: &mut Findings, policy: &KeyPolicy, installation: Installation) {
    let rules = &policy.ceremony;
    let acts = [
        ("authority_key_generation", &rules.authority_key_generation, 1),
        ("authority_key_activation", &rules.authority_key_activation, 0),
        ("authority_key_destruction", &rules.authority_key_destruction, 1),
    ];
    for (act, presence, witnesses) in acts {
        let key = format!("ceremony.{act}");
        let holders = presence.persons >= rules.secret_sharing.needed;
        let sharing = "ceremony.secret_sharing";
        if installation == Installation::Production {
            found.at_least(&format!("{key}.persons"), presence.persons, 2);
            found.at_least(&format!("{key}.witness"), presence.witnesses(), witnesses);
            found.unless(holders, format!("{key}.persons"), Rule::TooLow, sharing);
        }
    }
}
