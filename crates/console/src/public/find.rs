//! Finding a certificate: one box for serial number, corporate number, organisation and branch.
//!
//! Only public facts are shown: names as registered, numbers, codes, and what certificates say.

use actix_web::HttpResponse;
use actix_web::web::{Path, Query};
use askama::Template;
use serde::Deserialize;
use tenkoku_domain::access::Scope;
use tenkoku_domain::branch::{Branch, BranchCode};
use tenkoku_domain::certificate::{Certificate, Serial};
use tenkoku_domain::identifier::OrganizationIdentifier;
use tenkoku_domain::organisation::Organisation;
use tenkoku_domain::time::Timestamp;
use tenkoku_store::{BranchFilter, BranchSummary, StoreError, Tx};

use super::Reader;
use super::certificate::{is_public, state};
use crate::format;
use crate::layout::{Chip, Crumb, PublicFrame};
use crate::problem::Problem;
use crate::text::Words;

/// Organisations or branches shown for one search.
const MOST: i64 = 20;
/// Branches on a page of an organisation.
const PAGE: i64 = 50;
/// Longest text that is searched for, in characters.
const QUERY_MAX_CHARS: usize = 200;

/// What was searched for.
#[derive(Debug, Deserialize)]
pub struct Search {
    /// The text in the box.
    #[serde(default)]
    q: String,
    /// Where the page begins.
    after: Option<String>,
}

/// An organisation that was found.
pub(super) struct OrganisationView {
    pub(super) identifier: String,
    pub(super) name: String,
    pub(super) latin_name: Option<String>,
    pub(super) branches: String,
}

/// A branch that was found, with its newest certificate.
pub(super) struct BranchView {
    pub(super) organisation: String,
    pub(super) code: String,
    pub(super) name: String,
    pub(super) latin_name: Option<String>,
    pub(super) certificate: Option<CertificateLine>,
}

/// A certificate as a line.
pub(super) struct CertificateLine {
    pub(super) href: String,
    pub(super) name: String,
    pub(super) serial: String,
    pub(super) until: String,
    pub(super) state: Chip,
}

/// What a search found.
#[derive(Default)]
pub(super) struct Found {
    pub(super) certificates: Vec<CertificateLine>,
    pub(super) organisations: Vec<OrganisationView>,
    pub(super) branches: Vec<BranchView>,
}

impl Found {
    /// Whether nothing was found.
    pub(super) fn is_empty(&self) -> bool {
        self.certificates.is_empty() && self.organisations.is_empty() && self.branches.is_empty()
    }
}

#[derive(Template)]
#[template(path = "public/find.html")]
pub(super) struct FindPage {
    pub(super) w: Words,
    pub(super) frame: PublicFrame,
    pub(super) q: String,
    pub(super) searched: bool,
    pub(super) found: Found,
}

#[derive(Template)]
#[template(path = "public/organisation.html")]
pub(super) struct OrganisationPage {
    pub(super) w: Words,
    pub(super) frame: PublicFrame,
    pub(super) crumbs: Vec<Crumb>,
    pub(super) organisation: OrganisationView,
    pub(super) q: String,
    pub(super) branches: Vec<BranchView>,
    pub(super) next: Option<String>,
}

/// `GET /find?q=…`
pub async fn show_find(reader: Reader, search: Query<Search>) -> Result<HttpResponse, Problem> {
    let w = reader.words;
    let q: String = search.into_inner().q.trim().chars().take(QUERY_MAX_CHARS).collect();
    let searched = !q.is_empty();
    let asked = q.clone();
    let found = if searched {
        reader.read(move |tx, _, now| find(tx, w, &asked, now)).await?
    } else {
        Found::default()
    };
    reader.show(&FindPage { w, frame: reader.frame(w.t("find.title")), q, searched, found })
}

fn find(tx: &mut Tx<'_>, w: Words, q: &str, now: Timestamp) -> Result<Found, StoreError> {
    let mut found = Found { certificates: by_serial(tx, w, q, now)?, ..Found::default() };
    if let Some(organisation) = by_identifier(tx, q)? {
        found.organisations.push(organisation_view(tx, w, &organisation)?);
        return Ok(found);
    }
    let all = tx.list_organisations(&Scope::Platform, q, None, MOST)?;
    for summary in all.items {
        found.organisations.push(organisation_view(tx, w, &summary.organisation)?);
    }
    found.branches = by_branch(tx, w, q, now)?;
    Ok(found)
}

/// A serial number has at least eight digits; shorter texts would meet half the register.
fn by_serial(
    tx: &mut Tx<'_>,
    w: Words,
    q: &str,
    now: Timestamp,
) -> Result<Vec<CertificateLine>, StoreError> {
    let Some(serial) = Serial::parse(q).ok().filter(|serial| serial.octets().len() >= 4) else {
        return Ok(Vec::new());
    };
    let certificates = tx.find_certificates_by_serial(&Scope::Platform, &serial)?;
    certificates.iter().filter(|c| is_public(c)).map(|c| line(tx, w, c, now)).collect()
}

/// A corporate number alone stands for `NTRJP-` and the number.
fn by_identifier(tx: &mut Tx<'_>, q: &str) -> Result<Option<Organisation>, StoreError> {
    let compact: String = q.chars().filter(|c| !c.is_whitespace()).collect();
    let digits = compact.len() == 13 && compact.bytes().all(|b| b.is_ascii_digit());
    let text = if digits { format!("NTRJP-{compact}") } else { compact };
    match OrganizationIdentifier::parse(&text) {
        Ok(identifier) => tx.find_organisation_by_identifier(&Scope::Platform, identifier.as_str()),
        Err(_) => Ok(None),
    }
}

/// By code over all organisations, else `organisation branch` by the words of both.
fn by_branch(
    tx: &mut Tx<'_>,
    w: Words,
    q: &str,
    now: Timestamp,
) -> Result<Vec<BranchView>, StoreError> {
    let mut views = Vec::new();
    if let Ok(code) = BranchCode::parse(&q.to_ascii_uppercase()) {
        let branches = tx.find_branches_by_code(&Scope::Platform, &code)?;
        for branch in branches.into_iter().take(20) {
            let organisation = tx.load_organisation(&Scope::Platform, &branch.organisation)?;
            let filter = BranchFilter { search: branch.code.to_string() };
            let id = &branch.organisation;
            let page = tx.list_branches(&Scope::Platform, id, &filter, None, MOST)?;
            let same = page.items.into_iter().find(|summary| summary.branch.id == branch.id);
            let summary = same.unwrap_or(BranchSummary { branch, certificate: None });
            views.push(branch_view(tx, w, &organisation, &summary, now)?);
        }
    }
    let split = q.split_once(|c: char| c.is_whitespace());
    if let Some((first, rest)) = split {
        let owners = tx.list_organisations(&Scope::Platform, first, None, 3)?;
        for owner in owners.items {
            let filter = BranchFilter { search: rest.trim().to_owned() };
            let id = &owner.organisation.id;
            let page = tx.list_branches(&Scope::Platform, id, &filter, None, MOST)?;
            for summary in &page.items {
                views.push(branch_view(tx, w, &owner.organisation, summary, now)?);
            }
        }
    }
    Ok(views)
}

fn line(
    tx: &mut Tx<'_>,
    w: Words,
    certificate: &Certificate,
    now: Timestamp,
) -> Result<CertificateLine, StoreError> {
    let authority = tx.load_authority(&certificate.authority)?;
    Ok(CertificateLine {
        href: format!("/find/certificate/{}/{}", authority.code, certificate.serial),
        name: certificate.common_name.clone(),
        serial: certificate.serial.to_string(),
        until: format::date(certificate.validity.not_after),
        state: state(w, certificate, now),
    })
}

fn organisation_view(
    tx: &mut Tx<'_>,
    w: Words,
    organisation: &Organisation,
) -> Result<OrganisationView, StoreError> {
    let branches = tx.count_branches(&Scope::Platform, &organisation.id)?;
    Ok(OrganisationView {
        identifier: organisation.identifier.to_string(),
        name: organisation.legal_name.to_string(),
        latin_name: organisation.latin_name.as_ref().map(ToString::to_string),
        branches: w.count("find.branches", branches).text(),
    })
}

fn branch_view(
    tx: &mut Tx<'_>,
    w: Words,
    organisation: &Organisation,
    summary: &BranchSummary,
    now: Timestamp,
) -> Result<BranchView, StoreError> {
    let Branch { code, name, latin_name, .. } = &summary.branch;
    let certificate = summary.certificate.as_ref().filter(|c| is_public(c));
    Ok(BranchView {
        organisation: organisation.legal_name.to_string(),
        code: code.to_string(),
        name: name.to_string(),
        latin_name: latin_name.as_ref().map(ToString::to_string),
        certificate: certificate.map(|c| line(tx, w, c, now)).transpose()?,
    })
}

/// `GET /find/organisation/{identifier}?q=…&after=…`
pub async fn show_organisation(
    reader: Reader,
    identifier: Path<String>,
    search: Query<Search>,
) -> Result<HttpResponse, Problem> {
    let w = reader.words;
    let Search { q, after } = search.into_inner();
    let q: String = q.trim().chars().take(QUERY_MAX_CHARS).collect();
    let filter = BranchFilter { search: q.clone() };
    let identifier = identifier.into_inner();
    let (organisation, branches, next) = reader
        .read(move |tx, _, now| {
            let found = tx.find_organisation_by_identifier(&Scope::Platform, &identifier)?;
            let organisation = found.ok_or(StoreError::NotFound { what: "organisation" })?;
            let id = &organisation.id;
            let page = tx.list_branches(&Scope::Platform, id, &filter, after.as_deref(), PAGE)?;
            let mut branches = Vec::new();
            for summary in &page.items {
                branches.push(branch_view(tx, w, &organisation, summary, now)?);
            }
            Ok((organisation_view(tx, w, &organisation)?, branches, page.next))
        })
        .await?;
    let query = |after: &str| {
        let pairs = [("q", q.as_str()), ("after", after)];
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
    };
    let next = next
        .map(|after| format!("/find/organisation/{}?{}", organisation.identifier, query(&after)));
    reader.show(&OrganisationPage {
        w,
        frame: reader.frame(&organisation.name),
        crumbs: vec![
            Crumb::link(w.t("find.title"), "/find"),
            Crumb::here(organisation.name.clone()),
        ],
        organisation,
        next,
        q,
        branches,
    })
}
