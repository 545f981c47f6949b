//! Grants: the bounded part of a representative's authority that a delegate is given (DOMAIN 15).
//!
//! Here are the terms, their digest, and what makes one grant lie inside another (I-7). How a
//! grant is signed, used up and ended is not here.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::branch::BranchCode;
use crate::canonical::{CanonicalError, Digest};
use crate::certificate::Profile;
use crate::id::{GrantId, UserId};
use crate::identifier::OrganizationIdentifier;
use crate::key::words;
use crate::level::Level;
use crate::name::Name;
use crate::refusal::{Refusal, RefusalCode};
use crate::time::Timestamp;

words! {
    /// What a delegate may do.
    GrantAction {
        /// Apply for a credential.
        Apply = "apply",
        /// Renew one.
        Renew = "renew",
        /// Bring a successor key into use.
        Rotate = "rotate",
        /// Suspend a credential.
        Suspend = "suspend",
        /// Lift a suspension.
        Release = "release",
        /// Revoke a credential.
        Revoke = "revoke",
        /// Record a branch office.
        AddBranch = "add-branch",
        /// Add and end instances of a seal.
        ManageInstances = "manage-instances",
        /// Name the custodian of a branch.
        NameCustodian = "name-custodian",
        /// Give a part of the grant to another.
        SubGrant = "sub-grant",
    }
}

/// Where a grant reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantScope {
    /// What may be done.
    pub actions: Vec<GrantAction>,
    /// For which branch offices, by their codes.
    pub branches: BTreeSet<BranchCode>,
    /// At which levels.
    pub levels: BTreeSet<Level>,
    /// Under which profiles.
    pub profiles: Vec<Profile>,
}

/// How much a grant covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantQuota {
    /// Credentials alive at one time, reserved ones counted.
    pub active: i64,
    /// New ones in a day.
    pub per_day: i64,
    /// New ones over the life of the grant.
    pub total: i64,
}

/// Everything that is signed when a grant is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantTerms {
    /// Identifier.
    pub id: GrantId,
    /// The organisation, by its primary identifier.
    pub organisation: OrganizationIdentifier,
    /// Who gives it: name and capacity.
    pub grantor: Name,
    /// In which capacity: `representative`.
    pub capacity: String,
    /// Who gets it.
    pub grantee: UserId,
    /// The grantee's name.
    pub grantee_name: Name,
    /// Where it reaches.
    pub scope: GrantScope,
    /// How much it covers.
    pub quota: GrantQuota,
    /// Its first second.
    pub not_before: Timestamp,
    /// Its last second.
    pub not_after: Timestamp,
    /// How often it may be given on: 0 or 1.
    pub subgrant_depth: i64,
    /// The key-management policy in force when it was given.
    pub policy: Digest,
}

impl GrantTerms {
    /// The canonical document that the grantor signs.
    pub fn document(&self) -> Value {
        json!({
            "v": 1,
            "grant": self.id,
            "organisation": self.organisation,
            "grantor": { "name": self.grantor, "capacity": self.capacity },
            "grantee": { "id": self.grantee, "name": self.grantee_name },
            "scope": {
                "actions": self.scope.actions,
                "branches": self.scope.branches,
                "levels": self.scope.levels,
                "profiles": self.scope.profiles,
            },
            "quota": self.quota,
            "not_before": self.not_before.to_string(),
            "not_after": self.not_after.to_string(),
            "subgrant_depth": self.subgrant_depth,
            "policy": format!("sha256:{}", self.policy),
        })
    }

    /// SHA-256 over the canonical document (RFC 8785).
    pub fn digest(&self) -> Result<Digest, CanonicalError> {
        Digest::of_json(&self.document())
    }

    /// I-7: every part of a sub-grant lies inside its parent, and the parent may be given on. The
    /// refusal names the part that does not, and nothing else.
    pub fn check_within(&self, parent: &Self) -> Result<(), Refusal> {
        let refused = |code, part: &str| Err(Refusal::new(code, "I-7").with("part", part));
        let (own, outer) = (&self.scope, &parent.scope);
        if parent.subgrant_depth < 1
            || self.subgrant_depth >= parent.subgrant_depth
            || !outer.actions.contains(&GrantAction::SubGrant)
        {
            return refused(RefusalCode::GrantDepth, "depth");
        }
        let within = [
            ("organisation", self.organisation == parent.organisation),
            ("action", own.actions.iter().all(|action| outer.actions.contains(action))),
            ("branch", own.branches.is_subset(&outer.branches)),
            ("level", own.levels.is_subset(&outer.levels)),
            ("profile", own.profiles.iter().all(|profile| outer.profiles.contains(profile))),
            (
                "date",
                parent.not_before <= self.not_before
                    && self.not_before <= self.not_after
                    && self.not_after <= parent.not_after,
            ),
        ];
        if let Some((part, _)) = within.iter().find(|(_, inside)| !inside) {
            return refused(RefusalCode::GrantScope, part);
        }
        let (own, outer) = (&self.quota, &parent.quota);
        let quotas = [
            ("active", own.active, outer.active),
            ("per-day", own.per_day, outer.per_day),
            ("total", own.total, outer.total),
        ];
        match quotas.iter().find(|(_, own, outer)| own > outer || *own < 0) {
            Some((part, ..)) => refused(RefusalCode::GrantQuota, part),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms() -> GrantTerms {
        use GrantAction::{Apply, Renew, Revoke, Rotate, Suspend};
        let branch = |code| BranchCode::parse(code).unwrap();
        GrantTerms {
            id: GrantId::parse("grt_01J0000000000000000000000A").unwrap(),
            organisation: OrganizationIdentifier::parse("NTRJP-5010401067252").unwrap(),
            grantor: Name::parse("代表取締役 見本 太郎").unwrap(),
            capacity: "representative".to_owned(),
            grantee: UserId::parse("usr_01J0000000000000000000000B").unwrap(),
            grantee_name: Name::parse("情報システム部 例 花子").unwrap(),
            scope: GrantScope {
                actions: vec![Apply, Renew, Rotate, Suspend, Revoke],
                branches: BTreeSet::from([branch("BR-0001"), branch("BR-0002")]),
                levels: BTreeSet::from([Level::One, Level::Two]),
                profiles: vec![Profile::Seal1, Profile::Seal2],
            },
            quota: GrantQuota { active: 4, per_day: 2, total: 12 },
            not_before: Timestamp::parse("2026-12-01T00:00:00Z").unwrap(),
            not_after: Timestamp::parse("2027-11-30T23:59:59Z").unwrap(),
            subgrant_depth: 0,
            policy: Digest([0; 32]),
        }
    }

    #[test]
    fn the_digest_is_that_of_domain_22() {
        let expected = "82c5d1454a3a0e54a27c583ae7bb22e5ea57b22e89d4358ddeb6a96a814d5594";
        assert_eq!(terms().digest().unwrap().to_string(), expected);
    }

    fn check(change: impl Fn(&mut GrantTerms), expected: Option<(RefusalCode, &str)>) {
        let mut parent = terms();
        parent.subgrant_depth = 1;
        parent.scope.actions.push(GrantAction::SubGrant);
        let mut inner = terms();
        change(&mut inner);
        let refused = inner.check_within(&parent).err();
        let found = refused.as_ref().map(|refusal| (refusal.code, refusal.facts["part"].as_str()));
        assert_eq!(found, expected);
    }

    #[test]
    fn i_7_a_sub_grant_lies_inside_its_parent() {
        use RefusalCode::{GrantDepth, GrantQuota, GrantScope};
        let fukuoka = BranchCode::parse("BR-0003").unwrap();
        check(|_| (), None);
        check(|inner| inner.quota.total = 13, Some((GrantQuota, "total")));
        check(|inner| inner.quota.active = 5, Some((GrantQuota, "active")));
        check(|inner| inner.quota.per_day = -1, Some((GrantQuota, "per-day")));
        check(|inner| inner.subgrant_depth = 1, Some((GrantDepth, "depth")));
        check(
            |inner| {
                inner.scope.branches.insert(fukuoka.clone());
            },
            Some((GrantScope, "branch")),
        );
        check(
            |inner| {
                inner.scope.levels.insert(Level::Three);
            },
            Some((GrantScope, "level")),
        );
        check(
            |inner| inner.scope.actions.push(GrantAction::AddBranch),
            Some((GrantScope, "action")),
        );
        check(|inner| inner.scope.profiles.push(Profile::Seal3), Some((GrantScope, "profile")));
        check(
            |inner| inner.not_after = inner.not_after.plus_seconds(1),
            Some((GrantScope, "date")),
        );
        let parent = terms();
        assert_eq!(terms().check_within(&parent).unwrap_err().code, GrantDepth);
    }
}
