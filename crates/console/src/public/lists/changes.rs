//! What changed from one sequence of a list to another, in sentences.

use actix_web::HttpResponse;
use actix_web::web::Path;
use askama::Template;
use tenkoku_tsl::diff::changes;

use super::Open;
use super::service::{Cited, crumbs};
use crate::layout::{Crumb, PublicFrame};
use crate::problem::Problem;
use crate::public::Reader;
use crate::text::Words;
use crate::text::list::change;

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
        sentences: all.iter().take(MOST).map(|one| change(w, one)).collect(),
        left: all.len().saturating_sub(MOST),
    })
}
