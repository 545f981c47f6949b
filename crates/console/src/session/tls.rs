//! What the console knows of the TLS that it speaks itself, and what came over it: until when its
//! certificate is good, whose certificates people may sign in with, and the certificate that a
//! person's browser showed.
//!
//! Deliberately not here: files, keys and the handshake, which are the server's; and what a
//! certificate is worth, which [`super::certificate`] judges. No header takes part in any of this.

use std::sync::{Arc, PoisonError, RwLock};

use tenkoku_domain::time::Timestamp;

/// What was read from the files last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Material {
    /// The end of the console's own certificate.
    pub not_after: Timestamp,
    /// The authorities of people's certificates, DER.
    pub authorities: Vec<Vec<u8>>,
    /// Their revocation lists, DER.
    pub lists: Vec<Vec<u8>>,
}

impl Material {
    /// Days before its end at which a certificate should have been replaced.
    const NEAR_DAYS: i64 = 21;

    /// Whether the console's certificate ends soon, or has ended.
    pub fn ends_soon(&self, now: Timestamp) -> bool {
        self.not_after < now.plus_days(Self::NEAR_DAYS)
    }
}

/// The console's own TLS, shared with the server, which reads the files again while it serves.
#[derive(Debug)]
pub struct Tls(RwLock<Arc<Material>>);

impl Tls {
    /// TLS by what was read first.
    pub fn new(material: Material) -> Self {
        Self(RwLock::new(Arc::new(material)))
    }

    /// What is in force.
    pub fn material(&self) -> Arc<Material> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes what was read anew.
    pub fn replace(&self, material: Material) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(material);
    }
}

/// The certificate that was shown when a connection was made. Whoever made the connection has its
/// key; nothing else is known of it yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presented {
    /// The certificate, DER.
    pub certificate: Vec<u8>,
    /// What came with it, DER.
    pub others: Vec<Vec<u8>>,
    /// When its key was shown.
    pub at: Timestamp,
}
