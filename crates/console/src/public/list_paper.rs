//! A trusted list on paper: everything that it says, field by field, with who signed it and when (TS
//! 119 612, Annex F). Read back from the signed octets, after their signature was verified. A draft is
//! shown in the same way before it is signed.

use actix_web::HttpResponse;
use actix_web::web::Path;
use askama::Template;
use tenkoku_domain::trusted_list::PublishedList;
use tenkoku_domain::trusted_list::draft::ListPart;
use tenkoku_publisher::form;
use tenkoku_tsl::model::{NextUpdate, Service, TrustedList};
use tenkoku_tsl::verify::{VerifiedList, verify};

use super::Reader;
use crate::layout::PublicFrame;
use crate::problem::Problem;
use crate::text::{Words, list as words};

/// A label and what is said, line by line.
pub(crate) struct Line {
    pub(crate) label: String,
    pub(crate) values: Vec<String>,
}

/// A part of the list.
pub(crate) struct Section {
    pub(crate) title: String,
    pub(crate) deep: bool,
    pub(crate) lines: Vec<Line>,
}

#[derive(Template)]
#[template(path = "public/list_paper.html")]
pub(super) struct PaperPage {
    pub(super) w: Words,
    pub(super) frame: PublicFrame,
    pub(super) sections: Vec<Section>,
}

/// `GET /tl/{scheme}.html`: the list in force.
pub async fn show_live(reader: Reader, scheme: Path<String>) -> Result<HttpResponse, Problem> {
    let scheme = scheme.into_inner();
    let found = reader.read(move |tx, _, _| tx.latest_list(&scheme)).await?;
    show(&reader, found)
}

/// `GET /tl/{scheme}/{sequence}.html`
pub async fn show_sequence(
    reader: Reader,
    path: Path<(String, i64)>,
) -> Result<HttpResponse, Problem> {
    let (scheme, sequence) = path.into_inner();
    let found = reader.read(move |tx, _, _| tx.find_list(&scheme, sequence)).await?;
    show(&reader, found)
}

fn show(reader: &Reader, found: Option<PublishedList>) -> Result<HttpResponse, Problem> {
    let w = reader.words;
    let list = found.ok_or_else(Problem::not_found)?;
    let verified = verify(&list.xml).map_err(|refusal| Problem::internal(&refusal))?;
    let title = w.say("list-paper.title").with("scheme", &list.scheme).with("n", list.sequence);
    reader.show(&PaperPage {
        w,
        frame: reader.frame(&title.text()),
        sections: signed_sections(w, &verified),
    })
}

/// What a signed list says, and who signed it.
fn signed_sections(w: Words, verified: &VerifiedList) -> Vec<Section> {
    let mut sections = sections(w, verified.list());
    if let Some(about) = sections.first_mut() {
        about.lines.extend([
            one(w.t("list.signer"), verified.signer().subject()),
            one(w.t("list-paper.signed"), verified.signing_time().to_string()),
        ]);
    }
    sections
}

fn one(label: &str, value: String) -> Line {
    Line { label: label.to_owned(), values: vec![value] }
}

/// What a list says: the scheme, pointers, providers and their services.
pub(crate) fn sections(w: Words, list: &TrustedList) -> Vec<Section> {
    let scheme = &list.scheme;
    let next = match scheme.next_update {
        NextUpdate::By(next) => next.to_string(),
        NextUpdate::Closed => w.t("lists.closed").to_owned(),
    };
    let mut about = section(w, list, ListPart::Scheme);
    about.lines.extend([
        one(w.t("trustlist.field.sequence-number"), scheme.sequence_number.to_string()),
        one(w.t("trustlist.field.issue"), scheme.issue.to_string()),
        one(w.t("trustlist.field.next-update"), next),
        one(w.t("trustlist.field.history-period"), scheme.history_period.to_string()),
    ]);
    let mut sections = vec![about];
    let pointers = scheme.pointers.len();
    sections.extend((1..=pointers).map(|number| section(w, list, ListPart::Pointer(number))));
    for (number, provider) in (1..).zip(&list.providers) {
        sections.push(section(w, list, ListPart::Provider(number)));
        for (at, service) in (1..).zip(&provider.services) {
            let part = ListPart::Service { provider: number, service: at };
            let mut about = section(w, list, part);
            about.deep = true;
            about
                .lines
                .push(one(w.t("trustlist.field.status-start"), service.status_start.to_string()));
            about.lines.push(history(w, service));
            sections.push(about);
        }
    }
    sections
}

fn section(w: Words, list: &TrustedList, part: ListPart) -> Section {
    let said = form::show(list, part).unwrap_or_default();
    let lines = form::fields(part).iter().filter_map(|field| {
        let value = said.get(field.name).filter(|value| !value.is_empty())?;
        let values = value.lines().map(str::to_owned).collect();
        Some(Line { label: w.word("list-field", field.name).to_owned(), values })
    });
    Section {
        title: words::place(w, &form::place(list, part)),
        deep: false,
        lines: lines.collect(),
    }
}

fn history(w: Words, service: &Service) -> Line {
    let past = service.history.iter().map(|past| format!("{} {}", past.status_start, past.status));
    Line { label: words::field(w, tenkoku_tsl::diff::Field::History), values: past.collect() }
}
