//! The rules of every page (UX 14 and 15), as a browser sees them: nothing forbidden is loaded or
//! run, nothing sticks out on a telephone, the language is said, fields have labels.

use serde_json::{Value, json};

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

/// Checks the page shown.
#[track_caller]
pub(super) fn check_page(person: &Person) {
    let browser = &person.browser;
    let address = browser.address();
    let complaints: Vec<String> =
        browser.complaints().into_iter().filter(|line| !is_a_refusal(line)).collect();
    assert!(complaints.is_empty(), "{address}: {complaints:#?}");
    let expected = json!({
        "lang": person.language, "headings": 1, "titled": true,
        "unlabelled": [], "twice": [], "foreign": [],
    });
    assert_eq!(browser.run_script(FACTS), expected, "{address}");
    for width in WIDTHS {
        browser.set_viewport(width, DESK.1);
        assert_eq!(browser.run_script(TOO_WIDE), Value::Array(vec![]), "{address} at {width}");
    }
    browser.set_viewport(DESK.0, DESK.1);
}

/// That the server answered a page with a refusal is logged as well; the story looks at the page.
fn is_a_refusal(line: &str) -> bool {
    line.contains("the server responded with a status of 4")
}
