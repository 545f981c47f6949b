//! The pictures of `docs/screens`, taken anew when `TENKOKU_SCREENS=1` is set.

use std::fs;

use tenkoku_testkit::tools::checkout;

use super::page::DESK;
use super::person::Person;

/// A telephone, in CSS pixels.
const TELEPHONE: (u32, u32) = (390, 844);
/// No picture is larger, in octets: they are part of the checkout.
const MAX_OCTETS: usize = 200_000;

/// Keeps a picture of what is shown at a desk.
pub(super) fn keep(person: &Person, name: &str) {
    keep_sized(person, name, DESK);
}

/// Keeps a picture of what is shown on a telephone.
pub(super) fn keep_of_telephone(person: &Person, name: &str) {
    keep_sized(person, name, TELEPHONE);
    person.browser.set_viewport(DESK.0, DESK.1);
}

fn keep_sized(person: &Person, name: &str, (width, height): (u32, u32)) {
    if std::env::var_os("TENKOKU_SCREENS").is_none() {
        return;
    }
    person.browser.set_viewport(width, height);
    let picture = person.browser.screenshot();
    assert!(picture.len() <= MAX_OCTETS, "{name} has {} octets", picture.len());
    let file = checkout().join(format!("docs/screens/{name}.png"));
    fs::write(file, picture).expect("docs/screens can be written");
}
