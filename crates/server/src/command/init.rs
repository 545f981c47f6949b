//! `tenkoku init`: the configuration file, the database, the key store; with `--evaluation` also
//! the authorities, their signers and the first trusted list.
//!
//! Every step is skipped when it is done already, so an `init` that was cut short is run again.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use clap::Args;
use serde_json::json;
use tenkoku_ca::authority::{AuthorityOrder, create_authority};
use tenkoku_ca::signer::{renew_document_signer, renew_list_signers, renew_ocsp_signers};
use tenkoku_domain::audit::Event;
use tenkoku_domain::authority::{AuthorityCode, AuthorityKind, AuthorityState, ShardCount};
use tenkoku_domain::key::KeyAlgorithm;
use tenkoku_domain::level::Level;
use tenkoku_domain::name::Name;
use tenkoku_domain::policy::{Installation, KeyPolicy};
use tenkoku_domain::time::Clock as _;
use tenkoku_keys::{KeyError, KeyStore as _};
use tenkoku_ports::Env;
use tenkoku_publisher::publish::renew_lists;
use tenkoku_responder::crl::current_crl;
use tenkoku_softkeys::SoftKeys;
use tenkoku_store::{Store, StoreError};

use super::Place;
use super::authority::write_certificates;
use crate::clock::WallClock;
use crate::config::{Config, KeyPlace, Starter, environment, parse_arc, starter_text};
use crate::entropy::SystemEntropy;
use crate::failure::{Failure, exit};
use crate::output::{Output, facts};
use crate::wire;

/// `tenkoku init`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tenkoku init --evaluation
  tenkoku init --policy-arc 1.3.6.1.4.1.99999.1 --public-address http://seal.example.jp \\
      --database postgres://tenkoku@db.example/tenkoku --passphrase-file /run/secrets/tenkoku \\
      --clock-server ntp.example.jp")]
pub(crate) struct InitArgs {
    /// Try it out: keys in files, sample names, authorities at once; marked everywhere
    #[arg(long)]
    evaluation: bool,
    /// For the key of a root that is kept offline: no authorities are made, bundles answer
    #[arg(long)]
    offline_root: bool,
    /// The operator's own policy arc; needed for production
    #[arg(long, env = "TENKOKU_POLICY_ARC", value_name = "OID")]
    policy_arc: Option<String>,
    /// The base address in certificates [default: http:// and the public listener]
    #[arg(long, env = "TENKOKU_PUBLIC_ADDRESS", value_name = "URL")]
    public_address: Option<String>,
    /// The database [default: SQLite in the data folder]
    #[arg(long, env = "TENKOKU_DATABASE_URL", value_name = "URL")]
    database: Option<String>,
    /// The file with the passphrase of the key store [default: a new random one in the data folder]
    #[arg(long, env = "TENKOKU_PASSPHRASE_FILE", value_name = "FILE")]
    passphrase_file: Option<std::path::PathBuf>,
    /// A time server that the clock is compared with, several with commas; production issues
    /// nothing without
    #[arg(long, env = "TENKOKU_CLOCK_SERVERS", value_name = "HOST", value_delimiter = ',')]
    clock_server: Vec<String>,
    #[command(flatten)]
    device: DeviceArgs,
}

/// Keys in a key device from the start.
#[derive(Debug, Args)]
struct DeviceArgs {
    /// Keep keys in a key device (HSM): its maker's PKCS #11 module
    #[arg(long = "hsm-module", value_name = "FILE", requires = "token")]
    module: Option<std::path::PathBuf>,
    /// The label of the token
    #[arg(long = "hsm-token", value_name = "LABEL", requires = "module")]
    token: Option<String>,
    /// The file with its PIN [default: the file pin in the data folder]
    #[arg(long = "hsm-pin-file", value_name = "FILE", requires = "module")]
    pin_file: Option<std::path::PathBuf>,
}

/// The arc for documentation, which evaluation installations use.
const DOCUMENTATION_ARC: &str = "1.3.6.1.4.1.32473.1";

pub(crate) fn run(args: &InitArgs, place: &Place, output: &Output) -> Result<(), Failure> {
    if place.file.exists() {
        private_folder(&place.data)?;
        output.progress(&format!("configuration: {} is there", place.file.display()));
    } else {
        let text = with_passphrase(&starter_text(&starter(args)?), args)?;
        let text = with_device(&text, &args.device)?;
        // A wrong flag is told before the file is there: a second `init` would not look at it again.
        let config = Config::parse(&place.file, &text)?;
        private_folder(&place.data)?;
        wire::open(&config)?;
        write_private(&place.file, &text)?;
        output.progress(&format!("configuration: {} written", place.file.display()));
    }
    let config = Config::load(&place.file)?;
    if args.evaluation && !config.is_evaluation() {
        return Err(Failure::problem("config-malformed", exit::REFUSED)
            .with("key", "installation.kind")
            .with("detail-text", "this installation is for production"));
    }
    ensure_passphrase(&config, output)?;
    let store = wire::open(&config)?;
    store.migrate(&wire::shell_origin(), WallClock.now())?;
    ensure_policy(&config, &store)?;
    ensure_key_store(&config, output)?;
    let env = wire::with_store(&config, store)?;
    if config.is_evaluation() && !args.offline_root {
        evaluation_authorities(&env, output)?;
        let written = write_certificates(&env.store, &config)?;
        output.progress(&format!(
            "certificates: {written} files in {}",
            config.data.join("certificates").display()
        ));
    }
    report(&config, output);
    Ok(())
}

fn starter(args: &InitArgs) -> Result<Starter, Failure> {
    let kind = if args.evaluation { Installation::Evaluation } else { Installation::Production };
    let arc = match (&args.policy_arc, kind) {
        (Some(arc), _) => arc.clone(),
        (None, Installation::Evaluation) => DOCUMENTATION_ARC.to_owned(),
        (None, Installation::Production) => {
            return Err(needed(
                "installation.policy_arc",
                "a production installation needs --policy-arc; to try things out, use --evaluation",
            ));
        }
    };
    parse_arc(&arc, kind)?;
    let listen = [
        ("TENKOKU_LISTEN_PUBLIC", "127.0.0.1:8080"),
        ("TENKOKU_LISTEN_CONSOLE", "127.0.0.1:8081"),
        ("TENKOKU_LISTEN_OPERATIONS", "127.0.0.1:8082"),
    ]
    .map(|(name, default)| environment(name).unwrap_or_else(|| default.to_owned()));
    let public_address = match (&args.public_address, kind) {
        (Some(address), _) => address.clone(),
        (None, Installation::Evaluation) => loopback(&listen[0]),
        (None, Installation::Production) => {
            return Err(needed(
                "public.address",
                "a production installation needs --public-address: it goes into every certificate",
            ));
        }
    };
    let given = args.passphrase_file.is_some() || environment("TENKOKU_PASSPHRASE").is_some();
    if kind == Installation::Production && !given {
        return Err(needed(
            "keys.passphrase_file",
            "a production installation needs --passphrase-file, on another medium than the keys",
        ));
    }
    Ok(Starter {
        kind,
        policy_arc: arc,
        database_url: args.database.clone().unwrap_or_else(|| "sqlite:tenkoku.db".to_owned()),
        public_address,
        clock_servers: args.clock_server.clone(),
        listen,
    })
}

fn needed(key: &str, why: &str) -> Failure {
    Failure::problem("config-malformed", exit::USAGE).with("key", key).with("detail-text", why)
}

/// The address under which this machine reaches a listener of its own.
fn loopback(listener: &str) -> String {
    let port = listener.rsplit(':').next().unwrap_or("8080");
    match listener.parse::<std::net::SocketAddr>() {
        Ok(address) if address.ip().is_unspecified() => format!("http://127.0.0.1:{port}"),
        Ok(_) | Err(_) => format!("http://{listener}"),
    }
}

fn with_passphrase(text: &str, args: &InitArgs) -> Result<String, Failure> {
    let Some(file) = &args.passphrase_file else { return Ok(text.to_owned()) };
    let file = fs::canonicalize(file).map_err(|error| Failure::file(file.display(), &error))?;
    Ok(text.replace(
        "passphrase_file = \"passphrase\"",
        &format!("passphrase_file = {:?}", file.display().to_string()),
    ))
}

fn with_device(text: &str, args: &DeviceArgs) -> Result<String, Failure> {
    let (Some(module), Some(token)) = (&args.module, &args.token) else {
        return Ok(text.to_owned());
    };
    let whole = |file: &Path| {
        let file = fs::canonicalize(file).map_err(|error| Failure::file(file.display(), &error))?;
        Ok::<_, Failure>(file.display().to_string())
    };
    let mut lines = vec![
        "store = \"pkcs11\"".to_owned(),
        format!("module = {:?}", whole(module)?),
        format!("token = {token:?}"),
    ];
    if let Some(pin) = &args.pin_file {
        lines.push(format!("pin_file = {:?}", whole(pin)?));
    }
    Ok(text.replacen("store = \"files\"", &lines.join("\n"), 1))
}

/// A folder for its owner alone.
pub(crate) fn private_folder(folder: &Path) -> Result<(), Failure> {
    if folder.is_dir() {
        return Ok(());
    }
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|error| Failure::file(folder.display(), &error))
}

/// Writes a file for its owner alone: whole or not at all.
pub(crate) fn write_private(file: &Path, text: &str) -> Result<(), Failure> {
    let wrong = |error: std::io::Error| Failure::file(file.display(), &error);
    let draft = file.with_extension("new");
    let mut to = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&draft)
        .map_err(wrong)?;
    to.write_all(text.as_bytes()).and_then(|()| to.sync_all()).map_err(wrong)?;
    fs::rename(&draft, file).map_err(wrong)?;
    // Only a synced folder keeps the name through a power cut.
    let folder = file.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(wrong)
}

/// A passphrase of 256 random bits where none is given. Its file is the one thing to keep apart
/// from backups of the data folder.
fn ensure_passphrase(config: &Config, output: &Output) -> Result<(), Failure> {
    let file = &config.passphrase.file;
    let found = config.passphrase.read().map_err(|error| Failure::file(file.display(), &error))?;
    if found.is_none() {
        write_private(file, &format!("{}\n", wire::random_secret()))?;
        output.progress(&format!("passphrase: a new one in {}", file.display()));
    }
    Ok(())
}

fn ensure_policy(config: &Config, store: &Store) -> Result<(), Failure> {
    let now = WallClock.now();
    match store.read(|tx| tx.current_policy(now)) {
        Ok(_) => Ok(()),
        Err(StoreError::NotFound { .. }) => {
            let policy = Box::new(KeyPolicy::initial(config.settings.installation));
            let event = Event::InstallationMade { policy };
            store.write(|tx| tx.record(&wire::shell_origin(), now, &event))?;
            Ok(())
        }
        Err(other) => Err(other.into()),
    }
}

/// A folder for keys is made; a token must be there, and open.
fn ensure_key_store(config: &Config, output: &Output) -> Result<(), Failure> {
    let folder = match &config.keys {
        KeyPlace::Files(folder) => folder,
        KeyPlace::Token(place) => {
            wire::token_keys(place)?.check()?;
            output.progress(&format!("key store: the token {} is open", place.settings.token));
            return Ok(());
        }
    };
    let passphrase = wire::passphrase(config)?;
    match SoftKeys::open(folder, &passphrase) {
        Ok(_) => Ok(()),
        Err(KeyError::Absent { .. }) => {
            SoftKeys::create(folder, &passphrase, &SystemEntropy)?;
            output.progress(&format!("key store: made in {}", folder.display()));
            Ok(())
        }
        Err(other) => Err(other.into()),
    }
}

/// A root and one issuing authority a level, their OCSP signers, their CRLs, the list.
fn evaluation_authorities(env: &Env, output: &Output) -> Result<(), Failure> {
    let now = env.clock.now();
    let shell = wire::shell();
    let operate = shell.permit(now)?;
    let root = order("root-g1", AuthorityKind::Root, "Root CA", None)?;
    let mut wanted = vec![root];
    for level in Level::ALL {
        let code = format!("seal-l{level}-g1");
        let name = format!("E-Seal Issuing CA L{level}");
        wanted.push(order(&code, AuthorityKind::Issuing(level), &name, Some("root-g1"))?);
    }
    for order in &wanted {
        let found = env.store.read(|tx| tx.find_authority(order.code.as_str()))?;
        if found.is_none_or(|found| found.state == AuthorityState::Ceremony) {
            create_authority(env, &operate, order)?;
            output.progress(&format!("authority: {} in service", order.code));
        }
    }
    renew_ocsp_signers(env, &shell.permit(now)?)?;
    renew_document_signer(env, &shell.permit(now)?)?;
    renew_list_signers(env, &shell.permit(now)?)?;
    for order in &wanted {
        current_crl(env, &order.code)?;
    }
    for list in renew_lists(env, &shell.permit(now)?)? {
        output.progress(&format!("trusted list: sequence {} published", list.sequence));
    }
    Ok(())
}

fn order(
    code: &str,
    kind: AuthorityKind,
    name: &str,
    issuer: Option<&str>,
) -> Result<AuthorityOrder, Failure> {
    Ok(AuthorityOrder {
        code: AuthorityCode::parse(code)?,
        kind,
        generation: 1,
        common_name: Name::parse(&format!("Tenkoku Evaluation {name} G1"))?,
        algorithm: KeyAlgorithm::P384,
        validity_days: None,
        issuer: issuer.map(AuthorityCode::parse).transpose()?,
        dedicated: None,
        predecessor: None,
        crl_shards: ShardCount::ONE,
    })
}

fn report(config: &Config, output: &Output) {
    let kind = config.settings.installation;
    let next = match kind {
        Installation::Evaluation => "tenkoku serve",
        Installation::Production => {
            "edit [operator] and [scheme], then: tenkoku ceremony new --kind root-generation …"
        }
    };
    let value = json!({
        "kind": kind,
        "configuration": config.file,
        "data": config.data,
        "public_address": config.settings.public_address.as_str(),
        "next": next,
    });
    output.result("init", value, || {
        facts(&[
            ("installation", kind.to_string()),
            ("configuration", config.file.display().to_string()),
            ("public address", config.settings.public_address.as_str().to_owned()),
            ("next", next.to_owned()),
        ])
    });
}
