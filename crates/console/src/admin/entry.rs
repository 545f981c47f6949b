//! A form that records one thing: its fields, choices and files are a list, so that every such page
//! is laid out, filled in again and corrected in the same way.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;
use tenkoku_ca::act::ActError;
use tenkoku_domain::refusal::Refusal;

use super::views::{html, html_with};
use crate::granted::Visit;
use crate::layout::{AdminFrame, Crumb, FieldError};
use crate::problem::Problem;
use crate::text::{Words, explain};

/// What is entered, by the name of the field.
pub(super) type Entered = BTreeMap<String, String>;

/// How something is entered.
pub(super) enum Input {
    /// One line; the type that a browser gives it.
    Line(&'static str),
    /// One of these: value and label.
    Choice(Vec<(String, String)>),
    /// A file of these kinds.
    File(&'static str),
}

/// Something to enter.
pub(super) struct Field {
    pub(super) id: &'static str,
    pub(super) label: &'static str,
    pub(super) hint: &'static str,
    pub(super) input: Input,
}

impl Field {
    /// A field without a hint.
    pub(super) const fn new(id: &'static str, label: &'static str, input: Input) -> Self {
        Self { id, label, hint: "", input }
    }

    /// The same with a hint.
    pub(super) fn with_hint(self, hint: &'static str) -> Self {
        Self { hint, ..self }
    }
}

/// What a form asks for, and where it is sent.
pub(super) struct Entry {
    pub(super) title: &'static str,
    pub(super) intro: String,
    pub(super) crumbs: Vec<Crumb>,
    pub(super) action: String,
    pub(super) fields: Vec<Field>,
    pub(super) button: &'static str,
}

#[derive(Template)]
#[template(path = "admin/entry.html")]
pub(super) struct EntryPage {
    pub(super) w: Words,
    pub(super) frame: AdminFrame,
    pub(super) errors: Vec<FieldError>,
    pub(super) entry: Entry,
    pub(super) entered: Entered,
}

impl EntryPage {
    fn value(&self, field: &str) -> &str {
        self.entered.get(field).map_or("", String::as_str)
    }

    fn has_files(&self) -> bool {
        let is_file = |field: &Field| matches!(field.input, Input::File(_));
        self.entry.fields.iter().any(is_file)
    }
}

impl Entry {
    fn page(self, visit: &Visit, entered: Entered, errors: Vec<FieldError>) -> EntryPage {
        let mut crumbs = self.crumbs.clone();
        crumbs.push(Crumb::here(self.title));
        let mut frame = visit.frame(self.title, crumbs);
        frame.has_errors = !errors.is_empty();
        EntryPage { w: visit.words, frame, errors, entry: self, entered }
    }

    /// The form, with what is likely filled in.
    pub(super) fn show(self, visit: &Visit, entered: Entered) -> Result<HttpResponse, Problem> {
        html(&self.page(visit, entered, Vec::new()))
    }

    /// The form with what was entered and what is to be corrected.
    pub(super) fn correct(
        self,
        visit: &Visit,
        errors: Vec<FieldError>,
    ) -> Result<HttpResponse, Problem> {
        let entered = visit.fields().texts()?;
        html_with(StatusCode::UNPROCESSABLE_ENTITY, &self.page(visit, entered, errors))
    }
}

/// What a rule says about a field.
pub(super) fn refused(w: Words, field: &str, refusal: &Refusal) -> FieldError {
    let told = explain::refusal(w.language(), refusal);
    let text = format!("{} {}", told.what, told.remedy).trim().to_owned();
    FieldError { field: field.to_owned(), text }
}

/// Tells a refusal, which the form shows, from what went wrong otherwise.
pub(super) fn refusable<T>(done: Result<T, ActError>) -> Result<Result<T, Refusal>, ActError> {
    match done {
        Err(ActError::Refused(refusal)) => Ok(Err(refusal)),
        other => other.map(Ok),
    }
}
