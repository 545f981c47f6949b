//! Checks a whole list before it is signed, clause by clause, and says in sentences what is wrong.
//!
//! [`lint`] is the only way to a [`LintedList`], and only a linted list can be signed.
//! [`succession`] compares a list with the one published before it.
//! Deliberately not in this module: what the types of [`crate::model`] already make impossible, and
//! the words of other languages than English; a finding names its rule and its place, so that a
//! catalogue can say it.

use std::fmt;

use thiserror::Error;

use crate::certificate::Certificate;
use crate::diff::{Field, Place};
use crate::model::{ModelError, Service, TrustedList, Uri};
use tenkoku_domain::time::Timestamp;

mod extension;
mod known;
mod names;
mod pointer;
mod provider;
mod scheme;
mod sentence;
mod service;
mod signer;
mod successor;

pub use sentence::Rule;

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// The standard says "shall"; the list is not signed.
    Refused,
    /// The standard says "should"; the list is signed, and people are told.
    Advised,
}

/// One thing that is not as the standard wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule that is offended.
    pub rule: Rule,
    /// The clause of TS 119 612 that it comes from.
    pub clause: &'static str,
    /// Where.
    pub place: Place,
    /// What is said wrongly there, where one thing is meant.
    pub field: Option<Field>,
    /// What the sentence quotes, in its order.
    pub values: Vec<String>,
}

impl Finding {
    /// What a value was refused for, as a finding about the place where it was to stand.
    pub fn of(error: &ModelError, clause: &'static str, place: Place, field: Field) -> Self {
        let (rule, values) = Rule::of(error);
        Self { rule, clause, place, field: Some(field), values }
    }

    /// A finding about the scheme as a whole.
    pub fn of_scheme(rule: Rule, clause: &'static str, values: Vec<String>) -> Self {
        Self { rule, clause, place: Place::Scheme, field: None, values }
    }

    /// How much it weighs.
    pub const fn weight(&self) -> Weight {
        self.rule.weight()
    }

    /// What is wrong, in a plain English sentence that names the place.
    pub fn sentence(&self) -> String {
        sentence::english(self)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (clause {})", self.sentence(), self.clause)
    }
}

/// What a check looks at: a place, and what is said there.
#[derive(Clone, Copy)]
struct Spot<'p> {
    place: &'p Place,
    field: Option<Field>,
}

impl<'p> Spot<'p> {
    const fn at(place: &'p Place) -> Self {
        Self { place, field: None }
    }

    /// One thing that is said at the same place.
    const fn field(self, field: Field) -> Self {
        Self { field: Some(field), ..self }
    }

    fn finding(
        self,
        rule: Rule,
        clause: &'static str,
        values: impl IntoIterator<Item = String>,
    ) -> Finding {
        let values = values.into_iter().collect();
        Finding { rule, clause, place: self.place.clone(), field: self.field, values }
    }
}

/// A list or its signer breaks a rule that the standard makes binding.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("rules of TS 119 612 are broken: {}; the first: {}", .0.len(), first(.0))]
pub struct Broken(pub Vec<Finding>);

fn first(findings: &[Finding]) -> String {
    findings.first().map(Finding::to_string).unwrap_or_default()
}

/// A list that passed every check. Only [`lint`] makes one; signing consumes it.
#[derive(Clone, Debug)]
#[must_use]
pub struct LintedList {
    list: TrustedList,
    advice: Vec<Finding>,
}

impl LintedList {
    /// The list.
    pub fn list(&self) -> &TrustedList {
        &self.list
    }

    /// What the standard would rather have otherwise.
    pub fn advice(&self) -> &[Finding] {
        &self.advice
    }
}

/// Checks a list.
///
/// # Errors
///
/// [`Broken`] with everything that must change before the list can be signed.
pub fn lint(list: TrustedList) -> Result<LintedList, Broken> {
    let (refused, advice): (Vec<_>, Vec<_>) =
        findings(&list).into_iter().partition(|finding| finding.weight() == Weight::Refused);
    if refused.is_empty() { Ok(LintedList { list, advice }) } else { Err(Broken(refused)) }
}

/// Everything there is to say about a list, for a draft that is still being written.
pub fn findings(list: &TrustedList) -> Vec<Finding> {
    let mut findings = Vec::new();
    scheme::check(list, &mut findings);
    for provider in &list.providers {
        provider::check(provider, list, &mut findings);
    }
    service::check_keys(list, &mut findings);
    findings
}

/// Everything there is to say about a certificate that is to sign this list at that time (5.7.1).
pub fn signer_findings(list: &TrustedList, signer: &Certificate, at: Timestamp) -> Vec<Finding> {
    let mut findings = Vec::new();
    signer::check(&list.scheme, signer, at, &mut findings);
    findings
}

/// Everything there is to say about a list that follows another: number, dates, history.
pub fn succession(list: &TrustedList, before: &TrustedList) -> Vec<Finding> {
    let mut findings = Vec::new();
    successor::check(list, before, &mut findings);
    findings
}

/// Whether a status says that a service is vouched for no more: withdrawn, deprecated, expired; by
/// the end of its address, which is how schemes of their own name it too.
pub fn is_ended_status(status: &Uri) -> bool {
    let word = status.as_str().rsplit(['/', '#']).next().unwrap_or_default();
    matches!(word, "withdrawn" | "deprecatedatnationallevel" | "expired")
}

/// Whether the list has the shape that the European Union gives its lists, with its statuses.
pub fn is_european(list: &TrustedList) -> bool {
    known::ListKind::of(&list.scheme).is_european()
}

/// Whether the list points at lists and has no services of its own.
pub fn is_list_of_lists(list: &TrustedList) -> bool {
    known::ListKind::of(&list.scheme).is_list_of_lists()
}

/// The status that says the same in a list of the European Union: that a service of this type is
/// vouched for, or that it is no more (5.5.4).
pub fn european_status(kind: &Uri, is_ended: bool) -> String {
    known::european_status(kind.as_str(), is_ended)
}

/// Whether both are one service: the key, and the type in some state; without a key, the name.
pub fn is_same_service(service: &Service, former: &Service) -> bool {
    successor::is_same(service, former)
}
