//! The addresses of relying parties: `/ocsp/{ca}`, `/crl/{ca}.crl`, `/ca/{ca}.cer`. Stable for ever.
//!
//! Answers carry the caching headers of RFC 9919, 5; bodies and addresses are bounded. The one thing
//! that a request may write is a CRL that is due.

use actix_web::http::header::{self, HttpDate};
use actix_web::web::{self, Bytes, Data};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use std::time::{Duration, SystemTime};
use tenkoku_domain::authority::AuthorityCode;
use tenkoku_domain::certificate::Profile;
use tenkoku_domain::time::Timestamp;
use tenkoku_pki::ocsp::{MALFORMED_REQUEST, MAX_REQUEST_OCTETS};
use tenkoku_ports::Env;
use tenkoku_store::{StoreError, Tx};

use crate::answer::{Answered, answer};
use crate::crl::{CrlError, current_crl};

/// Mounts the addresses.
pub fn configure(config: &mut web::ServiceConfig) {
    config
        .service(
            web::resource("/ocsp/{ca}")
                .app_data(web::PayloadConfig::new(MAX_REQUEST_OCTETS))
                .route(web::post().to(post_ocsp)),
        )
        .service(
            web::resource("/ocsp/{ca}/{request:.*}")
                .route(web::get().to(get_ocsp))
                .route(web::head().to(get_ocsp)),
        )
        .service(
            web::resource("/crl/{ca}.crl")
                .route(web::get().to(load_crl))
                .route(web::head().to(load_crl)),
        )
        .service(
            web::resource("/ca/{ca}.cer")
                .route(web::get().to(load_certificate))
                .route(web::head().to(load_certificate)),
        )
        .service(
            web::resource("/ca/{ca}/by/{issuer}.cer")
                .route(web::get().to(load_cross_certificate))
                .route(web::head().to(load_cross_certificate)),
        );
}

async fn post_ocsp(ca: web::Path<String>, body: Bytes, env: Data<Env>) -> HttpResponse {
    let answered = respond(&env, ca.into_inner(), body.to_vec()).await;
    ocsp_response(&answered, Caching::Forbidden)
}

/// GET: the request in base64, percent-encoded, after the address (RFC 6960, A.1). The path is read
/// as it came, because `+`, `/` and `=` stand for themselves or encoded.
async fn get_ocsp(
    request: HttpRequest,
    ca: web::Path<(String, String)>,
    env: Data<Env>,
) -> HttpResponse {
    let (code, _) = ca.into_inner();
    let answered = match decoded(request.uri().path(), &code) {
        Some(der) => respond(&env, code, der).await,
        None => malformed(),
    };
    ocsp_response(&answered, Caching::Allowed)
}

fn decoded(path: &str, code: &str) -> Option<Vec<u8>> {
    let encoded = path.strip_prefix("/ocsp/")?.strip_prefix(code)?.strip_prefix('/')?;
    if encoded.len() > MAX_REQUEST_OCTETS * 2 {
        return None;
    }
    let text = percent_decoded(encoded)?;
    STANDARD.decode(text.trim_start_matches('/')).ok()
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((plain, encoded)) = rest.split_once('%') {
        out.push_str(plain);
        let byte = hex::decode(encoded.get(..2)?).ok()?;
        out.push(char::from(*byte.first()?));
        rest = encoded.get(2..)?;
    }
    out.push_str(rest);
    Some(out)
}

fn malformed() -> Answered {
    Answered { der: MALFORMED_REQUEST.to_vec(), cacheable: None }
}

async fn respond(env: &Data<Env>, code: String, der: Vec<u8>) -> Answered {
    let Ok(code) = AuthorityCode::parse(&code) else {
        return malformed();
    };
    let env = Data::clone(env);
    web::block(move || answer(&env, &code, &der)).await.unwrap_or_else(|_| Answered {
        der: tenkoku_pki::ocsp::TRY_LATER.to_vec(),
        cacheable: None,
    })
}

/// Whether a shared cache may keep the answer.
#[derive(Clone, Copy)]
enum Caching {
    Allowed,
    Forbidden,
}

fn ocsp_response(answered: &Answered, caching: Caching) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response.content_type("application/ocsp-response");
    match (answered.cacheable, caching) {
        (Some((from, until)), Caching::Allowed) => cache(&mut response, &answered.der, from, until),
        (_, Caching::Forbidden) | (None, Caching::Allowed) => {
            response.insert_header((header::CACHE_CONTROL, "no-store"));
        }
    }
    response.body(answered.der.clone())
}

/// Seconds for which a cache may keep an answer: a revocation shows within five minutes (DOMAIN 13).
const ANSWER_MAX_AGE: i64 = 300;

/// RFC 9919, 5: Last-Modified, Expires, ETag, and a max-age that never outlives the answer.
fn cache(response: &mut HttpResponseBuilder, body: &[u8], from: Timestamp, until: Timestamp) {
    let max_age = ANSWER_MAX_AGE.min(until.seconds() - from.seconds());
    response
        .insert_header((header::ETAG, etag(body)))
        .insert_header((header::LAST_MODIFIED, http_date(from)))
        .insert_header((header::EXPIRES, http_date(from.plus_seconds(max_age))))
        .insert_header((
            header::CACHE_CONTROL,
            format!("max-age={max_age}, public, no-transform, must-revalidate"),
        ));
}

fn etag(body: &[u8]) -> String {
    format!("\"{}\"", hex::encode(Sha256::digest(body)))
}

fn http_date(at: Timestamp) -> HttpDate {
    let seconds = u64::try_from(at.seconds()).unwrap_or_default();
    HttpDate::from(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
}

async fn load_crl(request: HttpRequest, ca: web::Path<String>, env: Data<Env>) -> HttpResponse {
    let Ok(code) = AuthorityCode::parse(&ca) else {
        return HttpResponse::NotFound().finish();
    };
    let shared = Data::clone(&env);
    let found = web::block(move || current_crl(&shared, &code)).await;
    match found {
        // A revocation must show at once, so caches ask again: a 304 costs nothing.
        Ok(Ok(crl)) => file(&request, "application/pkix-crl", crl.der, crl.this_update, 0),
        Ok(Err(CrlError::Store(StoreError::NotFound { .. }) | CrlError::Refused(_))) => {
            HttpResponse::NotFound().finish()
        }
        Ok(Err(error)) => {
            tracing::error!(%error, "no CRL could be given");
            HttpResponse::ServiceUnavailable().finish()
        }
        Err(_) => HttpResponse::ServiceUnavailable().finish(),
    }
}

/// Seconds for which an authority's certificate may be kept: a day. It never changes.
const CERTIFICATE_MAX_AGE: i64 = 86_400;

async fn load_certificate(
    request: HttpRequest,
    ca: web::Path<String>,
    env: Data<Env>,
) -> HttpResponse {
    let shared = Data::clone(&env);
    let code = ca.into_inner();
    let found = web::block(move || shared.store.read(|tx| tx.find_authority(&code))).await;
    match found {
        Ok(Ok(Some(authority))) => match authority.certificate {
            Some(der) => {
                let since = authority.validity.not_before;
                file(&request, "application/pkix-cert", der, since, CERTIFICATE_MAX_AGE)
            }
            None => HttpResponse::NotFound().finish(),
        },
        Ok(Ok(None)) => HttpResponse::NotFound().finish(),
        Ok(Err(error)) => {
            tracing::error!(%error, "no certificate of an authority could be given");
            HttpResponse::ServiceUnavailable().finish()
        }
        Err(_) => HttpResponse::ServiceUnavailable().finish(),
    }
}

/// The newest cross-certificate of one root by another.
async fn load_cross_certificate(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    env: Data<Env>,
) -> HttpResponse {
    let shared = Data::clone(&env);
    let (certified, by) = path.into_inner();
    let found = web::block(move || shared.store.read(|tx| find_cross(tx, &certified, &by))).await;
    match found {
        Ok(Ok(Some((der, since)))) => {
            file(&request, "application/pkix-cert", der, since, CERTIFICATE_MAX_AGE)
        }
        Ok(Ok(None)) => HttpResponse::NotFound().finish(),
        Ok(Err(error)) => {
            tracing::error!(%error, "no cross-certificate could be given");
            HttpResponse::ServiceUnavailable().finish()
        }
        Err(_) => HttpResponse::ServiceUnavailable().finish(),
    }
}

fn find_cross(
    tx: &mut Tx<'_>,
    certified: &str,
    by: &str,
) -> Result<Option<(Vec<u8>, Timestamp)>, StoreError> {
    let (Some(certified), Some(by)) = (tx.find_authority(certified)?, tx.find_authority(by)?)
    else {
        return Ok(None);
    };
    let all = tx.certificates_of_key(&certified.key)?;
    let crossed = all.into_iter().rev().filter(|c| c.profile == Profile::Cross);
    let mut crossed = crossed.filter(|c| c.authority == by.id && c.state.revocation().is_none());
    Ok(crossed.find_map(|c| c.der.map(|der| (der, c.validity.not_before))))
}

/// A file with its validators; 304 where the client has it already.
fn file(
    request: &HttpRequest,
    content_type: &'static str,
    body: Vec<u8>,
    since: Timestamp,
    max_age: i64,
) -> HttpResponse {
    let tag = etag(&body);
    let known = request.headers().get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let same = known.is_some_and(|known| known.split(',').any(|one| one.trim() == tag));
    let mut response = if same { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response
        .insert_header((header::ETAG, tag))
        .insert_header((header::LAST_MODIFIED, http_date(since)))
        .insert_header((
            header::CACHE_CONTROL,
            format!("max-age={max_age}, public, no-transform, must-revalidate"),
        ));
    if same { response.finish() } else { response.content_type(content_type).body(body) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, expected: Option<&[u8]>) {
        assert_eq!(decoded(path, "seal-l1-g1").as_deref(), expected, "{path}");
    }

    #[test]
    fn requests_in_the_address_are_decoded() {
        check("/ocsp/seal-l1-g1/AAEC", Some(&[0, 1, 2]));
        check("/ocsp/seal-l1-g1/%2B%2f%2F%2b", Some(&[0xFB, 0xFF, 0xFE]));
        check("/ocsp/seal-l1-g1//+//+", Some(&[0xFB, 0xFF, 0xFE]));
        check("/ocsp/seal-l1-g1/AA%3D%3D", Some(&[0]));
        check("/ocsp/seal-l1-g1/%zz", None);
        check("/ocsp/seal-l1-g1/%", None);
        check("/ocsp/other/AAEC", None);
    }
}
