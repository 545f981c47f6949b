//! Service accounts and their tokens (DOMAIN 2).

use std::collections::BTreeSet;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;
use serde::{Deserialize, Serialize};
use tenkoku_ca::service_account::{self as service, ProofOrder, ServiceAccountOrder, TokenOrder};
use tenkoku_domain::access::{ManageServiceAccounts, Permission};
use tenkoku_domain::id::{BranchId, TokenId, UserId};
use tenkoku_domain::service_account::{ServiceToken, TokenProof};
use tenkoku_domain::time::Timestamp;
use utoipa::ToSchema;

use super::BASE;
use super::answer::{Paged, done, made, one};
use super::door::Called;
use super::once::ShownOnce;
use super::registry::organisation_id;
use crate::problem::Problem;
use crate::session::secret::Secret;

/// A service account.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ServiceAccount)]
pub struct ServiceAccountJson {
    /// The account.
    id: String,
    /// Its short name.
    login: String,
    /// What people call it.
    name: String,
    /// The person record behind it, for naming it as a delegate.
    person: String,
    /// Its tokens, oldest first.
    tokens: Vec<TokenJson>,
    /// When it was made (RFC 3339, UTC).
    created_at: String,
    /// When it was ended (RFC 3339, UTC).
    ended_at: Option<String>,
}

impl ServiceAccountJson {
    fn of(one: service::ServiceAccount) -> Self {
        let service::ServiceAccount { account, tokens } = one;
        Self {
            id: account.id.to_string(),
            login: account.login,
            name: account.display_name,
            person: account.person.to_string(),
            tokens: tokens.into_iter().map(TokenJson::from).collect(),
            created_at: account.created_at.to_string(),
            ended_at: account.disabled_at.map(|at| at.to_string()),
        }
    }
}

/// A token of a service account. Its secret is not in it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Token)]
pub struct TokenJson {
    /// Its identifier: `kid` and `iss` of tokens that are signed.
    id: String,
    /// What people call it.
    label: String,
    /// `secret` or `key`.
    proof: String,
    /// What the key is known by, where it is one.
    fingerprint: Option<String>,
    /// What may be done with it.
    permissions: Vec<String>,
    /// When it was given (RFC 3339, UTC).
    created_at: String,
    /// The first instant at which it is no longer good (RFC 3339, UTC).
    until: String,
    /// When it was ended (RFC 3339, UTC).
    ended_at: Option<String>,
}

impl From<ServiceToken> for TokenJson {
    fn from(one: ServiceToken) -> Self {
        let at = |instant: Timestamp| instant.to_string();
        Self {
            id: one.id.to_string(),
            label: one.label,
            proof: one.proof.word().to_owned(),
            fingerprint: match &one.proof {
                TokenProof::Secret(_) => None,
                TokenProof::Key(key) => Some(key.fingerprint.to_string()),
            },
            permissions: one.permissions.iter().map(ToString::to_string).collect(),
            created_at: at(one.created_at),
            until: at(one.until),
            ended_at: one.ended_at.map(at),
        }
    }
}

/// `GET /organisations/{organisation}/service-accounts`
pub async fn list_service_accounts(
    called: Called<ManageServiceAccounts>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    let id = organisation_id(&id)?;
    let found = call.run(move |env| service::list_service_accounts(env, &permit, &id)).await?;
    one(&call, &Paged::all(found.into_iter().map(ServiceAccountJson::of).collect()))
}

/// A service account to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewServiceAccount, example = json!({
    "login": "core-banking",
    "name": "Core banking"
}))]
pub struct NewServiceAccountJson {
    /// Its short name: lower-case letters, digits, `.`, `-`, `_`; unique here.
    login: String,
    /// What people call it.
    name: String,
    /// The one branch office that it acts for; all of them where none is named.
    #[serde(default)]
    branch: Option<String>,
}

/// `POST /organisations/{organisation}/service-accounts`
pub async fn create_service_account(
    called: Called<ManageServiceAccounts>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    call.by_person()?;
    let new: NewServiceAccountJson = call.json()?;
    let order = ServiceAccountOrder {
        organisation: organisation_id(&id)?,
        branch: match &new.branch {
            Some(id) => Some(BranchId::parse(id).map_err(|_| Problem::not_found())?),
            None => None,
        },
        login: new.login,
        name: new.name,
    };
    let account =
        call.run(move |env| service::create_service_account(env, &permit, &order)).await?;
    let found = service::ServiceAccount { account, tokens: Vec::new() };
    let found = ServiceAccountJson::of(found);
    made(&format!("{BASE}/service-accounts/{}", found.id), &found)
}

fn user_id(text: &str) -> Result<UserId, Problem> {
    UserId::parse(text).map_err(|_| Problem::not_found())
}

/// `GET /service-accounts/{account}`
pub async fn show_service_account(
    called: Called<ManageServiceAccounts>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    let id = user_id(&id)?;
    let found = call.run(move |env| service::show_service_account(env, &permit, &id)).await?;
    one(&call, &ServiceAccountJson::of(found))
}

/// A token to be given.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewToken, example = json!({
    "label": "renewal",
    "permissions": ["view-registry", "apply"],
    "days": 90
}))]
pub struct NewTokenJson {
    /// What people call it.
    label: String,
    /// What may be done with it: of `view-registry`, `record-branch`, `apply`, `manage-keys`,
    /// `revoke`.
    permissions: BTreeSet<String>,
    /// How long it is good, in days.
    #[schema(minimum = 1, maximum = 365)]
    days: i64,
    /// The public key (PEM) that will sign short-lived tokens; a secret is made where there is
    /// none.
    #[serde(default)]
    public_key: Option<String>,
}

/// A token that was just given.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FreshToken)]
pub struct FreshTokenJson {
    /// The token.
    token: TokenJson,
    /// The secret, where it is one. It is shown now and never again.
    secret: Option<String>,
}

/// `POST /service-accounts/{account}/tokens`
pub async fn issue_token(
    called: Called<ManageServiceAccounts>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    call.by_person()?;
    let account = user_id(&id)?;
    let new: NewTokenJson = call.json()?;
    let permissions = new.permissions.iter().map(|word| {
        Permission::from_word(word).ok_or_else(|| {
            Problem::new(StatusCode::BAD_REQUEST, "request-malformed")
                .with_field("/permissions", word.as_str())
        })
    });
    let permissions = permissions.collect::<Result<_, _>>()?;
    let secret = new.public_key.is_none().then(|| Secret::for_api(&*call.env.entropy));
    let order = TokenOrder {
        account,
        label: new.label,
        permissions,
        days: new.days,
        proof: match (&secret, new.public_key) {
            (Some(secret), _) => ProofOrder::Secret(secret.digest()),
            (None, key) => ProofOrder::Key(key.unwrap_or_default().into_bytes()),
        },
    };
    let token = call.run(move |env| service::issue_token(env, &permit, &order)).await?;
    let location = format!("{BASE}/service-accounts/{}", token.user);
    let fresh = FreshTokenJson {
        token: token.into(),
        secret: secret.map(|secret| secret.expose().to_owned()),
    };
    let mut answer = made(&location, &fresh)?;
    answer.extensions_mut().insert(ShownOnce);
    Ok(answer)
}

/// `POST /service-accounts/{account}/end`
pub async fn end_service_account(
    called: Called<ManageServiceAccounts>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    call.by_person()?;
    let id = user_id(&id)?;
    let ended = call.run(move |env| service::end_service_account(env, &permit, &id)).await?;
    done(&ServiceAccountJson::of(ended))
}

/// `POST /tokens/{token}/end`
pub async fn end_token(
    called: Called<ManageServiceAccounts>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    call.by_person()?;
    let id = TokenId::parse(&id).map_err(|_| Problem::not_found())?;
    let ended = call.run(move |env| service::end_token(env, &permit, &id)).await?;
    done(&TokenJson::from(ended))
}
