//! Statements of key devices about the keys in them (DOMAIN 9, KM-9): what was handed in, of which
//! format it is, and whether it shows that the device made the key and does not let it go.
//!
//! One interface for every format. [`Evidence::read`] sorts files, and the `id-aa-attestation`
//! attribute of a request, into exhibits; [`Evidence::examine`] judges what it can verify. That is
//! the attestation certificates of the YubiHSM 2; key confirmations in CMS, JSON statements and
//! anything else are named by their format and left unverified, so that they count as a declaration.
//!
//! Chains are not judged by [`crate::path`]. RFC 5280 wants every issuer to be an authority, but a
//! device attests with a key whose certificate need not say so, and there are no CRLs for devices.
//! The rules here are fewer and stricter: every certificate is valid now, every signature holds, all
//! issuers but the device's own key are authorities, nothing critical is left unread, and a key that
//! can sign loose data attests nothing.
//!
//! Deliberately not here: which roots are trusted, and whose device it is.

mod envelope;
#[cfg(test)]
mod tests;

use const_oid::ObjectIdentifier;
use tenkoku_domain::key::Fingerprint;
use tenkoku_domain::origin::EvidenceFormat as Format;
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_domain::time::Timestamp;

use crate::asn1::read::{Reader, sequence};
use crate::asn1::{DerError, tag};
use crate::csr::Request;
use crate::key::PresentedKey;
use crate::oid;
use crate::path::certificate::{Envelope, Foreign};
use crate::path::extension;
use crate::path::signature::{self, Outcome};
use crate::pem;

/// Largest file that is read, in octets.
pub const MAX_OCTETS: usize = 64 * 1024;
/// Most certificates that are looked at.
pub const MAX_CERTIFICATES: usize = 16;
/// How far a device's clock may be ahead, in seconds.
const SKEW_SECONDS: i64 = 300;

/// The arc of the YubiHSM 2 and what hangs under it.
mod yubihsm {
    use const_oid::ObjectIdentifier;

    pub(super) const ARC: &str = "1.3.6.1.4.1.41482.4.";
    pub(super) const FIRMWARE: ObjectIdentifier =
        ObjectIdentifier::new_unwrap("1.3.6.1.4.1.41482.4.1");
    pub(super) const SERIAL: ObjectIdentifier =
        ObjectIdentifier::new_unwrap("1.3.6.1.4.1.41482.4.2");
    pub(super) const ORIGIN: ObjectIdentifier =
        ObjectIdentifier::new_unwrap("1.3.6.1.4.1.41482.4.3");
    pub(super) const CAPABILITIES: ObjectIdentifier =
        ObjectIdentifier::new_unwrap("1.3.6.1.4.1.41482.4.5");
    pub(super) const OBJECT: ObjectIdentifier =
        ObjectIdentifier::new_unwrap("1.3.6.1.4.1.41482.4.6");

    /// Origin: made in the device, and nothing else.
    pub(super) const GENERATED: u64 = 0x01;
    /// Capability exportable-under-wrap: bit 16 of the 64.
    pub(super) const EXPORTABLE_UNDER_WRAP: u64 = 1 << 0x10;
    /// Capabilities to sign what the caller brings: sign-pkcs, -pss, -ecdsa, -eddsa.
    pub(super) const SIGNS_LOOSE_DATA: u64 = 0b1111 << 5;
}

/// A root that a vendor's devices hang under.
#[derive(Clone, Copy, Debug)]
pub struct VendorRoot<'a> {
    /// The name under which the policy lists it.
    pub code: &'a str,
    /// Its certificate, DER.
    pub certificate: &'a [u8],
}

/// What evidence is judged against.
#[derive(Clone, Copy, Debug)]
pub struct Demands<'a> {
    /// The roots that the policy lists.
    pub roots: &'a [VendorRoot<'a>],
    /// The key that is to be certified.
    pub key: &'a Fingerprint,
    /// The instant of the judgement.
    pub at: Timestamp,
    /// Oldest evidence accepted, in days.
    pub max_age_days: i64,
}

/// What a device attests of a key, verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attested {
    /// The code of the vendor's root.
    pub vendor: String,
    /// Serial number of the device, decimal.
    pub serial: String,
    /// Number of the key in the device, hexadecimal with `0x`.
    pub object: String,
    /// Version of the device's firmware, with dots.
    pub firmware: String,
    /// When it was attested. Empty where the device copied the dates of its own certificate, as a
    /// YubiHSM 2 does with the key it was delivered with: then the evidence has no age.
    pub at: Option<Timestamp>,
}

/// What evidence comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The device attests the key.
    Attested(Attested),
    /// Nothing here can verify it.
    Unverified(Format),
}

macro_rules! faults {
    ($($(#[$doc:meta])* $name:ident = $word:literal;)*) => {
        /// Why evidence is not accepted. The later, the further the judgement came: of several
        /// faults the greatest is told. Words and order are stable.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
        pub enum Fault {
            $($(#[$doc])* #[error($word)] $name,)*
        }

        impl Fault {
            /// Every fault, least first.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable word.
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }
        }
    };
}

faults! {
    /// More than [`MAX_OCTETS`], or more than [`MAX_CERTIFICATES`].
    TooLarge = "attestation-too-large";
    /// It cannot be read.
    Damaged = "attestation-damaged";
    /// It leads to no root that the policy lists.
    UnknownRoot = "unknown-root";
    /// A signature of the chain does not hold.
    ChainSignature = "chain-signature";
    /// An issuer of the chain is no authority, or the attesting key signs loose data too.
    ChainAuthority = "chain-authority";
    /// A critical extension is not understood.
    ChainExtension = "chain-extension";
    /// A certificate of the chain is not valid yet.
    ChainNotYet = "chain-not-yet";
    /// A certificate of the chain has expired.
    ChainExpired = "chain-expired";
    /// It is about another key.
    OtherKey = "attests-other-key";
    /// It does not say what it must: serial number, origin, capabilities.
    Incomplete = "incomplete";
    /// The attesting certificate is that of another device.
    OtherDevice = "other-device";
    /// The key was not made in the device: imported, or unwrapped.
    Imported = "imported";
    /// The device lets the key out.
    Exportable = "exportable";
    /// It is older than the policy accepts.
    TooOld = "too-old";
}

impl Fault {
    /// The refusal of KM-9.
    pub fn refusal(self) -> Refusal {
        Refusal::new(RefusalCode::AttestationInvalid, "KM-9").with("problem", self.word())
    }
}

impl From<DerError> for Fault {
    fn from(_: DerError) -> Self {
        Self::Damaged
    }
}

/// Everything that was handed in about the origin of one key.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    certificates: Vec<Foreign>,
    others: Vec<Format>,
}

impl Evidence {
    /// Sorts files (PEM or DER certificates, CMS, JSON, anything), and what a request carries.
    pub fn read(files: &[Vec<u8>], request: Option<&Request>) -> Result<Self, Fault> {
        let mut evidence = Self::default();
        for file in files {
            evidence.take(file)?;
        }
        if let Some(bundle) = request.and_then(Request::attestation) {
            for exhibit in envelope::open(bundle)? {
                evidence.take(exhibit)?;
            }
        }
        if evidence.certificates.len() > MAX_CERTIFICATES {
            return Err(Fault::TooLarge);
        }
        Ok(evidence)
    }

    /// Whether nothing was handed in.
    pub const fn is_empty(&self) -> bool {
        self.certificates.is_empty() && self.others.is_empty()
    }

    fn take(&mut self, octets: &[u8]) -> Result<(), Fault> {
        if octets.len() > MAX_OCTETS {
            return Err(Fault::TooLarge);
        }
        match octets.trim_ascii_start().first() {
            Some(b'{' | b'[') => self.others.push(Format::Json),
            Some(_) if octets.first() == Some(&tag::SEQUENCE) => self.take_der(octets)?,
            Some(_) => match std::str::from_utf8(octets) {
                Ok(text) if text.contains("-----BEGIN ") => self.take_pem(text)?,
                Ok(_) | Err(_) => self.others.push(Format::Unknown),
            },
            None => return Err(Fault::Damaged),
        }
        Ok(())
    }

    /// One block after the other.
    fn take_pem(&mut self, text: &str) -> Result<(), Fault> {
        for (number, rest) in text.split("-----BEGIN ").enumerate() {
            if number == 0 {
                continue;
            }
            let block = format!("-----BEGIN {rest}");
            let labels = ["CERTIFICATE", "X509 CERTIFICATE", "CMS", "PKCS7"];
            match pem::decode(block.as_bytes(), &labels) {
                Ok(der) => self.take_der(&der)?,
                Err(pem::PemError::Label { .. }) => self.others.push(Format::Unknown),
                Err(_) => return Err(Fault::Damaged),
            }
        }
        Ok(())
    }

    fn take_der(&mut self, der: &[u8]) -> Result<(), Fault> {
        let mut content = sequence(der)?;
        if Envelope::read(der).is_ok() {
            self.certificates.push(Foreign::read(der)?);
        } else if content.oid() == Ok(oid::CMS_SIGNED_DATA) {
            self.others.push(Format::Cms);
        } else {
            self.others.push(Format::Unknown);
        }
        Ok(())
    }

    /// Judges what was handed in. Where nothing can be verified, the format is told.
    pub fn examine(&self, demands: &Demands<'_>) -> Result<Finding, Fault> {
        let mut about = Vec::new();
        for certificate in &self.certificates {
            if let Some(statement) = Statement::of(certificate)? {
                about.push((certificate, statement));
            }
        }
        // The device's own certificate makes a statement too; what issues another is not the leaf.
        let issues = |one: &Foreign| {
            self.certificates
                .iter()
                .any(|other| other.der != one.der && other.issuer == one.subject)
        };
        let leaves: Vec<_> = about.iter().filter(|(one, _)| !issues(one)).collect();
        let ours = leaves.iter().find(|(one, _)| is_of(one, demands.key));
        match ours.or(leaves.first()) {
            Some((leaf, statement)) => self.judge(leaf, statement, demands).map(Finding::Attested),
            None if !about.is_empty() => Err(Fault::OtherKey),
            None => {
                let certificate = self.certificates.first().map(|_| Format::Certificate);
                let other = self.others.first().copied();
                Ok(Finding::Unverified(certificate.or(other).unwrap_or(Format::Unknown)))
            }
        }
    }

    /// (1) the chain, (2) the key, (3) made in the device, (4) staying there, (5) age.
    fn judge(
        &self,
        leaf: &Foreign,
        statement: &Statement,
        demands: &Demands<'_>,
    ) -> Result<Attested, Fault> {
        check_certificate(leaf, demands.at)?;
        let roots = demands.roots.iter();
        let roots: Vec<(&str, Foreign)> = roots
            .filter_map(|root| Some((root.code, Foreign::read(root.certificate).ok()?)))
            .collect();
        let chain = Chain { bag: &self.certificates, roots: &roots, at: demands.at };
        let (vendor, attester) = chain.of_leaf(leaf)?;
        if !is_of(leaf, demands.key) {
            return Err(Fault::OtherKey);
        }
        let serial = statement.serial.clone().ok_or(Fault::Incomplete)?;
        let device = Statement::of(attester)?.and_then(|device| device.serial);
        if device.is_some_and(|device| device != serial) {
            return Err(Fault::OtherDevice);
        }
        if statement.origin.ok_or(Fault::Incomplete)? != yubihsm::GENERATED {
            return Err(Fault::Imported);
        }
        let capabilities = statement.capabilities.ok_or(Fault::Incomplete)?;
        if capabilities & yubihsm::EXPORTABLE_UNDER_WRAP != 0 {
            return Err(Fault::Exportable);
        }
        let copied = (leaf.not_before, leaf.not_after) == (attester.not_before, attester.not_after);
        let at = (!copied).then_some(leaf.not_before);
        if at.is_some_and(|at| at.plus_days(demands.max_age_days) < demands.at) {
            return Err(Fault::TooOld);
        }
        Ok(Attested {
            vendor: vendor.to_owned(),
            serial,
            object: statement.object.map_or_else(String::new, |id| format!("{id:#06x}")),
            firmware: statement.firmware.clone(),
            at,
        })
    }
}

/// Reads the certificate of a vendor's root, PEM or DER: an authority that signed itself. Gives it
/// in DER.
pub fn root_certificate(file: &[u8]) -> Result<Vec<u8>, Fault> {
    if file.len() > MAX_OCTETS {
        return Err(Fault::TooLarge);
    }
    let der = pem::decode(file, &["CERTIFICATE"]).map_err(|_| Fault::Damaged)?;
    let root = Foreign::read(&der)?;
    if !root.is_self_issued() {
        return Err(Fault::ChainAuthority);
    }
    check_authority(&root)?;
    match signature::check(&root.envelope, &root.key) {
        Outcome::Holds => Ok(der),
        Outcome::Broken | Outcome::Refused => Err(Fault::ChainSignature),
    }
}

/// Whether a certificate is about a key, in whatever encoding.
fn is_of(certificate: &Foreign, key: &Fingerprint) -> bool {
    PresentedKey::parse(&certificate.key).is_ok_and(|own| own.fingerprint() == *key)
}

/// Validity, and critical extensions that are not understood.
fn check_certificate(certificate: &Foreign, at: Timestamp) -> Result<(), Fault> {
    const KNOWN: [ObjectIdentifier; 4] =
        [oid::BASIC_CONSTRAINTS, oid::KEY_USAGE, oid::EXT_KEY_USAGE, oid::CERTIFICATE_POLICIES];
    let extensions = extensions(certificate)?;
    let unread = |one: &(ObjectIdentifier, bool, Vec<u8>)| {
        one.1 && !KNOWN.contains(&one.0) && !one.0.to_string().starts_with(yubihsm::ARC)
    };
    if extensions.iter().any(unread) {
        return Err(Fault::ChainExtension);
    }
    if at.plus_seconds(SKEW_SECONDS) < certificate.not_before {
        return Err(Fault::ChainNotYet);
    }
    if certificate.not_after < at {
        return Err(Fault::ChainExpired);
    }
    Ok(())
}

/// The extensions of a certificate as they stand: kind, critical, value.
fn extensions(certificate: &Foreign) -> Result<Vec<(ObjectIdentifier, bool, Vec<u8>)>, DerError> {
    let mut body = sequence(&certificate.envelope.body)?;
    while !body.is_empty() {
        if let Some(explicit) = body.enter_optional(tag::context(3))? {
            let all = extension::list(explicit)?.into_iter();
            return Ok(all.map(|one| (one.kind, one.critical, one.value.to_vec())).collect());
        }
        body.any()?;
    }
    Ok(Vec::new())
}

/// The way up from an attested key.
struct Chain<'a> {
    bag: &'a [Foreign],
    roots: &'a [(&'a str, Foreign)],
    at: Timestamp,
}

impl<'a> Chain<'a> {
    /// The root's code, and the certificate that attests.
    fn of_leaf(&self, leaf: &Foreign) -> Result<(&'a str, &'a Foreign), Fault> {
        let mut told = Fault::UnknownRoot;
        for (code, root) in self.roots.iter().filter(|(_, root)| root.subject == leaf.issuer) {
            match self.step(leaf, root).and_then(|()| check_attester(root)) {
                Ok(()) => return Ok((code, root)),
                Err(fault) => told = told.max(fault),
            }
        }
        for attester in self.issuers(leaf) {
            let up = self.step(leaf, attester).and_then(|()| check_attester(attester));
            match up.and_then(|()| self.root_over(attester, MAX_CERTIFICATES)) {
                Ok(code) => return Ok((code, attester)),
                Err(fault) => told = told.max(fault),
            }
        }
        Err(told)
    }

    /// The code of a root over a certificate. `left` bounds the way, so that circles end.
    fn root_over(&self, below: &Foreign, left: usize) -> Result<&'a str, Fault> {
        let mut told = Fault::UnknownRoot;
        for (code, root) in self.roots.iter().filter(|(_, root)| root.subject == below.issuer) {
            match self.step(below, root).and_then(|()| check_authority(root)) {
                Ok(()) => return Ok(code),
                Err(fault) => told = told.max(fault),
            }
        }
        let Some(left) = left.checked_sub(1) else { return Err(told) };
        for issuer in self.issuers(below).filter(|issuer| !issuer.is_self_issued()) {
            let up = self.step(below, issuer).and_then(|()| check_authority(issuer));
            match up.and_then(|()| self.root_over(issuer, left)) {
                Ok(code) => return Ok(code),
                Err(fault) => told = told.max(fault),
            }
        }
        Err(told)
    }

    fn issuers(&self, below: &Foreign) -> impl Iterator<Item = &'a Foreign> {
        let (name, own) = (below.issuer.clone(), below.der.clone());
        self.bag.iter().filter(move |one| one.subject == name && one.der != own)
    }

    /// One step: the signature holds, and the issuer's certificate is valid now.
    fn step(&self, below: &Foreign, issuer: &Foreign) -> Result<(), Fault> {
        match signature::check(&below.envelope, &issuer.key) {
            Outcome::Holds => check_certificate(issuer, self.at),
            Outcome::Broken | Outcome::Refused => Err(Fault::ChainSignature),
        }
    }
}

fn check_authority(certificate: &Foreign) -> Result<(), Fault> {
    if certificate.is_authority() && certificate.signs_certificates() {
        return Ok(());
    }
    Err(Fault::ChainAuthority)
}

/// The key that attests need not be an authority by its certificate; but one that the device lets
/// sign what the caller brings could sign a false statement.
fn check_attester(certificate: &Foreign) -> Result<(), Fault> {
    let denied = certificate.extensions.authority.is_some_and(|one| !one.is_authority);
    let own = Statement::of(certificate)?;
    let loose = own
        .and_then(|own| own.capabilities)
        .is_some_and(|all| all & yubihsm::SIGNS_LOOSE_DATA != 0);
    if denied || loose { Err(Fault::ChainAuthority) } else { Ok(()) }
}

/// What the extensions of a YubiHSM 2 say.
#[derive(Clone, Debug, Default)]
struct Statement {
    firmware: String,
    serial: Option<String>,
    origin: Option<u64>,
    capabilities: Option<u64>,
    object: Option<u64>,
}

impl Statement {
    /// `None` for a certificate without such extensions.
    fn of(certificate: &Foreign) -> Result<Option<Self>, Fault> {
        let mut found = None;
        for (kind, _, value) in extensions(certificate)? {
            if !kind.to_string().starts_with(yubihsm::ARC) {
                continue;
            }
            let own: &mut Self = found.get_or_insert_with(Self::default);
            let mut reader = Reader::new(&value);
            match kind {
                yubihsm::FIRMWARE => {
                    let parts = reader.content(tag::OCTET_STRING)?.iter().map(u8::to_string);
                    own.firmware = parts.collect::<Vec<_>>().join(".");
                }
                yubihsm::SERIAL => own.serial = Some(number(reader.unsigned()?)?.to_string()),
                yubihsm::ORIGIN => own.origin = Some(number(reader.whole_bits()?)?),
                yubihsm::CAPABILITIES => own.capabilities = Some(number(reader.whole_bits()?)?),
                yubihsm::OBJECT => own.object = Some(number(reader.unsigned()?)?),
                // Domains and label say nothing of the origin; later ones are not known.
                _ => continue,
            }
            reader.finish()?;
        }
        Ok(found)
    }
}

/// A number of at most 64 bits, big-endian, as the device writes its bit fields too.
fn number(octets: &[u8]) -> Result<u64, Fault> {
    if octets.is_empty() || octets.len() > 8 {
        return Err(Fault::Damaged);
    }
    Ok(octets.iter().fold(0, |sum, octet| (sum << 8) | u64::from(*octet)))
}
