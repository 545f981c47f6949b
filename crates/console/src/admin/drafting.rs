//! Setting up a delegation (UX 4.4): a grant is drafted for the representative's one signature.

use std::collections::BTreeSet;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;
use askama::Template;
use tenkoku_ca::grant::{GrantOrder, GrantPart, Reach, draft_grant};
use tenkoku_domain::access::{ManageGrants, Permit};
use tenkoku_domain::approval::Conditions;
use tenkoku_domain::branch::BranchCode;
use tenkoku_domain::grant::{GrantAction, GrantQuota};
use tenkoku_domain::id::{OrganisationId, RepresentativeId, UserId};
use tenkoku_domain::level::Level;
use tenkoku_domain::organisation::Organisation;
use tenkoku_domain::time::Timestamp;
use tenkoku_store::StoreError;

use super::entry::{Entered, refusable, refused};
use super::names::{self, organisation_href};
use super::views::{html, html_with, see_other};
use crate::granted::{Granted, Visit};
use crate::layout::{AdminFrame, Crumb, FieldError};
use crate::problem::Problem;
use crate::text::Words;

/// Something to choose.
pub(super) struct Choice {
    pub(super) value: String,
    pub(super) label: String,
    pub(super) hint: String,
    pub(super) chosen: bool,
}

#[derive(Template)]
#[template(path = "admin/grant_new.html")]
pub(super) struct DraftPage {
    pub(super) w: Words,
    pub(super) frame: AdminFrame,
    pub(super) errors: Vec<FieldError>,
    pub(super) representatives: Vec<Choice>,
    pub(super) delegates: Vec<Choice>,
    pub(super) actions: Vec<Choice>,
    pub(super) levels: Vec<Choice>,
    pub(super) reach: Vec<Choice>,
    pub(super) conditions: Vec<Choice>,
    pub(super) entered: Entered,
    pub(super) here: String,
}

impl DraftPage {
    pub(super) fn value(&self, field: &str) -> &str {
        self.entered.get(field).map_or("", String::as_str)
    }
}

/// Who can give and who can be given.
struct Parties {
    organisation: Organisation,
    representatives: Vec<(RepresentativeId, String)>,
    delegates: Vec<(UserId, String)>,
    branches: i64,
}

async fn parties(
    visit: &Visit,
    permit: &Permit<ManageGrants>,
    id: &OrganisationId,
) -> Result<Parties, Problem> {
    let (scope, id, now) = (permit.scope().clone(), id.clone(), visit.now);
    visit
        .run(move |env| {
            env.store.read(|tx| {
                let organisation = tx.load_organisation(&scope, &id)?;
                if !scope.covers_organisation(&id) {
                    return Err(StoreError::NotFound { what: "organisation" });
                }
                let mut representatives = Vec::new();
                for one in tx.list_representatives(&scope, &id)? {
                    if one.holds(now) {
                        let name = tx.load_person(&one.person)?.name;
                        representatives.push((one.id, format!("{} {name}", one.capacity)));
                    }
                }
                let mut delegates = Vec::new();
                for one in tx.list_delegates(&scope, &id)? {
                    if one.holds(now) {
                        for account in tx.accounts_of_person(&one.person)? {
                            let label = format!("{} ({})", account.display_name, account.login);
                            delegates.push((account.id, label));
                        }
                    }
                }
                let branches = i64::try_from(tx.branch_ids(&id)?.len()).unwrap_or(i64::MAX);
                Ok(Parties { organisation, representatives, delegates, branches })
            })
        })
        .await
}

fn crumbs(w: Words, organisation: &Organisation, here: &str) -> Vec<Crumb> {
    let href = organisation_href(&organisation.id);
    vec![
        Crumb::link(names::organisation(w, organisation).name, href.clone()),
        Crumb::link(w.t("admin.delegation.title"), format!("{href}/delegation")),
        Crumb::here(here),
    ]
}

/// `GET /console/organisations/{id}/delegation/new`
pub async fn new_grant(
    granted: Granted<ManageGrants>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let id = OrganisationId::parse(&id).map_err(|_| Problem::not_found())?;
    let found = parties(&visit, &permit, &id).await?;
    let quota = found.branches.max(1);
    let entered = [
        ("action-apply", "on".to_owned()),
        ("action-renew", "on".to_owned()),
        ("action-rotate", "on".to_owned()),
        ("reach", "everywhere".to_owned()),
        ("level-1", "on".to_owned()),
        ("confirm", "on".to_owned()),
        ("live", quota.saturating_mul(2).to_string()),
        ("per-day", quota.to_string()),
        ("total", quota.saturating_mul(4).to_string()),
    ];
    let entered = entered.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    html(&draft_page(&visit, &found, entered, Vec::new()))
}

fn draft_page(
    visit: &Visit,
    found: &Parties,
    entered: Entered,
    errors: Vec<FieldError>,
) -> DraftPage {
    let w = visit.words;
    let title = w.t("admin.drafting.title");
    let mut frame = visit.frame(title, crumbs(w, &found.organisation, title));
    frame.has_errors = !errors.is_empty();
    let is = |field: &str, value: &str| entered.get(field).is_some_and(|held| held == value);
    let party = |field: &str, value: String, label: &str| Choice {
        chosen: is(field, &value),
        value,
        label: label.to_owned(),
        hint: String::new(),
    };
    let tick = |value: String, label: &str, hint: &str| Choice {
        chosen: is(&value, "on"),
        value,
        label: label.to_owned(),
        hint: hint.to_owned(),
    };
    DraftPage {
        w,
        frame,
        errors,
        representatives: found
            .representatives
            .iter()
            .map(|(id, label)| party("representative", id.to_string(), label))
            .collect(),
        delegates: found
            .delegates
            .iter()
            .map(|(id, label)| party("delegate", id.to_string(), label))
            .collect(),
        actions: GrantAction::ALL
            .iter()
            .map(|action| {
                let word = action.word();
                tick(format!("action-{word}"), w.word("admin.grant-action", word), "")
            })
            .collect(),
        levels: Level::ALL
            .iter()
            .map(|level| {
                let label = w.say("admin.drafting.level").with("level", level).text();
                tick(format!("level-{level}"), &label, "")
            })
            .collect(),
        reach: ["everywhere", "and-later", "some"]
            .into_iter()
            .map(|value| {
                let label = w.word("admin.drafting-reach", value);
                party("reach", value.to_owned(), label)
            })
            .collect(),
        conditions: ["confirm", "second", "give-on"]
            .into_iter()
            .map(|value| {
                let (label, hint) = (
                    w.word("admin.drafting-condition", value),
                    w.word("admin.drafting-condition-hint", value),
                );
                tick(value.to_owned(), label, hint)
            })
            .collect(),
        entered,
        here: format!("{}/delegation/new", organisation_href(&found.organisation.id)),
    }
}

/// `POST /console/organisations/{id}/delegation/new`
pub async fn create_grant(
    granted: Granted<ManageGrants>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let id = OrganisationId::parse(&id).map_err(|_| Problem::not_found())?;
    let found = parties(&visit, &permit, &id).await?;
    let entered: Entered = visit.form()?;
    let order = match read_grant(visit.words, &found, &entered, visit.now) {
        Ok(order) => order,
        Err(errors) => {
            let page = draft_page(&visit, &found, entered, errors);
            return html_with(StatusCode::UNPROCESSABLE_ENTITY, &page);
        }
    };
    let made = visit.run(move |env| refusable(draft_grant(env, &permit, &order))).await?;
    match made {
        Ok(grant) => Ok(see_other(&format!("/console/grants/{}", grant.terms.id))),
        Err(refusal) => {
            let error = refused(visit.words, "delegate", &refusal);
            let page = draft_page(&visit, &found, entered, vec![error]);
            html_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
    }
}

/// Gathers what is wrong with a form.
struct Reading<'a> {
    w: Words,
    entered: &'a Entered,
    errors: Vec<FieldError>,
}

impl<'a> Reading<'a> {
    const fn of(w: Words, entered: &'a Entered) -> Self {
        Self { w, entered, errors: Vec::new() }
    }

    fn text(&self, field: &str) -> &'a str {
        self.entered.get(field).map_or("", |value| value.trim())
    }

    fn ticked(&self, field: &str) -> bool {
        self.text(field) == "on"
    }

    fn wrong(&mut self, field: &str, text: &str) {
        self.errors.push(FieldError { field: field.to_owned(), text: text.to_owned() });
    }

    /// What was chosen, or a complaint.
    fn needed<T>(&mut self, field: &str, found: Option<T>, complaint: &str) -> Option<T> {
        if found.is_none() {
            let text = self.w.t(complaint);
            self.wrong(field, text);
        }
        found
    }

    /// A number above nought, or a complaint.
    fn number(&mut self, field: &str) -> i64 {
        let number = self.text(field).parse::<i64>().ok().filter(|number| *number > 0);
        self.needed(field, number, "admin.drafting.no-number").unwrap_or(0)
    }

    /// The last second of a date; nothing where none is entered.
    fn last_second(&mut self, field: &str) -> Option<Timestamp> {
        let text = self.text(field);
        if text.is_empty() {
            return None;
        }
        self.needed(field, Timestamp::parse(&format!("{text}T23:59:59Z")), "admin.drafting.no-date")
    }
}

fn read_grant(
    w: Words,
    found: &Parties,
    entered: &Entered,
    now: Timestamp,
) -> Result<GrantOrder, Vec<FieldError>> {
    let mut form = Reading::of(w, entered);
    let representative = RepresentativeId::parse(form.text("representative")).ok();
    let representative =
        representative.filter(|id| found.representatives.iter().any(|(known, _)| known == id));
    let representative =
        form.needed("representative", representative, "admin.drafting.no-representative");
    let grantee = UserId::parse(form.text("delegate")).ok();
    let grantee = grantee.filter(|id| found.delegates.iter().any(|(known, _)| known == id));
    let grantee = form.needed("delegate", grantee, "admin.drafting.no-delegate");
    let actions: Vec<GrantAction> = GrantAction::ALL
        .iter()
        .copied()
        .filter(|action| form.ticked(&format!("action-{action}")))
        .collect();
    let chosen = (!actions.is_empty()).then_some(());
    form.needed("action-apply", chosen, "admin.drafting.no-action");
    let levels: BTreeSet<Level> =
        Level::ALL.iter().copied().filter(|level| form.ticked(&format!("level-{level}"))).collect();
    let chosen = (!levels.is_empty()).then_some(());
    form.needed("level-1", chosen, "admin.drafting.no-level");
    let reach = match form.text("reach") {
        "everywhere" => Some(Reach::Everywhere),
        "and-later" => Some(Reach::EverywhereAndLater),
        "some" => {
            let codes: Option<BTreeSet<BranchCode>> = form
                .text("branches")
                .split([',', ' ', '\n', '\r', '\t', '、'])
                .filter(|code| !code.is_empty())
                .map(|code| BranchCode::parse(code).ok())
                .collect();
            let codes = codes.filter(|codes| !codes.is_empty());
            form.needed("branches", codes, "admin.drafting.no-branches").map(Reach::Branches)
        }
        _ => form.needed("reach-everywhere", None, "admin.drafting.no-reach"),
    };
    let quota = GrantQuota {
        active: form.number("live"),
        per_day: form.number("per-day"),
        total: form.number("total"),
    };
    let not_after = form.last_second("until");
    let conditions = Conditions {
        confirm_level_3: form.ticked("confirm"),
        second_delegate: form.ticked("second"),
    };
    let subgrant_depth = i64::from(form.ticked("give-on"));
    match (representative, grantee, reach) {
        (Some(representative), Some(grantee), Some(reach)) if form.errors.is_empty() => {
            Ok(GrantOrder {
                organisation: found.organisation.id.clone(),
                representative,
                part: GrantPart {
                    grantee,
                    actions,
                    reach,
                    levels,
                    quota,
                    not_before: now.floor(),
                    not_after,
                    subgrant_depth,
                    conditions,
                },
            })
        }
        _ => Err(form.errors),
    }
}
