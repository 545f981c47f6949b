//! The certificate profiles of DOMAIN 12: from an order to a body, octet for octet.
//!
//! An [`Order`] holds everything that was decided; [`draft`] only encodes it, and the lint compares
//! the two. Later profiles are new variants of [`Content`]. Not here: policy constraints, logotypes,
//! LEI, short-lived variants.

use tenkoku_domain::certificate::{Profile, Serial, Validity};
use tenkoku_domain::identifier::OrganizationIdentifier;
use tenkoku_domain::level::Level;

use crate::asn1::{tag, write};
use crate::key::PublicKey;
use crate::name::DistinguishedName;
use crate::oid;
use crate::policy::PolicyArc;
use crate::qc::{Claim, Semantics};
use crate::signature::SignatureAlgorithm;
use crate::tbs::{Draft, Parts};
use crate::uri::HttpUri;

mod extension;

/// The authority that signs: what of its own certificate enters the ones it issues.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer {
    /// Its subject, octet for octet as in its certificate.
    pub name: DistinguishedName,
    /// Its key.
    pub key: PublicKey,
    /// Its validity (I-8).
    pub validity: Validity,
}

/// Where an issuer's certificate and CRL lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    /// The issuer's certificate, DER.
    pub certificate: HttpUri,
    /// The issuer's full CRL.
    pub crl: HttpUri,
}

/// What differs between the profiles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A root authority.
    Root,
    /// An issuing authority of one level.
    Issuing {
        /// The level it serves.
        level: Level,
        /// The operator's policies.
        arc: PolicyArc,
        /// The issuer's repository.
        repository: Repository,
    },
    /// A seal.
    Seal {
        /// The level of the seal.
        level: Level,
        /// The subject in Latin script, where recorded.
        latin: Option<DistinguishedName>,
        /// What is claimed; only level 3 may claim anything.
        claim: Claim,
        /// The operator's policies.
        arc: PolicyArc,
        /// The issuer's repository.
        repository: Repository,
        /// The issuer's OCSP service.
        ocsp: HttpUri,
    },
    /// A signer of OCSP answers.
    OcspSigner,
    /// A signer of trusted lists.
    ListSigner {
        /// The operator's policies.
        arc: PolicyArc,
        /// The issuer's repository.
        repository: Repository,
    },
}

impl Content {
    /// The profile.
    pub const fn profile(&self) -> Profile {
        match self {
            Self::Root => Profile::Root,
            Self::Issuing { .. } => Profile::Issuing,
            Self::Seal { level, .. } => Profile::seal(*level),
            Self::OcspSigner => Profile::OcspSigner,
            Self::ListSigner { .. } => Profile::ListSigner,
        }
    }
}

/// Everything decided about one certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Its serial number.
    pub serial: Serial,
    /// Its validity, both ends included.
    pub validity: Validity,
    /// Its subject.
    pub subject: DistinguishedName,
    /// The certified key.
    pub key: PublicKey,
    /// Who signs.
    pub issuer: Issuer,
    /// The profile and what belongs to it.
    pub content: Content,
}

impl Order {
    /// The order of a root, which is its own issuer.
    pub fn root(
        serial: Serial,
        validity: Validity,
        subject: DistinguishedName,
        key: PublicKey,
    ) -> Self {
        let issuer = Issuer { name: subject.clone(), key: key.clone(), validity };
        Self { serial, validity, subject, key, issuer, content: Content::Root }
    }

    /// The algorithm that the issuer's key signs with.
    pub const fn signature_algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::of_issuer(self.issuer.key.algorithm())
    }
}

/// The longest validity of a profile, in days (DOMAIN 12.3 to 12.5).
pub const fn max_days(profile: Profile) -> i64 {
    match profile {
        Profile::Root => 7300,
        Profile::Issuing => 3650,
        Profile::Seal1 => 1095,
        Profile::Seal2 | Profile::Seal3 => 825,
        Profile::OcspSigner => 30,
        Profile::ListSigner => 730,
    }
}

/// Encodes an order as a body.
pub fn draft(order: &Order) -> Draft {
    parts(order).draft()
}

pub(crate) fn parts(order: &Order) -> Parts {
    let Validity { not_before, not_after } = order.validity;
    Parts {
        version: write::context(0, &write::unsigned(&[2])),
        serial: write::unsigned(order.serial.octets()),
        algorithm: order.signature_algorithm().identifier(),
        issuer: order.issuer.name.der().to_vec(),
        validity: write::sequence(&[write::time(not_before), write::time(not_after)]),
        subject: order.subject.der().to_vec(),
        spki: order.key.spki_der().to_vec(),
        extensions: extensions(order),
    }
}

fn extensions(order: &Order) -> Vec<Vec<u8>> {
    let ski = extension::subject_key_identifier(&order.key);
    let aki = extension::authority_key_identifier(&order.issuer.key);
    match &order.content {
        Content::Root => {
            vec![extension::authority(None), extension::key_usage(extension::AUTHORITY), ski]
        }
        Content::Issuing { level, arc, repository } => vec![
            extension::authority(Some(0)),
            extension::key_usage(extension::AUTHORITY),
            ski,
            aki,
            extension::policies(&extension::level_policies(arc, *level)),
            extension::information_access(repository, None),
            extension::crl_distribution(repository),
        ],
        Content::Seal { level, latin, claim, arc, repository, ocsp } => {
            let mut list = vec![
                aki,
                ski,
                extension::key_usage(extension::NON_REPUDIATION),
                extension::ext_key_usage(&oid::DOCUMENT_SIGNING),
                extension::policies(&extension::level_policies(arc, *level)),
            ];
            list.extend(latin.as_ref().map(extension::alternative_name));
            list.push(extension::information_access(repository, Some(ocsp)));
            list.push(extension::crl_distribution(repository));
            list.extend(extension::qc_statements(claim, semantics(&order.subject)));
            list
        }
        Content::OcspSigner => vec![
            aki,
            ski,
            extension::key_usage(extension::DIGITAL_SIGNATURE),
            extension::ext_key_usage(&oid::OCSP_SIGNING),
            extension::ocsp_nocheck(),
        ],
        Content::ListSigner { arc, repository } => vec![
            aki,
            ski,
            extension::key_usage(extension::NON_REPUDIATION),
            extension::ext_key_usage(&oid::TSL_SIGNING),
            extension::end_entity(),
            extension::policies(&[arc.list_signing()]),
            extension::information_access(repository, None),
            extension::crl_distribution(repository),
        ],
    }
}

/// The semantics of the subject's identifier (DOMAIN 12.6).
fn semantics(subject: &DistinguishedName) -> Semantics {
    let identifier = subject.first(oid::ORGANISATION_IDENTIFIER).unwrap_or_default();
    match OrganizationIdentifier::parse(identifier) {
        Ok(identifier) if identifier.has_semantics() => Semantics::LegalPerson,
        Ok(_) | Err(_) => Semantics::Unstated,
    }
}

/// GeneralName uniformResourceIdentifier (RFC 5280, 4.2.1.6).
fn uri(address: &HttpUri) -> Vec<u8> {
    write::tlv(tag::primitive(6), address.as_str().as_bytes())
}
