//! Tables `list_drafts`, `list_draft_edits` and `list_draft_decisions`: trusted lists on their way.

use diesel::prelude::*;
use tenkoku_domain::id::ListDraftId;
use tenkoku_domain::policy::draft::{PolicyDecision, Verdict};
use tenkoku_domain::time::Timestamp;
use tenkoku_domain::trusted_list::SchemeCode;
use tenkoku_domain::trusted_list::draft::{DraftEdit, ListDraft, ListDraftState};

use crate::column::Place;
use crate::error::StoreError;
use crate::page::Page;
use crate::schema::{list_draft_decisions, list_draft_edits, list_drafts};
use crate::tx::{Tx, lock_row, one};

#[derive(AsChangeset, Insertable, Queryable, Selectable)]
#[diesel(table_name = list_drafts)]
#[diesel(treat_none_as_null = true)]
struct DraftRow {
    id: String,
    scheme: String,
    base: Option<String>,
    author: String,
    opened_at: i64,
    document: String,
    content: String,
    state: String,
    submitted_at: Option<i64>,
    open: Option<i64>,
}

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = list_draft_edits)]
struct EditRow {
    draft_id: String,
    number: i64,
    edit: String,
    person: String,
    edited_at: i64,
    content: String,
}

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = list_draft_decisions)]
struct DecisionRow {
    draft_id: String,
    revision: i64,
    person: String,
    verdict: String,
    decided_at: i64,
    reason: String,
    actor: String,
}

impl From<&ListDraft> for DraftRow {
    fn from(draft: &ListDraft) -> Self {
        Self {
            id: draft.id.to_string(),
            scheme: draft.scheme.to_string(),
            base: draft.base.map(|base| base.to_string()),
            author: draft.author.clone(),
            opened_at: draft.opened_at.millis(),
            document: draft.document.clone(),
            content: draft.content.to_string(),
            state: draft.state.word().to_owned(),
            submitted_at: draft.submitted_at.map(Timestamp::millis),
            open: draft.state.is_open().then_some(1),
        }
    }
}

impl DraftRow {
    fn read(
        self,
        edits: Vec<EditRow>,
        decisions: Vec<DecisionRow>,
    ) -> Result<ListDraft, StoreError> {
        let place = Place::new("draft of a list", &self.id);
        Ok(ListDraft {
            id: place.ok("id", ListDraftId::parse(&self.id))?,
            scheme: place.ok("scheme", SchemeCode::parse(&self.scheme))?,
            base: self.base.map(|base| place.digest("base", &base)).transpose()?,
            author: self.author,
            opened_at: Timestamp::from_millis(self.opened_at),
            document: self.document,
            content: place.digest("content", &self.content)?,
            state: place.some("state", ListDraftState::from_word(&self.state))?,
            submitted_at: self.submitted_at.map(Timestamp::from_millis),
            edits: edits.into_iter().map(EditRow::read).collect::<Result<_, _>>()?,
            decisions: decisions.into_iter().map(DecisionRow::read).collect::<Result<_, _>>()?,
        })
    }
}

impl EditRow {
    fn read(self) -> Result<DraftEdit, StoreError> {
        let place = Place::new("change of a draft", &self.draft_id);
        Ok(DraftEdit {
            edit: place.ok("edit", serde_json::from_str(&self.edit))?,
            person: self.person,
            at: Timestamp::from_millis(self.edited_at),
            content: place.digest("content", &self.content)?,
        })
    }
}

impl DecisionRow {
    fn read(self) -> Result<PolicyDecision, StoreError> {
        let place = Place::new("decision about a draft", &self.draft_id);
        Ok(PolicyDecision {
            verdict: place.some("verdict", Verdict::from_word(&self.verdict))?,
            at: Timestamp::from_millis(self.decided_at),
            actor: place.ok("actor", serde_json::from_str(&self.actor))?,
            person: self.person,
            reason: self.reason,
        })
    }
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

impl Tx<'_> {
    /// A draft with everything that was done to it.
    pub fn load_list_draft(&mut self, id: &ListDraftId) -> Result<ListDraft, StoreError> {
        let row = list_drafts::table
            .find(id.as_str())
            .select(DraftRow::as_select())
            .first(self.conn)
            .optional()?
            .ok_or(StoreError::NotFound { what: "draft of a list" })?;
        self.with_list_history(row)
    }

    /// A draft, for a change: nobody else changes it until this transaction ends.
    pub fn lock_list_draft(&mut self, id: &ListDraftId) -> Result<ListDraft, StoreError> {
        lock_row!(self, list_drafts, id.as_str());
        self.load_list_draft(id)
    }

    /// The draft of a scheme that may still become a list.
    pub fn open_list_draft(
        &mut self,
        scheme: &SchemeCode,
    ) -> Result<Option<ListDraft>, StoreError> {
        let row = list_drafts::table
            .filter(list_drafts::scheme.eq(scheme.as_str()))
            .filter(list_drafts::open.eq(1))
            .select(DraftRow::as_select())
            .first(self.conn)
            .optional()?;
        row.map(|row| self.with_list_history(row)).transpose()
    }

    /// Drafts, newest first.
    pub fn list_list_drafts(
        &mut self,
        after: Option<&str>,
        limit: i64,
    ) -> Result<Page<ListDraft>, StoreError> {
        let mut query = list_drafts::table.into_boxed::<crate::connection::AnyBackend>();
        if let Some(after) = after {
            query = query.filter(list_drafts::id.lt(after));
        }
        let rows = query
            .order(list_drafts::id.desc())
            .limit(limit.saturating_add(1))
            .select(DraftRow::as_select())
            .load(self.conn)?;
        Page::of(rows, limit, |row: &DraftRow| row.id.clone())
            .try_map(|row| self.with_list_history(row))
    }

    fn with_list_history(&mut self, row: DraftRow) -> Result<ListDraft, StoreError> {
        let edits: Vec<EditRow> = list_draft_edits::table
            .filter(list_draft_edits::draft_id.eq(&row.id))
            .order(list_draft_edits::number)
            .select(EditRow::as_select())
            .load(self.conn)?;
        let decisions = list_draft_decisions::table
            .filter(list_draft_decisions::draft_id.eq(&row.id))
            .filter(list_draft_decisions::revision.eq(number(edits.len())))
            .order((list_draft_decisions::decided_at, list_draft_decisions::person))
            .select(DecisionRow::as_select())
            .load(self.conn)?;
        row.read(edits, decisions)
    }

    pub(crate) fn insert_list_draft(&mut self, draft: &ListDraft) -> Result<(), StoreError> {
        let row = DraftRow::from(draft);
        diesel::insert_into(list_drafts::table).values(row).execute(self.conn)?;
        Ok(())
    }

    /// Keeps a draft as it is now.
    pub(crate) fn update_list_draft(&mut self, draft: &ListDraft) -> Result<(), StoreError> {
        let found = list_drafts::table.find(draft.id.as_str());
        let rows = diesel::update(found).set(DraftRow::from(draft)).execute(self.conn)?;
        one(rows, "draft of a list")
    }

    pub(crate) fn insert_list_edit(
        &mut self,
        draft: &ListDraft,
        edit: &DraftEdit,
    ) -> Result<(), StoreError> {
        let row = EditRow {
            draft_id: draft.id.to_string(),
            number: number(draft.revision()),
            edit: serde_json::json!(edit.edit).to_string(),
            person: edit.person.clone(),
            edited_at: edit.at.millis(),
            content: edit.content.to_string(),
        };
        diesel::insert_into(list_draft_edits::table).values(row).execute(self.conn)?;
        Ok(())
    }

    pub(crate) fn insert_list_decision(
        &mut self,
        draft: &ListDraft,
        decision: &PolicyDecision,
    ) -> Result<(), StoreError> {
        let row = DecisionRow {
            draft_id: draft.id.to_string(),
            revision: number(draft.revision()),
            person: decision.person.clone(),
            verdict: decision.verdict.word().to_owned(),
            decided_at: decision.at.millis(),
            reason: decision.reason.clone(),
            actor: serde_json::json!(decision.actor).to_string(),
        };
        diesel::insert_into(list_draft_decisions::table).values(row).execute(self.conn)?;
        Ok(())
    }
}
