//! Notices that an event brings about at once.

use super::{Addressee, Matter, NoticeKind, Occasion, Part, Place, Step};
use crate::audit::{
    AuthorityEvent, Event, FollowedEvent, FollowedStep, IdentityEvent, LifeEvent, ObjectRef,
};
use crate::certificate::Certificate;
use crate::followed::FollowedList;
use crate::id::{BranchId, OrganisationId};
use crate::incident::Incident;
use crate::key::{Key, KeyHolder};
use crate::revocation::Revocation;
use crate::time::Timestamp;

/// What people are told because of an event, in the transaction that records it.
#[expect(clippy::wildcard_enum_match_arm, reason = "most events concern nobody but who acts")]
pub fn caused_by(event: &Event, at: Timestamp) -> Vec<Occasion> {
    match event {
        Event::CertificateRevoked { certificate, revocation, .. } => {
            revoked(certificate, revocation, at).into_iter().collect()
        }
        Event::Life(event) => of_life(event, at).into_iter().collect(),
        Event::Identity(IdentityEvent::IncidentOpened { incident }) => {
            of_incident(incident, at).into_iter().collect()
        }
        Event::Followed(FollowedEvent::Step { list, step: FollowedStep::Troubled, .. }) => {
            of_followed(list, at).into_iter().collect()
        }
        Event::Authority(AuthorityEvent::Compromised { compromise }) => compromise
            .certificates
            .iter()
            .filter_map(|certificate| revoked(certificate, &compromise.revocation, at))
            .collect(),
        _ => Vec::new(),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "most events concern nobody but who acts")]
fn of_life(event: &LifeEvent, at: Timestamp) -> Option<Occasion> {
    match event {
        LifeEvent::NotAccepted { certificate, revocation } => revoked(certificate, revocation, at),
        LifeEvent::Suspended { certificate, suspension, .. } => {
            let matter = of_certificate(NoticeKind::CertificateSuspended, certificate)?
                .with("because", suspension.because)
                .with("date", suspension.until);
            told_of(matter, certificate, Step::At(at))
        }
        LifeEvent::Released { certificate, .. } => {
            let matter = of_certificate(NoticeKind::CertificateReleased, certificate)?;
            told_of(matter.with("date", at.floor()), certificate, Step::At(at))
        }
        LifeEvent::Retired { certificate, due } => {
            let object = ObjectRef::new("key", &certificate.key);
            let seal = certificate.seal.as_ref()?;
            let matter = Matter::new(NoticeKind::DestructionDue, object, Some(&seal.organisation))
                .with("name", &certificate.common_name)
                .with("date", due);
            told_of(matter, certificate, Step::Begun)
        }
        LifeEvent::CopySuspected { key, organisation, signal } => {
            let object = ObjectRef::new("key", &key.id);
            let matter = Matter::new(NoticeKind::CopySuspected, object, Some(organisation))
                .with("signal", signal);
            let step = Step::At(at);
            let told = matter.kind.audience(step).into_iter();
            let told =
                told.map(|part| Addressee { part, place: place_of(part, key, organisation) });
            Some(Occasion { told: told.collect(), matter, step })
        }
        _ => None,
    }
}

fn place_of(part: Part, key: &Key, organisation: &OrganisationId) -> Place {
    match (&key.holder, part) {
        (_, Part::CaOfficer) => Place::Platform,
        (KeyHolder::Instance(instance), Part::Custodian) => Place::Instance(instance.clone()),
        _ => Place::Organisation(organisation.clone()),
    }
}

fn revoked(certificate: &Certificate, why: &Revocation, at: Timestamp) -> Option<Occasion> {
    let matter = of_certificate(NoticeKind::CertificateRevoked, certificate)?
        .with("cause", why.cause)
        .with("date", why.at);
    told_of(matter, certificate, Step::At(at))
}

/// What a seal certificate is told by; nothing for other certificates.
fn of_certificate(kind: NoticeKind, certificate: &Certificate) -> Option<Matter> {
    let seal = certificate.seal.as_ref()?;
    let object = ObjectRef::new("certificate", &certificate.id);
    let matter = Matter::new(kind, object, Some(&seal.organisation))
        .with("name", &certificate.common_name)
        .with("serial", &certificate.serial);
    Some(matter)
}

fn told_of(matter: Matter, certificate: &Certificate, step: Step) -> Option<Occasion> {
    let place = Place::Branch(certificate.seal.as_ref()?.branch.clone());
    Some(Occasion { told: matter.told_at(step, &place), matter, step })
}

/// DOMAIN 8.3: the incident itself names who is told, by role and place.
fn of_incident(incident: &Incident, at: Timestamp) -> Option<Occasion> {
    let told: Vec<_> = incident.told.iter().filter_map(|word| addressee(word)).collect();
    let object = ObjectRef::new("incident", &incident.id);
    let matter = Matter::new(NoticeKind::DuplicateKey, object, None)
        .with("incident", incident.kind)
        .with("date", incident.opened_at.floor());
    (!told.is_empty()).then_some(Occasion { matter, step: Step::At(at), told })
}

/// A list of others in trouble: whoever runs the services that rest on it is told.
fn of_followed(list: &FollowedList, at: Timestamp) -> Option<Occasion> {
    let fault = list.fault.as_ref()?;
    let object = ObjectRef::new("followed-list", &list.code);
    let matter = Matter::new(NoticeKind::ListTroubled, object, None)
        .with("name", &list.code)
        .with("problem", fault.problem)
        .with("date", at.floor());
    let step = Step::At(at);
    Some(Occasion { told: matter.told_at(step, &Place::Platform), matter, step })
}

fn addressee(word: &str) -> Option<Addressee> {
    let (part, place) = word.split_once('/').unwrap_or((word, ""));
    let part = Part::from_word(part)?;
    let place = match BranchId::parse(place) {
        Ok(branch) => Place::Branch(branch),
        Err(_) => OrganisationId::parse(place).map_or(Place::Platform, Place::Organisation),
    };
    Some(Addressee { part, place })
}
