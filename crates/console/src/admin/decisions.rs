//! Deciding on applications: what officers see beside the application, who decided so far, and one
//! person's word with a fresh second factor. After a decision the next case opens.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;
use serde::Deserialize;
use tenkoku_ca::act::ActError;
use tenkoku_ca::approval::{
    Ruling, approve_application, confirm_application, open_step, reject_application,
    withdraw_application,
};
use tenkoku_ca::progress::{missing_records, resume_application};
use tenkoku_domain::access::{Apply, Confirm, Issue, Permission, Permit, Principal, ViewRegistry};
use tenkoku_domain::application::{Application, ApplicationState};
use tenkoku_domain::approval::{Approval, ApprovalRequest, ApprovalState, Step, Verdict};
use tenkoku_domain::audit::ObjectRef;
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::grant::Grant;
use tenkoku_domain::id::ApplicationId;
use tenkoku_domain::person::Party;
use tenkoku_domain::proofing::{ProofingRecord, Subject};
use tenkoku_domain::refusal::Refusal;
use tenkoku_domain::time::Timestamp;
use tenkoku_ports::Env;
use tenkoku_store::{ApplicationFilter, StoreError, Tx};

use super::applications::{self, ApplicationPage};
use super::confirm::{factor_field, step_up};
use super::drafts::Place;
use super::names::application_href;
use super::views::{Fact, html_with, see_other};
use crate::format;
use crate::granted::{Granted, Visit};
use crate::layout::{FieldError, Tone};
use crate::problem::Problem;
use crate::text::{Words, explain};

/// Cases that are looked through for the next one.
const LOOKED_AT: i64 = 50;

/// What an officer sees beside the application.
pub(super) struct Review {
    request: Option<ApprovalRequest>,
    names: BTreeMap<Party, String>,
    step: Option<Step>,
    missing: Option<Refusal>,
    records: Vec<ProofingRecord>,
    grant: Option<Grant>,
}

/// The decision that this person may take now.
pub(super) struct DecisionForm {
    pub(super) action: String,
    pub(super) shown: String,
    pub(super) reason: String,
    pub(super) approve: String,
}

/// One person's word.
#[derive(Clone, Debug, Default, Deserialize)]
struct VerdictForm {
    #[serde(default)]
    verdict: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    shown: String,
    #[serde(default)]
    code: String,
}

/// Loads what belongs to the decision on an application.
pub(super) fn review(
    env: &Env,
    principal: &Principal,
    application: &Application,
    now: Timestamp,
) -> Result<Review, ActError> {
    env.store.read(|tx| {
        let request = tx.find_approval_request(&ObjectRef::new("application", &application.id))?;
        let mut names = BTreeMap::new();
        for decision in request.iter().flat_map(|one| &one.decisions) {
            if let Party::Person(id) = &decision.person {
                names.insert(decision.person.clone(), tx.load_person(id)?.name.to_string());
            }
        }
        let step = step(tx, principal, application, request.as_ref(), now)?;
        let everything = tenkoku_domain::access::Scope::Platform;
        let all = tx.list_proofings(&everything, &application.organisation)?;
        let ours = |one: &ProofingRecord| match &one.subject {
            Subject::Organisation | Subject::Person(_) => true,
            Subject::Branch(id) => *id == application.branch,
        };
        let missing = if application.state == ApplicationState::Proofing {
            missing_records(env, tx, application, now)?
        } else {
            None
        };
        let grant = match &application.grant {
            Some(applied) => Some(tx.load_grant(&everything, &applied.id)?),
            None => None,
        };
        let records = all.into_iter().filter(ours).collect();
        Ok(Review { request, names, step, missing, records, grant })
    })
}

fn step(
    tx: &mut Tx<'_>,
    principal: &Principal,
    application: &Application,
    request: Option<&ApprovalRequest>,
    now: Timestamp,
) -> Result<Option<Step>, StoreError> {
    let Some(request) = request.filter(|_| application.state == ApplicationState::Approval) else {
        return Ok(None);
    };
    let officer = principal.may(Permission::Issue, now);
    let confirms = principal.may(Permission::Confirm, now);
    open_step(tx, &principal.actor, application, request, (officer, confirms), now)
}

impl Review {
    /// The records that the proofing rests on.
    pub(super) fn records(&self, w: Words, now: Timestamp) -> Vec<Place> {
        let place = |one: &ProofingRecord| {
            let subject = match one.subject {
                Subject::Organisation => w.t("admin.review.of-organisation"),
                Subject::Person(_) => w.t("admin.review.of-person"),
                Subject::Branch(_) => w.t("admin.review.of-branch"),
            };
            let method = w.word("admin.proofing", one.method.word());
            Place {
                tone: if one.holds(now) { Tone::Ok } else { Tone::Bad },
                title: format!("{subject}: {method}"),
                text: w
                    .say("admin.review.valid-until")
                    .with("date", format::date(one.valid_until))
                    .with("level", one.level)
                    .text(),
            }
        };
        self.records.iter().map(place).collect()
    }

    /// What is missing, in words.
    pub(super) fn missing(&self, w: Words) -> Option<String> {
        self.missing.as_ref().map(|refusal| explain::refusal(w.language(), refusal).what)
    }

    /// The grant that the application stands on.
    pub(super) fn grant(&self, w: Words) -> Vec<Fact> {
        let Some(grant) = &self.grant else { return Vec::new() };
        let terms = &grant.terms;
        vec![
            Fact::new(w.t("admin.review.grantor"), terms.grantor.as_str()),
            Fact::new(w.t("admin.review.grantee"), terms.grantee_name.as_str()),
            Fact::new(w.t("admin.review.grant-until"), format::date(terms.not_after)),
            Fact::new(
                w.t("admin.review.grant-branches"),
                format::number(i64::try_from(terms.scope.branches.len()).unwrap_or(i64::MAX)),
            ),
            Fact::new(
                w.t("admin.review.grant-state"),
                w.word("admin.grant-state", grant.state.word()),
            ),
        ]
    }

    /// Whoever decided, then the places that are open.
    pub(super) fn places(&self, w: Words) -> Vec<Place> {
        let Some(request) = self.request.as_ref().filter(|one| one.state != ApprovalState::Void)
        else {
            return Vec::new();
        };
        let decided = |decision: &Approval| {
            let name =
                self.names.get(&decision.person).map_or(w.t("admin.draft.shell"), String::as_str);
            let (tone, title) = match decision.verdict {
                Verdict::Approved => (Tone::Ok, w.say("admin.draft.approved-by")),
                Verdict::Rejected => (Tone::Bad, w.say("admin.draft.rejected-by")),
            };
            let step = w.word("admin.step", decision.step.word());
            let at = format::date_time(decision.at);
            Place {
                tone,
                title: title.with("name", name).text(),
                text: format!("{step} {at} {}", decision.reason).trim().to_owned(),
            }
        };
        let mut places: Vec<Place> = request.decisions.iter().map(decided).collect();
        if request.state == ApprovalState::Open {
            for step in Step::ALL {
                let name = w.word("admin.step", step.word());
                places.extend((0..request.open(*step)).map(|_| Place {
                    tone: Tone::Mute,
                    title: w.say("admin.review.open-place").with("step", name).text(),
                    text: String::new(),
                }));
            }
        }
        places
    }

    /// How many of the places are filled.
    pub(super) fn places_text(&self, w: Words) -> String {
        let Some(request) = &self.request else { return String::new() };
        let given: i64 = Step::ALL.iter().map(|step| request.given(*step)).sum();
        w.say("admin.review.places")
            .with("given", given)
            .with("needed", request.needs.total())
            .text()
    }

    /// The form, where this person may decide.
    pub(super) fn form(
        &self,
        w: Words,
        application: &Application,
        reason: &str,
    ) -> Option<DecisionForm> {
        let (step, request) = (self.step?, self.request.as_ref()?);
        let address = application_href(&application.id);
        let (action, approve) = match step {
            Step::Officer => (format!("{address}/decision"), w.t("admin.review.approve")),
            Step::Representative | Step::Delegate => {
                (format!("{address}/confirmation"), w.t("admin.review.confirm"))
            }
        };
        Some(DecisionForm {
            action,
            shown: request.digest.to_string(),
            reason: reason.to_owned(),
            approve: approve.to_owned(),
        })
    }
}

impl From<ActError> for Problem {
    fn from(error: ActError) -> Self {
        match error {
            ActError::Refused(refusal) => Self::from_refusal(&refusal),
            ActError::Canonical(error) => Self::internal(&error),
            ActError::Store(error) => error.into(),
        }
    }
}

/// `POST /console/applications/{id}/decision`: an officer approves or rejects.
pub async fn decide(granted: Granted<Issue>, id: Path<String>) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    ruled(&visit, &id, move |env, id, ruling| approve_application(env, &permit, id, ruling)).await
}

/// `POST /console/applications/{id}/confirmation`: the organisation's own word.
pub async fn confirm(granted: Granted<Confirm>, id: Path<String>) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    ruled(&visit, &id, move |env, id, ruling| confirm_application(env, &permit, id, ruling)).await
}

async fn ruled(
    visit: &Visit,
    id: &str,
    act: impl FnOnce(&Env, &ApplicationId, &Ruling) -> Result<Application, ActError> + Send + 'static,
) -> Result<HttpResponse, Problem> {
    let id = ApplicationId::parse(id).map_err(|_| Problem::not_found())?;
    let form: VerdictForm = visit.form()?;
    let (w, verdict) = (visit.words, Verdict::from_word(&form.verdict));
    let wrong =
        |field: &str, text: &str| FieldError { field: field.to_owned(), text: text.to_owned() };
    let mut errors = Vec::new();
    if verdict.is_none() {
        errors.push(wrong("verdict", w.t("admin.draft.choose")));
    }
    if verdict == Some(Verdict::Rejected) && form.reason.trim().is_empty() {
        errors.push(wrong("reason", w.t("admin.draft.say-why")));
    }
    let shown = Digest::parse(&form.shown)
        .map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "form-malformed"))?;
    if errors.is_empty() {
        errors.extend(step_up(visit, &form.code).await?);
    }
    let (Some(verdict), true) = (verdict, errors.is_empty()) else {
        let page = again(visit, &id, &form.reason, errors).await?;
        return html_with(StatusCode::UNPROCESSABLE_ENTITY, &page);
    };
    let ruling = Ruling { shown, verdict, reason: form.reason };
    let wanted = id.clone();
    visit.run(move |env| act(env, &wanted, &ruling)).await?;
    Ok(see_other(
        &next_case(visit)
            .await?
            .map_or_else(|| application_href(&id), |next| application_href(&next)),
    ))
}

async fn again(
    visit: &Visit,
    id: &ApplicationId,
    reason: &str,
    errors: Vec<FieldError>,
) -> Result<ApplicationPage, Problem> {
    let (ground, review) = applications::load_with_review(visit, id).await?;
    let factor = factor_field(visit).await?;
    Ok(applications::page(visit, &ground, &review, (factor, reason), errors))
}

/// The oldest application that waits for this person, if any.
async fn next_case(visit: &Visit) -> Result<Option<ApplicationId>, Problem> {
    let Ok(permit): Result<Permit<ViewRegistry>, _> = visit.principal.permit(visit.now) else {
        return Ok(None);
    };
    let (principal, now) = (visit.principal.clone(), visit.now);
    visit
        .run(move |env| {
            env.store.read(|tx| {
                let state = Some(ApplicationState::Approval);
                let filter = ApplicationFilter { state, ..ApplicationFilter::default() };
                let page = tx.list_applications(permit.scope(), &filter, None, LOOKED_AT)?;
                for one in page.items.into_iter().rev() {
                    let object = ObjectRef::new("application", &one.id);
                    let request = tx.find_approval_request(&object)?;
                    if step(tx, &principal, &one, request.as_ref(), now)?.is_some() {
                        return Ok(Some(one.id));
                    }
                }
                Ok::<_, StoreError>(None)
            })
        })
        .await
}

#[derive(Debug, Default, Deserialize)]
struct ReasonForm {
    #[serde(default)]
    reason: String,
}

/// `POST /console/applications/{id}/rejection`: an officer ends what can never be proofed.
pub async fn reject(granted: Granted<Issue>, id: Path<String>) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let id = ApplicationId::parse(&id).map_err(|_| Problem::not_found())?;
    let ReasonForm { reason } = visit.form()?;
    let ended = visit.run(move |env| reject_application(env, &permit, &id, &reason)).await?;
    Ok(see_other(&application_href(&ended.id)))
}

/// `POST /console/applications/{id}/withdrawal`: the applicant takes it back.
pub async fn withdraw(granted: Granted<Apply>, id: Path<String>) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let id = ApplicationId::parse(&id).map_err(|_| Problem::not_found())?;
    let ended = visit.run(move |env| withdraw_application(env, &permit, &id)).await?;
    Ok(see_other(&application_href(&ended.id)))
}

/// `POST /console/applications/{id}/resumption`: the applicant submits it anew.
pub async fn resume(granted: Granted<Apply>, id: Path<String>) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let id = ApplicationId::parse(&id).map_err(|_| Problem::not_found())?;
    let anew = visit.run(move |env| resume_application(env, &permit, &id)).await?;
    Ok(see_other(&application_href(&anew.id)))
}
