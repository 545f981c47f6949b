//! Tables `policy_drafts` and `policy_decisions`: policy documents on their way into force.

use diesel::prelude::*;
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::policy::KeyPolicy;
use tenkoku_domain::policy::draft::{DraftState, PolicyDecision, PolicyDraft, Verdict};
use tenkoku_domain::time::Timestamp;

use crate::column::Place;
use crate::connection::AnyConnection;
use crate::error::StoreError;
use crate::schema::{policy_decisions, policy_drafts};
use crate::tx::{Tx, one};

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = policy_drafts)]
struct DraftRow {
    digest: String,
    id: String,
    version: String,
    text: String,
    document: String,
    author: String,
    drafted_at: i64,
    state: String,
}

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = policy_decisions)]
struct DecisionRow {
    digest: String,
    person: String,
    verdict: String,
    decided_at: i64,
    reason: String,
    actor: String,
}

impl DraftRow {
    fn read(self, decisions: Vec<DecisionRow>) -> Result<PolicyDraft, StoreError> {
        let place = Place::new("policy draft", &self.digest);
        Ok(PolicyDraft {
            digest: place.digest("digest", &self.digest)?,
            policy: place.ok("document", KeyPolicy::from_stored(&self.document))?,
            text: self.text,
            author: self.author,
            drafted_at: Timestamp::from_millis(self.drafted_at),
            state: place.some("state", DraftState::from_word(&self.state))?,
            decisions: decisions.into_iter().map(DecisionRow::read).collect::<Result<_, _>>()?,
        })
    }
}

impl DecisionRow {
    fn read(self) -> Result<PolicyDecision, StoreError> {
        let place = Place::new("decision about the policy", &self.digest);
        Ok(PolicyDecision {
            verdict: place.some("verdict", Verdict::from_word(&self.verdict))?,
            at: Timestamp::from_millis(self.decided_at),
            actor: place.ok("actor", serde_json::from_str(&self.actor))?,
            person: self.person,
            reason: self.reason,
        })
    }
}

impl Tx<'_> {
    /// The draft of a digest.
    pub fn load_draft(&mut self, digest: &Digest) -> Result<PolicyDraft, StoreError> {
        let row = policy_drafts::table
            .find(digest.to_string())
            .select(DraftRow::as_select())
            .first(self.conn)
            .optional()?
            .ok_or(StoreError::NotFound { what: "policy draft" })?;
        self.with_decisions(row)
    }

    /// The draft of a digest, for a decision: nobody else decides until this transaction ends.
    pub fn lock_draft(&mut self, digest: &Digest) -> Result<PolicyDraft, StoreError> {
        if let AnyConnection::Postgresql(conn) = &mut *self.conn {
            let row = policy_drafts::table.find(digest.to_string()).select(policy_drafts::digest);
            row.for_update().first::<String>(conn).optional()?;
        }
        self.load_draft(digest)
    }

    /// Every draft, newest first.
    pub fn list_drafts(&mut self) -> Result<Vec<PolicyDraft>, StoreError> {
        let rows = policy_drafts::table
            .order((policy_drafts::drafted_at.desc(), policy_drafts::digest))
            .select(DraftRow::as_select())
            .load(self.conn)?;
        rows.into_iter().map(|row| self.with_decisions(row)).collect()
    }

    fn with_decisions(&mut self, row: DraftRow) -> Result<PolicyDraft, StoreError> {
        let decisions = policy_decisions::table
            .filter(policy_decisions::digest.eq(&row.digest))
            .order((policy_decisions::decided_at, policy_decisions::person))
            .select(DecisionRow::as_select())
            .load(self.conn)?;
        row.read(decisions)
    }

    pub(crate) fn insert_draft(&mut self, draft: &PolicyDraft) -> Result<(), StoreError> {
        let wrong = |error| StoreError::Database(Box::new(error));
        let row = DraftRow {
            digest: draft.digest.to_string(),
            id: draft.policy.id.clone(),
            version: draft.policy.version.clone(),
            text: draft.text.clone(),
            document: draft.policy.canonical_json().map_err(wrong)?,
            author: draft.author.clone(),
            drafted_at: draft.drafted_at.millis(),
            state: draft.state.word().to_owned(),
        };
        diesel::insert_into(policy_drafts::table).values(row).execute(self.conn)?;
        Ok(())
    }

    pub(crate) fn insert_decision(
        &mut self,
        digest: &Digest,
        decision: &PolicyDecision,
    ) -> Result<(), StoreError> {
        let row = DecisionRow {
            digest: digest.to_string(),
            person: decision.person.clone(),
            verdict: decision.verdict.word().to_owned(),
            decided_at: decision.at.millis(),
            reason: decision.reason.clone(),
            actor: serde_json::json!(decision.actor).to_string(),
        };
        diesel::insert_into(policy_decisions::table).values(row).execute(self.conn)?;
        Ok(())
    }

    /// Moves a draft from one of some states into another.
    pub(crate) fn move_draft(
        &mut self,
        digest: &Digest,
        from: &[DraftState],
        to: DraftState,
    ) -> Result<(), StoreError> {
        let from: Vec<_> = from.iter().map(|state| state.word()).collect();
        let row = policy_drafts::table
            .filter(policy_drafts::digest.eq(digest.to_string()))
            .filter(policy_drafts::state.eq_any(from));
        let rows =
            diesel::update(row).set(policy_drafts::state.eq(to.word())).execute(self.conn)?;
        one(rows, "policy draft")
    }

    /// Marks the draft of a policy as superseded, where the policy was drafted here.
    pub(crate) fn supersede_draft(&mut self, digest: &Digest) -> Result<(), StoreError> {
        diesel::update(policy_drafts::table.find(digest.to_string()))
            .set(policy_drafts::state.eq(DraftState::Superseded.word()))
            .execute(self.conn)?;
        Ok(())
    }
}
