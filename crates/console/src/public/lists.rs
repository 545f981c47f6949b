//! Trusted lists for people: the human-readable form of what is published (TS 119 612, 5.1.1).
//!
//! Everything on the page is read back from the signed octets, after their signature was verified.

use actix_web::HttpResponse;
use actix_web::web::Path;
use askama::Template;
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::time::Timestamp;
use tenkoku_domain::trusted_list::PublishedList;
use tenkoku_tsl::model::{Entry, NextUpdate, Provider, Service, Text};
use tenkoku_tsl::verify::{self, VerifiedList};

use super::Reader;
use crate::format;
use crate::layout::{Chip, PublicFrame, Tone};
use crate::problem::Problem;
use crate::text::Words;

/// Days before the next update from which a list is shown as due.
const DUE_DAYS: i64 = 14;

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
    pub(super) name: Phrase,
    pub(super) services: Vec<ServiceView>,
}

/// A service and its status.
pub(super) struct ServiceView {
    pub(super) name: Phrase,
    pub(super) kind: String,
    pub(super) status: Chip,
    pub(super) since: String,
    pub(super) sha256: Vec<String>,
}

/// A list as a page.
pub(super) struct ListView {
    pub(super) line: ListLine,
    pub(super) operator: Phrase,
    pub(super) digest: String,
    pub(super) size: String,
    pub(super) signer: String,
    pub(super) signer_sha256: String,
    pub(super) providers: Vec<ProviderView>,
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
}

/// `GET /lists`
pub async fn show_lists(reader: Reader) -> Result<HttpResponse, Problem> {
    let w = reader.words;
    let (found, now) = reader
        .read(|tx, _, now| {
            let mut lists = Vec::new();
            for scheme in tx.list_schemes()? {
                lists.extend(tx.latest_list(&scheme)?);
            }
            Ok((lists, now))
        })
        .await?;
    let lists = found.iter().map(|list| Ok(view(w, list, now)?.line));
    let lists = lists.collect::<Result<Vec<_>, Problem>>()?;
    reader.show(&ListsPage { w, frame: reader.frame(w.t("lists.title")), lists })
}

/// `GET /lists/{scheme}`: the list in force.
pub async fn show_latest(reader: Reader, scheme: Path<String>) -> Result<HttpResponse, Problem> {
    let scheme = scheme.into_inner();
    show(reader, scheme, None).await
}

/// `GET /lists/{scheme}/{sequence}`
pub async fn show_sequence(
    reader: Reader,
    path: Path<(String, i64)>,
) -> Result<HttpResponse, Problem> {
    let (scheme, sequence) = path.into_inner();
    show(reader, scheme, Some(sequence)).await
}

async fn show(
    reader: Reader,
    scheme: String,
    sequence: Option<i64>,
) -> Result<HttpResponse, Problem> {
    let w = reader.words;
    let (all, now) = reader.read(move |tx, _, now| Ok((tx.list_sequences(&scheme)?, now))).await?;
    let newest = all.first().ok_or_else(Problem::not_found)?.sequence;
    let wanted = sequence.unwrap_or(newest);
    let list = all.iter().find(|list| list.sequence == wanted).ok_or_else(Problem::not_found)?;
    let list_view = view(w, list, now)?;
    let sequences = all.iter().map(|list| SequenceLine {
        sequence: list.sequence,
        issued: format::date_time(list.issued_at),
    });
    let title = w.say("list.title").with("name", &list_view.line.name.main.text).with("n", wanted);
    reader.show(&ListPage {
        w,
        frame: reader.frame(&title.text()),
        address: format!("{}/tl/{}.xml", reader.address(), list.scheme),
        list: list_view,
        sequences: sequences.collect(),
        latest: wanted == newest,
    })
}

/// `GET /lists/{scheme}/{sequence}.xml`: the octets as they were published.
pub async fn load_xml(reader: Reader, path: Path<(String, i64)>) -> Result<HttpResponse, Problem> {
    let (scheme, sequence) = path.into_inner();
    let found = reader.read(move |tx, _, _| tx.find_list(&scheme, sequence)).await?;
    let list = found.ok_or_else(Problem::not_found)?;
    Ok(HttpResponse::Ok().content_type("application/vnd.etsi.tsl+xml").body(list.xml))
}

/// Reads a list back. A stored list whose signature does not verify is a fault of the platform and
/// is not shown at all.
fn view(w: Words, list: &PublishedList, now: Timestamp) -> Result<ListView, Problem> {
    let verified = verify::verify(&list.xml).map_err(|refusal| Problem::internal(&refusal))?;
    Ok(ListView::of(w, list, &verified, now))
}

impl ListView {
    fn of(w: Words, list: &PublishedList, verified: &VerifiedList, now: Timestamp) -> Self {
        let (content, scheme) = (verified.list(), &verified.list().scheme);
        let next_update = match scheme.next_update {
            NextUpdate::By(at) => Some(at),
            NextUpdate::Closed => None,
        };
        let providers: Vec<_> =
            content.providers.iter().map(|provider| ProviderView::of(w, provider)).collect();
        Self {
            line: ListLine {
                scheme: list.scheme.clone(),
                territory: scheme.territory.to_string(),
                name: Phrase::of(w, scheme.scheme_name.entries()),
                sequence: list.sequence,
                issued: format::date_time(scheme.issue),
                next: next_update.map_or_else(String::new, format::date_time),
                providers: providers.len(),
                services: content.services().count(),
                freshness: freshness(w, next_update, now),
                signature: Chip::new(Tone::Ok, w.t("lists.verified")),
            },
            operator: Phrase::of(w, scheme.operator_name.entries()),
            digest: list.digest.to_string(),
            size: format::size(w, list.xml.len()),
            signer: subject_line(verified.signer()),
            signer_sha256: Digest::of(verified.signer().der()).to_string(),
            providers,
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
    fn of(w: Words, provider: &Provider) -> Self {
        let services = provider.services.iter().map(|service| ServiceView::of(w, service));
        Self { name: Phrase::of(w, provider.name.entries()), services: services.collect() }
    }
}

impl ServiceView {
    fn of(w: Words, service: &Service) -> Self {
        let kind = service.service_type.as_str();
        let kind = match kind.strip_prefix("http://uri.etsi.org/TrstSvc/Svctype/") {
            Some(short) => w.word("service-type", &short.replace('/', "-")).to_owned(),
            None => kind.to_owned(),
        };
        let certificates = service.identity.certificates();
        Self {
            name: Phrase::of(w, service.name.entries()),
            kind,
            status: status(w, service.status.as_str()),
            since: format::date(service.status_start),
            sha256: certificates.map(|found| Digest::of(found.der()).to_string()).collect(),
        }
    }
}

/// The status by the end of its address: `…#granted`, `…/withdrawn`.
fn status(w: Words, uri: &str) -> Chip {
    let word = uri.rsplit(['#', '/']).next().unwrap_or(uri);
    let tone = match word {
        "granted" | "recognisedatnationallevel" => Tone::Ok,
        "withdrawn" | "deprecatedatnationallevel" => Tone::Bad,
        _ => Tone::Mute,
    };
    Chip::new(tone, w.word("service-status", word))
}

impl Phrase {
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
