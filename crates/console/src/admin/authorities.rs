//! Certificate authorities: the tree, and one authority with what it publishes.

use actix_web::HttpResponse;
use actix_web::web::Path;
use askama::Template;
use tenkoku_domain::access::{Act, Permit, Scope, ViewRegistry};
use tenkoku_domain::audit::IssuedCrl;
use tenkoku_domain::authority::{Authority, AuthorityKind};
use tenkoku_domain::certificate::{Certificate, Profile};
use tenkoku_domain::time::Timestamp;
use tenkoku_pki::cert::Certificate as Parsed;
use tenkoku_ports::Env;
use tenkoku_store::StoreError;

use super::names::certificate_href;
use super::views::{Fact, authority_chip, html};
use crate::format;
use crate::granted::{Granted, Visit};
use crate::layout::{AdminFrame, Chip, Crumb};
use crate::problem::Problem;
use crate::text::Words;

/// What belongs to the platform as a whole does not exist for those who see a part of it.
pub(super) fn platform_only<A: Act>(permit: &Permit<A>) -> Result<(), Problem> {
    match permit.scope() {
        Scope::Platform => Ok(()),
        Scope::Within { .. } | Scope::Authorities(_) => Err(Problem::not_found()),
    }
}

pub(super) struct AuthorityRow {
    pub(super) name: String,
    pub(super) href: String,
    pub(super) code: String,
    pub(super) kind: String,
    pub(super) below: bool,
    pub(super) state: Chip,
    pub(super) expires: String,
    pub(super) crl: String,
}

#[derive(Template)]
#[template(path = "admin/authorities.html")]
pub(super) struct AuthoritiesPage {
    pub(super) w: Words,
    pub(super) frame: AdminFrame,
    pub(super) rows: Vec<AuthorityRow>,
}

#[derive(Template)]
#[template(path = "admin/authority.html")]
pub(super) struct AuthorityPage {
    pub(super) w: Words,
    pub(super) frame: AdminFrame,
    pub(super) state: Chip,
    pub(super) facts: Vec<Fact>,
    pub(super) crl: Option<Vec<Fact>>,
    pub(super) signer: Option<Vec<Fact>>,
    pub(super) signs_answers: bool,
    pub(super) addresses: Vec<Fact>,
    pub(super) pem: Option<String>,
}

struct Ground {
    authority: Authority,
    issuer: Option<Authority>,
    crl: Option<IssuedCrl>,
    signer: Option<Certificate>,
}

/// `GET /console/authorities`
pub async fn list_authorities(granted: Granted<ViewRegistry>) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    platform_only(&permit)?;
    let found = visit
        .run(|env| {
            env.store.read(|tx| {
                let all = tx.list_authorities()?;
                all.into_iter()
                    .map(|authority| {
                        let crl = tx.latest_crl(&authority.id)?;
                        Ok::<_, StoreError>((authority, crl))
                    })
                    .collect::<Result<Vec<_>, _>>()
            })
        })
        .await?;
    let w = visit.words;
    let rows = found.iter().map(|(authority, crl)| row(w, authority, crl.as_ref(), visit.now));
    html(&AuthoritiesPage {
        w,
        frame: visit.frame(w.t("admin.authorities.title"), Vec::new()),
        rows: rows.collect(),
    })
}

fn row(w: Words, authority: &Authority, crl: Option<&IssuedCrl>, now: Timestamp) -> AuthorityRow {
    AuthorityRow {
        name: authority.name.common_name.to_string(),
        href: format!("/console/authorities/{}", authority.code),
        code: authority.code.to_string(),
        kind: kind(w, authority),
        below: authority.issuer.is_some(),
        state: authority_chip(w, authority),
        expires: format::date(authority.validity.not_after),
        crl: crl
            .and_then(|crl| format::until(w, now, crl.next_update))
            .unwrap_or_else(|| w.t("admin.authorities.no-crl").to_owned()),
    }
}

fn kind(w: Words, authority: &Authority) -> String {
    match authority.kind {
        AuthorityKind::Root => w.t("admin.authorities.root").to_owned(),
        AuthorityKind::Policy => w.t("admin.authorities.policy").to_owned(),
        AuthorityKind::Issuing(level) => w.say("admin.authorities.issuing").with("n", level).text(),
    }
}

/// `GET /console/authorities/{code}`
pub async fn show_authority(
    granted: Granted<ViewRegistry>,
    code: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    platform_only(&permit)?;
    let now = visit.now;
    let found = visit.run(move |env| load(env, &code, now)).await?;
    html(&page(&visit, &found))
}

fn load(env: &Env, code: &str, now: Timestamp) -> Result<Ground, StoreError> {
    env.store.read(|tx| {
        let found = tx.find_authority(code)?;
        let authority = found.ok_or(StoreError::NotFound { what: "authority" })?;
        Ok(Ground {
            issuer: match &authority.issuer {
                Some(id) => Some(tx.load_authority(id)?),
                None => None,
            },
            crl: tx.latest_crl(&authority.id)?,
            signer: tx.current_signer(&authority.id, Profile::OcspSigner, now)?,
            authority,
        })
    })
}

fn page(visit: &Visit, found: &Ground) -> AuthorityPage {
    let w = visit.words;
    let authority = &found.authority;
    let name = authority.name.common_name.to_string();
    let crumbs = vec![
        Crumb::link(w.t("admin.authorities.title"), "/console/authorities"),
        Crumb::here(name.clone()),
    ];
    let parsed = authority.certificate.as_deref().and_then(|der| Parsed::parse(der).ok());
    let public = &visit.env.settings.public_address;
    let mut addresses = vec![
        Fact::mono(w.t("admin.certificate.crl"), public.crl(&authority.code)),
        Fact::mono(w.t("admin.certificate.ca-file"), public.certificate(&authority.code)),
    ];
    let signs_answers = authority.kind.level().is_some();
    if signs_answers {
        addresses
            .insert(0, Fact::mono(w.t("admin.certificate.ocsp"), public.ocsp(&authority.code)));
    }
    AuthorityPage {
        w,
        frame: visit.frame(&name, crumbs),
        state: authority_chip(w, authority),
        facts: facts(w, found, parsed.as_ref()),
        crl: found.crl.as_ref().map(|crl| crl_facts(w, crl, visit.now)),
        signer: found.signer.as_ref().map(|signer| signer_facts(w, signer, visit.now)),
        signs_answers,
        addresses,
        pem: parsed.as_ref().map(Parsed::to_pem),
    }
}

fn facts(w: Words, found: &Ground, parsed: Option<&Parsed>) -> Vec<Fact> {
    let authority = &found.authority;
    let mut facts = vec![
        Fact::new(w.t("admin.authority.kind"), kind(w, authority)),
        Fact::mono(w.t("admin.authority.code"), authority.code.as_str()),
        Fact::new(w.t("admin.authority.generation"), authority.generation.to_string()),
    ];
    if let Some(issuer) = &found.issuer {
        let href = format!("/console/authorities/{}", issuer.code);
        let name = issuer.name.common_name.as_str();
        facts.push(Fact::link(w.t("admin.certificate.issuer"), name, href));
    }
    facts.push(Fact::new(w.t("admin.certificate.key"), authority.algorithm.name()));
    facts.push(Fact::mono(
        w.t("admin.certificate.serial"),
        format::grouped(&authority.serial.to_string()),
    ));
    let validity = authority.validity;
    facts.push(Fact::new(w.t("admin.certificate.from"), format::date_time(validity.not_before)));
    facts.push(Fact::new(w.t("admin.certificate.until"), format::date_time(validity.not_after)));
    if let Some(parsed) = parsed {
        facts.push(Fact::mono(
            w.t("admin.certificate.sha256"),
            format::grouped(&hex::encode(parsed.sha256())),
        ));
    }
    facts
}

fn crl_facts(w: Words, crl: &IssuedCrl, now: Timestamp) -> Vec<Fact> {
    let left = format::until(w, now, crl.next_update);
    let next = match left {
        Some(left) => w
            .say("admin.authority.next-in")
            .with("time", format::date_time(crl.next_update))
            .with("left", left)
            .text(),
        None => w
            .say("admin.authority.next-over")
            .with("time", format::date_time(crl.next_update))
            .text(),
    };
    vec![
        Fact::new(w.t("admin.authority.crl-number"), format::number(crl.number)),
        Fact::new(w.t("admin.authority.crl-entries"), format::number(crl.entries)),
        Fact::new(w.t("admin.authority.crl-issued"), format::date_time(crl.this_update)),
        Fact::new(w.t("admin.authority.crl-next"), next),
        Fact::new(w.t("admin.authority.crl-size"), format::size(w, crl.der.len())),
    ]
}

fn signer_facts(w: Words, signer: &Certificate, now: Timestamp) -> Vec<Fact> {
    let left = format::until(w, now, signer.validity.not_after).unwrap_or_default();
    vec![
        Fact::link(
            w.t("admin.certificate.serial"),
            format::grouped(&signer.serial.to_string()),
            certificate_href(signer),
        ),
        Fact::new(w.t("admin.certificate.from"), format::date_time(signer.validity.not_before)),
        Fact::new(
            w.t("admin.certificate.until"),
            w.say("admin.authority.next-in")
                .with("time", format::date_time(signer.validity.not_after))
                .with("left", left)
                .text(),
        ),
    ]
}
