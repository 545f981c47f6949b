//! Grants: drafted, signed by the representative or on paper, given on, reviewed, ended (DOMAIN 15,
//! 6.8).
//!
//! What a grant covers is asked where something is done under it: `progress`.

use std::collections::BTreeSet;

use serde_json::json;
use tenkoku_domain::access::{
    Apply, Confirm, Issue, ManageGrants, OperateAuthority, Origin, Permit, RecordProofing, Scope,
};
use tenkoku_domain::approval::{
    Approvable, ApprovalRequest, ApprovalState, Conditions, Step, needs,
};
use tenkoku_domain::audit::{AuditCode, DelegationEvent, ObjectRef};
use tenkoku_domain::branch::BranchCode;
use tenkoku_domain::canonical::{Digest, canonical};
use tenkoku_domain::certificate::Profile;
use tenkoku_domain::grant::{
    Grant, GrantAction, GrantEnd, GrantForm, GrantQuota, GrantScope, GrantState, GrantTerms,
};
use tenkoku_domain::id::{GrantId, OrganisationId, PersonId, RepresentativeId, UserId};
use tenkoku_domain::issuer::IssuerUse;
use tenkoku_domain::level::Level;
use tenkoku_domain::name::Name;
use tenkoku_domain::person::{Party, Representative};
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_domain::suspension::HoldCause;
use tenkoku_domain::time::Timestamp;
use tenkoku_ports::Env;
use tenkoku_store::{StoreError, Tx};

use crate::act::{ActError, EvidenceFile, told};
use crate::approval::{Opening, Ruling, is_of_organisation, open, rule};
use crate::issuer::{EVERYWHERE, SignedFile, judge};
use crate::office::{covered, record};
use crate::proofing::check_representative;
use crate::suspend::{SuspendError, suspend_within};

/// Days until a container whose custodian lost the only grant needs another (DOMAIN 6.8).
const CUSTODIAN_DAYS: i64 = 14;

/// In which capacity a grantor grants, as the signed document says it.
const CAPACITY: &str = "representative";
/// The same of a sub-grant.
const SUB_CAPACITY: &str = "delegate";

/// For which branch offices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// These.
    Branches(BTreeSet<BranchCode>),
    /// Every branch of the organisation as it is now.
    Everywhere,
    /// Every branch, and those that are recorded later (DG-4).
    EverywhereAndLater,
}

/// A grant to be drafted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantOrder {
    /// The organisation.
    pub organisation: OrganisationId,
    /// Who will sign it.
    pub representative: RepresentativeId,
    /// What is granted, and to whom.
    pub part: GrantPart,
}

/// What is granted, and to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantPart {
    /// The account.
    pub grantee: UserId,
    /// What may be done.
    pub actions: Vec<GrantAction>,
    /// For which branches.
    pub reach: Reach,
    /// At which levels; under the profiles of these.
    pub levels: BTreeSet<Level>,
    /// How much.
    pub quota: GrantQuota,
    /// From when.
    pub not_before: Timestamp,
    /// The last second; the longest that the levels allow where nothing is said.
    pub not_after: Option<Timestamp>,
    /// How often it may be given on: 0 or 1.
    pub subgrant_depth: i64,
    /// What it demands beyond.
    pub conditions: Conditions,
}

/// Drafts a grant of a representative to a delegate of the organisation.
pub fn draft_grant(
    env: &Env,
    permit: &Permit<ManageGrants>,
    order: &GrantOrder,
) -> Result<Grant, ActError> {
    let now = env.clock.now();
    let done = env.store.write(|tx| {
        covered(tx, permit.scope(), &order.organisation)?;
        let office = tx.load_representative(permit.scope(), &order.representative)?;
        if office.organisation != order.organisation || !office.holds(now) {
            return Err(StoreError::NotFound { what: "representative" }.into());
        }
        let grantor = tx.load_person(&office.person)?;
        let terms = terms(env, tx, &order.organisation, &order.part, now)?;
        let terms = GrantTerms { grantor: titled(&office, &grantor.name)?, ..terms };
        let terms = GrantTerms { capacity: CAPACITY.to_owned(), ..terms };
        terms.check()?;
        draft(tx, permit.origin(), (terms, office.id, grantor.id), &order.organisation, now)
    });
    let act = (AuditCode::GrantDrafted, ObjectRef::new("organisation", &order.organisation));
    told(env, permit.origin(), act, Some(order.organisation.clone()), done)
}

/// Gives a part of one's own grant to another delegate. It is in force at once: the grantee of the
/// parent answers for it with a session whose second factor is fresh (I-7).
pub fn give_on(
    env: &Env,
    permit: &Permit<Apply>,
    parent: &GrantId,
    part: &GrantPart,
) -> Result<Grant, ActError> {
    let now = env.clock.now();
    let origin = permit.origin();
    let seen = env.store.read(|tx| tx.load_grant(&EVERYWHERE, parent))?;
    let done = env.store.write(|tx| {
        let outer = tx.load_grant(&EVERYWHERE, parent)?;
        if outer.terms.grantee.as_str() != origin.actor.id {
            return Err(StoreError::NotFound { what: "grant" }.into());
        }
        if outer.state != GrantState::Active || outer.terms.not_after < now {
            return Err(state_conflict(&outer).into());
        }
        let giver = tx.load_account(&outer.terms.grantee)?;
        let terms = terms(env, tx, &outer.organisation, part, now)?;
        let terms = GrantTerms {
            grantor: outer.terms.grantee_name.clone(),
            capacity: SUB_CAPACITY.to_owned(),
            parent: Some(outer.terms.id.clone()),
            ..terms
        };
        terms.check()?;
        terms.check_within(&outer.terms)?;
        let office = outer.representative.clone();
        let drafted = draft(tx, origin, (terms, office, giver.person), &outer.organisation, now)?;
        let authenticator = origin.actor.authenticator.clone().unwrap_or_default();
        let form = GrantForm::Session { authenticator };
        signed(tx, origin, drafted, (form, GrantState::Active, None), now)
    });
    let act = (AuditCode::GrantDrafted, ObjectRef::new("grant", parent));
    told(env, origin, act, Some(seen.organisation), done)
}

/// The grantor as the document names him or her: capacity and name.
fn titled(office: &Representative, name: &Name) -> Result<Name, Refusal> {
    Name::parse(&format!("{} {name}", office.capacity))
}

fn terms(
    env: &Env,
    tx: &mut Tx<'_>,
    organisation: &OrganisationId,
    part: &GrantPart,
    now: Timestamp,
) -> Result<GrantTerms, ActError> {
    let grantee = tx.load_account(&part.grantee)?;
    let delegates = tx.list_delegates(&EVERYWHERE, organisation)?;
    let mut offices = delegates.iter().filter(|one| one.person == grantee.person && one.holds(now));
    let office = offices
        .next()
        .ok_or_else(|| Refusal::new(RefusalCode::GrantScope, "15").with("part", "delegate"))?;
    let known = tx.branch_codes(organisation)?;
    let (branches, follow_new_branches) = match &part.reach {
        Reach::Branches(codes) => (codes.clone(), false),
        Reach::Everywhere => (known.clone(), false),
        Reach::EverywhereAndLater => (known.clone(), true),
    };
    let only = match &office.branch {
        Some(branch) => Some(tx.load_branch(&EVERYWHERE, branch)?.code),
        None => None,
    };
    let elsewhere =
        only.is_some_and(|only| follow_new_branches || branches.iter().any(|code| *code != only));
    if elsewhere || !branches.is_subset(&known) {
        return Err(Refusal::new(RefusalCode::GrantScope, "15").with("part", "branch").into());
    }
    let policy = tx.current_policy(now)?;
    let identifier = tx.load_organisation(&EVERYWHERE, organisation)?.identifier;
    let three = part.levels.contains(&Level::Three);
    let longest = part.not_before.plus_days(if three { 366 } else { 731 });
    Ok(GrantTerms {
        id: GrantId::new(now, &*env.entropy),
        organisation: identifier,
        grantor: Name::parse(&grantee.display_name)?,
        capacity: String::new(),
        grantee: grantee.id,
        grantee_name: Name::parse(&grantee.display_name)?,
        scope: GrantScope {
            actions: part.actions.clone(),
            branches,
            follow_new_branches,
            levels: part.levels.clone(),
            profiles: part.levels.iter().map(|level| Profile::seal(*level)).collect(),
        },
        quota: part.quota,
        not_before: part.not_before.floor(),
        not_after: part.not_after.unwrap_or(longest).floor(),
        subgrant_depth: part.subgrant_depth,
        policy: policy.digest()?,
        conditions: part.conditions,
        parent: None,
    })
}

fn draft(
    tx: &mut Tx<'_>,
    origin: &Origin,
    (terms, representative, grantor): (GrantTerms, RepresentativeId, PersonId),
    organisation: &OrganisationId,
    now: Timestamp,
) -> Result<Grant, ActError> {
    let grant = Grant {
        terms,
        organisation: organisation.clone(),
        grantor,
        representative,
        drafted_by: tx.party(&origin.actor)?,
        drafted_at: now,
        form: None,
        state: GrantState::Draft,
        review_until: None,
        end: None,
        ended_at: None,
    };
    record(tx, origin, now, DelegationEvent::GrantDrafted { grant: Box::new(grant.clone()) })?;
    Ok(grant)
}

fn signed(
    tx: &mut Tx<'_>,
    origin: &Origin,
    grant: Grant,
    (form, to, request): (GrantForm, GrantState, Option<Box<ApprovalRequest>>),
    now: Timestamp,
) -> Result<Grant, ActError> {
    let signed = Grant { form: Some(form), ..grant };
    moved(tx, origin, signed, (to, request), now)
}

fn moved(
    tx: &mut Tx<'_>,
    origin: &Origin,
    grant: Grant,
    (to, request): (GrantState, Option<Box<ApprovalRequest>>),
    now: Timestamp,
) -> Result<Grant, ActError> {
    grant.may_move(to)?;
    let from = grant.state;
    let grant = Grant { state: to, ..grant };
    let event = DelegationEvent::GrantMoved { grant: Box::new(grant.clone()), from, request };
    record(tx, origin, now, event)?;
    Ok(grant)
}

/// What the representative signs: the canonical JSON of the terms (RFC 8785). Its SHA-256 is the
/// digest of the grant.
pub fn signing_text(grant: &Grant) -> Result<String, ActError> {
    Ok(canonical(&grant.terms.document())?)
}

/// A draft whose grantor still represents the organisation and whose time has not passed.
fn load_draft(
    tx: &mut Tx<'_>,
    scope: &Scope,
    id: &GrantId,
    now: Timestamp,
) -> Result<Grant, ActError> {
    let grant = tx.load_grant(scope, id)?;
    if grant.state != GrantState::Draft {
        return Err(state_conflict(&grant).into());
    }
    let office = tx.load_representative(&EVERYWHERE, &grant.representative)?;
    if !office.holds(now) {
        return Err(Refusal::new(RefusalCode::GrantEnded, "DG-6").with("part", "capacity").into());
    }
    if grant.terms.not_after < now {
        return Err(Refusal::new(RefusalCode::GrantEnded, "DG-1").with("part", "date").into());
    }
    Ok(grant)
}

fn state_conflict(grant: &Grant) -> Refusal {
    Refusal::new(RefusalCode::StateConflict, "6.8").with("state", grant.state)
}

/// Runs an act on a grant and records its refusal.
fn on_grant<T>(
    env: &Env,
    origin: &Origin,
    scope: &Scope,
    (id, code): (&GrantId, AuditCode),
    act: impl FnOnce(&mut Tx<'_>, Timestamp) -> Result<T, ActError>,
) -> Result<T, ActError> {
    let now = env.clock.now();
    let seen = env.store.read(|tx| tx.load_grant(scope, id))?;
    let done = env.store.write(|tx| act(tx, now));
    told(env, origin, (code, ObjectRef::new("grant", id)), Some(seen.organisation), done)
}

/// Takes the representative's signature over the text, made with a certificate; the grant is in
/// force at once. The path of the certificate is judged at this instant.
pub fn sign_with_certificate(
    env: &Env,
    permit: &Permit<ManageGrants>,
    id: &GrantId,
    file: &SignedFile,
) -> Result<Grant, ActError> {
    let (origin, scope) = (permit.origin(), permit.scope());
    on_grant(env, origin, scope, (id, AuditCode::GrantSigned), |tx, now| {
        let grant = load_draft(tx, scope, id, now)?;
        let organisation = tx.load_organisation(&EVERYWHERE, &grant.organisation)?;
        let text = signing_text(&grant)?;
        let used = IssuerUse::Representative;
        let signatory = judge(tx, used, &grant.organisation, (file, &text), now)??;
        check_representative(tx, &signatory, &organisation, &grant.grantor, now)??;
        let evidence = tx.keep_attachment("application/cms", &file.signature)?;
        for crl in &file.crls {
            tx.keep_attachment("application/pkix-crl", crl)?;
        }
        let form = GrantForm::Certificate { source: signatory.source, evidence };
        signed(tx, origin, grant, (form, GrantState::Active, None), now)
    })
}

/// A passkey's answer to the digest of a grant, verified by whoever asked for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasskeyProof {
    /// The digest that was the challenge.
    pub digest: Digest,
    /// The credential's identifier, base64url.
    pub credential: String,
    /// The assertion, JSON, as evidence.
    pub assertion: Vec<u8>,
}

/// Signs a grant as the representative whose passkey answered its digest.
pub fn sign_with_passkey(
    env: &Env,
    permit: &Permit<Confirm>,
    id: &GrantId,
    proof: &PasskeyProof,
) -> Result<Grant, ActError> {
    let (origin, scope) = (permit.origin(), permit.scope());
    on_grant(env, origin, scope, (id, AuditCode::GrantSigned), |tx, now| {
        let grant = load_draft(tx, scope, id, now)?;
        let own = tx.party(&origin.actor)? == Party::Person(grant.grantor.clone());
        if !own {
            return Err(not_authorised().into());
        }
        if grant.terms.digest()? != proof.digest {
            return Err(Refusal::new(RefusalCode::StateConflict, "I-9")
                .with("state", "changed")
                .into());
        }
        let evidence = tx.keep_attachment("application/json", &proof.assertion)?;
        let form = GrantForm::Passkey { credential: proof.credential.clone(), evidence };
        signed(tx, origin, grant, (form, GrantState::Active, None), now)
    })
}

fn not_authorised() -> Refusal {
    Refusal::new(RefusalCode::NotAuthorised, "15").with("permission", "confirm")
}

/// Takes a grant that was signed on paper: the scan, and the record of the call back to the
/// representative. Two registration officers must approve it.
pub fn hand_in_paper(
    env: &Env,
    permit: &Permit<RecordProofing>,
    id: &GrantId,
    (scan, call_back): (&EvidenceFile, &EvidenceFile),
) -> Result<Grant, ActError> {
    let (origin, scope) = (permit.origin(), permit.scope());
    on_grant(env, origin, scope, (id, AuditCode::GrantSigned), |tx, now| {
        let grant = load_draft(tx, scope, id, now)?;
        if scan.content.is_empty() || call_back.content.is_empty() {
            let missing = Refusal::new(RefusalCode::ProofingMissing, "15");
            return Err(missing.with("problem", "evidence").into());
        }
        let scan = tx.keep_attachment(&scan.media_type, &scan.content)?;
        let call_back = tx.keep_attachment(&call_back.media_type, &call_back.content)?;
        let shown = json!({
            "v": 1,
            "grant": grant.terms.document(),
            "scan": scan,
            "call_back": call_back,
        });
        let opening = Opening {
            object: ObjectRef::new("grant", id),
            organisation: Some(grant.organisation.clone()),
            shown,
            askers: BTreeSet::new(),
            needs: needs(Approvable::PaperGrant),
        };
        let request = Some(Box::new(open(&*env.entropy, opening, now)?));
        let form = GrantForm::Paper { scan, call_back };
        signed(tx, origin, grant, (form, GrantState::Signed, request), now)
    })
}

/// One officer's decision about a paper grant; the second approval brings it into force.
pub fn decide_paper(
    env: &Env,
    permit: &Permit<Issue>,
    id: &GrantId,
    ruling: &Ruling,
) -> Result<Grant, ActError> {
    let (origin, scope) = (permit.origin(), permit.scope());
    on_grant(env, origin, scope, (id, AuditCode::GrantRefused), |tx, now| {
        let grant = tx.load_grant(scope, id)?;
        if grant.state != GrantState::Signed {
            return Err(state_conflict(&grant).into());
        }
        let request = tx
            .find_approval_request(&ObjectRef::new("grant", id))?
            .ok_or_else(|| state_conflict(&grant))?;
        let party = tx.party(&origin.actor)?;
        let own = is_of_organisation(tx, &party, &grant.organisation, now)?;
        let request = rule(tx, origin, request, (Step::Officer, own), ruling, now)?;
        match request.state {
            ApprovalState::Approved => moved(tx, origin, grant, (GrantState::Active, None), now),
            ApprovalState::Rejected => {
                let ended = Grant { end: Some(GrantEnd::Refused), ended_at: Some(now), ..grant };
                moved(tx, origin, ended, (GrantState::Ended, None), now)
            }
            ApprovalState::Open | ApprovalState::Void => Ok(grant),
        }
    })
}

/// DG-6: a successor confirms a grant of a representative who left. It is the successor's from then
/// on; what was paused is in force again.
pub fn confirm_grant(env: &Env, permit: &Permit<Confirm>, id: &GrantId) -> Result<Grant, ActError> {
    let (origin, scope) = (permit.origin(), permit.scope());
    on_grant(env, origin, scope, (id, AuditCode::GrantAmended), |tx, now| {
        let grant = tx.load_grant(scope, id)?;
        if grant.review_until.is_none() {
            return Err(state_conflict(&grant).into());
        }
        let Party::Person(person) = tx.party(&origin.actor)? else {
            return Err(not_authorised().into());
        };
        let office = tx
            .find_representative(&grant.organisation, &person, now)?
            .ok_or_else(not_authorised)?;
        let was = grant.state;
        let confirmed = Grant { review_until: None, representative: office.id, ..grant };
        let event = DelegationEvent::GrantReviewed { grant: Box::new(confirmed.clone()) };
        record(tx, origin, now, event)?;
        match was {
            GrantState::Paused => moved(tx, origin, confirmed, (GrantState::Active, None), now),
            GrantState::Draft | GrantState::Signed | GrantState::Active | GrantState::Ended => {
                Ok(confirmed)
            }
        }
    })
}

/// Ends a grant and its sub-grants at once. Credentials stay; containers of custodians who held only
/// this get a task. Gives everything that ended, the grant itself first.
pub fn end_grant(
    env: &Env,
    permit: &Permit<ManageGrants>,
    id: &GrantId,
) -> Result<Vec<Grant>, ActError> {
    let (origin, scope) = (permit.origin(), permit.scope());
    on_grant(env, origin, scope, (id, AuditCode::GrantEnded), |tx, now| {
        let grant = tx.load_grant(scope, id)?;
        grant.may_move(GrantState::Ended)?;
        end_within(tx, origin, id, GrantEnd::Revoked, now)
    })
}

/// A delegate gives a grant back.
pub fn give_back(env: &Env, permit: &Permit<Apply>, id: &GrantId) -> Result<Vec<Grant>, ActError> {
    let origin = permit.origin();
    on_grant(env, origin, &EVERYWHERE, (id, AuditCode::GrantEnded), |tx, now| {
        let grant = tx.load_grant(&EVERYWHERE, id)?;
        if grant.terms.grantee.as_str() != origin.actor.id {
            return Err(StoreError::NotFound { what: "grant" }.into());
        }
        grant.may_move(GrantState::Ended)?;
        end_within(tx, origin, id, GrantEnd::GranteeLeft, now)
    })
}

/// Ends a grant, its sub-grants, and what follows for custodians; nothing where it has ended.
pub(crate) fn end_within(
    tx: &mut Tx<'_>,
    origin: &Origin,
    id: &GrantId,
    because: GrantEnd,
    now: Timestamp,
) -> Result<Vec<Grant>, ActError> {
    let mut ended = Vec::new();
    let mut open = vec![tx.load_grant(&EVERYWHERE, id)?];
    open.extend(tx.subgrants_of(id)?);
    for grant in open {
        if grant.state == GrantState::Ended {
            continue;
        }
        let grant = Grant { end: Some(because), ended_at: Some(now), ..grant };
        let grant = moved(tx, origin, grant, (GrantState::Ended, None), now)?;
        want_custodians(tx, origin, &grant, now)?;
        ended.push(grant);
    }
    Ok(ended)
}

/// DOMAIN 6.8: containers whose custodian held only this grant need a new one within 14 days.
fn want_custodians(
    tx: &mut Tx<'_>,
    origin: &Origin,
    grant: &Grant,
    now: Timestamp,
) -> Result<(), ActError> {
    let account = tx.load_account(&grant.terms.grantee)?;
    let person = tx.load_person(&account.person)?;
    if person.contact.is_empty() {
        return Ok(());
    }
    for other in tx.accounts_of_person(&person.id)? {
        let grants = tx.grants_of(&grant.organisation, &other.id)?;
        if grants.iter().any(|one| one.state == GrantState::Active) {
            return Ok(());
        }
    }
    let wanted: BTreeSet<_> =
        tx.list_custodian_tasks()?.into_iter().map(|task| task.container).collect();
    for container in tx.containers_of_custodian(&grant.organisation, &person.contact)? {
        if !wanted.contains(&container.id) {
            let event = DelegationEvent::CustodianWanted {
                container: container.id,
                organisation: grant.organisation.clone(),
                grant: grant.terms.id.clone(),
                due: now.plus_days(CUSTODIAN_DAYS),
            };
            record(tx, origin, now, event)?;
        }
    }
    Ok(())
}

/// What the day brings for grants: those whose period is over end, those whose review is over are
/// paused (DG-6), and containers without a new custodian have their instances suspended. Gives how
/// many of each. A second run changes nothing.
pub fn settle_grants(
    env: &Env,
    permit: &Permit<OperateAuthority>,
) -> Result<[usize; 3], StoreError> {
    settle(env, permit).map_err(|error| match error {
        ActError::Store(error) => error,
        ActError::Refused(_) | ActError::Canonical(_) => StoreError::Database(Box::new(error)),
    })
}

fn settle(env: &Env, permit: &Permit<OperateAuthority>) -> Result<[usize; 3], ActError> {
    let now = env.clock.now();
    let origin = permit.origin();
    let (mut ended, mut paused, mut suspended) = (0, 0, 0);
    for due in env.store.read(|tx| tx.list_due_grants(now))? {
        env.store.write(|tx| {
            let grant = tx.load_grant(&EVERYWHERE, &due.terms.id)?;
            if grant.terms.not_after < now && grant.state != GrantState::Ended {
                let id = grant.terms.id.clone();
                ended += end_within(tx, origin, &id, GrantEnd::Expired, now)?.len();
            } else if grant.state == GrantState::Active
                && grant.review_until.is_some_and(|until| until <= now)
            {
                moved(tx, origin, grant, (GrantState::Paused, None), now)?;
                paused += 1;
            }
            Ok::<_, ActError>(())
        })?;
    }
    for task in env.store.read(|tx| tx.list_custodian_tasks())? {
        if now < task.due_at {
            continue;
        }
        suspended += env.store.write(|tx| {
            let container = tx.load_container(&EVERYWHERE, &task.container)?;
            let mut held = 0;
            for certificate in tx.live_certificates_in(&container.id)? {
                let because = (HoldCause::CustodianGone, "");
                match suspend_within(tx, origin, &certificate, because, now) {
                    Ok(_) => held += 1,
                    // Held, ended or expired already: nothing seals with it.
                    Err(SuspendError::Refused(_)) => {}
                    Err(SuspendError::Store(error)) => return Err(ActError::from(error)),
                }
            }
            let event = DelegationEvent::CustodianMissing {
                container: container.id,
                organisation: container.organisation,
            };
            record(tx, origin, now, event)?;
            Ok(held)
        })?;
    }
    Ok([ended, paused, suspended])
}
