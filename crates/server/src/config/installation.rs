//! `[installation]`: what the installation is for.

use serde::{Deserialize, Serialize};

use tenkoku_domain::policy::Installation;
use tenkoku_pki::policy::PolicyArc;

use super::ConfigProblem;

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InstallationToml {
    kind: String,
    policy_arc: String,
}

impl InstallationToml {
    pub(super) fn kind(&self) -> Result<Installation, ConfigProblem> {
        Installation::from_word(&self.kind).ok_or_else(|| {
            ConfigProblem::value(
                "installation.kind",
                format!("{:?} is not a kind; write \"evaluation\" or \"production\"", self.kind),
            )
        })
    }

    pub(super) fn arc(&self, kind: Installation) -> Result<PolicyArc, ConfigProblem> {
        parse_arc(&self.policy_arc, kind)
    }
}

/// Reads the operator's policy arc. A production installation refuses the documentation arc (PR-1).
pub(crate) fn parse_arc(text: &str, kind: Installation) -> Result<PolicyArc, ConfigProblem> {
    let arc = PolicyArc::parse(text)
        .map_err(|error| ConfigProblem::value("installation.policy_arc", error))?;
    if kind == Installation::Production && arc.is_documentation() {
        return Err(ConfigProblem::value(
            "installation.policy_arc",
            "1.3.6.1.4.1.32473 is the arc for documentation; a production installation needs the \
             operator's own enterprise number (PR-1)",
        ));
    }
    Ok(arc)
}
