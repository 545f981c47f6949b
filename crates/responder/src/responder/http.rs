//! OCSP over HTTP, in front of every other address: `/ocsp/{ca}` by POST, `/ocsp/{ca}/{request}` by
//! GET and HEAD (RFC 6960, A.1; RFC 9919, 5). Stable for ever.
//!
//! The path is read as it came, without a router: `+`, `/` and `=` stand for themselves or encoded,
//! and a request in the address costs no more than one in the body. What is not below `/ocsp/` goes
//! on to the service behind. Bodies, addresses and waiting are bounded; nothing is logged and
//! nothing is read from the store for a request.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use actix_http::body::{BoxBody, MessageBody as _};
use actix_http::header::{self, HeaderValue};
use actix_http::{HttpMessage as _, Method, Payload, Request, Response, StatusCode};
use actix_service::{IntoServiceFactory, Service, ServiceFactory};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_core::Stream as _;
use tenkoku_domain::time::Timestamp;
use tenkoku_pki::ocsp::MAX_REQUEST_OCTETS;
use tokio::task::{spawn_blocking, yield_now};
use tokio::time::timeout;

use super::{Given, Outcome, Plain, Responder};
use crate::cache::Kept;
use crate::figures::{Count, Stopwatch};
use crate::gate::Gate;

/// Where the addresses begin.
const PREFIX: &str = "/ocsp/";
/// Longest request in an address, in characters: base64 with every character encoded.
const MAX_ADDRESS: usize = MAX_REQUEST_OCTETS * 4;
/// How long a body may take.
const BODY_TIME: Duration = Duration::from_secs(5);
/// How long a signature may take before the client gets what is there.
const SIGNING_TIME: Duration = Duration::from_secs(2);
/// For how many seconds after the last look into the log a cache may give an answer: a revocation
/// shows within five minutes (DOMAIN 13), also to who asks through a cache a node that is cut off.
const MAX_AGE: i64 = 300;
const CONTENT_TYPE: HeaderValue = HeaderValue::from_static("application/ocsp-response");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST");

type Boxed<T> = Pin<Box<dyn Future<Output = T>>>;

/// Answers OCSP requests, and hands everything else on.
#[derive(Clone)]
pub struct Front<S> {
    responder: Arc<Responder>,
    gate: Arc<Gate>,
    behind: S,
}

impl<S> Front<S> {
    /// The responder in front of a service, asked by each address as often as the gate allows.
    pub fn new<I>(responder: Arc<Responder>, gate: Arc<Gate>, behind: I) -> Self
    where
        I: IntoServiceFactory<S, Request>,
        S: ServiceFactory<Request>,
    {
        Self { responder, gate, behind: behind.into_factory() }
    }
}

impl<S> ServiceFactory<Request> for Front<S>
where
    S: ServiceFactory<Request> + 'static,
    S::Response: Into<Response<BoxBody>>,
{
    type Response = Response<BoxBody>;
    type Error = S::Error;
    type Config = S::Config;
    type Service = Front<S::Service>;
    type InitError = S::InitError;
    type Future = Boxed<Result<Self::Service, S::InitError>>;

    fn new_service(&self, config: S::Config) -> Self::Future {
        let behind = self.behind.new_service(config);
        let (responder, gate) = (Arc::clone(&self.responder), Arc::clone(&self.gate));
        Box::pin(async move { Ok(Front { responder, gate, behind: behind.await? }) })
    }
}

impl<S> Service<Request> for Front<S>
where
    S: Service<Request>,
    S::Response: Into<Response<BoxBody>>,
    S::Future: 'static,
{
    type Response = Response<BoxBody>;
    type Error = S::Error;
    type Future = Boxed<Result<Self::Response, S::Error>>;

    fn poll_ready(&self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.behind.poll_ready(context)
    }

    fn call(&self, request: Request) -> Self::Future {
        if request.path().starts_with(PREFIX) {
            let from = request.peer_addr().map(|address| address.ip());
            if !self.gate.admits(self.responder.now().seconds(), from) {
                self.responder.figures().add(Count::Limited);
                return Box::pin(async { Ok(too_many()) });
            }
            let responder = Arc::clone(&self.responder);
            return Box::pin(async move { Ok(respond(&responder, request).await) });
        }
        let behind = self.behind.call(request);
        Box::pin(async move { Ok(behind.await?.into()) })
    }
}

async fn respond(responder: &Arc<Responder>, mut request: Request) -> Response<BoxBody> {
    let from = request.peer_addr().map(|address| address.ip());
    if *request.method() == Method::POST {
        let body = match timed_body(request.take_payload(), &request).await {
            Ok(body) => body,
            Err(status) => return Response::with_body(status, BoxBody::new(())),
        };
        let code = request.path().get(PREFIX.len()..).unwrap_or_default();
        let code = code.strip_suffix('/').unwrap_or(code);
        let (stopwatch, outcome) = (Stopwatch::start(), responder.look(code, &body, from));
        return finish(responder, outcome, stopwatch, &request).await;
    }
    if *request.method() != Method::GET && *request.method() != Method::HEAD {
        let mut refused = Response::with_body(StatusCode::METHOD_NOT_ALLOWED, BoxBody::new(()));
        refused.headers_mut().insert(header::ALLOW, METHODS);
        return refused;
    }
    let stopwatch = Stopwatch::start();
    let outcome = look_in_address(responder, request.path(), from);
    finish(responder, outcome, stopwatch, &request).await
}

/// An address asks more than its share. Without a body, so that it costs next to nothing.
fn too_many() -> Response<BoxBody> {
    let mut refused = Response::with_body(StatusCode::TOO_MANY_REQUESTS, BoxBody::new(()));
    refused.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    refused.headers_mut().insert(header::CACHE_CONTROL, NO_STORE);
    refused
}

async fn finish(
    responder: &Arc<Responder>,
    outcome: Outcome,
    stopwatch: Stopwatch,
    request: &Request,
) -> Response<BoxBody> {
    let given = settle(responder, outcome).await;
    responder.tally(&given);
    let response = response(responder, given, request);
    responder.figures().took(stopwatch.micros());
    response
}

/// The whole body, within its bounds of size and time. Mostly it is there already, in one piece.
async fn timed_body(mut payload: Payload, request: &Request) -> Result<Bytes, StatusCode> {
    let announced = request.headers().get(header::CONTENT_LENGTH);
    let announced = announced.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > MAX_REQUEST_OCTETS) {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    let mut reading = pin!(body(&mut payload));
    // Without a timer where everything is there.
    let first = poll_fn(|context| Poll::Ready(reading.as_mut().poll(context))).await;
    if let Poll::Ready(read) = first {
        return read;
    }
    timeout(BODY_TIME, reading).await.unwrap_or(Err(StatusCode::REQUEST_TIMEOUT))
}

async fn body(payload: &mut Payload) -> Result<Bytes, StatusCode> {
    let Some(first) = part(payload).await? else { return Ok(Bytes::new()) };
    let Some(second) = part(payload).await? else { return Ok(first) };
    let mut whole = [first, second].concat();
    loop {
        if whole.len() > MAX_REQUEST_OCTETS {
            return Err(StatusCode::PAYLOAD_TOO_LARGE);
        }
        let Some(more) = part(payload).await? else { return Ok(Bytes::from(whole)) };
        whole.extend_from_slice(&more);
    }
}

async fn part(payload: &mut Payload) -> Result<Option<Bytes>, StatusCode> {
    let part = poll_fn(|context| Pin::new(&mut *payload).poll_next(context)).await;
    part.transpose().map_err(|_| StatusCode::BAD_REQUEST)
}

/// Reads `/ocsp/{ca}/{request}` and looks the request up. The octets lie on the stack.
fn look_in_address(responder: &Responder, path: &str, from: Option<IpAddr>) -> Outcome {
    let mut der = [0; MAX_REQUEST_OCTETS + 2];
    let parts = path.get(PREFIX.len()..).and_then(|rest| rest.split_once('/'));
    let found = parts.and_then(|(code, encoded)| Some((code, decoded(encoded, &mut der)?)));
    match found {
        Some((code, request)) => responder.look(code, request, from),
        None => Outcome::Given(Given::Plain(Plain::Malformed)),
    }
}

/// Base64 with `+`, `/` and `=` plain or percent-encoded, into the octets that it stands for.
fn decoded<'a>(encoded: &str, der: &'a mut [u8]) -> Option<&'a [u8]> {
    let length = if encoded.contains('%') {
        let mut text = [0; MAX_ADDRESS];
        let length = percent_decoded(encoded, &mut text)?;
        base64_decoded(text.get(..length)?, der)?
    } else {
        base64_decoded(encoded.as_bytes(), der)?
    };
    der.get(..length)
}

/// Slashes before the request are left out: some clients put one more after the address.
fn base64_decoded(text: &[u8], der: &mut [u8]) -> Option<usize> {
    let slashes = text.iter().take_while(|octet| **octet == b'/').count();
    STANDARD.decode_slice(text.get(slashes..)?, der).ok()
}

fn percent_decoded(encoded: &str, text: &mut [u8]) -> Option<usize> {
    let (mut octets, mut length) = (encoded.bytes(), 0);
    while let Some(octet) = octets.next() {
        let plain = if octet == b'%' {
            hex_digit(octets.next()?)? << 4 | hex_digit(octets.next()?)?
        } else {
            octet
        };
        *text.get_mut(length)? = plain;
        length += 1;
    }
    Some(length)
}

const fn hex_digit(octet: u8) -> Option<u8> {
    match octet {
        b'0'..=b'9' => Some(octet - b'0'),
        b'a'..=b'f' => Some(octet - b'a' + 10),
        b'A'..=b'F' => Some(octet - b'A' + 10),
        _ => None,
    }
}

/// Makes of an outcome what the client gets: signed here when that takes microseconds, else aside,
/// where only so many may wait, and not for long.
async fn settle(responder: &Arc<Responder>, outcome: Outcome) -> Given {
    match outcome {
        Outcome::Given(given) => given,
        Outcome::Refresh(kept, task) => {
            if let Some(place) = responder.place() {
                let responder = Arc::clone(responder);
                drop(spawn_blocking(move || {
                    responder.perform(&task);
                    drop(place);
                }));
            }
            Given::Kept(kept)
        }
        Outcome::Sign(task) if responder.is_quick(&task) => {
            let given = responder.perform(&task);
            // Others that wait for a signature get theirs before anything is sent: clients are
            // woken once for several answers, which costs a fifth of each otherwise.
            yield_now().await;
            given
        }
        Outcome::Sign(task) => {
            let key = task.key();
            let Some(place) = responder.place() else { return responder.instead(key) };
            let aside = Arc::clone(responder);
            let work = spawn_blocking(move || {
                let given = aside.perform(&task);
                drop(place);
                given
            });
            match timeout(SIGNING_TIME, work).await {
                Ok(Ok(given)) => given,
                Ok(Err(_)) | Err(_) => responder.instead(key),
            }
        }
    }
}

fn response(responder: &Responder, given: Given, request: &Request) -> Response<BoxBody> {
    match given {
        Given::Kept(kept) => {
            let now = responder.now();
            let until = responder.known_at(now).map_or(now, |at| at.plus_seconds(MAX_AGE));
            kept_response(&kept, now, until.min(kept.next_update), request)
        }
        // Authoritative, but nobody else's: no word about caching.
        Given::Live(_, der) => plain_response(Bytes::from(der), None),
        Given::Plain(plain) => plain_response(Bytes::from_static(plain.der()), Some(NO_STORE)),
    }
}

fn plain_response(der: Bytes, cache: Option<HeaderValue>) -> Response<BoxBody> {
    let mut response = Response::with_body(StatusCode::OK, der.boxed());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, CONTENT_TYPE);
    if let Some(cache) = cache {
        headers.insert(header::CACHE_CONTROL, cache);
    }
    response
}

/// RFC 9919, 5: Last-Modified, Expires, ETag, and a max-age; `until` is how long caches may keep it.
fn kept_response(
    kept: &Kept,
    now: Timestamp,
    until: Timestamp,
    request: &Request,
) -> Response<BoxBody> {
    let known = request.headers().get(header::IF_NONE_MATCH);
    let same = known.is_some_and(|known| {
        known.as_bytes().split(|octet| *octet == b',').any(|one| one.trim_ascii() == kept.etag)
    });
    let (status, body) = if same {
        (StatusCode::NOT_MODIFIED, BoxBody::new(()))
    } else {
        (StatusCode::OK, kept.der.clone().boxed())
    };
    let mut response = Response::with_body(status, body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, CONTENT_TYPE);
    let max_age = (until.seconds() - now.seconds()).clamp(0, MAX_AGE);
    let values = [
        (header::CACHE_CONTROL, cached_for(max_age)),
        (header::EXPIRES, http_date(now.plus_seconds(max_age))),
        (header::LAST_MODIFIED, http_date(kept.this_update)),
        (header::ETAG, HeaderValue::from_maybe_shared(kept.etag.clone()).ok()),
    ];
    for (name, value) in values {
        if let Some(value) = value {
            headers.insert(name, value);
        }
    }
    response
}

/// Header values that are written again and again, each with the number it was made of.
type Written = RefCell<[(i64, Option<HeaderValue>); 64]>;

thread_local! {
    static DATES: Written = const { RefCell::new([const { (i64::MIN, None) }; 64]) };
    static AGES: Written = const { RefCell::new([const { (i64::MIN, None) }; 64]) };
}

/// The value for a number: the one in its place if it is that, else a new one.
fn written(
    values: &Written,
    number: i64,
    write: impl FnOnce() -> Option<HeaderValue>,
) -> Option<HeaderValue> {
    let mut values = values.borrow_mut();
    let place = usize::try_from(number.rem_euclid(64)).unwrap_or_default();
    let value = values.get_mut(place)?;
    if value.0 != number {
        *value = (number, write());
    }
    value.1.clone()
}

fn http_date(at: Timestamp) -> Option<HeaderValue> {
    let second = at.seconds();
    let write = || {
        let since = Duration::from_secs(u64::try_from(second).ok()?);
        let text = httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + since);
        HeaderValue::try_from(text).ok()
    };
    DATES.with(|dates| written(dates, second, write))
}

fn cached_for(max_age: i64) -> Option<HeaderValue> {
    let write = || {
        let text = format!("max-age={max_age}, public, no-transform, must-revalidate");
        HeaderValue::try_from(text).ok()
    };
    AGES.with(|ages| written(ages, max_age, write))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(encoded: &str, expected: Option<&[u8]>) {
        let mut der = [0; MAX_REQUEST_OCTETS];
        assert_eq!(decoded(encoded, &mut der), expected, "{encoded}");
    }

    #[test]
    fn requests_in_the_address_are_decoded() {
        check("AAEC", Some(&[0, 1, 2]));
        check("%2B%2f%2F%2b", Some(&[0xFB, 0xFF, 0xFE]));
        check("/+//+", Some(&[0xFB, 0xFF, 0xFE]));
        check("%2F+//+", Some(&[0xFB, 0xFF, 0xFE]));
        check("AA%3D%3D", Some(&[0]));
        check("%zz", None);
        check("%", None);
        check("%4", None);
        check(&"A".repeat(MAX_REQUEST_OCTETS * 2), None);
        check(&"%41".repeat(MAX_ADDRESS + 1), None);
    }

    #[test]
    fn dates_are_written_as_http_does() {
        let at = Timestamp::parse("2026-11-22T18:10:00Z").unwrap();
        for second in [0, 1, 64, 0, 3600] {
            let written = http_date(at.plus_seconds(second)).unwrap();
            let again = httpdate::parse_http_date(written.to_str().unwrap()).unwrap();
            let since = again.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
            assert_eq!(i64::try_from(since), Ok(at.plus_seconds(second).seconds()));
        }
        assert_eq!(http_date(at).unwrap(), "Sun, 22 Nov 2026 18:10:00 GMT");
    }
}
