//! The audit trail: records newest first, one record with its hash, verification.

use actix_web::HttpResponse;
use actix_web::web::{Path, Query};
use askama::Template;
use serde::Deserialize;
use serde_json::Value;
use tenkoku_domain::access::{Permit, Scope, ViewAudit};
use tenkoku_domain::audit::{ChainBreak, ChainWalk, ObjectRef, StoredRecord};
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::time::Timestamp;
use tenkoku_ports::Env;
use tenkoku_store::{StoreError, Tx};

use super::names::{Directory, Thing};
use super::views::{Fact, ROWS, html, next_page, see_other};
use crate::format;
use crate::granted::Granted;
use crate::layout::{AdminFrame, Chip, Crumb, Tone};
use crate::problem::Problem;
use crate::session::Console;
use crate::text::Words;

/// Records read at a time while the chain is walked.
const STRIDE: i64 = 1000;

/// The outcome of a verification: the number of records, or the first break.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// When.
    pub at: Timestamp,
    /// How it ended.
    pub outcome: Result<i64, ChainBreak>,
}

/// Walks the chain from its first record to its head, and keeps the outcome for Home.
pub fn verify(env: &Env, console: &Console) -> Result<Verified, StoreError> {
    let outcome = env.store.read(|tx| {
        let Some((head, hash)) = tx.audit_head()? else { return Ok(Ok(0)) };
        walk(tx, head, &hash)
    })?;
    let verified = Verified { at: env.clock.now(), outcome };
    console.keep_verified(verified.clone());
    Ok(verified)
}

fn walk(tx: &mut Tx<'_>, head: i64, hash: &Digest) -> Result<Result<i64, ChainBreak>, StoreError> {
    let mut walk = ChainWalk::default();
    let mut seen = 0;
    loop {
        let records: Vec<StoredRecord> =
            tx.audit_after(seen, STRIDE)?.into_iter().filter(|one| one.seq <= head).collect();
        let Some(last) = records.last() else { break };
        seen = last.seq;
        if let Err(broken) = records.iter().try_for_each(|record| walk.step(record)) {
            return Ok(Err(broken));
        }
    }
    Ok(walk.finish(head, hash))
}

/// A record as a row of a table.
pub struct Row {
    /// Its position.
    pub seq: i64,
    /// The position, written out.
    pub number: String,
    /// When.
    pub at: String,
    /// Who.
    pub who: String,
    /// What was done or tried.
    pub what: String,
    /// On what.
    pub object: Thing,
    /// Set where it was refused or went wrong.
    pub refused: Option<Chip>,
}

/// Reads records for people.
pub fn rows(
    tx: &mut Tx<'_>,
    scope: &Scope,
    words: Words,
    records: &[StoredRecord],
) -> Result<Vec<Row>, StoreError> {
    let mut directory = Directory::new(words, scope);
    records.iter().map(|record| row(tx, &mut directory, words, record)).collect()
}

fn row(
    tx: &mut Tx<'_>,
    directory: &mut Directory<'_>,
    words: Words,
    stored: &StoredRecord,
) -> Result<Row, StoreError> {
    let record: Value = serde_json::from_str(&stored.record).unwrap_or_default();
    let text = |path: &str| record.pointer(path).and_then(Value::as_str).unwrap_or_default();
    let who = match text("/actor/kind") {
        "user" => directory.name(tx, "user", text("/actor/id"))?.name,
        _ => words.word("admin.system", text("/actor/id")).to_owned(),
    };
    let refused = match text("/outcome") {
        "refused" => Some(Chip::new(Tone::Bad, words.t("admin.audit.refused"))),
        "failed" => Some(Chip::new(Tone::Bad, words.t("admin.audit.failed"))),
        _ => None,
    };
    let at = Timestamp::parse(text("/at"));
    Ok(Row {
        seq: stored.seq,
        number: format::number(stored.seq),
        at: at.map_or_else(|| text("/at").to_owned(), format::date_time),
        who,
        what: words.word("admin.audit-code", text("/code")).to_owned(),
        object: directory.name(tx, text("/object/kind"), text("/object/id"))?,
        refused,
    })
}

#[derive(Template)]
#[template(path = "admin/audit.html")]
pub(super) struct AuditPage {
    pub(super) w: Words,
    pub(super) frame: AdminFrame,
    pub(super) rows: Vec<Row>,
    pub(super) state: Chip,
    pub(super) note: String,
    pub(super) filtered: Option<String>,
    pub(super) next: Option<String>,
}

#[derive(Template)]
#[template(path = "admin/record.html")]
pub(super) struct RecordPage {
    pub(super) w: Words,
    pub(super) frame: AdminFrame,
    pub(super) row: Row,
    pub(super) facts: Vec<Fact>,
    pub(super) hash: String,
    pub(super) prev: String,
    pub(super) record: String,
}

/// What the list is narrowed to.
#[derive(Debug, Deserialize)]
pub struct AuditQuery {
    /// Records before this position.
    after: Option<i64>,
    /// Records about one object: `certificate/cer_…`.
    about: Option<String>,
}

/// `GET /console/audit`
pub async fn list_records(
    granted: Granted<ViewAudit>,
    query: Query<AuditQuery>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let AuditQuery { after, about } = query.into_inner();
    let object = about.as_deref().and_then(|about| about.split_once('/'));
    let object = object.map(|(kind, id)| ObjectRef::new(kind, id));
    let w = visit.words;
    let rows = visit.run(move |env| load_rows(env, &permit, w, after, object.as_ref())).await?;
    let full = i64::try_from(rows.len()).is_ok_and(|n| n == ROWS);
    let last = rows.last().filter(|_| full).map(|row| row.seq.to_string());
    let about = about.unwrap_or_default();
    let (state, note) = told(w, visit.console.verified().as_ref());
    html(&AuditPage {
        w,
        frame: visit.frame(w.t("admin.audit.title"), Vec::new()),
        state,
        note,
        next: next_page("/console/audit", &[("about", &about)], last.as_ref()),
        filtered: Some(about).filter(|about| !about.is_empty()),
        rows,
    })
}

fn load_rows(
    env: &Env,
    permit: &Permit<ViewAudit>,
    words: Words,
    before: Option<i64>,
    object: Option<&ObjectRef>,
) -> Result<Vec<Row>, StoreError> {
    env.store.read(|tx| {
        let records = tx.audit_before(permit.scope(), before, object, ROWS)?;
        rows(tx, permit.scope(), words, &records)
    })
}

/// The last verification in words.
fn told(w: Words, verified: Option<&Verified>) -> (Chip, String) {
    match verified {
        None => (
            Chip::new(Tone::Mute, w.t("admin.home.not-verified")),
            w.t("admin.audit.not-verified-note").to_owned(),
        ),
        Some(Verified { at, outcome: Ok(n) }) => (
            Chip::new(Tone::Ok, w.t("admin.home.intact")),
            w.say("admin.home.verified-at")
                .with("records", w.count("admin.home.records", *n))
                .with("time", format::date_time(*at))
                .text(),
        ),
        Some(Verified { at, outcome: Err(broken) }) => (
            Chip::new(
                Tone::Bad,
                w.say("admin.home.broken").with("seq", format::number(broken.seq)).text(),
            ),
            w.say("admin.audit.broken-note").with("time", format::date_time(*at)).text(),
        ),
    }
}

/// `POST /console/audit/verify`
pub async fn verify_chain(granted: Granted<ViewAudit>) -> Result<HttpResponse, Problem> {
    let Granted { permit: _, visit } = granted;
    let console = visit.console.clone();
    visit.run(move |env| verify(env, &console)).await?;
    Ok(see_other("/console/audit"))
}

/// `GET /console/audit/{seq}`
pub async fn show_record(
    granted: Granted<ViewAudit>,
    seq: Path<i64>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let (w, seq) = (visit.words, seq.into_inner());
    let (row, stored) = visit.run(move |env| load_record(env, &permit, w, seq)).await?;
    let title = w.say("admin.audit.record").with("seq", format::number(seq)).text();
    let crumbs =
        vec![Crumb::link(w.t("admin.audit.title"), "/console/audit"), Crumb::here(title.clone())];
    let record: Value = serde_json::from_str(&stored.record).unwrap_or_default();
    html(&RecordPage {
        w,
        frame: visit.frame(&title, crumbs),
        facts: facts(w, &row, &record),
        row,
        hash: format::grouped(&stored.hash.to_string()),
        prev: format::grouped(&stored.prev.to_string()),
        record: serde_json::to_string_pretty(&record).unwrap_or(stored.record),
    })
}

fn load_record(
    env: &Env,
    permit: &Permit<ViewAudit>,
    words: Words,
    seq: i64,
) -> Result<(Row, StoredRecord), StoreError> {
    env.store.read(|tx| {
        let before = seq.checked_add(1);
        let found = tx.audit_before(permit.scope(), before, None, 1)?.pop();
        let stored = found.filter(|found| found.seq == seq);
        let stored = stored.ok_or(StoreError::NotFound { what: "audit record" })?;
        let mut directory = Directory::new(words, permit.scope());
        Ok((row(tx, &mut directory, words, &stored)?, stored))
    })
}

fn facts(w: Words, row: &Row, record: &Value) -> Vec<Fact> {
    let text = |path: &str| record.pointer(path).and_then(Value::as_str);
    let mut facts = vec![
        Fact::new(w.t("admin.audit.at"), row.at.clone()),
        Fact::new(w.t("admin.audit.who"), row.who.clone()),
        Fact::new(w.t("admin.audit.what"), row.what.clone()),
        Fact {
            href: row.object.href.clone(),
            ..Fact::new(w.t("admin.audit.object"), row.object.name.clone())
        },
    ];
    let more = [
        ("/code", "admin.audit.code"),
        ("/reason", "admin.audit.reason"),
        ("/actor/authenticator", "admin.audit.authenticator"),
        ("/source", "admin.audit.source"),
        ("/request", "admin.audit.request"),
        ("/policy", "admin.audit.policy"),
    ];
    for (path, key) in more {
        if let Some(value) = text(path) {
            let label = key.strip_prefix("admin.audit.").unwrap_or(key);
            facts.push(Fact::mono(w.word("admin.audit", label), value));
        }
    }
    facts
}
