//! What a seal certificate may carry besides what every one does (DOMAIN 12.3): its key usage
//! setting, a short life, the LEI, the imprint, the link to a twin.
//!
//! Everything here is decided before; nothing is fetched.

use std::fmt;

use aws_lc_rs::digest;
use tenkoku_domain::identifier::Lei;

use crate::cert::Certificate;
use crate::uri::HttpsUri;

/// The key usage setting of EN 319 412-2, 4.3.2, as DOMAIN 12.3 names it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeyUsageSetting {
    /// nonRepudiation only.
    #[default]
    A,
    /// digitalSignature too; not at level 3.
    B,
}

/// How long a seal certificate lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Term {
    /// Its status can be asked for.
    #[default]
    Regular,
    /// A day at most, without any revocation information (RFC 9608).
    Short,
}

/// The kind of picture an imprint is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImprintType {
    /// SVG.
    Svg,
    /// PNG.
    Png,
}

impl ImprintType {
    /// The media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Svg => "image/svg+xml",
            Self::Png => "image/png",
        }
    }
}

/// The imprint of a seal: the stored picture, and the address it is published at.
#[derive(Clone, PartialEq, Eq)]
pub struct Logotype {
    /// What kind of picture it is.
    pub picture: ImprintType,
    /// The picture, octet for octet as stored; the certificate has its SHA-256.
    pub octets: Vec<u8>,
    /// Where it is published.
    pub address: HttpsUri,
}

impl fmt::Debug for Logotype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Logotype({}, {} octets)", self.address, self.octets.len())
    }
}

/// The twin of a certificate: the same seal under a key of another family (RFC 9763).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Twin([u8; 32]);

impl Twin {
    /// The twin that this certificate is.
    pub fn of(certificate: &Certificate) -> Self {
        Self(certificate.sha256())
    }

    /// SHA-256 over the whole certificate.
    pub const fn sha256(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Everything here, most often nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extras {
    /// The key usage setting.
    pub usage: KeyUsageSetting,
    /// How long it lives.
    pub term: Term,
    /// The subject's LEI, where it was proofed.
    pub lei: Option<Lei>,
    /// The imprint.
    pub logotype: Option<Logotype>,
    /// The twin; not at level 1.
    pub twin: Option<Twin>,
}

pub(crate) fn sha256(octets: &[u8]) -> Vec<u8> {
    digest::digest(&digest::SHA256, octets).as_ref().to_vec()
}
