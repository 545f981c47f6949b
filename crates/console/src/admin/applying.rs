//! Applying for a seal in three steps on one page: branch office and level, under which delegation,
//! check and send (UX 4.6). The key follows on the page of the application.

use actix_web::HttpResponse;
use actix_web::web::Query;
use serde::Deserialize;
use tenkoku_ca::apply::{ApplyError, ApplyOrder, apply_for_seal, apply_under_grant};
use tenkoku_domain::access::{Apply, Permit};
use tenkoku_domain::application::Wishes;
use tenkoku_domain::branch::Branch;
use tenkoku_domain::grant::{Grant, GrantState};
use tenkoku_domain::id::{BranchId, GrantId};
use tenkoku_domain::level::Level;
use tenkoku_domain::organisation::Organisation;
use tenkoku_store::StoreError;

use super::entry::{Entered, Entry, Field, Input, refused};
use super::names::{self, application_href, branch_href, organisation_href};
use super::views::see_other;
use crate::format;
use crate::granted::{Granted, Visit};
use crate::layout::{Crumb, FieldError};
use crate::problem::Problem;

/// For which branch office.
#[derive(Debug, Deserialize)]
pub struct BranchQuery {
    #[serde(default)]
    branch: String,
}

struct Ground {
    organisation: Organisation,
    branch: Branch,
    grants: Vec<Grant>,
}

async fn load(visit: &Visit, permit: &Permit<Apply>, id: &str) -> Result<Ground, Problem> {
    let id = BranchId::parse(id).map_err(|_| Problem::not_found())?;
    let (scope, grantee) = (permit.scope().clone(), visit.account.id.clone());
    visit
        .run(move |env| {
            env.store.read(|tx| {
                let branch = tx.load_branch(&scope, &id)?;
                let organisation = tx.load_organisation(&scope, &branch.organisation)?;
                let grants = tx.grants_of(&organisation.id, &grantee)?;
                Ok::<_, StoreError>(Ground { organisation, branch, grants })
            })
        })
        .await
}

fn form(visit: &Visit, ground: &Ground) -> Entry {
    let w = visit.words;
    let Ground { organisation, branch, grants } = ground;
    let level = |level: &Level| {
        (level.to_string(), w.say("admin.applications.level").with("n", level).text())
    };
    let mut fields = vec![Field::new(
        "level",
        w.t("admin.batch.level"),
        Input::Choice(Level::ALL.iter().map(level).collect()),
    )];
    let grant = |grant: &Grant| {
        let said = w.say("admin.applying.grant-until");
        let said = said.with("name", grant.terms.grantor.as_str());
        (grant.terms.id.to_string(), said.with("date", format::date(grant.terms.not_after)).text())
    };
    let grants: Vec<_> =
        grants.iter().filter(|one| one.state == GrantState::Active).map(grant).collect();
    if !grants.is_empty() {
        fields.push(Field::new("grant", w.t("admin.batch.grant"), Input::Choice(grants)));
    }
    fields.push(
        Field::new("days", w.t("admin.applying.days"), Input::Line("number"))
            .with_hint(w.t("admin.applying.days-hint")),
    );
    Entry {
        title: w.t("admin.applying.title"),
        intro: w
            .say("admin.applying.intro")
            .with("organisation", names::organisation(w, organisation).name)
            .with("branch", names::branch(w, branch).name)
            .text(),
        crumbs: vec![
            Crumb::link(
                names::organisation(w, organisation).name,
                organisation_href(&organisation.id),
            ),
            Crumb::link(names::branch(w, branch).name, branch_href(&organisation.id, &branch.id)),
        ],
        action: format!("/console/applications/new?branch={}", branch.id),
        fields,
        button: w.t("admin.applying.send"),
    }
}

/// `GET /console/applications/new?branch=…`
pub async fn show_form(
    granted: Granted<Apply>,
    query: Query<BranchQuery>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let ground = load(&visit, &permit, &query.branch).await?;
    form(&visit, &ground).show(&visit, Entered::new())
}

/// `POST /console/applications/new?branch=…`
pub async fn apply(
    granted: Granted<Apply>,
    query: Query<BranchQuery>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let ground = load(&visit, &permit, &query.branch).await?;
    let w = visit.words;
    let form = form(&visit, &ground);
    let entered = visit.fields().texts()?;
    let text = |field: &str| entered.get(field).map_or("", String::as_str);
    let level = text("level").parse::<u8>().ok().and_then(|n| Level::try_from(n).ok());
    let days = Some(text("days")).filter(|days| !days.is_empty());
    let days = days.map(str::parse::<i64>).transpose();
    let (level, validity_days) = match (level, days) {
        (Some(level), Ok(days)) => (level, days),
        (level, _) => {
            let field = if level.is_none() { "level" } else { "days" };
            let text = w.t("admin.drafting.no-number").to_owned();
            return form.correct(&visit, vec![FieldError { field: field.to_owned(), text }]);
        }
    };
    let grant = Some(text("grant")).filter(|id| !id.is_empty()).map(GrantId::parse).transpose();
    let grant = grant.map_err(|_| Problem::not_found())?;
    let order = ApplyOrder {
        branch: ground.branch.id,
        level,
        validity_days,
        request: None,
        instance: None,
        wishes: Wishes::default(),
    };
    let done = visit
        .run(move |env| {
            let applied = match &grant {
                Some(grant) => apply_under_grant(env, &permit, &order, grant),
                None => apply_for_seal(env, &permit, &order),
            };
            match applied {
                Err(ApplyError::Refused(refusal)) => Ok(Err(refusal)),
                other => other.map(Ok),
            }
        })
        .await?;
    match done {
        Ok(applied) => Ok(see_other(&application_href(&applied.application.id))),
        Err(refusal) => form.correct(&visit, vec![refused(w, "level", &refusal)]),
    }
}
