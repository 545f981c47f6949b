//! Stories of RV-3: whoever signs "revoke" with the certified key is believed without signing in,
//! and nobody else is.

use std::fs;
use std::path::Path;

use tenkoku_ca::issuer::SignedFile;
use tenkoku_ca::prove::{Proof, prove_possession};
use tenkoku_ca::revoke::RevokeError;
use tenkoku_ca::revoke_by_key::{KeyWord, revocation_text, revoke_by_key};
use tenkoku_domain::certificate::{Certificate, CertificateState, Serial};
use tenkoku_domain::level::Level;
use tenkoku_domain::refusal::RefusalCode;
use tenkoku_domain::time::Timestamp;
use tenkoku_pki::ocsp::AnswerStatus;
use tenkoku_pki::pem;
use tenkoku_store::StoreError;
use tenkoku_testkit::tools::openssl;
use tenkoku_testkit::world::World;

use crate::support::{check_refused, codes};

/// Somebody at a shell with OpenSSL and a key.
struct Holder {
    folder: tempfile::TempDir,
}

impl Holder {
    fn new() -> Self {
        let holder = Self { folder: tempfile::tempdir().expect("a folder") };
        let new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
        let [key, certificate] = ["key", "certificate"].map(|name| holder.path(name));
        let into = ["-subj", "/CN=seal", "-keyout", &key, "-out", &certificate];
        openssl(["req", "-x509"].iter().chain(&new).chain(&into)).success();
        holder
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn sign(&self, text: &str) -> Vec<u8> {
        let [key, certificate, words, signature] =
            ["key", "certificate", "words", "signature"].map(|name| self.path(name));
        fs::write(&words, text).expect("a file");
        let by = ["cms", "-sign", "-binary", "-signer", &certificate, "-inkey", &key];
        let of = ["-in", &words, "-outform", "PEM", "-out", &signature];
        openssl(by.iter().chain(&of)).success();
        fs::read(Path::new(&signature)).expect("a signature")
    }
}

/// A certificate over the key of a holder, who has it too.
fn sealed(world: &World) -> (Certificate, Holder) {
    let holder = Holder::new();
    let applied = world.open(&world.osaka(), Level::Two, None).expect("an application");
    let proof = Proof::Cms(holder.sign(&applied.challenge.text));
    let id = &applied.application.id;
    let ready = prove_possession(&world.env, &world.permit(), id, &proof).expect("possession");
    let certificate = world.issue(&ready).expect("a certificate");
    let text = pem::encode("CERTIFICATE", certificate.der.as_deref().expect("signed"));
    fs::write(holder.path("certificate"), text).expect("a file");
    (certificate, holder)
}

fn word(holder: &Holder, serial: &Serial, at: Timestamp) -> KeyWord {
    let code = "seal-l2-g1";
    let authority = tenkoku_domain::authority::AuthorityCode::parse(code).expect("a code");
    let text = revocation_text(&authority, serial, at).expect("a text");
    KeyWord {
        authority: code.to_owned(),
        serial: serial.clone(),
        at,
        signed: alone(holder.sign(&text)),
    }
}

/// A signature that needs no path.
fn alone(signature: Vec<u8>) -> SignedFile {
    SignedFile { signature, intermediates: Vec::new(), crls: Vec::new() }
}

#[test]
fn rv_3_the_key_itself_revokes_without_signing_in() {
    World::on_each_database(|world| {
        let (certificate, holder) = sealed(world);
        let asked = world.now();
        let word = word(&holder, &certificate.serial, asked);
        world.clock.advance_seconds(3600);
        let source = Some("192.0.2.7".to_owned());
        let (revoked, told) = world.told(|| revoke_by_key(&world.env, source.clone(), &word));
        let state = revoked.expect("a revocation").state;
        assert!(matches!(state, CertificateState::Revoked(_)), "{state:?}");
        assert_eq!(codes(&told), ["cert.revoked"]);
        assert_eq!(told[0]["actor"]["id"], "key-holder");
        assert_eq!(told[0]["source"], "192.0.2.7");
        let at = world.now().floor();
        let exposed = AnswerStatus::Revoked { at, reason: Some(1) };
        assert_eq!(world.status(&certificate), exposed);
        let again = || revoke_by_key(&world.env, source.clone(), &word);
        let expected = (RefusalCode::RevocationFinal, "RV-2");
        check_refused(world, again, expected, "cert.revocation-refused");
    });
}

#[test]
fn rv_3_rv_6_a_word_that_is_not_the_key_s_is_recorded_and_refused() {
    World::on_each_database(|world| {
        let (certificate, holder) = sealed(world);
        let now = world.now();
        let good = word(&holder, &certificate.serial, now);
        let stranger = word(&Holder::new(), &certificate.serial, now);
        let of_another = Serial::parse("4F00000000000000000000000000A1B2").expect("a number");
        let expected = (RefusalCode::PossessionNotShown, "RV-3");
        for (what, bad) in [
            ("another key", stranger),
            ("another text", KeyWord { at: now.plus_seconds(-1), ..good.clone() }),
            ("no signature", KeyWord { signed: alone(b"revoke".to_vec()), ..good.clone() }),
            ("a day ago", word(&holder, &certificate.serial, now.plus_days(-1))),
            ("of tomorrow", word(&holder, &certificate.serial, now.plus_days(1))),
            (
                "about another certificate",
                KeyWord { serial: certificate.serial.clone(), ..word(&holder, &of_another, now) },
            ),
        ] {
            let refuse = || revoke_by_key(&world.env, None, &bad);
            let refusal = check_refused(world, refuse, expected, "cert.revocation-refused");
            assert!(refusal.facts.contains_key("problem"), "{what}: {refusal}");
            assert_eq!(world.status(&certificate), AnswerStatus::Good, "{what}");
        }
        let unknown = KeyWord { serial: of_another, ..good };
        let (missing, told) = world.told(|| revoke_by_key(&world.env, None, &unknown));
        assert!(matches!(missing, Err(RevokeError::Store(StoreError::NotFound { .. }))));
        assert!(told.is_empty(), "{told:?}");
    });
}
