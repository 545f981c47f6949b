//! `tenkoku trustlist` on drafts: opened, changed, checked, put forward, agreed to, published.
//!
//! Whoever sits at the shell counts as one person, so in production what was written here is agreed
//! to in the console.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use tenkoku_console::text::{Words, list as words};
use tenkoku_domain::authority::AuthorityCode;
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::id::ListDraftId;
use tenkoku_domain::policy::draft::Verdict;
use tenkoku_domain::time::Timestamp;
use tenkoku_domain::trusted_list::SchemeCode;
use tenkoku_domain::trusted_list::draft::{
    Fields, ListDraft, ListEdit, ListPart, StatusGround, approvals_needed,
};
use tenkoku_ports::Env;
use tenkoku_publisher::check::{Effect, Examination};
use tenkoku_publisher::draft::{
    Beginning, DraftVerdict, abandon_draft, decide_draft, edit_draft, examine_draft, open_draft,
    publish_draft, submit_draft,
};
use tenkoku_publisher::form;
use tenkoku_publisher::link::propose_authority;
use tenkoku_publisher::publish::hand_over;
use tenkoku_publisher::shape::Shape;
use tenkoku_publisher::signers::find_signers;
use tenkoku_tsl::model::Territory;

use super::super::path::instant;
use super::super::registry::read;
use super::{list_json, list_text};
use crate::config::Config;
use crate::failure::{Failure, exit};
use crate::output::{Output, facts};
use crate::wire;

/// A shape of a list.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ShapeWord {
    /// With types and statuses of the scheme's own
    National,
    /// As the European Union gives it
    European,
    /// Pointing at lists
    ListOfLists,
}

/// `tenkoku trustlist draft`
#[derive(Debug, Args)]
pub(crate) struct OpenArgs {
    /// The code of the scheme, as in /tl/CODE.xml [default: the installation's own]
    #[arg(long)]
    scheme: Option<String>,
    /// Begin with this list, signed or not, instead of the live one
    #[arg(long, value_name = "FILE", conflicts_with = "shape")]
    from: Option<PathBuf>,
    /// Begin with an empty list of this shape
    #[arg(long, requires = "territory")]
    shape: Option<ShapeWord>,
    /// The territory of the empty list, such as JP
    #[arg(long)]
    territory: Option<String>,
}

/// `tenkoku trustlist edit`
#[derive(Debug, Args)]
pub(crate) struct EditArgs {
    /// The draft
    draft: String,
    /// The part: scheme, pointer-1, provider-1, service-1-2; one more than there are adds one
    part: String,
    /// What it says: FIELD=VALUE, or FIELD=@FILE for what stands in a file. Without any, what it
    /// says now is printed
    said: Vec<String>,
    /// Take the part out, which is possible until it was published
    #[arg(long, conflicts_with = "said")]
    remove: bool,
}

/// `tenkoku trustlist status`
#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    /// The draft
    draft: String,
    /// The service, such as service-1-2
    part: String,
    /// The address of the new status
    status: String,
    /// From when, as in 2026-11-22T00:00:00Z [default: from the publication on]
    #[arg(long, value_name = "TIME", value_parser = instant)]
    from: Option<Timestamp>,
    /// Why
    #[arg(long)]
    reason: String,
    /// The legal text in Japanese
    #[arg(long)]
    legal_ja: String,
    /// The legal text in English
    #[arg(long)]
    legal_en: String,
}

/// `tenkoku trustlist approve|reject`
#[derive(Debug, Args)]
pub(crate) struct VerdictArgs {
    /// The draft
    draft: String,
    /// The digest that was shown, so that nothing else is decided
    #[arg(long)]
    digest: String,
    /// Why; needed to send it back
    #[arg(long, default_value = "")]
    reason: String,
}

fn parse(text: &str) -> Result<ListDraftId, Failure> {
    ListDraftId::parse(text).map_err(|_| Failure::nothing("draft of a list", text))
}

fn part(text: &str) -> Result<ListPart, Failure> {
    ListPart::parse(text)
        .ok_or_else(|| Failure::word(text, &["scheme", "pointer-1", "provider-1", "service-1-1"]))
}

fn scheme(text: Option<&str>, env: &Env) -> Result<SchemeCode, Failure> {
    Ok(SchemeCode::parse(text.unwrap_or(&env.settings.scheme.code))?)
}

/// Opens a draft.
pub(super) fn open(args: &OpenArgs, config: &Config, output: &Output) -> Result<(), Failure> {
    let env = wire::env(config)?;
    let scheme = scheme(args.scheme.as_deref(), &env)?;
    let territory = || {
        let code = args.territory.as_deref().unwrap_or_default();
        Territory::new(code).map_err(|_| Failure::word(code, &["a code such as JP"]))
    };
    let beginning = match (&args.from, args.shape) {
        (Some(file), _) => Beginning::File(read(file)?),
        (None, Some(ShapeWord::National)) => Beginning::Shape(Shape::National(territory()?)),
        (None, Some(ShapeWord::European)) => Beginning::Shape(Shape::European(territory()?)),
        (None, Some(ShapeWord::ListOfLists)) => Beginning::Shape(Shape::ListOfLists(territory()?)),
        (None, None) => Beginning::Live,
    };
    let permit = wire::shell().permit(env.clock.now())?;
    let draft = open_draft(&env, &permit, &scheme, &beginning)?;
    tell(&draft, output);
    Ok(())
}

/// Lists drafts, newest first.
pub(super) fn list(config: &Config, output: &Output) -> Result<(), Failure> {
    let page = wire::store(config)?.read(|tx| tx.list_list_drafts(None, 50))?;
    let all: Vec<Value> = page.items.iter().map(draft_json).collect();
    output.result("list-drafts", json!({ "drafts": all, "more": page.next.is_some() }), || {
        let line = |draft: &ListDraft| {
            let (id, at, scheme, state) = (&draft.id, draft.opened_at, &draft.scheme, draft.state);
            format!("{id}  {at}  {state}  {scheme}\n")
        };
        page.items.iter().map(line).collect()
    });
    Ok(())
}

/// Changes a part, or prints what it says.
pub(super) fn edit(args: &EditArgs, config: &Config, output: &Output) -> Result<(), Failure> {
    let env = wire::env(config)?;
    let (id, part) = (parse(&args.draft)?, part(&args.part)?);
    let shell = wire::shell();
    let (draft, seen) = examine_draft(&env, &shell.permit(env.clock.now())?, &id)?;
    let said = form::show(&seen.list, part);
    let fields = read_fields(&args.said)?;
    let edit = match (&said, args.remove) {
        (_, true) => ListEdit::Remove { part },
        (Some(said), false) if fields.is_empty() => {
            let field =
                |(name, value): (&String, &String)| format!("{name}\n{}\n", indented(value));
            output.result("list-part", json!({ "part": part, "says": said }), || {
                said.iter().map(field).collect()
            });
            return Ok(());
        }
        (Some(_), false) => ListEdit::Change { part, fields },
        (None, false) => ListEdit::Add { part, fields },
    };
    let permit = shell.permit(env.clock.now())?;
    let draft = edit_draft(&env, &permit, &id, &draft.content, &edit)?;
    tell(&draft, output);
    Ok(())
}

fn indented(value: &str) -> String {
    let line = |line: &str| format!("  {line}\n");
    value.lines().map(line).collect()
}

fn read_fields(said: &[String]) -> Result<Fields, Failure> {
    said.iter()
        .map(|one| {
            let wrong = || Failure::word(one, &["FIELD=VALUE", "FIELD=@FILE"]);
            let (name, value) = one.split_once('=').ok_or_else(wrong)?;
            let value = match value.strip_prefix('@') {
                Some(file) => {
                    String::from_utf8(read(&PathBuf::from(file))?).map_err(|_| wrong())?
                }
                None => value.to_owned(),
            };
            Ok((name.to_owned(), value))
        })
        .collect()
}

/// Gives a service another status.
pub(super) fn status(args: StatusArgs, config: &Config, output: &Output) -> Result<(), Failure> {
    let (draft, part) = (args.draft, part(&args.part)?);
    let ground =
        StatusGround { reason: args.reason, legal_ja: args.legal_ja, legal_en: args.legal_en };
    let edit = ListEdit::Status { part, status: args.status, from: args.from, ground };
    change(&draft, &edit, config, output)
}

/// Closes the list.
pub(super) fn close(
    draft: &str,
    reason: String,
    config: &Config,
    output: &Output,
) -> Result<(), Failure> {
    change(draft, &ListEdit::Close { reason }, config, output)
}

fn change(draft: &str, edit: &ListEdit, config: &Config, output: &Output) -> Result<(), Failure> {
    let env = wire::env(config)?;
    let id = parse(draft)?;
    let found = env.store.read(|tx| tx.load_list_draft(&id))?;
    let permit = wire::shell().permit(env.clock.now())?;
    let changed = edit_draft(&env, &permit, &id, &found.content, edit)?;
    tell(&changed, output);
    Ok(())
}

/// Says what is wrong with a draft, what it changes and whom that concerns.
pub(super) fn check(draft: &str, config: &Config, output: &Output) -> Result<(), Failure> {
    let env = wire::env(config)?;
    let permit = wire::shell().permit(env.clock.now())?;
    let (found, seen) = examine_draft(&env, &permit, &parse(draft)?)?;
    let w = Words::of(output.language);
    output.result("list-check", check_json(w, &found, &seen), || check_text(w, &found, &seen));
    match seen.findings.first().filter(|_| !seen.is_sound()) {
        None => Ok(()),
        Some(finding) => Err(Failure::problem("list-broken", exit::REFUSED)
            .with("finding", words::finding(w, finding))),
    }
}

fn check_json(w: Words, draft: &ListDraft, seen: &Examination) -> Value {
    json!({
        "draft": draft.id,
        "digest": draft.content,
        "state": draft.state,
        "sequence": seen.list.scheme.sequence_number,
        "earliest": seen.earliest.to_string(),
        "sound": seen.is_sound(),
        "findings": seen.findings.iter().map(|finding| json!({
            "code": finding.rule.code(),
            "clause": finding.clause,
            "refused": finding.weight() == tenkoku_tsl::rules::Weight::Refused,
            "place": words::place(w, &finding.place),
            "sentence": words::finding(w, finding),
        })).collect::<Value>(),
        "changes": seen.changes.iter().map(|one| words::change(w, one)).collect::<Vec<_>>(),
        "effects": seen.effects.iter().map(|one| effect_json(w, one)).collect::<Value>(),
    })
}

fn effect_json(w: Words, effect: &Effect) -> Value {
    json!({
        "place": words::place(w, &effect.place),
        "ended": effect.is_ended,
        "since": effect.since.to_string(),
        "certificates": effect.certificates,
        "branches": effect.branches,
    })
}

fn check_text(w: Words, draft: &ListDraft, seen: &Examination) -> String {
    let head = facts(&[
        ("draft", draft.id.to_string()),
        ("digest", draft.content.to_string()),
        ("state", draft.state.to_string()),
        ("sequence", seen.list.scheme.sequence_number.to_string()),
        ("from", seen.earliest.to_string()),
    ]);
    let findings = seen.findings.iter().map(|finding| {
        let (sentence, code) = (words::finding(w, finding), finding.rule.code());
        format!("\n{sentence} [{code}, {}]", finding.clause)
    });
    let changes = seen.changes.iter().map(|change| format!("\n{}", words::change(w, change)));
    let effects = seen.effects.iter().map(|effect| {
        let (place, since) = (words::place(w, &effect.place), effect.since);
        let (n, branches) = (effect.certificates, effect.branches);
        format!("\n{place}: {since}, {n} certificates, {branches} branches")
    });
    let rest: String = findings.chain(changes).chain(effects).collect();
    format!("{head}{rest}\n")
}

/// Puts a draft forward.
pub(super) fn submit(draft: &str, config: &Config, output: &Output) -> Result<(), Failure> {
    let env = wire::env(config)?;
    let id = parse(draft)?;
    let found = env.store.read(|tx| tx.load_list_draft(&id))?;
    let permit = wire::shell().permit(env.clock.now())?;
    let draft = submit_draft(&env, &permit, &id, &found.content)?;
    let needed = approvals_needed(env.settings.installation);
    output.progress(&format!("Nothing is published yet: {needed} person(s) must agree"));
    tell(&draft, output);
    Ok(())
}

/// Gives a draft up.
pub(super) fn abandon(draft: &str, config: &Config, output: &Output) -> Result<(), Failure> {
    let env = wire::env(config)?;
    let permit = wire::shell().permit(env.clock.now())?;
    tell(&abandon_draft(&env, &permit, &parse(draft)?)?, output);
    Ok(())
}

/// Agrees to a draft, or sends it back.
pub(super) fn decide(
    args: VerdictArgs,
    verdict: Verdict,
    config: &Config,
    output: &Output,
) -> Result<(), Failure> {
    let draft = parse(&args.draft)?;
    let shown = Digest::parse(&args.digest)
        .map_err(|_| Failure::word(&args.digest, &["a digest of 64 digits"]))?;
    let env = wire::env(config)?;
    let permit = wire::shell().permit(env.clock.now())?;
    let order = DraftVerdict { draft, shown, verdict, reason: args.reason };
    let decided = decide_draft(&env, &permit, &order)?;
    match &decided.published {
        Some(list) => output.result("list", list_json(list, config), || list_text(list, config)),
        None => tell(&decided.draft, output),
    }
    Ok(())
}

/// Publishes a draft that was agreed to and whose time has come.
pub(super) fn publish(draft: &str, config: &Config, output: &Output) -> Result<(), Failure> {
    let env = wire::env(config)?;
    let (id, permit) = (parse(draft)?, wire::shell().permit(env.clock.now())?);
    if let Some(list) = publish_draft(&env, &permit, &id)? {
        output.result("list", list_json(&list, config), || list_text(&list, config));
    } else {
        output.progress("A state that the draft tells has not begun yet");
        tell(&env.store.read(|tx| tx.load_list_draft(&id))?, output);
    }
    Ok(())
}

/// Proposes what is due of an authority.
pub(super) fn propose(code: &str, config: &Config, output: &Output) -> Result<(), Failure> {
    let env = wire::env(config)?;
    let permit = wire::shell().permit(env.clock.now())?;
    tell(&propose_authority(&env, &permit, &AuthorityCode::parse(code)?)?, output);
    Ok(())
}

/// Prints a draft as the list that it would be, unsigned.
pub(super) fn export(draft: &str, config: &Config, output: &Output) -> Result<(), Failure> {
    let id = parse(draft)?;
    let found = wire::store(config)?.read(|tx| tx.load_list_draft(&id))?;
    output.raw(found.document.as_bytes());
    Ok(())
}

/// Shows who signs, and who will.
pub(super) fn signers(code: Option<&str>, config: &Config, output: &Output) -> Result<(), Failure> {
    let env = wire::env(config)?;
    let found = find_signers(&env, scheme(code, &env)?.as_str())?;
    let found = found.ok_or_else(|| Failure::nothing("list signer", ""))?;
    let may = found.may_hand_over(env.clock.now());
    let all: Vec<Value> = found
        .all()
        .map(|signer| {
            json!({
                "name": signer.common_name,
                "key": signer.key,
                "serial": signer.serial,
                "announced": signer.created_at.to_string(),
                "until": signer.validity.not_after.to_string(),
            })
        })
        .collect();
    let value = json!({ "signers": all, "may_hand_over": may });
    output.result("list-signers", value, || {
        let line = |(at, one): (usize, &tenkoku_domain::certificate::Certificate)| {
            let part = if at == 0 { "signs  " } else { "follows" };
            let (from, until) = (one.created_at, one.validity.not_after);
            format!("{part}  {from}  {until}  {}\n", one.common_name)
        };
        found.all().enumerate().map(line).collect()
    });
    Ok(())
}

/// Hands over to the signer that is announced beside the present one.
pub(super) fn hand_over_now(
    code: Option<&str>,
    config: &Config,
    output: &Output,
) -> Result<(), Failure> {
    let env = wire::env(config)?;
    let scheme = scheme(code, &env)?;
    let list = hand_over(&env, &wire::shell().permit(env.clock.now())?, &scheme)?;
    output.result("list", list_json(&list, config), || list_text(&list, config));
    Ok(())
}

fn tell(draft: &ListDraft, output: &Output) {
    output.result("list-draft", draft_json(draft), || {
        let mut rows = vec![
            ("draft", draft.id.to_string()),
            ("scheme", draft.scheme.to_string()),
            ("state", draft.state.to_string()),
            ("changes", draft.revision().to_string()),
            ("digest", draft.content.to_string()),
        ];
        rows.extend(
            draft
                .decisions
                .iter()
                .map(|one| ("decision", format!("{} {} {}", one.verdict, one.at, one.reason))),
        );
        facts(&rows)
    });
}

fn draft_json(draft: &ListDraft) -> Value {
    json!({
        "id": draft.id,
        "scheme": draft.scheme,
        "state": draft.state,
        "digest": draft.content,
        "opened_at": draft.opened_at.to_string(),
        "edits": draft.edits.iter().map(|done| json!({
            "edit": done.edit, "at": done.at.to_string(), "by": done.person,
        })).collect::<Value>(),
        "decisions": draft.decisions.iter().map(|one| json!({
            "verdict": one.verdict, "at": one.at.to_string(), "by": one.actor, "reason": one.reason,
        })).collect::<Value>(),
    })
}
