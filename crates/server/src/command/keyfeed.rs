//! `tenkoku keyfeed`: known-key feeds between authorities (DOMAIN 8.5).

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tenkoku_ca::feed::{export_feed, feed_key, import_feed};
use tenkoku_ca::proposal::propose;
use tenkoku_domain::exchange::Octets;
use tenkoku_domain::feed::{FeedAuthority, FeedSource};
use tenkoku_domain::proposal::ProposedAct;
use tenkoku_pki::pem;

use super::proposal;
use super::registry::read;
use crate::config::Config;
use crate::failure::{Failure, exit};
use crate::output::{Output, facts};
use crate::wire;

/// `tenkoku keyfeed`
#[derive(Debug, Subcommand)]
pub(crate) enum KeyfeedCommand {
    /// Make the feed of every key that was met here, for other authorities. Off unless the
    /// configuration gives it a name (`[key_feed] authority`)
    Export {
        /// Where the feed goes, JWS in compact form
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Print the public key that signs our feeds: others need it once, by a trusted way
    Key,
    /// Take the feed of a trusted authority
    Import {
        /// The feed; `-` reads standard input
        file: PathBuf,
    },
    /// Authorities whose feed is taken
    #[command(subcommand)]
    Source(SourceCommand),
}

/// `tenkoku keyfeed source`
#[derive(Debug, Subcommand)]
pub(crate) enum SourceCommand {
    /// Trust the feed of an authority. In production two other persons agree in the console
    Add(SourceArgs),
    /// Take no more feeds of an authority; what it named stays known
    End {
        /// Its name
        authority: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// List the authorities whose feed is or was taken
    List,
}

/// `tenkoku keyfeed source add`
#[derive(Debug, Args)]
#[command(after_help = "Example:
  tenkoku keyfeed source add ca.other.example --key other-feed.pem --reason 'agreement of 1 November'")]
pub(crate) struct SourceArgs {
    /// The name it makes feeds under
    authority: String,
    /// Its public key (PUBLIC KEY), PEM or DER: on P-256 or P-384
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Why it is trusted
    #[arg(long)]
    reason: String,
}

pub(crate) fn run(
    command: KeyfeedCommand,
    config: &Config,
    output: &Output,
) -> Result<(), Failure> {
    match command {
        KeyfeedCommand::Export { out } => export(&out, config, output),
        KeyfeedCommand::Key => {
            let env = wire::env(config)?;
            let key = feed_key(&env, &wire::shell().permit(env.clock.now())?)?;
            output.raw(pem::encode("PUBLIC KEY", &key.public_key).as_bytes());
            Ok(())
        }
        KeyfeedCommand::Import { file } => import(&file, config, output),
        KeyfeedCommand::Source(SourceCommand::Add(args)) => add(&args, config, output),
        KeyfeedCommand::Source(SourceCommand::End { authority, reason }) => {
            let env = wire::env(config)?;
            let permit = wire::shell().permit(env.clock.now())?;
            let act = ProposedAct::EndFeed { authority: FeedAuthority::parse(&authority)? };
            let ended = propose(&env, &permit, act, &reason);
            let ended = ended.map_err(|error| Failure::from(error).named(&authority))?;
            proposal::show(&ended, &env, output);
            Ok(())
        }
        KeyfeedCommand::Source(SourceCommand::List) => list(config, output),
    }
}

fn export(out: &Path, config: &Config, output: &Output) -> Result<(), Failure> {
    let env = wire::env(config)?;
    let permit = wire::shell().permit(env.clock.now())?;
    let exported = export_feed(&env, &permit)?;
    fs::write(out, format!("{}\n", exported.signed))
        .map_err(|error| Failure::file(out.display(), &error))?;
    let feed = &exported.feed;
    let value = json!({
        "authority": feed.authority,
        "sequence": feed.sequence,
        "issued_at": feed.issued_at.to_string(),
        "keys": feed.keys.len(),
        "file": out.display().to_string(),
    });
    output.result("key-feed", value, || {
        facts(&[
            ("authority", feed.authority.to_string()),
            ("sequence", feed.sequence.to_string()),
            ("keys", feed.keys.len().to_string()),
            ("file", out.display().to_string()),
        ])
    });
    Ok(())
}

fn import(file: &Path, config: &Config, output: &Output) -> Result<(), Failure> {
    let text = String::from_utf8(read(file)?);
    let text =
        text.map_err(|_| Failure::problem("request-malformed", exit::REFUSED).at(file.display()))?;
    let env = wire::env(config)?;
    let permit = wire::shell().permit(env.clock.now())?;
    let imported = import_feed(&env, &permit, &text);
    let imported = imported.map_err(|error| Failure::from(error).at(file.display()))?;
    let feed = &imported.feed;
    let value = json!({
        "authority": feed.authority,
        "sequence": feed.sequence,
        "keys": feed.keys.len(),
        "hits": imported.hits,
    });
    output.result("key-feed", value, || {
        facts(&[
            ("authority", feed.authority.to_string()),
            ("sequence", feed.sequence.to_string()),
            ("keys", feed.keys.len().to_string()),
            ("held here too", imported.hits.to_string()),
        ])
    });
    Ok(())
}

fn add(args: &SourceArgs, config: &Config, output: &Output) -> Result<(), Failure> {
    let unusable = |error| {
        Failure::problem("key-unusable", exit::REFUSED).because(error).at(args.key.display())
    };
    let der = pem::decode(&read(&args.key)?, &["PUBLIC KEY"]).map_err(unusable)?;
    let env = wire::env(config)?;
    let permit = wire::shell().permit(env.clock.now())?;
    let act = ProposedAct::TrustFeed {
        authority: FeedAuthority::parse(&args.authority)?,
        public_key: Octets(der),
    };
    proposal::show(&propose(&env, &permit, act, &args.reason)?, &env, output);
    Ok(())
}

fn list(config: &Config, output: &Output) -> Result<(), Failure> {
    let store = wire::store(config)?;
    let sources = store.read(|tx| tx.list_feed_sources())?;
    let all: Vec<Value> = sources
        .iter()
        .map(|one| {
            json!({
                "authority": one.authority,
                "sequence": one.sequence,
                "issued_at": one.issued_at.map(|at| at.to_string()),
                "trusted_at": one.trusted_at.to_string(),
                "ended_at": one.ended_at.map(|at| at.to_string()),
            })
        })
        .collect();
    output.result("key-feed-sources", json!({ "sources": all }), || {
        let line = |one: &FeedSource| {
            let last = one.issued_at.map_or_else(|| "never".to_owned(), |at| at.to_string());
            let ended = one.ended_at.map_or_else(String::new, |at| format!("  ended {at}"));
            format!("{}  sequence {}  last {last}{ended}\n", one.authority, one.sequence)
        };
        sources.iter().map(line).collect()
    });
    Ok(())
}
