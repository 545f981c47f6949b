//! Ceremonies: what was held and what is open, the record of one, and its file (UX 4.2).
//!
//! A ceremony is held at the terminal beside the key; these pages make its file, check it, follow it
//! and keep its record. The answer of an offline root is imported here too.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Path, Query};
use askama::Template;
use serde::Deserialize;
use tenkoku_ca::authority::ceremony_rules;
use tenkoku_ca::exchange::{Imported, import_answer, read_bundle};
use tenkoku_domain::access::{OperateAuthority, Permission, ViewAudit};
use tenkoku_domain::authority::AuthorityCode;
use tenkoku_domain::ceremony::record::{CeremonyRecord, StepRecord};
use tenkoku_domain::ceremony::script::{self, ScriptError};
use tenkoku_domain::ceremony::template::{OfflineIssuer, Wish};
use tenkoku_domain::ceremony::{
    Ceremony, CeremonyKind, CeremonyRole, CeremonyRules, CrossWish, Participant, Step, Subject,
};
use tenkoku_domain::exchange::{Answer, Sealed};
use tenkoku_domain::id::{ApplicationId, CeremonyId, ContainerId};
use tenkoku_domain::name::Name;
use tenkoku_store::StoreError;

use super::acts::persons;
use super::authorities::platform_only;
use super::confirm::{Factor, factor_field, step_up};
use super::views::{Fact, attachment, html, html_with};
use crate::format;
use crate::granted::{Granted, Visit};
use crate::layout::{AdminFrame, Chip, Crumb, FieldError, Tone};
use crate::problem::Problem;
use crate::text::Words;

const HERE: &str = "/console/ceremonies";

pub(super) struct CeremonyRow {
    pub(super) title: String,
    pub(super) href: String,
    pub(super) kind: String,
    pub(super) state: Chip,
    pub(super) progress: String,
    pub(super) opened: String,
}

/// A request that waits for the answer of an offline root.
pub(super) struct OpenRequest {
    pub(super) id: String,
    pub(super) root: String,
    pub(super) code: String,
}

#[derive(Template)]
#[template(path = "admin/ceremonies.html")]
pub(super) struct CeremoniesPage {
    pub(super) w: Words,
    pub(super) frame: AdminFrame,
    pub(super) errors: Vec<FieldError>,
    pub(super) rows: Vec<CeremonyRow>,
    pub(super) planned: Vec<Fact>,
    pub(super) requests: Vec<OpenRequest>,
    pub(super) operates: bool,
    pub(super) factor: Factor,
    pub(super) file: String,
    pub(super) checked: Option<Checked>,
    pub(super) imported: Option<Vec<Fact>>,
    pub(super) bundle: String,
    pub(super) compare: String,
}

/// What a file says, in words.
pub(super) struct Checked {
    pub(super) title: String,
    pub(super) facts: Vec<Fact>,
    pub(super) steps: Vec<StepView>,
    pub(super) lacks: Option<String>,
}

pub(super) struct StepView {
    pub(super) number: i32,
    pub(super) instruction: String,
    pub(super) expect: String,
    pub(super) who: String,
    pub(super) at: String,
    pub(super) ticks: Vec<(String, String, String)>,
    pub(super) outputs: Vec<(String, String)>,
    pub(super) deviation: Option<String>,
    pub(super) done: bool,
    pub(super) now: bool,
}

#[derive(Template)]
#[template(path = "admin/ceremony.html")]
pub(super) struct CeremonyPage {
    pub(super) w: Words,
    pub(super) frame: AdminFrame,
    pub(super) state: Chip,
    pub(super) kind: String,
    pub(super) lang: &'static str,
    pub(super) evaluation: bool,
    pub(super) done: usize,
    pub(super) all: usize,
    pub(super) progress: String,
    pub(super) steps: Vec<StepView>,
    pub(super) people: Vec<Fact>,
    pub(super) facts: Vec<Fact>,
    pub(super) deviations: Vec<(i32, String)>,
    pub(super) href: String,
    pub(super) history: String,
}

#[derive(Debug, Default, Deserialize)]
struct FileForm {
    #[serde(default)]
    file: String,
}

#[derive(Debug, Default, Deserialize)]
struct ImportForm {
    #[serde(default)]
    bundle: String,
    #[serde(default)]
    compare: String,
    #[serde(default)]
    code: String,
}

/// The words of a kind of ceremony.
fn kind_words(w: Words, kind: CeremonyKind) -> String {
    w.word("cli-ceremony.kind", kind.word()).to_owned()
}

fn role_words(w: Words, role: CeremonyRole) -> String {
    w.word("cli-ceremony.role", role.word()).to_owned()
}

fn chip(w: Words, record: &CeremonyRecord) -> Chip {
    match record.closed_at {
        Some(_) => Chip::new(Tone::Ok, w.t("admin.ceremony.closed")),
        None => Chip::new(Tone::Info, w.t("admin.ceremony.open")),
    }
}

fn progress(w: Words, record: &CeremonyRecord) -> String {
    w.say("admin.ceremony.progress")
        .with("done", record.steps.len())
        .with("all", record.ceremony.steps.len())
        .text()
}

/// `GET /console/ceremonies`
pub async fn list_ceremonies(granted: Granted<ViewAudit>) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    platform_only(&permit)?;
    html(&page(&visit, Vec::new()).await?)
}

async fn page(visit: &Visit, errors: Vec<FieldError>) -> Result<CeremoniesPage, Problem> {
    let w = visit.words;
    let (records, plans, requests) = visit
        .run(|env| {
            env.store.read(|tx| {
                Ok::<_, StoreError>((tx.list_ceremonies()?, tx.list_plans()?, tx.open_requests()?))
            })
        })
        .await?;
    let rows = records.iter().map(|record| CeremonyRow {
        title: record.ceremony.title.clone(),
        href: format!("{HERE}/{}", record.ceremony.id),
        kind: kind_words(w, record.ceremony.kind),
        state: chip(w, record),
        progress: progress(w, record),
        opened: format::date_time(record.opened_at),
    });
    let planned = plans.iter().map(|plan| {
        let href = format!("{HERE}/{}", plan.ceremony);
        Fact::link(plan.code.as_str(), format::date_time(plan.at), href)
    });
    let requests = requests.into_iter().map(|(id, root, code)| OpenRequest { id, root, code });
    let mut frame = visit.frame(w.t("admin.ceremonies.title"), Vec::new());
    frame.has_errors = !errors.is_empty();
    Ok(CeremoniesPage {
        w,
        frame,
        errors,
        rows: rows.collect(),
        planned: planned.collect(),
        requests: requests.collect(),
        operates: visit.may(Permission::OperateAuthority),
        factor: factor_field(visit).await?,
        file: String::new(),
        checked: None,
        imported: None,
        bundle: String::new(),
        compare: String::new(),
    })
}

/// `POST /console/ceremonies/check`
pub async fn check_file(granted: Granted<OperateAuthority>) -> Result<HttpResponse, Problem> {
    let visit = granted.visit;
    let FileForm { file } = visit.form()?;
    let rules = visit.run(ceremony_rules).await?;
    match script::read(&file) {
        Ok(ceremony) => {
            let checked = Some(checked(visit.words, &ceremony, &rules));
            html(&CeremoniesPage { file, checked, ..page(&visit, Vec::new()).await? })
        }
        Err(error) => {
            let text = told(visit.words, &error);
            let errors = vec![FieldError { field: "file".to_owned(), text }];
            let page = CeremoniesPage { file, ..page(&visit, errors).await? };
            html_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
    }
}

/// What is wrong with a file, with its line.
fn told(w: Words, error: &ScriptError) -> String {
    match error {
        ScriptError::UnknownKey { line, key, nearest: Some(nearest) } => w
            .say("admin.ceremony-file.unknown-nearest")
            .with("line", line)
            .with("key", key)
            .with("nearest", nearest)
            .text(),
        ScriptError::UnknownKey { line, key, nearest: None } => {
            w.say("admin.ceremony-file.unknown").with("line", line).with("key", key).text()
        }
        ScriptError::Malformed { line, problem } => w
            .say("admin.ceremony-file.malformed")
            .with("line", line)
            .with("problem", problem)
            .text(),
        ScriptError::Value { key, problem } => {
            w.say("admin.ceremony-file.value").with("key", key).with("problem", problem).text()
        }
        ScriptError::TooLarge => w.t("admin.ceremony-file.too-large").to_owned(),
    }
}

fn checked(w: Words, ceremony: &Ceremony, rules: &CeremonyRules) -> Checked {
    let mut facts = vec![Fact::new(w.t("admin.ceremony.kind"), kind_words(w, ceremony.kind))];
    facts.extend(people(w, ceremony));
    facts.extend(persons(w, rules.of(ceremony.kind)));
    let lacks = ceremony.check_persons(rules).err();
    Checked {
        title: ceremony.title.clone(),
        facts,
        steps: ceremony.steps.iter().map(|step| view(w, step, None, false)).collect(),
        lacks: lacks.map(|refusal| {
            let problem = refusal.facts.get("problem").map(String::as_str).unwrap_or_default();
            let said = w.say(&format!("fact.problem.{problem}"));
            refusal.facts.iter().fold(said, |said, (name, fact)| said.with(name, fact)).text()
        }),
    }
}

fn people(w: Words, ceremony: &Ceremony) -> Vec<Fact> {
    let people = ceremony.roles.iter();
    people.map(|one| Fact::new(&role_words(w, one.role), one.person.as_str())).collect()
}

fn view(w: Words, step: &Step, done: Option<&StepRecord>, now: bool) -> StepView {
    let ticks = done.map_or(&[][..], |done| &done.ticks);
    let outputs = done.map_or(&[][..], |done| &done.outputs);
    StepView {
        number: step.number,
        instruction: step.instruction.clone(),
        expect: step.expect.clone(),
        who: role_words(w, step.who),
        at: done.map(|done| format::date_time(done.at)).unwrap_or_default(),
        ticks: ticks
            .iter()
            .map(|tick| {
                let at = format::date_time(tick.at);
                (role_words(w, tick.role), tick.person.to_string(), at)
            })
            .collect(),
        outputs: outputs
            .iter()
            .map(|one| (w.word("admin.ceremony-output", &one.name).to_owned(), one.value.clone()))
            .collect(),
        deviation: done.and_then(|done| Some(done.deviation.as_ref()?.reason.clone())),
        done: done.is_some(),
        now,
    }
}

async fn load(visit: &Visit, id: &str) -> Result<CeremonyRecord, Problem> {
    let id = CeremonyId::parse(id).map_err(|_| Problem::not_found())?;
    visit
        .run(move |env| env.store.read(|tx| tx.find_ceremony(&id)))
        .await?
        .ok_or_else(Problem::not_found)
}

/// `GET /console/ceremonies/{id}`
pub async fn show_ceremony(
    granted: Granted<ViewAudit>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    platform_only(&permit)?;
    let record = load(&visit, &id).await?;
    let w = visit.words;
    let ceremony = &record.ceremony;
    let crumbs =
        vec![Crumb::link(w.t("admin.ceremonies.title"), HERE), Crumb::here(ceremony.title.clone())];
    let next = record.next_step().map(|step| step.number);
    let steps = ceremony.steps.iter().map(|step| {
        let done = record.steps.iter().find(|done| done.number == step.number);
        view(w, step, done, next == Some(step.number))
    });
    let deviations = record.steps.iter().filter_map(|step| step.deviation.as_ref());
    html(&CeremonyPage {
        w,
        frame: visit.frame(&ceremony.title, crumbs),
        state: chip(w, &record),
        kind: kind_words(w, ceremony.kind),
        lang: ceremony.language.word(),
        evaluation: record.is_evaluation(),
        done: record.steps.len(),
        all: ceremony.steps.len(),
        progress: progress(w, &record),
        steps: steps.collect(),
        people: people(w, ceremony),
        facts: facts(w, &record),
        deviations: deviations.map(|one| (one.step, one.reason.clone())).collect(),
        href: format!("{HERE}/{}", ceremony.id),
        history: format!("/console/audit?about=ceremony/{}", ceremony.id),
    })
}

fn facts(w: Words, record: &CeremonyRecord) -> Vec<Fact> {
    let mut facts = vec![
        Fact::mono(w.t("admin.ceremony.id"), record.ceremony.id.as_str()),
        Fact::new(w.t("admin.ceremony.opened"), format::date_time(record.opened_at)),
    ];
    if let Some(at) = record.closed_at {
        facts.push(Fact::new(w.t("admin.ceremony.closed-at"), format::date_time(at)));
    }
    if let Some(recording) = &record.ceremony.recording {
        facts.push(Fact::new(w.t("admin.ceremony.recording"), recording.as_str()));
    }
    facts.push(Fact::new(w.t("admin.ceremony.software"), record.software.as_str()));
    facts.push(Fact::mono(
        w.t("admin.ceremony.script"),
        format::grouped(&record.script.to_string()),
    ));
    if let Ok(digest) = record.digest() {
        facts.push(Fact::mono(w.t("admin.ceremony.digest"), format::grouped(&digest.to_string())));
    }
    facts
}

/// `GET /console/ceremonies/{id}/{file}`: `record.json`, or `ceremony.toml`.
pub async fn download(
    granted: Granted<ViewAudit>,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    platform_only(&permit)?;
    let (id, file) = path.into_inner();
    let record = load(&visit, &id).await?;
    match file.as_str() {
        "record.json" => {
            let text = serde_json::to_string_pretty(&record).map_err(|e| Problem::internal(&e))?;
            Ok(attachment("application/json", &format!("{id}.json"), text))
        }
        "ceremony.toml" => toml_file(&record.ceremony),
        _ => Err(Problem::not_found()),
    }
}

fn toml_file(ceremony: &Ceremony) -> Result<HttpResponse, Problem> {
    let text = script::write(ceremony).map_err(|error| Problem::internal(&error))?;
    Ok(attachment("application/toml", &format!("{}.toml", ceremony.id), text))
}

/// `POST /console/ceremonies/import`
pub async fn import_bundle(granted: Granted<OperateAuthority>) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let ImportForm { bundle, compare, code } = visit.form()?;
    let w = visit.words;
    let sealed: Result<Sealed<Answer>, _> = read_bundle(bundle.trim());
    let error =
        |field: &str, text: &str| FieldError { field: field.to_owned(), text: text.to_owned() };
    let wrong = match &sealed {
        Err(_) => Some(error("bundle", w.t("admin.ceremonies.bundle-wrong"))),
        Ok(_) if compare.trim().is_empty() => {
            Some(error("compare", w.t("admin.ceremonies.compare-missing")))
        }
        Ok(_) => step_up(&visit, &code).await?,
    };
    let sealed = match (sealed, wrong) {
        (Ok(sealed), None) => sealed,
        (_, wrong) => {
            let errors = wrong.into_iter().collect();
            let page = CeremoniesPage { bundle, compare, ..page(&visit, errors).await? };
            return html_with(StatusCode::UNPROCESSABLE_ENTITY, &page);
        }
    };
    let imported =
        visit.run(move |env| import_answer(env, &permit, &sealed, compare.trim())).await?;
    let imported = Some(imported_facts(w, &imported));
    html(&CeremoniesPage { imported, ..page(&visit, Vec::new()).await? })
}

fn imported_facts(w: Words, imported: &Imported) -> Vec<Fact> {
    let mut facts = Vec::new();
    if let Some(root) = &imported.root {
        facts.push(Fact::new(w.t("admin.ceremonies.imported-root"), root.as_str()));
    }
    for code in &imported.authorities {
        let href = format!("/console/authorities/{code}");
        facts.push(Fact::link(w.t("admin.ceremonies.imported-authority"), code.as_str(), href));
    }
    if imported.cross > 0 {
        let n = imported.cross.to_string();
        facts.push(Fact::new(w.t("admin.ceremonies.imported-cross"), n));
    }
    if let Some(number) = imported.crl {
        facts.push(Fact::new(w.t("admin.ceremonies.imported-crl"), format::number(number)));
    }
    facts
}

/// What the file of a new ceremony is for.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct NewQuery {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    authority: String,
}

/// What the file of a new ceremony says.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct NewForm {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    authority: String,
    #[serde(default)]
    by: String,
    #[serde(default)]
    application: String,
    #[serde(default)]
    container: String,
    #[serde(default)]
    leader: String,
    #[serde(default)]
    officer: String,
    #[serde(default)]
    witness: String,
    #[serde(default)]
    auditor: String,
    #[serde(default)]
    recording: String,
}

#[derive(Template)]
#[template(path = "admin/ceremony_new.html")]
pub(super) struct NewPage {
    pub(super) w: Words,
    pub(super) frame: AdminFrame,
    pub(super) errors: Vec<FieldError>,
    pub(super) kinds: Vec<(&'static str, String, bool)>,
    pub(super) authorities: Vec<(String, String, bool)>,
    pub(super) form: NewForm,
}

/// The kinds that are about one authority that exists, or about the key of a seal. A new authority's
/// file is written by `tenkoku ceremony new`.
const KINDS: [CeremonyKind; 5] = [
    CeremonyKind::Rollover,
    CeremonyKind::CrossCertify,
    CeremonyKind::Activation,
    CeremonyKind::Destruction,
    CeremonyKind::WitnessedKey,
];

/// `GET /console/ceremonies/new?kind=…&authority=…`
pub async fn show_new(
    granted: Granted<OperateAuthority>,
    query: Query<NewQuery>,
) -> Result<HttpResponse, Problem> {
    let visit = granted.visit;
    let NewQuery { kind, authority } = query.into_inner();
    let form = NewForm { kind, authority, ..NewForm::default() };
    html(&new_page(&visit, form, Vec::new()).await?)
}

async fn new_page(
    visit: &Visit,
    form: NewForm,
    errors: Vec<FieldError>,
) -> Result<NewPage, Problem> {
    let w = visit.words;
    let all = visit.run(|env| env.store.read(|tx| tx.list_authorities())).await?;
    let title = w.t("admin.ceremony-new.title");
    let crumbs = vec![Crumb::link(w.t("admin.ceremonies.title"), HERE), Crumb::here(title)];
    let mut frame = visit.frame(title, crumbs);
    frame.has_errors = !errors.is_empty();
    Ok(NewPage {
        w,
        frame,
        errors,
        kinds: KINDS
            .into_iter()
            .map(|kind| (kind.word(), kind_words(w, kind), form.kind == kind.word()))
            .collect(),
        authorities: all
            .iter()
            .map(|one| {
                let chosen = one.code.as_str() == form.authority;
                (one.code.to_string(), one.name.common_name.to_string(), chosen)
            })
            .collect(),
        form,
    })
}

/// `POST /console/ceremonies/new`: gives the file.
pub async fn write_file(granted: Granted<OperateAuthority>) -> Result<HttpResponse, Problem> {
    let visit = granted.visit;
    let form: NewForm = visit.form()?;
    let rules = visit.run(ceremony_rules).await?;
    match wish(&visit, &form) {
        Ok(wish) => {
            let ceremony = tenkoku_domain::ceremony::template::script(wish);
            if let Err(refusal) = ceremony.check_persons(&rules) {
                return Err(Problem::from_refusal(&refusal));
            }
            toml_file(&ceremony)
        }
        Err(errors) => {
            let page = new_page(&visit, form, errors).await?;
            html_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
    }
}

fn wish(visit: &Visit, form: &NewForm) -> Result<Wish, Vec<FieldError>> {
    let w = visit.words;
    let error = |field: &str, text: &str| {
        vec![FieldError { field: field.to_owned(), text: text.to_owned() }]
    };
    let missing = |field| move |_| error(field, w.t("admin.ceremony-new.authority-missing"));
    let kind = KINDS.into_iter().find(|kind| kind.word() == form.kind);
    let kind = kind.ok_or_else(|| error("kind", w.t("admin.ceremony-new.kind-missing")))?;
    let authority = || AuthorityCode::parse(&form.authority).map_err(missing("authority"));
    let unnamed = |field| move |_| error(field, w.t("admin.ceremony-new.id-missing"));
    let subject = match kind {
        CeremonyKind::Rollover => {
            Subject::Rollover { authority: authority()?, cross: CrossWish::Both }
        }
        CeremonyKind::CrossCertify => {
            let by = AuthorityCode::parse(&form.by).map_err(missing("by"))?;
            Subject::Cross { certified: authority()?, by }
        }
        CeremonyKind::WitnessedKey => Subject::SealKey {
            application: ApplicationId::parse(form.application.trim())
                .map_err(unnamed("application"))?,
            container: ContainerId::parse(form.container.trim()).map_err(unnamed("container"))?,
        },
        CeremonyKind::Activation
        | CeremonyKind::Destruction
        | CeremonyKind::OfflineSign
        | CeremonyKind::RootGeneration
        | CeremonyKind::IssuingGeneration => Subject::Authority { authority: authority()? },
    };
    let named = [
        (CeremonyRole::Leader, "leader", &form.leader),
        (CeremonyRole::Officer, "officer", &form.officer),
        (CeremonyRole::Witness, "witness", &form.witness),
        (CeremonyRole::Auditor, "auditor", &form.auditor),
    ];
    let mut roles = Vec::new();
    for (role, field, typed) in named {
        if typed.trim().is_empty() && role != CeremonyRole::Leader {
            continue;
        }
        let person = Name::parse(typed.trim())
            .map_err(|_| error(field, w.t("admin.ceremony-new.person-wrong")))?;
        roles.push(Participant { role, person });
    }
    Ok(Wish {
        id: CeremonyId::new(visit.now, &*visit.env.entropy),
        kind,
        subject,
        language: w.language(),
        installation: visit.env.settings.installation,
        roles,
        recording: Some(form.recording.trim().to_owned()).filter(|text| !text.is_empty()),
        offline_issuer: OfflineIssuer::Here,
    })
}
