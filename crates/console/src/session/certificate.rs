//! Certificates that people sign in with: shown in TLS, judged here, bound to an account.
//!
//! A certificate is one factor, the password the other (DOMAIN 2). What counts is the key that was
//! shown when the connection was made: a session rests on that instant, and no header takes part.

use tenkoku_domain::access::Origin;
use tenkoku_domain::account::ClientCertificate;
use tenkoku_domain::audit::{AccessEvent, Event};
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::id::UserId;
use tenkoku_domain::time::Timestamp;
use tenkoku_pki::key::PresentedKey;
use tenkoku_pki::path::{
    Budget, Holder, PolicyDemands, Question, Reason, Revocation, Verdict, validate,
};
use tenkoku_ports::Env;
use tenkoku_store::{StoreError, Tx};

use super::tls::{Material, Presented};

/// What a session says was proved by a password and a certificate.
pub const PASSWORD_AND_CERTIFICATE: &str = "password+certificate";

/// A certificate that was shown, with a valid path to an authority of people's certificates. Only
/// [`judge`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    fingerprint: Digest,
    subject: String,
    not_after: Timestamp,
    at: Timestamp,
}

/// Why a certificate is not taken, whoever's it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateFault {
    /// There is no valid path to it.
    Path(Reason),
    /// By what it says of itself, its key is not for showing who connects.
    Purpose,
    /// Its key has a place of use already: a key has one only (I-2).
    KeyInUse,
}

impl CertificateFault {
    /// The stable word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Path(reason) => reason.word(),
            Self::Purpose => "purpose",
            Self::KeyInUse => "key-in-use",
        }
    }
}

/// Why a certificate was not judged to be good.
#[derive(Debug, thiserror::Error)]
pub enum JudgeError {
    /// It is not taken.
    #[error("the certificate is not taken: {}", .0.word())]
    Fault(CertificateFault),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Shown {
    /// The subject for people.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The end of its validity.
    pub const fn not_after(&self) -> Timestamp {
        self.not_after
    }

    /// When its key was shown.
    pub const fn at(&self) -> Timestamp {
        self.at
    }

    /// Whether an account signs in with it.
    pub fn is_among(&self, certificates: &[ClientCertificate]) -> bool {
        certificates.iter().any(|bound| bound.fingerprint == self.fingerprint)
    }

    /// The certificate as an account keeps it.
    pub fn bound_at(&self, now: Timestamp) -> ClientCertificate {
        ClientCertificate {
            fingerprint: self.fingerprint,
            subject: self.subject.clone(),
            not_after: self.not_after,
            created_at: now,
        }
    }
}

/// Judges a certificate at this instant (RFC 5280, 6). Where a revocation list is known, one that was
/// configured or one of an authority of this installation on the way, revocation is looked at, and
/// nothing fails softly.
pub fn judge(env: &Env, material: &Material, presented: &Presented) -> Result<Shown, JudgeError> {
    let fault = |fault| Err(JudgeError::Fault(fault));
    let Some(holder) = Holder::read(&presented.certificate) else {
        return fault(CertificateFault::Path(Reason::Unreadable));
    };
    // A key of a kind that is not known here has no place of use here.
    let key = PresentedKey::parse(&holder.key).ok().map(|key| key.fingerprint());
    let (key_in_use, own_lists) = env.store.read(|tx| {
        let known = match &key {
            Some(key) => tx.find_key_by_fingerprint(key)?.is_some() || tx.is_token_key(key)?,
            None => false,
        };
        Ok::<_, StoreError>((known, own_lists(tx, material, presented)?))
    })?;
    let lists = [material.lists.clone(), own_lists].concat();
    let verdict = validate(&Question {
        anchors: &material.authorities,
        intermediates: &presented.others,
        crls: &lists,
        leaf: &presented.certificate,
        at: env.clock.now(),
        policies: &PolicyDemands::default(),
        revocation: if lists.is_empty() { Revocation::Ignored } else { Revocation::Required },
        budget: Budget::default(),
    });
    match verdict {
        Verdict::Invalid(found) => fault(CertificateFault::Path(found.reason)),
        Verdict::Valid(_) if !holder.authenticates_clients() => fault(CertificateFault::Purpose),
        Verdict::Valid(_) if key_in_use => fault(CertificateFault::KeyInUse),
        Verdict::Valid(_) => Ok(Shown {
            fingerprint: holder.digest,
            subject: holder.subject,
            not_after: holder.not_after,
            at: presented.at,
        }),
    }
}

/// The newest lists of authorities of this installation that may stand on the way.
fn own_lists(
    tx: &mut Tx<'_>,
    material: &Material,
    presented: &Presented,
) -> Result<Vec<Vec<u8>>, StoreError> {
    let on_the_way =
        |der: &Vec<u8>| material.authorities.contains(der) || presented.others.contains(der);
    let mut lists = Vec::new();
    for authority in tx.list_authorities()? {
        if authority.certificate.as_ref().is_some_and(on_the_way)
            && let Some(newest) = tx.latest_crl(&authority.id)?
        {
            lists.extend(tx.load_crl(&newest)?);
        }
    }
    Ok(lists)
}

/// Binds a certificate to an account. One that was bound before, to this account or another, is not
/// bound again: [`StoreError::Conflict`].
pub fn bind(
    tx: &mut Tx<'_>,
    origin: &Origin,
    user: &UserId,
    shown: &Shown,
    now: Timestamp,
) -> Result<(), StoreError> {
    let certificate = shown.bound_at(now);
    let event = AccessEvent::CertificateBound { user: user.clone(), certificate };
    tx.record(origin, now, &Event::Access(event)).map(drop)
}

/// Takes a certificate from an account, for ever. One that it has not: [`StoreError::Conflict`]; the last
/// way of signing in stays: `Ok(false)`.
pub fn release(
    env: &Env,
    origin: &Origin,
    user: &UserId,
    fingerprint: &Digest,
) -> Result<bool, StoreError> {
    let now = env.clock.now();
    env.store.write(|tx| {
        let mut factors = tx.load_factors(user)?;
        factors.certificates.retain(|bound| bound.fingerprint != *fingerprint);
        if !factors.suffice() {
            return Ok(false);
        }
        let fingerprint = *fingerprint;
        let event = AccessEvent::CertificateEnded { user: user.clone(), fingerprint };
        tx.record(origin, now, &Event::Access(event))?;
        Ok(true)
    })
}
