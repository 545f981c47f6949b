//! `tenkoku key evidence`: proof that every copy of a key is gone (DOMAIN 11).

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde::Deserialize;
use serde_json::{Value, json};
use tenkoku_ca::destroy::open::{OpenProof, open_proofs};
use tenkoku_ca::destroy::package::{self, Package};
use tenkoku_ca::destroy::{EvidenceOrder, Signed, decide_evidence, hand_in_evidence, statement};
use tenkoku_domain::destruction::{
    CopyLine, Decision, Evidence, EvidenceState, Method, SignerRole,
};
use tenkoku_domain::id::{EvidenceId, KeyId};
use tenkoku_domain::policy::DestructionClass;
use tenkoku_domain::time::Timestamp;
use tenkoku_pki::pem;
use tenkoku_ports::Env;

use super::key::{dates, named};
use super::registry::read;
use crate::failure::{Failure, exit};
use crate::output::{Output, facts};
use crate::wire;

/// `tenkoku key evidence`
#[derive(Debug, Subcommand)]
pub(crate) enum EvidenceCommand {
    /// Print the text that the people of an evidence file sign, octet for octet
    Text(TextArgs),
    /// Put an evidence file and everything that it names into one file for the console
    Pack {
        /// The evidence file, TOML
        file: PathBuf,
        /// Where the packed file goes, JSON
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Hand evidence in
    HandIn {
        /// The evidence file, TOML, or a packed one, JSON
        file: PathBuf,
    },
    /// List keys whose destruction is not shown yet, the one that is due first at the top
    List,
    /// Show evidence that was handed in
    Show {
        /// The evidence
        evidence: String,
    },
    /// Decide on evidence; an officer of another organisation does, never whoever handed it in
    Decide(DecideArgs),
}

/// `tenkoku key evidence text`
#[derive(Debug, Args)]
#[command(after_help = "The file, TOML; paths in it are relative to it:

  key = \"key_01J…\"
  class = \"D4\"                       # D2 device log, D3 witnessed act, D4 statement, D5 disposal
  serials = [\"SN-1\"]                 # of the devices

  [[copies]]                           # one for each copy of the container's inventory
  copy = \"primary\"
  method = \"zeroise\"                 # delete, zeroise, reset, shred
  at = \"2026-12-01T10:00:00Z\"

  [[attachments]]
  file = \"photo.png\"
  media_type = \"image/png\"

  [[signatures]]                       # of other keys than the destroyed one
  name = \"Mihon Taro\"
  role = \"custodian\"                 # custodian, witness, operator, disposer
  key = \"taro.pub\"                   # public key, PEM
  signature = \"taro.sig\"

Examples:
  tenkoku key evidence text evidence.toml --out statement.json
  openssl dgst -sha256 -sign taro.key -out taro.sig statement.json
  tenkoku key evidence hand-in evidence.toml")]
pub(crate) struct TextArgs {
    /// The evidence file, TOML; its signatures may be missing yet
    file: PathBuf,
    /// Where the text goes [default: standard output]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// `tenkoku key evidence decide`
#[derive(Debug, Args)]
#[command(after_help = "Decisions:
  accept  every copy is gone: with the last acceptance that is needed the key is destroyed
  more    something is missing
  refuse  it does not show it

Example:
  tenkoku key evidence decide evd_01J… --decision accept --reason 'photographs and serials agree'")]
pub(crate) struct DecideArgs {
    /// The evidence
    evidence: String,
    /// The decision: accept, more or refuse
    #[arg(long)]
    decision: String,
    /// Why
    #[arg(long)]
    reason: String,
}

/// The evidence file of a person.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    key: KeyId,
    class: DestructionClass,
    copies: Vec<CopyPart>,
    #[serde(default)]
    serials: Vec<String>,
    #[serde(default)]
    attachments: Vec<AttachmentPart>,
    #[serde(default)]
    signatures: Vec<SignaturePart>,
    last_act: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CopyPart {
    copy: String,
    method: Option<Method>,
    at: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AttachmentPart {
    file: PathBuf,
    media_type: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SignaturePart {
    name: String,
    role: SignerRole,
    key: PathBuf,
    signature: PathBuf,
}

/// Whether the signatures that a file names are wanted now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Signatures {
    Read,
    LeftOut,
}

pub(crate) fn run(command: EvidenceCommand, env: &Env, output: &Output) -> Result<(), Failure> {
    match command {
        EvidenceCommand::Text(args) => text(&args, env, output),
        EvidenceCommand::Pack { file, out } => {
            let package = Package::from(order(&file, Signatures::Read)?);
            let text = serde_json::to_string_pretty(&package).map_err(Failure::internal)?;
            fs::write(&out, text).map_err(|error| Failure::file(out.display(), &error))?;
            let value = json!({ "key": package.key, "file": out });
            output.result("evidence-package", value, || out.display().to_string());
            Ok(())
        }
        EvidenceCommand::HandIn { file } => {
            let order = order(&file, Signatures::Read)?;
            let permit = wire::shell().permit(env.clock.now())?;
            let handed = hand_in_evidence(env, &permit, &order)
                .map_err(|error| named(error, order.key.as_str()).at(file.display()))?;
            print_handed(&handed, output);
            Ok(())
        }
        EvidenceCommand::List => list_open(env, output),
        EvidenceCommand::Show { evidence } => show(env, &evidence, output),
        EvidenceCommand::Decide(args) => decide(&args, env, output),
    }
}

fn text(args: &TextArgs, env: &Env, output: &Output) -> Result<(), Failure> {
    let order = order(&args.file, Signatures::LeftOut)?;
    let fingerprint = dates(env, order.key.as_str())?.key.key.fingerprint;
    let text = statement(&fingerprint, &order)?;
    match &args.out {
        Some(file) => {
            fs::write(file, &text).map_err(|error| Failure::file(file.display(), &error))?;
            let value = json!({ "key": order.key, "file": file });
            output.result("evidence-text", value, || file.display().to_string());
        }
        None => output.raw(text.as_bytes()),
    }
    Ok(())
}

/// Reads an evidence file, or a packed one.
fn order(file: &Path, wanted: Signatures) -> Result<EvidenceOrder, Failure> {
    let content = read(file)?;
    let malformed = |problem: &dyn std::fmt::Display| {
        Failure::problem("evidence-malformed", exit::REFUSED)
            .with("detail-text", problem)
            .at(file.display())
    };
    if content.first() == Some(&b'{') {
        return package::read(&content).map_err(|error| malformed(&error));
    }
    let text = String::from_utf8(content).map_err(|error| malformed(&error))?;
    let document: Document = toml::from_str(&text).map_err(|error| malformed(&error))?;
    let folder = file.parent().unwrap_or_else(|| Path::new(""));
    let line = |part: CopyPart| {
        let at = part.at.map(|at| {
            Timestamp::parse(&at).ok_or_else(|| Failure::word(&at, &["2026-12-01T10:00:00Z"]))
        });
        Ok::<_, Failure>(CopyLine { copy: part.copy, method: part.method, at: at.transpose()? })
    };
    let attached =
        |part: AttachmentPart| Ok::<_, Failure>((part.media_type, read(&folder.join(part.file))?));
    let signed = |part: SignaturePart| {
        let key = folder.join(part.key);
        let public_key = pem::decode(&read(&key)?, &["PUBLIC KEY"])
            .map_err(|error| malformed(&error).at(key.display()))?;
        let signature = read(&folder.join(part.signature))?;
        Ok::<_, Failure>(Signed { name: part.name, role: part.role, public_key, signature })
    };
    let signatures = match wanted {
        Signatures::Read => document.signatures,
        Signatures::LeftOut => Vec::new(),
    };
    Ok(EvidenceOrder {
        key: document.key,
        class: document.class,
        lines: document.copies.into_iter().map(line).collect::<Result<_, _>>()?,
        serials: document.serials,
        attachments: document.attachments.into_iter().map(attached).collect::<Result<_, _>>()?,
        signatures: signatures.into_iter().map(signed).collect::<Result<_, _>>()?,
        last_act: document.last_act.map(|file| read(&folder.join(file))).transpose()?,
    })
}

/// Every key whose destruction is not shown yet.
pub(crate) fn list_open(env: &Env, output: &Output) -> Result<(), Failure> {
    let permit = wire::shell().permit(env.clock.now())?;
    let open = open_proofs(env, &permit)?;
    let all: Vec<Value> = open.iter().map(open_json).collect();
    output.result("evidence-open", json!({ "keys": all }), || {
        let line = |one: &OpenProof| {
            let (id, state) = (&one.key.key.id, one.key.key.state);
            let due =
                one.key.life.due_at.map_or_else(|| "no day yet".to_owned(), |at| at.to_date());
            let last = one.evidence.first().map_or_else(String::new, |(evidence, state)| {
                format!("  {} {} {state}", evidence.id, evidence.class)
            });
            format!("{id}  {state}  due {due}  {}{last}\n", one.key.certificate.common_name)
        };
        open.iter().map(line).collect()
    });
    Ok(())
}

fn open_json(open: &OpenProof) -> Value {
    let handed = |(evidence, state): &(Evidence, EvidenceState)| evidence_json(evidence, *state);
    json!({
        "key": open.key.key.id,
        "state": open.key.key.state,
        "fingerprint": open.key.key.fingerprint,
        "name": open.key.certificate.common_name,
        "due_at": open.key.life.due_at.map(|at| at.to_string()),
        "not_evidenced_at": open.key.life.not_evidenced_at.map(|at| at.to_string()),
        "evidence": open.evidence.iter().map(handed).collect::<Vec<_>>(),
    })
}

fn parse(text: &str) -> Result<EvidenceId, Failure> {
    EvidenceId::parse(text).map_err(|_| Failure::nothing("evidence", text))
}

fn show(env: &Env, name: &str, output: &Output) -> Result<(), Failure> {
    let id = parse(name)?;
    let (evidence, state) =
        env.store.read(|tx| tx.load_evidence(&id)).map_err(|error| named(error, name))?;
    output.result("evidence", evidence_json(&evidence, state), || evidence_text(&evidence, state));
    Ok(())
}

fn decide(args: &DecideArgs, env: &Env, output: &Output) -> Result<(), Failure> {
    let words: Vec<_> = Decision::ALL.iter().map(|decision| decision.word()).collect();
    let decision =
        Decision::from_word(&args.decision).ok_or_else(|| Failure::word(&args.decision, &words))?;
    let permit = wire::shell().permit(env.clock.now())?;
    decide_evidence(env, &permit, &parse(&args.evidence)?, (decision, &args.reason))
        .map_err(|error| named(error, &args.evidence))?;
    show(env, &args.evidence, output)
}

/// Evidence that was handed in just now.
pub(crate) fn print_handed(evidence: &Evidence, output: &Output) {
    let state = EvidenceState::Handed;
    output.result("evidence", evidence_json(evidence, state), || evidence_text(evidence, state));
}

fn evidence_json(evidence: &Evidence, state: EvidenceState) -> Value {
    let line = |line: &CopyLine| {
        json!({
            "copy": line.copy,
            "method": line.method,
            "at": line.at.map(|at| at.to_string()),
        })
    };
    json!({
        "id": evidence.id,
        "key": evidence.key,
        "class": evidence.class,
        "state": state,
        "copies": evidence.lines.iter().map(line).collect::<Vec<_>>(),
        "serials": evidence.serials,
        "signatories": evidence.signatories,
        "attachments": evidence.attachments,
        "report": evidence.report,
        "handed_by": evidence.handed_by,
        "handed_at": evidence.handed_at.to_string(),
    })
}

fn evidence_text(evidence: &Evidence, state: EvidenceState) -> String {
    let mut rows = vec![
        ("evidence", evidence.id.to_string()),
        ("key", evidence.key.to_string()),
        ("class", evidence.class.to_string()),
        ("state", state.to_string()),
        ("handed in", format!("{} by {}", evidence.handed_at, evidence.handed_by)),
    ];
    rows.extend(evidence.lines.iter().map(|line| {
        let method = line.method.map_or("open", |method| method.word());
        let at = line.at.map_or_else(String::new, |at| at.to_string());
        ("copy", format!("{}: {method} {at}", line.copy))
    }));
    let signed = |who: &tenkoku_domain::destruction::Signatory| {
        ("signed", format!("{} ({})", who.name, who.role))
    };
    rows.extend(evidence.signatories.iter().map(signed));
    rows.extend(evidence.attachments.iter().map(|digest| ("attachment", digest.to_string())));
    rows.extend(evidence.report.map(|digest| ("report", digest.to_string())));
    facts(&rows)
}
