//! Grants: the bounded part of a representative's authority that a delegate is given (DOMAIN 15).
//!
//! Here are the terms, their digest, what makes one grant lie inside another (I-7), the life of a
//! grant (DOMAIN 6.8), and what it covers (DG-1, DG-2, DG-4). How a signature is verified is not
//! here.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::approval::Conditions;
use crate::branch::BranchCode;
use crate::canonical::{CanonicalError, Digest};
use crate::certificate::Profile;
use crate::id::{GrantId, OrganisationId, PersonId, RepresentativeId, UserId};
use crate::identifier::OrganizationIdentifier;
use crate::key::words;
use crate::level::Level;
use crate::name::Name;
use crate::person::Party;
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

/// Longest grant in days: 24 months, and 12 where level 3 is included (DOMAIN 15).
const LONGEST_DAYS: [i64; 2] = [731, 366];

/// Where a grant reaches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantScope {
    /// What may be done.
    pub actions: Vec<GrantAction>,
    /// For which branch offices, by their codes. A subtree is written out as it was that day.
    pub branches: BTreeSet<BranchCode>,
    /// Whether branch offices that are recorded later are inside too (DG-4).
    #[serde(default)]
    pub follow_new_branches: bool,
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// What it demands beyond its scope.
    #[serde(default)]
    pub conditions: Conditions,
    /// The grant that it is a part of, where it is a sub-grant.
    #[serde(default)]
    pub parent: Option<GrantId>,
}

impl GrantTerms {
    /// The canonical document that the grantor signs. What is as usual is left out, so that a plain
    /// grant reads as it always did.
    pub fn document(&self) -> Value {
        let mut document = self.plain();
        let mut put = |place: &str, name: &str, value: Value| {
            if let Some(members) = document.pointer_mut(place).and_then(Value::as_object_mut) {
                members.insert(name.to_owned(), value);
            }
        };
        if self.scope.follow_new_branches {
            put("/scope", "follow_new_branches", json!(true));
        }
        if self.conditions != Conditions::default() {
            put("", "conditions", json!(self.conditions));
        }
        if let Some(parent) = &self.parent {
            put("", "parent", json!(parent));
        }
        document
    }

    fn plain(&self) -> Value {
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

    /// What must hold of the terms alone: something is granted, quotas are no debts, and the period
    /// is no longer than its levels allow.
    pub fn check(&self) -> Result<(), Refusal> {
        let wrong = |code, part: &str| Err(Refusal::new(code, "15").with("part", part));
        let GrantScope { actions, branches, levels, profiles, .. } = &self.scope;
        let parts = [
            ("action", actions.is_empty()),
            ("branch", branches.is_empty()),
            ("level", levels.is_empty()),
            ("profile", profiles.is_empty()),
        ];
        if let Some((part, _)) = parts.iter().find(|(_, empty)| *empty) {
            return wrong(RefusalCode::GrantScope, part);
        }
        let GrantQuota { active, per_day, total } = self.quota;
        if active < 1 || per_day < 1 || total < 1 {
            return wrong(RefusalCode::GrantQuota, "quota");
        }
        if !(0..=1).contains(&self.subgrant_depth) {
            return wrong(RefusalCode::GrantDepth, "depth");
        }
        let [usual, strict] = LONGEST_DAYS;
        let days = if levels.contains(&Level::Three) { strict } else { usual };
        let longest = self.not_before.plus_days(days);
        if self.not_after <= self.not_before || self.not_after > longest {
            return Err(Refusal::new(RefusalCode::GrantScope, "15")
                .with("part", "date")
                .with("longest", longest));
        }
        Ok(())
    }

    /// DG-1: the first part of the terms that does not cover a use, and nothing else.
    pub fn covers(&self, wanted: &GrantUse<'_>, now: Timestamp) -> Result<(), Refusal> {
        let refused = |code, part: &str| Err(Refusal::new(code, "DG-1").with("part", part));
        if now > self.not_after {
            return refused(RefusalCode::GrantEnded, "date");
        }
        let scope = &self.scope;
        let inside = [
            ("date", self.not_before <= now),
            ("action", scope.actions.contains(&wanted.action)),
            ("branch", scope.follow_new_branches || scope.branches.contains(wanted.branch)),
            ("level", scope.levels.contains(&wanted.level)),
            ("profile", scope.profiles.contains(&wanted.profile)),
        ];
        match inside.iter().find(|(_, inside)| !inside) {
            Some((part, _)) => refused(RefusalCode::GrantScope, part),
            None => Ok(()),
        }
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
            (
                "branch",
                outer.follow_new_branches
                    || (own.branches.is_subset(&outer.branches) && !own.follow_new_branches),
            ),
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

/// What somebody wants to do under a grant.
#[derive(Clone, Copy, Debug)]
pub struct GrantUse<'a> {
    /// The action.
    pub action: GrantAction,
    /// For which branch office.
    pub branch: &'a BranchCode,
    /// At which level.
    pub level: Level,
    /// Under which profile.
    pub profile: Profile,
}

/// How much of a grant is used: its own uses and those of its sub-grants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantUsage {
    /// Credentials that are alive, and applications under way (DG-2).
    pub active: i64,
    /// New ones of this day (UTC).
    pub today: i64,
    /// New ones over the life of the grant; never given back once issued.
    pub total: i64,
}

impl GrantQuota {
    /// DG-1, DG-2: whether what is used stays inside. The refusal names the part that does not.
    pub fn check(&self, used: &GrantUsage) -> Result<(), Refusal> {
        let parts = [
            ("active", used.active, self.active),
            ("per-day", used.today, self.per_day),
            ("total", used.total, self.total),
        ];
        match parts.iter().find(|(_, used, quota)| used > quota) {
            Some((part, ..)) => {
                Err(Refusal::new(RefusalCode::GrantQuota, "DG-2").with("part", part))
            }
            None => Ok(()),
        }
    }
}

words! {
    /// State of a grant (DOMAIN 6.8). Stored: add, never change one.
    GrantState {
        /// Written, not signed.
        Draft = "draft",
        /// Signed; on paper, it waits for two officers.
        Signed = "signed",
        /// May be used between its dates.
        Active = "active",
        /// Not usable for the time being.
        Paused = "paused",
        /// Ended for ever.
        Ended = "ended",
    }
}

words! {
    /// Why a grant ended. Stored: add, never change one.
    GrantEnd {
        /// Its period is over.
        Expired = "expired",
        /// The grantor took it back.
        Revoked = "revoked",
        /// The grantor lost the capacity, and no successor confirmed.
        GrantorLost = "grantor-lost",
        /// The grantee left, or gave it back.
        GranteeLeft = "grantee-left",
        /// An officer refused the paper, or it was never signed.
        Refused = "refused",
    }
}

/// In which form a grant was signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "form", rename_all = "kebab-case")]
pub enum GrantForm {
    /// A detached CMS signature over the digest, by the representative's certificate.
    Certificate {
        /// The certificate and how it was judged.
        source: crate::proofing::Source,
        /// The digest of the signature file.
        evidence: Digest,
    },
    /// A WebAuthn assertion whose challenge is the digest.
    Passkey {
        /// The credential's identifier, base64url.
        credential: String,
        /// The digest of the assertion, JSON.
        evidence: Digest,
    },
    /// A signed paper.
    Paper {
        /// The digest of the scan.
        scan: Digest,
        /// The digest of the record of the call back.
        call_back: Digest,
    },
    /// A sub-grant, by the grantee of its parent from a session with a fresh second factor.
    Session {
        /// What the session proved itself with.
        authenticator: String,
    },
}

/// A grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// What is granted.
    pub terms: GrantTerms,
    /// The organisation's record.
    pub organisation: OrganisationId,
    /// The person who grants.
    pub grantor: PersonId,
    /// The office from which that person grants; of a sub-grant, that of its parent.
    pub representative: RepresentativeId,
    /// Who wrote it.
    pub drafted_by: Party,
    /// When.
    pub drafted_at: Timestamp,
    /// How it was signed, once it was.
    pub form: Option<GrantForm>,
    /// State.
    pub state: GrantState,
    /// While a change of representative is reviewed: until when the successor must confirm (DG-6).
    pub review_until: Option<Timestamp>,
    /// Why it ended.
    pub end: Option<GrantEnd>,
    /// When it was ended.
    pub ended_at: Option<Timestamp>,
}

impl Grant {
    /// DG-1: it may be used for this now. The refusal names the failing part, never more.
    pub fn check(&self, wanted: &GrantUse<'_>, now: Timestamp) -> Result<(), Refusal> {
        let refused = |code, part: &str| Err(Refusal::new(code, "DG-1").with("part", part));
        match self.state {
            GrantState::Active => {}
            GrantState::Draft | GrantState::Signed => {
                return refused(RefusalCode::GrantMissing, "signature");
            }
            GrantState::Paused => return refused(RefusalCode::GrantEnded, "paused"),
            GrantState::Ended => return refused(RefusalCode::GrantEnded, "state"),
        }
        // The job that pauses may be late.
        if self.review_until.is_some_and(|until| until <= now) {
            return Err(Refusal::new(RefusalCode::GrantEnded, "DG-6").with("part", "paused"));
        }
        self.terms.covers(wanted, now)
    }

    /// DG-1 for what is done for the organisation as a whole: it may be used now, and the action is
    /// granted.
    pub fn check_action(&self, action: GrantAction, now: Timestamp) -> Result<(), Refusal> {
        let scope = &self.terms.scope;
        let inside = |branch: &BranchCode, level: Level, profile: Profile| {
            self.check(&GrantUse { action, branch, level, profile }, now)
        };
        match (scope.branches.first(), scope.levels.first(), scope.profiles.first()) {
            (Some(branch), Some(level), Some(profile)) => inside(branch, *level, *profile),
            _ => Err(Refusal::new(RefusalCode::GrantScope, "DG-1").with("part", "action")),
        }
    }

    /// Whether it may move to a state (DOMAIN 6.8).
    pub fn may_move(&self, to: GrantState) -> Result<(), Refusal> {
        use GrantState as S;
        let known = matches!(
            (self.state, to),
            (S::Draft, S::Signed | S::Active | S::Ended)
                | (S::Signed | S::Paused, S::Active | S::Ended)
                | (S::Active, S::Paused | S::Ended)
        );
        if known {
            return Ok(());
        }
        Err(Refusal::new(RefusalCode::StateConflict, "6.8").with("state", self.state))
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
                follow_new_branches: false,
                levels: BTreeSet::from([Level::One, Level::Two]),
                profiles: vec![Profile::Seal1, Profile::Seal2],
            },
            quota: GrantQuota { active: 4, per_day: 2, total: 12 },
            not_before: Timestamp::parse("2026-12-01T00:00:00Z").unwrap(),
            not_after: Timestamp::parse("2027-11-30T23:59:59Z").unwrap(),
            subgrant_depth: 0,
            policy: Digest([0; 32]),
            conditions: Conditions::default(),
            parent: None,
        }
    }

    #[test]
    fn what_is_unusual_is_signed_too() {
        let plain = terms().digest().unwrap();
        let mut other = terms();
        other.scope.follow_new_branches = true;
        assert_ne!(other.digest().unwrap(), plain);
        let mut other = terms();
        other.conditions.confirm_level_3 = false;
        assert_ne!(other.digest().unwrap(), plain);
        let parent = Some(terms().id);
        assert_ne!(GrantTerms { parent, ..terms() }.digest().unwrap(), plain);
    }

    fn check_terms(change: impl Fn(&mut GrantTerms), expected: Option<&str>) {
        let mut changed = terms();
        change(&mut changed);
        let found = changed.check().err().map(|refusal| refusal.facts["part"].clone());
        assert_eq!(found.as_deref(), expected);
    }

    #[test]
    fn a_grant_is_no_longer_than_its_levels_allow() {
        check_terms(|_| (), None);
        check_terms(|t| t.not_after = t.not_before.plus_days(731), None);
        check_terms(|t| t.not_after = t.not_before.plus_days(732), Some("date"));
        check_terms(
            |t| {
                t.scope.levels.insert(Level::Three);
                t.not_after = t.not_before.plus_days(367);
            },
            Some("date"),
        );
        check_terms(|t| t.not_after = t.not_before, Some("date"));
        check_terms(|t| t.scope.levels.clear(), Some("level"));
        check_terms(|t| t.quota.per_day = 0, Some("quota"));
        check_terms(|t| t.subgrant_depth = 2, Some("depth"));
    }

    fn check_use(branch: &str, level: Level, at: &str, expected: Option<(RefusalCode, &str)>) {
        let code = BranchCode::parse(branch).unwrap();
        let profile = Profile::seal(level);
        let wanted = GrantUse { action: GrantAction::Apply, branch: &code, level, profile };
        let refused = terms().covers(&wanted, Timestamp::parse(at).unwrap()).err();
        let found = refused.as_ref().map(|refusal| (refusal.code, refusal.facts["part"].as_str()));
        assert_eq!(found, expected, "{branch} {level} {at}");
    }

    #[test]
    fn dg_1_the_failing_part_is_named() {
        use RefusalCode::{GrantEnded, GrantScope};
        let day = "2027-01-10T00:00:00Z";
        check_use("BR-0001", Level::Two, day, None);
        check_use("BR-0003", Level::Two, day, Some((GrantScope, "branch")));
        check_use("BR-0001", Level::Three, day, Some((GrantScope, "level")));
        check_use("BR-0001", Level::One, "2026-11-30T23:59:59Z", Some((GrantScope, "date")));
        check_use("BR-0001", Level::One, "2027-11-30T23:59:59Z", None);
        check_use("BR-0001", Level::One, "2027-12-01T00:00:00Z", Some((GrantEnded, "date")));
    }

    #[test]
    fn dg_4_later_branches_are_inside_only_where_the_grant_follows_them() {
        let code = BranchCode::parse("BR-0099").unwrap();
        let level = Level::One;
        let profile = Profile::seal(level);
        let wanted = GrantUse { action: GrantAction::Apply, branch: &code, level, profile };
        let mut terms = terms();
        assert!(terms.covers(&wanted, terms.not_before).is_err());
        terms.scope.follow_new_branches = true;
        assert!(terms.covers(&wanted, terms.not_before).is_ok());
    }

    #[test]
    fn dg_2_each_part_of_a_quota_is_a_limit() {
        let quota = terms().quota;
        let used = |active, today, total| {
            let refused = quota.check(&GrantUsage { active, today, total }).err();
            refused.map(|refusal| refusal.facts["part"].clone())
        };
        assert_eq!(used(4, 2, 12), None);
        assert_eq!(used(5, 2, 12).as_deref(), Some("active"));
        assert_eq!(used(4, 3, 12).as_deref(), Some("per-day"));
        assert_eq!(used(4, 2, 13).as_deref(), Some("total"));
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
