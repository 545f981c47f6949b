//! Letters out of the outbox: to a mail server over SMTP, or into a folder while the platform is
//! tried out.
//!
//! Deliberately not in this crate: which letters there are, their words, when they are tried again.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod file;
mod letter;
mod smtp;

use tenkoku_domain::notice::MailProblem;

pub use file::Folder;
pub use letter::{Letter, Mailbox, one_line};
pub use smtp::{SignIn, Smtp, SmtpSettings, Tls};

/// Why a letter did not leave.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{explanation}")]
pub struct MailError {
    /// The kind of trouble.
    pub problem: MailProblem,
    /// What the other side or the system says, for the operator: may name a mailbox, holds no
    /// secret.
    pub explanation: String,
}

impl MailError {
    fn new(problem: MailProblem, explanation: impl ToString) -> Self {
        let explanation = one_line(&explanation.to_string(), MOST_EXPLAINED);
        Self { problem, explanation }
    }

    /// No mail server is set up.
    pub fn not_set_up() -> Self {
        Self::new(MailProblem::NotSetUp, "no mail server is set up: see [mail]")
    }
}

/// Characters of a foreign explanation that are kept.
const MOST_EXPLAINED: usize = 300;

/// A way out for letters.
pub trait Mailer: Send + Sync {
    /// Hands one letter over. When this comes back without error, the other side has taken it.
    fn send(&self, letter: &Letter) -> Result<(), MailError>;

    /// Whether a letter could leave now, without sending one. Says what was found.
    fn check(&self) -> Result<String, MailError>;
}

/// No way out: every letter waits.
#[derive(Clone, Copy, Debug)]
pub struct NotSetUp;

impl Mailer for NotSetUp {
    fn send(&self, _: &Letter) -> Result<(), MailError> {
        Err(MailError::not_set_up())
    }

    fn check(&self) -> Result<String, MailError> {
        Err(MailError::not_set_up())
    }
}
