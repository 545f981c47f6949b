//! Long work: what runs, how far it is, and how it ended.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;
use askama::Template;
use tenkoku_domain::access::ViewRegistry;
use tenkoku_domain::id::JobId;
use tenkoku_domain::task::{Task, TaskKind, TaskState};

use super::views::{Fact, ROWS, html};
use crate::format;
use crate::granted::{Granted, Visit};
use crate::layout::{AdminFrame, Chip, Crumb, Tone};
use crate::problem::Problem;
use crate::text::Words;

const PATH: &str = "/console/jobs";

/// A task in the table.
pub(super) struct TaskRow {
    pub(super) title: String,
    pub(super) href: String,
    pub(super) state: Chip,
    pub(super) phase: String,
    pub(super) progress: String,
    pub(super) begun: String,
}

#[derive(Template)]
#[template(path = "admin/tasks.html")]
pub(super) struct TasksPage {
    pub(super) w: Words,
    pub(super) frame: AdminFrame,
    pub(super) rows: Vec<TaskRow>,
}

/// What is drawn anew while the work goes on.
#[derive(Template)]
#[template(path = "admin/task_progress.html")]
pub(super) struct TaskProgress {
    pub(super) state: Chip,
    pub(super) done: i64,
    pub(super) total: i64,
    pub(super) progress: String,
    pub(super) facts: Vec<Fact>,
}

#[derive(Template)]
#[template(path = "admin/task.html")]
pub(super) struct TaskPage {
    pub(super) w: Words,
    pub(super) frame: AdminFrame,
    pub(super) running: bool,
    pub(super) href: String,
    pub(super) part: TaskProgress,
}

fn chip(w: Words, task: &Task) -> Chip {
    let tone = match task.state {
        TaskState::Running => Tone::Info,
        TaskState::Paused => Tone::Warn,
        TaskState::Done => Tone::Ok,
        TaskState::Failed => Tone::Bad,
    };
    Chip::new(tone, w.word("admin.jobs.state", task.state.word()))
}

fn title(w: Words, task: &Task) -> String {
    let key = match task.kind {
        TaskKind::Crl => "admin.jobs.crl",
        TaskKind::BulkRevocation => "admin.jobs.bulk",
        TaskKind::Batch => "admin.jobs.batch",
    };
    w.say(key).with("object", &task.object).text()
}

fn progress(w: Words, task: &Task) -> String {
    w.say("admin.jobs.progress")
        .with("done", format::number(task.done))
        .with("total", format::number(task.total.max(task.done)))
        .text()
}

/// `GET /console/jobs`
pub async fn list_tasks(granted: Granted<ViewRegistry>) -> Result<HttpResponse, Problem> {
    let visit = granted.visit;
    platform_only(&granted.permit)?;
    let tasks = visit.run(|env| env.store.read(|tx| tx.list_tasks(ROWS))).await?;
    let w = visit.words;
    let rows = tasks.iter().map(|task| TaskRow {
        title: title(w, task),
        href: format!("{PATH}/{}", task.id),
        state: chip(w, task),
        phase: w.word("admin.jobs.phase", task.phase.word()).to_owned(),
        progress: progress(w, task),
        begun: format::date_time(task.started_at),
    });
    html(&TasksPage {
        w,
        rows: rows.collect(),
        frame: visit.frame(w.t("admin.jobs.title"), Vec::new()),
    })
}

/// What is done for the platform as a whole is nobody's who sees a part of it.
pub(super) fn platform_only(
    permit: &tenkoku_domain::access::Permit<ViewRegistry>,
) -> Result<(), Problem> {
    match permit.scope() {
        tenkoku_domain::access::Scope::Platform => Ok(()),
        tenkoku_domain::access::Scope::Within { .. }
        | tenkoku_domain::access::Scope::Authorities(_) => Err(Problem::not_found()),
    }
}

async fn load(visit: &Visit, id: &str) -> Result<Task, Problem> {
    let Ok(id) = JobId::parse(id) else { return Err(Problem::not_found()) };
    visit.run(move |env| env.store.read(|tx| tx.load_task(&id))).await
}

fn part(w: Words, task: &Task) -> TaskProgress {
    let mut facts = vec![
        Fact::new(w.t("admin.jobs.phase-now"), w.word("admin.jobs.phase", task.phase.word())),
        Fact::new(w.t("admin.jobs.begun"), format::date_time(task.started_at)),
        Fact::new(w.t("admin.jobs.heard"), format::date_time(task.changed_at)),
    ];
    if let Some(speed) = task.per_second() {
        facts.push(Fact::new(w.t("admin.jobs.speed"), format::number(speed)));
    }
    for (name, value) in &task.detail {
        let phase = name.trim_end_matches("_ms");
        let took = value.as_i64().unwrap_or_default();
        let label = w.word("admin.jobs.phase", phase);
        let text = w.say("admin.jobs.took").with("ms", format::number(took)).text();
        facts.push(Fact::new(label, text));
    }
    TaskProgress {
        state: chip(w, task),
        done: task.done,
        total: task.total.max(task.done).max(1),
        progress: progress(w, task),
        facts,
    }
}

/// `GET /console/jobs/{id}`
pub async fn show_task(
    granted: Granted<ViewRegistry>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let visit = granted.visit;
    platform_only(&granted.permit)?;
    let task = load(&visit, &id).await?;
    let w = visit.words;
    let name = title(w, &task);
    let crumbs = vec![Crumb::link(w.t("admin.jobs.title"), PATH), Crumb::here(&name)];
    html(&TaskPage {
        w,
        frame: visit.frame(&name, crumbs),
        running: !task.is_over(),
        href: format!("{PATH}/{}/progress", task.id),
        part: part(w, &task),
    })
}

/// `GET /console/jobs/{id}/progress`: the part that changes. 286 ends the asking.
pub async fn show_progress(
    granted: Granted<ViewRegistry>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let visit = granted.visit;
    platform_only(&granted.permit)?;
    let task = load(&visit, &id).await?;
    let over = StatusCode::from_u16(286).unwrap_or(StatusCode::OK);
    let status = if task.is_over() { over } else { StatusCode::OK };
    super::views::html_with(status, &part(visit.words, &task))
}
