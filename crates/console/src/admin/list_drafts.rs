//! A draft of a trusted list: what changes and whom that concerns, what is wrong, who agrees (UX
//! 4.12).

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;
use askama::Template;
use serde::Deserialize;
use tenkoku_domain::access::{Permission, PublishList, ViewRegistry};
use tenkoku_domain::account::Account;
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::id::ListDraftId;
use tenkoku_domain::policy::draft::{PolicyDecision, Verdict};
use tenkoku_domain::trusted_list::draft::{
    DraftEdit, ListDraft, ListDraftState, ListEdit, ListPart, approvals_needed,
};
use tenkoku_publisher::check::Examination;
use tenkoku_publisher::draft::{
    DraftError, DraftVerdict, abandon_draft, decide_draft, examine_draft, submit_draft,
};
use tenkoku_publisher::form;
use tenkoku_tsl::diff::What;
use tenkoku_tsl::model::TrustedList;
use tenkoku_tsl::rules::Weight;

use super::authorities::platform_only;
use super::confirm::{Factor, factor_field, step_up};
use super::drafts::{Place, person};
use super::lists::{PATH, draft_chip, draft_href};
use super::policies::places;
use super::views::{Fact, html, html_with, see_other};
use crate::format;
use crate::granted::{Granted, Visit};
use crate::layout::{AdminFrame, Chip, Crumb, FieldError, Tone};
use crate::problem::Problem;
use crate::text::{Words, list as words};

/// A step of the way, and how far it is.
pub(super) struct Step {
    pub(super) number: usize,
    pub(super) name: String,
    pub(super) class: &'static str,
}

/// A change from the live list.
pub(super) struct ChangeRow {
    pub(super) kind: Chip,
    pub(super) place: String,
    pub(super) said: String,
}

/// Something that was checked.
pub(super) struct CheckRow {
    pub(super) tone: Tone,
    pub(super) text: String,
    pub(super) note: String,
}

/// A part of the list that may be changed.
pub(super) struct PartRow {
    pub(super) name: String,
    pub(super) href: String,
    pub(super) deep: bool,
}

/// Something that was done to the draft.
pub(super) struct EditRow {
    pub(super) text: String,
    pub(super) who: String,
    pub(super) ground: Vec<String>,
}

#[derive(Template)]
#[template(path = "admin/list_draft.html")]
pub(super) struct DraftPage {
    pub(super) w: Words,
    pub(super) frame: AdminFrame,
    pub(super) errors: Vec<FieldError>,
    pub(super) state: Chip,
    pub(super) drafted: String,
    pub(super) steps: Vec<Step>,
    pub(super) changes_title: String,
    pub(super) unchanged: String,
    pub(super) changes: Vec<ChangeRow>,
    pub(super) effects: Vec<String>,
    pub(super) checks: Vec<CheckRow>,
    pub(super) parts: Vec<PartRow>,
    pub(super) edits: Vec<EditRow>,
    pub(super) places: Vec<Place>,
    pub(super) places_text: String,
    pub(super) facts: Vec<Fact>,
    pub(super) href: String,
    pub(super) shown: String,
    pub(super) may_edit: bool,
    pub(super) may_submit: bool,
    pub(super) may_decide: bool,
    pub(super) approve: String,
    pub(super) factor: Factor,
    pub(super) reason: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct VerdictForm {
    #[serde(default)]
    verdict: String,
    #[serde(default)]
    shown: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    code: String,
}

/// A draft as it is shown.
pub(super) struct Ground {
    pub(super) draft: ListDraft,
    pub(super) seen: Examination,
    pub(super) people: Vec<Account>,
}

/// Reads the number of a draft.
pub(super) fn parse(id: &str) -> Result<ListDraftId, Problem> {
    ListDraftId::parse(id).map_err(|_| Problem::not_found())
}

/// Looks at a draft, for people who see the whole platform.
pub(super) async fn load(visit: &Visit, id: &str) -> Result<Ground, Problem> {
    let id = parse(id)?;
    let permit = visit.principal.permit::<ViewRegistry>(visit.now);
    let permit = permit.map_err(|refusal| Problem::from_refusal(&refusal))?;
    platform_only(&permit)?;
    visit
        .run(move |env| {
            let (draft, seen) = examine_draft(env, &permit, &id)?;
            let people = env.store.read(|tx| tx.list_accounts())?;
            Ok::<_, DraftError>(Ground { draft, seen, people })
        })
        .await
}

/// `GET /console/lists/drafts/{draft}`
pub async fn show_draft(
    granted: Granted<ViewRegistry>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let visit = granted.visit;
    let ground = load(&visit, &id).await?;
    html(&page(&visit, &ground, &VerdictForm::default(), Vec::new()).await?)
}

/// The name of a draft: the sequence that it is to be.
pub(super) fn title(w: Words, draft: &ListDraft, list: &TrustedList) -> String {
    w.say("admin.list-draft.title")
        .with("scheme", &draft.scheme)
        .with("n", list.scheme.sequence_number)
        .text()
}

async fn page(
    visit: &Visit,
    ground: &Ground,
    form: &VerdictForm,
    errors: Vec<FieldError>,
) -> Result<DraftPage, Problem> {
    let Ground { draft, seen, people } = ground;
    let w = visit.words;
    let title = title(w, draft, &seen.list);
    let crumbs = vec![Crumb::link(w.t("admin.lists.title"), PATH), Crumb::here(&*title)];
    let mut frame = visit.frame(&title, crumbs);
    frame.has_errors = !errors.is_empty();
    let installation = visit.env.settings.installation;
    let (agreed, needed) = (draft.agreed(), approvals_needed(installation));
    let number = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    let own = visit.account.party().to_string();
    let publishes = visit.may(Permission::PublishList);
    let may_decide =
        publishes && draft.may_be_decided(&own, &draft.content, installation, visit.now).is_ok();
    let may_edit = publishes && draft.state.is_open();
    Ok(DraftPage {
        w,
        frame,
        errors,
        state: draft_chip(w, draft),
        drafted: w
            .say("admin.list-draft.drafted")
            .with("time", format::date_time(draft.opened_at))
            .with("name", person(w, people, &draft.author))
            .text(),
        steps: steps(w, draft.state),
        changes_title: match seen.sequence {
            Some(sequence) => w
                .count_of("admin.list-draft.changes", seen.changes.len())
                .with("sequence", sequence)
                .text(),
            None => w.t("admin.list-draft.first").to_owned(),
        },
        unchanged: w.count_of("admin.list-draft.unchanged", seen.unchanged).text(),
        changes: seen.changes.iter().map(|change| change_row(w, change)).collect(),
        effects: effects(w, seen),
        checks: checks(w, draft, seen),
        parts: if may_edit { parts(w, draft, &seen.list) } else { Vec::new() },
        edits: draft.edits.iter().map(|edit| edit_row(w, people, &seen.list, edit)).collect(),
        places: place_list(w, ground, needed),
        places_text: places(w, number(agreed), number(needed)),
        facts: facts(w, draft, seen),
        href: draft_href(draft),
        shown: draft.content.to_string(),
        may_edit,
        may_submit: may_edit && draft.may_be_submitted().is_ok() && seen.is_sound(),
        may_decide: may_decide && seen.is_sound(),
        approve: w
            .t(if agreed + 1 >= needed {
                "admin.list-draft.approve-publish"
            } else {
                "admin.list-draft.approve"
            })
            .to_owned(),
        factor: if may_decide { factor_field(visit).await? } else { Factor::default() },
        reason: form.reason.clone(),
    })
}

fn facts(w: Words, draft: &ListDraft, seen: &Examination) -> Vec<Fact> {
    let mut facts =
        vec![Fact::new(w.t("admin.list-draft.earliest"), format::long_date_time(w, seen.earliest))];
    if let Some(until) = draft.expires_at() {
        facts.push(Fact::new(w.t("admin.policies.until"), format::date(until)));
    }
    facts
}

fn steps(w: Words, state: ListDraftState) -> Vec<Step> {
    let now = match state {
        ListDraftState::Editing | ListDraftState::SentBack | ListDraftState::Abandoned => 1,
        ListDraftState::Submitted => 3,
        ListDraftState::Approved => 4,
        ListDraftState::Published => 5,
    };
    let named = ["edit", "check", "approvals", "publish"];
    (1..)
        .zip(named)
        .map(|(number, name)| Step {
            number,
            name: w.word("admin.list-draft-step", name).to_owned(),
            class: match number.cmp(&now) {
                std::cmp::Ordering::Less => "done",
                std::cmp::Ordering::Equal => "now",
                std::cmp::Ordering::Greater => "",
            },
        })
        .collect()
}

fn change_row(w: Words, change: &tenkoku_tsl::diff::Change) -> ChangeRow {
    let tone = match &change.what {
        What::Added => Tone::Ok,
        What::Removed | What::Status { .. } => Tone::Warn,
        What::Field { .. } => Tone::Mute,
    };
    ChangeRow {
        kind: Chip::new(tone, w.word("admin.list-change", change.what.code())),
        place: words::place(w, &change.place),
        said: words::change(w, change),
    }
}

/// What publishing will do to people, in sentences.
fn effects(w: Words, seen: &Examination) -> Vec<String> {
    let effect = |one: &tenkoku_publisher::check::Effect| {
        let key = if one.is_ended { "admin.list-draft.ends" } else { "admin.list-draft.begins" };
        w.say(key)
            .with("place", words::place(w, &one.place))
            .with("since", format::long_date_time(w, one.since))
            .with("certificates", format::number(one.certificates))
            .with("branches", format::number(one.branches))
            .text()
    };
    seen.effects.iter().map(effect).collect()
}

/// What was checked: what is wrong first, then what is as it should be.
fn checks(w: Words, draft: &ListDraft, seen: &Examination) -> Vec<CheckRow> {
    let found = seen.findings.iter().map(|finding| CheckRow {
        tone: match finding.weight() {
            Weight::Refused => Tone::Bad,
            Weight::Advised => Tone::Warn,
        },
        text: words::finding(w, finding),
        note: format!("{} · {}", finding.rule.code(), finding.clause),
    });
    let mut rows: Vec<CheckRow> = found.collect();
    if seen.is_sound() {
        let good = |name: &str, note: String| CheckRow {
            tone: Tone::Ok,
            text: w.word("admin.list-check", name).to_owned(),
            note,
        };
        let list = &seen.list.scheme;
        let before = seen.sequence.map_or_else(|| "–".to_owned(), |number| number.to_string());
        rows.push(good("format", draft.content.to_string().chars().take(16).collect()));
        rows.push(good("sequence", format!("{before} → {}", list.sequence_number)));
        let states = seen.list.services().map(|(_, one)| one.history.len()).sum::<usize>();
        rows.push(good("history", w.count_of("admin.list-draft.states", states).text()));
        if let Some(until) = seen.signer_until {
            rows.push(good("signer", format::date(until)));
        }
    }
    rows
}

/// Every part of the list, and the places for new ones.
fn parts(w: Words, draft: &ListDraft, list: &TrustedList) -> Vec<PartRow> {
    let href = draft_href(draft);
    let row = |part: ListPart, deep| PartRow {
        name: words::place(w, &form::place(list, part)),
        href: format!("{href}/{part}"),
        deep,
    };
    let new = |part: ListPart, deep| PartRow {
        name: w.word("admin.list-part-new", part.kind()).to_owned(),
        href: format!("{href}/{part}"),
        deep,
    };
    let mut rows = vec![row(ListPart::Scheme, false)];
    let pointers = list.scheme.pointers.len();
    rows.extend((1..=pointers).map(|number| row(ListPart::Pointer(number), false)));
    rows.push(new(ListPart::Pointer(pointers + 1), false));
    for (number, provider) in (1..).zip(&list.providers) {
        rows.push(row(ListPart::Provider(number), false));
        let services = provider.services.len();
        let at = |service| ListPart::Service { provider: number, service };
        rows.extend((1..=services).map(|service| row(at(service), true)));
        rows.push(new(at(services + 1), true));
    }
    rows.push(new(ListPart::Provider(list.providers.len() + 1), false));
    rows
}

fn edit_row(w: Words, people: &[Account], list: &TrustedList, done: &DraftEdit) -> EditRow {
    let place = words::place(w, &form::place(list, done.edit.part()));
    let text = w.say(&format!("admin.list-edit.{}", done.edit.word())).with("place", place).text();
    let name = person(w, people, &done.person);
    let ground = match &done.edit {
        ListEdit::Status { status, ground, .. } => {
            vec![
                status.clone(),
                ground.reason.clone(),
                ground.legal_ja.clone(),
                ground.legal_en.clone(),
            ]
        }
        ListEdit::Close { reason } => vec![reason.clone()],
        ListEdit::Change { fields, .. } | ListEdit::Add { fields, .. } => {
            vec![
                fields.keys().map(|name| w.word("list-field", name)).collect::<Vec<_>>().join(", "),
            ]
        }
        ListEdit::Remove { .. } => Vec::new(),
    };
    EditRow { text, who: format!("{name} · {}", format::date_time(done.at)), ground }
}

/// The decisions, then the places that are still empty.
fn place_list(w: Words, ground: &Ground, needed: usize) -> Vec<Place> {
    let decided = |decision: &PolicyDecision| {
        let name = person(w, &ground.people, &decision.person);
        let at = format::date_time(decision.at);
        let (tone, title) = match decision.verdict {
            Verdict::Approved => (Tone::Ok, w.say("admin.draft.approved-by")),
            Verdict::Rejected => (Tone::Bad, w.say("admin.list-draft.sent-back-by")),
        };
        Place {
            tone,
            title: title.with("name", name).text(),
            text: format!("{at} {}", decision.reason).trim().to_owned(),
        }
    };
    let mut list: Vec<Place> = ground.draft.decisions.iter().map(decided).collect();
    let open = needed.saturating_sub(ground.draft.agreed());
    list.extend((0..open).map(|_| Place {
        tone: Tone::Mute,
        title: w.t("admin.draft.open-place").to_owned(),
        text: String::new(),
    }));
    list
}

#[derive(Debug, Default, Deserialize)]
struct ShownForm {
    #[serde(default)]
    shown: String,
}

/// Reads the digest of what somebody saw.
pub(super) fn shown(text: &str) -> Result<Digest, Problem> {
    Digest::parse(text).map_err(|_| Problem::not_found())
}

/// `POST /console/lists/drafts/{draft}/submission`: others are asked.
pub async fn submit(
    granted: Granted<PublishList>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let (id, form) = (parse(&id)?, visit.form::<ShownForm>()?);
    let shown = shown(&form.shown)?;
    let draft = visit.run(move |env| submit_draft(env, &permit, &id, &shown)).await?;
    Ok(see_other(&draft_href(&draft)))
}

/// `POST /console/lists/drafts/{draft}/abandonment`
pub async fn abandon(
    granted: Granted<PublishList>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let id = parse(&id)?;
    visit.run(move |env| abandon_draft(env, &permit, &id)).await?;
    Ok(see_other(PATH))
}

/// `POST /console/lists/drafts/{draft}`: agreed to, which publishes when nobody else is missing, or
/// sent back.
pub async fn decide(
    granted: Granted<PublishList>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let form: VerdictForm = visit.form()?;
    let ground = load(&visit, &id).await?;
    let href = draft_href(&ground.draft);
    let (own, w) = (visit.account.party().to_string(), visit.words);
    if ground.draft.decisions.iter().any(|decision| decision.person == own) {
        return Ok(see_other(&href));
    }
    let wrong =
        |field: &str, text: &str| FieldError { field: field.to_owned(), text: text.to_owned() };
    let verdict = Verdict::from_word(&form.verdict);
    let mut errors = Vec::new();
    if verdict.is_none() {
        errors.push(wrong("verdict", w.t("admin.draft.choose")));
    }
    if verdict == Some(Verdict::Rejected) && form.reason.trim().is_empty() {
        errors.push(wrong("reason", w.t("admin.draft.say-why")));
    }
    if errors.is_empty() {
        errors.extend(step_up(&visit, &form.code).await?);
    }
    let (Some(verdict), true) = (verdict, errors.is_empty()) else {
        let page = page(&visit, &ground, &form, errors).await?;
        return html_with(StatusCode::UNPROCESSABLE_ENTITY, &page);
    };
    let shown = shown(&form.shown)?;
    let order = DraftVerdict { draft: ground.draft.id, shown, verdict, reason: form.reason };
    visit.run(move |env| decide_draft(env, &permit, &order)).await?;
    Ok(see_other(&href))
}
