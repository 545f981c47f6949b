//! TBSCertificate: the parts of a body, and a body that nobody has checked yet.

use crate::asn1::write;

/// A body before the lint. It cannot be signed; [`crate::lint::lint`] turns it into one that can.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Draft(Vec<u8>);

impl Draft {
    /// Octets that claim to be a body.
    pub const fn from_der(tbs: Vec<u8>) -> Self {
        Self(tbs)
    }

    /// The octets.
    pub fn der(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn into_der(self) -> Vec<u8> {
        self.0
    }
}

/// The fields of TBSCertificate (RFC 5280, 4.1), each encoded.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    /// `[0] EXPLICIT`, v3.
    pub(crate) version: Vec<u8>,
    pub(crate) serial: Vec<u8>,
    pub(crate) algorithm: Vec<u8>,
    pub(crate) issuer: Vec<u8>,
    pub(crate) validity: Vec<u8>,
    pub(crate) subject: Vec<u8>,
    pub(crate) spki: Vec<u8>,
    pub(crate) extensions: Vec<Vec<u8>>,
}

impl Parts {
    pub(crate) fn draft(&self) -> Draft {
        Draft(write::sequence(&[
            self.version.as_slice(),
            &self.serial,
            &self.algorithm,
            &self.issuer,
            &self.validity,
            &self.subject,
            &self.spki,
            &write::context(3, &write::sequence(&self.extensions)),
        ]))
    }
}
