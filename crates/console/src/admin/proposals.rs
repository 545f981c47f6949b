//! Acts that wait for other persons: the list, one of them, and the decision about it (DOMAIN 17).
//!
//! A proposal is decided with the digest of what was shown, so nobody agrees to something else.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;
use askama::Template;
use serde::Deserialize;
use tenkoku_ca::proposal::{ProposalError, ProposalVerdict, decide_proposal};
use tenkoku_domain::access::{ApprovePolicy, Permission, ViewRegistry};
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::followed::ListTrust;
use tenkoku_domain::id::ProposalId;
use tenkoku_domain::policy::draft::Verdict;
use tenkoku_domain::proposal::{Proposal, ProposalState, ProposedAct};

use super::authorities::platform_only;
use super::confirm::{Factor, factor_field, step_up};
use super::policies::places;
use super::views::{Fact, ROWS, html, html_with, see_other};
use crate::format;
use crate::granted::{Granted, Visit};
use crate::layout::{AdminFrame, Chip, Crumb, FieldError, Tone};
use crate::problem::Problem;
use crate::text::Words;

/// The address of the list.
const PATH: &str = "/console/proposals";

pub(super) struct Row {
    pub(super) what: String,
    pub(super) href: String,
    pub(super) state: Chip,
    pub(super) reason: String,
    pub(super) proposed: String,
    pub(super) until: String,
}

#[derive(Template)]
#[template(path = "admin/proposals.html")]
pub(super) struct ListPage {
    pub(super) w: Words,
    pub(super) frame: AdminFrame,
    pub(super) rows: Vec<Row>,
}

#[derive(Template)]
#[template(path = "admin/proposal.html")]
pub(super) struct ProposalPage {
    pub(super) w: Words,
    pub(super) frame: AdminFrame,
    pub(super) errors: Vec<FieldError>,
    pub(super) state: Chip,
    pub(super) facts: Vec<Fact>,
    pub(super) digest: String,
    pub(super) places: String,
    pub(super) href: String,
    pub(super) may_decide: bool,
    pub(super) factor: Factor,
    pub(super) reason: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct VerdictForm {
    #[serde(default)]
    verdict: String,
    #[serde(default)]
    shown: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    code: String,
}

impl From<ProposalError> for Problem {
    fn from(error: ProposalError) -> Self {
        match error {
            ProposalError::Refused(refusal) => Self::from_refusal(&refusal),
            ProposalError::Store(store) => store.into(),
            ProposalError::Canonical(error) => Self::internal(&error),
        }
    }
}

fn chip(w: Words, proposal: &Proposal) -> Chip {
    let tone = match proposal.state {
        ProposalState::Open => Tone::Warn,
        ProposalState::Done => Tone::Ok,
        ProposalState::Rejected => Tone::Mute,
    };
    Chip::new(tone, w.word("admin.proposal-state", proposal.state.word()))
}

/// The address of a proposal.
pub(super) fn href(proposal: &Proposal) -> String {
    format!("{PATH}/{}", proposal.id)
}

/// `GET /console/proposals`
pub async fn list_proposals(granted: Granted<ViewRegistry>) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    platform_only(&permit)?;
    let found =
        visit.run(move |env| env.store.read(|tx| tx.list_proposals(None, None, ROWS))).await?;
    let w = visit.words;
    let row = |proposal: &Proposal| Row {
        what: w.word("admin.proposal-act", proposal.act.word()).to_owned(),
        href: href(proposal),
        state: chip(w, proposal),
        reason: proposal.reason.clone(),
        proposed: format::date_time(proposal.proposed_at),
        until: format::date(proposal.expires_at()),
    };
    let rows = found.items.iter().map(row).collect();
    html(&ListPage { w, frame: visit.frame(w.t("admin.proposals.title"), Vec::new()), rows })
}

async fn load(visit: &Visit, id: &str) -> Result<Proposal, Problem> {
    let id = ProposalId::parse(id).map_err(|_| Problem::not_found())?;
    visit.run(move |env| env.store.read(|tx| tx.load_proposal(&id))).await
}

/// `GET /console/proposals/{proposal}`
pub async fn show_proposal(
    granted: Granted<ViewRegistry>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    platform_only(&permit)?;
    let proposal = load(&visit, &id).await?;
    html(&page(&visit, &proposal, &VerdictForm::default(), Vec::new()).await?)
}

async fn page(
    visit: &Visit,
    proposal: &Proposal,
    form: &VerdictForm,
    errors: Vec<FieldError>,
) -> Result<ProposalPage, Problem> {
    let w = visit.words;
    let title = w.word("admin.proposal-act", proposal.act.word());
    let crumbs = vec![Crumb::link(w.t("admin.proposals.title"), PATH), Crumb::here(title)];
    let mut frame = visit.frame(title, crumbs);
    frame.has_errors = !errors.is_empty();
    let own = visit.account.party().to_string();
    let may_decide = visit.may(Permission::ApprovePolicy)
        && proposal.may_be_decided(&own, &proposal.digest, visit.now).is_ok();
    let needed = proposal.act.approvals_needed(visit.env.settings.installation);
    let agreed = proposal.decisions.iter().filter(|one| one.verdict == Verdict::Approved).count();
    let number = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    Ok(ProposalPage {
        w,
        frame,
        errors,
        state: chip(w, proposal),
        facts: facts(w, proposal),
        digest: proposal.digest.to_string(),
        places: places(w, number(agreed), number(needed)),
        href: href(proposal),
        may_decide,
        factor: if may_decide { factor_field(visit).await? } else { Factor::default() },
        reason: form.reason.clone(),
    })
}

/// Everything that is agreed to, in words.
fn facts(w: Words, proposal: &Proposal) -> Vec<Fact> {
    let fact = |name: &str, value: String| Fact::new(w.word("admin.proposals", name), value);
    let mut facts = match &proposal.act {
        ProposedAct::BlockKey { fingerprint } => vec![fact("key", fingerprint.to_string())],
        ProposedAct::TrustFeed { authority, public_key } => vec![
            fact("authority", authority.to_string()),
            fact("key", Digest::of(&public_key.0).to_string()),
        ],
        ProposedAct::EndFeed { authority } => vec![fact("authority", authority.to_string())],
        ProposedAct::RecordClaim { record } => {
            let from = format::date(record.validity.not_before);
            let until = format::date(record.validity.not_after);
            let mut all = vec![
                fact("authority", record.authority.to_string()),
                fact("claim", record.claim.to_string()),
                fact("country", record.country.clone()),
                fact("period", format!("{from} – {until}")),
                fact("reference", record.reference.clone()),
            ];
            all.extend(
                record
                    .disclosures
                    .iter()
                    .map(|one| fact("reference", format!("{}: {}", one.language, one.address))),
            );
            all
        }
        ProposedAct::EndClaim { accreditation } => {
            vec![fact("accreditation", accreditation.to_string())]
        }
        ProposedAct::CloseOrganisation { organisation, cause } => {
            vec![fact("organisation", organisation.to_string()), fact("cause", cause.to_string())]
        }
        ProposedAct::WaiveEvidence { organisation } => {
            vec![fact("organisation", organisation.to_string())]
        }
        ProposedAct::TrustList { code, location, trust } => {
            let mut all = vec![fact("list", code.to_string()), fact("location", location.clone())];
            all.extend(anchors(w, trust));
            all
        }
        ProposedAct::EndList { code } => vec![fact("list", code.to_string())],
        ProposedAct::TakeAnchors { code, trust } => {
            let mut all = vec![fact("list", code.to_string())];
            all.extend(anchors(w, trust));
            all
        }
    };
    facts.push(fact("reason", proposal.reason.clone()));
    facts.push(fact("proposed", format::date_time(proposal.proposed_at)));
    facts.push(fact("until", format::date(proposal.expires_at())));
    facts
}

/// What the belief in a list rests on: everybody compares the digests with what was published.
fn anchors(w: Words, trust: &ListTrust) -> Vec<Fact> {
    let fact = |name: &str, value: String| Fact::new(w.word("admin.proposals", name), value);
    let journal = match trust {
        ListTrust::Journal { address, .. } => Some(fact("journal", address.clone())),
        ListTrust::Signers { .. } => None,
    };
    let digests = trust.anchors().iter().map(|der| Digest::of(&der.0).to_string());
    journal.into_iter().chain(digests.map(|digest| fact("anchor", digest))).collect()
}

/// `POST /console/proposals/{proposal}`: agreed to or rejected by one person.
pub async fn decide(
    granted: Granted<ApprovePolicy>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    platform_only(&permit)?;
    let form: VerdictForm = visit.form()?;
    let proposal = load(&visit, &id).await?;
    let (own, w) = (visit.account.party().to_string(), visit.words);
    if proposal.decisions.iter().any(|decision| decision.person == own) {
        return Ok(see_other(&href(&proposal)));
    }
    let wrong =
        |field: &str, text: &str| FieldError { field: field.to_owned(), text: text.to_owned() };
    let verdict = Verdict::from_word(&form.verdict);
    let mut errors = Vec::new();
    if verdict.is_none() {
        errors.push(wrong("verdict", w.t("admin.proposals.choose")));
    }
    if verdict == Some(Verdict::Rejected) && form.reason.trim().is_empty() {
        errors.push(wrong("reason", w.t("admin.proposals.say-why")));
    }
    if errors.is_empty() {
        errors.extend(step_up(&visit, &form.code).await?);
    }
    let (Some(verdict), true) = (verdict, errors.is_empty()) else {
        let page = page(&visit, &proposal, &form, errors).await?;
        return html_with(StatusCode::UNPROCESSABLE_ENTITY, &page);
    };
    let shown = Digest::parse(&form.shown).map_err(|_| Problem::not_found())?;
    let location = href(&proposal);
    let order = ProposalVerdict { proposal: proposal.id, shown, verdict, reason: form.reason };
    visit.run(move |env| decide_proposal(env, &permit, &order)).await?;
    Ok(see_other(&location))
}
