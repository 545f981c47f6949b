//! What changed from one sequence of a list to another, in sentences.

use actix_web::HttpResponse;
use actix_web::web::Path;
use askama::Template;
use tenkoku_tsl::diff::{Change, Place, What, changes};

use super::Open;
use super::service::{Cited, crumbs};
use crate::layout::{Crumb, PublicFrame};
use crate::problem::Problem;
use crate::public::Reader;
use crate::text::Words;

/// Changes that a page shows.
const MOST: usize = 500;

#[derive(Template)]
#[template(path = "public/list-changes.html")]
pub(in crate::public) struct ChangesPage {
    pub(in crate::public) w: Words,
    pub(in crate::public) frame: PublicFrame,
    pub(in crate::public) crumbs: Vec<Crumb>,
    pub(in crate::public) cited: Cited,
    pub(in crate::public) before: i64,
    pub(in crate::public) sentences: Vec<String>,
    /// Changes that are not shown any more.
    pub(in crate::public) left: usize,
}

/// `GET /lists/{scheme}/{sequence}/changes`: since the sequence before that is kept.
pub async fn show_changes(
    reader: Reader,
    path: Path<(String, i64)>,
) -> Result<HttpResponse, Problem> {
    let w = reader.words;
    let library = reader.library();
    let (code, sequence) = path.into_inner();
    let (before, after) = reader
        .look(move |tx, _| {
            let after = Open::find(tx, &library, &code, Some(sequence))?;
            let before = after.before().ok_or_else(Problem::not_found)?;
            Ok((Open::find(tx, &library, &code, Some(before))?, after))
        })
        .await?;
    let all = changes(before.list(), after.list());
    let title =
        w.say("list.changes-title").with("from", before.sequence).with("to", after.sequence);
    let mut crumbs = crumbs(w, &after);
    crumbs.push(Crumb::here(w.t("list.changes")));
    reader.show(&ChangesPage {
        w,
        frame: reader.frame(&title.text()),
        crumbs,
        cited: Cited::of(&after),
        before: before.sequence,
        sentences: all.iter().take(MOST).map(|change| sentence(w, change)).collect(),
        left: all.len().saturating_sub(MOST),
    })
}

/// A change in a sentence.
pub fn sentence(words: Words, change: &Change) -> String {
    let place = match &change.place {
        Place::Scheme => words.t("trustlist.place.scheme").to_owned(),
        Place::Pointer(address) => {
            words.say("trustlist.place.pointer").with("address", address).text()
        }
        Place::Provider(provider) => {
            words.say("trustlist.place.provider").with("provider", provider).text()
        }
        Place::Service { provider, service } => words
            .say("trustlist.place.service")
            .with("provider", provider)
            .with("service", service)
            .text(),
    };
    match &change.what {
        What::Added => words.say("trustlist.change.added").with("place", place),
        What::Removed => words.say("trustlist.change.removed").with("place", place),
        What::Status { from, to, since } => words
            .say("trustlist.change.status")
            .with("place", place)
            .with("from", from)
            .with("to", to)
            .with("since", since),
        What::Field { field, from, to } => words
            .say("trustlist.change.field")
            .with("place", place)
            .with("field", words.word("trustlist.field", field.code()))
            .with("from", from)
            .with("to", to),
    }
    .text()
}
