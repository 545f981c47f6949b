//! Where the database is, and how to name it without giving away a password.

use std::path::{Path, PathBuf};

use crate::error::StoreError;

/// Where a database is.
#[derive(Clone)]
pub(crate) enum Location {
    /// A file.
    Sqlite(PathBuf),
    /// A server, by its whole address.
    Postgresql(String),
}

impl Location {
    /// Reads `sqlite:PATH`, a bare path, or `postgres://…` (also `postgresql://…`).
    pub(crate) fn parse(url: &str) -> Result<Self, StoreError> {
        let server = url.starts_with("postgres://") || url.starts_with("postgresql://");
        let path = url.strip_prefix("sqlite:").unwrap_or(url);
        let path = path.strip_prefix("//").unwrap_or(path);
        let odd = path.is_empty() || path.contains("://") || path.starts_with(':');
        match (server, odd) {
            (true, _) => Ok(Self::Postgresql(url.to_owned())),
            (false, true) => Err(StoreError::Address { address: without_user(url) }),
            (false, false) => Ok(Self::Sqlite(PathBuf::from(path))),
        }
    }

    /// The name for messages: the path, or the address without user, password and parameters.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Sqlite(path) => path.display().to_string(),
            Self::Postgresql(url) => without_user(url),
        }
    }

    /// What a client library said, without the address and the passwords in it.
    pub(crate) fn scrubbed(&self, message: &str) -> String {
        let Self::Postgresql(url) = self else {
            return message.trim().to_owned();
        };
        let whole = message.replace(url.as_str(), &without_user(url));
        let clean = secrets(url).iter().fold(whole, |text, secret| text.replace(secret, "***"));
        clean.trim().to_owned()
    }
}

/// The folder that must be there for the file to be made.
pub(crate) fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if folder.as_os_str().is_empty() => PathBuf::from("."),
        Some(folder) => folder.to_path_buf(),
        None => PathBuf::from("/"),
    }
}

fn without_user(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    let host = host.split_once('?').map_or(host, |(host, _)| host);
    if scheme.is_empty() { host.to_owned() } else { format!("{scheme}://{host}") }
}

/// Every spelling of a password in the address: of the user part and of the parameters.
fn secrets(url: &str) -> Vec<String> {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    let user = rest.rsplit_once('@').and_then(|(user, _)| user.split_once(':')).map(|(_, p)| p);
    let parameters = rest.split(['?', '&']).filter_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.contains("password").then_some(value)
    });
    let written: Vec<&str> = user.into_iter().chain(parameters).filter(|s| !s.is_empty()).collect();
    let decoded = written.iter().map(|text| percent_decoded(text));
    let all = written.iter().map(|text| (*text).to_owned()).chain(decoded);
    all.collect()
}

fn percent_decoded(text: &str) -> String {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let octet = part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        if let (Some(octet), Some(rest)) = (octet, part.get(2..)) {
            bytes.push(octet);
            bytes.extend_from_slice(rest.as_bytes());
        } else {
            bytes.push(b'%');
            bytes.extend_from_slice(part.as_bytes());
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, message: &str, expected: &str) {
        let location = Location::Postgresql(url.to_owned());
        assert_eq!(location.scrubbed(message), expected);
        assert!(!location.shown().contains("s3cret"), "{}", location.shown());
    }

    #[test]
    fn no_message_repeats_a_password() {
        check(
            "postgres://ann:s3cret@db.example:5432/seal?sslmode=require",
            "bad: \"postgres://ann:s3cret@db.example:5432/seal?sslmode=require\"\n",
            "bad: \"postgres://db.example:5432/seal\"",
        );
        check("postgres://ann:s3cret%21@db.example/seal", "s3cret! is wrong", "*** is wrong");
        check(
            "postgres:///seal?user=ann&password=s3cret",
            "password \"s3cret\"",
            "password \"***\"",
        );
        check("postgres://ann:s3cret@x@y/seal", "s3cret@x", "***");
    }

    #[test]
    fn addresses_are_told_apart() {
        for (url, shown) in [
            ("sqlite:var/tenkoku.db", Some("var/tenkoku.db")),
            ("/srv/tenkoku.db", Some("/srv/tenkoku.db")),
            ("postgresql://db.example/seal", Some("postgresql://db.example/seal")),
            ("mysql://ann:s3cret@db.example/seal", None),
            ("sqlite::memory:", None),
            ("", None),
        ] {
            let shows = Location::parse(url).map(|location| location.shown());
            assert!(!shows.as_ref().err().is_some_and(|e| e.to_string().contains("s3cret")));
            assert_eq!(shows.ok().as_deref(), shown, "{url}");
        }
    }
}
