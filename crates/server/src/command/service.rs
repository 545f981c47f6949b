//! `tenkoku service`: service accounts, the tokens that systems call the API with.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tenkoku_ca::service_account::{
    ProofOrder, ServiceAccount, ServiceAccountOrder, TokenOrder, create_service_account,
    end_service_account, end_token, issue_token, list_service_accounts, show_service_account,
};
use tenkoku_console::session::secret::Secret;
use tenkoku_domain::access::{Permission, Role};
use tenkoku_domain::id::{TokenId, UserId};
use tenkoku_domain::service_account::{ServiceToken, TokenProof};
use tenkoku_ports::Env;

use super::registry::{find_branch, find_organisation};
use crate::config::Config;
use crate::failure::Failure;
use crate::output::{Output, facts};
use crate::wire;

/// `tenkoku service`
#[derive(Debug, Subcommand)]
pub(crate) enum ServiceCommand {
    /// Make a service account; it can do nothing before it gets a token
    Add(AddArgs),
    /// List the service accounts of an organisation with their tokens
    List {
        /// The organisation: identifier, corporate number or id
        #[arg(long)]
        org: String,
    },
    /// End a service account with every token
    End {
        /// The service account: its short name or id
        account: String,
    },
    /// Give a token, or take the public key that signs tokens
    Token(TokenArgs),
    /// End a token at once
    EndToken {
        /// The token
        token: String,
    },
}

/// `tenkoku service add`
#[derive(Debug, Args)]
pub(crate) struct AddArgs {
    /// Its short name: lower-case letters, digits, `.`, `-`, `_`
    login: String,
    /// What people call it
    #[arg(long)]
    name: String,
    /// The organisation: identifier, corporate number or id
    #[arg(long)]
    org: String,
    /// The one branch that it acts for [default: all of them]
    #[arg(long)]
    branch: Option<String>,
}

/// `tenkoku service token`
#[derive(Debug, Args)]
pub(crate) struct TokenArgs {
    /// The service account: its short name or id
    account: String,
    /// What people call the token
    #[arg(long, default_value = "token")]
    label: String,
    /// What may be done with it, several with commas: view-registry, record-branch, apply,
    /// manage-keys, revoke
    #[arg(long, value_delimiter = ',', required = true)]
    allow: Vec<String>,
    /// How long it is good, in days
    #[arg(long, default_value_t = 90)]
    days: i64,
    /// The public key (PEM; P-256 or Ed25519) that will sign short-lived tokens [default: a secret
    /// is made and shown once]
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
}

pub(crate) fn run(
    command: &ServiceCommand,
    config: &Config,
    output: &Output,
) -> Result<(), Failure> {
    let env = wire::env(config)?;
    let permit = wire::shell().permit(env.clock.now())?;
    match command {
        ServiceCommand::Add(args) => {
            let organisation = find_organisation(&env.store, &args.org)?;
            let branch = match &args.branch {
                None => None,
                Some(code) => {
                    let whose = Some(organisation.identifier.as_str());
                    Some(find_branch(&env.store, code, whose)?.id)
                }
            };
            let order = ServiceAccountOrder {
                organisation: organisation.id,
                branch,
                login: args.login.clone(),
                name: args.name.clone(),
            };
            let account = create_service_account(&env, &permit, &order)?;
            show(&ServiceAccount { account, tokens: Vec::new() }, output);
        }
        ServiceCommand::List { org } => {
            let organisation = find_organisation(&env.store, org)?;
            let all = list_service_accounts(&env, &permit, &organisation.id)?;
            let values: Vec<Value> = all.iter().map(value).collect();
            output.result("service-account-list", json!({ "accounts": values }), || {
                all.iter().map(text).collect()
            });
        }
        ServiceCommand::End { account } => {
            let id = find(&env, account)?;
            show(&end_service_account(&env, &permit, &id)?, output);
        }
        ServiceCommand::Token(args) => token(&env, args, output)?,
        ServiceCommand::EndToken { token } => {
            let id = TokenId::parse(token).map_err(|_| Failure::nothing("token", token))?;
            let ended = end_token(&env, &permit, &id)?;
            show(&show_service_account(&env, &permit, &ended.user)?, output);
        }
    }
    Ok(())
}

fn read(file: &PathBuf) -> Result<Vec<u8>, Failure> {
    std::fs::read(file).map_err(|error| Failure::file(file.display(), &error))
}

fn token(env: &Env, args: &TokenArgs, output: &Output) -> Result<(), Failure> {
    let allowed = Role::ServiceAccount.permissions();
    let permission = |word: &String| {
        let known = Permission::from_word(word).filter(|one| allowed.contains(one));
        let words: Vec<&str> = allowed.iter().map(|one| one.word()).collect();
        known.ok_or_else(|| Failure::word(word, &words))
    };
    let permissions = args.allow.iter().map(permission).collect::<Result<_, _>>()?;
    let (proof, secret) = if let Some(file) = &args.key {
        (ProofOrder::Key(read(file)?), None)
    } else {
        let secret = Secret::for_api(&*env.entropy);
        (ProofOrder::Secret(secret.digest()), Some(secret))
    };
    let order = TokenOrder {
        account: find(env, &args.account)?,
        label: args.label.clone(),
        permissions,
        days: args.days,
        proof,
    };
    let permit = wire::shell().permit(env.clock.now())?;
    let token = issue_token(env, &permit, &order)?;
    let shown = secret.as_ref().map(Secret::expose);
    let value = json!({ "token": token_value(&token), "secret": shown });
    output.result("service-token", value, || {
        let mut lines = vec![
            ("token", token.id.to_string()),
            ("account", token.user.to_string()),
            ("allows", permission_text(&token)),
            ("good until", token.until.to_string()),
        ];
        if let Some(secret) = shown {
            lines.push(("secret, shown once", secret.to_owned()));
        }
        facts(&lines)
    });
    Ok(())
}

/// A service account by its short name or identifier.
fn find(env: &Env, text: &str) -> Result<UserId, Failure> {
    if let Ok(id) = UserId::parse(text) {
        return Ok(id);
    }
    let found = env.store.read(|tx| tx.find_account_by_login(text))?;
    let found = found.filter(|account| account.is_service());
    Ok(found.ok_or_else(|| Failure::nothing("service account", text))?.id)
}

fn permission_text(token: &ServiceToken) -> String {
    let words: Vec<&str> = token.permissions.iter().map(|one| one.word()).collect();
    words.join(",")
}

fn token_value(token: &ServiceToken) -> Value {
    let key = match &token.proof {
        TokenProof::Secret(_) => None,
        TokenProof::Key(key) => Some(key.fingerprint),
    };
    json!({
        "id": token.id,
        "label": token.label,
        "proof": token.proof.word(),
        "key": key,
        "permissions": token.permissions,
        "until": token.until.to_string(),
        "ended_at": token.ended_at.map(|at| at.to_string()),
    })
}

fn value(one: &ServiceAccount) -> Value {
    json!({
        "id": one.account.id,
        "login": one.account.login,
        "name": one.account.display_name,
        "person": one.account.person,
        "ended_at": one.account.disabled_at.map(|at| at.to_string()),
        "tokens": one.tokens.iter().map(token_value).collect::<Vec<_>>(),
    })
}

fn text(one: &ServiceAccount) -> String {
    let mut lines = vec![
        ("service account", one.account.login.clone()),
        ("id", one.account.id.to_string()),
        ("name", one.account.display_name.clone()),
        ("person", one.account.person.to_string()),
    ];
    if let Some(at) = one.account.disabled_at {
        lines.push(("ended", at.to_string()));
    }
    for token in &one.tokens {
        let until = match token.ended_at {
            Some(at) => format!("ended {at}"),
            None => format!("until {}", token.until),
        };
        lines.push(("token", format!("{}  {}  {until}", token.id, permission_text(token))));
    }
    facts(&lines)
}

fn show(one: &ServiceAccount, output: &Output) {
    output.result("service-account", value(one), || text(one));
}
