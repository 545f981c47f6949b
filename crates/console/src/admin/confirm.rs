//! Showing the second factor again, inside a form or on a page of its own.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Query;
use askama::Template;
use serde::Deserialize;
use tenkoku_domain::access::OwnAccount;

use super::views::{html, html_with, see_other};
use crate::granted::{Granted, Visit};
use crate::layout::{AdminFrame, Crumb, FieldError};
use crate::problem::Problem;
use crate::session::passkey::{Asserted, PasskeyError, finish_step_up, start_step_up};
use crate::session::step_up::{StepUpError, confirm_with_code};
use crate::text::Words;
use crate::text::language::safe_return;

/// What a form must ask for before something that cannot be undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Factor {
    /// A one-time code.
    pub code: bool,
    /// A passkey.
    pub passkey: bool,
}

/// What a form must ask this person for: nothing when a second factor was shown a moment ago.
pub async fn factor_field(visit: &Visit) -> Result<Factor, Problem> {
    if visit.session.is_fresh(visit.now) {
        return Ok(Factor { code: false, passkey: false });
    }
    let user = visit.account.id.clone();
    let factors = visit.run(move |env| env.store.read(|tx| tx.load_factors(&user))).await?;
    let host = visit.request.connection_info().host().to_owned();
    Ok(Factor {
        code: factors.totp.is_some(),
        passkey: !factors.passkeys.is_empty() && visit.console.offers_passkeys_at(&host),
    })
}

/// Makes sure that a second factor was shown within the last five minutes: the session says so, or
/// the code does. Gives what is to be corrected.
pub async fn step_up(visit: &Visit, code: &str) -> Result<Option<FieldError>, Problem> {
    if visit.session.is_fresh(visit.now) {
        return Ok(None);
    }
    let w = visit.words;
    let wrong =
        |text: &str| Ok(Some(FieldError { field: "code".to_owned(), text: text.to_owned() }));
    if code.trim().is_empty() {
        return wrong(w.t("admin.confirm.code-missing"));
    }
    let (console, caller) = (visit.console.clone(), visit.caller.clone());
    let (origin, session) = (visit.principal.origin(), visit.session.clone());
    let code = code.to_owned();
    let confirmed = visit
        .run(move |env| match confirm_with_code(env, &console, &caller, &origin, &session, &code) {
            Ok(_) => Ok(true),
            Err(StepUpError::Code(_)) => Ok(false),
            Err(other) => Err(other),
        })
        .await?;
    if confirmed { Ok(None) } else { wrong(w.t("admin.confirm.code-wrong")) }
}

#[derive(Template)]
#[template(path = "admin/confirm.html")]
pub(super) struct ConfirmPage {
    pub(super) w: Words,
    pub(super) frame: AdminFrame,
    pub(super) errors: Vec<FieldError>,
    pub(super) factor: Factor,
    pub(super) back: String,
}

/// Where to go on.
#[derive(Debug, Deserialize)]
pub struct ConfirmQuery {
    #[serde(rename = "return", default)]
    back: String,
}

#[derive(Debug, Deserialize)]
struct ConfirmForm {
    #[serde(default)]
    code: String,
    #[serde(rename = "return", default)]
    back: String,
}

fn safe(back: &str) -> &str {
    match safe_return(back) {
        "/" => "/console",
        path => path,
    }
}

async fn page(visit: &Visit, back: &str, errors: Vec<FieldError>) -> Result<ConfirmPage, Problem> {
    let w = visit.words;
    let title = w.t("admin.confirm.title");
    let mut frame = visit.frame(title, vec![Crumb::here(title)]);
    if !errors.is_empty() {
        frame.page.title = format!("{}: {title}", w.t("ui.error"));
    }
    let factor = factor_field(visit).await?;
    Ok(ConfirmPage { w, frame, errors, factor, back: safe(back).to_owned() })
}

/// `GET /console/confirm?return=…`
pub async fn show_form(
    granted: Granted<OwnAccount>,
    query: Query<ConfirmQuery>,
) -> Result<HttpResponse, Problem> {
    let visit = granted.visit;
    if visit.session.is_fresh(visit.now) {
        return Ok(see_other(safe(&query.back)));
    }
    html(&page(&visit, &query.back, Vec::new()).await?)
}

/// `POST /console/confirm`
pub async fn confirm_with_a_code(granted: Granted<OwnAccount>) -> Result<HttpResponse, Problem> {
    let visit = granted.visit;
    let ConfirmForm { code, back } = visit.form()?;
    match step_up(&visit, &code).await? {
        None => Ok(see_other(safe(&back))),
        Some(error) => {
            let page = page(&visit, &back, vec![error]).await?;
            html_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
    }
}

/// `POST /console/confirm/passkey/start`
pub async fn start_passkey(granted: Granted<OwnAccount>) -> Result<HttpResponse, Problem> {
    let visit = granted.visit;
    let (console, session) = (visit.console.clone(), visit.session.clone());
    let started = visit.run(move |env| start_step_up(env, &console, &session)).await?;
    Ok(HttpResponse::Ok().json(started))
}

/// `POST /console/confirm/passkey/finish`
pub async fn finish_passkey(granted: Granted<OwnAccount>) -> Result<HttpResponse, Problem> {
    let visit = granted.visit;
    let answer: Asserted = visit.json()?;
    let (console, caller) = (visit.console.clone(), visit.caller.clone());
    let (origin, session) = (visit.principal.origin(), visit.session.clone());
    visit
        .run(move |env| {
            finish_step_up(env, &console, &caller, &origin, &session, &answer)?;
            Ok::<_, PasskeyError>(())
        })
        .await?;
    Ok(HttpResponse::NoContent().finish())
}
