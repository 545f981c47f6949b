//! One branch office: its custodian, its certificates, its applications, the life of its key.

use actix_web::HttpResponse;
use actix_web::web::Path;
use askama::Template;
use tenkoku_domain::access::{Permission, Permit, ViewRegistry};
use tenkoku_domain::application::Application;
use tenkoku_domain::branch::{Branch, BranchKind, BranchState};
use tenkoku_domain::certificate::Certificate;
use tenkoku_domain::id::{BranchId, OrganisationId};
use tenkoku_domain::key::{Key, KeyState};
use tenkoku_domain::organisation::Organisation;
use tenkoku_domain::time::Timestamp;
use tenkoku_ports::Env;
use tenkoku_store::{ApplicationFilter, CertificateFilter, StoreError};

use super::applications::{self, ApplicationRow};
use super::certificates::{self, CertificateRow};
use super::imprints::{Preview, preview};
use super::names::{self, Called, organisation_href};
use super::organisations::address;
use super::views::{Fact, ROWS, branch_chip, html};
use crate::format;
use crate::granted::Granted;
use crate::layout::{AdminFrame, Chip, Crumb};
use crate::problem::Problem;
use crate::text::Words;

/// How a step of a key's life stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Done,
    Due,
    Ahead,
}

impl Stage {
    /// The class of its mark.
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Due => "due",
            Self::Ahead => "todo",
        }
    }

    pub(super) fn is_done(self) -> bool {
        self == Self::Done
    }
}

/// A step of a key's life.
pub(super) struct Step {
    pub(super) x: i64,
    pub(super) stage: Stage,
    pub(super) label: String,
    pub(super) when: String,
}

#[derive(Template)]
#[template(path = "admin/branch.html")]
pub(super) struct BranchPage {
    pub(super) w: Words,
    pub(super) frame: AdminFrame,
    pub(super) called: Called,
    pub(super) state: Chip,
    pub(super) facts: Vec<Fact>,
    pub(super) imprint: Preview,
    pub(super) steps: Vec<Step>,
    pub(super) key: Option<String>,
    pub(super) certificates: Vec<CertificateRow>,
    pub(super) applications: Vec<ApplicationRow>,
    /// Where this person applies for a seal of the branch.
    pub(super) apply: Option<String>,
}

struct Ground {
    organisation: Organisation,
    branch: Branch,
    certificates: Vec<Certificate>,
    applications: Vec<Application>,
    key: Option<Key>,
}

/// `GET /console/organisations/{id}/branches/{branch}`
pub async fn show_branch(
    granted: Granted<ViewRegistry>,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let (organisation, branch) = path.into_inner();
    let organisation = OrganisationId::parse(&organisation).map_err(|_| Problem::not_found())?;
    let branch = BranchId::parse(&branch).map_err(|_| Problem::not_found())?;
    let found = visit.run(move |env| load(env, &permit, &organisation, &branch)).await?;
    let (w, now) = (visit.words, visit.now);
    let called = names::branch(w, &found.branch);
    let above = names::organisation(w, &found.organisation);
    let crumbs = vec![
        Crumb::link(w.t("admin.organisations.title"), "/console/organisations"),
        Crumb::link(above.name, organisation_href(&found.organisation.id)),
        Crumb::here(called.name.clone()),
    ];
    let newest = found.certificates.first();
    html(&BranchPage {
        w,
        frame: visit.frame(&called.name, crumbs),
        called,
        state: branch_chip(w, found.branch.state),
        facts: facts(w, &found.branch),
        imprint: preview(w, &found.organisation, &found.branch),
        steps: newest.map_or_else(Vec::new, |one| life(w, one, found.key.as_ref(), now)),
        key: found.key.as_ref().map(|key| format!("{} · {}", key.algorithm, key.id)),
        certificates: certificates::rows(w, &found.certificates, now),
        applications: applications::rows(w, &found.applications),
        apply: (visit.may(Permission::Apply) && found.branch.state == BranchState::Open)
            .then(|| format!("/console/applications/new?branch={}", found.branch.id)),
    })
}

fn load(
    env: &Env,
    permit: &Permit<ViewRegistry>,
    organisation: &OrganisationId,
    id: &BranchId,
) -> Result<Ground, StoreError> {
    env.store.read(|tx| {
        let scope = permit.scope();
        let branch = tx.load_branch(scope, id)?;
        if branch.organisation != *organisation {
            return Err(StoreError::NotFound { what: "branch" });
        }
        let of_branch = CertificateFilter {
            search: String::new(),
            organisation: None,
            branch: Some(id.clone()),
            state: None,
        };
        let certificates = tx.list_certificates(scope, &of_branch, None, ROWS)?.items;
        let key = match certificates.first() {
            Some(newest) => Some(tx.load_key(&newest.key)?),
            None => None,
        };
        let of_branch =
            ApplicationFilter { state: None, branch: Some(id.clone()), organisation: None };
        let applications = tx.list_applications(scope, &of_branch, None, ROWS)?.items;
        let organisation = tx.load_organisation(scope, organisation)?;
        Ok(Ground { organisation, branch, certificates, applications, key })
    })
}

fn facts(w: Words, branch: &Branch) -> Vec<Fact> {
    let mut facts = vec![
        Fact::mono(w.t("admin.branch.code"), branch.code.as_str()),
        Fact::new(
            w.t("admin.branch.kind"),
            match branch.kind {
                BranchKind::HeadOffice => w.t("admin.branch.head-office"),
                BranchKind::Branch => w.t("admin.branch.branch"),
            },
        ),
    ];
    let custodian = branch.custodian.as_ref().map_or_else(
        || w.t("admin.branch.no-custodian").to_owned(),
        |custodian| format!("{} <{}>", custodian.name, custodian.email),
    );
    facts.push(Fact::new(w.t("admin.branch.custodian"), custodian));
    facts.push(Fact::new(w.t("admin.branch.address"), address(&branch.address)));
    facts.push(Fact::new(w.t("admin.branch.opened"), format::long_date(w, branch.opened_at)));
    facts
}

/// The life of a key in five steps: made, certified, sealing until, certificate ends, destroyed.
fn life(w: Words, certificate: &Certificate, key: Option<&Key>, now: Timestamp) -> Vec<Step> {
    const FIRST: i64 = 90;
    const APART: i64 = 165;
    let passed = |at: Timestamp| if at <= now { Stage::Done } else { Stage::Ahead };
    let ended = certificate.state.revocation().map(|revocation| revocation.at);
    let last_seal = certificate.sealing_not_after.unwrap_or(certificate.validity.not_after);
    let last_seal = ended.map_or(last_seal, |ended| ended.min(last_seal));
    let last = ended
        .map_or(certificate.validity.not_after, |ended| ended.min(certificate.validity.not_after));
    let destroyed = match key.map(|key| key.state) {
        Some(KeyState::Destroyed) => (Stage::Done, w.t("admin.branch.destroyed-shown")),
        Some(KeyState::DestructionDue | KeyState::Compromised | KeyState::Lost) => {
            (Stage::Due, w.t("admin.branch.destruction-due"))
        }
        Some(
            KeyState::Ordered
            | KeyState::Generated
            | KeyState::Presented
            | KeyState::Proven
            | KeyState::Bound
            | KeyState::Retiring,
        )
        | None => (Stage::Ahead, w.t("admin.branch.after-use")),
    };
    let date = |at: Timestamp| format::date(at);
    let known = key.map_or(certificate.created_at, |key| key.created_at);
    let (end, ends) = match ended {
        Some(_) => (Stage::Due, w.t("admin.branch.revoked")),
        None => (passed(last), w.t("admin.branch.ends")),
    };
    let steps = [
        (Stage::Done, w.t("admin.branch.key-known"), date(known)),
        (Stage::Done, w.t("admin.branch.certified"), date(certificate.validity.not_before)),
        (passed(last_seal), w.t("admin.branch.last-seal"), date(last_seal)),
        (end, ends, date(last)),
        (destroyed.0, w.t("admin.branch.destroyed"), destroyed.1.to_owned()),
    ];
    steps
        .into_iter()
        .zip(0..)
        .map(|((stage, label, when), place)| Step {
            x: FIRST + APART * place,
            stage,
            label: label.to_owned(),
            when,
        })
        .collect()
}
