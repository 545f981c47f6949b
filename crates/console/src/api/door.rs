//! The door of the API: who calls, what may be done, once.
//!
//! [`admit`] finds out who calls before anything else; [`Called`] asks for one permit, as
//! [`crate::granted::Granted`] does for pages. A secret of 256 bits cannot be guessed, so tokens that
//! do not fit close nothing; an address and a caller send so much in a minute and no more.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::{Method, StatusCode, header};
use actix_web::middleware::Next;
use actix_web::web::{self, Bytes, Data};
use actix_web::{FromRequest, HttpMessage as _, HttpRequest};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tenkoku_domain::access::{Act, Actor, Permit, Principal};
use tenkoku_domain::account::{Account, Session};
use tenkoku_domain::id::TokenId;
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_domain::service_account::{
    ServiceToken, TokenAlgorithm, TokenKey, TokenProof, is_timely,
};
use tenkoku_domain::time::Timestamp;
use tenkoku_pki::pem;
use tenkoku_ports::Env;
use tenkoku_store::StoreError;

use super::once;
use crate::granted::{TOKEN_HEADER, caller, data, denied, is_changing, is_from_our_page};
use crate::problem::Problem;
use crate::session::open::find_session;
use crate::session::secret::{digest_of, same};
use crate::session::throttle::{Closed, Source};
use crate::session::{Console, cookie};

/// Who calls.
pub struct Known {
    /// The roles, confined to what the token allows.
    pub principal: Principal,
    /// The account.
    pub account: Account,
    /// The session; `None` where a system calls with a token.
    pub session: Option<Session>,
}

/// Somebody who may perform the act.
pub struct Called<A: Act> {
    /// Leave to perform the act.
    pub permit: Permit<A>,
    /// The call.
    pub call: Call,
}

/// What an operation rests on.
pub struct Call {
    /// The request.
    pub request: HttpRequest,
    /// The use cases' reach.
    pub env: Data<Env>,
    /// Who calls.
    pub known: Rc<Known>,
    /// The instant of the request.
    pub now: Timestamp,
    body: Bytes,
}

impl Call {
    /// The document that was sent.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        serde_json::from_slice(&self.body).map_err(|error| {
            Problem::new(StatusCode::BAD_REQUEST, "request-malformed")
                .with_field("", error.to_string())
        })
    }

    /// Leave to perform another act that the operation takes.
    pub fn permit<A: Act>(&self) -> Result<Permit<A>, Problem> {
        let permit = self.known.principal.permit(self.now);
        permit.map_err(|refusal| Problem::from_refusal(&refusal))
    }

    /// DOMAIN 17: what a person must decide needs a session whose second factor is fresh.
    pub fn by_person(&self) -> Result<(), Problem> {
        match &self.known.session {
            Some(session) if session.is_fresh(self.now) => Ok(()),
            Some(_) => Err(Problem::new(StatusCode::FORBIDDEN, "step-up-needed")),
            None => Err(Problem::new(StatusCode::FORBIDDEN, "person-needed")),
        }
    }

    /// Runs what waits for the database or a key on a thread that may wait.
    pub async fn run<T, E>(
        &self,
        work: impl FnOnce(&Env) -> Result<T, E> + Send + 'static,
    ) -> Result<T, Problem>
    where
        T: Send + 'static,
        E: Send + 'static,
        Problem: From<E>,
    {
        let env = Data::clone(&self.env);
        Ok(web::block(move || work(&env)).await??)
    }
}

fn token_refused() -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "token-refused")
}

/// Middleware: finds out who calls, and lets a request with an idempotency key in once.
///
/// # Errors
/// Those of the inner service.
pub async fn admit(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    match let_in(request.request()).await {
        Err(problem) => Ok(request.error_response(problem)),
        Ok(known) => {
            let known = Rc::new(known);
            request.extensions_mut().insert(Rc::clone(&known));
            if request.method() == Method::POST {
                return once::serve(request, next, &known).await;
            }
            Ok(next.call(request).await?.map_into_boxed_body())
        }
    }
}

/// Who calls, within what an address and a caller may send.
async fn let_in(request: &HttpRequest) -> Result<Known, Problem> {
    let (env, console) = (data::<Env>(request)?, data::<Console>(request)?);
    let now = env.clock.now();
    let limited = |closed: Closed| {
        let refusal = Refusal::new(RefusalCode::RateLimited, "21").with("until", closed.until);
        Problem::from_refusal(&refusal).retry_after(closed.wait_seconds)
    };
    let address = caller(request, &env, &console).address;
    console.api_sources.admit(&Source::of(address), now).map_err(limited)?;
    let (known, caller) = recognise(request).await?;
    console.api_callers.admit(&caller, now).map_err(limited)?;
    Ok(known)
}

/// Who calls, and the name of the token or session for counting.
async fn recognise(request: &HttpRequest) -> Result<(Known, String), Problem> {
    let (env, console) = (data::<Env>(request)?, data::<Console>(request)?);
    let caller = caller(request, &env, &console);
    let now = env.clock.now();
    let source = caller.address.map(|address| address.to_string());
    if let Some(value) = request.headers().get(header::AUTHORIZATION) {
        let text = value.to_str().map_err(|_| token_refused())?;
        let bearer = text.strip_prefix("Bearer ").ok_or_else(token_refused)?.to_owned();
        let audience = console.address.as_str().trim_end_matches('/').to_owned();
        let reach = Data::clone(&env);
        let found = web::block(move || find_bearer(&reach, &bearer, &audience)).await??;
        let (token, account) = found.ok_or_else(token_refused)?;
        let principal = Principal {
            actor: Actor::user(&account.id, token.proof.authenticator()),
            roles: account.roles.clone(),
            request: caller.request,
            source,
            only: Some(token.permissions),
        };
        let caller = token.id.to_string();
        return Ok((Known { principal, account, session: None }, caller));
    }
    let secret = cookie::of(request).ok_or_else(token_refused)?;
    let reach = Data::clone(&env);
    let found = web::block(move || find_session(&reach, &secret)).await??;
    let (session, account) = found.ok_or_else(token_refused)?;
    if is_changing(request) {
        let told = request.headers().get(TOKEN_HEADER).and_then(|value| value.to_str().ok());
        if !is_from_our_page(request) || !told.is_some_and(|told| same(told, &session.csrf)) {
            return Err(Problem::form_expired());
        }
    }
    debug_assert!(session.is_alive(now), "a session that was found is alive");
    let principal = Principal {
        actor: Actor::user(&account.id, &session.authenticator),
        roles: account.roles.clone(),
        request: caller.request,
        source,
        only: None,
    };
    let caller = session.id.to_string();
    Ok((Known { principal, account, session: Some(session) }, caller))
}

/// The living token that a bearer shows, and whose it is.
fn find_bearer(
    env: &Env,
    bearer: &str,
    audience: &str,
) -> Result<Option<(ServiceToken, Account)>, StoreError> {
    let now = env.clock.now();
    let signed = signer_of(bearer);
    let found = env.store.read(|tx| {
        let token = match &signed {
            Some(id) => tx.find_token(id)?,
            None => tx.find_token_by_secret(&digest_of(bearer))?,
        };
        let Some(token) = token.filter(|token| token.is_alive(now)) else { return Ok(None) };
        let account = tx.load_account(&token.user)?;
        let good = account.disabled_at.is_none() && account.is_service();
        Ok::<_, StoreError>(good.then_some((token, account)))
    })?;
    Ok(found.filter(|(token, _)| match (&token.proof, &signed) {
        (TokenProof::Secret(_), None) => true,
        (TokenProof::Key(key), Some(_)) => is_signed(bearer, token, key, audience, now),
        (TokenProof::Secret(_), Some(_)) | (TokenProof::Key(_), None) => false,
    }))
}

/// The token whose key is said to have signed a bearer; `None` for a secret.
fn signer_of(bearer: &str) -> Option<TokenId> {
    let head = jsonwebtoken::decode_header(bearer).ok()?;
    TokenId::parse(&head.kid?).ok()
}

/// What a signed token says (RFC 7519, 4.1).
#[derive(Debug, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    iat: i64,
    exp: i64,
}

/// Whether a signed token was made with the key, for this API, and is good at this instant. Its
/// times are judged by the platform's own clock.
fn is_signed(
    bearer: &str,
    token: &ServiceToken,
    key: &TokenKey,
    audience: &str,
    now: Timestamp,
) -> bool {
    let text = pem::encode("PUBLIC KEY", &key.public_key);
    let (algorithm, verifier) = match key.algorithm {
        TokenAlgorithm::Es256 => (Algorithm::ES256, DecodingKey::from_ec_pem(text.as_bytes())),
        TokenAlgorithm::EdDsa => (Algorithm::EdDSA, DecodingKey::from_ed_pem(text.as_bytes())),
    };
    let Ok(verifier) = verifier else { return false };
    let mut rules = Validation::new(algorithm);
    rules.set_audience(&[audience]);
    rules.set_required_spec_claims(&["aud", "exp", "iss", "sub"]);
    rules.validate_exp = false;
    let Ok(read) = jsonwebtoken::decode::<Claims>(bearer, &verifier, &rules) else { return false };
    let Claims { iss, sub, iat, exp } = read.claims;
    let times = is_timely(Timestamp::from_seconds(iat), Timestamp::from_seconds(exp), now);
    iss == token.id.as_str() && sub == token.user.as_str() && times
}

type Extracting<T> = Pin<Box<dyn Future<Output = Result<T, actix_web::Error>>>>;

impl<A: Act + 'static> FromRequest for Called<A> {
    type Error = actix_web::Error;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let body = Bytes::from_request(&request, payload);
        Box::pin(async move {
            let body = body.await?;
            let env = data::<Env>(&request)?;
            let known = request.extensions().get::<Rc<Known>>().cloned();
            let known = known.ok_or_else(token_refused)?;
            let now = env.clock.now();
            match known.principal.permit::<A>(now) {
                Ok(permit) => Ok(Self { permit, call: Call { request, env, known, now, body } }),
                Err(refusal) => {
                    let door = request.match_pattern().unwrap_or_default();
                    let origin = known.principal.origin();
                    Err(denied(&env, origin, now, &door, refusal).await?.into())
                }
            }
        })
    }
}
