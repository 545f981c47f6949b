//! The public note of a destroyed key (DE-6): fingerprint, class, date, no names.

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::Path;
use askama::Template;
use tenkoku_ca::destroy::note_of;
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::destruction::DestructionNote;
use tenkoku_domain::key::Fingerprint;

use super::Reader;
use crate::layout::PublicFrame;
use crate::problem::Problem;
use crate::text::Words;

/// Seconds for which caches keep a note: what is destroyed stays destroyed.
const MAX_AGE: u32 = 86_400;

#[derive(Template)]
#[template(path = "public/destruction.html")]
pub(super) struct NotePage {
    pub(super) w: Words,
    pub(super) frame: PublicFrame,
    pub(super) sentence: String,
    pub(super) fingerprint: String,
    pub(super) class: String,
    pub(super) date: String,
    pub(super) json: String,
}

async fn find(reader: &Reader, text: &str) -> Result<DestructionNote, Problem> {
    let digest = Digest::parse(text).map_err(|_| Problem::not_found())?;
    let found = reader.read(move |tx, _, _| note_of(tx, &Fingerprint(digest))).await?;
    found.ok_or_else(Problem::not_found)
}

/// `GET /destruction/{fingerprint}`. A key that is not destroyed is not told from one that nobody
/// knows.
pub async fn show_note(reader: Reader, path: Path<String>) -> Result<HttpResponse, Problem> {
    let note = find(&reader, &path).await?;
    let w = reader.words;
    let title = w.t("destruction-note.title");
    reader.show(&NotePage {
        w,
        frame: reader.frame(title),
        sentence: w.say("destruction-note.lead").with("date", &note.date).text(),
        fingerprint: note.fingerprint.to_string(),
        class: w.word("admin.evidence-class", note.class.word()).to_owned(),
        json: format!("/destruction/{}.json", note.fingerprint),
        date: note.date,
    })
}

/// `GET /destruction/{fingerprint}.json`
pub async fn load_note(reader: Reader, path: Path<String>) -> Result<HttpResponse, Problem> {
    let note = find(&reader, &path).await?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, format!("max-age={MAX_AGE}, public")))
        .json(note))
}
