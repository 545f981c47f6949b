//! Table `policies`: the key-management policies that came into force.

use diesel::prelude::*;
use tenkoku_domain::policy::KeyPolicy;
use tenkoku_domain::time::Timestamp;

use crate::column::Place;
use crate::error::StoreError;
use crate::schema::policies;
use crate::tx::Tx;

impl Tx<'_> {
    /// The policy in force at `now`.
    pub fn current_policy(&mut self, now: Timestamp) -> Result<KeyPolicy, StoreError> {
        let (digest, document) = policies::table
            .filter(policies::effective_from.le(now.millis()))
            .order((policies::effective_from.desc(), policies::version.desc()))
            .select((policies::digest, policies::document))
            .first::<(String, String)>(self.conn)
            .optional()?
            .ok_or(StoreError::NotFound { what: "policy" })?;
        Place::new("policy", &digest).ok("document", KeyPolicy::from_stored(&document))
    }

    /// Keeps a policy that comes into force at `at`.
    pub(crate) fn insert_policy(
        &mut self,
        policy: &KeyPolicy,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let wrong = |error| StoreError::Database(Box::new(error));
        let digest = policy.digest().map_err(wrong)?;
        let document = policy.canonical_json().map_err(wrong)?;
        diesel::insert_into(policies::table)
            .values((
                policies::digest.eq(digest.to_string()),
                policies::id.eq(&policy.id),
                policies::version.eq(&policy.version),
                policies::document.eq(document),
                policies::effective_from.eq(at.millis()),
            ))
            .execute(self.conn)?;
        Ok(())
    }
}
