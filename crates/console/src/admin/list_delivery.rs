//! Where readers get the lists of this installation, and what each address was last found to serve:
//! a picture and the same as a table (UX 4.12 and 6).

use actix_web::HttpResponse;
use askama::Template;
use tenkoku_domain::access::ViewRegistry;
use tenkoku_domain::trusted_list::PublishedList;
use tenkoku_domain::trusted_list::delivery::Delivery;
use tenkoku_reader::delivery::{Address, addresses};
use tenkoku_store::StoreError;
use tenkoku_tsl::verify::verify;

use super::authorities::platform_only;
use super::lists::PATH;
use super::views::html;
use crate::format;
use crate::granted::Granted;
use crate::layout::{AdminFrame, Chip, Crumb, Tone};
use crate::problem::Problem;
use crate::text::Words;

/// Height of a row of the picture.
const ROW: usize = 60;
/// Characters of an address that the picture has room for; the table says all of it.
const LABEL_CHARS: usize = 44;

/// An address and what it serves.
pub(super) struct AddressRow {
    pub(super) address: String,
    pub(super) label: String,
    pub(super) state: Chip,
    pub(super) detail: String,
    pub(super) sequence: String,
    pub(super) etag: String,
    pub(super) looked: String,
    pub(super) served: String,
    /// Upper edge in the picture.
    pub(super) y: usize,
    pub(super) edge: &'static str,
    pub(super) path: String,
}

/// A list and its addresses.
pub(super) struct Map {
    pub(super) scheme: String,
    pub(super) title: String,
    pub(super) live: String,
    pub(super) rows: Vec<AddressRow>,
    pub(super) height: usize,
    /// Upper edge of the list's own node.
    pub(super) y: usize,
}

#[derive(Template)]
#[template(path = "admin/list_delivery.html")]
pub(super) struct DeliveryPage {
    pub(super) w: Words,
    pub(super) frame: AdminFrame,
    pub(super) maps: Vec<Map>,
}

/// A live list with where it is and what was found there.
type Delivered = (PublishedList, Vec<Address>, Vec<Delivery>);

/// `GET /console/lists/delivery`
pub async fn show_delivery(granted: Granted<ViewRegistry>) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    platform_only(&permit)?;
    let found: Vec<Delivered> = visit
        .run(|env| {
            let mut all = Vec::new();
            let lists = env.store.read(|tx| {
                let mut lists = Vec::new();
                for scheme in tx.list_schemes()? {
                    if let Some(live) = tx.latest_list(&scheme)? {
                        lists.push((live, tx.list_deliveries(&scheme)?));
                    }
                }
                Ok::<_, StoreError>(lists)
            })?;
            for (live, known) in lists {
                let verified = verify(&live.xml).map_err(|refusal| Problem::internal(&refusal))?;
                let places = addresses(env, &live, verified.list());
                all.push((live, places, known));
            }
            Ok::<_, Problem>(all)
        })
        .await?;
    let w = visit.words;
    let title = w.t("admin.list-delivery.title");
    let crumbs = vec![Crumb::link(w.t("admin.lists.title"), PATH), Crumb::here(title)];
    html(&DeliveryPage {
        w,
        frame: visit.frame(title, crumbs),
        maps: found.iter().map(|one| Map::of(w, one)).collect(),
    })
}

impl Map {
    fn of(w: Words, (live, places, known): &Delivered) -> Self {
        let height = places.len() * ROW;
        let y = height.saturating_sub(ROW) / 2;
        let found = |place: &Address| known.iter().find(|one| one.address == place.address);
        let rows = places.iter().enumerate();
        Self {
            scheme: live.scheme.clone(),
            title: w.say("admin.list-delivery.map").with("scheme", &live.scheme).text(),
            live: w.say("admin.list-delivery.live").with("n", live.sequence).text(),
            rows: rows.map(|(at, place)| row(w, (live, y), (at, place), found(place))).collect(),
            height,
            y,
        }
    }
}

fn row(
    w: Words,
    (live, from): (&PublishedList, usize),
    (at, place): (usize, &Address),
    found: Option<&Delivery>,
) -> AddressRow {
    // What was found before the present list was published says nothing of it.
    let current = found.filter(|found| found.live == live.sequence);
    let (tone, word, edge) = match current.map(|found| &found.fault) {
        None => (Tone::Mute, "waiting", "edge"),
        Some(None) => (Tone::Ok, "served", "edge edge--ok"),
        Some(Some(fault)) => (Tone::Bad, fault.problem.word(), "edge edge--bad"),
    };
    let (y, middle) = (at * ROW, ROW / 2 - 4);
    let or_never = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
    AddressRow {
        address: place.address.clone(),
        label: shortened(&place.address),
        state: Chip::new(tone, w.word("list-delivery", word)),
        detail: current
            .and_then(|found| found.fault.as_ref())
            .map(|fault| fault.detail.clone())
            .unwrap_or_default(),
        sequence: or_never(found.and_then(|found| found.sequence).map(format::number)),
        etag: found.and_then(|found| found.etag.clone()).unwrap_or_default(),
        looked: or_never(found.map(|found| format::date_time(found.checked_at))),
        served: or_never(found.and_then(|found| found.served_at).map(format::date_time)),
        y,
        edge,
        path: format!("M176 {} C216 {0} 216 {} 256 {1}", from + middle, y + middle),
    }
}

/// An address with its end, which tells what is there, when it is too long for the picture.
fn shortened(address: &str) -> String {
    let address = address.split_once("://").map_or(address, |(_, rest)| rest);
    let count = address.chars().count();
    if count <= LABEL_CHARS {
        return address.to_owned();
    }
    let end: String = address.chars().skip(count - LABEL_CHARS + 1).collect();
    format!("…{end}")
}
