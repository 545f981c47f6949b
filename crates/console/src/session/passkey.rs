//! Passkeys (WebAuthn): enrolling with one, adding one, signing in, showing one again.
//!
//! Every use asks the device to verify the person (PIN, finger, face), so a passkey is two factors
//! by itself. A ceremony has two requests; what the server must remember in between rests in
//! memory, for five minutes, once. Nodes of one installation do not share it: a proxy in front
//! keeps a person on one node. Challenges come from the library's own generator.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tenkoku_ca::grant::PasskeyProof;
use tenkoku_domain::access::{Actor, Origin};
use tenkoku_domain::account::{Account, Factors, Passkey as StoredPasskey, Session};
use tenkoku_domain::audit::Event;
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::id::{SessionId, UserId};
use tenkoku_domain::name::plain_text;
use tenkoku_domain::time::Timestamp;
use tenkoku_ports::Env;
use tenkoku_store::{StoreError, Tx};
use webauthn_rs::Webauthn;
use webauthn_rs::prelude::{
    CredentialID, Passkey, PasskeyAuthentication, PasskeyRegistration, PublicKeyCredential,
    RegisterPublicKeyCredential, Uuid, WebauthnError,
};

use super::enrol::{self, EnrolError, OpenLink};
use super::open::Opened;
use super::secret::Secret;
use super::sign_in::{self, SignInError};
use super::step_up;
use super::throttle::Closed;
use super::{Caller, Console};

/// What a session says was proved by a passkey.
pub const PASSKEY: &str = "passkey";
/// How long a ceremony waits for the device, in seconds: 5 minutes.
const CEREMONY_SECONDS: i64 = 300;
/// Ceremonies under way at most; the oldest go first.
const MAX_CEREMONIES: usize = 1000;
/// Longest label of a passkey, in characters.
const LABEL_MAX_CHARS: usize = 60;

/// Why a passkey ceremony did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum PasskeyError {
    /// The console's address has no host name to bind passkeys to.
    #[error("passkeys need a console address with a host name")]
    Unavailable,
    /// The ceremony is unknown, too old, or was for another purpose.
    #[error("the ceremony is over")]
    Over,
    /// The device's answer does not hold.
    #[error("the passkey's answer does not hold")]
    Wrong,
    /// The passkey is registered already.
    #[error("the passkey is registered already")]
    Known,
    /// Too many attempts.
    #[error(transparent)]
    Closed(#[from] Closed),
    /// The link is not good any more.
    #[error(transparent)]
    Enrol(#[from] EnrolError),
    /// The library could not begin.
    #[error(transparent)]
    Begin(WebauthnError),
    /// A stored passkey does not read back.
    #[error("a stored passkey does not read back: {0}")]
    Record(#[from] serde_json::Error),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

enum Ceremony {
    Enrol { link: Digest, state: PasskeyRegistration },
    Add { user: UserId, state: PasskeyRegistration },
    SignIn { user: UserId, state: PasskeyAuthentication },
    StepUp { session: SessionId, state: PasskeyAuthentication },
    Sign { user: UserId, digest: Digest, state: PasskeyAuthentication },
}

/// Ceremonies under way.
#[derive(Default)]
pub struct Ceremonies(Mutex<HashMap<String, (Timestamp, Ceremony)>>);

impl fmt::Debug for Ceremonies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ceremonies(…)")
    }
}

impl Ceremonies {
    fn keep(&self, env: &Env, ceremony: Ceremony, now: Timestamp) -> String {
        let id = Secret::random(&*env.entropy).expose().to_owned();
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, (until, _)| *until > now);
        if open.len() >= MAX_CEREMONIES {
            let oldest = open.iter().min_by_key(|(_, (until, _))| *until).map(|(id, _)| id.clone());
            oldest.and_then(|id| open.remove(&id));
        }
        open.insert(id.clone(), (now.plus_seconds(CEREMONY_SECONDS), ceremony));
        id
    }

    /// Takes a ceremony out: it can be finished once.
    fn take(&self, id: &str, now: Timestamp) -> Result<Ceremony, PasskeyError> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match open.remove(id) {
            Some((until, ceremony)) if until > now => Ok(ceremony),
            Some(_) | None => Err(PasskeyError::Over),
        }
    }
}

/// The beginning of a ceremony: what the page hands to the browser.
#[derive(Debug, Serialize)]
pub struct Started {
    /// To be sent back with the device's answer.
    pub id: String,
    /// The options of `navigator.credentials.create` or `.get`.
    pub options: Value,
}

/// The device's answer to a registration.
#[derive(Debug, Deserialize)]
pub struct Registered {
    /// The ceremony.
    pub id: String,
    /// What the person calls the passkey; may be empty.
    #[serde(default)]
    pub label: String,
    /// The new credential.
    pub credential: RegisterPublicKeyCredential,
}

/// The device's answer to an authentication.
#[derive(Debug, Deserialize)]
pub struct Asserted {
    /// The ceremony.
    pub id: String,
    /// The assertion.
    pub credential: PublicKeyCredential,
}

fn library(console: &Console) -> Result<&Webauthn, PasskeyError> {
    console.passkeys().ok_or(PasskeyError::Unavailable)
}

/// The user handle: 16 octets that tell nothing, the same for an account for ever.
fn handle(user: &UserId) -> Uuid {
    let Digest(octets) = Digest::of(format!("passkey:{user}").as_bytes());
    Uuid::from_u128(octets.iter().take(16).fold(0, |sum, octet| (sum << 8) | u128::from(*octet)))
}

fn read(stored: &[StoredPasskey]) -> Result<Vec<Passkey>, serde_json::Error> {
    stored.iter().map(|stored| serde_json::from_str(&stored.record)).collect()
}

fn begin_registration(
    console: &Console,
    account: &Account,
    known: &[StoredPasskey],
) -> Result<(Value, PasskeyRegistration), PasskeyError> {
    let exclude: Vec<CredentialID> =
        read(known)?.iter().map(|passkey| passkey.cred_id().clone()).collect();
    let (options, state) = library(console)?
        .start_passkey_registration(
            handle(&account.id),
            &account.login,
            &account.display_name,
            Some(exclude),
        )
        .map_err(PasskeyError::Begin)?;
    Ok((serde_json::to_value(options)?, state))
}

fn finish_registration(
    console: &Console,
    answer: &Registered,
    state: &PasskeyRegistration,
    now: Timestamp,
) -> Result<StoredPasskey, PasskeyError> {
    let passkey = library(console)?
        .finish_passkey_registration(&answer.credential, state)
        .map_err(|_| PasskeyError::Wrong)?;
    let label: String = answer.label.chars().take(LABEL_MAX_CHARS).collect();
    Ok(StoredPasskey {
        credential: URL_SAFE_NO_PAD.encode(passkey.cred_id()),
        label: plain_text(&label).unwrap_or_else(|_| now.to_date()),
        record: serde_json::to_string(&passkey)?,
        created_at: now,
    })
}

/// Begins the enrolment with a passkey.
pub fn start_enrolment(
    env: &Env,
    console: &Console,
    link: &OpenLink,
) -> Result<Started, PasskeyError> {
    let (options, state) = begin_registration(console, &link.account, &[])?;
    let ceremony = Ceremony::Enrol { link: link.code.digest, state };
    Ok(Started { id: console.ceremonies.keep(env, ceremony, env.clock.now()), options })
}

/// Ends the enrolment with a passkey: uses up the link and signs in.
pub fn finish_enrolment(
    env: &Env,
    console: &Console,
    caller: &Caller,
    link: &OpenLink,
    answer: &Registered,
) -> Result<Opened, PasskeyError> {
    let now = env.clock.now();
    let Ceremony::Enrol { link: begun, state } = console.ceremonies.take(&answer.id, now)? else {
        return Err(PasskeyError::Over);
    };
    if begun != link.code.digest {
        return Err(PasskeyError::Over);
    }
    let passkey = match finish_registration(console, answer, &state, now) {
        Ok(passkey) => passkey,
        Err(error) => {
            enrol::count_attempt(env, caller, link, now)?;
            return Err(error);
        }
    };
    let factors = Factors { passkeys: vec![passkey], ..Factors::default() };
    match enrol::complete(env, caller, link, &factors, &[PASSKEY], PASSKEY) {
        Err(EnrolError::Store(StoreError::Conflict { .. })) => Err(PasskeyError::Known),
        other => Ok(other?),
    }
}

/// Begins adding a passkey to one's own account.
pub fn start_adding(
    env: &Env,
    console: &Console,
    account: &Account,
) -> Result<Started, PasskeyError> {
    let factors = env.store.read(|tx| tx.load_factors(&account.id))?;
    let (options, state) = begin_registration(console, account, &factors.passkeys)?;
    let ceremony = Ceremony::Add { user: account.id.clone(), state };
    Ok(Started { id: console.ceremonies.keep(env, ceremony, env.clock.now()), options })
}

/// Adds a passkey to one's own account.
pub fn finish_adding(
    env: &Env,
    console: &Console,
    origin: &Origin,
    account: &Account,
    answer: &Registered,
) -> Result<(), PasskeyError> {
    let now = env.clock.now();
    let Ceremony::Add { user, state } = console.ceremonies.take(&answer.id, now)? else {
        return Err(PasskeyError::Over);
    };
    if user != account.id {
        return Err(PasskeyError::Over);
    }
    let passkey = finish_registration(console, answer, &state, now)?;
    let added = env.store.write(|tx| {
        let mut factors = tx.load_factors(&user)?;
        factors.passkeys.push(passkey);
        tx.store_factors(&user, &factors)?;
        let event = Event::FactorAdded { user: user.clone(), factor: PASSKEY.to_owned() };
        tx.record(origin, now, &event).map(drop)
    });
    match added {
        Err(StoreError::Conflict { .. }) => Err(PasskeyError::Known),
        other => Ok(other?),
    }
}

/// Begins a sign-in. For a name that is unknown or has no passkey the answer looks the same: it
/// names a credential that follows from the console's key and the name, and that nobody has.
pub fn start_sign_in(
    env: &Env,
    console: &Console,
    caller: &Caller,
    login: &str,
) -> Result<Started, PasskeyError> {
    let now = env.clock.now();
    console.throttle.admit(&caller.source(), now)?;
    let login = login.trim().to_lowercase();
    let known = env.store.read(|tx| match tx.find_account_by_login(&login)? {
        Some(account) if account.disabled_at.is_none() => {
            let factors = tx.load_factors(&account.id)?;
            Ok::<_, StoreError>(Some((account, factors)))
        }
        Some(_) | None => Ok(None),
    })?;
    let passkeys = match &known {
        Some((_, factors)) => read(&factors.passkeys)?,
        None => Vec::new(),
    };
    let begun = library(console)?.start_passkey_authentication(&passkeys);
    let (options, state) = begun.map_err(PasskeyError::Begin)?;
    let mut options = serde_json::to_value(options)?;
    match known {
        Some((account, _)) if !passkeys.is_empty() => {
            let ceremony = Ceremony::SignIn { user: account.id, state };
            Ok(Started { id: console.ceremonies.keep(env, ceremony, now), options })
        }
        Some(_) | None => {
            if let Some(public_key) = options.get_mut("publicKey").and_then(Value::as_object_mut) {
                let nobody = console.key.derive(&format!("passkey of nobody: {login}"));
                let id = URL_SAFE_NO_PAD.encode(nobody);
                public_key.insert(
                    "allowCredentials".to_owned(),
                    json!([{ "type": "public-key", "id": id }]),
                );
            }
            Ok(Started { id: Secret::random(&*env.entropy).expose().to_owned(), options })
        }
    }
}

/// Ends a sign-in with a passkey.
pub fn finish_sign_in(
    env: &Env,
    console: &Console,
    caller: &Caller,
    answer: &Asserted,
) -> Result<Opened, PasskeyError> {
    let now = env.clock.now();
    let source = caller.source();
    console.throttle.admit(&source, now)?;
    let Ceremony::SignIn { user, state } = console.ceremonies.take(&answer.id, now)? else {
        return Err(PasskeyError::Over);
    };
    let attempt = console.throttle.begin(&format!("passkey {user}"), &source, now)?;
    let origin = caller.origin(Actor::user(&user, PASSKEY));
    let opened = Opened::new(env, &user, PASSKEY, now);
    let used = env.store.write(|tx| {
        let enabled = tx.load_account(&user)?.disabled_at.is_none();
        let used = enabled && use_passkey(tx, library(console)?, &user, answer, &state)?;
        if used {
            opened.record(tx, &origin)?;
        }
        Ok::<_, PasskeyError>(used)
    })?;
    if used {
        console.throttle.succeeded(attempt);
        return Ok(opened);
    }
    match sign_in::refuse(env, caller, &attempt, Some(&user), now)? {
        SignInError::Store(error) => Err(error.into()),
        SignInError::Closed(closed) => Err(closed.into()),
        SignInError::Wrong | SignInError::Certificate(_) | SignInError::Sealed(_) => {
            Err(PasskeyError::Wrong)
        }
    }
}

/// Begins signing a digest with one's own passkey: the digest is the challenge (DOMAIN 15).
///
/// The library draws its challenges itself; the one in its state is replaced before the state is
/// kept, so that it verifies the device's answer against the digest and nothing else.
pub fn start_signing(
    env: &Env,
    console: &Console,
    user: &UserId,
    digest: &Digest,
) -> Result<Started, PasskeyError> {
    let factors = env.store.read(|tx| tx.load_factors(user))?;
    let begun = library(console)?.start_passkey_authentication(&read(&factors.passkeys)?);
    let (options, state) = begun.map_err(PasskeyError::Begin)?;
    let challenge = json!(URL_SAFE_NO_PAD.encode(digest.0));
    let (mut options, mut state) = (serde_json::to_value(options)?, serde_json::to_value(state)?);
    for (document, place) in
        [(&mut options, "/publicKey/challenge"), (&mut state, "/ast/challenge")]
    {
        let at = document.pointer_mut(place).ok_or(PasskeyError::Unavailable)?;
        at.clone_from(&challenge);
    }
    let state = serde_json::from_value(state)?;
    let ceremony = Ceremony::Sign { user: user.clone(), digest: *digest, state };
    Ok(Started { id: console.ceremonies.keep(env, ceremony, env.clock.now()), options })
}

/// Ends signing a digest: the device's answer holds, and is kept as evidence.
pub fn finish_signing(
    env: &Env,
    console: &Console,
    caller: &Caller,
    user: &UserId,
    answer: &Asserted,
) -> Result<PasskeyProof, PasskeyError> {
    let now = env.clock.now();
    let source = caller.source();
    let Ceremony::Sign { user: begun, digest, state } = console.ceremonies.take(&answer.id, now)?
    else {
        return Err(PasskeyError::Over);
    };
    if begun != *user {
        return Err(PasskeyError::Over);
    }
    let attempt = console.throttle.begin(&format!("step-up {user}"), &source, now)?;
    let is_shown =
        env.store.write(|tx| use_passkey(tx, library(console)?, user, answer, &state))?;
    if !is_shown {
        return Err(PasskeyError::Wrong);
    }
    console.throttle.succeeded(attempt);
    Ok(PasskeyProof {
        digest,
        credential: answer.credential.id.clone(),
        assertion: serde_json::to_vec(&answer.credential)?,
    })
}

/// Begins showing a passkey again.
pub fn start_step_up(
    env: &Env,
    console: &Console,
    session: &Session,
) -> Result<Started, PasskeyError> {
    let factors = env.store.read(|tx| tx.load_factors(&session.user))?;
    let begun = library(console)?.start_passkey_authentication(&read(&factors.passkeys)?);
    let (options, state) = begun.map_err(PasskeyError::Begin)?;
    let ceremony = Ceremony::StepUp { session: session.id.clone(), state };
    let id = console.ceremonies.keep(env, ceremony, env.clock.now());
    Ok(Started { id, options: serde_json::to_value(options)? })
}

/// Marks the session as fresh after a passkey was shown again.
pub fn finish_step_up(
    env: &Env,
    console: &Console,
    caller: &Caller,
    origin: &Origin,
    session: &Session,
    answer: &Asserted,
) -> Result<Session, PasskeyError> {
    let now = env.clock.now();
    let source = caller.source();
    let Ceremony::StepUp { session: begun, state } = console.ceremonies.take(&answer.id, now)?
    else {
        return Err(PasskeyError::Over);
    };
    if begun != session.id {
        return Err(PasskeyError::Over);
    }
    let attempt = console.throttle.begin(&format!("step-up {}", session.user), &source, now)?;
    let fresh = Session { factor_at: now, seen_at: now, ..session.clone() };
    let used = env.store.write(|tx| {
        let used = use_passkey(tx, library(console)?, &session.user, answer, &state)?;
        if used {
            tx.record(origin, now, &Event::SteppedUp { session: fresh.clone() })?;
        }
        Ok::<_, PasskeyError>(used)
    })?;
    if used {
        console.throttle.succeeded(attempt);
        return Ok(fresh);
    }
    step_up::refuse(env, origin, session, attempt.closes_until, now)?;
    Err(PasskeyError::Wrong)
}

/// Checks an assertion against a passkey that the account still has, and stores its new counter.
fn use_passkey(
    tx: &mut Tx<'_>,
    webauthn: &Webauthn,
    user: &UserId,
    answer: &Asserted,
    state: &PasskeyAuthentication,
) -> Result<bool, PasskeyError> {
    let Ok(result) = webauthn.finish_passkey_authentication(&answer.credential, state) else {
        return Ok(false);
    };
    let credential = URL_SAFE_NO_PAD.encode(result.cred_id());
    let mut factors = tx.load_factors(user)?;
    let Some(stored) = factors.passkeys.iter_mut().find(|one| one.credential == credential) else {
        return Ok(false);
    };
    let mut passkey: Passkey = serde_json::from_str(&stored.record)?;
    if passkey.update_credential(&result) == Some(true) {
        stored.record = serde_json::to_string(&passkey)?;
        tx.store_factors(user, &factors)?;
    }
    Ok(result.user_verified())
}
