//! The store against SoftHSM: the contract, KM-10, and everything that can go wrong with a token.
//!
//! A module belongs to its process and reads SOFTHSM2_CONF once, so each test runs in a process of
//! its own, with tokens of its own, which it starts itself.
#![forbid(unsafe_code)]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends where something is not as it must be"
)]

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use secrecy::SecretString;
use tenkoku_domain::id::{Entropy, KeyId};
use tenkoku_domain::key::{KeyAlgorithm, OriginClass};
use tenkoku_domain::time::Timestamp;
use tenkoku_keys::{Container, KeyError, KeyStore as _, contract};
use tenkoku_pkcs11::{TokenChoice, TokenKeys, TokenSettings, list_tokens};
use tenkoku_softkeys::ThrowawayKeys;

const PIN: &str = "2468-test";
const HOME: &str = "TENKOKU_TEST_SOFTHSM";

struct Fixed(u8);
impl Entropy for Fixed {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(self.0);
    }
}

/// Other names than the contract makes.
fn id(number: u8) -> KeyId {
    KeyId::new(Timestamp::EPOCH, &Fixed(100 + number))
}

fn module() -> PathBuf {
    ["/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so"]
        .into_iter()
        .map(PathBuf::from)
        .find(|path| path.exists())
        .expect("the tests need SoftHSM: scripts/setup-tests installs it")
}

/// SoftHSM with its tokens in a folder of its own.
struct Home(PathBuf);

impl Home {
    /// Runs the test of this name in a process of its own, where `story` gets its SoftHSM.
    fn run(name: &str, story: fn(&Self)) {
        #[expect(clippy::disallowed_methods, reason = "the module reads the environment too")]
        if let Ok(home) = env::var(HOME) {
            return story(&Self(PathBuf::from(home)));
        }
        let folder = tempfile::tempdir().unwrap();
        let home = Self(folder.path().to_owned());
        fs::create_dir(home.tokens()).unwrap();
        let text =
            format!("directories.tokendir = {}\nlog.level = ERROR\n", home.tokens().display());
        fs::write(home.configuration(), text).unwrap();
        home.set_up("tenkoku");
        let done = Command::new(env::current_exe().unwrap())
            .args([name, "--exact", "--nocapture"])
            .env("SOFTHSM2_CONF", home.configuration())
            .env(HOME, &home.0)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&done.stderr) + String::from_utf8_lossy(&done.stdout);
        assert!(done.status.success() && said.contains("1 passed"), "{said}");
    }

    fn configuration(&self) -> PathBuf {
        self.0.join("softhsm2.conf")
    }

    fn tokens(&self) -> PathBuf {
        self.0.join("tokens")
    }

    /// Makes a token with this label.
    fn set_up(&self, label: &str) {
        let done = Command::new("softhsm2-util")
            .args(["--init-token", "--free", "--label", label, "--so-pin", "1357-test"])
            .args(["--pin", PIN])
            .env("SOFTHSM2_CONF", self.configuration())
            .output()
            .unwrap();
        assert!(done.status.success(), "{done:?}");
    }

    #[expect(clippy::unused_self, reason = "without a home there is no token to open")]
    fn open_with(&self, label: &str, pin: &str, sessions: usize) -> Result<TokenKeys, KeyError> {
        let token = TokenChoice::Label(label.to_owned());
        let settings = TokenSettings { module: module(), token, sessions };
        let keys = TokenKeys::open(&settings, SecretString::from(pin), Box::new(ThrowawayKeys))?;
        keys.check()?;
        Ok(keys)
    }

    fn open(&self) -> TokenKeys {
        self.open_with("tenkoku", PIN, 4).unwrap()
    }
}

/// A way to the token beside the store: the same library, so the same process-wide state.
struct Beside(Pkcs11);

impl Beside {
    fn new() -> Self {
        let context = Pkcs11::new(module()).unwrap();
        drop(context.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)));
        Self(context)
    }

    fn session(&self) -> Session {
        let mut slots = self.0.get_slots_with_initialized_token().unwrap();
        let session = self.0.open_rw_session(slots.remove(0)).unwrap();
        drop(session.login(UserType::User, Some(&SecretString::from(PIN))));
        session
    }
}

fn private(session: &Session, id: &KeyId) -> ObjectHandle {
    let class = Attribute::Class(ObjectClass::PRIVATE_KEY);
    let name = Attribute::Id(id.as_str().as_bytes().to_vec());
    let found = session.find_objects(&[class, name]).unwrap();
    let [one] = found.as_slice() else { panic!("{found:?}") };
    *one
}

/// Puts a P-256 key pair into the token that was made outside of it: d = 1, the generator.
fn import(session: &Session, id: &KeyId) {
    let name = id.as_str().as_bytes().to_vec();
    let curve = hex::decode("06082a8648ce3d030107").unwrap();
    let point = "0441046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296\
                 4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";
    let both = [
        Attribute::Token(true),
        Attribute::KeyType(KeyType::EC),
        Attribute::Id(name.clone()),
        Attribute::Label(name),
        Attribute::EcParams(curve),
    ];
    let mut public = both.to_vec();
    public.push(Attribute::Class(ObjectClass::PUBLIC_KEY));
    public.push(Attribute::EcPoint(hex::decode(point).unwrap()));
    session.create_object(&public).unwrap();
    let mut secret = vec![0; 32];
    secret[31] = 1;
    let mut private = both.to_vec();
    private.push(Attribute::Class(ObjectClass::PRIVATE_KEY));
    private.extend([Attribute::Private(true), Attribute::Sensitive(true), Attribute::Sign(true)]);
    private.extend([Attribute::Extractable(false), Attribute::Value(secret)]);
    session.create_object(&private).unwrap();
}

#[test]
fn keys_in_a_token_keep_the_contract() {
    Home::run("keys_in_a_token_keep_the_contract", |home| {
        contract::check(&home.open()).unwrap();
    });
}

#[test]
fn km_10_a_key_is_made_so_that_it_cannot_leave() {
    Home::run("km_10_a_key_is_made_so_that_it_cannot_leave", |home| {
        let store = home.open();
        for (number, algorithm) in [(1, KeyAlgorithm::P384), (2, KeyAlgorithm::Rsa2048)] {
            let made = store.generate(&id(number), algorithm).unwrap();
            assert_eq!(made.origin.class, OriginClass::K2);
            assert_eq!(made.origin.object, hex::encode(id(number).as_str()));
            let session = Beside::new().session();
            let key = private(&session, &id(number));
            let asked = [
                AttributeType::Token,
                AttributeType::Private,
                AttributeType::Sensitive,
                AttributeType::AlwaysSensitive,
                AttributeType::NeverExtractable,
                AttributeType::Local,
                AttributeType::Sign,
                AttributeType::Extractable,
                AttributeType::Copyable,
                AttributeType::Decrypt,
                AttributeType::Unwrap,
                AttributeType::Derive,
            ];
            let read = format!("{:?}", session.get_attributes(key, &asked).unwrap());
            let expected = "[Token(true), Private(true), Sensitive(true), AlwaysSensitive(true), \
                            NeverExtractable(true), Local(true), Sign(true), Extractable(false), \
                            Copyable(false), Decrypt(false), Unwrap(false), Derive(false)]";
            assert_eq!(read, expected);
        }
    });
}

#[test]
fn km_10_the_token_and_the_library_are_recorded() {
    Home::run("km_10_the_token_and_the_library_are_recorded", |home| {
        let made = home.open().generate(&id(1), KeyAlgorithm::P256).unwrap();
        let found = list_tokens(&module()).unwrap();
        let [token] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!(made.origin.container, token.container);
        let Container::Token { label, serial, library, .. } = made.origin.container else {
            panic!("{made:?}")
        };
        assert_eq!(label, "tenkoku");
        assert_eq!(serial.len(), 16, "{serial}");
        assert!(library.contains("SoftHSM"), "{library}");
    });
}

#[test]
fn km_10_a_key_that_was_ever_extractable_is_refused() {
    Home::run("km_10_a_key_that_was_ever_extractable_is_refused", |home| {
        let store = home.open();
        let session = Beside::new().session();
        let name = id(1).as_str().as_bytes().to_vec();
        let named = [Attribute::Token(true), Attribute::Id(name)];
        let curve = Attribute::EcParams(hex::decode("06082a8648ce3d030107").unwrap());
        let public = [&named[..], &[curve]].concat();
        let loose =
            [Attribute::Private(true), Attribute::Sensitive(true), Attribute::Extractable(true)];
        let private = [&named[..], &loose].concat();
        let mechanism = cryptoki::mechanism::Mechanism::EccKeyPairGen;
        session.generate_key_pair(&mechanism, &public, &private).unwrap();
        let refused = store.load_public(&id(1)).unwrap_err();
        let refusal = refused.refusal().unwrap();
        assert_eq!((refusal.code.word(), refusal.rule.as_str()), ("container-attributes", "KM-10"));
        assert!(refused.to_string().contains("CKA_NEVER_EXTRACTABLE"), "{refused}");
        // It can still be taken away.
        assert!(store.destroy(&id(1)).unwrap().is_complete());
    });
}

#[test]
fn scenario_4_a_key_imported_into_a_token_is_never_used() {
    Home::run("scenario_4_a_key_imported_into_a_token_is_never_used", |home| {
        let store = home.open();
        import(&Beside::new().session(), &id(1));
        assert_eq!(store.list().unwrap(), [id(1)]);
        for refused in [store.inspect(&id(1)), store.load_public(&id(1))] {
            let refused = refused.unwrap_err();
            // Whoever looks into it learns which key it was: d = 1 on P-256 (DOMAIN 22).
            let KeyError::Attributes { fingerprint, .. } = &refused else { panic!("{refused}") };
            assert!(fingerprint.to_string().starts_with("d18f006b1501e3a5"), "{fingerprint}");
            assert_eq!(refused.refusal().unwrap().code.word(), "container-attributes");
            assert!(refused.to_string().contains("CKA_LOCAL"), "{refused}");
        }
        let again = store.generate(&id(1), KeyAlgorithm::P256);
        assert!(matches!(again, Err(KeyError::Exists(_))), "{again:?}");
    });
}

#[test]
fn a_wrong_pin_is_tried_once() {
    Home::run("a_wrong_pin_is_tried_once", |home| {
        let refused = home.open_with("tenkoku", "1111-wrong", 2).unwrap_err();
        assert!(matches!(refused, KeyError::WrongPin { .. }), "{refused}");
        assert!(!refused.to_string().contains("1111"), "{refused}");
        let store = home.open();
        // The PIN is changed, and the log-in lost.
        let beside = Beside::new();
        let (old, new) = (SecretString::from(PIN), SecretString::from("9753-test"));
        beside.session().set_pin(&old, &new).unwrap();
        beside.0.clone().finalize().unwrap();
        assert!(matches!(store.check(), Err(KeyError::WrongPin { .. })));
        // It would do again, but is not tried again.
        let right_again = Beside::new();
        let session = right_again
            .0
            .open_rw_session(right_again.0.get_slots_with_initialized_token().unwrap().remove(0))
            .unwrap();
        session.login(UserType::User, Some(&new)).unwrap();
        session.set_pin(&new, &old).unwrap();
        session.logout().unwrap();
        assert!(matches!(store.check(), Err(KeyError::WrongPin { .. })));
        home.open().check().unwrap();
    });
}

#[test]
fn a_lost_session_is_opened_anew() {
    Home::run("a_lost_session_is_opened_anew", |home| {
        let store = home.open();
        let made = store.generate(&id(1), KeyAlgorithm::P256).unwrap();
        // Logged out behind our back: the token hides its private keys.
        Beside::new().session().logout().unwrap();
        assert_eq!(store.list().unwrap(), [id(1)]);
        contract::what_is_destroyed_is_gone(&store).unwrap();
        // The library ended behind our back: every session and handle is void.
        Beside::new().0.finalize().unwrap();
        contract::what_is_destroyed_is_gone(&store).unwrap();
        assert_eq!(store.load_public(&id(1)).unwrap(), made);
    });
}

#[test]
fn more_threads_than_sessions_wait_for_each_other() {
    Home::run("more_threads_than_sessions_wait_for_each_other", |home| {
        let store = home.open_with("tenkoku", PIN, 2).unwrap();
        thread::scope(|scope| {
            for number in 0..8 {
                let store = &store;
                scope.spawn(move || {
                    let key = id(number);
                    store.generate(&key, KeyAlgorithm::P256).unwrap();
                    for _ in 0..20 {
                        store.load_public(&key).unwrap();
                    }
                });
            }
        });
        assert_eq!(store.list().unwrap().len(), 8);
        let found = list_tokens(&module()).unwrap();
        assert_eq!(found.len(), 1);
    });
}

#[test]
fn what_is_not_there_is_called_that() {
    Home::run("what_is_not_there_is_called_that", |home| {
        let absent = home.open_with("another", PIN, 1).unwrap_err();
        assert!(matches!(absent, KeyError::TokenAbsent { .. }), "{absent}");
        let settings = TokenSettings {
            module: Path::new("/nowhere/module.so").to_owned(),
            token: TokenChoice::Serial("1".to_owned()),
            sessions: 1,
        };
        let open = |settings: &TokenSettings| {
            TokenKeys::open(settings, SecretString::from(PIN), Box::new(ThrowawayKeys))
        };
        let module = open(&settings).unwrap_err();
        assert!(matches!(module, KeyError::Module { .. }), "{module}");
        let no_module = TokenSettings { module: home.configuration(), ..settings };
        assert!(matches!(open(&no_module), Err(KeyError::Module { .. })));
        let empty = home.open_with("tenkoku", "", 1).unwrap_err();
        assert!(matches!(empty, KeyError::EmptyPassphrase));
    });
}

#[test]
fn a_token_taken_away_while_serving_is_missed_and_found_again() {
    Home::run("a_token_taken_away_while_serving_is_missed_and_found_again", |home| {
        let store = home.open();
        let made = store.generate(&id(1), KeyAlgorithm::P256).unwrap();
        store.check().unwrap();
        // First the whole medium, then the one token on it.
        for taken in [home.tokens(), only_folder(&home.tokens())] {
            let away = home.0.join("away");
            fs::rename(&taken, &away).unwrap();
            let absent =
                |done: Result<(), KeyError>| matches!(done, Err(KeyError::TokenAbsent { .. }));
            assert!(absent(store.check()), "{taken:?}");
            assert!(absent(store.list().map(drop)), "{taken:?}");
            assert!(absent(store.load_public(&id(1)).map(drop)), "{taken:?}");
            assert!(absent(store.generate(&id(2), KeyAlgorithm::P256).map(drop)), "{taken:?}");
            fs::rename(&away, &taken).unwrap();
            store.check().unwrap();
            assert_eq!(store.load_public(&id(1)).unwrap(), made);
            assert_eq!(store.list().unwrap(), [id(1)]);
            contract::what_is_destroyed_is_gone(&store).unwrap();
        }
    });
}

fn only_folder(folder: &Path) -> PathBuf {
    let mut inside = fs::read_dir(folder).unwrap();
    inside.next().unwrap().unwrap().path()
}

#[test]
fn two_tokens_of_one_module_do_not_disturb_each_other() {
    Home::run("two_tokens_of_one_module_do_not_disturb_each_other", |home| {
        home.set_up("second");
        let first = home.open();
        let second = home.open_with("second", PIN, 2).unwrap();
        let made = first.generate(&id(1), KeyAlgorithm::P256).unwrap();
        assert!(matches!(second.load_public(&id(1)), Err(KeyError::NotFound(_))));
        let other = second.generate(&id(1), KeyAlgorithm::P256).unwrap();
        assert_ne!(made.public_key, other.public_key);
        assert_ne!(made.origin.container, other.origin.container);
        // A store that asks for a third token starts the module anew under both.
        assert!(home.open_with("third", PIN, 1).is_err());
        assert_eq!(first.load_public(&id(1)).unwrap(), made);
        assert_eq!(second.load_public(&id(1)).unwrap(), other);
        contract::what_is_destroyed_is_gone(&second).unwrap();
    });
}

#[test]
fn a_key_destroyed_beside_us_is_gone_here_too() {
    Home::run("a_key_destroyed_beside_us_is_gone_here_too", |home| {
        let (here, there) = (home.open(), home.open());
        here.generate(&id(1), KeyAlgorithm::P256).unwrap();
        let report = there.destroy(&id(1)).unwrap();
        assert_eq!((report.before.private, report.before.public), (1, 1));
        assert!(report.after.is_empty());
        assert!(matches!(here.load_public(&id(1)), Err(KeyError::NotFound(_))));
        assert!(matches!(here.destroy(&id(1)), Err(KeyError::NotFound(_))));
    });
}
