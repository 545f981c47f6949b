//! Addresses inside certificates: plain http for what is fetched to check them, https for texts.
//!
//! Status and issuers are fetched over http on purpose: the objects are signed themselves, and a
//! TLS connection would need the very check that is under way (RFC 5280, 8).

use std::fmt;

/// Longest address that goes into a certificate, in octets.
const MAX_OCTETS: usize = 255;

/// Why a text is not such an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is not an address that begins with {scheme} and has a host, in at most 255 plain characters"
)]
pub struct UriError {
    scheme: &'static str,
    text: String,
}

fn parse(scheme: &'static str, text: &str) -> Result<String, UriError> {
    let wrong = || UriError { scheme, text: text.to_owned() };
    let rest = text.strip_prefix(scheme).ok_or_else(wrong)?;
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let plain = text.bytes().all(|b| b.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&b));
    let fits = !host.is_empty() && !host.contains('@') && text.len() <= MAX_OCTETS;
    if plain && fits { Ok(text.to_owned()) } else { Err(wrong()) }
}

macro_rules! uris {
    ($($(#[$doc:meta])* $name:ident = $scheme:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Checks an address.
            pub fn parse(text: &str) -> Result<Self, UriError> {
                parse($scheme, text).map(Self)
            }

            /// The address as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

uris! {
    /// An http address.
    HttpUri = "http://";
    /// An https address.
    HttpsUri = "https://";
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: bool) {
        assert_eq!(HttpUri::parse(text).is_ok(), expected, "{text}");
    }

    #[test]
    fn only_plain_http_addresses_with_a_host_pass() {
        check("http://127.0.0.1:8080/crl/seal-l1-g1.crl", true);
        check("http://pki.example.jp", true);
        check("https://pki.example.jp/", false);
        check("HTTP://pki.example.jp/", false);
        check("http:///crl", false);
        check("http://user@pki.example.jp/", false);
        check("http://pki.example.jp/a b", false);
        check("http://例.jp/", false);
        check(&format!("http://pki.example.jp/{}", "a".repeat(300)), false);
        assert!(HttpsUri::parse("https://pds.example.jp/eseal-en.pdf").is_ok());
    }
}
