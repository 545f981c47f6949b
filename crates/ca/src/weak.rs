//! KM-3 and KM-5 for one key: weak, published, blocked. Asked at attach, key-proof and issue.

use tenkoku_domain::policy::KeyPolicy;
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_pki::key::PresentedKey;
use tenkoku_pki::weak::{self, WeakKeyRules};
use tenkoku_store::{StoreError, Tx};

/// What the policy's section `[weak_keys]` asks of the checks of one key.
pub fn rules(policy: &KeyPolicy) -> WeakKeyRules {
    let weak = &policy.weak_keys;
    WeakKeyRules {
        small_factor_below: u32::try_from(weak.rsa_small_factor_below).unwrap_or_default(),
        fermat_rounds: u32::try_from(weak.rsa_fermat_rounds).unwrap_or_default(),
        roca: weak.rsa_roca,
        debian_lists: weak.rsa_debian_lists.clone(),
        published_lists: weak.published_key_lists.clone(),
    }
}

/// Whether a key may be accepted as far as KM-3 and KM-5 go. The refusal is the caller's to record.
pub fn check_key(
    tx: &mut Tx<'_>,
    policy: &KeyPolicy,
    key: &PresentedKey,
) -> Result<Result<(), Refusal>, StoreError> {
    if policy.weak_keys.blocked_key_store
        && let Some(blocked) = tx.find_blocked_key(&key.fingerprint())?
    {
        let refusal = Refusal::new(RefusalCode::KeyBlocked, "KM-5");
        return Ok(Err(refusal.with("list", blocked.list)));
    }
    Ok(weak::check(key, &rules(policy)))
}
