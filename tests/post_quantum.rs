//! The story of ML-DSA (RFC 9881): a hierarchy from root to seal, its lists and its answers, where
//! the policy allows it, and the two twins of a seal, a classical one and a post-quantum one. Python's
//! `cryptography`, which brings an openssl that knows ML-DSA, verifies all of it.

use std::fs;
use std::path::Path;

use tenkoku_ca::apply::{ApplyOrder, apply_for_seal};
use tenkoku_ca::authority::{AuthorityError, AuthorityOrder, create_authority};
use tenkoku_domain::application::Wishes;
use tenkoku_domain::audit::Event;
use tenkoku_domain::authority::AuthorityKind;
use tenkoku_domain::branch::Branch;
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::certificate::{Certificate, Profile};
use tenkoku_domain::key::KeyAlgorithm;
use tenkoku_domain::level::Level;
use tenkoku_domain::policy::{Installation, KeyPolicy, MlDsaSet};
use tenkoku_domain::refusal::RefusalCode;
use tenkoku_domain::revocation::Cause;
use tenkoku_pki::ocsp::{AnswerStatus, HashAlgorithm, encode_request};
use tenkoku_testkit::fixtures::ApplicantKey;
use tenkoku_testkit::tools::{checkout, linter, run};
use tenkoku_testkit::world::{World, authority_code};

use crate::support::check_refused;

/// The policy in force, which now allows ML-DSA for authorities and at level 2.
fn allow(world: &World) {
    let mut policy = KeyPolicy::initial(Installation::Evaluation);
    let sets = vec![MlDsaSet::MlDsa65, MlDsaSet::MlDsa87];
    "ml-dsa".clone_into(&mut policy.version);
    policy.algorithms.level2.ml_dsa.clone_from(&sets);
    policy.algorithms.authority.ml_dsa = Some(sets);
    world.clock.advance_seconds(1);
    let event = Event::InstallationMade { policy: Box::new(policy) };
    world.write(|tx| tx.record(&world.shell().origin(), world.now(), &event)).expect("a policy");
}

/// The second generation of root and level 2, of the parameter sets given.
fn orders(world: &World, [root, issuing]: [KeyAlgorithm; 2]) -> [AuthorityOrder; 2] {
    let top = world.authority_order("root-g2", AuthorityKind::Root, 2);
    let below = world.authority_order("seal-l2-g2", AuthorityKind::Issuing(Level::Two), 2);
    let issuer = Some(authority_code("root-g2"));
    [
        AuthorityOrder { algorithm: root, ..top },
        AuthorityOrder { algorithm: issuing, issuer, ..below },
    ]
}

fn der_of(certificate: &Certificate) -> Vec<u8> {
    certificate.der.clone().expect("a released certificate")
}

/// What Python's `cryptography` says about everything in a folder.
fn judged(folder: &Path) -> String {
    let script = checkout().join("tests/linters/verify_status.py");
    run(linter("python").arg(script).arg(folder)).success().to_owned()
}

/// Writes what relying parties get of the second generation: certificates, lists, and an answer
/// about two seals.
fn publish(world: &World, folder: &Path, seals: &[(&str, &Certificate)]) {
    let write = |name: &str, der: &[u8]| fs::write(folder.join(name), der).expect("a file");
    for code in ["root-g2", "seal-l2-g2"] {
        let authority = world.authority(code);
        write(&format!("{code}.cer"), authority.certificate.as_deref().expect("a certificate"));
        world.crl(code);
        let crl = world.read(|tx| tx.latest_crl(&authority.id)).expect("a CRL");
        write(&format!("{code}.crl"), &world.read(|tx| tx.load_crl(&crl)).expect("its octets"));
    }
    for (name, seal) in seals {
        write(&format!("{name}.cer"), &der_of(seal));
    }
    let id =
        |seal: &Certificate| world.cert_id(&seal.authority, &seal.serial, HashAlgorithm::Sha256);
    let ids: Vec<_> = seals.iter().map(|(_, seal)| id(seal)).collect();
    let answer = world.ask("seal-l2-g2", &encode_request(&ids, Some(&[7; 32])));
    write("answer.ocsp", &answer);
}

#[test]
fn km_1_a_post_quantum_hierarchy_stands_where_the_policy_allows_it() {
    for sets in [
        [KeyAlgorithm::MlDsa87, KeyAlgorithm::MlDsa65],
        [KeyAlgorithm::MlDsa65, KeyAlgorithm::MlDsa87],
    ] {
        World::on_each_database(|world| {
            let osaka = world.osaka();
            let [root, issuing] = orders(world, sets);
            let create = |order| create_authority(&world.env, &world.permit(), order);
            let Err(AuthorityError::Refused(refused)) = create(&root) else {
                panic!("the policy allows no such root")
            };
            assert_eq!(refused.code, RefusalCode::KeyAlgorithm);
            let key = ApplicantKey::make(sets[1]);
            let applied = world.open(&osaka, Level::Two, None).expect("an application");
            let proof = || world.prove(&applied, key.proof(&applied.challenge.text));
            let not_allowed = (RefusalCode::KeyAlgorithm, "KM-1");
            check_refused(world, proof, not_allowed, "key.presented");

            allow(world);
            create(&root).expect("a root");
            create(&issuing).expect("an issuing authority");
            world.renew_signers();
            let ready = proof().expect("a proof");
            let good = world.issue(&ready).expect("a certificate");
            assert_eq!(good.authority, world.authority("seal-l2-g2").id);
            let revoked = world.seal_with(&osaka, Level::Two, &ApplicantKey::make(sets[0]));
            world.revoke(&revoked, Cause::KeyExposed).expect("a revocation");
            assert_eq!(world.status(&good), AnswerStatus::Good);
            // What signs answers is no weaker than what is answered about.
            let authority = world.authority("seal-l2-g2").id;
            let signer =
                world.read(|tx| tx.current_signer(&authority, Profile::OcspSigner, world.now()));
            let signer = world.read(|tx| tx.load_key(&signer.clone().expect("a signer").key));
            assert_eq!(signer.algorithm, sets[1]);

            let folder = tempfile::tempdir().expect("a folder");
            world.clock.advance_days(1);
            publish(world, folder.path(), &[("good", &good), ("revoked", &revoked)]);
            let said = judged(folder.path());
            let [above, below] = sets.map(|set| set.name().replace("ML-DSA-", "MLDSA"));
            for line in [
                format!("root-g2.cer: signed with {above}PublicKey"),
                format!("seal-l2-g2.cer: signed with {above}PublicKey"),
                format!("good.cer: signed with {below}PublicKey"),
                format!("answer.ocsp, its signer: signed with {below}PublicKey"),
                "answer.ocsp: GOOD".to_owned(),
                "answer.ocsp: REVOKED".to_owned(),
                "root-g2.crl: 0 entries".to_owned(),
                "seal-l2-g2.crl: 1 entries".to_owned(),
            ] {
                assert!(said.contains(&line), "no «{line}» in\n{said}");
            }
            // The judge judges: one bit less and it refuses.
            let file = folder.path().join("good.cer");
            let mut der = der_of(&good);
            *der.last_mut().expect("octets") ^= 1;
            fs::write(&file, der).expect("a file");
            let script = checkout().join("tests/linters/verify_status.py");
            let refused = run(linter("python").arg(script).arg(folder.path()));
            assert!(refused.said().contains("InvalidSignature"), "{}", refused.said());
        });
    }
}

/// The certificate that names its twin by digest (RFC 9763), `None` where it names none.
fn related(certificate: &Certificate) -> Option<[u8; 32]> {
    const OID: [u8; 10] = [0x06, 0x08, 0x2B, 6, 1, 5, 5, 7, 1, 0x24];
    let der = der_of(certificate);
    let place = der.windows(OID.len()).position(|octets| octets == OID)?;
    let after = &der[place..];
    let octets = after.windows(2).position(|octets| octets == [0x04, 0x20])?;
    after[octets + 2..octets + 34].try_into().ok()
}

fn twin(world: &World, branch: &Branch, of: &Certificate, algorithm: KeyAlgorithm) -> Certificate {
    let order = ApplyOrder {
        branch: branch.id.clone(),
        level: Level::Two,
        validity_days: None,
        request: None,
        instance: None,
        wishes: Wishes { twin: Some(of.id.clone()), ..Wishes::default() },
    };
    let applied = apply_for_seal(&world.env, &world.permit(), &order).expect("an application");
    let key = ApplicantKey::make(algorithm);
    let ready = world.prove(&applied, key.proof(&applied.challenge.text)).expect("a proof");
    world.issue(&ready).expect("a certificate")
}

#[test]
fn a_seal_has_a_classical_and_a_post_quantum_twin() {
    World::on_each_database(|world| {
        let osaka = world.osaka();
        let classical = world.seal(&osaka, Level::Two);
        assert_eq!(related(&classical), None);
        allow(world);
        for order in orders(world, [KeyAlgorithm::MlDsa87, KeyAlgorithm::MlDsa65]) {
            create_authority(&world.env, &world.permit(), &order).expect("an authority");
        }
        world.renew_signers();
        let quantum = twin(world, &osaka, &classical, KeyAlgorithm::MlDsa65);
        assert_eq!(related(&quantum), Some(Digest::of(&der_of(&classical)).0));
        assert_eq!(world.read(|tx| tx.load_key(&quantum.key)).algorithm, KeyAlgorithm::MlDsa65);
        // One seal in two instances: neither ends the other.
        assert_eq!(world.status(&classical), AnswerStatus::Good);
        assert_eq!(world.status(&quantum), AnswerStatus::Good);
        // The other way round, as when a new classical key follows.
        let successor = twin(world, &osaka, &quantum, KeyAlgorithm::P256);
        assert_eq!(related(&successor), Some(Digest::of(&der_of(&quantum)).0));
        let folder = tempfile::tempdir().expect("a folder");
        publish(world, folder.path(), &[("quantum", &quantum), ("successor", &successor)]);
        let said = judged(folder.path());
        assert!(said.contains("quantum.cer: signed with MLDSA65PublicKey"), "{said}");
        assert!(said.contains("successor.cer: signed with MLDSA65PublicKey"), "{said}");
    });
}
