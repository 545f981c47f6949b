//! Writing answers: BasicOCSPResponse with the responder named by its key (RFC 9919).

use tenkoku_domain::revocation::{ReasonCode, Revocation};
use tenkoku_domain::time::Timestamp;

use super::plain;
use crate::asn1::{tag, write};
use crate::cert::Certificate;
use crate::key::PublicKey;
use crate::oid;
use crate::signature::SignatureAlgorithm;

/// The status of one certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Issued and neither revoked nor suspended.
    Good,
    /// Revoked, or suspended with certificateHold.
    Revoked {
        /// The revocation date.
        at: Timestamp,
        /// The reason.
        reason: ReasonCode,
    },
    /// Never issued by this authority: answered as revoked, with the extended-revoke extension
    /// (RFC 6960, 2.2 and 4.4.8).
    NeverIssued,
    /// Nothing is known about this issuer.
    Unknown,
}

impl Status {
    /// The status of a decided revocation or suspension.
    pub const fn of(revocation: &Revocation) -> Self {
        Self::Revoked { at: revocation.at, reason: revocation.cause.reason() }
    }

    /// CertStatus (RFC 6960, 4.2.1).
    pub(super) fn encode(self) -> Vec<u8> {
        match self {
            Self::Good => write::tlv(tag::primitive(0), &[]),
            Self::Revoked { at, reason } => revoked(at, reason),
            Self::NeverIssued => revoked(Timestamp::EPOCH, ReasonCode::CertificateHold),
            Self::Unknown => write::tlv(tag::primitive(2), &[]),
        }
    }
}

fn revoked(at: Timestamp, reason: ReasonCode) -> Vec<u8> {
    let reason = write::context(0, &write::tlv(tag::ENUMERATED, &[reason.number()]));
    write::context(1, &[write::generalized_time(at), reason].concat())
}

/// The answer about one certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Single {
    /// The CertID, octet for octet as asked.
    pub cert_id: Vec<u8>,
    /// The status.
    pub status: Status,
    /// When the status was known to be correct.
    pub this_update: Timestamp,
    /// When newer information is there at the latest.
    pub next_update: Timestamp,
    /// Since when the status of expired certificates is kept (RFC 6960, 4.4.4).
    pub archive_cutoff: Option<Timestamp>,
}

impl Single {
    /// SingleResponse (RFC 6960, 4.2.1).
    fn encode(&self) -> Vec<u8> {
        let mut fields = vec![
            self.cert_id.clone(),
            self.status.encode(),
            write::generalized_time(self.this_update),
            write::context(0, &write::generalized_time(self.next_update)),
        ];
        fields.extend(self.archive_cutoff.map(|since| {
            let cutoff = plain(&oid::OCSP_ARCHIVE_CUTOFF, &write::generalized_time(since));
            write::context(1, &write::sequence(&[cutoff]))
        }));
        write::sequence(&fields)
    }
}

/// Everything decided about one answer.
#[derive(Clone, Copy, Debug)]
pub struct AnswerOrder<'a> {
    /// The certificate of the signer, which is embedded.
    pub signer: &'a Certificate,
    /// Its key.
    pub signer_key: &'a PublicKey,
    /// When the answer is made.
    pub produced_at: Timestamp,
    /// One answer for each certificate asked about.
    pub singles: &'a [Single],
    /// The nonce of the request, to be echoed.
    pub nonce: Option<&'a [u8]>,
}

impl AnswerOrder<'_> {
    /// The algorithm that the signer's key signs with.
    pub const fn signature_algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::of_issuer(self.signer_key.algorithm())
    }

    /// Whether the answer speaks of certificates that were never issued.
    pub(super) fn is_extended(&self) -> bool {
        self.singles.iter().any(|single| single.status == Status::NeverIssued)
    }
}

/// An answer before the lint. It cannot be signed; [`super::lint()`] turns it into one that can.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct AnswerDraft(pub(super) Vec<u8>);

impl AnswerDraft {
    /// Octets that claim to be a ResponseData.
    pub const fn from_der(response_data: Vec<u8>) -> Self {
        Self(response_data)
    }

    /// The octets.
    pub fn der(&self) -> &[u8] {
        &self.0
    }
}

/// Encodes an order as ResponseData (RFC 6960, 4.2.1).
pub fn draft(order: &AnswerOrder<'_>) -> AnswerDraft {
    parts(order).draft()
}

/// The fields of ResponseData, each encoded.
#[derive(Clone, Debug)]
pub(super) struct Parts {
    pub(super) responder: Vec<u8>,
    pub(super) produced_at: Vec<u8>,
    pub(super) responses: Vec<u8>,
    pub(super) extensions: Vec<Vec<u8>>,
}

impl Parts {
    pub(super) fn draft(&self) -> AnswerDraft {
        let mut fields =
            vec![self.responder.clone(), self.produced_at.clone(), self.responses.clone()];
        if !self.extensions.is_empty() {
            fields.push(write::context(1, &write::sequence(&self.extensions)));
        }
        AnswerDraft(write::sequence(&fields))
    }
}

pub(super) fn parts(order: &AnswerOrder<'_>) -> Parts {
    let singles: Vec<Vec<u8>> = order.singles.iter().map(Single::encode).collect();
    let mut extensions = Vec::new();
    extensions.extend(order.nonce.map(|n| plain(&oid::OCSP_NONCE, &write::octets(n))));
    if order.is_extended() {
        extensions.push(plain(&oid::OCSP_EXTENDED_REVOKE, &write::null()));
    }
    Parts {
        responder: write::context(2, &write::octets(&order.signer_key.key_identifier())),
        produced_at: write::generalized_time(order.produced_at),
        responses: write::sequence(&singles),
        extensions,
    }
}

/// OCSPResponse around a signed BasicOCSPResponse with the signer's certificate (RFC 6960, 4.2.1).
pub(super) fn successful(
    data: &[u8],
    algorithm: SignatureAlgorithm,
    signature: &[u8],
    signer: &[u8],
) -> Vec<u8> {
    let basic = write::sequence(&[
        data,
        &algorithm.identifier(),
        &write::bits(signature),
        &write::context(0, &write::sequence(&[signer])),
    ]);
    let bytes = write::sequence(&[write::oid(&oid::OCSP_BASIC), write::octets(&basic)]);
    write::sequence(&[write::tlv(tag::ENUMERATED, &[0]), write::context(0, &bytes)])
}
