//! Keys of seals that the platform makes itself: where they may be (I-11).
//!
//! Deliberately not here: keys that applicants hand in, and what is shown of their origin.

use tenkoku_domain::key::OriginClass;
use tenkoku_domain::level::Level;
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_keys::StoreKind;

/// Refuses the private key of a level 2 or 3 seal in files: the platform keeps those in hardware
/// only (I-11).
pub fn may_hold(store: StoreKind, level: Level) -> Result<(), Refusal> {
    match (store, level) {
        (StoreKind::Hardware, _) | (StoreKind::Software, Level::One) => Ok(()),
        (StoreKind::Software, Level::Two | Level::Three) => {
            Err(Refusal::new(RefusalCode::OriginInsufficient, "I-11")
                .with("origin", OriginClass::K1)
                .with("level", level)
                .with("needed", OriginClass::K2))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i_11_keys_of_higher_seals_are_never_kept_in_files() {
        assert!(may_hold(StoreKind::Software, Level::One).is_ok());
        for level in [Level::Two, Level::Three] {
            let refused = may_hold(StoreKind::Software, level).unwrap_err();
            assert_eq!(refused.code, RefusalCode::OriginInsufficient);
            assert_eq!(refused.rule, "I-11");
            assert!(may_hold(StoreKind::Hardware, level).is_ok());
        }
    }
}
