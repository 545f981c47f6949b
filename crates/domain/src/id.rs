//! Identifiers of objects: a short prefix and a ULID (`org_01J…`), each kind a type of its own.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// Where randomness comes from. Only the server hands out the system generator; tests give a seed.
pub trait Entropy: Send + Sync {
    /// Fills `bytes` with random octets fit for keys, serial numbers and secrets.
    fn fill(&self, bytes: &mut [u8]);
}

/// The alphabet of a ULID (Crockford's base 32).
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Why a text is not an identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an identifier of this kind is written {prefix}_ and 26 characters, not {text:?}")]
pub struct IdError {
    prefix: &'static str,
    text: String,
}

/// A ULID: 48 bits of milliseconds, 80 random bits, 26 characters.
fn ulid(now: Timestamp, entropy: &dyn Entropy) -> String {
    let mut random = [0_u8; 10];
    entropy.fill(&mut random);
    let time = u128::try_from(now.millis().max(0)).unwrap_or_default() & 0xFFFF_FFFF_FFFF;
    let value = random.iter().fold(time, |sum, byte| (sum << 8) | u128::from(*byte));
    (0..26_u32)
        .rev()
        .map(|place| {
            let digit = usize::try_from((value >> (5 * place)) & 31).unwrap_or_default();
            char::from(ALPHABET.get(digit).copied().unwrap_or(b'0'))
        })
        .collect()
}

fn is_ulid(text: &str) -> bool {
    text.len() == 26
        && text.bytes().all(|b| ALPHABET.contains(&b))
        && text.as_bytes().first().is_some_and(|b| *b <= b'7')
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The prefix of this kind.
            pub const PREFIX: &'static str = $prefix;

            /// A new identifier, ordered by time.
            pub fn new(now: Timestamp, entropy: &dyn Entropy) -> Self {
                Self(format!("{}_{}", $prefix, ulid(now, entropy)))
            }

            /// Reads an identifier; another prefix or shape is refused.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                let rest = text.strip_prefix($prefix).and_then(|rest| rest.strip_prefix('_'));
                match rest {
                    Some(rest) if is_ulid(rest) => Ok(Self(text.to_owned())),
                    _ => Err(IdError { prefix: $prefix, text: text.to_owned() }),
                }
            }

            /// The identifier as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }
    )*};
}

ids! {
    /// An authority.
    AuthorityId = "ca";
    /// An organisation.
    OrganisationId = "org";
    /// A branch office.
    BranchId = "brn";
    /// A seal: what a layman sees, "Osaka Branch seal of Sample Co.".
    SealId = "sea";
    /// An instance of a seal: one key and its certificates, for one place of use.
    InstanceId = "ins";
    /// A key, of a seal or of an authority.
    KeyId = "key";
    /// An application for a credential.
    ApplicationId = "app";
    /// A certificate row. Its identity towards the world is (authority, serial).
    CertificateId = "cer";
    /// A person, whatever accounts and offices that person has.
    PersonId = "per";
    /// A representative: a person's authority over an organisation.
    RepresentativeId = "rep";
    /// A delegate: a person whom an organisation may give a part of its authority.
    DelegateId = "dlg";
    /// A grant.
    GrantId = "grt";
    /// A record of proofing.
    ProofingId = "prf";
    /// A request for approvals.
    ApprovalId = "apr";
    /// An issuer whose statements about people are believed.
    IssuerId = "iss";
    /// A revocation of many certificates.
    BulkId = "blk";
    /// An incident: something that people must look into and decide.
    IncidentId = "inc";
    /// A user account.
    UserId = "usr";
    /// A session of a user.
    SessionId = "ses";
    /// A token of a service account.
    TokenId = "tok";
    /// A list of applications that is decided on as a whole.
    BatchId = "bat";
    /// A job of the queue.
    JobId = "job";
    /// A container of keys.
    ContainerId = "ctr";
    /// A record of evidence of destruction.
    EvidenceId = "evd";
    /// Evidence of where a key was made.
    KeyEvidenceId = "kev";
    /// An order of several instances at once.
    OrderId = "ord";
    /// Something that one person proposes and others agree to.
    ProposalId = "prp";
    /// A draft of a trusted list.
    ListDraftId = "tld";
    /// A record of an accreditation.
    AccreditationId = "acc";
    /// A request that came in; its last characters are the reference number people see.
    RequestId = "req";
    /// A ceremony.
    CeremonyId = "crm";
    /// A snapshot of a list of others.
    SnapshotId = "snp";
    /// An exchange of bundles with an offline installation.
    ExchangeId = "xch";
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(u8);
    impl Entropy for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    #[test]
    fn an_identifier_is_ordered_by_time_and_reads_back() {
        let early = OrganisationId::new(Timestamp::from_seconds(1_795_371_000), &Fixed(0xFF));
        let late = OrganisationId::new(Timestamp::from_seconds(1_795_371_001), &Fixed(0));
        assert!(early < late);
        assert_eq!(OrganisationId::parse(early.as_str()), Ok(early.clone()));
        assert_eq!(early.as_str().len(), 30);
        assert_eq!(
            BranchId::new(Timestamp::EPOCH, &Fixed(0)).as_str(),
            "brn_00000000000000000000000000"
        );
    }

    #[test]
    fn another_kind_or_shape_is_refused() {
        for text in
            ["", "org", "org_", "brn_00000000000000000000000000", "org_0000000000000000000000000I"]
        {
            assert!(OrganisationId::parse(text).is_err(), "{text}");
        }
    }
}
