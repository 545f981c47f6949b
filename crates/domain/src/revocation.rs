//! Revocation and suspension: business causes, reason codes, decisions (DOMAIN 14).

use serde::{Deserialize, Serialize};

use crate::certificate::{Certificate, CertificateState};
use crate::key::words;
use crate::refusal::{Refusal, RefusalCode};
use crate::time::Timestamp;

words! {
    /// Why a certificate is revoked or suspended, in the words of the business (DOMAIN 14).
    Cause {
        /// Private key exposed, container stolen, copy found.
        KeyExposed = "key-exposed",
        /// The issuing authority was compromised.
        AuthorityCompromised = "authority-compromised",
        /// Organisation or branch renamed, merged, moved where the certificate says so.
        NameChanged = "name-changed",
        /// Replaced early, or destruction evidence missing.
        Replaced = "replaced",
        /// Branch closed, organisation dissolved, not accepted.
        OfficeClosed = "office-closed",
        /// Unclear facts, copy suspected, custodian gone.
        Suspended = "suspended",
        /// Wrong data, false proofing, grant abused, terms breached, request not authorised.
        RightWithdrawn = "right-withdrawn",
    }
}

/// The reason code in CRLs and OCSP answers (RFC 5280, 5.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReasonCode {
    /// keyCompromise (1).
    KeyCompromise,
    /// cACompromise (2).
    CaCompromise,
    /// affiliationChanged (3).
    AffiliationChanged,
    /// superseded (4).
    Superseded,
    /// cessationOfOperation (5).
    CessationOfOperation,
    /// certificateHold (6).
    CertificateHold,
    /// removeFromCRL (8): a hold was lifted. Stands in delta CRLs only.
    RemoveFromCrl,
    /// privilegeWithdrawn (9).
    PrivilegeWithdrawn,
}

impl ReasonCode {
    /// Every reason that the platform uses; unspecified (0) and aACompromise (10) are not offered.
    pub const ALL: [Self; 8] = [
        Self::KeyCompromise,
        Self::CaCompromise,
        Self::AffiliationChanged,
        Self::Superseded,
        Self::CessationOfOperation,
        Self::CertificateHold,
        Self::RemoveFromCrl,
        Self::PrivilegeWithdrawn,
    ];

    /// The number of the CRLReason ENUMERATED.
    pub const fn number(self) -> u8 {
        match self {
            Self::KeyCompromise => 1,
            Self::CaCompromise => 2,
            Self::AffiliationChanged => 3,
            Self::Superseded => 4,
            Self::CessationOfOperation => 5,
            Self::CertificateHold => 6,
            Self::RemoveFromCrl => 8,
            Self::PrivilegeWithdrawn => 9,
        }
    }

    /// The name of RFC 5280.
    pub const fn name(self) -> &'static str {
        match self {
            Self::KeyCompromise => "keyCompromise",
            Self::CaCompromise => "cACompromise",
            Self::AffiliationChanged => "affiliationChanged",
            Self::Superseded => "superseded",
            Self::CessationOfOperation => "cessationOfOperation",
            Self::CertificateHold => "certificateHold",
            Self::RemoveFromCrl => "removeFromCRL",
            Self::PrivilegeWithdrawn => "privilegeWithdrawn",
        }
    }
}

impl Cause {
    /// The reason code of the cause (DOMAIN 14).
    pub const fn reason(self) -> ReasonCode {
        match self {
            Self::KeyExposed => ReasonCode::KeyCompromise,
            Self::AuthorityCompromised => ReasonCode::CaCompromise,
            Self::NameChanged => ReasonCode::AffiliationChanged,
            Self::Replaced => ReasonCode::Superseded,
            Self::OfficeClosed => ReasonCode::CessationOfOperation,
            Self::Suspended => ReasonCode::CertificateHold,
            Self::RightWithdrawn => ReasonCode::PrivilegeWithdrawn,
        }
    }

    /// Reads the word of a cause, or the name of its reason code in RFC 5280.
    pub fn parse(text: &str) -> Option<Self> {
        Self::from_word(text).or_else(|| {
            Self::ALL.iter().copied().find(|cause| cause.reason().name().eq_ignore_ascii_case(text))
        })
    }

    /// The causes that a person may choose for a final revocation of one certificate.
    pub const OFFERED: [Self; 5] = [
        Self::KeyExposed,
        Self::OfficeClosed,
        Self::NameChanged,
        Self::Replaced,
        Self::RightWithdrawn,
    ];
}

/// A decided revocation or suspension.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// The cause.
    pub cause: Cause,
    /// The revocation date told to relying parties.
    pub at: Timestamp,
    /// Since when the key must be taken as exposed (RFC 5280, 5.3.2); only for an exposed key.
    pub invalid_since: Option<Timestamp>,
}

/// What is asked of [`revoke`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationOrder {
    /// The cause.
    pub cause: Cause,
    /// Since when the key must be taken as exposed; must not lie in the future.
    pub invalid_since: Option<Timestamp>,
    /// The requester's own words, for the audit record.
    pub comment: String,
}

/// Decides a revocation. Revocation is final: no event undoes it (RV-2). The date of a suspension
/// that becomes final is the date the suspension began (RV-1). Only certificates of seals are revoked
/// here.
pub fn revoke(
    certificate: &Certificate,
    order: &RevocationOrder,
    now: Timestamp,
) -> Result<Revocation, Refusal> {
    if !certificate.profile.is_seal() {
        // An authority or its signer ends by a ceremony of two persons, not by this door.
        return Err(
            Refusal::new(RefusalCode::DualControl, "KM-19").with("serial", &certificate.serial)
        );
    }
    let at = match &certificate.state {
        CertificateState::Revoked(earlier) => {
            return Err(Refusal::new(RefusalCode::RevocationFinal, "RV-2")
                .with("serial", &certificate.serial)
                .with("date", earlier.at));
        }
        CertificateState::Suspended(suspension) => suspension.at,
        // It is being signed at this moment; if that fails it is withdrawn by itself.
        CertificateState::Pending => {
            return Err(Refusal::new(RefusalCode::StateConflict, "6.4")
                .with("state", "being-issued")
                .with("serial", &certificate.serial));
        }
        CertificateState::Issued
        | CertificateState::Held(_)
        | CertificateState::Active
        | CertificateState::Retired => now.floor(),
    };
    if certificate.is_expired(now) {
        return Err(Refusal::new(RefusalCode::StateConflict, "6.4")
            .with("state", "expired")
            .with("serial", &certificate.serial));
    }
    let invalid_since = match (order.cause, order.invalid_since) {
        (Cause::KeyExposed, Some(since)) if since > now => {
            return Err(Refusal::new(RefusalCode::StateConflict, "RV-5").with("since", since));
        }
        (Cause::KeyExposed, since) => since.map(Timestamp::floor),
        (
            Cause::AuthorityCompromised
            | Cause::NameChanged
            | Cause::Replaced
            | Cause::OfficeClosed
            | Cause::Suspended
            | Cause::RightWithdrawn,
            _,
        ) => None,
    };
    Ok(Revocation { cause: order.cause, at, invalid_since })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_read_by_word_and_by_rfc_name() {
        assert_eq!(Cause::parse("key-exposed"), Some(Cause::KeyExposed));
        assert_eq!(Cause::parse("keyCompromise"), Some(Cause::KeyExposed));
        assert_eq!(Cause::parse("cessationofoperation"), Some(Cause::OfficeClosed));
        assert_eq!(Cause::parse("unspecified"), None);
        assert_eq!(Cause::parse("aACompromise"), None);
    }
}
