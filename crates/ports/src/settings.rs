//! What the operator decided, checked once and handed on as typed parts.

use tenkoku_domain::audit::CrlList;
use tenkoku_domain::authority::AuthorityCode;
use tenkoku_domain::feed::FeedAuthority;
use tenkoku_domain::identifier::{NationalScheme, OrganizationIdentifier};
use tenkoku_domain::key::KeyAlgorithm;
use tenkoku_domain::name::Name;
use tenkoku_domain::organisation::Language;
use tenkoku_domain::policy::Installation;
use tenkoku_pki::policy::PolicyArc;

/// Whether the new key of level 3 must sign a fresh challenge before its certificate is in use
/// (DOMAIN 6.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acknowledgement {
    /// It must.
    Needed,
    /// An evaluation does without.
    Waived,
}

impl Acknowledgement {
    /// What an installation begins with.
    pub const fn of(installation: Installation) -> Self {
        match installation {
            Installation::Evaluation => Self::Waived,
            Installation::Production => Self::Needed,
        }
    }
}

/// What the operator decided.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Evaluation or production.
    pub installation: Installation,
    /// Whether keys of level 3 are acknowledged.
    pub acknowledgement: Acknowledgement,
    /// The address that goes into certificates and lists.
    pub public_address: PublicAddress,
    /// The operator's private policy arc.
    pub arc: PolicyArc,
    /// Whether the clock is compared with time servers.
    pub clock: ClockWatch,
    /// How status is answered.
    pub status: StatusSettings,
    /// The name under which known-key feeds are made for other authorities; `None` where none are.
    pub key_feed: Option<FeedAuthority>,
    /// Whether the trusted lists of others are looked at by the clock: the installation is ready only
    /// when it knows some to believe.
    pub follows_lists: bool,
    /// Whether letters have a way, be it into files.
    pub sends_letters: bool,
    /// Who operates the authorities.
    pub operator: Operator,
    /// The scheme whose list is published.
    pub scheme: Scheme,
    /// National schemes of identifiers that are taken (DOMAIN 4.1).
    pub identifier_schemes: Vec<NationalScheme>,
}

/// What is said of a serial number that the authority never issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unissued {
    /// `unauthorized`: nothing is known, nothing is signed (RFC 9919, 2.2.3).
    Unauthorized,
    /// `revoked` since 1970 with certificateHold and the extended-revoke extension (RFC 6960, 2.2
    /// and 4.4.8).
    Revoked,
}

/// How status is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusSettings {
    /// What is said of a serial number that was never issued.
    pub unissued: Unissued,
    /// Most octets of answers that are kept.
    pub cache_octets: usize,
    /// Answers that are signed for one request alone, per second: those with a nonce, and those
    /// about several certificates.
    pub live_per_second: u32,
    /// The same for one address.
    pub live_per_address: u32,
    /// How old the last look into the database may be, in seconds, before nothing is answered.
    pub freshness_seconds: i64,
    /// Signatures that may wait for a slow key store at once.
    pub waiting_signatures: usize,
    /// The keys of OCSP signers that are made from now on. An authority with an ML-DSA key signs
    /// with ML-DSA all the way.
    pub signer_key: KeyAlgorithm,
}

impl Default for StatusSettings {
    fn default() -> Self {
        Self {
            unissued: Unissued::Unauthorized,
            cache_octets: 256 << 20,
            live_per_second: 5_000,
            live_per_address: 500,
            freshness_seconds: 300,
            waiting_signatures: 64,
            signer_key: KeyAlgorithm::P256,
        }
    }
}

/// Whether the clock is compared with time servers, so that rule KM-20 can be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClockWatch {
    /// It is; nothing is issued while it cannot be trusted.
    Watched {
        /// The servers, each `host` or `host:port`, in the order in which they are asked.
        servers: Vec<String>,
    },
    /// An evaluation without time servers: the clock is taken as it is.
    Unwatched,
}

/// The base of every public address: `http://host[:port]`, without a trailing slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicAddress(String);

/// Why a text is no public address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AddressProblem {
    /// It does not begin with `http://` or `https://`.
    Scheme,
    /// It has a path, a query, a user, a space, or no host.
    Shape,
}

impl PublicAddress {
    /// Reads an address. AIA and CRLDP need plain `http` (DOMAIN 12.8), so `https` is refused here:
    /// a browser is sent to TLS by the proxy in front.
    pub fn parse(text: &str) -> Result<Self, AddressProblem> {
        let rest = text.strip_prefix("http://").ok_or(AddressProblem::Scheme)?;
        let host = rest.trim_end_matches('/');
        let plain = |b: u8| b.is_ascii_alphanumeric() || b".-:[]".contains(&b);
        if host.is_empty() || !host.bytes().all(plain) {
            return Err(AddressProblem::Shape);
        }
        Ok(Self(format!("http://{host}")))
    }

    /// The base as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The host, without its port.
    pub fn host(&self) -> &str {
        let host = self.0.strip_prefix("http://").unwrap_or(&self.0);
        match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
            Some(_) | None => host,
        }
    }

    /// Where OCSP answers for an authority are given.
    pub fn ocsp(&self, authority: &AuthorityCode) -> String {
        format!("{}/ocsp/{authority}", self.0)
    }

    /// Where the CRL of an authority lies.
    pub fn crl(&self, authority: &AuthorityCode) -> String {
        format!("{}/crl/{authority}.crl", self.0)
    }

    /// Where one of the lists of an authority lies.
    pub fn crl_of(&self, authority: &AuthorityCode, list: CrlList) -> String {
        format!("{}/crl/{}", self.0, crl_file(authority, list))
    }

    /// Where the certificate of an authority lies.
    pub fn certificate(&self, authority: &AuthorityCode) -> String {
        format!("{}/ca/{authority}.cer", self.0)
    }

    /// Where a cross-certificate lies: what one root signed over the key of another (RO-4).
    pub fn cross_certificate(&self, certified: &AuthorityCode, by: &AuthorityCode) -> String {
        format!("{}/ca/{certified}/by/{by}.cer", self.0)
    }

    /// Where the list of a scheme lies.
    pub fn list(&self, scheme: &str) -> String {
        format!("{}/tl/{scheme}.xml", self.0)
    }
}

/// The name of the file of one of the lists of an authority.
pub fn crl_file(authority: &AuthorityCode, list: CrlList) -> String {
    match list {
        CrlList::Full => format!("{authority}.crl"),
        CrlList::Delta => format!("{authority}.delta.crl"),
        CrlList::Shard(number) => format!("{authority}-{number}.crl"),
    }
}

/// Who operates the authorities and the list.
#[derive(Clone, Debug)]
pub struct Operator {
    /// Legal name in Latin script.
    pub name: Name,
    /// Legal name as registered, in script.
    pub name_ja: Name,
    /// Latin transliteration of the name in script.
    pub name_latn: Name,
    /// Identifier.
    pub identifier: OrganizationIdentifier,
    /// Two-letter country.
    pub country: String,
    /// Street and number.
    pub street: String,
    /// City.
    pub locality: String,
    /// Postal code.
    pub postal_code: String,
    /// Where people write to.
    pub email: String,
    /// The operator's web site.
    pub website: String,
    /// Default language of pages.
    pub language: Language,
}

/// The scheme whose trusted list is published.
#[derive(Clone, Debug)]
pub struct Scheme {
    /// Code, as in `/tl/{scheme}.xml`.
    pub code: String,
    /// Two-letter territory.
    pub territory: String,
    /// Name without the territory prefix: English, Japanese, Japanese in Latin script.
    pub name_en: String,
    /// See `name_en`.
    pub name_ja: String,
    /// See `name_en`.
    pub name_latn: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<&str, AddressProblem>) {
        let got = PublicAddress::parse(text);
        assert_eq!(got.as_ref().map(PublicAddress::as_str).map_err(Clone::clone), expected);
    }

    #[test]
    fn an_address_is_a_base_without_path() {
        check("http://127.0.0.1:8080", Ok("http://127.0.0.1:8080"));
        check("http://seal.example.jp/", Ok("http://seal.example.jp"));
        check("https://seal.example.jp", Err(AddressProblem::Scheme));
        check("http://", Err(AddressProblem::Shape));
        check("http://a/b", Err(AddressProblem::Shape));
        check("http://a b", Err(AddressProblem::Shape));
    }
}
