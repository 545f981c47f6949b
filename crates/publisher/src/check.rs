//! A draft as it would be published: what is wrong with it, what changes, and whom that concerns.

use tenkoku_domain::access::Scope;
use tenkoku_domain::authority::Authority;
use tenkoku_domain::certificate::Profile;
use tenkoku_domain::time::Timestamp;
use tenkoku_domain::trusted_list::draft::ListDraft;
use tenkoku_pki::key::PublicKey;
use tenkoku_ports::Env;
use tenkoku_store::{StoreError, Tx};
use tenkoku_tsl::diff::{Change, Place, changes};
use tenkoku_tsl::model::{Service, TrustedList};
use tenkoku_tsl::rules::{
    Finding, Rule, Weight, findings, is_ended_status, signer_findings, succession,
};
use tenkoku_tsl::verify::read_unsigned;

use crate::draft::DraftError;
use crate::publish::Ground;
use crate::seal::{content_of, earliest, live_service, seal};
use crate::signers::certificate;

/// A draft, looked at.
#[derive(Clone, Debug)]
pub struct Examination {
    /// The list as it would be published.
    pub list: TrustedList,
    /// The list that it follows.
    pub live: Option<TrustedList>,
    /// The number of the list that it follows.
    pub sequence: Option<i64>,
    /// What is not as the standard wants it; what is refused first.
    pub findings: Vec<Finding>,
    /// What it says differently from the live list, number and dates aside.
    pub changes: Vec<Change>,
    /// Whom the changes concern.
    pub effects: Vec<Effect>,
    /// When it can be published at the earliest.
    pub earliest: Timestamp,
    /// Services of the live list that stay as they are.
    pub unchanged: usize,
    /// Until when the certificate that would sign is good.
    pub signer_until: Option<Timestamp>,
}

/// What a change does to certificates that are valid today.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    /// The service.
    pub place: Place,
    /// Whether the list vouches for it from then on, or no more.
    pub is_ended: bool,
    /// From when.
    pub since: Timestamp,
    /// Certificates of the platform that are neither expired nor revoked and rest on it.
    pub certificates: i64,
    /// The branch offices that hold them.
    pub branches: i64,
}

impl Examination {
    /// Whether nothing stands in the way of its publication.
    pub fn is_sound(&self) -> bool {
        self.findings.iter().all(|finding| finding.weight() == Weight::Advised)
    }
}

/// Looks at a draft as it would be published now, or when the last of its states begins.
pub(crate) fn examine(env: &Env, draft: &ListDraft) -> Result<Examination, DraftError> {
    let now = env.clock.now();
    let (ground, authorities) = env.store.read(|tx| {
        Ok::<_, StoreError>((Ground::load(tx, &draft.scheme, now)?, tx.list_authorities()?))
    })?;
    let list = read_unsigned(draft.document.as_bytes())?;
    let live = ground.live_list()?;
    let earliest = earliest(&list, live.as_ref(), now);
    let at = ground.issue(earliest);
    let number = u64::try_from(ground.next()).unwrap_or(1);
    let list = seal(list, live.as_ref(), number, at);
    let mut found = findings(&list);
    if let Some(live) = &live {
        found.extend(succession(&list, live));
    }
    found.dedup();
    if draft.base != live.as_ref().map(content_of) {
        found.push(Finding::of_scheme(Rule::BaseChanged, "5.3.2", Vec::new()));
    }
    match &ground.signers {
        None => found.push(Finding::of_scheme(Rule::SignerMissing, "5.7.1", Vec::new())),
        Some(signers) => {
            found.extend(signer_findings(&list, &certificate(&signers.signing)?, at));
            if signers.following.is_empty() {
                found.push(Finding::of_scheme(Rule::SignerAlone, "A.2", Vec::new()));
            }
        }
    }
    found.sort_by_key(Finding::weight);
    let effects = env.store.read(|tx| effects(tx, &list, live.as_ref(), &authorities, now))?;
    let unchanged = live.as_ref().map_or(0, |live| {
        list.services().filter(|(_, one)| live.services().any(|(_, former)| former == *one)).count()
    });
    Ok(Examination {
        changes: live.as_ref().map_or_else(Vec::new, |live| said_otherwise(live, &list)),
        sequence: ground.live.as_ref().map(|live| live.sequence),
        signer_until: ground.signers.map(|signers| signers.signing.validity.not_after),
        findings: found,
        effects,
        earliest,
        unchanged,
        list,
        live,
    })
}

/// The changes of two lists, without number and dates, which always differ.
pub fn said_otherwise(live: &TrustedList, list: &TrustedList) -> Vec<Change> {
    let mut before = live.clone();
    before.scheme.sequence_number = list.scheme.sequence_number;
    before.scheme.issue = list.scheme.issue;
    if !crate::form::is_closed(list) {
        before.scheme.next_update = list.scheme.next_update;
    }
    changes(&before, list)
}

/// What the changes of states do to the certificates of the platform.
fn effects(
    tx: &mut Tx<'_>,
    list: &TrustedList,
    live: Option<&TrustedList>,
    authorities: &[Authority],
    now: Timestamp,
) -> Result<Vec<Effect>, StoreError> {
    let mut effects = Vec::new();
    for (provider, service) in list.services() {
        let is_ended = is_ended_status(&service.status);
        let was_ended = live_service(live, service).map(|former| is_ended_status(&former.status));
        if was_ended == Some(is_ended) {
            continue;
        }
        let place = Place::of_service(provider, service);
        let since = service.status_start;
        let mut effect = Effect { place, is_ended, since, certificates: 0, branches: 0 };
        if let Some(authority) = authority_of(tx, service, authorities)? {
            let open = tx.open_certificates(&authority.id, &authority.key, now)?;
            // Seals alone: what serves the authority itself concerns nobody else.
            let seals = |profile: &str| Profile::from_word(profile).is_some_and(Profile::is_seal);
            effect.certificates =
                open.iter().filter(|(profile, _)| seals(profile)).map(|(_, n)| *n).sum();
            effect.branches = tx.count_served_branches(&authority.id, now)?;
        }
        effects.push(effect);
    }
    Ok(effects)
}

/// The authority of the platform that a service is, by its key.
fn authority_of<'a>(
    tx: &mut Tx<'_>,
    service: &Service,
    authorities: &'a [Authority],
) -> Result<Option<&'a Authority>, StoreError> {
    let key = service.identity.public_key().and_then(|key| PublicKey::parse(key).ok());
    let Some(fingerprint) = key.map(|key| key.fingerprint()) else { return Ok(None) };
    for authority in authorities {
        if tx.load_key(&authority.key)?.fingerprint == fingerprint {
            return Ok(Some(authority));
        }
    }
    Ok(None)
}

/// Drafts concern the platform; whoever has a narrower reach sees none.
pub(crate) fn platform_only(scope: &Scope) -> Result<(), StoreError> {
    if *scope == Scope::Platform {
        return Ok(());
    }
    Err(StoreError::NotFound { what: "draft of a list" })
}
