//! My account: factors, sessions, language; signing out.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;
use askama::Template;
use tenkoku_domain::access::OwnAccount;
use tenkoku_domain::account::{Factors, Session};
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::id::SessionId;
use tenkoku_store::StoreError;

use super::sign_in::{Judged, ShownCertificate, judged};
use super::views::{html, see_other};
use crate::format;
use crate::granted::{Granted, Visit};
use crate::layout::{AdminFrame, Crumb};
use crate::problem::Problem;
use crate::session::certificate::{bind, release};
use crate::session::cookie;
use crate::session::open::end_session as end;
use crate::session::passkey::{Registered, finish_adding, start_adding};
use crate::text::Words;

pub(super) struct FactorRow {
    pub(super) name: String,
    pub(super) since: String,
    /// Where it is taken from the account; `None` where only a new enrolment replaces it.
    pub(super) end: Option<String>,
}

pub(super) struct SessionRow {
    pub(super) authenticator: String,
    pub(super) begun: String,
    pub(super) seen: String,
    /// Where it is ended; `None` for this very session.
    pub(super) end: Option<String>,
}

#[derive(Template)]
#[template(path = "admin/me.html")]
pub(super) struct MePage {
    pub(super) w: Words,
    pub(super) frame: AdminFrame,
    pub(super) login: String,
    pub(super) roles: Vec<String>,
    pub(super) factors: Vec<FactorRow>,
    pub(super) sessions: Vec<SessionRow>,
    pub(super) may_add_passkey: bool,
    /// The certificate that the browser shows, where it is not one of the account.
    pub(super) certificate: Option<ShownCertificate>,
    pub(super) fresh: bool,
}

/// `GET /console/me`
pub async fn show_me(granted: Granted<OwnAccount>) -> Result<HttpResponse, Problem> {
    let visit = granted.visit;
    let (user, now) = (visit.account.id.clone(), visit.now);
    let (console, presented) = (visit.console.clone(), visit.presented());
    let (factors, sessions, judged) = visit
        .run(move |env| {
            let (factors, sessions) = env.store.read(|tx| {
                Ok::<_, StoreError>((tx.load_factors(&user)?, tx.list_sessions(&user, now)?))
            })?;
            Ok::<_, StoreError>((factors, sessions, judged(env, &console, presented.as_ref())?))
        })
        .await?;
    html(&page(&visit, &factors, &sessions, judged))
}

fn page(visit: &Visit, factors: &Factors, sessions: &[Session], judged: Judged) -> MePage {
    let w = visit.words;
    let certificate = judged.and_then(|judged| match judged {
        Ok(shown) if shown.is_among(&factors.certificates) => None,
        Ok(shown) => Some(ShownCertificate::good(w, "admin.me.certificate-shown", &shown)),
        Err(fault) => Some(ShownCertificate::faulty(w, fault)),
    });
    let title = w.t("admin.me.title");
    let host = visit.request.connection_info().host().to_owned();
    let held = visit.account.roles.iter().filter(|grant| grant.until > visit.now);
    MePage {
        w,
        frame: visit.frame(title, vec![Crumb::here(title)]),
        login: visit.account.login.clone(),
        roles: held.map(|grant| w.word("admin.role", grant.role.word()).to_owned()).collect(),
        factors: factor_rows(w, factors),
        sessions: sessions
            .iter()
            .filter(|session| session.is_alive(visit.now))
            .map(|session| session_row(w, session, &visit.session.id))
            .collect(),
        certificate,
        may_add_passkey: visit.console.offers_passkeys_at(&host),
        fresh: visit.session.is_fresh(visit.now),
    }
}

fn factor_rows(w: Words, factors: &Factors) -> Vec<FactorRow> {
    let mut rows = Vec::new();
    if factors.password.is_some() {
        let name = w.t("admin.me.password").to_owned();
        rows.push(FactorRow { name, since: String::new(), end: None });
    }
    if factors.totp.is_some() {
        let name = w.t("admin.me.totp").to_owned();
        rows.push(FactorRow { name, since: String::new(), end: None });
    }
    rows.extend(factors.passkeys.iter().map(|passkey| FactorRow {
        name: w.say("admin.me.passkey").with("label", &passkey.label).text(),
        since: format::date(passkey.created_at),
        end: None,
    }));
    rows.extend(factors.certificates.iter().map(|bound| {
        let said = w.say("admin.me.certificate").with("subject", &bound.subject);
        FactorRow {
            name: said.with("date", format::date(bound.not_after)).text(),
            since: format::date(bound.created_at),
            end: Some(format!("/console/me/certificates/{}/end", bound.fingerprint)),
        }
    }));
    rows
}

fn session_row(w: Words, session: &Session, own: &SessionId) -> SessionRow {
    SessionRow {
        authenticator: w.word("admin.authenticator", &session.authenticator).to_owned(),
        begun: format::date_time(session.created_at),
        seen: format::date_time(session.seen_at),
        end: (session.id != *own).then(|| format!("/console/me/sessions/{}/end", session.id)),
    }
}

/// `POST /console/me/sessions/{id}/end`
pub async fn end_session(
    granted: Granted<OwnAccount>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let visit = granted.visit;
    let id = SessionId::parse(&id).map_err(|_| Problem::not_found())?;
    let (user, now, origin) = (visit.account.id.clone(), visit.now, visit.principal.origin());
    visit
        .run(move |env| {
            // Only one's own sessions are looked through; another's does not exist.
            let own = env.store.read(|tx| tx.list_sessions(&user, now))?;
            match own.iter().find(|session| session.id == id) {
                Some(session) => end(env, &origin, session),
                None => Err(StoreError::NotFound { what: "session" }),
            }
        })
        .await?;
    Ok(see_other("/console/me"))
}

/// `POST /console/sign-out`
pub async fn sign_out(granted: Granted<OwnAccount>) -> Result<HttpResponse, Problem> {
    let visit = granted.visit;
    let (origin, session) = (visit.principal.origin(), visit.session.clone());
    visit.run(move |env| end(env, &origin, &session)).await?;
    let mut answer = see_other("/console/sign-in?done=signed-out");
    answer
        .add_cookie(&cookie::end(&visit.console))
        .map_err(|error| Problem::internal(&std::io::Error::other(error.to_string())))?;
    Ok(answer)
}

fn needs_fresh(visit: &Visit) -> Result<(), Problem> {
    if visit.session.is_fresh(visit.now) {
        return Ok(());
    }
    Err(Problem::new(StatusCode::FORBIDDEN, "step-up-needed"))
}

/// `POST /console/me/certificates`
pub async fn bind_certificate(granted: Granted<OwnAccount>) -> Result<HttpResponse, Problem> {
    let visit = granted.visit;
    needs_fresh(&visit)?;
    let (console, presented) = (visit.console.clone(), visit.presented());
    let (user, now, origin) = (visit.account.id.clone(), visit.now, visit.principal.origin());
    let bound = visit
        .run(move |env| match judged(env, &console, presented.as_ref())? {
            Some(Ok(shown)) => {
                env.store.write(|tx| bind(tx, &origin, &user, &shown, now)).map(|()| true)
            }
            Some(Err(_)) | None => Ok::<_, StoreError>(false),
        })
        .await?;
    if bound {
        return Ok(see_other("/console/me"));
    }
    Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "certificate-not-taken"))
}

/// `POST /console/me/certificates/{fingerprint}/end`
pub async fn end_certificate(
    granted: Granted<OwnAccount>,
    fingerprint: Path<String>,
) -> Result<HttpResponse, Problem> {
    let visit = granted.visit;
    needs_fresh(&visit)?;
    let fingerprint = Digest::parse(&fingerprint).map_err(|_| Problem::not_found())?;
    let (user, origin) = (visit.account.id.clone(), visit.principal.origin());
    if visit.run(move |env| release(env, &origin, &user, &fingerprint)).await? {
        return Ok(see_other("/console/me"));
    }
    Err(Problem::new(StatusCode::CONFLICT, "last-way-in"))
}

/// `POST /console/me/passkey/start`
pub async fn start_passkey(granted: Granted<OwnAccount>) -> Result<HttpResponse, Problem> {
    let visit = granted.visit;
    needs_fresh(&visit)?;
    let (console, account) = (visit.console.clone(), visit.account.clone());
    let started = visit.run(move |env| start_adding(env, &console, &account)).await?;
    Ok(HttpResponse::Ok().json(started))
}

/// `POST /console/me/passkey/finish`
pub async fn finish_passkey(granted: Granted<OwnAccount>) -> Result<HttpResponse, Problem> {
    let visit = granted.visit;
    let answer: Registered = visit.json()?;
    let (console, account) = (visit.console.clone(), visit.account.clone());
    let origin = visit.principal.origin();
    visit.run(move |env| finish_adding(env, &console, &origin, &account, &answer)).await?;
    Ok(HttpResponse::NoContent().finish())
}
