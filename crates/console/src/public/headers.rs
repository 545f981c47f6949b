//! Security headers of every page (UX 14).
//!
//! Deliberately not here: TLS itself, which the server or a proxy in front ends.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::ConnectionType;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Data;
use tenkoku_domain::account::Session;
use tenkoku_ports::Env;

use crate::session::Console;
use crate::session::tls::Presented;

/// What a page may load and do: only what this site itself serves, and nothing inline.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; \
    img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; \
    base-uri 'none'; frame-ancestors 'none'";

const HEADERS: [(HeaderName, &str); 4] = [
    (HeaderName::from_static("content-security-policy"), POLICY),
    (HeaderName::from_static("referrer-policy"), "no-referrer"),
    (HeaderName::from_static("x-content-type-options"), "nosniff"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

/// That browsers come by TLS and no other way, for a year (RFC 6797).
const BY_TLS: &str = "max-age=31536000";

/// Middleware: adds the headers to every answer; answers of the console are not kept anywhere.
///
/// # Errors
/// Those of the inner service.
pub async fn security_headers<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, actix_web::Error> {
    let inside = request.path().starts_with("/console");
    let by_tls = request.app_data::<Data<Console>>().is_some_and(|console| console.is_tls());
    let is_old = request.conn_data::<Presented>().is_some_and(|shown| {
        let now = request.app_data::<Data<Env>>().map(|env| env.clock.now());
        now.is_some_and(|now| shown.at.plus_seconds(Session::FRESH_SECONDS) <= now)
    });
    let mut answer = next.call(request).await?;
    if is_old {
        // The next connection shows its certificate anew, so that it can count again.
        answer.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    let headers = answer.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if by_tls {
        let name = HeaderName::from_static("strict-transport-security");
        headers.insert(name, HeaderValue::from_static(BY_TLS));
    }
    if inside {
        let name = HeaderName::from_static("cache-control");
        headers.insert(name, HeaderValue::from_static("no-store"));
    }
    Ok(answer)
}
