//! The lint of an answer before it is signed: read back from its octets and compared with the order.

use tenkoku_domain::time::Timestamp;

use super::answer::{AnswerDraft, AnswerOrder, AnswerSigner, Single, Status, successful};
use super::read::{AnswerSingle, AnswerStatus, Body};
use crate::asn1::write;
use crate::key::PublicKey;
use crate::lint::{LintFailed, Rule, apply, demand, single};
use crate::oid;
use crate::signature::SignatureAlgorithm;
use crate::signed::{AssembleError, Signable, sealed};

/// Value of extKeyUsage with ocspSigning alone.
const PURPOSE_OCSP_SIGNING: &[u8] =
    &[0x30, 0x0A, 0x06, 0x08, 0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x09];
const NULL: &[u8] = &[0x05, 0x00];

struct Case<'a> {
    order: &'a AnswerOrder<'a>,
    body: &'a Body,
}

/// The rules of this page.
fn rules<'a>() -> Vec<Rule<Case<'a>>> {
    vec![
        Rule { name: "responder", clause: "RFC 6960, 4.2.2.3", check: responder },
        Rule { name: "signer-key", clause: "RFC 6960, 4.2.2.2", check: signer_key },
        Rule { name: "signer-purpose", clause: "DOMAIN 12.5", check: signer_purpose },
        Rule { name: "signer-validity", clause: "DOMAIN 12.5", check: signer_validity },
        Rule { name: "produced-at", clause: "RFC 6960, 4.2.2.1", check: produced_at },
        Rule { name: "count", clause: "RFC 6960, 4.2.1", check: count },
        Rule { name: "cert-ids", clause: "RFC 6960, 4.2.2.3", check: cert_ids },
        Rule { name: "statuses", clause: "DOMAIN 13", check: statuses },
        Rule { name: "dates", clause: "DOMAIN 13", check: dates },
        Rule { name: "dates-order", clause: "RFC 6960, 4.2.2.1", check: dates_order },
        Rule { name: "archive-cutoff", clause: "RFC 6960, 4.4.4", check: archive_cutoff },
        Rule { name: "extensions", clause: "RFC 6960, 4.4", check: extensions },
        Rule { name: "nonce-length", clause: "RFC 9654, 2.1", check: nonce_length },
    ]
}

/// An answer that passed every rule. Only [`lint()`] makes one; assembling consumes it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct LintedAnswer<'a> {
    data: Vec<u8>,
    signer: &'a AnswerSigner,
}

impl sealed::Sealed for LintedAnswer<'_> {}

impl Signable for LintedAnswer<'_> {
    fn to_be_signed(&self) -> &[u8] {
        &self.data
    }

    fn signature_algorithm(&self) -> SignatureAlgorithm {
        self.signer.algorithm()
    }

    fn signer(&self) -> &PublicKey {
        self.signer.key()
    }
}

impl LintedAnswer<'_> {
    /// As [`Self::assemble`] without verifying the signature, for an answer that one client alone
    /// receives and verifies at once: verifying costs three times as much as signing with P-256.
    /// What is kept and given to many goes through [`Self::assemble`].
    pub fn assemble_for_one(self, signature: &[u8]) -> Vec<u8> {
        successful(&self.data, self.signer, signature)
    }

    /// Verifies the signature that came back with the signer's key and gives the OCSPResponse, DER,
    /// with the signer's certificate in it.
    pub fn assemble(self, signature: &[u8]) -> Result<Vec<u8>, AssembleError> {
        self.signer()
            .verify(self.signature_algorithm(), &self.data, signature)
            .map_err(|_| AssembleError::Signature)?;
        Ok(successful(&self.data, self.signer, signature))
    }
}

/// Checks a draft against its order.
pub fn lint<'a>(
    draft: AnswerDraft,
    order: &AnswerOrder<'a>,
) -> Result<LintedAnswer<'a>, LintFailed> {
    let body = Body::read(draft.der())
        .map_err(|e| single("decodable", "RFC 6960, 4.2.1", e.to_string()))?;
    apply(&rules(), &Case { order, body: &body })?;
    Ok(LintedAnswer { data: draft.0, signer: order.signer })
}

/// What was ordered beside what is there.
fn pairs<'a>(case: &Case<'a>) -> impl Iterator<Item = (&'a Single, &'a AnswerSingle)> {
    case.order.singles.iter().zip(&case.body.singles)
}

fn responder(case: &Case<'_>) -> Result<(), String> {
    let demanded = case.order.signer.identifier();
    demand(case.body.responder == demanded, "the responder is not named by the signer's key")
}

fn signer_key(case: &Case<'_>) -> Result<(), String> {
    demand(
        case.order.signer.certificate().spki() == case.order.signer.key().spki_der(),
        "the embedded certificate is not that of the signer's key",
    )
}

fn signer_purpose(case: &Case<'_>) -> Result<(), String> {
    demand(
        case.order.signer.certificate().extension(oid::EXT_KEY_USAGE) == Some(PURPOSE_OCSP_SIGNING),
        "the signer's certificate is not for OCSP signing",
    )
}

fn signer_validity(case: &Case<'_>) -> Result<(), String> {
    demand(
        case.order.signer.certificate().validity().contains(case.order.produced_at),
        "the signer's certificate is not valid when the answer is made",
    )
}

fn produced_at(case: &Case<'_>) -> Result<(), String> {
    let ordered = case.order.produced_at.floor();
    demand(case.body.produced_at == ordered, "producedAt is not the ordered time")
}

fn count(case: &Case<'_>) -> Result<(), String> {
    let (found, demanded) = (case.body.singles.len(), case.order.singles.len());
    demand(found == demanded && found > 0, format!("{found} answers to {demanded} questions"))
}

fn cert_ids(case: &Case<'_>) -> Result<(), String> {
    let same = pairs(case).all(|(ordered, found)| ordered.cert_id == found.cert_id);
    demand(same, "a certificate is not named as it was asked for")
}

fn statuses(case: &Case<'_>) -> Result<(), String> {
    let same = pairs(case).all(|(ordered, found)| stated(ordered.status) == found.status);
    demand(same, "a status is not the ordered one")
}

/// How an ordered status must read; RFC 6960, 2.2 for certificates never issued.
const fn stated(status: Status) -> AnswerStatus {
    match status {
        Status::Good => AnswerStatus::Good,
        Status::Revoked { at, reason } => {
            AnswerStatus::Revoked { at: at.floor(), reason: Some(reason.number()) }
        }
        Status::NeverIssued => AnswerStatus::Revoked { at: Timestamp::EPOCH, reason: Some(6) },
        Status::Unknown => AnswerStatus::Unknown,
    }
}

fn dates(case: &Case<'_>) -> Result<(), String> {
    let same = pairs(case).all(|(ordered, found)| {
        found.this_update == ordered.this_update.floor()
            && found.next_update == Some(ordered.next_update.floor())
    });
    demand(same, "a date is not the ordered one")
}

/// thisUpdate not after producedAt, nextUpdate after thisUpdate, nothing revoked in the future.
fn dates_order(case: &Case<'_>) -> Result<(), String> {
    let sound = case.body.singles.iter().all(|single| {
        let past = match single.status {
            AnswerStatus::Revoked { at, .. } => at <= single.this_update,
            AnswerStatus::Good | AnswerStatus::Unknown => true,
        };
        let later = single.next_update.is_some_and(|next| single.this_update < next);
        past && later && single.this_update <= case.body.produced_at
    });
    demand(sound, "the dates of an answer contradict each other")
}

/// The only extension of a single answer.
fn archive_cutoff(case: &Case<'_>) -> Result<(), String> {
    let same = pairs(case).all(|(ordered, found)| {
        let demanded = ordered
            .archive_cutoff
            .map(|since| (oid::OCSP_ARCHIVE_CUTOFF, false, write::generalized_time(since)));
        let found = found.extensions.iter().map(|e| (e.oid, e.critical, e.value.clone()));
        found.eq(demanded)
    });
    demand(same, "the extensions of an answer are not the ordered ones")
}

/// The nonce where one was sent, extended-revoke where it is used, and nothing else.
fn extensions(case: &Case<'_>) -> Result<(), String> {
    let nonce = case.order.nonce.map(|nonce| (oid::OCSP_NONCE, write::octets(nonce)));
    let extended = case.order.is_extended().then(|| (oid::OCSP_EXTENDED_REVOKE, NULL.to_vec()));
    let demanded = nonce.into_iter().chain(extended).map(|(oid, value)| (oid, false, value));
    let found = case.body.extensions.iter().map(|e| (e.oid, e.critical, e.value.clone()));
    demand(found.eq(demanded), "the extensions are not the ordered ones")
}

fn nonce_length(case: &Case<'_>) -> Result<(), String> {
    let fits = case.order.nonce.is_none_or(|nonce| (1..=128).contains(&nonce.len()));
    demand(fits, "the nonce does not have 1 to 128 octets")
}

#[cfg(test)]
pub(super) fn rule_names() -> Vec<&'static str> {
    rules().iter().map(|rule| rule.name).collect()
}
