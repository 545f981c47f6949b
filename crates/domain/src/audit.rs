//! The audit trail: events, records, and the hash chain that holds them (DOMAIN 18).
//!
//! An [`Event`] is what changed, or what was refused. The store applies it to its tables and
//! appends its [`Facts`] to the chain in one transaction (I-12).

mod access;
mod authority;
mod backup;
mod delegation;
mod followed;
mod identity;
mod life;
mod list;
mod notice;
mod policy;
mod proposal;
mod registry;
mod status;

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::access::{Actor, Origin, RoleGrant};
use crate::account::{Account, EnrolmentCode, Session};
use crate::authority::Authority;
use crate::branch::Branch;
use crate::canonical::{CanonicalError, Digest, canonical};
use crate::certificate::Certificate;
use crate::clock::ClockCheck;
use crate::id::{AuthorityId, OrganisationId, UserId};
use crate::key::{Key, words};
use crate::organisation::Organisation;
use crate::policy::KeyPolicy;
use crate::refusal::Refusal;
use crate::revocation::Revocation;
use crate::time::Timestamp;
use crate::trusted_list::{ListedService, PublishedList};

pub use self::access::AccessEvent;
pub use self::authority::{AuthorityEvent, AuthorityPlan, Compromise, Exchange, ReceivedRoot};
pub use self::backup::{BackupEvent, BackupSummary};
pub use self::delegation::DelegationEvent;
pub use self::followed::{FollowedEvent, FollowedStep};
pub use self::identity::IdentityEvent;
pub use self::life::LifeEvent;
pub use self::list::ListEvent;
pub use self::notice::NoticeEvent;
pub use self::policy::PolicyEvent;
pub use self::proposal::ProposalEvent;
pub use self::registry::RegistryEvent;
pub use self::status::{BulkStep, StatusEvent, StatusService};

words! {
    /// How an act ended.
    Outcome {
        /// It was done.
        Ok = "ok",
        /// A rule refused it.
        Refused = "refused",
        /// It was tried and did not succeed.
        Failed = "failed",
    }
}

words! {
    /// Codes of audit records (DOMAIN 18). Stored: add, never change one.
    AuditCode {
        /// The program started.
        SysStart = "sys.start",
        /// The program stopped.
        SysStop = "sys.stop",
        /// The installation was made, or its configuration changed.
        SysConfigChanged = "sys.config-changed",
        /// The database was brought to another version.
        SysMigration = "sys.migration",
        /// A backup was made.
        SysBackupMade = "sys.backup-made",
        /// The installation was restored from a backup.
        SysBackupRestored = "sys.backup-restored",
        /// The installation tried something out on itself.
        SysSelftest = "sys.selftest",
        /// The audit chain was verified.
        LogVerify = "log.verify",
        /// Somebody signed in, or was refused.
        AuthLogin = "auth.login",
        /// Somebody signed out.
        AuthLogout = "auth.logout",
        /// Sign-in was closed for a time.
        AuthLocked = "auth.locked",
        /// A factor was added to an account.
        AuthFactorAdded = "auth.factor-added",
        /// A factor was taken from an account.
        AuthFactorRemoved = "auth.factor-removed",
        /// A one-time link was made.
        AuthCodeIssued = "auth.code-issued",
        /// A one-time link was used, or refused.
        AuthCodeUsed = "auth.code-used",
        /// A second factor was shown again, or refused.
        AuthStepUp = "auth.step-up",
        /// A permission was missing.
        AccessDenied = "access.denied",
        /// A role was granted.
        RoleGranted = "role.granted",
        /// An account was created.
        AccountCreated = "account.created",
        /// Where an account's holder is written to was set.
        AccountChanged = "account.changed",
        /// A session was ended.
        SessionEnded = "session.ended",
        /// A key-management policy came into force.
        PolicyActivated = "policy.activated",
        /// A key of an authority was generated.
        CaKeyGenerated = "ca.key-generated",
        /// An authority got its certificate.
        CaCertified = "ca.certified",
        /// An authority began to issue.
        CaActivated = "ca.activated",
        /// An organisation was recorded, or refused.
        OrgCreated = "org.created",
        /// An organisation was proofed.
        OrgProofed = "org.proofed",
        /// A branch was recorded, or refused.
        BranchCreated = "branch.created",
        /// An application was submitted, or refused.
        AppSubmitted = "app.submitted",
        /// An application is ready to be issued.
        AppReady = "app.ready",
        /// An application was rejected.
        AppRejected = "app.rejected",
        /// A key was generated for a service.
        KeyGenerated = "key.generated",
        /// A key was handed in, or refused.
        KeyPresented = "key.presented",
        /// Possession was shown.
        KeyPopVerified = "key.pop-verified",
        /// Possession was not shown.
        KeyPopFailed = "key.pop-failed",
        /// A weak or forbidden key.
        KeyWeak = "key.weak",
        /// A key that is already known.
        KeyDuplicate = "key.duplicate",
        /// A fingerprint was claimed.
        KeyClaimed = "key.claimed",
        /// The findings of the lint stopped an issuance.
        CertLintFailed = "cert.lint-failed",
        /// A certificate was issued, or refused.
        CertIssued = "cert.issued",
        /// A certificate that nobody received was withdrawn.
        CertNotAccepted = "cert.not-accepted",
        /// A certificate was revoked.
        CertRevoked = "cert.revoked",
        /// A revocation was refused.
        CertRevocationRefused = "cert.revocation-refused",
        /// A CRL was issued.
        CrlIssued = "crl.issued",
        /// A CRL could not be issued.
        CrlFailed = "crl.failed",
        /// An authority got a new OCSP signer.
        OcspSignerRotated = "ocsp.signer-rotated",
        /// A draft of a list was opened, changed, put forward or given up.
        ListDrafted = "list.drafted",
        /// A person agreed to a draft of a list, or sent it back.
        ListApproved = "list.approved",
        /// A status service says something else than what is recorded.
        StatusInconsistent = "status.inconsistent",
        /// A list was signed.
        ListSigned = "list.signed",
        /// A list was published.
        ListPublished = "list.published",
        /// The next list is due and could not be issued.
        ListNextUpdateNear = "list.next-update-near",
        /// A list of others was fetched, or something is wrong with it.
        ListFollowed = "list.followed",
        /// What the belief in a list of others rests on was changed, or that was refused.
        ValAnchorChanged = "val.anchor-changed",
        /// A policy was drafted.
        PolicyDrafted = "policy.drafted",
        /// A policy was approved.
        PolicyApproved = "policy.approved",
        /// A policy was superseded by the next.
        PolicySuperseded = "policy.superseded",
        /// A certificate profile was changed.
        ProfileChanged = "profile.changed",
        /// A vendor root was added or taken out.
        VendorRootChanged = "vendor-root.changed",
        /// An authority was decided on.
        CaPlanned = "ca.planned",
        /// An authority was put on hold.
        CaSuspended = "ca.suspended",
        /// An offline key was used in a ceremony.
        CaKeyUsedOffline = "ca.key-used-offline",
        /// An authority got a successor generation.
        CaRenewed = "ca.renewed",
        /// A cross-certificate was issued.
        CaCrossCertified = "ca.cross-certified",
        /// An authority stopped issuing.
        CaRetiring = "ca.retiring",
        /// An authority ended.
        CaEnded = "ca.ended",
        /// An authority key was destroyed.
        CaKeyDestroyed = "ca.key-destroyed",
        /// A ceremony was opened.
        CeremonyOpened = "ceremony.opened",
        /// A step of a ceremony was ticked.
        CeremonyStep = "ceremony.step",
        /// A ceremony deviated from its script.
        CeremonyDeviation = "ceremony.deviation",
        /// A ceremony was closed.
        CeremonyClosed = "ceremony.closed",
        /// A hardware key store was registered.
        HsmRegistered = "hsm.registered",
        /// A session with a hardware key store was opened.
        HsmSessionOpened = "hsm.session-opened",
        /// A hardware key store refused the PIN.
        HsmLoginFailed = "hsm.login-failed",
        /// A hardware key store did not answer.
        HsmError = "hsm.error",
        /// A hardware key store was backed up.
        HsmBackup = "hsm.backup",
        /// A hardware key store was restored.
        HsmRestored = "hsm.restored",
        /// A hardware key store was retired.
        HsmRetired = "hsm.retired",
        /// A key container was registered.
        ContainerRegistered = "container.registered",
        /// A key container was verified.
        ContainerVerified = "container.verified",
        /// A container got another custodian.
        ContainerCustodianChanged = "container.custodian-changed",
        /// A container was quarantined.
        ContainerQuarantined = "container.quarantined",
        /// A container was disposed of.
        ContainerDisposed = "container.disposed",
        /// An application was changed.
        AppChanged = "app.changed",
        /// An application was withdrawn.
        AppWithdrawn = "app.withdrawn",
        /// An application lapsed.
        AppLapsed = "app.lapsed",
        /// A key was ordered.
        KeyOrdered = "key.ordered",
        /// An attestation was verified.
        KeyAttestationVerified = "key.attestation-verified",
        /// An attestation did not verify.
        KeyAttestationFailed = "key.attestation-failed",
        /// A key was blocked.
        KeyBlocked = "key.blocked",
        /// A key began to seal.
        KeyActivated = "key.activated",
        /// A key stopped sealing.
        KeyRetired = "key.retired",
        /// A key was exposed.
        KeyCompromised = "key.compromised",
        /// A key was lost.
        KeyLost = "key.lost",
        /// A copy of a key is suspected.
        KeyCopySuspected = "key.copy-suspected",
        /// Use of a key was reported.
        KeyUsageReported = "key.usage-reported",
        /// Evidence of destruction is due.
        KeyDestructionDue = "key.destruction-due",
        /// Evidence of destruction was handed in.
        KeyDestructionEvidence = "key.destruction-evidence",
        /// A key is destroyed, with evidence.
        KeyDestroyed = "key.destroyed",
        /// Evidence of destruction was refused.
        KeyEvidenceRefused = "key.evidence-refused",
        /// A destroyed key made a seal.
        KeySeenAfterDestruction = "key.seen-after-destruction",
        /// An export of a key was refused.
        KeyExportRefused = "key.export-refused",
        /// A certificate was delivered.
        CertDelivered = "cert.delivered",
        /// A certificate was acknowledged.
        CertAcknowledged = "cert.acknowledged",
        /// A certificate was suspended.
        CertSuspended = "cert.suspended",
        /// A suspension was lifted.
        CertReleased = "cert.released",
        /// The end of a suspension was asked for, or an officer decided about it.
        CertReleaseAsked = "cert.release-asked",
        /// A certificate stopped sealing.
        CertRetired = "cert.retired",
        /// A certificate expired.
        CertExpired = "cert.expired",
        /// A successor may be issued.
        CertRotationOpened = "cert.rotation-opened",
        /// A rotation is late.
        CertRotationLate = "cert.rotation-late",
        /// The clock is off.
        SysClockOffset = "sys.clock-offset",
        /// A revocation of many was asked for, approved, paused, done.
        CertRevocationRequested = "cert.revocation-requested",
        /// An evaluation was filled with serial numbers.
        SysDemoSeeded = "sys.demo-seeded",
        /// A letter left.
        NoticeSent = "notice.sent",
        /// A letter did not leave.
        NoticeFailed = "notice.failed",
        /// A recipient said that a notice was read.
        NoticeAcknowledged = "notice.acknowledged",
        /// A trusted issuer was proposed, accepted or ended.
        TrustedIssuerChanged = "trusted-issuer.changed",
        /// A representative was recorded.
        RepRecorded = "rep.recorded",
        /// A representative left.
        RepEnded = "rep.ended",
        /// A grant was written.
        GrantDrafted = "grant.drafted",
        /// A grant was signed, or an officer approved its paper.
        GrantSigned = "grant.signed",
        /// A grant may be used.
        GrantActivated = "grant.activated",
        /// A grant waits for a new representative, or was confirmed.
        GrantAmended = "grant.amended",
        /// A grant was paused.
        GrantPaused = "grant.paused",
        /// A grant ended.
        GrantEnded = "grant.ended",
        /// A grant or its paper was refused.
        GrantRefused = "grant.refused",
        /// An application took its place in a quota.
        GrantQuotaReserved = "grant.quota-reserved",
        /// An application gave its place in a quota back.
        GrantQuotaReleased = "grant.quota-released",
        /// A delegate was named.
        DelegateAdded = "delegate.added",
        /// A delegate left.
        DelegateRemoved = "delegate.removed",
        /// An application was written.
        AppCreated = "app.created",
        /// The proofing of an application began.
        AppProofingStarted = "app.proofing-started",
        /// Every record that an application needs is there.
        AppProofingResult = "app.proofing-result",
        /// Evidence about a person or a branch was added.
        AppEvidenceAdded = "app.evidence-added",
        /// An application was approved by one person.
        AppApprovalGiven = "app.approval-given",
        /// An application was refused by one person.
        AppApprovalRefused = "app.approval-refused",
        /// Approvals became void because the application changed.
        AppApprovalsVoided = "app.approvals-voided",
        /// An accreditation was recorded.
        ClaimRecorded = "claim.recorded",
        /// An accreditation ended before its time.
        ClaimEnded = "claim.ended",
        /// An organisation moved to another state.
        OrgChanged = "org.changed",
        /// An organisation may not apply for now.
        OrgRestricted = "org.restricted",
        /// An organisation ended.
        OrgClosed = "org.closed",
        /// A branch office moved to another state.
        BranchChanged = "branch.changed",
        /// A branch office pauses.
        BranchPaused = "branch.paused",
        /// A branch office ended.
        BranchClosed = "branch.closed",
        /// A feed of known keys of another authority was taken, or refused.
        KeyFeedImported = "key.feed-imported",
        /// A feed of known keys was made for other authorities, or refused.
        KeyFeedExported = "key.feed-exported",
        /// A token was given to a service account.
        TokenIssued = "token.issued",
        /// A token was ended before its time.
        TokenRevoked = "token.revoked",
        /// An account was ended for ever.
        AccountDisabled = "account.disabled",
        /// A role ended before its time.
        RoleEnded = "role.ended",
        /// Evidence was given out.
        LogExport = "log.export",
        /// A list of applications was loaded, or refused.
        AppBulkLoaded = "app.bulk-loaded",
    }
}

/// What an audit record is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectRef {
    /// Kind: `certificate`, `branch`, `session` …
    pub kind: String,
    /// Identifier.
    pub id: String,
}

impl ObjectRef {
    /// A reference.
    pub fn new(kind: &str, id: impl ToString) -> Self {
        Self { kind: kind.to_owned(), id: id.to_string() }
    }
}

/// The part of a record that follows from the event alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Code.
    pub code: AuditCode,
    /// What it is about.
    pub object: ObjectRef,
    /// Whose it is, for those who may only see their own.
    pub organisation: Option<OrganisationId>,
    /// How it ended.
    pub outcome: Outcome,
    /// The refusal's code.
    pub reason: Option<String>,
    /// The digest of the policy it was decided under.
    pub policy: Option<Digest>,
    /// More, by reference: no secrets, no documents, no personal data.
    pub detail: Map<String, Value>,
}

/// A change that the store makes and records, or a refusal that it records.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The program started.
    NodeStarted {
        /// Its version.
        version: String,
    },
    /// The program stopped in order.
    NodeStopped,
    /// An installation was made.
    InstallationMade {
        /// The policy it starts from.
        policy: Box<KeyPolicy>,
    },
    /// The database was brought from one version to another.
    SchemaMigrated {
        /// The last migration before; empty for a new database.
        from: String,
        /// The last migration now.
        to: String,
    },
    /// The clock was compared with a time server, and is trusted from now on, or no longer.
    ClockCompared {
        /// The comparison.
        check: ClockCheck,
        /// Whether the policy trusts the clock with it (KM-20).
        trusted: bool,
    },
    /// A key was generated in the platform's key store and claimed.
    KeyGenerated {
        /// The key.
        key: Key,
    },
    /// An authority was decided on; its certificate is about to be signed.
    AuthorityPlanned {
        /// The authority, without certificate.
        authority: Authority,
    },
    /// An authority got its certificate and began to issue.
    AuthorityCertified {
        /// The authority, with certificate.
        authority: Authority,
    },
    /// An organisation was recorded, with the look-up it was proofed by.
    OrganisationCreated {
        /// The organisation.
        organisation: Organisation,
        /// How it was proofed: the method of DOMAIN 16 and the digest of the evidence.
        proofing: Proofing,
    },
    /// A branch was recorded.
    BranchCreated {
        /// The branch.
        branch: Branch,
    },
    /// A key was handed in with proof of possession, and its fingerprint claimed for ever.
    KeyClaimed {
        /// The key.
        key: Key,
        /// The organisation whose application it came with.
        organisation: OrganisationId,
    },
    /// A certificate was issued: signed, stored, released.
    CertificateIssued {
        /// The certificate.
        certificate: Certificate,
    },
    /// A certificate whose signing never completed was withdrawn.
    CertificateNotAccepted {
        /// The certificate.
        certificate: Certificate,
        /// What relying parties are told.
        revocation: Revocation,
    },
    /// A certificate was revoked.
    CertificateRevoked {
        /// The certificate as it was before.
        certificate: Certificate,
        /// The decision.
        revocation: Revocation,
        /// The requester's words.
        comment: String,
    },
    /// A CRL was issued.
    CrlIssued {
        /// The CRL.
        crl: SignedCrl,
    },
    /// An authority got a new OCSP signer.
    OcspSignerRotated {
        /// The authority.
        authority: AuthorityId,
        /// The signer's certificate.
        certificate: Certificate,
    },
    /// A trusted list was signed and published.
    ListPublished {
        /// The list.
        list: PublishedList,
        /// Its services, by their keys.
        services: Vec<ListedService>,
    },
    /// An account was created.
    AccountCreated {
        /// The account.
        account: Account,
    },
    /// A role was granted.
    RoleGranted {
        /// To whom.
        user: UserId,
        /// What.
        grant: RoleGrant,
    },
    /// A one-time link was made.
    CodeIssued {
        /// The code.
        code: EnrolmentCode,
    },
    /// A one-time link was used.
    CodeUsed {
        /// The code.
        code: EnrolmentCode,
    },
    /// A factor was added.
    FactorAdded {
        /// To whom.
        user: UserId,
        /// `password`, `totp`, `passkey`.
        factor: String,
    },
    /// Somebody signed in.
    LoggedIn {
        /// The session.
        session: Session,
    },
    /// A second factor was shown again.
    SteppedUp {
        /// The session.
        session: Session,
    },
    /// Somebody signed out, or a session was ended.
    SessionEnded {
        /// The session.
        session: Session,
    },
    /// Sign-in was closed for a time after failures.
    AccountLocked {
        /// Whose.
        user: UserId,
        /// Until when.
        until: Timestamp,
    },
    /// The life of policy documents.
    Policy(PolicyEvent),
    /// The identity of keys.
    Identity(IdentityEvent),
    /// People, proofing, grants, approvals.
    Delegation(DelegationEvent),
    /// The life of containers, instances and keys.
    Life(LifeEvent),
    /// The life of authorities.
    Authority(AuthorityEvent),
    /// Status as a whole: many certificates at once.
    Status(StatusEvent),
    /// A backup was made, rehearsed or restored.
    Backup(BackupEvent),
    /// What became of letters.
    Notice(NoticeEvent),
    /// Acts that wait for other persons.
    Proposal(ProposalEvent),
    /// The way of trusted lists.
    List(ListEvent),
    /// The states of organisations and branch offices.
    Registry(RegistryEvent),
    /// Trusted lists of others.
    Followed(FollowedEvent),
    /// Tokens of service accounts, and accounts that end.
    Access(AccessEvent),
    /// Something was refused.
    Refused {
        /// What was tried.
        code: AuditCode,
        /// On what.
        object: ObjectRef,
        /// Whose.
        organisation: Option<OrganisationId>,
        /// The policy it was decided under.
        policy: Option<Digest>,
        /// Why.
        refusal: Refusal,
    },
}

/// How an identity was checked (DOMAIN 16).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proofing {
    /// The method: `P1` is the register look-up.
    pub method: String,
    /// The digest of the evidence.
    pub evidence: Digest,
}

/// Which of an authority's lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum CrlList {
    /// Everything, where the authority has one list for all.
    Full,
    /// What changed since an earlier list of everything.
    Delta,
    /// One shard, by its number from 0.
    Shard(u32),
}

impl CrlList {
    /// Reads what [`CrlList`] shows as.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "full" => Some(Self::Full),
            "delta" => Some(Self::Delta),
            _ => text.strip_prefix("shard-")?.parse().ok().map(Self::Shard),
        }
    }
}

impl fmt::Display for CrlList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("full"),
            Self::Delta => f.write_str("delta"),
            Self::Shard(number) => write!(f, "shard-{number}"),
        }
    }
}

impl From<CrlList> for String {
    fn from(list: CrlList) -> Self {
        list.to_string()
    }
}

impl TryFrom<String> for CrlList {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or(text)
    }
}

/// A CRL that was issued.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuedCrl {
    /// The authority.
    pub authority: AuthorityId,
    /// Which of its lists.
    pub list: CrlList,
    /// In a delta, the number of the list that it brings up to date.
    pub base: Option<i64>,
    /// cRLNumber: strictly rising (RFC 5280, 5.2.3).
    pub number: i64,
    /// thisUpdate.
    pub this_update: Timestamp,
    /// nextUpdate.
    pub next_update: Timestamp,
    /// The last change of status that it tells.
    pub revision: i64,
    /// How many certificates it lists.
    pub entries: i64,
    /// How many octets it has.
    pub octets: i64,
    /// SHA-256 of its octets.
    pub digest: Digest,
}

/// A CRL that was issued, with its octets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCrl {
    /// What it is.
    pub head: IssuedCrl,
    /// The CRL (DER).
    pub der: Vec<u8>,
}

impl std::ops::Deref for SignedCrl {
    type Target = IssuedCrl;
    fn deref(&self) -> &IssuedCrl {
        &self.head
    }
}

fn facts(code: AuditCode, kind: &str, id: impl ToString, detail: Value) -> Facts {
    let detail = match detail {
        Value::Object(members) => members,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Map::new()
        }
    };
    Facts {
        code,
        object: ObjectRef::new(kind, id),
        organisation: None,
        outcome: Outcome::Ok,
        reason: None,
        policy: None,
        detail,
    }
}

impl Facts {
    fn of(mut self, organisation: &OrganisationId) -> Self {
        self.organisation = Some(organisation.clone());
        self
    }

    fn under(mut self, policy: Digest) -> Self {
        self.policy = Some(policy);
        self
    }
}

impl Event {
    /// What the record says beyond who, when and where from.
    pub fn facts(&self, node: &str) -> Facts {
        match self {
            Self::NodeStarted { version } => {
                facts(AuditCode::SysStart, "node", node, json!({ "version": version }))
            }
            Self::NodeStopped => facts(AuditCode::SysStop, "node", node, json!({})),
            Self::InstallationMade { policy } => facts(
                AuditCode::PolicyActivated,
                "policy",
                &policy.id,
                json!({ "version": policy.version }),
            ),
            Self::SchemaMigrated { from, to } => {
                facts(AuditCode::SysMigration, "node", node, json!({ "from": from, "to": to }))
            }
            Self::ClockCompared { check, trusted } => clock_facts(node, check, *trusted),
            Self::KeyGenerated { key } => key_facts(AuditCode::KeyGenerated, key),
            Self::KeyClaimed { key, organisation } => {
                key_facts(AuditCode::KeyClaimed, key).of(organisation)
            }
            Self::AuthorityPlanned { authority } => {
                authority_facts(AuditCode::CaKeyGenerated, authority)
            }
            Self::AuthorityCertified { authority } => {
                authority_facts(AuditCode::CaActivated, authority)
            }
            Self::OrganisationCreated { organisation, proofing } => facts(
                AuditCode::OrgCreated,
                "organisation",
                &organisation.id,
                json!({ "identifier": organisation.identifier, "proofing": proofing }),
            )
            .of(&organisation.id),
            Self::BranchCreated { branch } => facts(
                AuditCode::BranchCreated,
                "branch",
                &branch.id,
                json!({ "code": branch.code, "kind": branch.kind }),
            )
            .of(&branch.organisation),
            Self::CertificateIssued { .. }
            | Self::CertificateNotAccepted { .. }
            | Self::CertificateRevoked { .. }
            | Self::CrlIssued { .. }
            | Self::OcspSignerRotated { .. }
            | Self::ListPublished { .. } => self.publication_facts(),
            Self::AccountCreated { .. }
            | Self::RoleGranted { .. }
            | Self::CodeIssued { .. }
            | Self::CodeUsed { .. }
            | Self::FactorAdded { .. }
            | Self::LoggedIn { .. }
            | Self::SteppedUp { .. }
            | Self::SessionEnded { .. }
            | Self::AccountLocked { .. } => self.access_facts(),
            Self::Policy(event) => event.facts(),
            Self::Identity(event) => event.facts(),
            Self::Delegation(event) => event.facts(),
            Self::Life(event) => event.facts(),
            Self::Authority(event) => event.facts(),
            Self::Status(event) => event.facts(),
            Self::Backup(event) => event.facts(node),
            Self::Notice(event) => event.facts(),
            Self::Proposal(event) => event.facts(),
            Self::List(event) => event.facts(),
            Self::Registry(event) => event.facts(),
            Self::Followed(event) => event.facts(),
            Self::Access(event) => event.facts(),
            Self::Refused { code, object, organisation, policy, refusal } => Facts {
                code: *code,
                object: object.clone(),
                organisation: organisation.clone(),
                outcome: Outcome::Refused,
                reason: Some(refusal.code.word().to_owned()),
                policy: *policy,
                detail: refusal_detail(refusal),
            },
        }
    }

    fn publication_facts(&self) -> Facts {
        match self {
            Self::CertificateIssued { certificate } => {
                certificate_facts(AuditCode::CertIssued, certificate, json!({}))
            }
            Self::CertificateNotAccepted { certificate, revocation } => certificate_facts(
                AuditCode::CertNotAccepted,
                certificate,
                json!({ "cause": revocation.cause }),
            ),
            Self::CertificateRevoked { certificate, revocation, comment } => certificate_facts(
                AuditCode::CertRevoked,
                certificate,
                json!({
                    "cause": revocation.cause,
                    "reason_code": revocation.cause.reason().number(),
                    "revoked_at": revocation.at.to_string(),
                    "comment": comment,
                }),
            ),
            Self::CrlIssued { crl } => {
                let mut detail = json!({
                    "list": crl.list,
                    "number": crl.number,
                    "entries": crl.entries,
                    "octets": crl.octets,
                    "digest": crl.digest,
                });
                if let (Value::Object(members), Some(base)) = (&mut detail, crl.base) {
                    members.insert("base".to_owned(), json!(base));
                }
                facts(AuditCode::CrlIssued, "authority", &crl.authority, detail)
            }
            Self::OcspSignerRotated { authority, certificate } => facts(
                AuditCode::OcspSignerRotated,
                "authority",
                authority,
                json!({ "serial": certificate.serial, "key": certificate.key }),
            ),
            Self::ListPublished { list, .. } => facts(
                AuditCode::ListPublished,
                "list",
                &list.scheme,
                json!({ "sequence": list.sequence, "digest": list.digest }),
            ),
            Self::NodeStarted { .. }
            | Self::NodeStopped
            | Self::InstallationMade { .. }
            | Self::SchemaMigrated { .. }
            | Self::ClockCompared { .. }
            | Self::KeyGenerated { .. }
            | Self::AuthorityPlanned { .. }
            | Self::AuthorityCertified { .. }
            | Self::OrganisationCreated { .. }
            | Self::BranchCreated { .. }
            | Self::KeyClaimed { .. }
            | Self::AccountCreated { .. }
            | Self::RoleGranted { .. }
            | Self::CodeIssued { .. }
            | Self::CodeUsed { .. }
            | Self::FactorAdded { .. }
            | Self::LoggedIn { .. }
            | Self::SteppedUp { .. }
            | Self::SessionEnded { .. }
            | Self::AccountLocked { .. }
            | Self::Policy(_)
            | Self::Identity(_)
            | Self::Delegation(_)
            | Self::Life(_)
            | Self::Authority(_)
            | Self::Status(_)
            | Self::Backup(_)
            | Self::Notice(_)
            | Self::Proposal(_)
            | Self::List(_)
            | Self::Registry(_)
            | Self::Followed(_)
            | Self::Access(_)
            | Self::Refused { .. } => self.facts(""),
        }
    }

    fn access_facts(&self) -> Facts {
        match self {
            Self::AccountCreated { account } => facts(
                AuditCode::AccountCreated,
                "user",
                &account.id,
                json!({ "registered_by": account.registered_by }),
            ),
            Self::RoleGranted { user, grant } => {
                facts(AuditCode::RoleGranted, "user", user, json!({ "grant": grant }))
            }
            Self::CodeIssued { code } => facts(
                AuditCode::AuthCodeIssued,
                "user",
                &code.user,
                json!({ "expires_at": code.expires_at.to_string() }),
            ),
            Self::CodeUsed { code } => {
                facts(AuditCode::AuthCodeUsed, "user", &code.user, json!({}))
            }
            Self::FactorAdded { user, factor } => {
                facts(AuditCode::AuthFactorAdded, "user", user, json!({ "factor": factor }))
            }
            Self::LoggedIn { session } => facts(
                AuditCode::AuthLogin,
                "session",
                &session.id,
                json!({ "user": session.user, "factors": session.authenticator }),
            ),
            Self::SteppedUp { session } => {
                facts(AuditCode::AuthStepUp, "session", &session.id, json!({}))
            }
            Self::SessionEnded { session } => {
                facts(AuditCode::SessionEnded, "session", &session.id, json!({}))
            }
            Self::AccountLocked { user, until } => {
                facts(AuditCode::AuthLocked, "user", user, json!({ "until": until.to_string() }))
            }
            Self::NodeStarted { .. }
            | Self::NodeStopped
            | Self::InstallationMade { .. }
            | Self::SchemaMigrated { .. }
            | Self::ClockCompared { .. }
            | Self::KeyGenerated { .. }
            | Self::AuthorityPlanned { .. }
            | Self::AuthorityCertified { .. }
            | Self::OrganisationCreated { .. }
            | Self::BranchCreated { .. }
            | Self::KeyClaimed { .. }
            | Self::CertificateIssued { .. }
            | Self::CertificateNotAccepted { .. }
            | Self::CertificateRevoked { .. }
            | Self::CrlIssued { .. }
            | Self::OcspSignerRotated { .. }
            | Self::ListPublished { .. }
            | Self::Policy(_)
            | Self::Identity(_)
            | Self::Delegation(_)
            | Self::Life(_)
            | Self::Authority(_)
            | Self::Status(_)
            | Self::Backup(_)
            | Self::Notice(_)
            | Self::Proposal(_)
            | Self::List(_)
            | Self::Registry(_)
            | Self::Followed(_)
            | Self::Access(_)
            | Self::Refused { .. } => self.facts(""),
        }
    }
}

fn clock_facts(node: &str, check: &ClockCheck, trusted: bool) -> Facts {
    let detail = json!({ "source": check.source, "offset_ms": check.offset_millis });
    let outcome = if trusted { Outcome::Ok } else { Outcome::Failed };
    Facts { outcome, ..facts(AuditCode::SysClockOffset, "node", node, detail) }
}

fn key_facts(code: AuditCode, key: &Key) -> Facts {
    facts(
        code,
        "key",
        &key.id,
        json!({
            "role": key.role,
            "holder": key.holder,
            "algorithm": key.algorithm,
            "fingerprint": key.fingerprint,
            "origin": key.origin,
        }),
    )
}

fn authority_facts(code: AuditCode, authority: &Authority) -> Facts {
    facts(
        code,
        "authority",
        &authority.id,
        json!({
            "code": authority.code,
            "kind": authority.kind,
            "generation": authority.generation,
            "key": authority.key,
            "serial": authority.serial,
        }),
    )
}

fn certificate_facts(code: AuditCode, certificate: &Certificate, more: Value) -> Facts {
    let mut detail = json!({
        "authority": certificate.authority,
        "serial": certificate.serial,
        "profile": certificate.profile,
        "key": certificate.key,
    });
    if let (Value::Object(all), Value::Object(more)) = (&mut detail, more) {
        all.extend(more);
    }
    let facts = facts(code, "certificate", &certificate.id, detail).under(certificate.policy);
    match &certificate.seal {
        Some(seal) => facts.of(&seal.organisation),
        None => facts,
    }
}

fn refusal_detail(refusal: &Refusal) -> Map<String, Value> {
    let mut detail = Map::new();
    detail.insert("rule".to_owned(), json!(refusal.rule));
    if !refusal.facts.is_empty() {
        detail.insert("facts".to_owned(), json!(refusal.facts));
    }
    detail
}

/// A record of the chain: `seq` and what happened. `prev` and `hash` are kept beside it.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditRecord {
    /// Position in the chain, from 1, without gaps.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// Who and from where.
    pub origin: Origin,
    /// What.
    pub facts: Facts,
}

impl AuditRecord {
    /// The record as canonical JSON; members without a value are left out.
    pub fn canonical(&self) -> Result<String, CanonicalError> {
        let mut record = Map::new();
        let mut put = |name: &str, value: Value| {
            if !value.is_null() {
                record.insert(name.to_owned(), value);
            }
        };
        put("seq", json!(self.seq));
        put("at", json!(self.at.to_rfc3339_millis()));
        put("code", json!(self.facts.code));
        put("actor", actor_json(&self.origin.actor));
        put("object", json!(self.facts.object));
        put("organisation", json!(self.facts.organisation));
        put("outcome", json!(self.facts.outcome));
        put("reason", json!(self.facts.reason));
        put("policy", json!(self.facts.policy));
        put("request", json!(self.origin.request));
        put("source", json!(self.origin.source));
        put("detail", Value::Object(self.facts.detail.clone()));
        canonical(&Value::Object(record))
    }
}

fn actor_json(actor: &Actor) -> Value {
    let mut members = Map::new();
    members.insert("kind".to_owned(), json!(actor.kind));
    members.insert("id".to_owned(), json!(actor.id));
    if let Some(authenticator) = &actor.authenticator {
        members.insert("authenticator".to_owned(), json!(authenticator));
    }
    Value::Object(members)
}

/// The `prev` of the first record: 32 zero octets.
pub const GENESIS: Digest = Digest([0; 32]);

/// The hash of a record: `SHA-256(0x01 || prev || canonical record)`.
pub fn chain_hash(prev: &Digest, canonical_record: &str) -> Digest {
    let mut hasher = Sha256::new();
    hasher.update([0x01]);
    hasher.update(prev.0);
    hasher.update(canonical_record.as_bytes());
    Digest(hasher.finalize().into())
}

/// A record as the store keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRecord {
    /// Position.
    pub seq: i64,
    /// The canonical record.
    pub record: String,
    /// The hash of the record before.
    pub prev: Digest,
    /// The hash of this record.
    pub hash: Digest,
}

/// Where a chain is broken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("record {seq} {fault}")]
pub struct ChainBreak {
    /// The first position that does not hold.
    pub seq: i64,
    /// What is wrong there.
    pub fault: ChainFault,
}

/// What is wrong with a record of the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainFault {
    /// The record is not there.
    #[error("is missing")]
    Missing,
    /// The record says another position than its place.
    #[error("does not stand in its place")]
    Misplaced,
    /// The record's `prev` is not the hash before it.
    #[error("does not follow the record before it")]
    Unlinked,
    /// The record's content does not give its hash.
    #[error("was changed")]
    Altered,
}

impl ChainFault {
    /// The word under which the catalogue tells it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Missing => "chain-missing",
            Self::Misplaced => "chain-misplaced",
            Self::Unlinked => "chain-unlinked",
            Self::Altered => "chain-altered",
        }
    }
}

/// Walks a chain record by record; memory does not grow with its length.
#[derive(Clone, Debug)]
pub struct ChainWalk {
    next: i64,
    prev: Digest,
}

impl Default for ChainWalk {
    fn default() -> Self {
        Self { next: 1, prev: GENESIS }
    }
}

impl ChainWalk {
    /// Checks the next record.
    pub fn step(&mut self, stored: &StoredRecord) -> Result<(), ChainBreak> {
        let fault = |fault| Err(ChainBreak { seq: self.next, fault });
        if stored.seq > self.next {
            return fault(ChainFault::Missing);
        }
        let says: Option<i64> = serde_json::from_str::<Value>(&stored.record)
            .ok()
            .and_then(|record| record.get("seq").and_then(Value::as_i64));
        if stored.seq < self.next || says != Some(stored.seq) {
            return fault(ChainFault::Misplaced);
        }
        if stored.prev != self.prev {
            return fault(ChainFault::Unlinked);
        }
        if chain_hash(&self.prev, &stored.record) != stored.hash {
            return fault(ChainFault::Altered);
        }
        self.next += 1;
        self.prev = stored.hash;
        Ok(())
    }

    /// Checks the end against the head kept beside the chain, which tells when the last records
    /// are gone. Gives the number of records.
    pub fn finish(&self, head_seq: i64, head_hash: &Digest) -> Result<i64, ChainBreak> {
        if head_seq >= self.next {
            return Err(ChainBreak { seq: self.next, fault: ChainFault::Missing });
        }
        if head_seq + 1 < self.next || *head_hash != self.prev {
            return Err(ChainBreak { seq: head_seq, fault: ChainFault::Altered });
        }
        Ok(head_seq)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VECTORS: &str = include_str!("../../../tests/data/vectors/audit-chain.txt");

    fn chain() -> Vec<StoredRecord> {
        let mut prev = GENESIS;
        VECTORS
            .lines()
            .zip(1..)
            .map(|(line, seq)| {
                let (hash, record) = line.split_once(' ').unwrap();
                let hash = Digest::parse(hash).unwrap();
                let stored = StoredRecord { seq, record: record.to_owned(), prev, hash };
                prev = hash;
                stored
            })
            .collect()
    }

    fn check(records: &[StoredRecord], expected: Result<i64, ChainBreak>) {
        let head = chain().pop().unwrap();
        let mut walk = ChainWalk::default();
        let walked = records.iter().try_for_each(|record| walk.step(record));
        assert_eq!(walked.and_then(|()| walk.finish(head.seq, &head.hash)), expected);
    }

    #[test]
    fn the_chain_of_domain_22_holds() {
        check(&chain(), Ok(2));
    }

    #[test]
    fn a_lost_record_is_named() {
        check(&chain()[1..], Err(ChainBreak { seq: 1, fault: ChainFault::Missing }));
        check(&chain()[..1], Err(ChainBreak { seq: 2, fault: ChainFault::Missing }));
        check(&[], Err(ChainBreak { seq: 1, fault: ChainFault::Missing }));
    }

    #[test]
    fn a_changed_record_is_named() {
        let mut altered = chain();
        altered[1].record = altered[1].record.replace("refused", "ok");
        check(&altered, Err(ChainBreak { seq: 2, fault: ChainFault::Altered }));
        let mut rehashed = chain();
        rehashed[0].record = rehashed[0].record.replace("0.1.0", "0.2.0");
        rehashed[0].hash = chain_hash(&GENESIS, &rehashed[0].record);
        check(&rehashed, Err(ChainBreak { seq: 2, fault: ChainFault::Unlinked }));
        let mut swapped = chain();
        swapped.swap(0, 1);
        check(&swapped, Err(ChainBreak { seq: 1, fault: ChainFault::Missing }));
    }
}
