//! One certificate of a seal, as relying parties see it: whose, until when, and how it stands.

use actix_web::HttpResponse;
use actix_web::web::Path;
use askama::Template;
use tenkoku_domain::access::Scope;
use tenkoku_domain::authority::Authority;
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::certificate::{Certificate, CertificateState, Serial};
use tenkoku_domain::time::Timestamp;
use tenkoku_ports::Env;
use tenkoku_store::{StoreError, Tx};

use super::{Reader, pem};
use crate::format;
use crate::layout::{Chip, Crumb, PublicFrame, Tone};
use crate::problem::Problem;
use crate::text::Words;

/// A certificate of a seal with everything around it.
pub(super) struct CertificateView {
    pub(super) organisation: String,
    pub(super) organisation_latin: Option<String>,
    pub(super) identifier: String,
    pub(super) branch: String,
    pub(super) branch_latin: Option<String>,
    pub(super) branch_code: String,
    pub(super) state: Chip,
    pub(super) sentence: String,
    pub(super) level: String,
    pub(super) serial: String,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) sealing_until: Option<String>,
    pub(super) issuer: String,
    pub(super) issuer_code: String,
    pub(super) root: Option<String>,
    pub(super) sha256: String,
    pub(super) ocsp: String,
    pub(super) crl: String,
    pub(super) scheme: Option<String>,
}

#[derive(Template)]
#[template(path = "public/certificate.html")]
pub(super) struct CertificatePage {
    pub(super) w: Words,
    pub(super) frame: PublicFrame,
    pub(super) crumbs: Vec<Crumb>,
    pub(super) c: CertificateView,
}

/// Whether relying parties may see it: a seal's, and signed.
pub fn is_public(certificate: &Certificate) -> bool {
    certificate.seal.is_some() && certificate.der.is_some()
}

/// How a certificate stands, in a word.
pub fn state(w: Words, certificate: &Certificate, now: Timestamp) -> Chip {
    let (tone, word) = match &certificate.state {
        CertificateState::Revoked(_) => (Tone::Bad, "revoked"),
        _ if certificate.is_expired(now) => (Tone::Mute, "expired"),
        CertificateState::Held(_) | CertificateState::Suspended(_) => (Tone::Warn, "suspended"),
        CertificateState::Retired => (Tone::Info, "retired"),
        CertificateState::Issued | CertificateState::Active
            if now < certificate.validity.not_before =>
        {
            (Tone::Info, "not-yet")
        }
        CertificateState::Issued | CertificateState::Active => (Tone::Ok, "valid"),
        CertificateState::Pending => (Tone::Mute, "pending"),
    };
    Chip::new(tone, w.word("seal.state", word))
}

/// The same in a sentence.
fn sentence(w: Words, certificate: &Certificate, now: Timestamp) -> String {
    let end = format::long_date(w, certificate.validity.not_after);
    let revocation = certificate.state.revocation();
    let cause = revocation.map_or("", |r| w.word("seal.cause", r.cause.word()));
    let at = revocation.map_or_else(String::new, |r| format::long_date_time(w, r.at));
    match &certificate.state {
        CertificateState::Revoked(_) => {
            w.say("seal.revoked").with("date", at).with("cause", cause).text()
        }
        _ if certificate.is_expired(now) => w.say("seal.expired").with("date", end).text(),
        CertificateState::Held(_) | CertificateState::Suspended(_) => {
            w.say("seal.suspended").with("date", at).text()
        }
        CertificateState::Pending
        | CertificateState::Issued
        | CertificateState::Active
        | CertificateState::Retired => match certificate.sealing_not_after {
            Some(last) if last < now => w.say("seal.no-longer").with("date", end).text(),
            Some(last) => w
                .say("seal.may-seal")
                .with("last", format::long_date(w, last))
                .with("date", end)
                .text(),
            None => w.say("seal.valid").with("date", end).text(),
        },
    }
}

fn load(
    tx: &mut Tx<'_>,
    code: &str,
    serial: &str,
) -> Result<Option<(Authority, Certificate)>, StoreError> {
    let (Some(authority), Ok(serial)) = (tx.find_authority(code)?, Serial::parse(serial)) else {
        return Ok(None);
    };
    let found = tx.find_certificate(&Scope::Platform, &authority.id, &serial)?;
    Ok(found.filter(is_public).map(|certificate| (authority, certificate)))
}

fn view(
    tx: &mut Tx<'_>,
    env: &Env,
    w: Words,
    (authority, certificate): (&Authority, &Certificate),
    now: Timestamp,
) -> Result<CertificateView, StoreError> {
    let missing = StoreError::NotFound { what: "certificate" };
    let seal = certificate.seal.as_ref().ok_or(missing)?;
    let organisation = tx.load_organisation(&Scope::Platform, &seal.organisation)?;
    let branch = tx.load_branch(&Scope::Platform, &seal.branch)?;
    let root = authority.issuer.as_ref().map(|id| tx.load_authority(id)).transpose()?;
    let scheme = tx.latest_list(&env.settings.scheme.code)?.map(|list| list.scheme);
    let level = authority.kind.level().map_or_else(String::new, |level| level.to_string());
    let public = &env.settings.public_address;
    Ok(CertificateView {
        organisation: organisation.legal_name.to_string(),
        organisation_latin: organisation.latin_name.map(|name| name.to_string()),
        identifier: organisation.identifier.to_string(),
        branch: branch.name.to_string(),
        branch_latin: branch.latin_name.map(|name| name.to_string()),
        branch_code: branch.code.to_string(),
        state: state(w, certificate, now),
        sentence: sentence(w, certificate, now),
        level: w.word("seal.level", &level).to_owned(),
        serial: certificate.serial.to_string(),
        from: format::date_time(certificate.validity.not_before),
        to: format::date_time(certificate.validity.not_after),
        sealing_until: certificate.sealing_not_after.map(format::date_time),
        issuer: authority.name.common_name.to_string(),
        issuer_code: authority.code.to_string(),
        root: root.map(|root| root.name.common_name.to_string()),
        sha256: Digest::of(certificate.der.as_deref().unwrap_or_default()).to_string(),
        ocsp: public.ocsp(&authority.code),
        crl: public.crl(&authority.code),
        scheme,
    })
}

/// `GET /find/certificate/{authority}/{serial}`
pub async fn show(reader: Reader, path: Path<(String, String)>) -> Result<HttpResponse, Problem> {
    let w = reader.words;
    let (code, serial) = path.into_inner();
    let found = reader
        .read(move |tx, env, now| {
            let Some((authority, certificate)) = load(tx, &code, &serial)? else {
                return Ok(None);
            };
            view(tx, env, w, (&authority, &certificate), now).map(Some)
        })
        .await?;
    let c = found.ok_or_else(Problem::not_found)?;
    let title = format!("{} {}", c.organisation, c.branch);
    let crumbs = vec![
        Crumb::link(w.t("find.title"), "/find"),
        Crumb::link(c.organisation.clone(), format!("/find/organisation/{}", c.identifier)),
        Crumb::here(c.branch.clone()),
    ];
    reader.show(&CertificatePage { w, frame: reader.frame(&title), crumbs, c })
}

/// `GET /find/certificate/{authority}/{serial}.pem`
pub async fn load_pem(
    reader: Reader,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let (code, serial) = path.into_inner();
    let found = reader.read(move |tx, _, _| load(tx, &code, &serial)).await?;
    let (_, certificate) = found.ok_or_else(Problem::not_found)?;
    let der = certificate.der.as_deref().ok_or_else(Problem::not_found)?;
    Ok(pem(&certificate.serial.to_string(), der))
}
