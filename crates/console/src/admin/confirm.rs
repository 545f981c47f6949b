//! Showing the second factor again, inside a form or on a page of its own.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Query;
use askama::Template;
use serde::Deserialize;
use tenkoku_domain::access::OwnAccount;
use tenkoku_store::StoreError;

use super::sign_in::judged;
use super::views::{html, html_with, see_other};
use crate::granted::{Granted, Visit};
use crate::layout::{AdminFrame, Crumb, FieldError};
use crate::problem::Problem;
use crate::session::passkey::{Asserted, PasskeyError, finish_step_up, start_step_up};
use crate::session::step_up::{StepUpError, confirm_with_certificate, confirm_with_code};
use crate::text::Words;
use crate::text::language::safe_return;

/// What a form must ask for before something that cannot be undone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Factor {
    /// A one-time code.
    pub code: bool,
    /// A certificate, where no code is asked for.
    pub certificate: CertificateFactor,
    /// A passkey.
    pub passkey: bool,
    /// The address under which the person's passkeys work, when it is not this one.
    pub elsewhere: Option<String>,
}

/// What a form asks for of somebody who signs in with a certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CertificateFactor {
    /// Nothing.
    #[default]
    None,
    /// The password, beside the certificate that the connection showed.
    Password,
    /// The certificate, which the connection did not show.
    Missing,
}

impl CertificateFactor {
    /// Whether the password is asked for.
    pub fn asks_password(self) -> bool {
        self == Self::Password
    }

    /// Whether the certificate is to be shown first.
    pub fn is_missing(self) -> bool {
        self == Self::Missing
    }
}

impl Factor {
    /// Whether the form may be sent by its own button: nothing is asked for, or a code or password is.
    pub fn sends(&self) -> bool {
        let other = self.passkey || self.certificate.is_missing() || self.elsewhere.is_some();
        self.code || self.certificate.asks_password() || !other
    }
}

/// What a form must ask this person for: nothing when a second factor was shown a moment ago.
pub async fn factor_field(visit: &Visit) -> Result<Factor, Problem> {
    if visit.session.is_fresh(visit.now) {
        return Ok(Factor::default());
    }
    let (user, console, presented) =
        (visit.account.id.clone(), visit.console.clone(), visit.presented());
    let (factors, judged) = visit
        .run(move |env| {
            let factors = env.store.read(|tx| tx.load_factors(&user))?;
            Ok::<_, StoreError>((factors, judged(env, &console, presented.as_ref())?))
        })
        .await?;
    let shown = judged
        .is_some_and(|judged| judged.is_ok_and(|shown| shown.is_among(&factors.certificates)));
    let host = visit.request.connection_info().host().to_owned();
    let (code, here) = (factors.totp.is_some(), visit.console.offers_passkeys_at(&host));
    let held = !factors.passkeys.is_empty();
    Ok(Factor {
        code,
        certificate: match (code, shown, factors.certificates.is_empty()) {
            (true, _, _) | (_, false, true) => CertificateFactor::None,
            (false, true, _) => CertificateFactor::Password,
            (false, false, false) => CertificateFactor::Missing,
        },
        passkey: held && here,
        elsewhere: (held && !here && !code).then(|| visit.console.address.to_string()),
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
    // A code is digits; a password of this house never is.
    let presented = visit.presented().filter(|_| !is_code(&code));
    let problem = visit
        .run(move |env| {
            let confirmed = match &presented {
                None => confirm_with_code(env, &console, &caller, &origin, &session, &code),
                Some(shown) => {
                    let with = (shown, code.as_str());
                    confirm_with_certificate(env, &console, &caller, &origin, &session, with)
                }
            };
            match confirmed {
                Ok(_) => Ok(None),
                Err(StepUpError::Code(_)) => Ok(Some("admin.confirm.code-wrong")),
                Err(StepUpError::Certificate) => Ok(Some("admin.confirm.certificate-wrong")),
                Err(other) => Err(other),
            }
        })
        .await?;
    match problem {
        None => Ok(None),
        Some(key) => wrong(w.t(key)),
    }
}

/// Whether a text is a one-time code by its looks.
fn is_code(text: &str) -> bool {
    let plain = text.trim();
    plain.len() <= 8 && plain.bytes().all(|b| b.is_ascii_digit() || b == b' ')
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
    frame.has_errors = !errors.is_empty();
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
