//! Signing in and staying signed in: one-time links, passwords with one-time codes, passkeys,
//! sessions (DOMAIN 2, AB-14).
//!
//! [`Console`] holds what the console knows besides the store: its address, its key, the counts of
//! failed attempts, passkey ceremonies that are under way, and the last look at the audit trail. Deliberately not here: pages, and
//! what a signed-in person may do (`crate::granted`).

pub mod certificate;
pub mod cookie;
pub mod enrol;
pub mod open;
pub mod passkey;
pub mod password;
pub mod secret;
pub mod sign_in;
pub mod step_up;
pub mod throttle;
pub mod tls;
pub mod totp;

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tenkoku_domain::access::{Actor, Origin};
use tenkoku_domain::id::RequestId;
use url::{Host, Url};
use webauthn_rs::{Webauthn, WebauthnBuilder};

use self::passkey::Ceremonies;
use self::secret::ConsoleKey;
use self::throttle::{Rate, Source, Throttle};
use self::tls::Tls;
use crate::admin::audit::Verified;

/// What the operator decided about the console. The server fills it in.
pub struct ConsoleSettings {
    /// The address people open: scheme, host, port. `https`, or `http` on this very machine.
    /// Passkeys belong to its host name for ever.
    pub address: Url,
    /// The key that seals one-time-code secrets: 32 octets, the same at every start and on every
    /// node.
    pub secret_key: [u8; 32],
    /// How the address of a caller is learnt.
    pub callers: Callers,
    /// The TLS that the console speaks itself, where it does.
    pub tls: Option<Arc<Tls>>,
}

/// How the address of a caller is learnt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Callers {
    /// They connect themselves.
    Direct,
    /// They come through a proxy of ours, which appends their address to `X-Forwarded-For`.
    BehindProxy,
}

/// Why there is no console at such an address.
#[derive(Debug, thiserror::Error)]
pub enum ConsoleError {
    /// Sign-in cookies must not travel in the clear.
    #[error("the console's address {0} must be https, or http on localhost")]
    PlainAddress(Url),
    /// Passkeys cannot be bound to the address.
    #[error("passkeys cannot be bound to the console's address: {0}")]
    Passkeys(#[source] webauthn_rs::prelude::WebauthnError),
}

/// Requests to the API that one address may send in a minute.
pub const API_SOURCE_REQUESTS: u32 = 6_000;
/// Requests to the API that one token or session may send in a minute.
pub const API_CALLER_REQUESTS: u32 = 3_000;

/// What the console knows besides the store. One per process, shared by its threads.
pub struct Console {
    /// The address people open.
    pub address: Url,
    /// The console's own key.
    pub key: ConsoleKey,
    /// Failed attempts.
    pub throttle: Throttle,
    /// Requests to the API by address.
    pub api_sources: Rate<Source>,
    /// Requests to the API by token or session.
    pub api_callers: Rate<String>,
    /// Passkey ceremonies under way.
    pub ceremonies: Ceremonies,
    /// How the address of a caller is learnt.
    pub callers: Callers,
    /// The TLS that the console speaks itself, where it does.
    pub tls: Option<Arc<Tls>>,
    passkeys: Option<Webauthn>,
    verified: Mutex<Option<Verified>>,
}

impl Console {
    /// Checks the settings.
    pub fn open(settings: ConsoleSettings) -> Result<Self, ConsoleError> {
        let ConsoleSettings { address, secret_key, callers, tls } = settings;
        if address.scheme() != "https" && !is_this_machine(&address) {
            return Err(ConsoleError::PlainAddress(address));
        }
        Ok(Self {
            passkeys: relying_party(&address).map_err(ConsoleError::Passkeys)?,
            key: ConsoleKey::new(secret_key),
            throttle: Throttle::default(),
            api_sources: Rate::new(API_SOURCE_REQUESTS),
            api_callers: Rate::new(API_CALLER_REQUESTS),
            ceremonies: Ceremonies::default(),
            verified: Mutex::new(None),
            callers,
            tls,
            address,
        })
    }

    /// Whether browsers reach the console by TLS, its own or that of a proxy: cookies are marked for
    /// TLS only, and browsers are told to come by TLS for a year.
    pub fn is_tls(&self) -> bool {
        self.address.scheme() == "https"
    }

    /// How the last verification of the audit trail since the start of this process ended.
    pub fn verified(&self) -> Option<Verified> {
        self.verified.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps the outcome of a verification of the audit trail.
    pub fn keep_verified(&self, verified: Verified) {
        *self.verified.lock().unwrap_or_else(PoisonError::into_inner) = Some(verified);
    }

    /// Passkeys, where the address has a host name; an IP address has none.
    pub fn passkeys(&self) -> Option<&Webauthn> {
        self.passkeys.as_ref()
    }

    /// Whether a page opened under `host` (the Host header) can use passkeys.
    pub fn offers_passkeys_at(&self, host: &str) -> bool {
        let port = self.address.port().map_or_else(String::new, |port| format!(":{port}"));
        let own = format!("{}{port}", self.address.host_str().unwrap_or_default());
        self.passkeys.is_some() && host == own
    }
}

fn is_this_machine(address: &Url) -> bool {
    match address.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(v4)) => v4.is_loopback(),
        Some(Host::Ipv6(v6)) => v6.is_loopback(),
        None => false,
    }
}

fn relying_party(address: &Url) -> Result<Option<Webauthn>, webauthn_rs::prelude::WebauthnError> {
    match address.domain() {
        None => Ok(None),
        Some(host) => WebauthnBuilder::new(host, address)?.rp_name("Tenkoku").build().map(Some),
    }
}

/// Who calls, before it is known who that is.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The address, where it is known.
    pub address: Option<IpAddr>,
    /// The request.
    pub request: RequestId,
}

impl Caller {
    /// Where attempts are counted.
    pub fn source(&self) -> Source {
        Source::of(self.address)
    }

    /// For audit records of an account.
    pub fn origin(&self, actor: Actor) -> Origin {
        Origin {
            actor,
            request: self.request.clone(),
            source: self.address.map(|address| address.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(address: &str, expected: Result<bool, &str>) {
        let opened = Console::open(ConsoleSettings {
            address: Url::parse(address).unwrap(),
            secret_key: [1; 32],
            callers: Callers::Direct,
            tls: None,
        });
        let got = opened.map(|console| console.passkeys().is_some());
        assert_eq!(got.map_err(|error| error.to_string()), expected.map_err(str::to_owned));
    }

    #[test]
    fn the_console_is_reached_by_tls_or_on_this_machine() {
        check("http://localhost:8081", Ok(true));
        check("https://console.example.jp", Ok(true));
        check("http://127.0.0.1:8081", Ok(false));
        check("http://[::1]:8081", Ok(false));
        check(
            "http://console.example.jp",
            Err(
                "the console's address http://console.example.jp/ must be https, or http on localhost",
            ),
        );
    }

    #[test]
    fn passkeys_are_offered_under_their_own_name_only() {
        let console = Console::open(ConsoleSettings {
            address: Url::parse("http://localhost:8081").unwrap(),
            secret_key: [1; 32],
            callers: Callers::Direct,
            tls: None,
        })
        .unwrap();
        assert!(console.offers_passkeys_at("localhost:8081"));
        assert!(!console.offers_passkeys_at("127.0.0.1:8081"));
        assert!(!console.offers_passkeys_at("localhost"));
    }
}
