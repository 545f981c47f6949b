//! The real program: installations in folders of their own, and the server started, killed and
//! started again like an operator would.
//!
//! Not in here: what is inside the program. Whoever needs that takes the use cases.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;
use ureq::Agent;

use crate::tools::{Outcome, run};

/// How long one look at a starting server waits for the next, and how many looks there are.
const PAUSE: Duration = Duration::from_millis(50);
const LOOKS: u32 = 1_200;

/// The data folder of an installation, with ports of its own; gone when dropped.
#[derive(Debug)]
pub struct Installation {
    folder: TempDir,
    database_url: Option<String>,
    ports: [u16; 3],
}

impl Installation {
    /// An empty folder: nothing is set up. The database will be SQLite in that folder.
    pub fn empty() -> Self {
        let folder = TempDir::new().expect("a temporary folder for the installation");
        Self { folder, database_url: None, ports: free_ports() }
    }

    /// An empty folder whose installation will use the database at `url`.
    pub fn empty_on(url: &str) -> Self {
        Self { database_url: Some(url.to_owned()), ..Self::empty() }
    }

    /// Uses another address for its database from now on.
    pub fn use_database(&mut self, url: &str) {
        self.database_url = Some(url.to_owned());
    }

    /// A node beside this installation that answers OCSP from the database at `url`: with the same
    /// configuration, and of the keys those of the OCSP signers only.
    ///
    /// # Panics
    /// When its folder cannot be made.
    #[must_use]
    pub fn status_node(&self, url: &str) -> Self {
        let node = Self::empty_on(url);
        for file in ["tenkoku.toml", "passphrase"] {
            fs::copy(self.path().join(file), node.path().join(file)).expect("a copy");
        }
        let keys = node.path().join("keys");
        self.tenkoku(["ocsp", "keys", "--to", &keys.to_string_lossy()]).success();
        node
    }

    /// An evaluation installation, set up.
    pub fn evaluation() -> Self {
        Self::empty().set_up()
    }

    /// An evaluation installation, set up, with the organisations and branches of the sample.
    pub fn with_sample() -> Self {
        let installation = Self::evaluation();
        for (noun, file) in [("org", "organisations.csv"), ("branch", "branches.csv")] {
            let file = crate::tools::data("sample").join(file);
            installation.tenkoku([noun, "import", &file.to_string_lossy()]).success();
        }
        installation
    }

    /// Sets up an evaluation installation here.
    #[must_use]
    pub fn set_up(self) -> Self {
        self.tenkoku(["init", "--evaluation"]).success();
        self
    }

    /// The data folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The program with these words, in the environment of this installation and no other.
    pub fn command<'a>(&self, words: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = Command::new(program());
        self.place(&mut command);
        command.args(words);
        command
    }

    /// Gives a command the environment of this installation.
    pub fn place(&self, command: &mut Command) {
        let [public, console, operations] = self.ports.map(|port| format!("127.0.0.1:{port}"));
        command
            .env("TENKOKU_DATA", self.path())
            .env("TENKOKU_LISTEN_PUBLIC", public)
            .env("TENKOKU_LISTEN_CONSOLE", console)
            .env("TENKOKU_LISTEN_OPERATIONS", operations)
            .env("LC_ALL", "C.UTF-8");
        if let Some(url) = &self.database_url {
            command.env("TENKOKU_DATABASE_URL", url);
        }
    }

    /// Runs the program with these words to its end.
    pub fn tenkoku<'a>(&self, words: impl IntoIterator<Item = &'a str>) -> Outcome {
        run(&mut self.command(words))
    }

    /// Runs the program and reads the JSON it prints.
    ///
    /// # Panics
    /// When it does not succeed or prints no JSON.
    pub fn json<'a>(&self, words: impl IntoIterator<Item = &'a str>) -> serde_json::Value {
        let outcome = run(self.command(words).args(["--format", "json"]));
        serde_json::from_str(outcome.success()).expect("JSON on standard output")
    }

    /// Starts the server and waits until it says that it is alive.
    pub fn serve(&self) -> Server<'_> {
        self.start(&mut self.command(["serve"]))
    }

    /// Starts a node that answers OCSP and does nothing else.
    pub fn serve_status(&self) -> Server<'_> {
        self.start(&mut self.command(["serve", "--role", "status"]))
    }

    /// Starts a command that ends up as the server, and waits until that says that it is alive.
    pub fn start(&self, command: &mut Command) -> Server<'_> {
        let log = self.path().join("serve.log");
        let file = File::options().create(true).append(true).open(&log).expect("the server's log");
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone().expect("the server's log, once more"))
            .stderr(file)
            .spawn()
            .expect("the program starts");
        let mut server = Server { installation: self, child, log };
        server.await_health();
        server
    }

    fn address(&self, listener: usize) -> String {
        format!("http://127.0.0.1:{}", self.ports[listener])
    }

    /// The base of the public pages.
    pub fn public(&self) -> String {
        self.address(0)
    }

    /// The base of the console, by the name that passkeys need.
    pub fn console(&self) -> String {
        self.address(1).replace("127.0.0.1", "localhost")
    }

    /// The console's port.
    pub const fn console_port(&self) -> u16 {
        self.ports[1]
    }

    /// The base of health and metrics.
    pub fn operations(&self) -> String {
        self.address(2)
    }
}

/// A running server; killed when dropped.
#[derive(Debug)]
pub struct Server<'a> {
    installation: &'a Installation,
    child: Child,
    log: PathBuf,
}

impl Server<'_> {
    /// Ends it as a power cut would.
    pub fn kill(mut self) {
        self.child.kill().expect("the server runs");
        self.child.wait().expect("the server ends");
    }

    /// Asks it to end, as systemd does, and hands back its exit code.
    pub fn terminate(mut self) -> Option<i32> {
        run(Command::new("kill").args(["-TERM", &self.child.id().to_string()])).success();
        self.child.wait().expect("the server ends").code()
    }

    /// Asks it to read its files again, as `systemctl reload` does.
    pub fn hang_up(&self) {
        run(Command::new("kill").args(["-HUP", &self.child.id().to_string()])).success();
    }

    /// Everything it has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).expect("the server's log")
    }

    fn await_health(&mut self) {
        let health = format!("{}/healthz", self.installation.operations());
        let alive = (0..LOOKS).any(|_| {
            let ended = self.child.try_wait().expect("the server can be looked at");
            assert!(ended.is_none(), "the server ended at once\n{}", self.log());
            let alive = try_get(&health).is_some_and(|reply| reply.status == 200);
            // Another process has nothing to wait on but time.
            (!alive).then(|| thread::park_timeout(PAUSE));
            alive
        });
        assert!(alive, "the server did not come up\n{}", self.log());
    }
}

impl Drop for Server<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a server answered.
#[derive(Clone, Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Content-Type, empty where there is none.
    pub content_type: String,
    /// Body.
    pub body: Vec<u8>,
}

impl Reply {
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Gets an address; redirections are followed.
///
/// # Panics
/// When nobody answers.
pub fn get(address: &str) -> Reply {
    try_get(address).unwrap_or_else(|| panic!("nobody answers at {address}"))
}

/// Posts a body to an address.
///
/// # Panics
/// When nobody answers.
pub fn post(address: &str, content_type: &str, body: &[u8]) -> Reply {
    let request = agent().post(address).header("Content-Type", content_type);
    read(request.send(body)).unwrap_or_else(|| panic!("nobody answers at {address}"))
}

/// Gets an address; `None` when nobody answers.
pub fn try_get(address: &str) -> Option<Reply> {
    read(agent().get(address).call())
}

fn agent() -> Agent {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(30)));
    config.build().new_agent()
}

fn read(reply: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Option<Reply> {
    let mut reply = reply.ok()?;
    let content_type = reply.headers().get("content-type").and_then(|value| value.to_str().ok());
    let content_type = content_type.unwrap_or_default().to_owned();
    let body = reply.body_mut().with_config().limit(1 << 30).read_to_vec().ok()?;
    Some(Reply { status: reply.status().as_u16(), content_type, body })
}

/// The program, built beside the tests.
///
/// # Panics
/// When it is not there.
pub fn program() -> PathBuf {
    let test = std::env::current_exe().expect("the path of this test program");
    let profile = test.parent().and_then(Path::parent).expect("target/PROFILE/deps/TEST");
    let program = profile.join("tenkoku");
    let shown = program.display();
    assert!(program.is_file(), "{shown} is not there: type  cargo build --workspace");
    program
}

/// Three ports that were free a moment ago, all different.
fn free_ports() -> [u16; 3] {
    let listeners = [(); 3].map(|()| {
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port on the loopback")
    });
    listeners.map(|listener| listener.local_addr().expect("a bound listener").port())
}
