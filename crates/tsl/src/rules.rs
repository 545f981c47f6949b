//! Checks a whole list before it is signed, clause by clause, and says in sentences what is wrong.
//!
//! [`lint`] is the only way to a [`LintedList`], and only a linted list can be signed.
//! [`succession`] compares a list with the one published before it.
//! Deliberately not in this module: what the types of [`crate::model`] already make impossible.

use std::fmt;

use thiserror::Error;

use crate::certificate::Certificate;
use crate::model::{Service, TrustedList};
use tenkoku_domain::time::Timestamp;

mod extension;
mod known;
mod names;
mod pointer;
mod provider;
mod scheme;
mod service;
mod signer;
mod successor;

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
    /// How much it weighs.
    pub weight: Weight,
    /// The clause of TS 119 612 that it offends.
    pub clause: &'static str,
    /// What is wrong, in a plain sentence that names the place.
    pub sentence: String,
}

impl Finding {
    fn refused(clause: &'static str, sentence: impl Into<String>) -> Self {
        Self { weight: Weight::Refused, clause, sentence: capitalised(sentence.into()) }
    }

    fn advised(clause: &'static str, sentence: impl Into<String>) -> Self {
        Self { weight: Weight::Advised, clause, sentence: capitalised(sentence.into()) }
    }
}

fn capitalised(mut sentence: String) -> String {
    if let Some(first) = sentence.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    sentence
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (clause {})", self.sentence, self.clause)
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
        findings(&list).into_iter().partition(|finding| finding.weight == Weight::Refused);
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

/// Whether both are one service: the key, and the type in some state; without a key, the name.
pub fn is_same_service(service: &Service, former: &Service) -> bool {
    successor::is_same(service, former)
}
