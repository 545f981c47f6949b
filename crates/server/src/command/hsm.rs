//! `tenkoku hsm`: which key devices there are, and whether one does what it must.
//!
//! Both work before there is an installation, so that a device is tried before it is configured.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tenkoku_console::text::Words;
use tenkoku_domain::id::KeyId;
use tenkoku_domain::key::KeyAlgorithm;
use tenkoku_domain::time::Clock as _;
use tenkoku_keys::trial::{Step, try_out};
use tenkoku_keys::{Container, Search};
use tenkoku_pkcs11::{FoundToken, TokenChoice, TokenSettings, list_tokens};

use super::Place;
use crate::clock::WallClock;
use crate::config::{Config, KeyPlace, Secret, TokenPlace};
use crate::entropy::SystemEntropy;
use crate::failure::{Failure, exit};
use crate::output::Output;
use crate::wire;

/// Where makers put their modules.
const USUAL_MODULES: [&str; 9] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/pkcs11/yubihsm_pkcs11.so",
    "/usr/lib64/pkcs11/yubihsm_pkcs11.so",
    "/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so",
    "/usr/safenet/lunaclient/lib/libCryptoki2_64.so",
    "/opt/nfast/toolkits/pkcs11/libcknfast.so",
    "/opt/utimaco/lib/libcs_pkcs11_R3.so",
    "/opt/cloudhsm/lib/libcloudhsm_pkcs11.so",
];

/// `tenkoku hsm`
#[derive(Debug, Subcommand)]
pub(crate) enum HsmCommand {
    /// List the key devices that the modules of this machine show
    List {
        /// The maker's PKCS #11 module [default: the configured one and the usual places]
        #[arg(long, value_name = "FILE")]
        module: Option<PathBuf>,
    },
    /// Make, use and destroy a test key, and explain each result
    Test(TestArgs),
}

/// `tenkoku hsm test`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tenkoku hsm test
  tenkoku hsm test --module /usr/lib/softhsm/libsofthsm2.so --token tenkoku --pin-file pin")]
pub(crate) struct TestArgs {
    /// The maker's PKCS #11 module [default: the configured one]
    #[arg(long, value_name = "FILE")]
    module: Option<PathBuf>,
    /// The label of the token
    #[arg(long, value_name = "LABEL", requires = "module", conflicts_with = "serial")]
    token: Option<String>,
    /// The serial number of the token
    #[arg(long, value_name = "NUMBER", requires = "module")]
    serial: Option<String>,
    /// The file with its PIN [default: TENKOKU_HSM_PIN_FILE]
    #[arg(long, value_name = "FILE", requires = "module")]
    pin_file: Option<PathBuf>,
    /// Type of the test key
    #[arg(long, default_value = "P-384")]
    key: String,
}

pub(crate) fn run(command: &HsmCommand, place: &Place, output: &Output) -> Result<(), Failure> {
    match command {
        HsmCommand::List { module } => {
            list(module.as_deref(), place, output);
            Ok(())
        }
        HsmCommand::Test(args) => test(args, place, output),
    }
}

/// The token of the configuration; `None` when keys are in files.
fn configured(place: &Place) -> Result<Option<TokenPlace>, Failure> {
    match Config::load(&place.file)?.keys {
        KeyPlace::Files(_) => Ok(None),
        KeyPlace::Token(token) => Ok(Some(token)),
    }
}

fn list(module: Option<&Path>, place: &Place, output: &Output) {
    let modules = module.map_or_else(|| usual_modules(place), |module| vec![module.to_owned()]);
    let words = Words::of(output.language);
    let mut rows = Vec::new();
    let mut lines = Vec::new();
    for path in &modules {
        let (value, said) = shown(path, words);
        rows.push(value);
        lines.extend(said);
    }
    if modules.is_empty() {
        lines.push(words.t("hsm.none-found").to_owned());
    }
    output.result("hsm-list", json!({ "modules": rows }), || lines.join("\n"));
}

/// The configured module, and those in the usual places.
fn usual_modules(place: &Place) -> Vec<PathBuf> {
    let ours = configured(place).ok().flatten().map(|token| token.settings.module);
    let usual = USUAL_MODULES.iter().map(PathBuf::from).filter(|path| path.exists());
    let mut all: Vec<PathBuf> = Vec::new();
    for path in ours.into_iter().chain(usual) {
        if !all.contains(&path) {
            all.push(path);
        }
    }
    all
}

/// A module and its tokens, for machines and for people.
fn shown(path: &Path, words: Words) -> (Value, Vec<String>) {
    let module = path.display().to_string();
    let found = match list_tokens(path) {
        Ok(found) => found,
        Err(error) => {
            let said = words.say("hsm.module.unusable").with("module", &module);
            let line = said.with("problem", &error).text();
            let problem = error.to_string();
            return (json!({ "module": module, "problem": problem, "tokens": [] }), vec![line]);
        }
    };
    let tokens: Vec<Value> = found.iter().map(token_json).collect();
    let library = found.first().map(|token| match &token.container {
        Container::Token { library, .. } => library.clone(),
        Container::Files { place } => place.clone(),
    });
    let library = library.unwrap_or_else(|| words.t("hsm.module.empty").to_owned());
    let head = words.say("hsm.module.shown").with("module", &module).with("library", library);
    let lines = found.iter().map(|token| token_line(token, words));
    (
        json!({ "module": module, "tokens": tokens }),
        [head.text()].into_iter().chain(lines).collect(),
    )
}

fn token_json(token: &FoundToken) -> Value {
    json!({ "slot": token.slot, "token": token.container, "locked": token.is_locked })
}

fn token_line(token: &FoundToken, words: Words) -> String {
    let Container::Token { label, serial, model, .. } = &token.container else {
        return String::new();
    };
    let said = words.say("hsm.found").with("slot", token.slot).with("label", label);
    let said = said.with("serial", serial).with("model", model).text();
    let locked =
        if token.is_locked { format!(", {}", words.t("hsm.locked")) } else { String::new() };
    format!("  {said}{locked}")
}

fn wanted(args: &TestArgs, place: &Place) -> Result<TokenPlace, Failure> {
    let Some(module) = &args.module else {
        return configured(place)?
            .ok_or_else(|| Failure::problem("flag-missing", exit::USAGE).with("flag", "--module"));
    };
    let token = match (&args.token, &args.serial) {
        (Some(label), _) => TokenChoice::Label(label.clone()),
        (None, Some(serial)) => TokenChoice::Serial(serial.clone()),
        (None, None) => {
            return Err(Failure::problem("flag-missing", exit::USAGE).with("flag", "--token"));
        }
    };
    let file = args.pin_file.clone().unwrap_or_else(|| place.data.join("pin"));
    let pin = if args.pin_file.is_some() { Secret::pin_in(file) } else { Secret::pin(file) };
    let settings = TokenSettings { module: module.clone(), token, sessions: 1 };
    Ok(TokenPlace { settings, pin })
}

fn test(args: &TestArgs, place: &Place, output: &Output) -> Result<(), Failure> {
    let algorithm = KeyAlgorithm::parse(&args.key)
        .map_err(|_| Failure::word(&args.key, &KeyAlgorithm::ALL.map(KeyAlgorithm::name)))?;
    let wanted = wanted(args, place)?;
    let keys = wire::token_keys(&wanted)?;
    let id = KeyId::new(WallClock.now(), &SystemEntropy);
    let words = Words::of(output.language);
    let mut steps = Vec::new();
    let done = try_out(&keys, &id, algorithm, &mut |step| {
        let said = sentence(&step, &wanted, words);
        output.progress(&format!("✔ {said}"));
        steps.push(step_json(&step, &said));
    });
    done.map_err(Failure::from)?;
    let passed = words.t("hsm.passed");
    output.result("hsm-test", json!({ "ok": true, "steps": steps, "text": passed }), || {
        passed.to_owned()
    });
    Ok(())
}

fn sentence(step: &Step, wanted: &TokenPlace, words: Words) -> String {
    match step {
        Step::Reached => words.say("hsm.reached").with("place", &wanted.settings.token).text(),
        Step::Made(key) => {
            let said = words.say("hsm.made").with("algorithm", key.algorithm);
            said.with("origin", key.origin.class).text()
        }
        Step::Signed => words.t("hsm.signed").to_owned(),
        Step::RefusedForeign => words.t("hsm.refused-foreign").to_owned(),
        Step::Destroyed(report) => {
            let count = |found: Search| found.private + found.public + found.wrapped;
            let said = words.say("hsm.destroyed").with("before", count(report.before));
            said.with("after", count(report.after)).text()
        }
    }
}

fn step_json(step: &Step, said: &str) -> Value {
    match step {
        Step::Reached => json!({ "step": "reached", "text": said }),
        Step::Made(key) => json!({ "step": "made", "text": said, "origin": key.origin }),
        Step::Signed => json!({ "step": "signed", "text": said }),
        Step::RefusedForeign => json!({ "step": "refused-foreign", "text": said }),
        Step::Destroyed(report) => {
            json!({ "step": "destroyed", "text": said, "destruction": report })
        }
    }
}
