//! The addresses of lists: `/crl/{ca}.crl`, `/crl/{ca}-{shard}.crl`, `/crl/{ca}.delta.crl`. Stable
//! for ever. A request signs nothing; only the very first list of an authority is made for whoever
//! asks for it.

use std::ops::Range;
use std::sync::Arc;

use actix_web::http::header::{self, ContentEncoding, HeaderMap};
use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use tenkoku_ports::Env;
use tenkoku_store::StoreError;

use super::CrlError;
use super::served::{ServedCrl, ServedCrls, read_file_name};
use crate::http::http_date;

/// Mounts the addresses.
pub fn configure(config: &mut web::ServiceConfig) {
    config.service(
        web::resource("/crl/{file}").route(web::get().to(load_crl)).route(web::head().to(load_crl)),
    );
}

async fn load_crl(
    request: HttpRequest,
    file: web::Path<String>,
    served: Data<ServedCrls>,
    env: Data<Env>,
) -> HttpResponse {
    if let Some(crl) = served.at_hand(&file) {
        return respond(request.headers(), &crl);
    }
    let (served, env) = (Data::clone(&served), Data::clone(&env));
    let found = web::block(move || find(&env, &served, &file)).await;
    match found {
        Ok(Ok(crl)) => respond(request.headers(), &crl),
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

fn find(env: &Env, served: &ServedCrls, file: &str) -> Result<Arc<ServedCrl>, CrlError> {
    let mut result = Err(StoreError::NotFound { what: "crl" }.into());
    for (code, list) in read_file_name(file) {
        result = served.load(env, &code, list);
        if result.is_ok() {
            break;
        }
    }
    result
}

/// The list, as far as it is asked for: nothing where the client has it, a part, or in gzip.
fn respond(headers: &HeaderMap, crl: &ServedCrl) -> HttpResponse {
    let tag = format!("\"{}\"", crl.head.digest);
    let zipped_tag = format!("\"{}-gzip\"", crl.head.digest);
    let known = text(headers, header::IF_NONE_MATCH).is_some_and(|known| {
        known.split(',').map(str::trim).any(|one| one == tag || one == zipped_tag || one == "*")
    });
    let mut response = HttpResponse::Ok();
    response
        .insert_header((header::LAST_MODIFIED, http_date(crl.head.this_update)))
        .insert_header((header::EXPIRES, http_date(crl.head.next_update)))
        .insert_header((header::ACCEPT_RANGES, "bytes"))
        .insert_header((header::VARY, "accept-encoding"))
        // A revocation must show at once, so caches ask again: a 304 costs nothing.
        .insert_header((header::CACHE_CONTROL, "max-age=0, public, no-transform, must-revalidate"));
    if known {
        response.status(actix_web::http::StatusCode::NOT_MODIFIED);
        return response.insert_header((header::ETAG, tag)).finish();
    }
    response.content_type("application/pkix-crl");
    let whole = crl.der.clone();
    match part(headers, &tag, whole.len()) {
        Part::Some(range) => {
            let told = format!("bytes {}-{}/{}", range.start, range.end - 1, whole.len());
            response.status(actix_web::http::StatusCode::PARTIAL_CONTENT);
            response.insert_header((header::ETAG, tag));
            response.insert_header((header::CONTENT_RANGE, told)).body(whole.slice(range))
        }
        Part::Beyond => {
            response.status(actix_web::http::StatusCode::RANGE_NOT_SATISFIABLE);
            response.insert_header((header::CONTENT_RANGE, format!("bytes */{}", whole.len())));
            response.finish()
        }
        Part::All if wants_gzip(headers) => response
            .insert_header((header::ETAG, zipped_tag))
            .insert_header(ContentEncoding::Gzip)
            .body(crl.gzip()),
        Part::All => response.insert_header((header::ETAG, tag)).body(whole),
    }
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// Whether gzip is asked for and not refused.
fn wants_gzip(headers: &HeaderMap) -> bool {
    text(headers, header::ACCEPT_ENCODING).is_some_and(|accepted| {
        accepted.split(',').any(|one| {
            let mut parts = one.split(';').map(str::trim);
            parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"))
                && !parts.any(|q| q.trim_start_matches("q=").parse::<f32>() == Ok(0.0))
        })
    })
}

#[derive(Debug, PartialEq, Eq)]
enum Part {
    All,
    Some(Range<usize>),
    Beyond,
}

/// Which octets are asked for (RFC 9110, 14.2): one range, of the list that the client began with.
/// Several ranges, and what cannot be read, are answered with the whole.
fn part(headers: &HeaderMap, tag: &str, length: usize) -> Part {
    let begun = text(headers, header::IF_RANGE);
    if begun.is_some_and(|begun| begun != tag) {
        return Part::All;
    }
    let asked = text(headers, header::RANGE).and_then(|range| range.strip_prefix("bytes="));
    let Some((from, to)) = asked.and_then(|range| range.split_once('-')) else {
        return Part::All;
    };
    let range = match (from.trim(), to.trim()) {
        ("", last) => last.parse::<usize>().ok().map(|last| length.saturating_sub(last)..length),
        (from, "") => from.parse().ok().map(|from| from..length),
        (from, to) => match (from.parse::<usize>(), to.parse::<usize>()) {
            (Ok(from), Ok(to)) if from <= to => Some(from..to.saturating_add(1).min(length)),
            _ => None,
        },
    };
    match range {
        None => Part::All,
        Some(range) if range.start >= range.end => Part::Beyond,
        Some(range) => Part::Some(range),
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn headers(all: &[(header::HeaderName, &'static str)]) -> HeaderMap {
        let pairs = all.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value)));
        pairs.collect()
    }

    fn check(range: &'static str, expected: &Part) {
        assert_eq!(part(&headers(&[(header::RANGE, range)]), "\"a\"", 100), *expected, "{range}");
    }

    #[test]
    fn one_range_is_answered_with_its_part() {
        check("bytes=0-9", &Part::Some(0..10));
        check("bytes=90-", &Part::Some(90..100));
        check("bytes=90-500", &Part::Some(90..100));
        check("bytes=-10", &Part::Some(90..100));
        check("bytes=-500", &Part::Some(0..100));
        check("bytes=100-", &Part::Beyond);
        check("bytes=-0", &Part::Beyond);
        check("bytes=9-0", &Part::All);
        check("bytes=0-1,5-6", &Part::All);
        check("lines=0-1", &Part::All);
    }

    #[test]
    fn a_part_of_another_list_is_not_given() {
        let of = |tag| headers(&[(header::RANGE, "bytes=0-9"), (header::IF_RANGE, tag)]);
        assert_eq!(part(&of("\"a\""), "\"a\"", 100), Part::Some(0..10));
        assert_eq!(part(&of("\"b\""), "\"a\"", 100), Part::All);
    }

    #[test]
    fn gzip_is_given_where_it_is_asked_for() {
        let wants = |value| wants_gzip(&headers(&[(header::ACCEPT_ENCODING, value)]));
        assert!(wants("gzip, deflate"));
        assert!(wants("deflate, GZIP;q=0.5"));
        assert!(!wants("gzip;q=0"));
        assert!(!wants("br"));
        assert!(!wants_gzip(&headers(&[])));
    }
}
