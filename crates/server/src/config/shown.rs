//! What is in force, key by key, and where each value comes from. Secrets are never shown.

use serde_json::Value;

use super::{ConfigProblem, ConfigToml, environment, problem};

/// The variables of the environment that stand above a key of the file.
const VARIABLES: [(&str, &str); 16] = [
    ("clock.servers", "TENKOKU_CLOCK_SERVERS"),
    ("database.url", "TENKOKU_DATABASE_URL"),
    ("keys.module", "TENKOKU_HSM_MODULE"),
    ("keys.passphrase_file", "TENKOKU_PASSPHRASE_FILE"),
    ("keys.pin_file", "TENKOKU_HSM_PIN_FILE"),
    ("keys.store", "TENKOKU_KEYS_STORE"),
    ("keys.token", "TENKOKU_HSM_TOKEN"),
    ("listen.console", "TENKOKU_LISTEN_CONSOLE"),
    ("listen.operations", "TENKOKU_LISTEN_OPERATIONS"),
    ("listen.public", "TENKOKU_LISTEN_PUBLIC"),
    ("log.level", "TENKOKU_LOG_LEVEL"),
    ("mail.host", "TENKOKU_MAIL_HOST"),
    ("mail.password_file", "TENKOKU_MAIL_PASSWORD_FILE"),
    ("mail.via", "TENKOKU_MAIL_VIA"),
    ("tls.certificate_file", "TENKOKU_TLS_CERTIFICATE_FILE"),
    ("tls.key_file", "TENKOKU_TLS_KEY_FILE"),
];

/// The variables that hold a secret itself, in place of the file that a key names.
const SECRETS: [(&str, &str); 3] = [
    ("keys.passphrase_file", "TENKOKU_PASSPHRASE"),
    ("keys.pin_file", "TENKOKU_HSM_PIN"),
    ("mail.password_file", "TENKOKU_MAIL_PASSWORD"),
];

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A variable of the environment.
    Environment(&'static str),
    /// The file.
    File,
    /// Nobody said anything.
    Default,
}

/// A key with what is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    /// The section and the key: `listen.public`.
    pub(crate) key: String,
    /// The value as a person reads it; `None` where nothing is set.
    pub(crate) value: Option<String>,
    /// Where it comes from.
    pub(crate) source: Source,
}

/// Every key, by section and name.
pub(crate) fn settings(file: &std::path::Path, text: &str) -> Result<Vec<Setting>, ConfigProblem> {
    let wrong = |error: &toml::de::Error| problem::of_toml(file, text, error);
    let written: toml::Table = toml::from_str(text).map_err(|error| wrong(&error))?;
    let filled: ConfigToml = toml::from_str(text).map_err(|error| wrong(&error))?;
    let filled = serde_json::to_value(filled).unwrap_or_default();
    let mut all = Vec::new();
    for (section, keys) in filled.as_object().into_iter().flatten() {
        let is_written = |key: &str| {
            let section = written.get(section).and_then(toml::Value::as_table);
            section.is_some_and(|section| section.contains_key(key))
        };
        if let Value::Object(keys) = keys {
            all.extend(
                keys.iter().map(|(key, value)| {
                    setting(format!("{section}.{key}"), value, is_written(key))
                }),
            );
        } else {
            let written = written.contains_key(section.as_str());
            all.push(setting(section.clone(), keys, written));
        }
    }
    Ok(all)
}

fn setting(key: String, value: &Value, written: bool) -> Setting {
    let of = |table: &[(&'static str, &'static str)]| {
        let mut fitting = table.iter().filter(|(of, _)| *of == key);
        fitting.find_map(|(_, name)| environment(name).map(|value| (*name, value)))
    };
    if let Some((name, _)) = of(&SECRETS) {
        return Setting { key, value: Some("***".to_owned()), source: Source::Environment(name) };
    }
    let (value, source) = match of(&VARIABLES) {
        Some((name, value)) => (Some(value), Source::Environment(name)),
        None if written => (shown(value), Source::File),
        None => (shown(value), Source::Default),
    };
    let value = value.map(|value| without_password(&value));
    Setting { key, value, source }
}

fn shown(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Array(items) => Some(items.iter().filter_map(shown).collect::<Vec<_>>().join(", ")),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => Some(value.to_string()),
    }
}

/// An address of a server without the password that it may hold, in front or among its parameters.
fn without_password(value: &str) -> String {
    let Some((scheme, rest)) = value.split_once("://") else { return value.to_owned() };
    let (place, parameters) = rest.split_once('?').map_or((rest, None), |(a, b)| (a, Some(b)));
    let end = place.find('/').unwrap_or(place.len());
    let (authority, path) = place.split_at(end);
    let place = match authority.rsplit_once('@') {
        None => authority.to_owned(),
        Some((user, host)) => match user.split_once(':') {
            Some((user, _)) => format!("{user}:***@{host}"),
            None => authority.to_owned(),
        },
    };
    let hidden = parameters.map(|parameters| {
        let each = parameters.split('&').map(|one| match one.split_once('=') {
            Some((name, _)) if name.to_ascii_lowercase().contains("pass") => format!("{name}=***"),
            Some(_) | None => one.to_owned(),
        });
        format!("?{}", each.collect::<Vec<_>>().join("&"))
    });
    format!("{scheme}://{place}{path}{}", hidden.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;

    #[test]
    fn a_password_in_an_address_is_not_shown() {
        for (address, expected) in [
            ("sqlite:tenkoku.db", "sqlite:tenkoku.db"),
            ("postgres://tenkoku@db/tenkoku", "postgres://tenkoku@db/tenkoku"),
            ("postgres://tenkoku:a@b:c@db/tenkoku", "postgres://tenkoku:***@db/tenkoku"),
            ("postgresql:///t?host=/run&password=secret", "postgresql:///t?host=/run&password=***"),
            ("https://seal.example.jp", "https://seal.example.jp"),
        ] {
            assert_eq!(without_password(address), expected);
        }
    }

    #[test]
    fn every_variable_of_the_environment_stands_beside_its_key() {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/config");
        let mut named = BTreeSet::new();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.ends_with("starter.rs") || path.ends_with("shown.rs") {
                continue;
            }
            let text = fs::read_to_string(path).unwrap();
            for part in text.split("\"TENKOKU_").skip(1) {
                named.insert(format!("TENKOKU_{}", part.split('"').next().unwrap()));
            }
        }
        let known = VARIABLES.iter().chain(&SECRETS).map(|(_, name)| (*name).to_owned());
        assert_eq!(named, known.collect());
    }

    #[test]
    fn every_key_tells_where_its_value_comes_from() {
        let text = crate::config::starter_text(&crate::config::Starter {
            kind: tenkoku_domain::policy::Installation::Evaluation,
            policy_arc: "1.3.6.1.4.1.32473.1".to_owned(),
            database_url: "postgres://me:secret@db/t".to_owned(),
            listen: ["127.0.0.1:8080", "127.0.0.1:8081", "127.0.0.1:8082"].map(str::to_owned),
            public_address: "http://127.0.0.1:8080".to_owned(),
            clock_servers: Vec::new(),
        });
        let all = settings(Path::new("tenkoku.toml"), &text).unwrap();
        let of = |key: &str| all.iter().find(|setting| setting.key == key).unwrap();
        let url = of("database.url");
        assert_eq!(url.value.as_deref(), Some("postgres://me:***@db/t"));
        assert_eq!(url.source, Source::File);
        let seconds = of("status.freshness_seconds");
        assert_eq!((seconds.value.as_deref(), seconds.source), (Some("300"), Source::Default));
        assert_eq!(
            (of("tls.key_file").value.clone(), of("tls.key_file").source),
            (None, Source::Default)
        );
    }
}
