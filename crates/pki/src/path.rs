//! Certification path validation (RFC 5280, 6, with the policy graph of RFC 9618): is there a way
//! from one of these anchors down to this certificate, at this instant?
//!
//! [`validate`] builds the paths out of a bag of certificates and judges each as the standard says:
//! signatures, validity, names and their constraints, policies and their mappings, and revocation
//! by CRLs of every kind. It is pure: bytes and an instant in, a [`Verdict`] out; and it always
//! answers soon, because all work is counted against a [`Budget`].
//!
//! An anchor is a name and a key; its own validity and revocation are the business of whoever
//! trusts it. What its certificate restricts (basic constraints, key usage, name constraints,
//! policies) is kept all the same, as RFC 5937 advises.
//!
//! Deliberately not in this module: fetching anything, OCSP, what a key may be used for
//! (extended key usage), and certificates of our own profiles, which [`crate::cert`] reads.

mod bag;
pub(crate) mod certificate;
mod climb;
mod constraints;
pub(crate) mod extension;
mod general;
mod holder;
mod list;
mod name;
mod policy;
mod revocation;
mod search;
pub(crate) mod signature;
#[cfg(test)]
mod tests;
mod walk;

use const_oid::ObjectIdentifier;
use tenkoku_domain::time::Timestamp;

use self::bag::Bag;
use self::certificate::Foreign;
pub use self::holder::Holder;
pub use self::policy::ValidPolicies;
use self::search::{Halt, Quest, Search};

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// Certificates of the anchors, DER. One that cannot be read anchors nothing.
    pub anchors: &'a [Vec<u8>],
    /// Certificates that may stand between, in any order, DER, also those of CRL issuers. One that
    /// cannot be read is passed over.
    pub intermediates: &'a [Vec<u8>],
    /// Revocation lists, complete and delta, in any order, DER. One that cannot be read is passed
    /// over, so that what it covers stays unknown.
    pub crls: &'a [Vec<u8>],
    /// The certificate in question, DER.
    pub leaf: &'a [u8],
    /// The instant of the judgement.
    pub at: Timestamp,
    /// What is asked of the policies.
    pub policies: &'a PolicyDemands,
    /// Whether revocation is looked at.
    pub revocation: Revocation,
    /// How much work may be done.
    pub budget: Budget,
}

/// The inputs of RFC 5280, 6.1.1 c, e, f and g.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyDemands {
    /// user-initial-policy-set; empty means any policy.
    pub acceptable: Vec<ObjectIdentifier>,
    /// initial-explicit-policy: the path must be valid for one of the acceptable policies.
    pub require_explicit: bool,
    /// initial-policy-mapping-inhibit.
    pub inhibit_mapping: bool,
    /// initial-any-policy-inhibit.
    pub inhibit_any: bool,
}

/// Whether revocation is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revocation {
    /// Every certificate below the anchor needs a current CRL that covers it for every reason.
    Required,
    /// Revocation is not looked at.
    Ignored,
}

/// How much work may be done before the answer is that the path is too complex.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Signatures to verify, each once.
    pub signatures: usize,
    /// Certificates, lists and policies to look at, again and again.
    pub steps: usize,
    /// Names to compare with a subtree of name constraints.
    pub comparisons: usize,
}

impl Default for Budget {
    /// About a second of work at the worst.
    fn default() -> Self {
        Self { signatures: 4_000, steps: 100_000, comparisons: 250_000 }
    }
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// There is a valid path.
    Valid(ValidPath),
    /// There is none; the reason is that of the path that got furthest.
    Invalid(Fault),
}

/// A valid path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidPath {
    /// The certificate of the anchor, DER.
    pub anchor: Vec<u8>,
    /// The certificates below the anchor, DER, the leaf last.
    pub certificates: Vec<Vec<u8>>,
    /// The subjects for people, the anchor first, the leaf last.
    pub subjects: Vec<String>,
    /// user-constrained-policy-set (6.1.6).
    pub policies: ValidPolicies,
}

/// Why there is no valid path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The reason.
    pub reason: Reason,
    /// The subject of the certificate it is about, for people.
    pub about: String,
    /// The instant that matters: of revocation, of the beginning or of the end of validity.
    pub at: Option<Timestamp>,
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $word:literal;)*) => {
        /// Why a path is not valid. The later, the further a path came: of several reasons the
        /// greatest is told. Words and order are stable.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Reason {
            $($(#[$doc])* $name,)*
        }

        impl Reason {
            /// Every reason, least first.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable word.
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }
        }
    };
}

reasons! {
    /// The certificate cannot be read.
    Unreadable = "unreadable";
    /// No certificate bears the name of the issuer.
    NoIssuer = "no-issuer";
    /// The algorithm or the key of a signature is not accepted.
    Algorithm = "algorithm";
    /// A signature does not hold.
    Signature = "signature";
    /// Every way ends, or goes in circles, before an anchor is reached.
    NoAnchor = "no-anchor";
    /// An issuer is no authority (6.1.4 k).
    NotAuthority = "not-authority";
    /// The key usage of an issuer does not let it sign certificates (6.1.4 n).
    KeyUsage = "key-usage";
    /// A critical extension is not understood (6.1.4 o, 6.1.5 f).
    Extension = "critical-extension";
    /// The validity of a certificate has not begun (6.1.3 a 2).
    NotYetValid = "not-yet-valid";
    /// The validity of a certificate has ended (6.1.3 a 2).
    Expired = "expired";
    /// More authorities follow than one of them allows (6.1.4 l).
    PathLength = "path-length";
    /// A name lies outside the name constraints (6.1.3 b, c).
    NameConstraints = "name-constraints";
    /// No policy is left where one is demanded, or anyPolicy is mapped (6.1.3 f, 6.1.4 a, 6.1.5 g).
    Policy = "policy";
    /// No current CRL tells of a certificate for every reason (6.3.3).
    RevocationUnknown = "revocation-unknown";
    /// A certificate is revoked or on hold (6.1.3 a 3).
    Revoked = "revoked";
    /// The budget is used up.
    TooComplex = "too-complex";
}

/// Judges whether there is a valid path from an anchor to the leaf (RFC 5280, 6).
pub fn validate(question: &Question<'_>) -> Verdict {
    let Ok(leaf) = Foreign::read(question.leaf) else {
        return Verdict::Invalid(Fault::new(Reason::Unreadable, "-"));
    };
    let bag = Bag::new(question, leaf);
    let mut search = Search::new(&bag, question);
    let quest = Quest {
        target: bag.leaf(),
        anchor: None,
        policies: question.policies,
        signing: Vec::new(),
    };
    match search.find(quest) {
        Ok(path) => Verdict::Valid(path),
        Err(Halt::Fault(fault) | Halt::Final(fault)) => Verdict::Invalid(fault),
        Err(Halt::Spent) => {
            Verdict::Invalid(Fault::new(Reason::TooComplex, &bag.leaf().certificate.line))
        }
    }
}

impl Fault {
    fn new(reason: Reason, about: &str) -> Self {
        Self { reason, about: about.to_owned(), at: None }
    }

    fn when(mut self, at: Timestamp) -> Self {
        self.at = Some(at);
        self
    }
}
