//! Reading answers: our own for the lint, those of any responder for self-checks and `ocsp query`.

use tenkoku_domain::time::Timestamp;

use crate::asn1::read::{self, Reader};
use crate::asn1::{DerError, tag};
use crate::cert::{Certificate, Extension, read_extensions};
use crate::key::{PublicKey, SignatureError};
use crate::oid;
use crate::signature::SignatureAlgorithm;

/// Why an answer cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// The responder refused; the number is its OCSPResponseStatus.
    #[error("the responder refused with status {0}")]
    Unsuccessful(u8),
    /// Not the structure of an answer.
    #[error("this is not an OCSP answer: {0}")]
    Structure(#[from] DerError),
    /// Another response type than id-pkix-ocsp-basic.
    #[error("the answer is not of the basic type")]
    Type,
    /// The responder is named by its name, which RFC 9919 does not allow.
    #[error("the responder is not named by its key")]
    Responder,
}

/// The status of one certificate as an answer states it (RFC 6960, 4.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerStatus {
    /// Not revoked.
    Good,
    /// Revoked or suspended.
    Revoked {
        /// The revocation date.
        at: Timestamp,
        /// The number of the CRLReason, where one is given.
        reason: Option<u8>,
    },
    /// The responder does not know it.
    Unknown,
}

/// What an answer says about one certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerSingle {
    /// The CertID, DER.
    pub cert_id: Vec<u8>,
    /// The status.
    pub status: AnswerStatus,
    /// When the status was known to be correct.
    pub this_update: Timestamp,
    /// When newer information is there at the latest.
    pub next_update: Option<Timestamp>,
    /// The extensions.
    pub extensions: Vec<Extension>,
}

/// ResponseData (RFC 6960, 4.2.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Body {
    pub(super) responder: Vec<u8>,
    pub(super) produced_at: Timestamp,
    pub(super) singles: Vec<AnswerSingle>,
    pub(super) extensions: Vec<Extension>,
}

impl Body {
    pub(super) fn read(data: &[u8]) -> Result<Self, AnswerError> {
        let mut body = read::sequence(data)?;
        if body.next_is(tag::context(1)) {
            return Err(AnswerError::Responder);
        }
        let mut by_key = body.enter(tag::context(2))?;
        let responder = by_key.content(tag::OCTET_STRING)?.to_vec();
        by_key.finish()?;
        let produced_at = body.generalized_time()?;
        let mut list = body.enter(tag::SEQUENCE)?;
        let mut singles = Vec::new();
        while !list.is_empty() {
            singles.push(single(list.enter(tag::SEQUENCE)?)?);
        }
        let extensions = wrapped_extensions(&mut body)?;
        body.finish()?;
        Ok(Self { responder, produced_at, singles, extensions })
    }
}

fn single(mut fields: Reader<'_>) -> Result<AnswerSingle, DerError> {
    let cert_id = fields.element(tag::SEQUENCE)?.whole.to_vec();
    let status = status(&mut fields)?;
    let this_update = fields.generalized_time()?;
    let next_update = match fields.enter_optional(tag::context(0))? {
        Some(mut wrapper) => {
            let next = wrapper.generalized_time()?;
            wrapper.finish()?;
            Some(next)
        }
        None => None,
    };
    let extensions = wrapped_extensions(&mut fields)?;
    fields.finish()?;
    Ok(AnswerSingle { cert_id, status, this_update, next_update, extensions })
}

fn status(fields: &mut Reader<'_>) -> Result<AnswerStatus, DerError> {
    const WRONG: DerError = DerError::Value("a status is not good, revoked or unknown");
    const GOOD: u8 = tag::primitive(0);
    const REVOKED: u8 = tag::context(1);
    const UNKNOWN: u8 = tag::primitive(2);
    let value = fields.any()?;
    match (value.tag, value.content) {
        (GOOD, []) => Ok(AnswerStatus::Good),
        (UNKNOWN, []) => Ok(AnswerStatus::Unknown),
        (REVOKED, content) => revoked(Reader::new(content)),
        (_, _) => Err(WRONG),
    }
}

fn revoked(mut info: Reader<'_>) -> Result<AnswerStatus, DerError> {
    let at = info.generalized_time()?;
    let reason = match info.enter_optional(tag::context(0))? {
        Some(mut wrapper) => {
            let content = wrapper.content(tag::ENUMERATED)?;
            wrapper.finish()?;
            let number = <[u8; 1]>::try_from(content);
            Some(number.map_err(|_| DerError::Value("a reason is not one octet"))?[0])
        }
        None => None,
    };
    info.finish()?;
    Ok(AnswerStatus::Revoked { at, reason })
}

/// `[1] EXPLICIT Extensions OPTIONAL`.
fn wrapped_extensions(fields: &mut Reader<'_>) -> Result<Vec<Extension>, DerError> {
    let Some(mut wrapper) = fields.enter_optional(tag::context(1))? else { return Ok(Vec::new()) };
    let extensions = read_extensions(wrapper.enter(tag::SEQUENCE)?)?;
    wrapper.finish()?;
    Ok(extensions)
}

/// A successful answer, cut into its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    data: Vec<u8>,
    algorithm: Vec<u8>,
    signature: Vec<u8>,
    certificates: Vec<Certificate>,
    body: Body,
}

impl Answer {
    /// Reads an OCSPResponse, DER. The signature is not verified here.
    pub fn parse(der: &[u8]) -> Result<Self, AnswerError> {
        let mut outer = read::sequence(der)?;
        match outer.content(tag::ENUMERATED)? {
            [0] => {}
            [status] => return Err(AnswerError::Unsuccessful(*status)),
            _ => return Err(DerError::Value("the status is not one octet").into()),
        }
        let mut wrapper = outer.enter(tag::context(0))?;
        let mut bytes = wrapper.enter(tag::SEQUENCE)?;
        if bytes.oid()? != oid::OCSP_BASIC {
            return Err(AnswerError::Type);
        }
        let basic = read::sequence(bytes.content(tag::OCTET_STRING)?)?;
        bytes.finish()?;
        wrapper.finish()?;
        outer.finish()?;
        Self::basic(basic)
    }

    fn basic(mut basic: Reader<'_>) -> Result<Self, AnswerError> {
        let data = basic.element(tag::SEQUENCE)?.whole.to_vec();
        let algorithm = basic.element(tag::SEQUENCE)?.whole.to_vec();
        let signature = basic.whole_bits()?.to_vec();
        let mut certificates = Vec::new();
        if let Some(mut wrapper) = basic.enter_optional(tag::context(0))? {
            let mut list = wrapper.enter(tag::SEQUENCE)?;
            while !list.is_empty() {
                certificates.push(Certificate::parse_der(list.element(tag::SEQUENCE)?.whole)?);
            }
            wrapper.finish()?;
        }
        basic.finish()?;
        let body = Body::read(&data)?;
        Ok(Self { data, algorithm, signature, certificates, body })
    }

    /// Verifies the signature with the signer's key, which must be the responder that is named.
    pub fn verify(&self, signer: &PublicKey) -> Result<(), SignatureError> {
        if self.body.responder != signer.key_identifier() {
            return Err(SignatureError);
        }
        let algorithm = SignatureAlgorithm::parse(&self.algorithm).map_err(|_| SignatureError)?;
        signer.verify(algorithm, &self.data, &self.signature)
    }

    /// The embedded certificates.
    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    /// The SHA-1 of the responder's key.
    pub fn responder(&self) -> &[u8] {
        &self.body.responder
    }

    /// When the answer was made.
    pub const fn produced_at(&self) -> Timestamp {
        self.body.produced_at
    }

    /// What it says.
    pub fn singles(&self) -> &[AnswerSingle] {
        &self.body.singles
    }

    /// The echoed nonce.
    pub fn nonce(&self) -> Option<&[u8]> {
        let value = self.body.extensions.iter().find(|e| e.oid == oid::OCSP_NONCE)?;
        Reader::new(&value.value).content(tag::OCTET_STRING).ok()
    }

    /// The extensions of the whole answer.
    pub fn extensions(&self) -> &[Extension] {
        &self.body.extensions
    }
}
