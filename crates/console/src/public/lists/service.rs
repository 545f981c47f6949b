//! A provider of a list, and a service with its history: as a picture, and as the table that says the
//! same.

use actix_web::HttpResponse;
use actix_web::web::{Path, Query};
use askama::Template;
use serde::Deserialize;
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::time::Timestamp;
use tenkoku_tsl::index::{HistoryFault, state_at};
use tenkoku_tsl::model::{Extension, ExtensionContent, Provider, Service, State};

use super::{
    Open, Phrase, ProviderView, ServiceView, end, kind_words, status, subject_line, title, tone,
};
use crate::format;
use crate::layout::{Chip, Crumb, PublicFrame, Tone};
use crate::problem::Problem;
use crate::public::Reader;
use crate::text::Words;

/// The width of the picture, in its own units.
const WIDTH: i64 = 560;

/// The day that is asked about.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Day {
    /// `YYYY-MM-DD`; today without one.
    on: String,
}

/// A stretch of the picture, and the row of the table that says the same.
pub(in crate::public) struct Stretch {
    pub(in crate::public) x: i64,
    pub(in crate::public) width: i64,
    pub(in crate::public) class: &'static str,
    pub(in crate::public) status: Chip,
    pub(in crate::public) kind: String,
    pub(in crate::public) from: String,
    /// Nothing while it lasts.
    pub(in crate::public) until: Option<String>,
}

/// The status of a service over time.
pub(in crate::public) struct History {
    /// Oldest first.
    pub(in crate::public) stretches: Vec<Stretch>,
    /// Where the day that is asked about is.
    pub(in crate::public) mark: Option<i64>,
    /// What the picture shows, in one sentence.
    pub(in crate::public) said: String,
    /// The history contradicts itself; no picture is drawn then.
    pub(in crate::public) broken: bool,
}

/// What was asked about a day, and the answer.
pub(in crate::public) struct OnDay {
    pub(in crate::public) day: String,
    pub(in crate::public) wrong: bool,
    pub(in crate::public) answer: Option<String>,
    pub(in crate::public) chip: Option<Chip>,
}

/// Something more that is said about a service.
pub(in crate::public) struct Statement {
    pub(in crate::public) what: String,
    pub(in crate::public) value: String,
}

/// One of the certificates by which a service is known.
pub(in crate::public) struct IdentityView {
    pub(in crate::public) subject: String,
    pub(in crate::public) sha256: String,
    pub(in crate::public) period: String,
}

/// A service as a page.
pub(in crate::public) struct ServiceDetail {
    pub(in crate::public) name: Phrase,
    pub(in crate::public) provider: Phrase,
    pub(in crate::public) kind: String,
    pub(in crate::public) kind_uri: String,
    pub(in crate::public) status: Chip,
    pub(in crate::public) status_uri: String,
    pub(in crate::public) since: String,
    pub(in crate::public) history: History,
    pub(in crate::public) on: OnDay,
    pub(in crate::public) identities: Vec<IdentityView>,
    pub(in crate::public) statements: Vec<Statement>,
}

#[derive(Template)]
#[template(path = "public/service.html")]
pub(in crate::public) struct ServicePage {
    pub(in crate::public) w: Words,
    pub(in crate::public) frame: PublicFrame,
    pub(in crate::public) crumbs: Vec<Crumb>,
    pub(in crate::public) cited: Cited,
    pub(in crate::public) s: ServiceDetail,
}

#[derive(Template)]
#[template(path = "public/provider.html")]
pub(in crate::public) struct ProviderPage {
    pub(in crate::public) w: Words,
    pub(in crate::public) frame: PublicFrame,
    pub(in crate::public) crumbs: Vec<Crumb>,
    pub(in crate::public) cited: Cited,
    pub(in crate::public) p: ProviderDetail,
}

/// A provider as a page.
pub(in crate::public) struct ProviderDetail {
    pub(in crate::public) name: Phrase,
    pub(in crate::public) registration: Option<String>,
    pub(in crate::public) address: Vec<String>,
    pub(in crate::public) pages: Vec<String>,
    pub(in crate::public) services: Vec<(ServiceView, History)>,
}

/// What a page was read from.
pub(in crate::public) struct Cited {
    pub(in crate::public) sequence: i64,
    pub(in crate::public) digest: String,
    pub(in crate::public) snapshot: Option<String>,
}

impl Cited {
    pub(super) fn of(open: &Open) -> Self {
        Self {
            sequence: open.sequence,
            digest: open.digest.to_string(),
            snapshot: open.foreign.as_ref().map(|(_, head)| head.id.to_string()),
        }
    }
}

/// `GET /lists/{scheme}/{sequence}/providers/{provider}`
pub async fn show_provider(
    reader: Reader,
    path: Path<(String, i64, usize)>,
) -> Result<HttpResponse, Problem> {
    let w = reader.words;
    let (code, sequence, at) = path.into_inner();
    let library = reader.library();
    let (open, now) = reader
        .look(move |tx, now| Ok((Open::find(tx, &library, &code, Some(sequence))?, now)))
        .await?;
    let at = at.checked_sub(1).ok_or_else(Problem::not_found)?;
    let provider = open.list().providers.get(at).ok_or_else(Problem::not_found)?;
    let p = ProviderDetail::of(w, &open, (at, provider), now);
    let mut crumbs = crumbs(w, &open);
    crumbs.push(Crumb::here(&p.name.main.text));
    let frame = reader.frame(&p.name.main.text);
    reader.show(&ProviderPage { w, frame, crumbs, cited: Cited::of(&open), p })
}

/// `GET /lists/{scheme}/{sequence}/providers/{provider}/services/{service}`
pub async fn show_service(
    reader: Reader,
    path: Path<(String, i64, usize, usize)>,
    day: Query<Day>,
) -> Result<HttpResponse, Problem> {
    let w = reader.words;
    let (code, sequence, provider_at, service_at) = path.into_inner();
    let library = reader.library();
    let (open, now) = reader
        .look(move |tx, now| Ok((Open::find(tx, &library, &code, Some(sequence))?, now)))
        .await?;
    let place = provider_at.checked_sub(1).zip(service_at.checked_sub(1));
    let (provider_at, service_at) = place.ok_or_else(Problem::not_found)?;
    let found = open.service(provider_at, service_at).ok_or_else(Problem::not_found)?;
    let s = ServiceDetail::of(w, found, day.on.trim(), now);
    let mut crumbs = crumbs(w, &open);
    let provider_view = ProviderView::of(w, &open, provider_at, found.0);
    crumbs.push(Crumb::link(&provider_view.name.main.text, provider_view.href));
    crumbs.push(Crumb::here(&s.name.main.text));
    let frame = reader.frame(&s.name.main.text);
    reader.show(&ServicePage { w, frame, crumbs, cited: Cited::of(&open), s })
}

/// The way to a list.
pub(super) fn crumbs(w: Words, open: &Open) -> Vec<Crumb> {
    let name = title(w, &open.list().scheme).main.text;
    let number = w.say("list.title").with("name", name).with("n", open.sequence);
    vec![Crumb::link(w.t("lists.title"), "/lists"), Crumb::link(number.text(), open.href())]
}

impl ProviderDetail {
    fn of(w: Words, open: &Open, (at, provider): (usize, &Provider), now: Timestamp) -> Self {
        let view = ProviderView::of(w, open, at, provider);
        let services = provider.services.iter().enumerate().map(|(service_at, service)| {
            let href = format!("{}/services/{}", view.href, service_at + 1);
            (ServiceView::of(w, href, service, now), History::of(w, service, None, now))
        });
        let postal = provider.address.postal().iter().map(|address| {
            let parts = [
                Some(address.street.as_str()),
                Some(address.locality.as_str()),
                address.state_or_province.as_ref().map(|text| text.as_str()),
                address.postal_code.as_ref().map(|text| text.as_str()),
                Some(address.country.as_str()),
            ];
            parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
        });
        let electronic = provider.address.electronic().entries().iter();
        let electronic = electronic.map(|entry| entry.value.to_string());
        let pages = provider.information.entries().iter().map(|entry| entry.value.to_string());
        Self {
            services: services.collect(),
            address: postal.chain(electronic).collect(),
            pages: pages.collect(),
            name: view.name,
            registration: view.registration,
        }
    }
}

impl ServiceDetail {
    fn of(w: Words, (provider, service): (&Provider, &Service), day: &str, now: Timestamp) -> Self {
        let on = OnDay::of(w, service, day);
        let asked = if day.is_empty() { None } else { format::end_of_day(day) };
        let identities = service.identity.certificates().map(|certificate| IdentityView {
            subject: subject_line(certificate),
            sha256: Digest::of(certificate.der()).to_string(),
            period: certificate.validity().map_or_else(String::new, |(from, until)| {
                format!("{} – {}", format::date(from), format::date(until))
            }),
        });
        let points = service.supply_points.iter().map(|point| Statement {
            what: w.t("service.supply-point").to_owned(),
            value: match &point.kind {
                Some(kind) => format!("{} ({})", point.address, kind_words(w, kind.as_str())),
                None => point.address.to_string(),
            },
        });
        Self {
            name: Phrase::of(w, service.name.entries()),
            provider: Phrase::of(w, provider.name.entries()),
            kind: kind_words(w, service.service_type.as_str()),
            kind_uri: service.service_type.to_string(),
            status: status(w, service.status.as_str()),
            status_uri: service.status.to_string(),
            since: format::date_time(service.status_start),
            history: History::of(w, service, asked, now),
            on,
            identities: identities.collect(),
            statements: service
                .extensions
                .iter()
                .flat_map(|extension| statements(w, extension))
                .chain(points)
                .collect(),
        }
    }
}

/// What an extension says, for people.
fn statements(w: Words, extension: &Extension) -> Vec<Statement> {
    let say = |what: &str, value: String| Statement { what: w.t(what).to_owned(), value };
    match &extension.content {
        ExtensionContent::AdditionalServiceInformation { page, .. } => {
            let word = end(page.value.as_str());
            vec![say("service.information", w.word("service-information", word).to_owned())]
        }
        ExtensionContent::ExpiredCertsRevocationInfo(since) => {
            vec![say("service.expired", format::date_time(*since))]
        }
        ExtensionContent::TakenOverBy(takeover) => {
            let name = Phrase::of(w, takeover.provider.entries()).main.text;
            vec![say("service.taken-over", format!("{name} ({})", takeover.territory))]
        }
        ExtensionContent::Qualifications(all) => {
            let qualifiers = all.iter().flat_map(|one| &one.qualifiers);
            let words: std::collections::BTreeSet<String> =
                qualifiers.map(|uri| w.word("qualifier", end(uri.as_str())).to_owned()).collect();
            words.into_iter().map(|word| say("service.qualifier", word)).collect()
        }
        ExtensionContent::Unknown(fragment) => {
            vec![say("service.other", fragment.name().to_owned())]
        }
    }
}

impl OnDay {
    fn of(w: Words, service: &Service, day: &str) -> Self {
        let mut on = Self { day: day.to_owned(), wrong: false, answer: None, chip: None };
        if day.is_empty() {
            return on;
        }
        let Some(at) = format::end_of_day(day) else {
            on.wrong = true;
            return on;
        };
        let said = |key: &str| w.say(key).with("date", format::long_date(w, at)).text();
        match state_at(service, at) {
            Err(_) => on.answer = Some(said("service.on-broken")),
            Ok(None) => on.answer = Some(said("service.on-before")),
            Ok(Some(state)) => {
                on.answer = Some(said("service.on-status"));
                on.chip = Some(status(w, state.status.as_str()));
            }
        }
        on
    }
}

impl History {
    /// The picture of a service's states until now.
    fn of(w: Words, service: &Service, asked: Option<Timestamp>, now: Timestamp) -> Self {
        let mut states: Vec<State<'_>> = service.states().collect();
        states.reverse();
        let fault: Option<HistoryFault> = state_at(service, now).err();
        let begin = states.first().map_or(now, |state| state.since).seconds();
        let last = states.last().map_or(begin, |state| state.since.seconds());
        // A state that began today is to be seen, too.
        let end = now.seconds().max(last).max(begin + 1);
        let place = |at: i64| (at - begin).clamp(0, end - begin) * WIDTH / (end - begin);
        let untils = states.iter().skip(1).map(|state| Some(state.since)).chain([None]);
        let stretches: Vec<Stretch> = states
            .iter()
            .zip(untils)
            .map(|(state, until)| {
                let x = place(state.since.seconds());
                let to = until.map_or(WIDTH, |until| place(until.seconds()));
                let word = self::end(state.status.as_str());
                Stretch {
                    x,
                    width: (to - x).max(2),
                    class: class(tone(word)),
                    status: status(w, state.status.as_str()),
                    kind: kind_words(w, state.service_type.as_str()),
                    from: format::date(state.since),
                    until: until.map(format::date),
                }
            })
            .collect();
        let said = stretches.iter().map(|one| {
            w.say("service.stretch")
                .with("status", &one.status.label)
                .with("date", &one.from)
                .text()
        });
        Self {
            said: said.collect::<Vec<_>>().join(" "),
            mark: asked.map(|at| place(at.seconds())),
            broken: fault.is_some(),
            stretches,
        }
    }

    /// When the picture begins.
    pub(in crate::public) fn begin(&self) -> &str {
        self.stretches.first().map_or("", |stretch| stretch.from.as_str())
    }
}

const fn class(tone: Tone) -> &'static str {
    match tone {
        Tone::Ok => "f-ok",
        Tone::Warn => "f-warn",
        Tone::Bad => "f-bad",
        Tone::Info => "f-info",
        Tone::Mute => "f-mute",
    }
}
