//! Trusted lists: what is live, what is due, drafts, who signs, the sequences.

use actix_web::HttpResponse;
use actix_web::web::Path;
use askama::Template;
use serde::Deserialize;
use tenkoku_domain::access::{Permission, PublishList, ViewRegistry};
use tenkoku_domain::authority::AuthorityCode;
use tenkoku_domain::trusted_list::draft::{ListDraft, ListDraftState};
use tenkoku_domain::trusted_list::{PublishedList, SchemeCode};
use tenkoku_publisher::draft::{Beginning, DraftError, open_draft};
use tenkoku_publisher::link::{Gap, find_gaps, propose_authority};
use tenkoku_publisher::publish;
use tenkoku_publisher::signers::{ListSigners, find_signers};
use tenkoku_tsl::model::Service;
use tenkoku_tsl::verify::verify;

use super::authorities::platform_only;
use super::views::{Fact, ROWS, html, see_other};
use crate::format;
use crate::granted::{Granted, Visit};
use crate::layout::{AdminFrame, Chip, Tone};
use crate::problem::Problem;
use crate::text::Words;

/// The address of the page.
pub(super) const PATH: &str = "/console/lists";
/// Days before NextUpdate at which a list is shown as ending.
const NEAR_DAYS: i64 = 30;

pub(super) struct SequenceRow {
    pub(super) sequence: String,
    pub(super) issued: String,
    pub(super) next_update: String,
    pub(super) size: String,
    pub(super) digest: String,
}

/// A service that the live list names.
pub(super) struct ServiceRow {
    pub(super) name: String,
    pub(super) status: Chip,
    pub(super) since: String,
}

/// A draft.
pub(super) struct DraftRow {
    pub(super) href: String,
    pub(super) scheme: String,
    pub(super) state: Chip,
    pub(super) opened: String,
}

/// What the list does not yet say of an authority.
pub(super) struct GapRow {
    pub(super) title: String,
    pub(super) href: String,
    pub(super) is_drafted: bool,
}

/// Who signs, or will.
pub(super) struct SignerRow {
    pub(super) part: String,
    pub(super) name: String,
    pub(super) announced: String,
    pub(super) until: String,
}

#[derive(Template)]
#[template(path = "admin/lists.html")]
pub(super) struct ListsPage {
    pub(super) w: Words,
    pub(super) frame: AdminFrame,
    pub(super) state: Option<Chip>,
    pub(super) facts: Vec<Fact>,
    pub(super) services: Vec<ServiceRow>,
    pub(super) sequences: Vec<SequenceRow>,
    pub(super) drafts: Vec<DraftRow>,
    pub(super) gaps: Vec<GapRow>,
    pub(super) signers: Vec<SignerRow>,
    pub(super) may_hand_over: bool,
    pub(super) may_publish: bool,
    pub(super) may_open: bool,
}

/// What the page is told from.
pub(super) struct Ground {
    pub(super) lists: Vec<PublishedList>,
    pub(super) drafts: Vec<ListDraft>,
    pub(super) gaps: Vec<Gap>,
    pub(super) signers: Option<ListSigners>,
}

/// `GET /console/lists`
pub async fn show_list(granted: Granted<ViewRegistry>) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    platform_only(&permit)?;
    let scheme = visit.env.settings.scheme.code.clone();
    let ground = visit
        .run(move |env| {
            let (lists, drafts) = env.store.read(|tx| {
                Ok::<_, tenkoku_store::StoreError>((
                    tx.list_sequences(&scheme)?,
                    tx.list_list_drafts(None, ROWS)?.items,
                ))
            })?;
            let signers = find_signers(env, &scheme)?;
            Ok::<_, DraftError>(Ground { lists, drafts, gaps: find_gaps(env)?, signers })
        })
        .await?;
    html(&page(&visit, &ground))
}

fn page(visit: &Visit, ground: &Ground) -> ListsPage {
    let w = visit.words;
    let live = ground.lists.first();
    let own = visit.env.settings.scheme.code.as_str();
    let is_open = |draft: &&ListDraft| draft.state.is_open() && draft.scheme.as_str() == own;
    let publishes = visit.may(Permission::PublishList);
    ListsPage {
        w,
        frame: visit.frame(w.t("admin.lists.title"), Vec::new()),
        state: live.map(|live| state(visit, live)),
        facts: live.map_or_else(Vec::new, |live| facts(visit, live)),
        services: live.map_or_else(Vec::new, |live| services(w, live)),
        sequences: ground.lists.iter().map(|list| sequence(w, list)).collect(),
        drafts: ground.drafts.iter().map(|draft| draft_row(w, draft)).collect(),
        gaps: ground.gaps.iter().map(|gap| gap_row(w, gap)).collect(),
        signers: ground.signers.as_ref().map_or_else(Vec::new, |signers| signer_rows(w, signers)),
        may_hand_over: publishes
            && live.is_some()
            && ground.signers.as_ref().is_some_and(|signers| signers.may_hand_over(visit.now)),
        may_publish: publishes && live.is_none_or(|live| live.next_update.is_some()),
        may_open: publishes && !ground.drafts.iter().any(|draft| is_open(&draft)),
    }
}

fn state(visit: &Visit, live: &PublishedList) -> Chip {
    let w = visit.words;
    match live.next_update.map(|next| visit.now.days_until(next)) {
        None => Chip::new(Tone::Mute, w.t("lists.closed")),
        Some(..0) => Chip::new(Tone::Bad, w.t("admin.lists.over")),
        Some(0..NEAR_DAYS) => Chip::new(Tone::Warn, w.t("admin.lists.near")),
        Some(_) => Chip::new(Tone::Ok, w.t("admin.lists.live")),
    }
}

fn facts(visit: &Visit, live: &PublishedList) -> Vec<Fact> {
    let w = visit.words;
    let address = visit.env.settings.public_address.list(&live.scheme);
    let next = live.next_update.map_or_else(
        || w.t("lists.closed").to_owned(),
        |next| match format::until(w, visit.now, next) {
            Some(left) => w
                .say("admin.authority.next-in")
                .with("time", format::date_time(next))
                .with("left", left)
                .text(),
            None => w.say("admin.authority.next-over").with("time", format::date_time(next)).text(),
        },
    );
    vec![
        Fact::new(w.t("admin.lists.sequence"), format::number(live.sequence)),
        Fact::new(w.t("admin.lists.issued"), format::date_time(live.issued_at)),
        Fact::new(w.t("admin.lists.next"), next),
        Fact::mono(w.t("admin.lists.address"), address),
        Fact::mono(w.t("admin.lists.digest"), format::grouped(&live.digest.to_string())),
    ]
}

fn sequence(w: Words, list: &PublishedList) -> SequenceRow {
    SequenceRow {
        sequence: format::number(list.sequence),
        issued: format::date_time(list.issued_at),
        next_update: list.next_update.map_or_else(|| w.t("lists.closed").to_owned(), format::date),
        size: format::size(w, list.xml.len()),
        digest: format::grouped(&list.digest.to_string()),
    }
}

/// The state of a draft.
pub(super) fn draft_chip(w: Words, draft: &ListDraft) -> Chip {
    let tone = match draft.state {
        ListDraftState::Editing | ListDraftState::Approved => Tone::Info,
        ListDraftState::Submitted | ListDraftState::SentBack => Tone::Warn,
        ListDraftState::Published => Tone::Ok,
        ListDraftState::Abandoned => Tone::Mute,
    };
    Chip::new(tone, w.word("admin.list-draft-state", draft.state.word()))
}

/// The address of a draft.
pub(super) fn draft_href(draft: &ListDraft) -> String {
    format!("{PATH}/drafts/{}", draft.id)
}

fn draft_row(w: Words, draft: &ListDraft) -> DraftRow {
    DraftRow {
        href: draft_href(draft),
        scheme: draft.scheme.to_string(),
        state: draft_chip(w, draft),
        opened: format::date_time(draft.opened_at),
    }
}

/// What is due of an authority, in a sentence.
pub(super) fn gap_title(w: Words, gap: &Gap) -> String {
    let name = &gap.authority.name.common_name;
    w.say(&format!("admin.list-gap.{}", gap.due.word())).with("name", name).text()
}

fn gap_row(w: Words, gap: &Gap) -> GapRow {
    GapRow {
        title: gap_title(w, gap),
        href: format!("{PATH}/proposals/{}", gap.authority.code),
        is_drafted: gap.is_drafted,
    }
}

fn signer_rows(w: Words, signers: &ListSigners) -> Vec<SignerRow> {
    let row = |(at, signer): (usize, &tenkoku_domain::certificate::Certificate)| SignerRow {
        part: w.t(if at == 0 { "admin.lists.signs" } else { "admin.lists.follows" }).to_owned(),
        name: signer.common_name.clone(),
        announced: format::date(signer.created_at),
        until: format::date(signer.validity.not_after),
    };
    signers.all().enumerate().map(row).collect()
}

/// The services as the signed octets name them; nothing when the signature does not hold.
fn services(w: Words, live: &PublishedList) -> Vec<ServiceRow> {
    let Ok(verified) = verify(&live.xml) else { return Vec::new() };
    verified.list().services().map(|(_, service)| service_row(w, service)).collect()
}

fn service_row(w: Words, service: &Service) -> ServiceRow {
    let names = service.name.entries();
    let own = names.iter().find(|name| name.language.as_str() == w.tag());
    let name = own.or(names.first()).map_or("", |name| name.value.as_str());
    let status = service.status.as_str().rsplit(['/', '#']).next().unwrap_or_default();
    ServiceRow {
        name: name.to_owned(),
        status: Chip::new(
            if status == "granted" { Tone::Ok } else { Tone::Warn },
            w.word("admin.service-status", status),
        ),
        since: format::date(service.status_start),
    }
}

/// `POST /console/lists/publish`
pub async fn publish_list(granted: Granted<PublishList>) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    visit.run(move |env| publish::publish_list(env, &permit)).await?;
    Ok(see_other(PATH))
}

/// `POST /console/lists/signers`: hands over to the signer that is announced beside the present one.
pub async fn hand_over(granted: Granted<PublishList>) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let scheme = SchemeCode::parse(&visit.env.settings.scheme.code)
        .map_err(|refusal| Problem::from_refusal(&refusal))?;
    visit.run(move |env| publish::hand_over(env, &permit, &scheme)).await?;
    Ok(see_other(PATH))
}

#[derive(Debug, Default, Deserialize)]
struct OpenForm {
    #[serde(default)]
    scheme: String,
}

/// `POST /console/lists/drafts`: a copy of the live list, to be changed.
pub async fn open(granted: Granted<PublishList>) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let OpenForm { scheme } = visit.form()?;
    let scheme = if scheme.is_empty() { visit.env.settings.scheme.code.clone() } else { scheme };
    let draft = visit
        .run(move |env| open_draft(env, &permit, &SchemeCode::parse(&scheme)?, &Beginning::Live))
        .await?;
    Ok(see_other(&draft_href(&draft)))
}

/// `POST /console/lists/proposals/{code}`: proposes what is due of an authority.
pub async fn propose(
    granted: Granted<PublishList>,
    code: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let code = AuthorityCode::parse(&code).map_err(|_| Problem::not_found())?;
    let draft = visit.run(move |env| propose_authority(env, &permit, &code)).await?;
    Ok(see_other(&draft_href(&draft)))
}
