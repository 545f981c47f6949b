//! Signing in with a password and a one-time code, or a certificate in place of the code.
//!
//! One answer for every wrong attempt: an unknown name, a wrong password, a wrong or used code, a
//! disabled account are told apart by the audit trail, never by the caller, and cost the same work.

use tenkoku_domain::access::Actor;
use tenkoku_domain::account::{Account, Factors};
use tenkoku_domain::audit::{AuditCode, Event, ObjectRef};
use tenkoku_domain::id::UserId;
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_domain::time::Timestamp;
use tenkoku_ports::{Attempt as Refused, Env};
use tenkoku_store::{StoreError, Tx};

use super::certificate::{CertificateFault, JudgeError, PASSWORD_AND_CERTIFICATE, Shown, judge};
use super::open::Opened;
use super::secret::SealError;
use super::throttle::{Attempt, Closed};
use super::tls::Presented;
use super::totp::{CodeProblem, Owner, TotpSecret};
use super::{Caller, Console, password};

/// What a session says was proved by a password and a one-time code.
pub const PASSWORD_AND_CODE: &str = "password+totp";

/// What somebody typed to sign in.
pub struct SignInOrder {
    /// The sign-in name.
    pub login: String,
    /// The password.
    pub password: String,
    /// The one-time code.
    pub code: String,
    /// The certificate that the connection showed; it counts where no code was typed.
    pub certificate: Option<Presented>,
}

/// Why nobody was signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// Name, password or code is wrong: which one is not told.
    #[error("name, password or code is wrong")]
    Wrong,
    /// The certificate is not taken, whoever signs in.
    #[error("the certificate is not taken: {}", .0.word())]
    Certificate(CertificateFault),
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

/// Signs somebody in.
pub fn sign_in(
    env: &Env,
    console: &Console,
    caller: &Caller,
    order: &SignInOrder,
) -> Result<Opened, SignInError> {
    let now = env.clock.now();
    let source = caller.source();
    console.throttle.admit(&source, now)?;
    let shown = shown_instead(env, console, order.certificate.as_ref(), &order.code)?;
    let authenticator = match &shown {
        Some(_) => PASSWORD_AND_CERTIFICATE,
        None => PASSWORD_AND_CODE,
    };
    let login = order.login.trim().to_lowercase();
    let attempt = console.throttle.begin(&login, &source, now)?;
    let known = find_account(env, &login)?;
    let whose = known.as_ref().map(|(account, _)| account.id.clone());
    let hash = known.as_ref().and_then(|(_, factors)| factors.password.as_deref());
    let fits = password::verify(&order.password, hash);
    let Some((account, _)) = known.filter(|(account, _)| fits && account.disabled_at.is_none())
    else {
        return Err(refuse(env, caller, &attempt, whose.as_ref(), now)?);
    };
    let origin = caller.origin(Actor::user(&account.id, authenticator));
    let mut opened = Opened::new(env, &account.id, authenticator, now);
    opened.session.factor_at = shown.as_ref().map_or(now, Shown::at);
    let checked = env.store.write(|tx| {
        let fits = match &shown {
            Some(shown) => shown.is_among(&tx.load_factors(&account.id)?.certificates),
            None => use_code(tx, console, &account.id, &order.code, now)?.is_ok(),
        };
        if fits {
            opened.record(tx, &origin)?;
        }
        Ok::<_, SignInError>(fits)
    })?;
    if !checked {
        return Err(refuse(env, caller, &attempt, Some(&account.id), now)?);
    }
    console.throttle.succeeded(attempt);
    Ok(opened)
}

/// The certificate that stands in for a code where none was typed. What is wrong with it is told: it
/// depends on nobody's account.
pub(super) fn shown_instead(
    env: &Env,
    console: &Console,
    presented: Option<&Presented>,
    code: &str,
) -> Result<Option<Shown>, SignInError> {
    let (Some(presented), Some(tls), "") = (presented, &console.tls, code.trim()) else {
        return Ok(None);
    };
    match judge(env, &tls.material(), presented) {
        Ok(shown) => Ok(Some(shown)),
        Err(JudgeError::Fault(fault)) => Err(SignInError::Certificate(fault)),
        Err(JudgeError::Store(error)) => Err(error.into()),
    }
}

fn find_account(env: &Env, login: &str) -> Result<Option<(Account, Factors)>, StoreError> {
    env.store.read(|tx| match tx.find_account_by_login(login)? {
        None => Ok(None),
        Some(account) => {
            let factors = tx.load_factors(&account.id)?;
            Ok(Some((account, factors)))
        }
    })
}

/// Uses up a one-time code of an account. To be called inside the transaction that rests on it.
pub fn use_code(
    tx: &mut Tx<'_>,
    console: &Console,
    user: &UserId,
    code: &str,
    now: Timestamp,
) -> Result<Result<(), CodeProblem>, SignInError> {
    let factors = tx.load_factors(user)?;
    let Some(sealed) = &factors.totp else {
        return Ok(Err(CodeProblem::Wrong));
    };
    let secret = TotpSecret::open(&console.key, &Owner::Account(user), sealed)?;
    match secret.check(code, factors.totp_step, now) {
        Ok(totp_step) => {
            tx.store_factors(user, &Factors { totp_step, ..factors })?;
            Ok(Ok(()))
        }
        Err(problem) => Ok(Err(problem)),
    }
}

/// Records that somebody was not let in, and that the pair of account and source is closed when
/// this attempt closed it. What was typed is not recorded: it may be a password.
pub(super) fn refuse(
    env: &Env,
    caller: &Caller,
    attempt: &Attempt,
    user: Option<&UserId>,
    now: Timestamp,
) -> Result<SignInError, StoreError> {
    let origin = caller.origin(Actor::system("sign-in"));
    let object = match user {
        Some(user) => ObjectRef::new("user", user),
        None => ObjectRef::new("user", "unknown"),
    };
    let refused = Refused { code: AuditCode::AuthLogin, object, organisation: None, policy: None };
    let refusal = Refusal::new(RefusalCode::NotAuthorised, "2").with("problem", "sign-in");
    env.refuse(&origin, now, refused, refusal)?;
    if let (Some(user), Some(until)) = (user, attempt.closes_until) {
        let event = Event::AccountLocked { user: user.clone(), until };
        env.store.write(|tx| tx.record(&origin, now, &event))?;
    }
    Ok(SignInError::Wrong)
}
