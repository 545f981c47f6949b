//! One-time codes as a person's telephone shows them (RFC 6238).

use std::time::{SystemTime, UNIX_EPOCH};

use totp_rs::{Builder, Secret};

/// Seconds that a code is shown (RFC 6238, 4.1).
const STEP_SECONDS: u64 = 30;

/// Seconds that it takes to send a code at most.
const SLACK_SECONDS: u64 = 10;

/// The telephone with a person's one-time codes.
#[derive(Debug, Default)]
pub(crate) struct CodeGenerator {
    secret: String,
    last_step: u64,
}

impl CodeGenerator {
    /// Takes the secret as a page shows it: base 32, in groups.
    pub(crate) fn new(shown: &str) -> Self {
        Self { secret: shown.replace(' ', ""), last_step: 0 }
    }

    /// A code that was not used before. The server takes those of the step before, of this one and
    /// of the next, so three can be had without waiting. Near the end of a step that of the step
    /// before would be too old by the time it is sent.
    pub(crate) fn code(&mut self) -> String {
        let first = (now_seconds() + SLACK_SECONDS) / STEP_SECONDS - 1;
        self.last_step = first.max(self.last_step + 1);
        let secret = Secret::try_from_base32(&self.secret).expect("a secret in base 32");
        let generator = Builder::new().with_secret(secret).build().expect("a code generator");
        generator.generate(self.last_step * STEP_SECONDS).to_string()
    }
}

#[expect(clippy::disallowed_methods, reason = "the program under test goes by the wall clock")]
fn now_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_secs()
}
