//! The rules of every page (UX 14 and 15), as a browser sees them: nothing forbidden is loaded or
//! run, nothing sticks out on a telephone, the language is said, fields have labels, and axe-core has
//! nothing to say.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};
use tenkoku_testkit::tools::axe;

use super::person::Person;

/// Widths in CSS pixels at which no page may be wider than its window.
const WIDTHS: [u32; 4] = [320, 390, 768, 1440];
/// The size at which people look at a page, and pictures are taken.
pub(super) const DESK: (u32, u32) = (1280, 900);

/// What a page tells about itself: its language, how many main headings, fields without a label,
/// identifiers used twice, and hosts it loaded from other than its own.
const FACTS: &str = r"
    const fields = [...document.querySelectorAll('input, select, textarea')]
        .filter((field) => field.type !== 'hidden' && !field.hidden && field.labels.length === 0
            && !field.getAttribute('aria-label'));
    const ids = [...document.querySelectorAll('[id]')].map((part) => part.id);
    const loaded = performance.getEntriesByType('resource').map((entry) => new URL(entry.name));
    return {
        lang: document.documentElement.lang,
        headings: document.querySelectorAll('h1').length,
        titled: document.title.length > 3,
        unlabelled: fields.map((field) => field.outerHTML),
        twice: ids.filter((id, place) => ids.indexOf(id) !== place),
        foreign: loaded.filter((url) => url.host !== location.host).map(String),
    };";

/// What sticks out, so that the message says what to mend.
const TOO_WIDE: &str = r"
    const root = document.documentElement;
    if (root.scrollWidth <= window.innerWidth) return [];
    return [...document.querySelectorAll('body *')]
        .filter((part) => part.getBoundingClientRect().right > window.innerWidth + 1)
        .slice(0, 8).map((part) => part.outerHTML.slice(0, 160));";

/// What a page is made of, without its texts: pages of one make are accessible alike.
const MAKE: &str = r"
    const said = ['class', 'role', 'type', 'aria-label', 'aria-current', 'aria-invalid', 'lang', 'hidden'];
    return [...document.querySelectorAll('*')].map((part) => part.tagName
        + said.map((name) => part.hasAttribute(name) ? name + part.getAttribute(name) : '').join())
        .join();";

/// Everything that axe-core has against a page: the rule, what it wants, where.
const AXE: &str = r"
    const about = (node) => '\n    ' + node.html.slice(0, 200) + '\n      ' + node.failureSummary;
    return axe.run(document).then((found) => found.violations.map((one) =>
        one.id + ': ' + one.help + one.nodes.slice(0, 4).map(about).join('')));";

/// The makes of pages that axe-core judged already.
static JUDGED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// What axe-core has against the page, if none of its make was judged yet.
fn accessibility(person: &Person) -> Vec<String> {
    let browser = &person.browser;
    let make = browser.run_script(MAKE).to_string();
    let new = JUDGED.lock().unwrap_or_else(PoisonError::into_inner).insert(make);
    if !new {
        return Vec::new();
    }
    let found = browser.run_script(&format!("{}\n{AXE}", axe()));
    serde_json::from_value(found).expect("a list of texts")
}

/// Checks the page shown.
#[track_caller]
pub(super) fn check_page(person: &Person) {
    let found = faults(person);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Everything that is wrong with the page shown.
fn faults(person: &Person) -> Vec<String> {
    let browser = &person.browser;
    let mut found: Vec<String> =
        browser.complaints().into_iter().filter(|line| !is_a_refusal(line)).collect();
    let expected = json!({
        "lang": person.language, "headings": 1, "titled": true,
        "unlabelled": [], "twice": [], "foreign": [],
    });
    let facts = browser.run_script(FACTS);
    if facts != expected {
        found.push(facts.to_string());
    }
    for width in WIDTHS {
        browser.set_viewport(width, DESK.1);
        let wide = browser.run_script(TOO_WIDE);
        if wide != Value::Array(vec![]) {
            found.push(format!("at {width}: {wide}"));
        }
    }
    browser.set_viewport(DESK.0, DESK.1);
    // Without script it is the same page.
    if browser.runs_script() {
        found.extend(accessibility(person));
    }
    let address = browser.address();
    found.into_iter().map(|fault| format!("{address}: {fault}")).collect()
}

/// That the server answered a page with a refusal is logged as well; the story looks at the page.
fn is_a_refusal(line: &str) -> bool {
    line.contains("the server responded with a status of 4")
}
