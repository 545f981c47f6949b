//! What a command prints: results to standard output, progress and errors to standard error; for
//! people or, with `--format json`, for machines.

use std::io::{self, Write as _};

use serde_json::{Value, json};
use tenkoku_console::text::explain;
use tenkoku_domain::id::RequestId;
use tenkoku_domain::organisation::Language;
use tenkoku_domain::time::Clock as _;

use crate::clock::WallClock;
use crate::command::{Format, Global};
use crate::config::environment;
use crate::entropy::SystemEntropy;
use crate::failure::Failure;

/// How many rows of a bad file are shown; the JSON form has them all.
const ROWS_SHOWN: usize = 20;

/// What a command prints.
#[derive(Debug)]
pub(crate) struct Output {
    format: Format,
    progress: Progress,
    /// The language of words.
    pub(crate) language: Language,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    Told,
    Silent,
}

impl Output {
    pub(crate) fn of(global: &Global) -> Self {
        let progress = if global.quiet { Progress::Silent } else { Progress::Told };
        Self { format: global.format, progress, language: language(global) }
    }

    /// Whether the output is for machines.
    pub(crate) fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// Prints a result: `text` for people, `value` under its schema name for machines.
    pub(crate) fn result(&self, schema: &str, value: Value, text: impl FnOnce() -> String) {
        match self.format {
            Format::Json => {
                let mut document = json!({ "schema": format!("tenkoku.{schema}/1") });
                if let (Value::Object(all), Value::Object(more)) = (&mut document, value) {
                    all.extend(more);
                }
                self.print(&format!("{document:#}"));
            }
            Format::Human => self.print(text().trim_end()),
        }
    }

    /// Prints octets as they are: a certificate, a list.
    #[expect(clippy::unused_self, reason = "printing is the output's, whatever its form")]
    pub(crate) fn raw(&self, bytes: &[u8]) {
        // A closed pipe ends the output, not the work.
        let _ = io::stdout().write_all(bytes);
    }

    #[expect(clippy::unused_self, reason = "printing is the output's, whatever its form")]
    fn print(&self, text: &str) {
        let _ = writeln!(io::stdout(), "{text}");
    }

    /// Tells how the work goes on, to standard error.
    pub(crate) fn progress(&self, text: &str) {
        if self.progress == Progress::Told {
            let _ = writeln!(io::stderr(), "{text}");
        }
    }

    /// Prints what could not be done (UX 11).
    pub(crate) fn failure(&self, failure: &Failure) {
        let reference = reference();
        let text = match self.format {
            Format::Json => format!("{:#}", self.failure_json(failure, &reference)),
            Format::Human => self.failure_text(failure, &reference),
        };
        let _ = writeln!(io::stderr(), "{}", text.trim_end());
    }

    fn failure_text(&self, failure: &Failure, reference: &str) -> String {
        let Failure { code, facts, .. } = failure;
        let told = explain::problem(self.language, code, facts);
        let (what, why, remedy) = match &told {
            Some(told) => (told.what.as_str(), told.why.as_str(), told.remedy.as_str()),
            None => (code.as_str(), "", ""),
        };
        let mut lines = vec![format!("error[{code}]: {what}")];
        lines.extend(failure.place.as_ref().map(|place| format!("  --> {place}")));
        lines.extend(failure.rows.iter().take(ROWS_SHOWN).map(|row| {
            let told = explain::refusal(self.language, &row.refusal);
            let column = row.column.as_deref().unwrap_or("-");
            format!("   : line {}, {column}: [{}] {}", row.line, row.refusal.code, told.what)
        }));
        if failure.rows.len() > ROWS_SHOWN {
            lines.push(format!("   : … {} more", failure.rows.len() - ROWS_SHOWN));
        }
        lines.extend(failure.cause.as_ref().map(|cause| format!("   = cause: {cause}")));
        lines.push(format!("   = why: {why}"));
        lines.push(format!("   = help: {remedy}"));
        lines.push(format!("   = more: tenkoku explain {code}      reference {reference}"));
        lines.join("\n")
    }

    fn failure_json(&self, failure: &Failure, reference: &str) -> Value {
        let told = explain::problem(self.language, &failure.code, &failure.facts);
        let rows: Vec<Value> = failure
            .rows
            .iter()
            .map(|row| {
                let told = explain::refusal(self.language, &row.refusal);
                json!({
                    "line": row.line,
                    "column": row.column,
                    "code": row.refusal.code,
                    "rule": row.refusal.rule,
                    "detail": told.what,
                })
            })
            .collect();
        json!({
            "schema": "tenkoku.error/1",
            "code": failure.code,
            "title": told.as_ref().map(|told| told.title.clone()),
            "detail": told.as_ref().map(|told| told.what.clone()),
            "why": told.as_ref().map(|told| told.why.clone()),
            "help": told.as_ref().map(|told| told.remedy.clone()),
            "rule": failure.rule,
            "place": failure.place,
            "cause": failure.cause,
            "facts": failure.facts,
            "rows": rows,
            "reference": reference,
        })
    }
}

/// The reference number beside an error.
fn reference() -> String {
    let request = RequestId::new(WallClock.now(), &SystemEntropy);
    tenkoku_console::problem::reference(&request).to_owned()
}

/// The language of words: `--lang`, else the locale of the environment, else English.
fn language(global: &Global) -> Language {
    let locale = || ["LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(|name| environment(name));
    match global.lang {
        Some(lang) => lang.language(),
        None if locale().is_some_and(|locale| locale.starts_with("ja")) => Language::Ja,
        None => Language::En,
    }
}

/// Lines of two columns, the first padded.
pub(crate) fn facts(rows: &[(&str, String)]) -> String {
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let lines: Vec<_> =
        rows.iter().map(|(name, value)| format!("{name:width$}  {value}")).collect();
    lines.join("\n") + "\n"
}
