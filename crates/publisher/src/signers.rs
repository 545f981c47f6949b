//! Who signs lists: two announced certificates, one that signs and one that will follow it (TS 119
//! 612, A.2).
//!
//! The signer of the live list goes on until somebody hands over to the other, or until its end is
//! near; so the choice is in the lists themselves and nowhere else.

use tenkoku_domain::authority::AuthorityKind;
use tenkoku_domain::certificate::{Certificate as Record, Profile};
use tenkoku_domain::time::Timestamp;
use tenkoku_domain::trusted_list::PublishedList;
use tenkoku_ports::Env;
use tenkoku_store::{StoreError, Tx};
use tenkoku_tsl::certificate::{Certificate, CertificateError};

/// Days before its end at which a signer hands over to the one announced beside it.
pub const HAND_OVER_DAYS: i64 = 60;
/// Days for which a signer is announced before it signs, so that readers know it by then.
pub const ANNOUNCED_DAYS: i64 = 30;

/// The signers that are announced and valid now.
#[derive(Clone, Debug)]
pub struct ListSigners {
    /// The one that signs the next list.
    pub signing: Record,
    /// The others, the one that follows first.
    pub following: Vec<Record>,
}

impl ListSigners {
    /// All of them, the one that signs first.
    pub fn all(&self) -> impl Iterator<Item = &Record> {
        std::iter::once(&self.signing).chain(&self.following)
    }

    /// Whether the one that follows was announced for long enough to sign.
    pub fn may_hand_over(&self, now: Timestamp) -> bool {
        let ready = |next: &Record| next.created_at.plus_days(ANNOUNCED_DAYS) <= now;
        self.following.first().is_some_and(ready)
    }

    /// The same signers after the handing over.
    pub(crate) fn handed_over(mut self) -> Option<Self> {
        if self.following.is_empty() {
            return None;
        }
        let signing = self.following.remove(0);
        self.following.push(self.signing);
        Some(Self { signing, following: self.following })
    }
}

/// The signers of a scheme's list; `None` where none is valid now.
pub fn find_signers(env: &Env, scheme: &str) -> Result<Option<ListSigners>, StoreError> {
    let now = env.clock.now();
    env.store.read(|tx| {
        let live = tx.latest_list(scheme)?;
        load(tx, live.as_ref(), now)
    })
}

/// Whether the end of a signer is near.
pub(crate) fn is_ending(signer: &Record, now: Timestamp) -> bool {
    signer.validity.not_after < now.plus_days(HAND_OVER_DAYS)
}

/// The signers of a scheme's list; `None` where none is valid now.
pub(crate) fn load(
    tx: &mut Tx<'_>,
    live: Option<&PublishedList>,
    now: Timestamp,
) -> Result<Option<ListSigners>, StoreError> {
    let mut valid = Vec::new();
    for root in tx.list_authorities()?.iter().filter(|a| a.kind == AuthorityKind::Root) {
        valid.extend(tx.list_signers(&root.id, Profile::ListSigner, now)?);
    }
    // The one that ends last follows.
    valid.sort_by_key(|signer| signer.validity.not_after);
    let own = valid.iter().position(|signer| live.is_some_and(|live| live.signer == signer.key));
    if valid.is_empty() {
        return Ok(None);
    }
    let signing = valid.remove(own.unwrap_or(0));
    valid.reverse();
    let signers = ListSigners { signing, following: valid };
    let due = is_ending(&signers.signing, now)
        && signers.following.iter().any(|next| !is_ending(next, now));
    Ok(if due { signers.handed_over() } else { Some(signers) })
}

/// The certificate of a signer.
pub(crate) fn certificate(signer: &Record) -> Result<Certificate, CertificateError> {
    Certificate::from_der(signer.der.as_deref().unwrap_or_default())
}
