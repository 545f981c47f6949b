//! Home: is everything all right, and what must I do (UX 2.2).
//!
//! Every figure is read when the page is asked for; what is not known is shown as not known.

use actix_web::HttpResponse;
use askama::Template;
use tenkoku_ca::nightly::{RunWatch, watch_runs};
use tenkoku_ca::restore::{BackupTimes, backup_times};
use tenkoku_domain::access::{Permission, Permit, Scope, ViewAudit, ViewRegistry};
use tenkoku_domain::audit::IssuedCrl;
use tenkoku_domain::authority::{Authority, AuthorityState};
use tenkoku_domain::certificate::{Certificate, Profile};
use tenkoku_domain::destruction::EvidenceState;
use tenkoku_domain::time::Timestamp;
use tenkoku_domain::trusted_list::draft::{ListDraft, ListDraftState};
use tenkoku_domain::trusted_list::{PublishedList, SchemeCode};
use tenkoku_ports::Env;
use tenkoku_publisher::link::{Gap, find_gaps};
use tenkoku_store::{RegistryFigures, StatusLoad, StoreError};

use super::audit::{Row, Verified, rows, verify};
use super::chart::{Bars, Part, stacked};
use super::lists::{draft_href, gap_title};
use super::views::html;
use crate::format;
use crate::granted::{Granted, Visit};
use crate::layout::{AdminFrame, Chip, Tone};
use crate::problem::Problem;
use crate::session::Console;
use crate::session::tls::Material;
use crate::text::Words;

/// Days before its end at which a thing needs attention.
const NEAR_DAYS: i64 = 30;
/// Days for which a backup is fresh.
const BACKUP_DAYS: i64 = 7;
/// Longest chain that Home verifies by itself when it was not verified since the start.
const SHORT_CHAIN: i64 = 5000;
/// The day of which the load is shown.
const DAY_SECONDS: i64 = 24 * 3600;
/// Rows of recent activity.
const RECENT: i64 = 8;

#[derive(Template)]
#[template(path = "admin/home.html")]
pub(super) struct HomePage {
    pub(super) w: Words,
    pub(super) frame: AdminFrame,
    pub(super) today: String,
    pub(super) headline: String,
    pub(super) health: Vec<Health>,
    pub(super) tasks: Vec<Task>,
    /// What is left to do after an installation was set up; empty when all is done.
    pub(super) first_steps: Vec<FirstStep>,
    pub(super) parts: Vec<Part>,
    pub(super) total: String,
    pub(super) organisations: String,
    pub(super) branches: String,
    pub(super) bars: Bars,
    /// OCSP answers of the last day, each bar two hours; for who sees the platform.
    pub(super) load: Option<Bars>,
    pub(super) recent: Option<Vec<Row>>,
}

impl HomePage {
    /// The stacked bar in words.
    pub(super) fn parts_said(&self) -> String {
        let said: Vec<String> =
            self.parts.iter().map(|part| format!("{} {}", part.label, part.text)).collect();
        said.join(", ")
    }

    /// The chart of answers in words.
    pub(super) fn load_said(&self) -> String {
        match self.load.as_ref().and_then(|load| load.peak.as_ref()) {
            Some((hour, n)) => {
                self.w.say("admin.home.load-peak").with("hour", hour).with("n", n).text()
            }
            None => self.w.t("admin.home.no-load").to_owned(),
        }
    }

    /// The chart of months in words.
    pub(super) fn bars_said(&self) -> String {
        match &self.bars.peak {
            Some((month, n)) => {
                self.w.say("admin.home.peak").with("month", month).with("n", n).text()
            }
            None => self.w.t("admin.home.no-peak").to_owned(),
        }
    }
}

/// One part of the status strip.
pub(super) struct Health {
    pub(super) tone: Tone,
    pub(super) name: String,
    pub(super) value: String,
    pub(super) note: String,
}

/// One thing to be done.
pub(super) struct Task {
    pub(super) chip: Chip,
    pub(super) title: String,
    pub(super) text: String,
    pub(super) href: String,
    pub(super) action: String,
}

/// One card of the checklist after setting up (UX 4.1).
pub(super) struct FirstStep {
    pub(super) chip: Chip,
    pub(super) title: String,
    pub(super) text: String,
    pub(super) done: bool,
    /// Where it is done in the console.
    pub(super) link: Option<(&'static str, String)>,
    /// How it is done at the machine.
    pub(super) command: Option<&'static str>,
}

/// An authority with what it publishes.
struct Published {
    authority: Authority,
    crl: Option<IssuedCrl>,
    signer: Option<Certificate>,
}

/// What Home tells about the platform itself.
struct Platform {
    published: Vec<Published>,
    list: Option<PublishedList>,
    keys: Option<usize>,
    verified: Option<Verified>,
    records: i64,
    load: Vec<(Timestamp, StatusLoad)>,
    runs: RunWatch,
    incidents: i64,
    proofs: usize,
    draft: Option<ListDraft>,
    gaps: Vec<Gap>,
    backups: BackupTimes,
    colleagues: usize,
}

struct Ground {
    figures: RegistryFigures,
    platform: Option<Platform>,
    recent: Option<Vec<Row>>,
}

/// `GET /console`
pub async fn show_home(granted: Granted<ViewRegistry>) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let audit = visit.principal.permit::<ViewAudit>(visit.now).ok();
    let console = visit.console.clone();
    let (words, now) = (visit.words, visit.now);
    let ground =
        visit.run(move |env| load(env, &console, &permit, audit.as_ref(), words, now)).await?;
    html(&page(&visit, ground))
}

fn load(
    env: &Env,
    console: &Console,
    permit: &Permit<ViewRegistry>,
    audit: Option<&Permit<ViewAudit>>,
    words: Words,
    now: Timestamp,
) -> Result<Ground, StoreError> {
    let figures = env.store.read(|tx| tx.registry_figures(permit.scope(), now))?;
    let recent = match audit {
        Some(audit) => Some(env.store.read(|tx| {
            let records = tx.audit_before(audit.scope(), None, None, RECENT)?;
            rows(tx, audit.scope(), words, &records)
        })?),
        None => None,
    };
    let platform = match permit.scope() {
        Scope::Platform => Some(load_platform(env, console, now)?),
        Scope::Within { .. } | Scope::Authorities(_) => None,
    };
    Ok(Ground { figures, platform, recent })
}

fn load_platform(env: &Env, console: &Console, now: Timestamp) -> Result<Platform, StoreError> {
    let (published, list, records, (runs, incidents, proofs)) = env.store.read(|tx| {
        let mut published = Vec::new();
        for authority in tx.list_authorities()? {
            if publishes(&authority) {
                let crl = tx.latest_crl(&authority.id)?;
                let signer = tx.current_signer(&authority.id, Profile::OcspSigner, now)?;
                published.push(Published { authority, crl, signer });
            }
        }
        let list = tx.latest_list(&env.settings.scheme.code)?;
        let records = tx.audit_head()?.map_or(0, |(seq, _)| seq);
        let runs = watch_runs(tx, now)?;
        let proofs = tx.list_evidence(EvidenceState::Handed)?.len();
        let waiting = (runs, tx.count_open_incidents()?, proofs);
        Ok::<_, StoreError>((published, list, records, waiting))
    })?;
    let verified = match console.verified() {
        None if records <= SHORT_CHAIN => Some(verify(env, console)?),
        known => known,
    };
    let own = SchemeCode::parse(&env.settings.scheme.code).ok();
    let draft = match own {
        Some(own) => env.store.read(|tx| tx.open_list_draft(&own))?,
        None => None,
    };
    // A list that cannot be read back is told by the alarm for it, not by Home.
    let gaps = find_gaps(env).inspect_err(
        |error| tracing::error!(%error, "the list was not compared with the authorities"),
    );
    let colleagues = env.store.read(|tx| {
        let mut able = 0;
        for account in tx.list_accounts()? {
            let living = account.disabled_at.is_none() && !account.is_service();
            able += usize::from(living && tx.load_factors(&account.id)?.suffice());
        }
        Ok::<_, StoreError>(able)
    })?;
    Ok(Platform {
        colleagues,
        draft,
        gaps: gaps.unwrap_or_default(),
        published,
        list,
        keys: env.keys.list().ok().map(|keys| keys.len()),
        verified,
        records,
        load: env.store.read(|tx| tx.list_status_load(now.plus_seconds(-DAY_SECONDS)))?,
        runs,
        incidents,
        proofs,
        backups: backup_times(env)?,
    })
}

/// Whether an authority publishes status now.
fn publishes(authority: &Authority) -> bool {
    match authority.state {
        AuthorityState::Active | AuthorityState::Suspended | AuthorityState::Retiring => true,
        AuthorityState::Planned
        | AuthorityState::Ceremony
        | AuthorityState::Certified
        | AuthorityState::Ended => false,
    }
}

fn page(visit: &Visit, ground: Ground) -> HomePage {
    let w = visit.words;
    let figures = &ground.figures;
    let health = match &ground.platform {
        None => Vec::new(),
        Some(found) => {
            let own_tls =
                visit.console.tls.as_ref().map(|tls| tls_health(w, &tls.material(), visit.now));
            strip(w, found, visit.now).into_iter().chain(own_tls).collect()
        }
    };
    let months: Vec<(String, i64)> =
        figures.expiries.iter().map(|(month, n)| (month_name(w, month), *n)).collect();
    let whole =
        figures.certificates_valid + figures.certificates_suspended + figures.certificates_revoked;
    let good = figures.certificates_valid - figures.certificates_expiring_30d;
    HomePage {
        w,
        frame: visit.frame(w.t("admin.home.title"), Vec::new()),
        today: format::long_date_time(w, visit.now),
        headline: headline(w, &health),
        tasks: tasks(visit, &ground),
        first_steps: first_steps(visit, &ground),
        health,
        parts: stacked(&[
            ("f-ok", w.t("admin.home.valid"), good),
            ("f-warn", w.t("admin.home.ending"), figures.certificates_expiring_30d),
            ("f-mute", w.t("admin.home.suspended"), figures.certificates_suspended),
            ("f-bad", w.t("admin.home.revoked"), figures.certificates_revoked),
        ]),
        total: w.count("admin.home.total", whole).text(),
        organisations: format::number(figures.organisations),
        branches: format::number(figures.branches),
        bars: Bars::of(&months),
        load: ground.platform.as_ref().map(|found| load_bars(&found.load, visit.now)),
        recent: ground.recent,
    }
}

/// Answers of the last day, two hours to a bar, the present ones last; hours of UTC.
fn load_bars(load: &[(Timestamp, StatusLoad)], now: Timestamp) -> Bars {
    const BAR: i64 = 2 * 3600;
    let last = now.seconds() - now.seconds().rem_euclid(BAR);
    let figures: Vec<(String, i64)> = (0..12)
        .map(|bar| {
            let from = last - (11 - bar) * BAR;
            let within = |at: &Timestamp| (from..from + BAR).contains(&at.seconds());
            let answers = load.iter().filter(|(at, _)| within(at)).map(|(_, load)| load.answers);
            let hour = Timestamp::from_seconds(from).civil().hour;
            (format!("{hour}:00"), answers.sum())
        })
        .collect();
    Bars::of(&figures)
}

/// `2026-11` in words: the month alone, because twelve follow one another.
fn month_name(w: Words, month: &str) -> String {
    let number = month.rsplit('-').next().unwrap_or_default();
    w.word("admin.month", number).to_owned()
}

fn headline(w: Words, health: &[Health]) -> String {
    let bad = health.iter().filter(|one| one.tone == Tone::Bad).count();
    let warn = health.iter().filter(|one| one.tone == Tone::Warn).count();
    match (bad, warn) {
        (0, 0) => w.t("admin.home.all-well").to_owned(),
        (0, n) => w.count_of("admin.home.some-due", n).text(),
        (n, _) => w.count_of("admin.home.some-down", n).text(),
    }
}

fn strip(w: Words, platform: &Platform, now: Timestamp) -> Vec<Health> {
    vec![
        ocsp_health(w, &platform.published, now),
        crl_health(w, &platform.published, now),
        list_health(w, platform.list.as_ref(), now),
        key_health(w, platform.keys),
        audit_health(w, platform),
        run_health(w, &platform.runs),
        backup_health(w, platform.backups, now),
    ]
}

fn ocsp_health(w: Words, published: &[Published], now: Timestamp) -> Health {
    let issuing = || published.iter().filter(|one| one.authority.kind.level().is_some());
    let missing = issuing().filter(|one| one.signer.is_none()).count();
    let first_end =
        issuing().filter_map(|one| one.signer.as_ref()).map(|one| one.validity.not_after).min();
    let (tone, value) = match missing {
        0 if first_end.is_some() => (Tone::Ok, w.t("admin.home.answers").to_owned()),
        0 => (Tone::Mute, w.t("admin.home.nothing-yet").to_owned()),
        n => (Tone::Bad, w.count_of("admin.home.no-signer", n).text()),
    };
    let note = first_end
        .and_then(|end| format::until(w, now, end))
        .map_or_else(String::new, |left| w.say("admin.home.signer-left").with("left", left).text());
    Health { tone, name: w.t("admin.home.ocsp").to_owned(), value, note }
}

fn crl_health(w: Words, published: &[Published], now: Timestamp) -> Health {
    let ends: Vec<Option<Timestamp>> =
        published.iter().map(|one| one.crl.as_ref().map(|crl| crl.next_update)).collect();
    let missing = ends.iter().filter(|end| end.is_none_or(|end| end <= now)).count();
    let (tone, value) = match missing {
        _ if ends.is_empty() => (Tone::Mute, w.t("admin.home.nothing-yet").to_owned()),
        0 => (Tone::Ok, w.t("admin.home.current").to_owned()),
        n => (Tone::Warn, w.count_of("admin.home.no-crl", n).text()),
    };
    let note = ends
        .into_iter()
        .flatten()
        .min()
        .and_then(|end| format::until(w, now, end))
        .map_or_else(String::new, |left| w.say("admin.home.crl-left").with("left", left).text());
    Health { tone, name: w.t("admin.home.crls").to_owned(), value, note }
}

fn list_health(w: Words, list: Option<&PublishedList>, now: Timestamp) -> Health {
    let name = w.t("admin.home.list").to_owned();
    let Some(list) = list else {
        let value = w.t("admin.home.not-published").to_owned();
        return Health { tone: Tone::Warn, name, value, note: String::new() };
    };
    let value = w.say("admin.home.sequence").with("n", list.sequence).text();
    let Some(next) = list.next_update else {
        return Health { tone: Tone::Mute, name, value, note: w.t("lists.closed").to_owned() };
    };
    let tone = match now.days_until(next) {
        ..0 => Tone::Bad,
        0..NEAR_DAYS => Tone::Warn,
        _ => Tone::Ok,
    };
    let note = format::until(w, now, next).map_or_else(
        || w.t("admin.home.list-over").to_owned(),
        |left| w.say("admin.home.list-left").with("left", left).text(),
    );
    Health { tone, name, value, note }
}

fn key_health(w: Words, keys: Option<usize>) -> Health {
    let name = w.t("admin.home.keys").to_owned();
    match keys {
        Some(n) => Health {
            tone: Tone::Ok,
            name,
            value: w.t("admin.home.connected").to_owned(),
            note: w.count_of("admin.home.keys-held", n).text(),
        },
        None => Health {
            tone: Tone::Bad,
            name,
            value: w.t("admin.home.no-keys").to_owned(),
            note: w.t("admin.home.no-keys-note").to_owned(),
        },
    }
}

fn audit_health(w: Words, platform: &Platform) -> Health {
    let name = w.t("admin.home.audit").to_owned();
    let records = w.count("admin.home.records", platform.records).text();
    match &platform.verified {
        None => Health {
            tone: Tone::Mute,
            name,
            value: w.t("admin.home.not-verified").to_owned(),
            note: records,
        },
        Some(Verified { at, outcome: Ok(n) }) => Health {
            tone: Tone::Ok,
            name,
            value: w.t("admin.home.intact").to_owned(),
            note: w
                .say("admin.home.verified-at")
                .with("records", w.count("admin.home.records", *n))
                .with("time", format::date_time(*at))
                .text(),
        },
        Some(Verified { outcome: Err(broken), .. }) => Health {
            tone: Tone::Bad,
            name,
            value: w.say("admin.home.broken").with("seq", format::number(broken.seq)).text(),
            note: records,
        },
    }
}

/// Whether the nightly checks run: a missed one is said, not passed over.
fn run_health(w: Words, runs: &RunWatch) -> Health {
    let (tone, value, last) = match runs {
        RunWatch::Fine { at: None } => (Tone::Mute, w.t("admin.home.run-first"), None),
        RunWatch::Fine { at } => (Tone::Ok, w.t("admin.home.run-fine"), *at),
        RunWatch::Failed { at } => (Tone::Bad, w.t("admin.home.run-failed"), Some(*at)),
        RunWatch::Missed { last } => (Tone::Bad, w.t("admin.home.run-missed"), *last),
    };
    let note = last.map_or_else(String::new, |at| {
        w.say("admin.home.run-last").with("time", format::date_time(at)).text()
    });
    let (name, value) = (w.t("admin.home.runs").to_owned(), value.to_owned());
    Health { tone, name, value, note }
}

/// Until when the console's own certificate is good.
fn tls_health(w: Words, material: &Material, now: Timestamp) -> Health {
    let left = format::until(w, now, material.not_after);
    let tone = match &left {
        None => Tone::Bad,
        Some(_) if material.ends_soon(now) => Tone::Warn,
        Some(_) => Tone::Ok,
    };
    let value = left.map_or_else(
        || w.t("admin.home.tls-over").to_owned(),
        |left| w.say("admin.home.tls-left").with("left", left).text(),
    );
    let note = format::date(material.not_after);
    Health { tone, name: w.t("admin.home.tls").to_owned(), value, note }
}

/// When everything was last saved, and when a copy was last tried.
fn backup_health(w: Words, backups: BackupTimes, now: Timestamp) -> Health {
    let fresh = backups.made.is_some_and(|at| at.days_until(now) < BACKUP_DAYS);
    let value = backups.made.map_or_else(
        || w.t("admin.home.no-backup").to_owned(),
        |at| w.say("admin.home.backup-at").with("time", format::date_time(at)).text(),
    );
    let note = backups.rehearsed.map_or_else(
        || w.t("admin.home.no-rehearsal").to_owned(),
        |at| w.say("admin.home.rehearsed-at").with("time", format::date_time(at)).text(),
    );
    let tone = if fresh { Tone::Ok } else { Tone::Mute };
    Health { tone, name: w.t("admin.home.backup").to_owned(), value, note }
}

fn tasks(visit: &Visit, ground: &Ground) -> Vec<Task> {
    let mut tasks = Vec::new();
    let w = visit.words;
    if visit.waiting > 0 {
        tasks.push(Task {
            chip: Chip::new(Tone::Info, w.t("admin.home.to-issue")),
            title: w.count("admin.home.ready", visit.waiting).text(),
            text: w.t("admin.home.ready-text").to_owned(),
            href: "/console/applications?state=ready".to_owned(),
            action: w.t("admin.home.review").to_owned(),
        });
    }
    if let Some(platform) = &ground.platform {
        tasks.extend(platform_tasks(visit, platform));
    }
    let ending = ground.figures.certificates_expiring_30d;
    if ending > 0 {
        tasks.push(Task {
            chip: Chip::new(Tone::Warn, w.t("admin.home.ending-chip")),
            title: w.count("admin.home.certificates-ending", ending).text(),
            text: w.t("admin.home.certificates-ending-text").to_owned(),
            href: "/console/certificates?state=active".to_owned(),
            action: w.t("admin.home.see").to_owned(),
        });
    }
    tasks
}

/// The checklist of whoever answers for the platform, until all of it is done (UX 4.1).
fn first_steps(visit: &Visit, ground: &Ground) -> Vec<FirstStep> {
    let Some(platform) = &ground.platform else { return Vec::new() };
    if !visit.may(Permission::ManageAccounts) {
        return Vec::new();
    }
    let w = visit.words;
    let listed = |one: &Published| one.crl.is_some();
    let lists = !platform.published.is_empty() && platform.published.iter().all(listed);
    let link = |href, label: &str| Some((href, label.to_owned()));
    let steps = [
        (
            "organisation",
            ground.figures.organisations > 0,
            link("/console/organisations", w.t("admin.organisations.title")),
            Some("tenkoku org import organisations.csv"),
        ),
        (
            "colleague",
            platform.colleagues > 1,
            link("/console/people", w.t("admin.people.title")),
            None,
        ),
        ("lists", lists, link("/console/revocation", w.t("admin.revocation.title")), None),
        ("backup", platform.backups.made.is_some(), None, Some("tenkoku backup tenkoku.backup")),
        ("mail", visit.env.settings.sends_letters, None, Some("tenkoku mail test --to ADDRESS")),
    ];
    if steps.iter().all(|(_, done, ..)| *done) {
        return Vec::new();
    }
    let card = |(word, done, link, command)| FirstStep {
        chip: if done {
            Chip::new(Tone::Ok, w.t("admin.home.step-done"))
        } else {
            Chip::new(Tone::Info, w.t("admin.home.step-open"))
        },
        title: w.word("admin.home.step-title", word).to_owned(),
        text: w.word("admin.home.step-text", word).to_owned(),
        done,
        link,
        command,
    };
    steps.into_iter().map(card).collect()
}

fn platform_tasks(visit: &Visit, platform: &Platform) -> Vec<Task> {
    let (w, now) = (visit.words, visit.now);
    let mut tasks = Vec::new();
    if let Some(Verified { outcome: Err(broken), .. }) = &platform.verified {
        tasks.push(Task {
            chip: Chip::new(Tone::Bad, w.t("admin.home.urgent")),
            title: w.say("admin.home.broken-title").with("seq", broken.seq).text(),
            text: w.t("admin.home.broken-text").to_owned(),
            href: "/console/audit".to_owned(),
            action: w.t("admin.home.see").to_owned(),
        });
    }
    match platform.runs {
        RunWatch::Fine { .. } => {}
        RunWatch::Failed { .. } | RunWatch::Missed { .. } => tasks.push(Task {
            chip: Chip::new(Tone::Bad, w.t("admin.home.urgent")),
            title: w.t("admin.home.run-title").to_owned(),
            text: w.t("admin.home.run-text").to_owned(),
            href: "/console/keys/destruction".to_owned(),
            action: w.t("admin.home.see").to_owned(),
        }),
    }
    if platform.incidents > 0 {
        tasks.push(Task {
            chip: Chip::new(Tone::Bad, w.t("admin.home.urgent")),
            title: w.count("admin.home.incident-title", platform.incidents).text(),
            text: w.t("admin.home.incident-text").to_owned(),
            href: "/console/incidents?state=open".to_owned(),
            action: w.t("admin.home.see").to_owned(),
        });
    }
    if platform.proofs > 0 && visit.may(Permission::DecideEvidence) {
        tasks.push(Task {
            chip: Chip::new(Tone::Info, w.t("admin.home.due")),
            title: w.count_of("admin.home.proof-title", platform.proofs).text(),
            text: w.t("admin.home.proof-text").to_owned(),
            href: "/console/keys/destruction".to_owned(),
            action: w.t("admin.home.review").to_owned(),
        });
    }
    for Published { authority, crl, .. } in &platform.published {
        if crl.as_ref().is_none_or(|crl| crl.next_update <= now) {
            tasks.push(Task {
                chip: Chip::new(Tone::Warn, w.t("admin.home.due")),
                title: w.say("admin.home.crl-due").with("name", &authority.name.common_name).text(),
                text: w.t("admin.home.crl-due-text").to_owned(),
                href: format!("/console/authorities/{}", authority.code),
                action: w.t("admin.home.see").to_owned(),
            });
        }
        if authority.validity.not_after < now.plus_days(365) {
            tasks.push(Task {
                chip: Chip::new(Tone::Warn, w.t("admin.home.planned")),
                title: w
                    .say("admin.home.authority-ending")
                    .with("name", &authority.name.common_name)
                    .with("date", format::long_date(w, authority.validity.not_after))
                    .text(),
                text: w.t("admin.home.authority-ending-text").to_owned(),
                href: format!("/console/authorities/{}", authority.code),
                action: w.t("admin.home.see").to_owned(),
            });
        }
    }
    tasks.extend(list_tasks(visit, platform));
    let near = platform
        .list
        .as_ref()
        .is_none_or(|list| list.next_update.is_some_and(|next| now.days_until(next) < NEAR_DAYS));
    if near && visit.may(Permission::PublishList) {
        tasks.push(Task {
            chip: Chip::new(Tone::Warn, w.t("admin.home.due")),
            title: w.t("admin.home.list-due").to_owned(),
            text: w.t("admin.home.list-due-text").to_owned(),
            href: "/console/lists".to_owned(),
            action: w.t("admin.home.see").to_owned(),
        });
    }
    tasks
}

/// What waits for whoever runs the list: a draft to be agreed to, or written on; authorities of which
/// the list does not speak rightly.
fn list_tasks(visit: &Visit, platform: &Platform) -> Vec<Task> {
    let w = visit.words;
    if !visit.may(Permission::PublishList) {
        return Vec::new();
    }
    let own = visit.account.party().to_string();
    let installation = visit.env.settings.installation;
    let waiting = platform.draft.as_ref().and_then(|draft| {
        let may = draft.may_be_decided(&own, &draft.content, installation, visit.now);
        let title = match draft.state {
            ListDraftState::Submitted if may.is_ok() => w.t("admin.home.list-agree"),
            ListDraftState::SentBack => w.t("admin.home.list-sent-back"),
            ListDraftState::Editing
            | ListDraftState::Submitted
            | ListDraftState::Approved
            | ListDraftState::Published
            | ListDraftState::Abandoned => return None,
        };
        Some(Task {
            chip: Chip::new(Tone::Info, w.t("admin.home.due")),
            title: title.to_owned(),
            text: w.t("admin.home.list-agree-text").to_owned(),
            href: draft_href(draft),
            action: w.t("admin.home.review").to_owned(),
        })
    });
    let gaps = platform.gaps.iter().filter(|gap| !gap.is_drafted).map(|gap| Task {
        chip: Chip::new(Tone::Warn, w.t("admin.home.due")),
        title: gap_title(w, gap),
        text: w.t("admin.home.list-gap-text").to_owned(),
        href: "/console/lists".to_owned(),
        action: w.t("admin.home.see").to_owned(),
    });
    waiting.into_iter().chain(gaps).collect()
}
