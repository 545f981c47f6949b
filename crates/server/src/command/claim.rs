//! `tenkoku claim`: accreditations, without which no certificate claims anything (PR-2).

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tenkoku_ca::proposal::propose;
use tenkoku_domain::accreditation::{
    Accreditation, AccreditationRecord, ClaimKind, DisclosureStatement,
};
use tenkoku_domain::certificate::{Profile, Validity};
use tenkoku_domain::id::AccreditationId;
use tenkoku_domain::proposal::ProposedAct;
use tenkoku_domain::time::Timestamp;

use super::proposal;
use crate::config::Config;
use crate::failure::Failure;
use crate::output::Output;
use crate::wire;

/// `tenkoku claim`
#[derive(Debug, Subcommand)]
pub(crate) enum ClaimCommand {
    /// Record what an authority was accredited for. In production a second person agrees in the
    /// console
    Record(RecordArgs),
    /// End an accreditation before its time: nothing new claims it
    End {
        /// The accreditation
        accreditation: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// List accreditations, newest first
    List,
}

/// `tenkoku claim record`
#[derive(Debug, Args)]
#[command(after_help = "Example:
  tenkoku claim record --authority seal-l3-g1 --claim accredited --profile seal-3 --country JP \\
      --pds en=https://pds.example.jp/eseal-en.pdf --pds ja=https://pds.example.jp/eseal-ja.pdf \\
      --from 2026-12-01T00:00:00Z --until 2028-11-30T23:59:59Z --reference 'decision 2026-17' \\
      --reason 'accredited on 20 November'")]
pub(crate) struct RecordArgs {
    /// Code of the issuing authority of level 3
    #[arg(long)]
    authority: String,
    /// accredited or eu-qualified
    #[arg(long)]
    claim: String,
    /// The profiles that it covers: seal-3, seal-3s
    #[arg(long, value_delimiter = ',', default_value = "seal-3")]
    profile: Vec<String>,
    /// Two-letter country that accredits
    #[arg(long)]
    country: String,
    /// Disclosure statements, each LANGUAGE=https://…; one in English
    #[arg(long, required = true)]
    pds: Vec<String>,
    /// First second: 2026-12-01T00:00:00Z
    #[arg(long)]
    from: String,
    /// Last second
    #[arg(long)]
    until: String,
    /// The decision it rests on
    #[arg(long)]
    reference: String,
    /// Why it is recorded
    #[arg(long)]
    reason: String,
}

pub(crate) fn run(command: ClaimCommand, config: &Config, output: &Output) -> Result<(), Failure> {
    match command {
        ClaimCommand::Record(args) => record(&args, config, output),
        ClaimCommand::End { accreditation, reason } => {
            let id = AccreditationId::parse(&accreditation)
                .map_err(|_| Failure::nothing("accreditation", &accreditation))?;
            let env = wire::env(config)?;
            let permit = wire::shell().permit(env.clock.now())?;
            let ended =
                propose(&env, &permit, ProposedAct::EndClaim { accreditation: id }, &reason);
            let ended = ended.map_err(|error| Failure::from(error).named(&accreditation))?;
            proposal::show(&ended, &env, output);
            Ok(())
        }
        ClaimCommand::List => list(config, output),
    }
}

fn record(args: &RecordArgs, config: &Config, output: &Output) -> Result<(), Failure> {
    let claims = [ClaimKind::Accredited, ClaimKind::EuQualified];
    let claim = ClaimKind::from_word(&args.claim)
        .filter(|claim| claims.contains(claim))
        .ok_or_else(|| Failure::word(&args.claim, &claims.map(ClaimKind::word)))?;
    let profile = |word: &String| {
        Profile::from_word(word).ok_or_else(|| Failure::word(word, &["seal-3", "seal-3s"]))
    };
    let instant = |text: &String| {
        Timestamp::parse(text).ok_or_else(|| Failure::word(text, &["2026-12-01T00:00:00Z"]))
    };
    let statement = |text: &String| {
        let (language, address) = text
            .split_once('=')
            .ok_or_else(|| Failure::word(text, &["en=https://pds.example.jp/en.pdf"]))?;
        let (address, language) = (address.to_owned(), language.to_owned());
        Ok::<_, Failure>(DisclosureStatement { address, language })
    };
    let env = wire::env(config)?;
    let authority = env.store.read(|tx| tx.find_authority(&args.authority))?;
    let authority = authority.ok_or_else(|| Failure::nothing("authority", &args.authority))?;
    let record = AccreditationRecord {
        authority: authority.id,
        claim,
        profiles: args.profile.iter().map(profile).collect::<Result<_, _>>()?,
        country: args.country.clone(),
        disclosures: args.pds.iter().map(statement).collect::<Result<_, _>>()?,
        validity: Validity { not_before: instant(&args.from)?, not_after: instant(&args.until)? },
        reference: args.reference.clone(),
    };
    let permit = wire::shell().permit(env.clock.now())?;
    let act = ProposedAct::RecordClaim { record: Box::new(record) };
    proposal::show(&propose(&env, &permit, act, &args.reason)?, &env, output);
    Ok(())
}

fn list(config: &Config, output: &Output) -> Result<(), Failure> {
    let store = wire::store(config)?;
    let (found, authorities) = store.read(|tx| {
        Ok::<_, tenkoku_store::StoreError>((tx.list_accreditations()?, tx.list_authorities()?))
    })?;
    let code = |one: &Accreditation| {
        let authority = authorities.iter().find(|a| a.id == one.record.authority);
        authority.map_or_else(|| one.record.authority.to_string(), |a| a.code.to_string())
    };
    let all: Vec<Value> = found
        .iter()
        .map(|one| {
            json!({
                "id": one.id,
                "authority": code(one),
                "claim": one.record.claim,
                "profiles": one.record.profiles,
                "country": one.record.country,
                "reference": one.record.reference,
                "from": one.record.validity.not_before.to_string(),
                "until": one.record.validity.not_after.to_string(),
                "ended_at": one.ended_at.map(|at| at.to_string()),
            })
        })
        .collect();
    output.result("claim-list", json!({ "accreditations": all }), || {
        let line = |one: &Accreditation| {
            let record = &one.record;
            let ended = one.ended_at.map_or_else(String::new, |at| format!("  ended {at}"));
            format!(
                "{}  {}  {} {}  until {}{ended}\n",
                one.id,
                code(one),
                record.claim,
                record.country,
                record.validity.not_after
            )
        };
        found.iter().map(line).collect()
    });
    Ok(())
}
