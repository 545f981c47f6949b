//! One policy document on its way: handed in, shown with what it changes and whom it would refuse,
//! approved or rejected by others (DOMAIN 7 and 17).
//!
//! A document is named by its digest, so handing in or deciding twice is harmless: the second time
//! leads to the page that says what was done.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Path, Query};
use askama::Template;
use serde::Deserialize;
use tenkoku_ca::policy::{self, PolicyError, PolicyVerdict, Violation, dry_run};
use tenkoku_domain::access::{ApprovePolicy, DraftPolicy, Permission, Permit, ViewRegistry};
use tenkoku_domain::account::Account;
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::policy::KeyPolicy;
use tenkoku_domain::policy::document;
use tenkoku_domain::policy::draft::{PolicyDecision, PolicyDraft, Verdict};
use tenkoku_ports::Env;
use tenkoku_store::{EffectivePolicy, StoreError};

use super::authorities::platform_only;
use super::confirm::{Factor, factor_field, step_up};
use super::names::certificate_href;
use super::policies::{PATH, draft_chip, draft_href, followed, name_of, places};
use super::views::{Fact, html, html_with, see_other};
use crate::format;
use crate::granted::{Granted, Visit};
use crate::layout::{AdminFrame, Chip, Crumb, FieldError, Tone};
use crate::problem::Problem;
use crate::text::policy::{mistake, sentences};
use crate::text::{Words, explain};

/// Rows of the trial that are shown; the rest is a number.
const SHOWN: usize = 50;

#[derive(Template)]
#[template(path = "admin/policy_form.html")]
pub(super) struct FormPage {
    pub(super) w: Words,
    pub(super) frame: AdminFrame,
    pub(super) errors: Vec<FieldError>,
    pub(super) text: String,
}

/// A rule of the draft, and whether the document in force says something else.
pub(super) struct Rule {
    pub(super) sentence: String,
    pub(super) changed: bool,
}

/// A place for an approval, or a decision that was made.
pub(super) struct Place {
    pub(super) tone: Tone,
    pub(super) title: String,
    pub(super) text: String,
}

/// A credential that the draft would refuse.
pub(super) struct Refused {
    pub(super) serial: String,
    pub(super) href: String,
    pub(super) level: String,
    pub(super) rules: Vec<String>,
}

/// What came out of trying the draft on everything that is live.
pub(super) struct Trial {
    pub(super) sentence: String,
    pub(super) rows: Vec<Refused>,
}

#[derive(Template)]
#[template(path = "admin/policy_draft.html")]
pub(super) struct DraftPage {
    pub(super) w: Words,
    pub(super) frame: AdminFrame,
    pub(super) errors: Vec<FieldError>,
    pub(super) state: Chip,
    pub(super) facts: Vec<Fact>,
    pub(super) digest: String,
    pub(super) rules: Vec<Rule>,
    pub(super) gone: Vec<String>,
    pub(super) places: Vec<Place>,
    pub(super) places_text: String,
    pub(super) trial: Option<Trial>,
    pub(super) text: String,
    pub(super) href: String,
    pub(super) may_decide: bool,
    pub(super) factor: Factor,
    pub(super) reason: String,
}

/// Whether the draft is to be tried on everything that is live.
#[derive(Debug, Default, Deserialize)]
pub struct TrialQuery {
    #[serde(default)]
    trial: String,
}

#[derive(Debug, Default, Deserialize)]
struct TextForm {
    #[serde(default)]
    text: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct VerdictForm {
    #[serde(default)]
    verdict: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    code: String,
}

fn form_page(visit: &Visit, text: String, errors: Vec<FieldError>) -> FormPage {
    let w = visit.words;
    let title = w.t("admin.draft.new");
    let crumbs = vec![Crumb::link(w.t("admin.policies.title"), PATH), Crumb::here(title)];
    let mut frame = visit.frame(title, crumbs);
    frame.has_errors = !errors.is_empty();
    FormPage { w, frame, errors, text }
}

/// `GET /console/policies/draft`: the text of the document in force, to be changed.
pub async fn show_form(granted: Granted<DraftPolicy>) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    platform_only(&permit)?;
    let now = visit.now;
    let rules = visit.run(move |env| env.store.read(|tx| tx.current_policy(now))).await?;
    html(&form_page(&visit, document::write(&rules), Vec::new()))
}

/// `POST /console/policies/draft`
pub async fn hand_in(granted: Granted<DraftPolicy>) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    platform_only(&permit)?;
    let TextForm { text } = visit.form()?;
    let handed = text.clone();
    let drafted = visit.run(move |env| Ok::<_, StoreError>(draft(env, &permit, &handed))).await?;
    let w = visit.words;
    match drafted {
        Ok(draft) => Ok(see_other(&draft_href(&draft))),
        Err(PolicyError::Document(mistakes)) => {
            let error = |text: String| FieldError { field: "text".to_owned(), text };
            let errors = mistakes.iter().map(|one| error(mistake(w, one))).collect();
            html_with(StatusCode::UNPROCESSABLE_ENTITY, &form_page(&visit, text, errors))
        }
        Err(PolicyError::Refused(refusal)) => {
            let told = explain::refusal(w.language(), &refusal);
            let text_of = format!("{} {}", told.what, told.remedy);
            let errors = vec![FieldError { field: "text".to_owned(), text: text_of }];
            html_with(StatusCode::UNPROCESSABLE_ENTITY, &form_page(&visit, text, errors))
        }
        Err(other) => Err(other.into()),
    }
}

/// Hands the text in; the same content again gives what was made of it the first time.
fn draft(env: &Env, permit: &Permit<DraftPolicy>, text: &str) -> Result<PolicyDraft, PolicyError> {
    let text = text.replace("\r\n", "\n");
    if let Ok(policy) = document::parse(&text, env.settings.installation) {
        let digest = policy.digest()?;
        match env.store.read(|tx| tx.load_draft(&digest)) {
            Ok(known) => return Ok(known),
            Err(StoreError::NotFound { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    policy::draft_policy(env, permit, &text)
}

struct Ground {
    draft: PolicyDraft,
    in_force: Vec<EffectivePolicy>,
    people: Vec<Account>,
    violations: Option<Vec<Violation>>,
}

async fn load(visit: &Visit, digest: &str, tried: bool) -> Result<Ground, Problem> {
    let digest = Digest::parse(digest).map_err(|_| Problem::not_found())?;
    let permit = visit.principal.permit::<ViewRegistry>(visit.now);
    let permit = permit.map_err(|refusal| Problem::from_refusal(&refusal))?;
    platform_only(&permit)?;
    let now = visit.now;
    visit
        .run(move |env| {
            let (draft, in_force, people) = env.store.read(|tx| {
                let draft = tx.load_draft(&digest)?;
                Ok::<_, StoreError>((draft, tx.list_policies(now)?, tx.list_accounts()?))
            })?;
            let violations = tried.then(|| dry_run(env, &permit, &draft.policy)).transpose()?;
            Ok::<_, StoreError>(Ground { draft, in_force, people, violations })
        })
        .await
}

/// `GET /console/policies/drafts/{digest}`
pub async fn show_draft(
    granted: Granted<ViewRegistry>,
    digest: Path<String>,
    query: Query<TrialQuery>,
) -> Result<HttpResponse, Problem> {
    let visit = granted.visit;
    let ground = load(&visit, &digest, query.trial == "all").await?;
    html(&page(&visit, &ground, &VerdictForm::default(), Vec::new()).await?)
}

async fn page(
    visit: &Visit,
    ground: &Ground,
    form: &VerdictForm,
    errors: Vec<FieldError>,
) -> Result<DraftPage, Problem> {
    let (w, draft) = (visit.words, &ground.draft);
    let rules = followed(&ground.in_force, &draft.policy);
    let needed = rules.map_or(draft.policy.approvals_required, |one| draft.approvals_needed(one));
    let name = name_of(&draft.policy);
    let crumbs = vec![Crumb::link(w.t("admin.policies.title"), PATH), Crumb::here(&*name)];
    let mut frame = visit.frame(&name, crumbs);
    frame.has_errors = !errors.is_empty();
    let (new, old) = (sentences(w, &draft.policy), rules.map_or(Vec::new(), |r| sentences(w, r)));
    let may_decide = visit.may(Permission::ApprovePolicy)
        && draft.may_be_decided(&visit.account.party().to_string(), visit.now).is_ok();
    Ok(DraftPage {
        w,
        frame,
        errors,
        state: draft_chip(w, draft, visit),
        facts: facts(visit, ground, rules),
        digest: draft.digest.to_string(),
        gone: old.iter().filter(|one| !new.contains(one)).cloned().collect(),
        rules: new
            .into_iter()
            .map(|sentence| Rule { changed: !old.contains(&sentence), sentence })
            .collect(),
        places: place_list(w, ground, needed),
        places_text: places(w, draft.approvals(), needed),
        trial: ground.violations.as_ref().map(|found| trial(w, found)),
        text: draft.text.clone(),
        href: draft_href(draft),
        may_decide,
        factor: if may_decide { factor_field(visit).await? } else { Factor::default() },
        reason: form.reason.clone(),
    })
}

fn facts(visit: &Visit, ground: &Ground, rules: Option<&KeyPolicy>) -> Vec<Fact> {
    let (w, draft) = (visit.words, &ground.draft);
    let mut facts = vec![
        Fact::new(w.t("admin.draft.author"), person(w, &ground.people, &draft.author)),
        Fact::new(w.t("admin.draft.handed-in"), format::date_time(draft.drafted_at)),
        Fact::new(
            w.t("admin.draft.wished"),
            format::long_date_time(w, draft.policy.effective_from),
        ),
    ];
    match rules.map(|rules| draft.may_take_effect(rules)) {
        Some(Ok(at)) => {
            facts.push(Fact::new(w.t("admin.draft.effective"), format::long_date_time(w, at)));
        }
        Some(Err(_)) if draft.may_be_decided("", visit.now).is_ok() => {
            facts.push(Fact::new(w.t("admin.policies.until"), format::date(draft.expires_at())));
        }
        Some(Err(_)) | None => {}
    }
    facts
}

/// The name of the person whom a decision counts for.
pub(super) fn person(w: Words, people: &[Account], key: &str) -> String {
    let found =
        people.iter().find(|one| one.party().to_string() == key || one.former_person() == key);
    found.map_or_else(|| w.t("admin.draft.shell").to_owned(), |one| one.display_name.clone())
}

/// The decisions, then the places that are still empty.
fn place_list(w: Words, ground: &Ground, needed: i64) -> Vec<Place> {
    let decided = |decision: &PolicyDecision| {
        let name = person(w, &ground.people, &decision.person);
        let at = format::date_time(decision.at);
        let (tone, title) = match decision.verdict {
            Verdict::Approved => (Tone::Ok, w.say("admin.draft.approved-by")),
            Verdict::Rejected => (Tone::Bad, w.say("admin.draft.rejected-by")),
        };
        Place {
            tone,
            title: title.with("name", name).text(),
            text: format!("{at} {}", decision.reason).trim().to_owned(),
        }
    };
    let mut list: Vec<Place> = ground.draft.decisions.iter().map(decided).collect();
    let open = needed.saturating_sub(ground.draft.approvals());
    if ground.draft.decisions.iter().all(|one| one.verdict == Verdict::Approved) {
        list.extend((0..open).map(|_| Place {
            tone: Tone::Mute,
            title: w.t("admin.draft.open-place").to_owned(),
            text: String::new(),
        }));
    }
    list
}

fn trial(w: Words, found: &[Violation]) -> Trial {
    let row = |one: &Violation| Refused {
        serial: format::grouped(&one.certificate.serial.to_string()),
        href: certificate_href(&one.certificate),
        level: one.level.to_string(),
        rules: one
            .refusals
            .iter()
            .map(|refusal| {
                let told = explain::refusal(w.language(), refusal);
                format!("{}: {}", refusal.rule, told.what)
            })
            .collect(),
    };
    let sentence = match found.len() {
        0 => w.t("admin.draft.refuses-none").to_owned(),
        n => w.count_of("admin.draft.refuses", n).text(),
    };
    Trial { sentence, rows: found.iter().take(SHOWN).map(row).collect() }
}

/// `POST /console/policies/drafts/{digest}`: approved or rejected by one person.
pub async fn decide(
    granted: Granted<ApprovePolicy>,
    digest: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    platform_only(&permit)?;
    let form: VerdictForm = visit.form()?;
    let ground = load(&visit, &digest, false).await?;
    let href = draft_href(&ground.draft);
    let own = visit.account.party().to_string();
    if ground.draft.decisions.iter().any(|decision| decision.person == own) {
        return Ok(see_other(&href));
    }
    let w = visit.words;
    let wrong =
        |field: &str, text: &str| FieldError { field: field.to_owned(), text: text.to_owned() };
    let verdict = Verdict::from_word(&form.verdict);
    let mut errors = Vec::new();
    if verdict.is_none() {
        errors.push(wrong("verdict", w.t("admin.draft.choose")));
    }
    if verdict == Some(Verdict::Rejected) && form.reason.trim().is_empty() {
        errors.push(wrong("reason", w.t("admin.draft.say-why")));
    }
    if errors.is_empty() {
        errors.extend(step_up(&visit, &form.code).await?);
    }
    let (Some(verdict), true) = (verdict, errors.is_empty()) else {
        let page = page(&visit, &ground, &form, errors).await?;
        return html_with(StatusCode::UNPROCESSABLE_ENTITY, &page);
    };
    let order = PolicyVerdict { digest: ground.draft.digest, reason: form.reason };
    visit
        .run(move |env| match verdict {
            Verdict::Approved => policy::approve_policy(env, &permit, &order),
            Verdict::Rejected => policy::reject_policy(env, &permit, &order),
        })
        .await?;
    Ok(see_other(&href))
}
