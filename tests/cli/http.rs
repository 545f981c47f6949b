//! The public addresses under bad input: an answer of the protocol or a plain status, never a panic,
//! and the server goes on.

use std::fs;

use tenkoku_testkit::servers::{Installation, get, post};
use ureq::http::{Request, Response};
use ureq::{Agent, Body};

use super::{P256, issue, make_request, populate, records};

/// RFC 6960, 4.2.1: malformedRequest in DER.
const MALFORMED: [u8; 5] = [0x30, 0x03, 0x0A, 0x01, 0x01];

fn ask(method: &str, address: &str, header: Option<(&str, &str)>) -> Response<Body> {
    let agent: Agent = Agent::config_builder().http_status_as_error(false).build().into();
    let request = Request::builder().method(method).uri(address);
    let request =
        header.into_iter().fold(request, |request, (name, value)| request.header(name, value));
    let request = request.body(()).expect("a request");
    agent.run(request).expect("an answer")
}

fn status(method: &str, address: &str) -> u16 {
    ask(method, address, None).status().as_u16()
}

fn header<'a>(answer: &'a Response<Body>, name: &str) -> &'a str {
    answer.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

#[test]
fn malformed_requests_get_the_answer_of_the_protocol() {
    let installation = Installation::evaluation();
    let server = installation.serve();
    let ocsp = format!("{}/ocsp/seal-l1-g1", installation.public());
    let kind = "application/ocsp-request";
    let is_malformed = |reply: &tenkoku_testkit::servers::Reply| {
        assert_eq!((reply.status, &*reply.content_type), (200, "application/ocsp-response"));
        assert_eq!(reply.body, MALFORMED);
    };
    let hostile = fs::read_dir(tenkoku_testkit::tools::data("pki/hostile")).expect("files");
    for file in hostile.map(|entry| fs::read(entry.expect("an entry").path()).expect("a file")) {
        let reply = post(&ocsp, kind, &file);
        match reply.status {
            200 => is_malformed(&reply),
            other => assert_eq!(other, 413, "{} octets", file.len()),
        }
    }
    is_malformed(&post(&ocsp, kind, b"garbage"));
    for path in ["%21%21%21", "AAA", "%zz", "%", "AAAA", "%00", "//////", &"A".repeat(9000)] {
        is_malformed(&get(&format!("{ocsp}/{path}")));
    }
    is_malformed(&post(&format!("{}/ocsp/nobody", installation.public()), kind, b"garbage"));
    assert_eq!(post(&ocsp, kind, &vec![0x30; 1 << 20]).status, 413);
    assert!(!server.log().contains("panicked"), "{}", server.log());
    assert_eq!(get(&format!("{}/healthz", installation.operations())).status, 200);
}

#[test]
fn unknown_addresses_and_wrong_methods_get_their_status() {
    let installation = Installation::evaluation();
    let server = installation.serve();
    let public = installation.public();
    let before = records(&installation);
    let files =
        ["crl/nobody.crl", "ca/nobody.cer", "tl/nobody.xml", "tl/nobody.sha2", "crl/..%2f.crl"];
    for path in files {
        assert_eq!(status("GET", &format!("{public}/{path}")), 404, "{path}");
    }
    let files = ["crl/seal-l1-g1.crl", "ca/seal-l1-g1.cer", "tl/jp-2021.xml", "tl/jp-2021.sha2"];
    for path in files {
        let address = format!("{public}/{path}");
        let head = ask("HEAD", &address, None);
        assert_eq!(head.status(), 200, "{path}");
        assert_eq!(header(&head, "content-length"), get(&address).body.len().to_string(), "{path}");
        for method in ["POST", "PUT", "DELETE"] {
            assert_eq!(status(method, &address), 405, "{method} {path}");
        }
    }
    let ocsp = format!("{public}/ocsp/seal-l1-g1");
    for method in ["PUT", "DELETE", "PATCH"] {
        assert_eq!(status(method, &ocsp), 405, "{method}");
    }
    assert_eq!(records(&installation), before);
    assert!(!server.log().contains("panicked"), "{}", server.log());
}

#[test]
fn what_a_client_has_already_is_not_sent_again() {
    let installation = populate(Installation::evaluation());
    let request = make_request(installation.path(), "key", &P256);
    let certificate = issue(&installation, "BR-0001", "1", &request);
    let _server = installation.serve();
    let tag = |path: &str| {
        let answer = ask("GET", &format!("{}/{path}", installation.public()), None);
        header(&answer, "etag").to_owned()
    };
    let asked_with = |path: &str, tag: &str| {
        let address = format!("{}/{path}", installation.public());
        let answer = ask("GET", &address, Some(("If-None-Match", tag)));
        let length = answer.status().as_u16();
        (length, header(&answer, "etag").to_owned())
    };
    for path in ["crl/seal-l1-g1.crl", "ca/seal-l1-g1.cer", "tl/jp-2021.xml"] {
        let known = tag(path);
        assert!(known.starts_with('"') && known.len() > 16, "{path}: {known}");
        assert_eq!(asked_with(path, &known), (304, known.clone()), "{path}");
        assert_eq!(asked_with(path, "\"other\""), (200, known), "{path}");
    }
    let before = tag("crl/seal-l1-g1.crl");
    let reason = ["--reason", "replaced", "--yes"];
    let words = ["revoke", super::word(&certificate)].into_iter().chain(reason);
    installation.tenkoku(words).success();
    // The new list is served within a second; what was served before, until then.
    let is_new = || asked_with("crl/seal-l1-g1.crl", &before).0 == 200;
    assert!((0..5_000).any(|_| is_new()), "a new CRL within a second");
}
