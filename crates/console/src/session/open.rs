//! Sessions: begun, found, ended. The store knows the digest of a session's secret only.

use tenkoku_domain::access::Origin;
use tenkoku_domain::account::{Account, Session};
use tenkoku_domain::audit::Event;
use tenkoku_domain::id::{SessionId, UserId};
use tenkoku_domain::time::Timestamp;
use tenkoku_ports::Env;
use tenkoku_store::{StoreError, Tx};

use super::secret::{Secret, digest_of};

/// A session that was just begun, with the secret that only its holder gets.
#[derive(Debug)]
pub struct Opened {
    /// The secret of the cookie.
    pub secret: Secret,
    /// The session.
    pub session: Session,
}

impl Opened {
    /// A session that begins now, right after a second factor was shown.
    pub fn new(env: &Env, user: &UserId, authenticator: &str, now: Timestamp) -> Self {
        let secret = Secret::random(&*env.entropy);
        let session = Session {
            id: SessionId::new(now, &*env.entropy),
            digest: secret.digest(),
            user: user.clone(),
            authenticator: authenticator.to_owned(),
            csrf: Secret::random(&*env.entropy).expose().to_owned(),
            created_at: now,
            seen_at: now,
            factor_at: now,
            ended_at: None,
        };
        Self { secret, session }
    }

    /// Records the session.
    pub fn record(&self, tx: &mut Tx<'_>, origin: &Origin) -> Result<(), StoreError> {
        let event = Event::LoggedIn { session: self.session.clone() };
        tx.record(origin, self.session.created_at, &event).map(drop)
    }
}

/// Idleness is written down at most once a minute.
const TOUCH_SECONDS: i64 = 60;

/// The living session behind the secret of a cookie, and whose it is.
pub fn find_session(env: &Env, secret: &str) -> Result<Option<(Session, Account)>, StoreError> {
    let now = env.clock.now();
    let digest = digest_of(secret);
    let found = env.store.read(|tx| {
        let Some(session) = tx.find_session(&digest)?.filter(|session| session.is_alive(now))
        else {
            return Ok::<_, StoreError>(None);
        };
        let account = tx.load_account(&session.user)?;
        Ok(account.disabled_at.is_none().then_some((session, account)))
    })?;
    if let Some((session, _)) = &found
        && session.seen_at.plus_seconds(TOUCH_SECONDS) <= now
    {
        env.store.write(|tx| tx.touch_session(&session.id, now))?;
    }
    Ok(found)
}

/// Ends a session on the server.
pub fn end_session(env: &Env, origin: &Origin, session: &Session) -> Result<(), StoreError> {
    let now = env.clock.now();
    env.store.write(|tx| {
        let session = Session { ended_at: Some(now), ..session.clone() };
        tx.record(origin, now, &Event::SessionEnded { session }).map(drop)
    })
}

/// Ends every living session of an account.
pub fn end_all(
    tx: &mut Tx<'_>,
    origin: &Origin,
    user: &UserId,
    now: Timestamp,
) -> Result<(), StoreError> {
    for session in tx.list_sessions(user, now)? {
        let session = Session { ended_at: Some(now), ..session };
        tx.record(origin, now, &Event::SessionEnded { session })?;
    }
    Ok(())
}
