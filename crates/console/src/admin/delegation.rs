//! Delegation of an organisation: who represents it, who may act for it, and every grant, with the
//! representative's own word by passkey.

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use actix_web::web::Path;
use askama::Template;
use serde::Deserialize;
use tenkoku_ca::grant::{
    confirm_grant, end_grant, hand_in_paper, sign_with_certificate, sign_with_passkey, signing_text,
};
use tenkoku_domain::access::{
    Confirm, ManageGrants, Permission, Permit, RecordProofing, Scope, ViewRegistry,
};
use tenkoku_domain::grant::{Grant, GrantState, GrantUsage};
use tenkoku_domain::id::{GrantId, OrganisationId, PersonId};
use tenkoku_domain::organisation::Organisation;
use tenkoku_domain::person::{Delegate, Party, Person, Representative};
use tenkoku_store::{StoreError, Tx};

use super::confirm::{Factor, factor_field, step_up};
use super::entry::{refusable, refused};
use super::names::{self, organisation_href};
use super::uploads::{self, evidence};
use super::views::{Fact, html, html_with, see_other};
use crate::format;
use crate::granted::{Granted, Visit};
use crate::layout::{AdminFrame, Chip, Crumb, FieldError, Tone};
use crate::problem::Problem;
use crate::session::passkey::{Asserted, finish_signing, start_signing};
use crate::text::Words;

/// A grant in a list.
pub(super) struct GrantRow {
    pub(super) href: String,
    pub(super) grantee: String,
    pub(super) grantor: String,
    pub(super) levels: String,
    pub(super) live: String,
    pub(super) until: String,
    pub(super) state: Chip,
}

/// Who represents the organisation, or may be given a part of its authority.
pub(super) struct OfficeRow {
    pub(super) tone: Tone,
    pub(super) title: String,
    pub(super) text: String,
    /// Where it is ended, for those who may.
    pub(super) end: Option<String>,
}

#[derive(Template)]
#[template(path = "admin/delegation.html")]
pub(super) struct DelegationPage {
    pub(super) w: Words,
    pub(super) frame: AdminFrame,
    pub(super) representatives: Vec<OfficeRow>,
    pub(super) delegates: Vec<OfficeRow>,
    pub(super) grants: Vec<GrantRow>,
    /// The organisation's address.
    pub(super) base: String,
    /// Whether this person may set a delegation up.
    pub(super) grants_here: bool,
    /// Whether this person may record representatives.
    pub(super) records: bool,
}

#[derive(Template)]
#[template(path = "admin/grant.html")]
pub(super) struct GrantPage {
    pub(super) w: Words,
    pub(super) frame: AdminFrame,
    pub(super) errors: Vec<FieldError>,
    pub(super) state: Chip,
    pub(super) sentence: String,
    pub(super) facts: Vec<Fact>,
    pub(super) used: Vec<Fact>,
    pub(super) text: String,
    pub(super) digest: String,
    pub(super) passkey: Option<String>,
    /// Where the text that is signed is downloaded.
    pub(super) document: String,
    /// Where the signature of a certificate is handed in.
    pub(super) signature: Option<String>,
    /// Where a signed paper is handed in.
    pub(super) paper: Option<String>,
    pub(super) here: String,
    pub(super) confirm: Option<String>,
    pub(super) end: Option<String>,
    pub(super) factor: Factor,
}

fn grant_href(id: &GrantId) -> String {
    format!("/console/grants/{id}")
}

fn chip(w: Words, state: GrantState) -> Chip {
    let tone = match state {
        GrantState::Active => Tone::Ok,
        GrantState::Draft | GrantState::Signed => Tone::Info,
        GrantState::Paused => Tone::Warn,
        GrantState::Ended => Tone::Mute,
    };
    Chip::new(tone, w.word("admin.grant-state", state.word()))
}

fn levels(grant: &Grant) -> String {
    let levels: Vec<String> = grant.terms.scope.levels.iter().map(ToString::to_string).collect();
    levels.join(", ")
}

fn of(w: Words, used: i64, quota: i64) -> String {
    w.say("admin.review.places")
        .with("given", format::number(used))
        .with("needed", format::number(quota))
        .text()
}

struct Offices {
    organisation: Organisation,
    representatives: Vec<(Representative, Person)>,
    delegates: Vec<(Delegate, Person)>,
    grants: Vec<(Grant, GrantUsage)>,
}

/// `GET /console/organisations/{id}/delegation`
pub async fn show_delegation(
    granted: Granted<ViewRegistry>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let id = OrganisationId::parse(&id).map_err(|_| Problem::not_found())?;
    let now = visit.now;
    let found = visit
        .run(move |env| {
            env.store.read(|tx| {
                let organisation = tx.load_organisation(permit.scope(), &id)?;
                if !permit.scope().covers_organisation(&id) {
                    return Err(StoreError::NotFound { what: "organisation" });
                }
                let mut representatives = Vec::new();
                for one in tx.list_representatives(permit.scope(), &id)? {
                    let person = tx.load_person(&one.person)?;
                    representatives.push((one, person));
                }
                let mut delegates = Vec::new();
                for one in tx.list_delegates(permit.scope(), &id)? {
                    let person = tx.load_person(&one.person)?;
                    delegates.push((one, person));
                }
                let mut grants = Vec::new();
                for one in tx.list_grants(permit.scope(), &id)? {
                    let used = tx.grant_usage(&one.terms.id, now)?;
                    grants.push((one, used));
                }
                Ok::<_, StoreError>(Offices { organisation, representatives, delegates, grants })
            })
        })
        .await?;
    html(&delegation_page(&visit, &found))
}

fn delegation_page(visit: &Visit, found: &Offices) -> DelegationPage {
    let w = visit.words;
    let called = names::organisation(w, &found.organisation);
    let crumbs = vec![
        Crumb::link(w.t("admin.organisations.title"), "/console/organisations"),
        Crumb::link(called.name, organisation_href(&found.organisation.id)),
        Crumb::here(w.t("admin.delegation.title")),
    ];
    let tone = |holds: bool| if holds { Tone::Ok } else { Tone::Mute };
    let grants_here = visit.may(Permission::ManageGrants);
    let records = visit.may(Permission::RecordProofing);
    let representative = |(one, person): &(Representative, Person)| OfficeRow {
        end: (records && one.until.is_none())
            .then(|| format!("/console/representatives/{}/end", one.id)),
        tone: tone(one.holds(visit.now)),
        title: format!("{} {}", one.capacity, person.name),
        text: match one.until {
            Some(until) => w.say("admin.delegation.until").with("date", format::date(until)).text(),
            None => w.say("admin.delegation.since").with("date", format::date(one.from)).text(),
        },
    };
    let delegate = |(one, person): &(Delegate, Person)| OfficeRow {
        end: (grants_here && one.holds(visit.now))
            .then(|| format!("/console/delegates/{}/end", one.id)),
        tone: tone(one.holds(visit.now)),
        title: person.name.to_string(),
        text: w.say("admin.delegation.until").with("date", format::date(one.until)).text(),
    };
    let grant = |(one, used): &(Grant, GrantUsage)| GrantRow {
        href: grant_href(&one.terms.id),
        grantee: one.terms.grantee_name.to_string(),
        grantor: one.terms.grantor.to_string(),
        levels: levels(one),
        live: of(w, used.active, one.terms.quota.active),
        until: format::date(one.terms.not_after),
        state: chip(w, one.state),
    };
    DelegationPage {
        w,
        frame: visit.frame(w.t("admin.delegation.title"), crumbs),
        representatives: found.representatives.iter().map(representative).collect(),
        delegates: found.delegates.iter().map(delegate).collect(),
        grants: found.grants.iter().map(grant).collect(),
        base: organisation_href(&found.organisation.id),
        grants_here,
        records,
    }
}

struct Ground {
    grant: Grant,
    used: GrantUsage,
    organisation: Organisation,
    text: String,
    digest: String,
    own: Option<PersonId>,
    represents: bool,
}

async fn load(visit: &Visit, id: &str) -> Result<Ground, Problem> {
    let id = GrantId::parse(id).map_err(|_| Problem::not_found())?;
    let permit: Permit<ViewRegistry> =
        visit.principal.permit(visit.now).map_err(|refusal| Problem::from_refusal(&refusal))?;
    let (actor, now) = (visit.principal.actor.clone(), visit.now);
    let (grant, used, organisation, own, represents) = visit
        .run(move |env| {
            env.store.read(|tx: &mut Tx<'_>| {
                let grant = tx.load_grant(permit.scope(), &id)?;
                let used = tx.grant_usage(&id, now)?;
                let organisation = tx.load_organisation(&Scope::Platform, &grant.organisation)?;
                let own = match tx.party(&actor)? {
                    Party::Person(person) => Some(person),
                    Party::Shell => None,
                };
                let represents = match &own {
                    Some(person) => {
                        tx.find_representative(&grant.organisation, person, now)?.is_some()
                    }
                    None => false,
                };
                Ok::<_, StoreError>((grant, used, organisation, own, represents))
            })
        })
        .await?;
    let text = signing_text(&grant)?;
    let digest = grant.terms.digest().map_err(|error| Problem::internal(&error))?.to_string();
    Ok(Ground { grant, used, organisation, text, digest, own, represents })
}

/// `GET /console/grants/{id}`
pub async fn show_grant(
    granted: Granted<ViewRegistry>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let visit = granted.visit;
    let ground = load(&visit, &id).await?;
    html(&page(&visit, &ground, factor_field(&visit).await?, Vec::new()))
}

fn page(visit: &Visit, ground: &Ground, factor: Factor, errors: Vec<FieldError>) -> GrantPage {
    let (w, grant) = (visit.words, &ground.grant);
    let terms = &grant.terms;
    let here = grant_href(&terms.id);
    let delegation = format!("{}/delegation", organisation_href(&grant.organisation));
    let crumbs = vec![
        Crumb::link(
            names::organisation(w, &ground.organisation).name,
            organisation_href(&grant.organisation),
        ),
        Crumb::link(w.t("admin.delegation.title"), delegation),
        Crumb::here(terms.grantee_name.as_str()),
    ];
    let mut frame = visit.frame(terms.grantee_name.as_str(), crumbs);
    frame.has_errors = !errors.is_empty();
    let confirms = visit.may(Permission::Confirm);
    let own = ground.own.as_ref() == Some(&grant.grantor);
    let draft = grant.state == GrantState::Draft;
    let signs = confirms && own && draft && ground.represents;
    let reviewed = confirms && ground.represents && grant.review_until.is_some();
    GrantPage {
        w,
        frame,
        errors,
        state: chip(w, grant.state),
        sentence: sentence(w, grant),
        facts: facts(w, ground),
        used: vec![
            Fact::new(w.t("admin.grant.live"), of(w, ground.used.active, terms.quota.active)),
            Fact::new(w.t("admin.grant.today"), of(w, ground.used.today, terms.quota.per_day)),
            Fact::new(w.t("admin.grant.total"), of(w, ground.used.total, terms.quota.total)),
        ],
        text: ground.text.clone(),
        digest: ground.digest.clone(),
        passkey: signs.then(|| format!("{here}/passkey")),
        document: format!("{here}/text"),
        signature: (draft && visit.may(Permission::ManageGrants))
            .then(|| format!("{here}/signature")),
        paper: (draft && visit.may(Permission::RecordProofing)).then(|| format!("{here}/paper")),
        confirm: reviewed.then(|| format!("{here}/confirmation")),
        end: (grant.state != GrantState::Ended && visit.may(Permission::ManageGrants))
            .then(|| format!("{here}/end")),
        here,
        factor,
    }
}

fn sentence(w: Words, grant: &Grant) -> String {
    let terms = &grant.terms;
    let action = |word: &str| w.word("admin.grant-action", word).to_owned();
    let actions: Vec<String> = terms.scope.actions.iter().map(|one| action(one.word())).collect();
    w.say("admin.grant.sentence")
        .with("grantor", terms.grantor.as_str())
        .with("grantee", terms.grantee_name.as_str())
        .with("from", format::date(terms.not_before))
        .with("until", format::date(terms.not_after))
        .with("branches", terms.scope.branches.len())
        .with("levels", levels(grant))
        .with("actions", actions.join(w.t("admin.grant.and")))
        .with("active", terms.quota.active)
        .with("day", terms.quota.per_day)
        .with("total", terms.quota.total)
        .text()
}

fn facts(w: Words, ground: &Ground) -> Vec<Fact> {
    let grant = &ground.grant;
    let codes: Vec<&str> = grant.terms.scope.branches.iter().map(|code| code.as_str()).collect();
    let yes =
        |held: bool| if held { w.t("admin.grant.yes") } else { w.t("admin.grant.no") }.to_owned();
    let mut facts = vec![
        Fact::mono(w.t("admin.grant.branches"), codes.join(" ")),
        Fact::new(w.t("admin.grant.follow"), yes(grant.terms.scope.follow_new_branches)),
        Fact::new(w.t("admin.grant.confirms"), yes(grant.terms.conditions.confirm_level_3)),
        Fact::new(w.t("admin.grant.second"), yes(grant.terms.conditions.second_delegate)),
        Fact::new(w.t("admin.grant.depth"), grant.terms.subgrant_depth.to_string()),
    ];
    if let Some(until) = grant.review_until {
        facts.push(Fact::new(w.t("admin.grant.review"), format::date(until)));
    }
    if let Some(end) = grant.end {
        facts.push(Fact::new(w.t("admin.grant.ended"), w.word("admin.grant-end", end.word())));
    }
    facts
}

/// `POST /console/grants/{id}/passkey/start`: the digest of the grant is the challenge.
pub async fn start_passkey(
    granted: Granted<Confirm>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let visit = granted.visit;
    let ground = load(&visit, &id).await?;
    let digest = ground.grant.terms.digest().map_err(|error| Problem::internal(&error))?;
    let (console, user) = (visit.console.clone(), visit.account.id.clone());
    let started = visit.run(move |env| start_signing(env, &console, &user, &digest)).await?;
    Ok(HttpResponse::Ok().json(started))
}

/// `POST /console/grants/{id}/passkey/finish`
pub async fn finish_passkey(
    granted: Granted<Confirm>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let id = GrantId::parse(&id).map_err(|_| Problem::not_found())?;
    let answer: Asserted = visit.json()?;
    let (console, caller) = (visit.console.clone(), visit.caller.clone());
    let user = visit.account.id.clone();
    let proof =
        visit.run(move |env| finish_signing(env, &console, &caller, &user, &answer)).await?;
    visit.run(move |env| sign_with_passkey(env, &permit, &id, &proof)).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// `GET /console/grants/{id}/text`: what is signed, octet by octet.
pub async fn download_text(
    granted: Granted<ViewRegistry>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let ground = load(&granted.visit, &id).await?;
    let name = format!("attachment; filename=\"{}.json\"", ground.grant.terms.id);
    Ok(HttpResponse::Ok()
        .content_type("application/json")
        .insert_header((header::CONTENT_DISPOSITION, name))
        .body(ground.text))
}

async fn corrected(
    visit: &Visit,
    ground: &Ground,
    errors: Vec<FieldError>,
) -> Result<HttpResponse, Problem> {
    let page = page(visit, ground, factor_field(visit).await?, errors);
    html_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

/// `POST /console/grants/{id}/signature`: the representative signed the text with a certificate.
pub async fn sign_by_certificate(
    granted: Granted<ManageGrants>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let ground = load(&visit, &id).await?;
    let signed = match uploads::signed(visit.words, visit.fields()) {
        Ok(signed) => signed,
        Err(error) => return corrected(&visit, &ground, vec![error]).await,
    };
    let id = ground.grant.terms.id.clone();
    let done =
        visit.run(move |env| refusable(sign_with_certificate(env, &permit, &id, &signed))).await?;
    match done {
        Ok(signed) => Ok(see_other(&grant_href(&signed.terms.id))),
        Err(refusal) => {
            let error = refused(visit.words, "signature", &refusal);
            corrected(&visit, &ground, vec![error]).await
        }
    }
}

/// `POST /console/grants/{id}/paper`: the scan of a signed paper, and the record of the call back.
pub async fn sign_on_paper(
    granted: Granted<RecordProofing>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let ground = load(&visit, &id).await?;
    let (w, fields) = (visit.words, visit.fields());
    let (scan, call_back) = match (evidence(w, fields, "scan"), evidence(w, fields, "call_back")) {
        (Ok(scan), Ok(call_back)) => (scan, call_back),
        (scan, call_back) => {
            let errors = scan.err().into_iter().chain(call_back.err()).collect();
            return corrected(&visit, &ground, errors).await;
        }
    };
    let id = ground.grant.terms.id.clone();
    let done = visit
        .run(move |env| refusable(hand_in_paper(env, &permit, &id, (&scan, &call_back))))
        .await?;
    match done {
        Ok(handed_in) => Ok(see_other(&grant_href(&handed_in.terms.id))),
        Err(refusal) => {
            let error = refused(visit.words, "scan", &refusal);
            corrected(&visit, &ground, vec![error]).await
        }
    }
}

/// `POST /console/grants/{id}/confirmation`: a new representative keeps the grant of the former.
pub async fn confirm(granted: Granted<Confirm>, id: Path<String>) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let id = GrantId::parse(&id).map_err(|_| Problem::not_found())?;
    let kept = visit.run(move |env| confirm_grant(env, &permit, &id)).await?;
    Ok(see_other(&grant_href(&kept.terms.id)))
}

#[derive(Debug, Default, Deserialize)]
struct EndForm {
    #[serde(default)]
    code: String,
}

/// `POST /console/grants/{id}/end`
pub async fn end(
    granted: Granted<ManageGrants>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let ground = load(&visit, &id).await?;
    let EndForm { code } = visit.form()?;
    if let Some(error) = step_up(&visit, &code).await? {
        let page = page(&visit, &ground, factor_field(&visit).await?, vec![error]);
        return html_with(StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    let id = ground.grant.terms.id;
    let wanted = id.clone();
    visit.run(move |env| end_grant(env, &permit, &wanted)).await?;
    Ok(see_other(&grant_href(&id)))
}
