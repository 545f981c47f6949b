//! Table `sessions`: signed-in people, by the digest of the cookie's secret.

use diesel::prelude::*;
use tenkoku_domain::account::Session;
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::id::{SessionId, UserId};
use tenkoku_domain::time::Timestamp;

use crate::column::{Place, instant, millis};
use crate::error::StoreError;
use crate::schema::sessions;
use crate::tx::{Tx, one};

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = sessions)]
struct SessionRow {
    id: String,
    digest: String,
    account_id: String,
    authenticator: String,
    csrf: String,
    created_at: i64,
    seen_at: i64,
    factor_at: i64,
    ended_at: Option<i64>,
}

impl From<&Session> for SessionRow {
    fn from(session: &Session) -> Self {
        Self {
            id: session.id.to_string(),
            digest: session.digest.to_string(),
            account_id: session.user.to_string(),
            authenticator: session.authenticator.clone(),
            csrf: session.csrf.clone(),
            created_at: session.created_at.millis(),
            seen_at: session.seen_at.millis(),
            factor_at: session.factor_at.millis(),
            ended_at: millis(session.ended_at),
        }
    }
}

impl SessionRow {
    fn read(self) -> Result<Session, StoreError> {
        let place = Place::new("session", &self.id);
        Ok(Session {
            id: place.ok("id", SessionId::parse(&self.id))?,
            digest: place.digest("digest", &self.digest)?,
            user: place.ok("account_id", UserId::parse(&self.account_id))?,
            authenticator: self.authenticator,
            csrf: self.csrf,
            created_at: Timestamp::from_millis(self.created_at),
            seen_at: Timestamp::from_millis(self.seen_at),
            factor_at: Timestamp::from_millis(self.factor_at),
            ended_at: instant(self.ended_at),
        })
    }
}

impl Tx<'_> {
    /// The session whose cookie has a digest, ended or not.
    pub fn find_session(&mut self, digest: &Digest) -> Result<Option<Session>, StoreError> {
        sessions::table
            .filter(sessions::digest.eq(digest.to_string()))
            .select(SessionRow::as_select())
            .first(self.conn)
            .optional()?
            .map(SessionRow::read)
            .transpose()
    }

    /// A session was used.
    pub fn touch_session(&mut self, id: &SessionId, at: Timestamp) -> Result<(), StoreError> {
        self.change(|tx| {
            let rows = diesel::update(sessions::table.find(id.as_str()))
                .set(sessions::seen_at.eq(at.millis()))
                .execute(tx.conn)?;
            one(rows, "session")
        })
    }

    /// The living sessions of a person, newest first.
    pub fn list_sessions(
        &mut self,
        user: &UserId,
        now: Timestamp,
    ) -> Result<Vec<Session>, StoreError> {
        let rows = sessions::table
            .filter(sessions::account_id.eq(user.as_str()))
            .filter(sessions::ended_at.is_null())
            .filter(sessions::created_at.gt(now.plus_seconds(-Session::LIFE_SECONDS).millis()))
            .order(sessions::id.desc())
            .select(SessionRow::as_select())
            .load(self.conn)?;
        let mut all: Vec<_> = rows.into_iter().map(SessionRow::read).collect::<Result<_, _>>()?;
        all.retain(|session| session.is_alive(now));
        Ok(all)
    }

    /// Keeps a new session.
    pub(crate) fn insert_session(&mut self, session: &Session) -> Result<(), StoreError> {
        let row = SessionRow::from(session);
        diesel::insert_into(sessions::table).values(row).execute(self.conn)?;
        Ok(())
    }

    /// A second factor was shown again in a session that has not ended.
    pub(crate) fn step_up_session(&mut self, session: &Session) -> Result<(), StoreError> {
        let open = sessions::table.find(session.id.as_str()).filter(sessions::ended_at.is_null());
        let rows = diesel::update(open)
            .set(sessions::factor_at.eq(session.factor_at.millis()))
            .execute(self.conn)?;
        one(rows, "session")
    }

    /// A session ends, once.
    pub(crate) fn end_session(
        &mut self,
        session: &Session,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let open = sessions::table.find(session.id.as_str()).filter(sessions::ended_at.is_null());
        let rows = diesel::update(open)
            .set(sessions::ended_at.eq(Some(at.millis())))
            .execute(self.conn)?;
        one(rows, "session")
    }
}
