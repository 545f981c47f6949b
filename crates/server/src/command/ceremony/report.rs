//! The record of a ceremony as a page to print and sign.

use tenkoku_console::text::Words;
use tenkoku_domain::canonical::CanonicalError;
use tenkoku_domain::ceremony::record::{CeremonyRecord, Output, StepRecord};
use tenkoku_domain::ceremony::{Participant, Tick};

/// The page: complete in itself, without scripts, for A4 paper.
pub(super) fn page(record: &CeremonyRecord, w: Words) -> Result<String, CanonicalError> {
    let ceremony = &record.ceremony;
    let role = |word: &str| escape(w.word("cli-ceremony.role", word));
    let person = |p: &Participant| {
        let (role, name) = (role(p.role.word()), escape(p.person.as_str()));
        format!("<li>{role}: {name} <span class=\"line\"></span></li>\n")
    };
    let people: Vec<String> = ceremony.roles.iter().map(person).collect();
    let people = people.concat();
    let steps: String = record.steps.iter().map(|done| step(record, done, &role)).collect();
    let mark = if record.is_evaluation() { w.t("cli-ceremony.evaluation") } else { "" };
    Ok(format!(
        "<!DOCTYPE html>\n<html lang=\"{lang}\"><head><meta charset=\"utf-8\"><title>{title}</title>\n\
         <style>body{{font:11pt serif;margin:2cm}}table{{border-collapse:collapse;width:100%}}\
         td,th{{border:1px solid;padding:.3em;vertical-align:top}}code{{overflow-wrap:anywhere}}\
         .line{{display:inline-block;width:12em;border-bottom:1px solid}}</style></head><body>\n\
         <h1>{title}</h1>\n<p>{mark}</p>\n<p>{id} · {software} · {opened} – {closed}</p>\n\
         <ul>{people}</ul>\n<table>\n{steps}</table>\n<p>SHA-256 <code>{digest}</code></p>\n\
         </body></html>\n",
        lang = ceremony.language.word(),
        title = escape(&ceremony.title),
        id = ceremony.id,
        software = escape(&record.software),
        opened = record.opened_at,
        closed = record.closed_at.map(|at| at.to_string()).unwrap_or_default(),
        digest = record.digest()?,
    ))
}

fn step(record: &CeremonyRecord, done: &StepRecord, role: &impl Fn(&str) -> String) -> String {
    let script = record.ceremony.steps.iter().find(|step| step.number == done.number);
    let instruction = script.map(|step| escape(&step.instruction)).unwrap_or_default();
    let tick =
        |t: &Tick| format!("{}: {}, {}<br>", role(t.role.word()), escape(t.person.as_str()), t.at);
    let ticks = done.ticks.iter().map(tick).collect::<Vec<_>>().concat();
    let output = |o: &Output| format!("{}: <code>{}</code><br>", escape(&o.name), escape(&o.value));
    let outputs = done.outputs.iter().map(output).collect::<Vec<_>>().concat();
    let deviation = done.deviation.as_ref().map(|d| escape(&d.reason)).unwrap_or_default();
    format!(
        "<tr><th>{}</th><td>{instruction}<br><em>{deviation}</em></td><td>{ticks}</td><td>{outputs}</td></tr>\n",
        done.number
    )
}

/// Text for the inside of an element.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
