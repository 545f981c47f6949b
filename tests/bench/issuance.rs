//! The rate of issuance, end to end and in one process: the request is checked and its key claimed,
//! the certificate linted, recorded, signed and recorded again, three durable commits each; next to
//! `openssl x509 -req`, which has no database, checks no key against others and makes nothing
//! durable.
//!
//! It prints and judges nothing. Run by `make bench`, which brings a durable PostgreSQL server;
//! `bench issuance N` issues N certificates in each row.
#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measurement takes the time, tells people, and ends where something is amiss"
)]

use std::cell::RefCell;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use tenkoku_ca::authority::AuthorityError;
use tenkoku_ca::batch::{BatchOrder, Faulty, hand_in_proofs, load_batch, work_batch};
use tenkoku_ca::demo::{SeedOrder, seed};
use tenkoku_domain::access::Scope;
use tenkoku_domain::application::Application;
use tenkoku_domain::batch::{BatchRow, BatchState};
use tenkoku_domain::branch::Branch;
use tenkoku_domain::id::BatchId;
use tenkoku_domain::key::KeyAlgorithm;
use tenkoku_domain::level::Level;
use tenkoku_domain::organisation::Organisation;
use tenkoku_pki::pem;
use tenkoku_testkit::fixtures::ApplicantKey;
use tenkoku_testkit::tools::openssl;
use tenkoku_testkit::world::{OURS, World, at_once, authority_code};

/// Certificates in each row, unless the command line says otherwise.
const CERTIFICATES: usize = 300;
/// Workers of the rows that are run in parallel.
const WORKERS: [usize; 3] = [4, 16, 48];
/// Certificates that are there already in the last row.
const SEEDED: usize = 1_000_000;

/// What `openssl` puts into a certificate, so that both make the same sort.
const EXTENSIONS: &str = "basicConstraints=critical,CA:FALSE
keyUsage=critical,nonRepudiation
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
crlDistributionPoints=URI:http://127.0.0.1/c.crl
authorityInfoAccess=OCSP;URI:http://127.0.0.1/o
certificatePolicies=1.3.6.1.4.1.32473.1.1.1
";

pub(super) fn run(words: &[String]) {
    let asked = words.first().and_then(|word| word.parse().ok());
    let count: usize = asked.unwrap_or(CERTIFICATES);
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("unknown").to_owned();
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    println!("{count} certificates a row: keys on P-256, authorities on P-384, 3 commits each.");
    println!("{cores} cores, load {load} at the start, {}", openssl(["version"]).success().trim());
    println!("On a machine that does other work these figures claim nothing.\n");
    let peer = Peer::new(count);
    let first = peer.issue("openssl x509 -req, a process each", None);
    let databases = RefCell::new(["PostgreSQL, fsync on", "SQLite, synchronous = FULL"].to_vec());
    World::on_each_database(|world| {
        let database = databases.borrow_mut().pop().unwrap_or("another database");
        measure(world, database, count, first);
    });
    peer.issue("openssl once more", Some(first));
}

/// Prints a row; gives the certificates per second.
fn tell(what: &str, count: usize, took: Duration, peer: Option<f64>) -> f64 {
    let count = u32::try_from(count).map_or(0.0, f64::from);
    let rate = count / took.as_secs_f64();
    let ratio = peer.map_or(String::new(), |peer| format!("{:7.2} x openssl", rate / peer));
    println!("{what:46} {rate:8.1} /s {:8.2} ms each {ratio}", 1000.0 / rate);
    rate
}

fn measure(world: &World, database: &str, count: usize, peer: f64) {
    let organisation = world.organisation(OURS);
    let mut branches = 0;
    let mut made = || -> Vec<(Branch, ApplicantKey)> {
        (0..count)
            .map(|_| {
                branches += 1;
                let (code, name) = (format!("BR-{branches:05}"), format!("第{branches}支店"));
                let latin = format!("Branch {branches}");
                let branch = world.branch(&organisation, [&code, &name, &latin]);
                (branch, ApplicantKey::make(KeyAlgorithm::P256))
            })
            .collect()
    };
    let apply = |(branch, key): &(Branch, ApplicantKey)| {
        world.apply(branch, Level::One, key).expect("an application")
    };
    let issue = |application: &Application| {
        world.issue(application).expect("a certificate");
    };
    let row = |what: &str, begun: &Begun| {
        let (took, cpu) = (begun.at.elapsed(), begun.cpu_micros_each(count));
        let rate = tell(&format!("{database}, {what}"), count, took, Some(peer));
        println!("{:46} {cpu:8.0} microseconds of a processor each", "");
        rate
    };
    let (all, begun) = (made(), Begun::now());
    for one in &all {
        issue(&apply(one));
    }
    row("one by one", &begun);
    for workers in WORKERS {
        let (all, begun) = (made(), Begun::now());
        share(workers, &all, |one| issue(&apply(one)));
        row(&format!("{workers} workers"), &begun);
    }
    let listed = made();
    let took = issue_list(world, &organisation, &listed);
    tell(&format!("{database}, one list in one job"), count, took, Some(peer));
    let most = WORKERS.into_iter().max().unwrap_or(1);
    let ready: Vec<Application> = made().iter().map(apply).collect();
    let begun = Begun::now();
    share(most, &ready, issue);
    let empty = row(&format!("ready ones, {most} workers"), &begun);
    let order = SeedOrder { authority: authority_code("seal-l1-g1"), issued: SEEDED, revoked: 0 };
    seed::<AuthorityError>(&world.env, &world.permit(), &order, |_| Ok(())).expect("a seed");
    let ready: Vec<Application> = made().iter().map(apply).collect();
    let begun = Begun::now();
    share(most, &ready, issue);
    let full = row(&format!("the same among {SEEDED}"), &begun);
    println!("{database}: among {SEEDED} at {:.2} of the rate among none\n", full / empty);
    // What a world holds at its end is checked certificate by certificate, which takes long here.
    world.tamper("UPDATE counters SET value = value");
}

/// A list of branch offices, applied for and issued by the job; the requests are made in between.
fn issue_list(
    world: &World,
    organisation: &Organisation,
    listed: &[(Branch, ApplicantKey)],
) -> Duration {
    let codes: Vec<&str> = listed.iter().map(|(branch, _)| branch.code.as_str()).collect();
    let order = BatchOrder {
        organisation: organisation.id.clone(),
        level: Level::One,
        validity_days: None,
        grant: None,
        list: format!("branch\n{}\n", codes.join("\n")).into_bytes(),
        faulty: Faulty::Refuse,
    };
    let work = |id: &BatchId| {
        let mut after = 0;
        while let Some(next) =
            work_batch(&world.env, &world.permit(), id, after).expect("a turn").next
        {
            after = next;
        }
    };
    let start = Instant::now();
    let loaded = load_batch(&world.env, &world.permit(), &order).expect("a batch");
    let id = loaded.batch.id;
    work(&id);
    let applied = start.elapsed();
    let rows = world.read(|tx| tx.batch_rows(&id, 0, i64::MAX));
    let proof = |(row, (_, key)): (&BatchRow, &(Branch, ApplicantKey))| {
        let application = row.application.as_ref().expect("an application");
        let challenge = world.read(|tx| tx.current_challenge(application)).text;
        let request = pem::encode("CERTIFICATE REQUEST", &key.proof(&challenge));
        serde_json::json!({ "branch": row.code, "request": request })
    };
    let proofs: Vec<_> = rows.iter().zip(listed).map(proof).collect();
    let file = serde_json::Value::from(proofs).to_string();
    let start = Instant::now();
    hand_in_proofs(&world.env, &world.permit(), &id, file.as_bytes()).expect("requests");
    work(&id);
    let took = applied + start.elapsed();
    let batch = world.read(|tx| tx.load_batch(&Scope::Platform, &id));
    assert_eq!(batch.state, BatchState::Done, "every row is issued");
    took
}

/// When something began, by the clock and by what this process had used of the processors.
struct Begun {
    at: Instant,
    ticks: u32,
}

impl Begun {
    fn now() -> Self {
        Self { at: Instant::now(), ticks: ticks() }
    }

    /// What each of so many took of the processors, in microseconds.
    fn cpu_micros_each(&self, count: usize) -> f64 {
        let used = f64::from(ticks() - self.ticks) * 10_000.0;
        used / u32::try_from(count).map_or(1.0, f64::from)
    }
}

/// User and system time of this process, in hundredths of a second.
fn ticks() -> u32 {
    let stat = fs::read_to_string("/proc/self/stat").expect("the process's figures");
    let fields = stat.rsplit(") ").next().expect("its fields");
    fields.split(' ').skip(11).take(2).filter_map(|field| field.parse::<u32>().ok()).sum()
}

/// Does something with each of many, by several workers at once.
fn share<T: Sync>(workers: usize, all: &[T], act: impl Fn(&T) + Sync) {
    at_once(workers, |worker| all.iter().skip(worker).step_by(workers).for_each(&act));
}

/// The other side: an authority and requests in files.
struct Peer {
    folder: tempfile::TempDir,
    count: usize,
}

impl Peer {
    fn new(count: usize) -> Self {
        let folder = tempfile::TempDir::new().expect("a temporary folder");
        let file = |name: &str| path(&folder.path().join(name));
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384", "-nodes"];
        let (private, certificate) = (file("ca.key"), file("ca.pem"));
        let to = ["-keyout", &private, "-subj", "/C=JP/O=Peer/CN=Peer CA", "-out", &certificate];
        openssl(["req", "-x509"].iter().chain(&key).chain(&to)).success();
        fs::write(file("extensions"), EXTENSIONS).expect("a file");
        for number in 0..count {
            let request = ApplicantKey::make(KeyAlgorithm::P256).request();
            fs::write(file(&format!("{number}.csr")), request).expect("a file");
        }
        Self { folder, count }
    }

    fn issue(&self, what: &str, peer: Option<f64>) -> f64 {
        let file = |name: &str| path(&self.folder.path().join(name));
        let (private, certificate) = (file("ca.key"), file("ca.pem"));
        let (extensions, out) = (file("extensions"), file("out.pem"));
        let by = ["-CA", &certificate, "-CAkey", &private, "-sha384", "-days", "365"];
        let how = ["-extfile", &extensions, "-out", &out];
        let start = Instant::now();
        for number in 0..self.count {
            let request = file(&format!("{number}.csr"));
            let of = ["x509", "-req", "-inform", "DER", "-in", &request];
            openssl(of.iter().chain(&by).chain(&how)).success();
        }
        tell(what, self.count, start.elapsed(), peer)
    }
}

fn path(path: &Path) -> String {
    path.display().to_string()
}
