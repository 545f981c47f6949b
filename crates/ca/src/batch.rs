//! Bulk applications: a list of branch offices checked as a whole, one approval over its digest, then
//! an application for each row, made and issued by a job (DOMAIN 15).
//!
//! The application of a row is made in the transaction that notes it, and showing possession and
//! issuing can be repeated: a crash between two steps loses and repeats nothing. A row that a rule
//! refuses waits for its correction and stops no other.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use tenkoku_domain::access::{Apply, Issue, Permit, Principal, Scope};
use tenkoku_domain::application::{ApplicationState, SealTerm, Wishes};
use tenkoku_domain::approval::{Approvable, ApprovalState, Step, Verdict, needs};
use tenkoku_domain::audit::{AuditCode, DelegationEvent, ObjectRef};
use tenkoku_domain::batch::{Batch, BatchProgress, BatchRow, BatchState, ROWS_MAX, RowState};
use tenkoku_domain::branch::{Branch, BranchCode};
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::certificate::Profile;
use tenkoku_domain::grant::{GrantAction, GrantUse};
use tenkoku_domain::id::{BatchId, GrantId, OrganisationId, UserId};
use tenkoku_domain::level::Level;
use tenkoku_domain::policy::Installation;
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_domain::time::Timestamp;
use tenkoku_ports::Env;
use tenkoku_store::{StoreError, Tx};

use crate::act::{ActError, told};
use crate::apply::{ApplyError, ApplyOrder, Taken, check_instances, check_submission, submit};
use crate::approval::{Opening, Ruling, is_of_organisation, open, rule};
use crate::import::{FileProblem, RowProblem, Table};
use crate::issue::{IssueError, issue_certificate};
use crate::office::{covered, record};
use crate::policy::policy_of_level;
use crate::prove::{Proof, ProveError, prove_possession};

/// The kind of a request that is about a batch.
pub const BATCH: &str = "batch";
/// Rows that one turn of the job works on.
const SLICE: i64 = 25;

/// What becomes of a list in which rows are at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Faulty {
    /// Nothing is created; every fault is told.
    Refuse,
    /// The rows that are right are taken; the others are told.
    LeaveOut,
}

/// A list to be applied for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchOrder {
    /// Whose branch offices.
    pub organisation: OrganisationId,
    /// The level of the seals.
    pub level: Level,
    /// Validity in days; the policy's longest where none is asked for.
    pub validity_days: Option<i64>,
    /// The grant; in production one of the asker's own that covers the rows is needed.
    pub grant: Option<GrantId>,
    /// The list: CSV with the column `branch`, or a JSON array of objects with that member.
    pub list: Vec<u8>,
    /// What becomes of faulty rows.
    pub faulty: Faulty,
}

/// Why a list was not taken.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    /// The file is no list.
    #[error(transparent)]
    File(#[from] FileProblem),
    /// Rows are at fault; every one is listed.
    #[error("{} rows cannot be applied for", .0.len())]
    Rows(Vec<RowProblem>),
    /// A rule refuses it as a whole, or the store did not answer.
    #[error(transparent)]
    Act(#[from] ActError),
}

impl From<Refusal> for BatchError {
    fn from(refusal: Refusal) -> Self {
        Self::Act(refusal.into())
    }
}

impl From<StoreError> for BatchError {
    fn from(error: StoreError) -> Self {
        Self::Act(error.into())
    }
}

/// A list that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// The batch.
    pub batch: Batch,
    /// The rows that were left out, and why.
    pub left_out: Vec<RowProblem>,
}

/// A row of a file: its line and its fields.
struct Entry {
    line: u64,
    fields: BTreeMap<String, String>,
}

impl Entry {
    fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }

    fn problem(&self, column: &str, refusal: Refusal) -> RowProblem {
        RowProblem { line: self.line, column: Some(column.to_owned()), refusal }
    }
}

/// Reads CSV, or JSON where the file begins with `[`.
fn entries(file: &[u8], columns: &[&str]) -> Result<Vec<Entry>, FileProblem> {
    #[derive(Deserialize)]
    struct Document(Vec<BTreeMap<String, String>>);
    let entries: Vec<Entry> = if file.trim_ascii_start().starts_with(b"[") {
        let malformed = |error: serde_json::Error| FileProblem::Malformed {
            line: u64::try_from(error.line()).unwrap_or(1),
            problem: error.to_string(),
        };
        let Document(rows) = serde_json::from_slice(file).map_err(malformed)?;
        for row in &rows {
            if let Some(other) = row.keys().find(|name| !columns.contains(&name.as_str())) {
                return Err(FileProblem::UnknownColumn { column: other.clone(), nearest: None });
            }
        }
        (1..).zip(rows).map(|(line, fields)| Entry { line, fields }).collect()
    } else {
        let table = Table::read(file, columns, &[])?;
        let entry = |row: &crate::import::Row| Entry {
            line: row.line(),
            fields: columns
                .iter()
                .map(|name| ((*name).to_owned(), row.field(name).to_owned()))
                .collect(),
        };
        table.rows().iter().map(entry).collect()
    };
    match entries.len() {
        0 => Err(FileProblem::Empty),
        rows if rows > ROWS_MAX => Err(FileProblem::TooLarge { bytes: file.len() }),
        _ => Ok(entries),
    }
}

/// Takes a list: every row is checked as an application would be, and nothing is created where one is
/// at fault, unless those are to be left out. It waits for one approval over its digest; in an
/// evaluation the job begins at once.
pub fn load_batch(
    env: &Env,
    permit: &Permit<Apply>,
    order: &BatchOrder,
) -> Result<Loaded, BatchError> {
    let now = env.clock.now();
    let entries = entries(&order.list, &["branch"])?;
    let loaded = env.store.write(|tx| load(env, tx, permit, (order, &entries), now));
    loaded.map_err(|error| {
        let refusal = match &error {
            BatchError::Rows(rows) => rows.first().map(|row| {
                Refusal::new(row.refusal.code, &row.refusal.rule)
                    .with("line", row.line)
                    .with("rows", rows.len())
            }),
            BatchError::Act(ActError::Refused(refusal)) => Some(refusal.clone()),
            BatchError::File(_) | BatchError::Act(_) => None,
        };
        let Some(refusal) = refusal else { return error };
        let object = ObjectRef::new(BATCH, format!("sha256:{}", Digest::of(&order.list)));
        let whose = Some(order.organisation.clone());
        let act = (AuditCode::AppBulkLoaded, object);
        match (told::<()>(env, permit.origin(), act, whose, Err(refusal.into())), error) {
            (Err(ActError::Store(store)), _) => store.into(),
            (_, error) => error,
        }
    })
}

fn load(
    env: &Env,
    tx: &mut Tx<'_>,
    permit: &Permit<Apply>,
    (order, entries): (&BatchOrder, &[Entry]),
    now: Timestamp,
) -> Result<Loaded, BatchError> {
    let origin = permit.origin();
    covered(tx, permit.scope(), &order.organisation)?;
    let mut room = room(env, tx, permit, order, now)?;
    let id = BatchId::new(now, &*env.entropy);
    let (mut rows, mut problems, mut seen) = (Vec::new(), Vec::new(), BTreeMap::new());
    for entry in entries {
        match check_row(tx, permit, order, entry, now)? {
            Err(refusal) => problems.push(entry.problem("branch", refusal)),
            Ok(branch) => {
                if let Some(first) = seen.insert(branch.id.clone(), entry.line) {
                    let twice = Refusal::new(RefusalCode::StateConflict, "15");
                    let twice = twice.with("problem", "twice").with("first", first);
                    problems.push(entry.problem("branch", twice));
                } else if room == Some(0) {
                    let full = Refusal::new(RefusalCode::GrantQuota, "DG-2").with("part", "active");
                    problems.push(entry.problem("branch", full));
                } else {
                    room = room.map(|left| left - 1);
                    rows.push(BatchRow {
                        batch: id.clone(),
                        line: i64::try_from(entry.line).unwrap_or(i64::MAX),
                        branch: branch.id,
                        code: branch.code,
                        state: RowState::Waiting,
                        application: None,
                        proof: None,
                        refusal: None,
                        certificate: None,
                    });
                }
            }
        }
    }
    if rows.is_empty() || (order.faulty == Faulty::Refuse && !problems.is_empty()) {
        return Err(BatchError::Rows(problems));
    }
    let mut batch = Batch {
        id,
        organisation: order.organisation.clone(),
        level: order.level,
        validity_days: order.validity_days,
        grant: order.grant.clone(),
        digest: Digest([0; 32]),
        rows: i64::try_from(rows.len()).unwrap_or(i64::MAX),
        asked_by: origin.actor.clone(),
        asked_at: now,
        state: BatchState::Asked,
    };
    let codes: Vec<BranchCode> = rows.iter().map(|row| row.code.clone()).collect();
    batch.digest = batch.digest_of(&codes).map_err(ActError::from)?;
    let request = match env.settings.installation {
        // Nobody else is asked in an evaluation.
        Installation::Evaluation => {
            batch.state = BatchState::Approved;
            None
        }
        Installation::Production => {
            let opening = Opening {
                object: ObjectRef::new(BATCH, &batch.id),
                organisation: Some(batch.organisation.clone()),
                shown: batch.document(&codes),
                askers: BTreeSet::from([tx.party(&origin.actor)?]),
                needs: needs(Approvable::List),
            };
            Some(Box::new(open(&*env.entropy, opening, now).map_err(ActError::from)?))
        }
    };
    let event = DelegationEvent::BatchLoaded { batch: batch.clone(), rows, request };
    record(tx, origin, now, event)?;
    Ok(Loaded { batch, left_out: problems })
}

/// How many more the grant has room for; none where nothing limits it.
fn room(
    env: &Env,
    tx: &mut Tx<'_>,
    permit: &Permit<Apply>,
    order: &BatchOrder,
    now: Timestamp,
) -> Result<Option<i64>, BatchError> {
    let Some(id) = &order.grant else {
        return match env.settings.installation {
            Installation::Evaluation => Ok(None),
            Installation::Production => {
                Err(Refusal::new(RefusalCode::GrantMissing, "DG-1").with("part", "grant").into())
            }
        };
    };
    let actor = &permit.origin().actor;
    let grant = tx.load_grant(&Scope::Platform, id)?;
    let theirs = tx.party(actor)? == tenkoku_domain::person::Party::Shell
        || grant.terms.grantee.as_str() == actor.id;
    if grant.organisation != order.organisation || !theirs {
        return Err(StoreError::NotFound { what: "grant" }.into());
    }
    let (used, quota) = (tx.grant_usage(id, now)?, &grant.terms.quota);
    let left = [quota.active - used.active, quota.per_day - used.today, quota.total - used.total];
    Ok(left.into_iter().min().map(|left| left.max(0)))
}

/// Everything that must hold of a row, as at submission.
fn check_row(
    tx: &mut Tx<'_>,
    permit: &Permit<Apply>,
    order: &BatchOrder,
    entry: &Entry,
    now: Timestamp,
) -> Result<Result<Branch, Refusal>, BatchError> {
    let code = match BranchCode::parse(entry.field("branch")) {
        Ok(code) => code,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let found = tx.find_branch_by_code(permit.scope(), &order.organisation, &code)?;
    let Some(branch) = found else {
        let unknown = Refusal::new(RefusalCode::BranchClosed, "6.2");
        return Ok(Err(unknown.with("code", code).with("state", "unknown")));
    };
    let organisation = tx.load_organisation(permit.scope(), &order.organisation)?;
    let policy = policy_of_level(tx, order.level, now)?;
    let days = order.validity_days.unwrap_or(policy.level(order.level).validity_days);
    if let Err(refusal) = check_submission(&policy, &organisation, &branch, order.level, days) {
        return Ok(Err(refusal));
    }
    if let Err(refusal) = check_instances(tx, &policy, &branch, order.level, now)? {
        return Ok(Err(refusal));
    }
    if let Some(id) = &order.grant {
        let grant = tx.load_grant(&Scope::Platform, id)?;
        let wanted = GrantUse {
            action: GrantAction::Apply,
            branch: &branch.code,
            level: order.level,
            profile: Profile::seal(order.level),
        };
        if let Err(refusal) = grant.check(&wanted, now) {
            return Ok(Err(refusal));
        }
    }
    Ok(Ok(branch))
}

/// An officer's decision about the list: one approval is enough, by somebody of elsewhere.
pub fn decide_batch(
    env: &Env,
    permit: &Permit<Issue>,
    id: &BatchId,
    ruling: &Ruling,
) -> Result<Batch, ActError> {
    let now = env.clock.now();
    let origin = permit.origin();
    let seen = env.store.read(|tx| tx.load_batch(permit.scope(), id))?;
    let done = env.store.write(|tx| {
        let batch = tx.load_batch(permit.scope(), id)?;
        let request = tx.find_approval_request(&ObjectRef::new(BATCH, id))?;
        let request = request.filter(|_| batch.state == BatchState::Asked);
        let Some(request) = request else { return Err(conflict(&batch).into()) };
        let party = tx.party(&origin.actor)?;
        let own = is_of_organisation(tx, &party, &batch.organisation, now)?;
        let request = rule(tx, origin, request, (Step::Officer, own), ruling, now)?;
        match request.state {
            ApprovalState::Approved => {
                moved(tx, permit.origin(), &batch, BatchState::Approved, now)
            }
            ApprovalState::Rejected => {
                moved(tx, permit.origin(), &batch, BatchState::Rejected, now)
            }
            ApprovalState::Open | ApprovalState::Void => Ok(batch),
        }
    });
    let code = match ruling.verdict {
        Verdict::Approved => AuditCode::AppApprovalGiven,
        Verdict::Rejected => AuditCode::AppApprovalRefused,
    };
    told(env, origin, (code, ObjectRef::new(BATCH, id)), Some(seen.organisation), done)
}

fn conflict(batch: &Batch) -> Refusal {
    Refusal::new(RefusalCode::StateConflict, "15").with("state", batch.state)
}

fn moved(
    tx: &mut Tx<'_>,
    origin: &tenkoku_domain::access::Origin,
    batch: &Batch,
    to: BatchState,
    now: Timestamp,
) -> Result<Batch, ActError> {
    let turned = batch.turn(to)?;
    let event = DelegationEvent::BatchMoved { batch: turned.clone(), from: batch.state };
    record(tx, origin, now, event)?;
    Ok(turned)
}

/// Pauses a batch, lets it go on, or takes it back. What was applied for stays.
pub fn turn_batch(
    env: &Env,
    permit: &Permit<Apply>,
    id: &BatchId,
    to: BatchState,
) -> Result<Batch, ActError> {
    let now = env.clock.now();
    let seen = env.store.read(|tx| tx.load_batch(permit.scope(), id))?;
    let done = env.store.write(|tx| {
        let batch = tx.load_batch(permit.scope(), id)?;
        match to {
            BatchState::Paused | BatchState::Cancelled => {}
            BatchState::Approved if batch.state == BatchState::Paused => {}
            BatchState::Asked | BatchState::Approved | BatchState::Done | BatchState::Rejected => {
                return Err(conflict(&batch).into());
            }
        }
        moved(tx, permit.origin(), &batch, to, now)
    });
    let act = (AuditCode::AppBulkLoaded, ObjectRef::new(BATCH, id));
    told(env, permit.origin(), act, Some(seen.organisation), done)
}

/// Takes requests that show possession (PKCS #10 with the challenge of the row's application): CSV
/// with the columns `branch` and `request`, or JSON. Nothing is taken where one row is at fault. A row
/// whose request was refused is corrected by this; one whose application ended over it is tried again
/// first.
pub fn hand_in_proofs(
    env: &Env,
    permit: &Permit<Apply>,
    id: &BatchId,
    file: &[u8],
) -> Result<BatchProgress, BatchError> {
    let now = env.clock.now();
    let entries = entries(file, &["branch", "request"])?;
    env.store.write(|tx| {
        let batch = tx.load_batch(permit.scope(), id)?;
        if !matches!(batch.state, BatchState::Approved | BatchState::Paused) {
            return Err(BatchError::from(conflict(&batch)));
        }
        let rows = tx.batch_rows(id, 0, i64::MAX)?;
        let mut known: BTreeMap<&str, &BatchRow> =
            rows.iter().map(|row| (row.code.as_str(), row)).collect();
        let (mut changed, mut problems) = (Vec::new(), Vec::new());
        for entry in &entries {
            let request = entry.field("request").as_bytes().to_vec();
            let wrong = |problem: &str| {
                Refusal::new(RefusalCode::PossessionNotShown, "KM-7").with("problem", problem)
            };
            match known.remove(entry.field("branch")) {
                None => {
                    let unknown = Refusal::new(RefusalCode::BranchClosed, "6.2");
                    let unknown = unknown.with("code", entry.field("branch"));
                    problems.push(entry.problem("branch", unknown.with("state", "unknown")));
                }
                Some(row) if row.state == RowState::Issued => {
                    let issued = Refusal::new(RefusalCode::StateConflict, "15");
                    problems.push(entry.problem("branch", issued.with("state", "issued")));
                }
                Some(_) if request.is_empty() => {
                    problems.push(entry.problem("request", wrong("empty")));
                }
                Some(row) => changed.push(BatchRow {
                    proof: Some(request),
                    refusal: None,
                    state: match row.application {
                        Some(_) => RowState::Applied,
                        None => RowState::Waiting,
                    },
                    ..row.clone()
                }),
            }
        }
        if !problems.is_empty() {
            return Err(BatchError::Rows(problems));
        }
        for row in &changed {
            tx.keep_batch_row(row)?;
        }
        tx.enqueue_job(JOB, id.as_str(), now)?;
        Ok(tx.batch_progress(id)?)
    })
}

/// Every row as CSV with its state, its application and the challenge for its key: words, codes and
/// identifiers, none of which holds a comma or a quote.
pub fn rows_as_csv(env: &Env, scope: &Scope, id: &BatchId) -> Result<String, StoreError> {
    let mut text = "line,branch,state,application,challenge,problem\n".to_owned();
    env.store.read(|tx| {
        tx.load_batch(scope, id)?;
        for row in tx.batch_rows(id, 0, i64::MAX)? {
            let challenge = match &row.application {
                Some(id) if row.state == RowState::Applied => {
                    let state = tx.load_application(&Scope::Platform, id)?.state;
                    let waits = state == ApplicationState::KeyProof;
                    if waits { Some(tx.current_challenge(id)?.text) } else { None }
                }
                Some(_) | None => None,
            };
            let fields = [
                row.line.to_string(),
                row.code.to_string(),
                row.state.to_string(),
                row.application.map(|id| id.to_string()).unwrap_or_default(),
                challenge.unwrap_or_default(),
                row.refusal.map(|refusal| refusal.code.to_string()).unwrap_or_default(),
            ];
            text.push_str(&fields.join(","));
            text.push('\n');
        }
        Ok(text)
    })
}

/// The kind of the job that works on a batch.
pub const JOB: &str = "batch-applications";

/// Tries a row again that a rule refused, after what was wrong was put right elsewhere.
pub fn retry_row(
    env: &Env,
    permit: &Permit<Apply>,
    id: &BatchId,
    line: i64,
) -> Result<BatchRow, ActError> {
    let now = env.clock.now();
    let seen = env.store.read(|tx| tx.load_batch(permit.scope(), id))?;
    let done = env.store.write(|tx| {
        tx.load_batch(permit.scope(), id)?;
        let row = tx.load_batch_row(id, line)?;
        if row.state != RowState::Failed {
            let state = row.state;
            return Err(Refusal::new(RefusalCode::StateConflict, "15").with("state", state).into());
        }
        let state = match row.application {
            Some(_) => RowState::Applied,
            None => RowState::Waiting,
        };
        let row = BatchRow { state, refusal: None, ..row };
        tx.keep_batch_row(&row)?;
        tx.enqueue_job(JOB, id.as_str(), now)?;
        Ok(row)
    });
    let act = (AuditCode::AppBulkLoaded, ObjectRef::new(BATCH, id));
    told(env, permit.origin(), act, Some(seen.organisation), done)
}

/// How a turn of the job went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// The batch as it is now.
    pub batch: Batch,
    /// How far it is.
    pub progress: BatchProgress,
    /// The line after which the next turn goes on; none where nothing is left to do now.
    pub next: Option<i64>,
}

/// Works on the next rows after a line. A batch that is not approved, or is paused, comes back as it
/// is.
pub fn work_batch(
    env: &Env,
    permit: &Permit<Issue>,
    id: &BatchId,
    after: i64,
) -> Result<Turn, ActError> {
    let (batch, rows) = env.store.read(|tx| {
        let batch = tx.load_batch(permit.scope(), id)?;
        let rows = match batch.state {
            BatchState::Approved => tx.due_batch_rows(id, after, SLICE)?,
            BatchState::Asked
            | BatchState::Paused
            | BatchState::Done
            | BatchState::Rejected
            | BatchState::Cancelled => Vec::new(),
        };
        Ok::<_, StoreError>((batch, rows))
    })?;
    let next = rows.last().map(|row| row.line);
    let asker = asker(env, &batch)?;
    for row in &rows {
        work_row(env, permit, &asker, &batch, row)?;
    }
    env.store.write(|tx| {
        let now = env.clock.now();
        let batch = tx.load_batch(permit.scope(), id)?;
        let progress = tx.batch_progress(id)?;
        let over = batch.state == BatchState::Approved && progress.issued == batch.rows;
        let batch =
            if over { moved(tx, permit.origin(), &batch, BatchState::Done, now)? } else { batch };
        Ok(Turn { batch, progress, next })
    })
}

/// Whoever asked for the batch, with the roles held now: the job can do no more than that person.
fn asker(env: &Env, batch: &Batch) -> Result<Principal, ActError> {
    let job = env.system("scheduler");
    let Ok(user) = UserId::parse(&batch.asked_by.id) else { return Ok(job) };
    let account = env.store.read(|tx| tx.load_account(&user))?;
    let roles = if account.disabled_at.is_some() { Vec::new() } else { account.roles };
    Ok(Principal { actor: batch.asked_by.clone(), roles, ..job })
}

fn work_row(
    env: &Env,
    permit: &Permit<Issue>,
    asker: &Principal,
    batch: &Batch,
    row: &BatchRow,
) -> Result<(), ActError> {
    let done = match row.state {
        RowState::Waiting => apply_row(env, asker, batch, row),
        RowState::Applied => issue_row(env, permit, asker, row),
        RowState::Issued | RowState::Failed => Ok(()),
    };
    match done {
        Err(ActError::Refused(refusal)) => Ok(env.store.write(|tx| {
            tx.load_batch(&Scope::Platform, &row.batch)?;
            let fresh = tx.load_batch_row(&row.batch, row.line)?;
            match refused_row(tx, fresh, refusal)? {
                Some(changed) => tx.keep_batch_row(&changed),
                None => Ok(()),
            }
        })?),
        other => other,
    }
}

/// What becomes of a row that was refused, as things are now; nothing where another job was quicker.
/// One whose application ended begins anew when it is tried again.
fn refused_row(
    tx: &mut Tx<'_>,
    fresh: BatchRow,
    refusal: Refusal,
) -> Result<Option<BatchRow>, StoreError> {
    if fresh.state == RowState::Issued {
        return Ok(None);
    }
    let failed = BatchRow { state: RowState::Failed, refusal: Some(refusal), ..fresh };
    let Some(id) = &failed.application else { return Ok(Some(failed)) };
    let application = tx.load_application(&Scope::Platform, id)?;
    Ok(match application.state {
        ApplicationState::Issued => None,
        ApplicationState::Ready if is_being_issued(failed.refusal.as_ref()) => None,
        ApplicationState::Rejected | ApplicationState::Withdrawn | ApplicationState::Lapsed => {
            Some(BatchRow { application: None, proof: None, ..failed })
        }
        ApplicationState::Draft
        | ApplicationState::Submitted
        | ApplicationState::Proofing
        | ApplicationState::Approval
        | ApplicationState::KeyProof
        | ApplicationState::Ready => Some(failed),
    })
}

/// Whether another is about to issue, or was stopped while it did: then settling goes first.
fn is_being_issued(refusal: Option<&Refusal>) -> bool {
    refusal
        .and_then(|refusal| refusal.facts.get("state"))
        .is_some_and(|state| state == "being-issued" || state == "pending")
}

/// Makes the application and notes it in one transaction. Of two jobs at once the second finds the
/// first's.
fn apply_row(env: &Env, asker: &Principal, batch: &Batch, row: &BatchRow) -> Result<(), ActError> {
    let now = env.clock.now();
    let permit: Permit<Apply> = asker.permit(now)?;
    let order = ApplyOrder {
        branch: row.branch.clone(),
        level: batch.level,
        validity_days: batch.validity_days,
        request: None,
        instance: None,
        wishes: Wishes { term: SealTerm::Regular, ..Wishes::default() },
    };
    let done = env.store.write(|tx| {
        tx.load_batch(&Scope::Platform, &batch.id)?;
        let fresh = tx.load_batch_row(&batch.id, row.line)?;
        if fresh.state != RowState::Waiting {
            return Ok(());
        }
        let applied = submit(env, tx, &permit, (&order, batch.grant.as_ref()), now)?;
        let noted = BatchRow {
            state: RowState::Applied,
            application: Some(applied.application.id),
            ..fresh
        };
        Ok::<_, Taken>(tx.keep_batch_row(&noted)?)
    });
    let done = done.map_err(|taken| match taken {
        Taken::Refused { refusal, .. } | Taken::Other(ApplyError::Refused(refusal)) => {
            ActError::Refused(refusal)
        }
        Taken::Other(ApplyError::Canonical(error)) => ActError::Canonical(error),
        Taken::Other(ApplyError::Store(error)) => ActError::Store(error),
    });
    let act = (AuditCode::AppSubmitted, ObjectRef::new("branch", &row.branch));
    told(env, permit.origin(), act, Some(batch.organisation.clone()), done)
}

/// Shows possession and issues; both can be repeated. An application that waits for something else
/// waits on.
fn issue_row(
    env: &Env,
    permit: &Permit<Issue>,
    asker: &Principal,
    row: &BatchRow,
) -> Result<(), ActError> {
    let (Some(id), Some(proof)) = (&row.application, &row.proof) else { return Ok(()) };
    let application = env.store.read(|tx| tx.load_application(&Scope::Platform, id))?;
    if application.state == ApplicationState::KeyProof {
        let apply: Permit<Apply> = asker.permit(env.clock.now())?;
        prove_possession(env, &apply, id, &Proof::Request(proof.clone())).map_err(unproven)?;
    }
    let application = env.store.read(|tx| tx.load_application(&Scope::Platform, id))?;
    let certificate = match application.state {
        ApplicationState::Ready => Some(issue_certificate(env, permit, id).map_err(unissued)?.id),
        ApplicationState::Issued => application.certificate,
        ApplicationState::Draft
        | ApplicationState::Submitted
        | ApplicationState::Proofing
        | ApplicationState::Approval
        | ApplicationState::KeyProof => None,
        ApplicationState::Rejected | ApplicationState::Withdrawn | ApplicationState::Lapsed => {
            return Err(Refusal::new(RefusalCode::StateConflict, "6.3")
                .with("application", id)
                .with("state", application.state)
                .into());
        }
    };
    let Some(certificate) = certificate else { return Ok(()) };
    let issued =
        BatchRow { state: RowState::Issued, certificate: Some(certificate), ..row.clone() };
    Ok(env.store.write(|tx| {
        tx.load_batch(&Scope::Platform, &row.batch)?;
        tx.keep_batch_row(&issued)
    })?)
}

fn unproven(error: ProveError) -> ActError {
    match error {
        ProveError::Refused(refusal) => refusal.into(),
        ProveError::Store(error) => error.into(),
        ProveError::Canonical(error) => error.into(),
        other @ (ProveError::Keys(_) | ProveError::PublicKey(_) | ProveError::Signature(_)) => {
            StoreError::Database(Box::new(other)).into()
        }
    }
}

fn unissued(error: IssueError) -> ActError {
    match error.refused() {
        Ok(refusal) => refusal.into(),
        Err(IssueError::Store(error)) => error.into(),
        Err(other) => StoreError::Database(Box::new(other)).into(),
    }
}
