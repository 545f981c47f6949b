//! Records persons, and who represents an organisation or may be given a part of its authority.
//!
//! A representative who leaves puts the grants that he or she gave under review (DG-6); a delegate
//! who leaves loses them at once.

use tenkoku_domain::access::{ManageGrants, Origin, Permit, RecordProofing};
use tenkoku_domain::audit::{AuditCode, DelegationEvent, Event, ObjectRef};
use tenkoku_domain::grant::{Grant, GrantEnd};
use tenkoku_domain::id::{BranchId, DelegateId, OrganisationId, PersonId, RepresentativeId};
use tenkoku_domain::name::Name;
use tenkoku_domain::person::{Delegate, Person, REVIEW_DAYS, Representative, parse_name};
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_domain::time::Timestamp;
use tenkoku_ports::Env;
use tenkoku_store::{StoreError, Tx};

use crate::act::{ActError, EvidenceFile, told};
use crate::grant::end_within;

/// Longest office of a delegate, in days: that of the longest grant.
const LONGEST_DAYS: i64 = 731;

/// Whom an account or an office is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PersonOrder {
    /// A person of the register.
    Known(PersonId),
    /// The person of this name; a new one where there is none. Two who share a name are taken for
    /// one until somebody says otherwise, which refuses too much and never too little (I-6).
    Named {
        /// Name.
        name: String,
        /// E-mail address; may be empty.
        contact: String,
    },
    /// A new person, even where there is another of this name.
    New {
        /// Name.
        name: String,
        /// E-mail address; may be empty.
        contact: String,
    },
}

/// Finds a person, or records one.
pub fn take_person(
    env: &Env,
    tx: &mut Tx<'_>,
    origin: &Origin,
    order: &PersonOrder,
    now: Timestamp,
) -> Result<Person, ActError> {
    let (name, contact) = match order {
        PersonOrder::Known(id) => return Ok(tx.load_person(id)?),
        PersonOrder::Named { name, contact } => {
            if let Some(known) = tx.find_person_by_name(name)? {
                return Ok(known);
            }
            (name, contact)
        }
        PersonOrder::New { name, contact } => (name, contact),
    };
    let person = Person {
        id: PersonId::new(now, &*env.entropy),
        name: parse_name(name)?,
        contact: Person::parse_contact(contact)?,
        created_at: now,
    };
    record(tx, origin, now, DelegationEvent::PersonRecorded { person: person.clone() })?;
    Ok(person)
}

/// Appends one event of this part of the domain.
pub(crate) fn record(
    tx: &mut Tx<'_>,
    origin: &Origin,
    now: Timestamp,
    event: DelegationEvent,
) -> Result<(), StoreError> {
    tx.record(origin, now, &Event::Delegation(event)).map(drop)
}

/// A representative to be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepresentativeOrder {
    /// The organisation.
    pub organisation: OrganisationId,
    /// The person.
    pub person: PersonOrder,
    /// In which capacity, as the register says it.
    pub capacity: String,
    /// What shows that the capacity is current.
    pub evidence: EvidenceFile,
    /// From when; now where nothing is said.
    pub from: Option<Timestamp>,
}

/// Records a representative on evidence.
pub fn record_representative(
    env: &Env,
    permit: &Permit<RecordProofing>,
    order: &RepresentativeOrder,
) -> Result<Representative, ActError> {
    let now = env.clock.now();
    let done = env.store.write(|tx| {
        covered(tx, permit.scope(), &order.organisation)?;
        let person = take_person(env, tx, permit.origin(), &order.person, now)?;
        if tx.find_representative(&order.organisation, &person.id, now)?.is_some() {
            return Err(conflict("represents-already").into());
        }
        let EvidenceFile { media_type, content } = &order.evidence;
        let representative = Representative {
            id: RepresentativeId::new(now, &*env.entropy),
            organisation: order.organisation.clone(),
            person: person.id,
            capacity: Name::parse(&order.capacity)?,
            evidence: tx.keep_attachment(media_type, content)?,
            from: order.from.unwrap_or(now),
            until: None,
        };
        let event =
            DelegationEvent::RepresentativeRecorded { representative: representative.clone() };
        record(tx, permit.origin(), now, event)?;
        Ok(representative)
    });
    let act = (AuditCode::RepRecorded, ObjectRef::new("organisation", &order.organisation));
    told(env, permit.origin(), act, Some(order.organisation.clone()), done)
}

/// Ends the office of a representative now. The grants given from it wait thirty days for the word
/// of a successor (DG-6).
pub fn end_representative(
    env: &Env,
    permit: &Permit<RecordProofing>,
    id: &RepresentativeId,
) -> Result<Representative, ActError> {
    let now = env.clock.now();
    let seen = env.store.read(|tx| tx.load_representative(permit.scope(), id))?;
    let done = env.store.write(|tx| {
        let mut representative = tx.load_representative(permit.scope(), id)?;
        if representative.until.is_some() {
            return Err(conflict("ended").into());
        }
        representative.until = Some(now);
        let event = DelegationEvent::RepresentativeEnded { representative: representative.clone() };
        record(tx, permit.origin(), now, event)?;
        for grant in tx.grants_by(id)? {
            let review_until = Some(now.plus_days(REVIEW_DAYS));
            let grant = Box::new(Grant { review_until, ..grant });
            record(tx, permit.origin(), now, DelegationEvent::GrantReviewed { grant })?;
        }
        Ok(representative)
    });
    let act = (AuditCode::RepEnded, ObjectRef::new("representative", id));
    told(env, permit.origin(), act, Some(seen.organisation), done)
}

/// A delegate to be named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DelegateOrder {
    /// The organisation.
    pub organisation: OrganisationId,
    /// The person.
    pub person: PersonOrder,
    /// The only branch, or none for the whole organisation.
    pub branch: Option<BranchId>,
    /// Until when.
    pub until: Timestamp,
}

/// Names a delegate. That alone gives no power: a grant does.
pub fn add_delegate(
    env: &Env,
    permit: &Permit<ManageGrants>,
    order: &DelegateOrder,
) -> Result<Delegate, ActError> {
    let now = env.clock.now();
    let done = env.store.write(|tx| {
        covered(tx, permit.scope(), &order.organisation)?;
        if let Some(branch) = &order.branch {
            let branch = tx.load_branch(permit.scope(), branch)?;
            if branch.organisation != order.organisation {
                return Err(StoreError::NotFound { what: "branch" }.into());
            }
        }
        if order.until <= now || order.until > now.plus_days(LONGEST_DAYS) {
            return Err(conflict("period").into());
        }
        let person = take_person(env, tx, permit.origin(), &order.person, now)?;
        let delegate = Delegate {
            id: DelegateId::new(now, &*env.entropy),
            organisation: order.organisation.clone(),
            person: person.id,
            branch: order.branch.clone(),
            from: now,
            until: order.until,
        };
        let event = DelegationEvent::DelegateAdded { delegate: delegate.clone() };
        record(tx, permit.origin(), now, event)?;
        Ok(delegate)
    });
    let act = (AuditCode::DelegateAdded, ObjectRef::new("organisation", &order.organisation));
    told(env, permit.origin(), act, Some(order.organisation.clone()), done)
}

/// A delegate leaves: the grants of that person in the organisation end now. Gives those grants.
pub fn remove_delegate(
    env: &Env,
    permit: &Permit<ManageGrants>,
    id: &DelegateId,
) -> Result<Vec<Grant>, ActError> {
    let now = env.clock.now();
    let seen = env.store.read(|tx| tx.load_delegate(permit.scope(), id))?;
    let done = env.store.write(|tx| {
        let delegate = tx.load_delegate(permit.scope(), id)?;
        if !delegate.holds(now) {
            return Err(conflict("ended").into());
        }
        let delegate = Delegate { until: now, ..delegate };
        let event = DelegationEvent::DelegateRemoved { delegate: delegate.clone() };
        record(tx, permit.origin(), now, event)?;
        let stays = tx.list_delegates(permit.scope(), &delegate.organisation)?;
        let stays = stays.iter().any(|one| one.person == delegate.person && one.holds(now));
        let mut ended = Vec::new();
        if !stays {
            for account in tx.accounts_of_person(&delegate.person)? {
                for grant in tx.grants_of(&delegate.organisation, &account.id)? {
                    ended.extend(end_within(
                        tx,
                        permit.origin(),
                        &grant.terms.id,
                        GrantEnd::GranteeLeft,
                        now,
                    )?);
                }
            }
        }
        Ok(ended)
    });
    let act = (AuditCode::DelegateRemoved, ObjectRef::new("delegate", id));
    told(env, permit.origin(), act, Some(seen.organisation), done)
}

/// The organisation lies wholly within the scope.
pub(crate) fn covered(
    tx: &mut Tx<'_>,
    scope: &tenkoku_domain::access::Scope,
    organisation: &OrganisationId,
) -> Result<(), StoreError> {
    tx.load_organisation(scope, organisation)?;
    if scope.covers_organisation(organisation) {
        return Ok(());
    }
    Err(StoreError::NotFound { what: "organisation" })
}

fn conflict(state: &str) -> Refusal {
    Refusal::new(RefusalCode::StateConflict, "2").with("state", state)
}
