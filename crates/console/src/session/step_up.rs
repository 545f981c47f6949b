//! Showing the second factor again before something that cannot be undone.

use tenkoku_domain::access::Origin;
use tenkoku_domain::account::Session;
use tenkoku_domain::audit::{AuditCode, Event, ObjectRef};
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_domain::time::Timestamp;
use tenkoku_ports::{Attempt as Refused, Env};
use tenkoku_store::StoreError;

use super::secret::SealError;
use super::sign_in::{SignInError, shown_instead, use_code};
use super::throttle::Closed;
use super::tls::Presented;
use super::totp::CodeProblem;
use super::{Caller, Console, password};

/// Why the second factor does not count.
#[derive(Debug, thiserror::Error)]
pub enum StepUpError {
    /// The code is wrong or was used.
    #[error(transparent)]
    Code(#[from] CodeProblem),
    /// The certificate does not count: it is not taken, not this account's, or was shown too long ago.
    #[error("the certificate does not count")]
    Certificate,
    /// The passkey's answer does not hold.
    #[error("the passkey's answer does not hold")]
    Passkey,
    /// Too many attempts.
    #[error(transparent)]
    Closed(#[from] Closed),
    /// A stored secret does not open.
    #[error(transparent)]
    Sealed(#[from] SealError),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<SignInError> for StepUpError {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::Certificate(_) => Self::Certificate,
            SignInError::Wrong => Self::Code(CodeProblem::Wrong),
            SignInError::Closed(closed) => Self::Closed(closed),
            SignInError::Sealed(error) => Self::Sealed(error),
            SignInError::Store(error) => Self::Store(error),
        }
    }
}

/// Checks a one-time code once more and marks the session as fresh. A code counts for one act of
/// this kind or for one sign-in, never for both.
pub fn confirm_with_code(
    env: &Env,
    console: &Console,
    caller: &Caller,
    origin: &Origin,
    session: &Session,
    code: &str,
) -> Result<Session, StepUpError> {
    let now = env.clock.now();
    let source = caller.source();
    console.throttle.admit(&source, now)?;
    let attempt = console.throttle.begin(&format!("step-up {}", session.user), &source, now)?;
    let fresh = Session { factor_at: now, seen_at: now, ..session.clone() };
    let used = env.store.write(|tx| {
        let used = use_code(tx, console, &session.user, code, now)?;
        if used.is_ok() {
            tx.record(origin, now, &Event::SteppedUp { session: fresh.clone() })?;
        }
        Ok::<_, StepUpError>(used)
    })?;
    match used {
        Ok(()) => {
            console.throttle.succeeded(attempt);
            Ok(fresh)
        }
        Err(problem) => {
            refuse(env, origin, session, attempt.closes_until, now)?;
            Err(problem.into())
        }
    }
}

/// Takes the password together with the certificate of the connection, and marks the session as fresh
/// from the instant on at which the certificate's key was shown.
pub fn confirm_with_certificate(
    env: &Env,
    console: &Console,
    caller: &Caller,
    origin: &Origin,
    session: &Session,
    (presented, password): (&Presented, &str),
) -> Result<Session, StepUpError> {
    let now = env.clock.now();
    let source = caller.source();
    console.throttle.admit(&source, now)?;
    let shown =
        shown_instead(env, console, Some(presented), "")?.ok_or(StepUpError::Certificate)?;
    let attempt = console.throttle.begin(&format!("step-up {}", session.user), &source, now)?;
    let fresh = Session { factor_at: shown.at(), seen_at: now, ..session.clone() };
    let factors = env.store.read(|tx| tx.load_factors(&session.user))?;
    let known = password::verify(password, factors.password.as_deref());
    let counts = env.store.write(|tx| {
        // The certificate may have been taken from the account meanwhile.
        let bound = tx.load_factors(&session.user)?.certificates;
        let counts = known && fresh.is_fresh(now) && shown.is_among(&bound);
        if counts {
            tx.record(origin, now, &Event::SteppedUp { session: fresh.clone() })?;
        }
        Ok::<_, StoreError>(counts)
    })?;
    if counts {
        console.throttle.succeeded(attempt);
        return Ok(fresh);
    }
    refuse(env, origin, session, attempt.closes_until, now)?;
    Err(StepUpError::Certificate)
}

/// Records that a second factor was not accepted.
pub(super) fn refuse(
    env: &Env,
    origin: &Origin,
    session: &Session,
    closes_until: Option<Timestamp>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let refused = Refused {
        code: AuditCode::AuthStepUp,
        object: ObjectRef::new("session", &session.id),
        organisation: None,
        policy: None,
    };
    let refusal = Refusal::new(RefusalCode::NotAuthorised, "2").with("problem", "second-factor");
    env.refuse(origin, now, refused, refusal)?;
    if let Some(until) = closes_until {
        let event = Event::AccountLocked { user: session.user.clone(), until };
        env.store.write(|tx| tx.record(origin, now, &event))?;
    }
    Ok(())
}
