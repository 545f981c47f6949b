//! Revoking a certificate: why, what follows, done and seen from outside (UX 4.10).
//!
//! The last step asks for a second factor of the last five minutes. Sending it twice is harmless: a
//! certificate that is revoked already leads to the page that says so.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Path, Query};
use askama::Template;
use serde::Deserialize;
use tenkoku_ca::revoke::{self, RevokeError, RevokeOrder};
use tenkoku_domain::access::{Permit, Revoke, Scope, ViewRegistry};
use tenkoku_domain::audit::ObjectRef;
use tenkoku_domain::authority::Authority;
use tenkoku_domain::certificate::{Certificate, CertificateState, Serial};
use tenkoku_domain::notice::{Delivery, Notice, NoticeKind};
use tenkoku_domain::refusal::RefusalCode;
use tenkoku_domain::revocation::Cause;
use tenkoku_domain::time::Timestamp;
use tenkoku_pki::cert::Certificate as Parsed;
use tenkoku_pki::ocsp::{Answer, AnswerStatus, HashAlgorithm, IssuerHashes, encode_request};
use tenkoku_ports::Env;
use tenkoku_responder::answer::answer;
use tenkoku_store::{CertificateFilter, StoreError};

use super::certificates::{AuthorityQuery, Found, find, holder_name, sentence, serial};
use super::confirm::{Factor, factor_field, step_up};
use super::names::certificate_href;
use super::views::{Fact, ROWS, certificate_chip, html, html_with, see_other};
use crate::format;
use crate::granted::{Granted, Visit};
use crate::layout::{AdminFrame, Chip, Crumb, FieldError, Tone};
use crate::problem::Problem;
use crate::text::Words;

/// Seconds that Japan Standard Time is ahead of UTC.
const JST_SECONDS: i64 = 9 * 3600;
/// Longest comment, in characters.
const COMMENT_MAX_CHARS: usize = 500;

/// What a person enters to revoke a certificate.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct RevokeForm {
    #[serde(default)]
    authority: String,
    #[serde(default)]
    cause: String,
    #[serde(default)]
    since: String,
    #[serde(default)]
    comment: String,
    #[serde(default)]
    code: String,
}

/// A cause to choose.
pub(super) struct Choice {
    pub(super) word: &'static str,
    pub(super) label: String,
    pub(super) hint: String,
    pub(super) chosen: bool,
}

#[derive(Template)]
#[template(path = "admin/revoke.html")]
pub(super) struct RevokePage {
    pub(super) w: Words,
    pub(super) frame: AdminFrame,
    pub(super) errors: Vec<FieldError>,
    pub(super) sentence: String,
    pub(super) state: Chip,
    pub(super) causes: Vec<Choice>,
    pub(super) form: RevokeForm,
    pub(super) href: String,
}

#[derive(Template)]
#[template(path = "admin/consequence.html")]
pub(super) struct ConsequencePage {
    pub(super) w: Words,
    pub(super) frame: AdminFrame,
    pub(super) errors: Vec<FieldError>,
    pub(super) points: Vec<String>,
    pub(super) facts: Vec<Fact>,
    pub(super) form: RevokeForm,
    pub(super) factor: Factor,
    pub(super) href: String,
    pub(super) back: String,
}

/// One thing that was looked at after the revocation.
pub(super) struct Tick {
    pub(super) id: &'static str,
    pub(super) tone: Tone,
    pub(super) title: String,
    pub(super) text: String,
}

/// The part of the page that changes until everybody tells and was told.
#[derive(Template)]
#[template(path = "admin/revoked_ticks.html")]
pub(super) struct Ticks {
    pub(super) ticks: Vec<Tick>,
}

impl Ticks {
    /// Whether nothing more is waited for.
    pub(super) fn are_over(&self) -> bool {
        self.ticks.iter().all(|tick| tick.tone == Tone::Ok)
    }
}

#[derive(Template)]
#[template(path = "admin/revoked.html")]
pub(super) struct RevokedPage {
    pub(super) w: Words,
    pub(super) frame: AdminFrame,
    pub(super) sentence: String,
    pub(super) state: Chip,
    pub(super) ticks: Ticks,
    pub(super) over: bool,
    pub(super) refresh: String,
    pub(super) href: String,
}

async fn load(
    visit: &Visit,
    scope: &Scope,
    serial: Serial,
    authority: &str,
) -> Result<Found, Problem> {
    let (scope, authority) = (scope.clone(), authority.to_owned());
    let named = move || (!authority.is_empty()).then_some(authority);
    visit.run(move |env| env.store.read(|tx| find(tx, &scope, &serial, named().as_deref()))).await
}

fn is_revoked(certificate: &Certificate) -> bool {
    matches!(certificate.state, CertificateState::Revoked(_))
}

fn result_href(found: &Found) -> String {
    format!("{}/revoked?authority={}", certificate_href(&found.certificate), found.authority.code)
}

fn frame(visit: &Visit, found: &Found, errors: &[FieldError], title: &str) -> AdminFrame {
    let w = visit.words;
    let crumbs = vec![
        Crumb::link(w.t("admin.certificates.title"), "/console/certificates"),
        Crumb::link(holder_name(w, found), certificate_href(&found.certificate)),
        Crumb::here(title),
    ];
    let mut frame = visit.frame(title, crumbs);
    frame.has_errors = !errors.is_empty();
    frame
}

/// `GET /console/certificates/{serial}/revoke`
pub async fn show_form(
    granted: Granted<Revoke>,
    path: Path<String>,
    query: Query<AuthorityQuery>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let authority = query.into_inner().authority.unwrap_or_default();
    let found = load(&visit, permit.scope(), serial(&path)?, &authority).await?;
    if is_revoked(&found.certificate) {
        return Ok(see_other(&result_href(&found)));
    }
    html(&form_page(&visit, &found, RevokeForm::default(), Vec::new()))
}

fn form_page(
    visit: &Visit,
    found: &Found,
    form: RevokeForm,
    errors: Vec<FieldError>,
) -> RevokePage {
    let w = visit.words;
    let causes = Cause::OFFERED
        .into_iter()
        .map(|cause| Choice {
            word: cause.word(),
            label: w.word("admin.cause-choice", cause.word()).to_owned(),
            hint: w.word("admin.cause-hint", cause.word()).to_owned(),
            chosen: form.cause == cause.word(),
        })
        .collect();
    RevokePage {
        w,
        frame: frame(visit, found, &errors, w.t("admin.revoke.title")),
        errors,
        sentence: sentence(w, found, visit.now),
        state: certificate_chip(w, &found.certificate, visit.now),
        causes,
        form: RevokeForm { authority: found.authority.code.to_string(), ..form },
        href: certificate_href(&found.certificate),
    }
}

impl RevokeForm {
    /// Reads what was entered; what is wrong is said field by field.
    fn read(
        &self,
        w: Words,
        found: &Found,
        now: Timestamp,
    ) -> Result<RevokeOrder, Vec<FieldError>> {
        let mut errors = Vec::new();
        let mut wrong = |field: &str, text: &str| {
            errors.push(FieldError { field: field.to_owned(), text: text.to_owned() });
        };
        let cause = Cause::OFFERED.into_iter().find(|cause| cause.word() == self.cause);
        if cause.is_none() {
            wrong("cause", w.t("admin.revoke.choose-cause"));
        }
        let since = match local_time(&self.since) {
            Ok(Some(since)) if since > now => {
                wrong("since", w.t("admin.revoke.since-future"));
                None
            }
            Ok(since) => since.filter(|_| cause == Some(Cause::KeyExposed)),
            Err(()) => {
                wrong("since", w.t("admin.revoke.since-shape"));
                None
            }
        };
        if self.comment.chars().count() > COMMENT_MAX_CHARS {
            wrong("comment", w.t("admin.revoke.comment-long"));
        }
        match cause {
            Some(cause) if errors.is_empty() => Ok(RevokeOrder {
                authority: found.authority.id.clone(),
                serial: found.certificate.serial.clone(),
                cause,
                invalid_since: since,
                comment: self.comment.clone(),
            }),
            Some(_) | None => Err(errors),
        }
    }
}

/// A date and time of Japan, as browsers send it (`2026-11-22T10:24`); empty for none.
pub(super) fn local_time(text: &str) -> Result<Option<Timestamp>, ()> {
    let text = text.trim().replace(' ', "T");
    if text.is_empty() {
        return Ok(None);
    }
    let seconds = if text.len() == 16 { ":00Z" } else { "Z" };
    let instant = Timestamp::parse(&format!("{text}{seconds}")).ok_or(())?;
    Ok(Some(instant.plus_seconds(-JST_SECONDS)))
}

/// `POST /console/certificates/{serial}/revoke`
pub async fn show_consequence(
    granted: Granted<Revoke>,
    path: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let form: RevokeForm = visit.form()?;
    let found = load(&visit, permit.scope(), serial(&path)?, &form.authority).await?;
    if is_revoked(&found.certificate) {
        return Ok(see_other(&result_href(&found)));
    }
    match form.read(visit.words, &found, visit.now) {
        Err(errors) => {
            let page = form_page(&visit, &found, form, errors);
            html_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        Ok(order) => {
            let page = consequence(&visit, &permit, &found, form, &order, Vec::new()).await?;
            html(&page)
        }
    }
}

async fn consequence(
    visit: &Visit,
    permit: &Permit<Revoke>,
    found: &Found,
    form: RevokeForm,
    order: &RevokeOrder,
    errors: Vec<FieldError>,
) -> Result<ConsequencePage, Problem> {
    let w = visit.words;
    let others = others_in_use(visit, permit.scope(), &found.certificate).await?;
    let holder = holder_name(w, found);
    let points = vec![
        w.say("admin.revoke.from-now").with("holder", &holder).text(),
        w.t("admin.revoke.made-before").to_owned(),
        match others {
            0 => w.say("admin.revoke.no-other").with("holder", &holder).text(),
            n => w.count("admin.revoke.others", n).with("holder", &holder).text(),
        },
        w.t("admin.revoke.final").to_owned(),
    ];
    let mut facts = vec![
        Fact::new(w.t("admin.certificate.branch"), holder),
        Fact::mono(
            w.t("admin.certificate.serial"),
            format::grouped(&found.certificate.serial.to_string()),
        ),
        Fact::new(w.t("admin.certificate.cause"), w.word("admin.cause-choice", order.cause.word())),
    ];
    if let Some(since) = order.invalid_since {
        facts.push(Fact::new(w.t("admin.certificate.since"), format::date_time(since)));
    }
    if !order.comment.trim().is_empty() {
        facts.push(Fact::new(w.t("admin.revoke.comment"), order.comment.trim()));
    }
    let href = certificate_href(&found.certificate);
    Ok(ConsequencePage {
        w,
        frame: frame(visit, found, &errors, w.t("admin.revoke.check")),
        errors,
        points,
        facts,
        factor: factor_field(visit).await?,
        back: format!("{href}/revoke?authority={}", found.authority.code),
        form: RevokeForm { code: String::new(), ..form },
        href,
    })
}

/// How many other certificates of the same branch are in use.
async fn others_in_use(
    visit: &Visit,
    scope: &Scope,
    certificate: &Certificate,
) -> Result<i64, Problem> {
    let Some(seal) = &certificate.seal else { return Ok(0) };
    let filter = CertificateFilter {
        search: String::new(),
        organisation: None,
        branch: Some(seal.branch.clone()),
        state: None,
    };
    let (scope, own, now) = (scope.clone(), certificate.id.clone(), visit.now);
    let all = visit
        .run(move |env| env.store.read(|tx| tx.list_certificates(&scope, &filter, None, ROWS)))
        .await?;
    let others = all.items.iter().filter(|one| one.id != own && one.is_live(now)).count();
    Ok(i64::try_from(others).unwrap_or(ROWS))
}

/// `POST /console/certificates/{serial}/revocation`
pub async fn revoke_certificate(
    granted: Granted<Revoke>,
    path: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let form: RevokeForm = visit.form()?;
    let found = load(&visit, permit.scope(), serial(&path)?, &form.authority).await?;
    if is_revoked(&found.certificate) {
        return Ok(see_other(&result_href(&found)));
    }
    let order = match form.read(visit.words, &found, visit.now) {
        Ok(order) => order,
        Err(errors) => {
            let page = form_page(&visit, &found, form, errors);
            return html_with(StatusCode::UNPROCESSABLE_ENTITY, &page);
        }
    };
    if let Some(error) = step_up(&visit, &form.code).await? {
        let page = consequence(&visit, &permit, &found, form, &order, vec![error]).await?;
        return html_with(StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    let done = visit.run(move |env| revoke(env, &permit, &order)).await;
    done.map(|()| see_other(&result_href(&found)))
}

/// Revokes; that somebody was quicker is no error.
fn revoke(env: &Env, permit: &Permit<Revoke>, order: &RevokeOrder) -> Result<(), RevokeError> {
    match revoke::revoke_certificate(env, permit, order) {
        Err(RevokeError::Refused(refusal)) if refusal.code == RefusalCode::RevocationFinal => {
            Ok(())
        }
        other => other.map(drop),
    }
}

/// What the outside is told about a certificate, asked for as relying parties ask.
struct Seen {
    /// This node's answer.
    ocsp: Option<AnswerStatus>,
    /// What each of the other nodes answers, by its name.
    nodes: Vec<(String, Option<AnswerStatus>)>,
    /// The number of the list that tells it.
    listed: Option<i64>,
    /// The letters about it.
    letters: Vec<Notice>,
}

/// `GET /console/certificates/{serial}/revoked`
pub async fn show_result(
    granted: Granted<ViewRegistry>,
    path: Path<String>,
    query: Query<AuthorityQuery>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let authority = query.into_inner().authority.unwrap_or_default();
    let found = load(&visit, permit.scope(), serial(&path)?, &authority).await?;
    if !is_revoked(&found.certificate) {
        return Ok(see_other(&certificate_href(&found.certificate)));
    }
    let ticks = look(&visit, &found).await?;
    let w = visit.words;
    let href = certificate_href(&found.certificate);
    html(&RevokedPage {
        w,
        frame: frame(&visit, &found, &[], w.t("admin.revoked.title")),
        sentence: sentence(w, &found, visit.now),
        state: certificate_chip(w, &found.certificate, visit.now),
        over: ticks.are_over(),
        ticks,
        refresh: format!("{href}/revoked/progress?authority={}", found.authority.code),
        href,
    })
}

/// `GET /console/certificates/{serial}/revoked/progress`: the part that changes. 286 ends the asking.
pub async fn show_progress(
    granted: Granted<ViewRegistry>,
    path: Path<String>,
    query: Query<AuthorityQuery>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let authority = query.into_inner().authority.unwrap_or_default();
    let found = load(&visit, permit.scope(), serial(&path)?, &authority).await?;
    let ticks = look(&visit, &found).await?;
    let over = StatusCode::from_u16(286).unwrap_or(StatusCode::OK);
    html_with(if ticks.are_over() { over } else { StatusCode::OK }, &ticks)
}

/// Looks from outside.
async fn look(visit: &Visit, found: &Found) -> Result<Ticks, Problem> {
    let number = found.certificate.serial.clone();
    let issuer = found.authority.clone();
    let certificate = ObjectRef::new("certificate", &found.certificate.id);
    let seen = visit
        .run(move |env| {
            let request = question(&issuer, &number);
            let asked = |request: &Vec<u8>| status_in(&answer(env, &issuer.code, request));
            let others = |request: &Vec<u8>| env.nodes.ask(&issuer.code, request).into_iter();
            let told = |(name, der): (String, Option<Vec<u8>>)| {
                (name, der.and_then(|der| status_in(&der)))
            };
            Ok::<_, StoreError>(Seen {
                ocsp: request.as_ref().and_then(asked),
                nodes: request.as_ref().map(|r| others(r).map(told).collect()).unwrap_or_default(),
                listed: listed(env, &issuer, &number),
                letters: env.store.read(|tx| tx.notices_about(&certificate))?,
            })
        })
        .await?;
    Ok(Ticks { ticks: ticks(visit.words, found, &seen) })
}

/// The octets that a relying party would send.
fn question(issuer: &Authority, serial: &Serial) -> Option<Vec<u8>> {
    let parsed = Parsed::parse(issuer.certificate.as_deref()?).ok()?;
    let key = parsed.public_key().ok()?;
    let hashes = IssuerHashes::of(HashAlgorithm::Sha256, parsed.subject(), &key);
    Some(encode_request(&[hashes.cert_id(serial)], None))
}

fn status_in(answered: &[u8]) -> Option<AnswerStatus> {
    Answer::parse(answered).ok()?.singles().first().map(|single| single.status)
}

/// The number of the present list of a revoked certificate, when it tells what was decided. Nothing
/// is signed here: the list is issued by the job, within a second.
fn listed(env: &Env, issuer: &Authority, serial: &Serial) -> Option<i64> {
    env.store
        .read(|tx| {
            let list = issuer.crl_shards.list_of(serial);
            let Some(present) = tx.latest_crl_of(&issuer.id, list)? else { return Ok(None) };
            let mut told = present.revision;
            loop {
                let later = tx.revocations_after(&issuer.id, told, LATER)?;
                let Some(end) = later.last().map(|change| change.rev) else { break };
                if later.iter().any(|change| change.serial == *serial) {
                    return Ok(None);
                }
                told = end;
            }
            Ok::<_, StoreError>(Some(present.number))
        })
        .ok()
        .flatten()
}

/// Changes after a list that are read at once.
const LATER: i64 = 1_000;

fn ticks(w: Words, found: &Found, seen: &Seen) -> Vec<Tick> {
    let at = found.certificate.state.revocation().map(|revocation| revocation.at);
    let recorded = at.map_or_else(String::new, |at| {
        w.say("admin.revoked.recorded-at").with("time", format::date_time(at)).text()
    });
    let (ocsp_tone, ocsp_text) = match seen.ocsp {
        Some(AnswerStatus::Revoked { at, .. }) => (
            Tone::Ok,
            w.say("admin.revoked.ocsp-revoked").with("time", format::date_time(at)).text(),
        ),
        Some(AnswerStatus::Good | AnswerStatus::Unknown) | None => {
            (Tone::Warn, w.t("admin.revoked.ocsp-not-yet").to_owned())
        }
    };
    let (crl_tone, crl_text) = match seen.listed {
        Some(number) => (
            Tone::Ok,
            w.say("admin.revoked.crl-lists").with("number", format::number(number)).text(),
        ),
        None => (Tone::Warn, w.t("admin.revoked.crl-not-yet").to_owned()),
    };
    let tick = |id, tone, title: &str, text| Tick { id, tone, title: title.to_owned(), text };
    let mut all = vec![
        tick("tick-recorded", Tone::Ok, w.t("admin.revoked.recorded"), recorded),
        tick("tick-ocsp", ocsp_tone, w.t("admin.revoked.ocsp"), ocsp_text),
    ];
    if !seen.nodes.is_empty() {
        let (tone, text) = nodes_told(w, &seen.nodes);
        all.push(tick("tick-nodes", tone, w.t("admin.revoked.nodes"), text));
    }
    all.push(tick("tick-crl", crl_tone, w.t("admin.revoked.crl"), crl_text));
    let (tone, text) = holder_told(w, &seen.letters);
    all.push(tick("tick-holder", tone, w.t("admin.revoked.holder"), text));
    all
}

/// Whether every node answers that it is revoked; those that do not are named.
fn nodes_told(w: Words, nodes: &[(String, Option<AnswerStatus>)]) -> (Tone, String) {
    let behind: Vec<&str> = nodes
        .iter()
        .filter(|(_, told)| !matches!(told, Some(AnswerStatus::Revoked { .. })))
        .map(|(name, _)| name.as_str())
        .collect();
    let all = i64::try_from(nodes.len()).unwrap_or(i64::MAX);
    if behind.is_empty() {
        return (Tone::Ok, w.say("admin.revoked.nodes-all").with("n", format::number(all)).text());
    }
    (Tone::Warn, w.say("admin.revoked.nodes-behind").with("nodes", behind.join(", ")).text())
}

/// Whether the letters about it have left.
fn holder_told(w: Words, letters: &[Notice]) -> (Tone, String) {
    let about =
        letters.iter().filter(|letter| letter.matter.kind == NoticeKind::CertificateRevoked);
    let (sent, open): (Vec<_>, Vec<_>) = about.partition(|letter| match letter.delivery {
        Delivery::Sent { .. } => true,
        Delivery::Waiting { .. } | Delivery::GivenUp { .. } => false,
    });
    let count =
        |letters: &[&Notice]| format::number(i64::try_from(letters.len()).unwrap_or(i64::MAX));
    match (sent.as_slice(), open.as_slice()) {
        ([], []) => (Tone::Warn, w.t("admin.revoked.holder-nobody").to_owned()),
        (_, []) => (Tone::Ok, w.say("admin.revoked.holder-told").with("n", count(&sent)).text()),
        (_, open) => {
            (Tone::Warn, w.say("admin.revoked.holder-waits").with("n", count(open)).text())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<Option<&str>, ()>) {
        let got = local_time(text).map(|at| at.map(|at| at.to_string()));
        assert_eq!(got, expected.map(|at| at.map(str::to_owned)), "{text}");
    }

    #[test]
    fn times_are_entered_in_japan_standard_time() {
        check("", Ok(None));
        check("2026-11-22T09:00", Ok(Some("2026-11-22T00:00:00Z")));
        check("2026-11-22 09:00", Ok(Some("2026-11-22T00:00:00Z")));
        check("2026-11-22T09:00:05", Ok(Some("2026-11-22T00:00:05Z")));
        check("yesterday", Err(()));
        check("2026-02-30T09:00", Err(()));
    }
}
