//! Databases on a PostgreSQL server, one for each test, gone when dropped.
//!
//! The server is the one that `TENKOKU_TEST_POSTGRES` names (an address whose user may create
//! databases), or a private one: started once per test process, reached through a socket in a
//! folder of its own, and stopped when the process ends, however it ends. Nothing here knows our
//! tables.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::tools::run;

/// The variable that names a server.
const VARIABLE: &str = "TENKOKU_TEST_POSTGRES";

/// Makes and runs a server until standard input ends. Says its folder when it is ready.
const KEEPER: &str = r#"
set -eu
bin=$1
dir=$(mktemp -d "${TMPDIR:-/tmp}/tenkoku-postgres-XXXXXX")
server=
end() { [ -z "$server" ] || { kill -INT "$server"; wait "$server"; } || :; rm -rf "$dir"; }
trap end EXIT
trap 'exit 1' INT TERM HUP
"$bin/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --locale=C -N > "$dir/log" 2>&1 ||
    { cat "$dir/log" >&2; exit 1; }
printf 'local all locked scram-sha-256\nlocal all all trust\n' > "$dir/data/pg_hba.conf"
"$bin/postgres" -D "$dir/data" -k "$dir" -c listen_addresses= -c fsync=off \
    -c max_connections=400 -c shared_buffers=32MB >> "$dir/log" 2>&1 &
server=$!
until "$bin/pg_isready" -q -h "$dir"; do
    kill -0 "$server" 2> /dev/null || { cat "$dir/log" >&2; exit 1; }
    sleep 0.05
done
echo "$dir"
cat > /dev/null || :
"#;

/// An empty database of a test's own.
#[derive(Debug)]
pub struct Database {
    name: String,
}

impl Database {
    /// A new, empty database.
    ///
    /// # Panics
    /// When there is no server to be had; the message says what to type.
    pub fn create() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("tenkoku_test_{}_{number}", std::process::id());
        server().execute(&format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'"));
        Self { name }
    }

    /// Its address.
    pub fn url(&self) -> String {
        server().url(&self.name)
    }

    /// Runs a statement in it, as somebody with the server's password would.
    ///
    /// # Panics
    /// When it fails.
    #[track_caller]
    pub fn execute(&self, sql: &str) {
        server().run(&self.url(), sql);
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        server().execute(&format!("DROP DATABASE {} WITH (FORCE)", self.name));
    }
}

/// The server that tests use.
#[derive(Debug)]
pub struct Server {
    /// The address of its first database.
    address: String,
    /// The folder of its programs, `psql` among them.
    programs: PathBuf,
    /// Ends the private server when this process ends: then nobody holds its standard input.
    keeper: Option<Child>,
}

/// The server, started at the first call.
///
/// # Panics
/// When there is none to be had; the message says what to type.
pub fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        let programs = programs();
        match std::env::var_os(VARIABLE) {
            Some(address) => {
                let address = address.into_string().expect("an address in UTF-8");
                Server { address, programs, keeper: None }
            }
            None => Server::start(programs),
        }
    })
}

impl Server {
    /// The address of one of its databases.
    pub fn url(&self, database: &str) -> String {
        let (place, parameters) = self.address.split_once('?').unwrap_or((&self.address, ""));
        let (scheme, place) = place.split_once("://").expect("an address as postgres://…");
        let host = place.split_once('/').map_or(place, |(host, _)| host);
        let parameters =
            if parameters.is_empty() { String::new() } else { format!("?{parameters}") };
        format!("{scheme}://{host}/{database}{parameters}")
    }

    /// Whether the server is private: then the user `locked` needs a password.
    pub fn is_private(&self) -> bool {
        self.keeper.is_some()
    }

    /// Runs one statement as the server's administrator.
    ///
    /// # Panics
    /// When it fails.
    #[track_caller]
    pub fn execute(&self, sql: &str) {
        self.run(&self.address, sql);
    }

    #[track_caller]
    fn run(&self, address: &str, sql: &str) {
        run(Command::new(self.programs.join("psql"))
            .args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", sql, "-d", address])
            .current_dir("/"))
        .success();
    }

    fn start(programs: PathBuf) -> Self {
        let mut keeper = unprivileged("sh")
            .args(["-c", KEEPER, "sh"])
            .arg(&programs)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell for the PostgreSQL server");
        let mut folder = String::new();
        let said = keeper.stdout.take().expect("the keeper's words");
        BufReader::new(said).read_line(&mut folder).expect("the keeper's words");
        let folder = folder.trim();
        assert!(
            !folder.is_empty(),
            "no private PostgreSQL server could be started; type  make test  or name one in \
             {VARIABLE}"
        );
        let address = format!("postgresql:///postgres?host={folder}&user=postgres");
        Self { address, programs, keeper: Some(keeper) }
    }
}

/// A database server of a story's own, which it stops, starts, copies and promotes. It is reached
/// through a socket in its folder; nothing is left of it when it is dropped.
#[derive(Debug)]
pub struct Cluster {
    folder: PathBuf,
    programs: PathBuf,
}

impl Cluster {
    /// A new server that is running, with one empty database.
    ///
    /// # Panics
    /// When it cannot be made.
    pub fn primary(database: &str) -> Self {
        let cluster = Self::at_new_place();
        let initdb = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N", "-D"];
        cluster.run("initdb", initdb.iter().copied().chain([&*cluster.data()]));
        cluster.start();
        cluster.run("createdb", ["-h", &*cluster.shown(), "-U", "postgres", database]);
        cluster
    }

    /// A copy of this server that follows it.
    ///
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    pub fn replica(&self) -> Self {
        let copy = Self::at_new_place();
        let words =
            ["-h", &*self.shown(), "-U", "postgres", "-R", "-X", "stream", "-c", "fast", "-D"];
        copy.run("pg_basebackup", words.into_iter().chain([&*copy.data()]));
        copy.start();
        copy
    }

    /// Starts it and waits until it answers.
    pub fn start(&self) {
        let options = format!("-k {} -c listen_addresses= -c fsync=off", self.shown());
        let log = format!("{}/log", self.shown());
        let words = ["-D", &*self.data(), "-w", "-l", &*log, "-o", &*options, "start"];
        self.run("pg_ctl", words);
    }

    /// Ends it as a power cut would.
    pub fn kill(&self) {
        self.run("pg_ctl", ["-D", &*self.data(), "-m", "immediate", "stop"]);
    }

    /// Makes the copy a server of its own.
    pub fn promote(&self) {
        self.run("pg_ctl", ["-D", &*self.data(), "-w", "promote"]);
    }

    /// The address of a database on the first of some servers that fits: `any`, or `read-write`.
    pub fn url_of(clusters: &[&Self], database: &str, fits: &str) -> String {
        let hosts: Vec<_> = clusters.iter().map(|cluster| cluster.shown()).collect();
        let hosts = hosts.join(",");
        format!(
            "postgresql:///{database}?host={hosts}&user=postgres&target_session_attrs={fits}\
             &connect_timeout=2"
        )
    }

    fn at_new_place() -> Self {
        let made = run(unprivileged("mktemp").args(["-d", "-t", "tenkoku-cluster-XXXXXX"]));
        let folder = PathBuf::from(made.success().trim());
        Self { folder, programs: programs() }
    }

    fn shown(&self) -> String {
        self.folder.display().to_string()
    }

    fn data(&self) -> String {
        format!("{}/data", self.shown())
    }

    #[track_caller]
    fn run<'a>(&self, program: &str, words: impl IntoIterator<Item = &'a str>) {
        let mut command = unprivileged(&self.programs.join(program).to_string_lossy());
        // A server that is started keeps what it inherits open.
        command.args(words).current_dir("/").stdin(Stdio::null());
        let log = std::fs::File::options().append(true).create(true).open(self.log());
        let log = log.expect("a file for what the server's programs say");
        command.stdout(log.try_clone().expect("the file, once more")).stderr(log);
        let status = command.status().expect("the server's programs are there");
        let said = std::fs::read_to_string(self.log()).unwrap_or_default();
        assert!(status.success(), "{program}: {said}");
    }

    fn log(&self) -> PathBuf {
        self.folder.with_extension("log")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let mut stop = unprivileged(&self.programs.join("pg_ctl").to_string_lossy());
        stop.args(["-D", &*self.data(), "-m", "immediate", "stop"]).current_dir("/");
        let _ = stop.stdout(Stdio::null()).stderr(Stdio::null()).status();
        let _ = std::fs::remove_dir_all(&self.folder);
        let _ = std::fs::remove_file(self.log());
    }
}

/// A command that does not run as root: PostgreSQL refuses to.
fn unprivileged(program: &str) -> Command {
    let root = run(Command::new("id").arg("-u")).success().trim() == "0";
    if !root {
        return Command::new(program);
    }
    let mut command = Command::new("runuser");
    command.args(["-u", "postgres", "--", program]);
    command
}

/// The folder of PostgreSQL's programs, as Debian installs them; the newest.
fn programs() -> PathBuf {
    let versions = Path::new("/usr/lib/postgresql").read_dir().into_iter().flatten().flatten();
    versions
        .map(|version| version.path().join("bin"))
        .filter(|bin| bin.join("initdb").is_file())
        .max()
        .unwrap_or_else(|| {
            panic!("PostgreSQL is not installed; type  make test  which installs it")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(address: &str, expected: &str) {
        let server = Server { address: address.to_owned(), programs: PathBuf::new(), keeper: None };
        assert_eq!(server.url("seal"), expected);
    }

    #[test]
    fn a_database_s_address_differs_in_its_name_only() {
        check("postgres://ann@db.example:5432/postgres", "postgres://ann@db.example:5432/seal");
        check("postgres://db.example", "postgres://db.example/seal");
        check(
            "postgresql:///postgres?host=/tmp/x&user=postgres",
            "postgresql:///seal?host=/tmp/x&user=postgres",
        );
    }
}
