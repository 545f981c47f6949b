//! Stories of issuance: what the certificate says, how long it holds, and that there is one.

use tenkoku_ca::apply::{ApplyOrder, apply_for_seal};
use tenkoku_domain::access::Scope;
use tenkoku_domain::application::Wishes;
use tenkoku_domain::branch::Branch;
use tenkoku_domain::certificate::{Certificate as Record, Profile};
use tenkoku_domain::key::KeyAlgorithm;
use tenkoku_domain::level::Level;
use tenkoku_domain::refusal::RefusalCode;
use tenkoku_domain::time::Timestamp;
use tenkoku_pki::cert::Certificate;
use tenkoku_pki::oid;
use tenkoku_store::CertificateFilter;
use tenkoku_testkit::fixtures::ApplicantKey;
use tenkoku_testkit::world::{BEGIN, OURS, World, at_once};

use crate::support::{check_refused, codes, refusal};

/// qcStatements with the legal-person semantics alone (DOMAIN 22).
const SEMANTICS_ONLY: &str = "3017301506082b06010505070b023009060704008bec490102";
/// keyUsage with nonRepudiation alone.
const NON_REPUDIATION: &str = "03020640";

fn read(record: &Record) -> Certificate {
    Certificate::parse(record.der.as_deref().expect("a released certificate")).expect("DER")
}

fn released(world: &World) -> Vec<Record> {
    let all = CertificateFilter::default();
    world.read(|tx| tx.list_certificates(&Scope::Platform, &all, None, 100)).items
}

#[test]
fn every_level_certifies_every_usual_key_exactly_by_its_profile() {
    let rsa = Level::ALL.map(|_| ApplicantKey::make_rsa());
    World::on_each_database(|world| {
        let branch = world.osaka();
        for (level, rsa) in Level::ALL.into_iter().zip(&rsa) {
            check_profile(world, &branch, level, &ApplicantKey::make(KeyAlgorithm::P256));
            check_profile(world, &branch, level, &ApplicantKey::make(KeyAlgorithm::P384));
            check_profile(world, &branch, level, rsa);
        }
    });
}

/// DOMAIN 12.3, setting A, without a claim.
fn check_profile(world: &World, branch: &Branch, level: Level, key: &ApplicantKey) {
    let record = world.seal_with(branch, level, key);
    assert_eq!(record.profile, Profile::seal(level));
    let certificate = read(&record);
    let authority = world.certificate_of(&world.authority(&format!("seal-l{level}-g1")));
    assert_eq!(certificate.public_key().expect("a key"), key.public());
    assert_eq!(certificate.issuer(), authority.subject());
    assert_eq!(certificate.authority_key_identifier(), authority.subject_key_identifier());
    let order: Vec<_> = certificate.extensions().iter().map(|e| (e.oid, e.critical)).collect();
    let expected = [
        (oid::AUTHORITY_KEY_IDENTIFIER, false),
        (oid::SUBJECT_KEY_IDENTIFIER, false),
        (oid::KEY_USAGE, true),
        (oid::EXT_KEY_USAGE, false),
        (oid::CERTIFICATE_POLICIES, false),
        (oid::SUBJECT_ALT_NAME, false),
        (oid::AUTHORITY_INFO_ACCESS, false),
        (oid::CRL_DISTRIBUTION_POINTS, false),
        (oid::QC_STATEMENTS, false),
    ];
    assert_eq!(order, expected);
    let value = |oid| hex::encode(certificate.extension(oid).expect("an extension"));
    assert_eq!(value(oid::KEY_USAGE), NON_REPUDIATION);
    assert_eq!(value(oid::QC_STATEMENTS), SEMANTICS_ONLY);
    let policies: Vec<String> = certificate.policies().iter().map(ToString::to_string).collect();
    let etsi = match level {
        Level::One => "0.4.0.2042.1.3",
        Level::Two => "0.4.0.2042.1.1",
        Level::Three => "0.4.0.2042.1.2",
    };
    assert_eq!(policies, [format!("1.3.6.1.4.1.32473.1.1.{level}"), etsi.to_owned()]);
    let base = "http://seal.example.jp";
    assert_eq!(certificate.crl_addresses(), [format!("{base}/crl/seal-l{level}-g1.crl")]);
    let ocsp = [format!("{base}/ocsp/seal-l{level}-g1")];
    assert_eq!(certificate.access_addresses(oid::OCSP), ocsp);
    let issuer = [format!("{base}/ca/seal-l{level}-g1.cer")];
    assert_eq!(certificate.access_addresses(oid::CA_ISSUERS), issuer);
}

#[test]
fn a_branch_seal_names_its_holder_as_domain_22_does() {
    World::on_each_database(|world| {
        let certificate = read(&world.seal(&world.osaka(), Level::Two));
        assert_eq!(
            certificate.subject().subject_line(),
            "C=JP, O=株式会社サンプル, organizationIdentifier=NTRJP-5010401067252, OU=大阪支店, \
             serialNumber=BR-0002/01, CN=株式会社サンプル 大阪支店 電子印"
        );
        let latin = certificate.alternative_directory_name().expect("a Latin name");
        assert_eq!(
            latin.subject_line(),
            "C=JP, O=Sample Co., Ltd., organizationIdentifier=NTRJP-5010401067252, \
             OU=Osaka Branch, serialNumber=BR-0002/01, CN=Sample Co., Ltd. Osaka Branch e-Seal"
        );
    });
}

#[test]
fn an_organisation_s_own_seal_names_no_unit() {
    World::on_each_database(|world| {
        let organisation = world.organisation(OURS);
        let head_office = world.find_branch(&organisation, "HQ");
        let certificate = read(&world.seal(&head_office, Level::Three));
        assert_eq!(
            certificate.subject().subject_line(),
            "C=JP, O=株式会社サンプル, organizationIdentifier=NTRJP-5010401067252, \
             serialNumber=HQ/01, CN=株式会社サンプル 電子印"
        );
    });
}

#[test]
fn i_1_a_second_seal_of_a_branch_is_another_instance() {
    World::on_each_database(|world| {
        let branch = world.osaka();
        let line = |_| read(&world.seal(&branch, Level::One)).subject().subject_line();
        let [first, second] = [1, 2].map(line);
        assert!(first.contains("serialNumber=BR-0002/01"), "{first}");
        assert!(second.contains("serialNumber=BR-0002/02"), "{second}");
    });
}

#[test]
fn validity_counts_both_ends_and_sealing_ends_with_the_policy() {
    World::on_each_database(|world| {
        let branch = world.osaka();
        check_validity(world, (&branch, Level::One), None, (1095, Some(1095)));
        check_validity(world, (&branch, Level::Two), None, (825, Some(730)));
        check_validity(world, (&branch, Level::Three), None, (825, Some(395)));
        check_validity(world, (&branch, Level::Three), Some(1), (1, None));
    });
}

/// `days` of validity, and of sealing; `None` where sealing ends with the certificate.
fn check_validity(
    world: &World,
    (branch, level): (&Branch, Level),
    asked: Option<i64>,
    (days, sealing): (i64, Option<i64>),
) {
    let order = ApplyOrder {
        branch: branch.id.clone(),
        level,
        validity_days: asked,
        request: None,
        instance: None,
        wishes: Wishes::default(),
    };
    let applied = apply_for_seal(&world.env, &world.permit(), &order).expect("an application");
    let proof = ApplicantKey::make(KeyAlgorithm::P256).proof(&applied.challenge.text);
    let application = world.prove(&applied, proof).expect("possession");
    let record = world.issue(&application).expect("a certificate");
    let begin = world.now().floor();
    let end = begin.plus_days(days).plus_seconds(-1);
    assert_eq!((record.validity.not_before, record.validity.not_after), (begin, end));
    let last = sealing.map_or(end, |days| begin.plus_days(days).min(end));
    assert_eq!(record.sealing_not_after, Some(last));
}

#[test]
fn a_certificate_never_outlives_its_authority() {
    World::on_each_database(|world| {
        let branch = world.osaka();
        let end = world.authority("seal-l1-g1").validity.not_after;
        world.clock.set(end.plus_days(-10));
        let certificate = world.seal(&branch, Level::One);
        assert_eq!(certificate.validity.not_after, end);
        assert_eq!(certificate.sealing_not_after, Some(end));
        let key = ApplicantKey::make(KeyAlgorithm::P256);
        let late = world.apply(&branch, Level::One, &key).expect("an application");
        world.clock.set(end.plus_seconds(1));
        let expected = (RefusalCode::AuthorityNotActive, "6.7");
        check_refused(world, || world.issue(&late), expected, "cert.issued");
    });
}

#[test]
fn one_act_reads_the_clock_once_and_certifies_that_instant() {
    World::on_each_database(|world| {
        let branch = world.osaka();
        let open = || world.open(&branch, Level::Two, None).expect("an application");
        let (readings, applied) = world.clock.readings_of(open);
        assert_eq!(readings, 1);
        let proof = ApplicantKey::make(KeyAlgorithm::P256).proof(&applied.challenge.text);
        let prove = || world.prove(&applied, proof).expect("possession");
        let (readings, application) = world.clock.readings_of(prove);
        assert_eq!(readings, 1);
        world.clock.advance_seconds(4000);
        let issue = || world.issue(&application).expect("a certificate");
        let (readings, record) = world.clock.readings_of(issue);
        // The act once, and the responder that hears of it once.
        assert_eq!(readings, 2);
        let decided = Timestamp::from_millis(BEGIN.millis() + 4_000_000);
        assert_eq!(record.created_at, decided);
        assert_eq!(read(&record).validity().not_before, decided.floor());
    });
}

#[test]
fn an_application_is_issued_once() {
    World::on_each_database(|world| {
        let key = ApplicantKey::make(KeyAlgorithm::P256);
        let application = world.apply(&world.osaka(), Level::One, &key).expect("an application");
        let (certificate, told) = world.told(|| world.issue(&application));
        let certificate = certificate.expect("a certificate");
        assert_eq!(codes(&told), ["cert.issued"]);
        let conflict = (RefusalCode::StateConflict, "6.3");
        check_refused(world, || world.issue(&application), conflict, "cert.issued");
        assert_eq!(released(world), [certificate]);
    });
}

#[test]
fn an_application_issued_from_many_sides_at_once_gives_one_certificate() {
    World::on_each_database(|world| {
        let key = ApplicantKey::make(KeyAlgorithm::P256);
        let application = world.apply(&world.osaka(), Level::One, &key).expect("an application");
        let results = at_once(4, |_| world.issue(&application));
        let (issued, refused): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
        assert_eq!(issued.len(), 1, "{refused:?}");
        for result in refused {
            assert_eq!(refusal(result).code, RefusalCode::StateConflict);
        }
        assert_eq!(released(world).len(), 1);
    });
}

#[test]
fn i_9_a_name_that_changes_after_the_decision_stops_the_issue() {
    World::on_each_database(|world| {
        let key = ApplicantKey::make(KeyAlgorithm::P256);
        let application = world.apply(&world.osaka(), Level::One, &key).expect("an application");
        world.change_directly("UPDATE branches SET name = '神戸支店' WHERE code = 'BR-0002'");
        let changed = (RefusalCode::StateConflict, "I-9");
        check_refused(world, || world.issue(&application), changed, "cert.issued");
        assert_eq!(released(world), []);
    });
}
