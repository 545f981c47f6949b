//! Finding services in all lists in force: by name, or by a certificate.

use std::sync::Arc;

use actix_web::web::{Bytes, Query};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use serde::Deserialize;
use tenkoku_domain::time::Timestamp;
use tenkoku_pki::path::{self, Budget, PolicyDemands, Question, Revocation, Verdict};
use tenkoku_pki::pem;
use tenkoku_reader::library::Shelf;
use tenkoku_tsl::certificate::Certificate;
use tenkoku_tsl::index::{Answer, Link, Standing};

use super::upload::Upload;
use super::{Phrase, QUERY_MAX_CHARS, ServiceView, end, names_fit, status, subject_line, title};
use crate::format;
use crate::layout::{Chip, PublicFrame, Tone};
use crate::problem::Problem;
use crate::public::Reader;
use crate::text::Words;

/// Services that a search by name shows.
const MOST: usize = 50;

/// What is searched for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Search {
    /// Part of a name.
    q: String,
}

/// A service that was found by name.
pub(in crate::public) struct Hit {
    pub(in crate::public) list: String,
    pub(in crate::public) provider: Phrase,
    pub(in crate::public) service: ServiceView,
}

/// A service that is listed for a certificate.
pub(in crate::public) struct Listed {
    pub(in crate::public) list: Phrase,
    pub(in crate::public) provider: Phrase,
    pub(in crate::public) service: ServiceView,
    pub(in crate::public) status: Chip,
    pub(in crate::public) since: String,
    /// How the certificate leads to the service.
    pub(in crate::public) link: Chip,
    pub(in crate::public) qualifiers: Vec<String>,
    pub(in crate::public) taken_over_by: Option<String>,
    /// What the finding rests on.
    pub(in crate::public) sequence: i64,
    pub(in crate::public) snapshot: Option<String>,
    pub(in crate::public) digest: String,
    /// Something is wrong with the list now.
    pub(in crate::public) trouble: Option<String>,
}

/// What is listed for a certificate.
pub(in crate::public) struct CertificateFinding {
    pub(in crate::public) subject: String,
    pub(in crate::public) day: String,
    pub(in crate::public) headline: Chip,
    pub(in crate::public) sentence: String,
    pub(in crate::public) listed: Vec<Listed>,
}

#[derive(Template)]
#[template(path = "public/lists-search.html")]
pub(in crate::public) struct SearchPage {
    pub(in crate::public) w: Words,
    pub(in crate::public) frame: PublicFrame,
    pub(in crate::public) q: String,
    pub(in crate::public) on: String,
    pub(in crate::public) searched: bool,
    pub(in crate::public) hits: Vec<Hit>,
    pub(in crate::public) more: bool,
    pub(in crate::public) finding: Option<CertificateFinding>,
    /// Why the form was not understood.
    pub(in crate::public) wrong: Option<String>,
}

/// `GET /lists/search?q=…`
pub async fn show_search(reader: Reader, search: Query<Search>) -> Result<HttpResponse, Problem> {
    let w = reader.words;
    let q: String = search.into_inner().q.trim().chars().take(QUERY_MAX_CHARS).collect();
    let library = reader.library();
    let (shelf, now) = reader.look(move |tx, now| Ok((library.shelf(tx)?, now))).await?;
    let mut hits = if q.is_empty() { Vec::new() } else { by_name(w, &shelf, &q, now) };
    let more = hits.len() > MOST;
    hits.truncate(MOST);
    reader.show(&SearchPage {
        w,
        frame: reader.frame(w.t("lists.search-title")),
        searched: !q.is_empty(),
        q,
        on: String::new(),
        hits,
        more,
        finding: None,
        wrong: None,
    })
}

/// `POST /lists/search`: by a certificate that is pasted or uploaded. Nothing of it is kept.
pub async fn find_certificate(
    reader: Reader,
    request: HttpRequest,
    body: Bytes,
) -> Result<HttpResponse, Problem> {
    let w = reader.words;
    let upload = Upload::read(&request, &body);
    let library = reader.library();
    let (shelf, now) = reader.look(move |tx, now| Ok((library.shelf(tx)?, now))).await?;
    let at = if upload.on.is_empty() { Some(now) } else { format::end_of_day(&upload.on) };
    let certificate = pem::decode(upload.octets(), &["CERTIFICATE", "X509 CERTIFICATE"])
        .ok()
        .and_then(|der| Certificate::from_der(&der).ok());
    let (finding, wrong) = match (certificate, at) {
        (_, None) => (None, Some(w.t("service.wrong-day").to_owned())),
        (None, _) => (None, Some(w.t("lists.no-certificate").to_owned())),
        (Some(certificate), Some(at)) => {
            (Some(CertificateFinding::of(w, &shelf, &certificate, at)), None)
        }
    };
    reader.show(&SearchPage {
        w,
        frame: reader.frame(w.t("lists.search-title")),
        q: String::new(),
        on: upload.on,
        searched: false,
        hits: Vec::new(),
        more: false,
        finding,
        wrong,
    })
}

/// The services of all lists whose name, or whose provider's name, has the text in it; one more than
/// are shown, so that it is seen that there are more.
fn by_name(w: Words, shelf: &Arc<Shelf>, q: &str, now: Timestamp) -> Vec<Hit> {
    let asked = q.to_lowercase();
    let mut hits = Vec::new();
    for book in shelf.books() {
        let base = format!("/lists/{}/{}", book.citation.list, book.citation.sequence);
        for (provider_at, provider) in book.list().providers.iter().enumerate() {
            let provider_fits = names_fit(provider.name.entries(), &asked)
                || names_fit(provider.trade_names.entries(), &asked);
            for (service_at, service) in provider.services.iter().enumerate() {
                if !(provider_fits || names_fit(service.name.entries(), &asked)) {
                    continue;
                }
                let href = href(&base, provider_at, service_at);
                hits.push(Hit {
                    list: book.citation.list.clone(),
                    provider: Phrase::of(w, provider.name.entries()),
                    service: ServiceView::of(w, href, service, now),
                });
                if hits.len() > MOST {
                    return hits;
                }
            }
        }
    }
    hits
}

fn href(base: &str, provider: usize, service: usize) -> String {
    format!("{base}/providers/{}/services/{}", provider + 1, service + 1)
}

impl CertificateFinding {
    fn of(w: Words, shelf: &Shelf, certificate: &Certificate, at: Timestamp) -> Self {
        let answer = shelf.standing(certificate, at, |_| true);
        let (tone, key, standings) = match &answer {
            Answer::Unlisted => (Tone::Mute, "lists.finding-unlisted", &[][..]),
            Answer::Listed(all) => (Tone::Ok, "lists.finding-listed", all.as_slice()),
            Answer::Conflict(all) => (Tone::Warn, "lists.finding-conflict", all.as_slice()),
            Answer::Broken(..) => (Tone::Warn, "lists.finding-broken", &[][..]),
        };
        let listed: Vec<_> =
            standings.iter().filter_map(|one| Listed::of(w, shelf, certificate, one, at)).collect();
        // An issuer's name alone proves nothing.
        let (tone, key) = if tone == Tone::Ok && listed.is_empty() {
            (Tone::Mute, "lists.finding-unlisted")
        } else {
            (tone, key)
        };
        let word = key.rsplit('-').next().unwrap_or_default();
        let date = format::long_date(w, at);
        Self {
            subject: subject_line(certificate),
            day: date.clone(),
            headline: Chip::new(tone, w.word("lists.finding", word)),
            sentence: w.say(key).with("date", date).text(),
            listed,
        }
    }
}

impl Listed {
    /// What is listed; nothing where only the issuer's name fits and not its signature.
    fn of(
        w: Words,
        shelf: &Shelf,
        certificate: &Certificate,
        standing: &Standing<'_>,
        at: Timestamp,
    ) -> Option<Self> {
        let Standing { found, link, state, qualifiers } = standing;
        let link = match link {
            Link::Listed => Chip::new(Tone::Ok, w.t("lists.link-itself")),
            Link::Issuer if is_issued_by(certificate, standing) => {
                Chip::new(Tone::Ok, w.t("lists.link-issuer"))
            }
            Link::Issuer => return None,
        };
        let book = shelf.book(found.place)?;
        let base = format!("/lists/{}/{}", book.citation.list, book.citation.sequence);
        let href = href(&base, found.place.provider, found.place.service);
        let fault = book.followed.as_ref().and_then(|list| list.fault.as_ref());
        Some(Self {
            list: title(w, &found.list.scheme),
            provider: Phrase::of(w, found.provider.name.entries()),
            service: ServiceView::of(w, href, found.service, at),
            status: status(w, state.status.as_str()),
            since: format::date(state.since),
            link,
            qualifiers: qualifiers
                .met
                .iter()
                .map(|uri| w.word("qualifier", end(uri.as_str())).to_owned())
                .collect(),
            taken_over_by: standing
                .takeover()
                .map(|takeover| Phrase::of(w, takeover.provider.entries()).main.text),
            sequence: book.citation.sequence,
            snapshot: book.citation.snapshot.as_ref().map(ToString::to_string),
            digest: book.citation.digest.to_string(),
            trouble: fault.map(|fault| w.word("list-problem", fault.problem.word()).to_owned()),
        })
    }
}

/// Whether the listed key issued the certificate: a path from it that is valid while the certificate
/// is. Revocation is no matter of the list.
fn is_issued_by(certificate: &Certificate, standing: &Standing<'_>) -> bool {
    let anchors: Vec<_> = standing
        .found
        .service
        .identity
        .certificates()
        .map(|listed| listed.der().to_vec())
        .collect();
    let Some((from, _)) = certificate.validity() else { return false };
    let verdict = path::validate(&Question {
        anchors: &anchors,
        intermediates: &[],
        crls: &[],
        leaf: certificate.der(),
        at: from,
        policies: &PolicyDemands::default(),
        revocation: Revocation::Ignored,
        budget: Budget::default(),
    });
    matches!(verdict, Verdict::Valid(_))
}
