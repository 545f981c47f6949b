//! The trusted lists of others: whom this installation believes, how each list stands, and what is
//! to be decided about it (TS 119 615). Whatever changes whom is believed waits for others in
//! production.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;
use askama::Template;
use serde::Deserialize;
use tenkoku_ca::proposal::{ProposalError, propose};
use tenkoku_domain::access::{OperateAuthority, Permission, Permit, PublishList, ViewRegistry};
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::exchange::Octets;
use tenkoku_domain::followed::{
    FollowedList, ListCode, ListProblem, ListSource, ListTrust, REFRESH_JOB, SnapshotHead,
};
use tenkoku_domain::proposal::{Proposal, ProposalState, ProposedAct};
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_pki::pem;
use tenkoku_store::StoreError;
use tenkoku_tsl::certificate::Certificate;

use super::authorities::platform_only;
use super::confirm::{Factor, factor_field, step_up};
use super::lists;
use super::proposals;
use super::views::{Fact, html, html_with, see_other};
use crate::format;
use crate::granted::{Granted, Visit};
use crate::layout::{AdminFrame, Chip, Crumb, FieldError, Tone};
use crate::problem::Problem;
use crate::text::Words;

/// The address of the page.
const PATH: &str = "/console/lists/others";

/// A list that is followed.
pub(super) struct ListRow {
    pub(super) code: String,
    pub(super) href: String,
    pub(super) deep: bool,
    pub(super) territory: String,
    pub(super) state: Chip,
    pub(super) trouble: String,
    pub(super) sequence: String,
    pub(super) next: String,
    pub(super) looked: String,
    pub(super) confirmed: String,
}

/// What was fetched and kept.
pub(super) struct SnapshotRow {
    pub(super) sequence: String,
    pub(super) id: String,
    pub(super) issued: String,
    pub(super) next: String,
    pub(super) taken: String,
    pub(super) digest: String,
}

#[derive(Template)]
#[template(path = "admin/list_sources.html")]
pub(super) struct SourcesPage {
    pub(super) w: Words,
    pub(super) frame: AdminFrame,
    pub(super) errors: Vec<FieldError>,
    pub(super) follows: bool,
    pub(super) round: String,
    pub(super) rows: Vec<ListRow>,
    pub(super) may_look: bool,
    pub(super) may_decide: bool,
    pub(super) factor: Factor,
    pub(super) form: TrustForm,
}

#[derive(Template)]
#[template(path = "admin/list_source.html")]
pub(super) struct SourcePage {
    pub(super) w: Words,
    pub(super) frame: AdminFrame,
    pub(super) errors: Vec<FieldError>,
    pub(super) state: Chip,
    /// What is wrong, in a sentence.
    pub(super) trouble: String,
    pub(super) facts: Vec<Fact>,
    pub(super) anchors: Vec<Fact>,
    pub(super) snapshots: Vec<SnapshotRow>,
    pub(super) href: String,
    pub(super) may_decide: bool,
    pub(super) has_journal: bool,
    pub(super) factor: Factor,
    pub(super) form: TrustForm,
}

/// What is asked about whom to believe.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct TrustForm {
    #[serde(default)]
    pub(super) list: String,
    #[serde(default)]
    pub(super) location: String,
    #[serde(default)]
    pub(super) journal: String,
    #[serde(default)]
    pub(super) certificates: String,
    #[serde(default)]
    pub(super) reason: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    act: String,
}

/// How a list stands.
fn chip(w: Words, list: &FollowedList) -> Chip {
    let (tone, word) = match (&list.dropped_at, &list.fault, &list.snapshot) {
        (Some(_), _, _) => (Tone::Mute, "dropped"),
        (None, Some(_), Some(_)) => (Tone::Warn, "troubled"),
        (None, Some(_), None) => (Tone::Bad, "troubled"),
        (None, None, Some(_)) => (Tone::Ok, "good"),
        (None, None, None) => (Tone::Mute, "waiting"),
    };
    Chip::new(tone, w.word("admin.list-source-state", word))
}

fn href(code: &ListCode) -> String {
    format!("{PATH}/{code}")
}

fn trouble(w: Words, list: &FollowedList) -> String {
    let sentence = |problem: ListProblem| w.word("list-problem", problem.word()).to_owned();
    list.fault.as_ref().map(|fault| sentence(fault.problem)).unwrap_or_default()
}

fn next_update(w: Words, head: &SnapshotHead) -> String {
    head.next_update.map_or_else(|| w.t("lists.closed").to_owned(), format::date)
}

/// `GET /console/lists/others`
pub async fn show_sources(granted: Granted<ViewRegistry>) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    platform_only(&permit)?;
    html(&sources_page(&visit, TrustForm::default(), Vec::new()).await?)
}

async fn sources_page(
    visit: &Visit,
    form: TrustForm,
    errors: Vec<FieldError>,
) -> Result<SourcesPage, Problem> {
    let (found, run) = visit
        .run(|env| {
            env.store.read(|tx| {
                let mut found = Vec::new();
                for list in tx.list_followed()? {
                    let head = match &list.snapshot {
                        Some(id) => tx.find_snapshot_head(id)?,
                        None => None,
                    };
                    found.push((list, head));
                }
                Ok::<_, StoreError>((found, tx.last_run(REFRESH_JOB)?))
            })
        })
        .await?;
    let w = visit.words;
    let title = w.t("admin.list-sources.title");
    let crumbs = vec![Crumb::link(w.t("admin.lists.title"), lists::PATH), Crumb::here(title)];
    let mut frame = visit.frame(title, crumbs);
    frame.has_errors = !errors.is_empty();
    let may_decide = visit.may(Permission::OperateAuthority);
    let or_never = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
    let row = |(list, head): &(FollowedList, Option<SnapshotHead>)| ListRow {
        code: list.code.to_string(),
        href: href(&list.code),
        deep: !list.is_source(),
        territory: list.territory.clone().unwrap_or_default(),
        state: chip(w, list),
        trouble: trouble(w, list),
        sequence: or_never(head.as_ref().map(|head| format::number(head.sequence))),
        next: or_never(head.as_ref().map(|head| next_update(w, head))),
        looked: or_never(list.checked_at.map(format::date_time)),
        confirmed: or_never(list.confirmed_at.map(format::date_time)),
    };
    let follows = visit.env.settings.follows_lists;
    Ok(SourcesPage {
        w,
        frame,
        errors,
        follows,
        round: match run {
            Some(run) if run.outcome == "running" => w.t("admin.list-sources.looking").to_owned(),
            Some(run) => w
                .say("admin.list-sources.looked-at")
                .with("time", format::date_time(run.started_at))
                .text(),
            None => w.t("admin.list-sources.never").to_owned(),
        },
        rows: found.iter().map(row).collect(),
        may_look: follows && visit.may(Permission::PublishList),
        may_decide,
        factor: if may_decide { factor_field(visit).await? } else { Factor::default() },
        form,
    })
}

/// `POST /console/lists/others/look`: every list is looked at soon.
pub async fn look_now(granted: Granted<PublishList>) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    platform_only(&permit)?;
    visit
        .run(|env| {
            let now = env.clock.now();
            env.store.write(|tx| tx.enqueue_job(REFRESH_JOB, "platform", now))
        })
        .await?;
    Ok(see_other(PATH))
}

/// `POST /console/lists/others`: a list shall be believed.
pub async fn add_source(granted: Granted<OperateAuthority>) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    platform_only(&permit)?;
    let form: TrustForm = visit.form()?;
    let w = visit.words;
    let mut errors = Vec::new();
    let code = ListCode::parse(form.list.trim());
    if code.is_err() {
        errors.push(wrong(w, "list", "code-wrong"));
    }
    if form.location.trim().is_empty() {
        errors.push(wrong(w, "location", "needed"));
    }
    let trust = trust(w, &form, !form.journal.trim().is_empty(), &mut errors);
    errors.extend(reason_missing(w, &form));
    if errors.is_empty() {
        errors.extend(step_up(&visit, &form.code).await?);
    }
    if let (Ok(code), Some(trust), true) = (code, trust, errors.is_empty()) {
        let location = form.location.trim().to_owned();
        let act = ProposedAct::TrustList { code, location, trust };
        match put_forward(&visit, permit, act, &form.reason).await? {
            Ok(proposal) => return Ok(see_other(&done(&proposal, PATH))),
            Err(refusal) => errors.push(refused(w, &refusal)?),
        }
    }
    let page = sources_page(&visit, form, errors).await?;
    html_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

/// A list with everything that is known of it.
struct Ground {
    list: FollowedList,
    source: Option<ListSource>,
    snapshots: Vec<SnapshotHead>,
}

async fn load(visit: &Visit, code: &str) -> Result<Ground, Problem> {
    let code = ListCode::parse(code).map_err(|_| Problem::not_found())?;
    visit
        .run(move |env| {
            env.store.read(|tx| {
                let gone = StoreError::NotFound { what: "list" };
                let list = tx.find_followed(&code)?.ok_or(gone)?;
                let source = tx.find_list_source(&list.source)?;
                let snapshots = tx.list_snapshots(&code)?;
                Ok::<_, StoreError>(Ground { list, source, snapshots })
            })
        })
        .await
}

/// `GET /console/lists/others/{list}`
pub async fn show_source(
    granted: Granted<ViewRegistry>,
    code: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    platform_only(&permit)?;
    let ground = load(&visit, &code).await?;
    // A newer publication waits for a person: its address is filled in, its certificates are not.
    let journal = newer_journal(&ground.list).unwrap_or_default();
    let form = TrustForm { journal, ..TrustForm::default() };
    html(&source_page(&visit, &ground, form, Vec::new()).await?)
}

/// The address of a newer publication in the journal, as the fault names it.
fn newer_journal(list: &FollowedList) -> Option<String> {
    let fault = list.fault.as_ref().filter(|fault| fault.problem == ListProblem::NewJournal)?;
    let mut words = fault.detail.split([' ', ',', ';']);
    words.find(|word| word.starts_with("http")).map(str::to_owned)
}

async fn source_page(
    visit: &Visit,
    ground: &Ground,
    form: TrustForm,
    errors: Vec<FieldError>,
) -> Result<SourcePage, Problem> {
    let Ground { list, source, snapshots } = ground;
    let w = visit.words;
    let crumbs = vec![
        Crumb::link(w.t("admin.lists.title"), lists::PATH),
        Crumb::link(w.t("admin.list-sources.title"), PATH),
        Crumb::here(list.code.as_str()),
    ];
    let mut frame = visit.frame(list.code.as_str(), crumbs);
    frame.has_errors = !errors.is_empty();
    let believed = source.as_ref().is_some_and(|source| source.ended_at.is_none());
    let may_decide = list.is_source() && believed && visit.may(Permission::OperateAuthority);
    let row = |head: &SnapshotHead| SnapshotRow {
        sequence: format::number(head.sequence),
        id: head.id.to_string(),
        issued: format::date_time(head.issued_at),
        next: next_update(w, head),
        taken: format::date_time(head.taken_at),
        digest: format::grouped(&head.digest.to_string()),
    };
    let source = source.as_ref().filter(|_| list.is_source());
    Ok(SourcePage {
        w,
        frame,
        errors,
        state: chip(w, list),
        trouble: trouble(w, list),
        facts: facts(w, list, snapshots),
        anchors: source.map_or_else(Vec::new, |source| anchors(w, source)),
        snapshots: snapshots.iter().map(row).collect(),
        href: href(&list.code),
        may_decide,
        has_journal: source.is_some_and(|one| matches!(one.trust, ListTrust::Journal { .. })),
        factor: if may_decide { factor_field(visit).await? } else { Factor::default() },
        form,
    })
}

fn facts(w: Words, list: &FollowedList, snapshots: &[SnapshotHead]) -> Vec<Fact> {
    let fact = |name: &str, value: String| Fact::new(w.word("admin.list-source", name), value);
    let mut facts = vec![Fact::mono(w.t("admin.list-source.location"), &*list.location)];
    if !list.is_source() {
        let link = href(&list.source);
        facts.push(Fact::link(w.t("admin.list-source.source"), list.source.as_str(), link));
    }
    facts.extend(list.territory.clone().map(|territory| fact("territory", territory)));
    if let Some(fault) = &list.fault {
        facts.push(fact("since", format::date_time(fault.since)));
        facts.push(fact("detail", fault.detail.clone()));
    }
    facts.extend(list.dropped_at.map(|at| fact("dropped", format::date_time(at))));
    let in_force = snapshots.iter().find(|head| Some(&head.id) == list.snapshot.as_ref());
    if let Some(head) = in_force {
        let mono = |name: &str, digest: &Digest| {
            Fact::mono(w.word("admin.list-source", name), format::grouped(&digest.to_string()))
        };
        facts.push(fact("in-force", format::number(head.sequence)));
        facts.push(mono("digest", &head.digest));
        facts.push(mono("signer", &head.signer));
    }
    let or_never = |at: Option<_>| at.map_or_else(|| "–".to_owned(), format::date_time);
    facts.push(fact("looked", or_never(list.checked_at)));
    facts.push(fact("confirmed", or_never(list.confirmed_at)));
    facts.extend(list.etag.as_deref().map(|etag| Fact::mono("ETag", etag)));
    facts
}

/// What belief rests on.
fn anchors(w: Words, source: &ListSource) -> Vec<Fact> {
    let fact = |name: &str, value: String| Fact::new(w.word("admin.list-source", name), value);
    let mut facts = vec![fact("trusted", format::date_time(source.trusted_at))];
    facts.extend(source.ended_at.map(|at| fact("ended", format::date_time(at))));
    if let ListTrust::Journal { address, .. } = &source.trust {
        facts.push(fact("journal", address.clone()));
    }
    facts.extend(source.trust.anchors().iter().map(|der| {
        let subject = Certificate::from_der(&der.0).map(|one| one.subject()).unwrap_or_default();
        let digest = format::grouped(&Digest::of(&der.0).to_string());
        fact("anchor", format!("{subject} · {digest}"))
    }));
    facts
}

/// `POST /console/lists/others/{list}`: other certificates are taken over, or the list is believed no
/// more.
pub async fn decide(
    granted: Granted<OperateAuthority>,
    code: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    platform_only(&permit)?;
    let form: TrustForm = visit.form()?;
    let ground = load(&visit, &code).await?;
    let source = ground.source.as_ref().filter(|_| ground.list.is_source());
    let source = source.ok_or_else(Problem::not_found)?;
    let w = visit.words;
    let mut errors = Vec::new();
    let code = source.code.clone();
    let act = match form.act.as_str() {
        "end" => Some(ProposedAct::EndList { code }),
        "anchors" => {
            let has_journal = matches!(source.trust, ListTrust::Journal { .. });
            let trust = trust(w, &form, has_journal, &mut errors);
            trust.map(|trust| ProposedAct::TakeAnchors { code, trust })
        }
        _ => return Err(Problem::not_found()),
    };
    errors.extend(reason_missing(w, &form));
    if errors.is_empty() {
        errors.extend(step_up(&visit, &form.code).await?);
    }
    if let (Some(act), true) = (act, errors.is_empty()) {
        match put_forward(&visit, permit, act, &form.reason).await? {
            Ok(proposal) => return Ok(see_other(&done(&proposal, &href(&ground.list.code)))),
            Err(refusal) => errors.push(refused(w, &refusal)?),
        }
    }
    let page = source_page(&visit, &ground, form, errors).await?;
    html_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

/// Reads what belief shall rest on; what cannot be read is told at its field.
fn trust(
    w: Words,
    form: &TrustForm,
    has_journal: bool,
    errors: &mut Vec<FieldError>,
) -> Option<ListTrust> {
    let read = pem::decode_several(&form.certificates, &["CERTIFICATE"]).unwrap_or_default();
    let certificates: Vec<Octets> = read.into_iter().map(Octets).collect();
    if certificates.is_empty() {
        errors.push(wrong(w, "certificates", "certificates-wrong"));
    }
    let address = form.journal.trim().to_owned();
    if has_journal && address.is_empty() {
        errors.push(wrong(w, "journal", "needed"));
    }
    if !errors.is_empty() {
        return None;
    }
    Some(if has_journal {
        ListTrust::Journal { address, certificates }
    } else {
        ListTrust::Signers { certificates }
    })
}

fn wrong(w: Words, field: &str, word: &str) -> FieldError {
    let text = w.word("admin.list-source-wrong", word).to_owned();
    FieldError { field: field.to_owned(), text }
}

fn reason_missing(w: Words, form: &TrustForm) -> Option<FieldError> {
    form.reason.trim().is_empty().then(|| wrong(w, "reason", "needed"))
}

async fn put_forward(
    visit: &Visit,
    permit: Permit<OperateAuthority>,
    act: ProposedAct,
    reason: &str,
) -> Result<Result<Proposal, Refusal>, Problem> {
    let reason = reason.to_owned();
    visit
        .run(move |env| match propose(env, &permit, act, &reason) {
            Ok(proposal) => Ok(Ok(proposal)),
            Err(ProposalError::Refused(refusal)) => Ok(Err(refusal)),
            Err(other) => Err(other),
        })
        .await
}

/// A value that the rules refuse, at its field; anything else is a page of its own.
fn refused(w: Words, refusal: &Refusal) -> Result<FieldError, Problem> {
    let fact = |name: &str| refusal.facts.get(name).map(String::as_str);
    match (refusal.code, fact("problem")) {
        (RefusalCode::NameInvalid, Some("list-address")) => {
            Ok(wrong(w, "location", "address-wrong"))
        }
        (RefusalCode::NameInvalid, Some("list-anchors")) => {
            Ok(wrong(w, "certificates", "certificates-wrong"))
        }
        (RefusalCode::NameInvalid, Some("list-journal")) => {
            Ok(wrong(w, "journal", "address-wrong"))
        }
        (RefusalCode::StateConflict, Some("taken")) => Ok(wrong(w, "list", "taken")),
        _ => Err(Problem::from_refusal(refusal)),
    }
}

/// Where a proposal is shown that waits for others; otherwise it is done already.
fn done(proposal: &Proposal, otherwise: &str) -> String {
    match proposal.state {
        ProposalState::Open => proposals::href(proposal),
        ProposalState::Done | ProposalState::Rejected => otherwise.to_owned(),
    }
}
