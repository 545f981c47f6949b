//! Tables `proposals` and `proposal_decisions`: acts that wait for other persons.

use diesel::prelude::*;
use tenkoku_domain::id::ProposalId;
use tenkoku_domain::policy::draft::{PolicyDecision, Verdict};
use tenkoku_domain::proposal::{Proposal, ProposalState};
use tenkoku_domain::time::Timestamp;

use crate::column::Place;
use crate::connection::AnyBackend;
use crate::error::StoreError;
use crate::page::Page;
use crate::schema::{proposal_decisions, proposals};
use crate::tx::{Tx, lock_row, one};

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = proposals)]
struct ProposalRow {
    id: String,
    act: String,
    digest: String,
    reason: String,
    author: String,
    proposed_at: i64,
    state: String,
}

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = proposal_decisions)]
struct DecisionRow {
    proposal_id: String,
    person: String,
    verdict: String,
    decided_at: i64,
    reason: String,
    actor: String,
}

impl ProposalRow {
    fn read(self, decisions: Vec<DecisionRow>) -> Result<Proposal, StoreError> {
        let place = Place::new("proposal", &self.id);
        Ok(Proposal {
            id: place.ok("id", ProposalId::parse(&self.id))?,
            act: place.ok("act", serde_json::from_str(&self.act))?,
            digest: place.digest("digest", &self.digest)?,
            reason: self.reason,
            author: self.author,
            proposed_at: Timestamp::from_millis(self.proposed_at),
            state: place.some("state", ProposalState::from_word(&self.state))?,
            decisions: decisions.into_iter().map(DecisionRow::read).collect::<Result<_, _>>()?,
        })
    }
}

impl DecisionRow {
    fn read(self) -> Result<PolicyDecision, StoreError> {
        let place = Place::new("decision about a proposal", &self.proposal_id);
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
    /// A proposal with its decisions.
    pub fn load_proposal(&mut self, id: &ProposalId) -> Result<Proposal, StoreError> {
        let row = proposals::table
            .find(id.as_str())
            .select(ProposalRow::as_select())
            .first(self.conn)
            .optional()?
            .ok_or(StoreError::NotFound { what: "proposal" })?;
        self.with_proposal_decisions(row)
    }

    /// A proposal, for a decision: nobody else decides until this transaction ends.
    pub fn lock_proposal(&mut self, id: &ProposalId) -> Result<Proposal, StoreError> {
        lock_row!(self, proposals, id.as_str());
        self.load_proposal(id)
    }

    /// Proposals, newest first; of one state where one is given.
    pub fn list_proposals(
        &mut self,
        state: Option<ProposalState>,
        after: Option<&str>,
        limit: i64,
    ) -> Result<Page<Proposal>, StoreError> {
        let mut query = proposals::table.into_boxed::<AnyBackend>();
        if let Some(state) = state {
            query = query.filter(proposals::state.eq(state.word()));
        }
        if let Some(after) = after {
            query = query.filter(proposals::id.lt(after));
        }
        let rows = query
            .order(proposals::id.desc())
            .limit(limit.saturating_add(1))
            .select(ProposalRow::as_select())
            .load(self.conn)?;
        Page::of(rows, limit, |row: &ProposalRow| row.id.clone())
            .try_map(|row| self.with_proposal_decisions(row))
    }

    fn with_proposal_decisions(&mut self, row: ProposalRow) -> Result<Proposal, StoreError> {
        let decisions = proposal_decisions::table
            .filter(proposal_decisions::proposal_id.eq(&row.id))
            .order((proposal_decisions::decided_at, proposal_decisions::person))
            .select(DecisionRow::as_select())
            .load(self.conn)?;
        row.read(decisions)
    }

    pub(crate) fn insert_proposal(&mut self, proposal: &Proposal) -> Result<(), StoreError> {
        let row = ProposalRow {
            id: proposal.id.to_string(),
            act: serde_json::json!(proposal.act).to_string(),
            digest: proposal.digest.to_string(),
            reason: proposal.reason.clone(),
            author: proposal.author.clone(),
            proposed_at: proposal.proposed_at.millis(),
            state: proposal.state.word().to_owned(),
        };
        diesel::insert_into(proposals::table).values(row).execute(self.conn)?;
        Ok(())
    }

    /// A person decided about an open proposal, which is now in the state it says.
    pub(crate) fn decide_proposal(
        &mut self,
        proposal: &Proposal,
        decision: &PolicyDecision,
    ) -> Result<(), StoreError> {
        let row = DecisionRow {
            proposal_id: proposal.id.to_string(),
            person: decision.person.clone(),
            verdict: decision.verdict.word().to_owned(),
            decided_at: decision.at.millis(),
            reason: decision.reason.clone(),
            actor: serde_json::json!(decision.actor).to_string(),
        };
        diesel::insert_into(proposal_decisions::table).values(row).execute(self.conn)?;
        let open = proposals::state.eq(ProposalState::Open.word());
        let rows = diesel::update(proposals::table.find(proposal.id.as_str()).filter(open))
            .set(proposals::state.eq(proposal.state.word()))
            .execute(self.conn)?;
        one(rows, "proposal")
    }
}
