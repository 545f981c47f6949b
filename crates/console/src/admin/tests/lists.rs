//! The way of a trusted list through the console (UX 4.12).

use tenkoku_domain::access::Role;
use tenkoku_domain::authority::AuthorityKind;
use tenkoku_domain::level::Level;
use tenkoku_domain::policy::Installation;
use tenkoku_domain::trusted_list::PublishedList;
use tenkoku_testkit::world::World;

use super::{Browser, House};

fn live(world: &World) -> PublishedList {
    world.read(|tx| tx.latest_list("jp-2021")).expect("a list")
}

/// Opens a draft; gives its address.
fn open(editor: &Browser<'_>) -> String {
    let opened = editor.submit("/console/lists/drafts", &[]);
    assert_eq!(opened.status.as_u16(), 303, "{}", opened.body);
    opened.location
}

/// The digest that a page shows.
fn shown(browser: &Browser<'_>, path: &str) -> String {
    browser.get(path).between("name=\"shown\" value=\"", "\"").to_owned()
}

/// Sends a form of a page with the digest that the page carried.
#[track_caller]
fn send(browser: &Browser<'_>, page: &str, to: &str, fields: &[(&str, &str)]) {
    let shown = shown(browser, page);
    let fields: Vec<_> = fields.iter().copied().chain([("shown", shown.as_str())]).collect();
    let answer = browser.submit(to, &fields);
    assert_eq!(answer.status.as_u16(), 303, "{to}: {}", answer.body);
}

#[test]
fn three_people_change_check_and_publish_a_list() {
    World::on_each_database_of(Installation::Production, |world| {
        let house = House::of(world);
        let [editor, one, two] = [(), (), ()].map(|()| house.person(&[Role::ValidationOperator]));
        let draft = open(&editor);
        let page = editor.get(&draft);
        page.check(200, "The draft says what the live list says");
        page.check(200, "id=\"submit-draft\"");
        let service = format!("{draft}/service-1-1");
        editor.get(&service).check(200, "BEGIN CERTIFICATE");
        // What is wrong is said at its field, and nothing is lost.
        let seen = shown(&editor, &service);
        let wrong = editor.submit(&service, &[("shown", &seen), ("name", "no language")]);
        wrong.check(422, "has the line “no language”");
        let withdrawn = "http://seal.example.jp/lists/jp-2021#withdrawn";
        let without = editor.submit(
            &format!("{service}/status"),
            &[("shown", &seen), ("status", withdrawn), ("reason", "audit")],
        );
        without.check(422, "This is needed.");
        let decided = [
            ("status", withdrawn),
            ("reason", "audit"),
            ("legal_ja", "規程第5条"),
            ("legal_en", "Rules, article 5"),
        ];
        send(&editor, &service, &format!("{service}/status"), &decided);
        let page = editor.get(&draft);
        page.check(200, "2 changes from sequence 1");
        page.check(200, "it is shown as no longer granted");
        page.check(200, "Rules, article 5");
        send(&editor, &draft, &format!("{draft}/submission"), &[]);
        assert!(!editor.get(&draft).body.contains("id=\"approve\""), "an author approves");
        one.get("/console").check(200, "A draft of the trusted list waits for your approval");
        let agreed = [("verdict", "approved")];
        let bare = one.submit(&draft, &[("verdict", "rejected")]);
        bare.check(422, "errsum");
        send(&one, &draft, &draft, &agreed);
        assert_eq!(live(world).sequence, 1);
        // No two states begin at one instant: the new one begins a second after the first list.
        world.clock.advance_seconds(2);
        two.get(&draft).check(200, "Approve, sign and publish");
        send(&two, &draft, &draft, &agreed);
        assert_eq!(live(world).sequence, 2);
        two.get(&draft).check(200, "Published");
        let auditor = house.person(&[Role::Auditor]);
        let page = auditor.get(&draft);
        page.check(200, "Published");
        assert!(!page.body.contains("<form action=\"/console/lists"), "{}", page.body);
    });
}

#[test]
fn every_part_of_a_list_has_a_form_and_a_place_for_a_new_one() {
    World::on_each_database(|world| {
        let house = House::of(world);
        let mut editor = house.person(&[Role::ValidationOperator]);
        let draft = open(&editor);
        for language in ["en", "ja"] {
            editor.language = language;
            for part in
                ["scheme", "provider-1", "service-1-2", "service-1-4", "provider-2", "pointer-1"]
            {
                let page = editor.get(&format!("{draft}/{part}"));
                page.check(200, "id=\"save\"");
                assert!(!page.body.contains(">list-field") && !page.body.contains(">admin."));
            }
        }
        editor.get(&format!("{draft}/nothing")).check(404, "not-found");
        editor.language = "en";
        let provider = format!("{draft}/provider-2");
        let fields = [
            ("name", "en: Minato Trust Co., Ltd."),
            ("trade-names", "NTRJP-7010001008844"),
            ("postal-address", "en: 1-1 Kaigan | Minato-ku | Tokyo | 105-0022 | JP"),
            (
                "electronic-address",
                "en: mailto:tl@minato.example.jp\nen: https://minato.example.jp",
            ),
            ("information", "en: https://minato.example.jp/cps"),
        ];
        send(&editor, &provider, &provider, &fields);
        let page = editor.get(&draft);
        page.check(200, "The provider “Minato Trust Co., Ltd.” has no service");
        assert!(!page.body.contains("id=\"submit-draft\""), "a broken draft is put forward");
        send(&editor, &provider, &format!("{provider}/removal"), &[]);
        let close = [("reason", "the scheme ends")];
        send(&editor, &format!("{draft}/scheme"), &format!("{draft}/closing"), &close);
        editor.get(&draft).check(200, "A closed list has no running service");
        let given_up = editor.submit(&format!("{draft}/abandonment"), &[]);
        given_up.check_leads_to("/console/lists");
    });
}

#[test]
fn an_authority_that_is_not_listed_is_proposed_with_one_click() {
    World::on_each_database(|world| {
        let house = House::of(world);
        world.create_authority("seal-l1-g2", AuthorityKind::Issuing(Level::One), 2);
        let operator = house.person(&[Role::ValidationOperator]);
        operator.get("/console").check(200, "is not on the trusted list yet");
        operator.get("/console/lists").check(200, "Propose it");
        let proposed = operator.submit("/console/lists/proposals/seal-l1-g2", &[]);
        assert_eq!(proposed.status.as_u16(), 303, "{}", proposed.body);
        operator.get(&proposed.location).check(200, "it is shown as granted");
        operator.get("/console/lists").check(200, "A draft says it already.");
    });
}

#[test]
fn the_next_signer_takes_over_when_it_was_announced_for_long_enough() {
    World::on_each_database(|world| {
        let house = House::of(world);
        let operator = house.person(&[Role::ValidationOperator]);
        assert!(!operator.get("/console/lists").body.contains("id=\"hand-over\""));
        operator.submit("/console/lists/signers", &[]).check(409, "state-conflict");
        let first = live(world).signer;
        world.clock.advance_days(30);
        let operator = house.person(&[Role::ValidationOperator]);
        operator.get("/console/lists").check(200, "id=\"hand-over\"");
        operator.submit("/console/lists/signers", &[]).check_leads_to("/console/lists");
        assert_ne!(live(world).signer, first);
    });
}
