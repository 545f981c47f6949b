//! What is known about a key, and what that means for whoever hands it in (KM-6, DOMAIN 8.3).
//!
//! Deliberately not here: opening incidents. A hit means something to others only once possession
//! was shown; before that, anybody can hand in anybody's public key (AB-11).

use tenkoku_domain::access::Scope;
use tenkoku_domain::audit::AuditCode;
use tenkoku_domain::feed::FeedState;
use tenkoku_domain::id::{BranchId, InstanceId, OrganisationId};
use tenkoku_domain::incident::IncidentKind;
use tenkoku_domain::key::{Fingerprint, Key, KeyHolder};
use tenkoku_domain::policy::KeyPolicy;
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_domain::time::Timestamp;
use tenkoku_store::{StoreError, Tx};

/// Where a key is handed in for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) branch: &'a BranchId,
    /// Where it is the successor key of an instance.
    pub(crate) instance: Option<&'a InstanceId>,
}

/// A key that is known already.
#[derive(Clone, Debug)]
pub(crate) struct Hit {
    /// The answer to the applicant. A holder outside the applicant's scope is never named.
    pub(crate) refusal: Refusal,
    /// What it is an incident of, once possession was shown.
    pub(crate) incident: Option<IncidentKind>,
    /// The first holder's branch and organisation, where it is an instance of a seal.
    pub(crate) holder: Option<(OrganisationId, BranchId)>,
}

impl Hit {
    /// The code under which the refusal is recorded.
    pub(crate) fn code(&self) -> AuditCode {
        if self.refusal.code == RefusalCode::KeyBlocked {
            AuditCode::KeyBlocked
        } else {
            AuditCode::KeyDuplicate
        }
    }

    /// A blocked or published key: what rests on it is revoked (DOMAIN 8.3).
    pub(crate) fn blocked(refusal: Refusal, holder: Option<(OrganisationId, BranchId)>) -> Self {
        Self { refusal, incident: Some(IncidentKind::BlockedKey), holder }
    }

    fn other(incident: IncidentKind, holder: Option<(OrganisationId, BranchId)>) -> Self {
        let refusal = Refusal::new(RefusalCode::KeyDuplicate, "KM-6").with("holder", "other");
        Self { refusal, incident: Some(incident), holder }
    }
}

/// Everything that DOMAIN 8.2 compares with; `None` for a key that nobody has shown before. A
/// blocked key is one whoever held it (KM-5). Published lists are compared with the whole key, and
/// elsewhere.
pub(crate) fn look_up(
    tx: &mut Tx<'_>,
    scope: &Scope,
    place: Place<'_>,
    fingerprint: &Fingerprint,
    now: Timestamp,
) -> Result<Option<Hit>, StoreError> {
    let policy = tx.current_policy(now)?;
    let ours = match tx.find_key_by_fingerprint(fingerprint)? {
        Some(key) => Some(of_key(tx, scope, place, &key)?),
        // I-2: a key that signs a system's tokens is nobody's seal.
        None if tx.is_token_key(fingerprint)? => Some(Hit::other(IncidentKind::ForeignKey, None)),
        None => None,
    };
    if policy.weak_keys.blocked_key_store
        && let Some(blocked) = tx.find_blocked_key(fingerprint)?
    {
        let refusal = Refusal::new(RefusalCode::KeyBlocked, "KM-5").with("list", blocked.list);
        return Ok(Some(Hit::blocked(refusal, ours.and_then(|hit| hit.holder))));
    }
    match (ours, told_elsewhere(tx, &policy, fingerprint)?) {
        (ours, Some(FeedState::Compromised)) => {
            let refusal = exposed_elsewhere();
            Ok(Some(Hit::blocked(refusal, ours.and_then(|hit| hit.holder))))
        }
        (None, Some(FeedState::Live | FeedState::Ended)) => {
            Ok(Some(Hit::other(IncidentKind::FeedKey, None)))
        }
        (ours, _) => Ok(ours),
    }
}

/// What the feeds of other authorities say of a key, where the policy asks them.
fn told_elsewhere(
    tx: &mut Tx<'_>,
    policy: &KeyPolicy,
    fingerprint: &Fingerprint,
) -> Result<Option<FeedState>, StoreError> {
    if policy.uniqueness.include_other_authorities {
        tx.find_feed_key(fingerprint)
    } else {
        Ok(None)
    }
}

fn exposed_elsewhere() -> Refusal {
    Refusal::new(RefusalCode::KeyBlocked, "KM-5").with("list", "feed")
}

/// KM-5 and KM-6 once more at issue: what another authority's feed says since the key was claimed.
pub(crate) fn check_feeds(
    tx: &mut Tx<'_>,
    policy: &KeyPolicy,
    fingerprint: &Fingerprint,
) -> Result<Result<(), Refusal>, StoreError> {
    Ok(match told_elsewhere(tx, policy, fingerprint)? {
        None => Ok(()),
        Some(FeedState::Compromised) => Err(exposed_elsewhere()),
        Some(FeedState::Live | FeedState::Ended) => {
            Err(Refusal::new(RefusalCode::KeyDuplicate, "KM-6").with("holder", "other"))
        }
    })
}

fn of_key(tx: &mut Tx<'_>, scope: &Scope, place: Place<'_>, key: &Key) -> Result<Hit, StoreError> {
    let foreign = |holder| Hit::other(IncidentKind::ForeignKey, holder);
    let instance = match &key.holder {
        KeyHolder::Instance(instance) => instance,
        KeyHolder::Authority(_) | KeyHolder::Scheme(_) | KeyHolder::Account(_) => {
            return Ok(foreign(None));
        }
    };
    if place.instance == Some(instance) {
        let refusal = Refusal::new(RefusalCode::KeyReuse, "KM-11").with("key", &key.id);
        return Ok(Hit { refusal, incident: None, holder: None });
    }
    let Some((branch, _, number)) = tx.find_instance(instance)? else {
        return Ok(foreign(None));
    };
    let theirs = tx.load_branch(&Scope::Platform, &branch)?;
    let ours = tx.load_branch(&Scope::Platform, place.branch)?;
    let holder = Some((theirs.organisation.clone(), theirs.id.clone()));
    let own_branch = theirs.id == ours.id;
    let incident = match (own_branch, theirs.organisation == ours.organisation) {
        (true, _) => None,
        (false, true) => Some(IncidentKind::SiblingKey),
        (false, false) => Some(IncidentKind::ForeignKey),
    };
    let refusal = Refusal::new(RefusalCode::KeyDuplicate, "KM-6");
    let visible = scope.covers(&theirs.organisation, &theirs.id);
    let refusal = if visible {
        refusal
            .with("holder", if own_branch { "own-branch" } else { "branch" })
            .with("branch", &theirs.name)
            .with("code", &theirs.code)
            .with("instance", number)
    } else {
        refusal.with("holder", "other")
    };
    Ok(Hit { refusal, incident, holder })
}
