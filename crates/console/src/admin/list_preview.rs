//! A draft of a trusted list as readers would get it, before anybody agrees: as a page and as XML. It
//! has the number and the dates it would have if it were published now; only the signature is missing.

use actix_web::HttpResponse;
use actix_web::web::Path;
use askama::Template;
use tenkoku_domain::access::ViewRegistry;
use tenkoku_tsl::write::to_xml;

use super::list_drafts::{Ground, load, title};
use super::lists::{PATH, draft_href};
use super::views::{attachment, html};
use crate::granted::Granted;
use crate::layout::{AdminFrame, Crumb};
use crate::problem::Problem;
use crate::public::list_paper::{Section, sections};
use crate::text::Words;

#[derive(Template)]
#[template(path = "admin/list_preview.html")]
pub(super) struct PreviewPage {
    pub(super) w: Words,
    pub(super) frame: AdminFrame,
    pub(super) xml: String,
    pub(super) sections: Vec<Section>,
}

/// `GET /console/lists/drafts/{draft}/preview`
pub async fn show_preview(
    granted: Granted<ViewRegistry>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let visit = granted.visit;
    let Ground { draft, seen, .. } = load(&visit, &id).await?;
    let w = visit.words;
    let (name, href) = (w.t("admin.list-preview.title"), draft_href(&draft));
    let crumbs = vec![
        Crumb::link(w.t("admin.lists.title"), PATH),
        Crumb::link(title(w, &draft, &seen.list), href.clone()),
        Crumb::here(name),
    ];
    html(&PreviewPage {
        w,
        frame: visit.frame(name, crumbs),
        xml: format!("{href}/preview.xml"),
        sections: sections(w, &seen.list),
    })
}

/// `GET /console/lists/drafts/{draft}/preview.xml`
pub async fn load_preview(
    granted: Granted<ViewRegistry>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Ground { draft, seen, .. } = load(&granted.visit, &id).await?;
    let name = format!("{}-{}-draft.xml", draft.scheme, seen.list.scheme.sequence_number);
    Ok(attachment("application/xml; charset=utf-8", &name, to_xml(&seen.list)))
}
