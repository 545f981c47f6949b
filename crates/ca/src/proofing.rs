//! Records how identities were checked: files of evidence, and certificates whose path is judged
//! (DOMAIN 16). What waited for a record goes on at once.

use tenkoku_domain::access::{Permit, RecordProofing};
use tenkoku_domain::application::ApplicationState;
use tenkoku_domain::audit::{AuditCode, DelegationEvent, ObjectRef};
use tenkoku_domain::canonical::{CanonicalError, canonical};
use tenkoku_domain::id::{OrganisationId, PersonId, ProofingId};
use tenkoku_domain::issuer::IssuerUse;
use tenkoku_domain::level::Level;
use tenkoku_domain::organisation::Organisation;
use tenkoku_domain::person::Person;
use tenkoku_domain::proofing::{Method, ProofingRecord, Source, Subject};
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_domain::time::Timestamp;
use tenkoku_ports::Env;
use tenkoku_store::{StoreError, Tx};

use crate::act::{ActError, EvidenceFile, told};
use crate::issuer::{Signatory, SignedFile, judge};
use crate::office::{covered, record};
use crate::progress::advance;

/// A proofing that was performed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProofingOrder {
    /// The organisation concerned.
    pub organisation: OrganisationId,
    /// Whose identity.
    pub subject: Subject,
    /// What was seen.
    pub finding: Finding,
    /// The level reached; the highest that the method can reach where nothing is said.
    pub level: Option<Level>,
    /// Until when; as long as the method allows where nothing is said.
    pub valid_until: Option<Timestamp>,
}

/// What was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// Files: extracts, letters, scans, snapshots.
    Files {
        /// By which method; never P3 or P4.
        method: Method,
        /// The files.
        files: Vec<EvidenceFile>,
    },
    /// P3: the representative signed the text of [`statement`] with a certificate.
    Certificate(SignedFile),
    /// P4: an issuer signed the text of [`statement`] about the person.
    Issuer(SignedFile),
}

/// What a representative or an issuer signs: that this person may act for this organisation.
pub fn statement(organisation: &Organisation, person: &Person) -> Result<String, CanonicalError> {
    canonical(&serde_json::json!({
        "v": 1,
        "statement": "acts-for",
        "organisation": organisation.identifier,
        "person": person.id,
        "name": person.name,
    }))
}

/// Records a proofing; applications of the organisation that waited for it go on.
pub fn record_proofing(
    env: &Env,
    permit: &Permit<RecordProofing>,
    order: &ProofingOrder,
) -> Result<ProofingRecord, ActError> {
    let now = env.clock.now();
    let done = env.store.write(|tx| {
        let kept = keep(env, tx, permit, order, now)?;
        record(tx, permit.origin(), now, DelegationEvent::Proofed { record: kept.clone() })?;
        for waiting in tx.applications_in(&order.organisation, ApplicationState::Proofing)? {
            let waiting = tx.lock_application(&crate::issuer::EVERYWHERE, &waiting.id)?;
            advance(env, tx, permit.origin(), waiting, now)?;
        }
        Ok(kept)
    });
    let act = (AuditCode::OrgProofed, ObjectRef::new("organisation", &order.organisation));
    told(env, permit.origin(), act, Some(order.organisation.clone()), done)
}

fn keep(
    env: &Env,
    tx: &mut Tx<'_>,
    permit: &Permit<RecordProofing>,
    order: &ProofingOrder,
    now: Timestamp,
) -> Result<ProofingRecord, ActError> {
    covered(tx, permit.scope(), &order.organisation)?;
    check_subject(tx, permit, order)?;
    let (method, files, source) = match &order.finding {
        Finding::Files { method, files } => (*method, files.clone(), None),
        Finding::Certificate(signed) => {
            let source = judged(tx, order, signed, IssuerUse::Representative, now)?;
            (Method::P3, evidence(signed), Some(source))
        }
        Finding::Issuer(signed) => {
            let source = judged(tx, order, signed, IssuerUse::Statement, now)?;
            (Method::P4, evidence(signed), Some(source))
        }
    };
    let mut digests = Vec::new();
    for file in &files {
        digests.push(tx.keep_attachment(&file.media_type, &file.content)?);
    }
    let longest = now.plus_days(method.days());
    let longest = source.as_ref().map_or(longest, |source| longest.min(source.not_after));
    let kept = ProofingRecord {
        id: ProofingId::new(now, &*env.entropy),
        organisation: order.organisation.clone(),
        subject: order.subject.clone(),
        method,
        level: order.level.unwrap_or(method.reaches()),
        performed_by: tx.party(&permit.origin().actor)?,
        performed_at: now,
        valid_until: order.valid_until.unwrap_or(longest),
        evidence: digests,
        source,
    };
    Ok(kept.check()?)
}

/// The branch is the organisation's, the person is in the register.
fn check_subject(
    tx: &mut Tx<'_>,
    permit: &Permit<RecordProofing>,
    order: &ProofingOrder,
) -> Result<(), StoreError> {
    match &order.subject {
        Subject::Organisation => Ok(()),
        Subject::Person(id) => tx.load_person(id).map(drop),
        Subject::Branch(id) => {
            let branch = tx.load_branch(permit.scope(), id)?;
            if branch.organisation == order.organisation {
                return Ok(());
            }
            Err(StoreError::NotFound { what: "branch" })
        }
    }
}

fn evidence(signed: &SignedFile) -> Vec<EvidenceFile> {
    let file = |media_type: &str, content: &[u8]| EvidenceFile {
        media_type: media_type.to_owned(),
        content: content.to_vec(),
    };
    let mut all = vec![file("application/cms", &signed.signature)];
    all.extend(signed.intermediates.iter().map(|one| file("application/pkix-cert", one)));
    all.extend(signed.crls.iter().map(|one| file("application/pkix-crl", one)));
    all
}

fn judged(
    tx: &mut Tx<'_>,
    order: &ProofingOrder,
    signed: &SignedFile,
    used: IssuerUse,
    now: Timestamp,
) -> Result<Source, ActError> {
    let organisation = tx.load_organisation(&crate::issuer::EVERYWHERE, &order.organisation)?;
    let Subject::Person(person) = &order.subject else {
        return Err(Refusal::new(RefusalCode::ProofingMissing, "16")
            .with("problem", "subject")
            .into());
    };
    let person = tx.load_person(person)?;
    let text = statement(&organisation, &person)?;
    let signatory = judge(tx, used, &order.organisation, (signed, &text), now)??;
    if used == IssuerUse::Representative {
        check_representative(tx, &signatory, &organisation, &person.id, now)??;
    }
    Ok(signatory.source)
}

/// The certificate names the organisation, and the person represents it now. Where it names a
/// person too, it is this one.
pub(crate) fn check_representative(
    tx: &mut Tx<'_>,
    signatory: &Signatory,
    organisation: &Organisation,
    person: &PersonId,
    now: Timestamp,
) -> Result<Result<(), Refusal>, StoreError> {
    let mismatch = |problem: &str| {
        Refusal::new(RefusalCode::IdentifierMismatch, "P3").with("problem", problem.to_owned())
    };
    let holder = &signatory.holder;
    if !holder.is_of(organisation.identifier.as_str(), organisation.legal_name.as_str()) {
        return Ok(Err(mismatch("organisation")));
    }
    let known = tx.load_person(person)?;
    if !holder.is_called(known.name.as_str()) {
        return Ok(Err(mismatch("person")));
    }
    if tx.find_representative(&organisation.id, person, now)?.is_none() {
        return Ok(Err(mismatch("capacity")));
    }
    Ok(Ok(()))
}
