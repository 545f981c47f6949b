//! Refusals: a stable code, the rule that refuses, and the facts that the words are filled with.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::key::words;

words! {
    /// The refusal codes of DOMAIN 21. A code never changes its meaning.
    RefusalCode {
        /// The object is not in a state from which this transition leads.
        StateConflict = "state-conflict",
        /// The actor lacks the permission.
        NotAuthorised = "not-authorised",
        /// A second person is needed.
        DualControl = "dual-control",
        /// Nobody approves an application of their own.
        SelfApproval = "self-approval",
        /// The approval is older than 14 days.
        ApprovalExpired = "approval-expired",
        /// There is no grant.
        GrantMissing = "grant-missing",
        /// The grant has ended.
        GrantEnded = "grant-ended",
        /// The grant does not cover this.
        GrantScope = "grant-scope",
        /// The quota of the grant is used up.
        GrantQuota = "grant-quota",
        /// The grant does not allow a sub-grant.
        GrantDepth = "grant-depth",
        /// A proofing record is missing.
        ProofingMissing = "proofing-missing",
        /// A proofing record has expired.
        ProofingExpired = "proofing-expired",
        /// The identifier is not well-formed or its check digit is wrong.
        IdentifierInvalid = "identifier-invalid",
        /// The identifier does not fit the rest.
        IdentifierMismatch = "identifier-mismatch",
        /// The organisation is already recorded.
        OrganisationExists = "organisation-exists",
        /// The organisation may not apply now.
        OrganisationRestricted = "organisation-restricted",
        /// The branch is not open.
        BranchClosed = "branch-closed",
        /// The name breaks the rules of DOMAIN 4.4.
        NameInvalid = "name-invalid",
        /// The level is not allowed here.
        LevelNotAllowed = "level-not-allowed",
        /// A legal claim without an accreditation record.
        ClaimNotBacked = "claim-not-backed",
        /// Algorithm or size outside the policy (KM-1).
        KeyAlgorithm = "key-algorithm",
        /// Parameters outside the policy (KM-2, KM-4).
        KeyParameters = "key-parameters",
        /// A weak key (KM-3).
        KeyWeak = "key-weak",
        /// A published or blocked key (KM-5).
        KeyBlocked = "key-blocked",
        /// The key is already known (KM-6).
        KeyDuplicate = "key-duplicate",
        /// The instance's earlier key again (KM-11).
        KeyReuse = "key-reuse",
        /// Possession of the private key is not shown (KM-7).
        PossessionNotShown = "possession-not-shown",
        /// The origin of the key is not shown far enough (KM-8).
        OriginInsufficient = "origin-insufficient",
        /// The attestation does not verify (KM-9).
        AttestationInvalid = "attestation-invalid",
        /// The container did not give the key the demanded attributes (KM-10).
        ContainerAttributes = "container-attributes",
        /// The container is used by another holder (KM-15).
        ContainerShared = "container-shared",
        /// The branch has no custodian (KM-16).
        CustodianMissing = "custodian-missing",
        /// More live instances than allowed (KM-14).
        InstancesExceeded = "instances-exceeded",
        /// Validity beyond the policy (KM-12).
        ValidityExceeded = "validity-exceeded",
        /// The key may not seal now (KM-13).
        SealingNotAllowed = "sealing-not-allowed",
        /// The key may not be exported (KM-18).
        ExportForbidden = "export-forbidden",
        /// Evidence of too low a class.
        EvidenceInsufficient = "evidence-insufficient",
        /// Evidence does not account for every copy.
        EvidenceIncomplete = "evidence-incomplete",
        /// The suspension lasts too long (RV-1).
        SuspensionLimit = "suspension-limit",
        /// A revocation is never undone (RV-2).
        RevocationFinal = "revocation-final",
        /// The certificate to be signed has findings (DOMAIN 12.8).
        LintFailed = "lint-failed",
        /// The policy changed and would refuse (KM-21).
        PolicyChanged = "policy-changed",
        /// The policy lacks approvals (KM-22).
        PolicyApproval = "policy-approval",
        /// The clock cannot be trusted (KM-20).
        ClockUntrusted = "clock-untrusted",
        /// No unused serial number was found.
        SerialExhausted = "serial-exhausted",
        /// The authority does not issue now.
        AuthorityNotActive = "authority-not-active",
        /// The hash algorithm is not allowed (US-3).
        HashNotAllowed = "hash-not-allowed",
        /// Sealing was not authorised.
        AuthorisationMissing = "authorisation-missing",
        /// The authorisation to seal has expired.
        AuthorisationExpired = "authorisation-expired",
        /// The authorisation to seal was used.
        AuthorisationUsed = "authorisation-used",
        /// The digest is not among those authorised.
        DigestNotAuthorised = "digest-not-authorised",
        /// Too many requests.
        RateLimited = "rate-limited",
    }
}

/// A refusal: what the caller is told, and what the audit record keeps.
///
/// Facts never name what belongs to another tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The stable code.
    pub code: RefusalCode,
    /// The rule that refuses, as DOMAIN names it (`KM-6`, `I-8`).
    pub rule: String,
    /// What the words of the catalogue are filled with, by the name of the placeholder.
    pub facts: BTreeMap<String, String>,
}

impl Refusal {
    /// A refusal under a rule.
    pub fn new(code: RefusalCode, rule: &str) -> Self {
        Self { code, rule: rule.to_owned(), facts: BTreeMap::new() }
    }

    /// Adds a fact for the words.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl fmt::Display) -> Self {
        self.facts.insert(name.to_owned(), value.to_string());
        self
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.code, self.rule)?;
        for (name, value) in &self.facts {
            write!(f, ", {name}: {value}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Refusal {}
