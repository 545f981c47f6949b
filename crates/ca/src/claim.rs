//! Accreditation records (DOMAIN 12.7, LV-1): recorded and ended by two persons; without a record
//! that is valid at issue no certificate claims anything (PR-2).

use tenkoku_domain::access::Origin;
use tenkoku_domain::accreditation::{Accreditation, AccreditationRecord};
use tenkoku_domain::audit::{Event, PolicyEvent};
use tenkoku_domain::authority::AuthorityKind;
use tenkoku_domain::id::AccreditationId;
use tenkoku_domain::level::Level;
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_domain::time::Timestamp;
use tenkoku_ports::Env;
use tenkoku_store::{StoreError, Tx};

/// A record has a form and is about an issuing authority of level 3.
pub(crate) fn check_record(
    tx: &mut Tx<'_>,
    record: &AccreditationRecord,
) -> Result<Result<(), Refusal>, StoreError> {
    let authority = tx.load_authority(&record.authority)?;
    if authority.kind != AuthorityKind::Issuing(Level::Three) {
        let refusal = Refusal::new(RefusalCode::ClaimNotBacked, "PR-2");
        return Ok(Err(refusal.with("problem", "authority")));
    }
    Ok(record.check())
}

pub(crate) fn check_end(
    tx: &mut Tx<'_>,
    id: &AccreditationId,
) -> Result<Result<(), Refusal>, StoreError> {
    let ended = tx.load_accreditation(id)?.ended_at.is_some();
    let refusal = || Refusal::new(RefusalCode::StateConflict, "12.7").with("state", "ended");
    Ok(if ended { Err(refusal()) } else { Ok(()) })
}

pub(crate) fn record(
    env: &Env,
    tx: &mut Tx<'_>,
    origin: &Origin,
    record: &AccreditationRecord,
    now: Timestamp,
) -> Result<(), StoreError> {
    let accreditation = Box::new(Accreditation {
        id: AccreditationId::new(now, &*env.entropy),
        record: record.clone(),
        recorded_at: now,
        ended_at: None,
    });
    tx.record(origin, now, &Event::Policy(PolicyEvent::ClaimRecorded { accreditation }))?;
    Ok(())
}

pub(crate) fn end(
    tx: &mut Tx<'_>,
    origin: &Origin,
    id: &AccreditationId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let standing = tx.load_accreditation(id)?;
    let accreditation = Box::new(Accreditation { ended_at: Some(now), ..standing });
    tx.record(origin, now, &Event::Policy(PolicyEvent::ClaimEnded { accreditation }))?;
    Ok(())
}
