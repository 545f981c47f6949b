//! Against servers that really listen, on loopback.

use std::io::{Read, Write as _};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use super::*;

/// A server that answers every connection with what `answer` makes of the request, and tells the
/// requests.
fn serve(answer: impl Fn(&str) -> Vec<u8> + Send + 'static) -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (heard, requests) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let request = head(&mut stream);
            let _ = stream.write_all(&answer(&request));
            let _ = heard.send(request);
        }
    });
    (format!("http://{address}"), requests)
}

fn head(stream: &mut impl Read) -> String {
    let mut head = Vec::new();
    let mut octet = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut octet).is_ok_and(|read| read > 0) {
        head.push(octet[0]);
    }
    String::from_utf8(head).unwrap()
}

fn answer(status: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{headers}\r\n{body}").into_bytes()
}

fn web(hosts: &[&str], limits: Limits) -> Web {
    Web::new(WebSettings {
        allowed: Allowed::hosts(hosts),
        roots: None,
        user_agent: "tests".to_owned(),
        limits,
    })
}

const LIMITS: Limits = Limits { octets: 1000, time: Duration::from_secs(20), redirects: 2 };

fn here() -> Web {
    web(&["127.0.0.1"], LIMITS)
}

fn fetch(web: &Web, address: &str) -> Result<Fetched, FetchError> {
    web.fetch(address, &Validators::default())
}

#[test]
fn a_document_that_did_not_change_is_not_sent_again() {
    let (base, requests) = serve(|request| {
        if request.to_ascii_lowercase().contains("if-none-match: \"7\"") {
            return b"HTTP/1.1 304 Not Modified\r\n\r\n".to_vec();
        }
        answer("200 OK", "ETag: \"7\"\r\nLast-Modified: Sun, 22 Nov 2026 00:00:00 GMT\r\n", "list")
    });
    let Fetched::Document(document) = fetch(&here(), &base).unwrap() else { panic!("unchanged") };
    assert_eq!(document.octets, b"list");
    assert_eq!(document.validators.etag.as_deref(), Some("\"7\""));
    assert_eq!(here().fetch(&base, &document.validators).unwrap(), Fetched::Unchanged);
    let asked = requests.iter().nth(1).unwrap().to_ascii_lowercase();
    assert!(asked.contains("if-modified-since: sun, 22 nov 2026 00:00:00 gmt"), "{asked}");
    assert!(asked.contains("user-agent: tests"), "{asked}");
}

#[test]
fn a_redirect_is_looked_at_like_the_address_itself() {
    for target in ["http://10.0.0.1/", "http://[::1]/", "file:///etc/passwd", "//127.0.0.2/"] {
        let (base, _requests) =
            serve(move |_| answer("302 Found", &format!("Location: {target}\r\n"), ""));
        let refused = fetch(&here(), &base).unwrap_err();
        assert!(matches!(refused, FetchError::Forbidden { .. }), "{target}: {refused}");
    }
}

#[test]
fn a_redirect_is_followed_and_a_circle_is_not() {
    let (base, _requests) = serve(|request| match request.split_whitespace().nth(1) {
        Some("/there") => answer("200 OK", "", "list"),
        Some("/circle") => answer("302 Found", "Location: /circle\r\n", ""),
        _ => answer("301 Moved Permanently", "Location: /there\r\n", ""),
    });
    assert!(matches!(fetch(&here(), &base), Ok(Fetched::Document(_))));
    let circle = fetch(&here(), &format!("{base}/circle")).unwrap_err();
    assert!(matches!(circle, FetchError::Redirects(_)), "{circle}");
}

#[test]
fn a_name_that_leads_inside_is_not_connected_to() {
    let (base, requests) = serve(|_| answer("200 OK", "", "secret"));
    let port = base.rsplit(':').next().unwrap();
    let named = format!("http://localhost:{port}/");
    let refused = fetch(&here(), &named).unwrap_err();
    let FetchError::Forbidden { why, .. } = &refused else { panic!("{refused}") };
    assert!(why.contains("not public"), "{why}");
    assert!(requests.try_recv().is_err(), "nothing was sent");
    assert!(fetch(&web(&["localhost"], LIMITS), &named).is_ok());
}

#[test]
fn an_oversized_document_is_not_taken_whether_it_says_so_or_not() {
    let (announced, _requests) = serve(|_| answer("200 OK", "", &"x".repeat(1001)));
    let refused = fetch(&here(), &announced).unwrap_err();
    assert!(matches!(refused, FetchError::TooLarge(1000)), "{refused}");
    let (endless, _requests) = serve(|_| {
        let mut all = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_vec();
        all.resize(100_000, b'x');
        all
    });
    let refused = fetch(&here(), &endless).unwrap_err();
    assert!(matches!(refused, FetchError::TooLarge(1000)), "{refused}");
    let (exact, _requests) = serve(|_| answer("200 OK", "", &"x".repeat(1000)));
    assert!(fetch(&here(), &exact).is_ok());
}

#[test]
fn a_server_that_drips_is_left() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        head(&mut stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n").unwrap();
        // An octet now and then keeps a naive reader waiting for ever.
        while stream.write_all(b"x").is_ok() {
            let mut nothing = [0];
            stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
            let _ = stream.read(&mut nothing);
        }
    });
    let patience = Limits { time: Duration::from_millis(700), ..LIMITS };
    let refused = fetch(&web(&["127.0.0.1"], patience), &address).unwrap_err();
    assert!(matches!(refused, FetchError::TooSlow(_)), "{refused}");
}

#[test]
fn what_is_no_document_is_told_apart() {
    let (gone, _requests) = serve(|_| answer("404 Not Found", "", "nothing"));
    assert!(matches!(fetch(&here(), &gone), Err(FetchError::Status(404))));
    let (packed, _requests) = serve(|_| answer("200 OK", "Content-Encoding: gzip\r\n", "x"));
    assert!(matches!(fetch(&here(), &packed), Err(FetchError::Coding(_))));
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let refused = fetch(&here(), &format!("http://{nobody}/")).unwrap_err();
    assert!(matches!(refused, FetchError::Connection(_)), "{refused}");
}

/// A server with TLS under a root of its own; every connection is answered with `answer`.
fn serve_tls(answer: Vec<u8>) -> (String, Vec<u8>) {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = certificate.self_signed(&key).unwrap();
    let der = certificate.der().to_vec();
    let engine = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let secret = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(engine)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], secret)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut tls = rustls::StreamOwned::new(connection, stream.unwrap());
            head(&mut tls);
            let _ = tls.write_all(&answer);
            tls.conn.send_close_notify();
            let _ = tls.flush();
        }
    });
    (format!("https://localhost:{port}/"), der)
}

fn under(roots: Vec<Vec<u8>>) -> Web {
    let allowed = Allowed::hosts(["localhost", "127.0.0.1"]);
    let user_agent = "tests".to_owned();
    Web::new(WebSettings { allowed, roots: Some(roots), user_agent, limits: LIMITS })
}

#[test]
fn under_tls_the_server_must_be_the_one_that_is_named() {
    let (address, root) = serve_tls(answer("200 OK", "", "list"));
    assert!(matches!(fetch(&under(vec![root]), &address), Ok(Fetched::Document(_))));
    let (_, other) = serve_tls(Vec::new());
    let refused = fetch(&under(vec![other]), &address).unwrap_err();
    assert!(matches!(refused, FetchError::Connection(_)), "{refused}");
}

#[test]
fn a_redirect_does_not_give_up_tls() {
    let (plain, requests) = serve(|_| answer("200 OK", "", "list"));
    let (address, root) = serve_tls(answer("302 Found", &format!("Location: {plain}/\r\n"), ""));
    let refused = fetch(&under(vec![root]), &address).unwrap_err();
    assert!(matches!(refused, FetchError::Forbidden { why, .. } if why.contains("TLS")));
    assert!(requests.try_recv().is_err(), "nothing was sent");
}
