//! Tables `vendor_roots` and `vendor_root_decisions`: roots of vendors of key devices.

use diesel::prelude::*;
use tenkoku_domain::policy::draft::Verdict;
use tenkoku_domain::time::Timestamp;
use tenkoku_domain::vendor_root::{VendorRoot, VendorRootDecision, VendorRootState};

use crate::column::Place;
use crate::connection::AnyConnection;
use crate::error::StoreError;
use crate::schema::{vendor_root_decisions, vendor_roots};
use crate::tx::{Tx, one};

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = vendor_roots)]
struct RootRow {
    code: String,
    certificate: Vec<u8>,
    digest: String,
    state: String,
    author: String,
    asked_at: i64,
}

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = vendor_root_decisions)]
struct DecisionRow {
    code: String,
    asked_at: i64,
    person: String,
    verdict: String,
    decided_at: i64,
    reason: String,
    actor: String,
}

impl From<&VendorRoot> for RootRow {
    fn from(root: &VendorRoot) -> Self {
        Self {
            code: root.code.clone(),
            certificate: root.certificate.clone(),
            digest: root.digest.to_string(),
            state: root.state.to_string(),
            author: root.author.clone(),
            asked_at: root.asked_at.millis(),
        }
    }
}

impl RootRow {
    fn read(self, decisions: Vec<DecisionRow>) -> Result<VendorRoot, StoreError> {
        let place = Place::new("vendor root", &self.code);
        Ok(VendorRoot {
            digest: place.digest("digest", &self.digest)?,
            state: place.some("state", VendorRootState::from_word(&self.state))?,
            certificate: self.certificate,
            author: self.author,
            asked_at: Timestamp::from_millis(self.asked_at),
            decisions: decisions.into_iter().map(DecisionRow::read).collect::<Result<_, _>>()?,
            code: self.code,
        })
    }
}

impl DecisionRow {
    fn read(self) -> Result<VendorRootDecision, StoreError> {
        let place = Place::new("decision about the vendor root", &self.code);
        Ok(VendorRootDecision {
            verdict: place.some("verdict", Verdict::from_word(&self.verdict))?,
            at: Timestamp::from_millis(self.decided_at),
            actor: place.ok("actor", serde_json::from_str(&self.actor))?,
            person: self.person,
            reason: self.reason,
        })
    }
}

impl Tx<'_> {
    /// The root of a code, locked when this transaction writes.
    pub fn load_vendor_root(&mut self, code: &str) -> Result<VendorRoot, StoreError> {
        if let (true, AnyConnection::Postgresql(conn)) = (self.writes(), &mut *self.conn) {
            let row = vendor_roots::table.find(code).select(vendor_roots::code);
            row.for_update().first::<String>(conn).optional()?;
        }
        let row = vendor_roots::table
            .find(code)
            .select(RootRow::as_select())
            .first(self.conn)
            .optional()?
            .ok_or(StoreError::NotFound { what: "vendor root" })?;
        self.with_root_decisions(row)
    }

    /// Every root, by its code.
    pub fn list_vendor_roots(&mut self) -> Result<Vec<VendorRoot>, StoreError> {
        let rows = vendor_roots::table
            .order(vendor_roots::code)
            .select(RootRow::as_select())
            .load(self.conn)?;
        rows.into_iter().map(|row| self.with_root_decisions(row)).collect()
    }

    fn with_root_decisions(&mut self, row: RootRow) -> Result<VendorRoot, StoreError> {
        let decisions = vendor_root_decisions::table
            .filter(vendor_root_decisions::code.eq(&row.code))
            .filter(vendor_root_decisions::asked_at.eq(row.asked_at))
            .order((vendor_root_decisions::decided_at, vendor_root_decisions::person))
            .select(DecisionRow::as_select())
            .load(self.conn)?;
        row.read(decisions)
    }

    /// Keeps a root that is new, or whose end is asked for.
    pub(crate) fn ask_vendor_root(&mut self, root: &VendorRoot) -> Result<(), StoreError> {
        let row = RootRow::from(root);
        match root.state {
            VendorRootState::Ending | VendorRootState::Ended => self.update_vendor_root(&row),
            VendorRootState::Proposed | VendorRootState::Trusted | VendorRootState::Rejected => {
                diesel::insert_into(vendor_roots::table).values(row).execute(self.conn)?;
                Ok(())
            }
        }
    }

    /// Keeps a decision and what it made of the root.
    pub(crate) fn decide_vendor_root(
        &mut self,
        root: &VendorRoot,
        decision: &VendorRootDecision,
    ) -> Result<(), StoreError> {
        let row = DecisionRow {
            code: root.code.clone(),
            asked_at: root.asked_at.millis(),
            person: decision.person.clone(),
            verdict: decision.verdict.word().to_owned(),
            decided_at: decision.at.millis(),
            reason: decision.reason.clone(),
            actor: serde_json::json!(decision.actor).to_string(),
        };
        diesel::insert_into(vendor_root_decisions::table).values(row).execute(self.conn)?;
        self.update_vendor_root(&RootRow::from(root))
    }

    fn update_vendor_root(&mut self, row: &RootRow) -> Result<(), StoreError> {
        let rows = diesel::update(vendor_roots::table.find(&row.code))
            .set((
                vendor_roots::state.eq(&row.state),
                vendor_roots::author.eq(&row.author),
                vendor_roots::asked_at.eq(row.asked_at),
            ))
            .execute(self.conn)?;
        one(rows, "vendor root")
    }
}
