//! Home: what this authority is, how its services are, and the doors to everything else.

use actix_web::HttpResponse;
use askama::Template;

use super::Reader;
use super::status::{ServiceLine, load_facts};
use crate::layout::PublicFrame;
use crate::problem::Problem;
use crate::text::Words;

#[derive(Template)]
#[template(path = "public/home.html")]
pub(super) struct HomePage {
    pub(super) w: Words,
    pub(super) frame: PublicFrame,
    pub(super) headline: &'static str,
    pub(super) lines: Vec<ServiceLine>,
}

/// `GET /`
pub async fn show_home(reader: Reader) -> Result<HttpResponse, Problem> {
    let facts = reader.read(load_facts).await?;
    let w = reader.words;
    reader.show(&HomePage {
        w,
        frame: reader.frame(w.t("home.title")),
        headline: facts.headline(w),
        lines: facts.lines(w),
    })
}
