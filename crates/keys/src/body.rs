//! What a key store signs: one of the kinds of body that passed the checks of its format.

use tenkoku_domain::id::KeyId;
use tenkoku_pki::bundle::PreparedBundle;
use tenkoku_pki::crl::LintedCrl;
use tenkoku_pki::csr::RequestBody;
use tenkoku_pki::jws::LintedDocument;
use tenkoku_pki::jws::compact::PreparedJws;
use tenkoku_pki::key::PublicKey;
use tenkoku_pki::lint::Linted;
use tenkoku_pki::ocsp::LintedAnswer;
use tenkoku_pki::signature::SignatureAlgorithm;
use tenkoku_pki::signed::Signable;
use tenkoku_tsl::algorithm::SignatureAlgorithm as ListAlgorithm;
use tenkoku_tsl::lote::PreparedLote;
use tenkoku_tsl::sign::PreparedList;

use crate::KeyError;

/// A body that passed every check of its kind, and may therefore be signed.
#[derive(Debug)]
pub enum Body<'a> {
    /// A certificate.
    Certificate(&'a Linted),
    /// A certificate revocation list.
    Crl(&'a LintedCrl),
    /// An OCSP answer.
    Answer(&'a LintedAnswer<'a>),
    /// A trusted list.
    List(&'a PreparedList),
    /// The same list in JSON.
    ListJson(&'a PreparedLote),
    /// A certification request that shows possession over a challenge.
    Request(&'a RequestBody),
    /// A bundle for another installation.
    Bundle(&'a PreparedBundle),
    /// A document for relying parties.
    Document(&'a LintedDocument),
    /// Signed JSON for others.
    Jws(&'a PreparedJws),
}

impl Body<'_> {
    /// The octets that the signature is made over.
    pub fn octets(&self) -> &[u8] {
        match self {
            Body::Certificate(body) => body.to_be_signed(),
            Body::Crl(body) => body.to_be_signed(),
            Body::Answer(body) => body.to_be_signed(),
            Body::List(body) => body.to_be_signed(),
            Body::ListJson(body) => body.to_be_signed(),
            Body::Request(body) => body.to_be_signed(),
            Body::Bundle(body) => body.to_be_signed(),
            Body::Document(body) => body.to_be_signed(),
            Body::Jws(body) => body.to_be_signed(),
        }
    }

    /// The algorithm that the body names, and that the signature must be made with.
    pub fn signature_algorithm(&self) -> SignatureAlgorithm {
        match self {
            Body::Certificate(body) => body.signature_algorithm(),
            Body::Crl(body) => body.signature_algorithm(),
            Body::Answer(body) => body.signature_algorithm(),
            Body::List(body) => of_list(body.algorithm()),
            Body::ListJson(body) => of_list(body.algorithm()),
            Body::Request(body) => body.signature_algorithm(),
            Body::Bundle(body) => body.signature_algorithm(),
            Body::Document(body) => body.signature_algorithm(),
            Body::Jws(body) => body.signature_algorithm(),
        }
    }

    /// Refuses a key other than the one that the body was checked for. A store asks this before
    /// the key moves.
    pub fn check_signer(&self, id: &KeyId, key: &PublicKey) -> Result<(), KeyError> {
        let is_signer = match self {
            Body::Certificate(body) => body.signer() == key,
            Body::Crl(body) => body.signer() == key,
            Body::Answer(body) => body.signer() == key,
            Body::List(body) => body.signer().public_key() == key.spki_der(),
            Body::ListJson(body) => body.signer().public_key() == key.spki_der(),
            Body::Request(body) => body.signer() == key,
            Body::Bundle(body) => body.signer() == key,
            Body::Document(body) => body.signer() == key,
            Body::Jws(body) => body.signer() == key,
        };
        if is_signer {
            return Ok(());
        }
        let problem = "the body was checked for another key".to_owned();
        Err(KeyError::Signing { id: id.clone(), problem })
    }
}

/// The same algorithm in the words of certificates.
const fn of_list(algorithm: ListAlgorithm) -> SignatureAlgorithm {
    match algorithm {
        ListAlgorithm::EcdsaP256Sha256 => SignatureAlgorithm::EcdsaSha256,
        ListAlgorithm::EcdsaP384Sha384 => SignatureAlgorithm::EcdsaSha384,
        ListAlgorithm::RsaSha256 => SignatureAlgorithm::RsaSha256,
        ListAlgorithm::RsaSha512 => SignatureAlgorithm::RsaSha512,
    }
}
