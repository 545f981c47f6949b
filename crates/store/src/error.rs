//! What can go wrong between the program and its database.
//!
//! No message names a password: addresses are shown without their user part.

use std::error::Error;

use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind};

/// Why the store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The row is not there, or lies outside the scope of whoever asks.
    #[error("there is no such {what}")]
    NotFound {
        /// What was looked for.
        what: &'static str,
    },
    /// What must be unique is taken, or a row is no longer in the state the change starts from.
    #[error("{what} is already taken or was changed meanwhile")]
    Conflict {
        /// What is taken.
        what: &'static str,
    },
    /// The database was made by a newer program.
    #[error(
        "the database has version {found}, this program knows versions up to {known}; use the newer program"
    )]
    Newer {
        /// The database's last migration.
        found: String,
        /// The program's last migration.
        known: String,
    },
    /// The database is empty or of an older version.
    #[error("the database is empty or of an older version; its migrations are to be run first")]
    NotMigrated,
    /// The address of the database has no form that is understood.
    #[error("a database address is sqlite:PATH, a path, or postgres://…, not {address}")]
    Address {
        /// The address, without its user part.
        address: String,
    },
    /// The folder of the database file is missing or cannot be written.
    #[error("the folder {folder} of the database file does not exist")]
    NoFolder {
        /// The folder.
        folder: String,
    },
    /// The file is something else.
    #[error("{path} is not a database file")]
    NotADatabase {
        /// The file.
        path: String,
    },
    /// The server refused the user or the password.
    #[error("the database server {database} refused the sign-in: {reason}")]
    SignIn {
        /// The address, without its user part.
        database: String,
        /// The server's words.
        reason: String,
    },
    /// No connection was to be had.
    #[error("the database {database} cannot be reached: {reason}")]
    Unreachable {
        /// The address, without its user part.
        database: String,
        /// What was reported.
        reason: String,
    },
    /// A stored value does not read back.
    #[error("the {what} {id} does not read back: its {column} is damaged")]
    Corrupt {
        /// The table.
        what: &'static str,
        /// The row.
        id: String,
        /// The column.
        column: &'static str,
    },
    /// Others were writing for too long, or two writers stood in each other's way: try again.
    #[error("the database is busy")]
    Busy,
    /// An earlier step of the transaction had failed, so none of it was kept.
    #[error("an earlier step of the transaction failed, so none of it was kept")]
    Abandoned,
    /// Anything else that the database reports.
    #[error("the database reports an error: {0}")]
    Database(#[source] Box<dyn Error + Send + Sync>),
}

impl StoreError {
    /// The same error, for somebody else whom it concerns.
    pub(crate) fn again(&self) -> Self {
        match self {
            Self::NotFound { what } => Self::NotFound { what },
            Self::Conflict { what } => Self::Conflict { what },
            Self::Busy => Self::Busy,
            Self::Abandoned => Self::Abandoned,
            Self::NotMigrated => Self::NotMigrated,
            Self::Unreachable { database, reason } => {
                Self::Unreachable { database: database.clone(), reason: reason.clone() }
            }
            Self::Newer { .. }
            | Self::Address { .. }
            | Self::NoFolder { .. }
            | Self::NotADatabase { .. }
            | Self::SignIn { .. }
            | Self::Corrupt { .. }
            | Self::Database(_) => Self::Database(self.to_string().into()),
        }
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "diesel's errors are not ours, and open")]
impl From<diesel::result::Error> for StoreError {
    fn from(error: diesel::result::Error) -> Self {
        use diesel::result::Error as E;
        match error {
            E::DatabaseError(DatabaseErrorKind::UniqueViolation, info) => {
                Self::Conflict { what: meaning(info.as_ref()) }
            }
            E::DatabaseError(DatabaseErrorKind::SerializationFailure, _) => Self::Busy,
            E::DatabaseError(DatabaseErrorKind::ClosedConnection, info) => Self::Unreachable {
                database: "server".to_owned(),
                reason: info.message().trim().to_owned(),
            },
            E::DatabaseError(_, ref info) if is_busy(info.message()) => Self::Busy,
            E::NotFound => Self::NotFound { what: "row" },
            other => Self::Database(Box::new(other)),
        }
    }
}

/// SQLite's BUSY and LOCKED, PostgreSQL's deadlock and lock time-out: neither has a kind of its
/// own in diesel.
fn is_busy(message: &str) -> bool {
    ["database is locked", "database table is locked", "deadlock detected", "lock timeout"]
        .iter()
        .any(|busy| message.contains(busy))
}

/// Unique constraints: the name in PostgreSQL, the columns as SQLite reports them, the meaning.
const MEANINGS: &[(&str, &str, &str)] = &[
    ("policies_digest", "policies.digest", "policy"),
    ("policy_drafts_digest", "policy_drafts.digest", "policy draft"),
    (
        "policy_decisions_person",
        "policy_decisions.digest, policy_decisions.person",
        "decision about the policy",
    ),
    ("keys_id", "keys.id", "key"),
    ("keys_fingerprint", "keys.fingerprint", "key fingerprint"),
    ("authorities_id", "authorities.id", "authority"),
    ("authorities_code", "authorities.code", "authority code"),
    ("organisations_id", "organisations.id", "organisation"),
    ("organisations_identifier", "organisations.identifier", "organisation identifier"),
    ("branches_id", "branches.id", "branch"),
    ("branches_code", "branches.organisation_id, branches.code", "branch code"),
    ("instances_id", "instances.id", "instance"),
    (
        "instances_number",
        "instances.branch_id, instances.level, instances.number",
        "application instance",
    ),
    ("applications_id", "applications.id", "application"),
    ("certificates_id", "certificates.id", "certificate"),
    ("certificates_serial", "certificates.authority_id, certificates.serial", "certificate serial"),
    ("certificates_application", "certificates.application_id", "application"),
    ("challenges_challenge", "challenges.challenge", "challenge"),
    (
        "challenges_number",
        "challenges.application_id, challenges.number",
        "challenge of the application",
    ),
    ("incidents_id", "incidents.id", "incident"),
    ("incidents_open", "incidents.fingerprint", "incident"),
    ("feed_issuers_code", "feed_issuers.code", "feed issuer"),
    ("proposals_id", "proposals.id", "proposal"),
    (
        "proposal_decisions_person",
        "proposal_decisions.proposal_id, proposal_decisions.person",
        "decision about the proposal",
    ),
    ("accreditations_id", "accreditations.id", "accreditation"),
    ("feed_exports_sequence", "feed_exports.authority, feed_exports.sequence", "feed sequence"),
    ("feed_keys_fingerprint", "feed_keys.issuer, feed_keys.fingerprint", "key of a feed"),
    ("leis_lei", "leis.lei", "LEI"),
    ("imprints_digest", "imprints.digest", "imprint"),
    ("vendor_roots_code", "vendor_roots.code", "vendor root"),
    (
        "vendor_root_decisions_person",
        "vendor_root_decisions.code, vendor_root_decisions.asked_at, vendor_root_decisions.person",
        "decision about the vendor root",
    ),
    ("key_evidence_id", "key_evidence.id", "key evidence"),
    ("containers_serial", "containers.serial, containers.partition_name", "container"),
    (
        "destruction_decisions_id",
        "destruction_decisions.evidence_id, destruction_decisions.person",
        "decision",
    ),
    ("life_marks_id", "life_marks.object, life_marks.kind", "mark"),
    ("crls_number", "crls.authority_id, crls.number", "crl number"),
    (
        "published_lists_sequence",
        "published_lists.scheme, published_lists.sequence",
        "list sequence",
    ),
    ("list_drafts_open", "list_drafts.scheme, list_drafts.open", "open draft of the list"),
    (
        "list_draft_edits_number",
        "list_draft_edits.draft_id, list_draft_edits.number",
        "change of the draft",
    ),
    (
        "list_draft_decisions_person",
        "list_draft_decisions.draft_id, list_draft_decisions.revision, list_draft_decisions.person",
        "decision about the draft",
    ),
    ("list_sources_code", "list_sources.code", "list source"),
    ("list_snapshots_id", "list_snapshots.id", "snapshot"),
    (
        "list_snapshots_sequence",
        "list_snapshots.list, list_snapshots.sequence",
        "snapshot of the sequence",
    ),
    ("followed_lists_code", "followed_lists.code", "followed list"),
    ("list_pivots_address", "list_pivots.source, list_pivots.address", "pivot"),
    ("accounts_id", "accounts.id", "account"),
    ("accounts_login", "accounts.login", "account login"),
    ("passkeys_credential", "passkeys.credential", "passkey"),
    (
        "client_certificates_fingerprint",
        "client_certificates.fingerprint",
        "certificate of an account",
    ),
    ("enrolment_codes_digest", "enrolment_codes.digest", "enrolment code"),
    ("sessions_id", "sessions.id", "session"),
    ("sessions_digest", "sessions.digest", "session"),
];

fn meaning(info: &(dyn DatabaseErrorInformation + Send + Sync)) -> &'static str {
    let columns = info.message().strip_prefix("UNIQUE constraint failed: ");
    MEANINGS
        .iter()
        .find(|(name, of, _)| info.constraint_name() == Some(name) || columns == Some(of))
        .map_or("row", |(_, _, meaning)| meaning)
}
