//! Absolute addresses (TS 119 612, 5.1.2; RFC 3986).
//!
//! Deliberately not here: fetching them, or judging where they lead.

use std::fmt;

use super::ModelError;

/// An absolute URI in ASCII; other characters stand in it percent-encoded.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uri(String);

impl Uri {
    /// Reads an absolute URI.
    ///
    /// # Errors
    ///
    /// [`ModelError::Uri`] when the scheme or what follows it is missing or holds a character that
    /// RFC 3986 does not allow.
    pub fn new(uri: &str) -> Result<Self, ModelError> {
        let uri = Self(uri.to_owned());
        uri.check().map(|()| uri)
    }

    /// The URI that somebody's list gives.
    pub(crate) fn as_found(uri: String) -> Self {
        Self(uri)
    }

    /// Whether [`Uri::new`] would take it.
    pub(crate) fn check(&self) -> Result<(), ModelError> {
        let uri = self.0.as_str();
        let wrong = || ModelError::Uri(uri.to_owned());
        let (scheme, rest) = uri.split_once(':').ok_or_else(wrong)?;
        let mut letters = scheme.bytes();
        let scheme_fits = letters.next().is_some_and(|b| b.is_ascii_alphabetic())
            && letters.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
        let host_fits = !is_web_scheme(scheme)
            || rest
                .strip_prefix("//")
                .is_some_and(|r| r.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '['));
        if scheme_fits && host_fits && !rest.is_empty() && is_hierarchical_part(rest) {
            Ok(())
        } else {
            Err(wrong())
        }
    }

    /// The URI as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the first colon, as written.
    pub fn scheme(&self) -> &str {
        self.0.split(':').next().unwrap_or_default()
    }

    /// Whether the scheme is `http` or `https`.
    pub fn is_web(&self) -> bool {
        is_web_scheme(self.scheme())
    }

    /// Whether this is an e-mail address as `mailto:` URI.
    pub fn is_mail(&self) -> bool {
        self.scheme().eq_ignore_ascii_case("mailto")
            && self.0.split_once(':').and_then(|(_, address)| address.split_once('@')).is_some_and(
                |(name, host)| !name.is_empty() && host.contains('.') && !host.contains('@'),
            )
    }

    /// Whether this is a telephone number as `tel:` URI (list version 6).
    pub fn is_telephone(&self) -> bool {
        self.scheme().eq_ignore_ascii_case("tel")
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_web_scheme(scheme: &str) -> bool {
    scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
}

/// RFC 3986, 2: reserved and unreserved characters, and percent signs with two digits.
fn is_hierarchical_part(rest: &str) -> bool {
    let characters = rest
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte));
    let percent = rest.split('%').skip(1).all(|after| {
        let mut digits = after.bytes();
        digits.next().is_some_and(|b| b.is_ascii_hexdigit())
            && digits.next().is_some_and(|b| b.is_ascii_hexdigit())
    });
    characters && percent && rest.matches('#').count() <= 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absolute_addresses_are_taken() {
        for uri in [
            "https://tl.example.jp/JP-TL.xml",
            "http://uri.etsi.org/TrstSvc/Svctype/CA/QC",
            "mailto:tl@example.jp",
            "tel:+81-3-0000-0000",
            "urn:example:a",
            "https://example.jp/%E4%BE%8B?a=b#c",
        ] {
            assert_eq!(Uri::new(uri).unwrap().as_str(), uri);
        }
    }

    #[test]
    fn what_is_not_an_absolute_address_is_refused() {
        for uri in [
            "",
            "example",
            "/a",
            "https:",
            "https://",
            "https:///a",
            "https://例.jp/",
            "a b:c",
            "https://example.jp/a b",
            "https://example.jp/%4",
            "1a:b",
            "https://example.jp/<a>",
        ] {
            assert_eq!(Uri::new(uri), Err(ModelError::Uri(uri.to_owned())), "{uri}");
        }
    }

    #[test]
    fn mail_web_and_telephone_are_told_apart() {
        assert!(Uri::new("mailto:tl@example.jp").unwrap().is_mail());
        assert!(!Uri::new("mailto:example.jp").unwrap().is_mail());
        assert!(Uri::new("HTTPS://example.jp").unwrap().is_web());
        assert!(Uri::new("tel:+81-3-0000-0000").unwrap().is_telephone());
    }
}
