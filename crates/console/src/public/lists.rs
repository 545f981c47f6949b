//! Trusted lists for people: the installation's own and those of others that it follows, down to every
//! service and its history (TS 119 612, 5.1.1).
//!
//! Everything on the pages is read from signed octets, after their signature was verified, and every
//! page says which: the sequence, and for a list of others the snapshot.

pub mod changes;
pub mod search;
pub mod service;
mod upload;

use actix_web::HttpResponse;
use actix_web::web::{Path, Query};
use askama::Template;
use serde::Deserialize;
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::followed::{FollowedList, ListCode, SnapshotHead};
use tenkoku_domain::time::Timestamp;
use tenkoku_reader::library::{Book, Library};
use tenkoku_store::Tx;
use tenkoku_tsl::index::state_at;
use tenkoku_tsl::model::{
    Entry, NextUpdate, Provider, SchemeInformation, Service, Text, TrustedList,
};
use tenkoku_tsl::verify::VerifiedList;

use super::Reader;
use crate::format;
use crate::layout::{Chip, PublicFrame, Tone};
use crate::problem::Problem;
use crate::text::Words;

/// Days before the next update from which a list is shown as due.
const DUE_DAYS: i64 = 14;

/// Services that a page of a list shows at most; of a longer list it shows the providers.
const MOST_SERVICES: usize = 60;
/// Longest text that is searched for, in characters.
const QUERY_MAX_CHARS: usize = 200;
/// Longest name of a scheme that is a title, in characters.
const LONGEST_TITLE: usize = 80;

/// A line of the table of lists.
pub(super) struct ListLine {
    pub(super) scheme: String,
    pub(super) territory: String,
    pub(super) name: Phrase,
    pub(super) sequence: i64,
    pub(super) issued: String,
    pub(super) next: String,
    pub(super) providers: usize,
    pub(super) services: usize,
    pub(super) freshness: Chip,
    pub(super) signature: Chip,
    /// What is wrong with a list of others.
    pub(super) trouble: Option<TroubleView>,
}

/// A list of others that was never good.
pub(super) struct MissingLine {
    pub(super) code: String,
    pub(super) territory: String,
    pub(super) location: String,
    pub(super) trouble: Option<TroubleView>,
}

/// What is wrong with a list of others.
pub(super) struct TroubleView {
    pub(super) chip: Chip,
    pub(super) sentence: String,
    pub(super) since: String,
    pub(super) detail: String,
}

/// A text in the reader's language where there is one, and in the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Phrase {
    pub(super) main: Tag,
    pub(super) others: Vec<Tag>,
}

/// A text and its language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tag {
    pub(super) lang: String,
    pub(super) text: String,
}

/// A provider with its services.
pub(super) struct ProviderView {
    pub(super) href: String,
    pub(super) name: Phrase,
    pub(super) registration: Option<String>,
    /// Its services, where the page shows them.
    pub(super) services: Vec<ServiceView>,
    /// How many of its services are shown or would be.
    pub(super) count: usize,
}

/// A service and its status.
pub(super) struct ServiceView {
    pub(super) href: String,
    pub(super) name: Phrase,
    pub(super) kind: String,
    pub(super) status: Chip,
    pub(super) since: String,
    pub(super) sha256: Vec<String>,
}

/// A list as a page.
pub(super) struct ListView {
    pub(super) line: ListLine,
    /// The scheme's name, where it is too long for a title.
    pub(super) full_name: Option<Phrase>,
    pub(super) operator: Phrase,
    pub(super) digest: String,
    pub(super) size: String,
    pub(super) signer: String,
    pub(super) signer_sha256: String,
    pub(super) providers: Vec<ProviderView>,
    /// Where a list of others is, and the snapshot that is shown.
    pub(super) snapshot: Option<SnapshotView>,
}

/// What a list of others was read from.
pub(super) struct SnapshotView {
    pub(super) id: String,
    pub(super) taken: String,
    pub(super) confirmed: String,
}

/// Which services of a list are shown.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Filter {
    /// Part of a name of the service or its provider.
    q: String,
    /// Part of the address of the type.
    kind: String,
    /// The end of the address of the status.
    status: String,
    /// The day on which the status is asked for, `YYYY-MM-DD`; today without one.
    on: String,
}

/// A choice in a form.
pub(super) struct Choice {
    pub(super) value: String,
    pub(super) label: String,
    pub(super) selected: bool,
}

/// The form above the services of a list.
pub(super) struct FilterView {
    pub(super) q: String,
    pub(super) on: String,
    pub(super) kinds: Vec<Choice>,
    pub(super) statuses: Vec<Choice>,
    /// Whether anything is filtered.
    pub(super) used: bool,
    /// The day was not understood.
    pub(super) wrong_day: bool,
    /// How many services pass.
    pub(super) shown: usize,
}

/// A sequence of a list.
pub(super) struct SequenceLine {
    pub(super) sequence: i64,
    pub(super) issued: String,
}

#[derive(Template)]
#[template(path = "public/lists.html")]
pub(super) struct ListsPage {
    pub(super) w: Words,
    pub(super) frame: PublicFrame,
    pub(super) lists: Vec<ListLine>,
    pub(super) missing: Vec<MissingLine>,
}

#[derive(Template)]
#[template(path = "public/list.html")]
pub(super) struct ListPage {
    pub(super) w: Words,
    pub(super) frame: PublicFrame,
    pub(super) list: ListView,
    pub(super) sequences: Vec<SequenceLine>,
    pub(super) latest: bool,
    pub(super) address: String,
    pub(super) filter: FilterView,
    /// The sequence before, where it is kept: what changed since can be shown.
    pub(super) before: Option<i64>,
}

/// `GET /lists`
pub async fn show_lists(reader: Reader) -> Result<HttpResponse, Problem> {
    let w = reader.words;
    let library = reader.library();
    let (shelf, followed, now) =
        reader.look(move |tx, now| Ok((library.shelf(tx)?, tx.list_followed()?, now))).await?;
    let lists = shelf.books().iter().map(|book| ListLine::of_book(w, book, now)).collect();
    let missing = followed
        .iter()
        .filter(|list| list.dropped_at.is_none() && list.snapshot.is_none())
        .map(|list| MissingLine::of(w, list));
    let missing = missing.collect();
    reader.show(&ListsPage { w, frame: reader.frame(w.t("lists.title")), lists, missing })
}

/// `GET /lists/{scheme}`: the list in force.
pub async fn show_latest(
    reader: Reader,
    scheme: Path<String>,
    filter: Query<Filter>,
) -> Result<HttpResponse, Problem> {
    show(reader, scheme.into_inner(), None, filter.into_inner()).await
}

/// `GET /lists/{scheme}/{sequence}`
pub async fn show_sequence(
    reader: Reader,
    path: Path<(String, i64)>,
    filter: Query<Filter>,
) -> Result<HttpResponse, Problem> {
    let (scheme, sequence) = path.into_inner();
    show(reader, scheme, Some(sequence), filter.into_inner()).await
}

async fn show(
    reader: Reader,
    code: String,
    sequence: Option<i64>,
    filter: Filter,
) -> Result<HttpResponse, Problem> {
    let w = reader.words;
    let library = reader.library();
    let (open, now) =
        reader.look(move |tx, now| Ok((Open::find(tx, &library, &code, sequence)?, now))).await?;
    let chosen = Chosen::of(&open, &filter, now);
    let list = ListView::of(w, &open, &chosen, now);
    let sequences = open.sequences.iter().map(|(sequence, issued)| SequenceLine {
        sequence: *sequence,
        issued: format::date_time(*issued),
    });
    let title =
        w.say("list.title").with("name", &list.line.name.main.text).with("n", open.sequence);
    reader.show(&ListPage {
        w,
        frame: reader.frame(&title.text()),
        address: open.address(reader.address()),
        sequences: sequences.collect(),
        latest: open.is_latest(),
        before: open.before(),
        filter: chosen.view(w, &open),
        list,
    })
}

/// `GET /lists/{scheme}/{sequence}.xml`: the octets as they were published.
pub async fn load_xml(reader: Reader, path: Path<(String, i64)>) -> Result<HttpResponse, Problem> {
    let open = open(&reader, path).await?;
    Ok(HttpResponse::Ok().content_type("application/vnd.etsi.tsl+xml").body(open.xml))
}

/// `GET /lists/{scheme}/{sequence}.json`: the same information as TS 119 602 writes it; it is not
/// signed, the list that it is made from is.
pub async fn load_json(reader: Reader, path: Path<(String, i64)>) -> Result<HttpResponse, Problem> {
    let open = open(&reader, path).await?;
    // What cannot be said in that form is not there in it.
    let json = tenkoku_tsl::lote::to_json(open.list()).map_err(|_| Problem::not_found())?;
    Ok(HttpResponse::Ok().json(json))
}

/// A list by code and sequence.
async fn open(reader: &Reader, path: Path<(String, i64)>) -> Result<Open, Problem> {
    let library = reader.library();
    let (code, sequence) = path.into_inner();
    reader.look(move |tx, _| Open::find(tx, &library, &code, Some(sequence))).await
}

/// A list that somebody reads.
pub(super) struct Open {
    /// What it is called here.
    code: String,
    sequence: i64,
    digest: Digest,
    xml: Vec<u8>,
    verified: std::sync::Arc<VerifiedList>,
    /// Every sequence that is kept, newest first, and when each was issued.
    sequences: Vec<(i64, Timestamp)>,
    /// For a list of others: how it stands, and what is shown.
    foreign: Option<(FollowedList, SnapshotHead)>,
}

impl Open {
    /// Finds a list: an own one, else one of others. Without a sequence, the one in force.
    fn find(
        tx: &mut Tx<'_>,
        library: &Library,
        code: &str,
        sequence: Option<i64>,
    ) -> Result<Self, Problem> {
        let own = tx.list_sequence_dates(code)?;
        if let Some((newest, _)) = own.first() {
            let found = tx.find_list(code, sequence.unwrap_or(*newest))?;
            let list = found.ok_or_else(Problem::not_found)?;
            return Ok(Self {
                code: list.scheme,
                sequence: list.sequence,
                digest: list.digest,
                verified: library.read(list.digest, &list.xml)?,
                xml: list.xml,
                sequences: own,
                foreign: None,
            });
        }
        let code = ListCode::parse(code).map_err(|_| Problem::not_found())?;
        let followed = tx.find_followed(&code)?.ok_or_else(Problem::not_found)?;
        let heads = tx.list_snapshots(&code)?;
        let newest = heads.first().ok_or_else(Problem::not_found)?.sequence;
        let found = tx.find_snapshot(&code, sequence.unwrap_or(newest))?;
        let snapshot = found.ok_or_else(Problem::not_found)?;
        Ok(Self {
            code: code.to_string(),
            sequence: snapshot.sequence,
            digest: snapshot.digest,
            verified: library.read(snapshot.digest, &snapshot.xml)?,
            xml: snapshot.xml,
            sequences: heads.iter().map(|head| (head.sequence, head.issued_at)).collect(),
            foreign: Some((followed, snapshot.head)),
        })
    }

    fn list(&self) -> &TrustedList {
        self.verified.list()
    }

    fn is_latest(&self) -> bool {
        self.sequences.first().is_some_and(|(newest, _)| *newest == self.sequence)
    }

    /// The sequence before this one that is kept.
    fn before(&self) -> Option<i64> {
        self.sequences.iter().map(|(sequence, _)| *sequence).find(|one| *one < self.sequence)
    }

    /// Where the list in force is fetched.
    fn address(&self, base: &str) -> String {
        match &self.foreign {
            Some((followed, _)) => followed.location.clone(),
            None => format!("{base}/tl/{}.xml", self.code),
        }
    }

    /// The address of the page of this sequence.
    fn href(&self) -> String {
        format!("/lists/{}/{}", self.code, self.sequence)
    }

    fn service(&self, provider: usize, service: usize) -> Option<(&Provider, &Service)> {
        let provider = self.list().providers.get(provider)?;
        Some((provider, provider.services.get(service)?))
    }
}

/// The services that a filter lets through, with their status on the day that is asked for.
struct Chosen {
    filter: Filter,
    /// The instant of the status; nothing when the day was not understood.
    at: Option<Timestamp>,
    /// By provider and service, counted from 0.
    places: Vec<(usize, usize)>,
}

impl Chosen {
    fn of(open: &Open, filter: &Filter, now: Timestamp) -> Self {
        let mut filter = filter.clone();
        for text in [&mut filter.q, &mut filter.kind, &mut filter.status, &mut filter.on] {
            *text = text.trim().chars().take(QUERY_MAX_CHARS).collect();
        }
        let at = if filter.on.is_empty() { Some(now) } else { format::end_of_day(&filter.on) };
        let asked = filter.q.to_lowercase();
        let mut places = Vec::new();
        for (provider_at, provider) in open.list().providers.iter().enumerate() {
            let provider_fits = names_fit(provider.name.entries(), &asked)
                || names_fit(provider.trade_names.entries(), &asked);
            for (service_at, service) in provider.services.iter().enumerate() {
                let named = provider_fits || names_fit(service.name.entries(), &asked);
                if named && filter.lets(service, at.unwrap_or(now)) {
                    places.push((provider_at, service_at));
                }
            }
        }
        Self { filter, at, places }
    }

    fn used(&self) -> bool {
        let Filter { q, kind, status, on } = &self.filter;
        [q, kind, status, on].iter().any(|text| !text.is_empty())
    }

    fn view(&self, w: Words, open: &Open) -> FilterView {
        let services = || open.list().services().map(|(_, service)| service);
        let kinds = services().map(|service| service.service_type.as_str());
        let statuses = services().map(|service| end(service.status.as_str()));
        FilterView {
            q: self.filter.q.clone(),
            on: self.filter.on.clone(),
            kinds: choices(kinds, &self.filter.kind, |kind| kind_words(w, kind)),
            statuses: choices(statuses, &self.filter.status, |status| {
                w.word("service-status", status).to_owned()
            }),
            used: self.used(),
            wrong_day: self.at.is_none(),
            shown: self.places.len(),
        }
    }
}

fn names_fit(names: &[Entry<Text>], asked: &str) -> bool {
    asked.is_empty() || names.iter().any(|name| name.value.as_str().to_lowercase().contains(asked))
}

impl Filter {
    fn lets(&self, service: &Service, at: Timestamp) -> bool {
        // A history that contradicts itself says nothing of the past; the service is shown as it is.
        let state = match state_at(service, at) {
            Ok(Some(state)) => state,
            Ok(None) => return self.on.is_empty(),
            Err(_) => return self.on.is_empty() && self.status.is_empty(),
        };
        (self.kind.is_empty() || state.service_type.as_str() == self.kind)
            && (self.status.is_empty() || end(state.status.as_str()) == self.status)
    }
}

/// What can be chosen, each once.
fn choices<'v>(
    values: impl Iterator<Item = &'v str>,
    selected: &str,
    label: impl Fn(&str) -> String,
) -> Vec<Choice> {
    let all: std::collections::BTreeSet<&str> = values.collect();
    let choice = |value: &str| Choice {
        value: value.to_owned(),
        label: label(value),
        selected: value == selected,
    };
    all.into_iter().map(choice).collect()
}

impl TroubleView {
    fn of(w: Words, list: &FollowedList) -> Option<Self> {
        let fault = list.fault.as_ref()?;
        let tone = if list.snapshot.is_some() { Tone::Warn } else { Tone::Bad };
        Some(Self {
            chip: Chip::new(tone, w.t("lists.troubled")),
            sentence: w.word("list-problem", fault.problem.word()).to_owned(),
            since: format::date_time(fault.since),
            detail: fault.detail.clone(),
        })
    }
}

impl MissingLine {
    fn of(w: Words, list: &FollowedList) -> Self {
        Self {
            code: list.code.to_string(),
            territory: list.territory.clone().unwrap_or_default(),
            location: list.location.clone(),
            trouble: TroubleView::of(w, list),
        }
    }
}

impl ListLine {
    fn of_book(w: Words, book: &Book, now: Timestamp) -> Self {
        let (code, sequence) = (&book.citation.list, book.citation.sequence);
        Self::of(w, (code, sequence), book.list(), book.followed.as_ref(), now)
    }

    fn of(
        w: Words,
        (code, sequence): (&str, i64),
        list: &TrustedList,
        followed: Option<&FollowedList>,
        now: Timestamp,
    ) -> Self {
        let scheme = &list.scheme;
        let next_update = match scheme.next_update {
            NextUpdate::By(at) => Some(at),
            NextUpdate::Closed => None,
        };
        Self {
            scheme: code.to_owned(),
            territory: scheme.territory.to_string(),
            name: title(w, scheme),
            sequence,
            issued: format::date_time(scheme.issue),
            next: next_update.map_or_else(String::new, format::date_time),
            providers: list.providers.len(),
            services: list.services().count(),
            freshness: freshness(w, next_update, now),
            signature: Chip::new(Tone::Ok, w.t("lists.verified")),
            trouble: followed.and_then(|list| TroubleView::of(w, list)),
        }
    }
}

impl ListView {
    fn of(w: Words, open: &Open, chosen: &Chosen, now: Timestamp) -> Self {
        let verified = &open.verified;
        let followed = open.foreign.as_ref().map(|(followed, _)| followed);
        let whole = chosen.places.len() <= MOST_SERVICES;
        let scheme = &open.list().scheme;
        Self {
            line: ListLine::of(w, (&open.code, open.sequence), open.list(), followed, now),
            full_name: Some(Phrase::of(w, scheme.scheme_name.entries()))
                .filter(|name| !name.is_title()),
            operator: Phrase::of(w, scheme.operator_name.entries()),
            digest: open.digest.to_string(),
            size: format::size(w, open.xml.len()),
            signer: subject_line(verified.signer()),
            signer_sha256: Digest::of(verified.signer().der()).to_string(),
            providers: ProviderView::all(w, open, chosen, whole, now),
            snapshot: open.foreign.as_ref().map(|(followed, head)| SnapshotView {
                id: head.id.to_string(),
                taken: format::date_time(head.taken_at),
                confirmed: followed.confirmed_at.map_or_else(String::new, format::date_time),
            }),
        }
    }
}

fn freshness(w: Words, next: Option<Timestamp>, now: Timestamp) -> Chip {
    match next {
        None => Chip::new(Tone::Mute, w.t("lists.closed")),
        Some(next) if next < now => Chip::new(Tone::Bad, w.t("lists.stale")),
        Some(next) if now.days_until(next) < DUE_DAYS => Chip::new(Tone::Warn, w.t("status.due")),
        Some(_) => Chip::new(Tone::Ok, w.t("lists.in-force")),
    }
}

impl ProviderView {
    /// The providers of the services that were chosen; with the services, where `whole` says so.
    fn all(w: Words, open: &Open, chosen: &Chosen, whole: bool, now: Timestamp) -> Vec<Self> {
        let at = chosen.at.unwrap_or(now);
        let mut all: Vec<(usize, Self)> = Vec::new();
        for (provider_at, service_at) in &chosen.places {
            let Some((provider, service)) = open.service(*provider_at, *service_at) else {
                continue;
            };
            if all.last().is_none_or(|(last, _)| last != provider_at) {
                all.push((*provider_at, Self::of(w, open, *provider_at, provider)));
            }
            if let Some((_, view)) = all.last_mut() {
                view.count += 1;
                if whole {
                    let href = format!("{}/services/{}", view.href, service_at + 1);
                    view.services.push(ServiceView::of(w, href, service, at));
                }
            }
        }
        all.into_iter().map(|(_, view)| view).collect()
    }

    fn of(w: Words, open: &Open, at: usize, provider: &Provider) -> Self {
        Self {
            href: format!("{}/providers/{}", open.href(), at + 1),
            name: Phrase::of(w, provider.name.entries()),
            registration: provider.trade_names.registration().map(|found| found.to_string()),
            services: Vec::new(),
            count: 0,
        }
    }
}

impl ServiceView {
    /// A service as it is, or was at that time.
    fn of(w: Words, href: String, service: &Service, at: Timestamp) -> Self {
        let then = state_at(service, at).ok().flatten();
        let (kind, state, since) = match &then {
            Some(state) => (state.service_type, state.status, state.since),
            None => (&service.service_type, &service.status, service.status_start),
        };
        let certificates = service.identity.certificates();
        Self {
            href,
            name: Phrase::of(w, service.name.entries()),
            kind: kind_words(w, kind.as_str()),
            status: status(w, state.as_str()),
            since: format::date(since),
            sha256: certificates.map(|found| Digest::of(found.der()).to_string()).collect(),
        }
    }
}

/// What a list is called on pages: the scheme's name, or, where that recites the law, its territory
/// and operator.
fn title(w: Words, scheme: &SchemeInformation) -> Phrase {
    let name = Phrase::of(w, scheme.scheme_name.entries());
    if name.is_title() {
        return name;
    }
    let mut short = Phrase::of(w, scheme.operator_name.entries());
    short.main.text = format!("{}: {}", scheme.territory, short.main.text);
    short
}

/// What a type is called: in words where it is one of those that ETSI registered, else its address.
fn kind_words(w: Words, kind: &str) -> String {
    match kind.strip_prefix("http://uri.etsi.org/TrstSvc/Svctype/") {
        Some(short) => w.word("service-type", &short.replace('/', "-")).to_owned(),
        None => kind.to_owned(),
    }
}

/// The end of an address, which is the word that people use.
fn end(uri: &str) -> &str {
    uri.rsplit(['#', '/']).next().unwrap_or(uri)
}

/// The status by the end of its address: `…#granted`, `…/withdrawn`.
fn status(w: Words, uri: &str) -> Chip {
    let word = end(uri);
    Chip::new(tone(word), w.word("service-status", word))
}

/// Whether a status means that the service may be relied on (TS 119 612, 5.5.4 and D.5.6).
fn tone(word: &str) -> Tone {
    match word {
        "granted"
        | "recognisedatnationallevel"
        | "accredited"
        | "undersupervision"
        | "supervisionincessation"
        | "setbynationallaw" => Tone::Ok,
        "withdrawn"
        | "deprecatedatnationallevel"
        | "supervisionrevoked"
        | "accreditationrevoked"
        | "supervisionceased"
        | "accreditationceased"
        | "deprecatedbynationallaw" => Tone::Bad,
        _ => Tone::Mute,
    }
}

impl Phrase {
    /// Whether it is short enough for a title.
    fn is_title(&self) -> bool {
        self.main.text.chars().count() <= LONGEST_TITLE
    }

    /// The text in the reader's language first, else in English, else whatever there is.
    fn of(w: Words, texts: &[Entry<Text>]) -> Self {
        let tag = |text: &Entry<Text>| Tag {
            lang: text.language.to_string(),
            text: text.value.to_string(),
        };
        let at = [w.tag(), "en"]
            .iter()
            .find_map(|wanted| texts.iter().position(|text| text.language.as_str() == *wanted))
            .unwrap_or(0);
        let empty = Tag { lang: String::new(), text: String::new() };
        Self {
            main: texts.get(at).map_or(empty, tag),
            others: texts
                .iter()
                .enumerate()
                .filter(|(n, _)| *n != at)
                .map(|(_, t)| tag(t))
                .collect(),
        }
    }
}

/// The signer's name as people read it.
fn subject_line(signer: &tenkoku_tsl::certificate::Certificate) -> String {
    let read = tenkoku_pki::cert::Certificate::parse(signer.der());
    read.map_or_else(|_| signer.subject(), |certificate| certificate.subject().subject_line())
}
