//! The page behind a one-time link: choose a password with a one-time code, or a passkey.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;
use askama::Template;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::sign_in::{ShownCertificate, welcome};
use super::views::{html, html_with};
use crate::format;
use crate::granted::Visitor;
use crate::layout::{AdminFrame, FieldError};
use crate::problem::Problem;
use crate::session::certificate::CertificateFault;
use crate::session::cookie;
use crate::session::enrol::{
    EnrolError, OpenLink, PasswordEnrolment, enrol_with_password as enrol, find_link,
};
use crate::session::passkey::{self, Registered};
use crate::session::secret::SealError;
use crate::session::totp::{Owner, QrPicture, TotpSecret, qr_picture};
use crate::text::Words;

#[derive(Template)]
#[template(path = "admin/enrol.html")]
pub(super) struct EnrolPage {
    pub(super) w: Words,
    pub(super) frame: AdminFrame,
    pub(super) errors: Vec<FieldError>,
    pub(super) hello: String,
    pub(super) login: String,
    pub(super) until: String,
    pub(super) path: String,
    pub(super) sealed: String,
    pub(super) typed: String,
    pub(super) picture: Option<QrPicture>,
    pub(super) passkeys: bool,
    pub(super) certificate: Option<ShownCertificate>,
}

#[derive(Debug, Deserialize)]
struct EnrolForm {
    #[serde(default)]
    password: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    sealed: String,
}

async fn find(visitor: &Visitor, secret: &str) -> Result<OpenLink, Problem> {
    let (console, caller) = (visitor.console.clone(), visitor.caller.clone());
    let secret = secret.to_owned();
    visitor.run(move |env| find_link(env, &console, &caller, &secret)).await
}

async fn page(
    visitor: &Visitor,
    secret: &str,
    link: &OpenLink,
    (totp, sealed): (&TotpSecret, &[u8]),
    errors: Vec<FieldError>,
) -> Result<EnrolPage, Problem> {
    let w = visitor.words;
    let title = w.t("enrol.title");
    let mut frame = visitor.frame(title);
    frame.has_errors = !errors.is_empty();
    let host = visitor.request.connection_info().host().to_owned();
    let account = &link.account;
    Ok(EnrolPage {
        certificate: visitor.shown_certificate("enrol.certificate-shown").await?,
        w,
        errors,
        hello: w.say("enrol.hello").with("name", &account.display_name).text(),
        login: account.login.clone(),
        until: w
            .say("enrol.until")
            .with("time", format::long_date_time(w, link.code.expires_at))
            .text(),
        path: format!("/console/enrol/{secret}"),
        sealed: URL_SAFE_NO_PAD.encode(sealed),
        typed: totp.typed(),
        picture: qr_picture(&totp.address(&frame.page.operator, &account.login)),
        passkeys: visitor.console.offers_passkeys_at(&host),
        frame,
    })
}

/// `GET /console/enrol/{secret}`
pub async fn show_form(visitor: Visitor, secret: Path<String>) -> Result<HttpResponse, Problem> {
    let link = find(&visitor, &secret).await?;
    let totp = TotpSecret::random(&*visitor.env.entropy);
    let owner = Owner::Enrolment(&link.account.id);
    let sealed = totp.seal(&visitor.console.key, &*visitor.env.entropy, &owner);
    let sealed = sealed.map_err(|error| Problem::internal(&error))?;
    html(&page(&visitor, &secret, &link, (&totp, &sealed), Vec::new()).await?)
}

/// `POST /console/enrol/{secret}`
pub async fn enrol_with_password(
    visitor: Visitor,
    secret: Path<String>,
) -> Result<HttpResponse, Problem> {
    let EnrolForm { password, code, sealed } = visitor.form()?;
    let link = find(&visitor, &secret).await?;
    let sealed = URL_SAFE_NO_PAD.decode(&sealed).map_err(|_| Problem::form_expired())?;
    let owner = Owner::Enrolment(&link.account.id);
    let totp = TotpSecret::open(&visitor.console.key, &owner, &sealed)
        .map_err(|SealError| Problem::form_expired())?;
    let certificate = visitor.presented();
    let order = PasswordEnrolment { password, sealed: sealed.clone(), code, certificate };
    let (console, caller) = (visitor.console.clone(), visitor.caller.clone());
    let (link, tried) = visitor
        .run(move |env| match enrol(env, &console, &caller, &link, &order) {
            Ok(opened) => Ok((link, Ok(opened))),
            Err(EnrolError::Password(problem)) => Ok((link, Err(Wrong::Password(problem.word())))),
            Err(EnrolError::Code(_)) => Ok((link, Err(Wrong::Code))),
            Err(EnrolError::Certificate(fault)) => Ok((link, Err(Wrong::Certificate(fault)))),
            Err(EnrolError::CertificateKnown) => Ok((link, Err(Wrong::CertificateKnown))),
            Err(other) => Err(other),
        })
        .await?;
    match tried {
        Ok(opened) => Ok(HttpResponse::SeeOther()
            .cookie(cookie::begin(&visitor.console, &opened.secret))
            .insert_header(("location", "/console"))
            .finish()),
        Err(wrong) => {
            let error = wrong.told(visitor.words);
            let page = page(&visitor, &secret, &link, (&totp, &sealed), vec![error]).await?;
            html_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
    }
}

/// What is to be corrected.
enum Wrong {
    Password(&'static str),
    Code,
    Certificate(CertificateFault),
    CertificateKnown,
}

impl Wrong {
    fn told(&self, w: Words) -> FieldError {
        let (field, text) = match self {
            Self::Password(word) => ("password", w.word("enrol.password-problem", word).to_owned()),
            Self::Code => ("code", w.t("enrol.code-wrong").to_owned()),
            Self::Certificate(fault) => ("code", ShownCertificate::faulty(w, *fault).sentence),
            Self::CertificateKnown => ("code", w.t("signin.certificate-known").to_owned()),
        };
        FieldError { field: field.to_owned(), text }
    }
}

/// `POST /console/enrol/{secret}/passkey/start`
pub async fn start_passkey(
    visitor: Visitor,
    secret: Path<String>,
) -> Result<HttpResponse, Problem> {
    let link = find(&visitor, &secret).await?;
    let console = visitor.console.clone();
    let started = visitor.run(move |env| passkey::start_enrolment(env, &console, &link)).await?;
    Ok(HttpResponse::Ok().json(started))
}

/// `POST /console/enrol/{secret}/passkey/finish`
pub async fn finish_passkey(
    visitor: Visitor,
    secret: Path<String>,
) -> Result<HttpResponse, Problem> {
    let answer: Registered = visitor.json()?;
    let link = find(&visitor, &secret).await?;
    let (console, caller) = (visitor.console.clone(), visitor.caller.clone());
    let opened = visitor
        .run(move |env| passkey::finish_enrolment(env, &console, &caller, &link, &answer))
        .await?;
    Ok(welcome(&visitor, &opened))
}
