//! Service accounts and their tokens: made, given, ended by those who answer for the organisation
//! (DOMAIN 2).
//!
//! A service account has a person record of its own, so that it can be named as a delegate and be
//! given a grant like one; it decides nothing. Not here: secrets, of which only digests arrive, and
//! how a token is read from a request.

use std::collections::BTreeSet;

use tenkoku_domain::access::{
    ManageServiceAccounts, Origin, Permission, Permit, Role, RoleGrant, Scope,
};
use tenkoku_domain::account::Account;
use tenkoku_domain::audit::{AccessEvent, AuditCode, Event, ObjectRef};
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::id::{BranchId, OrganisationId, TokenId, UserId};
use tenkoku_domain::name::plain_text;
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_domain::service_account::{
    LONGEST_DAYS, ServiceToken, TokenAlgorithm, TokenKey, TokenProof,
};
use tenkoku_domain::time::Timestamp;
use tenkoku_pki::key::{PresentedKey, PublicKey};
use tenkoku_pki::pem;
use tenkoku_ports::Env;
use tenkoku_store::{StoreError, Tx};

use crate::act::{ActError, told};
use crate::office::{PersonOrder, covered, take_person};
use crate::role::check_role;

/// Longest life of a service account's role, in days; its tokens end earlier.
const ROLE_DAYS: i64 = 3 * 365;

/// A service account to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceAccountOrder {
    /// Whose system it is.
    pub organisation: OrganisationId,
    /// The one branch that it acts for; the whole organisation where none is named.
    pub branch: Option<BranchId>,
    /// Its short name: lower-case letters, digits, `.`, `-`, `_`.
    pub login: String,
    /// What people call it.
    pub name: String,
}

/// What will show that a request is the system's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProofOrder {
    /// A secret whose digest this is; whoever made it shows it once.
    Secret(Digest),
    /// The public key (PEM or DER, SubjectPublicKeyInfo) of the key that signs tokens: P-256 or
    /// Ed25519.
    Key(Vec<u8>),
}

/// A token to be given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenOrder {
    /// To which service account.
    pub account: UserId,
    /// What people call it.
    pub label: String,
    /// What may be done with it.
    pub permissions: BTreeSet<Permission>,
    /// How long it is good, in days: 1 to 365.
    pub days: i64,
    /// What shows that it is used by its holder.
    pub proof: ProofOrder,
}

/// A service account with its tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceAccount {
    /// The account.
    pub account: Account,
    /// Its tokens, oldest first.
    pub tokens: Vec<ServiceToken>,
}

/// The organisation that a service account belongs to, as far as its role tells.
fn reach(tx: &mut Tx<'_>, account: &Account) -> Result<Option<OrganisationId>, StoreError> {
    let role = account.roles.iter().find(|grant| grant.role == Role::ServiceAccount);
    let Some(Scope::Within { organisations, branches }) = role.map(|grant| &grant.scope) else {
        return Ok(None);
    };
    if let Some(organisation) = organisations.first() {
        return Ok(Some(organisation.clone()));
    }
    match branches.first() {
        Some(branch) => Ok(Some(tx.load_branch(&Scope::Platform, branch)?.organisation)),
        None => Ok(None),
    }
}

/// A service account within a scope, and whose it is. What lies outside does not exist.
fn load(
    tx: &mut Tx<'_>,
    scope: &Scope,
    id: &UserId,
) -> Result<(Account, OrganisationId), StoreError> {
    const MISSING: StoreError = StoreError::NotFound { what: "service account" };
    let account = tx.load_account(id)?;
    let organisation = reach(tx, &account)?.ok_or(MISSING)?;
    if !scope.covers_organisation(&organisation) {
        return Err(MISSING);
    }
    Ok((account, organisation))
}

/// Makes a service account. It can do nothing before it gets a token.
pub fn create_service_account(
    env: &Env,
    permit: &Permit<ManageServiceAccounts>,
    order: &ServiceAccountOrder,
) -> Result<Account, ActError> {
    let now = env.clock.now();
    let origin = permit.origin();
    let made = env.store.write(|tx| {
        covered(tx, permit.scope(), &order.organisation)?;
        let scope = match &order.branch {
            None => Scope::organisation(order.organisation.clone()),
            Some(branch) => {
                let branch = tx.load_branch(permit.scope(), branch)?;
                if branch.organisation != order.organisation {
                    return Err(StoreError::NotFound { what: "branch" }.into());
                }
                Scope::branch(branch.id)
            }
        };
        let login = Account::parse_login(order.login.trim())?;
        if tx.find_account_by_login(&login)?.is_some() {
            let taken = Refusal::new(RefusalCode::StateConflict, "2").with("problem", "taken");
            return Err(taken.with("code", &login).into());
        }
        let name = plain_text(&order.name)?;
        let organisation = tx.load_organisation(&Scope::Platform, &order.organisation)?;
        let person = PersonOrder::New { name: name.clone(), contact: String::new() };
        let person = take_person(env, tx, origin, &person, now)?;
        let until = now.plus_days(ROLE_DAYS);
        let grant = RoleGrant { role: Role::ServiceAccount, scope, until };
        check_role(env, &[], &grant, now)?;
        let account = Account {
            id: UserId::new(now, &*env.entropy),
            login,
            display_name: name,
            person: person.id,
            language: organisation.language,
            email: None,
            roles: vec![grant],
            registered_by: origin.actor.id.clone(),
            created_at: now,
            disabled_at: None,
        };
        tx.record(origin, now, &Event::AccountCreated { account: account.clone() })?;
        Ok(account)
    });
    let act = (AuditCode::AccountCreated, ObjectRef::new("organisation", &order.organisation));
    told(env, origin, act, Some(order.organisation.clone()), made)
}

/// The service accounts of an organisation with their tokens.
pub fn list_service_accounts(
    env: &Env,
    permit: &Permit<ManageServiceAccounts>,
    organisation: &OrganisationId,
) -> Result<Vec<ServiceAccount>, StoreError> {
    env.store.read(|tx| {
        covered(tx, permit.scope(), organisation)?;
        let mut found = Vec::new();
        for account in tx.list_accounts()? {
            if account.is_service() && reach(tx, &account)?.as_ref() == Some(organisation) {
                let tokens = tx.tokens_of(&account.id)?;
                found.push(ServiceAccount { account, tokens });
            }
        }
        Ok(found)
    })
}

/// A service account with its tokens.
pub fn show_service_account(
    env: &Env,
    permit: &Permit<ManageServiceAccounts>,
    id: &UserId,
) -> Result<ServiceAccount, StoreError> {
    env.store.read(|tx| {
        let (account, _) = load(tx, permit.scope(), id)?;
        let tokens = tx.tokens_of(&account.id)?;
        Ok(ServiceAccount { account, tokens })
    })
}

/// Gives a token to a service account.
pub fn issue_token(
    env: &Env,
    permit: &Permit<ManageServiceAccounts>,
    order: &TokenOrder,
) -> Result<ServiceToken, ActError> {
    let now = env.clock.now();
    let origin = permit.origin();
    let seen = env.store.read(|tx| load(tx, permit.scope(), &order.account))?.1;
    let made = env.store.write(|tx| {
        let (account, organisation) = load(tx, permit.scope(), &order.account)?;
        if account.disabled_at.is_some() {
            return Err(ended().into());
        }
        let proof = match &order.proof {
            ProofOrder::Secret(digest) => TokenProof::Secret(*digest),
            ProofOrder::Key(file) => TokenProof::Key(check_key(tx, file)?),
        };
        let token = ServiceToken {
            id: TokenId::new(now, &*env.entropy),
            user: account.id,
            label: order.label.clone(),
            proof,
            permissions: order.permissions.clone(),
            created_at: now,
            until: now.plus_days(order.days.clamp(0, LONGEST_DAYS + 1)),
            ended_at: None,
        }
        .check()?;
        let event = AccessEvent::TokenIssued { token: token.clone(), organisation };
        tx.record(origin, now, &Event::Access(event))?;
        Ok(token)
    });
    told(
        env,
        origin,
        (AuditCode::TokenIssued, ObjectRef::new("user", &order.account)),
        Some(seen),
        made,
    )
}

fn ended() -> Refusal {
    Refusal::new(RefusalCode::StateConflict, "2").with("state", "ended")
}

/// Reads the key of a system: P-256 or Ed25519, and known for nothing else (I-2).
fn check_key(tx: &mut Tx<'_>, file: &[u8]) -> Result<TokenKey, ActError> {
    /// SubjectPublicKeyInfo of an Ed25519 key up to the key (RFC 8410, 4).
    const ED25519: &[u8] =
        &[0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0x00];
    let other =
        || Refusal::new(RefusalCode::KeyAlgorithm, "KM-1").with("algorithm", "P-256, Ed25519");
    let der = pem::decode(file, &["PUBLIC KEY"]).map_err(|_| other())?;
    let presented = PresentedKey::parse(&der).map_err(|error| error.refusal())?;
    let algorithm = if der.len() == 44 && der.starts_with(ED25519) {
        TokenAlgorithm::EdDsa
    } else {
        let key = PublicKey::parse(&der).map_err(|error| error.refusal())?;
        if key.algorithm() != tenkoku_domain::key::KeyAlgorithm::P256 {
            return Err(other().into());
        }
        TokenAlgorithm::Es256
    };
    let fingerprint = presented.fingerprint();
    if tx.find_blocked_key(&fingerprint)?.is_some() {
        return Err(Refusal::new(RefusalCode::KeyBlocked, "KM-5").into());
    }
    if tx.find_key_by_fingerprint(&fingerprint)?.is_some() || tx.is_token_key(&fingerprint)? {
        return Err(Refusal::new(RefusalCode::KeyDuplicate, "I-2").with("holder", "other").into());
    }
    Ok(TokenKey { algorithm, public_key: der, fingerprint })
}

/// Ends a token at once.
pub fn end_token(
    env: &Env,
    permit: &Permit<ManageServiceAccounts>,
    id: &TokenId,
) -> Result<ServiceToken, ActError> {
    let now = env.clock.now();
    let origin = permit.origin();
    let seen = env.store.read(|tx| {
        let user = tx.load_token(id)?.user;
        load(tx, permit.scope(), &user).map(|(_, organisation)| organisation)
    })?;
    let done = env.store.write(|tx| {
        let token = tx.load_token(id)?;
        let (_, organisation) = load(tx, permit.scope(), &token.user)?;
        revoke(tx, origin, token, organisation, now)
    });
    told(env, origin, (AuditCode::TokenRevoked, ObjectRef::new("token", id)), Some(seen), done)
}

fn revoke(
    tx: &mut Tx<'_>,
    origin: &Origin,
    token: ServiceToken,
    organisation: OrganisationId,
    now: Timestamp,
) -> Result<ServiceToken, ActError> {
    if token.ended_at.is_some() {
        return Err(ended().into());
    }
    let token = ServiceToken { ended_at: Some(now), ..token };
    let event = AccessEvent::TokenRevoked { token: token.clone(), organisation };
    tx.record(origin, now, &Event::Access(event))?;
    Ok(token)
}

/// Ends a service account with every token.
pub fn end_service_account(
    env: &Env,
    permit: &Permit<ManageServiceAccounts>,
    id: &UserId,
) -> Result<ServiceAccount, ActError> {
    let now = env.clock.now();
    let origin = permit.origin();
    let seen = env.store.read(|tx| load(tx, permit.scope(), id))?.1;
    let done = env.store.write(|tx| {
        let (account, organisation) = load(tx, permit.scope(), id)?;
        if account.disabled_at.is_some() {
            return Err(ended().into());
        }
        for token in tx.tokens_of(id)?.into_iter().filter(|token| token.is_alive(now)) {
            revoke(tx, origin, token, organisation.clone(), now)?;
        }
        let event =
            AccessEvent::AccountDisabled { user: id.clone(), organisation: Some(organisation) };
        tx.record(origin, now, &Event::Access(event))?;
        let account = Account { disabled_at: Some(now), ..account };
        Ok(ServiceAccount { account, tokens: tx.tokens_of(id)? })
    });
    told(env, origin, (AuditCode::AccountDisabled, ObjectRef::new("user", id)), Some(seen), done)
}
