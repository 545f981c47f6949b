//! The story of authorities: their states, generations, cross-certificates, dedicated ones, and who
//! must be there (DOMAIN 6.7, 10, 12.4; KM-19, RO-4, AB-3).

use tenkoku_ca::authority::{
    AuthorityError, AuthorityOrder, create_authority, cross_certificates, cross_certify,
    dedication_of, end_authority, renew_authority, resume_authority, retire_authority,
    suspend_authority,
};
use tenkoku_ca::emergency::{declare_compromise, plan_emergency, rehearse_emergency};
use tenkoku_ca::signer::{SignerError, renew_list_signers, renew_ocsp_signers};
use tenkoku_domain::access::{Actor, OperateAuthority, Permit, Principal, Role, RoleGrant, Scope};
use tenkoku_domain::authority::{Authority, AuthorityKind, AuthorityState, NEVER};
use tenkoku_domain::ceremony::{Consent, CrossWish};
use tenkoku_domain::certificate::CertificateState;
use tenkoku_domain::incident::{IncidentKind, IncidentState};
use tenkoku_domain::level::Level;
use tenkoku_domain::policy::Installation;
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_keys::KeyError;
use tenkoku_pki::crl::Crl;
use tenkoku_pki::ocsp::AnswerStatus;
use tenkoku_pki::pem;
use tenkoku_responder::crl::{current_crl, issue_last_crl};
use tenkoku_testkit::tools::openssl;
use tenkoku_testkit::world::{OURS, THEIRS, World, authority_code};

fn refused<T: std::fmt::Debug>(result: Result<T, AuthorityError>) -> Refusal {
    match result {
        Err(AuthorityError::Refused(refusal)) => refusal,
        other => panic!("{other:?} is no refusal"),
    }
}

fn officer(world: &World, name: &str, scope: Scope) -> Permit<OperateAuthority> {
    let grant = RoleGrant { role: Role::CaOfficer, scope, until: world.now().plus_days(9) };
    let officer = Principal { actor: Actor::system(name), roles: vec![grant], ..world.shell() };
    officer.permit(world.now()).expect("a CA officer")
}

fn renew(world: &World, code: &str, cross: CrossWish) -> Authority {
    let code = authority_code(code);
    renew_authority(&world.env, &world.permit(), &code, cross, &world.consent())
        .expect("the next generation")
}

fn last_crl(world: &World, code: &str) -> Crl {
    let crl = issue_last_crl(&world.env, &world.permit(), &authority_code(code)).expect("a CRL");
    Crl::parse(&crl.der).expect("a CRL")
}

fn end(world: &World, code: &str) -> Result<Authority, AuthorityError> {
    let code = authority_code(code);
    end_authority(&world.env, &world.permit(), &code, &world.consent(), &|code| {
        issue_last_crl(&world.env, &world.permit(), code).expect("the last CRL");
        Ok(())
    })
}

#[test]
fn ro_4_the_old_generation_keeps_serving_status_and_the_new_one_issues() {
    World::on_each_database(|world| {
        let osaka = world.osaka();
        let old = world.seal(&osaka, Level::Two);
        let former = world.authority("seal-l2-g1");
        let successor = renew(world, "seal-l2-g1", CrossWish::None);
        world.renew_signers();
        assert_eq!((successor.code.as_str(), successor.generation), ("seal-l2-g2", 2));
        assert!(successor.name.common_name.as_str().ends_with(" G2"));
        assert_eq!(successor.predecessor.as_ref(), Some(&former.id));
        assert_ne!(successor.key, former.key);
        assert_eq!(world.authority("seal-l2-g1").state, AuthorityState::Retiring);
        let new = world.seal(
            &world.branch(
                &world.read(|tx| tx.load_organisation(&Scope::Platform, &osaka.organisation)),
                ["BR-0009", "名古屋支店", "Nagoya Branch"],
            ),
            Level::Two,
        );
        assert_eq!(new.authority, successor.id);
        // A year on the old generation still rotates its OCSP signer and signs its CRLs.
        world.clock.advance_days(40);
        world.renew_signers();
        assert_eq!(world.status(&old), AnswerStatus::Good);
        assert_eq!(world.status(&new), AnswerStatus::Good);
        assert_eq!(world.crl("seal-l2-g1").entries().count(), 0);
    });
}

#[test]
fn ro_4_never_two_keys_under_one_name() {
    World::on_each_database(|world| {
        let order = AuthorityOrder {
            code: authority_code("another"),
            ..world.authority_order("seal-l2-g1", AuthorityKind::Issuing(Level::Two), 1)
        };
        let refusal = refused(create_authority(&world.env, &world.permit(), &order));
        assert_eq!((refusal.code, refusal.rule.as_str()), (RefusalCode::NameInvalid, "RO-4"));
        assert_eq!(refusal.facts["problem"], "name-taken");
    });
}

#[test]
fn ro_4_an_old_leaf_verifies_under_the_new_root_through_the_cross_certificate() {
    World::on_each_database(|world| {
        let leaf = world.seal(&world.osaka(), Level::Two);
        let new_root = renew(world, "root-g1", CrossWish::Both);
        let old_root = world.authority("root-g1");
        let cross = cross_certificates(&world.env, &old_root).expect("cross-certificates");
        assert_eq!(cross.len(), 1, "the new root certified the old one");
        assert_eq!(cross[0].authority, new_root.id);
        let back = cross_certificates(&world.env, &new_root).expect("cross-certificates");
        assert_eq!(back[0].authority, old_root.id);

        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, ders: &[&[u8]]| {
            let text: String = ders.iter().map(|der| pem::encode("CERTIFICATE", der)).collect();
            let path = folder.path().join(name);
            std::fs::write(&path, text).expect("a file");
            path.display().to_string()
        };
        let issuing = world.authority("seal-l2-g1");
        let der = |authority: &Authority| authority.certificate.clone().expect("a certificate");
        let anchor = write("new-root.pem", &[&der(&new_root)]);
        let chain =
            write("chain.pem", &[&der(&issuing), cross[0].der.as_deref().expect("a certificate")]);
        let leaf_file = write("leaf.pem", &[leaf.der.as_deref().expect("a certificate")]);
        let at = (world.now().seconds() + 60).to_string();
        openssl([
            "verify",
            "-attime",
            &at,
            "-purpose",
            "any",
            "-CAfile",
            &anchor,
            "-untrusted",
            &chain,
            &leaf_file,
        ])
        .success();
    });
}

#[test]
fn ro_4_one_root_certifies_another_once() {
    World::on_each_database(|world| {
        world.create_authority("root-x", AuthorityKind::Root, 7);
        let (one, other) = (authority_code("root-g1"), authority_code("root-x"));
        let cross = |certified, by| {
            cross_certify(&world.env, &world.permit(), certified, by, &world.consent())
        };
        cross(&one, &other).expect("a cross-certificate");
        assert_eq!(refused(cross(&one, &other)).facts["problem"], "cross-twice");
        assert_eq!(refused(cross(&one, &one)).facts["problem"], "cross-roots");
        let issuing = authority_code("seal-l1-g1");
        assert_eq!(refused(cross(&issuing, &one)).facts["problem"], "cross-roots");
    });
}

#[test]
fn an_authority_on_hold_issues_nothing_until_it_is_resumed() {
    World::on_each_database(|world| {
        let code = authority_code("seal-l2-g1");
        let suspended = suspend_authority(&world.env, &world.permit(), &code, "点検");
        assert_eq!(suspended.expect("a hold").state, AuthorityState::Suspended);
        let osaka = world.osaka();
        let key =
            tenkoku_testkit::fixtures::ApplicantKey::make(tenkoku_domain::key::KeyAlgorithm::P256);
        let application = world.apply(&osaka, Level::Two, &key).expect("an application");
        let refusal = refused(world.issue(&application));
        assert_eq!(refusal.code, RefusalCode::AuthorityNotActive);
        resume_authority(&world.env, &world.permit(), &code, &world.consent()).expect("resumed");
        let issued = world.issue(&application).expect("a certificate");
        assert_eq!(world.status(&issued), AnswerStatus::Good);
        let again = resume_authority(&world.env, &world.permit(), &code, &world.consent());
        assert_eq!(refused(again).code, RefusalCode::StateConflict);
    });
}

#[test]
fn an_authority_ends_when_nothing_of_it_lives_and_its_last_crl_is_for_ever() {
    World::on_each_database(|world| {
        let leaf = world.seal(&world.osaka(), Level::Two);
        let code = authority_code("seal-l2-g1");
        assert_eq!(refused(end(world, "seal-l2-g1")).code, RefusalCode::StateConflict);
        retire_authority(&world.env, &world.permit(), &code).expect("retiring");
        assert_eq!(refused(end(world, "seal-l2-g1")).facts["problem"], "certificates-open");
        world.revoke(&leaf, tenkoku_domain::revocation::Cause::Replaced).expect("revoked");
        let key = world.authority("seal-l2-g1").key;
        // The key of a service that the list vouches for does not end unnoticed.
        assert_eq!(refused(end(world, "seal-l2-g1")).facts["list"], "jp-2021");
        assert!(world.env.keys.list().expect("the keys").contains(&key), "the key is still there");
        world.clock.advance_days(1);
        world.withdraw_from_list("seal-l2-g1");
        let ended = end(world, "seal-l2-g1").expect("the end");
        assert_eq!(ended.state, AuthorityState::Ended);
        assert!(!world.env.keys.list().expect("the keys").contains(&key), "the key is gone");
        // Relying parties get the last list, for ever.
        world.clock.advance_days(400);
        let crl = current_crl(&world.env, &code).expect("the last CRL");
        assert_eq!(crl.next_update, NEVER);
        let read = Crl::parse(&crl.der).expect("a CRL");
        assert_eq!((read.next_update(), read.entries().count()), (NEVER, 1));
        assert_eq!(refused(end(world, "seal-l2-g1")).code, RefusalCode::StateConflict);
    });
}

#[test]
fn the_last_crl_is_signed_once() {
    World::on_each_database(|world| {
        retire_authority(&world.env, &world.permit(), &authority_code("seal-l1-g1"))
            .expect("retiring");
        assert_eq!(last_crl(world, "seal-l1-g1").number(), last_crl(world, "seal-l1-g1").number());
    });
}

#[test]
fn a_dedicated_authority_issues_for_its_organisation_and_for_no_other() {
    World::on_each_database(|world| {
        let osaka = world.osaka();
        let ours = world.read(|tx| tx.load_organisation(&Scope::Platform, &osaka.organisation));
        let theirs = world.organisation(THEIRS);
        let order = AuthorityOrder {
            dedicated: Some(dedication_of(&ours)),
            common_name: tenkoku_domain::name::Name::parse("Sample Issuing CA G1").expect("a name"),
            ..world.authority_order("ours-l2-g1", AuthorityKind::Issuing(Level::Two), 1)
        };
        let dedicated = create_authority(&world.env, &world.permit(), &order).expect("it");
        world.renew_signers();
        let certificate = world.certificate_of(&dedicated);
        assert!(certificate.name_scope().is_some(), "name constraints");
        let seal = world.seal(&osaka, Level::Two);
        assert_eq!(seal.authority, dedicated.id);
        assert_eq!(world.status(&seal), AnswerStatus::Good);
        let other = world.seal(&world.find_branch(&theirs, "HQ"), Level::Two);
        assert_eq!(other.authority, world.authority("seal-l2-g1").id);
        // On hold, nobody else steps in for it.
        suspend_authority(&world.env, &world.permit(), &dedicated.code, "hold").expect("a hold");
        let key =
            tenkoku_testkit::fixtures::ApplicantKey::make(tenkoku_domain::key::KeyAlgorithm::P256);
        let nagoya = world.branch(&ours, ["BR-0009", "名古屋支店", "Nagoya Branch"]);
        let application = world.apply(&nagoya, Level::Two, &key).expect("an application");
        assert_eq!(refused(world.issue(&application)).code, RefusalCode::AuthorityNotActive);
        assert_eq!(OURS[0], ours.identifier.as_str());
    });
}

#[test]
fn a_policy_authority_stands_between_root_and_issuing() {
    World::on_each_database(|world| {
        let policy = world.create_authority("policy-g1", AuthorityKind::Policy, 1);
        let order = AuthorityOrder {
            issuer: Some(policy.code.clone()),
            ..world.authority_order("seal-l1-g2", AuthorityKind::Issuing(Level::One), 2)
        };
        let below = create_authority(&world.env, &world.permit(), &order).expect("below it");
        assert_eq!(below.issuer, Some(policy.id));
        let under_issuing = AuthorityOrder { issuer: Some(below.code), ..order.clone() };
        let wrong = create_authority(
            &world.env,
            &world.permit(),
            &AuthorityOrder {
                code: authority_code("seal-l1-g3"),
                generation: 3,
                common_name: tenkoku_domain::name::Name::parse("Third G3").expect("a name"),
                ..under_issuing
            },
        );
        assert!(wrong.is_err(), "an issuing authority issues no authorities");
    });
}

#[test]
fn ab_3_a_parent_that_one_only_sees_issues_nothing() {
    World::on_each_database(|world| {
        let level1 = world.authority("seal-l1-g1");
        let officer = officer(world, "officer", Scope::authority(level1.id.clone()));
        let order = world.authority_order("seal-l1-g2", AuthorityKind::Issuing(Level::One), 2);
        let (root, consent) = (authority_code("root-g1"), world.consent());
        let env = &world.env;
        let outcomes = [
            create_authority(env, &officer, &order).map(|_| ()),
            renew_authority(env, &officer, &root, CrossWish::None, &consent).map(|_| ()),
            cross_certify(env, &officer, &root, &level1.code, &consent).map(|_| ()),
            retire_authority(env, &officer, &root).map(|_| ()),
            suspend_authority(env, &officer, &root, "mine").map(|_| ()),
            renew_authority(env, &officer, &level1.code, CrossWish::None, &consent).map(|_| ()),
            end_authority(env, &officer, &root, &consent, &|_| Ok(())).map(|_| ()),
        ];
        for (number, outcome) in outcomes.into_iter().enumerate() {
            let error = outcome.expect_err("no rights on the parent").to_string();
            assert!(error.contains("authority"), "{number}: {error}");
        }
        let new_root = world.authority_order("root-z", AuthorityKind::Root, 9);
        let refusal = refused(create_authority(env, &officer, &new_root));
        assert_eq!((refusal.code, refusal.rule.as_str()), (RefusalCode::NotAuthorised, "AB-3"));
        assert_eq!(world.read(|tx| tx.list_authorities()).len(), 4, "nothing was made");
        suspend_authority(env, &officer, &level1.code, "its own").expect("its own authority");
    });
}

#[test]
fn km_19_no_authority_is_made_in_production_without_a_ceremony() {
    World::on_each_database_of(Installation::Production, |world| {
        let order = world.authority_order("seal-l1-g2", AuthorityKind::Issuing(Level::One), 2);
        let refusal = refused(create_authority(&world.env, &world.permit(), &order));
        assert_eq!((refusal.code, refusal.rule.as_str()), (RefusalCode::DualControl, "KM-19"));
        assert_eq!(world.read(|tx| tx.find_authority("seal-l1-g2")), None);
        assert!(Consent::evaluation(Installation::Production).is_err());
    });
}

#[test]
fn km_19_an_evaluation_records_the_ceremony_that_one_person_held() {
    World::on_each_database(|world| {
        let records = world.read(|tx| tx.list_ceremonies());
        assert_eq!(records.len(), 4, "one for each authority");
        for record in records {
            assert!(record.is_evaluation() && record.closed_at.is_some());
            let outputs: Vec<_> = record
                .steps
                .iter()
                .flat_map(|s| s.outputs.iter().map(|o| o.name.as_str()))
                .collect();
            assert!(outputs.contains(&"key-fingerprint") && outputs.contains(&"software"));
        }
    });
}

#[test]
fn an_emergency_is_rehearsed_without_a_change_and_run_by_two_persons() {
    World::on_each_database(|world| {
        let leaf = world.seal(&world.osaka(), Level::Two);
        let code = authority_code("seal-l2-g1");
        let plan = plan_emergency(&world.env, &world.permit(), &code).expect("a plan");
        assert_eq!((plan.certificates, plan.root), (2, false));
        let rehearsed =
            rehearse_emergency(&world.env, &world.permit(), &code).expect("a rehearsal");
        assert_eq!(rehearsed, plan);
        assert_eq!(world.status(&leaf), AnswerStatus::Good);
        let id = world.authority("seal-l2-g1").id;
        assert_eq!(world.read(|tx| tx.list_rehearsals(&id)).len(), 1);

        let (one, two) = (
            officer(world, "officer-1", Scope::Platform),
            officer(world, "officer-2", Scope::Platform),
        );
        let alone = declare_compromise(&world.env, &one, &one, &code);
        assert_eq!(refused(alone).code, RefusalCode::DualControl);
        let revoked = declare_compromise(&world.env, &one, &two, &code).expect("the real run");
        assert!(revoked >= 2, "{revoked}");
        let state = world.read(|tx| tx.load_certificate(&Scope::Platform, &leaf.id)).state;
        assert!(matches!(state, CertificateState::Revoked(_)), "{state:?}");
        assert_eq!(world.authority("seal-l2-g1").state, AuthorityState::Retiring);
        assert_eq!(world.crl("root-g1").entries().count(), 1);
    });
}

#[test]
fn km_10_a_signer_s_key_that_could_leave_its_device_is_destroyed_and_an_incident_opened() {
    World::on_each_database(|world| {
        let seal = world.seal(&world.osaka(), Level::Two);
        let before =
            (world.env.keys.list().expect("the keys"), world.read(|tx| tx.list_authorities()));
        world.clock.advance_days(15);
        world.keys.make_loose();
        let (renewed, told) = world.told(|| renew_ocsp_signers(&world.env, &world.permit()));
        assert!(
            matches!(renewed, Err(SignerError::Keys(KeyError::Attributes { .. }))),
            "{renewed:?}"
        );
        // One refusal and one incident for the signer of each issuing authority.
        let levels = Level::ALL.len();
        let refusals: Vec<_> = told.iter().filter(|one| one["outcome"] == "refused").collect();
        assert_eq!((refusals.len(), told.len()), (levels, 2 * levels), "{told:#?}");
        for refused in refusals {
            assert_eq!(
                (&refused["code"], &refused["reason"]),
                (&"key.ordered".into(), &"container-attributes".into())
            );
            assert_eq!(refused["detail"]["rule"], "KM-10");
        }
        assert!(told.iter().any(|one| one["code"] == "hsm.error"), "{told:#?}");
        let open = world.read(|tx| tx.list_incidents(Some(IncidentState::Open), None, 10)).items;
        assert_eq!(open.len(), levels);
        assert!(open.iter().all(|one| one.kind == IncidentKind::WrongAttributes));
        assert!(open.iter().all(|one| one.told == ["ca-officer"]));
        // Nothing is left of the keys, the former signers answer on, and nothing else changed.
        assert_eq!(world.env.keys.list().expect("the keys"), before.0);
        assert_eq!(world.read(|tx| tx.list_authorities()), before.1);
        assert_eq!(world.status(&seal), AnswerStatus::Good);
        // With the device in order again the next run succeeds; the incident stays until decided.
        world.keys.recover();
        assert_eq!(renew_ocsp_signers(&world.env, &world.permit()).expect("signers"), levels);
        assert_eq!(world.read(|tx| tx.count_open_incidents()), 3);
    });
}

#[test]
fn km_10_an_authority_whose_key_could_leave_its_device_is_not_made() {
    World::on_each_database(|world| {
        let before = world.env.keys.list().expect("the keys");
        world.keys.make_loose();
        let order = world.authority_order("seal-l2-g9", AuthorityKind::Issuing(Level::Two), 9);
        let refusal = refused(create_authority(&world.env, &world.permit(), &order));
        assert_eq!(
            (refusal.code, refusal.rule.as_str()),
            (RefusalCode::ContainerAttributes, "KM-10")
        );
        assert_eq!(world.env.keys.list().expect("the keys"), before);
        assert!(world.read(|tx| tx.find_authority("seal-l2-g9")).is_none());
        let renewed = renew_list_signers(&world.env, &world.permit()).expect("the present ones");
        assert_eq!(renewed, 0);
        assert_eq!(world.read(|tx| tx.count_open_incidents()), 1);
    });
}
