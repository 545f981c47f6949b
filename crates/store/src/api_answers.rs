//! Table `api_answers`: what the API answered to requests that carried an idempotency key. A key is
//! remembered for a day; then its row ends.

use diesel::prelude::*;
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::id::UserId;
use tenkoku_domain::time::Timestamp;

use crate::column::Place;
use crate::error::StoreError;
use crate::schema::{accounts, api_answers};
use crate::tx::{Tx, lock_row, one};

/// How long a key is remembered, in seconds.
const REMEMBERED_SECONDS: i64 = 86_400;

/// What an idempotency key was used for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownRequest {
    /// The digest of method, path and body.
    pub request: Digest,
    /// The answer; `None` while the request runs, or when the program stopped before it was done.
    pub answer: Option<KnownAnswer>,
}

/// An answer that was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownAnswer {
    /// HTTP status.
    pub status: u16,
    /// SHA-256 of the body.
    pub digest: Digest,
    /// Media type and body; `None` for what is shown once.
    pub body: Option<(String, Vec<u8>)>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = api_answers)]
struct AnswerRow {
    idempotency_key: String,
    request: String,
    status: Option<i32>,
    digest: Option<String>,
    media_type: Option<String>,
    body: Option<Vec<u8>>,
}

impl AnswerRow {
    fn read(self) -> Result<KnownRequest, StoreError> {
        let place = Place::new("API answer", &self.idempotency_key);
        let answer = match (self.status, self.digest) {
            (Some(status), Some(digest)) => Some(KnownAnswer {
                status: place.ok("status", u16::try_from(status))?,
                digest: place.digest("digest", &digest)?,
                body: self.media_type.zip(self.body),
            }),
            _ => None,
        };
        Ok(KnownRequest { request: place.digest("request", &self.request)?, answer })
    }
}

impl Tx<'_> {
    /// Takes an idempotency key of an account for a request. Gives what it was used for already
    /// within the last day.
    pub fn begin_request(
        &mut self,
        user: &UserId,
        key: &str,
        request: &Digest,
        now: Timestamp,
    ) -> Result<Option<KnownRequest>, StoreError> {
        let over = now.plus_seconds(-REMEMBERED_SECONDS).millis();
        self.change(|tx| {
            // Two requests of one account take their keys one after the other.
            lock_row!(tx, accounts, user.as_str());
            diesel::delete(api_answers::table.filter(api_answers::begun_at.le(over)))
                .execute(tx.conn)?;
            let known: Option<AnswerRow> = api_answers::table
                .find((user.as_str(), key))
                .select(AnswerRow::as_select())
                .first(tx.conn)
                .optional()?;
            if let Some(known) = known {
                return known.read().map(Some);
            }
            diesel::insert_into(api_answers::table)
                .values((
                    api_answers::account_id.eq(user.as_str()),
                    api_answers::idempotency_key.eq(key),
                    api_answers::request.eq(request.to_string()),
                    api_answers::begun_at.eq(now.millis()),
                ))
                .execute(tx.conn)?;
            Ok(None)
        })
    }

    /// Keeps the answer to a request that began.
    pub fn finish_request(
        &mut self,
        user: &UserId,
        key: &str,
        answer: &KnownAnswer,
    ) -> Result<(), StoreError> {
        let (media_type, body) = answer.body.clone().unzip();
        self.change(|tx| {
            let open = api_answers::table.find((user.as_str(), key));
            let rows = diesel::update(open.filter(api_answers::status.is_null()))
                .set((
                    api_answers::status.eq(Some(i32::from(answer.status))),
                    api_answers::digest.eq(Some(answer.digest.to_string())),
                    api_answers::media_type.eq(media_type),
                    api_answers::body.eq(body),
                ))
                .execute(tx.conn)?;
            one(rows, "request")
        })
    }

    /// Lets an idempotency key go whose request changed nothing, so that it may be tried again.
    pub fn forget_request(&mut self, user: &UserId, key: &str) -> Result<(), StoreError> {
        self.change(|tx| {
            let open = api_answers::table.find((user.as_str(), key));
            diesel::delete(open.filter(api_answers::status.is_null())).execute(tx.conn)?;
            Ok(())
        })
    }
}
