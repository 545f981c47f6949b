//! The addresses of list readers: `/tl/{scheme}.xml` and `/tl/{scheme}.sha2`, and every former
//! sequence at `/tl/{scheme}/{sequence}.xml`. Stable for ever (TS 119 612, 6.1).

use std::time::{Duration, SystemTime};

use actix_web::http::header::{self, HttpDate};
use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use tenkoku_domain::trusted_list::PublishedList;
use tenkoku_ports::Env;
use tenkoku_store::StoreError;

/// The media type of a list (TS 119 612, 6.1).
const LIST_TYPE: &str = "application/vnd.etsi.tsl+xml";
/// Seconds for which caches keep the live list: 4 hours at most (TS 119 612, 6.1).
const LIVE_MAX_AGE: u32 = 3600;
/// Seconds for which caches keep a former sequence, which never changes.
const FORMER_MAX_AGE: u32 = 86_400;

/// Mounts the addresses.
pub fn configure(config: &mut web::ServiceConfig) {
    config
        .service(
            web::resource("/tl/{scheme}.xml")
                .route(web::get().to(load_list))
                .route(web::head().to(load_list)),
        )
        .service(
            web::resource("/tl/{scheme}.sha2")
                .route(web::get().to(load_digest))
                .route(web::head().to(load_digest)),
        )
        .service(
            web::resource("/tl/{scheme}/{sequence}.xml")
                .route(web::get().to(load_sequence))
                .route(web::head().to(load_sequence)),
        );
}

async fn load_list(
    request: HttpRequest,
    scheme: web::Path<String>,
    env: Data<Env>,
) -> HttpResponse {
    let found = find(env, move |env| env.store.read(|tx| tx.latest_list(&scheme))).await;
    respond(found, |list| list_response(&request, list, LIVE_MAX_AGE))
}

async fn load_sequence(
    request: HttpRequest,
    path: web::Path<(String, i64)>,
    env: Data<Env>,
) -> HttpResponse {
    let (scheme, sequence) = path.into_inner();
    let found = find(env, move |env| env.store.read(|tx| tx.find_list(&scheme, sequence))).await;
    respond(found, |list| list_response(&request, list, FORMER_MAX_AGE))
}

/// Lower-case hexadecimal digits without an end of line: it tells of change and proves nothing.
async fn load_digest(scheme: web::Path<String>, env: Data<Env>) -> HttpResponse {
    let found = find(env, move |env| env.store.read(|tx| tx.latest_list(&scheme))).await;
    respond(found, |list| {
        HttpResponse::Ok()
            .content_type("text/plain; charset=utf-8")
            .insert_header((header::CACHE_CONTROL, format!("max-age={LIVE_MAX_AGE}, public")))
            .body(list.digest.to_string())
    })
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

fn list_response(request: &HttpRequest, list: PublishedList, max_age: u32) -> HttpResponse {
    let tag = format!("\"{}\"", list.digest);
    let known = request.headers().get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let same = known.is_some_and(|known| known.split(',').any(|one| one.trim() == tag));
    let since = u64::try_from(list.issued_at.seconds()).unwrap_or_default();
    let since = HttpDate::from(SystemTime::UNIX_EPOCH + Duration::from_secs(since));
    let mut response = if same { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response
        .insert_header((header::ETAG, tag))
        .insert_header((header::LAST_MODIFIED, since))
        .insert_header((header::CACHE_CONTROL, format!("max-age={max_age}, public")));
    if same { response.finish() } else { response.content_type(LIST_TYPE).body(list.xml) }
}
