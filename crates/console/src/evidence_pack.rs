//! The readable summary of an evidence pack, in the language of its reader: one file of HTML that
//! needs nothing else.

use askama::Template;
use tenkoku_ca::evidence_pack::PackContent;
use tenkoku_domain::organisation::Language;

use crate::format;
use crate::text::Words;

/// A label and what it says.
struct Line {
    label: String,
    value: String,
}

#[derive(Template)]
#[template(path = "public/evidence_pack.html")]
struct Summary<'a> {
    w: Words,
    title: String,
    lines: Vec<Line>,
    files: Vec<&'a str>,
}

/// The summary of a pack's content.
pub fn summary(language: Language, content: &PackContent) -> String {
    let w = Words::of(language);
    let line =
        |key: &str, value: String| Line { label: w.word("evidence-pack", key).to_owned(), value };
    let certificate = &content.certificate;
    let at = |instant| format::date_time(instant);
    let mut lines = vec![
        line("organisation", content.organisation.clone()),
        line("branch", content.branch.clone()),
        line("serial", certificate.serial.to_string()),
        line("authority", content.authority.clone()),
        line("profile", w.word("admin.profile", certificate.profile.word()).to_owned()),
        line("from", at(certificate.validity.not_before)),
        line("until", at(certificate.validity.not_after)),
        line("state", w.word("fact.state", certificate.state.word()).to_owned()),
    ];
    if let Some(revocation) = certificate.state.revocation() {
        let cause = w.word("admin.cause-choice", revocation.cause.word());
        lines.push(line("since", format!("{} ({cause})", at(revocation.at))));
    }
    lines.push(line("application", content.application.id.to_string()));
    lines.push(line("applied", at(content.application.created_at)));
    lines.push(line("digest", content.application.digest.to_string()));
    for (name, count) in &content.counts {
        let count = i64::try_from(*count).unwrap_or(i64::MAX);
        lines.push(line(name, format::number(count)));
    }
    lines.push(line("made", at(content.made_at)));
    let title = w.t("evidence-pack.title").to_owned();
    let files = content.files.keys().map(String::as_str).collect();
    // A template without any condition writes what it is given.
    Summary { w, title, lines, files }.render().unwrap_or_default()
}
