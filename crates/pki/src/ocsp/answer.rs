//! Writing answers: BasicOCSPResponse with the responder named by its key (RFC 9919).

use const_oid::ObjectIdentifier;
use tenkoku_domain::revocation::{ReasonCode, Revocation};
use tenkoku_domain::time::Timestamp;

use crate::asn1::{tag, write};
use crate::cert::Certificate;
use crate::key::PublicKey;
use crate::oid;
use crate::signature::SignatureAlgorithm;

/// What a whole answer takes beside its certificate and the answers in it, about: a place for it is
/// taken once.
const FRAME_OCTETS: usize = 256;
/// What an answer about one certificate takes, about.
const SINGLE_OCTETS: usize = 192;

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

    /// Appends CertStatus (RFC 6960, 4.2.1).
    fn push(self, out: &mut Vec<u8>) {
        match self {
            Self::Good => write::push_tlv(out, tag::primitive(0), &[]),
            Self::Revoked { at, reason } => push_revoked(out, at, reason),
            Self::NeverIssued => push_revoked(out, Timestamp::EPOCH, ReasonCode::CertificateHold),
            Self::Unknown => write::push_tlv(out, tag::primitive(2), &[]),
        }
    }
}

fn push_revoked(out: &mut Vec<u8>, at: Timestamp, reason: ReasonCode) {
    write::nest(out, tag::context(1), |out| {
        write::push_generalized_time(out, at);
        write::nest(out, tag::context(0), |out| {
            write::push_tlv(out, tag::ENUMERATED, &[reason.number()]);
        });
    });
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
    /// Appends SingleResponse (RFC 6960, 4.2.1).
    fn push(&self, out: &mut Vec<u8>) {
        write::nest(out, tag::SEQUENCE, |out| {
            out.extend_from_slice(&self.cert_id);
            self.status.push(out);
            write::push_generalized_time(out, self.this_update);
            write::nest(out, tag::context(0), |out| {
                write::push_generalized_time(out, self.next_update);
            });
            if let Some(since) = self.archive_cutoff {
                push_extensions(out, |out| {
                    push_extension(out, &oid::OCSP_ARCHIVE_CUTOFF, |out| {
                        write::push_generalized_time(out, since);
                    });
                });
            }
        });
    }
}

/// Who signs answers: a certificate with its key, and what of them stands in every answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerSigner {
    certificate: Certificate,
    key: PublicKey,
    identifier: [u8; 20],
    algorithm: SignatureAlgorithm,
    algorithm_der: Vec<u8>,
}

impl AnswerSigner {
    /// The signer with this certificate, which is embedded in answers, and this key. That they belong
    /// together is the lint's matter.
    pub fn new(certificate: Certificate, key: PublicKey) -> Self {
        let algorithm = SignatureAlgorithm::of_issuer(key.algorithm());
        let (identifier, algorithm_der) = (key.key_identifier(), algorithm.identifier());
        Self { certificate, key, identifier, algorithm, algorithm_der }
    }

    /// Its certificate.
    pub const fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Its key.
    pub const fn key(&self) -> &PublicKey {
        &self.key
    }

    /// SHA-1 of the key: the responder's name (RFC 6960, 4.2.1).
    pub(super) const fn identifier(&self) -> &[u8; 20] {
        &self.identifier
    }

    /// The algorithm that its key signs with.
    pub(super) const fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }
}

/// Everything decided about one answer.
#[derive(Clone, Copy, Debug)]
pub struct AnswerOrder<'a> {
    /// Who signs it.
    pub signer: &'a AnswerSigner,
    /// When the answer is made.
    pub produced_at: Timestamp,
    /// One answer for each certificate asked about.
    pub singles: &'a [Single],
    /// The nonce of the request, to be echoed.
    pub nonce: Option<&'a [u8]>,
}

impl AnswerOrder<'_> {
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
    let mut out = Vec::with_capacity(FRAME_OCTETS + order.singles.len() * SINGLE_OCTETS);
    write::nest(&mut out, tag::SEQUENCE, |out| {
        write::nest(out, tag::context(2), |out| {
            write::push_tlv(out, tag::OCTET_STRING, order.signer.identifier());
        });
        write::push_generalized_time(out, order.produced_at);
        write::nest(out, tag::SEQUENCE, |out| {
            order.singles.iter().for_each(|single| single.push(out));
        });
        if order.nonce.is_some() || order.is_extended() {
            push_extensions(out, |out| {
                if let Some(nonce) = order.nonce {
                    push_extension(out, &oid::OCSP_NONCE, |out| {
                        write::push_tlv(out, tag::OCTET_STRING, nonce);
                    });
                }
                if order.is_extended() {
                    push_extension(out, &oid::OCSP_EXTENDED_REVOKE, |out| {
                        write::push_tlv(out, tag::NULL, &[]);
                    });
                }
            });
        }
    });
    AnswerDraft(out)
}

/// `[1] EXPLICIT Extensions`.
fn push_extensions(out: &mut Vec<u8>, fill: impl FnOnce(&mut Vec<u8>)) {
    write::nest(out, tag::context(1), |out| write::nest(out, tag::SEQUENCE, fill));
}

/// An extension that is not critical.
fn push_extension(out: &mut Vec<u8>, oid: &ObjectIdentifier, value: impl FnOnce(&mut Vec<u8>)) {
    write::nest(out, tag::SEQUENCE, |out| {
        write::push_tlv(out, tag::OID, oid.as_bytes());
        write::nest(out, tag::OCTET_STRING, value);
    });
}

/// OCSPResponse around a signed BasicOCSPResponse with the signer's certificate (RFC 6960, 4.2.1).
pub(super) fn successful(data: &[u8], signer: &AnswerSigner, signature: &[u8]) -> Vec<u8> {
    let certificate = signer.certificate.der();
    let length = data.len() + signature.len() + certificate.len() + FRAME_OCTETS;
    let mut out = Vec::with_capacity(length);
    write::nest(&mut out, tag::SEQUENCE, |out| {
        write::push_tlv(out, tag::ENUMERATED, &[0]);
        write::nest(out, tag::context(0), |out| {
            write::nest(out, tag::SEQUENCE, |out| {
                write::push_tlv(out, tag::OID, oid::OCSP_BASIC.as_bytes());
                write::nest(out, tag::OCTET_STRING, |out| {
                    write::nest(out, tag::SEQUENCE, |out| {
                        out.extend_from_slice(data);
                        out.extend_from_slice(&signer.algorithm_der);
                        write::nest(out, tag::BIT_STRING, |out| {
                            out.push(0);
                            out.extend_from_slice(signature);
                        });
                        write::nest(out, tag::context(0), |out| {
                            write::push_tlv(out, tag::SEQUENCE, certificate);
                        });
                    });
                });
            });
        });
    });
    out
}
