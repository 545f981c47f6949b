//! The addresses of list readers and of those who follow rotations: `/tl/{scheme}.xml`, `.sha2` and
//! `.json`, and every former sequence in the same forms at `/tl/{scheme}/{sequence}.xml`; the
//! certificates that sign at `/tl/{scheme}/signers.pem`; `/discovery/{organisation}.json` and
//! `/discovery/{organisation}/{branch}.json` (RO-5). Stable for ever (TS 119 612, 6.1).

use std::time::{Duration, SystemTime};

use actix_web::http::header::{self, HttpDate};
use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::time::Timestamp;
use tenkoku_domain::trusted_list::PublishedList;
use tenkoku_pki::pem;
use tenkoku_ports::Env;
use tenkoku_store::StoreError;

use crate::discovery::{Place, discover};
use crate::signers;

/// The media type of a list (TS 119 612, 6.1).
const LIST_TYPE: &str = "application/vnd.etsi.tsl+xml";
/// The media type of a list in JSON: a compact signature (RFC 7515, 9.2.1).
const JSON_TYPE: &str = "application/jose";
/// The media type of a signed document in JSON form (RFC 7515, 9.2.2).
const DISCOVERY_TYPE: &str = "application/jose+json";
/// Seconds for which caches keep a discovery document: a rotation is seen within five minutes.
const DISCOVERY_MAX_AGE: u32 = 300;
/// Seconds for which caches keep the live list: 4 hours at most (TS 119 612, 6.1).
const LIVE_MAX_AGE: u32 = 3600;
/// Seconds for which caches keep a former sequence, which never changes.
const FORMER_MAX_AGE: u32 = 86_400;

/// Mounts the addresses.
pub fn configure(config: &mut web::ServiceConfig) {
    config
        .service(
            web::resource("/tl/{scheme}/signers.pem")
                .route(web::get().to(load_signers))
                .route(web::head().to(load_signers)),
        )
        .service(
            web::resource(r"/tl/{scheme}.{form:xml|sha2|json}")
                .route(web::get().to(load_live))
                .route(web::head().to(load_live)),
        )
        .service(
            web::resource(r"/tl/{scheme}/{sequence}.{form:xml|sha2|json}")
                .route(web::get().to(load_sequence))
                .route(web::head().to(load_sequence)),
        )
        .service(
            web::resource("/discovery/{organisation}/{branch}.json")
                .route(web::get().to(load_of_branch))
                .route(web::head().to(load_of_branch)),
        )
        .service(
            web::resource("/discovery/{organisation}.json")
                .route(web::get().to(load_of_organisation))
                .route(web::head().to(load_of_organisation)),
        );
}

async fn load_of_organisation(
    request: HttpRequest,
    organisation: web::Path<String>,
    env: Data<Env>,
) -> HttpResponse {
    let place = Place { organisation: organisation.into_inner(), branch: None };
    load_discovery(&request, place, env).await
}

async fn load_of_branch(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    env: Data<Env>,
) -> HttpResponse {
    let (organisation, branch) = path.into_inner();
    load_discovery(&request, Place { organisation, branch: Some(branch) }, env).await
}

async fn load_discovery(request: &HttpRequest, place: Place, env: Data<Env>) -> HttpResponse {
    match web::block(move || discover(&env, &place)).await {
        Ok(Ok(Some(found))) => {
            let tag = Digest::of(found.document.as_bytes());
            let of = (tag, found.issued_at, DISCOVERY_MAX_AGE);
            cached(request, of, DISCOVERY_TYPE, found.document.into_bytes())
        }
        Ok(Ok(None)) => HttpResponse::NotFound().finish(),
        Ok(Err(error)) => {
            tracing::error!(%error, "no discovery document could be given");
            HttpResponse::ServiceUnavailable().finish()
        }
        Err(_) => HttpResponse::ServiceUnavailable().finish(),
    }
}

/// A form in which a list is given.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Form {
    /// The list.
    Xml,
    /// Its digest: it tells of change and proves nothing.
    Sha2,
    /// The same list in JSON (TS 119 602).
    Json,
}

async fn load_live(
    request: HttpRequest,
    path: web::Path<(String, Form)>,
    env: Data<Env>,
) -> HttpResponse {
    let (scheme, form) = path.into_inner();
    let found = find(env, move |env| env.store.read(|tx| tx.latest_list(&scheme))).await;
    respond(found, |list| list_response(&request, list, form, LIVE_MAX_AGE))
}

async fn load_sequence(
    request: HttpRequest,
    path: web::Path<(String, i64, Form)>,
    env: Data<Env>,
) -> HttpResponse {
    let (scheme, sequence, form) = path.into_inner();
    let found = find(env, move |env| env.store.read(|tx| tx.find_list(&scheme, sequence))).await;
    respond(found, |list| list_response(&request, list, form, FORMER_MAX_AGE))
}

/// The certificates of whoever may sign the next list, the present signer first (A.2).
async fn load_signers(scheme: web::Path<String>, env: Data<Env>) -> HttpResponse {
    let loaded = web::block(move || announced(&env, &scheme)).await;
    match loaded {
        Ok(Ok(Some(text))) => HttpResponse::Ok()
            .content_type("application/x-pem-file")
            .insert_header((header::CACHE_CONTROL, format!("max-age={LIVE_MAX_AGE}, public")))
            .body(text),
        Ok(Ok(None)) => HttpResponse::NotFound().finish(),
        Ok(Err(error)) => {
            tracing::error!(%error, "the signers of a trusted list could not be given");
            HttpResponse::ServiceUnavailable().finish()
        }
        Err(_) => HttpResponse::ServiceUnavailable().finish(),
    }
}

fn announced(env: &Env, scheme: &str) -> Result<Option<String>, StoreError> {
    let now = env.clock.now();
    let signers = env.store.read(|tx| match tx.latest_list(scheme)? {
        Some(live) => signers::load(tx, Some(&live), now),
        None => Ok(None),
    })?;
    Ok(signers.map(|signers| {
        let der = signers.all().map(|signer| signer.der.as_deref().unwrap_or_default());
        der.map(|der| pem::encode("CERTIFICATE", der)).collect()
    }))
}

type Found = Result<Option<PublishedList>, StoreError>;

async fn find(env: Data<Env>, load: impl FnOnce(&Env) -> Found + Send + 'static) -> Option<Found> {
    web::block(move || load(&env)).await.ok()
}

fn respond(
    found: Option<Found>,
    render: impl FnOnce(PublishedList) -> HttpResponse,
) -> HttpResponse {
    match found {
        Some(Ok(Some(list))) => render(list),
        Some(Ok(None)) => HttpResponse::NotFound().finish(),
        Some(Err(error)) => {
            tracing::error!(%error, "no trusted list could be given");
            HttpResponse::ServiceUnavailable().finish()
        }
        None => HttpResponse::ServiceUnavailable().finish(),
    }
}

fn list_response(
    request: &HttpRequest,
    list: PublishedList,
    form: Form,
    max_age: u32,
) -> HttpResponse {
    let at = list.issued_at;
    match form {
        Form::Xml => cached(request, (list.digest, at, max_age), LIST_TYPE, list.xml),
        // Lower-case hexadecimal digits without an end of line.
        Form::Sha2 => {
            let text = list.digest.to_string();
            let tag = Digest::of(text.as_bytes());
            cached(request, (tag, at, max_age), "text/plain; charset=utf-8", text.into_bytes())
        }
        Form::Json => match list.json {
            Some(json) => {
                let tag = Digest::of(json.as_bytes());
                cached(request, (tag, at, max_age), JSON_TYPE, json.into_bytes())
            }
            None => HttpResponse::NotFound().finish(),
        },
    }
}

/// Answers with something that caches may keep, or that the caller has it already.
fn cached(
    request: &HttpRequest,
    (digest, issued_at, max_age): (Digest, Timestamp, u32),
    content_type: &'static str,
    body: Vec<u8>,
) -> HttpResponse {
    let tag = format!("\"{digest}\"");
    let known = request.headers().get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let same = known.is_some_and(|known| known.split(',').any(|one| one.trim() == tag));
    let since = u64::try_from(issued_at.seconds()).unwrap_or_default();
    let since = HttpDate::from(SystemTime::UNIX_EPOCH + Duration::from_secs(since));
    let mut response = if same { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response
        .insert_header((header::ETAG, tag))
        .insert_header((header::LAST_MODIFIED, since))
        .insert_header((header::CACHE_CONTROL, format!("max-age={max_age}, public")));
    if same { response.finish() } else { response.content_type(content_type).body(body) }
}
