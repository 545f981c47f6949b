//! Rollover (RO-4): the next generation of an authority, and cross-certificates between two
//! generations of a root.

use tenkoku_domain::access::{OperateAuthority, Permit};
use tenkoku_domain::audit::{AuditCode, AuthorityEvent, Event};
use tenkoku_domain::authority::{Authority, AuthorityCode, AuthorityKind, AuthorityOrder};
use tenkoku_domain::ceremony::{Consent, CrossWish};
use tenkoku_domain::certificate::{Certificate, Profile};
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_domain::time::Timestamp;
use tenkoku_pki::profile::{Content, Order};
use tenkoku_ports::Env;
use tenkoku_store::StoreError;

use super::{AuthorityError, dedication, establish, load, recorded, retire_authority};
use crate::signing::{Paper, issuer, repository, sign_certificate};

/// The order of an authority's next generation. It is issued by the newest generation of the
/// authority that issued the present one.
pub fn successor_order(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    code: &AuthorityCode,
) -> Result<AuthorityOrder, AuthorityError> {
    let now = env.clock.now();
    let present = load(env, permit, code)?;
    let all = env.store.read(|tx| tx.list_authorities())?;
    let issuer = match &present.issuer {
        Some(id) => Some(newest(&all, id, now).ok_or(StoreError::NotFound { what: "authority" })?),
        None => None,
    };
    let dedication = dedication(env, permit, &present)?;
    Ok(AuthorityOrder::succeeding(&present, issuer, dedication)?)
}

/// The newest generation after an authority that issues now; itself where there is none.
fn newest(
    all: &[Authority],
    id: &tenkoku_domain::id::AuthorityId,
    now: Timestamp,
) -> Option<AuthorityCode> {
    let mut present = all.iter().find(|a| a.id == *id)?;
    // As many steps as there are authorities: a circle cannot hold this up.
    for _ in all {
        let next = all.iter().find(|a| a.predecessor.as_ref() == Some(&present.id));
        match next.filter(|next| next.may_issue(now).is_ok()) {
            Some(next) => present = next,
            None => break,
        }
    }
    Some(present.code.clone())
}

/// Renews an authority: always a new key under the next generation (RO-4). The former generation
/// stops issuing and keeps signing CRLs and OCSP answers for its own certificates.
pub fn renew_authority(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    code: &AuthorityCode,
    cross: CrossWish,
    consent: &Consent,
) -> Result<Authority, AuthorityError> {
    let successor = recorded(env, permit, code, AuditCode::CaRenewed, || {
        let order = successor_order(env, permit, code)?;
        establish(env, permit, &order, consent)
    })?;
    if cross == CrossWish::Both && successor.kind == AuthorityKind::Root {
        cross_certify(env, permit, &successor.code, code, consent)?;
        cross_certify(env, permit, code, &successor.code, consent)?;
    }
    retire_authority(env, permit, code)?;
    Ok(successor)
}

/// One root certifies another: `by` signs a certificate for the key of `certified`.
pub fn cross_certify(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    certified: &AuthorityCode,
    by: &AuthorityCode,
    consent: &Consent,
) -> Result<Certificate, AuthorityError> {
    recorded(env, permit, certified, AuditCode::CaCrossCertified, || {
        cross(env, permit, certified, by, consent)
    })
}

fn cross(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    certified: &AuthorityCode,
    by: &AuthorityCode,
    _consent: &Consent,
) -> Result<Certificate, AuthorityError> {
    let now = env.clock.now();
    let (subject, signer) = (load(env, permit, certified)?, load(env, permit, by)?);
    check_cross(env, &subject, &signer)?;
    signer.check_online()?;
    let order = cross_order(env, &subject, &signer, now)?;
    let policy = env.store.read(|tx| tx.current_policy(now))?.digest()?;
    let paper = Paper {
        authority: signer.id.clone(),
        signing_key: signer.key.clone(),
        profile: Profile::Cross,
        key: subject.key.clone(),
        seal: None,
        common_name: subject.name.common_name.as_str().to_owned(),
        sealing_not_after: None,
        policy,
    };
    let with_serial = |serial| Order { serial, ..order.clone() };
    sign_certificate(
        env,
        permit.origin(),
        now,
        &paper,
        with_serial,
        |_| Ok(()),
        |tx, certificate| {
            let event = AuthorityEvent::CrossCertified {
                certified: subject.id.clone(),
                certificate: certificate.clone(),
            };
            tx.record(permit.origin(), now, &Event::Authority(event))?;
            Ok(())
        },
    )
}

/// Two different roots, and no living cross-certificate of the one by the other yet.
pub(crate) fn check_cross(
    env: &Env,
    subject: &Authority,
    signer: &Authority,
) -> Result<(), AuthorityError> {
    let refused =
        |problem: &str| Refusal::new(RefusalCode::StateConflict, "RO-4").with("problem", problem);
    let roots = subject.kind == AuthorityKind::Root && signer.kind == AuthorityKind::Root;
    if !roots || subject.id == signer.id {
        return Err(refused("cross-roots").into());
    }
    let there = cross_certificates(env, subject)?;
    if there.iter().any(|certificate| certificate.authority == signer.id) {
        return Err(refused("cross-twice").into());
    }
    Ok(())
}

/// The order of a cross-certificate; the serial number is drawn when it is signed.
pub(crate) fn cross_order(
    env: &Env,
    subject: &Authority,
    signer: &Authority,
    now: Timestamp,
) -> Result<Order, AuthorityError> {
    let own = issuer(subject.may_issue(now)?)?;
    let signing = issuer(signer.may_issue(now)?)?;
    let validity = tenkoku_domain::certificate::Validity {
        not_before: now.floor().max(own.validity.not_before).max(signing.validity.not_before),
        not_after: own.validity.not_after.min(signing.validity.not_after),
    };
    Ok(Order {
        serial: signer.serial.clone(),
        validity,
        subject: own.name,
        key: own.key,
        content: Content::Cross { own: own.validity, repository: repository(env, signer)? },
        issuer: signing,
    })
}

/// The living cross-certificates of a root: what others signed over its key.
pub fn cross_certificates(env: &Env, root: &Authority) -> Result<Vec<Certificate>, AuthorityError> {
    let now = env.clock.now();
    let all = env.store.read(|tx| tx.certificates_of_key(&root.key))?;
    Ok(all.into_iter().filter(|c| c.profile == Profile::Cross && c.is_live(now)).collect())
}
