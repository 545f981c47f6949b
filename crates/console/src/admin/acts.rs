//! Acts with an authority: what follows from each, in numbers, and the act itself (DOMAIN 6.7, RO-4).
//!
//! An act that moves the key needs a ceremony (KM-19). An evaluation installation holds the built-in
//! one at once and says so; a production installation is led to the ceremony's file instead. Sending
//! a form twice is harmless: what is done already leads to the page that says so.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;
use askama::Template;
use serde::Deserialize;
use tenkoku_ca::authority::{self, AuthorityError};
use tenkoku_domain::access::{OperateAuthority, Permit};
use tenkoku_domain::authority::{Authority, AuthorityCode, AuthorityKind, AuthorityState, Custody};
use tenkoku_domain::ceremony::{CeremonyKind, CeremonyRules, CrossWish, Presence, Subject};
use tenkoku_domain::policy::Installation;
use tenkoku_ports::Env;
use tenkoku_store::StoreError;

use super::authorities::href;
use super::confirm::{Factor, factor_field, step_up};
use super::held::{self, Holding};
use super::views::{Fact, html, html_with, see_other};
use crate::format;
use crate::granted::{Granted, Visit};
use crate::layout::{AdminFrame, Crumb, FieldError};
use crate::problem::Problem;
use crate::text::Words;

/// Longest reason, in characters.
const REASON_MAX_CHARS: usize = 500;

/// What can be done with an authority.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    Renew,
    Cross,
    Suspend,
    Resume,
    Retire,
    End,
}

impl Deed {
    const ALL: [Self; 6] =
        [Self::Renew, Self::Cross, Self::Suspend, Self::Resume, Self::Retire, Self::End];

    /// The word in addresses and of the texts.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Renew => "renew",
            Self::Cross => "cross-certify",
            Self::Suspend => "suspend",
            Self::Resume => "resume",
            Self::Retire => "retire",
            Self::End => "end",
        }
    }

    fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|deed| deed.word() == word)
    }

    /// Whether it cannot be taken back.
    pub(super) const fn is_final(self) -> bool {
        match self {
            Self::Suspend | Self::Retire | Self::End => true,
            Self::Renew | Self::Cross | Self::Resume => false,
        }
    }

    /// What may be done with an authority in its state.
    pub(super) fn offered(authority: &Authority, all: &[Authority]) -> Vec<Self> {
        let moved = |deed: &Self| deed.ceremony().is_none() || authority.custody == Custody::Online;
        let possible = |deed: &Self| match deed {
            Self::Renew => !all.iter().any(|one| one.predecessor.as_ref() == Some(&authority.id)),
            Self::Cross => !others(authority, all).is_empty(),
            Self::Suspend | Self::Resume | Self::Retire | Self::End => true,
        };
        let of_state: &[Self] = match authority.state {
            AuthorityState::Active => &[Self::Renew, Self::Cross, Self::Suspend, Self::Retire],
            AuthorityState::Suspended => &[Self::Resume, Self::Retire],
            AuthorityState::Retiring => &[Self::End],
            AuthorityState::Planned
            | AuthorityState::Ceremony
            | AuthorityState::Certified
            | AuthorityState::Ended => &[],
        };
        of_state.iter().copied().filter(|deed| moved(deed) && possible(deed)).collect()
    }

    /// The ceremony that it needs; none for what only stops something.
    const fn ceremony(self) -> Option<CeremonyKind> {
        match self {
            Self::Renew => Some(CeremonyKind::Rollover),
            Self::Cross => Some(CeremonyKind::CrossCertify),
            Self::Resume => Some(CeremonyKind::Activation),
            Self::End => Some(CeremonyKind::Destruction),
            Self::Suspend | Self::Retire => None,
        }
    }
}

/// The roots that another root may be certified by.
fn others<'a>(authority: &Authority, all: &'a [Authority]) -> Vec<&'a Authority> {
    if authority.kind != AuthorityKind::Root {
        return Vec::new();
    }
    let signs = |one: &&Authority| {
        one.kind == AuthorityKind::Root
            && one.id != authority.id
            && one.state == AuthorityState::Active
            && one.custody == Custody::Online
    };
    all.iter().filter(signs).collect()
}

/// What a person enters.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct DeedForm {
    /// Why, in words.
    #[serde(default)]
    pub(super) reason: String,
    /// The choice: a root, or a cause.
    #[serde(default)]
    pub(super) by: String,
    /// A one-time code.
    #[serde(default)]
    pub(super) code: String,
}

/// The persons that a ceremony demands, and where its file is made.
pub(super) struct Demand {
    pub(super) persons: Vec<Fact>,
    pub(super) href: String,
}

#[derive(Template)]
#[template(path = "admin/deed.html")]
pub(super) struct DeedPage {
    pub(super) w: Words,
    pub(super) frame: AdminFrame,
    pub(super) errors: Vec<FieldError>,
    pub(super) heading: &'static str,
    pub(super) back_label: &'static str,
    pub(super) points: Vec<String>,
    pub(super) numbers: Vec<Fact>,
    pub(super) blocked: Option<String>,
    pub(super) demand: Option<Demand>,
    pub(super) holds: bool,
    /// Label and hint of the field for a reason, where one is asked for.
    pub(super) reason_label: Option<(&'static str, &'static str)>,
    pub(super) reason: String,
    /// The legend of the choice, where there is one.
    pub(super) by_label: &'static str,
    pub(super) others: Vec<(String, String)>,
    pub(super) chosen: String,
    pub(super) factor: Factor,
    pub(super) button: &'static str,
    pub(super) action: String,
    pub(super) back: String,
    pub(super) dangerous: bool,
}

struct Ground {
    authority: Authority,
    all: Vec<Authority>,
    certificates: i64,
    branches: i64,
    rules: CeremonyRules,
}

async fn load(
    visit: &Visit,
    permit: &Permit<OperateAuthority>,
    code: &str,
) -> Result<Ground, Problem> {
    let (scope, code, now) = (permit.scope().clone(), code.to_owned(), visit.now);
    visit
        .run(move |env| {
            let rules = authority::ceremony_rules(env)?;
            env.store.read(|tx| {
                let found = tx.find_authority(&code)?;
                let authority = found
                    .filter(|authority| scope.covers_authority(&authority.id))
                    .ok_or(StoreError::NotFound { what: "authority" })?;
                let open = tx.open_certificates(&authority.id, &authority.key, now)?;
                Ok::<_, AuthorityError>(Ground {
                    all: tx.list_authorities()?,
                    certificates: open.values().sum(),
                    branches: tx.count_served_branches(&authority.id, now)?,
                    rules,
                    authority,
                })
            })
        })
        .await
}

fn read_path(path: Path<(String, String)>) -> Result<(String, Deed), Problem> {
    let (code, word) = path.into_inner();
    let deed = Deed::from_word(&word).ok_or_else(Problem::not_found)?;
    Ok((code, deed))
}

/// `GET /console/authorities/{code}/{act}`
pub async fn show_consequence(
    granted: Granted<OperateAuthority>,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let (code, deed) = read_path(path)?;
    let found = load(&visit, &permit, &code).await?;
    if !Deed::offered(&found.authority, &found.all).contains(&deed) {
        return Ok(see_other(&href(&found.authority)));
    }
    html(&page(&visit, &found, deed, &DeedForm::default(), Vec::new()).await?)
}

async fn page(
    visit: &Visit,
    found: &Ground,
    deed: Deed,
    form: &DeedForm,
    errors: Vec<FieldError>,
) -> Result<DeedPage, Problem> {
    let w = visit.words;
    let authority = &found.authority;
    let title = w.word("admin.deed", deed.word());
    let crumbs = vec![
        Crumb::link(w.t("admin.authorities.title"), "/console/authorities"),
        Crumb::link(authority.name.common_name.to_string(), href(authority)),
        Crumb::here(title),
    ];
    let mut frame = visit.frame(title, crumbs);
    frame.has_errors = !errors.is_empty();
    let production = visit.env.settings.installation == Installation::Production;
    let demand = deed.ceremony().filter(|_| production).map(|kind| Demand {
        persons: persons(w, found.rules.of(kind)),
        href: format!("/console/ceremonies/new?kind={kind}&authority={}", authority.code),
    });
    Ok(DeedPage {
        w,
        frame,
        errors,
        heading: w.t("admin.revoke.what-follows"),
        back_label: w.t("admin.deed-form.back"),
        points: points(w, found, deed),
        numbers: numbers(w, found),
        blocked: blocked(w, found, deed),
        holds: deed.ceremony().is_some() && !production,
        demand,
        reason_label: (deed == Deed::Suspend)
            .then(|| (w.t("admin.deed-form.reason"), w.t("admin.deed-form.reason-hint"))),
        reason: form.reason.clone(),
        by_label: w.t("admin.deed-form.by"),
        chosen: form.by.clone(),
        others: match deed {
            Deed::Cross => others(authority, &found.all)
                .into_iter()
                .map(|one| (one.code.to_string(), one.name.common_name.to_string()))
                .collect(),
            Deed::Renew | Deed::Suspend | Deed::Resume | Deed::Retire | Deed::End => Vec::new(),
        },
        factor: factor_field(visit).await?,
        button: w.word("admin.deed-button", deed.word()),
        action: format!("{}/{}", href(authority), deed.word()),
        back: href(authority),
        dangerous: deed.is_final(),
    })
}

/// Who must be there.
pub(super) fn persons(w: Words, needed: Presence) -> Vec<Fact> {
    let mut facts = vec![
        Fact::new(w.t("admin.ceremony.persons"), format::number(needed.persons)),
        Fact::new(w.t("admin.ceremony.witnesses"), format::number(needed.witnesses)),
    ];
    if needed.auditor_or_recording {
        facts.push(Fact::new(w.t("admin.ceremony.watched"), w.t("admin.ceremony.watched-by")));
    }
    facts
}

fn numbers(w: Words, found: &Ground) -> Vec<Fact> {
    vec![
        Fact::mono(w.t("admin.authority.code"), found.authority.code.as_str()),
        Fact::new(w.t("admin.authority.alive"), format::number(found.certificates)),
        Fact::new(w.t("admin.authority.branches"), format::number(found.branches)),
    ]
}

fn points(w: Words, found: &Ground, deed: Deed) -> Vec<String> {
    let alive = || w.count("admin.deed-point.alive", found.certificates).text();
    let goes_on = || w.t("admin.deed-point.status-goes-on").to_owned();
    match deed {
        Deed::Renew => {
            let next = found.authority.generation.saturating_add(1);
            let mut points = vec![
                w.say("admin.deed-point.next").with("n", next).text(),
                w.t("admin.deed-point.former-stops").to_owned(),
                alive(),
                goes_on(),
            ];
            if found.authority.kind == AuthorityKind::Root {
                points.push(w.t("admin.deed-point.both-ways").to_owned());
            }
            points
        }
        Deed::Cross => vec![w.t("admin.deed-point.crossed").to_owned()],
        Deed::Suspend => vec![w.t("admin.deed-point.on-hold").to_owned(), alive(), goes_on()],
        Deed::Resume => vec![w.t("admin.deed-point.again").to_owned()],
        Deed::Retire => vec![
            w.t("admin.deed-point.for-good").to_owned(),
            alive(),
            goes_on(),
            w.t("admin.deed-point.no-successor").to_owned(),
        ],
        Deed::End => vec![
            w.t("admin.deed-point.last-crl").to_owned(),
            w.t("admin.deed-point.destroyed").to_owned(),
        ],
    }
}

/// Why it cannot be done yet.
fn blocked(w: Words, found: &Ground, deed: Deed) -> Option<String> {
    let waits = deed == Deed::End && found.certificates > 0;
    waits.then(|| w.count("admin.deed-blocked", found.certificates).text())
}

/// `POST /console/authorities/{code}/{act}`
pub async fn perform(
    granted: Granted<OperateAuthority>,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let form: DeedForm = visit.form()?;
    let (code, deed) = read_path(path)?;
    let found = load(&visit, &permit, &code).await?;
    if !Deed::offered(&found.authority, &found.all).contains(&deed) {
        return Ok(see_other(&href(&found.authority)));
    }
    let error = match wrong(visit.words, &found, deed, &form) {
        Some(error) => Some(error),
        None => step_up(&visit, &form.code).await?,
    };
    if let Some(error) = error {
        let page = page(&visit, &found, deed, &form, vec![error]).await?;
        return html_with(StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    let holding = Holding::of(&visit)?;
    let authority = found.authority;
    let at = href(&authority);
    let ceremony =
        visit.run(move |env| act(env, &permit, &authority, deed, &form, &holding)).await?;
    Ok(see_other(&ceremony.unwrap_or(at)))
}

fn wrong(w: Words, found: &Ground, deed: Deed, form: &DeedForm) -> Option<FieldError> {
    let error = |field: &str, text: &str| {
        Some(FieldError { field: field.to_owned(), text: text.to_owned() })
    };
    match deed {
        Deed::Suspend if form.reason.trim().is_empty() => {
            error("reason", w.t("admin.deed-form.reason-missing"))
        }
        Deed::Suspend if form.reason.chars().count() > REASON_MAX_CHARS => {
            error("reason", w.t("admin.deed-form.reason-long"))
        }
        Deed::Cross => {
            let known = others(&found.authority, &found.all);
            let named = known.iter().any(|one| one.code.as_str() == form.by);
            if named { None } else { error("by", w.t("admin.deed-form.by-missing")) }
        }
        Deed::Renew | Deed::Suspend | Deed::Resume | Deed::Retire | Deed::End => None,
    }
}

/// Does it; gives the page of the ceremony that was held for it.
fn act(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    on: &Authority,
    deed: Deed,
    form: &DeedForm,
    holding: &Holding,
) -> Result<Option<String>, AuthorityError> {
    let code = on.code.clone();
    let subject = match deed {
        Deed::Suspend => {
            authority::suspend_authority(env, permit, &code, form.reason.trim())?;
            return Ok(None);
        }
        Deed::Retire => {
            authority::retire_authority(env, permit, &code)?;
            return Ok(None);
        }
        Deed::Renew => Subject::Rollover {
            cross: match on.kind {
                AuthorityKind::Root => CrossWish::Both,
                AuthorityKind::Policy | AuthorityKind::Issuing(_) | AuthorityKind::Service(_) => {
                    CrossWish::None
                }
            },
            authority: code,
        },
        Deed::Cross => Subject::Cross { certified: code, by: AuthorityCode::parse(&form.by)? },
        Deed::Resume | Deed::End => Subject::Authority { authority: code },
    };
    let Some(kind) = deed.ceremony() else { return Ok(None) };
    let record = held::hold(env, permit, kind, subject, holding)?;
    Ok(Some(format!("/console/ceremonies/{}", record.ceremony.id)))
}
