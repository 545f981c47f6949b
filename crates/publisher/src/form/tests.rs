//! What a form shows, it takes; what is wrong with it, it says at its field.

use tenkoku_tsl::verify::read_unsigned;
use tenkoku_tsl::write::to_xml;

use super::*;

fn list() -> TrustedList {
    let text = include_str!("../../../../tests/data/tsl/unknown-extension.xml");
    read_unsigned(text.as_bytes()).unwrap()
}

const SERVICE_1: ListPart = ListPart::Service { provider: 1, service: 1 };

/// Says one thing differently and gives the list, or the rules that were offended.
fn say(part: ListPart, field: &str, text: &str) -> Result<TrustedList, Vec<&'static str>> {
    let mut list = list();
    let fields = Fields::from([(field.to_owned(), text.to_owned())]);
    match apply(&mut list, part, &fields) {
        Ok(()) => Ok(list),
        Err(mistakes) => Err(mistakes.iter().map(|one| one.rule.code()).collect()),
    }
}

fn shown(list: &TrustedList, part: ListPart, field: &str) -> String {
    show(list, part).unwrap().remove(field).unwrap()
}

#[test]
fn what_is_left_as_it_was_shown_stays_to_the_last_octet() {
    let before = list();
    for part in [ListPart::Scheme, ListPart::Provider(1), SERVICE_1] {
        let mut after = before.clone();
        let fields = show(&before, part).unwrap();
        apply(&mut after, part, &fields).unwrap();
        assert_eq!(after, before, "{part}");
    }
    assert_eq!(show(&before, ListPart::Provider(2)), None);
    assert_eq!(show(&before, ListPart::Pointer(1)), None);
}

#[test]
fn every_field_of_a_form_is_shown() {
    let list = list();
    for part in [ListPart::Scheme, ListPart::Provider(1), SERVICE_1] {
        let shown = show(&list, part).unwrap();
        let names: Vec<&str> = fields(part).iter().map(|field| field.name).collect();
        assert_eq!(shown.len(), names.len());
        assert!(names.iter().all(|name| shown.contains_key(*name)), "{part}");
    }
}

#[test]
fn a_field_says_what_it_is_given() {
    let name = "en: New name\nja: 新しい名\nja-Latn: Atarashii na";
    for (part, field, text) in [
        (ListPart::Scheme, "operator-name", name),
        (ListPart::Scheme, "legal-notice", "en: The law."),
        (
            ListPart::Scheme,
            "distribution-points",
            "https://a.example/l.xml\nhttps://b.example/l.xml",
        ),
        (ListPart::Provider(1), "name", name),
        (ListPart::Provider(1), "trade-names", "NTRJP-7010001008844\nen: Example Trade"),
        (ListPart::Provider(1), "postal-address", "en: 1-1 Chiyoda | Chiyoda-ku | Tokyo |  | JP"),
        (SERVICE_1, "supply-points", "https://ocsp.example https://type.example/ocsp\nhttps://a.b"),
        (SERVICE_1, "provider-definition", "en: https://example.jp/definition"),
    ] {
        let list = say(part, field, text).unwrap();
        assert_eq!(shown(&list, part, field), text, "{field}");
    }
    let keyless = Fields::from([
        ("certificates".to_owned(), String::new()),
        ("identifier".to_owned(), "https://example.jp/service?a=1&b='2'".to_owned()),
    ]);
    let mut list = list();
    apply(&mut list, SERVICE_1, &keyless).unwrap();
    let read = read_unsigned(to_xml(&list).as_bytes()).unwrap();
    let (made, kept) = (list.services().next().unwrap(), read.services().next().unwrap());
    assert_eq!(kept.1.identity, made.1.identity);
    assert_eq!(shown(&read, SERVICE_1, "identifier"), keyless["identifier"]);
    let list = say(ListPart::Scheme, "policy", "en: https://example.jp/policy");
    assert_eq!(list.unwrap_err(), ["notice-either"]);
}

#[test]
fn what_cannot_be_read_is_named_with_its_rule() {
    for (part, field, text, rule) in [
        (ListPart::Scheme, "operator-name", "ja: 例", "english-missing"),
        (ListPart::Scheme, "operator-name", "Example", "line-form"),
        (ListPart::Scheme, "operator-name", "EN: Example", "language-tag"),
        (ListPart::Scheme, "operator-name", "en: <b>x</b>", "mark-up"),
        (ListPart::Scheme, "territory", "GB", "place-code"),
        (ListPart::Scheme, "list-type", "", "missing"),
        (ListPart::Scheme, "information", "en: example", "not-an-address"),
        (ListPart::Provider(1), "trade-names", "XX-1", "registration-identifier"),
        (ListPart::Provider(1), "postal-address", "en: Street, Town", "line-form"),
        (SERVICE_1, "certificates", "MIIB", "certificate-unreadable"),
        (SERVICE_1, "certificates", "", "certificate-missing"),
        (SERVICE_1, "identifier", "https://example.jp/service", "identity-either"),
        (SERVICE_1, "supply-points", "a b c", "line-form"),
        (SERVICE_1, "extensions", "something else", "line-form"),
        (SERVICE_1, "extensions", "kept 99 Unknown", "line-form"),
    ] {
        assert_eq!(say(part, field, text).map(drop), Err(vec![rule]), "{field}: {text}");
    }
}

#[test]
fn extensions_are_written_as_lines_and_unknown_ones_are_kept() {
    let text =
        "information en: http://uri.etsi.org/TrstSvc/TrustedList/SvcInfoExt/ForeSeals value x
expired-since 2026-01-01T00:00:00Z
critical qualifications
  for QCForESeal QCWithQSCD
    all: seals of this kind
      key-usage nonRepudiation=yes digitalSignature=no
      policy 0.4.0.194112.1.3 1.2.3
      at-least-one
        extended-key-usage 1.3.6.1.5.5.7.3.36
        subject-attribute 2.5.4.97
  for https://scheme.example/own
    none
      policy 1.2
taken-over-by JP en: https://example.jp/takeover
  provider en: Example
  provider ja: 例
  provider ja-Latn: Rei
  operator en: Operator
";
    let written = say(SERVICE_1, "extensions", text).unwrap();
    assert_eq!(shown(&written, SERVICE_1, "extensions"), text);
    let before = list();
    let all = shown(&before, SERVICE_1, "extensions");
    let kept = all.lines().last().unwrap().to_owned();
    assert!(kept.starts_with("kept "), "{all}");
    let mut after = before.clone();
    let fields = Fields::from([("extensions".to_owned(), kept)]);
    apply(&mut after, SERVICE_1, &fields).unwrap();
    let extensions = |list: &TrustedList| list.providers[0].services[0].extensions.clone();
    assert_eq!(
        extensions(&after).as_slice(),
        &extensions(&before)[extensions(&before).len() - 1..]
    );
}

#[test]
fn a_provider_and_a_service_are_described_from_the_first_letter_on() {
    let list = list();
    let provider = show(&list, ListPart::Provider(1)).unwrap();
    let mut made = new_provider(&provider).unwrap();
    made.services.clone_from(&list.providers[0].services);
    assert_eq!(made, list.providers[0]);
    let mut service = show(&list, SERVICE_1).unwrap();
    service.insert("extensions".to_owned(), String::new());
    let start = list.providers[0].services[0].status_start;
    let made = new_service(&service, start).unwrap();
    assert_eq!(made.identity.public_key(), list.providers[0].services[0].identity.public_key());
    assert_eq!(made.status_start, start);
    let nothing = new_service(&Fields::new(), start).unwrap_err();
    assert!(nothing.len() >= 4, "{nothing:?}");
}
