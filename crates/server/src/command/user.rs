//! `tenkoku user`: accounts of the console and their one-time links.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tenkoku_ca::account::{disable_account, end_role};
use tenkoku_ca::approval::Ruling;
use tenkoku_ca::role::{ROLE, decide_role};
use tenkoku_console::session::certificate::{JudgeError, Shown, bind, judge, release};
use tenkoku_console::session::enrol::{EnrolmentLink, Holder, NewAdministrator, issue_enrolment};
use tenkoku_console::session::tls::Presented;
use tenkoku_domain::access::{Role, RoleGrant, Scope};
use tenkoku_domain::account::{Account, ClientCertificate};
use tenkoku_domain::approval::{ApprovalRequest, Step, Verdict};
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::id::{ApprovalId, PersonId};
use tenkoku_domain::notice::EmailAddress;
use tenkoku_domain::policy::Installation;
use tenkoku_ports::Env;

use super::Lang;
use super::path::{CERTIFICATE, several};
use super::registry::find_organisation;
use crate::config::Config;
use crate::failure::{Failure, exit};
use crate::output::{Output, facts};
use crate::tls::ConsoleTls;
use crate::wire;

/// Days for which a role is granted from the command line.
const ROLE_DAYS: i64 = 365;

/// `tenkoku user`
#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Make a one-time sign-in link; the account is created when it is not there
    Invite(InviteArgs),
    /// List accounts
    List,
    /// The certificates that an account signs in with, beside its password
    Certificate(CertificateArgs),
    /// List the roles that wait for another administrator
    Waiting,
    /// Approve a role that another administrator asked for
    Approve {
        /// The request
        request: String,
        /// The digest that was shown
        #[arg(long)]
        digest: String,
    },
    /// End an account for ever; its sessions are over
    Disable {
        /// The sign-in name
        login: String,
        /// Do it without asking
        #[arg(long)]
        yes: bool,
    },
    /// End a role before its time
    EndRole {
        /// The sign-in name
        login: String,
        /// The role
        role: String,
        /// The organisation that the role is for: identifier, corporate number or id
        #[arg(long)]
        org: Option<String>,
    },
    /// Refuse a role that another administrator asked for
    Refuse {
        /// The request
        request: String,
        /// The digest that was shown
        #[arg(long)]
        digest: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
}

/// `tenkoku user invite`
#[derive(Debug, Args)]
pub(crate) struct InviteArgs {
    /// The sign-in name
    #[arg(default_value = "admin")]
    login: String,
    /// The name shown
    #[arg(long)]
    name: Option<String>,
    /// Language of pages
    #[arg(long, value_enum, default_value_t = Lang::En)]
    language: Lang,
    /// Where letters go; sets it anew for an account that is there
    #[arg(long)]
    email: Option<String>,
    /// Roles, several with commas [default: every operator role in an evaluation, else
    /// platform-administrator]
    #[arg(long, value_delimiter = ',')]
    role: Vec<String>,
    /// The organisation that the roles are for: identifier, corporate number or id
    #[arg(long)]
    org: Option<String>,
    /// The person whose account it becomes [default: the one of this name]
    #[arg(long, value_name = "ID", conflicts_with = "another_person")]
    person: Option<String>,
    /// A new person, although there is one of this name
    #[arg(long)]
    another_person: bool,
}

/// `tenkoku user certificate`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tenkoku user certificate megumi
  tenkoku user certificate megumi --add megumi.pem
  tenkoku user certificate megumi --end 5f0c…")]
pub(crate) struct CertificateArgs {
    /// The sign-in name
    login: String,
    /// Bind a certificate to the account, DER or PEM, with what stands between it and its authority
    #[arg(long, value_name = "FILE", conflicts_with = "end")]
    add: Option<PathBuf>,
    /// Take a certificate from the account, by its SHA-256
    #[arg(long, value_name = "SHA-256")]
    end: Option<String>,
}

/// What the person who runs an installation alone may do.
const OPERATOR_ROLES: [Role; 4] = [
    Role::PlatformAdministrator,
    Role::CaOfficer,
    Role::RegistrationOfficer,
    Role::ValidationOperator,
];

pub(crate) fn run(command: UserCommand, config: &Config, output: &Output) -> Result<(), Failure> {
    match command {
        UserCommand::Invite(args) => {
            let env = wire::env(config)?;
            let link = invite(&env, &args)?;
            let address = address(config, &link);
            let value = json!({
                "login": link.account.login,
                "link": address,
                "expires_at": link.expires_at.to_string(),
                "person": link.account.person,
                "waiting": link.waiting.iter().map(request_json).collect::<Vec<_>>(),
            });
            output.result("enrolment-link", value, || {
                let link_facts = facts(&[
                    ("account", link.account.login.clone()),
                    ("person", link.account.person.to_string()),
                    ("open once", address.clone()),
                    ("good until", link.expires_at.to_string()),
                ]);
                let waiting: String = link.waiting.iter().map(request_text).collect();
                format!("{link_facts}{waiting}")
            });
        }
        UserCommand::Waiting => {
            let open = wire::store(config)?.read(|tx| tx.open_approval_requests(ROLE))?;
            let all: Vec<Value> = open.iter().map(request_json).collect();
            output.result("role-request-list", json!({ "requests": all }), || {
                open.iter().map(request_text).collect()
            });
        }
        UserCommand::Approve { request, digest } => {
            let ruling = ruling(&digest, Verdict::Approved, "")?;
            decide(&request, &ruling, config, output)?;
        }
        UserCommand::Refuse { request, digest, reason } => {
            let ruling = ruling(&digest, Verdict::Rejected, &reason)?;
            decide(&request, &ruling, config, output)?;
        }
        UserCommand::Certificate(args) => certificates(&args, config, output)?,
        UserCommand::Disable { login, yes } => {
            let env = wire::env(config)?;
            if !yes {
                return Err(Failure::problem("flag-missing", exit::USAGE).with("flag", "--yes"));
            }
            let id = find_account(&env, &login)?.id;
            let ended = disable_account(&env, &wire::shell().permit(env.clock.now())?, &id)?;
            output.result("account", account_json(&ended), || {
                facts(&[("account", ended.login.clone()), ("state", "ended".to_owned())])
            });
        }
        UserCommand::EndRole { login, role, org } => {
            let env = wire::env(config)?;
            let now = env.clock.now();
            let scope = match &org {
                Some(org) => Scope::organisation(find_organisation(&env.store, org)?.id),
                None => Scope::Platform,
            };
            let id = find_account(&env, &login)?.id;
            let held = RoleGrant { role: parse_role(&role)?, scope, until: now };
            let ended = end_role(&env, &wire::shell().permit(now)?, &id, &held)?;
            output.result("role", json!(ended), || {
                facts(&[("role", ended.role.to_string()), ("until", ended.until.to_string())])
            });
        }
        UserCommand::List => {
            let accounts = wire::store(config)?.read(|tx| tx.list_accounts())?;
            let all: Vec<Value> = accounts.iter().map(account_json).collect();
            output.result("user-list", json!({ "users": all }), || {
                let line = |account: &Account| {
                    let roles: Vec<_> = account.roles.iter().map(|g| g.role.word()).collect();
                    format!("{}  {}  {}\n", account.login, account.display_name, roles.join(","))
                };
                accounts.iter().map(line).collect()
            });
        }
    }
    Ok(())
}

/// Binds a certificate to an account or takes one away, and tells what the account has then.
fn certificates(args: &CertificateArgs, config: &Config, output: &Output) -> Result<(), Failure> {
    let env = wire::env(config)?;
    let found = env.store.read(|tx| tx.find_account_by_login(&args.login))?;
    let user = found.ok_or_else(|| Failure::nothing("account", &args.login))?.id;
    let origin = wire::shell_origin();
    if let Some(file) = &args.add {
        let shown = judged(&env, config, file)?;
        let now = env.clock.now();
        env.store.write(|tx| bind(tx, &origin, &user, &shown, now))?;
    }
    if let Some(text) = &args.end {
        let fingerprint = Digest::parse(text.trim_start_matches("sha256:"))
            .map_err(|_| Failure::nothing("certificate", text))?;
        if !release(&env, &origin, &user, &fingerprint)? {
            return Err(Failure::problem("last-way-in", exit::REFUSED));
        }
    }
    let bound = env.store.read(|tx| tx.load_factors(&user))?.certificates;
    let all: Vec<Value> = bound.iter().map(certificate_json).collect();
    output.result("user-certificates", json!({ "certificates": all }), || {
        let line = |one: &ClientCertificate| {
            format!("{}  {}  until {}\n", one.fingerprint, one.subject, one.not_after)
        };
        bound.iter().map(line).collect()
    });
    Ok(())
}

/// A certificate out of a file, judged as at a sign-in.
fn judged(env: &Env, config: &Config, file: &PathBuf) -> Result<Shown, Failure> {
    let fault = |word: &str| {
        let failure = Failure::problem("certificate-not-taken", exit::REFUSED);
        failure.because(word).at(file.display())
    };
    let tls = ConsoleTls::load(config)?.ok_or_else(|| fault("no [tls] client_ca_files"))?;
    let mut all = several(std::slice::from_ref(file), CERTIFICATE)?.into_iter();
    let certificate = all.next().ok_or_else(|| fault("unreadable"))?;
    let presented = Presented { certificate, others: all.collect(), at: env.clock.now() };
    judge(env, &tls.told.material(), &presented).map_err(|error| match error {
        JudgeError::Fault(found) => fault(found.word()),
        JudgeError::Store(error) => error.into(),
    })
}

fn certificate_json(certificate: &ClientCertificate) -> Value {
    json!({
        "fingerprint": certificate.fingerprint,
        "subject": certificate.subject,
        "not_after": certificate.not_after.to_string(),
        "created_at": certificate.created_at.to_string(),
    })
}

fn decide(text: &str, ruling: &Ruling, config: &Config, output: &Output) -> Result<(), Failure> {
    let id = ApprovalId::parse(text).map_err(|_| Failure::nothing("request", text))?;
    let env = wire::env(config)?;
    let permit = wire::shell().permit(env.clock.now())?;
    let decided = decide_role(&env, &permit, &id, ruling);
    let decided = decided.map_err(|error| Failure::from(error).named(&id))?;
    output.result("role-request", request_json(&decided), || request_text(&decided));
    Ok(())
}

/// What somebody decides about what was shown.
pub(crate) fn ruling(digest: &str, verdict: Verdict, reason: &str) -> Result<Ruling, Failure> {
    let shown = Digest::parse(digest.trim_start_matches("sha256:"))
        .map_err(|_| Failure::word(digest, &["the digest that was shown"]))?;
    Ok(Ruling { shown, verdict, reason: reason.to_owned() })
}

/// A request for approvals, for machines.
pub(crate) fn request_json(request: &ApprovalRequest) -> Value {
    json!({
        "id": request.id,
        "object": request.object,
        "shown": request.shown,
        "digest": request.digest,
        "needs": request.needs,
        "state": request.state,
        "expires_at": request.expires_at().to_string(),
        "decisions": request.decisions,
    })
}

/// A request for approvals, for people.
pub(crate) fn request_text(request: &ApprovalRequest) -> String {
    let given: i64 = Step::ALL.iter().map(|step| request.given(*step)).sum();
    facts(&[
        ("request", request.id.to_string()),
        ("about", format!("{} {}", request.object.kind, request.object.id)),
        ("shown", request.digest.to_string()),
        ("approvals", format!("{given} of {}", request.needs.total())),
        ("state", request.state.to_string()),
        ("until", request.expires_at().to_string()),
    ])
}

/// The link as people open it.
pub(crate) fn address(config: &Config, link: &EnrolmentLink) -> String {
    format!("{}{}", config.console_address, link.path())
}

/// The link of an evaluation's first administrator; `None` when somebody can sign in already.
pub(crate) fn first_link(config: &Config, env: &Env) -> Result<Option<EnrolmentLink>, Failure> {
    if !config.is_evaluation() {
        return Ok(None);
    }
    let someone = env.store.read(|tx| {
        for account in tx.list_accounts()? {
            if tx.load_factors(&account.id)?.suffice() {
                return Ok(true);
            }
        }
        Ok::<_, tenkoku_store::StoreError>(false)
    })?;
    if someone {
        return Ok(None);
    }
    let args = InviteArgs {
        login: "admin".to_owned(),
        name: None,
        language: match env.settings.operator.language {
            tenkoku_domain::organisation::Language::Ja => Lang::Ja,
            tenkoku_domain::organisation::Language::En => Lang::En,
        },
        email: None,
        role: Vec::new(),
        org: None,
        person: None,
        another_person: false,
    };
    invite(env, &args).map(Some)
}

fn invite(env: &Env, args: &InviteArgs) -> Result<EnrolmentLink, Failure> {
    let now = env.clock.now();
    let roles = if args.role.is_empty() {
        match env.settings.installation {
            Installation::Evaluation => OPERATOR_ROLES.to_vec(),
            // Nobody is administrator and officer at once (DOMAIN 2).
            Installation::Production => vec![Role::PlatformAdministrator],
        }
    } else {
        args.role.iter().map(|word| parse_role(word)).collect::<Result<_, _>>()?
    };
    let scope = match &args.org {
        Some(org) => Scope::organisation(find_organisation(&env.store, org)?.id),
        None => Scope::Platform,
    };
    let within = args.org.is_some();
    if let Some(role) = roles.iter().find(|role| role.is_of_organisation() != within) {
        let why =
            if within { "roles of an organisation with --org" } else { "this role with --org" };
        return Err(Failure::word(role.word(), &[why]));
    }
    let until = now.plus_days(ROLE_DAYS);
    let grant = |role| RoleGrant { role, scope: scope.clone(), until };
    let holder = match &args.person {
        Some(id) => Holder::Known(PersonId::parse(id).map_err(|_| Failure::nothing("person", id))?),
        None if args.another_person => Holder::Another,
        None => Holder::ByName,
    };
    let wanted = NewAdministrator {
        login: Account::parse_login(&args.login)?,
        display_name: args.name.clone().unwrap_or_else(|| args.login.clone()),
        holder,
        language: args.language.language(),
        email: args.email.as_deref().map(parse_email).transpose()?,
        roles: roles.into_iter().map(grant).collect(),
    };
    let permit = wire::shell().permit(now)?;
    issue_enrolment(env, &permit, &wanted).map_err(Failure::from)
}

fn find_account(env: &Env, login: &str) -> Result<Account, Failure> {
    let found = env.store.read(|tx| tx.find_account_by_login(login))?;
    found.ok_or_else(|| Failure::nothing("account", login))
}

/// An e-mail address of the command line.
pub(super) fn parse_email(text: &str) -> Result<EmailAddress, Failure> {
    EmailAddress::parse(text).map_err(|_| Failure::word(text, &["name@example.jp"]))
}

fn parse_role(word: &str) -> Result<Role, Failure> {
    let words: Vec<_> = Role::ALL.iter().map(|role| role.word()).collect();
    Role::from_word(word).ok_or_else(|| Failure::word(word, &words))
}

fn account_json(account: &Account) -> Value {
    json!({
        "id": account.id,
        "login": account.login,
        "name": account.display_name,
        "email": account.email,
        "roles": account.roles,
        "registered_by": account.registered_by,
        "created_at": account.created_at.to_string(),
    })
}
