//! The three listeners: public, console, operations. Each can be bound on its own address.

use std::any::Any;
use std::net::{Shutdown, SocketAddr};
use std::os::fd::AsFd as _;
use std::sync::Arc;
use std::time::Duration;

use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::dev::{Extensions, Server, ServerHandle};
use actix_web::middleware::{Compress, NormalizePath, TrailingSlash};
use actix_web::rt::net::TcpStream;
use actix_web::web::{Data, ServiceConfig};
use actix_web::{App, HttpServer};
use tenkoku_console::layout::Site;
use tenkoku_console::session::tls::Presented;
use tenkoku_console::session::{Callers, Console, ConsoleSettings};
use tenkoku_domain::time::Clock;
use tenkoku_ports::Env;
use tenkoku_reader::library::Library;
use tenkoku_responder::crl::served::ServedCrls;
use tenkoku_responder::gate::Gate;
use tenkoku_responder::responder::Responder;
use tenkoku_responder::responder::http::Front;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::command::serve::Role;
use crate::config::{self, Config};
use crate::failure::{Failure, exit};
use crate::operations;
use crate::tls::ConsoleTls;

/// How long a client may take to send a request's head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// How long an idle connection is kept.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// How long requests under way may take when the program stops, in seconds.
const SHUTDOWN_SECONDS: u64 = 10;
/// Connections that one worker of the public listener holds at most.
const PUBLIC_CONNECTIONS: usize = 10_000;

/// Bound, not yet serving.
pub(crate) struct Listeners {
    servers: Vec<Server>,
}

impl Listeners {
    /// Binds the three addresses.
    pub(crate) fn bind(
        config: &Config,
        env: &Arc<Env>,
        responder: &Arc<Responder>,
        console_key: [u8; 32],
        tls: Option<&Arc<ConsoleTls>>,
    ) -> Result<Self, Failure> {
        let site = Data::new(site(config));
        let console = Data::new(console(config, console_key, tls)?);
        let env = Data::from(Arc::clone(env));
        Ok(Self {
            servers: vec![
                public(config, &env, &site, responder)?,
                console_server(config, &env, &site, &console, tls)?,
                operations_server(config.listen.operations, &env, responder, Role::All, tls)?,
            ],
        })
    }

    /// Binds what a node needs that answers OCSP and does nothing else.
    pub(crate) fn bind_status(
        config: &Config,
        env: &Arc<Env>,
        responder: &Arc<Responder>,
    ) -> Result<Self, Failure> {
        let env = Data::from(Arc::clone(env));
        Ok(Self {
            servers: vec![
                status_only(config, responder)?,
                operations_server(config.listen.operations, &env, responder, Role::Status, None)?,
            ],
        })
    }

    /// Serves until a signal to end, then lets requests under way finish. At a hangup `again` is
    /// called.
    pub(crate) async fn run(
        self,
        mut signals: Signals,
        mut again: impl FnMut(),
    ) -> Result<(), Failure> {
        let handles: Vec<ServerHandle> = self.servers.iter().map(Server::handle).collect();
        let running: Vec<_> = self.servers.into_iter().map(actix_web::rt::spawn).collect();
        while signals.wait().await == Told::ReadAgain {
            again();
        }
        for handle in &handles {
            handle.stop(true).await;
        }
        for server in running {
            server.await.map_err(Failure::internal)?.map_err(Failure::internal)?;
        }
        Ok(())
    }
}

/// SIGINT and SIGTERM, which end the program in order from the moment that this is made, and SIGHUP,
/// at which files are read again.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

/// What a signal tells the program to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    End,
    ReadAgain,
}

impl Signals {
    /// Takes the signals over.
    pub(crate) fn new() -> Result<Self, Failure> {
        let take = |kind| signal(kind).map_err(Failure::internal);
        let (terminate, interrupt) = (SignalKind::terminate(), SignalKind::interrupt());
        let hangup = take(SignalKind::hangup())?;
        Ok(Self { terminate: take(terminate)?, interrupt: take(interrupt)?, hangup })
    }

    async fn wait(&mut self) -> Told {
        tokio::select! {
            _ = self.terminate.recv() => Told::End,
            _ = self.interrupt.recv() => Told::End,
            _ = self.hangup.recv() => Told::ReadAgain,
        }
    }
}

fn site(config: &Config) -> Site {
    let operator = &config.settings.operator;
    Site {
        operator_en: operator.name.to_string(),
        operator_ja: operator.name_ja.to_string(),
        installation: config.settings.installation,
        language: operator.language,
        address: config.settings.public_address.as_str().to_owned(),
    }
}

fn console(
    config: &Config,
    secret_key: [u8; 32],
    tls: Option<&Arc<ConsoleTls>>,
) -> Result<Console, Failure> {
    let address = config.console_address.parse().map_err(Failure::internal)?;
    let callers = match config.callers {
        config::Callers::Direct => Callers::Direct,
        config::Callers::BehindProxy => Callers::BehindProxy,
    };
    let tls = tls.map(|tls| Arc::clone(&tls.told));
    Console::open(ConsoleSettings { address, secret_key, callers, tls }).map_err(|error| {
        Failure::problem("config-malformed", exit::REFUSED)
            .with("key", "console.address")
            .with("detail-text", error)
    })
}

fn public(
    config: &Config,
    env: &Data<Env>,
    site: &Data<Site>,
    responder: &Arc<Responder>,
) -> Result<Server, Failure> {
    let (env, site) = (Data::clone(env), Data::clone(site));
    let crls = Data::new(ServedCrls::default());
    let library = Data::new(Library::default());
    behind_gate(config, responder, move |pages| {
        pages
            .app_data(Data::clone(&env))
            .app_data(Data::clone(&site))
            .app_data(Data::clone(&crls))
            .app_data(Data::clone(&library))
            .configure(tenkoku_responder::http::configure)
            .configure(tenkoku_publisher::http::configure)
            .configure(tenkoku_console::public::configure);
    })
}

/// OCSP and nothing else.
fn status_only(config: &Config, responder: &Arc<Responder>) -> Result<Server, Failure> {
    behind_gate(config, responder, |_| {})
}

/// Listens for strangers: the responder in front, what one address may take limited.
fn behind_gate(
    config: &Config,
    responder: &Arc<Responder>,
    pages: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
) -> Result<Server, Failure> {
    let address = config.listen.public;
    let (responder, gate) = (Arc::clone(responder), Gate::new(config.limits.clone()));
    let door = Arc::clone(&gate);
    let server = HttpServer::new(move || {
        let behind = App::new().configure(&pages);
        Front::new(Arc::clone(&responder), Arc::clone(&gate), behind)
    });
    server
        .on_connect(move |connection, held| let_in(&door, connection, held))
        .workers(workers())
        .max_connections(PUBLIC_CONNECTIONS)
        .client_request_timeout(HEAD_TIMEOUT)
        .keep_alive(KEEP_ALIVE)
        .shutdown_timeout(SHUTDOWN_SECONDS)
        .disable_signals()
        .bind(address)
        .map(HttpServer::run)
        .map_err(|error| taken(address, &error))
}

/// Counts a connection for as long as it lasts, or ends it at once: an address that holds too many
/// takes no place from others.
fn let_in(gate: &Arc<Gate>, connection: &dyn Any, held: &mut Extensions) {
    let Some(stream) = connection.downcast_ref::<TcpStream>() else { return };
    let Ok(from) = stream.peer_addr() else { return };
    if let Some(place) = gate.connect(from.ip()) {
        held.insert(Arc::new(place));
    } else {
        // A second handle of the same socket: the first belongs to the server.
        let handle = stream.as_fd().try_clone_to_owned().map(std::net::TcpStream::from);
        // What is gone already needs no end.
        let _ = handle.and_then(|handle| handle.shutdown(Shutdown::Both));
    }
}

/// One for each processor, two at least.
fn workers() -> usize {
    std::thread::available_parallelism().map_or(2, std::num::NonZeroUsize::get).max(2)
}

fn console_server(
    config: &Config,
    env: &Data<Env>,
    site: &Data<Site>,
    console: &Data<Console>,
    tls: Option<&Arc<ConsoleTls>>,
) -> Result<Server, Failure> {
    let address = config.listen.console;
    let clock = Arc::clone(&env.clock);
    let (env, site, console) = (Data::clone(env), Data::clone(site), Data::clone(console));
    let server = HttpServer::new(move || {
        App::new()
            .app_data(Data::clone(&env))
            .app_data(Data::clone(&site))
            .app_data(Data::clone(&console))
            .wrap(Compress::default())
            .wrap(NormalizePath::new(TrailingSlash::MergeOnly))
            .configure(tenkoku_console::admin::configure)
            .configure(tenkoku_console::api::configure)
    });
    let server = server
        .on_connect(move |connection, held| presented(&*clock, connection, held))
        .workers(1)
        .client_request_timeout(HEAD_TIMEOUT)
        .keep_alive(KEEP_ALIVE)
        .shutdown_timeout(SHUTDOWN_SECONDS)
        .disable_signals();
    let bound = match (tls, &config.tls) {
        (Some(tls), Some(place)) => server.bind_rustls_0_23(address, tls.server_config(place)?),
        (None, _) | (_, None) => server.bind(address),
    };
    bound.map(HttpServer::run).map_err(|error| taken(address, &error))
}

/// Keeps the certificate that came with a connection for the pages. It comes from the handshake, and
/// from nowhere else: no header is looked at.
fn presented(clock: &dyn Clock, connection: &dyn Any, held: &mut Extensions) {
    let Some(stream) = connection.downcast_ref::<TlsStream<TcpStream>>() else { return };
    let (_, session) = stream.get_ref();
    let Some((own, others)) = session.peer_certificates().and_then(<[_]>::split_first) else {
        return;
    };
    held.insert(Presented {
        certificate: own.to_vec(),
        others: others.iter().map(|other| other.to_vec()).collect(),
        at: clock.now(),
    });
}

fn operations_server(
    address: SocketAddr,
    env: &Data<Env>,
    responder: &Arc<Responder>,
    role: Role,
    tls: Option<&Arc<ConsoleTls>>,
) -> Result<Server, Failure> {
    let tls = Data::new(tls.map(|tls| Arc::clone(&tls.told)));
    let (env, responder) = (Data::clone(env), Data::from(Arc::clone(responder)));
    let server = HttpServer::new(move || {
        App::new()
            .app_data(Data::clone(&env))
            .app_data(Data::clone(&responder))
            .app_data(Data::new(role))
            .app_data(Data::clone(&tls))
            .configure(operations::configure)
    });
    server
        .workers(1)
        .client_request_timeout(HEAD_TIMEOUT)
        .shutdown_timeout(SHUTDOWN_SECONDS)
        .disable_signals()
        .bind(address)
        .map(HttpServer::run)
        .map_err(|error| taken(address, &error))
}

fn taken(address: SocketAddr, error: &std::io::Error) -> Failure {
    if error.kind() == std::io::ErrorKind::AddrInUse {
        return Failure::problem("port-in-use", exit::REFUSED).with("address", address);
    }
    Failure::problem("config-malformed", exit::REFUSED)
        .with("key", "listen")
        .with("detail-text", format!("{address}: {error}"))
}
