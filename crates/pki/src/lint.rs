//! The lint before issuance (DOMAIN 12.8).
//!
//! A draft is signed with a throw-away key of the issuer's type, the whole certificate is read back
//! from its octets by two readers, and every rule compares what it says with what was ordered and
//! with the profile. The rules state the fixed octets themselves and do not ask the writer.
//! Uniqueness of the serial number is not decided here: the store's unique constraint does that.

use std::fmt;

use tenkoku_domain::refusal::{Refusal, RefusalCode};

use crate::cert::Certificate;
use crate::key::PublicKey;
use crate::profile::Order;
use crate::signature::SignatureAlgorithm;
use crate::signed::{self, AssembleError, Signable, Throwaway, ThrowawaySigner, sealed};
use crate::tbs::Draft;

mod extensions;
pub(crate) mod fields;
mod oids;
mod seal;

#[cfg(test)]
pub(crate) use self::fields::allowed_keys;
mod subject;

/// Something a lint does not let through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The name of the rule; stable.
    pub rule: &'static str,
    /// The clause it comes from.
    pub clause: &'static str,
    /// What was found.
    pub detail: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.rule, self.clause, self.detail)
    }
}

/// A body that may not be signed, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the lint found {}", join(findings))]
pub struct LintFailed {
    /// What was found, at least one.
    pub findings: Vec<Finding>,
}

fn join(findings: &[Finding]) -> String {
    findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

impl LintFailed {
    /// The refusal `lint-failed`.
    pub fn refusal(&self) -> Refusal {
        Refusal::new(RefusalCode::LintFailed, "12.8").with("findings", join(&self.findings))
    }
}

/// A rule: what it is called, where it comes from, and the check, which says what is wrong.
pub(crate) struct Rule<C> {
    pub(crate) name: &'static str,
    pub(crate) clause: &'static str,
    pub(crate) check: fn(&C) -> Result<(), String>,
}

/// Applies every rule; passes only when none finds anything.
pub(crate) fn apply<C>(rules: &[Rule<C>], case: &C) -> Result<(), LintFailed> {
    let findings: Vec<Finding> = rules
        .iter()
        .filter_map(|rule| {
            let detail = (rule.check)(case).err()?;
            Some(Finding { rule: rule.name, clause: rule.clause, detail })
        })
        .collect();
    if findings.is_empty() { Ok(()) } else { Err(LintFailed { findings }) }
}

/// A failed lint with one finding.
pub(crate) fn single(rule: &'static str, clause: &'static str, detail: String) -> LintFailed {
    LintFailed { findings: vec![Finding { rule, clause, detail }] }
}

/// `Ok` where the condition holds, else the words.
pub(crate) fn demand(condition: bool, otherwise: impl fmt::Display) -> Result<(), String> {
    if condition { Ok(()) } else { Err(otherwise.to_string()) }
}

/// What the rules look at.
struct Case<'a> {
    order: &'a Order,
    certificate: &'a Certificate,
    throwaway: &'a Throwaway,
}

/// The body of a certificate that passed every rule. Only [`lint()`] makes one; assembling consumes it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Linted {
    tbs: Vec<u8>,
    algorithm: SignatureAlgorithm,
    issuer: PublicKey,
}

impl sealed::Sealed for Linted {}

impl Signable for Linted {
    fn to_be_signed(&self) -> &[u8] {
        &self.tbs
    }

    fn signature_algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    fn signer(&self) -> &PublicKey {
        &self.issuer
    }
}

impl Linted {
    /// The body, to be recorded before the key moves.
    pub fn tbs_der(&self) -> &[u8] {
        &self.tbs
    }

    /// Verifies the signature that came back with the issuer's key and gives the certificate, DER.
    pub fn assemble(self, signature: &[u8]) -> Result<Vec<u8>, AssembleError> {
        signed::assemble(&self, signature)
    }
}

/// Checks a draft against its order and its profile.
pub fn lint(
    draft: Draft,
    order: &Order,
    signer: &dyn ThrowawaySigner,
) -> Result<Linted, LintFailed> {
    let algorithm = order.signature_algorithm();
    let throwaway = signer
        .sign_throwaway(order.issuer.key.algorithm(), algorithm, draft.der())
        .map_err(|e| single("throwaway-signature", "DOMAIN 12.8", e.to_string()))?;
    let der = signed::signed(draft.der(), algorithm, &throwaway.signature);
    let certificate = Certificate::parse_der(&der)
        .map_err(|e| single("decodable", "RFC 5280, 4.1", e.to_string()))?;
    let case = Case { order, certificate: &certificate, throwaway: &throwaway };
    apply(&rules(), &case)?;
    let issuer = order.issuer.key.clone();
    Ok(Linted { tbs: draft.into_der(), algorithm, issuer })
}

fn rules<'a>() -> Vec<Rule<Case<'a>>> {
    [fields::rules(), subject::rules(), extensions::rules(), seal::rules(), oids::rules()]
        .into_iter()
        .flatten()
        .collect()
}

#[cfg(test)]
mod tests;
