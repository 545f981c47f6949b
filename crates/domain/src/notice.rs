//! Notices: which are due, to whom, and what becomes of a letter that does not leave (DOMAIN 19).
//!
//! A rule here takes what is known, what was told already and the instant. Deliberately not here:
//! words (catalogue), letters (the crate `mail`), and who holds which grant.

mod cause;
mod schedule;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::access::{Role, RoleGrant, Scope};
use crate::account::Account;
use crate::audit::ObjectRef;
use crate::id::{AuthorityId, BranchId, InstanceId, OrganisationId, UserId};
use crate::key::words;
use crate::organisation::Language;
use crate::time::Timestamp;

pub use self::cause::caused_by;
pub use self::schedule::{LAST_ATTEMPT, Step, Term, is_stale, step_due, try_again};

words! {
    /// What a notice is about (DOMAIN 19). Stored: add, never change one.
    NoticeKind {
        /// The sealing period of a key ends.
        SealingEnds = "sealing-ends",
        /// A seal certificate ends.
        CertificateEnds = "certificate-ends",
        /// Evidence of destruction is due.
        DestructionDue = "destruction-due",
        /// An application waits for somebody.
        ApplicationWaiting = "application-waiting",
        /// A grant ends.
        GrantEnds = "grant-ends",
        /// An organisation or person could not be proofed.
        ProofingFailed = "proofing-failed",
        /// The register says something else than the record.
        RegisterMismatch = "register-mismatch",
        /// Somebody showed possession of a key that is another's.
        DuplicateKey = "duplicate-key",
        /// Something hints at a copy of a key.
        CopySuspected = "copy-suspected",
        /// A certificate was revoked.
        CertificateRevoked = "certificate-revoked",
        /// A certificate was put on hold.
        CertificateSuspended = "certificate-suspended",
        /// A hold was lifted.
        CertificateReleased = "certificate-released",
        /// A CRL nears its nextUpdate.
        CrlEnds = "crl-ends",
        /// An OCSP signer nears its end.
        OcspSignerEnds = "ocsp-signer-ends",
        /// A trusted list nears its next update.
        ListEnds = "list-ends",
        /// Something is wrong with a list of others that is believed here.
        ListTroubled = "list-troubled",
        /// An authority's certificate nears its end.
        AuthorityEnds = "authority-ends",
    }
}

words! {
    /// The part somebody plays towards what a notice is about.
    Part {
        /// Answers for the keys of the branch.
        Custodian = "custodian",
        /// Acts under a grant.
        Delegate = "delegate",
        /// Administers the organisation.
        OrganisationAdministrator = "organisation-administrator",
        /// Represents the organisation.
        Representative = "representative",
        /// Proofs and decides.
        RegistrationOfficer = "registration-officer",
        /// Runs authorities.
        CaOfficer = "ca-officer",
        /// Runs the status services.
        ValidationOperator = "validation-operator",
        /// Decides the application.
        Approver = "approver",
        /// Made the application.
        Applicant = "applicant",
        /// Gave the grant.
        Grantor = "grantor",
        /// Acts under the grant that ends.
        Grantee = "grantee",
    }
}

impl NoticeKind {
    /// Who is told at a step (DOMAIN 19).
    pub fn audience(self, step: Step) -> Vec<Part> {
        use Part as P;
        let near = |days| matches!(step, Step::Before(left) if left <= days);
        match self {
            Self::SealingEnds | Self::CertificateEnds => {
                let mut told = vec![P::Custodian, P::Delegate];
                told.extend(near(14).then_some(P::OrganisationAdministrator));
                told.extend(near(7).then_some(P::Representative));
                told
            }
            Self::DestructionDue => {
                vec![P::Custodian, P::OrganisationAdministrator, P::RegistrationOfficer]
            }
            Self::ApplicationWaiting => vec![P::Approver, P::Applicant],
            Self::GrantEnds => vec![P::Grantor, P::Grantee],
            Self::ProofingFailed | Self::RegisterMismatch => {
                vec![P::RegistrationOfficer, P::OrganisationAdministrator]
            }
            Self::DuplicateKey | Self::CopySuspected => {
                vec![P::Custodian, P::RegistrationOfficer, P::CaOfficer]
            }
            Self::CertificateRevoked | Self::CertificateSuspended | Self::CertificateReleased => {
                vec![P::Custodian, P::Delegate, P::Representative]
            }
            Self::CrlEnds
            | Self::OcspSignerEnds
            | Self::ListEnds
            | Self::ListTroubled
            | Self::AuthorityEnds => vec![P::CaOfficer, P::ValidationOperator],
        }
    }
}

/// Where the matter lies: whoever's role reaches there is concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Anywhere: only roles over the whole platform reach.
    Platform,
    /// At an authority.
    Authority(AuthorityId),
    /// In an organisation.
    Organisation(OrganisationId),
    /// In a branch office.
    Branch(BranchId),
    /// At the branch office of an instance of a seal.
    Instance(InstanceId),
    /// With one person.
    Person(UserId),
}

/// Somebody to be told, by part and place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addressee {
    /// The part.
    pub part: Part,
    /// Where.
    pub place: Place,
}

/// A place with the organisation and branch it lies in, as the store found them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The whole platform.
    Platform,
    /// An authority.
    Authority(AuthorityId),
    /// An organisation.
    Organisation(OrganisationId),
    /// A branch office of an organisation.
    Branch(OrganisationId, BranchId),
    /// One person.
    Person(UserId),
}

/// Whether an account plays a part at a place now: its role is in force and reaches there. Parts
/// that rest on a grant, and the custodian named in a branch's record, are not read off accounts.
pub fn plays(account: &Account, part: Part, reach: &Reach, now: Timestamp) -> bool {
    if account.disabled_at.is_some() {
        return false;
    }
    if let Reach::Person(user) = reach {
        return account.id == *user;
    }
    let role = match part {
        Part::Custodian => Role::Custodian,
        Part::OrganisationAdministrator => Role::OrganisationAdministrator,
        Part::RegistrationOfficer | Part::Approver => Role::RegistrationOfficer,
        Part::CaOfficer => Role::CaOfficer,
        Part::ValidationOperator => Role::ValidationOperator,
        Part::Delegate | Part::Representative | Part::Applicant | Part::Grantor | Part::Grantee => {
            return false;
        }
    };
    let holds =
        |grant: &RoleGrant| grant.role == role && grant.until > now && reaches(&grant.scope, reach);
    account.roles.iter().any(holds)
}

fn reaches(scope: &Scope, reach: &Reach) -> bool {
    match reach {
        Reach::Platform => *scope == Scope::Platform,
        Reach::Authority(authority) => scope.covers_authority(authority),
        Reach::Organisation(organisation) => scope.covers_organisation(organisation),
        Reach::Branch(organisation, branch) => scope.covers(organisation, branch),
        Reach::Person(_) => false,
    }
}

/// An e-mail address that may stand in an envelope and a header: an addr-spec of RFC 5321 in ASCII,
/// the local part in its dotted form.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailAddress(String);

/// Why a text is no e-mail address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an e-mail address is written name@example.jp")]
pub struct EmailError;

impl EmailAddress {
    /// Reads an address. Comments, quoted names and several addresses are refused.
    pub fn parse(text: &str) -> Result<Self, EmailError> {
        let text = text.trim();
        let (local, domain) = text.rsplit_once('@').ok_or(EmailError)?;
        let atoms = |part: &str, also: &[u8]| {
            part.split('.').all(|atom| {
                !atom.is_empty()
                    && atom.bytes().all(|b| b.is_ascii_alphanumeric() || also.contains(&b))
            })
        };
        let fine = text.len() <= 254
            && local.len() <= 64
            && atoms(local, b"!#$%&'*+-/=?^_`{|}~")
            && domain.contains('.')
            && atoms(domain, b"-");
        if fine { Ok(Self(text.to_owned())) } else { Err(EmailError) }
    }

    /// The address as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What one mailbox is recognised by, however it was written.
    pub fn mailbox(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for EmailAddress {
    type Error = EmailError;
    fn try_from(text: String) -> Result<Self, EmailError> {
        Self::parse(&text)
    }
}

impl From<EmailAddress> for String {
    fn from(address: EmailAddress) -> Self {
        address.0
    }
}

/// Who gets a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recipient {
    /// Somebody with a mailbox.
    Person {
        /// Where the letter goes.
        address: EmailAddress,
        /// The name on it.
        name: String,
        /// The language of the letter.
        language: Language,
    },
    /// The operator's own mailbox: nobody who should be told has an address.
    Operator,
}

impl Recipient {
    /// By what one recipient is told once: the mailbox, or `operator`.
    pub fn mailbox(&self) -> String {
        match self {
            Self::Person { address, .. } => address.mailbox(),
            Self::Operator => "operator".to_owned(),
        }
    }
}

/// What people are to be told: a matter, before it is known at which step and to which mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matter {
    /// What it is about.
    pub kind: NoticeKind,
    /// The object.
    pub object: ObjectRef,
    /// Whose it is.
    pub organisation: Option<OrganisationId>,
    /// The facts for the words, by name; instants as RFC 3339 under `date` and `since`.
    pub facts: BTreeMap<String, String>,
}

impl Matter {
    /// A matter without facts.
    pub fn new(kind: NoticeKind, object: ObjectRef, of: Option<&OrganisationId>) -> Self {
        Self { kind, object, organisation: of.cloned(), facts: BTreeMap::new() }
    }

    /// Adds a fact.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl fmt::Display) -> Self {
        self.facts.insert(name.to_owned(), value.to_string());
        self
    }

    /// Everybody who is told at a step, all at one place.
    pub fn told_at(&self, step: Step, place: &Place) -> Vec<Addressee> {
        let to = |part| Addressee { part, place: place.clone() };
        self.kind.audience(step).into_iter().map(to).collect()
    }
}

/// A matter at its step, with everybody who is to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occasion {
    /// The matter.
    pub matter: Matter,
    /// The step.
    pub step: Step,
    /// Who is told.
    pub told: Vec<Addressee>,
}

/// What became of a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// It waits, or waits again.
    Waiting {
        /// When it is tried next.
        next_at: Timestamp,
        /// What happened the last time.
        problem: Option<String>,
    },
    /// The mail server took it.
    Sent {
        /// When.
        at: Timestamp,
        /// When the recipient said that it was read.
        acknowledged: Option<Timestamp>,
    },
    /// It was given up: refused for good, or tried too often.
    GivenUp {
        /// When.
        at: Timestamp,
        /// Why.
        problem: String,
    },
}

/// A notice to one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Its number on this installation.
    pub number: i64,
    /// What it tells.
    pub matter: Matter,
    /// At which step.
    pub step: Step,
    /// Whom.
    pub recipient: Recipient,
    /// Since when it is due.
    pub due_at: Timestamp,
    /// How often it was tried.
    pub attempts: i32,
    /// What became of it.
    pub delivery: Delivery,
}

words! {
    /// Why a letter did not leave, as records say it: no server's words, which may name people.
    MailProblem {
        /// No mail server is set up.
        NotSetUp = "not-set-up",
        /// The server did not answer, or not in time.
        Unreachable = "unreachable",
        /// The server's certificate is not trusted, or it offers no TLS.
        Tls = "tls",
        /// The server refused name or password.
        SignIn = "sign-in",
        /// The server wants it later (4xx).
        Later = "later",
        /// The server refused the letter for good (5xx).
        Refused = "refused",
        /// The letter could not be written.
        Unwritable = "unwritable",
        /// It waited for so long that it tells nothing any more.
        TooLate = "too-late",
    }
}

impl MailProblem {
    /// Whether another try is of no use, because the server refused this very letter.
    pub const fn is_final(self) -> bool {
        match self {
            Self::Refused | Self::TooLate => true,
            Self::NotSetUp
            | Self::Unreachable
            | Self::Tls
            | Self::SignIn
            | Self::Later
            | Self::Unwritable => false,
        }
    }

    /// Whether the next letter would meet the same.
    pub const fn concerns_every_letter(self) -> bool {
        match self {
            Self::NotSetUp | Self::Unreachable | Self::Tls | Self::SignIn => true,
            Self::Later | Self::Refused | Self::Unwritable | Self::TooLate => false,
        }
    }
}

#[cfg(test)]
mod tests;
