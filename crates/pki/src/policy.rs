//! The operator's own policy arc (DOMAIN 12.1) and the policies of the levels under it.

use std::fmt;

use const_oid::ObjectIdentifier;
use tenkoku_domain::level::Level;

use crate::oid;

/// Private enterprise numbers: `1.3.6.1.4.1`.
const ENTERPRISES: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1");
/// The number kept for documentation (RFC 5612).
const DOCUMENTATION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.32473");
/// `1.3.6.1.4.1.<n>.<m>` has eight arcs.
const LEAST_ARCS: usize = 8;

/// The arc under which an operator numbers its policies: `1.3.6.1.4.1.<n>.<m>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PolicyArc(ObjectIdentifier);

/// Why a text is not a policy arc.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyArcError {
    /// Not an object identifier whose numbers fit into 32 bits.
    #[error("{0:?} is not an object identifier with numbers below 2^32")]
    Syntax(String),
    /// Under 2.25: common libraries cannot hold such numbers (DOMAIN 12.1).
    #[error("{0} lies under 2.25; common programs cannot read such identifiers")]
    Uuid(String),
    /// Not under the operator's enterprise number.
    #[error("{0} is not written 1.3.6.1.4.1.<enterprise number>.<your number>")]
    NotEnterprise(String),
}

impl PolicyArc {
    /// Reads an arc in dotted form.
    pub fn parse(text: &str) -> Result<Self, PolicyArcError> {
        if text == "2.25" || text.starts_with("2.25.") {
            return Err(PolicyArcError::Uuid(text.to_owned()));
        }
        let arc =
            ObjectIdentifier::new(text).map_err(|_| PolicyArcError::Syntax(text.to_owned()))?;
        if !arc.starts_with(ENTERPRISES) || arc.len() < LEAST_ARCS {
            return Err(PolicyArcError::NotEnterprise(text.to_owned()));
        }
        let own = Self(arc);
        // The policies under it must fit as well.
        own.child(&[1, 3]).map(|_| own).ok_or_else(|| PolicyArcError::Syntax(text.to_owned()))
    }

    /// Whether it is the arc of examples; a production authority refuses to issue from it (PR-1).
    pub fn is_documentation(&self) -> bool {
        self.0.starts_with(DOCUMENTATION)
    }

    /// The operator's policy of a level: `arc.1.<level>`.
    pub fn level(&self, level: Level) -> ObjectIdentifier {
        self.child(&[1, u32::from(level.number())]).unwrap_or(self.0)
    }

    /// The operator's policy for signers of trusted lists: `arc.2.1`.
    pub fn list_signing(&self) -> ObjectIdentifier {
        self.child(&[2, 1]).unwrap_or(self.0)
    }

    /// The operator's policy for time stamps: `arc.2.2`.
    pub fn time_stamping(&self) -> ObjectIdentifier {
        self.child(&[2, 2]).unwrap_or(self.0)
    }

    /// The operator's policy for certificates of administrators: `arc.2.3`.
    pub fn administration(&self) -> ObjectIdentifier {
        self.child(&[2, 3]).unwrap_or(self.0)
    }

    /// The operator's policy for signers of the audit chain: `arc.2.4`.
    pub fn audit_signing(&self) -> ObjectIdentifier {
        self.child(&[2, 4]).unwrap_or(self.0)
    }

    fn child(&self, arcs: &[u32]) -> Option<ObjectIdentifier> {
        arcs.iter().try_fold(self.0, |oid, arc| oid.push_arc(*arc).ok())
    }
}

impl fmt::Display for PolicyArc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The policy of EN 319 411-1 that belongs to a level (DOMAIN 12.3).
pub const fn etsi_policy(level: Level) -> ObjectIdentifier {
    match level {
        Level::One => oid::LCP,
        Level::Two => oid::NCP,
        Level::Three => oid::NCP_PLUS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<bool, &str>) {
        let got = PolicyArc::parse(text).map(|arc| arc.is_documentation());
        let got = got.map_err(|e| match e {
            PolicyArcError::Syntax(_) => "syntax",
            PolicyArcError::Uuid(_) => "uuid",
            PolicyArcError::NotEnterprise(_) => "enterprise",
        });
        assert_eq!(got, expected, "{text}");
    }

    #[test]
    fn an_arc_hangs_under_an_enterprise_number() {
        check("1.3.6.1.4.1.32473.1", Ok(true));
        check("1.3.6.1.4.1.32474.1", Ok(false));
        check("1.3.6.1.4.1.32473", Err("enterprise"));
        check("1.2.392.200091.1.1", Err("enterprise"));
        check("2.25.329800735698586629295641978511506172918", Err("uuid"));
        check("2.25.1", Err("uuid"));
        check("1.3.6.1.4.1.4294967296.1", Err("syntax"));
        check("1.3.6.1.4.1.x", Err("syntax"));
        check("", Err("syntax"));
    }

    #[test]
    fn levels_have_their_own_policies() {
        let arc = PolicyArc::parse("1.3.6.1.4.1.32473.1").unwrap();
        assert_eq!(arc.level(Level::Three).to_string(), "1.3.6.1.4.1.32473.1.1.3");
        let services =
            [arc.list_signing(), arc.time_stamping(), arc.administration(), arc.audit_signing()];
        let services = services.map(|policy| policy.to_string());
        assert_eq!(services, [1, 2, 3, 4].map(|n| format!("1.3.6.1.4.1.32473.1.2.{n}")));
    }
}
