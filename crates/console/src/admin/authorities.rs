//! Certificate authorities: the tree, and one authority with what it publishes.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::web::Path;
use askama::Template;
use tenkoku_domain::access::{Act, Permission, Permit, Scope, ViewRegistry};
use tenkoku_domain::audit::IssuedCrl;
use tenkoku_domain::authority::{Authority, AuthorityKind, Custody};
use tenkoku_domain::certificate::{Certificate, Profile};
use tenkoku_domain::key::Key;
use tenkoku_domain::organisation::Organisation;
use tenkoku_domain::origin::KeyEvidence;
use tenkoku_domain::time::Timestamp;
use tenkoku_pki::cert::Certificate as Parsed;
use tenkoku_ports::Env;
use tenkoku_store::StoreError;

use super::acts::Deed;
use super::names::{self, certificate_href, organisation_href};
use super::origin::evidence_facts;
use super::tree::Tree;
use super::views::{Fact, authority_chip, certificate_chip, html};
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
    pub(super) generation: i32,
    pub(super) state: Chip,
    pub(super) custody: String,
    pub(super) expires: String,
    pub(super) crl: String,
}

/// One box of the picture.
pub(super) struct TreeBox {
    pub(super) x: i64,
    pub(super) y: i64,
    pub(super) class: &'static str,
    pub(super) code: String,
    pub(super) kind: String,
    pub(super) state: Chip,
}

/// The picture with its words.
pub(super) struct Picture {
    pub(super) tree: Tree,
    pub(super) boxes: Vec<TreeBox>,
}

#[derive(Template)]
#[template(path = "admin/authorities.html")]
pub(super) struct AuthoritiesPage {
    pub(super) w: Words,
    pub(super) frame: AdminFrame,
    pub(super) picture: Picture,
    pub(super) rows: Vec<AuthorityRow>,
    pub(super) operates: bool,
    pub(super) sees_ceremonies: bool,
}

/// A certificate over the key of an authority, with its files.
pub(super) struct OwnCertificate {
    pub(super) profile: String,
    pub(super) by: String,
    pub(super) href: String,
    pub(super) pem: String,
    pub(super) cer: String,
    pub(super) state: Chip,
    pub(super) expires: String,
}

/// Something that can be done with an authority in its state.
pub(super) struct Choice {
    pub(super) href: String,
    pub(super) label: String,
    pub(super) hint: String,
    pub(super) dangerous: bool,
}

#[derive(Template)]
#[template(path = "admin/authority.html")]
pub(super) struct AuthorityPage {
    pub(super) w: Words,
    pub(super) frame: AdminFrame,
    pub(super) state: Chip,
    pub(super) facts: Vec<Fact>,
    pub(super) certificates: Vec<OwnCertificate>,
    pub(super) served: Vec<Fact>,
    pub(super) choices: Vec<Choice>,
    pub(super) offline: bool,
    pub(super) code: String,
    pub(super) crl: Option<Vec<Fact>>,
    pub(super) signer: Option<Vec<Fact>>,
    pub(super) signs_answers: bool,
    pub(super) addresses: Vec<Fact>,
    pub(super) pem: Option<String>,
}

struct Ground {
    authority: Authority,
    all: Vec<Authority>,
    key: Key,
    evidence: Vec<KeyEvidence>,
    signer_evidence: Vec<KeyEvidence>,
    certificates: Vec<Certificate>,
    open: BTreeMap<String, i64>,
    branches: i64,
    dedicated: Option<Organisation>,
    policy: String,
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
    let rows = rows.collect();
    let all: Vec<Authority> = found.into_iter().map(|(authority, _)| authority).collect();
    html(&AuthoritiesPage {
        w,
        frame: visit.frame(w.t("admin.authorities.title"), Vec::new()),
        picture: picture(w, &all),
        rows,
        operates: visit.may(Permission::OperateAuthority),
        sees_ceremonies: visit.may(Permission::ViewAudit),
    })
}

fn row(w: Words, authority: &Authority, crl: Option<&IssuedCrl>, now: Timestamp) -> AuthorityRow {
    AuthorityRow {
        name: authority.name.common_name.to_string(),
        href: href(authority),
        code: authority.code.to_string(),
        kind: kind(w, authority),
        below: authority.issuer.is_some(),
        generation: authority.generation,
        state: authority_chip(w, authority),
        custody: w.word("admin.custody", authority.custody.word()).to_owned(),
        expires: format::date(authority.validity.not_after),
        crl: crl
            .and_then(|crl| format::until(w, now, crl.next_update))
            .unwrap_or_else(|| w.t("admin.authorities.no-crl").to_owned()),
    }
}

fn picture(w: Words, all: &[Authority]) -> Picture {
    let tree = Tree::of(all);
    let boxes = tree.nodes.iter().filter_map(|node| {
        let authority = all.get(node.index)?;
        let generation = w.say("admin.tree.generation").with("n", authority.generation).text();
        Some(TreeBox {
            x: node.x,
            y: node.y,
            class: match (authority.custody, authority.kind) {
                (Custody::Offline, _) => "node node--ghost",
                (Custody::Online, AuthorityKind::Root) => "node node--here",
                (Custody::Online, _) => "node",
            },
            code: authority.code.to_string(),
            kind: match (authority.kind, &authority.dedicated) {
                (AuthorityKind::Issuing(level), Some(_)) => {
                    w.say("admin.tree.dedicated").with("n", level).text()
                }
                (AuthorityKind::Issuing(level), None) => {
                    w.say("admin.tree.level").with("n", level).text()
                }
                (AuthorityKind::Root, _) => w.t("admin.tree.root").to_owned(),
                (AuthorityKind::Policy, _) => w.t("admin.tree.policy").to_owned(),
                (AuthorityKind::Service(service), _) => {
                    w.word("admin.tree", service.word()).to_owned()
                }
            } + &generation,
            state: match authority.custody {
                Custody::Online => authority_chip(w, authority),
                Custody::Offline => {
                    let Chip { tone, label } = authority_chip(w, authority);
                    let offline = w.say("admin.tree.offline").with("state", label).text();
                    Chip { tone, label: offline }
                }
            },
        })
    });
    Picture { boxes: boxes.collect(), tree }
}

/// The page of an authority.
pub(super) fn href(authority: &Authority) -> String {
    format!("/console/authorities/{}", authority.code)
}

/// The kind of an authority, in words.
pub(super) fn kind(w: Words, authority: &Authority) -> String {
    match authority.kind {
        AuthorityKind::Root => w.t("admin.authorities.root").to_owned(),
        AuthorityKind::Policy => w.t("admin.authorities.policy").to_owned(),
        AuthorityKind::Issuing(level) => w.say("admin.authorities.issuing").with("n", level).text(),
        AuthorityKind::Service(service) => w.word("admin.authorities", service.word()).to_owned(),
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
        let signer = tx.current_signer(&authority.id, Profile::OcspSigner, now)?;
        Ok(Ground {
            all: tx.list_authorities()?,
            key: tx.load_key(&authority.key)?,
            evidence: tx.origin_of_key(&authority.key)?,
            signer_evidence: match &signer {
                Some(signer) => tx.origin_of_key(&signer.key)?,
                None => Vec::new(),
            },
            certificates: tx.certificates_of_key(&authority.key)?,
            open: tx.open_certificates(&authority.id, &authority.key, now)?,
            branches: tx.count_served_branches(&authority.id, now)?,
            dedicated: match &authority.dedicated {
                Some(id) => Some(tx.load_organisation(&Scope::Platform, id)?),
                None => None,
            },
            policy: tx.current_policy(now)?.version,
            crl: tx.latest_crl(&authority.id)?,
            signer,
            authority,
        })
    })
}

impl Ground {
    fn of(&self, id: Option<&tenkoku_domain::id::AuthorityId>) -> Option<&Authority> {
        self.all.iter().find(|one| Some(&one.id) == id)
    }

    fn successor(&self) -> Option<&Authority> {
        self.all.iter().find(|one| one.predecessor.as_ref() == Some(&self.authority.id))
    }
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
        certificates: found.certificates.iter().map(|one| own(visit, found, one)).collect(),
        served: served(w, found),
        choices: choices(visit, found),
        offline: authority.custody == Custody::Offline,
        code: authority.code.to_string(),
        crl: found.crl.as_ref().map(|crl| crl_facts(w, crl, visit.now)),
        signer: found.signer.as_ref().map(|signer| {
            let mut facts = signer_facts(w, signer, visit.now);
            facts.extend(evidence_facts(w, &found.signer_evidence));
            facts
        }),
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
    let others = [
        (w.t("admin.certificate.issuer"), found.of(authority.issuer.as_ref())),
        (w.t("admin.authority.predecessor"), found.of(authority.predecessor.as_ref())),
        (w.t("admin.authority.successor"), found.successor()),
    ];
    for (label, other) in others {
        if let Some(other) = other {
            facts.push(Fact::link(label, other.name.common_name.as_str(), href(other)));
        }
    }
    if let Some(organisation) = &found.dedicated {
        let name = names::organisation(w, organisation).name;
        let href = organisation_href(&organisation.id);
        facts.push(Fact::link(w.t("admin.authority.dedicated"), name, href));
    }
    facts.push(Fact::new(
        w.t("admin.authority.custody"),
        w.word("admin.custody", authority.custody.word()),
    ));
    facts.push(Fact::new(w.t("admin.certificate.key"), authority.algorithm.name()));
    facts.push(Fact::mono(
        w.t("admin.certificate.serial"),
        format::grouped(&authority.serial.to_string()),
    ));
    facts.push(Fact::mono(
        w.t("admin.certificate.key-fingerprint"),
        format::grouped(&found.key.fingerprint.to_string()),
    ));
    if authority.custody == Custody::Online {
        let origin = w.word("admin.origin", found.key.origin.word());
        facts.push(Fact::new(w.t("admin.application.origin"), origin));
        facts.extend(evidence_facts(w, &found.evidence));
    }
    let validity = authority.validity;
    facts.push(Fact::new(w.t("admin.certificate.from"), format::date_time(validity.not_before)));
    facts.push(Fact::new(w.t("admin.certificate.until"), format::date_time(validity.not_after)));
    if let Some(parsed) = parsed {
        facts.push(Fact::mono(
            w.t("admin.certificate.sha256"),
            format::grouped(&hex::encode(parsed.sha256())),
        ));
    }
    facts.push(Fact::new(w.t("admin.authority.policy"), found.policy.as_str()));
    facts
}

fn own(visit: &Visit, found: &Ground, one: &Certificate) -> OwnCertificate {
    let w = visit.words;
    let by = found.of(Some(&one.authority));
    let code = by.map(|by| by.code.to_string()).unwrap_or_default();
    let base = certificate_href(one);
    OwnCertificate {
        profile: w.word("admin.profile", one.profile.word()).to_owned(),
        by: by.map(|by| by.name.common_name.to_string()).unwrap_or_default(),
        href: format!("{base}?authority={code}"),
        pem: format!("{base}/certificate.pem?authority={code}"),
        cer: format!("{base}/certificate.cer?authority={code}"),
        state: certificate_chip(w, one, visit.now),
        expires: format::date(one.validity.not_after),
    }
}

fn served(w: Words, found: &Ground) -> Vec<Fact> {
    let mut facts: Vec<Fact> = found
        .open
        .iter()
        .map(|(profile, n)| Fact::new(w.word("admin.profile", profile), format::number(*n)))
        .collect();
    if found.branches > 0 {
        facts.push(Fact::new(w.t("admin.authority.branches"), format::number(found.branches)));
    }
    facts
}

/// What the person may do with an authority in its state. What would be refused is not offered.
fn choices(visit: &Visit, found: &Ground) -> Vec<Choice> {
    if !visit.may(Permission::OperateAuthority) {
        return Vec::new();
    }
    let w = visit.words;
    Deed::offered(&found.authority, &found.all)
        .into_iter()
        .map(|deed| Choice {
            href: format!("{}/{}", href(&found.authority), deed.word()),
            label: w.word("admin.deed", deed.word()).to_owned(),
            hint: w.word("admin.deed-hint", deed.word()).to_owned(),
            dangerous: deed.is_final(),
        })
        .collect()
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
        Fact::new(
            w.t("admin.authority.crl-size"),
            format::size(w, usize::try_from(crl.octets).unwrap_or_default()),
        ),
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
