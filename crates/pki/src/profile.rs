//! The certificate profiles of DOMAIN 12: from an order to a body, octet for octet.
//!
//! An [`Order`] holds everything that was decided; [`draft`] only encodes it, and the lint compares
//! the two. Later profiles are new variants of [`Content`]. Not here: policy constraints and
//! mappings, which no profile has.

use const_oid::ObjectIdentifier;
use tenkoku_domain::authority::ShardCount;
use tenkoku_domain::certificate::{Profile, Serial, Validity};
use tenkoku_domain::identifier::OrganizationIdentifier;
use tenkoku_domain::level::Level;

use crate::asn1::{tag, write};
use crate::key::PublicKey;
use crate::name::DistinguishedName;
use crate::oid;
use crate::policy::PolicyArc;
use crate::qc::{Claim, Semantics};
use crate::scope::NameScope;
use crate::seal::{Extras, KeyUsageSetting, Term};
use crate::signature::SignatureAlgorithm;
use crate::tbs::{Draft, Parts};
use crate::uri::{HttpUri, HttpsUri};

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
    /// The only names it may certify; `None` for an authority without name constraints.
    pub scope: Option<NameScope>,
}

/// Where an issuer's certificate and CRL lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    /// The issuer's certificate, DER.
    pub certificate: HttpUri,
    /// The issuer's CRL.
    pub crl: CrlPlaces,
}

/// Where an authority's CRL lies: one list of everything, or one for each shard. A certificate names
/// the one that it will be looked up in, for its whole life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrlPlaces {
    shards: ShardCount,
    addresses: Vec<HttpUri>,
}

impl CrlPlaces {
    /// One address for each list, in the order of [`ShardCount::lists`]; `None` for another number
    /// of them.
    pub fn new(shards: ShardCount, addresses: Vec<HttpUri>) -> Option<Self> {
        (u32::try_from(addresses.len()) == Ok(shards.get())).then_some(Self { shards, addresses })
    }

    /// One list of everything.
    pub fn whole(address: HttpUri) -> Self {
        Self { shards: ShardCount::ONE, addresses: vec![address] }
    }

    /// The list in which a serial number is looked up.
    pub fn of(&self, serial: &Serial) -> Option<&HttpUri> {
        let shard = usize::try_from(self.shards.shard_of(serial)).ok()?;
        self.addresses.get(shard)
    }
}

/// What differs between the profiles.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "seals are what is made most, and one at a time")]
pub enum Content {
    /// A root authority.
    Root,
    /// A policy authority: certifies issuing authorities.
    Policy {
        /// The issuer's repository.
        repository: Repository,
    },
    /// A root of one generation, certified by the root of another. Both ways are two orders.
    Cross {
        /// The validity of the certified root's own certificate; this one stays inside it.
        own: Validity,
        /// The issuer's repository.
        repository: Repository,
    },
    /// An issuing authority of one level for one organisation.
    Dedicated {
        /// The level it serves.
        level: Level,
        /// The names that it may certify.
        scope: NameScope,
        /// The operator's policies.
        arc: PolicyArc,
        /// The issuer's repository.
        repository: Repository,
    },
    /// An issuing authority of service certificates.
    ServiceAuthority {
        /// Which ones.
        service: Service,
        /// The operator's policies.
        arc: PolicyArc,
        /// The issuer's repository.
        repository: Repository,
    },
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
        /// What it may carry besides.
        extras: Extras,
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
    /// A time-stamping unit.
    TimeStamping {
        /// The operator's policies.
        arc: PolicyArc,
        /// The issuer's repository.
        repository: Repository,
    },
    /// The client certificate of an administrator.
    Administrator {
        /// The account it opens.
        account: HttpsUri,
        /// The operator's policies.
        arc: PolicyArc,
        /// The issuer's repository.
        repository: Repository,
    },
    /// A signer of the audit chain's checkpoints.
    AuditSigner {
        /// The operator's policies.
        arc: PolicyArc,
        /// The issuer's repository.
        repository: Repository,
    },
}

/// Whom a service authority issues to (DOMAIN 12.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// Time-stamping units.
    TimeStamping,
    /// Administrators and signers of the audit chain.
    Internal,
}

impl Content {
    /// The profile.
    pub const fn profile(&self) -> Profile {
        match self {
            Self::Root => Profile::Root,
            Self::Policy { .. } => Profile::Policy,
            Self::Cross { .. } => Profile::Cross,
            Self::Dedicated { .. } => Profile::Dedicated,
            Self::ServiceAuthority { service: Service::TimeStamping, .. } => {
                Profile::TimeStampingAuthority
            }
            Self::ServiceAuthority { service: Service::Internal, .. } => Profile::InternalAuthority,
            Self::Issuing { .. } => Profile::Issuing,
            Self::Seal { level, extras: Extras { term: Term::Regular, .. }, .. } => {
                Profile::seal(*level)
            }
            Self::Seal { level, extras: Extras { term: Term::Short, .. }, .. } => {
                Profile::short_seal(*level)
            }
            Self::OcspSigner => Profile::OcspSigner,
            Self::ListSigner { .. } => Profile::ListSigner,
            Self::TimeStamping { .. } => Profile::TimeStamping,
            Self::Administrator { .. } => Profile::Administrator,
            Self::AuditSigner { .. } => Profile::AuditSigner,
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
        let issuer = Issuer { name: subject.clone(), key: key.clone(), validity, scope: None };
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
        Profile::Root | Profile::Cross => 7300,
        Profile::Policy => 5475,
        Profile::Issuing
        | Profile::Dedicated
        | Profile::TimeStampingAuthority
        | Profile::InternalAuthority
        | Profile::TimeStamping => 3650,
        Profile::Seal1 | Profile::AuditSigner => 1095,
        Profile::Seal2 | Profile::Seal3 => 825,
        Profile::Seal1Short | Profile::Seal2Short | Profile::Seal3Short => 1,
        Profile::OcspSigner => 30,
        Profile::ListSigner => 730,
        Profile::Administrator => 365,
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
        Content::Policy { repository } => {
            authority(order, Some(1), &[oid::ANY_POLICY], None, repository)
        }
        Content::Cross { repository, .. } => {
            authority(order, None, &[oid::ANY_POLICY], None, repository)
        }
        Content::Issuing { level, arc, repository } => {
            let policies = extension::level_policies(arc, *level);
            authority(order, Some(0), &policies, None, repository)
        }
        Content::Dedicated { level, scope, arc, repository } => {
            let policies = extension::level_policies(arc, *level);
            authority(order, Some(0), &policies, Some(scope), repository)
        }
        Content::ServiceAuthority { service, arc, repository } => {
            let policies = match service {
                Service::TimeStamping => vec![arc.time_stamping()],
                Service::Internal => vec![arc.administration(), arc.audit_signing()],
            };
            authority(order, Some(0), &policies, None, repository)
        }
        Content::Seal { level, latin, claim, arc, repository, ocsp, extras } => {
            let usage = match extras.usage {
                KeyUsageSetting::A => extension::NON_REPUDIATION,
                KeyUsageSetting::B => extension::SIGNATURE_AND_NON_REPUDIATION,
            };
            let mut list = vec![
                aki,
                ski,
                extension::key_usage(usage),
                extension::ext_key_usage(&oid::DOCUMENT_SIGNING),
                extension::policies(&extension::seal_policies(arc, *level, claim)),
            ];
            list.extend(latin.as_ref().map(extension::alternative_name));
            match extras.term {
                Term::Regular => {
                    list.push(extension::information_access(repository, Some(ocsp)));
                    list.push(extension::crl_distribution(repository, &order.serial));
                }
                Term::Short => list.push(extension::information_access(repository, None)),
            }
            list.extend(extension::qc_statements(claim, semantics(&order.subject)));
            list.extend(extension::extras(extras));
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
            extension::crl_distribution(repository, &order.serial),
        ],
        Content::TimeStamping { arc, repository } => vec![
            aki,
            ski,
            extension::key_usage(extension::DIGITAL_SIGNATURE),
            extension::critical_ext_key_usage(&oid::TIME_STAMPING),
            extension::policies(&[arc.time_stamping()]),
            extension::information_access(repository, None),
            extension::crl_distribution(repository, &order.serial),
        ],
        Content::Administrator { account, arc, repository } => vec![
            aki,
            ski,
            extension::key_usage(extension::DIGITAL_SIGNATURE),
            extension::ext_key_usage(&oid::CLIENT_AUTH),
            extension::policies(&[arc.administration()]),
            extension::account(account),
            extension::information_access(repository, None),
            extension::crl_distribution(repository, &order.serial),
        ],
        Content::AuditSigner { arc, repository } => vec![
            aki,
            ski,
            extension::key_usage(extension::DIGITAL_SIGNATURE),
            extension::policies(&[arc.audit_signing()]),
            extension::information_access(repository, None),
            extension::crl_distribution(repository, &order.serial),
        ],
    }
}

/// The extensions of an authority that has an issuer (DOMAIN 12.4).
fn authority(
    order: &Order,
    path_length: Option<u8>,
    policies: &[ObjectIdentifier],
    scope: Option<&NameScope>,
    repository: &Repository,
) -> Vec<Vec<u8>> {
    let mut list = vec![
        extension::authority(path_length),
        extension::key_usage(extension::AUTHORITY),
        extension::subject_key_identifier(&order.key),
        extension::authority_key_identifier(&order.issuer.key),
        extension::policies(policies),
    ];
    list.extend(scope.map(extension::name_constraints));
    list.push(extension::information_access(repository, None));
    list.push(extension::crl_distribution(repository, &order.serial));
    list
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
