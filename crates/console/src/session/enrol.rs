//! One-time enrolment links: made, opened, used up (DOMAIN 2, AB-14).
//!
//! The link carries 256 random bits; the store keeps their SHA-256. It is good for 30 minutes as
//! long as nobody can sign in yet, else for 14 days, for five wrong attempts, and once. Whoever
//! enrols anew replaces every factor the account had, and its sessions end.

use tenkoku_ca::act::ActError;
use tenkoku_ca::office::{PersonOrder, take_person};
use tenkoku_ca::role::{self, Administrators};
use tenkoku_domain::access::{Actor, ManageAccounts, Origin, Permit, Role, RoleGrant};
use tenkoku_domain::account::{Account, EnrolmentCode, Factors};
use tenkoku_domain::approval::ApprovalRequest;
use tenkoku_domain::audit::{AccessEvent, AuditCode, Event, NoticeEvent, ObjectRef};
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::id::{PersonId, UserId};
use tenkoku_domain::name::plain_text;
use tenkoku_domain::notice::EmailAddress;
use tenkoku_domain::organisation::Language;
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_domain::time::Timestamp;
use tenkoku_ports::{Attempt as Refused, Env};
use tenkoku_store::{StoreError, Tx};

use super::certificate::{CertificateFault, PASSWORD_AND_CERTIFICATE};
use super::open::{Opened, end_all};
use super::password::{self, HashError, PasswordProblem};
use super::secret::{SealError, Secret, digest_of};
use super::sign_in::{PASSWORD_AND_CODE, SignInError, shown_instead};
use super::throttle::Closed;
use super::tls::Presented;
use super::totp::{CodeProblem, Owner, TotpSecret};
use super::{Caller, Console};

/// How long a link is good while nobody can sign in yet, in seconds: 30 minutes.
pub const FIRST_SECONDS: i64 = 30 * 60;
/// How long any other link is good, in seconds: 14 days.
pub const LATER_SECONDS: i64 = 14 * 86_400;

/// A role that ends within so many days is granted anew with a link.
const ENDING_DAYS: i64 = 30;

/// What a link proves about the one who opens it, as audit records say it.
pub const ONE_TIME_LINK: &str = "one-time-link";

/// Whom a link is made for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAdministrator {
    /// The sign-in name.
    pub login: String,
    /// The name shown.
    pub display_name: String,
    /// Whose account it becomes, where it is a new one.
    pub holder: Holder,
    /// Language of pages.
    pub language: Language,
    /// Where letters go; an existing account keeps its own where none is given.
    pub email: Option<EmailAddress>,
    /// The roles; an existing account gets those it lacks, and those that end soon.
    pub roles: Vec<RoleGrant>,
}

/// Whose account it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    /// The person of the name shown, or a new one where there is none of this name.
    ByName,
    /// A new person, although there is one of this name.
    Another,
    /// This person.
    Known(PersonId),
}

/// A link that was just made. Its secret is shown once and kept nowhere.
#[derive(Debug)]
pub struct EnrolmentLink {
    /// The account.
    pub account: Account,
    /// Good until.
    pub expires_at: Timestamp,
    /// Roles that another administrator must approve first.
    pub waiting: Vec<ApprovalRequest>,
    secret: Secret,
}

impl From<ActError> for IssueLinkError {
    fn from(error: ActError) -> Self {
        match error {
            ActError::Refused(refusal) => Self::Refused(refusal),
            ActError::Canonical(error) => Self::Store(StoreError::Database(Box::new(error))),
            ActError::Store(error) => Self::Store(error),
        }
    }
}

impl EnrolmentLink {
    /// The path on the console: `/console/enrol/{secret}`.
    pub fn path(&self) -> String {
        format!("/console/enrol/{}", self.secret.expose())
    }
}

/// Why no link was made.
#[derive(Debug, thiserror::Error)]
pub enum IssueLinkError {
    /// A rule refuses it; the refusal is in the audit trail.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes a one-time link, and the account when there is none of this name.
pub fn issue_enrolment(
    env: &Env,
    permit: &Permit<ManageAccounts>,
    order: &NewAdministrator,
) -> Result<EnrolmentLink, IssueLinkError> {
    let now = env.clock.now();
    let secret = Secret::random(&*env.entropy);
    let made = check(order).map_err(IssueLinkError::from).and_then(|checked| {
        env.store.write(|tx| make_code(env, tx, permit.origin(), &checked, secret.digest(), now))
    });
    let (account, waiting, expires_at) = match made {
        Err(IssueLinkError::Refused(refusal)) => {
            let refused = Refused {
                code: AuditCode::AccountCreated,
                object: ObjectRef::new("user", "new"),
                organisation: None,
                policy: None,
            };
            return Err(env.refuse(permit.origin(), now, refused, refusal)?.into());
        }
        other => other?,
    };
    Ok(EnrolmentLink { account, expires_at, waiting, secret })
}

fn make_code(
    env: &Env,
    tx: &mut Tx<'_>,
    origin: &Origin,
    order: &NewAdministrator,
    digest: Digest,
    now: Timestamp,
) -> Result<(Account, Vec<ApprovalRequest>, Timestamp), IssueLinkError> {
    let (seconds, others) = if anybody_can_sign_in(tx)? {
        (LATER_SECONDS, Administrators::Some)
    } else {
        (FIRST_SECONDS, Administrators::None)
    };
    let (account, waiting) = load_or_create(env, tx, origin, order, (others, now))?;
    let code = EnrolmentCode {
        digest,
        user: account.id.clone(),
        expires_at: now.plus_seconds(seconds),
        used_at: None,
        attempts: 0,
    };
    let expires_at = code.expires_at;
    tx.record(origin, now, &Event::CodeIssued { code })?;
    Ok((account, waiting, expires_at))
}

fn check(order: &NewAdministrator) -> Result<NewAdministrator, Refusal> {
    Ok(NewAdministrator {
        login: Account::parse_login(order.login.trim())?,
        display_name: plain_text(&order.display_name)?,
        holder: order.holder.clone(),
        language: order.language,
        email: order.email.clone(),
        roles: order.roles.clone(),
    })
}

fn anybody_can_sign_in(tx: &mut Tx<'_>) -> Result<bool, StoreError> {
    for account in tx.list_accounts()? {
        if tx.load_factors(&account.id)?.suffice() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn load_or_create(
    env: &Env,
    tx: &mut Tx<'_>,
    origin: &Origin,
    order: &NewAdministrator,
    (others, now): (Administrators, Timestamp),
) -> Result<(Account, Vec<ApprovalRequest>), IssueLinkError> {
    let mut account = match tx.find_account_by_login(&order.login)? {
        Some(account) => account,
        None => create(env, tx, origin, order, (others, now))?,
    };
    // DOMAIN 2: a service account never signs in.
    if account.is_service() || order.roles.iter().any(|one| one.role == Role::ServiceAccount) {
        let refusal = Refusal::new(RefusalCode::DualControl, "2").with("problem", "roles");
        return Err(refusal.with("role", Role::ServiceAccount).into());
    }
    if let Some(email) = order.email.clone().filter(|email| account.email.as_ref() != Some(email)) {
        let event = NoticeEvent::MailboxSet { user: account.id.clone(), email: email.clone() };
        tx.record(origin, now, &Event::Notice(event))?;
        account.email = Some(email);
    }
    let mut waiting = Vec::new();
    for grant in &order.roles {
        let soon = now.plus_days(ENDING_DAYS).min(grant.until);
        let held = account
            .roles
            .iter()
            .any(|held| held.role == grant.role && held.scope == grant.scope && held.until >= soon);
        if held {
            continue;
        }
        role::check_role(env, &role::roles_of_person(tx, &account)?, grant, now)?;
        if role::must_wait(env, grant, others) {
            waiting.extend(role::ask_role(env, tx, origin, &account, grant, now)?);
            continue;
        }
        let event = Event::RoleGranted { user: account.id.clone(), grant: grant.clone() };
        tx.record(origin, now, &event)?;
        account.roles.push(grant.clone());
    }
    Ok((account, waiting))
}

/// A new account with the roles that need no other administrator; what is asked for together must
/// go together.
fn create(
    env: &Env,
    tx: &mut Tx<'_>,
    origin: &Origin,
    order: &NewAdministrator,
    (others, now): (Administrators, Timestamp),
) -> Result<Account, IssueLinkError> {
    let named = || (order.display_name.clone(), String::new());
    let holder = match &order.holder {
        Holder::Known(id) => PersonOrder::Known(id.clone()),
        Holder::ByName => {
            let (name, contact) = named();
            PersonOrder::Named { name, contact }
        }
        Holder::Another => {
            let (name, contact) = named();
            PersonOrder::New { name, contact }
        }
    };
    let person = take_person(env, tx, origin, &holder, now)?.id;
    let mut account = Account {
        id: UserId::new(now, &*env.entropy),
        login: order.login.clone(),
        display_name: order.display_name.clone(),
        person,
        language: order.language,
        roles: Vec::new(),
        email: order.email.clone(),
        registered_by: origin.actor.id.clone(),
        created_at: now,
        disabled_at: None,
    };
    let mut held = role::roles_of_person(tx, &account)?;
    for grant in &order.roles {
        role::check_role(env, &held, grant, now)?;
        held.push(grant.clone());
        if !role::must_wait(env, grant, others) {
            account.roles.push(grant.clone());
        }
    }
    tx.record(origin, now, &Event::AccountCreated { account: account.clone() })?;
    Ok(account)
}

/// Why an enrolment did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// There is no such link, or it is used, too old, or worn out: which is not told.
    #[error("the link is not good, or not any more")]
    Void,
    /// The password is not taken.
    #[error(transparent)]
    Password(#[from] PasswordProblem),
    /// The one-time code does not confirm the secret.
    #[error(transparent)]
    Code(#[from] CodeProblem),
    /// The certificate is not taken, whoever enrols.
    #[error("the certificate is not taken: {}", .0.word())]
    Certificate(CertificateFault),
    /// The certificate was bound before.
    #[error("the certificate was bound to an account before")]
    CertificateKnown,
    /// The passkey's answer does not hold.
    #[error("the passkey's answer does not hold")]
    Passkey,
    /// Too many attempts.
    #[error(transparent)]
    Closed(#[from] Closed),
    /// What the form carried was not sealed by this console.
    #[error(transparent)]
    Sealed(#[from] SealError),
    /// The password could not be hashed.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<SignInError> for EnrolError {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::Wrong => Self::Void,
            SignInError::Certificate(fault) => Self::Certificate(fault),
            SignInError::Closed(closed) => Self::Closed(closed),
            SignInError::Sealed(error) => Self::Sealed(error),
            SignInError::Store(error) => Self::Store(error),
        }
    }
}

/// A link that may be used now.
#[derive(Debug)]
pub struct OpenLink {
    /// The code behind it.
    pub code: EnrolmentCode,
    /// Whose.
    pub account: Account,
}

/// Looks a link up. Whoever tries often is slowed down like at the sign-in.
pub fn find_link(
    env: &Env,
    console: &Console,
    caller: &Caller,
    secret: &str,
) -> Result<OpenLink, EnrolError> {
    let now = env.clock.now();
    console.throttle.admit(&caller.source(), now)?;
    let digest = digest_of(secret);
    let found = env.store.read(|tx| match tx.find_code(&digest)? {
        None => Ok::<_, StoreError>(None),
        Some(code) => {
            let account = tx.load_account(&code.user)?;
            Ok(Some(OpenLink { code, account }))
        }
    })?;
    let link = found.ok_or(EnrolError::Void)?;
    if link.account.disabled_at.is_some() {
        return Err(EnrolError::Void);
    }
    match link.code.may_use(now) {
        Ok(()) => Ok(link),
        Err(refusal) => {
            refuse(env, caller, &link, refusal, now)?;
            Err(EnrolError::Void)
        }
    }
}

/// What somebody typed to enrol with a password and a one-time code.
pub struct PasswordEnrolment {
    /// The password.
    pub password: String,
    /// The sealed secret that the form carried.
    pub sealed: Vec<u8>,
    /// The code that confirms that the secret arrived.
    pub code: String,
    /// The certificate that the connection showed; it is bound where no code was typed.
    pub certificate: Option<Presented>,
}

/// Enrols with a password and a one-time code, or with the certificate shown in its place; uses up
/// the link, and signs in.
pub fn enrol_with_password(
    env: &Env,
    console: &Console,
    caller: &Caller,
    link: &OpenLink,
    order: &PasswordEnrolment,
) -> Result<Opened, EnrolError> {
    let now = env.clock.now();
    let user = &link.account.id;
    password::check(&order.password, &link.account.login)?;
    if let Some(shown) = shown_instead(env, console, order.certificate.as_ref(), &order.code)? {
        let factors = Factors {
            password: Some(password::hash(&*env.entropy, &order.password)?),
            certificates: vec![shown.bound_at(now)],
            ..Factors::default()
        };
        let with = PASSWORD_AND_CERTIFICATE;
        return match complete(env, caller, link, &factors, &["password"], with) {
            Err(EnrolError::Store(StoreError::Conflict { .. })) => {
                Err(EnrolError::CertificateKnown)
            }
            other => other,
        };
    }
    let secret = TotpSecret::open(&console.key, &Owner::Enrolment(user), &order.sealed)?;
    let totp_step = match secret.check(&order.code, 0, now) {
        Ok(step) => step,
        Err(problem) => {
            count_attempt(env, caller, link, now)?;
            return Err(problem.into());
        }
    };
    let factors = Factors {
        password: Some(password::hash(&*env.entropy, &order.password)?),
        totp: Some(secret.seal(&console.key, &*env.entropy, &Owner::Account(user))?),
        totp_step,
        ..Factors::default()
    };
    complete(env, caller, link, &factors, &["password", "totp"], PASSWORD_AND_CODE)
}

/// Uses up the link, replaces the factors, ends old sessions and begins a new one: all or nothing.
pub(super) fn complete(
    env: &Env,
    caller: &Caller,
    link: &OpenLink,
    factors: &Factors,
    added: &[&str],
    authenticator: &str,
) -> Result<Opened, EnrolError> {
    let now = env.clock.now();
    let user = &link.account.id;
    let origin = caller.origin(Actor::user(user, ONE_TIME_LINK));
    let opened = Opened::new(env, user, authenticator, now);
    env.store.write(|tx| {
        let code = tx.find_code(&link.code.digest)?.filter(|code| code.may_use(now).is_ok());
        let code = code.ok_or(EnrolError::Void)?;
        tx.record(&origin, now, &Event::CodeUsed { code })?;
        for old in tx.load_factors(user)?.certificates {
            let fingerprint = old.fingerprint;
            let event = AccessEvent::CertificateEnded { user: user.clone(), fingerprint };
            tx.record(&origin, now, &Event::Access(event))?;
        }
        tx.store_factors(user, factors)?;
        for certificate in factors.certificates.iter().cloned() {
            let event = AccessEvent::CertificateBound { user: user.clone(), certificate };
            tx.record(&origin, now, &Event::Access(event))?;
        }
        for factor in added {
            let event = Event::FactorAdded { user: user.clone(), factor: (*factor).to_owned() };
            tx.record(&origin, now, &event)?;
        }
        end_all(tx, &origin, user, now)?;
        opened.record(tx, &origin)?;
        Ok::<_, EnrolError>(())
    })?;
    Ok(opened)
}

/// Counts a wrong attempt on a link and records it.
pub(super) fn count_attempt(
    env: &Env,
    caller: &Caller,
    link: &OpenLink,
    now: Timestamp,
) -> Result<(), StoreError> {
    env.store.write(|tx| tx.count_attempt(&link.code.digest))?;
    let refusal = Refusal::new(RefusalCode::NotAuthorised, "2").with("problem", "confirmation");
    refuse(env, caller, link, refusal, now)
}

fn refuse(
    env: &Env,
    caller: &Caller,
    link: &OpenLink,
    refusal: Refusal,
    now: Timestamp,
) -> Result<(), StoreError> {
    let origin = caller.origin(Actor::system("enrolment"));
    let refused = Refused {
        code: AuditCode::AuthCodeUsed,
        object: ObjectRef::new("user", &link.account.id),
        organisation: None,
        policy: None,
    };
    env.refuse(&origin, now, refused, refusal).map(drop)
}
