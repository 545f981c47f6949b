//! The authorities of the platform beside its own list: who is not listed, and whose status there is
//! no longer true. Whoever runs the list proposes the change with one act.

use tenkoku_domain::access::{Permit, PublishList};
use tenkoku_domain::audit::{AuditCode, ObjectRef};
use tenkoku_domain::authority::{Authority, AuthorityCode};
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_domain::time::Timestamp;
use tenkoku_domain::trusted_list::draft::{
    Fields, ListDraft, ListDraftState, ListEdit, ListPart, StatusGround,
};
use tenkoku_ports::Env;
use tenkoku_store::StoreError;
use tenkoku_tsl::model::{Service, TrustedList};
use tenkoku_tsl::rules::{european_status, is_ended_status, is_european, is_same_service};
use tenkoku_tsl::verify::{read_unsigned, verify};

use crate::compose::{ComposeError, is_listed, is_vouched_for, provider, service};
use crate::draft::{Beginning, DraftError, edit_draft, open_draft, told};
use crate::form;
use crate::publish::own_scheme;

/// What the list does not say of an authority, or no longer says rightly.
#[derive(Clone, Debug)]
pub struct Gap {
    /// The authority.
    pub authority: Authority,
    /// What is to be done.
    pub due: Due,
    /// Whether an open draft says it already.
    pub is_drafted: bool,
}

/// What is to be done about an authority.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// It is to be listed.
    Listing,
    /// It is to be withdrawn: it was suspended, or ended.
    Withdrawal,
    /// It is to be granted again: it works again.
    Grant,
}

impl Due {
    /// Its word in catalogues.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Listing => "listing",
            Self::Withdrawal => "withdrawal",
            Self::Grant => "grant",
        }
    }
}

/// What the platform's own list lacks. Without a live list nothing does: the first names everybody.
pub fn find_gaps(env: &Env) -> Result<Vec<Gap>, DraftError> {
    let own = own_scheme(env)?;
    let (live, draft, authorities) = env.store.read(|tx| {
        let live = tx.latest_list(own.as_str())?;
        Ok::<_, StoreError>((live, tx.open_list_draft(&own)?, tx.list_authorities()?))
    })?;
    let Some(live) = live else { return Ok(Vec::new()) };
    let live = verify(&live.xml)?.into_list();
    if form::is_closed(&live) {
        return Ok(Vec::new());
    }
    let drafted = draft.map(|draft| read_unsigned(draft.document.as_bytes())).transpose()?;
    let mut gaps = Vec::new();
    for authority in authorities.into_iter().filter(is_listed) {
        let Some(wanted) = service(env, &authority, env.clock.now())? else { continue };
        let due = |list: &TrustedList| due(&authority, &wanted, list);
        let Some(what) = due(&live) else { continue };
        let is_drafted = drafted.as_ref().is_some_and(|drafted| due(drafted).is_none());
        gaps.push(Gap { due: what, is_drafted, authority });
    }
    Ok(gaps)
}

/// What a list is to say differently of an authority.
fn due(authority: &Authority, wanted: &Service, list: &TrustedList) -> Option<Due> {
    let listed = list.services().map(|(_, one)| one).find(|one| is_same_service(one, wanted));
    match listed {
        // What never was listed and works no more need not be.
        None => is_vouched_for(authority).then_some(Due::Listing),
        Some(listed) => match (is_vouched_for(authority), is_ended_status(&listed.status)) {
            (true, true) => Some(Due::Grant),
            (false, false) => Some(Due::Withdrawal),
            (true, false) | (false, true) => None,
        },
    }
}

/// Proposes what is due of an authority: in the open draft of the platform's own list, or in a new
/// one.
///
/// # Errors
/// Nothing is due, or the draft waits for others already.
pub fn propose_authority(
    env: &Env,
    permit: &Permit<PublishList>,
    code: &AuthorityCode,
) -> Result<ListDraft, DraftError> {
    let object = ObjectRef::new("authority", code);
    let act = (AuditCode::ListDrafted, object);
    let (authority, due, open) = told(env, permit.origin(), act, find_due(env, code))?;
    let draft = match open {
        Some(draft) => draft,
        None => open_draft(env, permit, &own_scheme(env)?, &Beginning::Live)?,
    };
    let list = read_unsigned(draft.document.as_bytes())?;
    let now = env.clock.now();
    let wanted = service(env, &authority, now)?.ok_or(StoreError::NotFound { what: "service" })?;
    match due {
        Due::Listing => list_it(env, permit, draft, &list, &wanted, now),
        Due::Withdrawal | Due::Grant => {
            let part = part_of(&list, &wanted).ok_or(StoreError::NotFound { what: "service" })?;
            let is_ended = due == Due::Withdrawal;
            let status = status(&list, &wanted, is_ended);
            let ground = ground(&authority, is_ended);
            let edit = ListEdit::Status { part, status, from: None, ground };
            edit_draft(env, permit, &draft.id, &draft.content, &edit)
        }
    }
}

/// What is due of an authority, and the draft that may still be written in, if one is open.
fn find_due(
    env: &Env,
    code: &AuthorityCode,
) -> Result<(Authority, Due, Option<ListDraft>), DraftError> {
    let own = own_scheme(env)?;
    let gap = find_gaps(env)?.into_iter().find(|gap| gap.authority.code == *code);
    let Some(Gap { authority, due, is_drafted: false }) = gap else {
        let refusal = Refusal::new(RefusalCode::StateConflict, "5.5.4");
        return Err(refusal.with("state", "nothing-due").with("authority", code).into());
    };
    let open = env.store.read(|tx| tx.open_list_draft(&own))?;
    match open.as_ref().map(|draft| (draft.state, draft)) {
        None | Some((ListDraftState::Editing | ListDraftState::SentBack, _)) => {
            Ok((authority, due, open))
        }
        Some((
            ListDraftState::Submitted
            | ListDraftState::Approved
            | ListDraftState::Published
            | ListDraftState::Abandoned,
            draft,
        )) => Err(draft.conflict().into()),
    }
}

fn list_it(
    env: &Env,
    permit: &Permit<PublishList>,
    draft: ListDraft,
    list: &TrustedList,
    wanted: &Service,
    now: Timestamp,
) -> Result<ListDraft, DraftError> {
    let own = provider(env, Vec::new())?;
    let registration = own.trade_names.registration();
    let at = list.providers.iter().position(|one| one.trade_names.registration() == registration);
    let (draft, place) = if let Some(at) = at {
        (draft, at + 1)
    } else {
        let part = ListPart::Provider(list.providers.len() + 1);
        let mut alone = list.clone();
        alone.providers.push(own);
        let fields = form::show(&alone, part).unwrap_or_default();
        let edit = ListEdit::Add { part, fields };
        let draft = edit_draft(env, permit, &draft.id, &draft.content, &edit)?;
        (draft, list.providers.len() + 1)
    };
    let services = list.providers.get(place.saturating_sub(1)).map_or(0, |one| one.services.len());
    let part = ListPart::Service { provider: place, service: services + 1 };
    let fields = described(env, wanted, now)?;
    let edit = ListEdit::Add { part, fields };
    edit_draft(env, permit, &draft.id, &draft.content, &edit)
}

/// A service as a form describes it.
fn described(env: &Env, wanted: &Service, now: Timestamp) -> Result<Fields, ComposeError> {
    let mut list = crate::compose::compose(env, &[], now)?;
    list.providers = vec![provider(env, vec![wanted.clone()])?];
    let part = ListPart::Service { provider: 1, service: 1 };
    Ok(form::show(&list, part).unwrap_or_default())
}

/// Where a list has a service.
fn part_of(list: &TrustedList, wanted: &Service) -> Option<ListPart> {
    list.providers.iter().enumerate().find_map(|(provider, one)| {
        let service = one.services.iter().position(|one| is_same_service(one, wanted))?;
        Some(ListPart::Service { provider: provider + 1, service: service + 1 })
    })
}

/// The status that says it in this list: the European Union's, or the scheme's own on its page.
fn status(list: &TrustedList, wanted: &Service, is_ended: bool) -> String {
    if is_european(list) {
        return european_status(&wanted.service_type, is_ended);
    }
    let page = wanted.status.as_str().split('#').next().unwrap_or_default();
    format!("{page}#{}", if is_ended { "withdrawn" } else { "granted" })
}

/// What stands behind a change that follows the authority's own state.
fn ground(authority: &Authority, is_ended: bool) -> StatusGround {
    let (state, name) = (authority.state, authority.name.common_name.as_str());
    let (ja, en) = if is_ended {
        ("認証業務規程に基づく業務の停止又は終了", "End or suspension under the practice statement")
    } else {
        ("認証業務規程に基づく業務の再開", "Resumption under the practice statement")
    };
    StatusGround {
        reason: format!("{name}: {state}"),
        legal_ja: ja.to_owned(),
        legal_en: en.to_owned(),
    }
}
