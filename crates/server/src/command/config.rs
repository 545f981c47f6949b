//! `tenkoku config`: say what is wrong with the configuration, or what it means.

use std::fs;

use clap::Subcommand;
use serde_json::{Value, json};
use tenkoku_console::text::Words;
use tenkoku_mail::Tls;
use tenkoku_ports::settings::ClockWatch;

use super::Place;
use crate::config::{Config, KeyPlace, Setting, Source, TokenPlace, Way, settings};
use crate::failure::Failure;
use crate::output::{Output, facts};
use crate::tls::ConsoleTls;

/// `tenkoku config`
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Say what is wrong, without starting
    Check,
    /// Show what is in force, key by key, and where it comes from; secrets are never shown
    Show,
}

pub(crate) fn run(command: &ConfigCommand, place: &Place, output: &Output) -> Result<(), Failure> {
    match command {
        ConfigCommand::Check => check(place, output),
        ConfigCommand::Show => show(place, output),
    }
}

/// Every key with what is in force and where it comes from.
fn show(place: &Place, output: &Output) -> Result<(), Failure> {
    let config = Config::load(&place.file)?;
    let text = fs::read_to_string(&config.file)
        .map_err(|error| Failure::file(config.file.display(), &error))?;
    let all = settings(&config.file, &text)?;
    let rows: Vec<Value> = all
        .iter()
        .map(|Setting { key, value, source }| {
            let (from, variable) = match source {
                Source::Environment(name) => ("environment", Some(name)),
                Source::File => ("file", None),
                Source::Default => ("default", None),
            };
            json!({ "key": key, "value": value, "from": from, "variable": variable })
        })
        .collect();
    output.result("config-settings", json!({ "file": config.file, "settings": rows }), || {
        let w = Words::of(output.language);
        let mut rows = Vec::new();
        for Setting { key, value, source } in &all {
            let value = value.as_deref().unwrap_or_else(|| w.t("config-show.nothing"));
            let from = match source {
                Source::Environment(name) => {
                    w.say("config-show.environment").with("name", name).text()
                }
                Source::File => w.t("config-show.file").to_owned(),
                Source::Default => w.t("config-show.default").to_owned(),
            };
            rows.push((key.as_str(), format!("{value}  ({from})")));
        }
        facts(&rows)
    });
    Ok(())
}

fn check(place: &Place, output: &Output) -> Result<(), Failure> {
    let config = Config::load(&place.file)?;
    // The files are read as a start would read them.
    ConsoleTls::load(&config)?;
    let settings = &config.settings;
    let database = if config.database_url.starts_with("sqlite:") {
        config.database_url.clone()
    } else {
        // A server's address may hold a password.
        "PostgreSQL".to_owned()
    };
    let listen = config.listen;
    let keys = match &config.keys {
        KeyPlace::Files(folder) => format!("files in {}", folder.display()),
        KeyPlace::Token(TokenPlace { settings, .. }) => format!(
            "token {} behind {}, {} sessions",
            settings.token,
            settings.module.display(),
            settings.sessions
        ),
    };
    let servers = match &settings.clock {
        ClockWatch::Watched { servers } => servers.as_slice(),
        ClockWatch::Unwatched => &[],
    };
    let mail = match &config.mail.way {
        Way::Off => "off: letters wait".to_owned(),
        Way::Files(folder) => format!("files in {}", folder.display()),
        Way::Smtp(server) => {
            let user = server.sign_in.as_ref().map_or("nobody", |(user, _)| user);
            let (host, port) = (&server.host, server.port);
            format!("{host}:{port} ({}), signed in as {user}", tls_word(server.tls))
        }
    };
    let mail = format!("{mail}; from {}", config.mail.from);
    let value = json!({
        "file": config.file,
        "installation": settings.installation,
        "database": database,
        "keys": keys,
        "public_address": settings.public_address.as_str(),
        "console_address": config.console_address,
        "listen": {
            "public": listen.public.to_string(),
            "console": listen.console.to_string(),
            "operations": listen.operations.to_string(),
        },
        "clock_servers": servers,
        "mail": mail,
        "operator": settings.operator.name,
        "scheme": settings.scheme.code,
    });
    output.result("config", value, || {
        facts(&[
            ("configuration", format!("{} holds together", config.file.display())),
            ("installation", settings.installation.to_string()),
            ("operator", settings.operator.name.to_string()),
            ("database", database.clone()),
            ("keys", keys.clone()),
            ("public", format!("{} at {}", settings.public_address.as_str(), listen.public)),
            ("console", format!("{} at {}", config.console_address, listen.console)),
            ("operations", listen.operations.to_string()),
            ("time servers", servers.join(", ")),
            ("mail", mail.clone()),
            ("scheme", settings.scheme.code.clone()),
        ])
    });
    Ok(())
}

const fn tls_word(tls: Tls) -> &'static str {
    match tls {
        Tls::StartTls => "STARTTLS",
        Tls::Implicit => "implicit TLS",
        Tls::None => "no TLS, on this machine",
    }
}
