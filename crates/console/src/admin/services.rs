//! Service accounts of an organisation: made, given tokens, ended.

use std::collections::BTreeSet;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;
use askama::Template;
use serde::Deserialize;
use tenkoku_ca::act::ActError;
use tenkoku_ca::service_account::{
    ProofOrder, ServiceAccount, ServiceAccountOrder, TokenOrder, create_service_account,
    end_service_account, end_token, issue_token, list_service_accounts,
};
use tenkoku_domain::access::{ManageServiceAccounts, Permission, Permit, Role};
use tenkoku_domain::id::{OrganisationId, TokenId, UserId};
use tenkoku_domain::organisation::Organisation;
use tenkoku_domain::service_account::{ServiceToken, TokenProof};
use tenkoku_domain::time::Timestamp;
use tenkoku_ports::Env;

use super::confirm::{Factor, factor_field, step_up};
use super::names;
use super::views::{html, html_with};
use crate::format;
use crate::granted::{Granted, Visit};
use crate::layout::{AdminFrame, Chip, Crumb, FieldError, Tone};
use crate::problem::Problem;
use crate::session::secret::Secret;
use crate::text::{Words, explain};

/// A token in the table.
pub(super) struct TokenLine {
    pub(super) id: String,
    pub(super) label: String,
    pub(super) allows: String,
    pub(super) proof: String,
    pub(super) until: String,
    pub(super) state: Chip,
    pub(super) alive: bool,
}

/// A service account with its tokens.
pub(super) struct AccountCard {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) login: String,
    pub(super) alive: bool,
    pub(super) state: Chip,
    pub(super) tokens: Vec<TokenLine>,
}

#[derive(Template)]
#[template(path = "admin/services.html")]
pub(super) struct ServicesPage {
    pub(super) w: Words,
    pub(super) frame: AdminFrame,
    pub(super) errors: Vec<FieldError>,
    pub(super) action: String,
    /// A secret that was just made. It is shown now and never again.
    pub(super) secret: Option<String>,
    pub(super) accounts: Vec<AccountCard>,
    /// What a token may allow: word and label.
    pub(super) permissions: Vec<(&'static str, String)>,
    pub(super) form: ServiceForm,
    pub(super) factor: Factor,
    /// Whether a second factor was shown a moment ago: then one button is enough.
    pub(super) confirmed: bool,
}

/// What is asked for: `act` says which of the rest is looked at.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct ServiceForm {
    #[serde(default)]
    pub(super) act: String,
    #[serde(default)]
    pub(super) account: String,
    #[serde(default)]
    pub(super) token: String,
    #[serde(default)]
    pub(super) login: String,
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) label: String,
    #[serde(default)]
    pub(super) days: String,
    #[serde(default)]
    pub(super) key: String,
    #[serde(default)]
    pub(super) code: String,
    #[serde(default, rename = "view-registry")]
    view_registry: Option<String>,
    #[serde(default, rename = "record-branch")]
    record_branch: Option<String>,
    #[serde(default)]
    apply: Option<String>,
    #[serde(default, rename = "manage-keys")]
    manage_keys: Option<String>,
    #[serde(default)]
    revoke: Option<String>,
}

impl ServiceForm {
    fn permissions(&self) -> BTreeSet<Permission> {
        let ticked = [
            (Permission::ViewRegistry, &self.view_registry),
            (Permission::RecordBranch, &self.record_branch),
            (Permission::Apply, &self.apply),
            (Permission::ManageKeys, &self.manage_keys),
            (Permission::Revoke, &self.revoke),
        ];
        ticked.into_iter().filter(|(_, tick)| tick.is_some()).map(|(one, _)| one).collect()
    }
}

fn organisation_id(text: &str) -> Result<OrganisationId, Problem> {
    OrganisationId::parse(text).map_err(|_| Problem::not_found())
}

/// `GET /console/organisations/{id}/services`
pub async fn show_services(
    granted: Granted<ManageServiceAccounts>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let id = organisation_id(&id)?;
    html(&page(&visit, &permit, &id, (ServiceForm::default(), None), Vec::new()).await?)
}

async fn page(
    visit: &Visit,
    permit: &Permit<ManageServiceAccounts>,
    id: &OrganisationId,
    (form, secret): (ServiceForm, Option<String>),
    errors: Vec<FieldError>,
) -> Result<ServicesPage, Problem> {
    let w = visit.words;
    let (leave, wanted) = (permit.clone(), id.clone());
    let (organisation, found): (Organisation, Vec<ServiceAccount>) = visit
        .run(move |env| {
            let found = list_service_accounts(env, &leave, &wanted)?;
            let organisation = env.store.read(|tx| tx.load_organisation(leave.scope(), &wanted))?;
            Ok::<_, tenkoku_store::StoreError>((organisation, found))
        })
        .await?;
    let called = names::organisation(w, &organisation);
    let title = w.t("admin.services.title");
    let crumbs = vec![
        Crumb::link(w.t("admin.organisations.title"), "/console/organisations"),
        Crumb::link(called.name, format!("/console/organisations/{id}")),
        Crumb::here(title),
    ];
    let mut frame = visit.frame(title, crumbs);
    frame.has_errors = !errors.is_empty();
    let label = |one: &Permission| (one.word(), w.word("fact.permission", one.word()).to_owned());
    Ok(ServicesPage {
        w,
        frame,
        errors,
        action: format!("/console/organisations/{id}/services"),
        secret,
        accounts: found.iter().map(|one| card(w, one, visit.now)).collect(),
        permissions: Role::ServiceAccount.permissions().iter().map(label).collect(),
        form: ServiceForm { code: String::new(), ..form },
        factor: factor_field(visit).await?,
        confirmed: visit.session.is_fresh(visit.now),
    })
}

fn card(w: Words, one: &ServiceAccount, now: Timestamp) -> AccountCard {
    let alive = one.account.disabled_at.is_none();
    AccountCard {
        id: one.account.id.to_string(),
        name: one.account.display_name.clone(),
        login: one.account.login.clone(),
        alive,
        state: state(w, alive),
        tokens: one.tokens.iter().map(|token| line(w, token, now)).collect(),
    }
}

fn state(w: Words, alive: bool) -> Chip {
    if alive {
        Chip::new(Tone::Ok, w.t("admin.services.in-use"))
    } else {
        Chip::new(Tone::Mute, w.t("admin.services.ended"))
    }
}

fn line(w: Words, token: &ServiceToken, now: Timestamp) -> TokenLine {
    let allows: Vec<&str> =
        token.permissions.iter().map(|one| w.word("fact.permission", one.word())).collect();
    let alive = token.is_alive(now);
    TokenLine {
        id: token.id.to_string(),
        label: token.label.clone(),
        allows: allows.join(" · "),
        proof: match &token.proof {
            TokenProof::Secret(_) => w.t("admin.services.by-secret").to_owned(),
            TokenProof::Key(key) => {
                format!("{} {}", key.algorithm, format::grouped(&key.fingerprint.to_string()))
            }
        },
        until: format::date(token.until),
        state: state(w, alive),
        alive,
    }
}

/// What was done: a secret to be shown, if one was made.
fn perform(
    env: &Env,
    permit: &Permit<ManageServiceAccounts>,
    organisation: &OrganisationId,
    form: &ServiceForm,
) -> Result<Option<Secret>, ActError> {
    let missing = |what: &'static str| ActError::from(tenkoku_store::StoreError::NotFound { what });
    let account = || UserId::parse(&form.account).map_err(|_| missing("service account"));
    match form.act.as_str() {
        "create" => {
            let order = ServiceAccountOrder {
                organisation: organisation.clone(),
                branch: None,
                login: form.login.clone(),
                name: form.name.clone(),
            };
            create_service_account(env, permit, &order).map(|_| None)
        }
        "token" => {
            let secret = form.key.trim().is_empty().then(|| Secret::for_api(&*env.entropy));
            let proof = match &secret {
                Some(secret) => ProofOrder::Secret(secret.digest()),
                None => ProofOrder::Key(form.key.trim().as_bytes().to_vec()),
            };
            let order = TokenOrder {
                account: account()?,
                label: form.label.clone(),
                permissions: form.permissions(),
                days: form.days.trim().parse().unwrap_or(0),
                proof,
            };
            issue_token(env, permit, &order).map(|_| secret)
        }
        "end" => end_service_account(env, permit, &account()?).map(|_| None),
        "end-token" => {
            let id = TokenId::parse(&form.token).map_err(|_| missing("token"))?;
            end_token(env, permit, &id).map(|_| None)
        }
        _ => Err(missing("act")),
    }
}

/// `POST /console/organisations/{id}/services`
pub async fn change_services(
    granted: Granted<ManageServiceAccounts>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let id = organisation_id(&id)?;
    let form: ServiceForm = visit.form()?;
    if let Some(error) = step_up(&visit, &form.code).await? {
        let page = page(&visit, &permit, &id, (form, None), vec![error]).await?;
        return html_with(StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    let (leave, whose, asked) = (permit.clone(), id.clone(), form.clone());
    let done = visit
        .run(move |env| match perform(env, &leave, &whose, &asked) {
            Err(ActError::Refused(refusal)) => Ok(Err(refusal)),
            other => other.map(Ok),
        })
        .await?;
    match done {
        Ok(secret) => {
            let shown = secret.map(|secret| secret.expose().to_owned());
            html(&page(&visit, &permit, &id, (ServiceForm::default(), shown), Vec::new()).await?)
        }
        Err(refusal) => {
            let field = if form.act == "create" { "login" } else { "label" };
            let told = explain::refusal(visit.words.language(), &refusal);
            let error = FieldError { field: field.to_owned(), text: told.what };
            let page = page(&visit, &permit, &id, (form, None), vec![error]).await?;
            html_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
    }
}
