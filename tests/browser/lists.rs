//! A trusted list on its way, in a real browser: in both languages, with script, and the clicks of
//! whoever publishes it.

use serde_json::Value;
use tenkoku_testkit::servers::Installation;

use super::invite;
use super::person::Person;

/// Clicks from Home until the list is published, for whoever agrees last (UX 3).
const CLICKS_TO_PUBLISH: u32 = 3;

fn sequence(installation: &Installation) -> Value {
    installation.json(["trustlist", "show"])["lists"][0]["sequence"].clone()
}

#[test]
fn a_list_is_changed_in_one_language_and_published_in_the_other() {
    let installation = Installation::evaluation();
    let _server = installation.serve();
    let role = ["--role", "validation-operator"];
    let person = |language: &'static str, login: &str| {
        let person = Person::arrive(&installation, language);
        let more = [&role[..], &["--language", language]].concat();
        person.enrol_with_a_code_generator(&invite(&installation, login, &more));
        person
    };
    for (language, other, turn) in [("ja", "en", 1), ("en", "ja", 2)] {
        let editor = person(language, &format!("editor-{turn}"));
        editor.open("/console/lists");
        editor.follow("#open-draft");
        editor.follow(".parts a[href$='/scheme']");
        let contact = format!(
            "en: mailto:tl@seal.example.jp\nen: https://seal.example.jp\nen: tel:+81-3-0000-000{turn}"
        );
        editor.fill("electronic-address", &contact);
        editor.follow("#save");
        editor.follow("#submit-draft");
        let publisher = person(other, &format!("publisher-{turn}"));
        publisher.open("/console");
        publisher.clicks();
        publisher.follow("main a[href*='/console/lists/drafts/']");
        publisher.fill("reason", "ok");
        publisher.follow("#approve");
        assert!(publisher.clicks() <= CLICKS_TO_PUBLISH);
        assert_eq!(sequence(&installation), turn + 1);
        publisher.open_public("/tl/jp-2021.html");
        publisher.sees(&format!("tel:+81-3-0000-000{turn}"));
        publisher.open("/console/lists");
    }
}
