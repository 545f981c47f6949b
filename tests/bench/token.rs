//! The rate at which a token signs: called bare through `cryptoki`, and through our key store, in the
//! same run with the same module, token and type of key; then issuance end to end with the
//! authorities' keys in the token, next to the same with keys in files.
//!
//! `bench token MODULE LABEL PIN [COUNT]`; `SOFTHSM2_CONF` tells SoftHSM where its tokens lie. It prints
//! and judges nothing.
#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measurement takes the time, tells people, and ends where something is amiss"
)]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::Attribute;
use cryptoki::session::UserType;
use cryptoki::types::AuthPin;
use secrecy::SecretString;
use tenkoku_ca::authority::create_authority;
use tenkoku_ca::issue::issue_certificate;
use tenkoku_domain::authority::AuthorityKind;
use tenkoku_domain::id::KeyId;
use tenkoku_domain::key::KeyAlgorithm;
use tenkoku_domain::level::Level;
use tenkoku_keys::{Body, KeyStore};
use tenkoku_pkcs11::{TokenChoice, TokenKeys, TokenSettings};
use tenkoku_pki::jws::compact::{JwsType, PreparedJws, prepare};
use tenkoku_pki::key::PublicKey;
use tenkoku_ports::Env;
use tenkoku_softkeys::ThrowawayKeys;
use tenkoku_testkit::entropy::SeededEntropy;
use tenkoku_testkit::fixtures::ApplicantKey;
use tenkoku_testkit::world::{BEGIN, OURS, World, at_once, authority_code};

/// Sessions and threads of the rows that are run in parallel.
const WORKERS: usize = 4;

/// P-256 and P-384: the names of their OIDs, DER.
const CURVES: [(&str, KeyAlgorithm, &[u8], usize); 2] = [
    ("P-256", KeyAlgorithm::P256, &[6, 8, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 3, 1, 7], 32),
    ("P-384", KeyAlgorithm::P384, &[6, 5, 0x2B, 0x81, 4, 0, 0x22], 48),
];

pub(super) fn run(words: &[String]) {
    let [module, label, pin, rest @ ..] = words else {
        println!("bench token MODULE LABEL PIN [COUNT]");
        return;
    };
    let count = rest.first().and_then(|word| word.parse().ok()).unwrap_or(2000);
    println!("{count} signatures a row, {WORKERS} threads in the parallel rows.");
    let bare = bare(module, label, pin, count);
    let settings = TokenSettings {
        module: PathBuf::from(module),
        token: TokenChoice::Label(label.clone()),
        sessions: WORKERS,
    };
    let pin = SecretString::from(pin.as_str());
    let keys = TokenKeys::open(&settings, pin, Box::new(ThrowawayKeys)).expect("the token");
    for ((name, algorithm, _, _), bare) in CURVES.into_iter().zip(bare) {
        ours(&keys, (name, algorithm), bare, count);
    }
    let token: Arc<dyn KeyStore> = Arc::new(keys);
    let certificates = (count / 10).max(20);
    World::on_each_database(|world| issue(world, &token, certificates));
}

fn tell(what: &str, count: usize, begun: Instant, beside: Option<f64>) -> f64 {
    let number = u32::try_from(count).map_or(0.0, f64::from);
    let rate = number / begun.elapsed().as_secs_f64();
    let ratio = beside.map_or(String::new(), |beside| format!("{:7.2} x", rate / beside));
    println!("{what:52} {rate:9.1} /s {ratio}");
    rate
}

/// The token's own rates, one thread and several, for each curve: `C_Sign` over a finished digest.
fn bare(module: &str, label: &str, pin: &str, count: usize) -> Vec<[f64; 2]> {
    let pkcs11 = Pkcs11::new(module).expect("the module");
    pkcs11.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)).expect("the module");
    let slots = pkcs11.get_slots_with_initialized_token().expect("slots");
    let has = |slot: &cryptoki::slot::Slot| {
        pkcs11.get_token_info(*slot).is_ok_and(|token| token.label().trim() == label)
    };
    let slot = slots.into_iter().find(has).expect("a token of this label");
    let open = || pkcs11.open_rw_session(slot).expect("a session");
    let session = open();
    session.login(UserType::User, Some(&AuthPin::new(pin.to_owned().into()))).expect("the PIN");
    let rates = CURVES.map(|(name, _, curve, octets)| {
        let public = [Attribute::EcParams(curve.to_vec()), Attribute::Token(false)];
        let private = [Attribute::Sign(true), Attribute::Token(false), Attribute::Sensitive(true)];
        let pair = session.generate_key_pair(&Mechanism::EccKeyPairGen, &public, &private);
        let (_, key) = pair.expect("a key");
        let digest = vec![0x5A; octets];
        let begun = Instant::now();
        for _ in 0..count {
            session.sign(&Mechanism::Ecdsa, key, &digest).expect("a signature");
        }
        let one = tell(&format!("{name}, the token called bare, one thread"), count, begun, None);
        let begun = Instant::now();
        at_once(WORKERS, |_| {
            let session = open();
            for _ in 0..count / WORKERS {
                session.sign(&Mechanism::Ecdsa, key, &digest).expect("a signature");
            }
        });
        [one, tell(&format!("{name}, the token called bare, threads"), count, begun, None)]
    });
    drop(session);
    pkcs11.finalize().expect("the module is let go");
    rates.to_vec()
}

/// The same through our key store: session from the pool, signer checked, digest made, value encoded.
fn ours(
    keys: &TokenKeys,
    (name, algorithm): (&str, KeyAlgorithm),
    [one, several]: [f64; 2],
    count: usize,
) {
    let id = KeyId::new(BEGIN, &SeededEntropy::new(u64::from(algorithm == KeyAlgorithm::P256)));
    let made = keys.generate(&id, algorithm).expect("a key");
    let public = PublicKey::parse(&made.public_key).expect("a key");
    let body: PreparedJws = prepare(JwsType::KeyFeed, "{}", &public).expect("a body");
    let sign = || keys.sign(&id, &Body::Jws(&body)).expect("a signature");
    sign();
    let begun = Instant::now();
    for _ in 0..count {
        sign();
    }
    tell(&format!("{name}, through our key store, one thread"), count, begun, Some(one));
    let begun = Instant::now();
    at_once(WORKERS, |_| (0..count / WORKERS).for_each(|_| drop(sign())));
    tell(&format!("{name}, through our key store, threads"), count, begun, Some(several));
    keys.destroy(&id).expect("destroyed");
}

/// Issuance of ready applications: with keys in files, then with a second generation of authorities
/// whose keys are in the token.
fn issue(world: &World, token: &Arc<dyn KeyStore>, count: usize) {
    let organisation = world.organisation(OURS);
    let ready: Vec<_> = (0..2 * count)
        .map(|number| {
            let (code, name) = (format!("BR-{number:04}"), format!("第{number}支店"));
            let branch = world.branch(&organisation, [&code, &name, &format!("Branch {number}")]);
            let key = ApplicantKey::make(KeyAlgorithm::P256);
            world.apply(&branch, Level::One, &key).expect("an application")
        })
        .collect();
    let rate =
        |env: &Env, ready: &[tenkoku_domain::application::Application], what: &str, beside| {
            let begun = Instant::now();
            for application in ready {
                let issued = issue_certificate(env, &world.permit(), &application.id);
                issued.expect("a certificate");
            }
            tell(what, ready.len(), begun, beside)
        };
    let (first, second) = ready.split_at(count);
    let files = rate(&world.env, first, "issue a ready application, keys in files", None);
    let env = Env { keys: Arc::clone(token), ..world.env.clone() };
    let root = world.authority_order("root-g2", AuthorityKind::Root, 2);
    create_authority(&env, &world.permit(), &root).expect("a root in the token");
    let mut issuing = world.authority_order("seal-l1-g2", AuthorityKind::Issuing(Level::One), 2);
    issuing.issuer = Some(authority_code("root-g2"));
    create_authority(&env, &world.permit(), &issuing).expect("an authority in the token");
    rate(&env, second, "issue a ready application, keys in the token", Some(files));
    // The next database begins with the same names.
    for id in token.list().expect("the keys") {
        token.destroy(&id).expect("destroyed");
    }
}
