//! Stories of seals that are not the ordinary one (DOMAIN 12.3, 12.7): short-lived and witness-type,
//! with a claim, an LEI, an imprint, a twin; and of the certificates of services (DOMAIN 12.5).

use std::process::Command;

use tenkoku_ca::apply::{Applied, ApplyError, ApplyOrder, apply_for_seal};
use tenkoku_ca::identify::{IdentifyError, proof_lei};
use tenkoku_ca::proposal::propose;
use tenkoku_ca::service::{ServiceUse, issue_administrator, issue_service};
use tenkoku_domain::accreditation::{AccreditationRecord, ClaimKind, DisclosureStatement};
use tenkoku_domain::application::{ImprintWish, SealKind, SealTerm, Wishes};
use tenkoku_domain::authority::{AuthorityKind, ServiceKind};
use tenkoku_domain::branch::Branch;
use tenkoku_domain::certificate::{Certificate, Profile, Validity};
use tenkoku_domain::identifier::Lei;
use tenkoku_domain::key::{KeyAlgorithm, KeyRole};
use tenkoku_domain::level::Level;
use tenkoku_domain::proposal::ProposedAct;
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_testkit::fixtures::ApplicantKey;
use tenkoku_testkit::tools::run;
use tenkoku_testkit::world::World;

use crate::support::check_refused;

/// The operator of the tests' installation.
const OPERATOR: [&str; 3] =
    ["NTRJP-7123456789012", "見本認証局株式会社", "Sample Trust Services Co., Ltd."];

fn apply(
    world: &World,
    branch: &Branch,
    level: Level,
    wishes: &Wishes,
) -> Result<Applied, ApplyError> {
    let order = ApplyOrder {
        branch: branch.id.clone(),
        level,
        validity_days: None,
        request: None,
        instance: None,
        wishes: wishes.clone(),
    };
    apply_for_seal(&world.env, &world.permit(), &order)
}

fn ready(
    world: &World,
    (branch, level): (&Branch, Level),
    wishes: &Wishes,
    algorithm: KeyAlgorithm,
) -> tenkoku_domain::application::Application {
    let applied = apply(world, branch, level, wishes).expect("an application");
    let key = ApplicantKey::make(algorithm);
    world.prove(&applied, key.proof(&applied.challenge.text)).expect("ready")
}

fn issue(world: &World, place: (&Branch, Level), wishes: &Wishes) -> Certificate {
    let ready = ready(world, place, wishes, KeyAlgorithm::P256);
    world.issue(&ready).expect("a certificate")
}

/// What `openssl` reads in a certificate.
fn read(certificate: &Certificate) -> String {
    let folder = tempfile::TempDir::new().expect("a folder");
    let file = folder.path().join("seal.der");
    std::fs::write(&file, certificate.der.as_deref().expect("signed")).expect("a file");
    let words = ["x509", "-noout", "-text", "-nameopt", "utf8", "-inform", "DER", "-in"];
    run(Command::new("openssl").args(words).arg(&file)).success().to_owned()
}

#[test]
fn a_short_lived_seal_lives_a_day_without_revocation_information() {
    World::on_each_database(|world| {
        let osaka = world.osaka();
        let wishes = Wishes { term: SealTerm::Short, ..Wishes::default() };
        let certificate = issue(world, (&osaka, Level::Two), &wishes);
        assert_eq!(certificate.profile, Profile::Seal2Short);
        let Validity { not_before, not_after } = certificate.validity;
        assert_eq!(not_after, not_before.plus_days(1).plus_seconds(-1));
        let text = read(&certificate);
        assert!(text.contains("2.5.29.56") || text.contains("No Revocation Available"), "{text}");
        assert!(!text.contains("CRL Distribution Points") && !text.contains("OCSP"), "{text}");
    });
}

#[test]
fn a_witness_type_seal_bears_the_service_and_nobody_else_has_one() {
    World::on_each_database(|world| {
        let wishes = Wishes { kind: SealKind::Witness, ..Wishes::default() };
        let osaka = world.osaka();
        let stranger = || apply(world, &osaka, Level::Two, &wishes);
        let refused = (RefusalCode::NotAuthorised, "12.2");
        check_refused(world, stranger, refused, "app.submitted");
        let service = world.organisation(OPERATOR);
        let office = world.find_branch(&service, "HQ");
        let level_3 = || apply(world, &office, Level::Three, &wishes);
        check_refused(world, level_3, (RefusalCode::LevelNotAllowed, "5"), "app.submitted");
        let text = read(&issue(world, (&office, Level::Two), &wishes));
        assert!(text.contains("Witness-type seal service") && text.contains(OPERATOR[0]), "{text}");
    });
}

fn record(world: &World) -> AccreditationRecord {
    let statement = |language: &str| DisclosureStatement {
        address: format!("https://pds.example.jp/eseal-{language}.pdf"),
        language: language.to_owned(),
    };
    AccreditationRecord {
        authority: world.authority("seal-l3-g1").id,
        claim: ClaimKind::Accredited,
        profiles: vec![Profile::Seal3],
        country: "JP".to_owned(),
        disclosures: vec![statement("en"), statement("ja")],
        validity: Validity::days(world.now().plus_days(1), 30),
        reference: "decision 2026-17".to_owned(),
    }
}

#[test]
fn pr_2_a_claim_stands_in_a_certificate_only_while_an_accreditation_is_valid() {
    World::on_each_database(|world| {
        let osaka = world.osaka();
        let wishes = Wishes { claim: ClaimKind::Accredited, ..Wishes::default() };
        let ready = || ready(world, (&osaka, Level::Three), &wishes, KeyAlgorithm::P256);
        let not_backed = (RefusalCode::ClaimNotBacked, "PR-2");
        let first = ready();
        check_refused(world, || world.issue(&first), not_backed, "cert.issued");
        let act = ProposedAct::RecordClaim { record: Box::new(record(world)) };
        propose(&world.env, &world.permit(), act, "accredited").expect("recorded");
        check_refused(world, || world.issue(&first), not_backed, "cert.issued");
        world.clock.advance_days(2);
        world.renew_signers();
        let text = read(&world.issue(&first).expect("a certificate that claims"));
        assert!(text.contains("pds.example.jp/eseal-ja.pdf"), "{text}");
        let standing = world.read(|tx| tx.list_accreditations());
        let end = ProposedAct::EndClaim { accreditation: standing[0].id.clone() };
        propose(&world.env, &world.permit(), end.clone(), "withdrawn").expect("ended");
        let again = || propose(&world.env, &world.permit(), end.clone(), "withdrawn");
        check_refused(world, again, (RefusalCode::StateConflict, "12.7"), "claim.ended");
        let second = ready();
        check_refused(world, || world.issue(&second), not_backed, "cert.issued");
        // Other authorities and other levels claim nothing.
        let level_2 = || apply(world, &osaka, Level::Two, &wishes);
        check_refused(world, level_2, (RefusalCode::LevelNotAllowed, "12.7"), "app.submitted");
        let other =
            AccreditationRecord { authority: world.authority("seal-l2-g1").id, ..record(world) };
        let act = ProposedAct::RecordClaim { record: Box::new(other) };
        let wrong = || propose(&world.env, &world.permit(), act.clone(), "accredited");
        check_refused(world, wrong, not_backed, "claim.recorded");
    });
}

/// The entry of an LEI as the register gives it.
fn entry(lei: &str, status: &str) -> Vec<u8> {
    let registration =
        serde_json::json!({ "status": status, "corroborationLevel": "FULLY_CORROBORATED" });
    let attributes = serde_json::json!({
        "lei": lei, "entity": { "status": "ACTIVE" }, "registration": registration,
    });
    serde_json::json!({ "data": { "attributes": attributes } }).to_string().into_bytes()
}

#[test]
fn an_lei_stands_in_a_certificate_after_it_was_looked_up() {
    World::on_each_database(|world| {
        let osaka = world.osaka();
        let text = "5299000J2N45DDNE4Y28";
        let lei = Lei::parse(text).expect("an LEI");
        let wishes = Wishes { lei: Some(lei.clone()), ..Wishes::default() };
        let early = || apply(world, &osaka, Level::One, &wishes);
        check_refused(world, early, (RefusalCode::ProofingMissing, "12.3"), "app.submitted");
        let proof = |status: &str| {
            let entry = entry(text, status);
            proof_lei(&world.env, &world.permit(), &osaka.organisation, (&lei, &entry))
        };
        let lapsed = (RefusalCode::IdentifierInvalid, "4.3");
        check_refused(world, || proof("LAPSED"), lapsed, "org.proofed");
        proof("ISSUED").expect("looked up");
        assert!(read(&issue(world, (&osaka, Level::One), &wishes)).contains(text));
        let other = world.organisation(tenkoku_testkit::world::THEIRS);
        let theirs =
            proof_lei(&world.env, &world.permit(), &other.id, (&lei, &entry(text, "ISSUED")));
        let taken: Refusal = match theirs {
            Err(IdentifyError::Refused(refusal)) => refusal,
            other => panic!("it is taken: {other:?}"),
        };
        assert_eq!(taken.code, RefusalCode::OrganisationExists);
        world.clock.advance_days(399);
        let late = || apply(world, &osaka, Level::One, &wishes);
        check_refused(world, late, (RefusalCode::ProofingExpired, "12.3"), "app.submitted");
    });
}

#[test]
fn an_imprint_is_named_by_the_digest_of_what_is_kept() {
    World::on_each_database(|world| {
        let osaka = world.osaka();
        let picture = b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>";
        let now = world.now();
        let digest = world
            .write(|tx| tx.keep_imprint(("image/svg+xml", picture), now))
            .expect("a kept picture");
        let address = "https://repo.example.jp/imprint/5010401067252/BR-0002.svg".to_owned();
        let wish = |digest| Wishes {
            imprint: Some(ImprintWish { digest, address: address.clone() }),
            ..Wishes::default()
        };
        let unknown = tenkoku_domain::canonical::Digest::of(b"another");
        let missing = || apply(world, &osaka, Level::One, &wish(unknown));
        check_refused(world, missing, (RefusalCode::NameInvalid, "12.3"), "app.submitted");
        let certificate = issue(world, (&osaka, Level::One), &wish(digest));
        let der = hex::encode(certificate.der.expect("signed"));
        // The extension value of DOMAIN 22.
        assert!(der.contains("900fbe934249ad120004bd24adf66aad8817d89586273c0cc50e187bddebb601"));
        assert!(der.contains(&hex::encode(&address)));
    });
}

#[test]
fn a_twin_is_a_certificate_of_the_same_seal_of_another_family() {
    World::on_each_database(|world| {
        let osaka = world.osaka();
        let classical = world.seal(&osaka, Level::Two);
        let wishes = Wishes { twin: Some(classical.id.clone()), ..Wishes::default() };
        let level_1 = || apply(world, &osaka, Level::One, &wishes);
        check_refused(world, level_1, (RefusalCode::LevelNotAllowed, "12.3"), "app.submitted");
        let same = ready(world, (&osaka, Level::Two), &wishes, KeyAlgorithm::P256);
        let refused = (RefusalCode::StateConflict, "12.3");
        let refusal = check_refused(world, || world.issue(&same), refused, "cert.issued");
        assert_eq!(refusal.facts["problem"], "twin-family");
        let theirs = world.organisation(tenkoku_testkit::world::THEIRS);
        let office = world.find_branch(&theirs, "HQ");
        let foreign = || apply(world, &office, Level::Two, &wishes);
        check_refused(world, foreign, refused, "app.submitted");
    });
}

#[test]
fn services_get_their_certificates_from_their_own_authorities() {
    World::on_each_database(|world| {
        let tsa = AuthorityKind::Service(ServiceKind::TimeStamping);
        let internal = AuthorityKind::Service(ServiceKind::Internal);
        let tsa = world.create_authority("tsa-g1", tsa, 1).code;
        let internal = world.create_authority("internal-g1", internal, 1).code;
        let permit = world.permit();
        let unit = issue_service(&world.env, &permit, &tsa, ServiceUse::TimeStamping);
        let unit = unit.expect("a time-stamping unit");
        assert_eq!(unit.profile, Profile::TimeStamping);
        let stops = unit.sealing_not_after.expect("a last day of use");
        assert_eq!(stops, world.now().floor().plus_days(457), "15 months (DE-7)");
        let key = world.read(|tx| tx.load_key(&unit.key));
        assert_eq!(key.role, KeyRole::TimeStamping);
        assert!(read(&unit).contains("X509v3 Extended Key Usage: critical"));
        let signer = issue_service(&world.env, &permit, &internal, ServiceUse::AuditSigning);
        assert_eq!(signer.expect("an audit signer").profile, Profile::AuditSigner);
        let wrong = || issue_service(&world.env, &permit, &internal, ServiceUse::TimeStamping);
        check_refused(world, wrong, (RefusalCode::AuthorityNotActive, "12.5"), "cert.issued");
        let seals = world.authority("seal-l1-g1").code;
        let seals = || issue_service(&world.env, &permit, &seals, ServiceUse::TimeStamping);
        check_refused(world, seals, (RefusalCode::AuthorityNotActive, "12.5"), "cert.issued");
        let account = crate::known_keys::person(world, "admin");
        let user = tenkoku_domain::id::UserId::parse(&account.actor.id).expect("an account");
        let key = ApplicantKey::make(KeyAlgorithm::P256);
        let administrator =
            || issue_administrator(&world.env, &world.permit(), &internal, (&user, &key.request()));
        let text = read(&administrator().expect("a client certificate"));
        assert!(text.contains(&format!("https://tenkoku.example/accounts/{user}")), "{text}");
        check_refused(world, administrator, (RefusalCode::KeyDuplicate, "KM-6"), "cert.issued");
        // I-2: such a key seals nothing.
        let osaka = world.osaka();
        let place = (&osaka, Level::One);
        let refused = (RefusalCode::KeyDuplicate, "KM-6");
        crate::support::check_not_applied(world, place, key.request(), refused, "key.duplicate");
        let crl = world.crl("tsa-g1");
        assert_eq!(crl.entries().count(), 0);
    });
}
