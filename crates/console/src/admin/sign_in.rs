//! The sign-in page.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Query;
use askama::Template;
use serde::Deserialize;
use serde_json::json;

use super::views::{html, html_with};
use crate::granted::Visitor;
use crate::layout::{AdminFrame, FieldError};
use crate::problem::Problem;
use crate::session::cookie;
use crate::session::open::Opened;
use crate::session::passkey::{self, Asserted};
use crate::session::sign_in::{SignInError, SignInOrder, sign_in as open};
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

fn page(visitor: &Visitor, login: String, back: &str, errors: Vec<FieldError>) -> SignInPage {
    let w = visitor.words;
    let title = w.t("signin.title");
    let mut frame = visitor.frame(title);
    frame.has_errors = !errors.is_empty();
    let host = visitor.request.connection_info().host().to_owned();
    SignInPage {
        w,
        frame,
        errors,
        login,
        back: destination(back).to_owned(),
        signed_out: false,
        passkeys: visitor.console.offers_passkeys_at(&host),
    }
}

/// `GET /console/sign-in`
pub async fn show_form(
    visitor: Visitor,
    query: Query<SignInQuery>,
) -> Result<HttpResponse, Problem> {
    let signed_out = query.done == "signed-out";
    let page = page(&visitor, String::new(), &query.back, Vec::new());
    html(&SignInPage { signed_out, ..page })
}

/// `POST /console/sign-in`
pub async fn sign_in(visitor: Visitor) -> Result<HttpResponse, Problem> {
    let SignInForm { login, password, code, back } = visitor.form()?;
    let order = SignInOrder { login: login.clone(), password, code };
    let (console, caller) = (visitor.console.clone(), visitor.caller.clone());
    let tried = visitor
        .run(move |env| match open(env, &console, &caller, &order) {
            Ok(opened) => Ok(Some(opened)),
            Err(SignInError::Wrong) => Ok(None),
            Err(other) => Err(other),
        })
        .await?;
    let Some(opened) = tried else {
        let text = visitor.words.t("signin.wrong").to_owned();
        let error = FieldError { field: "login".to_owned(), text };
        let page = page(&visitor, login, &back, vec![error]);
        return html_with(StatusCode::UNPROCESSABLE_ENTITY, &page);
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
