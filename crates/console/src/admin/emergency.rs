//! The emergency of an exposed authority key (UX 4.13): the plan in order with its counts, the
//! rehearsal that changes nothing, and the real run by two persons.
//!
//! Both persons stand at one console: the second one shows name, password and code in the form. The
//! session that this opens is ended at once. Sending the notices is the operator's own work.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Query;
use askama::Template;
use serde::Deserialize;
use tenkoku_ca::authority::AuthorityError;
use tenkoku_ca::emergency::{
    EmergencyPlan, declare_compromise, plan_emergency, rehearse_emergency,
};
use tenkoku_domain::access::{Actor, OperateAuthority, Permit, Principal};
use tenkoku_domain::authority::{Authority, AuthorityCode, AuthorityState};
use tenkoku_domain::organisation::Language;
use tenkoku_domain::time::Timestamp;
use tenkoku_ports::Env;
use tenkoku_publisher::link::{Due, Gap, find_gaps, propose_authority};
use tenkoku_publisher::publish::renew_lists;
use tenkoku_responder::crl::issue_crl;
use tenkoku_store::StoreError;

use super::authorities::href;
use super::confirm::{Factor, factor_field, step_up};
use super::views::{Fact, authority_chip, html, html_with, see_other};
use crate::format;
use crate::granted::{Granted, Visit, serialised};
use crate::layout::{AdminFrame, Chip, Crumb, FieldError};
use crate::problem::Problem;
use crate::session::open::end_session;
use crate::session::sign_in::{PASSWORD_AND_CODE, SignInError, SignInOrder, sign_in};
use crate::text::Words;

const HERE: &str = "/console/authorities/emergency";

/// Which authority the plan is for.
#[derive(Debug, Default, Deserialize)]
pub struct EmergencyQuery {
    #[serde(default)]
    authority: String,
}

/// What is sent to rehearse and to declare.
#[derive(Debug, Default, Deserialize)]
pub struct EmergencyForm {
    #[serde(default)]
    authority: String,
    #[serde(default)]
    typed: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    login: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    second_code: String,
}

pub(super) struct Choice {
    pub(super) code: String,
    pub(super) name: String,
    pub(super) chosen: bool,
}

pub(super) struct AffectedRow {
    pub(super) name: String,
    pub(super) href: String,
    pub(super) code: String,
    pub(super) state: Chip,
    pub(super) own: String,
    pub(super) issued: String,
    pub(super) branches: String,
}

pub(super) struct Notice {
    pub(super) lang: &'static str,
    pub(super) name: &'static str,
    pub(super) text: String,
}

pub(super) struct Rehearsal {
    pub(super) at: String,
    pub(super) authorities: String,
    pub(super) certificates: String,
}

pub(super) struct Plan {
    pub(super) name: String,
    pub(super) code: String,
    pub(super) steps: Vec<(String, String)>,
    pub(super) numbers: Vec<Fact>,
    pub(super) affected: Vec<AffectedRow>,
    pub(super) reached: Vec<String>,
    pub(super) seen: Vec<String>,
    pub(super) notices: Vec<Notice>,
    pub(super) rehearsals: Vec<Rehearsal>,
    pub(super) printed: String,
}

#[derive(Template)]
#[template(path = "admin/emergency.html")]
pub(super) struct EmergencyPage {
    pub(super) w: Words,
    pub(super) frame: AdminFrame,
    pub(super) errors: Vec<FieldError>,
    pub(super) choices: Vec<Choice>,
    pub(super) plan: Option<Plan>,
    pub(super) factor: Factor,
    pub(super) login: String,
}

struct Ground {
    plan: EmergencyPlan,
    authority: Authority,
    all: Vec<Authority>,
    branches: Vec<i64>,
    rehearsals: Vec<(Timestamp, String)>,
}

/// `GET /console/authorities/emergency?authority=…`
pub async fn show_plan(
    granted: Granted<OperateAuthority>,
    query: Query<EmergencyQuery>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let form = EmergencyForm { authority: query.into_inner().authority, ..Default::default() };
    html(&page(&visit, permit, &form, Vec::new()).await?)
}

async fn page(
    visit: &Visit,
    permit: Permit<OperateAuthority>,
    form: &EmergencyForm,
    errors: Vec<FieldError>,
) -> Result<EmergencyPage, Problem> {
    let w = visit.words;
    let scope = permit.scope().clone();
    let code = (!form.authority.is_empty()).then(|| AuthorityCode::parse(&form.authority));
    let code = code.transpose().map_err(|_| Problem::not_found())?;
    let now = visit.now;
    let (all, found) = visit
        .run(move |env| {
            let all = env.store.read(|tx| tx.list_authorities())?;
            let found = match &code {
                Some(code) => Some(load(env, &permit, code, now)?),
                None => None,
            };
            Ok::<_, AuthorityError>((all, found))
        })
        .await?;
    let listed = all.iter().filter(|one| scope.covers_authority(&one.id));
    let listed = listed.filter(|one| one.state != AuthorityState::Ended);
    let choices = listed.map(|one| Choice {
        code: one.code.to_string(),
        name: one.name.common_name.to_string(),
        chosen: one.code.as_str() == form.authority,
    });
    let title = w.t("admin.emergency.title");
    let crumbs = vec![
        Crumb::link(w.t("admin.authorities.title"), "/console/authorities"),
        Crumb::here(title),
    ];
    let mut frame = visit.frame(title, crumbs);
    frame.has_errors = !errors.is_empty();
    Ok(EmergencyPage {
        w,
        frame,
        errors,
        choices: choices.collect(),
        plan: found.as_ref().map(|found| plan(visit, found)),
        factor: factor_field(visit).await?,
        login: form.login.clone(),
    })
}

fn load(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    code: &AuthorityCode,
    now: Timestamp,
) -> Result<Ground, AuthorityError> {
    let plan = plan_emergency(env, permit, code)?;
    env.store.read(|tx| {
        let all = tx.list_authorities()?;
        let found = all.iter().find(|one| one.code == *code).cloned();
        let authority = found.ok_or(StoreError::NotFound { what: "authority" })?;
        let mut branches = Vec::new();
        for affected in &plan.affected {
            let id = all.iter().find(|one| one.code == affected.code).map(|one| &one.id);
            branches.push(match id {
                Some(id) => tx.count_served_branches(id, now)?,
                None => 0,
            });
        }
        let rehearsals = tx.list_rehearsals(&authority.id)?;
        Ok(Ground { plan, authority, all, branches, rehearsals })
    })
}

fn plan(visit: &Visit, found: &Ground) -> Plan {
    let w = visit.words;
    let name = found.authority.name.common_name.to_string();
    let branches: i64 = found.branches.iter().sum();
    Plan {
        code: found.authority.code.to_string(),
        steps: steps(w, found, branches),
        numbers: vec![
            Fact::new(w.t("admin.emergency.authorities"), found.plan.affected.len().to_string()),
            Fact::new(w.t("admin.emergency.certificates"), format::number(found.plan.certificates)),
            Fact::new(w.t("admin.authority.branches"), format::number(branches)),
        ],
        affected: affected(w, found),
        reached: vec![
            w.count("admin.emergency.reach-branches", branches).text(),
            w.t("admin.emergency.reach-supervisor").to_owned(),
            w.t("admin.emergency.reach-parties").to_owned(),
        ],
        seen: vec![
            w.t("admin.emergency.seen-new").to_owned(),
            w.t("admin.emergency.seen-old").to_owned(),
            w.t("admin.emergency.seen-status").to_owned(),
        ],
        notices: [Language::Ja, Language::En]
            .into_iter()
            .map(|l| notice(l, visit, &name))
            .collect(),
        rehearsals: found.rehearsals.iter().map(|(at, text)| rehearsal(*at, text)).collect(),
        printed: format::date_time(visit.now),
        name,
    }
}

fn steps(w: Words, found: &Ground, branches: i64) -> Vec<(String, String)> {
    let codes = |codes: Vec<String>| codes.join(", ");
    let stopped = codes(found.plan.affected.iter().map(|one| one.code.to_string()).collect());
    let lists = codes(found.plan.lists.iter().map(ToString::to_string).collect());
    let list = if found.plan.root {
        w.t("admin.emergency.list-root-text").to_owned()
    } else {
        w.t("admin.emergency.list-text").to_owned()
    };
    [
        (
            w.t("admin.emergency.stop"),
            w.say("admin.emergency.stop-text").with("authorities", stopped).text(),
        ),
        (
            w.t("admin.emergency.revoke"),
            w.count("admin.emergency.revoke-text", found.plan.certificates).text(),
        ),
        (
            w.t("admin.emergency.crl"),
            w.say("admin.emergency.crl-text").with("authorities", lists).text(),
        ),
        (w.t("admin.emergency.list"), list),
        (w.t("admin.emergency.notify"), w.count("admin.emergency.notify-text", branches).text()),
        (w.t("admin.emergency.anew"), w.t("admin.emergency.anew-text").to_owned()),
    ]
    .into_iter()
    .map(|(title, text)| (title.to_owned(), text))
    .collect()
}

fn affected(w: Words, found: &Ground) -> Vec<AffectedRow> {
    let rows = found.plan.affected.iter().zip(&found.branches);
    rows.filter_map(|(one, branches)| {
        let authority = found.all.iter().find(|known| known.code == one.code)?;
        Some(AffectedRow {
            name: authority.name.common_name.to_string(),
            href: href(authority),
            code: one.code.to_string(),
            state: authority_chip(w, authority),
            own: one.own_certificates.to_string(),
            issued: format::number(one.issued.values().sum()),
            branches: format::number(*branches),
        })
    })
    .collect()
}

fn notice(language: Language, visit: &Visit, name: &str) -> Notice {
    let w = Words::of(language);
    Notice {
        lang: language.word(),
        name: w.t("language.name"),
        text: w
            .say("admin.emergency.notice")
            .with("authority", name)
            .with("date", format::long_date(w, visit.now))
            .with("operator", visit.site.operator(w))
            .text(),
    }
}

fn rehearsal(at: Timestamp, document: &str) -> Rehearsal {
    let plan: serde_json::Value = serde_json::from_str(document).unwrap_or_default();
    let count = |name: &str| plan.get(name).and_then(serde_json::Value::as_array).map(Vec::len);
    let certificates = plan.get("certificates").and_then(serde_json::Value::as_i64);
    Rehearsal {
        at: format::date_time(at),
        authorities: count("affected").unwrap_or_default().to_string(),
        certificates: format::number(certificates.unwrap_or_default()),
    }
}

fn plan_href(code: &str) -> String {
    format!("{HERE}?{}", serialised("authority", code))
}

/// `POST /console/authorities/emergency/rehearse`
pub async fn rehearse(granted: Granted<OperateAuthority>) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let form: EmergencyForm = visit.form()?;
    let code = AuthorityCode::parse(&form.authority).map_err(|_| Problem::not_found())?;
    visit.run(move |env| rehearse_emergency(env, &permit, &code)).await?;
    Ok(see_other(&format!("{}#rehearsals", plan_href(&form.authority))))
}

/// `POST /console/authorities/emergency/declare`
pub async fn declare(granted: Granted<OperateAuthority>) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let form: EmergencyForm = visit.form()?;
    let code = AuthorityCode::parse(&form.authority).map_err(|_| Problem::not_found())?;
    let second = match confirm(&visit, &form).await? {
        Ok(second) => second,
        Err(error) => {
            let page = page(&visit, permit, &form, vec![error]).await?;
            return html_with(StatusCode::UNPROCESSABLE_ENTITY, &page);
        }
    };
    let platform = Principal::system("console", visit.caller.request.clone());
    visit
        .run(move |env| {
            let plan = plan_emergency(env, &permit, &code)?;
            declare_compromise(env, &permit, &second, &code)?;
            publish(env, &platform, &plan.lists);
            Ok::<_, AuthorityError>(())
        })
        .await?;
    Ok(see_other(&plan_href(&form.authority)))
}

/// Both persons show who they are; gives the second one's leave, or what is to be corrected.
async fn confirm(
    visit: &Visit,
    form: &EmergencyForm,
) -> Result<Result<Permit<OperateAuthority>, FieldError>, Problem> {
    let w = visit.words;
    let wrong = |field: &str, text: &str| {
        Ok(Err(FieldError { field: field.to_owned(), text: text.to_owned() }))
    };
    if form.typed.trim() != form.authority {
        return wrong("typed", w.t("admin.emergency.typed-wrong"));
    }
    if form.login.trim().eq_ignore_ascii_case(&visit.account.login) {
        return wrong("login", w.t("admin.emergency.same-person"));
    }
    if let Some(error) = step_up(visit, &form.code).await? {
        return Ok(Err(error));
    }
    let order = SignInOrder {
        login: form.login.clone(),
        password: form.password.clone(),
        code: form.second_code.clone(),
        certificate: None,
    };
    let (console, caller, now) = (visit.console.clone(), visit.caller.clone(), visit.now);
    let request = visit.caller.request.clone();
    let second = visit
        .run(move |env| {
            let opened = match sign_in(env, &console, &caller, &order) {
                Ok(opened) => opened,
                Err(SignInError::Wrong) => return Ok(None),
                Err(other) => return Err(other),
            };
            let account = env.store.read(|tx| tx.load_account(&opened.session.user))?;
            let second = Principal {
                actor: Actor::user(&account.id, PASSWORD_AND_CODE),
                roles: account.roles,
                request,
                source: caller.address.map(|address| address.to_string()),
                only: None,
            };
            end_session(env, &second.origin(), &opened.session)?;
            Ok::<_, SignInError>(Some(second.permit::<OperateAuthority>(now)))
        })
        .await?;
    match second {
        None => wrong("login", w.t("admin.emergency.second-wrong")),
        Some(Err(_)) => wrong("login", w.t("admin.emergency.second-role")),
        Some(Ok(permit)) => Ok(Ok(permit)),
    }
}

/// New CRLs and a new list at once. What does not succeed is tried again by the scheduled work.
fn publish(env: &Env, platform: &Principal, lists: &[AuthorityCode]) {
    let now = env.clock.now();
    let late = |error: &dyn std::error::Error| {
        tracing::error!(%error, "a CRL or the list waits for the scheduled work");
    };
    if let Ok(permit) = platform.permit(now) {
        for code in lists {
            let _ = issue_crl(env, &permit, code).inspect_err(|error| late(error));
        }
    }
    if let Ok(permit) = platform.permit(now) {
        let _ = renew_lists(env, &permit).inspect_err(|error| late(error));
    }
    propose_withdrawals(env, platform);
}

/// The list is to say at once that what no longer works is withdrawn: others only have to agree. What
/// does not succeed stays a task on Home.
fn propose_withdrawals(env: &Env, platform: &Principal) {
    let gaps = find_gaps(env).inspect_err(
        |error| tracing::error!(%error, "the list was not compared with the authorities"),
    );
    let due = |gap: &Gap| gap.due == Due::Withdrawal && !gap.is_drafted;
    for gap in gaps.unwrap_or_default().into_iter().filter(due) {
        let Ok(permit) = platform.permit(env.clock.now()) else { return };
        let proposed = propose_authority(env, &permit, &gap.authority.code);
        let _ = proposed.inspect_err(|error| tracing::error!(%error, "no withdrawal was proposed"));
    }
}
