//! The client: one document at a time, from an address that was looked at.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ureq::http::header::{self, HeaderName};
use ureq::http::{Response, StatusCode, Uri};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, Body};
use url::Url;

use crate::guard::{Allowed, checked, is_public};

/// How much is taken on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Octets of a document.
    pub octets: usize,
    /// From the first name resolved to the last octet read, redirects included.
    pub time: Duration,
    /// Redirects that are followed.
    pub redirects: usize,
}

/// Octets of the head of an answer.
const HEAD_OCTETS: usize = 16 * 1024;

/// How the web is reached.
#[derive(Clone, Debug)]
pub struct WebSettings {
    /// Hosts that need not be public.
    pub allowed: Allowed,
    /// Certificates (DER) that TLS servers are traced back to, instead of those of Mozilla's
    /// programme that are compiled in.
    pub roots: Option<Vec<Vec<u8>>>,
    /// What the client calls itself.
    pub user_agent: String,
    /// How much is taken on.
    pub limits: Limits,
}

/// Why a document was not fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The address, or one that it redirects to, must not be fetched from.
    #[error("{address} is not fetched: {why}")]
    Forbidden {
        /// The address.
        address: String,
        /// Why.
        why: &'static str,
    },
    /// There are too many redirects.
    #[error("{0} redirects too often")]
    Redirects(String),
    /// The document is larger than [`Limits::octets`].
    #[error("the document is larger than {0} octets")]
    TooLarge(usize),
    /// It took longer than [`Limits::time`].
    #[error("the document did not come within {} seconds", .0.as_secs())]
    TooSlow(Duration),
    /// The server answers with something else than a document.
    #[error("the server answers with status {0}")]
    Status(u16),
    /// The server packs the document, which was not asked for.
    #[error("the server sends the document in the coding \"{0}\", which was not asked for")]
    Coding(String),
    /// The name cannot be resolved.
    #[error("the name of the server is not known")]
    UnknownHost,
    /// The connection, TLS or HTTP failed.
    #[error("the connection failed: {0}")]
    Connection(String),
}

/// What a server said of a document, by which it can tell whether it changed (RFC 9110, 8.8).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validators {
    /// `ETag`.
    pub etag: Option<String>,
    /// `Last-Modified`.
    pub last_modified: Option<String>,
}

/// A document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Its octets.
    pub octets: Vec<u8>,
    /// By what the server recognises it.
    pub validators: Validators,
    /// What the server says that it is (`Content-Type`), without parameters.
    pub media_type: String,
}

/// What came of a look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// The document.
    Document(Document),
    /// It is the one that the validators are of.
    Unchanged,
}

/// The web.
#[derive(Debug)]
pub struct Web {
    agent: Agent,
    allowed: Allowed,
    limits: Limits,
}

impl Web {
    /// A client with these settings. No proxy of the environment is used: it would resolve names
    /// itself.
    pub fn new(settings: WebSettings) -> Self {
        let WebSettings { allowed, roots, user_agent, limits } = settings;
        let roots = match roots {
            None => RootCerts::WebPki,
            Some(roots) => {
                let all = roots.iter().map(|der| ureq::tls::Certificate::from_der(der).to_owned());
                RootCerts::from(all)
            }
        };
        let engine = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = TlsConfig::builder()
            .root_certs(roots)
            .unversioned_rustls_crypto_provider(engine)
            .build();
        let config = Agent::config_builder()
            .tls_config(tls)
            .proxy(None)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .max_response_header_size(HEAD_OCTETS)
            .max_idle_connections(0)
            .user_agent(user_agent)
            .build();
        let resolver = Watched { allowed: allowed.clone(), inner: DefaultResolver::default() };
        let agent = Agent::with_parts(config, DefaultConnector::default(), resolver);
        Self { agent, allowed, limits }
    }

    /// Fetches the document at an address, unless it is the one that was known before.
    ///
    /// # Errors
    /// The [`FetchError`] that says what was in the way; nothing of the document is handed out then.
    pub fn fetch(&self, address: &str, known: &Validators) -> Result<Fetched, FetchError> {
        #[expect(clippy::disallowed_methods, reason = "how long is waited; no date")]
        let begun = Instant::now();
        let mut url = checked(address, &self.allowed)?;
        for _ in 0..=self.limits.redirects {
            let left = self.limits.time.saturating_sub(begun.elapsed());
            let response = self.ask(&url, known, left)?;
            match next(&url, &response)? {
                Some(target) => url = checked(&target, &self.allowed)?,
                None => return self.take(response),
            }
        }
        Err(FetchError::Redirects(address.to_owned()))
    }

    fn ask(
        &self,
        url: &Url,
        known: &Validators,
        left: Duration,
    ) -> Result<Response<Body>, FetchError> {
        let mut request = self
            .agent
            .get(url.as_str())
            .header(header::ACCEPT_ENCODING, "identity")
            .config()
            .timeout_global(Some(left))
            .build();
        if let Some(etag) = &known.etag {
            request = request.header(header::IF_NONE_MATCH, etag);
        }
        if let Some(date) = &known.last_modified {
            request = request.header(header::IF_MODIFIED_SINCE, date);
        }
        request.call().map_err(|error| self.failed(error))
    }

    fn take(&self, mut response: Response<Body>) -> Result<Fetched, FetchError> {
        match response.status() {
            StatusCode::OK => {}
            StatusCode::NOT_MODIFIED => return Ok(Fetched::Unchanged),
            other => return Err(FetchError::Status(other.as_u16())),
        }
        let said = |name: HeaderName| {
            let value = response.headers().get(name)?.to_str().ok()?;
            Some(value.trim().to_owned()).filter(|value| !value.is_empty())
        };
        if let Some(coding) = said(header::CONTENT_ENCODING).filter(|coding| coding != "identity") {
            return Err(FetchError::Coding(coding));
        }
        let validators =
            Validators { etag: said(header::ETAG), last_modified: said(header::LAST_MODIFIED) };
        let media_type = said(header::CONTENT_TYPE).unwrap_or_default();
        let media_type = media_type.split(';').next().unwrap_or_default().trim().to_owned();
        let most = u64::try_from(self.limits.octets).unwrap_or(u64::MAX);
        let announced = response.body().content_length().unwrap_or_default();
        if announced > most {
            return Err(FetchError::TooLarge(self.limits.octets));
        }
        let body = response.body_mut().with_config().limit(most);
        let octets = body.read_to_vec().map_err(|error| self.failed(error))?;
        Ok(Fetched::Document(Document { octets, validators, media_type }))
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "everything else is a failed connection")]
    fn failed(&self, error: ureq::Error) -> FetchError {
        match error {
            ureq::Error::Timeout(_) => FetchError::TooSlow(self.limits.time),
            ureq::Error::BodyExceedsLimit(_) => FetchError::TooLarge(self.limits.octets),
            ureq::Error::HostNotFound => FetchError::UnknownHost,
            ureq::Error::Io(error) => self.io_failed(&error),
            ureq::Error::Other(error) => match error.downcast::<Inside>() {
                Ok(inside) => FetchError::Forbidden {
                    address: inside.0,
                    why: "its name leads to an address that is not public",
                },
                Err(other) => FetchError::Connection(other.to_string()),
            },
            other => FetchError::Connection(other.to_string()),
        }
    }

    fn io_failed(&self, error: &io::Error) -> FetchError {
        if matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock) {
            return FetchError::TooSlow(self.limits.time);
        }
        FetchError::Connection(error.to_string())
    }
}

/// Where an answer leads on, if it does. What was fetched under TLS does not go on without.
fn next(from: &Url, response: &Response<Body>) -> Result<Option<String>, FetchError> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let target = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
    let target = target.and_then(|target| from.join(target).ok());
    let target = target.ok_or_else(|| FetchError::Status(response.status().as_u16()))?;
    if from.scheme() == "https" && target.scheme() != "https" {
        return Err(FetchError::Forbidden {
            address: target.to_string(),
            why: "the redirect gives up TLS",
        });
    }
    Ok(Some(target.to_string()))
}

/// Resolves names, and lets a connection go to public addresses only. What it returns is what is
/// connected to: no name is resolved a second time.
#[derive(Debug)]
struct Watched {
    allowed: Allowed,
    inner: DefaultResolver,
}

/// A name that leads inside.
#[derive(Debug, thiserror::Error)]
#[error("{0} is not public")]
struct Inside(String);

impl Resolver for Watched {
    fn resolve(
        &self,
        uri: &Uri,
        config: &ureq::config::Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.inner.resolve(uri, config, timeout)?;
        let public = found.iter().all(|address: &SocketAddr| is_public(address.ip()));
        if public || self.allowed.has(uri.host().unwrap_or_default()) {
            Ok(found)
        } else {
            Err(ureq::Error::Other(Box::new(Inside(uri.to_string()))))
        }
    }
}

#[cfg(test)]
mod tests;
