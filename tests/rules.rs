//! Every rule has a test that shows what it refuses or forces; the table of them is
//! `docs/RULES.md`, made from the names of the tests.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use tenkoku_testkit::tools::checkout;

/// A rule, as DOMAIN names it, and what it says in a few words.
type Rule = (&'static str, &'static str);

/// The rules whose tests are told apart by the beginning of their names: `KM-6` by `km_6_`.
const RULES: [(&str, &[Rule]); 10] = [
    (
        "Key management",
        &[
            ("KM-1", "algorithm or size outside the level's list"),
            ("KM-2", "another RSA exponent, an even modulus, a size not listed"),
            ("KM-3", "a weak RSA modulus"),
            ("KM-4", "a point that is none, explicit curve parameters"),
            ("KM-5", "a published or blocked key"),
            ("KM-6", "a key that is known already"),
            ("KM-7", "possession not shown freshly, for this application"),
            ("KM-8", "origin of the key below the level"),
            ("KM-9", "an attestation that does not verify"),
            ("KM-10", "a key in hardware without the demanded attributes"),
            ("KM-11", "the same key again at renewal"),
            ("KM-12", "validity or sealing period beyond the policy"),
            ("KM-13", "sealing after its last day, or in another state than active"),
            ("KM-14", "more live instances than allowed"),
            ("KM-15", "a container shared by two holders"),
            ("KM-16", "no custodian"),
            ("KM-17", "evidence of destruction late or of too low a class"),
            ("KM-18", "export of a key"),
            ("KM-19", "an authority's key without the persons of the ceremony"),
            ("KM-20", "a clock that cannot be trusted"),
            ("KM-21", "a policy that changed since submission and would refuse"),
            ("KM-22", "a policy without two approvers, or effective in the past"),
        ],
    ),
    (
        "Invariants",
        &[
            ("I-1", "one key, one instance, one container, for its whole life"),
            ("I-2", "a fingerprint occurs once, over everything and for ever"),
            ("I-3", "one credential of an instance, and one successor"),
            ("I-4", "serial numbers are random and unique"),
            ("I-5", "nothing decided is edited"),
            ("I-6", "one person counts once"),
            ("I-7", "a grant never widens"),
            ("I-8", "no certificate outlives what it rests on"),
            ("I-9", "issued is what was decided on"),
            ("I-10", "a closed branch has no live credential"),
            ("I-11", "no private key of a seal of level 2 or 3 outside an HSM"),
            ("I-12", "every change and every refusal is recorded with it"),
        ],
    ),
    (
        "Rotation",
        &[
            ("RO-1", "a new key; the predecessor is not revoked for it"),
            ("RO-2", "emergency rotation"),
            ("RO-3", "what a custodian can see"),
            ("RO-4", "generations of an authority"),
            ("RO-5", "public discovery"),
        ],
    ),
    (
        "Destruction",
        &[
            ("DE-1", "every copy is accounted for"),
            ("DE-2", "signed with another key, never by the custodian alone at level 3"),
            ("DE-3", "a last act is no evidence"),
            ("DE-4", "decided by an officer of another organisation"),
            ("DE-5", "a seal by a destroyed key is an incident"),
            ("DE-6", "a public note"),
            ("DE-7", "keys of time-stamping"),
        ],
    ),
    (
        "Profiles",
        &[
            ("PR-1", "the documentation arc in production"),
            ("PR-2", "a claim without accreditation"),
            ("PR-3", "a single ETSI statement"),
        ],
    ),
    (
        "Revocation",
        &[
            ("RV-1", "a hold beyond its days, or extended twice"),
            ("RV-2", "a revocation taken back"),
            ("RV-3", "a revocation that the certified key asks for, without sign-in"),
            ("RV-4", "many at once without preview, two persons, and a record each"),
            ("RV-5", "a later date for an exposed key"),
            ("RV-6", "a request without an answer"),
        ],
    ),
    (
        "Identifiers",
        &[
            ("ID-1", "a country that is not the subject's"),
            ("ID-2", "a number in the place of a name"),
            ("ID-3", "a number shown as of another register than it was found in"),
            ("ID-4", "a second record of one organisation"),
        ],
    ),
    (
        "Levels",
        &[
            ("LV-1", "a claim printed without a valid record"),
            ("LV-2", "a level raised on a seal that exists"),
        ],
    ),
    (
        "Delegation",
        &[
            ("DG-1", "what a grant does not cover, at submission and at issue"),
            ("DG-2", "more than the quota; what is given back"),
            ("DG-3", "an application without its grant's digest"),
            ("DG-4", "later branches, unless the grant follows them"),
            ("DG-5", "a delegate who would need the key"),
            ("DG-6", "grants of a representative who left"),
            ("DG-7", "the worked scope"),
        ],
    ),
    (
        "Abuse",
        &[
            ("AB-1", "a second record for an issued certificate"),
            ("AB-2", "another's certificate named as replaced"),
            ("AB-3", "an authority under a parent one can only see"),
            ("AB-4", "a format that reaches a private key"),
            ("AB-5", "passwords read back from the configuration"),
            ("AB-6", "an address changed to an internal one"),
            ("AB-7", "an approval carried to another organisation"),
            ("AB-8", "revocation with a serial number only"),
            ("AB-9", "a door without a permission"),
            ("AB-10", "a race past a quota"),
            ("AB-11", "another's public key with an old request"),
            ("AB-12", "newlines, overrides and look-alikes in names"),
            ("AB-13", "an object changed after approval"),
            ("AB-14", "a stolen enrolment code"),
            ("AB-15", "input reflected into a page"),
        ],
    ),
];

/// The scenarios of DOMAIN 22 that concern keys and delegation.
const SCENARIOS: [Rule; 10] = [
    ("scenario 1", "one key handed in by two branches at once"),
    ("scenario 2", "one key in every encoding, ten years later"),
    ("scenario 3", "a list of applications beyond the quota"),
    ("scenario 4", "a key imported into a token"),
    ("scenario 5", "rotation without evidence of destruction"),
    ("scenario 6", "a seal by a destroyed key"),
    ("scenario 7", "a representative leaves"),
    ("scenario 8", "a clock that drifts"),
    ("scenario 9", "a name edited between approval and issue"),
    ("scenario 10", "the audit trail loses a record"),
];

/// Rules that wait for what they speak of, or for their test. Each comes off this list with its first
/// test.
const OPEN: [&str; 0] = [];

/// Where tests lie.
const FOLDERS: [&str; 2] = ["crates", "tests"];

fn rules() -> impl Iterator<Item = Rule> {
    RULES.iter().flat_map(|(_, rules)| rules.iter()).chain(&SCENARIOS).copied()
}

/// What the names of a rule's tests begin with, or hold after the name of another rule.
fn prefix(rule: &str) -> String {
    format!("_{}_", rule.to_lowercase().replace(['-', ' '], "_"))
}

/// The names of the tests of every rule, each with its file.
fn tests() -> BTreeMap<&'static str, Vec<String>> {
    let mut found: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for folder in FOLDERS {
        visit(&checkout().join(folder), &mut |file, name| {
            let file = file.strip_prefix(checkout()).expect("inside the checkout");
            for (rule, _) in rules().filter(|(rule, _)| format!("_{name}").contains(&prefix(rule)))
            {
                found.entry(rule).or_default().push(format!("`{name}` in {}", file.display()));
            }
        });
    }
    for tests in found.values_mut() {
        tests.sort();
    }
    found
}

/// Calls `each` with every file and every test function in it.
fn visit(folder: &Path, each: &mut impl FnMut(&Path, &str)) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            visit(&path, each);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("a source file");
            for name in test_names(&text) {
                each(&path, name);
            }
        }
    }
}

/// The functions right below `#[test]`, and those that a `both!` block runs on both databases.
fn test_names(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.lines().map(str::trim);
    let marked = lines.clone().zip(lines.clone().skip(1)).filter_map(|(mark, line)| {
        let name = line.strip_prefix("fn ")?.split('(').next();
        name.filter(|_| mark.starts_with("#[") && mark.ends_with("test]"))
    });
    let both = text.split("both! {").skip(1).filter_map(|rest| rest.split('}').next());
    marked.chain(both.flat_map(str::split_whitespace))
}

fn table() -> String {
    let tests = tests();
    let mut table = String::from(
        "# Rules and their tests\n\nEvery rule of the key-management policy and its neighbours, \
         and the tests that show what it refuses or forces.\nMade from the names of the tests; \
         `tests/rules.rs` holds it to them.\n",
    );
    let scenarios = [("Scenarios", SCENARIOS.as_slice())];
    for (title, rules) in RULES.iter().map(|(t, r)| (*t, *r)).chain(scenarios) {
        write!(
            table,
            "\n## {title}\n\n| rule | refuses or forces | tests |\n| --- | --- | --- |\n"
        )
        .expect("a text grows");
        for (rule, what) in rules {
            let names = tests.get(rule).map(|names| names.join("<br>")).unwrap_or_default();
            writeln!(table, "| {rule} | {what} | {names} |").expect("a text grows");
        }
    }
    table
}

#[test]
fn every_rule_has_a_test() {
    let tests = tests();
    let bare: Vec<_> = rules().map(|(rule, _)| rule).filter(|r| !tests.contains_key(r)).collect();
    assert_eq!(bare, OPEN, "the rules without a test are those that are listed as open");
}

#[test]
fn the_table_of_rules_is_that_of_the_tests() {
    let fresh = Path::new(env!("CARGO_TARGET_TMPDIR")).join("RULES.md");
    let table = table();
    fs::write(&fresh, &table).expect("the fresh table");
    let kept = fs::read_to_string(checkout().join("docs/RULES.md")).unwrap_or_default();
    assert!(kept == table, "docs/RULES.md is old: cp {} docs/RULES.md", fresh.display());
}
