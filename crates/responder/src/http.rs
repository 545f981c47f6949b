//! The addresses of relying parties for files: `/crl/…`, `/ca/{ca}.cer`. Stable for ever.
//! OCSP answers are given by [`crate::responder::http`] in front of them.
//!
//! Addresses are bounded. The one thing that a request may write is a CRL that is due.

use actix_web::http::header::{self, HttpDate};
use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use sha2::{Digest as _, Sha256};
use std::time::{Duration, SystemTime};
use tenkoku_domain::certificate::Profile;
use tenkoku_domain::time::Timestamp;
use tenkoku_ports::Env;
use tenkoku_store::{StoreError, Tx};

/// Mounts the addresses.
pub fn configure(config: &mut web::ServiceConfig) {
    config
        .configure(crate::crl::http::configure)
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

fn etag(body: &[u8]) -> String {
    format!("\"{}\"", hex::encode(Sha256::digest(body)))
}

pub(crate) fn http_date(at: Timestamp) -> HttpDate {
    let seconds = u64::try_from(at.seconds()).unwrap_or_default();
    HttpDate::from(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
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
