//! Table `policies`: the key-management policies that came into force.

use diesel::prelude::*;
use tenkoku_domain::policy::KeyPolicy;
use tenkoku_domain::time::Timestamp;

use crate::column::Place;
use crate::error::StoreError;
use crate::schema::policies;
use crate::tx::Tx;

/// A policy that came into force, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EffectivePolicy {
    /// The policy.
    pub policy: KeyPolicy,
    /// Since when.
    pub since: Timestamp,
}

impl Tx<'_> {
    /// The policy in force at `now` for every authority that has none of its own.
    pub fn current_policy(&mut self, now: Timestamp) -> Result<KeyPolicy, StoreError> {
        let everywhere = |policy: &KeyPolicy| policy.authorities.iter().any(|code| code == "*");
        let found = self.list_policies(now)?.into_iter().find(|p| everywhere(&p.policy));
        found.map(|found| found.policy).ok_or(StoreError::NotFound { what: "policy" })
    }

    /// The policy in force at `now` for an authority: one that names it, else the one for all.
    pub fn current_policy_for(
        &mut self,
        authority: &str,
        now: Timestamp,
    ) -> Result<KeyPolicy, StoreError> {
        let named = |policy: &KeyPolicy| policy.authorities.iter().any(|code| code == authority);
        match self.list_policies(now)?.into_iter().find(|found| named(&found.policy)) {
            Some(found) => Ok(found.policy),
            None => self.current_policy(now),
        }
    }

    /// The policies in force at `now`, newest first: those that no newer one has superseded.
    pub fn list_policies(&mut self, now: Timestamp) -> Result<Vec<EffectivePolicy>, StoreError> {
        let mut in_force: Vec<EffectivePolicy> = Vec::new();
        for found in self.list_policy_history(now)? {
            let newer = |one: &EffectivePolicy| found.policy.is_superseded_by(&one.policy);
            if !in_force.iter().any(newer) {
                in_force.push(found);
            }
        }
        Ok(in_force)
    }

    /// Every policy that came into force until `now`, newest first.
    pub fn list_policy_history(
        &mut self,
        now: Timestamp,
    ) -> Result<Vec<EffectivePolicy>, StoreError> {
        let rows = policies::table
            .filter(policies::effective_from.le(now.millis()))
            .order((policies::effective_from.desc(), policies::version.desc()))
            .select((policies::digest, policies::document, policies::effective_from))
            .load::<(String, String, i64)>(self.conn)?;
        let read = |(digest, document, since): (String, String, i64)| {
            let policy = KeyPolicy::from_stored(&document);
            let policy = Place::new("policy", &digest).ok("document", policy)?;
            Ok(EffectivePolicy { policy, since: Timestamp::from_millis(since) })
        };
        rows.into_iter().map(read).collect()
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
