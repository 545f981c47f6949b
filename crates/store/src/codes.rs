//! Table `enrolment_codes`: one-time links, by the digest of their secret.

use diesel::prelude::*;
use tenkoku_domain::account::EnrolmentCode;
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::id::UserId;
use tenkoku_domain::time::Timestamp;

use crate::column::{Place, instant, millis};
use crate::error::StoreError;
use crate::schema::enrolment_codes;
use crate::tx::{Tx, one};

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = enrolment_codes)]
struct CodeRow {
    digest: String,
    account_id: String,
    expires_at: i64,
    used_at: Option<i64>,
    attempts: i32,
}

impl CodeRow {
    fn read(self) -> Result<EnrolmentCode, StoreError> {
        let place = Place::new("enrolment code", &self.digest);
        Ok(EnrolmentCode {
            digest: place.digest("digest", &self.digest)?,
            user: place.ok("account_id", UserId::parse(&self.account_id))?,
            expires_at: Timestamp::from_millis(self.expires_at),
            used_at: instant(self.used_at),
            attempts: self.attempts,
        })
    }
}

impl Tx<'_> {
    /// The code whose secret has a digest.
    pub fn find_code(&mut self, digest: &Digest) -> Result<Option<EnrolmentCode>, StoreError> {
        enrolment_codes::table
            .find(digest.to_string())
            .select(CodeRow::as_select())
            .first(self.conn)
            .optional()?
            .map(CodeRow::read)
            .transpose()
    }

    /// Counts a failed attempt.
    pub fn count_attempt(&mut self, digest: &Digest) -> Result<(), StoreError> {
        self.change(|tx| {
            let rows = diesel::update(enrolment_codes::table.find(digest.to_string()))
                .set(enrolment_codes::attempts.eq(enrolment_codes::attempts + 1))
                .execute(tx.conn)?;
            one(rows, "enrolment code")
        })
    }

    /// Keeps a new code; earlier ones of the account are void from now on.
    pub(crate) fn insert_code(
        &mut self,
        code: &EnrolmentCode,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let earlier = enrolment_codes::table
            .filter(enrolment_codes::account_id.eq(code.user.as_str()))
            .filter(enrolment_codes::used_at.is_null());
        diesel::update(earlier)
            .set(enrolment_codes::used_at.eq(Some(at.millis())))
            .execute(self.conn)?;
        let row = CodeRow {
            digest: code.digest.to_string(),
            account_id: code.user.to_string(),
            expires_at: code.expires_at.millis(),
            used_at: millis(code.used_at),
            attempts: code.attempts,
        };
        diesel::insert_into(enrolment_codes::table).values(row).execute(self.conn)?;
        Ok(())
    }

    /// A code was used; it is good once.
    pub(crate) fn use_code(
        &mut self,
        code: &EnrolmentCode,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let unused = enrolment_codes::table
            .find(code.digest.to_string())
            .filter(enrolment_codes::used_at.is_null());
        let rows = diesel::update(unused)
            .set(enrolment_codes::used_at.eq(Some(at.millis())))
            .execute(self.conn)?;
        one(rows, "enrolment code")
    }
}
