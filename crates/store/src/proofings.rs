//! Table `proofings`: how identities were checked, by whom, on what evidence (DOMAIN 16).

use diesel::prelude::*;
use tenkoku_domain::access::{Actor, Scope};
use tenkoku_domain::audit::Proofing;
use tenkoku_domain::id::OrganisationId;
use tenkoku_domain::time::Timestamp;

use crate::column::Place;
use crate::error::StoreError;
use crate::schema::proofings;
use crate::tx::Tx;

/// A proofing that was performed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProofingRecord {
    /// Method and evidence.
    pub proofing: Proofing,
    /// The identifier of the actor who performed it.
    pub performed_by: String,
    /// When.
    pub performed_at: Timestamp,
}

impl Tx<'_> {
    /// The proofings of an organisation within the scope, oldest first.
    pub fn list_proofings(
        &mut self,
        scope: &Scope,
        organisation: &OrganisationId,
    ) -> Result<Vec<ProofingRecord>, StoreError> {
        self.load_organisation(scope, organisation)?;
        let rows = proofings::table
            .filter(proofings::organisation_id.eq(organisation.as_str()))
            .order((proofings::performed_at, proofings::method))
            .select((
                proofings::method,
                proofings::evidence,
                proofings::performed_by,
                proofings::performed_at,
            ))
            .load::<(String, String, String, i64)>(self.conn)?;
        let place = Place::new("proofing", organisation.as_str());
        rows.into_iter()
            .map(|(method, evidence, performed_by, at)| {
                let evidence = place.digest("evidence", &evidence)?;
                let performed_at = Timestamp::from_millis(at);
                let proofing = Proofing { method, evidence };
                Ok(ProofingRecord { proofing, performed_by, performed_at })
            })
            .collect()
    }

    /// Keeps a proofing.
    pub(crate) fn insert_proofing(
        &mut self,
        organisation: &OrganisationId,
        proofing: &Proofing,
        actor: &Actor,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        diesel::insert_into(proofings::table)
            .values((
                proofings::organisation_id.eq(organisation.as_str()),
                proofings::performed_at.eq(at.millis()),
                proofings::method.eq(&proofing.method),
                proofings::evidence.eq(proofing.evidence.to_string()),
                proofings::performed_by.eq(&actor.id),
            ))
            .execute(self.conn)?;
        Ok(())
    }
}
