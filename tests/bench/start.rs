//! How long a responder takes from nothing to its first answer, with thousands of authorities and a
//! million certificates. In one process, on a database that was filled before. `bench start
//! [AUTHORITIES] [CERTIFICATES]`; run by `make bench`.
#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measurement takes the time, tells people, and ends where something is amiss"
)]

use std::fs;
use std::time::{Duration, Instant};

use tenkoku_ca::authority::AuthorityError;
use tenkoku_ca::demo::{SeedOrder, seed};
use tenkoku_domain::authority::AuthorityKind;
use tenkoku_domain::certificate::Profile;
use tenkoku_domain::level::Level;
use tenkoku_pki::ocsp::{Answer, HashAlgorithm, encode_request};
use tenkoku_ports::Env;
use tenkoku_responder::responder::Responder;
use tenkoku_store::Store;
use tenkoku_testkit::world::{World, authority_code};

pub(super) fn run(words: &[String]) {
    let word = |place: usize| words.get(place).and_then(|word| word.parse().ok());
    let authorities: usize = word(0).unwrap_or(10_000);
    let certificates: usize = word(1).unwrap_or(1_000_000);
    World::on_each_database(|world| measure(world, authorities, certificates));
}

fn measure(world: &World, authorities: usize, certificates: usize) {
    let begin = Instant::now();
    let mut last = world.authority("seal-l1-g1");
    for number in 1..=authorities {
        let generation = i32::try_from(number + 1).expect("a number");
        let code = format!("many-{number}");
        last = world.create_authority(&code, AuthorityKind::Issuing(Level::One), generation);
    }
    world.renew_signers();
    let order = SeedOrder {
        authority: authority_code("seal-l1-g1"),
        issued: certificates,
        revoked: certificates / 10,
    };
    seed::<AuthorityError>(&world.env, &world.permit(), &order, |_| Ok(())).expect("a seed");
    let filled = begin.elapsed();
    let signer = world.read(|tx| tx.current_signer(&last.id, Profile::OcspSigner, world.now()));
    let signer = signer.expect("a signer");
    let id = world.cert_id(&last.id, &signer.serial, HashAlgorithm::Sha256);
    let question = encode_request(&[id], None);
    let (begin, before) = (Instant::now(), cpu());
    let store = Store::open(&world.url(), "node-1").expect("the store");
    let responder = Responder::open(Env { store, ..world.env.clone() }).expect("a responder");
    let ready = begin.elapsed();
    let answer = responder.answer_as_known(last.code.as_str(), &question);
    let answered = begin.elapsed();
    let answer = Answer::parse(&answer).expect("an answer");
    world.check_answer(&last, &answer);
    let standing = responder.standing();
    println!(
        "{}: {} authorities, {} certificates (filled in {:.0} s): ready after {:.2} s, first answer \
         after {:.2} s, CPU {:.2} s, {:.1} octets a certificate",
        if world.env.store.is_sqlite() { "SQLite" } else { "PostgreSQL" },
        standing.authorities,
        standing.certificates,
        filled.as_secs_f64(),
        ready.as_secs_f64(),
        answered.as_secs_f64(),
        cpu().saturating_sub(before).as_secs_f64(),
        f64::from(u32::try_from(standing.index_octets).unwrap_or(u32::MAX))
            / f64::from(u32::try_from(standing.certificates).unwrap_or(u32::MAX)),
    );
    // What a world holds at its end is checked certificate by certificate, which takes long here.
    world.tamper("UPDATE counters SET value = value");
}

/// What this process used of the processors.
fn cpu() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").expect("the process's figures");
    let fields = stat.rsplit(") ").next().expect("its fields");
    let ticks: u64 = fields.split(' ').skip(11).take(2).filter_map(|f| f.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}
