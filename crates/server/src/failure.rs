//! What a command could not do: a stable code, the facts for the words, and the exit code (UX 12).

use std::collections::BTreeMap;
use std::fmt::Display;

use tenkoku_ca::apply::ApplyError;
use tenkoku_ca::batch::BatchError;
use tenkoku_ca::bulk::BulkError;
use tenkoku_ca::closing::ClosingError;
use tenkoku_ca::evidence_pack::PackError;
use tenkoku_ca::feed::FeedError;
use tenkoku_ca::import::{FileProblem, ImportError, RowProblem};
use tenkoku_ca::incident::CloseError;
use tenkoku_ca::issue::IssueError;
use tenkoku_ca::life::LifeError;
use tenkoku_ca::policy::PolicyError;
use tenkoku_ca::proposal::ProposalError;
use tenkoku_ca::prove::ProveError;
use tenkoku_ca::revoke::RevokeError;
use tenkoku_ca::suspend::SuspendError;
use tenkoku_domain::canonical::CanonicalError;
use tenkoku_domain::refusal::Refusal;
use tenkoku_keys::KeyError;
use tenkoku_mail::MailError;
use tenkoku_publisher::draft::DraftError;
use tenkoku_publisher::publish::PublishError;
use tenkoku_reader::refresh::RefreshError;
use tenkoku_responder::consistency::CompareError;
use tenkoku_responder::crl::CrlError;
use tenkoku_store::StoreError;
use tenkoku_tsl::rules::{Broken, Finding};

use crate::config::ConfigProblem;

/// Exit codes of UX 12.
pub(crate) mod exit {
    /// Refused, or did not work.
    pub(crate) const REFUSED: u8 = 1;
    /// The command was not understood.
    pub(crate) const USAGE: u8 = 2;
    /// Nothing speaks against it, but it is not confirmed.
    pub(crate) const UNCONFIRMED: u8 = 3;
    /// Nothing found.
    pub(crate) const NOTHING: u8 = 4;
    /// A second person is needed.
    pub(crate) const SECOND_PERSON: u8 = 5;
    /// A fault of the program.
    pub(crate) const INTERNAL: u8 = 70;
}

/// What a command could not do.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The stable code.
    pub(crate) code: String,
    /// The facts for the words.
    pub(crate) facts: BTreeMap<String, String>,
    /// The rule of DOMAIN that refused.
    pub(crate) rule: Option<String>,
    /// The file or object it is about.
    pub(crate) place: Option<String>,
    /// Rows of a file, each with its own words.
    pub(crate) rows: Vec<RowProblem>,
    /// What a specialist may want to know; never a secret.
    pub(crate) cause: Option<String>,
    /// The exit code.
    pub(crate) exit: u8,
}

impl Failure {
    /// A problem of the catalogue.
    pub(crate) fn problem(code: &str, exit: u8) -> Self {
        Self {
            code: code.to_owned(),
            facts: BTreeMap::new(),
            rule: None,
            place: None,
            rows: Vec::new(),
            cause: None,
            exit,
        }
    }

    /// Something that is not there.
    pub(crate) fn nothing(thing: &str, name: impl Display) -> Self {
        Self::problem("not-found", exit::NOTHING).with("thing", thing).with("name", name)
    }

    /// A word that is not known, with the words that are.
    pub(crate) fn word(word: &str, allowed: &[&str]) -> Self {
        Self::problem("word-unknown", exit::USAGE)
            .with("word", word)
            .with("allowed", allowed.join(", "))
    }

    /// A file that cannot be read.
    pub(crate) fn file(path: impl Display, error: &std::io::Error) -> Self {
        Self::problem("input-missing", exit::REFUSED).with("file", path).with("detail-text", error)
    }

    /// A fault of the program.
    pub(crate) fn internal(error: impl Display) -> Self {
        let mut failure = Self::problem("internal", exit::INTERNAL);
        failure.cause = Some(error.to_string());
        failure
    }

    /// Adds a fact.
    pub(crate) fn with(mut self, name: &str, value: impl Display) -> Self {
        self.facts.insert(name.to_owned(), value.to_string());
        self
    }

    /// Says what was looked for, where nothing was found.
    pub(crate) fn named(self, name: impl Display) -> Self {
        if self.exit == exit::NOTHING { self.with("name", name) } else { self }
    }

    /// Names the file or object.
    pub(crate) fn at(mut self, place: impl Display) -> Self {
        self.place = Some(place.to_string());
        self
    }

    pub(crate) fn because(mut self, cause: impl Display) -> Self {
        self.cause = Some(cause.to_string());
        self
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let exit = match refusal.code.word() {
            "dual-control" | "self-approval" => exit::SECOND_PERSON,
            _ => exit::REFUSED,
        };
        let mut failure = Self::problem(refusal.code.word(), exit);
        failure.facts = refusal.facts;
        failure.rule = Some(refusal.rule);
        failure
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let code = match &error {
            StoreError::NotFound { what } => return Self::nothing(what, ""),
            StoreError::Conflict { what } => {
                return Self::problem("conflict", exit::REFUSED).with("thing", what);
            }
            StoreError::Newer { found, known } => {
                return Self::problem("database-newer", exit::REFUSED)
                    .with("found", found)
                    .with("known", known);
            }
            StoreError::Corrupt { what, id, .. } => {
                return Self::problem("database-corrupt", exit::REFUSED)
                    .with("thing", format!("{what} {id}"));
            }
            StoreError::Address { .. }
            | StoreError::NoFolder { .. }
            | StoreError::NotADatabase { .. }
            | StoreError::SignIn { .. }
            | StoreError::Unreachable { .. } => "database-unreachable",
            StoreError::NotMigrated => "database-not-migrated",
            StoreError::Busy => "busy",
            StoreError::Abandoned | StoreError::Database(_) => return Self::internal(error),
        };
        Self::problem(code, exit::REFUSED).because(error)
    }
}

impl From<KeyError> for Failure {
    fn from(error: KeyError) -> Self {
        if let Some(refusal) = error.refusal() {
            return refusal.into();
        }
        let (code, facts) = told(&error);
        let failure = Self::problem(code, exit::REFUSED).because(&error);
        facts.into_iter().fold(failure, |failure, (name, value)| failure.with(name, value))
    }
}

/// The code of a problem with keys, and the facts for its words.
fn told(error: &KeyError) -> (&'static str, Vec<(&'static str, &str)>) {
    match error {
        KeyError::WrongPassphrase { .. } => ("key-store-locked", vec![]),
        KeyError::EmptyPassphrase => ("passphrase-missing", vec![]),
        KeyError::Module { module, .. } => ("hsm-module", vec![("path", module)]),
        KeyError::TokenAbsent { token, .. } => ("hsm-token-absent", vec![("name", token)]),
        KeyError::WrongPin { token } => ("hsm-wrong-pin", vec![("name", token)]),
        KeyError::FinalTry { token } => ("hsm-final-try", vec![("name", token)]),
        KeyError::PinLocked { token } => ("hsm-pin-locked", vec![("name", token)]),
        KeyError::Full { token } => ("hsm-full", vec![("name", token)]),
        KeyError::NotFound(_)
        | KeyError::Exists(_)
        | KeyError::Absent { .. }
        | KeyError::Occupied { .. }
        | KeyError::Damaged { .. }
        | KeyError::Unreachable { .. }
        | KeyError::Unsupported { .. }
        | KeyError::Attributes { .. }
        | KeyError::Signing { .. } => ("key-store-unavailable", vec![]),
    }
}

impl From<ConfigProblem> for Failure {
    fn from(problem: ConfigProblem) -> Self {
        let (code, facts) = problem.told();
        let failure = Self::problem(code, exit::REFUSED).because(&problem);
        facts.into_iter().fold(failure, |failure, (name, value)| failure.with(name, value))
    }
}

impl From<MailError> for Failure {
    fn from(error: MailError) -> Self {
        Self::problem("mail-not-sent", exit::REFUSED)
            .with("detail-text", format!("{}: {}", error.problem, error.explanation))
    }
}

impl From<RefreshError> for Failure {
    fn from(error: RefreshError) -> Self {
        match error {
            RefreshError::Store(store) => store.into(),
        }
    }
}

impl From<ApplyError> for Failure {
    fn from(error: ApplyError) -> Self {
        match error {
            ApplyError::Refused(refusal) => refusal.into(),
            ApplyError::Store(store) => store.into(),
            ApplyError::Canonical(error) => Self::internal(error),
        }
    }
}

impl From<ProveError> for Failure {
    fn from(error: ProveError) -> Self {
        match error {
            ProveError::Refused(refusal) => refusal.into(),
            ProveError::Store(store) => store.into(),
            ProveError::Keys(keys) => keys.into(),
            ProveError::Canonical(error) => Self::internal(error),
            ProveError::PublicKey(error) => Self::internal(error),
            ProveError::Signature(error) => Self::internal(error),
        }
    }
}

impl From<LifeError> for Failure {
    fn from(error: LifeError) -> Self {
        match error {
            LifeError::Refused(refusal) => refusal.into(),
            LifeError::Store(store) => store.into(),
            LifeError::Keys(keys) => keys.into(),
            LifeError::Canonical(error) => Self::internal(error),
        }
    }
}

impl From<CloseError> for Failure {
    fn from(error: CloseError) -> Self {
        match error {
            CloseError::Refused(refusal) => refusal.into(),
            CloseError::Store(store) => store.into(),
        }
    }
}

impl From<SuspendError> for Failure {
    fn from(error: SuspendError) -> Self {
        match error {
            SuspendError::Refused(refusal) => refusal.into(),
            SuspendError::Store(store) => store.into(),
        }
    }
}

impl From<IssueError> for Failure {
    fn from(error: IssueError) -> Self {
        match error {
            IssueError::Refused(refusal) => refusal.into(),
            IssueError::Lint(lint) => lint.refusal().into(),
            IssueError::Store(store) => store.into(),
            IssueError::Keys(keys) => keys.into(),
            IssueError::Address(address) => {
                Self::problem("address-malformed", exit::REFUSED).because(address)
            }
            IssueError::Assemble(_)
            | IssueError::StoredCertificate(_)
            | IssueError::StoredKey(_)
            | IssueError::Canonical(_) => Self::internal(error),
        }
    }
}

impl From<PolicyError> for Failure {
    fn from(error: PolicyError) -> Self {
        match error {
            PolicyError::Refused(refusal) => refusal.into(),
            PolicyError::Document(errors) => {
                Self::problem("policy-malformed", exit::REFUSED).with("count", errors.len())
            }
            PolicyError::Canonical(error) => error.into(),
            PolicyError::Store(error) => error.into(),
        }
    }
}

impl From<ProposalError> for Failure {
    fn from(error: ProposalError) -> Self {
        match error {
            ProposalError::Refused(refusal) => refusal.into(),
            ProposalError::Canonical(error) => error.into(),
            ProposalError::Store(store) => store.into(),
        }
    }
}

impl From<ClosingError> for Failure {
    fn from(error: ClosingError) -> Self {
        match error {
            ClosingError::Refused(refusal) => refusal.into(),
            ClosingError::Store(store) => store.into(),
        }
    }
}

impl From<FeedError> for Failure {
    fn from(error: FeedError) -> Self {
        match error {
            FeedError::Refused(refusal) => refusal.into(),
            FeedError::Store(store) => store.into(),
            FeedError::Keys(keys) => keys.into(),
            FeedError::Signing(signing) => signing.into(),
            FeedError::Canonical(_)
            | FeedError::PublicKey(_)
            | FeedError::Jws(_)
            | FeedError::Assemble(_) => Self::internal(error),
        }
    }
}

impl From<tenkoku_ca::act::ActError> for Failure {
    fn from(error: tenkoku_ca::act::ActError) -> Self {
        use tenkoku_ca::act::ActError as E;
        match error {
            E::Refused(refusal) => refusal.into(),
            E::Canonical(error) => error.into(),
            E::Store(store) => store.into(),
        }
    }
}

impl From<BatchError> for Failure {
    fn from(error: BatchError) -> Self {
        match error {
            BatchError::File(problem) => ImportError::File(problem).into(),
            BatchError::Rows(rows) => ImportError::Rows(rows).into(),
            BatchError::Act(error) => error.into(),
        }
    }
}

impl From<PackError> for Failure {
    fn from(error: PackError) -> Self {
        match error {
            PackError::Store(error) => error.into(),
            PackError::NoSigner => Self::nothing("signer", "audit-signer"),
            PackError::Keys(error) => error.into(),
            error @ (PackError::Canonical(_)
            | PackError::StoredKey(_)
            | PackError::Jws(_)
            | PackError::Assemble(_)
            | PackError::Archive(_)) => Self::internal(error),
        }
    }
}

impl From<RevokeError> for Failure {
    fn from(error: RevokeError) -> Self {
        match error {
            RevokeError::Refused(refusal) => refusal.into(),
            RevokeError::Store(store) => store.into(),
        }
    }
}

impl From<BulkError> for Failure {
    fn from(error: BulkError) -> Self {
        match error {
            BulkError::Refused(refusal) => refusal.into(),
            BulkError::Canonical(error) => Self::internal(error),
            BulkError::Store(store) => store.into(),
        }
    }
}

impl From<CrlError> for Failure {
    fn from(error: CrlError) -> Self {
        match error {
            CrlError::Refused(refusal) => refusal.into(),
            CrlError::Lint(lint) => lint.refusal().into(),
            CrlError::Store(store) => store.into(),
            CrlError::Keys(keys) => keys.into(),
            CrlError::Address(address) => {
                Self::problem("address-malformed", exit::REFUSED).because(address)
            }
            CrlError::Assemble(_) | CrlError::StoredCertificate(_) | CrlError::StoredKey(_) => {
                Self::internal(error)
            }
        }
    }
}

impl From<CompareError> for Failure {
    fn from(error: CompareError) -> Self {
        match error {
            CompareError::Store(store) => store.into(),
            CompareError::List(_) => Self::internal(error),
        }
    }
}

impl From<PublishError> for Failure {
    fn from(error: PublishError) -> Self {
        match error {
            PublishError::Refused(refusal) => refusal.into(),
            PublishError::Store(store) => store.into(),
            PublishError::Keys(keys) => keys.into(),
            PublishError::NoSigner => {
                Self::problem("not-ready", exit::REFUSED).with("thing", "list signer")
            }
            PublishError::SignerKey
            | PublishError::Compose(_)
            | PublishError::Broken(_)
            | PublishError::Sign(_)
            | PublishError::Certificate(_)
            | PublishError::Live(_) => Self::internal(error),
        }
    }
}

impl From<DraftError> for Failure {
    fn from(error: DraftError) -> Self {
        match error {
            DraftError::Refused(refusal) => refusal.into(),
            DraftError::Store(store) => store.into(),
            DraftError::Publish(publish) => publish.into(),
            DraftError::Unreadable(why) => {
                Self::problem("list-refused", exit::REFUSED).with("detail-text", why)
            }
            DraftError::Mistakes(findings) | DraftError::Broken(Broken(findings)) => {
                let first = findings.first().map(Finding::sentence).unwrap_or_default();
                Self::problem("list-broken", exit::REFUSED).with("finding", first)
            }
            error @ (DraftError::Compose(_) | DraftError::Certificate(_)) => Self::internal(error),
        }
    }
}

impl From<ImportError> for Failure {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::Store(store) => store.into(),
            ImportError::Rows(rows) => {
                let first = rows.first().map_or(0, |row| row.line);
                let mut failure = Self::problem("csv-row", exit::REFUSED)
                    .with("rows", rows.len())
                    .with("line", first);
                failure.rows = rows;
                failure
            }
            ImportError::File(problem) => match &problem {
                FileProblem::TooLarge { .. } => Self::problem("too-large", exit::REFUSED)
                    .with("limit", "16 MiB")
                    .because(&problem),
                FileProblem::NotUtf8 { line } => csv(line, &"it is not UTF-8 text"),
                FileProblem::Malformed { line, problem } => csv(line, problem),
                FileProblem::Empty
                | FileProblem::MissingColumn { .. }
                | FileProblem::UnknownColumn { .. }
                | FileProblem::RepeatedColumn { .. } => csv(&1, &problem),
            },
        }
    }
}

fn csv(line: &dyn Display, problem: &dyn Display) -> Failure {
    Failure::problem("csv-malformed", exit::REFUSED).with("line", line).with("detail-text", problem)
}

impl From<CanonicalError> for Failure {
    fn from(error: CanonicalError) -> Self {
        Self::internal(error)
    }
}

impl From<tenkoku_console::session::enrol::IssueLinkError> for Failure {
    fn from(error: tenkoku_console::session::enrol::IssueLinkError) -> Self {
        use tenkoku_console::session::enrol::IssueLinkError as E;
        match error {
            E::Refused(refusal) => refusal.into(),
            E::Store(store) => store.into(),
        }
    }
}
