//! What the use cases of a key's life share: whose a key is, why an act was refused, and the record
//! of the refusal.

use tenkoku_domain::access::{Origin, Scope};
use tenkoku_domain::audit::{AuditCode, ObjectRef};
use tenkoku_domain::certificate::{Certificate, Profile, SealBinding};
use tenkoku_domain::id::{KeyId, OrganisationId};
use tenkoku_domain::key::Key;
use tenkoku_domain::level::Level;
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_domain::time::Timestamp;
use tenkoku_ports::{Attempt, Env};
use tenkoku_store::{KeyLife, StoreError, Tx};

/// Why an act on a key or a container was not done.
#[derive(Debug, thiserror::Error)]
pub enum LifeError {
    /// A rule refuses it; the refusal is in the audit trail.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// What is signed has no canonical form.
    #[error(transparent)]
    Canonical(#[from] tenkoku_domain::canonical::CanonicalError),
    /// The key store did not do its part.
    #[error(transparent)]
    Keys(#[from] tenkoku_keys::KeyError),
    /// The store did not answer, or holds no such thing within the permit's scope.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A key of a seal with everything that is known about its life.
#[derive(Clone, Debug)]
pub struct SealKey {
    /// The key.
    pub key: Key,
    /// Its newest certificate.
    pub certificate: Certificate,
    /// What the certificate was issued to.
    pub seal: SealBinding,
    /// The level of the seal.
    pub level: Level,
    /// What happened to it.
    pub life: KeyLife,
}

impl SealKey {
    /// When the key began to seal: acknowledged, or issued where no acknowledgement is needed.
    pub fn activated_at(&self) -> Timestamp {
        self.life.activated_at.unwrap_or(self.certificate.validity.not_before)
    }
}

/// The level of a seal's profile.
pub fn level_of(profile: Profile) -> Option<Level> {
    let of =
        |level: &Level| Profile::seal(*level) == profile || Profile::short_seal(*level) == profile;
    Level::ALL.into_iter().find(of)
}

/// The key of a seal within a scope; outside it there is none.
pub fn load_seal_key(tx: &mut Tx<'_>, scope: &Scope, id: &KeyId) -> Result<SealKey, StoreError> {
    let none = || StoreError::NotFound { what: "key" };
    let key = tx.load_key(id)?;
    let certificate = tx.newest_certificate_of_key(id)?.ok_or_else(none)?;
    let seal = certificate.seal.clone().ok_or_else(none)?;
    if !scope.covers(&seal.organisation, &seal.branch) {
        return Err(none());
    }
    let level = level_of(certificate.profile).ok_or_else(none)?;
    let life = tx.load_key_life(id)?;
    Ok(SealKey { key, certificate, seal, level, life })
}

/// Records a refusal under the code of the act; any other error is handed on.
pub(crate) fn told<T>(
    env: &Env,
    origin: &Origin,
    (code, object): (AuditCode, ObjectRef),
    organisation: Option<OrganisationId>,
    result: Result<T, LifeError>,
) -> Result<T, LifeError> {
    result.or_else(|error| match error {
        LifeError::Refused(refusal) => {
            let attempt = Attempt { code, object, organisation, policy: None };
            Err(env.refuse(origin, env.clock.now(), attempt, refusal)?.into())
        }
        LifeError::Canonical(_) | LifeError::Keys(_) | LifeError::Store(_) => Err(error),
    })
}

/// KM-18: no key of a seal leaves its container, whoever asks and in whatever form. Always refused,
/// and always recorded.
pub fn export_key(
    env: &Env,
    permit: &tenkoku_domain::access::Permit<tenkoku_domain::access::ManageKeys>,
    key: &KeyId,
) -> Result<std::convert::Infallible, LifeError> {
    let found = env.store.read(|tx| load_seal_key(tx, permit.scope(), key))?;
    let refusal = Refusal::new(RefusalCode::ExportForbidden, "KM-18");
    let act = (AuditCode::KeyExportRefused, ObjectRef::new("key", key));
    told(env, permit.origin(), act, Some(found.seal.organisation), Err(refusal.into()))
}
