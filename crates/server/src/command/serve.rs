//! `tenkoku serve`: the three listeners and the jobs, until a signal ends them in order. With
//! `--role status` a node answers OCSP and does nothing else: it writes nothing into the database,
//! which may be a copy, and needs no keys but those of the OCSP signers.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::ValueEnum;
use tenkoku_ca::settle::settle_pending;
use tenkoku_domain::audit::Event;
use tenkoku_keys::KeyError;
use tenkoku_ports::Env;
use tenkoku_responder::responder::Responder;

use super::user::{address, first_link};
use crate::config::{Config, Way};
use crate::failure::Failure;
use crate::follower::{Follower, Part};
use crate::jobs::Jobs;
use crate::letters::{Letters, Post};
use crate::listeners::{Listeners, Signals};
use crate::output::Output;
use crate::telemetry::{self, SetLevel};
use crate::tls::ConsoleTls;
use crate::wire;

/// What a node does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Role {
    /// Everything: pages, console, jobs, status.
    All,
    /// OCSP answers only.
    Status,
}

pub(crate) fn run(config: Config, role: Role, output: &Output) -> Result<(), Failure> {
    let set_level = telemetry::start(&config.log);
    let env = Arc::new(wire::env(&config)?);
    answer_without_keys(&env)?;
    if role == Role::Status {
        return actix_web::rt::System::new().block_on(serve_status(config, env, set_level, output));
    }
    let console_key = wire::derived_secret(&wire::passphrase(&config)?, "console")?;
    actix_web::rt::System::new().block_on(serve(config, env, console_key, set_level, output))
}

/// A key device that is away does not keep the status services from starting: they answer from
/// what is there. A wrong PIN does, because nobody but the operator can mend it.
fn answer_without_keys(env: &Env) -> Result<(), Failure> {
    match env.keys.check() {
        Err(error @ (KeyError::TokenAbsent { .. } | KeyError::Unreachable { .. })) => {
            tracing::error!(%error, "the keys cannot be reached; stored answers are given");
            Ok(())
        }
        other => Ok(other?),
    }
}

async fn serve(
    config: Config,
    env: Arc<Env>,
    console_key: [u8; 32],
    set_level: SetLevel,
    output: &Output,
) -> Result<(), Failure> {
    let signals = Signals::new()?;
    let tls = ConsoleTls::load(&config)?;
    // Every address is taken before anything is recorded: a second start changes nothing.
    let webs = wire::webs(&config)?;
    let responder = Responder::idle(Env::clone(&env));
    let listeners = Listeners::bind(&config, &env, &responder, console_key, tls.as_ref())?;
    record(&env, &Event::NodeStarted { version: env!("CARGO_PKG_VERSION").to_owned() })?;
    let now = env.clock.now();
    settle_pending(&env, &wire::shell().permit(now)?)?;
    responder.follow()?;
    let follower = Follower::start(Arc::clone(&env), Arc::clone(&responder), Part::Writer)?;
    let jobs = Jobs::start(&env, &responder, webs).await?;
    let letters = start_letters(&config, &env)?;
    greet(&config, &env, output)?;
    let mut again = Again { file: config.file.clone(), env: &env, set_level, tls, letters };
    listeners.run(signals, || again.read()).await?;
    jobs.stop().await;
    if let Some(letters) = again.letters {
        letters.stop();
    }
    follower.stop();
    record(&env, &Event::NodeStopped)
}

/// The responder alone. The listeners are there at once and answer `tryLater` until the log is read.
async fn serve_status(
    config: Config,
    env: Arc<Env>,
    set_level: SetLevel,
    output: &Output,
) -> Result<(), Failure> {
    let signals = Signals::new()?;
    let responder = Responder::idle(Env::clone(&env));
    let listeners = Listeners::bind_status(&config, &env, &responder)?;
    let follower = Follower::start(env, responder, Part::Reader)?;
    output.progress(&format!("OCSP           http://{}/ocsp/", config.listen.public));
    output.progress(&format!("Operations     http://{}/readyz", config.listen.operations));
    output.progress("Answering. Ctrl-C stops.");
    listeners
        .run(signals, || {
            if let Some(config) = read_again(&config.file) {
                set_level(&config.log);
            }
        })
        .await?;
    follower.stop();
    Ok(())
}

/// The configuration as it stands now. One that does not hold together changes nothing.
fn read_again(file: &Path) -> Option<Config> {
    let read = Config::load(file);
    read.inspect_err(|error| tracing::error!(%error, "nothing was read again")).ok()
}

/// What is read again at a hangup: the log's level, the console's certificate, the way of letters.
struct Again<'a> {
    file: PathBuf,
    env: &'a Arc<Env>,
    set_level: SetLevel,
    tls: Option<Arc<ConsoleTls>>,
    letters: Option<Letters>,
}

impl Again<'_> {
    /// Reads it. What does not fit is told in the log and stays as it was; connections go on.
    fn read(&mut self) {
        let Some(config) = read_again(&self.file) else { return };
        (self.set_level)(&config.log);
        match &self.tls {
            Some(tls) => match tls.reload(&config) {
                Ok(()) => tracing::info!("the console's certificate was read again"),
                Err(failure) => {
                    let (file, problem) = (failure.place.as_deref(), failure.facts.get("problem"));
                    let code = &failure.code;
                    tracing::error!(
                        code,
                        file,
                        problem,
                        "the console's certificate stays as it was"
                    );
                }
            },
            None if config.tls.is_some() => {
                tracing::warn!("[tls] was set while serving plain HTTP; it needs a new start");
            }
            None => {}
        }
        let mailer = wire::mailer(&config.mail);
        match (&self.letters, mailer) {
            (Some(letters), Ok(mailer)) => letters.replace(Post::new(&config, mailer)),
            (None, Ok(_)) => {
                if let Ok(letters) = start_letters(&config, self.env) {
                    self.letters = letters;
                } else {
                    tracing::error!("the sender of letters does not start");
                }
            }
            (_, Err(failure)) => {
                let cause = failure.cause.as_deref().unwrap_or(&failure.code);
                tracing::error!(cause, "the way of letters stays as it was");
            }
        }
        tracing::info!("the configuration was read again");
    }
}

/// Starts the sender of letters, where letters have a way. Mail that is set up wrongly keeps the
/// status services from nothing: letters wait, and the log says why.
fn start_letters(config: &Config, env: &Arc<Env>) -> Result<Option<Letters>, Failure> {
    if config.mail.way == Way::Off {
        return Ok(None);
    }
    match wire::mailer(&config.mail) {
        Ok(mailer) => Letters::start(env, Post::new(config, mailer)).map(Some),
        Err(failure) => {
            let cause = failure.cause.as_deref().unwrap_or(&failure.code);
            tracing::error!(cause, "letters wait: [mail] cannot be used; see tenkoku doctor");
            Ok(None)
        }
    }
}

fn record(env: &Env, event: &Event) -> Result<(), Failure> {
    let now = env.clock.now();
    env.store.write(|tx| tx.record(&wire::shell_origin(), now, event))?;
    Ok(())
}

fn greet(config: &Config, env: &Env, output: &Output) -> Result<(), Failure> {
    let listen = config.listen;
    output.progress("");
    output.progress(&format!("Public pages   http://{}/", listen.public));
    output.progress(&format!("Console        {}/console", config.console_address));
    output.progress(&format!("Operations     http://{}/readyz", listen.operations));
    // In production the link would lie in the journal: `tenkoku user invite` makes it there.
    if let Some(link) = first_link(config, env)? {
        output.progress(&format!("Sign in once   {}", address(config, &link)));
        output.progress(&format!("               good until {}", link.expires_at));
    }
    output.progress("");
    if let Some(port) = moved(config) {
        output.progress(&format!(
            "Certificates name {}, but the public pages listen on port {port}.",
            config.settings.public_address.as_str()
        ));
    }
    output.progress("Serving. Ctrl-C stops.");
    Ok(())
}

/// The port of the public listener, where certificates name this machine under another one.
fn moved(config: &Config) -> Option<u16> {
    let port = config.listen.public.port();
    let address = config.settings.public_address.as_str();
    let here = ["http://127.0.0.1", "http://localhost"].iter().any(|h| address.starts_with(h));
    (here && !address.ends_with(&format!(":{port}"))).then_some(port)
}
