//! Findings and changes of trusted lists in words.

use tenkoku_tsl::diff::{Change, Field, Place, What};
use tenkoku_tsl::rules::Finding;

use super::Words;

/// Where something is, in the middle of a sentence.
fn within(w: Words, place: &Place) -> String {
    match place {
        Place::Scheme => w.t("list-place.scheme").to_owned(),
        Place::Pointer(address) => w.say("list-place.pointer").with("address", address).text(),
        Place::Provider(provider) => w.say("list-place.provider").with("provider", provider).text(),
        Place::Service { provider, service } => {
            w.say("list-place.service").with("provider", provider).with("service", service).text()
        }
    }
}

/// Where something is, alone.
pub fn place(w: Words, place: &Place) -> String {
    capitalised(within(w, place))
}

/// What is said there, alone.
pub fn field(w: Words, field: Field) -> String {
    capitalised(w.word("trustlist.field", field.code()).to_owned())
}

/// What is wrong, in a sentence.
pub fn finding(w: Words, found: &Finding) -> String {
    let place = within(w, &found.place);
    let subject = match found.field {
        None => place.clone(),
        Some(field) => w
            .say("list-place.field")
            .with("field", w.word("trustlist.field", field.code()))
            .with("place", &place)
            .text(),
    };
    let pattern = format!("list-rule.{}", found.rule.code());
    let quoted = |at: usize| found.values.get(at).map_or("", String::as_str);
    let said = w
        .say(&pattern)
        .with("place", place)
        .with("subject", subject)
        .with("a", quoted(0))
        .with("b", quoted(1));
    capitalised(said.text())
}

/// What changed, in a sentence.
pub fn change(w: Words, change: &Change) -> String {
    let place = place(w, &change.place);
    match &change.what {
        What::Added => w.say("trustlist.change.added").with("place", place),
        What::Removed => w.say("trustlist.change.removed").with("place", place),
        What::Status { from, to, since } => w
            .say("trustlist.change.status")
            .with("place", place)
            .with("from", from)
            .with("to", to)
            .with("since", since),
        What::Field { field, from, to } => w
            .say("trustlist.change.field")
            .with("place", place)
            .with("field", w.word("trustlist.field", field.code()))
            .with("from", from)
            .with("to", to),
    }
    .text()
}

/// English sentences begin with a capital letter; other scripts have none.
fn capitalised(mut sentence: String) -> String {
    if let Some(first) = sentence.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    sentence
}

#[cfg(test)]
mod tests {
    use tenkoku_domain::organisation::Language;
    use tenkoku_tsl::rules::Rule;

    use super::*;

    #[test]
    fn every_rule_of_lists_is_said_in_both_languages() {
        for rule in Rule::ALL {
            let key = format!("list-rule.{}", rule.code());
            assert_eq!(Words::of(Language::En).find(&key), Some(rule.pattern()));
            let japanese = Words::of(Language::Ja).find(&key);
            assert!(
                japanese.is_some_and(|text| text.contains('。') || text.contains(':')),
                "{key}"
            );
        }
    }

    #[test]
    fn a_finding_names_its_place_in_the_reader_s_language() {
        let service = "例 CA".to_owned();
        let found = Finding {
            rule: Rule::LatinMissing,
            clause: "E.1",
            place: Place::Service { provider: "例社".to_owned(), service },
            field: Some(Field::Name),
            values: vec!["ja".to_owned(), "ja-Latn".to_owned()],
        };
        let said = finding(Words::of(Language::Ja), &found);
        assert!(said.starts_with("「例社」のサービス「例 CA」の名称の ja の値"), "{said}");
        let said = finding(Words::of(Language::En), &found);
        assert!(
            said.starts_with("The name of the service “例 CA” of “例社” in ja needs"),
            "{said}"
        );
    }
}
