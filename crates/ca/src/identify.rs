//! Further identifiers of an organisation that were checked: the LEI by its entry (P6 of DOMAIN 16).

use tenkoku_domain::access::{Permit, RecordOrganisation};
use tenkoku_domain::audit::{
    AuditCode, DelegationEvent, Event, ObjectRef, Proofing, RegistryEvent,
};
use tenkoku_domain::id::{OrganisationId, ProofingId};
use tenkoku_domain::identifier::Lei;
use tenkoku_domain::proofing::{Method, ProofingRecord, Subject};
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_ports::{Attempt, Env};

pub use crate::closing::ClosingError as IdentifyError;

/// Days for which the entry of an LEI counts (P6 of DOMAIN 16).
pub const LEI_DAYS: i64 = 398;

/// Records that an organisation's LEI was looked up: its entry is issued, active and fully
/// corroborated (DOMAIN 4.3), which `evidence`, the entry as it was found, shows.
///
/// # Errors
/// `identifier-invalid` for evidence that does not name the LEI with that status, `organisation-exists`
/// when another organisation has it.
pub fn proof_lei(
    env: &Env,
    permit: &Permit<RecordOrganisation>,
    organisation: &OrganisationId,
    (lei, evidence): (&Lei, &[u8]),
) -> Result<(), IdentifyError> {
    let now = env.clock.now();
    let proofed = env.store.write(|tx| {
        let organisation = tx.lock_organisation(permit.scope(), organisation)?;
        check_entry(lei, evidence)?;
        if tx.holder_of_lei(lei)?.is_some_and(|holder| holder != organisation.id) {
            return Err(Refusal::new(RefusalCode::OrganisationExists, "ID-4").into());
        }
        let kept = tx.keep_attachment("application/json", evidence)?;
        let proofing = Proofing { method: Method::P6.to_string(), evidence: kept };
        let record = ProofingRecord {
            id: ProofingId::new(now, &*env.entropy),
            organisation: organisation.id.clone(),
            subject: Subject::Organisation,
            method: Method::P6,
            level: Method::P6.reaches(),
            performed_by: tx.party(&permit.origin().actor)?,
            performed_at: now,
            valid_until: now.plus_days(Method::P6.days()),
            evidence: vec![kept],
            source: None,
        };
        let proofed = DelegationEvent::Proofed { record };
        tx.record(permit.origin(), now, &Event::Delegation(proofed))?;
        let event = RegistryEvent::LeiProofed { organisation, lei: lei.clone(), proofing };
        tx.record(permit.origin(), now, &Event::Registry(event))?;
        Ok(())
    });
    proofed.or_else(|error| match error {
        IdentifyError::Refused(refusal) => {
            let attempt = Attempt {
                code: AuditCode::OrgProofed,
                object: ObjectRef::new("organisation", organisation),
                organisation: Some(organisation.clone()),
                policy: None,
            };
            Err(env.refuse(permit.origin(), now, attempt, refusal)?.into())
        }
        IdentifyError::Store(_) => Err(error),
    })
}

/// The entry as the register of LEIs gives it (GLEIF, `lei-records`, JSON).
fn check_entry(lei: &Lei, evidence: &[u8]) -> Result<(), Refusal> {
    let wrong = |problem: &str| {
        Refusal::new(RefusalCode::IdentifierInvalid, "4.3")
            .with("problem", problem)
            .with("identifier", lei)
    };
    let entry: serde_json::Value =
        serde_json::from_slice(evidence).map_err(|_| wrong("lei-entry"))?;
    let says = |place: &str, value: &str| {
        entry.pointer(place).and_then(serde_json::Value::as_str) == Some(value)
    };
    let attributes = "/data/attributes";
    if !says(&format!("{attributes}/lei"), &lei.to_string()) {
        return Err(wrong("lei-entry"));
    }
    let standing = says(&format!("{attributes}/registration/status"), "ISSUED")
        && says(&format!("{attributes}/entity/status"), "ACTIVE")
        && says(&format!("{attributes}/registration/corroborationLevel"), "FULLY_CORROBORATED");
    if standing { Ok(()) } else { Err(wrong("lei-status")) }
}
