//! `[key_feed]`: known-key feeds for other authorities (DOMAIN 8.5). Off by default.

use serde::{Deserialize, Serialize};
use tenkoku_domain::feed::FeedAuthority;

use super::ConfigProblem;

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct KeyFeedToml {
    authority: Option<String>,
}

impl KeyFeedToml {
    /// The name under which feeds are made; without one none are.
    pub(super) fn checked(&self) -> Result<Option<FeedAuthority>, ConfigProblem> {
        let problem = "must be lower-case letters, digits, points and hyphens";
        let parsed = self.authority.as_deref().map(FeedAuthority::parse).transpose();
        parsed.map_err(|_| ConfigProblem::value("key_feed.authority", problem))
    }
}
