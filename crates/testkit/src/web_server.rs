//! A web server on the loopback, with TLS under a root of its own, that gives what a story puts at its
//! addresses: documents, redirects, answers that never end.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// The media type of a trusted list.
const LIST_TYPE: &str = "application/vnd.etsi.tsl+xml";

/// What is at an address.
#[derive(Clone, Debug)]
pub enum Page {
    /// A document; its `ETag` is made of its octets.
    Document(Vec<u8>),
    /// Another address.
    Redirect(String),
    /// More octets than anybody takes.
    Endless,
    /// An octet now and then, for ever.
    Drip,
    /// Nothing.
    Gone,
}

type Pages = Arc<Mutex<BTreeMap<String, Page>>>;

/// A running server. Its threads end with the test's process.
#[derive(Debug)]
pub struct WebServer {
    port: u16,
    root: Vec<u8>,
    pages: Pages,
    /// Paths in the order in which they were asked for, each with the status that was given.
    asked: Arc<Mutex<Vec<(String, u16)>>>,
}

impl WebServer {
    /// Starts a server without pages.
    ///
    /// # Panics
    /// When no port is free or no certificate can be made.
    pub fn start() -> Self {
        let key = rcgen::KeyPair::generate().expect("a key");
        let names = vec!["localhost".to_owned()];
        let certificate = rcgen::CertificateParams::new(names).expect("a name").self_signed(&key);
        let certificate = certificate.expect("a certificate");
        let secret = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
        let engine = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(engine)
            .with_safe_default_protocol_versions()
            .expect("versions of TLS")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], secret)
            .expect("a certificate for its key");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let server = Self {
            port: listener.local_addr().expect("a bound listener").port(),
            root: certificate.der().to_vec(),
            pages: Pages::default(),
            asked: Arc::default(),
        };
        let (pages, asked, config) =
            (Arc::clone(&server.pages), Arc::clone(&server.asked), Arc::new(config));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (pages, asked) = (Arc::clone(&pages), Arc::clone(&asked));
                let config = Arc::clone(&config);
                thread::spawn(move || {
                    let connection = ServerConnection::new(config).expect("a connection");
                    serve(StreamOwned::new(connection, stream), &pages, &asked);
                });
            }
        });
        server
    }

    /// The root that the server's certificate is traced back to, DER.
    pub fn root(&self) -> &[u8] {
        &self.root
    }

    /// The address of a path.
    pub fn address(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.port)
    }

    /// Puts something at a path, in place of what was there.
    pub fn put(&self, path: &str, page: Page) {
        lock(&self.pages).insert(path.to_owned(), page);
    }

    /// The document at a path, if there is one.
    pub fn document(&self, path: &str) -> Option<Vec<u8>> {
        match lock(&self.pages).get(path)? {
            Page::Document(octets) => Some(octets.clone()),
            Page::Redirect(_) | Page::Endless | Page::Drip | Page::Gone => None,
        }
    }

    /// What was asked for since the last time, with the status that was given.
    pub fn asked(&self) -> Vec<(String, u16)> {
        std::mem::take(&mut *lock(&self.asked))
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

type Connection = StreamOwned<ServerConnection, TcpStream>;

/// Answers one request. A client that goes away ends it.
fn serve(mut stream: Connection, pages: &Pages, asked: &Mutex<Vec<(String, u16)>>) {
    let Some(head) = head(&mut stream) else { return };
    let path = head.split_whitespace().nth(1).unwrap_or("/").to_owned();
    let page = lock(pages).get(&path).cloned().unwrap_or(Page::Gone);
    let note = |status| lock(asked).push((path.clone(), status));
    let written = match page {
        Page::Document(octets) => {
            let tag = format!("\"{:x}\"", crc(&octets));
            if head.to_ascii_lowercase().contains(&format!("if-none-match: {tag}")) {
                note(304);
                stream.write_all(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 0\r\n\r\n")
            } else {
                note(200);
                let length = octets.len();
                let is_list = path.rsplit('.').next() == Some("xml");
                let kind = if is_list { LIST_TYPE } else { "text/plain" };
                let head = format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: {kind}; charset=utf-8\r\n\
                     Content-Length: {length}\r\nETag: {tag}\r\n\r\n"
                );
                stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&octets))
            }
        }
        Page::Redirect(to) => {
            note(302);
            let head = format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n");
            stream.write_all(head.as_bytes())
        }
        Page::Gone => {
            note(404);
            stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        }
        Page::Endless => {
            note(200);
            endless(&mut stream)
        }
        Page::Drip => {
            note(200);
            drip(&mut stream)
        }
    };
    if written.is_ok() {
        stream.conn.send_close_notify();
        // Whoever is gone needs no farewell.
        let _ = stream.flush();
    }
}

fn endless(stream: &mut Connection) -> std::io::Result<()> {
    stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")?;
    loop {
        stream.write_all(&[b' '; 8_192])?;
    }
}

fn drip(stream: &mut Connection) -> std::io::Result<()> {
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")?;
    stream.sock.set_read_timeout(Some(Duration::from_millis(50)))?;
    loop {
        stream.write_all(b" ")?;
        stream.flush()?;
        // The pause between two octets: nothing comes.
        let _ = stream.sock.read(&mut [0]);
    }
}

fn head(stream: &mut Connection) -> Option<String> {
    let (mut head, mut octet) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut octet).ok()?;
        head.push(octet[0]);
    }
    String::from_utf8(head).ok()
}

/// A number that tells documents apart.
fn crc(octets: &[u8]) -> u64 {
    octets.iter().fold(0xcbf2_9ce4_8422_2325, |sum, octet| {
        (sum ^ u64::from(*octet)).wrapping_mul(0x0100_0000_01b3)
    })
}
