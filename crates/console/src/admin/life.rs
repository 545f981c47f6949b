//! Acts on the key of a seal and on its certificate: succession, retirement, loss, holds; what
//! follows from each, and the act itself (DOMAIN 6.4, 10).
//!
//! Sending a form twice is harmless: what is done already leads to the page that says so.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Path, Query};
use tenkoku_ca::destroy::declare_lost;
use tenkoku_ca::rotate::{
    KeyDates, SuccessorOrder, key_dates, order_successor, retire_certificate,
};
use tenkoku_ca::suspend::{
    HoldOrder, SuspendOrder, extend_suspension, release_certificate, suspend_certificate,
};
use tenkoku_domain::access::{
    Act, Apply, DecideEvidence, ManageKeys, Permission, Permit, Revoke, Scope, ViewRegistry,
};
use tenkoku_domain::certificate::{Certificate, CertificateState, Profile};
use tenkoku_domain::id::KeyId;
use tenkoku_domain::key::KeyState;
use tenkoku_domain::suspension::{HoldCause, Suspension, limit_days};
use tenkoku_domain::time::Timestamp;
use tenkoku_store::StoreError;

use super::acts::{DeedForm, DeedPage};
use super::certificates::{AuthorityQuery, Found, find, holder_name, serial};
use super::confirm::{factor_field, step_up};
use super::names::{application_href, certificate_href};
use super::views::{Fact, html, html_with, see_other};
use crate::format;
use crate::granted::{Granted, Visit};
use crate::layout::{Crumb, FieldError};
use crate::problem::Problem;
use crate::text::Words;

/// Longest comment, in characters.
const COMMENT_MAX_CHARS: usize = 500;

/// What can be done with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    /// Order its successor.
    Rotate,
    /// Put its certificate on hold and order its successor at once.
    Emergency,
    /// End sealing before its time.
    Retire,
    /// Report that its container is gone.
    Lost,
}

impl Deed {
    const ALL: [Self; 4] = [Self::Rotate, Self::Emergency, Self::Retire, Self::Lost];

    /// The word in addresses and of the texts.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Rotate => "rotate",
            Self::Emergency => "emergency",
            Self::Retire => "retire",
            Self::Lost => "lost",
        }
    }

    /// What may be done with a key now.
    pub(super) fn offered(found: &KeyDates, now: Timestamp) -> Vec<Self> {
        let certificate = &found.key.certificate.state;
        match (found.key.key.state, certificate) {
            (KeyState::Destroyed | KeyState::Lost, _) => Vec::new(),
            (KeyState::Bound, CertificateState::Active) if found.timeline.opens <= now => {
                vec![Self::Rotate, Self::Retire, Self::Lost]
            }
            (KeyState::Bound, CertificateState::Active) => {
                vec![Self::Emergency, Self::Retire, Self::Lost]
            }
            (KeyState::Bound, CertificateState::Suspended(_))
            | (_, CertificateState::Revoked(_)) => {
                vec![Self::Rotate, Self::Lost]
            }
            (_, _) => vec![Self::Lost],
        }
    }
}

/// The address of a key.
pub(super) fn key_href(id: &KeyId) -> String {
    format!("/console/keys/{id}")
}

/// What a form on this page must show.
struct Question<'a> {
    title: &'a str,
    crumbs: Vec<Crumb>,
    points: Vec<String>,
    numbers: Vec<Fact>,
    causes: Vec<(String, String)>,
    button: &'static str,
    action: String,
    back: String,
    back_label: &'static str,
    dangerous: bool,
}

async fn ask(
    visit: &Visit,
    question: Question<'_>,
    form: &DeedForm,
    errors: Vec<FieldError>,
) -> Result<DeedPage, Problem> {
    let w = visit.words;
    let mut frame = visit.frame(question.title, question.crumbs);
    frame.has_errors = !errors.is_empty();
    Ok(DeedPage {
        w,
        frame,
        errors,
        heading: w.t("admin.life.what-follows"),
        back_label: question.back_label,
        points: question.points,
        numbers: question.numbers,
        blocked: None,
        demand: None,
        holds: false,
        reason_label: Some((w.t("admin.life.comment"), w.t("admin.life.comment-hint"))),
        reason: form.reason.clone(),
        by_label: w.t("admin.life.why"),
        others: question.causes,
        chosen: form.by.clone(),
        factor: factor_field(visit).await?,
        button: question.button,
        action: question.action,
        back: question.back,
        dangerous: question.dangerous,
    })
}

fn too_long(w: Words, form: &DeedForm) -> Option<FieldError> {
    (form.reason.chars().count() > COMMENT_MAX_CHARS).then(|| FieldError {
        field: "reason".to_owned(),
        text: w.t("admin.revoke.comment-long").to_owned(),
    })
}

fn permit<A: Act>(visit: &Visit) -> Result<Permit<A>, Problem> {
    visit.principal.permit(visit.now).map_err(|refusal| Problem::from_refusal(&refusal))
}

async fn load_key(visit: &Visit, id: &str) -> Result<KeyDates, Problem> {
    let id = KeyId::parse(id).map_err(|_| Problem::not_found())?;
    let view = permit::<ViewRegistry>(visit)?;
    visit.run(move |env| key_dates(env, &view, &id)).await
}

fn read_path(path: Path<(String, String)>) -> Result<(String, Deed), Problem> {
    let (id, word) = path.into_inner();
    let deed = Deed::ALL.into_iter().find(|deed| deed.word() == word);
    Ok((id, deed.ok_or_else(Problem::not_found)?))
}

/// What follows, in a sentence.
fn said(w: Words, point: &str, profile: Profile) -> String {
    match point {
        "hold-limit" => w.say("admin.life.hold-limit").with("days", limit_days(profile)).text(),
        _ => w.word("admin.life-point", point).to_owned(),
    }
}

fn key_question<'a>(w: Words, found: &KeyDates, deed: Deed) -> Question<'a> {
    let key = &found.key;
    let name = key.certificate.common_name.clone();
    let title = w.word("admin.life-title", deed.word());
    let href = key_href(&key.key.id);
    let points = match deed {
        Deed::Rotate => ["rotate-application", "rotate-overlap", "rotate-not-revoked"].as_slice(),
        Deed::Emergency => &["hold-now", "rotate-application", "hold-limit"],
        Deed::Retire => &["retire-no-more", "retire-stays", "retire-proof"],
        Deed::Lost => &["lost-revoked", "lost-for-ever", "lost-final"],
    };
    let said = |point: &&str| said(w, point, key.certificate.profile);
    Question {
        title,
        crumbs: vec![
            Crumb::link(w.t("admin.keys.title"), "/console/keys"),
            Crumb::link(name.clone(), href.clone()),
            Crumb::here(title),
        ],
        points: points.iter().map(said).collect(),
        numbers: vec![
            Fact::link(w.t("admin.certificate.branch"), name, href.clone()),
            Fact::mono(w.t("admin.keys.id"), key.key.id.to_string()),
            Fact::new(w.t("admin.certificate.sealing"), format::date(found.timeline.sealing_ends)),
        ],
        causes: Vec::new(),
        button: w.word("admin.life-button", deed.word()),
        action: format!("{href}/{}", deed.word()),
        back: href,
        back_label: w.t("admin.life.back-key"),
        dangerous: deed != Deed::Rotate,
    }
}

/// `GET /console/keys/{id}/{act}`
pub async fn show_key_act(
    granted: Granted<ManageKeys>,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let visit = granted.visit;
    let (id, deed) = read_path(path)?;
    let found = load_key(&visit, &id).await?;
    if !Deed::offered(&found, visit.now).contains(&deed) {
        return Ok(see_other(&key_href(&found.key.key.id)));
    }
    let question = key_question(visit.words, &found, deed);
    html(&ask(&visit, question, &DeedForm::default(), Vec::new()).await?)
}

/// `POST /console/keys/{id}/{act}`
pub async fn perform_key_act(
    granted: Granted<ManageKeys>,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit: manage, visit } = granted;
    let form: DeedForm = visit.form()?;
    let (id, deed) = read_path(path)?;
    let found = load_key(&visit, &id).await?;
    let href = key_href(&found.key.key.id);
    if !Deed::offered(&found, visit.now).contains(&deed) {
        return Ok(see_other(&href));
    }
    let error = match too_long(visit.words, &form) {
        Some(error) => Some(error),
        None => step_up(&visit, &form.code).await?,
    };
    if let Some(error) = error {
        let question = key_question(visit.words, &found, deed);
        let page = ask(&visit, question, &form, vec![error]).await?;
        return html_with(StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    let (key, certificate) = (found.key.key.id, found.key.certificate);
    match deed {
        Deed::Rotate => succeed(&visit, key).await,
        Deed::Emergency => {
            let revoke = permit::<Revoke>(&visit)?;
            let order = suspension_of(&certificate, HoldCause::EmergencyRotation, &form);
            visit.run(move |env| suspend_certificate(env, &revoke, &order)).await?;
            succeed(&visit, key).await
        }
        Deed::Retire => {
            let name = (certificate.authority, certificate.serial);
            visit.run(move |env| retire_certificate(env, &manage, (&name.0, &name.1))).await?;
            Ok(see_other(&href))
        }
        Deed::Lost => {
            let comment = form.reason.trim().to_owned();
            visit.run(move |env| declare_lost(env, &manage, &key, &comment)).await?;
            Ok(see_other(&href))
        }
    }
}

/// Orders the successor and leads to its application, which waits for the new key.
async fn succeed(visit: &Visit, key: KeyId) -> Result<HttpResponse, Problem> {
    let apply = permit::<Apply>(visit)?;
    let order = SuccessorOrder { key, validity_days: None };
    let applied = visit.run(move |env| order_successor(env, &apply, &order)).await?;
    Ok(see_other(&application_href(&applied.application.id)))
}

fn suspension_of(certificate: &Certificate, because: HoldCause, form: &DeedForm) -> SuspendOrder {
    SuspendOrder {
        authority: certificate.authority.clone(),
        serial: certificate.serial.clone(),
        because,
        comment: form.reason.trim().to_owned(),
    }
}

/// What can be done about a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hold {
    Suspend,
    Release,
    Extend,
}

impl Hold {
    const fn word(self) -> &'static str {
        match self {
            Self::Suspend => "suspend",
            Self::Release => "release",
            Self::Extend => "extend",
        }
    }

    fn fits(self, certificate: &Certificate) -> bool {
        match self {
            Self::Suspend => {
                certificate.state == CertificateState::Active && certificate.seal.is_some()
            }
            Self::Release | Self::Extend => {
                matches!(certificate.state, CertificateState::Suspended(_))
            }
        }
    }
}

/// Links to what may be done about a hold of a certificate.
pub(super) fn hold_links(visit: &Visit, found: &Found) -> Vec<(String, String)> {
    let all = [
        (Hold::Suspend, Permission::Revoke),
        (Hold::Release, Permission::Revoke),
        (Hold::Extend, Permission::DecideEvidence),
    ];
    let offered = |(hold, permission): &(Hold, Permission)| {
        hold.fits(&found.certificate) && visit.may(*permission)
    };
    let link = |(hold, _): (Hold, Permission)| {
        let (href, code) = (certificate_href(&found.certificate), &found.authority.code);
        let label = visit.words.word("admin.life-title", hold.word()).to_owned();
        (label, format!("{href}/{}?authority={code}", hold.word()))
    };
    all.into_iter().filter(offered).map(link).collect()
}

struct Held {
    found: Found,
    suspension: Option<Suspension>,
}

async fn load_held(
    visit: &Visit,
    scope: &Scope,
    path: &str,
    query: AuthorityQuery,
) -> Result<Held, Problem> {
    let (scope, wanted, authority) = (scope.clone(), serial(path)?, query.authority);
    visit
        .run(move |env| {
            env.store.read(|tx| {
                let found = find(tx, &scope, &wanted, authority.as_deref())?;
                let suspension = tx.find_suspension(&found.certificate.id)?;
                Ok::<_, StoreError>(Held { found, suspension })
            })
        })
        .await
}

fn hold_question<'a>(w: Words, on: &Held, hold: Hold) -> Question<'a> {
    let certificate = &on.found.certificate;
    let (name, href) = (holder_name(w, &on.found), certificate_href(certificate));
    let title = w.word("admin.life-title", hold.word());
    let points = match hold {
        Hold::Suspend => ["hold-now", "hold-limit", "hold-lifted"].as_slice(),
        Hold::Release => &["release-now", "release-others"],
        Hold::Extend => &["extend-once", "extend-second"],
    };
    let said = |point: &&str| said(w, point, certificate.profile);
    let mut numbers = vec![
        Fact::link(w.t("admin.certificate.branch"), name.clone(), href.clone()),
        Fact::mono(
            w.t("admin.certificate.serial"),
            format::grouped(&certificate.serial.to_string()),
        ),
    ];
    if let Some(suspension) = &on.suspension {
        let because = w.word("admin.hold-cause", suspension.because.word());
        numbers.push(Fact::new(w.t("admin.life.why"), because));
        numbers.push(Fact::new(w.t("admin.life.from"), format::date_time(suspension.from)));
        numbers.push(Fact::new(w.t("admin.life.until"), format::date_time(suspension.until)));
        if suspension.extension_asked_by.is_some() && suspension.extended_at.is_none() {
            numbers.push(Fact::new(w.t("admin.life.extension"), w.t("admin.life.extension-asked")));
        }
    }
    let causes = match hold {
        Hold::Suspend => HoldCause::ALL
            .iter()
            .map(|cause| {
                (cause.word().to_owned(), w.word("admin.hold-cause", cause.word()).to_owned())
            })
            .collect(),
        Hold::Release | Hold::Extend => Vec::new(),
    };
    let action = format!("{href}/{}?authority={}", hold.word(), on.found.authority.code);
    Question {
        title,
        crumbs: vec![
            Crumb::link(w.t("admin.certificates.title"), "/console/certificates"),
            Crumb::link(name, href.clone()),
            Crumb::here(title),
        ],
        points: points.iter().map(said).collect(),
        numbers,
        causes,
        button: w.word("admin.life-button", hold.word()),
        action,
        back: href,
        back_label: w.t("admin.life.back-certificate"),
        dangerous: hold == Hold::Suspend,
    }
}

async fn show_hold(
    visit: &Visit,
    scope: &Scope,
    path: &str,
    query: AuthorityQuery,
    hold: Hold,
) -> Result<HttpResponse, Problem> {
    let on = load_held(visit, scope, path, query).await?;
    if !hold.fits(&on.found.certificate) {
        return Ok(see_other(&certificate_href(&on.found.certificate)));
    }
    let question = hold_question(visit.words, &on, hold);
    html(&ask(visit, question, &DeedForm::default(), Vec::new()).await?)
}

/// What was sent, once it may be done; else the answer that says why not.
async fn sent(
    visit: &Visit,
    scope: &Scope,
    path: &str,
    query: AuthorityQuery,
    hold: Hold,
) -> Result<Result<(Certificate, DeedForm), HttpResponse>, Problem> {
    let form: DeedForm = visit.form()?;
    let on = load_held(visit, scope, path, query).await?;
    if !hold.fits(&on.found.certificate) {
        return Ok(Err(see_other(&certificate_href(&on.found.certificate))));
    }
    let w = visit.words;
    let unchosen = hold == Hold::Suspend && HoldCause::from_word(&form.by).is_none();
    let error = match too_long(w, &form) {
        Some(error) => Some(error),
        None if unchosen => Some(FieldError {
            field: "by".to_owned(),
            text: w.t("admin.life.why-missing").to_owned(),
        }),
        None => step_up(visit, &form.code).await?,
    };
    if let Some(error) = error {
        let question = hold_question(w, &on, hold);
        let page = ask(visit, question, &form, vec![error]).await?;
        return Ok(Err(html_with(StatusCode::UNPROCESSABLE_ENTITY, &page)?));
    }
    Ok(Ok((on.found.certificate, form)))
}

/// `GET /console/certificates/{serial}/suspend`
pub async fn show_suspend(
    granted: Granted<Revoke>,
    path: Path<String>,
    query: Query<AuthorityQuery>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    show_hold(&visit, permit.scope(), &path, query.into_inner(), Hold::Suspend).await
}

/// `POST /console/certificates/{serial}/suspend`
pub async fn suspend(
    granted: Granted<Revoke>,
    path: Path<String>,
    query: Query<AuthorityQuery>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let sent = sent(&visit, permit.scope(), &path, query.into_inner(), Hold::Suspend).await?;
    let (certificate, form) = match sent {
        Ok(sent) => sent,
        Err(answer) => return Ok(answer),
    };
    let because = HoldCause::from_word(&form.by).ok_or_else(Problem::not_found)?;
    let order = suspension_of(&certificate, because, &form);
    visit.run(move |env| suspend_certificate(env, &permit, &order)).await?;
    Ok(see_other(&certificate_href(&certificate)))
}

/// `GET /console/certificates/{serial}/release`
pub async fn show_release(
    granted: Granted<Revoke>,
    path: Path<String>,
    query: Query<AuthorityQuery>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    show_hold(&visit, permit.scope(), &path, query.into_inner(), Hold::Release).await
}

fn hold_order(certificate: &Certificate, form: &DeedForm) -> HoldOrder {
    HoldOrder {
        authority: certificate.authority.clone(),
        serial: certificate.serial.clone(),
        comment: form.reason.trim().to_owned(),
    }
}

/// `POST /console/certificates/{serial}/release`
pub async fn release(
    granted: Granted<Revoke>,
    path: Path<String>,
    query: Query<AuthorityQuery>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let sent = sent(&visit, permit.scope(), &path, query.into_inner(), Hold::Release).await?;
    let (certificate, form) = match sent {
        Ok(sent) => sent,
        Err(answer) => return Ok(answer),
    };
    let order = hold_order(&certificate, &form);
    visit.run(move |env| release_certificate(env, &permit, &order)).await?;
    Ok(see_other(&certificate_href(&certificate)))
}

/// `GET /console/certificates/{serial}/extend`
pub async fn show_extend(
    granted: Granted<DecideEvidence>,
    path: Path<String>,
    query: Query<AuthorityQuery>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    show_hold(&visit, permit.scope(), &path, query.into_inner(), Hold::Extend).await
}

/// `POST /console/certificates/{serial}/extend`
pub async fn extend(
    granted: Granted<DecideEvidence>,
    path: Path<String>,
    query: Query<AuthorityQuery>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let sent = sent(&visit, permit.scope(), &path, query.into_inner(), Hold::Extend).await?;
    let (certificate, form) = match sent {
        Ok(sent) => sent,
        Err(answer) => return Ok(answer),
    };
    let order = hold_order(&certificate, &form);
    visit.run(move |env| extend_suspension(env, &permit, &order)).await?;
    Ok(see_other(&certificate_href(&certificate)))
}
