//! What every code means: the addresses that problem documents name as their `type`.

use std::future::{Ready, ready};

use actix_web::HttpResponse;
use actix_web::web::Path;
use askama::Template;
use tenkoku_domain::refusal::RefusalCode;

use super::Reader;
use crate::layout::PublicFrame;
use crate::problem::Problem;
use crate::text::Words;
use crate::text::explain::{Explanation, PROBLEM_CODES, explain};

#[derive(Template)]
#[template(path = "public/error.html")]
pub(super) struct ErrorPage {
    pub(super) w: Words,
    pub(super) frame: PublicFrame,
    pub(super) code: String,
    pub(super) explanation: Explanation,
}

#[derive(Template)]
#[template(path = "public/errors.html")]
pub(super) struct ErrorsPage {
    pub(super) w: Words,
    pub(super) frame: PublicFrame,
    pub(super) codes: Vec<(&'static str, String)>,
}

/// `GET /errors/{code}`
pub fn show_error(reader: Reader, code: Path<String>) -> Ready<Result<HttpResponse, Problem>> {
    ready(one(&reader, code.into_inner()))
}

fn one(reader: &Reader, code: String) -> Result<HttpResponse, Problem> {
    let w = reader.words;
    let explanation = explain(w.language(), &code).ok_or_else(Problem::not_found)?;
    let frame = reader.frame(&explanation.title);
    reader.show(&ErrorPage { w, frame, code, explanation })
}

/// `GET /errors`
pub fn show_errors(reader: Reader) -> Ready<Result<HttpResponse, Problem>> {
    let w = reader.words;
    let frame = reader.frame(w.t("errors.title"));
    ready(reader.show(&ErrorsPage { w, frame, codes: codes(w) }))
}

/// Every code with its headline.
pub(super) fn codes(w: Words) -> Vec<(&'static str, String)> {
    let all = RefusalCode::ALL.iter().map(|code| code.word()).chain(PROBLEM_CODES);
    let mut codes: Vec<_> =
        all.filter_map(|code| Some((code, explain(w.language(), code)?.title))).collect();
    codes.sort_unstable();
    codes
}
