//! Profiles and key rules: the documents in force as sentences, the certificate profiles, what waits
//! for approval, and every version there was.
//!
//! Not here: drafts, which stand in `drafts`, and the test bench, which stands in `bench`.

use actix_web::HttpResponse;
use askama::Template;
use tenkoku_domain::access::{Permission, ViewRegistry};
use tenkoku_domain::canonical::CanonicalError;
use tenkoku_domain::certificate::Profile;
use tenkoku_domain::level::Level;
use tenkoku_domain::policy::KeyPolicy;
use tenkoku_domain::policy::draft::{DraftState, PolicyDraft};
use tenkoku_pki::profile::max_days;
use tenkoku_store::{EffectivePolicy, StoreError};

use super::authorities::platform_only;
use super::views::html;
use crate::format;
use crate::granted::{Granted, Visit};
use crate::layout::{AdminFrame, Chip, Tone};
use crate::problem::Problem;
use crate::text::Words;
use crate::text::policy::sentences;

/// The address of the page.
pub(super) const PATH: &str = "/console/policies";

/// A document in force.
pub(super) struct InForce {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) since: String,
    pub(super) digest: String,
    pub(super) rules: Vec<String>,
}

/// A kind of certificate that the platform writes.
pub(super) struct ProfileRow {
    pub(super) name: String,
    pub(super) word: &'static str,
    pub(super) purpose: String,
    pub(super) days: String,
    pub(super) keys: String,
}

/// A document on its way.
pub(super) struct DraftRow {
    pub(super) name: String,
    pub(super) href: String,
    pub(super) state: Chip,
    pub(super) approvals: String,
    pub(super) drafted: String,
    pub(super) until: String,
}

/// A version that is or was in force.
pub(super) struct VersionRow {
    pub(super) name: String,
    pub(super) href: Option<String>,
    pub(super) since: String,
    pub(super) current: bool,
    pub(super) digest: String,
}

#[derive(Template)]
#[template(path = "admin/policies.html")]
pub(super) struct PoliciesPage {
    pub(super) w: Words,
    pub(super) frame: AdminFrame,
    pub(super) documents: Vec<InForce>,
    pub(super) profiles: Vec<ProfileRow>,
    pub(super) drafts: Vec<DraftRow>,
    pub(super) versions: Vec<VersionRow>,
    pub(super) may_draft: bool,
}

/// What a document is called: `rules-2026 1.2.0`.
pub(super) fn name_of(policy: &KeyPolicy) -> String {
    format!("{} {}", policy.id, policy.version)
}

/// The address of a draft's page.
pub(super) fn draft_href(draft: &PolicyDraft) -> String {
    format!("{PATH}/drafts/{}", draft.digest)
}

/// The state of a draft, with what the clock adds.
pub(super) fn draft_chip(w: Words, draft: &PolicyDraft, visit: &Visit) -> Chip {
    let tone = match draft.state {
        DraftState::Drafted if draft.expires_at() < visit.now => {
            return Chip::new(Tone::Mute, w.t("admin.policies.expired"));
        }
        DraftState::Drafted | DraftState::Approved => Tone::Info,
        DraftState::InForce => Tone::Ok,
        DraftState::Rejected => Tone::Bad,
        DraftState::Superseded | DraftState::Replaced => Tone::Mute,
    };
    Chip::new(tone, w.word("admin.policy-state", draft.state.word()))
}

/// The document that a draft would follow: of the same name, else the one for all.
pub(super) fn followed<'a>(
    in_force: &'a [EffectivePolicy],
    policy: &KeyPolicy,
) -> Option<&'a KeyPolicy> {
    let same = in_force.iter().find(|one| one.policy.id == policy.id);
    let for_all = |one: &&EffectivePolicy| one.policy.authorities.iter().any(|code| code == "*");
    same.or_else(|| in_force.iter().find(for_all)).map(|one| &one.policy)
}

struct Ground {
    in_force: Vec<EffectivePolicy>,
    history: Vec<EffectivePolicy>,
    drafts: Vec<PolicyDraft>,
}

/// `GET /console/policies`
pub async fn show_policies(granted: Granted<ViewRegistry>) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    platform_only(&permit)?;
    let now = visit.now;
    let found = visit
        .run(move |env| {
            env.store.read(|tx| {
                Ok::<_, StoreError>(Ground {
                    in_force: tx.list_policies(now)?,
                    history: tx.list_policy_history(now)?,
                    drafts: tx.list_drafts()?,
                })
            })
        })
        .await?;
    let w = visit.words;
    let documents = found.in_force.iter().map(|one| in_force(w, one));
    let versions = found.history.iter().map(|one| version(one, &found));
    html(&PoliciesPage {
        w,
        frame: visit.frame(w.t("admin.policies.title"), Vec::new()),
        documents: documents.collect::<Result<_, _>>()?,
        profiles: profiles(w, &found.in_force),
        drafts: waiting(&visit, &found),
        versions: versions.collect::<Result<_, _>>()?,
        may_draft: visit.may(Permission::DraftPolicy),
    })
}

impl From<CanonicalError> for Problem {
    fn from(error: CanonicalError) -> Self {
        Self::internal(&error)
    }
}

fn in_force(w: Words, found: &EffectivePolicy) -> Result<InForce, CanonicalError> {
    Ok(InForce {
        name: found.policy.id.clone(),
        version: found.policy.version.clone(),
        since: format::long_date_time(w, found.since),
        digest: found.policy.digest()?.to_string(),
        rules: sentences(w, &found.policy),
    })
}

fn version(found: &EffectivePolicy, ground: &Ground) -> Result<VersionRow, CanonicalError> {
    let digest = found.policy.digest()?;
    let draft = ground.drafts.iter().find(|draft| draft.digest == digest);
    Ok(VersionRow {
        name: name_of(&found.policy),
        href: draft.map(draft_href),
        since: format::date_time(found.since),
        current: ground.in_force.contains(found),
        digest: format::grouped(&digest.to_string()),
    })
}

/// What has not come into force, newest first.
fn waiting(visit: &Visit, ground: &Ground) -> Vec<DraftRow> {
    let w = visit.words;
    let waits = |draft: &&PolicyDraft| match draft.state {
        DraftState::Drafted
        | DraftState::Approved
        | DraftState::Rejected
        | DraftState::Replaced => true,
        DraftState::InForce | DraftState::Superseded => false,
    };
    let row = |draft: &PolicyDraft| {
        let needed = followed(&ground.in_force, &draft.policy)
            .map_or(draft.policy.approvals_required, |policy| draft.approvals_needed(policy));
        DraftRow {
            name: name_of(&draft.policy),
            href: draft_href(draft),
            state: draft_chip(w, draft, visit),
            approvals: places(w, draft.approvals(), needed),
            drafted: format::date_time(draft.drafted_at),
            until: format::date(draft.expires_at()),
        }
    };
    ground.drafts.iter().filter(waits).map(row).collect()
}

/// `1 of 2`
pub(super) fn places(w: Words, filled: i64, needed: i64) -> String {
    w.say("admin.policies.places")
        .with("n", format::number(filled))
        .with("of", format::number(needed))
        .text()
}

/// Every kind of certificate; the keys of seals are those that the rules allow.
fn profiles(w: Words, in_force: &[EffectivePolicy]) -> Vec<ProfileRow> {
    let rules = in_force.first().map(|found| &found.policy);
    let row = |profile: &Profile| ProfileRow {
        name: w.word("admin.profile", profile.word()).to_owned(),
        word: profile.word(),
        purpose: w.word("admin.profile-purpose", profile.word()).to_owned(),
        days: format::number(max_days(*profile)),
        keys: rules.map_or_else(String::new, |rules| keys(*profile, rules)),
    };
    Profile::ALL.iter().map(row).collect()
}

fn keys(profile: Profile, rules: &KeyPolicy) -> String {
    let level = Level::ALL
        .into_iter()
        .find(|level| profile == Profile::seal(*level) || profile == Profile::short_seal(*level));
    let known = match level {
        Some(level) => rules.level(level).algorithms,
        None => rules.algorithms.authority.known(),
    };
    let names: Vec<&str> = known.iter().map(|algorithm| algorithm.name()).collect();
    names.join(", ")
}
