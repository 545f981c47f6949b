//! Certificates: search, one certificate in plain words first and its fields last, downloads.

use actix_web::HttpResponse;
use actix_web::web::{Path, Query};
use askama::Template;
use serde::Deserialize;
use tenkoku_ca::suspend::RELEASE;
use tenkoku_domain::access::{Permission, Scope, ViewRegistry};
use tenkoku_domain::approval::{ApprovalRequest, ApprovalState};
use tenkoku_domain::audit::ObjectRef;
use tenkoku_domain::authority::Authority;
use tenkoku_domain::branch::Branch;
use tenkoku_domain::certificate::{Certificate, CertificateState, Serial};
use tenkoku_domain::organisation::Organisation;
use tenkoku_domain::time::Timestamp;
use tenkoku_pki::cert::Certificate as Parsed;
use tenkoku_pki::oid;
use tenkoku_store::{CertificateFilter, StoreError, Tx};

use super::approvals::places_text;
use super::imprints::{Preview, preview};
use super::life::hold_links;
use super::names::{self, application_href, branch_href, certificate_href, organisation_href};
use super::views::{Fact, ROWS, attachment, certificate_chip, html, next_page};
use crate::format;
use crate::granted::{Granted, Visit};
use crate::layout::{AdminFrame, Chip, Crumb};
use crate::problem::Problem;
use crate::text::Words;

pub(super) struct CertificateRow {
    pub(super) name: String,
    pub(super) lang: &'static str,
    pub(super) href: String,
    pub(super) serial: String,
    pub(super) profile: String,
    pub(super) state: Chip,
    pub(super) issued: String,
    pub(super) expires: String,
}

/// Certificates as rows of a table.
pub(super) fn rows(w: Words, found: &[Certificate], now: Timestamp) -> Vec<CertificateRow> {
    let row = |one: &Certificate| CertificateRow {
        name: one.common_name.clone(),
        lang: names::script(&one.common_name),
        href: certificate_href(one),
        serial: format::grouped(&one.serial.to_string()),
        profile: w.word("admin.profile", one.profile.word()).to_owned(),
        state: certificate_chip(w, one, now),
        issued: format::date(one.validity.not_before),
        expires: format::date(one.validity.not_after),
    };
    found.iter().map(row).collect()
}

/// States that the list can be narrowed to.
const STATES: [&str; 3] = ["active", "suspended", "revoked"];

#[derive(Template)]
#[template(path = "admin/certificates.html")]
pub(super) struct CertificatesPage {
    pub(super) w: Words,
    pub(super) frame: AdminFrame,
    pub(super) q: String,
    pub(super) states: Vec<(&'static str, String, bool)>,
    pub(super) narrowed: bool,
    pub(super) rows: Vec<CertificateRow>,
    pub(super) next: Option<String>,
}

/// What certificates are looked for by.
#[derive(Debug, Deserialize)]
pub struct CertificateQuery {
    #[serde(default)]
    q: String,
    #[serde(default)]
    state: String,
    after: Option<String>,
}

/// `GET /console/certificates`
pub async fn list_certificates(
    granted: Granted<ViewRegistry>,
    query: Query<CertificateQuery>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let CertificateQuery { q, state, after } = query.into_inner();
    let chosen = STATES.into_iter().find(|known| *known == state);
    let filter =
        CertificateFilter { search: wanted(&q), organisation: None, branch: None, state: chosen };
    let found = visit
        .run(move |env| {
            env.store
                .read(|tx| tx.list_certificates(permit.scope(), &filter, after.as_deref(), ROWS))
        })
        .await?;
    let w = visit.words;
    let query = [("q", q.as_str()), ("state", chosen.unwrap_or_default())];
    html(&CertificatesPage {
        w,
        frame: visit.frame(w.t("admin.certificates.title"), Vec::new()),
        states: STATES
            .into_iter()
            .map(|state| {
                let label = w.word("admin.certificates-filter", state).to_owned();
                (state, label, chosen == Some(state))
            })
            .collect(),
        next: next_page("/console/certificates", &query, found.next.as_ref()),
        narrowed: !q.trim().is_empty() || chosen.is_some(),
        rows: rows(w, &found.items, visit.now),
        q,
    })
}

/// A serial number is looked for as it is stored, however it was written; a name as it was typed.
pub(super) fn wanted(q: &str) -> String {
    let digits: String = q.chars().filter(|c| !c.is_whitespace() && *c != ':').collect();
    let hexadecimal = digits.len() >= 4 && digits.chars().all(|c| c.is_ascii_hexdigit());
    if hexadecimal { digits.to_ascii_uppercase() } else { q.trim().to_owned() }
}

/// A certificate with everything its page says.
pub(super) struct Found {
    pub(super) certificate: Certificate,
    pub(super) authority: Authority,
    pub(super) holder: Option<(Organisation, Branch)>,
}

/// Which of several certificates of one serial number is meant.
#[derive(Debug, Default, Deserialize)]
pub struct AuthorityQuery {
    /// The code of the authority.
    pub authority: Option<String>,
}

/// The certificate of a serial number within a scope. Two authorities may have given the same
/// number: then the authority must be named (AB-1).
pub(super) fn find(
    tx: &mut Tx<'_>,
    scope: &Scope,
    serial: &Serial,
    authority: Option<&str>,
) -> Result<Found, StoreError> {
    const MISSING: StoreError = StoreError::NotFound { what: "certificate" };
    let mut found = Vec::new();
    for certificate in tx.find_certificates_by_serial(scope, serial)? {
        let issuer = tx.load_authority(&certificate.authority)?;
        if authority.is_none_or(|code| issuer.code.as_str() == code) {
            found.push((certificate, issuer));
        }
    }
    let (Some((certificate, authority)), true) = (found.pop(), found.is_empty()) else {
        return Err(MISSING);
    };
    let holder = match &certificate.seal {
        Some(seal) => Some((
            tx.load_organisation(scope, &seal.organisation)?,
            tx.load_branch(scope, &seal.branch)?,
        )),
        None => None,
    };
    Ok(Found { certificate, authority, holder })
}

/// Reads a serial number from an address.
pub(super) fn serial(text: &str) -> Result<Serial, Problem> {
    Serial::parse(text).map_err(|_| Problem::not_found())
}

#[derive(Template)]
#[template(path = "admin/certificate.html")]
pub(super) struct CertificatePage {
    pub(super) w: Words,
    pub(super) frame: AdminFrame,
    pub(super) sentence: String,
    pub(super) state: Chip,
    pub(super) facts: Vec<Fact>,
    /// Of the holder's imprint, where the certificate is one of a seal.
    pub(super) imprint: Option<Preview>,
    pub(super) fields: Vec<Fact>,
    pub(super) pem: Option<String>,
    pub(super) href: String,
    pub(super) revoke: Option<String>,
    pub(super) history: Option<String>,
    /// What may be done about a hold: label and address.
    pub(super) holds: Vec<(String, String)>,
}

/// `GET /console/certificates/{serial}`
pub async fn show_certificate(
    granted: Granted<ViewRegistry>,
    path: Path<String>,
    query: Query<AuthorityQuery>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let (wanted, authority) = (serial(&path)?, query.into_inner().authority);
    let (found, release) = visit
        .run(move |env| {
            env.store.read(|tx| {
                let found = find(tx, permit.scope(), &wanted, authority.as_deref())?;
                let object = ObjectRef::new(RELEASE, &found.certificate.id);
                let request = tx.find_approval_request(&object)?;
                Ok::<_, StoreError>((found, request))
            })
        })
        .await?;
    let release = release.filter(|one| one.state == ApprovalState::Open);
    html(&page(&visit, &found, release.as_ref()))
}

fn page(visit: &Visit, found: &Found, release: Option<&ApprovalRequest>) -> CertificatePage {
    let (w, now) = (visit.words, visit.now);
    let certificate = &found.certificate;
    let title = holder_name(w, found);
    let crumbs = vec![
        Crumb::link(w.t("admin.certificates.title"), "/console/certificates"),
        Crumb::here(title.clone()),
    ];
    let parsed = certificate.der.as_deref().and_then(|der| Parsed::parse(der).ok());
    let href = certificate_href(certificate);
    let may_revoke = visit.may(Permission::Revoke)
        && certificate.seal.is_some()
        && !matches!(certificate.state, CertificateState::Revoked(_))
        && !certificate.is_expired(now);
    CertificatePage {
        w,
        frame: visit.frame(&title, crumbs),
        sentence: sentence(w, found, now),
        state: certificate_chip(w, certificate, now),
        facts: facts(visit, found).into_iter().chain(release.map(|one| waiting(w, one))).collect(),
        imprint: found.holder.as_ref().map(|(whole, branch)| preview(w, whole, branch)),
        fields: parsed.as_ref().map_or_else(Vec::new, |parsed| fields(w, parsed)),
        pem: parsed.as_ref().map(Parsed::to_pem),
        holds: hold_links(visit, found),
        revoke: may_revoke.then(|| format!("{href}/revoke?authority={}", found.authority.code)),
        history: visit
            .may(Permission::ViewAudit)
            .then(|| format!("/console/audit?about=certificate/{}", certificate.id)),
        href,
    }
}

/// That the end of the hold was asked for, and waits for officers.
fn waiting(w: Words, request: &ApprovalRequest) -> Fact {
    let given = places_text(w, request);
    let said = w.say("admin.life.release-asked").with("given", given);
    let said = said.with("date", format::date(request.opened_at)).text();
    Fact::link(w.t("admin.life.release"), said, format!("/console/approvals/{}", request.id))
}

/// What the certificate means, in one sentence (UX 4.8).
pub(super) fn sentence(w: Words, found: &Found, now: Timestamp) -> String {
    let certificate = &found.certificate;
    let holder = holder_name(w, found);
    let until = format::long_date(w, certificate.validity.not_after);
    let sealing = certificate.sealing_not_after.unwrap_or(certificate.validity.not_after);
    let said = match &certificate.state {
        CertificateState::Revoked(revocation) => w
            .say("admin.certificate.sentence-revoked")
            .with("date", format::long_date_time(w, revocation.at))
            .with("cause", w.word("admin.cause", revocation.cause.word())),
        _ if certificate.is_expired(now) => {
            w.say("admin.certificate.sentence-expired").with("date", &until)
        }
        CertificateState::Pending => w.say("admin.certificate.sentence-pending"),
        CertificateState::Held(suspension) | CertificateState::Suspended(suspension) => w
            .say("admin.certificate.sentence-suspended")
            .with("date", format::long_date_time(w, suspension.at)),
        CertificateState::Issued | CertificateState::Active | CertificateState::Retired
            if certificate.seal.is_none() =>
        {
            w.say("admin.certificate.sentence-service").with("until", &until)
        }
        CertificateState::Retired => {
            w.say("admin.certificate.sentence-retired").with("until", &until)
        }
        CertificateState::Issued | CertificateState::Active => w
            .say("admin.certificate.sentence-valid")
            .with("sealing", format::long_date(w, sealing))
            .with("until", &until),
    };
    said.with("holder", holder).text()
}

/// The holder in words: branch and organisation, or the common name of a service.
pub(super) fn holder_name(w: Words, found: &Found) -> String {
    match &found.holder {
        Some((organisation, branch)) => w
            .say("admin.certificate.holder-name")
            .with("organisation", names::organisation(w, organisation).name)
            .with("branch", names::branch(w, branch).name)
            .text(),
        None => found.certificate.common_name.clone(),
    }
}

fn facts(visit: &Visit, found: &Found) -> Vec<Fact> {
    let w = visit.words;
    let Found { certificate, authority, holder } = found;
    let mut facts = Vec::new();
    if let Some((organisation, branch)) = holder {
        facts.push(Fact::link(
            w.t("admin.certificate.organisation"),
            names::organisation(w, organisation).name,
            organisation_href(&organisation.id),
        ));
        facts.push(Fact::link(
            w.t("admin.certificate.branch"),
            names::branch(w, branch).name,
            branch_href(&organisation.id, &branch.id),
        ));
    }
    facts.push(Fact::new(
        w.t("admin.certificate.profile"),
        w.word("admin.profile", certificate.profile.word()),
    ));
    let (label, issuer) = (w.t("admin.certificate.issuer"), authority.name.common_name.as_str());
    // Authorities are the platform's; nobody else is led there.
    facts.push(if visit.sees_platform() {
        Fact::link(label, issuer, format!("/console/authorities/{}", authority.code))
    } else {
        Fact::new(label, issuer)
    });
    facts.push(Fact::mono(
        w.t("admin.certificate.serial"),
        format::grouped(&certificate.serial.to_string()),
    ));
    let validity = certificate.validity;
    facts.push(Fact::new(w.t("admin.certificate.from"), format::date_time(validity.not_before)));
    if let Some(sealing) = certificate.sealing_not_after {
        facts.push(Fact::new(w.t("admin.certificate.sealing"), format::date_time(sealing)));
    }
    facts.push(Fact::new(w.t("admin.certificate.until"), format::date_time(validity.not_after)));
    if let Some(revocation) = certificate.state.revocation() {
        facts
            .push(Fact::new(w.t("admin.certificate.revoked-at"), format::date_time(revocation.at)));
        let cause = format!(
            "{} ({})",
            w.word("admin.cause", revocation.cause.word()),
            revocation.cause.reason().name()
        );
        facts.push(Fact::new(w.t("admin.certificate.cause"), cause));
        if let Some(since) = revocation.invalid_since {
            facts.push(Fact::new(w.t("admin.certificate.since"), format::date_time(since)));
        }
    }
    if let Some(seal) = &certificate.seal {
        facts.push(Fact::link(
            w.t("admin.certificate.application"),
            seal.application.as_str(),
            application_href(&seal.application),
        ));
    }
    facts
}

/// The fields of the certificate itself.
fn fields(w: Words, parsed: &Parsed) -> Vec<Fact> {
    let mut fields = vec![
        Fact::mono(w.t("admin.certificate.subject"), parsed.subject().to_string()),
        Fact::mono(w.t("admin.certificate.issuer-name"), parsed.issuer().to_string()),
    ];
    if let Some(latin) = parsed.alternative_directory_name() {
        fields.push(Fact::mono(w.t("admin.certificate.latin"), latin.to_string()));
    }
    if let Ok(key) = parsed.public_key() {
        fields.push(Fact::new(w.t("admin.certificate.key"), key.algorithm().name()));
        fields.push(Fact::mono(
            w.t("admin.certificate.key-fingerprint"),
            format::grouped(&key.fingerprint().to_string()),
        ));
    }
    fields.push(Fact::mono(
        w.t("admin.certificate.sha256"),
        format::grouped(&hex::encode(parsed.sha256())),
    ));
    let policies: Vec<String> = parsed.policies().iter().map(ToString::to_string).collect();
    let lists = [
        (w.t("admin.certificate.policies"), policies),
        (w.t("admin.certificate.ocsp"), parsed.access_addresses(oid::OCSP)),
        (w.t("admin.certificate.crl"), parsed.crl_addresses()),
        (w.t("admin.certificate.ca-file"), parsed.access_addresses(oid::CA_ISSUERS)),
    ];
    for (label, values) in lists {
        if !values.is_empty() {
            fields.push(Fact::mono(label, values.join(" ")));
        }
    }
    fields
}

/// `GET /console/certificates/{serial}/{file}`: `certificate.pem`, `certificate.cer`, `chain.pem`.
pub async fn download(
    granted: Granted<ViewRegistry>,
    path: Path<(String, String)>,
    query: Query<AuthorityQuery>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let (text, file) = path.into_inner();
    let (wanted, authority) = (serial(&text)?, query.into_inner().authority);
    let (name, number) = (file.clone(), wanted.clone());
    let (content_type, body) = visit
        .run(move |env| {
            let found = env.store.read(|tx| {
                let found = find(tx, permit.scope(), &wanted, authority.as_deref())?;
                let above = chain(tx, &found.authority)?;
                Ok::<_, StoreError>((found, above))
            })?;
            content(&found.0, &found.1, &name)
        })
        .await?;
    Ok(attachment(content_type, &format!("{number}-{file}"), body))
}

/// The certificates above a certificate, up to the root.
fn chain(tx: &mut Tx<'_>, issuer: &Authority) -> Result<Vec<Vec<u8>>, StoreError> {
    let mut above = Vec::new();
    let mut next = Some(issuer.clone());
    while let Some(authority) = next {
        above.extend(authority.certificate.clone());
        next = match &authority.issuer {
            // A hierarchy has two stages; four is more than any.
            Some(id) if above.len() < 4 => Some(tx.load_authority(id)?),
            Some(_) | None => None,
        };
    }
    Ok(above)
}

fn content(
    found: &Found,
    above: &[Vec<u8>],
    file: &str,
) -> Result<(&'static str, Vec<u8>), Problem> {
    let der = found.certificate.der.as_deref().ok_or_else(Problem::not_found)?;
    let pem = |der: &[u8]| tenkoku_pki::pem::encode("CERTIFICATE", der);
    match file {
        "certificate.cer" => Ok(("application/pkix-cert", der.to_vec())),
        "certificate.pem" => Ok(("application/x-pem-file", pem(der).into_bytes())),
        "chain.pem" => {
            let chain: Vec<String> =
                std::iter::once(pem(der)).chain(above.iter().map(|der| pem(der))).collect();
            Ok(("application/x-pem-file", chain.concat().into_bytes()))
        }
        _ => Err(Problem::not_found()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(q: &str, expected: &str) {
        assert_eq!(wanted(q), expected);
    }

    #[test]
    fn serial_numbers_are_found_as_people_write_them() {
        check(" 7f:00 a1:b2 ", "7F00A1B2");
        check("7F00", "7F00");
        check("青葉銀行 札幌", "青葉銀行 札幌");
        check("cafe noir", "cafe noir");
        check("abc", "abc");
    }
}
