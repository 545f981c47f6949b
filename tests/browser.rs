//! The console and the public pages in a real browser: the main job as people do it, in both
//! languages, with script and without, with a code generator and with a passkey.
//!
//! Every page that a story comes past is held against the rules of all pages (`browser/page.rs`).
//! Not in here: who may come in where (`doors.rs`).

pub(crate) mod branch;
pub(crate) mod code;
mod delegation;
mod keys;
mod lists;
mod page;
mod person;
mod screens;

use tenkoku_testkit::servers::Installation;
use tenkoku_testkit::webdriver::By;

use self::branch::{Seal, carve_seal, import_hostile_names};
use self::person::Person;

/// Clicks that revoking takes, from the search box on (UX 3).
const CLICKS_TO_REVOKE: u32 = 4;
/// The number of the organisation with hostile names.
const TAKASAKI: &str = "4000000990005";

/// A one-time link for a new account: its path.
pub(crate) fn invite(installation: &Installation, login: &str, more: &[&str]) -> String {
    let words = ["user", "invite", login, "--name", "海野 Kaede"].into_iter();
    let invited = installation.json(words.chain(more.iter().copied()));
    let link = invited["link"].as_str().expect("a link");
    link.strip_prefix(&installation.console()).expect("a link to the console").to_owned()
}

/// The sample, with seals for some branches of the bank.
pub(crate) fn installation_with<const N: usize>(
    branches: [&'static str; N],
) -> (Installation, [Seal; N]) {
    let installation = Installation::with_sample();
    let seals = branches.map(|branch| carve_seal(&installation, branch));
    (installation, seals)
}

#[test]
fn a_certificate_is_revoked_in_english_and_strangers_are_told() {
    let (installation, [found, searched]) = installation_with(["BR-0101", "BR-0481"]);
    let _server = installation.serve();
    let person = Person::arrive(&installation, "en");
    let link = invite(&installation, "kaede", &["--language", "en"]);
    person.enrol_with_a_code_generator(&link);
    assert!(!person.text("#headline").is_empty());
    screens::keep(&person, "home.en");

    person.find_certificate("Mihon Bank, Ltd.", &found);
    screens::keep(&person, "certificate.en");
    found.is_answered_as(&installation, "good");
    person.revoke(&found, "key-exposed");
    found.is_answered_as(&installation, "revoked");
    found.is_listed_as_revoked(&installation);

    person.search(&searched.serial);
    person.clicks();
    person.revoke(&searched, "office-closed");
    assert!(person.clicks() <= CLICKS_TO_REVOKE);
    searched.is_answered_as(&installation, "revoked");
    person.search("BR-0101");
    screens::keep(&person, "branch.en");

    person.sign_out();
    person.open(&link);
    assert!(person.browser.source().contains("code-void"), "the link opens twice");
    person.sign_in("kaede", "not the password", &person.code());
    assert!(!person.text(".errsum").is_empty());
    person.sign_in_rightly("kaede");
    walk(&person, PUBLIC_PAGES, Person::open_public);
    screens_of_public_pages(&person);
}

#[test]
fn a_certificate_is_revoked_in_japanese_and_hostile_names_do_no_harm() {
    let (installation, [seal]) = installation_with(["BR-0101"]);
    import_hostile_names(&installation);
    let _server = installation.serve();
    let person = Person::arrive(&installation, "ja");
    person.enrol_with_a_code_generator(&invite(&installation, "kaede", &["--language", "ja"]));
    screens::keep(&person, "home.ja");

    person.find_certificate("株式会社見本銀行", &seal);
    screens::keep_of_telephone(&person, "certificate.phone.ja");
    person.revoke(&seal, "name-changed");
    screens::keep(&person, "revoked.ja");
    seal.is_answered_as(&installation, "revoked");
    seal.is_listed_as_revoked(&installation);

    person.search("BR-0101");
    person.follow(".crumbs li:nth-child(2) a");
    screens::keep(&person, "organisation.ja");
    walk(&person, CONSOLE_PAGES, Person::open);
    walk(&person, PUBLIC_PAGES, Person::open_public);
    screens::keep(&person, "public-home.ja");
    hostile_names_are_only_shown(&person);
}

/// Names with markup are shown letter by letter, and long ones stay inside the window.
fn hostile_names_are_only_shown(person: &Person) {
    person.open("/console");
    person.search(TAKASAKI);
    person.sees("株式会社<script>髙﨑邉</script>&amp;");
    person.sees("<b>\"T\" & 'K'</b>");
    person.sees("</title>邉店 عربي");
    let branches = person.browser.find_all(By::Css("tbody th a")).len();
    for place in 1..=branches {
        person.search(TAKASAKI);
        person.follow(&format!("tbody tr:nth-child({place}) th a"));
    }
    person.open_public(&format!("/find?q={TAKASAKI}"));
    person.sees("髙﨑邉");
}

const CONSOLE_PAGES: &[&str] = &[
    "/console",
    "/console/organisations",
    "/console/certificates",
    "/console/applications",
    "/console/authorities",
    "/console/authorities/seal-l1-g1",
    "/console/lists",
    "/console/audit",
    "/console/audit/1",
    "/console/people",
    "/console/me",
    "/console/confirm",
    "/console/search?q=nothing-like-that",
    "/console/nowhere",
];

pub(crate) const PUBLIC_PAGES: &[&str] = &[
    "/lists",
    "/lists/jp-2021",
    "/lists/jp-2021/1/providers/1",
    "/lists/jp-2021/1/providers/1/services/1?on=2026-11-22",
    "/lists/search?q=seal",
    "/find",
    "/find?q=BR-0101",
    "/repository",
    "/status",
    "/developers",
    "/policies",
    "/accessibility",
    "/privacy",
    "/errors",
    "/errors/key-duplicate",
    "/nowhere",
    "/",
];

fn walk(person: &Person, paths: &[&str], open: impl Fn(&Person, &str)) {
    for path in paths {
        open(person, path);
    }
}

fn screens_of_public_pages(person: &Person) {
    person.open_public("/lists/jp-2021");
    screens::keep(person, "list.en");
    person.open_public("/find?q=8000000990001");
    screens::keep(person, "find.en");
}

#[test]
fn a_passkey_opens_the_console() {
    let installation = Installation::evaluation();
    let _server = installation.serve();
    let person = Person::arrive(&installation, "en");
    person.browser.add_authenticator();
    person.open(&invite(&installation, "kaede", &["--language", "en"]));
    person.click("#enrol-passkey");
    person.browser.find(By::Css("#headline"));
    person.sign_out();
    person.fill("login", "kaede");
    person.click("#sign-in-passkey");
    person.browser.find(By::Css("a.who"));
    person.is_at("/console/organisations");
    person.follow("a.who");
    person.sees("kaede");
}

#[test]
fn without_script_people_sign_in_and_revoke() {
    let (installation, [seal]) = installation_with(["BR-0101"]);
    let _server = installation.serve();
    let person = Person::arrive(&installation, "ja");
    person.browser.disable_script();
    person.enrol_with_a_code_generator(&invite(&installation, "kaede", &["--language", "ja"]));
    person.sign_out();
    person.sign_in_rightly("kaede");
    person.search(&seal.serial);
    person.revoke(&seal, "replaced");
    seal.is_answered_as(&installation, "revoked");
}
