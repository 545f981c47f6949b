//! An authority as its responder knows it: its names under every hash, the status of its
//! certificates, and who signs for it. The signer is opened when something is first signed, so
//! that thousands of authorities start at once.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use tenkoku_domain::authority::Authority;
use tenkoku_domain::certificate::Profile;
use tenkoku_domain::id::{AuthorityId, KeyId};
use tenkoku_domain::key::KeyAlgorithm;
use tenkoku_domain::time::Timestamp;
use tenkoku_keys::{KeyError, StoreKind};
use tenkoku_pki::cert::Certificate;
use tenkoku_pki::ocsp::{AnswerSigner, CertId, HashAlgorithm, IssuerHashes};
use tenkoku_ports::Env;

use crate::answer::AnswerError;
use crate::index::{SerialKey, StatusIndex};

/// How long an answer is good for, in seconds: 24 hours (DOMAIN 13).
const ANSWER_SECONDS: i64 = 24 * 3600;
/// How often a newer signer is looked for whose key was not here yet, in seconds.
const LOOK_AGAIN_SECONDS: i64 = 30;

/// Who signs answers.
#[derive(Debug)]
pub(crate) struct Signer {
    pub(crate) answers: AnswerSigner,
    pub(crate) key: KeyId,
    /// The serial number of its certificate.
    serial: Option<SerialKey>,
    /// The number under which its answers are kept.
    pub(crate) number: u64,
    /// Whether a signature takes microseconds: an elliptic curve in software. Then it is made at
    /// once, where the request is read.
    pub(crate) is_quick: bool,
    /// When a newer signer is looked for, if there is one whose key is not here.
    again_at: Option<Timestamp>,
}

impl Signer {
    /// Until when an answer is good: 24 hours, and never longer than the signer's certificate.
    pub(crate) fn answers_until(&self, this_update: Timestamp) -> Timestamp {
        let whole = this_update.floor().plus_seconds(ANSWER_SECONDS);
        whole.min(self.answers.certificate().validity().not_after)
    }

    fn serves(&self, now: Timestamp) -> bool {
        self.answers.certificate().validity().contains(now.floor())
    }
}

/// An authority with a responder.
#[derive(Debug)]
pub(crate) struct Issuer {
    /// Its number in this process.
    pub(crate) number: u32,
    pub(crate) id: AuthorityId,
    pub(crate) code: String,
    /// Since when the status of its certificates is kept (RFC 6960, 4.4.4).
    pub(crate) since: Timestamp,
    pub(crate) index: StatusIndex,
    hashes: [IssuerHashes; 4],
    signer: RwLock<Option<Arc<Signer>>>,
    /// Counts signers: those made with an earlier one are made anew.
    signers: AtomicU64,
    /// Counts changes that make kept answers wrong.
    changes: AtomicU64,
}

impl Issuer {
    /// An authority; `None` for one without a responder: a root's CRL tells the status of
    /// authorities (DOMAIN 12.4).
    pub(crate) fn of(authority: &Authority, number: u32) -> Result<Option<Self>, AnswerError> {
        let (Some(_), Some(der)) = (authority.kind.level(), authority.certificate.as_deref())
        else {
            return Ok(None);
        };
        let certificate = Certificate::parse(der)?;
        let key = certificate.public_key()?;
        let hashes = HashAlgorithm::ALL
            .map(|algorithm| IssuerHashes::of(algorithm, certificate.subject(), &key));
        Ok(Some(Self {
            number,
            id: authority.id.clone(),
            code: authority.code.to_string(),
            since: authority.validity.not_before,
            index: StatusIndex::default(),
            hashes,
            signer: RwLock::default(),
            signers: AtomicU64::new(0),
            changes: AtomicU64::new(0),
        }))
    }

    /// Whether a CertID names this authority, under the hash it was asked with.
    pub(crate) fn is_named(&self, cert_id: &CertId<'_>) -> bool {
        let hashes = cert_id.algorithm().and_then(|known| self.hashes.get(known.place()));
        hashes.is_some_and(|hashes| cert_id.is_of(hashes))
    }

    /// How many changes made kept answers wrong so far.
    pub(crate) fn changes(&self) -> u64 {
        self.changes.load(Ordering::SeqCst)
    }

    /// Something that was answered is not so any more.
    pub(crate) fn note_change(&self) {
        self.changes.fetch_add(1, Ordering::SeqCst);
    }

    /// The number of the newest signer.
    pub(crate) fn signers(&self) -> u64 {
        self.signers.load(Ordering::SeqCst)
    }

    /// There is another signer: it is opened when it is first needed.
    pub(crate) fn note_signer(&self) {
        self.signers.fetch_add(1, Ordering::SeqCst);
    }

    /// Forgets the signer if its certificate has this serial number; it was revoked.
    pub(crate) fn drop_signer(&self, serial: SerialKey) -> bool {
        let mut signer = self.signer.write().unwrap_or_else(PoisonError::into_inner);
        let is_it = signer.as_ref().is_some_and(|signer| signer.serial == Some(serial));
        if is_it {
            *signer = None;
            self.note_signer();
        }
        is_it
    }

    /// The signer, if it is open and there is no newer one to look for.
    pub(crate) fn open_signer(&self, now: Timestamp) -> Option<Arc<Signer>> {
        let signer = self.signer.read().unwrap_or_else(PoisonError::into_inner).clone()?;
        let newest = signer.number == self.signers() && signer.again_at.is_none_or(|at| now < at);
        (newest && signer.serves(now)).then_some(signer)
    }

    /// The signer, opened if it is not yet. Reads the store. When the store does not answer, the
    /// former signer goes on for as long as it is valid.
    pub(crate) fn signer(&self, env: &Env, now: Timestamp) -> Result<Arc<Signer>, AnswerError> {
        if let Some(open) = self.open_signer(now) {
            return Ok(open);
        }
        // Read first: a signer that comes meanwhile is looked for again.
        let number = self.signers();
        match self.load_signer(env, now, number) {
            Ok(signer) => {
                let signer = Arc::new(signer);
                *self.signer.write().unwrap_or_else(PoisonError::into_inner) =
                    Some(Arc::clone(&signer));
                Ok(signer)
            }
            Err(error) => {
                let former = self.signer.read().unwrap_or_else(PoisonError::into_inner).clone();
                former.filter(|former| former.serves(now)).ok_or(error)
            }
        }
    }

    /// The newest signer whose key is here. A node that answers only gets its keys by copy, and may
    /// get one later than the certificate.
    fn load_signer(&self, env: &Env, now: Timestamp, number: u64) -> Result<Signer, AnswerError> {
        let all = env.store.read(|tx| tx.list_signers(&self.id, Profile::OcspSigner, now))?;
        let mut missing = None;
        for found in all {
            match env.keys.load_public(&found.key) {
                Ok(_) => {}
                Err(error @ KeyError::NotFound(_)) => {
                    missing = missing.or(Some(error));
                    continue;
                }
                Err(error) => return Err(error.into()),
            }
            let certificate = Certificate::parse(found.der.as_deref().unwrap_or_default())?;
            let public = certificate.public_key()?;
            let is_quick = env.keys.kind() == StoreKind::Software && is_quick(public.algorithm());
            return Ok(Signer {
                answers: AnswerSigner::new(certificate, public),
                key: found.key,
                serial: SerialKey::of(found.serial.octets()),
                number,
                is_quick,
                again_at: missing.map(|_| now.plus_seconds(LOOK_AGAIN_SECONDS)),
            });
        }
        Err(missing.map_or(AnswerError::NoSigner, AnswerError::Keys))
    }
}

const fn is_quick(algorithm: KeyAlgorithm) -> bool {
    match algorithm {
        KeyAlgorithm::P256 | KeyAlgorithm::P384 => true,
        KeyAlgorithm::P521
        | KeyAlgorithm::Rsa2048
        | KeyAlgorithm::Rsa3072
        | KeyAlgorithm::Rsa4096
        | KeyAlgorithm::MlDsa65
        | KeyAlgorithm::MlDsa87 => false,
    }
}
