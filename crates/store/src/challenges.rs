//! Table `challenges`: what applicants sign to show possession of a key.

use diesel::dsl::max;
use diesel::prelude::*;
use tenkoku_domain::challenge::Challenge;
use tenkoku_domain::id::ApplicationId;
use tenkoku_domain::time::Timestamp;

use crate::column::{instant, millis};
use crate::error::StoreError;
use crate::schema::challenges;
use crate::tx::{Tx, one};

#[derive(Queryable, Selectable)]
#[diesel(table_name = challenges)]
struct ChallengeRow {
    challenge: String,
    issued_at: i64,
    expires_at: i64,
    used_at: Option<i64>,
}

impl ChallengeRow {
    fn read(self, application: &ApplicationId) -> Challenge {
        Challenge {
            application: application.clone(),
            text: self.challenge,
            issued_at: Timestamp::from_millis(self.issued_at),
            expires_at: Timestamp::from_millis(self.expires_at),
            used_at: instant(self.used_at),
        }
    }
}

impl Tx<'_> {
    /// The challenge of an application that is accepted while it is fresh: the newest.
    pub fn current_challenge(
        &mut self,
        application: &ApplicationId,
    ) -> Result<Challenge, StoreError> {
        let row: Option<ChallengeRow> = challenges::table
            .filter(challenges::application_id.eq(application.as_str()))
            .order(challenges::number.desc())
            .select(ChallengeRow::as_select())
            .first(self.conn)
            .optional()?;
        Ok(row.ok_or(StoreError::NotFound { what: "challenge" })?.read(application))
    }

    /// Keeps a new challenge, which takes the place of the one before.
    pub(crate) fn insert_challenge(&mut self, challenge: &Challenge) -> Result<(), StoreError> {
        let last = challenges::table
            .filter(challenges::application_id.eq(challenge.application.as_str()))
            .select(max(challenges::number))
            .first::<Option<i32>>(self.conn)?;
        diesel::insert_into(challenges::table)
            .values((
                challenges::challenge.eq(&challenge.text),
                challenges::application_id.eq(challenge.application.as_str()),
                challenges::number.eq(last.unwrap_or(0).saturating_add(1)),
                challenges::issued_at.eq(challenge.issued_at.millis()),
                challenges::expires_at.eq(challenge.expires_at.millis()),
                challenges::used_at.eq(millis(challenge.used_at)),
            ))
            .execute(self.conn)?;
        Ok(())
    }

    /// A challenge was answered; it is never accepted again.
    pub(crate) fn use_challenge(
        &mut self,
        challenge: &Challenge,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let unused = challenges::used_at.is_null();
        let rows = diesel::update(challenges::table.find(&challenge.text).filter(unused))
            .set(challenges::used_at.eq(at.millis()))
            .execute(self.conn)?;
        one(rows, "challenge")
    }
}
