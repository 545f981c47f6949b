//! Short honest statements: accessibility and privacy.

use std::future::{Ready, ready};

use actix_web::HttpResponse;
use askama::Template;

use super::Reader;
use crate::layout::PublicFrame;
use crate::problem::Problem;
use crate::text::Words;

#[derive(Template)]
#[template(path = "public/statement.html")]
pub(super) struct StatementPage {
    pub(super) w: Words,
    pub(super) frame: PublicFrame,
    pub(super) lead: &'static str,
    pub(super) points: Vec<&'static str>,
}

/// `GET /accessibility`
pub fn show_accessibility(reader: Reader) -> Ready<Result<HttpResponse, Problem>> {
    let w = reader.words;
    ready(reader.show(&accessibility(w, reader.frame(w.t("accessibility.title")))))
}

/// `GET /privacy`
pub fn show_privacy(reader: Reader) -> Ready<Result<HttpResponse, Problem>> {
    let w = reader.words;
    ready(reader.show(&privacy(w, reader.frame(w.t("privacy.title")))))
}

pub(super) fn accessibility(w: Words, frame: PublicFrame) -> StatementPage {
    let (lead, points) = (w.t("accessibility.lead"), w.list("accessibility.points"));
    StatementPage { w, frame, lead, points }
}

pub(super) fn privacy(w: Words, frame: PublicFrame) -> StatementPage {
    let (lead, points) = (w.t("privacy.lead"), w.list("privacy.points"));
    StatementPage { w, frame, lead, points }
}
