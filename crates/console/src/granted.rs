//! The only way from a request into a use case: a session, a checked form token, a permit.
//!
//! [`Granted`] asks for one act. Without a session it sends people to the sign-in page; without the
//! permission it refuses and records the refusal; a changing request without the session's token is
//! refused before anything is looked at. A form is read from it and from nowhere else, so the check
//! cannot be forgotten. [`Visitor`] is for pages before signing in.

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::{Method, StatusCode, header};
use actix_web::web::{self, Bytes, Data, Query};
use actix_web::{FromRequest, HttpMessage as _, HttpRequest, HttpResponse, ResponseError};
use serde::de::DeserializeOwned;
use tenkoku_domain::access::{Act, Actor, Origin, Permission, Permit, Principal};
use tenkoku_domain::account::{Account, Session};
use tenkoku_domain::application::ApplicationState;
use tenkoku_domain::audit::{AuditCode, ObjectRef};
use tenkoku_domain::id::RequestId;
use tenkoku_domain::organisation::Language;
use tenkoku_domain::refusal::Refusal;
use tenkoku_domain::time::Timestamp;
use tenkoku_ports::{Attempt, Env};
use tenkoku_store::{ApplicationFilter, StoreError};

use crate::fields::Fields;
use crate::layout::Site;
use crate::problem::Problem;
use crate::session::open::find_session;
use crate::session::secret::same;
use crate::session::tls::Presented;
use crate::session::{Caller, Callers, Console, cookie};
use crate::text::Words;
use crate::text::language::{self, Asked};

/// The header that carries the form token of requests made by script.
pub const TOKEN_HEADER: &str = "x-csrf-token";

/// A signed-in person who may perform the act.
pub struct Granted<A: Act> {
    /// Leave to perform the act.
    pub permit: Permit<A>,
    /// The person, the session, the page.
    pub visit: Visit,
}

/// What a page of a signed-in person rests on.
pub struct Visit {
    /// The request.
    pub request: HttpRequest,
    /// The use cases' reach.
    pub env: Data<Env>,
    /// The console.
    pub console: Data<Console>,
    /// The site.
    pub site: Data<Site>,
    /// Who calls, and from where.
    pub caller: Caller,
    /// The session.
    pub session: Session,
    /// The person.
    pub account: Account,
    /// The person's roles.
    pub principal: Principal,
    /// The words of the person's language.
    pub words: Words,
    /// The instant of the request.
    pub now: Timestamp,
    /// Applications that wait for this person.
    pub waiting: i64,
    body: Bytes,
    fields: Fields,
}

impl Visit {
    /// Whether the person may perform acts of a kind at all. What they may not is not offered.
    pub fn may(&self, permission: Permission) -> bool {
        self.principal.may(permission, self.now)
    }

    /// The form that was sent.
    pub fn form<F: DeserializeOwned>(&self) -> Result<F, Problem> {
        read_form(&self.body)
    }

    /// The form that was sent, with its files.
    pub fn fields(&self) -> &Fields {
        &self.fields
    }

    /// The document that a script sent.
    pub fn json<F: DeserializeOwned>(&self) -> Result<F, Problem> {
        read_json(&self.body)
    }

    /// The certificate that the connection showed.
    pub fn presented(&self) -> Option<Presented> {
        self.request.conn_data().cloned()
    }
}

/// Somebody before signing in.
pub struct Visitor {
    /// The request.
    pub request: HttpRequest,
    /// The use cases' reach.
    pub env: Data<Env>,
    /// The console.
    pub console: Data<Console>,
    /// The site.
    pub site: Data<Site>,
    /// Who calls, and from where.
    pub caller: Caller,
    /// The words of the reader's language.
    pub words: Words,
    body: Bytes,
}

impl Visitor {
    /// The form that was sent.
    pub fn form<F: DeserializeOwned>(&self) -> Result<F, Problem> {
        read_form(&self.body)
    }

    /// The document that a script sent.
    pub fn json<F: DeserializeOwned>(&self) -> Result<F, Problem> {
        read_json(&self.body)
    }

    /// The certificate that the connection showed.
    pub fn presented(&self) -> Option<Presented> {
        self.request.conn_data().cloned()
    }
}

fn malformed() -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "form-malformed")
}

fn read_form<F: DeserializeOwned>(body: &Bytes) -> Result<F, Problem> {
    let text = std::str::from_utf8(body).map_err(|_| malformed())?;
    Query::<F>::from_query(text).map(Query::into_inner).map_err(|_| malformed())
}

fn read_json<F: DeserializeOwned>(body: &Bytes) -> Result<F, Problem> {
    serde_json::from_slice(body).map_err(|_| malformed())
}

/// Sends a person to the sign-in page, and back afterwards.
#[derive(Debug, thiserror::Error)]
#[error("nobody is signed in")]
struct SignInFirst {
    location: String,
}

impl ResponseError for SignInFirst {
    fn status_code(&self) -> StatusCode {
        StatusCode::SEE_OTHER
    }

    fn error_response(&self) -> HttpResponse {
        HttpResponse::SeeOther()
            .insert_header((header::LOCATION, self.location.as_str()))
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .finish()
    }
}

fn not_signed_in(request: &HttpRequest) -> actix_web::Error {
    let accept = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok());
    if !accept.is_some_and(|accept| accept.contains("text/html")) {
        return Problem::not_signed_in().into();
    }
    let here = request.uri().path_and_query().map_or("/console", |path| path.as_str());
    let location = if is_changing(request) || here == "/console" {
        "/console/sign-in".to_owned()
    } else {
        format!("/console/sign-in?{}", serialised("return", here))
    };
    SignInFirst { location }.into()
}

/// `name=value`, percent-encoded for a query.
pub fn serialised(name: &str, value: &str) -> String {
    url::form_urlencoded::Serializer::new(String::new()).append_pair(name, value).finish()
}

pub(crate) fn is_changing(request: &HttpRequest) -> bool {
    request.method() != Method::GET && request.method() != Method::HEAD
}

/// Whether the browser says that the request comes from a page of ours. It keeps other sites from
/// signing somebody in under a foreign name; the form token guards what comes after.
pub(crate) fn is_from_our_page(request: &HttpRequest) -> bool {
    let said = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    match (said("sec-fetch-site"), said("origin")) {
        (Some(site), _) => site == "same-origin" || site == "none",
        // Forms under `Referrer-Policy: no-referrer` carry the origin `null`.
        (None, Some("null") | None) => true,
        (None, Some(origin)) => {
            let host = said("host").unwrap_or_default();
            origin.split_once("://").is_some_and(|(_, rest)| rest == host)
        }
    }
}

/// The token that came with a request: in the header, or in the form.
fn token<'r>(request: &'r HttpRequest, fields: &'r Fields) -> Option<&'r str> {
    match request.headers().get(TOKEN_HEADER) {
        Some(value) => value.to_str().ok(),
        None => fields.text("csrf").ok().filter(|token| !token.is_empty()),
    }
}

pub(crate) fn data<T: 'static>(request: &HttpRequest) -> Result<Data<T>, Problem> {
    request.app_data::<Data<T>>().cloned().ok_or_else(|| {
        Problem::internal(&std::io::Error::other("the console was mounted without its data"))
    })
}

pub(crate) fn caller(request: &HttpRequest, env: &Env, console: &Console) -> Caller {
    let known = request.extensions().get::<RequestId>().cloned();
    let id = known.unwrap_or_else(|| {
        let id = RequestId::new(env.clock.now(), &*env.entropy);
        request.extensions_mut().insert(id.clone());
        id
    });
    Caller { address: address(request, console.callers), request: id }
}

fn address(request: &HttpRequest, callers: Callers) -> Option<IpAddr> {
    let peer = request.peer_addr().map(|peer| peer.ip());
    match callers {
        Callers::Direct => peer,
        Callers::BehindProxy => {
            // The last entry is the one our own proxy appended.
            let header = request.headers().get_all("x-forwarded-for").last();
            let text = header.and_then(|value| value.to_str().ok());
            text.and_then(|text| text.rsplit(',').next()?.trim().parse().ok()).or(peer)
        }
    }
}

/// The reader's choice by the switch counts most, then the account's language, then the browser's.
fn words(request: &HttpRequest, account: Option<Language>, site: &Site) -> Words {
    let chosen =
        request.cookie(language::COOKIE).and_then(|cookie| Language::from_word(cookie.value()));
    Asked::of(request).words(chosen.or(account), site.language)
}

type Extracting<T> = Pin<Box<dyn Future<Output = Result<T, actix_web::Error>>>>;

impl FromRequest for Visitor {
    type Error = actix_web::Error;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let body = Bytes::from_request(&request, payload);
        Box::pin(async move {
            let (env, console, site) = (data(&request)?, data(&request)?, data::<Site>(&request)?);
            let body = body.await?;
            if is_changing(&request) && !is_from_our_page(&request) {
                return Err(Problem::form_expired().into());
            }
            let caller = caller(&request, &env, &console);
            let words = words(&request, None, &site);
            Ok(Self { request, env, console, site, caller, words, body })
        })
    }
}

impl<A: Act + 'static> FromRequest for Granted<A> {
    type Error = actix_web::Error;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let body = Bytes::from_request(&request, payload);
        Box::pin(async move {
            let visit = visit(request, body.await?).await?;
            match visit.principal.permit::<A>(visit.now) {
                Ok(permit) => Ok(Self { permit, visit }),
                Err(refusal) => {
                    let door = visit.request.match_pattern().unwrap_or_default();
                    let origin = visit.principal.origin();
                    Err(denied(&visit.env, origin, visit.now, &door, refusal).await?.into())
                }
            }
        })
    }
}

/// Records that somebody stood before a door without leave, and says so.
pub(crate) async fn denied(
    env: &Data<Env>,
    origin: Origin,
    now: Timestamp,
    door: &str,
    refusal: Refusal,
) -> Result<Problem, Problem> {
    let env = Data::clone(env);
    let attempt = Attempt {
        code: AuditCode::AccessDenied,
        object: ObjectRef::new("page", door),
        organisation: None,
        policy: None,
    };
    let refused = web::block(move || env.refuse(&origin, now, attempt, refusal)).await??;
    Ok(Problem::from_refusal(&refused))
}

async fn visit(request: HttpRequest, body: Bytes) -> Result<Visit, actix_web::Error> {
    let (env, console, site) = (data::<Env>(&request)?, data(&request)?, data::<Site>(&request)?);
    let caller = caller(&request, &env, &console);
    let Some(secret) = cookie::of(&request) else { return Err(not_signed_in(&request)) };
    let reach = Data::clone(&env);
    let found = web::block(move || find_session(&reach, &secret)).await.map_err(Problem::from)?;
    let Some((session, account)) = found.map_err(Problem::from)? else {
        return Err(not_signed_in(&request));
    };
    let mut fields = Fields::default();
    if is_changing(&request) {
        if !is_from_our_page(&request) {
            return Err(Problem::form_expired().into());
        }
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        fields = Fields::read(kind.unwrap_or_default(), &body).await?;
        let told = token(&request, &fields);
        if !told.is_some_and(|told| same(told, &session.csrf)) {
            return Err(Problem::form_expired().into());
        }
    }
    let now = env.clock.now();
    let principal = Principal {
        actor: Actor::user(&account.id, &session.authenticator),
        roles: account.roles.clone(),
        request: caller.request.clone(),
        source: caller.address.map(|address| address.to_string()),
        only: None,
    };
    let waiting = waiting(&env, &principal, now).await?;
    let words = words(&request, Some(account.language), &site);
    Ok(Visit {
        request,
        env,
        console,
        site,
        caller,
        session,
        account,
        principal,
        words,
        now,
        waiting,
        body,
        fields,
    })
}

/// States in which an application waits for an officer.
const WAITING: [ApplicationState; 3] =
    [ApplicationState::Proofing, ApplicationState::Approval, ApplicationState::Ready];

/// How many applications wait for this person; at most 99 are counted.
async fn waiting(env: &Data<Env>, who: &Principal, now: Timestamp) -> Result<i64, Problem> {
    let Ok(permit) = who.permit::<tenkoku_domain::access::Issue>(now) else { return Ok(0) };
    let env = Data::clone(env);
    let counted = web::block(move || {
        env.store.read(|tx| {
            let mut waiting = 0;
            for state in WAITING {
                let filter = ApplicationFilter { state: Some(state), ..Default::default() };
                let page = tx.list_applications(permit.scope(), &filter, None, 99)?;
                waiting += i64::try_from(page.items.len()).unwrap_or(99);
            }
            Ok::<_, StoreError>(waiting.min(99))
        })
    });
    Ok(counted.await??)
}
