//! Keys of seals: the table, and one key with the pictured course of its life.
//!
//! Not here: acts on keys ([`super::life`]) and proofs of their destruction ([`super::destruction`]).
//! The platform holds no way to copy or export a key.

use actix_web::HttpResponse;
use actix_web::web::{Path, Query};
use askama::Template;
use tenkoku_ca::rotate::{KeyDates, key_dates};
use tenkoku_domain::access::{Permission, Scope, ViewRegistry};
use tenkoku_domain::certificate::{Certificate, CertificateState, SealBinding};
use tenkoku_domain::id::KeyId;
use tenkoku_domain::key::{Key, KeyState};
use tenkoku_domain::level::Level;
use tenkoku_domain::policy::KeyPolicy;
use tenkoku_domain::time::Timestamp;
use tenkoku_store::{CertificateFilter, StoreError, Tx};

use super::branches::{Stage, Step};
use super::certificates::{self, CertificateRow};
use super::destruction::{evidence_href, state_chip};
use super::life::{Deed, key_href};
use super::names::{branch_href, script};
use super::organisations::SearchQuery;
use super::origin::{self, Origin};
use super::views::{Fact, ROWS, html, next_page};
use crate::format;
use crate::granted::{Granted, Visit};
use crate::layout::{AdminFrame, Chip, Crumb, Tone};
use crate::problem::Problem;
use crate::text::Words;

/// The address of the table.
pub(super) const PATH: &str = "/console/keys";

/// A key in the table.
pub(super) struct KeyRow {
    pub(super) name: String,
    pub(super) lang: &'static str,
    pub(super) href: String,
    pub(super) id: String,
    pub(super) instance: String,
    pub(super) level: String,
    pub(super) algorithm: &'static str,
    pub(super) age: String,
    pub(super) state: Chip,
    pub(super) next: String,
    pub(super) origin: String,
}

#[derive(Template)]
#[template(path = "admin/keys.html")]
pub(super) struct KeysPage {
    pub(super) w: Words,
    pub(super) frame: AdminFrame,
    pub(super) q: String,
    pub(super) rows: Vec<KeyRow>,
    pub(super) next: Option<String>,
}

#[derive(Template)]
#[template(path = "admin/key.html")]
pub(super) struct KeyPage {
    pub(super) w: Words,
    pub(super) frame: AdminFrame,
    pub(super) state: Chip,
    pub(super) steps: Vec<Step>,
    pub(super) facts: Vec<Fact>,
    pub(super) fingerprint: String,
    pub(super) certificates: Vec<CertificateRow>,
    /// What may be done: label, address, and whether it cannot be undone.
    pub(super) acts: Vec<(String, String, bool)>,
    /// What is missing now.
    pub(super) missing: Vec<String>,
    /// Proofs of destruction that were handed in: state, class, day, address.
    pub(super) evidence: Vec<(Chip, String, String, String)>,
}

/// A key of a seal, with its newest certificate.
struct Held {
    key: Key,
    certificate: Certificate,
    seal: SealBinding,
    level: Level,
    number: i32,
    origin: Origin,
}

fn held(
    tx: &mut Tx<'_>,
    scope: &Scope,
    certificate: Certificate,
) -> Result<Option<Held>, StoreError> {
    let Some(seal) = certificate.seal.clone() else { return Ok(None) };
    let Some((_, level, number)) = tx.find_instance(&seal.instance)? else { return Ok(None) };
    let key = tx.load_key(&certificate.key)?;
    let origin = origin::load(tx, scope, &key.id)?;
    Ok(Some(Held { key, certificate, seal, level, number, origin }))
}

/// `GET /console/keys`
pub async fn list_keys(
    granted: Granted<ViewRegistry>,
    query: Query<SearchQuery>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let SearchQuery { q, after } = query.into_inner();
    let (wanted, now) = (q.trim().to_owned(), visit.now);
    let (found, next, policy) = visit
        .run(move |env| {
            env.store.read(|tx| {
                let filter = CertificateFilter {
                    search: wanted,
                    organisation: None,
                    branch: None,
                    state: None,
                };
                let page = tx.list_certificates(permit.scope(), &filter, after.as_deref(), ROWS)?;
                let mut found: Vec<Held> = Vec::new();
                for certificate in page.items {
                    if found.iter().any(|one| one.key.id == certificate.key) {
                        continue;
                    }
                    found.extend(held(tx, permit.scope(), certificate)?);
                }
                Ok::<_, StoreError>((found, page.next, tx.current_policy(now)?))
            })
        })
        .await?;
    let w = visit.words;
    html(&KeysPage {
        w,
        frame: visit.frame(w.t("admin.keys.title"), Vec::new()),
        rows: found.iter().map(|one| row(w, one, &policy, now)).collect(),
        next: next_page(PATH, &[("q", &q)], next.as_ref()),
        q,
    })
}

fn row(w: Words, one: &Held, policy: &KeyPolicy, now: Timestamp) -> KeyRow {
    let days = one.key.created_at.days_until(now).max(0);
    KeyRow {
        name: one.certificate.common_name.clone(),
        lang: script(&one.certificate.common_name),
        href: format!("{PATH}/{}", one.key.id),
        id: one.key.id.to_string(),
        instance: one.number.to_string(),
        level: one.level.to_string(),
        algorithm: one.key.algorithm.name(),
        age: w.count("time.days", days).text(),
        state: chip(w, one.key.state),
        next: next_date(one, policy, now).map_or_else(|| "–".to_owned(), format::date),
        origin: one.key.origin.to_string(),
    }
}

/// The state of a key.
pub(super) fn chip(w: Words, state: KeyState) -> Chip {
    let tone = match state {
        KeyState::Bound => Tone::Ok,
        KeyState::Retiring | KeyState::DestructionDue => Tone::Warn,
        KeyState::Compromised | KeyState::Lost => Tone::Bad,
        KeyState::Destroyed => Tone::Mute,
        KeyState::Ordered | KeyState::Generated | KeyState::Presented | KeyState::Proven => {
            Tone::Info
        }
    };
    Chip::new(tone, w.word("admin.key-state", state.word()))
}

/// When a key seals for the last time, by its certificate or by its revocation.
fn last_seal(certificate: &Certificate) -> Timestamp {
    let promised = certificate.sealing_not_after.unwrap_or(certificate.validity.not_after);
    match &certificate.state {
        // A hold ends nothing: it may be lifted.
        CertificateState::Revoked(revocation) => revocation.at.min(promised),
        CertificateState::Pending
        | CertificateState::Issued
        | CertificateState::Held(_)
        | CertificateState::Active
        | CertificateState::Suspended(_)
        | CertificateState::Retired => promised,
    }
}

/// From when on a successor may be issued.
fn opens(certificate: &Certificate, policy: &KeyPolicy) -> Timestamp {
    last_seal(certificate).plus_days(-policy.rotation.open_days)
}

/// The next date in a key's life that is still to come.
fn next_date(one: &Held, policy: &KeyPolicy, now: Timestamp) -> Option<Timestamp> {
    let certificate = &one.certificate;
    [opens(certificate, policy), last_seal(certificate), certificate.validity.not_after]
        .into_iter()
        .find(|date| *date > now)
}

/// `GET /console/keys/{id}`
pub async fn show_key(
    granted: Granted<ViewRegistry>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let id = KeyId::parse(&id).map_err(|_| Problem::not_found())?;
    let now = visit.now;
    let (one, all, policy, dates, evidence) = visit
        .run(move |env| {
            let dates = key_dates(env, &permit, &id)?;
            env.store.read(|tx| {
                let (one, all) = load(tx, permit.scope(), &id)?;
                let evidence = tx.evidence_of_key(&id)?;
                Ok::<_, StoreError>((one, all, tx.current_policy(now)?, dates, evidence))
            })
        })
        .await?;
    let w = visit.words;
    let name = one.certificate.common_name.clone();
    let crumbs = vec![Crumb::link(w.t("admin.keys.title"), PATH), Crumb::here(name.clone())];
    html(&KeyPage {
        w,
        frame: visit.frame(w.say("admin.key.of").with("name", name).text(), crumbs),
        state: chip(w, one.key.state),
        steps: life(w, &one, &policy, now),
        facts: facts(w, &one, now),
        fingerprint: one.key.fingerprint.to_string(),
        certificates: certificates::rows(w, &all, now),
        acts: acts(&visit, &dates),
        missing: dates
            .missing
            .iter()
            .map(|what| w.word("admin.key-missing", what).to_owned())
            .collect(),
        evidence: evidence
            .iter()
            .map(|(one, state)| {
                let class = w.word("admin.evidence-class", one.class.word()).to_owned();
                let (day, href) = (format::date(one.handed_at), evidence_href(&one.id));
                (state_chip(w, *state), class, day, href)
            })
            .collect(),
    })
}

/// What this person may do with a key in its state.
fn acts(visit: &Visit, dates: &KeyDates) -> Vec<(String, String, bool)> {
    if !visit.may(Permission::ManageKeys) {
        return Vec::new();
    }
    let w = visit.words;
    let href = key_href(&dates.key.key.id);
    let act = |deed: Deed| {
        let label = w.word("admin.life-title", deed.word()).to_owned();
        (label, format!("{href}/{}", deed.word()), deed != Deed::Rotate)
    };
    let mut acts: Vec<_> = Deed::offered(dates, visit.now).into_iter().map(act).collect();
    let awaited =
        [KeyState::Retiring, KeyState::DestructionDue, KeyState::Compromised, KeyState::Lost];
    if awaited.contains(&dates.key.key.state) {
        let label = w.t("admin.proof.hand-in").to_owned();
        acts.insert(0, (label, format!("{href}/evidence"), false));
    }
    acts
}

/// A key within a scope; outside it there is none.
fn load(
    tx: &mut Tx<'_>,
    scope: &Scope,
    id: &KeyId,
) -> Result<(Held, Vec<Certificate>), StoreError> {
    let none = || StoreError::NotFound { what: "key" };
    let mut all = tx.certificates_of_key(id)?;
    all.sort_by(|one, other| other.id.cmp(&one.id));
    let newest = all.first().cloned().ok_or_else(none)?;
    let found = held(tx, scope, newest)?.ok_or_else(none)?;
    if !scope.covers(&found.seal.organisation, &found.seal.branch) {
        return Err(none());
    }
    Ok((found, all))
}

fn facts(w: Words, one: &Held, now: Timestamp) -> Vec<Fact> {
    let days = one.key.created_at.days_until(now).max(0);
    let number = one.number.to_string();
    let mut facts = vec![
        Fact::link(
            w.t("admin.certificate.branch"),
            one.certificate.common_name.clone(),
            branch_href(&one.seal.organisation, &one.seal.branch),
        ),
        Fact::new(w.t("admin.application.instance"), number),
        Fact::new(w.t("admin.application.level"), w.word("admin.level", &one.level.to_string())),
        Fact::mono(w.t("admin.keys.id"), one.key.id.to_string()),
        Fact::new(w.t("admin.certificate.key"), one.key.algorithm.name()),
        Fact::new(w.t("admin.keys.age"), w.count("time.days", days).text()),
        Fact::new(w.t("admin.keys.origin"), w.word("admin.origin", one.key.origin.word())),
    ];
    facts.extend(origin::facts(w, &one.origin));
    facts
}

/// The life of a key in six steps (UX 6).
fn life(w: Words, one: &Held, policy: &KeyPolicy, now: Timestamp) -> Vec<Step> {
    const FIRST: i64 = 80;
    const APART: i64 = 150;
    let certificate = &one.certificate;
    let passed = |at: Timestamp| if at <= now { Stage::Done } else { Stage::Ahead };
    let (opens, last) = (opens(certificate, policy), last_seal(certificate));
    let (used, open) = match &certificate.state {
        CertificateState::Pending | CertificateState::Issued | CertificateState::Held(_) => {
            (Stage::Due, Stage::Ahead)
        }
        CertificateState::Active if opens <= now && now < last => (Stage::Done, Stage::Due),
        CertificateState::Active
        | CertificateState::Suspended(_)
        | CertificateState::Retired
        | CertificateState::Revoked(_) => (Stage::Done, passed(opens)),
    };
    let (destroyed, shown) = match one.key.state {
        KeyState::Destroyed => (Stage::Done, w.t("admin.branch.destroyed-shown")),
        KeyState::Retiring | KeyState::DestructionDue | KeyState::Compromised | KeyState::Lost => {
            (Stage::Due, w.t("admin.branch.destruction-due"))
        }
        KeyState::Ordered
        | KeyState::Generated
        | KeyState::Presented
        | KeyState::Proven
        | KeyState::Bound => (Stage::Ahead, w.t("admin.branch.after-use")),
    };
    let since = certificate.validity.not_before;
    let steps = [
        (Stage::Done, w.t("admin.branch.key-known"), format::date(one.key.created_at)),
        (Stage::Done, w.t("admin.branch.certified"), format::date(since)),
        (used, w.t("admin.key.in-use"), format::date(since)),
        (open, w.t("admin.key.next-possible"), format::date(opens)),
        (passed(last), w.t("admin.branch.last-seal"), format::date(last)),
        (destroyed, w.t("admin.branch.destroyed"), shown.to_owned()),
    ];
    steps
        .into_iter()
        .zip(0..)
        .map(|((stage, label, when), place)| Step {
            x: FIRST + APART * place,
            stage,
            label: label.to_owned(),
            when,
        })
        .collect()
}
