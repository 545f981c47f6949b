//! Certificates that people sign in with: judged, and shown again before what cannot be undone. TLS
//! itself is the story of the whole system (`tests/tls.rs`).

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, ExtendedKeyUsagePurpose,
    IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P384_SHA384, PublicKeyData,
    RevokedCertParams, SerialNumber, SignatureAlgorithm, date_time_ymd,
};
use tenkoku_domain::access::Actor;
use tenkoku_domain::account::{Account, Factors};

use super::*;
use crate::session::Caller;
use crate::session::certificate::{JudgeError, PASSWORD_AND_CERTIFICATE, bind, judge, release};
use crate::session::password;
use crate::session::sign_in::{SignInError, SignInOrder, sign_in};
use crate::session::step_up::{StepUpError, confirm_with_certificate};
use crate::session::tls::{Material, Presented, Tls};

/// An authority of people's certificates.
struct People {
    issuer: Issuer<'static, KeyPair>,
    der: Vec<u8>,
}

/// The point of a key on P-384.
struct KeyOfP384(Vec<u8>);

impl PublicKeyData for KeyOfP384 {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ECDSA_P384_SHA384
    }
}

/// What differs from a good certificate.
#[derive(Clone, Copy)]
struct Leaf {
    serial: u64,
    until: i32,
    purpose: fn() -> ExtendedKeyUsagePurpose,
}

const GOOD: Leaf = Leaf { serial: 7, until: 2027, purpose: || ExtendedKeyUsagePurpose::ClientAuth };

impl People {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.not_before = date_time_ymd(2026, 1, 1);
        params.not_after = date_time_ymd(2036, 1, 1);
        let key = KeyPair::generate().unwrap();
        let der = params.self_signed(&key).unwrap().der().to_vec();
        Self { issuer: Issuer::new(params, key), der }
    }

    fn certify(&self, leaf: Leaf, world: &World) -> Presented {
        self.certify_key(leaf, &KeyPair::generate().unwrap(), world)
    }

    fn certify_key(&self, leaf: Leaf, key: &impl PublicKeyData, world: &World) -> Presented {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(rcgen::DnType::CommonName, "海野 楓");
        params.serial_number = Some(SerialNumber::from(leaf.serial));
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![(leaf.purpose)()];
        params.not_before = date_time_ymd(2026, 1, 1);
        params.not_after = date_time_ymd(leaf.until, 1, 1);
        let certificate = params.signed_by(key, &self.issuer).unwrap();
        Presented { certificate: certificate.der().to_vec(), others: Vec::new(), at: world.now() }
    }

    fn list(&self, revoked: u64, until: i32) -> Vec<u8> {
        let revoked = RevokedCertParams {
            serial_number: SerialNumber::from(revoked),
            revocation_time: date_time_ymd(2026, 2, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let params = CertificateRevocationListParams {
            this_update: date_time_ymd(2024, 11, 1),
            next_update: date_time_ymd(until, 1, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: vec![revoked],
            key_identifier_method: KeyIdMethod::Sha256,
        };
        params.signed_by(&self.issuer).unwrap().der().to_vec()
    }

    fn material(&self, lists: Vec<Vec<u8>>) -> Material {
        let not_after = tenkoku_domain::time::Timestamp::from_seconds(2_000_000_000);
        Material { not_after, authorities: vec![self.der.clone()], lists }
    }
}

/// The word of the verdict: `good`, or the fault.
fn verdict(world: &World, material: &Material, presented: &Presented) -> &'static str {
    match judge(&world.env, material, presented) {
        Ok(_) => "good",
        Err(JudgeError::Fault(fault)) => fault.word(),
        Err(JudgeError::Store(error)) => panic!("{error}"),
    }
}

#[test]
fn a_certificate_is_judged_by_path_revocation_purpose_and_key() {
    World::on_each_database(|world| {
        let (people, others) = (People::new("People CA"), People::new("Other CA"));
        let server = || ExtendedKeyUsagePurpose::ServerAuth;
        let any = || ExtendedKeyUsagePurpose::Any;
        let plain = people.material(Vec::new());
        for (presented, expected) in [
            (people.certify(GOOD, world), "good"),
            (people.certify(Leaf { purpose: any, ..GOOD }, world), "good"),
            (people.certify(Leaf { purpose: server, ..GOOD }, world), "purpose"),
            (people.certify(Leaf { until: 2026, ..GOOD }, world), "expired"),
            (others.certify(GOOD, world), "no-issuer"),
            (Presented { certificate: vec![0x30, 0], ..others.certify(GOOD, world) }, "unreadable"),
        ] {
            assert_eq!(verdict(world, &plain, &presented), expected);
        }
        let listed = people.material(vec![people.list(9, 2028)]);
        let stale = people.material(vec![people.list(9, 2025)]);
        let revoked = Leaf { serial: 9, ..GOOD };
        for (material, leaf, expected) in [
            (&listed, GOOD, "good"),
            (&listed, revoked, "revoked"),
            (&plain, revoked, "good"),
            (&stale, GOOD, "revocation-unknown"),
        ] {
            assert_eq!(verdict(world, material, &people.certify(leaf, world)), expected);
        }
    });
}

#[test]
fn i_2_a_key_with_a_place_of_use_signs_nobody_in() {
    World::on_each_database(|world| {
        let people = People::new("People CA");
        let root = world.read(|tx| tx.find_authority("root-g1")).unwrap().certificate.unwrap();
        let root = tenkoku_pki::cert::Certificate::parse(&root).unwrap();
        let point = root.spki()[root.spki().len() - 97..].to_vec();
        let presented = people.certify_key(GOOD, &KeyOfP384(point), world);
        let material = people.material(Vec::new());
        assert_eq!(verdict(world, &material, &presented), "key-in-use");
    });
}

/// A console that asks for certificates, and somebody with a password.
fn console_of(people: &People) -> Console {
    Console::open(ConsoleSettings {
        address: Url::parse("https://console.example.jp").unwrap(),
        secret_key: [9; 32],
        callers: Callers::Direct,
        tls: Some(std::sync::Arc::new(Tls::new(people.material(Vec::new())))),
    })
    .unwrap()
}

fn caller(world: &World) -> Caller {
    Caller { address: Some([192, 0, 2, 7].into()), request: world.shell().origin().request }
}

fn with_password(world: &World, name: &str) -> Account {
    let account = world.somebody(name, &[Role::PlatformAdministrator], &Scope::Platform).account;
    let password = Some(password::hash(&*world.env.entropy, PASSWORD).unwrap());
    let factors = Factors { password, ..Factors::default() };
    world.write(|tx| tx.store_factors(&account.id, &factors)).unwrap();
    account
}

#[test]
fn a_certificate_counts_with_the_password_for_the_account_it_is_bound_to() {
    World::on_each_database(|world| {
        let people = People::new("People CA");
        let console = console_of(&people);
        let (account, other) = (with_password(world, "海野 楓"), with_password(world, "佐藤 恵"));
        let origin = world.shell().origin();
        let presented = people.certify(GOOD, world);
        let enter = |account: &Account, password: &str, certificate: Option<Presented>| {
            let (login, password) = (account.login.clone(), password.to_owned());
            let order = SignInOrder { login, password, code: String::new(), certificate };
            sign_in(&world.env, &console, &caller(world), &order)
        };
        let shown = || judge(&world.env, &people.material(Vec::new()), &presented).unwrap();
        let refused = enter(&account, PASSWORD, Some(presented.clone()));
        assert!(matches!(refused, Err(SignInError::Wrong)), "not registered");
        world.write(|tx| bind(tx, &origin, &account.id, &shown(), world.now())).unwrap();
        let again = world.write(|tx| bind(tx, &origin, &other.id, &shown(), world.now()));
        assert!(again.is_err(), "it is of one account");

        for (account, password, certificate) in [
            (&account, PASSWORD, None),
            (&account, "another quiet morning", Some(presented.clone())),
            (&other, PASSWORD, Some(presented.clone())),
            (&account, PASSWORD, Some(people.certify(GOOD, world))),
        ] {
            let refused = enter(account, password, certificate);
            assert!(matches!(refused, Err(SignInError::Wrong)));
        }
        let expired = people.certify(Leaf { until: 2026, ..GOOD }, world);
        let refused = enter(&account, PASSWORD, Some(expired));
        assert!(matches!(refused, Err(SignInError::Certificate(_))), "and what is wrong is told");

        let opened = enter(&account, PASSWORD, Some(presented.clone())).unwrap();
        assert_eq!(opened.session.authenticator, PASSWORD_AND_CERTIFICATE);
        assert_eq!(opened.session.factor_at, presented.at);
        let taken =
            release(&world.env, &origin, &account.id, &shown().bound_at(world.now()).fingerprint);
        assert!(!taken.unwrap(), "the last way in stays");
    });
}

#[test]
fn a_step_up_counts_from_the_instant_at_which_the_key_was_shown() {
    World::on_each_database(|world| {
        let people = People::new("People CA");
        let console = console_of(&people);
        let account = with_password(world, "海野 楓");
        let origin = world.shell().origin();
        let presented = people.certify(GOOD, world);
        let shown = judge(&world.env, &people.material(Vec::new()), &presented).unwrap();
        world.write(|tx| bind(tx, &origin, &account.id, &shown, world.now())).unwrap();
        let opened = Opened::new(&world.env, &account.id, PASSWORD_AND_CERTIFICATE, world.now());
        let begun = world.shell().origin();
        world.write(|tx| opened.record(tx, &begun)).unwrap();
        world.clock.advance_seconds(400);
        let session = &opened.session;
        assert!(!session.is_fresh(world.now()));
        let person = tenkoku_domain::access::Origin {
            actor: Actor::user(&account.id, PASSWORD_AND_CERTIFICATE),
            ..world.shell().origin()
        };
        let confirm = |presented: &Presented, password: &str| {
            let with = (presented, password);
            confirm_with_certificate(&world.env, &console, &caller(world), &person, session, with)
        };
        let again = Presented { at: world.now().plus_seconds(-20), ..presented.clone() };
        for (presented, password) in [
            (&presented, PASSWORD),
            (&again, "another quiet morning"),
            (&people.certify(GOOD, world), PASSWORD),
        ] {
            let refused = confirm(presented, password);
            assert!(matches!(refused, Err(StepUpError::Certificate)), "{refused:?}");
        }
        let fresh = confirm(&again, PASSWORD).unwrap();
        assert_eq!(fresh.factor_at, again.at, "and not from now on");
        assert!(fresh.is_fresh(world.now()));
        world.clock.advance_seconds(290);
        assert!(!fresh.is_fresh(world.now()));
    });
}
