//! The search box: straight to the object when exactly one matches, else what was found.

use actix_web::HttpResponse;
use actix_web::web::Query;
use askama::Template;
use serde::Deserialize;
use tenkoku_domain::access::{Permit, ViewRegistry};
use tenkoku_domain::branch::BranchCode;
use tenkoku_domain::certificate::Serial;
use tenkoku_ports::Env;
use tenkoku_store::{CertificateFilter, StoreError};

use super::certificates::wanted;
use super::names::{self, branch_href, certificate_href, organisation_href};
use super::views::{html, see_other};
use crate::granted::Granted;
use crate::layout::{AdminFrame, Crumb};
use crate::problem::Problem;
use crate::text::Words;

/// Hits of one kind that are shown.
const HITS: i64 = 10;

/// Something that was found.
pub(super) struct Hit {
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) lang: &'static str,
    pub(super) note: String,
    pub(super) href: String,
}

#[derive(Template)]
#[template(path = "admin/search.html")]
pub(super) struct SearchPage {
    pub(super) w: Words,
    pub(super) frame: AdminFrame,
    pub(super) q: String,
    pub(super) hits: Vec<Hit>,
}

/// What is looked for.
#[derive(Debug, Deserialize)]
pub struct SearchQuery {
    #[serde(default)]
    q: String,
}

/// `GET /console/search?q=…`
pub async fn search(
    granted: Granted<ViewRegistry>,
    query: Query<SearchQuery>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let q = query.into_inner().q;
    let text: String = q.trim().chars().take(200).collect();
    if text.is_empty() {
        return Ok(see_other("/console"));
    }
    let w = visit.words;
    let hits = visit.run(move |env| find(env, &permit, w, &text)).await?;
    if let [only] = hits.as_slice() {
        return Ok(see_other(&only.href));
    }
    let title = w.t("admin.search.title");
    let mut frame = visit.frame(title, vec![Crumb::here(title)]);
    frame.search.clone_from(&q);
    html(&SearchPage { w, frame, q, hits })
}

fn find(
    env: &Env,
    permit: &Permit<ViewRegistry>,
    w: Words,
    text: &str,
) -> Result<Vec<Hit>, StoreError> {
    let scope = permit.scope();
    env.store.read(|tx| {
        let mut hits = Vec::new();
        // A whole serial number or code means that one thing.
        if let Ok(serial) = Serial::parse(text) {
            for one in tx.find_certificates_by_serial(scope, &serial)? {
                hits.push(certificate_hit(w, &one));
            }
            if !hits.is_empty() {
                return Ok(hits);
            }
        }
        if let Ok(code) = BranchCode::parse(&text.to_uppercase()) {
            for branch in tx.find_branches_by_code(scope, &code)? {
                let organisation = tx.load_organisation(scope, &branch.organisation)?;
                hits.push(Hit {
                    kind: w.t("admin.search.branch").to_owned(),
                    lang: names::branch(w, &branch).lang,
                    name: names::branch(w, &branch).name,
                    note: format!(
                        "{} · {}",
                        names::organisation(w, &organisation).name,
                        branch.code
                    ),
                    href: branch_href(&branch.organisation, &branch.id),
                });
            }
        }
        for summary in tx.list_organisations(scope, text, None, HITS)?.items {
            let organisation = summary.organisation;
            hits.push(Hit {
                kind: w.t("admin.search.organisation").to_owned(),
                lang: names::organisation(w, &organisation).lang,
                name: names::organisation(w, &organisation).name,
                note: organisation.identifier.to_string(),
                href: organisation_href(&organisation.id),
            });
        }
        let filter = CertificateFilter {
            search: wanted(text),
            organisation: None,
            branch: None,
            state: None,
        };
        for one in tx.list_certificates(scope, &filter, None, HITS)?.items {
            hits.push(certificate_hit(w, &one));
        }
        Ok(hits)
    })
}

fn certificate_hit(w: Words, one: &tenkoku_domain::certificate::Certificate) -> Hit {
    Hit {
        kind: w.t("admin.search.certificate").to_owned(),
        name: one.common_name.clone(),
        lang: names::script(&one.common_name),
        note: crate::format::grouped(&one.serial.to_string()),
        href: certificate_href(one),
    }
}
