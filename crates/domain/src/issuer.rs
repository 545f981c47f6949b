//! Issuers whose certificates and statements about people are believed (DOMAIN 16, P3 and P4):
//! accepted in advance by two officers, for a use, an organisation or all, and a time.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::id::{IssuerId, OrganisationId};
use crate::key::words;
use crate::name::Name;
use crate::time::Timestamp;

words! {
    /// What an issuer is believed for. Stored: add, never change one.
    IssuerUse {
        /// Certificates of representatives (P3); signatures on grants.
        Representative = "representative",
        /// Statements about identities (P4).
        Statement = "statement",
    }
}

words! {
    /// State of an issuer. Stored: add, never change one.
    IssuerState {
        /// Waits for two officers.
        Proposed = "proposed",
        /// Believed between its dates.
        Trusted = "trusted",
        /// An officer refused it.
        Refused = "refused",
        /// Not believed any more.
        Ended = "ended",
    }
}

/// An issuer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustedIssuer {
    /// Identifier.
    pub id: IssuerId,
    /// What people call it.
    pub name: Name,
    /// Its certificate, DER: an anchor of paths.
    #[serde(skip)]
    pub certificate: Vec<u8>,
    /// What it is believed for.
    pub uses: BTreeSet<IssuerUse>,
    /// The only organisation about whose people it is believed, or none for all.
    pub organisation: Option<OrganisationId>,
    /// The first instant.
    pub from: Timestamp,
    /// The last instant.
    pub until: Timestamp,
    /// State.
    pub state: IssuerState,
}

impl TrustedIssuer {
    /// Whether it is believed for a use about an organisation at an instant.
    pub fn is_believed(&self, used: IssuerUse, about: &OrganisationId, at: Timestamp) -> bool {
        self.state == IssuerState::Trusted
            && self.uses.contains(&used)
            && self.organisation.as_ref().is_none_or(|only| only == about)
            && self.from <= at
            && at <= self.until
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Entropy;

    struct Numbered(u8);
    impl Entropy for Numbered {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    fn check(change: impl Fn(&mut TrustedIssuer), seconds: i64, expected: bool) {
        let now = Timestamp::from_seconds(1_795_371_000);
        let ours = OrganisationId::new(now, &Numbered(1));
        let mut issuer = TrustedIssuer {
            id: IssuerId::new(now, &Numbered(0)),
            name: Name::parse("商業登記").unwrap(),
            certificate: Vec::new(),
            uses: BTreeSet::from([IssuerUse::Representative]),
            organisation: None,
            from: now,
            until: now.plus_days(1),
            state: IssuerState::Trusted,
        };
        change(&mut issuer);
        let at = now.plus_seconds(seconds);
        assert_eq!(issuer.is_believed(IssuerUse::Representative, &ours, at), expected);
    }

    #[test]
    fn an_issuer_is_believed_for_its_use_its_organisation_and_its_time() {
        let now = Timestamp::from_seconds(1_795_371_000);
        check(|_| (), 0, true);
        check(|_| (), -1, false);
        check(|_| (), 86_401, false);
        check(|one| one.state = IssuerState::Proposed, 0, false);
        check(|one| one.uses = BTreeSet::from([IssuerUse::Statement]), 0, false);
        let ours = OrganisationId::new(now, &Numbered(1));
        check(|one| one.organisation = Some(ours.clone()), 0, true);
        let theirs = OrganisationId::new(now, &Numbered(2));
        check(|one| one.organisation = Some(theirs.clone()), 0, false);
    }
}
