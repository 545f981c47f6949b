//! The files of the authority: certificates, CRLs, and the addresses of status answers and lists.

use actix_web::HttpResponse;
use actix_web::web::Path;
use askama::Template;
use tenkoku_domain::audit::IssuedCrl;
use tenkoku_domain::authority::{Authority, AuthorityState};
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::certificate::Profile;
use tenkoku_domain::time::Timestamp;
use tenkoku_ports::Env;
use tenkoku_store::{StoreError, Tx};

use super::status::is_public;
use super::{Reader, pem};
use crate::format;
use crate::layout::{Chip, PublicFrame, Tone};
use crate::problem::Problem;
use crate::text::Words;

/// An authority as the repository shows it.
pub(super) struct AuthorityView {
    pub(super) code: String,
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) state: Chip,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) algorithm: String,
    pub(super) sha256: String,
    pub(super) certificate: String,
    /// Where its status answers are given; a root gives none.
    pub(super) ocsp: Option<String>,
    /// Where the certificates over its key by other roots are.
    pub(super) crosses: Vec<String>,
    pub(super) crl_address: String,
    pub(super) crl: Option<CrlView>,
}

/// A CRL as the repository shows it.
pub(super) struct CrlView {
    pub(super) number: i64,
    pub(super) issued: String,
    pub(super) next: String,
    pub(super) entries: String,
    pub(super) size: String,
    pub(super) state: Chip,
}

#[derive(Template)]
#[template(path = "public/repository.html")]
pub(super) struct RepositoryPage {
    pub(super) w: Words,
    pub(super) frame: PublicFrame,
    pub(super) authorities: Vec<AuthorityView>,
    pub(super) lists: Vec<String>,
}

/// `GET /repository`
pub async fn show_repository(reader: Reader) -> Result<HttpResponse, Problem> {
    let w = reader.words;
    let (authorities, lists) = reader.read(move |tx, env, now| load(tx, env, w, now)).await?;
    let frame = reader.frame(w.t("repository.title"));
    reader.show(&RepositoryPage { w, frame, authorities, lists })
}

fn load(
    tx: &mut Tx<'_>,
    env: &Env,
    w: Words,
    now: Timestamp,
) -> Result<(Vec<AuthorityView>, Vec<String>), StoreError> {
    let mut views = Vec::new();
    for authority in tx.list_authorities()?.into_iter().filter(is_public) {
        let crl = tx.latest_crl(&authority.id)?;
        let crosses = crosses(tx, env, &authority, now)?;
        views.push(AuthorityView { crosses, ..view(env, w, &authority, crl.as_ref(), now) });
    }
    let schemes = tx.list_schemes()?;
    let lists = schemes.iter().map(|scheme| env.settings.public_address.list(scheme)).collect();
    Ok((views, lists))
}

/// The addresses of the living cross-certificates over an authority's key.
fn crosses(
    tx: &mut Tx<'_>,
    env: &Env,
    authority: &Authority,
    now: Timestamp,
) -> Result<Vec<String>, StoreError> {
    let mut addresses = Vec::new();
    for certificate in tx.certificates_of_key(&authority.key)? {
        if certificate.profile == Profile::Cross && certificate.is_live(now) {
            let by = tx.load_authority(&certificate.authority)?;
            let public = &env.settings.public_address;
            addresses.push(public.cross_certificate(&authority.code, &by.code));
        }
    }
    Ok(addresses)
}

fn view(
    env: &Env,
    w: Words,
    authority: &Authority,
    crl: Option<&IssuedCrl>,
    now: Timestamp,
) -> AuthorityView {
    let public = &env.settings.public_address;
    let der = authority.certificate.as_deref().unwrap_or_default();
    AuthorityView {
        code: authority.code.to_string(),
        name: authority.name.common_name.to_string(),
        kind: kind(w, authority),
        state: state(w, authority, now),
        from: format::date(authority.validity.not_before),
        to: format::date(authority.validity.not_after),
        algorithm: authority.algorithm.to_string(),
        sha256: Digest::of(der).to_string(),
        certificate: public.certificate(&authority.code),
        ocsp: authority.kind.level().map(|_| public.ocsp(&authority.code)),
        crosses: Vec::new(),
        crl_address: public.crl(&authority.code),
        crl: crl.map(|crl| crl_view(w, crl, now)),
    }
}

/// What kind of authority it is, in words.
pub(super) fn kind(w: Words, authority: &Authority) -> String {
    match authority.kind.level() {
        None => w.t("authority.root").to_owned(),
        Some(level) => w
            .say("authority.issuing")
            .with("level", w.word("fact.level", &level.to_string()))
            .text(),
    }
}

fn state(w: Words, authority: &Authority, now: Timestamp) -> Chip {
    let tone = match authority.state {
        _ if authority.validity.not_after < now => Tone::Mute,
        AuthorityState::Active | AuthorityState::Certified => Tone::Ok,
        AuthorityState::Suspended => Tone::Warn,
        AuthorityState::Retiring => Tone::Info,
        AuthorityState::Planned | AuthorityState::Ceremony | AuthorityState::Ended => Tone::Mute,
    };
    Chip::new(tone, w.word("authority.state", authority.state.word()))
}

fn crl_view(w: Words, crl: &IssuedCrl, now: Timestamp) -> CrlView {
    let state = if crl.next_update < now {
        Chip::new(Tone::Bad, w.t("status.overdue"))
    } else {
        Chip::new(Tone::Ok, w.t("status.normal"))
    };
    CrlView {
        number: crl.number,
        issued: format::date_time(crl.this_update),
        next: format::date_time(crl.next_update),
        entries: format::number(crl.entries),
        size: format::size(w, usize::try_from(crl.octets).unwrap_or_default()),
        state,
    }
}

/// `GET /repository/{authority}.pem`
pub async fn load_pem(reader: Reader, code: Path<String>) -> Result<HttpResponse, Problem> {
    let code = code.into_inner();
    let found = reader.read(move |tx, _, _| tx.find_authority(&code)).await?;
    let authority = found.filter(is_public).ok_or_else(Problem::not_found)?;
    let der = authority.certificate.as_deref().ok_or_else(Problem::not_found)?;
    Ok(pem(authority.code.as_str(), der))
}
