//! The account of somebody else: its roles are ended before their time, and it is ended for ever.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;
use askama::Template;
use serde::Deserialize;
use tenkoku_ca::account::{disable_account, end_role};
use tenkoku_domain::access::{ManageAccounts, OwnAccount, RoleGrant};
use tenkoku_domain::account::Account;
use tenkoku_domain::id::UserId;
use tenkoku_domain::organisation::Language;

use super::confirm::{Factor, factor_field, step_up};
use super::people::role_words;
use super::views::{Fact, html, html_with, see_other};
use crate::format;
use crate::granted::{Granted, Visit};
use crate::layout::{AdminFrame, Crumb, FieldError};
use crate::problem::Problem;
use crate::text::Words;

#[derive(Template)]
#[template(path = "admin/account.html")]
pub(super) struct AccountPage {
    pub(super) w: Words,
    pub(super) frame: AdminFrame,
    pub(super) errors: Vec<FieldError>,
    pub(super) facts: Vec<Fact>,
    /// The roles that are held now: place and words.
    pub(super) roles: Vec<(usize, String)>,
    /// Where it is changed; nothing for one's own and for one that has ended.
    pub(super) action: Option<String>,
    pub(super) factor: Factor,
}

async fn load(visit: &Visit, id: &str) -> Result<Account, Problem> {
    let id = UserId::parse(id).map_err(|_| Problem::not_found())?;
    let found = visit.run(move |env| env.store.read(|tx| tx.load_account(&id))).await?;
    if found.is_service() { Err(Problem::not_found()) } else { Ok(found) }
}

async fn page(
    visit: &Visit,
    account: &Account,
    errors: Vec<FieldError>,
) -> Result<AccountPage, Problem> {
    let w = visit.words;
    let crumbs = vec![
        Crumb::link(w.t("admin.people.title"), "/console/people"),
        Crumb::here(account.display_name.clone()),
    ];
    let mut frame = visit.frame(&account.display_name, crumbs);
    frame.has_errors = !errors.is_empty();
    let alive = |(_, grant): &(usize, &RoleGrant)| grant.until > visit.now;
    let row = |(place, grant): (usize, &RoleGrant)| (place, role_words(w, grant));
    let mut facts = vec![
        Fact::mono(w.t("admin.people.login"), account.login.clone()),
        Fact::new(w.t("admin.people.registered"), format::date(account.created_at)),
    ];
    if let Some(at) = account.disabled_at {
        facts.push(Fact::new(w.t("admin.people.disabled"), format::date_time(at)));
    }
    let another = account.id != visit.account.id && account.disabled_at.is_none();
    Ok(AccountPage {
        w,
        frame,
        errors,
        facts,
        roles: account.roles.iter().enumerate().filter(alive).map(row).collect(),
        action: another.then(|| format!("/console/people/{}", account.id)),
        factor: factor_field(visit).await?,
    })
}

/// `GET /console/people/{id}`
pub async fn show_account(
    granted: Granted<ManageAccounts>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let visit = granted.visit;
    let account = load(&visit, &id).await?;
    html(&page(&visit, &account, Vec::new()).await?)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ChangeForm {
    act: String,
    code: String,
}

/// `POST /console/people/{id}`
pub async fn change_account(
    granted: Granted<ManageAccounts>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let account = load(&visit, &id).await?;
    let ChangeForm { act, code } = visit.form()?;
    if let Some(error) = step_up(&visit, &code).await? {
        let page = page(&visit, &account, vec![error]).await?;
        return html_with(StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    let id = account.id.clone();
    let place = act.strip_prefix("role-").and_then(|place| place.parse::<usize>().ok());
    match (act.as_str(), place.and_then(|place| account.roles.get(place).cloned())) {
        ("disable", _) => {
            visit.run(move |env| disable_account(env, &permit, &id)).await?;
        }
        (_, Some(held)) => {
            visit.run(move |env| end_role(env, &permit, &id, &held)).await?;
        }
        (_, None) => return Err(Problem::not_found()),
    }
    Ok(see_other(&format!("/console/people/{}", account.id)))
}

#[derive(Debug, Deserialize)]
struct LanguageForm {
    language: String,
}

/// `POST /console/me/language`: that of pages and letters, from now on.
pub async fn set_language(granted: Granted<OwnAccount>) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let LanguageForm { language } = visit.form()?;
    let language = Language::from_word(&language).ok_or_else(Problem::not_found)?;
    visit.run(move |env| tenkoku_ca::account::set_language(env, &permit, language)).await?;
    // The switch of this browser follows.
    Ok(see_other(&format!("/console/language/{}?return=/console/me", language.word())))
}
