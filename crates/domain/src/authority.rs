//! Authorities: the CAs operated on the platform.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::audit::CrlList;
use crate::certificate::{Serial, Validity};
use crate::id::{AuthorityId, KeyId, OrganisationId};
use crate::identifier::OrganizationIdentifier;
use crate::key::{KeyAlgorithm, words};
use crate::level::Level;
use crate::name::Name;
use crate::refusal::{Refusal, RefusalCode};
use crate::time::Timestamp;

/// The short name of an authority in addresses (`/ocsp/seal-l2-g1`). Unique for ever.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AuthorityCode(String);

impl AuthorityCode {
    /// The code of the next generation: `seal-l2-g1` becomes `seal-l2-g2` (RO-4).
    pub fn of_generation(&self, generation: i32) -> Result<Self, Refusal> {
        let stem = match self.0.rsplit_once("-g") {
            Some((stem, digits)) if digits.bytes().all(|b| b.is_ascii_digit()) => stem,
            Some(_) | None => self.0.as_str(),
        };
        Self::parse(&format!("{stem}-g{generation}"))
    }

    /// Reads a code: lower-case letters, digits and hyphens, 1 to 40 of them.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let fine = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if fine && !text.is_empty() && text.len() <= 40 && !text.starts_with('-') {
            return Ok(Self(text.to_owned()));
        }
        Err(Refusal::new(RefusalCode::NameInvalid, "3").with("problem", "code").with("code", text))
    }

    /// The code as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AuthorityCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for AuthorityCode {
    type Error = Refusal;
    fn try_from(text: String) -> Result<Self, Refusal> {
        Self::parse(&text)
    }
}

impl From<AuthorityCode> for String {
    fn from(code: AuthorityCode) -> String {
        code.0
    }
}

/// Kind of an authority, with what belongs to the kind (DOMAIN 12.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AuthorityKind {
    /// Issues authorities and list signers.
    Root,
    /// Issues issuing authorities; optional, below a root.
    Policy,
    /// Issues seals of one level and its own OCSP signers.
    Issuing(Level),
    /// Issues the certificates of services (DOMAIN 12.5).
    Service(ServiceKind),
}

words! {
    /// Whom a service authority issues to (DOMAIN 12.5).
    ServiceKind {
        /// Time-stamping units.
        TimeStamping = "tsa",
        /// Administrators and signers of the audit trail.
        Internal = "internal",
    }
}

impl AuthorityKind {
    /// `root`, `policy`, `issuing`, `tsa` or `internal`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Policy => "policy",
            Self::Issuing(_) => "issuing",
            Self::Service(service) => service.word(),
        }
    }

    /// The level that an issuing authority serves.
    pub const fn level(self) -> Option<Level> {
        match self {
            Self::Root | Self::Policy | Self::Service(_) => None,
            Self::Issuing(level) => Some(level),
        }
    }

    /// Longest validity of the authority's certificate, in days.
    pub const fn validity_days(self) -> i64 {
        match self {
            Self::Root => 7300,
            Self::Policy => 5475,
            Self::Issuing(_) | Self::Service(_) => 3650,
        }
    }

    /// How long a CRL is good for, in days (DOMAIN 13).
    pub const fn crl_days(self) -> i64 {
        match self {
            Self::Root | Self::Policy => 180,
            Self::Issuing(_) | Self::Service(_) => 3,
        }
    }

    /// Whether an authority of this kind may issue one of another (DOMAIN 12.4).
    pub const fn may_issue(self, other: Self) -> bool {
        match (self, other) {
            (Self::Root, Self::Policy | Self::Issuing(_) | Self::Service(_))
            | (Self::Policy, Self::Issuing(_) | Self::Service(_)) => true,
            (Self::Root | Self::Policy, Self::Root)
            | (Self::Policy, Self::Policy)
            | (Self::Issuing(_) | Self::Service(_), _) => false,
        }
    }
}

words! {
    /// State of an authority (DOMAIN 6.7).
    AuthorityState {
        /// Decided on.
        Planned = "planned",
        /// Its key is being made.
        Ceremony = "ceremony",
        /// Has its certificate.
        Certified = "certified",
        /// Issues.
        Active = "active",
        /// On hold.
        Suspended = "suspended",
        /// No new issue; CRL and OCSP continue.
        Retiring = "retiring",
        /// Ended.
        Ended = "ended",
    }
}

words! {
    /// A step in the life of an authority (DOMAIN 6.7).
    AuthorityAct {
        /// Its ceremony begins: the key is made.
        Begin = "begin",
        /// It gets its certificate.
        Certify = "certify",
        /// It begins to issue.
        Activate = "activate",
        /// It is put on hold.
        Suspend = "suspend",
        /// The hold is lifted.
        Resume = "resume",
        /// It stops issuing for good.
        Retire = "retire",
        /// Its key is gone and its last CRL issued.
        End = "end",
    }
}

impl AuthorityAct {
    /// The states from which it leads, and the one it leads to.
    const fn way(self) -> (&'static [AuthorityState], AuthorityState) {
        use AuthorityState as S;
        match self {
            Self::Begin => (&[S::Planned], S::Ceremony),
            Self::Certify => (&[S::Ceremony], S::Certified),
            Self::Activate => (&[S::Certified], S::Active),
            Self::Suspend => (&[S::Active], S::Suspended),
            Self::Resume => (&[S::Suspended], S::Active),
            Self::Retire => (&[S::Active, S::Suspended], S::Retiring),
            Self::End => (&[S::Retiring], S::Ended),
        }
    }
}

impl AuthorityState {
    /// The state after an act. Any transition that DOMAIN 6.7 does not list is refused.
    pub fn after(self, act: AuthorityAct) -> Result<Self, Refusal> {
        let (from, to) = act.way();
        if from.contains(&self) {
            return Ok(to);
        }
        Err(Refusal::new(RefusalCode::StateConflict, "6.7")
            .with("problem", "authority-state")
            .with("state", self)
            .with("act", act))
    }

    /// Whether CRLs and OCSP answers are signed in this state: the old generation keeps signing
    /// them for its own certificates (RO-4).
    pub const fn serves_status(self) -> bool {
        match self {
            Self::Active | Self::Suspended | Self::Retiring => true,
            Self::Planned | Self::Ceremony | Self::Certified | Self::Ended => false,
        }
    }
}

words! {
    /// Where the key of an authority is.
    Custody {
        /// In this installation's key store.
        Online = "online",
        /// In an installation of its own; it is reached by bundles on a removable medium.
        Offline = "offline",
    }
}

/// The names in an authority's subject: C, O, organizationIdentifier, CN (DOMAIN 12.4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorityName {
    /// Two-letter country.
    pub country: String,
    /// The operator's legal name.
    pub organisation: Name,
    /// The operator's identifier.
    pub identifier: OrganizationIdentifier,
    /// Common name, with the generation (`… Root CA G1`).
    pub common_name: Name,
}

/// The organisation that a dedicated authority serves, by the names of its permitted subtree
/// (DOMAIN 12.4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dedication {
    /// The organisation.
    pub organisation: OrganisationId,
    /// Its country.
    pub country: String,
    /// Its legal name.
    pub name: Name,
    /// Its name in Latin script, where recorded.
    pub latin: Option<Name>,
    /// Its identifier.
    pub identifier: OrganizationIdentifier,
}

/// What authority is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorityOrder {
    /// Short name in addresses.
    pub code: AuthorityCode,
    /// Kind, and for an issuing authority its level.
    pub kind: AuthorityKind,
    /// Generation.
    pub generation: i32,
    /// Common name; the generation's suffix (`… G1`) is part of it (RO-4).
    pub common_name: Name,
    /// Algorithm of its key: P-384, RSA 4096, or ML-DSA where the policy allows it (DOMAIN 12.4).
    pub algorithm: KeyAlgorithm,
    /// Validity in days; the kind's maximum where none is asked for.
    pub validity_days: Option<i64>,
    /// The authority that issues it; none for a root.
    pub issuer: Option<AuthorityCode>,
    /// The one organisation that it serves; only for an issuing authority.
    pub dedicated: Option<Dedication>,
    /// The generation before it.
    pub predecessor: Option<AuthorityCode>,
    /// Into how many lists its CRL is cut.
    #[serde(default, skip_serializing_if = "ShardCount::is_one")]
    pub crl_shards: ShardCount,
}

impl AuthorityOrder {
    /// The order of the next generation of an authority: a new key under a new code and a new
    /// common name (RO-4).
    pub fn succeeding(
        present: &Authority,
        issuer: Option<AuthorityCode>,
        dedicated: Option<Dedication>,
    ) -> Result<Self, Refusal> {
        let generation = present.generation.saturating_add(1);
        Ok(Self {
            code: present.code.of_generation(generation)?,
            kind: present.kind,
            generation,
            common_name: present.name_of_generation(generation)?,
            algorithm: present.algorithm,
            validity_days: None,
            issuer,
            dedicated,
            predecessor: Some(present.code.clone()),
            crl_shards: present.crl_shards,
        })
    }

    /// RO-4 and DOMAIN 12.4: what can be told from the order and the authorities that are there.
    pub fn check(&self, all: &[Authority]) -> Result<(), Refusal> {
        let most = self.kind.validity_days();
        let days = self.validity_days.unwrap_or(most);
        if !(1..=most).contains(&days) {
            return Err(Refusal::new(RefusalCode::ValidityExceeded, "12.4")
                .with("days", days)
                .with("most", most)
                .with("level", "authority"));
        }
        let name = |problem: &str| {
            Refusal::new(RefusalCode::NameInvalid, "RO-4")
                .with("problem", problem)
                .with("name", &self.common_name)
        };
        let lists = |code: &AuthorityCode, shards: ShardCount| {
            (0..shards.get()).map(|number| format!("{code}-{number}")).collect::<Vec<_>>()
        };
        let own = lists(&self.code, self.crl_shards);
        let same = all.iter().any(|a| {
            (self.crl_shards != ShardCount::ONE && own.iter().any(|list| list == a.code.as_str()))
                || (a.crl_shards != ShardCount::ONE
                    && lists(&a.code, a.crl_shards).iter().any(|list| list == self.code.as_str()))
        });
        if same {
            // The address of one authority's shard would be that of the other's list.
            return Err(name("code").with("code", &self.code));
        }
        if !self.common_name.as_str().ends_with(&format!("G{}", self.generation)) {
            return Err(name("generation"));
        }
        if all.iter().any(|a| a.code != self.code && a.name.common_name == self.common_name) {
            return Err(name("name-taken"));
        }
        self.check_kind()
    }

    fn check_kind(&self) -> Result<(), Refusal> {
        let refused = || Refusal::new(RefusalCode::StateConflict, "12.4").with("problem", "issuer");
        let dedicated = self.dedicated.is_some();
        match (self.kind, &self.issuer) {
            (AuthorityKind::Root, None)
            | (AuthorityKind::Policy | AuthorityKind::Service(_), Some(_))
                if !dedicated =>
            {
                Ok(())
            }
            (AuthorityKind::Issuing(_), Some(_)) => Ok(()),
            (
                AuthorityKind::Root
                | AuthorityKind::Policy
                | AuthorityKind::Issuing(_)
                | AuthorityKind::Service(_),
                _,
            ) => Err(refused()),
        }
    }
}

/// A CA operated on the platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authority {
    /// Identifier.
    pub id: AuthorityId,
    /// Short name in addresses.
    pub code: AuthorityCode,
    /// Kind.
    pub kind: AuthorityKind,
    /// Generation, 1 for the first (RO-4).
    pub generation: i32,
    /// Names in the subject.
    pub name: AuthorityName,
    /// The authority that issued it; `None` for a root.
    pub issuer: Option<AuthorityId>,
    /// Its key.
    pub key: KeyId,
    /// Algorithm of its key.
    pub algorithm: KeyAlgorithm,
    /// The certificate's serial number.
    pub serial: Serial,
    /// The certificate's validity.
    pub validity: Validity,
    /// The certificate (DER); `None` until certified.
    #[serde(skip)]
    pub certificate: Option<Vec<u8>>,
    /// State.
    pub state: AuthorityState,
    /// When it was decided on.
    pub created_at: Timestamp,
    /// Where its key is.
    pub custody: Custody,
    /// The one organisation that it serves; `None` for all that have no authority of their own.
    pub dedicated: Option<OrganisationId>,
    /// The generation before it (RO-4).
    pub predecessor: Option<AuthorityId>,
    /// Into how many lists its CRL is cut.
    #[serde(default, skip_serializing_if = "ShardCount::is_one")]
    pub crl_shards: ShardCount,
}

/// Into how many lists the CRL of an authority is cut: a power of two from 1, which means one list
/// of everything, to 1024. Chosen when the authority is made and kept for ever: certificates name
/// the list that they are looked up in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct ShardCount(u32);

/// Why a number is no count of shards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a CRL is cut into 1, 2, 4, 8 … 1024 lists")]
pub struct ShardCountError;

impl ShardCount {
    /// One list of everything.
    pub const ONE: Self = Self(1);
    /// The most.
    const MOST: u32 = 1024;

    /// Checks a number.
    pub const fn new(count: u32) -> Result<Self, ShardCountError> {
        if count.is_power_of_two() && count <= Self::MOST {
            Ok(Self(count))
        } else {
            Err(ShardCountError)
        }
    }

    /// Whether there is one list of everything.
    pub const fn is_one(&self) -> bool {
        self.0 == 1
    }

    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The shard of a serial number: its low bits. Serial numbers are random, so shards fill evenly.
    pub fn shard_of(self, serial: &Serial) -> u32 {
        let low = serial.octets().iter().rev().take(4).rev();
        let low = low.fold(0_u32, |sum, octet| (sum << 8) | u32::from(*octet));
        low & (self.0 - 1)
    }

    /// The list in which a serial number is looked up.
    pub fn list_of(self, serial: &Serial) -> CrlList {
        if self == Self::ONE { CrlList::Full } else { CrlList::Shard(self.shard_of(serial)) }
    }

    /// The lists that together tell everything.
    pub fn lists(self) -> Vec<CrlList> {
        if self == Self::ONE {
            vec![CrlList::Full]
        } else {
            (0..self.0).map(CrlList::Shard).collect()
        }
    }
}

impl Default for ShardCount {
    fn default() -> Self {
        Self::ONE
    }
}

impl TryFrom<u32> for ShardCount {
    type Error = ShardCountError;
    fn try_from(count: u32) -> Result<Self, ShardCountError> {
        Self::new(count)
    }
}

impl From<ShardCount> for u32 {
    fn from(count: ShardCount) -> Self {
        count.0
    }
}

#[cfg(test)]
mod shard_tests {
    use super::*;

    #[test]
    fn a_serial_number_stays_in_the_shard_of_its_low_bits() {
        let serial = |text| Serial::parse(text).unwrap();
        let sixteen = ShardCount::new(16).unwrap();
        assert_eq!(
            sixteen.list_of(&serial("4A00000000000000000000000000001F")),
            CrlList::Shard(15)
        );
        assert_eq!(sixteen.list_of(&serial("4A0000000000000000000000000000F0")), CrlList::Shard(0));
        assert_eq!(sixteen.list_of(&serial("07")), CrlList::Shard(7));
        assert_eq!(ShardCount::ONE.list_of(&serial("07")), CrlList::Full);
        assert_eq!(sixteen.lists().len(), 16);
        for wrong in [0, 3, 12, 2048] {
            assert_eq!(ShardCount::new(wrong), Err(ShardCountError));
        }
        let lists = ["full", "delta", "shard-15"].map(CrlList::parse);
        assert_eq!(lists, [Some(CrlList::Full), Some(CrlList::Delta), Some(CrlList::Shard(15))]);
    }
}

/// nextUpdate of the last CRL of an authority that ended (DOMAIN 13): 9999-12-31T23:59:59Z.
pub const NEVER: Timestamp = Timestamp::from_seconds(253_402_300_799);

/// The authority that issues for an organisation at a level: its dedicated one where there is one,
/// else one that serves all; the newest generation of those that issue now (RO-4).
pub fn issuing_for(
    all: &[Authority],
    level: Level,
    organisation: &OrganisationId,
    now: Timestamp,
) -> Result<Authority, Refusal> {
    let of_level = |a: &&Authority| a.kind == AuthorityKind::Issuing(level);
    let own = |a: &&Authority| a.dedicated.as_ref() == Some(organisation);
    let lives = |a: &&Authority| a.state.serves_status();
    let dedicated = all.iter().filter(of_level).filter(lives).any(|a| own(&a));
    all.iter()
        .filter(of_level)
        .filter(|a| if dedicated { own(a) } else { a.dedicated.is_none() })
        .filter(|a| a.may_issue(now).is_ok())
        .max_by_key(|a| a.generation)
        .cloned()
        .ok_or_else(|| Refusal::new(RefusalCode::AuthorityNotActive, "6.7").with("level", level))
}

impl Authority {
    /// The authority after an act.
    pub fn after(&self, act: AuthorityAct) -> Result<Self, Refusal> {
        let state = self.state.after(act).map_err(|r| r.with("authority", &self.code))?;
        Ok(Self { state, ..self.clone() })
    }

    /// Decides an end: everything it issued is expired or revoked, and its last CRL says so for
    /// ever.
    pub fn end(&self, open: i64, last_crl: Option<Timestamp>) -> Result<Self, Refusal> {
        let ended = self.after(AuthorityAct::End)?;
        let refused = |problem: &str| {
            Refusal::new(RefusalCode::StateConflict, "6.7")
                .with("problem", problem)
                .with("authority", &self.code)
                .with("state", self.state)
        };
        if open > 0 {
            return Err(refused("certificates-open").with("count", open));
        }
        if last_crl != Some(NEVER) {
            return Err(refused("last-crl"));
        }
        Ok(ended)
    }

    /// Whether it signs CRLs and certifies OCSP signers now: also when it no longer issues (RO-4).
    /// Gives the certificate.
    pub fn may_serve_status(&self, now: Timestamp) -> Result<&[u8], Refusal> {
        let serves = self.state.serves_status() && self.validity.contains(now);
        self.certificate.as_deref().filter(|_| serves).ok_or_else(|| {
            Refusal::new(RefusalCode::AuthorityNotActive, "6.7")
                .with("authority", &self.code)
                .with("state", self.state)
        })
    }

    /// Whether its key is in this installation's key store, and so can be used without a bundle.
    pub fn check_online(&self) -> Result<(), Refusal> {
        match self.custody {
            Custody::Online => Ok(()),
            Custody::Offline => Err(Refusal::new(RefusalCode::StateConflict, "6.7")
                .with("problem", "offline")
                .with("authority", &self.code)
                .with("state", self.state)),
        }
    }

    /// The common name of a generation: `… G1` becomes `… G2` (RO-4).
    pub fn name_of_generation(&self, generation: i32) -> Result<Name, Refusal> {
        let name = self.name.common_name.as_str();
        let stem = match name.rsplit_once(" G") {
            Some((stem, digits)) if digits.bytes().all(|b| b.is_ascii_digit()) => stem,
            Some(_) | None => name,
        };
        Name::parse(&format!("{stem} G{generation}"))
    }

    /// Whether the authority issues now: active, certified, inside its validity. Gives the
    /// certificate.
    pub fn may_issue(&self, now: Timestamp) -> Result<&[u8], Refusal> {
        let refused = || {
            Refusal::new(RefusalCode::AuthorityNotActive, "6.7")
                .with("authority", &self.code)
                .with("state", self.state)
        };
        match self.state {
            AuthorityState::Active if self.validity.contains(now) => {
                self.certificate.as_deref().ok_or_else(refused)
            }
            AuthorityState::Planned
            | AuthorityState::Ceremony
            | AuthorityState::Certified
            | AuthorityState::Active
            | AuthorityState::Suspended
            | AuthorityState::Retiring
            | AuthorityState::Ended => Err(refused()),
        }
    }
}

#[cfg(test)]
mod tests;
