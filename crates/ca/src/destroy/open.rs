//! Proofs of destruction that are awaited or wait for a decision: the work list of those who hand
//! them in and of those who decide (DOMAIN 11).

use tenkoku_domain::access::{Permit, ViewRegistry};
use tenkoku_domain::destruction::{Evidence, EvidenceState};
use tenkoku_domain::key::KeyState;
use tenkoku_ports::Env;
use tenkoku_store::{StoreError, Tx};

use crate::life::{SealKey, load_seal_key};

/// A key whose destruction is not shown yet.
#[derive(Clone, Debug)]
pub struct OpenProof {
    /// The key.
    pub key: SealKey,
    /// What was handed in so far, newest first.
    pub evidence: Vec<(Evidence, EvidenceState)>,
    /// Who decided on the newest, where it still waits.
    pub decided: Vec<String>,
}

impl OpenProof {
    /// The evidence that waits for a decision.
    pub fn waiting(&self) -> Option<&Evidence> {
        let handed = |(_, state): &&(Evidence, EvidenceState)| *state == EvidenceState::Handed;
        self.evidence.iter().find(handed).map(|(evidence, _)| evidence)
    }
}

/// Every open proof within the permit's scope, the one that is due first at the top; keys without a
/// due date yet stand last.
pub fn open_proofs(env: &Env, permit: &Permit<ViewRegistry>) -> Result<Vec<OpenProof>, StoreError> {
    const AWAITED: [KeyState; 4] =
        [KeyState::Retiring, KeyState::DestructionDue, KeyState::Compromised, KeyState::Lost];
    env.store.read(|tx| {
        let mut open = Vec::new();
        for key in tx.list_seal_keys_in(&AWAITED)? {
            match load_seal_key(tx, permit.scope(), &key.id) {
                Ok(found) => open.push(proof(tx, found)?),
                Err(StoreError::NotFound { .. }) => {}
                Err(other) => return Err(other),
            }
        }
        open.sort_by_key(|one| {
            (one.key.life.due_at.is_none(), one.key.life.due_at, one.key.key.id.clone())
        });
        Ok(open)
    })
}

/// What is known about the destruction of one key.
pub fn proof(tx: &mut Tx<'_>, key: SealKey) -> Result<OpenProof, StoreError> {
    let evidence = tx.evidence_of_key(&key.key.id)?;
    let mut one = OpenProof { key, evidence, decided: Vec::new() };
    if let Some(waiting) = one.waiting().map(|evidence| evidence.id.clone()) {
        one.decided = tx.decided_by(&waiting)?;
    }
    Ok(one)
}
