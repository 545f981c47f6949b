//! What an independent linter says about one specimen of everything that a running installation
//! signs.

use std::fs;
use std::path::{Path, PathBuf};

use tenkoku_domain::certificate::{Certificate, Profile};
use tenkoku_domain::key::KeyAlgorithm;
use tenkoku_domain::level::Level;
use tenkoku_domain::revocation::Cause;
use tenkoku_pki::ocsp::{HashAlgorithm, encode_request};
use tenkoku_testkit::fixtures::ApplicantKey;
use tenkoku_testkit::tools::{lint_pki, run};
use tenkoku_testkit::world::World;

/// The issuers, and the files to be judged.
struct Specimens {
    issuers: Vec<PathBuf>,
    files: Vec<PathBuf>,
}

impl Specimens {
    fn issuer(&mut self, folder: &Path, code: &str, der: &[u8]) {
        self.add(folder, &format!("{code}.cer"), der);
        self.issuers.extend(self.files.last().cloned());
    }

    fn add(&mut self, folder: &Path, name: &str, der: &[u8]) {
        let file = folder.join(name);
        fs::write(&file, der).expect("a file");
        self.files.push(file);
    }
}

#[test]
fn an_independent_linter_has_nothing_to_say_on_one_specimen_of_everything() {
    World::on_each_database(|world| {
        if !world.env.store.is_sqlite() {
            return;
        }
        let folder = tempfile::tempdir().expect("a folder");
        let specimens = collect(world, folder.path());
        let Some(mut judge) = lint_pki() else { return };
        judge.args(["--at", &world.now().to_string()]);
        for issuer in &specimens.issuers {
            judge.arg("--issuer").arg(issuer);
        }
        let said = run(judge.args(&specimens.files));
        said.success();
        let said = said.said();
        assert!(said.contains("0 FATAL, 0 ERROR, 0 WARNING"), "{said}");
    });
}

fn collect(world: &World, folder: &Path) -> Specimens {
    let mut specimens = Specimens { issuers: Vec::new(), files: Vec::new() };
    for authority in world.read(|tx| tx.list_authorities()) {
        let der = authority.certificate.as_deref().expect("a certificate");
        specimens.issuer(folder, authority.code.as_str(), der);
    }
    let branch = world.osaka();
    for level in Level::ALL {
        let code = format!("seal-l{level}-g1");
        let good = world.seal_with(&branch, level, &ApplicantKey::make(KeyAlgorithm::P384));
        let revoked = world.seal(&branch, level);
        world.revoke(&revoked, Cause::KeyExposed).expect("a revocation");
        specimens.add(folder, &format!("seal-{level}.cer"), &der_of(&good));
        let ids = [&good, &revoked].map(|certificate| {
            let Certificate { authority, serial, .. } = certificate;
            world.cert_id(authority, serial, HashAlgorithm::Sha256)
        });
        let answer = world.ask(&code, &encode_request(&ids, Some(&[7; 32])));
        specimens.add(folder, &format!("{code}.ocsp"), &answer);
        let signer = signer(world, &code, Profile::OcspSigner);
        specimens.add(folder, &format!("ocsp-{level}.cer"), &der_of(&signer));
    }
    let signer = signer(world, "root-g1", Profile::ListSigner);
    specimens.add(folder, "list-signer.cer", &der_of(&signer));
    world.run_jobs();
    for authority in world.read(|tx| tx.list_authorities()) {
        world.crl(authority.code.as_str());
        let crl = world.read(|tx| tx.latest_crl(&authority.id)).expect("a CRL");
        let der = world.read(|tx| tx.load_crl(&crl)).expect("its octets");
        specimens.add(folder, &format!("{}.crl", authority.code), &der);
    }
    specimens
}

fn signer(world: &World, code: &str, profile: Profile) -> Certificate {
    let authority = world.authority(code);
    let found = world.read(|tx| tx.current_signer(&authority.id, profile, world.now()));
    found.expect("a signer")
}

fn der_of(certificate: &Certificate) -> Vec<u8> {
    certificate.der.clone().expect("a released certificate")
}
