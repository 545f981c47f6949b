//! A real mail server on the loopback, of somebody else's making, with a certificate of its own
//! authority; what it took is read by somebody else's library too.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::tools::{checkout, linter, openssl, run};

/// How long one look at a starting server waits for the next, and how many looks there are.
const PAUSE: Duration = Duration::from_millis(50);
const LOOKS: u32 = 1_200;

/// The name and password that the server takes under TLS.
pub const SIGN_IN: [&str; 2] = ["eseal", "correct horse"];

/// A place where a mail server may run: its port, certificate and inbox.
#[derive(Debug)]
pub struct MailPlace {
    folder: TempDir,
    port: u16,
}

/// A running mail server; ended when dropped.
#[derive(Debug)]
pub struct MailServer {
    child: Child,
}

impl MailPlace {
    /// A place with a certificate for `localhost`; nobody listens yet.
    ///
    /// # Panics
    /// When no port is free or no certificate can be made.
    pub fn new() -> Self {
        let folder = TempDir::new().expect("a folder for the mail server");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("a bound listener").port();
        let place = Self { folder, port };
        place.certify();
        place
    }

    fn certify(&self) {
        let path = |name| self.file(name).display().to_string();
        let new_key = ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
        let make = |more: &[&str]| {
            openssl(new_key.iter().chain(more)).success();
        };
        let (ca, ca_key, key) = (path("ca.pem"), path("ca.key"), path("key.pem"));
        let (request, names) = (path("request.pem"), path("names"));
        make(&["-x509", "-days", "2", "-subj", "/CN=Mail CA", "-keyout", &ca_key, "-out", &ca]);
        make(&["-subj", "/CN=localhost", "-keyout", &key, "-out", &request]);
        fs::write(&names, "subjectAltName=DNS:localhost\n").expect("a file of names");
        let sign = ["x509", "-req", "-days", "2", "-in", &request, "-CA", &ca, "-CAkey", &ca_key];
        let to = ["-CAcreateserial", "-extfile", &names, "-out", &path("certificate.pem")];
        openssl(sign.iter().chain(&to)).success();
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The port on the loopback.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The certificate of the authority that vouches for the server (PEM).
    pub fn authority(&self) -> PathBuf {
        self.file("ca.pem")
    }

    /// Starts the server: `starttls`, `implicit` or `none`; waits until it listens.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn serve(&self, tls: &str) -> MailServer {
        let ready = self.file("ready");
        // It may be there from an earlier start, or not.
        let _ = fs::remove_file(&ready);
        let child = linter("python3")
            .arg(script("server.py"))
            .arg(self.folder.path())
            .args([&self.port.to_string(), tls])
            .args([self.file("certificate.pem"), self.file("key.pem")])
            .spawn()
            .expect("the mail server starts: type  make test  once");
        let mut server = MailServer { child };
        let up = (0..LOOKS).any(|_| {
            let ended = server.child.try_wait().expect("the server can be looked at");
            assert!(ended.is_none(), "the mail server ended at once");
            // Another process has nothing to wait on but time.
            (!ready.exists()).then(|| thread::park_timeout(PAUSE)).is_none()
        });
        assert!(up, "the mail server did not come up");
        server
    }

    /// From now on the server answers as told: `later`, `refuse`, `hang`, or takes letters (empty).
    ///
    /// # Panics
    /// When the file cannot be written.
    pub fn mood(&self, mood: &str) {
        fs::write(self.file("mood"), mood).expect("a mood");
    }

    /// The letters that arrived, in order, as Python's library reads them.
    ///
    /// # Panics
    /// When one cannot be read.
    pub fn letters(&self) -> Vec<Value> {
        letters_in(self.folder.path())
    }

    /// Waits until so many letters arrived, and reads them.
    ///
    /// # Panics
    /// When they do not arrive within a minute.
    pub fn await_letters(&self, count: usize) -> Vec<Value> {
        let there = (0..LOOKS).any(|_| {
            let there = files_in(self.folder.path()).len() >= count;
            (!there).then(|| thread::park_timeout(PAUSE));
            there
        });
        assert!(there, "{count} letters did not arrive");
        self.letters()
    }
}

impl Default for MailPlace {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The letters in a folder of `.eml` files, by name, as Python's library reads them.
///
/// # Panics
/// When one cannot be read.
pub fn letters_in(folder: &Path) -> Vec<Value> {
    let read = |file: &PathBuf| {
        let outcome = run(Command::new("python3").arg(script("read.py")).arg(file));
        serde_json::from_str(outcome.success()).expect("JSON")
    };
    files_in(folder).iter().map(read).collect()
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut files: Vec<_> =
        paths.filter(|path| path.extension().is_some_and(|end| end == "eml")).collect();
    files.sort();
    files
}

fn script(name: &str) -> PathBuf {
    checkout().join("tests/mail").join(name)
}
