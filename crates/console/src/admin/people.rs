//! People: accounts, their roles, and one-time links for new ones.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;
use serde::Deserialize;
use tenkoku_domain::access::{ManageAccounts, Role, RoleGrant, Scope};
use tenkoku_domain::account::{Account, Factors};
use tenkoku_domain::id::OrganisationId;
use tenkoku_domain::notice::EmailAddress;
use tenkoku_domain::organisation::Language;
use tenkoku_domain::refusal::RefusalCode;
use tenkoku_domain::time::Timestamp;
use tenkoku_store::StoreError;

use super::confirm::{Factor, factor_field, step_up};
use super::views::{html, html_with};
use crate::format;
use crate::granted::{Granted, Visit};
use crate::layout::{AdminFrame, Chip, FieldError, Tone};
use crate::problem::Problem;
use crate::session::enrol::{
    EnrolmentLink, Holder, IssueLinkError, NewAdministrator, issue_enrolment as issue_link,
};
use crate::text::Words;

/// How long a role is granted for from here, in days.
const ROLE_DAYS: i64 = 365;

/// Roles that can be granted here: those of the whole platform, and those of an organisation's own
/// people, which hold within it.
const OFFERED: [Role; 10] = [
    Role::PlatformAdministrator,
    Role::CaOfficer,
    Role::RegistrationOfficer,
    Role::ValidationOperator,
    Role::PolicyApprover,
    Role::Auditor,
    Role::OrganisationAdministrator,
    Role::Representative,
    Role::Delegate,
    Role::Custodian,
];

pub(super) struct PersonRow {
    pub(super) href: String,
    pub(super) name: String,
    pub(super) login: String,
    pub(super) roles: Vec<String>,
    pub(super) state: Chip,
    pub(super) factors: String,
    pub(super) registered: String,
}

/// A role to choose.
pub(super) struct RoleChoice {
    pub(super) word: &'static str,
    pub(super) label: String,
    pub(super) hint: String,
    pub(super) chosen: bool,
}

/// A link that was just made.
pub(super) struct FreshLink {
    pub(super) address: String,
    pub(super) sentence: String,
}

#[derive(Template)]
#[template(path = "admin/people.html")]
pub(super) struct PeoplePage {
    pub(super) w: Words,
    pub(super) frame: AdminFrame,
    pub(super) errors: Vec<FieldError>,
    pub(super) link: Option<FreshLink>,
    pub(super) rows: Vec<PersonRow>,
    pub(super) roles: Vec<RoleChoice>,
    pub(super) form: PersonForm,
    pub(super) factor: Factor,
}

/// What is entered for a new person.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct PersonForm {
    #[serde(default)]
    pub(super) login: String,
    #[serde(default)]
    pub(super) display_name: String,
    #[serde(default)]
    pub(super) language: String,
    #[serde(default)]
    pub(super) email: String,
    #[serde(default)]
    pub(super) role: String,
    /// The identifier of the organisation whose people it is for.
    #[serde(default)]
    pub(super) organisation: String,
    #[serde(default)]
    pub(super) code: String,
}

/// `GET /console/people`
pub async fn list_people(granted: Granted<ManageAccounts>) -> Result<HttpResponse, Problem> {
    let visit = granted.visit;
    html(&page(&visit, PersonForm::default(), Vec::new(), None).await?)
}

async fn page(
    visit: &Visit,
    form: PersonForm,
    errors: Vec<FieldError>,
    link: Option<FreshLink>,
) -> Result<PeoplePage, Problem> {
    let w = visit.words;
    let people = visit
        .run(|env| {
            env.store.read(|tx| {
                let accounts = tx.list_accounts()?;
                accounts
                    .into_iter()
                    .map(|account| {
                        let factors = tx.load_factors(&account.id)?;
                        Ok::<_, StoreError>((account, factors))
                    })
                    .collect::<Result<Vec<_>, _>>()
            })
        })
        .await?;
    let mut frame = visit.frame(w.t("admin.people.title"), Vec::new());
    frame.has_errors = !errors.is_empty();
    let roles = OFFERED
        .into_iter()
        .map(|role| RoleChoice {
            word: role.word(),
            label: w.word("admin.role", role.word()).to_owned(),
            hint: w.word("admin.role-hint", role.word()).to_owned(),
            chosen: form.role == role.word(),
        })
        .collect();
    Ok(PeoplePage {
        w,
        frame,
        errors,
        link,
        rows: people.iter().map(|(one, factors)| row(w, one, factors, visit.now)).collect(),
        roles,
        form: PersonForm {
            code: String::new(),
            language: if form.language.is_empty() { w.tag().to_owned() } else { form.language },
            ..form
        },
        factor: factor_field(visit).await?,
    })
}

fn row(w: Words, account: &Account, factors: &Factors, now: Timestamp) -> PersonRow {
    let enrolled = factors.suffice();
    let state = match (account.disabled_at, enrolled) {
        (Some(_), _) => Chip::new(Tone::Mute, w.t("admin.people.disabled")),
        (None, true) => Chip::new(Tone::Ok, w.t("admin.people.active")),
        (None, false) => Chip::new(Tone::Info, w.t("admin.people.invited")),
    };
    let role = |grant: &RoleGrant| role_words(w, grant);
    PersonRow {
        href: format!("/console/people/{}", account.id),
        name: account.display_name.clone(),
        login: account.login.clone(),
        roles: account.roles.iter().filter(|grant| grant.until > now).map(role).collect(),
        state,
        factors: factor_words(w, factors),
        registered: format::date(account.created_at),
    }
}

/// A role with where and until when it holds.
pub(super) fn role_words(w: Words, grant: &RoleGrant) -> String {
    let name = w.word("admin.role", grant.role.word());
    w.say("admin.people.role-until")
        .with("role", name)
        .with("where", scope_words(w, &grant.scope))
        .with("date", until_words(w, grant.until))
        .text()
}

fn scope_words(w: Words, scope: &Scope) -> String {
    match scope {
        Scope::Platform => w.t("admin.people.everywhere").to_owned(),
        Scope::Within { organisations, branches } => w
            .say("admin.people.within")
            .with("organisations", organisations.len())
            .with("branches", branches.len())
            .text(),
        Scope::Authorities(authorities) => {
            w.say("admin.people.authorities").with("authorities", authorities.len()).text()
        }
    }
}

fn until_words(w: Words, until: Timestamp) -> String {
    // The installation's first administrator holds the role without an end that a calendar knows.
    if until.civil().year > 9999 {
        w.t("admin.people.no-end").to_owned()
    } else {
        format::date(until)
    }
}

fn factor_words(w: Words, factors: &Factors) -> String {
    let mut words = Vec::new();
    if factors.password.is_some() && factors.totp.is_some() {
        words.push(w.t("admin.people.password-code").to_owned());
    }
    if !factors.certificates.is_empty() {
        words.push(w.t("admin.people.password-certificate").to_owned());
    }
    if !factors.passkeys.is_empty() {
        words.push(w.count_of("admin.people.passkeys", factors.passkeys.len()).text());
    }
    if words.is_empty() { w.t("admin.people.none").to_owned() } else { words.join(" · ") }
}

/// `POST /console/people`
pub async fn issue_enrolment(granted: Granted<ManageAccounts>) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let form: PersonForm = visit.form()?;
    let organisation = find_organisation(&visit, form.organisation.trim()).await?;
    let order = match form.read(visit.words, organisation, visit.now) {
        Ok(order) => order,
        Err(errors) => return wrong(&visit, form, errors).await,
    };
    if let Some(error) = step_up(&visit, &form.code).await? {
        return wrong(&visit, form, vec![error]).await;
    }
    let made = visit
        .run(move |env| match issue_link(env, &permit, &order) {
            Ok(link) => Ok(Ok(link)),
            Err(IssueLinkError::Refused(refusal)) => Ok(Err(refusal)),
            Err(IssueLinkError::Store(error)) => Err(error),
        })
        .await?;
    match made {
        Ok(link) => {
            let fresh = fresh_link(&visit, &link);
            html(&page(&visit, PersonForm::default(), Vec::new(), Some(fresh)).await?)
        }
        Err(refusal) => {
            let field =
                if refusal.code == RefusalCode::DualControl { "role" } else { "display_name" };
            let told = crate::text::explain::refusal(visit.words.language(), &refusal);
            let error = FieldError { field: field.to_owned(), text: told.what };
            wrong(&visit, form, vec![error]).await
        }
    }
}

/// The organisation of an identifier, or of a Japanese corporate number.
async fn find_organisation(visit: &Visit, text: &str) -> Result<Option<OrganisationId>, Problem> {
    let wanted = [text.to_owned(), format!("NTRJP-{text}")];
    visit
        .run(move |env| {
            env.store.read(|tx| {
                for identifier in &wanted {
                    let found = tx.find_organisation_by_identifier(&Scope::Platform, identifier)?;
                    if let Some(found) = found {
                        return Ok(Some(found.id));
                    }
                }
                Ok::<_, StoreError>(None)
            })
        })
        .await
}

async fn wrong(
    visit: &Visit,
    form: PersonForm,
    errors: Vec<FieldError>,
) -> Result<HttpResponse, Problem> {
    let page = page(visit, form, errors, None).await?;
    html_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

impl PersonForm {
    fn read(
        &self,
        w: Words,
        organisation: Option<OrganisationId>,
        now: Timestamp,
    ) -> Result<NewAdministrator, Vec<FieldError>> {
        let mut errors = Vec::new();
        let mut wrong = |field: &str, text: &str| {
            errors.push(FieldError { field: field.to_owned(), text: text.to_owned() });
        };
        let login = Account::parse_login(self.login.trim());
        if login.is_err() {
            wrong("login", w.t("admin.people.login-shape"));
        }
        if self.display_name.trim().is_empty() {
            wrong("display_name", w.t("admin.people.name-missing"));
        }
        let role = OFFERED.into_iter().find(|role| role.word() == self.role);
        if role.is_none() {
            wrong("role", w.t("admin.people.choose-role"));
        }
        let scope = match (role, organisation) {
            (Some(role), Some(organisation)) if role.is_of_organisation() => {
                Some(Scope::organisation(organisation))
            }
            (Some(role), None) if role.is_of_organisation() => {
                wrong("organisation", w.t("admin.people.organisation-missing"));
                None
            }
            (Some(_), _) if !self.organisation.trim().is_empty() => {
                wrong("organisation", w.t("admin.people.organisation-needless"));
                None
            }
            (role, _) => role.map(|_| Scope::Platform),
        };
        let email = Some(self.email.trim()).filter(|email| !email.is_empty());
        let email = email.map(EmailAddress::parse).transpose();
        if email.is_err() {
            wrong("email", w.t("admin.people.email-shape"));
        }
        match (login, role, scope, email) {
            (Ok(login), Some(role), Some(scope), Ok(email)) => Ok(NewAdministrator {
                login,
                display_name: self.display_name.clone(),
                email,
                holder: Holder::ByName,
                language: Language::from_word(&self.language).unwrap_or(w.language()),
                roles: vec![RoleGrant { role, scope, until: now.plus_days(ROLE_DAYS) }],
            }),
            _ => Err(errors),
        }
    }
}

fn fresh_link(visit: &Visit, link: &EnrolmentLink) -> FreshLink {
    let base = visit.console.address.as_str().trim_end_matches('/');
    FreshLink {
        address: format!("{base}{}", link.path()),
        sentence: visit
            .words
            .say("admin.people.link-text")
            .with("name", &link.account.display_name)
            .with("time", format::long_date_time(visit.words, link.expires_at))
            .text(),
    }
}
