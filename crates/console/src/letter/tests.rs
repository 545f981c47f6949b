//! Every kind of letter says what it has to say, in both languages, and nothing that a name brings.

use tenkoku_domain::audit::ObjectRef;
use tenkoku_domain::incident::IncidentKind;
use tenkoku_domain::notice::{Delivery, Recipient};
use tenkoku_domain::organisation::Language;

use super::*;

const NOW: Timestamp = Timestamp::from_seconds(1_795_371_000);

fn head() -> Letterhead {
    Letterhead {
        operator: "見本認証局".to_owned(),
        console: "https://console.example.jp".to_owned(),
        evaluation: true,
    }
}

fn notice(kind: NoticeKind, step: Step, name: &str) -> Notice {
    let object = ObjectRef::new("certificate", "cer_00000000000000000000000001");
    let matter = Matter::new(kind, object, None)
        .with("name", name)
        .with("serial", "4F00A1")
        .with("code", "seal-l2-g1")
        .with("cause", "key-exposed")
        .with("because", "copy-suspected")
        .with("signal", "counter-jump")
        .with("incident", "foreign-key")
        .with("problem", "stale")
        .with("date", NOW.plus_days(14));
    Notice {
        number: 7,
        matter,
        step,
        recipient: Recipient::Operator,
        due_at: NOW,
        attempts: 0,
        delivery: Delivery::Waiting { next_at: NOW, problem: None },
    }
}

#[test]
fn every_kind_of_letter_is_whole_in_both_languages() {
    for language in [Language::Ja, Language::En] {
        for kind in NoticeKind::ALL {
            for step in [Step::Begun, Step::After(3)] {
                let said =
                    write(Words::of(language), &head(), &notice(*kind, step, "大阪支店"), NOW);
                let Written { subject, text, html } = said.unwrap();
                for part in [&subject, &text, &html] {
                    assert!(!part.contains(['{', '}']), "{kind}: {part}");
                    assert!(!part.contains("letter."), "{kind}: {part}");
                }
                assert!(!subject.contains('\n'), "{subject}");
                assert_eq!(text.matches("://").count(), 1, "one link: {text}");
                assert_eq!(html.matches("<a ").count(), 1, "one link: {html}");
                assert!(text.contains("見本認証局") && html.contains("見本認証局"));
            }
        }
    }
}

#[test]
fn km_10_a_letter_tells_of_the_platform_s_own_device_and_of_no_second_hand() {
    let mut notice = notice(NoticeKind::DuplicateKey, Step::At(NOW), "");
    notice.matter = notice.matter.with("incident", IncidentKind::WrongAttributes);
    let said = write(Words::of(Language::En), &head(), &notice, NOW).unwrap();
    assert_eq!(said.subject, "A key could have left its device");
    assert!(said.text.contains("destroyed before it signed anything"), "{}", said.text);
    assert!(!said.text.contains(['{', '}']), "{}", said.text);
}

#[test]
fn a_letter_says_when_in_words() {
    let w = Words::of(Language::En);
    let said = |days: i64| {
        let mut notice = notice(NoticeKind::SealingEnds, Step::Before(0), "Osaka");
        notice.matter = notice.matter.with("date", NOW.plus_days(days));
        write(w, &head(), &notice, NOW).unwrap().subject
    };
    assert_eq!(said(14), "Osaka: sealing ends in 14 days");
    assert_eq!(said(1), "Osaka: sealing ends in 1 day");
    assert_eq!(said(0), "Osaka: sealing ends today");
    assert_eq!(said(-3), "Osaka: sealing ends 3 days ago");
}

#[test]
fn a_hostile_name_brings_no_markup_no_line_and_no_placeholder() {
    let name = "<script>alert(1)</script>\r\nSubject: x {serial}";
    let notice = notice(NoticeKind::CertificateRevoked, Step::At(NOW), name);
    let said = write(Words::of(Language::En), &head(), &notice, NOW).unwrap();
    assert!(!said.html.contains("<script"), "{}", said.html);
    assert!(said.subject.starts_with("<script>alert(1)</script> Subject: x {serial}: the"));
    assert!(!said.text.contains("\nSubject"), "{}", said.text);
}
