//! Drafts of lists: opened, changed, put forward, agreed to by others, published by the last who
//! agrees (DOMAIN 17).
//!
//! That an agreement came from a fresh second factor is the console's to check.

use tenkoku_domain::access::{Actor, Origin, Permit, PublishList, ViewRegistry};
use tenkoku_domain::audit::{AuditCode, Event, ListEvent, ObjectRef};
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::id::ListDraftId;
use tenkoku_domain::name::plain_text;
use tenkoku_domain::policy::draft::{PolicyDecision, Verdict};
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_domain::time::Timestamp;
use tenkoku_domain::trusted_list::draft::{DraftEdit, ListDraft, ListDraftState, ListEdit};
use tenkoku_domain::trusted_list::{PublishedList, SchemeCode};
use tenkoku_ports::{Attempt, Env};
use tenkoku_store::{StoreError, Tx};
use tenkoku_tsl::certificate::CertificateError;
use tenkoku_tsl::model::TrustedList;
use tenkoku_tsl::rules::{Broken, Finding};
use tenkoku_tsl::verify::{Refusal as ListRefusal, read_unsigned, verify};
use tenkoku_tsl::write::to_xml;

use crate::check::{Examination, examine, platform_only};
use crate::compose::{ComposeError, compose};
use crate::edit::{EditError, edit};
use crate::form::is_closed;
use crate::publish::{Ground, PublishError, closed, issue, own_scheme, refuse_broken};
use crate::seal::{content_of, earliest, seal};
use crate::shape::{Shape, shaped};

/// Why a draft did not go on its way.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    /// A rule refuses it; the refusal is in the audit trail.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// What a form says is wrong; all of it.
    #[error("{} things of the form are wrong", .0.len())]
    Mistakes(Vec<Finding>),
    /// The draft breaks clauses of the standard.
    #[error(transparent)]
    Broken(#[from] Broken),
    /// A list that was handed in, or that is kept, cannot be read.
    #[error("the list cannot be read: {0}")]
    Unreadable(#[from] ListRefusal),
    /// The parts do not make a list.
    #[error(transparent)]
    Compose(#[from] ComposeError),
    /// A stored certificate cannot be read.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// It was agreed to, and could not be published; it is published when the cause is gone.
    #[error("the list is agreed to but was not published: {0}")]
    Publish(#[from] PublishError),
    /// The store did not answer, or holds no such draft.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a draft begins with.
#[derive(Clone, Debug)]
pub enum Beginning {
    /// What the live list says; the first list of the platform's own scheme where none is live.
    Live,
    /// A list as a file, signed by whomever or not: of another publisher that this platform follows.
    File(Vec<u8>),
    /// An empty list of some shape.
    Shape(Shape),
}

/// What a person decides about a draft: it is named with the digest of what was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DraftVerdict {
    /// The draft.
    pub draft: ListDraftId,
    /// The digest that was shown.
    pub shown: Digest,
    /// What is decided.
    pub verdict: Verdict,
    /// Why; may be empty for an agreement only.
    pub reason: String,
}

/// What became of a decision.
#[derive(Clone, Debug)]
pub struct Decided {
    /// The draft as it is now.
    pub draft: ListDraft,
    /// The list, where the decision was the last that was missing.
    pub published: Option<PublishedList>,
}

/// Opens a draft of the next list of a scheme. A scheme has one open draft at most.
pub fn open_draft(
    env: &Env,
    permit: &Permit<PublishList>,
    scheme: &SchemeCode,
    beginning: &Beginning,
) -> Result<ListDraft, DraftError> {
    let now = env.clock.now();
    let (ground, authorities) = env.store.read(|tx| {
        platform_only(permit.scope())?;
        Ok::<_, StoreError>((Ground::load(tx, scheme, now)?, tx.list_authorities()?))
    })?;
    let live = ground.live_list()?;
    let begun = || -> Result<TrustedList, DraftError> {
        match (beginning, &live) {
            (Beginning::Live, Some(live)) => Ok(live.clone()),
            (Beginning::Live, None) if *scheme == own_scheme(env)? => {
                Ok(compose(env, &authorities, now)?)
            }
            (Beginning::Live, None) => Err(StoreError::NotFound { what: "list" }.into()),
            (Beginning::File(bytes), _) => match verify(bytes) {
                Ok(verified) => Ok(verified.into_list()),
                Err(ListRefusal::NoSignature) => Ok(read_unsigned(bytes)?),
                Err(refusal) => Err(refusal.into()),
            },
            (Beginning::Shape(shape), _) => Ok(shaped(env, scheme, shape, now)?),
        }
    };
    let opened = (|| {
        if live.as_ref().is_some_and(is_closed) {
            return Err(closed(scheme).into());
        }
        let number = u64::try_from(ground.next()).unwrap_or(1);
        let list = seal(begun()?, live.as_ref(), number, ground.issue(now));
        let document = to_xml(&list);
        env.store.write(|tx| {
            if tx.open_list_draft(scheme)?.is_some() {
                let refusal = Refusal::new(RefusalCode::StateConflict, "17");
                return Err(refusal.with("state", "open").with("list", scheme).into());
            }
            let draft = ListDraft {
                id: ListDraftId::new(now, &*env.entropy),
                scheme: scheme.clone(),
                base: live.as_ref().map(content_of),
                author: person(tx, &permit.origin().actor)?,
                opened_at: now,
                content: Digest::of(document.as_bytes()),
                document: document.clone(),
                state: ListDraftState::Editing,
                submitted_at: None,
                edits: Vec::new(),
                decisions: Vec::new(),
            };
            let event = ListEvent::Opened { draft: Box::new(draft.clone()) };
            tx.record(permit.origin(), now, &Event::List(event))?;
            Ok(draft)
        })
    })();
    let object = ObjectRef::new("list", scheme);
    told(env, permit.origin(), (AuditCode::ListDrafted, object), opened)
}

/// Changes a draft; whatever others decided about it is void.
pub fn edit_draft(
    env: &Env,
    permit: &Permit<PublishList>,
    id: &ListDraftId,
    shown: &Digest,
    change: &ListEdit,
) -> Result<ListDraft, DraftError> {
    let now = env.clock.now();
    let edited = (|| {
        check_ground(change)?;
        let draft = load(env, permit, id)?;
        let ground = env.store.read(|tx| Ground::load(tx, &draft.scheme, now))?;
        let live = ground.live_list()?;
        let mut list = read_unsigned(draft.document.as_bytes())?;
        match edit(&mut list, live.as_ref(), change, now) {
            Ok(()) => {}
            Err(EditError::NoPart) => {
                return Err(StoreError::NotFound { what: "part of the list" }.into());
            }
            Err(EditError::Mistakes(mistakes)) => return Err(DraftError::Mistakes(mistakes)),
            Err(EditError::Published) => {
                let refusal = Refusal::new(RefusalCode::StateConflict, "5.5.10");
                return Err(refusal.with("state", "published").with("draft", id).into());
            }
        }
        let document = to_xml(&list);
        let content = Digest::of(document.as_bytes());
        env.store.write(|tx| {
            let mut draft = tx.lock_list_draft(id)?;
            draft.may_be_edited(shown)?;
            let person = person(tx, &permit.origin().actor)?;
            let edit = DraftEdit { edit: change.clone(), person, at: now, content };
            draft.document.clone_from(&document);
            draft.content = content;
            draft.state = ListDraftState::Editing;
            draft.submitted_at = None;
            draft.decisions.clear();
            draft.edits.push(edit.clone());
            let event = ListEvent::Edited { draft: Box::new(draft.clone()), edit };
            tx.record(permit.origin(), now, &Event::List(event))?;
            Ok(draft)
        })
    })();
    told(env, permit.origin(), (AuditCode::ListDrafted, ObjectRef::new("list-draft", id)), edited)
}

/// A change of status and the end of a list are decided by somebody, for a reason, under a law.
fn check_ground(change: &ListEdit) -> Result<(), Refusal> {
    let needed = |what: &str, text: &str| {
        one_line(text).map(drop).map_err(|refusal| refusal.with("field", what))
    };
    match change {
        ListEdit::Status { ground, .. } => {
            needed("reason", &ground.reason)?;
            needed("legal-ja", &ground.legal_ja)?;
            needed("legal-en", &ground.legal_en)
        }
        ListEdit::Close { reason } => needed("reason", reason),
        ListEdit::Change { .. } | ListEdit::Add { .. } | ListEdit::Remove { .. } => Ok(()),
    }
}

/// A person's words in one line; something must be said.
fn one_line(text: &str) -> Result<String, Refusal> {
    plain_text(&text.replace(['\r', '\n', '\t'], " "))
}

/// Looks at a draft as it would be published.
pub fn examine_draft(
    env: &Env,
    permit: &Permit<ViewRegistry>,
    id: &ListDraftId,
) -> Result<(ListDraft, Examination), DraftError> {
    let draft = env.store.read(|tx| {
        platform_only(permit.scope())?;
        tx.load_list_draft(id)
    })?;
    let examined = examine(env, &draft)?;
    Ok((draft, examined))
}

/// Puts a draft forward: others are asked. One that breaks the standard is not.
pub fn submit_draft(
    env: &Env,
    permit: &Permit<PublishList>,
    id: &ListDraftId,
    shown: &Digest,
) -> Result<ListDraft, DraftError> {
    let now = env.clock.now();
    let submitted = (|| {
        let draft = load(env, permit, id)?;
        refuse_broken(examine(env, &draft)?.findings)?;
        env.store.write(|tx| {
            let mut draft = tx.lock_list_draft(id)?;
            draft.may_be_submitted()?;
            draft.may_be_edited(shown)?;
            draft.state = ListDraftState::Submitted;
            draft.submitted_at = Some(now);
            let event = ListEvent::Submitted { draft: Box::new(draft.clone()) };
            tx.record(permit.origin(), now, &Event::List(event))?;
            Ok(draft)
        })
    })();
    told(
        env,
        permit.origin(),
        (AuditCode::ListDrafted, ObjectRef::new("list-draft", id)),
        submitted,
    )
}

/// Gives a draft up.
pub fn abandon_draft(
    env: &Env,
    permit: &Permit<PublishList>,
    id: &ListDraftId,
) -> Result<ListDraft, DraftError> {
    let now = env.clock.now();
    let abandoned = env.store.write(|tx| {
        platform_only(permit.scope())?;
        let mut draft = tx.lock_list_draft(id)?;
        if !draft.state.is_open() {
            return Err(draft.conflict().into());
        }
        draft.state = ListDraftState::Abandoned;
        let event = ListEvent::Abandoned { draft: Box::new(draft.clone()) };
        tx.record(permit.origin(), now, &Event::List(event))?;
        Ok(draft)
    });
    told(
        env,
        permit.origin(),
        (AuditCode::ListDrafted, ObjectRef::new("list-draft", id)),
        abandoned,
    )
}

/// Agrees to a draft as one person, or sends it back. Whoever's agreement was the last that was
/// missing publishes the list.
pub fn decide_draft(
    env: &Env,
    permit: &Permit<PublishList>,
    order: &DraftVerdict,
) -> Result<Decided, DraftError> {
    let now = env.clock.now();
    let decided = (|| {
        let draft = load(env, permit, &order.draft)?;
        if order.verdict == Verdict::Approved {
            refuse_broken(examine(env, &draft)?.findings)?;
        }
        env.store.write(|tx| {
            let mut draft = tx.lock_list_draft(&order.draft)?;
            let person = person(tx, &permit.origin().actor)?;
            let installation = env.settings.installation;
            draft.may_be_decided(&person, &order.shown, installation, now)?;
            let reason = match order.verdict {
                Verdict::Approved if order.reason.trim().is_empty() => String::new(),
                Verdict::Approved | Verdict::Rejected => one_line(&order.reason)?,
            };
            let actor = permit.origin().actor.clone();
            let decision =
                PolicyDecision { person, verdict: order.verdict, at: now, reason, actor };
            draft.decisions.push(decision.clone());
            draft.state = match order.verdict {
                Verdict::Rejected => ListDraftState::SentBack,
                Verdict::Approved if draft.is_agreed(installation) => ListDraftState::Approved,
                Verdict::Approved => ListDraftState::Submitted,
            };
            let event = ListEvent::Decided { draft: Box::new(draft.clone()), decision };
            tx.record(permit.origin(), now, &Event::List(event))?;
            Ok(draft)
        })
    })();
    let object = ObjectRef::new("list-draft", &order.draft);
    let draft = told(env, permit.origin(), (AuditCode::ListApproved, object), decided)?;
    if draft.state != ListDraftState::Approved {
        return Ok(Decided { draft, published: None });
    }
    let published = publish_draft(env, permit, &draft.id)?;
    let draft = env.store.read(|tx| tx.load_list_draft(&draft.id))?;
    Ok(Decided { draft, published })
}

/// Publishes what a draft says that enough others agreed to; `None` while a state that it tells has
/// not begun.
pub fn publish_draft(
    env: &Env,
    permit: &Permit<PublishList>,
    id: &ListDraftId,
) -> Result<Option<PublishedList>, DraftError> {
    let now = env.clock.now();
    let draft = load(env, permit, id)?;
    if draft.state != ListDraftState::Approved {
        let refused = Err(draft.conflict().into());
        let act = (AuditCode::ListPublished, ObjectRef::new("list-draft", id));
        return told(env, permit.origin(), act, refused);
    }
    let ground = env.store.read(|tx| Ground::load(tx, &draft.scheme, now))?;
    let live = ground.live_list()?;
    let list = read_unsigned(draft.document.as_bytes())?;
    if earliest(&list, live.as_ref(), now) > now {
        return Ok(None);
    }
    refuse_broken(examine(env, &draft)?.findings)?;
    Ok(Some(issue(env, permit, &ground, list, Some(draft.id))?))
}

/// Publishes every draft that is agreed to and whose time has come. Gives what was published.
pub fn publish_due_drafts(
    env: &Env,
    permit: &Permit<PublishList>,
) -> Result<Vec<PublishedList>, DraftError> {
    let drafts = env.store.read(|tx| tx.list_list_drafts(None, i64::from(u8::MAX)))?;
    let agreed = drafts.items.iter().filter(|draft| draft.state == ListDraftState::Approved);
    let mut published = Vec::new();
    for draft in agreed {
        published.extend(publish_draft(env, permit, &draft.id)?);
    }
    Ok(published)
}

fn load(
    env: &Env,
    permit: &Permit<PublishList>,
    id: &ListDraftId,
) -> Result<ListDraft, StoreError> {
    env.store.read(|tx| {
        platform_only(permit.scope())?;
        tx.load_list_draft(id)
    })
}

/// Who counts in an approval (I-6).
fn person(tx: &mut Tx<'_>, actor: &Actor) -> Result<String, StoreError> {
    Ok(tx.party(actor)?.to_string())
}

/// Writes a refusal of a rule to the audit trail.
pub(crate) fn told<T>(
    env: &Env,
    origin: &Origin,
    (code, object): (AuditCode, ObjectRef),
    result: Result<T, DraftError>,
) -> Result<T, DraftError> {
    let Err(DraftError::Refused(refusal)) = result else { return result };
    let now: Timestamp = env.clock.now();
    let attempt = Attempt { code, object, organisation: None, policy: None };
    Err(env.refuse(origin, now, attempt, refusal)?.into())
}
