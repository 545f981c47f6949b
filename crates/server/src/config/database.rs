//! `[database]`: SQLite in a file, or PostgreSQL.

use std::path::Path;

use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct DatabaseToml {
    url: String,
}

impl Default for DatabaseToml {
    fn default() -> Self {
        Self { url: "sqlite:tenkoku.db".to_owned() }
    }
}

impl DatabaseToml {
    /// The URL, with a relative SQLite path taken from the data folder.
    pub(super) fn url(&self, data: &Path) -> String {
        if let Some(url) = super::environment("TENKOKU_DATABASE_URL") {
            return url;
        }
        match self.url.strip_prefix("sqlite:") {
            Some(path) => format!("sqlite:{}", data.join(path).display()),
            None => self.url.clone(),
        }
    }
}
