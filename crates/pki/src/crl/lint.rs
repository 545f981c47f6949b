//! The lint of a CRL before it is signed: read back from its octets and compared with the order.

use std::collections::HashSet;

use super::read::Body;
use super::{CrlDraft, CrlOrder, EncodedEntry};
use crate::asn1::write;
use crate::key::PublicKey;
use crate::lint::fields::date_form;
use crate::lint::{LintFailed, Rule, apply, demand, single};
use crate::oid;
use crate::signature::SignatureAlgorithm;
use crate::signed::{self, AssembleError, Signable, sealed};

struct Case<'a> {
    order: &'a CrlOrder<'a>,
    body: &'a Body,
}

/// The rules of this page.
fn rules<'a>() -> Vec<Rule<Case<'a>>> {
    vec![
        Rule { name: "version", clause: "RFC 5280, 5.1.2.1", check: version },
        Rule { name: "algorithm", clause: "RFC 5280, 5.1.2.2", check: algorithm },
        Rule { name: "issuer-name", clause: "RFC 5280, 5.1.2.3", check: issuer_name },
        Rule { name: "dates-ordered", clause: "DOMAIN 13", check: dates_ordered },
        Rule { name: "dates-form", clause: "RFC 5280, 5.1.2.4", check: dates_form },
        Rule { name: "next-update", clause: "RFC 5280, 5.1.2.5", check: next_update },
        Rule { name: "number-rising", clause: "RFC 5280, 5.2.3", check: number_rising },
        Rule { name: "extensions", clause: "RFC 5280, 5.2", check: extensions },
        Rule { name: "entries-ordered", clause: "DOMAIN 14", check: entries_ordered },
        Rule { name: "entries-present", clause: "RFC 5280, 5.1.2.6", check: entries_present },
        Rule { name: "entries-readable", clause: "RFC 5280, 5.3", check: entries_readable },
        Rule { name: "entries-once", clause: "RFC 5280, 5.1.2.6", check: entries_once },
        Rule { name: "entries-past", clause: "RFC 5280, 5.1.2.6", check: entries_past },
    ]
}

/// The body of a CRL that passed every rule. Only [`lint()`] makes one; assembling consumes it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct LintedCrl {
    tbs: Vec<u8>,
    algorithm: SignatureAlgorithm,
    issuer: PublicKey,
}

impl sealed::Sealed for LintedCrl {}

impl Signable for LintedCrl {
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

impl LintedCrl {
    /// Verifies the signature that came back with the issuer's key and gives the CRL, DER.
    pub fn assemble(self, signature: &[u8]) -> Result<Vec<u8>, AssembleError> {
        signed::assemble(&self, signature)
    }
}

/// Checks a draft against its order.
pub fn lint(draft: CrlDraft, order: &CrlOrder<'_>) -> Result<LintedCrl, LintFailed> {
    let body =
        Body::read(draft.der()).map_err(|e| single("decodable", "RFC 5280, 5.1", e.to_string()))?;
    apply(&rules(), &Case { order, body: &body })?;
    let (algorithm, issuer) = (order.signature_algorithm(), order.issuer.key.clone());
    Ok(LintedCrl { tbs: draft.0, algorithm, issuer })
}

fn version(case: &Case<'_>) -> Result<(), String> {
    demand(case.body.version == [1], "the version is not 2")
}

fn algorithm(case: &Case<'_>) -> Result<(), String> {
    let demanded = case.order.signature_algorithm().identifier();
    demand(case.body.algorithm == demanded, "the algorithm is not that of the issuer's key")
}

fn issuer_name(case: &Case<'_>) -> Result<(), String> {
    demand(
        case.body.issuer == case.order.issuer.name,
        "the issuer's name differs from the subject of its certificate",
    )
}

fn dates_ordered(case: &Case<'_>) -> Result<(), String> {
    let found = [case.body.this_update, case.body.next_update];
    let demanded = [case.order.this_update.floor(), case.order.next_update.floor()];
    demand(found == demanded, "the dates are not the ordered ones")
}

fn dates_form(case: &Case<'_>) -> Result<(), String> {
    let [first, second] = case.body.date_tags;
    date_form(case.body.this_update, first)?;
    date_form(case.body.next_update, second)
}

fn next_update(case: &Case<'_>) -> Result<(), String> {
    demand(case.body.this_update < case.body.next_update, "nextUpdate is not after thisUpdate")
}

fn number_rising(case: &Case<'_>) -> Result<(), String> {
    let CrlOrder { number, previous, .. } = *case.order;
    demand(
        previous.is_none_or(|previous| number > previous) && number > 0,
        format!("{number} does not follow {}", previous.unwrap_or(0)),
    )
}

/// Exactly authorityKeyIdentifier, cRLNumber and, where ordered, ExpiredCertsOnCRL, octet for octet
/// and none of them critical.
fn extensions(case: &Case<'_>) -> Result<(), String> {
    let identifier = case.order.issuer.key.key_identifier();
    let mut demanded = vec![
        (oid::AUTHORITY_KEY_IDENTIFIER, [&[0x30, 0x16, 0x80, 0x14][..], &identifier].concat()),
        (oid::CRL_NUMBER, write::unsigned(&case.order.number.to_be_bytes())),
    ];
    demanded.extend(
        case.order
            .expired_since
            .map(|since| (oid::EXPIRED_CERTS_ON_CRL, write::generalized_time(since))),
    );
    let plain = case.body.extensions.iter().all(|e| !e.critical);
    let found = case.body.extensions.iter().map(|e| (e.oid, e.value.clone()));
    demand(plain && found.eq(demanded), "the extensions are not the ordered ones")
}

fn entries_ordered(case: &Case<'_>) -> Result<(), String> {
    let found = case.body.entries.as_deref().unwrap_or_default();
    let demanded = case.order.entries.iter().flat_map(EncodedEntry::der);
    demand(found.iter().eq(demanded), "the entries are not the ordered ones")
}

/// A list without entries has no revokedCertificates at all.
fn entries_present(case: &Case<'_>) -> Result<(), String> {
    let empty = case.body.entries.as_ref().is_some_and(Vec::is_empty);
    demand(!empty, "revokedCertificates is there and empty")
}

fn entries_readable(case: &Case<'_>) -> Result<(), String> {
    for entry in case.body.entries() {
        let entry = entry.map_err(|e| e.to_string())?;
        demand(entry.reason.is_some(), format!("{} has no reason", entry.serial))?;
    }
    Ok(())
}

fn entries_once(case: &Case<'_>) -> Result<(), String> {
    let mut seen = HashSet::new();
    for entry in case.body.entries().flatten() {
        let twice = format!("{} stands twice", entry.serial);
        demand(seen.insert(entry.serial), twice)?;
    }
    Ok(())
}

fn entries_past(case: &Case<'_>) -> Result<(), String> {
    for entry in case.body.entries().flatten() {
        let future = format!("{} is revoked after thisUpdate", entry.serial);
        demand(entry.at <= case.body.this_update, future)?;
    }
    Ok(())
}

#[cfg(test)]
pub(super) fn rule_names() -> Vec<&'static str> {
    rules().iter().map(|rule| rule.name).collect()
}
