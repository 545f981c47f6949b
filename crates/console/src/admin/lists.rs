//! The trusted list: what is live, its sequences, *Publish again*.

use actix_web::HttpResponse;
use askama::Template;
use tenkoku_domain::access::{Permission, PublishList, ViewRegistry};
use tenkoku_domain::trusted_list::PublishedList;
use tenkoku_publisher::publish;
use tenkoku_tsl::model::Service;
use tenkoku_tsl::verify::verify;

use super::authorities::platform_only;
use super::views::{Fact, html, see_other};
use crate::format;
use crate::granted::{Granted, Visit};
use crate::layout::{AdminFrame, Chip, Tone};
use crate::problem::Problem;
use crate::text::Words;

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

#[derive(Template)]
#[template(path = "admin/lists.html")]
pub(super) struct ListsPage {
    pub(super) w: Words,
    pub(super) frame: AdminFrame,
    pub(super) state: Option<Chip>,
    pub(super) facts: Vec<Fact>,
    pub(super) services: Vec<ServiceRow>,
    pub(super) sequences: Vec<SequenceRow>,
    pub(super) may_publish: bool,
}

/// `GET /console/lists`
pub async fn show_list(granted: Granted<ViewRegistry>) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    platform_only(&permit)?;
    let scheme = visit.env.settings.scheme.code.clone();
    let lists = visit.run(move |env| env.store.read(|tx| tx.list_sequences(&scheme))).await?;
    html(&page(&visit, &lists))
}

fn page(visit: &Visit, lists: &[PublishedList]) -> ListsPage {
    let w = visit.words;
    let live = lists.first();
    ListsPage {
        w,
        frame: visit.frame(w.t("admin.lists.title"), Vec::new()),
        state: live.map(|live| state(visit, live)),
        facts: live.map_or_else(Vec::new, |live| facts(visit, live)),
        services: live.map_or_else(Vec::new, |live| services(w, live)),
        sequences: lists.iter().map(|list| sequence(w, list)).collect(),
        may_publish: visit.may(Permission::PublishList),
    }
}

fn state(visit: &Visit, live: &PublishedList) -> Chip {
    let w = visit.words;
    match visit.now.days_until(live.next_update) {
        ..0 => Chip::new(Tone::Bad, w.t("admin.lists.over")),
        0..NEAR_DAYS => Chip::new(Tone::Warn, w.t("admin.lists.near")),
        _ => Chip::new(Tone::Ok, w.t("admin.lists.live")),
    }
}

fn facts(visit: &Visit, live: &PublishedList) -> Vec<Fact> {
    let w = visit.words;
    let address = visit.env.settings.public_address.list(&live.scheme);
    let left = format::until(w, visit.now, live.next_update);
    let next = match left {
        Some(left) => w
            .say("admin.authority.next-in")
            .with("time", format::date_time(live.next_update))
            .with("left", left)
            .text(),
        None => w
            .say("admin.authority.next-over")
            .with("time", format::date_time(live.next_update))
            .text(),
    };
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
        next_update: format::date(list.next_update),
        size: format::size(w, list.xml.len()),
        digest: format::grouped(&list.digest.to_string()),
    }
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
    Ok(see_other("/console/lists"))
}
