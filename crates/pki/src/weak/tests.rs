//! Tests of KM-2 … KM-5 on the keys of tests/data/weak, whose README says where each is from.

use proptest::prelude::*;
use tenkoku_domain::refusal::RefusalCode;

use super::*;
use crate::key::PublicKey;
use crate::pem;

/// Reads a key of tests/data/weak.
fn spki(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/weak");
    let text = std::fs::read_to_string(format!("{folder}/{name}.pem")).unwrap();
    pem::decode(text.as_bytes(), &["PUBLIC KEY"]).unwrap()
}

fn presented(name: &str) -> PresentedKey {
    PresentedKey::parse(&spki(name)).unwrap()
}

/// What the checks of one key say, in the order of DOMAIN 7.1: KM-1, 2, 4, then KM-5 and KM-3.
fn refused(name: &str) -> Option<(RefusalCode, String)> {
    let accepted = PublicKey::parse(&spki(name)).map_err(|error| error.refusal());
    let checked = accepted.and_then(|key| check(key.presented(), &WeakKeyRules::default()));
    checked.err().map(|refusal| (refusal.code, refusal.rule))
}

fn modulus(name: &str) -> Vec<u8> {
    presented(name).rsa_modulus().unwrap().to_vec()
}

fn found(name: &str) -> Option<Weakness> {
    weakness(&modulus(name), &WeakKeyRules::default())
}

/// Asserts that the key is refused for its parameters, under this rule.
fn assert_parameters(name: &str, rule: &str) {
    assert_eq!(refused(name), Some((RefusalCode::KeyParameters, rule.to_owned())), "{name}");
}

#[test]
fn a_sound_key_passes() {
    assert_eq!(refused("sound-2048"), None);
}

#[test]
fn km_2_refuses_an_exponent_of_three() {
    assert_parameters("exponent-3-2048", "KM-2");
}

#[test]
fn km_2_refuses_an_even_modulus() {
    assert_parameters("even-2048", "KM-2");
}

#[test]
fn km_3_refuses_a_modulus_with_a_factor_below_752() {
    assert_eq!(found("small-factor-3-2048"), Some(Weakness::SmallFactor(3)));
    assert_eq!(found("small-factor-751-2048"), Some(Weakness::SmallFactor(751)));
    assert_eq!(refused("small-factor-751-2048").unwrap().0, RefusalCode::KeyWeak);
    assert_eq!(found("factor-757-2048"), None);
}

#[test]
fn km_3_tries_every_prime_below_752_even_where_a_policy_asks_for_fewer() {
    let rules = WeakKeyRules { small_factor_below: 2, ..WeakKeyRules::default() };
    let found = weakness(&modulus("small-factor-751-2048"), &rules);
    assert_eq!(found, Some(Weakness::SmallFactor(751)));
}

#[test]
fn km_3_refuses_factors_that_fermat_finds() {
    assert_eq!(found("close-factors-2048"), Some(Weakness::CloseFactors));
    assert_eq!(refused("close-factors-2048").unwrap().0, RefusalCode::KeyWeak);
}

#[test]
fn km_3_runs_at_least_100_rounds_of_fermat() {
    // This one shows in round 60.
    let rules = WeakKeyRules { fermat_rounds: 1, ..WeakKeyRules::default() };
    let found = weakness(&modulus("close-factors-60-rounds-2048"), &rules);
    assert_eq!(found, Some(Weakness::CloseFactors));
}

#[test]
fn km_3_counts_the_rounds_of_fermat() {
    let number = UBig::from_be_bytes(&modulus("close-factors-60-rounds-2048"));
    assert!(factor::close(&number, 100));
    // 101 · 2903: (101 + 2903) / 2 − ⌈√(101 · 2903)⌉ + 1 = 1502 − 542 + 1 = 961 rounds.
    assert!(!factor::close(&UBig::from(101u32 * 2903), 960));
    assert!(factor::close(&UBig::from(101u32 * 2903), 961));
    assert!(factor::close(&UBig::from(101u32 * 101), 100));
}

#[test]
fn km_3_refuses_the_roca_pattern() {
    assert_eq!(found("roca-2048"), Some(Weakness::Roca));
    assert_eq!(found("roca-4096"), Some(Weakness::Roca));
    assert!(!roca::has_pattern(&UBig::from_be_bytes(&modulus("roca-altered-2048"))));
    let rules = WeakKeyRules { roca: false, ..WeakKeyRules::default() };
    assert_eq!(weakness(&modulus("roca-2048"), &rules), None);
}

#[test]
fn km_3_takes_a_power_for_each_prime_but_not_for_all_as_no_roca_pattern() {
    // 65537^0 modulo every prime but 167, and 65537^1 modulo 167: two exponents of other parity.
    let product = factor::primes_below(167).fold(UBig::ONE, |product, prime| product * prime);
    let mut number = UBig::ONE;
    while &number % 167u32 != 65537 % 167 {
        number += &product;
    }
    assert!(!roca::has_pattern(&number));
    assert!(roca::has_pattern(&UBig::from(65537u32).pow(1000)));
}

#[test]
fn km_3_refuses_keys_of_the_debian_lists() {
    assert_eq!(found("debian-1000-rnd-2048"), Some(Weakness::Debian));
    assert_eq!(found("debian-1000-nornd-2048"), Some(Weakness::Debian));
    let other = vec!["debian-4096".to_owned()];
    let rules = WeakKeyRules { debian_lists: other, ..WeakKeyRules::default() };
    assert_eq!(weakness(&modulus("debian-1000-rnd-2048"), &rules), None);
}

#[test]
fn km_4_refuses_points_that_are_no_keys() {
    assert_parameters("p256-off-curve", "KM-4");
    assert_parameters("p256-out-of-range", "KM-4");
    assert_parameters("p256-wrong-order", "KM-4");
    assert_parameters("p256-infinity", "KM-4");
}

#[test]
fn km_4_refuses_parameters_that_are_written_out() {
    assert_parameters("explicit-p256", "KM-4");
}

#[test]
fn km_5_refuses_published_keys_in_every_encoding() {
    let blocked = Some((RefusalCode::KeyBlocked, "KM-5".to_owned()));
    assert_eq!(refused("p256-private-key-1"), blocked);
    assert_eq!(refused("p256-private-key-1-compressed"), blocked);
    assert_eq!(refused("rfc9500-rsa-2048"), blocked);
    assert_eq!(refused("rfc9500-p384"), blocked);
}

#[test]
fn km_5_knows_a_published_key_before_its_parameters_are_asked_for() {
    let key = presented("rfc9500-rsa-2048-exponent-3");
    let refusal = check(&key, &WeakKeyRules::default()).unwrap_err();
    assert_eq!(refusal.code, RefusalCode::KeyBlocked);
}

#[test]
fn km_5_asks_only_the_lists_of_the_policy() {
    let rules = WeakKeyRules { published_lists: Vec::new(), ..WeakKeyRules::default() };
    assert_eq!(check(&presented("p256-private-key-1"), &rules), Ok(()));
}

#[test]
fn the_lists_are_well_formed() {
    assert!(listed::lines().all(|(print, source)| {
        print.len() == 64 && print.bytes().all(|b| b.is_ascii_hexdigit()) && !source.is_empty()
    }));
    assert!(listed::lines().count() > 300);
    assert!(listed::debian_is_sorted());
}

#[test]
fn km_3_finds_a_factor_shared_between_two_moduli() {
    let keys = ["shared-a-2048", "sound-2048", "roca-2048", "shared-b-2048", "factor-757-2048"];
    let moduli: Vec<_> = keys.iter().map(|name| modulus(name)).collect();
    let found = shared::shared_factors(&moduli);
    // a = p·q, sound = q·r and b = p·s: the first shares both its factors.
    let places: Vec<_> = found.iter().map(|shared| shared.index).collect();
    assert_eq!(places, [0, 1, 3]);
    assert_eq!(found[0].factor, moduli[0]);
    assert_eq!(found[2].factor.len(), 128);
    assert_eq!(UBig::from_be_bytes(&moduli[3]) % UBig::from_be_bytes(&found[2].factor), UBig::ZERO);
}

#[test]
fn km_3_finds_nothing_shared_among_sound_moduli() {
    let moduli: Vec<_> = ["sound-2048", "roca-2048", "roca-4096"].map(modulus).into();
    assert_eq!(shared::shared_factors(&moduli), []);
    assert_eq!(shared::shared_factors::<Vec<u8>>(&[]), []);
    assert_eq!(shared::shared_factors(&[modulus("sound-2048")]), []);
    assert_eq!(shared::shared_factors(&[vec![], vec![0], vec![1], vec![1]]), []);
}

#[test]
fn a_modulus_that_is_there_twice_shares_everything() {
    let moduli = vec![modulus("sound-2048"); 2];
    let found = shared::shared_factors(&moduli);
    assert_eq!(found.len(), 2);
    assert!(found.iter().all(|shared| shared.factor == moduli[0]));
}

/// The definition: the greatest common divisor with the product of all others.
fn by_definition(numbers: &[UBig]) -> Vec<(usize, UBig)> {
    use dashu_int::ops::Gcd as _;
    let others = |place: usize| {
        let product = numbers.iter().enumerate().filter(|(i, n)| *i != place && **n > UBig::ONE);
        product.fold(UBig::ONE, |product, (_, n)| product * n)
    };
    let all = numbers.iter().enumerate().filter(|(_, n)| **n > UBig::ONE);
    all.map(|(i, n)| (i, n.gcd(others(i)))).filter(|(_, g)| *g != UBig::ONE).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn km_3_batch_gcd_agrees_with_its_definition(
        moduli in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..40)
    ) {
        let numbers: Vec<_> = moduli.iter().map(|m| UBig::from_be_bytes(m)).collect();
        let found = shared::shared_factors(&moduli);
        let found: Vec<_> =
            found.iter().map(|s| (s.index, UBig::from_be_bytes(&s.factor))).collect();
        prop_assert_eq!(found, by_definition(&numbers));
    }
}
