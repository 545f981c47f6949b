//! Organisations: the list, and one organisation with its branch offices.

use actix_web::HttpResponse;
use actix_web::web::{Path, Query};
use askama::Template;
use serde::Deserialize;
use tenkoku_domain::access::{Permission, Permit, ViewRegistry};
use tenkoku_domain::id::OrganisationId;
use tenkoku_domain::organisation::{Address, Organisation};
use tenkoku_domain::time::Timestamp;
use tenkoku_ports::Env;
use tenkoku_store::{BranchFilter, BranchSummary, OrganisationSummary, Page, StoreError};

use super::chain::{self, Chain, Links};
use super::names::{self, Called, branch_href, certificate_href, organisation_href};
use super::views::{Fact, ROWS, branch_chip, certificate_chip, html, next_page, organisation_chip};
use crate::format;
use crate::granted::Granted;
use crate::layout::{AdminFrame, Chip, Crumb};
use crate::problem::Problem;
use crate::text::Words;

/// What is looked for, and from where on.
#[derive(Debug, Default, Deserialize)]
pub struct SearchQuery {
    /// Part of a name, a code, a number.
    #[serde(default)]
    pub q: String,
    /// The cursor of the page.
    pub after: Option<String>,
}

pub(super) struct OrganisationRow {
    pub(super) called: Called,
    pub(super) href: String,
    pub(super) identifier: String,
    pub(super) state: Chip,
    pub(super) branches: String,
    pub(super) certificates: String,
}

#[derive(Template)]
#[template(path = "admin/organisations.html")]
pub(super) struct OrganisationsPage {
    pub(super) w: Words,
    pub(super) frame: AdminFrame,
    pub(super) q: String,
    pub(super) rows: Vec<OrganisationRow>,
    pub(super) next: Option<String>,
    /// Whether this person may record one.
    pub(super) records: bool,
}

pub(super) struct BranchRow {
    pub(super) called: Called,
    pub(super) href: String,
    pub(super) code: String,
    pub(super) custodian: Option<String>,
    pub(super) state: Chip,
    pub(super) certificate: Option<(Chip, String)>,
    pub(super) expires: Option<String>,
}

#[derive(Template)]
#[template(path = "admin/organisation.html")]
pub(super) struct OrganisationPage {
    pub(super) w: Words,
    pub(super) frame: AdminFrame,
    pub(super) called: Called,
    pub(super) state: Chip,
    pub(super) facts: Vec<Fact>,
    pub(super) chain: Option<Chain>,
    pub(super) q: String,
    pub(super) path: String,
    pub(super) shown: String,
    pub(super) rows: Vec<BranchRow>,
    pub(super) next: Option<String>,
    /// Whether the service accounts are this person's to manage.
    pub(super) services: bool,
    /// Whether this person may hand lists of applications in.
    pub(super) lists: bool,
    /// Whether this person may record branch offices.
    pub(super) records: bool,
}

/// `GET /console/organisations`
pub async fn list_organisations(
    granted: Granted<ViewRegistry>,
    query: Query<SearchQuery>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let SearchQuery { q, after } = query.into_inner();
    let wanted = q.trim().to_owned();
    let found = visit
        .run(move |env| {
            env.store
                .read(|tx| tx.list_organisations(permit.scope(), &wanted, after.as_deref(), ROWS))
        })
        .await?;
    let w = visit.words;
    html(&OrganisationsPage {
        w,
        frame: visit.frame(w.t("admin.organisations.title"), Vec::new()),
        next: next_page("/console/organisations", &[("q", &q)], found.next.as_ref()),
        rows: found.items.iter().map(|summary| organisation_row(w, summary)).collect(),
        records: visit.may(Permission::RecordOrganisation),
        q,
    })
}

fn organisation_row(w: Words, summary: &OrganisationSummary) -> OrganisationRow {
    let OrganisationSummary { organisation, branches, live_certificates } = summary;
    OrganisationRow {
        called: names::organisation(w, organisation),
        href: organisation_href(&organisation.id),
        identifier: organisation.identifier.to_string(),
        state: organisation_chip(w, organisation.state),
        branches: format::number(*branches),
        certificates: format::number(*live_certificates),
    }
}

struct Ground {
    organisation: Organisation,
    branches: Page<BranchSummary>,
    count: i64,
    chain: Option<Links>,
}

/// `GET /console/organisations/{id}`
pub async fn show_organisation(
    granted: Granted<ViewRegistry>,
    id: Path<String>,
    query: Query<SearchQuery>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let id = OrganisationId::parse(&id).map_err(|_| Problem::not_found())?;
    let SearchQuery { q, after } = query.into_inner();
    let filter = BranchFilter { search: q.trim().to_owned() };
    let wanted = id.clone();
    let (w, now) = (visit.words, visit.now);
    let Ground { organisation, branches, count, chain } = visit
        .run(move |env| load(env, &permit, &wanted, (&filter, after.as_deref()), (w, now)))
        .await?;
    let called = names::organisation(w, &organisation);
    let crumbs = vec![
        Crumb::link(w.t("admin.organisations.title"), "/console/organisations"),
        Crumb::here(called.name.clone()),
    ];
    let path = organisation_href(&id);
    html(&OrganisationPage {
        w,
        frame: visit.frame(&called.name, crumbs),
        state: organisation_chip(w, organisation.state),
        facts: facts(w, &organisation),
        chain: chain.as_ref().map(Chain::draw),
        shown: w
            .say("admin.organisation.shown")
            .with("n", format::number(i64::try_from(branches.items.len()).unwrap_or(ROWS)))
            .with("all", format::number(count))
            .text(),
        next: next_page(&path, &[("q", &q)], branches.next.as_ref()),
        rows: branches.items.iter().map(|summary| branch_row(w, summary, visit.now)).collect(),
        services: visit.may(Permission::ManageServiceAccounts),
        lists: visit.may(Permission::Apply),
        records: visit.may(Permission::RecordBranch),
        path,
        called,
        q,
    })
}

fn load(
    env: &Env,
    permit: &Permit<ViewRegistry>,
    id: &OrganisationId,
    (filter, after): (&BranchFilter, Option<&str>),
    (w, now): (Words, Timestamp),
) -> Result<Ground, StoreError> {
    env.store.read(|tx| {
        let scope = permit.scope();
        let organisation = tx.load_organisation(scope, id)?;
        Ok(Ground {
            chain: chain::load(tx, scope, &organisation, w, now)?,
            organisation,
            branches: tx.list_branches(scope, id, filter, after, ROWS)?,
            count: tx.count_branches(scope, id)?,
        })
    })
}

fn facts(w: Words, organisation: &Organisation) -> Vec<Fact> {
    let mut facts =
        vec![Fact::mono(w.t("admin.organisation.identifier"), organisation.identifier.as_str())];
    if let Some(kana) = &organisation.kana {
        facts.push(Fact::new(w.t("admin.organisation.kana"), kana.as_str()));
    }
    facts.push(Fact::new(w.t("admin.organisation.address"), address(&organisation.address)));
    facts.push(Fact::new(
        w.t("admin.organisation.recorded"),
        format::long_date(w, organisation.created_at),
    ));
    facts
}

/// An address on one line, the largest part first, as registered.
pub(super) fn address(address: &Address) -> String {
    let parts = [
        address.postal_code.clone(),
        address.region.as_ref().map(ToString::to_string),
        address.locality.as_ref().map(ToString::to_string),
        address.street.clone(),
        Some(address.country.clone()),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn branch_row(w: Words, summary: &BranchSummary, now: Timestamp) -> BranchRow {
    let BranchSummary { branch, certificate } = summary;
    BranchRow {
        called: names::branch(w, branch),
        href: branch_href(&branch.organisation, &branch.id),
        code: branch.code.to_string(),
        custodian: branch.custodian.as_ref().map(|custodian| custodian.name.clone()),
        state: branch_chip(w, branch.state),
        certificate: certificate
            .as_ref()
            .map(|one| (certificate_chip(w, one, now), certificate_href(one))),
        expires: certificate.as_ref().map(|one| format::date(one.validity.not_after)),
    }
}
