//! The sign-in page.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Query;
use askama::Template;
use serde::Deserialize;
use serde_json::json;
use tenkoku_ports::Env;
use tenkoku_store::StoreError;

use super::views::{html, html_with};
use crate::format;
use crate::granted::Visitor;
use crate::layout::{AdminFrame, FieldError};
use crate::problem::Problem;
use crate::session::Console;
use crate::session::certificate::{CertificateFault, JudgeError, Shown, judge};
use crate::session::cookie;
use crate::session::open::Opened;
use crate::session::passkey::{self, Asserted};
use crate::session::sign_in::{SignInError, SignInOrder, sign_in as open};
use crate::session::tls::Presented;
use crate::text::Words;
use crate::text::language::safe_return;

#[derive(Template)]
#[template(path = "admin/sign_in.html")]
pub(super) struct SignInPage {
    pub(super) w: Words,
    pub(super) frame: AdminFrame,
    pub(super) errors: Vec<FieldError>,
    pub(super) login: String,
    pub(super) back: String,
    pub(super) signed_out: bool,
    pub(super) passkeys: bool,
    pub(super) certificate: Option<ShownCertificate>,
}

/// The certificate that the browser shows, as a page tells it.
pub(super) struct ShownCertificate {
    pub(super) sentence: String,
    /// Whether it may be used.
    pub(super) good: bool,
}

impl ShownCertificate {
    /// What is told of a certificate that may be used; `sentence` names the words.
    pub(super) fn good(w: Words, sentence: &'static str, shown: &Shown) -> Self {
        let said = w.say(sentence).with("subject", shown.subject());
        Self { sentence: said.with("date", format::date(shown.not_after())).text(), good: true }
    }

    /// What is told of one that may not.
    pub(super) fn faulty(w: Words, fault: CertificateFault) -> Self {
        let why = w.word("signin.certificate-fault", fault.word());
        Self {
            sentence: w.say("signin.certificate-not-taken").with("why", why).text(),
            good: false,
        }
    }
}

/// The certificate of a connection, judged; `None` where none was shown.
pub(super) type Judged = Option<Result<Shown, CertificateFault>>;

/// Judges the certificate of a connection.
pub(super) fn judged(
    env: &Env,
    console: &Console,
    presented: Option<&Presented>,
) -> Result<Judged, StoreError> {
    let (Some(presented), Some(tls)) = (presented, &console.tls) else { return Ok(None) };
    match judge(env, &tls.material(), presented) {
        Ok(shown) => Ok(Some(Ok(shown))),
        Err(JudgeError::Fault(fault)) => Ok(Some(Err(fault))),
        Err(JudgeError::Store(error)) => Err(error),
    }
}

impl Visitor {
    /// What a page tells of the certificate that the browser shows.
    pub(super) async fn shown_certificate(
        &self,
        sentence: &'static str,
    ) -> Result<Option<ShownCertificate>, Problem> {
        let (console, presented, w) = (self.console.clone(), self.presented(), self.words);
        let judged = self.run(move |env| judged(env, &console, presented.as_ref())).await?;
        Ok(judged.map(|judged| match judged {
            Ok(shown) => ShownCertificate::good(w, sentence, &shown),
            Err(fault) => ShownCertificate::faulty(w, fault),
        }))
    }
}

/// Where to go after signing in.
#[derive(Debug, Deserialize)]
pub struct SignInQuery {
    #[serde(rename = "return", default)]
    back: String,
    #[serde(default)]
    done: String,
}

#[derive(Debug, Deserialize)]
struct SignInForm {
    #[serde(default)]
    login: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    code: String,
    #[serde(rename = "return", default)]
    back: String,
}

/// Where a person may be sent: a page of the console, and not back to this one.
fn destination(back: &str) -> &str {
    let path = safe_return(back);
    let inside =
        path == "/console" || path.starts_with("/console/") || path.starts_with("/console?");
    if inside && !path.starts_with("/console/sign-") { path } else { "/console" }
}

async fn page(
    visitor: &Visitor,
    login: String,
    back: &str,
    errors: Vec<FieldError>,
) -> Result<SignInPage, Problem> {
    let w = visitor.words;
    let title = w.t("signin.title");
    let mut frame = visitor.frame(title);
    frame.has_errors = !errors.is_empty();
    let host = visitor.request.connection_info().host().to_owned();
    Ok(SignInPage {
        certificate: visitor.shown_certificate("signin.certificate-shown").await?,
        w,
        frame,
        errors,
        login,
        back: destination(back).to_owned(),
        signed_out: false,
        passkeys: visitor.console.offers_passkeys_at(&host),
    })
}

/// `GET /console/sign-in`
pub async fn show_form(
    visitor: Visitor,
    query: Query<SignInQuery>,
) -> Result<HttpResponse, Problem> {
    let signed_out = query.done == "signed-out";
    let page = page(&visitor, String::new(), &query.back, Vec::new()).await?;
    html(&SignInPage { signed_out, ..page })
}

/// `POST /console/sign-in`
pub async fn sign_in(visitor: Visitor) -> Result<HttpResponse, Problem> {
    let SignInForm { login, password, code, back } = visitor.form()?;
    let certificate = visitor.presented();
    let order = SignInOrder { login: login.clone(), password, code, certificate };
    let (console, caller) = (visitor.console.clone(), visitor.caller.clone());
    let tried = visitor
        .run(move |env| match open(env, &console, &caller, &order) {
            Ok(opened) => Ok(Ok(opened)),
            Err(SignInError::Wrong) => Ok(Err(None)),
            Err(SignInError::Certificate(fault)) => Ok(Err(Some(fault))),
            Err(other) => Err(other),
        })
        .await?;
    let opened = match tried {
        Ok(opened) => opened,
        Err(fault) => {
            let w = visitor.words;
            let error = match fault {
                None => {
                    FieldError { field: "login".to_owned(), text: w.t("signin.wrong").to_owned() }
                }
                Some(fault) => {
                    let text = ShownCertificate::faulty(w, fault).sentence;
                    FieldError { field: "code".to_owned(), text }
                }
            };
            let page = page(&visitor, login, &back, vec![error]).await?;
            return html_with(StatusCode::UNPROCESSABLE_ENTITY, &page);
        }
    };
    Ok(HttpResponse::SeeOther()
        .cookie(cookie::begin(&visitor.console, &opened.secret))
        .insert_header(("location", destination(&back)))
        .finish())
}

#[derive(Debug, Deserialize)]
struct PasskeyStart {
    #[serde(default)]
    login: String,
}

/// `POST /console/sign-in/passkey/start`
pub async fn start_passkey(visitor: Visitor) -> Result<HttpResponse, Problem> {
    let PasskeyStart { login } = visitor.json()?;
    let (console, caller) = (visitor.console.clone(), visitor.caller.clone());
    let started =
        visitor.run(move |env| passkey::start_sign_in(env, &console, &caller, &login)).await?;
    Ok(HttpResponse::Ok().json(started))
}

/// `POST /console/sign-in/passkey/finish`
pub async fn finish_passkey(visitor: Visitor) -> Result<HttpResponse, Problem> {
    let answer: Asserted = visitor.json()?;
    let (console, caller) = (visitor.console.clone(), visitor.caller.clone());
    let opened =
        visitor.run(move |env| passkey::finish_sign_in(env, &console, &caller, &answer)).await?;
    Ok(welcome(&visitor, &opened))
}

/// The answer to a script that signed somebody in: the cookie; the page goes on by itself.
pub(super) fn welcome(visitor: &Visitor, opened: &Opened) -> HttpResponse {
    HttpResponse::Ok()
        .cookie(cookie::begin(&visitor.console, &opened.secret))
        .json(json!({ "next": "/console" }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(back: &str, expected: &str) {
        assert_eq!(destination(back), expected, "{back}");
    }

    #[test]
    fn signing_in_leads_into_the_console_only() {
        check("/console/certificates?q=1", "/console/certificates?q=1");
        check("", "/console");
        check("/consolation", "/console");
        check("//evil.example", "/console");
        check("https://evil.example/console", "/console");
        check("/console/sign-out", "/console");
        check("/lists", "/console");
    }
}
