//! Finds the notices whose step has come and writes their letters (DOMAIN 19): ends of sealing and
//! of certificates, evidence of destruction, applications that wait, and what the status services
//! rest on. What an event brings about at once is written with the event.
//!
//! However often this runs, a step is told once; after a stop of the service the latest is told.

use tenkoku_domain::access::ActorKind;
use tenkoku_domain::access::{OperateAuthority, OwnAccount, Permit, Scope};
use tenkoku_domain::application::{Application, ApplicationState};
use tenkoku_domain::audit::{Event, NoticeEvent, ObjectRef};
use tenkoku_domain::authority::{Authority, AuthorityState, NEVER};
use tenkoku_domain::certificate::{Certificate, CertificateState, Profile};
use tenkoku_domain::destruction::EvidenceState;
use tenkoku_domain::id::UserId;
use tenkoku_domain::key::{Key, KeyState};
use tenkoku_domain::notice::{
    Addressee, Matter, NoticeKind, Occasion, Part, Place, Term, step_due,
};
use tenkoku_domain::time::Timestamp;
use tenkoku_ports::Env;
use tenkoku_store::{StoreError, Tx};

use crate::life::load_seal_key;

/// Certificates or applications that are looked at in one transaction at most.
const PAGE: i64 = 200;

/// Writes the letters that are due; gives how many.
pub fn collect_notices(env: &Env, _permit: &Permit<OperateAuthority>) -> Result<usize, StoreError> {
    let now = env.clock.now();
    let mut written = 0;
    let mut after = String::new();
    loop {
        let page = env.store.read(|tx| tx.live_seals_after(&after, PAGE))?;
        let Some(last) = page.last() else { break };
        after = last.id.to_string();
        written += write(env, now, |tx| {
            page.iter().map(|seal| of_seal(tx, seal, now)).collect::<Result<Vec<_>, _>>()
        })?;
    }
    let ended = [KeyState::Retiring, KeyState::DestructionDue, KeyState::Compromised];
    let keys = env.store.read(|tx| tx.list_seal_keys_in(&ended))?;
    written += write(env, now, |tx| keys.iter().map(|key| of_key(tx, key, now)).collect())?;
    written += write(env, now, |tx| waiting(tx, now))?;
    written += write(env, now, |tx| of_services(env, tx, now))?;
    Ok(written)
}

/// Writes what was found and not yet told. Most runs find nothing and lock nothing.
fn write(
    env: &Env,
    now: Timestamp,
    find: impl FnOnce(&mut Tx<'_>) -> Result<Vec<Vec<Occasion>>, StoreError>,
) -> Result<usize, StoreError> {
    let new = env.store.read(|tx| {
        let mut new = Vec::new();
        for occasion in find(tx)?.into_iter().flatten() {
            if !tx.is_told(occasion.matter.kind, &occasion.matter.object, occasion.step)? {
                new.push(occasion);
            }
        }
        Ok::<_, StoreError>(new)
    })?;
    if new.is_empty() {
        return Ok(0);
    }
    env.store.write(|tx| tx.write_notices(&new, now))
}

/// A matter at the step that has come, told to everybody at one place.
fn at_step(matter: Matter, place: &Place, term: Term, now: Timestamp) -> Option<Occasion> {
    let step = step_due(matter.kind, term, now)?;
    let matter = matter.with("date", term.date);
    Some(Occasion { told: matter.told_at(step, place), matter, step })
}

/// The ends of a seal: of its sealing period, and of its certificate where that is another day.
/// Nothing once a successor is in use.
fn of_seal(
    tx: &mut Tx<'_>,
    certificate: &Certificate,
    now: Timestamp,
) -> Result<Vec<Occasion>, StoreError> {
    let Some(seal) = &certificate.seal else { return Ok(Vec::new()) };
    let since = certificate.validity.not_before;
    let end = certificate.validity.not_after;
    let sealing = match certificate.state {
        CertificateState::Active | CertificateState::Suspended(_) => certificate.sealing_not_after,
        CertificateState::Pending
        | CertificateState::Issued
        | CertificateState::Held(_)
        | CertificateState::Retired
        | CertificateState::Revoked(_) => None,
    };
    let sealing = sealing.filter(|sealing| *sealing < end);
    let dates = [(NoticeKind::SealingEnds, sealing), (NoticeKind::CertificateEnds, Some(end))];
    let place = Place::Branch(seal.branch.clone());
    let told = |(kind, date): (NoticeKind, Option<Timestamp>)| {
        let object = ObjectRef::new("certificate", &certificate.id);
        let matter = Matter::new(kind, object, Some(&seal.organisation))
            .with("name", &certificate.common_name)
            .with("serial", &certificate.serial);
        at_step(matter, &place, Term { since, date: date? }, now)
    };
    let found: Vec<Occasion> = dates.into_iter().filter_map(told).collect();
    if found.is_empty() || is_succeeded(tx, certificate)? {
        return Ok(Vec::new());
    }
    Ok(found)
}

fn is_succeeded(tx: &mut Tx<'_>, certificate: &Certificate) -> Result<bool, StoreError> {
    let Some(seal) = &certificate.seal else { return Ok(false) };
    let all = tx.certificates_of_instance(&seal.instance)?;
    Ok(all.iter().any(|later| {
        later.id > certificate.id
            && later.key != certificate.key
            && later.state == CertificateState::Active
    }))
}

/// Evidence of destruction that is due, as long as nothing waits for a decision.
fn of_key(tx: &mut Tx<'_>, key: &Key, now: Timestamp) -> Result<Vec<Occasion>, StoreError> {
    let found = load_seal_key(tx, &Scope::Platform, &key.id)?;
    let Some(due) = found.life.due_at else { return Ok(Vec::new()) };
    let handed = tx.evidence_of_key(&key.id)?;
    let decided = |state: &EvidenceState| match state {
        EvidenceState::Handed | EvidenceState::Accepted => false,
        EvidenceState::MoreNeeded | EvidenceState::Refused => true,
    };
    if !handed.iter().all(|(_, state)| decided(state)) {
        return Ok(Vec::new());
    }
    let since = found.life.retired_at.unwrap_or(key.created_at);
    let object = ObjectRef::new("key", &key.id);
    let matter = Matter::new(NoticeKind::DestructionDue, object, Some(&found.seal.organisation))
        .with("name", &found.certificate.common_name);
    let place = Place::Branch(found.seal.branch.clone());
    Ok(at_step(matter, &place, Term { since, date: due }, now).into_iter().collect())
}

/// Who an application waits for, by its state.
const WAITS_FOR: [(ApplicationState, Part); 5] = [
    (ApplicationState::KeyProof, Part::Applicant),
    (ApplicationState::Submitted, Part::Approver),
    (ApplicationState::Proofing, Part::Approver),
    (ApplicationState::Approval, Part::Approver),
    (ApplicationState::Ready, Part::Approver),
];

/// Applications that wait for a person: at once, after three and after seven days.
fn waiting(tx: &mut Tx<'_>, now: Timestamp) -> Result<Vec<Vec<Occasion>>, StoreError> {
    let mut all = Vec::new();
    for (state, part) in WAITS_FOR {
        for application in tx.list_idle_applications(state, now, PAGE)? {
            all.push(of_application(tx, &application, part, now)?.into_iter().collect());
        }
    }
    Ok(all)
}

fn of_application(
    tx: &mut Tx<'_>,
    application: &Application,
    part: Part,
    now: Timestamp,
) -> Result<Option<Occasion>, StoreError> {
    let place = match (part, application.applicant.kind) {
        (Part::Applicant, ActorKind::User) => match UserId::parse(&application.applicant.id) {
            Ok(user) => Place::Person(user),
            Err(_) => return Ok(None),
        },
        // The command line, and parts of the platform, have no mailbox.
        (Part::Applicant, _) => return Ok(None),
        _ => Place::Branch(application.branch.clone()),
    };
    let since = application.changed_at;
    let date = application.lapses_at().unwrap_or(since);
    // Each state that it comes to is a matter of its own.
    let id = format!("{}/{}", application.id, application.state);
    let branch = tx.load_branch(&Scope::Platform, &application.branch)?;
    let object = ObjectRef::new("application", id);
    let kind = NoticeKind::ApplicationWaiting;
    let matter = Matter::new(kind, object, Some(&application.organisation))
        .with("name", branch.name)
        .with("state", application.state)
        .with("date", date);
    let told = vec![Addressee { part, place }];
    let step = step_due(kind, Term { since, date }, now);
    Ok(step.map(|step| Occasion { matter, step, told }))
}

/// What the status services rest on: CRLs, OCSP signers, the list, the authorities themselves.
fn of_services(
    env: &Env,
    tx: &mut Tx<'_>,
    now: Timestamp,
) -> Result<Vec<Vec<Occasion>>, StoreError> {
    let mut all = Vec::new();
    for authority in tx.list_authorities()? {
        if is_served(&authority) {
            all.push(of_authority(tx, &authority, now)?);
        }
    }
    if let Some(list) = tx.latest_list(&env.settings.scheme.code)? {
        let object = ObjectRef::new("list", format!("{}/{}", list.scheme, list.sequence));
        let matter = Matter::new(NoticeKind::ListEnds, object, None).with("name", &list.scheme);
        // A closed list ends no more.
        if let Some(date) = list.next_update {
            let term = Term { since: list.issued_at, date };
            all.push(at_step(matter, &Place::Platform, term, now).into_iter().collect());
        }
    }
    Ok(all)
}

const fn is_served(authority: &Authority) -> bool {
    match authority.state {
        AuthorityState::Active | AuthorityState::Suspended | AuthorityState::Retiring => {
            authority.certificate.is_some()
        }
        AuthorityState::Planned
        | AuthorityState::Ceremony
        | AuthorityState::Certified
        | AuthorityState::Ended => false,
    }
}

fn of_authority(
    tx: &mut Tx<'_>,
    authority: &Authority,
    now: Timestamp,
) -> Result<Vec<Occasion>, StoreError> {
    let mut ends = Vec::new();
    let certificate = ObjectRef::new("authority", &authority.id);
    let of = authority.validity;
    let term = Term { since: of.not_before, date: of.not_after };
    ends.push((NoticeKind::AuthorityEnds, certificate, term));
    if let Some(crl) = tx.latest_crl(&authority.id)?.filter(|crl| crl.next_update != NEVER) {
        let object = ObjectRef::new("crl", format!("{}/{}", authority.id, crl.number));
        let term = Term { since: crl.this_update, date: crl.next_update };
        ends.push((NoticeKind::CrlEnds, object, term));
    }
    if let Some(signer) = tx.current_signer(&authority.id, Profile::OcspSigner, now)? {
        let object = ObjectRef::new("ocsp-signer", &signer.id);
        let of = signer.validity;
        let term = Term { since: of.not_before, date: of.not_after };
        ends.push((NoticeKind::OcspSignerEnds, object, term));
    }
    let place = Place::Authority(authority.id.clone());
    let told = |(kind, object, term)| {
        let matter = Matter::new(kind, object, None)
            .with("name", &authority.name.common_name)
            .with("code", &authority.code);
        at_step(matter, &place, term, now)
    };
    Ok(ends.into_iter().filter_map(told).collect())
}

/// A person says that a notice was read. A notice to somebody else does not exist for them.
pub fn acknowledge_notice(
    env: &Env,
    permit: &Permit<OwnAccount>,
    number: i64,
) -> Result<(), StoreError> {
    let now = env.clock.now();
    let absent = StoreError::NotFound { what: "notice" };
    let Ok(user) = UserId::parse(&permit.origin().actor.id) else { return Err(absent) };
    env.store.write(|tx| {
        let account = tx.load_account(&user)?;
        let notice = tx.load_notice(number)?;
        let own = account.email.is_some_and(|email| email.mailbox() == notice.recipient.mailbox());
        if !own {
            return Err(StoreError::NotFound { what: "notice" });
        }
        let event = NoticeEvent::Acknowledged { notice: Box::new(notice) };
        tx.record(permit.origin(), now, &Event::Notice(event))?;
        Ok(())
    })
}
