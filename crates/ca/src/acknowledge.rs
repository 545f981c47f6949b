//! Acknowledgement: the new key signs a fresh challenge, and the certificate is in use
//! (DOMAIN 6.4). Until then it may be told as on hold.

use tenkoku_domain::access::{ManageKeys, Permit};
use tenkoku_domain::audit::{AuditCode, Event, LifeEvent, ObjectRef};
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::certificate::{Certificate, CertificateState, Serial};
use tenkoku_domain::id::AuthorityId;
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_domain::rotation;
use tenkoku_domain::time::Timestamp;
use tenkoku_pki::cms::DetachedSignature;
use tenkoku_pki::csr::Request;
use tenkoku_pki::key::PublicKey;
use tenkoku_ports::Env;
use tenkoku_store::{Acknowledgement, StoreError, Tx};

use crate::life::{LifeError, told};
use crate::prove::Proof;

/// Minutes in which a challenge may be answered.
const CHALLENGE_MINUTES: i64 = 60;

/// What the key must answer, as it answers the challenge of an application ([`Proof`]): the text
/// `acknowledge`, the serial number and the challenge, each after a space, without a line end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// The text to be signed, ASCII.
    pub text: String,
    /// Until when.
    pub until: Timestamp,
}

fn text(certificate: &Certificate, challenge: &Digest) -> String {
    format!("acknowledge {} {challenge}", certificate.serial)
}

/// Gives a fresh challenge for a certificate that waits; an earlier one is void.
pub fn ask_challenge(
    env: &Env,
    permit: &Permit<ManageKeys>,
    name: (&AuthorityId, &Serial),
) -> Result<Challenge, LifeError> {
    let now = env.clock.now();
    let mut random = [0; 32];
    env.entropy.fill(&mut random);
    on_waiting(env, permit, name, |tx, certificate, _| {
        let challenge = Digest::of(&random);
        let until = now.plus_seconds(CHALLENGE_MINUTES * 60);
        let text = text(&certificate, &challenge);
        let event = LifeEvent::Delivered { certificate, challenge, until };
        tx.record(permit.origin(), now, &Event::Life(event))?;
        Ok(Challenge { text, until })
    })
}

/// Takes the answer to the challenge and brings the certificate into use.
pub fn acknowledge(
    env: &Env,
    permit: &Permit<ManageKeys>,
    name: (&AuthorityId, &Serial),
    proof: &Proof,
) -> Result<Certificate, LifeError> {
    let now = env.clock.now();
    on_waiting(env, permit, name, |tx, certificate, waiting| {
        let unshown = |problem: &str| {
            Refusal::new(RefusalCode::PossessionNotShown, "6.4").with("problem", problem)
        };
        let fresh = waiting.challenge.zip(waiting.challenge_until);
        let challenge = match fresh {
            Some((challenge, until)) if now < until => challenge,
            Some(_) | None => return Err(unshown("challenge").into()),
        };
        let key = tx.load_key(&certificate.key)?;
        let answered = answered_by(proof, &text(&certificate, &challenge))?;
        if answered.fingerprint() != key.fingerprint {
            return Err(unshown("other-key").into());
        }
        let event = LifeEvent::Acknowledged { certificate: certificate.clone() };
        let active = Certificate { state: CertificateState::Active, ..certificate };
        // KM-13: what is activated may seal; a key that was lost meanwhile is not.
        rotation::may_seal(&active, &key, now)?;
        tx.record(permit.origin(), now, &Event::Life(event))?;
        Ok(active)
    })
}

/// The key that answered a challenge; one that does not show it is refused in the words of KM-7.
fn answered_by(proof: &Proof, challenge: &str) -> Result<PublicKey, Refusal> {
    match proof {
        Proof::Request(file) => {
            let request = Request::parse(file).map_err(|error| error.refusal())?;
            if request.challenge() == Some(challenge) {
                return Ok(request.key().clone());
            }
            Err(Refusal::new(RefusalCode::PossessionNotShown, "6.4")
                .with("problem", "challenge-other"))
        }
        Proof::Cms(file) => DetachedSignature::parse(file)
            .and_then(|signature| signature.verify(challenge))
            .map_err(|error| error.refusal()),
    }
}

fn on_waiting<T>(
    env: &Env,
    permit: &Permit<ManageKeys>,
    (authority, serial): (&AuthorityId, &Serial),
    act: impl FnOnce(&mut Tx<'_>, Certificate, Acknowledgement) -> Result<T, LifeError>,
) -> Result<T, LifeError> {
    let now = env.clock.now();
    let seen = env
        .store
        .read(|tx| tx.find_certificate(permit.scope(), authority, serial))?
        .ok_or(StoreError::NotFound { what: "certificate" })?;
    let done = env.store.write(|tx| {
        let certificate = tx.lock_certificate(permit.scope(), &seen.id)?;
        let conflict = || {
            Refusal::new(RefusalCode::StateConflict, "6.4")
                .with("serial", &certificate.serial)
                .with("state", certificate.state.word())
        };
        let waits =
            matches!(certificate.state, CertificateState::Issued | CertificateState::Held(_));
        let waiting = tx.find_acknowledgement(&certificate.id)?.ok_or_else(conflict)?;
        if !waits || waiting.due_at <= now {
            return Err(conflict().into());
        }
        act(tx, certificate, waiting)
    });
    let organisation = seen.seal.as_ref().map(|seal| seal.organisation.clone());
    let act = (AuditCode::CertAcknowledged, ObjectRef::new("certificate", &seen.id));
    told(env, permit.origin(), act, organisation, done)
}
