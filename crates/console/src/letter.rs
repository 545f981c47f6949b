//! The words of a letter: subject, text and HTML of one notice, in the language of its reader.
//!
//! The three parts of every message (UX 11), and one link, to the page of the object; a link never
//! decides anything. Deliberately not here: addresses, and how letters travel.

use askama::Template;
use tenkoku_domain::notice::{Matter, Notice, NoticeKind, Step};
use tenkoku_domain::time::Timestamp;
use tenkoku_mail::one_line;

use crate::format;
use crate::text::{Said, Words};

/// Characters of a fact at most: names come from outside.
const MOST_FACT: usize = 200;

/// Who writes, and where the reader goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letterhead {
    /// The operator's name.
    pub operator: String,
    /// The console's address, without a slash at its end.
    pub console: String,
    /// Whether everything is marked as an evaluation.
    pub evaluation: bool,
}

/// A letter in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Subject.
    pub subject: String,
    /// The body as plain text.
    pub text: String,
    /// The body as HTML.
    pub html: String,
}

#[derive(Template)]
#[template(path = "mail/notice.txt")]
struct TextLetter<'a> {
    w: Words,
    subject: &'a str,
    what: &'a str,
    why: &'a str,
    remedy: &'a str,
    link: &'a str,
    operator: &'a str,
    evaluation: &'a str,
}

#[derive(Template)]
#[template(path = "mail/notice.html")]
struct HtmlLetter<'a> {
    w: Words,
    subject: &'a str,
    what: &'a str,
    why: &'a str,
    remedy: &'a str,
    link: &'a str,
    operator: &'a str,
    evaluation: &'a str,
}

/// Writes the letter of a notice.
pub fn write(
    w: Words,
    head: &Letterhead,
    notice: &Notice,
    now: Timestamp,
) -> Result<Written, askama::Error> {
    let matter = &notice.matter;
    let link = format!("{}{}", head.console, path(matter));
    let say = |part: &str| fill(w, topic(notice), part, matter, now);
    compose(w, head, [&say("subject"), &say("what"), &say("why"), &say("do")], &link)
}

/// Writes a letter that only shows that letters arrive.
pub fn write_test(w: Words, head: &Letterhead) -> Result<Written, askama::Error> {
    let say = |part: &str| w.word("letter.topic.test", part).to_owned();
    let link = format!("{}/console", head.console);
    compose(w, head, [&say("subject"), &say("what"), &say("why"), &say("do")], &link)
}

fn compose(
    w: Words,
    head: &Letterhead,
    [subject, what, why, remedy]: [&str; 4],
    link: &str,
) -> Result<Written, askama::Error> {
    let operator = head.operator.as_str();
    let evaluation = if head.evaluation { w.t("letter.evaluation") } else { "" };
    let text = TextLetter { w, subject, what, why, remedy, link, operator, evaluation }.render()?;
    let html = HtmlLetter { w, subject, what, why, remedy, link, operator, evaluation }.render()?;
    Ok(Written { subject: subject.to_owned(), text: format!("{}\n", text.trim_end()), html })
}

/// The texts of a notice: by its kind, and by what makes it another matter to the reader.
fn topic(notice: &Notice) -> &'static str {
    match notice.matter.kind {
        NoticeKind::DestructionDue => match notice.step {
            Step::After(_) => "destruction-overdue",
            Step::At(_) | Step::Begun | Step::Before(_) => "destruction-due",
        },
        NoticeKind::ApplicationWaiting => {
            match notice.matter.facts.get("state").map(String::as_str) {
                Some("key-proof") => "application-key",
                Some(_) | None => "application-waiting",
            }
        }
        NoticeKind::DuplicateKey => match notice.matter.facts.get("incident").map(String::as_str) {
            Some("wrong-attributes") => "wrong-attributes",
            Some(_) | None => "duplicate-key",
        },
        NoticeKind::SealingEnds
        | NoticeKind::CertificateEnds
        | NoticeKind::GrantEnds
        | NoticeKind::ProofingFailed
        | NoticeKind::RegisterMismatch
        | NoticeKind::CopySuspected
        | NoticeKind::CertificateRevoked
        | NoticeKind::CertificateSuspended
        | NoticeKind::CertificateReleased
        | NoticeKind::CrlEnds
        | NoticeKind::OcspSignerEnds
        | NoticeKind::ListEnds
        | NoticeKind::ListTroubled
        | NoticeKind::AuthorityEnds => notice.matter.kind.word(),
    }
}

fn fill(w: Words, topic: &str, part: &str, matter: &Matter, now: Timestamp) -> String {
    let text = w.word("letter.topic", &format!("{topic}.{part}")).to_owned();
    let facts = matter.facts.iter().fold(Said::of(&text), |said, (name, value)| {
        let value = match (name.as_str(), Timestamp::parse(value)) {
            ("date", Some(date)) => {
                return said
                    .with("date", format::long_date_time(w, date))
                    .with("when", when(w, now, date));
            }
            ("cause", _) => w.word("seal.cause", value).to_owned(),
            ("because", _) => w.word("letter.hold", value).to_owned(),
            ("signal", _) => w.word("letter.signal", value).to_owned(),
            ("incident", _) => w.word("letter.incident", value).to_owned(),
            ("problem", _) => w.word("list-problem", value).to_owned(),
            _ => one_line(value, MOST_FACT),
        };
        said.with(name, value)
    });
    facts.text()
}

/// How far away a date is, for a person: "in 14 days", "today", "3 days ago".
fn when(w: Words, now: Timestamp, date: Timestamp) -> String {
    if format::date(now) == format::date(date) {
        return w.t("letter.today").to_owned();
    }
    match now.seconds().abs_diff(date.seconds()).div_ceil(86_400) {
        days if date > now => w.count("letter.ahead", i64::try_from(days).unwrap_or(i64::MAX)),
        days => w.count("letter.past", i64::try_from(days).unwrap_or(i64::MAX)),
    }
    .text()
}

/// The page of the object, on the console.
fn path(matter: &Matter) -> String {
    let fact = |name: &str| matter.facts.get(name).map_or("", String::as_str);
    let id = matter.object.id.split('/').next().unwrap_or_default();
    match matter.object.kind.as_str() {
        "certificate" => format!("/console/certificates/{}", fact("serial")),
        "key" => format!("/console/keys/{id}"),
        "application" => format!("/console/applications/{id}"),
        "organisation" => format!("/console/organisations/{id}"),
        "authority" | "crl" | "ocsp-signer" => format!("/console/authorities/{}", fact("code")),
        "list" | "followed-list" => "/console/lists".to_owned(),
        "incident" => "/console/keys".to_owned(),
        _ => "/console".to_owned(),
    }
}

#[cfg(test)]
mod tests;
