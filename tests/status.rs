//! Stories of the running responder: strangers that hold connections, power cuts, and a fleet of
//! nodes over a database that is stopped, started and failed over.
#![expect(clippy::disallowed_methods, reason = "real programs and networks take real time")]

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use base64::Engine as _;
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::certificate::Serial;
use tenkoku_pki::cert::Certificate;
use tenkoku_pki::ocsp::{Answer, AnswerStatus, HashAlgorithm, IssuerHashes, encode_request};
use tenkoku_testkit::postgres::Cluster;
use tenkoku_testkit::servers::{Installation, get, post, try_get};
use tenkoku_testkit::tools::{self, run};

use crate::cli::{P256, issue, make_request, populate, word};

const KIND: &str = "application/ocsp-request";
const CODE: &str = "seal-l1-g1";

fn der(file: &Path) -> Vec<u8> {
    pem(&std::fs::read_to_string(file).expect("a certificate"))
}

fn pem(text: &str) -> Vec<u8> {
    let body: String = text.lines().filter(|line| !line.starts_with("-----")).collect();
    base64::engine::general_purpose::STANDARD.decode(body).expect("PEM")
}

/// A question about a certificate of an installation.
fn question(installation: &Installation, certificate: &Path) -> Vec<u8> {
    let exported = installation.tenkoku(["ca", "export", CODE]);
    let issuer = Certificate::parse(&pem(exported.success())).expect("the authority's certificate");
    let key = issuer.public_key().expect("the authority's key");
    let hashes = IssuerHashes::of(HashAlgorithm::Sha256, issuer.subject(), &key);
    let serial: Serial =
        Certificate::parse(&der(certificate)).expect("a certificate").serial().expect("a number");
    encode_request(&[hashes.cert_id(&serial)], None)
}

/// What a node says; `None` where it says `tryLater` or nothing.
fn ask(node: &Installation, question: &[u8]) -> Option<AnswerStatus> {
    ask_at(&node.public(), question)
}

fn ask_at(base: &str, question: &[u8]) -> Option<AnswerStatus> {
    let address = format!("{base}/ocsp/{CODE}");
    let text = base64::engine::general_purpose::STANDARD.encode(question).replace('+', "%2B");
    let reply = try_get(&format!("{address}/{text}"))?;
    let answer = Answer::parse(&reply.body).ok()?;
    let signer = answer.certificates().first().expect("the signer's certificate");
    answer.verify(&signer.public_key().expect("a key")).expect("a signature that holds");
    Some(answer.singles()[0].status)
}

fn connect(installation: &Installation) -> TcpStream {
    let address = installation.public().replace("http://", "");
    TcpStream::connect(address).expect("a connection")
}

/// The slowest of ninety-nine in a hundred of some good requests.
fn slowest(installation: &Installation, question: &[u8]) -> Duration {
    let address = format!("{}/ocsp/{CODE}", installation.public());
    let mut times: Vec<Duration> = (0..100)
        .map(|_| {
            let begin = Instant::now();
            let reply = post(&address, KIND, question);
            assert!(Answer::parse(&reply.body).is_ok(), "{}", hex::encode(&reply.body));
            begin.elapsed()
        })
        .collect();
    times.sort();
    times[98]
}

#[test]
fn good_clients_do_not_notice_a_thousand_bad_connections() {
    let installation = populate(Installation::evaluation());
    let request = make_request(installation.path(), "key", &P256);
    let certificate = issue(&installation, "BR-0001", "1", &request);
    let question = question(&installation, &certificate);
    let server = installation.serve();
    let alone = slowest(&installation, &question);
    let mut bad: Vec<TcpStream> = (0..1_000).map(|_| connect(&installation)).collect();
    for (place, stream) in bad.iter_mut().enumerate() {
        let said: &[u8] = match place % 4 {
            // Nothing at all; half a head; a body that does not come; a request and then nothing.
            0 => b"",
            1 => b"POST /ocsp/seal-l1-g1 HTTP/1.1\r\nHost: x\r\nContent-Le",
            2 => b"POST /ocsp/seal-l1-g1 HTTP/1.1\r\nHost: x\r\nContent-Length: 70\r\n\r\n0",
            _ => b"GET /ocsp/seal-l1-g1/AAAA HTTP/1.1\r\nHost: x\r\n\r\n",
        };
        stream.write_all(said).expect("the server takes it");
    }
    let beside = slowest(&installation, &question);
    // Another machine's load moves single figures; what is meant is: no waiting for the bad ones,
    // which would take seconds.
    assert!(
        beside < alone * 4 + Duration::from_millis(100),
        "{beside:?} beside a thousand bad connections, {alone:?} alone"
    );
    // The slow ones are told so, or their connection ends.
    let slow = &mut bad[2];
    slow.set_read_timeout(Some(Duration::from_secs(20))).expect("a time limit");
    let mut heard = [0; 12];
    let count = slow.read(&mut heard).expect("an answer or the end");
    assert!(
        count == 0 || heard.starts_with(b"HTTP/1.1 408"),
        "{}",
        String::from_utf8_lossy(&heard)
    );
    assert!(!server.log().contains("panicked"), "{}", server.log());
}

#[test]
fn a_responder_that_was_killed_comes_back_with_everything_it_knew() {
    let installation = populate(Installation::evaluation());
    let [first, second] = ["first", "second"].map(|name| {
        issue(&installation, "BR-0001", "1", &make_request(installation.path(), name, &P256))
    });
    let [about_first, about_second] =
        [&first, &second].map(|certificate| question(&installation, certificate));
    let server = installation.serve();
    assert_eq!(ask(&installation, &about_first), Some(AnswerStatus::Good));
    assert_eq!(ask(&installation, &about_second), Some(AnswerStatus::Good));
    // Another process revokes; the server hears of it by itself.
    revoke(&installation, &first);
    until_revoked(&[&installation], &about_first);
    server.kill();
    revoke(&installation, &second);
    let _server = installation.serve();
    assert!(is_revoked(ask(&installation, &about_first)));
    assert!(is_revoked(ask(&installation, &about_second)));
    let metrics = get(&format!("{}/metrics", installation.operations())).text();
    for line in [
        "tenkoku_ocsp_answers_total{says=\"revoked\"} 2",
        "tenkoku_ocsp_duration_seconds_count 2",
        "tenkoku_status_fresh 1",
    ] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
}

fn revoke(installation: &Installation, certificate: &Path) {
    let words = ["revoke", word(certificate), "--reason", "replaced", "--yes"];
    installation.tenkoku(words).success();
}

const fn is_revoked(status: Option<AnswerStatus>) -> bool {
    matches!(status, Some(AnswerStatus::Revoked { .. }))
}

/// Waits until every node says so; gives how long it took.
fn until_revoked(nodes: &[&Installation], question: &[u8]) -> Duration {
    let begin = Instant::now();
    while !nodes.iter().all(|node| is_revoked(ask(node, question))) {
        assert!(begin.elapsed() < Duration::from_mins(1), "the revocation is not told");
        // Another process has nothing to wait on but time.
        std::thread::park_timeout(Duration::from_millis(10));
    }
    begin.elapsed()
}

/// What a client saw: when it asked and when it had its answer, about which certificate.
struct Seen {
    asked: Instant,
    answered: Instant,
    certificate: usize,
    node: usize,
    status: Option<AnswerStatus>,
}

/// When each certificate began to be revoked, and when that was acknowledged.
type Revoked = Mutex<Vec<Option<(Instant, Option<Instant>)>>>;

#[test]
fn a_fleet_says_nothing_wrong_while_its_database_dies_and_fails_over() {
    let primary = Cluster::primary("tenkoku");
    let url = Cluster::url_of(&[&primary], "tenkoku", "read-write");
    let mut installation = populate(Installation::empty_on(&url).set_up());
    let replica = fleet(&primary, &mut installation);
    // It outlives everybody who reads from it.
    drop(replica);
}

/// The story of the fleet; gives the copy that became the database.
fn fleet(primary: &Cluster, main: &mut Installation) -> Cluster {
    let replica = primary.replica();
    let both = [primary, &replica];
    let (writes, reads) = (
        Cluster::url_of(&both, "tenkoku", "read-write"),
        Cluster::url_of(&[&replica, primary], "tenkoku", "any"),
    );
    let certificates: Vec<_> = (0..5)
        .map(|number| {
            let name = format!("key{number}");
            issue(main, "BR-0001", "1", &make_request(main.path(), &name, &P256))
        })
        .collect();
    let questions: Vec<_> =
        certificates.iter().map(|certificate| question(main, certificate)).collect();
    main.use_database(&writes);
    let main = &*main;
    let _writer = main.serve();
    let nodes = [
        main.status_node(&reads),
        main.status_node(&reads),
        main.status_node(&Cluster::url_of(&both, "tenkoku", "any")),
    ];
    let mut servers: Vec<_> = nodes.iter().map(Installation::serve_status).collect();
    let every: Vec<&Installation> = nodes.iter().collect();
    for question in &questions {
        until(&every, |node| ask(node, question) == Some(AnswerStatus::Good));
    }
    let revoked: Revoked = Mutex::new(vec![None; certificates.len()]);
    let (stop, seen) = (AtomicBool::new(false), Mutex::new(Vec::new()));
    let act = |number: usize| {
        let begin = Instant::now();
        revoked.lock().expect("the log")[number] = Some((begin, None));
        revoke(main, &certificates[number]);
        revoked.lock().expect("the log")[number] = Some((begin, Some(Instant::now())));
        until_revoked(&every, &questions[number])
    };
    std::thread::scope(|scope| {
        for (place, node) in nodes.iter().enumerate() {
            let (stop, seen, questions) = (&stop, &seen, &questions);
            scope.spawn(move || poll(node, place, questions, stop, seen));
        }
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            // Everything as usual.
            act(0);
            // The database dies: what is known is still told, by every node.
            primary.kill();
            for node in &every {
                assert!(is_revoked(ask(node, &questions[0])));
                assert_eq!(ask(node, &questions[1]), Some(AnswerStatus::Good));
            }
            primary.start();
            act(1);
            // The database is lost, and its copy takes its place.
            primary.kill();
            replica.promote();
            act(2);
            // A node dies and comes back.
            servers.remove(0).kill();
            servers.insert(0, nodes[0].serve_status());
            act(3);
        }));
        stop.store(true, Ordering::SeqCst);
        if let Err(panic) = outcome {
            std::panic::resume_unwind(panic);
        }
    });
    check(&seen.into_inner().expect("what was seen"), &revoked.into_inner().expect("the log"));
    for server in &servers {
        assert!(!server.log().contains("panicked"), "{}", server.log());
    }
    let answer = get(&format!("{}/readyz", nodes[0].operations()));
    assert_eq!(answer.status, 200, "{}", answer.text());
    replica
}

fn until(nodes: &[&Installation], holds: impl Fn(&Installation) -> bool) {
    let begin = Instant::now();
    while !nodes.iter().all(|node| holds(node)) {
        assert!(begin.elapsed() < Duration::from_mins(1), "a node does not come up");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

fn poll(
    node: &Installation,
    place: usize,
    questions: &[Vec<u8>],
    stop: &AtomicBool,
    seen: &Mutex<Vec<Seen>>,
) {
    while !stop.load(Ordering::SeqCst) {
        for (certificate, question) in questions.iter().enumerate() {
            let asked = Instant::now();
            let status = ask(node, question);
            let answered = Instant::now();
            let one = Seen { asked, answered, certificate, node: place, status };
            seen.lock().expect("what was seen").push(one);
        }
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

/// How long after its acknowledgement a revocation may still be unknown to a node: STATUS 6 wants a
/// second on machines of their own; here everything shares two processors with a compiler.
const VISIBLE: Duration = Duration::from_secs(5);

/// Every answer of the run against what was done.
fn check(seen: &[Seen], revoked: &[Option<(Instant, Option<Instant>)>]) {
    let mut told = 0;
    for one in seen {
        let deed = revoked[one.certificate];
        let whom = format!("certificate {} at node {}", one.certificate, one.node);
        match one.status {
            Some(AnswerStatus::Revoked { .. }) => {
                let (begin, _) = deed.unwrap_or_else(|| panic!("{whom} was never revoked"));
                assert!(one.answered >= begin, "{whom} is told as revoked too early");
                told += 1;
            }
            Some(AnswerStatus::Good) => {
                let late =
                    deed.and_then(|(_, done)| done).is_some_and(|done| one.asked > done + VISIBLE);
                assert!(!late, "{whom} is told as good long after its revocation");
                told += 1;
            }
            Some(AnswerStatus::Unknown) => panic!("{whom} is told as unknown"),
            None => {}
        }
    }
    assert!(told > 300, "{told} of {} answers say something", seen.len());
    // A node that was killed says nothing until it is back, which takes as long as it takes.
    assert!(told * 2 >= seen.len(), "{told} of {} answers say something", seen.len());
}

/// A reply as it came: status, head in lower case, body.
struct Raw {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Raw {
    fn header(&self, name: &str) -> Option<&str> {
        let begin = format!("{name}: ");
        self.head.lines().find_map(|line| line.strip_prefix(begin.as_str()))
    }
}

/// One request on a connection of its own.
fn raw(installation: &Installation, line: &str, headers: &str, body: &[u8]) -> Raw {
    let mut stream = connect(installation);
    let head = format!("{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(&[head.as_bytes(), body].concat()).expect("it is sent");
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).expect("a reply");
    let end = reply.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
    let head = String::from_utf8_lossy(&reply[..end]).to_lowercase();
    let status = head.split(' ').nth(1).and_then(|word| word.parse().ok()).expect("a status");
    Raw { status, head, body: reply.split_off(end + 4) }
}

fn raw_post(installation: &Installation, question: &[u8]) -> Raw {
    let headers = format!("Content-Type: {KIND}\r\nContent-Length: {}\r\n", question.len());
    raw(installation, &format!("POST /ocsp/{CODE}"), &headers, question)
}

#[test]
fn ocsp_over_http_is_as_rfc_9919_says() {
    let installation = populate(Installation::evaluation());
    let certificate =
        issue(&installation, "BR-0001", "1", &make_request(installation.path(), "key", &P256));
    let question = question(&installation, &certificate);
    let _server = installation.serve();
    until(&[&installation], |node| ask(node, &question) == Some(AnswerStatus::Good));
    let posted = raw_post(&installation, &question);
    let check_headers = |reply: &Raw| {
        let kept = reply.header("cache-control").expect("a word about caching");
        let age = kept.strip_prefix("max-age=").and_then(|rest| rest.split(',').next());
        let age: i64 = age.and_then(|age| age.parse().ok()).expect("an age");
        assert!((1..=300).contains(&age), "{kept}");
        assert!(kept.ends_with(", public, no-transform, must-revalidate"), "{kept}");
        let etag = format!("\"{}\"", Digest::of(&posted.body));
        assert_eq!(reply.header("etag"), Some(etag.as_str()));
        for name in ["expires", "last-modified", "date"] {
            assert!(reply.header(name).is_some_and(|date| date.ends_with(" gmt")), "{name}");
        }
    };
    assert_eq!(
        (posted.status, posted.header("content-type")),
        (200, Some("application/ocsp-response"))
    );
    check_headers(&posted);
    // By GET, with what base64 may look like in an address.
    let plain = base64::engine::general_purpose::STANDARD.encode(&question);
    let encoded = plain.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    let lower = encoded.replace("%2B", "%2b").replace("%2F", "%2f").replace("%3D", "%3d");
    for text in [&plain, &encoded, &lower, &format!("/{plain}")] {
        let got = raw(&installation, &format!("GET /ocsp/{CODE}/{text}"), "", b"");
        assert_eq!((got.status, &got.body), (200, &posted.body), "{text}");
        check_headers(&got);
    }
    let line = format!("/ocsp/{CODE}/{encoded}");
    let head = raw(&installation, &format!("HEAD {line}"), "", b"");
    assert_eq!((head.status, head.body.as_slice()), (200, &b""[..]));
    assert_eq!(head.header("content-length"), posted.header("content-length"));
    check_headers(&head);
    // Who has it already gets no octets.
    let etag = posted.header("etag").expect("a tag");
    for condition in [etag.to_owned(), format!("\"other\", {etag}")] {
        let headers = format!("If-None-Match: {condition}\r\n");
        let same = raw(&installation, &format!("GET {line}"), &headers, b"");
        assert_eq!((same.status, same.body.as_slice()), (304, &b""[..]), "{condition}");
        check_headers(&same);
    }
    let other = raw(&installation, &format!("GET {line}"), "If-None-Match: \"other\"\r\n", b"");
    assert_eq!((other.status, &other.body), (200, &posted.body));
    for method in ["PUT", "DELETE", "PATCH", "OPTIONS"] {
        let refused = raw(&installation, &format!("{method} {line}"), "", b"");
        assert_eq!((refused.status, refused.header("allow")), (405, Some("get, head, post")));
    }
    // What is no authoritative answer is kept by nobody.
    let malformed = [0x30, 0x03, 0x0A, 0x01, 0x01];
    let longer = [&question[..], &[0]].concat();
    let text = |der: &[u8]| base64::engine::general_purpose::STANDARD.encode(der);
    for path in [text(&longer), "A".to_owned(), "%zz".to_owned(), String::new()] {
        let reply = raw(&installation, &format!("GET /ocsp/{CODE}/{path}"), "", b"");
        assert_eq!((reply.status, reply.body.as_slice()), (200, &malformed[..]), "{path}");
        assert_eq!(reply.header("cache-control"), Some("no-store"), "{path}");
    }
    assert_eq!(raw_post(&installation, &longer).body, malformed);
    assert_eq!(raw_post(&installation, b"").body, malformed);
    let too_long = raw_post(&installation, &[0x30; 5_000]);
    assert_eq!(too_long.status, 413);
}

#[test]
fn java_and_gnutls_believe_the_answers() {
    let installation = populate(Installation::evaluation());
    let [good, bad] = ["good", "bad"].map(|name| {
        issue(&installation, "BR-0001", "1", &make_request(installation.path(), name, &P256))
    });
    revoke(&installation, &bad);
    let _server = installation.serve();
    let [root, issuing] = ["root-g1", CODE].map(|code| {
        let file = installation.path().join(format!("{code}.pem"));
        std::fs::write(&file, installation.tenkoku(["ca", "export", code]).success())
            .expect("a file");
        file
    });
    let program = tools::data("interop/CheckPath.java");
    for method in ["ocsp", "crl"] {
        for (certificate, expected) in [(&good, "valid"), (&bad, "not valid: REVOKED")] {
            let words = [word(&program), method, word(&root), word(&issuing), word(certificate)];
            let said = run(Command::new("java").args(words));
            assert_eq!(said.success().trim(), expected, "{method}");
        }
    }
    let address = format!("{}/ocsp/{CODE}", installation.public());
    for (certificate, expected) in [(&good, "good"), (&bad, "revoked")] {
        for nonce in [&["--nonce"][..], &[]] {
            let ask = format!("--ask={address}");
            let files = ["--load-issuer", word(&issuing), "--load-cert", word(certificate)];
            // GnuTLS does not build a path here: the authority that delegated is its anchor.
            let words = [&ask, "--load-trust", word(&issuing)].into_iter().chain(files);
            let said = run(Command::new("ocsptool").args(words).args(nonce));
            let told = said.success();
            assert!(told.contains(&format!("Certificate Status: {expected}")), "{told}");
            assert!(told.contains("Verifying OCSP Response: Success"), "{told}");
        }
    }
}

#[test]
fn python_believes_the_answers_and_the_lists() {
    let installation = populate(Installation::evaluation());
    let [good, bad] = ["good", "bad"].map(|name| {
        issue(&installation, "BR-0001", "1", &make_request(installation.path(), name, &P256))
    });
    revoke(&installation, &bad);
    let _server = installation.serve();
    let file = |name: &str, octets: &[u8]| {
        let file = installation.path().join(name);
        std::fs::write(&file, octets).expect("a file");
        file
    };
    let exported = installation.tenkoku(["ca", "export", CODE]);
    let issuer = file("issuer.pem", exported.success().as_bytes());
    let list = get(&format!("{}/crl/{CODE}.crl", installation.public())).body;
    let list = file("list.crl", &list);
    let script = tools::checkout().join("tests/linters/verify_told.py");
    for (certificate, expected) in [(&good, "good"), (&bad, "revoked superseded")] {
        let question = question(&installation, certificate);
        let address = format!("{}/ocsp/{CODE}", installation.public());
        let answer = file("answer.der", &post(&address, KIND, &question).body);
        let serial = Certificate::parse(&der(certificate)).expect("a certificate").serial();
        let serial = serial.expect("a number").to_string();
        for (kind, told) in [("ocsp", &answer), ("crl", &list)] {
            let words = [word(&script), word(&issuer), &serial, kind, word(told)];
            let said = run(tools::linter("python3").args(words));
            assert_eq!(said.success().trim(), expected, "{kind}");
        }
        // One octet of the signature is another.
        let mut octets = std::fs::read(&answer).expect("the answer");
        let place = octets.len() / 3;
        octets[place] ^= 1;
        let changed = file("changed.der", &octets);
        let words = [word(&script), word(&issuer), &serial, "ocsp", word(&changed)];
        assert_ne!(run(tools::linter("python3").args(words)).code, Some(0));
    }
}

#[test]
fn an_address_that_takes_too_much_gets_no_more() {
    let installation = populate(Installation::evaluation());
    let certificate =
        issue(&installation, "BR-0001", "1", &make_request(installation.path(), "key", &P256));
    let question = question(&installation, &certificate);
    let file = installation.path().join("tenkoku.toml");
    let text = std::fs::read_to_string(&file).expect("the configuration");
    let limits = "[limits]\nconnections = 8\nrequests_per_second = 8\nexempt = []\n";
    let limited = text.replace("[limits]\n", limits);
    assert_ne!(limited, text, "there is no [limits] in the starter configuration");
    std::fs::write(&file, limited).expect("a file");
    let server = installation.serve();
    // Connections: those beyond the number end at once, and those that end make room.
    let open = || {
        let stream = connect(&installation);
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a time limit");
        stream
    };
    let mut held: Vec<TcpStream> = (0..8).map(|_| open()).collect();
    for stream in &mut held {
        post_on(stream, &question).expect("it was let in");
    }
    for number in 0..6 {
        assert_eq!(post_on(&mut open(), &question), None, "connection {number} too many");
    }
    held.clear();
    let begin = Instant::now();
    let mut stream = open();
    while post_on(&mut stream, &question).is_none() {
        assert!(begin.elapsed() < Duration::from_secs(30), "no place came back");
        std::thread::park_timeout(Duration::from_millis(50));
        stream = open();
    }
    // Requests: those beyond the number of a second are refused, which ends the connection, because
    // what was sent is not read; later ones are not.
    let mut ask = || {
        let status = post_on(&mut stream, &question);
        if status != Some(200) {
            stream = open();
        }
        status
    };
    let statuses: Vec<_> = (0..100).map(|_| ask()).collect();
    let refused = statuses.iter().filter(|status| **status == Some(429)).count();
    assert!(refused > 0, "{statuses:?}");
    assert!(statuses.iter().flatten().all(|s| [200, 429].contains(s)), "{statuses:?}");
    let begin = Instant::now();
    while ask() != Some(200) {
        assert!(begin.elapsed() < Duration::from_secs(30), "refused for ever");
        std::thread::park_timeout(Duration::from_millis(100));
    }
    let metrics = get(&format!("{}/metrics", installation.operations())).text();
    let line = "tenkoku_ocsp_work_total{kind=\"limited\"} ";
    let counted = metrics.lines().find_map(|one| one.strip_prefix(line)?.parse::<usize>().ok());
    assert!(counted >= Some(refused), "{counted:?} of {refused}");
    assert!(!server.log().contains("panicked"), "{}", server.log());
}

/// One request on a connection that stays; gives the status, or nothing where it is ended.
fn post_on(stream: &mut TcpStream, question: &[u8]) -> Option<u16> {
    let head = format!(
        "POST /ocsp/{CODE} HTTP/1.1\r\nHost: x\r\nContent-Type: {KIND}\r\nContent-Length: {}\r\n\r\n",
        question.len()
    );
    stream.write_all(&[head.as_bytes(), question].concat()).ok()?;
    let mut read = Vec::new();
    let head = loop {
        let mut part = [0; 4096];
        let count = stream.read(&mut part).ok().filter(|count| *count > 0)?;
        read.extend_from_slice(&part[..count]);
        if let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") {
            break String::from_utf8_lossy(&read[..end]).to_lowercase();
        }
    };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length.expect("a length").parse().expect("a number");
    let mut missing = length.saturating_sub(read.len() - head.len() - 4);
    while missing > 0 {
        let count = stream.read(&mut [0; 4096]).ok().filter(|count| *count > 0)?;
        missing = missing.saturating_sub(count);
    }
    head.split(' ').nth(1)?.parse().ok()
}

/// A proxy with the project's own configuration, on ports of this story; killed when dropped.
struct Proxy {
    child: std::process::Child,
    base: String,
}

impl Proxy {
    fn haproxy(main: &Installation, nodes: &[Installation]) -> Self {
        let (file, base) = configure("haproxy.cfg", main, nodes);
        run(Command::new("haproxy").args(["-c", "-f", word(&file)])).success();
        let child = Command::new("haproxy").args(["-db", "-f", word(&file)]).spawn();
        Self { child: child.expect("haproxy starts"), base }
    }

    fn nginx(main: &Installation, nodes: &[Installation]) -> Self {
        let (file, base) = configure("nginx.conf", main, nodes);
        let shipped = std::fs::read_to_string(&file).expect("the configuration");
        let cache = main.path().join("nginx-cache");
        let own = shipped.replace("/var/cache/nginx/ocsp", word(&cache));
        assert_ne!(own, shipped, "the cache's folder is not in nginx.conf");
        std::fs::write(&file, own).expect("a file");
        // Whoever runs the tests, so that nginx may write where the test may.
        let here = format!("daemon off; user root; pid {};", word(&main.path().join("nginx.pid")));
        let words = ["-e", "stderr", "-c", word(&file), "-g", &here];
        run(Command::new("nginx").arg("-t").args(words)).success();
        let child = Command::new("nginx").args(words).spawn();
        Self { child: child.expect("nginx starts"), base }
    }
}

/// A shipped configuration with the ports of this story; gives its file and the proxy's base.
fn configure(name: &str, main: &Installation, nodes: &[Installation]) -> (PathBuf, String) {
    let port = |base: &str| base.rsplit(':').next().expect("a port").to_owned();
    let shipped = tools::checkout().join("scripts/fleet").join(name);
    let mut text = std::fs::read_to_string(shipped).expect("the project's configuration");
    let own = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let own = own.local_addr().expect("its number").port();
    let mut replace = |from: &str, to: &str| {
        assert!(text.contains(from), "{from} is not in {name}");
        text = text.replace(from, to);
    };
    replace("127.0.0.1:8000", &format!("127.0.0.1:{own}"));
    let is_checked = name == "haproxy.cfg";
    for (node, number) in nodes.iter().zip(["81", "82", "83"]) {
        replace(&format!("127.0.0.1:{number}80"), &format!("127.0.0.1:{}", port(&node.public())));
        if is_checked {
            replace(&format!("port {number}82"), &format!("port {}", port(&node.operations())));
        }
    }
    replace("127.0.0.1:8080", &format!("127.0.0.1:{}", port(&main.public())));
    if is_checked {
        replace("port 8082", &format!("port {}", port(&main.operations())));
    }
    let file = main.path().join(name);
    std::fs::write(&file, text).expect("a file");
    (file, format!("http://127.0.0.1:{own}"))
}

impl Drop for Proxy {
    /// In order, so that it takes its own children with it.
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

#[test]
fn behind_haproxy_a_node_may_die() {
    behind(Proxy::haproxy);
}

#[test]
fn behind_nginx_a_node_may_die() {
    behind(Proxy::nginx);
}

fn behind(proxy: fn(&Installation, &[Installation]) -> Proxy) {
    let main = populate(Installation::evaluation());
    let certificate = issue(&main, "BR-0001", "1", &make_request(main.path(), "key", &P256));
    let question = question(&main, &certificate);
    let writer = main.serve();
    let url = format!("sqlite:{}", main.path().join("tenkoku.db").display());
    let nodes = [(); 3].map(|()| main.status_node(&url));
    let mut servers: Vec<_> = nodes.iter().map(Installation::serve_status).collect();
    let every: Vec<&Installation> = nodes.iter().collect();
    until(&every, |node| ask(node, &question) == Some(AnswerStatus::Good));
    let proxy = proxy(&main, &nodes);
    let begin = Instant::now();
    let finds_a_node = || try_get(&format!("{}/ocsp/{CODE}/AAAA", proxy.base));
    while finds_a_node().is_none_or(|reply| reply.status != 200) {
        assert!(begin.elapsed() < Duration::from_secs(30), "the proxy finds no node");
        std::thread::park_timeout(Duration::from_millis(50));
    }
    let all_good = || {
        (0..50).for_each(|number| {
            assert_eq!(ask_at(&proxy.base, &question), Some(AnswerStatus::Good), "GET {number}");
            assert_eq!(ask_by_post(&proxy.base, &question), AnswerStatus::Good, "POST {number}");
        });
    };
    all_good();
    servers.remove(0).kill();
    all_good();
    revoke(&main, &certificate);
    until_revoked(&every[1..], &question);
    // An answer by GET may be kept by the proxy for as long as its headers say.
    assert!(is_revoked(Some(ask_by_post(&proxy.base, &question))));
    // A node that comes back is asked again.
    servers.push(nodes[0].serve_status());
    servers.remove(0).kill();
    servers.remove(0).kill();
    until(&every[..1], |node| is_revoked(ask(node, &question)));
    let begin = Instant::now();
    while !post(&format!("{}/ocsp/{CODE}", proxy.base), KIND, &question).body.starts_with(&[0x30]) {
        assert!(begin.elapsed() < Duration::from_secs(30), "the proxy does not ask it again");
        std::thread::park_timeout(Duration::from_millis(50));
    }
    assert!(is_revoked(Some(ask_by_post(&proxy.base, &question))));
    // What is not OCSP goes to the node that does everything.
    assert_eq!(get(&format!("{}/crl/{CODE}.crl", proxy.base)).status, 200);
    assert_eq!(get(&format!("{}/crl/{CODE}.crl", nodes[0].public())).status, 404);
    drop(writer);
}

fn ask_by_post(base: &str, question: &[u8]) -> AnswerStatus {
    let reply = post(&format!("{base}/ocsp/{CODE}"), KIND, question);
    let answer = Answer::parse(&reply.body);
    let answer =
        answer.unwrap_or_else(|_| panic!("{}: {}", reply.status, hex::encode(&reply.body)));
    let signer = answer.certificates().first().expect("the signer's certificate");
    answer.verify(&signer.public_key().expect("a key")).expect("a signature that holds");
    answer.singles()[0].status
}
