//! Keys, authorities, organisations, branches, applications, certificates: kept as given, unique
//! where they must be, and not there for whoever has no right to see them.

use tenkoku_domain::access::Scope;
use tenkoku_domain::application::ApplicationState;
use tenkoku_domain::audit::{Event, IdentityEvent};
use tenkoku_domain::authority::AuthorityState;
use tenkoku_domain::certificate::{Certificate, CertificateState, Profile};
use tenkoku_domain::key::KeyState;
use tenkoku_domain::level::Level;
use tenkoku_domain::revocation::Cause;

use tenkoku_domain::person::Party;

use super::harness::at_once;
use super::samples::{self as s, NOW};
use super::{World, both};
use crate::{ApplicationFilter, BranchFilter, CertificateFilter, Page, StoreError, Tx};

both! {
    policies_and_keys_read_back
    authorities_read_back_in_order
    organisations_read_back_within_the_scope
    branches_read_back_within_the_scope
    applications_read_back_within_the_scope
    certificates_read_back_within_the_scope
    certificates_of_services_are_the_platform_s
    a_certificate_is_issued_once
    an_application_has_one_certificate
    a_serial_number_is_used_once_per_authority
    a_withdrawn_certificate_lets_its_application_be_issued_anew
    what_must_be_unique_is
    one_fingerprint_is_claimed_once_in_parallel
    one_serial_number_is_used_once_in_parallel
    one_instance_number_is_given_once_in_parallel
    pages_visit_every_row_once
    lists_are_searched
    instances_are_counted
    figures_count_what_lies_within_the_scope
    a_damaged_row_is_named
}

const ALL: Scope = Scope::Platform;

fn ours() -> Scope {
    Scope::organisation(s::organisation_id(0))
}

fn theirs() -> Scope {
    Scope::organisation(s::organisation_id(1))
}

/// The registry, and a certificate of number 1 for branch 1 of organisation 0.
fn with_certificate(world: &World) -> Certificate {
    world.record(&s::registry()).unwrap();
    issue(world, 1, 1)
}

/// Issues certificate `number` to a branch of organisation 0.
fn issue(world: &World, branch: u64, number: u64) -> Certificate {
    let branch = s::branch(0, branch);
    world.record(&s::applied(&branch, number)).unwrap();
    let pending = s::certificate(&s::application(&branch, number), number);
    world.store.write(|tx| tx.insert_pending(&pending)).unwrap();
    let certificate = s::signed(&pending);
    world.record(&[Event::CertificateIssued { certificate: certificate.clone() }]).unwrap();
    certificate
}

#[track_caller]
fn check_missing<T: std::fmt::Debug>(
    world: &World,
    what: &str,
    load: impl FnOnce(&mut Tx<'_>) -> Result<T, StoreError>,
) {
    match world.store.read(load) {
        Err(StoreError::NotFound { what: missing }) => assert_eq!(missing, what),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn check_conflict<T: std::fmt::Debug>(result: Result<T, StoreError>, what: &str) {
    match result {
        Err(StoreError::Conflict { what: taken }) => assert_eq!(taken, what),
        other => panic!("{other:?}"),
    }
}

fn policies_and_keys_read_back(world: World) {
    check_missing(&world, "policy", |tx| tx.current_policy(NOW));
    world.record(&s::installation()).unwrap();
    assert_eq!(world.read(|tx| tx.current_policy(NOW)), s::policy());
    check_missing(&world, "policy", |tx| tx.current_policy(NOW.plus_seconds(-1)));
    let key = s::authority_key(2);
    assert_eq!(world.read(|tx| tx.load_key(&key.id)), key);
    assert_eq!(world.read(|tx| tx.find_key_by_fingerprint(&key.fingerprint)), Some(key));
    let unknown = s::seal_key(7);
    assert_eq!(world.read(|tx| tx.find_key_by_fingerprint(&unknown.fingerprint)), None);
    check_missing(&world, "key", |tx| tx.load_key(&unknown.id));
}

fn authorities_read_back_in_order(world: World) {
    let mut events = vec![Event::InstallationMade { policy: Box::new(s::policy()) }];
    for number in [3, 0, 1] {
        events.push(Event::KeyGenerated { key: s::authority_key(number.into()) });
        events.push(Event::AuthorityPlanned { authority: s::authority(number) });
    }
    world.record(&events).unwrap();
    let mut root = s::authority(0);
    root.certificate = Some(vec![0x30]);
    root.state = AuthorityState::Active;
    world.record(&[Event::AuthorityCertified { authority: root.clone() }]).unwrap();
    let all = world.read(|tx| tx.list_authorities());
    assert_eq!(all, [root.clone(), s::authority(1), s::authority(3)]);
    assert_eq!(world.read(|tx| tx.load_authority(&root.id)), root);
    assert_eq!(world.read(|tx| tx.find_authority("seal-l3-g1")), Some(s::authority(3)));
    assert_eq!(world.read(|tx| tx.find_authority(root.id.as_str())), Some(root));
    assert_eq!(world.read(|tx| tx.find_authority("seal-l2-g1")), None);
    let unknown = Event::AuthorityCertified { authority: s::authority(2) };
    check_conflict(world.record(&[unknown]), "authority");
}

fn organisations_read_back_within_the_scope(world: World) {
    world.record(&s::registry()).unwrap();
    let organisation = s::organisation(0);
    let (id, identifier) = (&organisation.id, organisation.identifier.as_str());
    for scope in [ALL, ours(), Scope::branch(s::branch_id(1))] {
        assert_eq!(world.read(|tx| tx.load_organisation(&scope, id)), organisation);
        let found = world.read(|tx| tx.find_organisation_by_identifier(&scope, identifier));
        assert_eq!(found.as_ref(), Some(&organisation));
    }
    let nobody = Scope::branch(s::branch_id(77));
    for scope in [theirs(), nobody] {
        check_missing(&world, "organisation", |tx| tx.load_organisation(&scope, id));
        let found = world.read(|tx| tx.find_organisation_by_identifier(&scope, identifier));
        assert_eq!(found, None);
        check_missing(&world, "organisation", |tx| tx.list_proofings(&scope, id));
    }
    let proofings = world.read(|tx| tx.list_proofings(&ours(), id));
    assert_eq!(proofings.len(), 1);
    assert_eq!(proofings[0].evidence, [s::digest("extract")]);
    assert_eq!(proofings[0].performed_by, Party::Shell);
    let listed = |scope: &Scope| {
        let page = world.read(|tx| tx.list_organisations(scope, "", None, 10));
        page.items.into_iter().map(|o| (o.organisation.id, o.branches)).collect::<Vec<_>>()
    };
    assert_eq!(listed(&ALL), [(s::organisation_id(0), 2), (s::organisation_id(1), 1)]);
    assert_eq!(listed(&theirs()), [(s::organisation_id(1), 1)]);
    assert_eq!(listed(&Scope::branch(s::branch_id(2))), [(s::organisation_id(0), 1)]);
}

fn branches_read_back_within_the_scope(world: World) {
    world.record(&s::registry()).unwrap();
    let branch = s::branch(0, 1);
    let of = &branch.organisation;
    for scope in [ALL, ours(), Scope::branch(branch.id.clone())] {
        assert_eq!(world.read(|tx| tx.load_branch(&scope, &branch.id)), branch);
        let found = world.read(|tx| tx.find_branch_by_code(&scope, of, &branch.code));
        assert_eq!(found.as_ref(), Some(&branch));
    }
    for scope in [theirs(), Scope::branch(s::branch_id(2))] {
        check_missing(&world, "branch", |tx| tx.load_branch(&scope, &branch.id));
        assert_eq!(world.read(|tx| tx.find_branch_by_code(&scope, of, &branch.code)), None);
    }
    let found = world.read(|tx| tx.find_branches_by_code(&ALL, &branch.code));
    assert_eq!(found, [branch.clone(), s::branch(1, 1)]);
    let found = world.read(|tx| tx.find_branches_by_code(&ours(), &branch.code));
    assert_eq!(found.as_slice(), std::slice::from_ref(&branch));
    let counts = [ALL, ours(), theirs(), Scope::branch(branch.id)]
        .map(|scope| world.read(|tx| tx.count_branches(&scope, of)));
    assert_eq!(counts, [2, 2, 0, 1]);
}

fn applications_read_back_within_the_scope(world: World) {
    world.record(&s::registry()).unwrap();
    let branch = s::branch(0, 1);
    world.record(&s::applied(&branch, 1)).unwrap();
    let application = s::application(&branch, 1);
    for scope in [ALL, ours(), Scope::branch(branch.id.clone())] {
        assert_eq!(world.read(|tx| tx.load_application(&scope, &application.id)), application);
        let locked = world.store.write(|tx| tx.lock_application(&scope, &application.id));
        assert_eq!(locked.unwrap(), application);
    }
    for scope in [theirs(), Scope::branch(s::branch_id(2))] {
        check_missing(&world, "application", |tx| tx.load_application(&scope, &application.id));
        let filter = ApplicationFilter::default();
        let page = world.read(|tx| tx.list_applications(&scope, &filter, None, 10));
        assert!(page.items.is_empty());
    }
    let listed = |filter: &ApplicationFilter| {
        world.read(|tx| tx.list_applications(&ALL, filter, None, 10)).items.len()
    };
    let state = Some(ApplicationState::Issued);
    assert_eq!(listed(&ApplicationFilter { state, branch: None, organisation: None }), 0);
    assert_eq!(
        listed(&ApplicationFilter { state: None, branch: Some(branch.id), organisation: None }),
        1
    );
    let found = world.read(|tx| tx.find_application_by_key(&s::key_id(1)));
    assert_eq!(found, Some(application));
    assert_eq!(world.read(|tx| tx.find_application_by_key(&s::key_id(5))), None);
}

fn certificates_read_back_within_the_scope(world: World) {
    let certificate = with_certificate(&world);
    let Certificate { id, authority, serial, .. } = &certificate;
    let filter = CertificateFilter::default();
    for scope in [ALL, ours(), Scope::branch(s::branch_id(1))] {
        assert_eq!(world.read(|tx| tx.load_certificate(&scope, id)), certificate);
        let found = world.read(|tx| tx.find_certificate(&scope, authority, serial));
        assert_eq!(found.as_ref(), Some(&certificate));
        let found = world.read(|tx| tx.find_certificates_by_serial(&scope, serial));
        assert_eq!(found.as_slice(), std::slice::from_ref(&certificate));
        let page = world.read(|tx| tx.list_certificates(&scope, &filter, None, 10));
        assert_eq!(page, Page { items: vec![certificate.clone()], next: None });
    }
    for scope in [theirs(), Scope::branch(s::branch_id(2))] {
        check_missing(&world, "certificate", |tx| tx.load_certificate(&scope, id));
        assert_eq!(world.read(|tx| tx.find_certificate(&scope, authority, serial)), None);
        assert!(world.read(|tx| tx.find_certificates_by_serial(&scope, serial)).is_empty());
        let page = world.read(|tx| tx.list_certificates(&scope, &filter, None, 10));
        assert!(page.items.is_empty());
        let locked = world.store.write(|tx| tx.lock_certificate(&scope, id));
        assert!(matches!(locked, Err(StoreError::NotFound { .. })));
    }
}

fn certificates_of_services_are_the_platform_s(world: World) {
    world.record(&s::registry()).unwrap();
    world.record(&[Event::KeyGenerated { key: s::seal_key(5) }]).unwrap();
    let pending = s::signer(5);
    world.store.write(|tx| tx.insert_pending(&pending)).unwrap();
    let signer =
        |at| world.read(|tx| tx.current_signer(&s::authority_id(2), Profile::OcspSigner, at));
    assert_eq!(signer(NOW), None);
    let certificate = s::signed(&pending);
    world.record(&[Event::CertificateIssued { certificate: certificate.clone() }]).unwrap();
    assert_eq!(signer(NOW), Some(certificate.clone()));
    assert_eq!(signer(NOW.plus_seconds(-1)), None);
    assert_eq!(signer(NOW.plus_days(30)), None);
    assert_eq!(world.read(|tx| tx.load_certificate(&ALL, &pending.id)), certificate);
    check_missing(&world, "certificate", |tx| tx.load_certificate(&ours(), &pending.id));
    let filter = CertificateFilter::default();
    assert!(world.read(|tx| tx.list_certificates(&ALL, &filter, None, 10)).items.is_empty());
    let revocation = s::revocation(Cause::Replaced);
    let comment = String::new();
    world.record(&[Event::CertificateRevoked { certificate, revocation, comment }]).unwrap();
    assert_eq!(signer(NOW), None);
    assert_eq!(world.read(|tx| tx.load_key(&pending.key)).state, KeyState::Bound);
}

fn a_certificate_is_issued_once(world: World) {
    let certificate = with_certificate(&world);
    let application = world.read(|tx| tx.load_application(&ALL, &s::application_id(1)));
    assert_eq!(application.state, ApplicationState::Issued);
    assert_eq!(application.certificate, Some(certificate.id.clone()));
    assert_eq!(world.read(|tx| tx.load_key(&certificate.key)).state, KeyState::Bound);
    let again = Event::CertificateIssued { certificate };
    check_conflict(world.record(&[again]), "application");
    let branch = s::branch(0, 2);
    world.record(&s::applied(&branch, 8)).unwrap();
    let never = s::signed(&s::certificate(&s::application(&branch, 8), 8));
    let event = Event::CertificateIssued { certificate: never };
    check_conflict(world.record(&[event]), "certificate state");
}

fn an_application_has_one_certificate(world: World) {
    let certificate = with_certificate(&world);
    let second =
        Certificate { id: s::certificate_id(2), serial: s::serial(2), ..certificate.clone() };
    check_conflict(world.store.write(|tx| tx.insert_pending(&second)), "application");
}

fn a_serial_number_is_used_once_per_authority(world: World) {
    with_certificate(&world);
    let branch = s::branch(0, 2);
    world.record(&s::applied(&branch, 2)).unwrap();
    let mut second = s::certificate(&s::application(&branch, 2), 2);
    second.serial = s::serial(1);
    check_conflict(world.store.write(|tx| tx.insert_pending(&second)), "certificate serial");
    second.authority = s::authority_id(0);
    world.store.write(|tx| tx.insert_pending(&second)).unwrap();
    let found = world.read(|tx| tx.find_certificates_by_serial(&ALL, &s::serial(1)));
    assert_eq!(found.len(), 2);
    assert_eq!(world.read(|tx| tx.list_pending()), [second]);
}

fn a_withdrawn_certificate_lets_its_application_be_issued_anew(world: World) {
    world.record(&s::registry()).unwrap();
    let branch = s::branch(0, 1);
    world.record(&s::applied(&branch, 1)).unwrap();
    let lost = s::certificate(&s::application(&branch, 1), 1);
    world.store.write(|tx| tx.insert_pending(&lost)).unwrap();
    let revocation = s::revocation(Cause::OfficeClosed);
    let event = Event::CertificateNotAccepted { certificate: lost.clone(), revocation };
    world.record(&[event]).unwrap();
    assert!(world.read(|tx| tx.list_pending()).is_empty());
    let late = Event::CertificateIssued { certificate: s::signed(&lost) };
    check_conflict(world.record(&[late]), "certificate state");
    let again = Certificate { id: s::certificate_id(2), serial: s::serial(2), ..lost };
    world.store.write(|tx| tx.insert_pending(&again)).unwrap();
    world.record(&[Event::CertificateIssued { certificate: s::signed(&again) }]).unwrap();
    let application = world.read(|tx| tx.load_application(&ALL, &s::application_id(1)));
    assert_eq!(application.certificate, Some(again.id));
}

fn what_must_be_unique_is(world: World) {
    with_certificate(&world);
    let branch = s::branch(0, 1);
    let mut key = s::seal_key(2);
    key.fingerprint = s::seal_key(1).fingerprint;
    check_conflict(world.record(&[Event::KeyGenerated { key }]), "key fingerprint");
    let mut organisation = s::organisation(0);
    organisation.id = s::organisation_id(2);
    let Event::OrganisationCreated { proofing, .. } = s::organisation_created(2) else { panic!() };
    let event = Event::OrganisationCreated { organisation, proofing };
    check_conflict(world.record(&[event]), "organisation identifier");
    let mut twin = branch.clone();
    twin.id = s::branch_id(77);
    check_conflict(world.record(&[Event::BranchCreated { branch: twin }]), "branch code");
    let mut twin = s::authority(2);
    twin.id = s::authority_id(77);
    check_conflict(world.record(&[Event::AuthorityPlanned { authority: twin }]), "authority code");
    let mut events = s::applied(&branch, 2);
    if let Event::Identity(IdentityEvent::ApplicationOpened { application, .. }) = &mut events[0] {
        application.instance_number = 1;
    }
    check_conflict(world.record(&events), "application instance");
    let policy = Event::InstallationMade { policy: Box::new(s::policy()) };
    check_conflict(world.record(&[policy]), "policy");
}

/// Of many at once exactly one is done; the others meet `what`.
fn check_one(results: Vec<Result<(), StoreError>>, what: &str) {
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "{results:?}");
    for refused in results.into_iter().filter(Result::is_err) {
        check_conflict(refused, what);
    }
}

fn one_fingerprint_is_claimed_once_in_parallel(world: World) {
    world.record(&s::registry()).unwrap();
    let results = at_once(6, |number| {
        let number = u64::try_from(number).unwrap() + 1;
        let branch = s::branch(number % 2, 1);
        let mut events = s::applied(&branch, number);
        if let Event::KeyClaimed { key, .. } = &mut events[2] {
            key.fingerprint = s::seal_key(99).fingerprint;
        }
        world.record(&events)
    });
    check_one(results, "key fingerprint");
    let filter = ApplicationFilter::default();
    let page = world.read(|tx| tx.list_applications(&ALL, &filter, None, 10));
    assert_eq!(page.items.len(), 1);
    world.walk().unwrap();
}

fn one_serial_number_is_used_once_in_parallel(world: World) {
    world.record(&s::registry()).unwrap();
    let branch = s::branch(0, 1);
    (1..=6).for_each(|number| world.record(&s::applied(&branch, number)).unwrap());
    let results = at_once(6, |number| {
        let number = u64::try_from(number).unwrap() + 1;
        let mut pending = s::certificate(&s::application(&branch, number), number);
        pending.serial = s::serial(1);
        world.store.write(|tx| tx.insert_pending(&pending))
    });
    check_one(results, "certificate serial");
    assert_eq!(world.read(|tx| tx.list_pending()).len(), 1);
}

fn one_instance_number_is_given_once_in_parallel(world: World) {
    world.record(&s::registry()).unwrap();
    let branch = s::branch(0, 1);
    let results = at_once(6, |number| {
        let mut events = s::applied(&branch, u64::try_from(number).unwrap() + 1);
        if let Event::Identity(IdentityEvent::ApplicationOpened { application, .. }) =
            &mut events[0]
        {
            application.instance_number = 1;
        }
        world.record(&events)
    });
    check_one(results, "application instance");
}

/// Follows the cursors of a list to its end.
fn walk_pages<T>(mut page: impl FnMut(Option<&str>) -> Page<T>) -> Vec<T> {
    let mut all = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let Page { items, next } = page(after.as_deref());
        assert!(items.len() <= 3);
        all.extend(items);
        match next {
            Some(cursor) => after = Some(cursor),
            None => return all,
        }
    }
}

fn pages_visit_every_row_once(world: World) {
    world.record(&s::installation()).unwrap();
    world.record(&[0, 1, 2].map(s::organisation_created)).unwrap();
    let branches: Vec<_> = (1..=9).map(|number| s::branch_created(0, number)).collect();
    world.record(&branches).unwrap();
    (1..=7).for_each(|number| drop(issue(&world, number, number)));
    let organisations =
        walk_pages(|after| world.read(|tx| tx.list_organisations(&ALL, "", after, 2)));
    let ids: Vec<_> = organisations.iter().map(|o| o.organisation.id.clone()).collect();
    assert_eq!(ids, [0, 1, 2].map(s::organisation_id));
    assert_eq!(organisations[0].live_certificates, 7);
    let all = BranchFilter::default();
    let branches = walk_pages(|after| {
        world.read(|tx| tx.list_branches(&ALL, &s::organisation_id(0), &all, after, 3))
    });
    let codes: Vec<_> = branches.iter().map(|b| b.branch.code.to_string()).collect();
    assert_eq!(codes, (1..=9).map(|n| format!("BR-{n:04}")).collect::<Vec<_>>());
    let newest: Vec<_> =
        branches.iter().map(|b| b.certificate.as_ref().map(|c| c.id.clone())).collect();
    let expected: Vec<_> = (1..=9).map(|n| (n <= 7).then(|| s::certificate_id(n))).collect();
    assert_eq!(newest, expected);
    let filter = ApplicationFilter::default();
    let applications =
        walk_pages(|after| world.read(|tx| tx.list_applications(&ALL, &filter, after, 2)));
    let ids: Vec<_> = applications.into_iter().map(|application| application.id).collect();
    assert_eq!(ids, (1..=7).rev().map(s::application_id).collect::<Vec<_>>());
    let filter = CertificateFilter::default();
    let certificates =
        walk_pages(|after| world.read(|tx| tx.list_certificates(&ALL, &filter, after, 3)));
    let ids: Vec<_> = certificates.into_iter().map(|certificate| certificate.id).collect();
    assert_eq!(ids, (1..=7).rev().map(s::certificate_id).collect::<Vec<_>>());
}

fn lists_are_searched(world: World) {
    with_certificate(&world);
    let organisations =
        |search: &str| world.read(|tx| tx.list_organisations(&ALL, search, None, 10)).items.len();
    let found =
        ["株式会社", "ｓａｍｐｌｅ_1", "5010401067252", "%", "a_p", "Nobody"].map(organisations);
    assert_eq!(found, [2, 1, 1, 0, 0, 0]);
    let branches = |search: &str| {
        let filter = BranchFilter { search: search.to_owned() };
        let of = s::organisation_id(0);
        world.read(|tx| tx.list_branches(&ALL, &of, &filter, None, 10)).items.len()
    };
    assert_eq!(["br-0002", "支店", "no 1", "_"].map(branches), [1, 2, 1, 0]);
    let certificates = |search: &str| {
        let filter = CertificateFilter { search: search.to_owned(), ..Default::default() };
        world.read(|tx| tx.list_certificates(&ALL, &filter, None, 10)).items.len()
    };
    let found = ["40:00 0000", "第1支店", "01", "第2支店"].map(certificates);
    assert_eq!(found, [1, 1, 0, 0]);
    let state = |state| {
        let filter = CertificateFilter { state: Some(state), ..Default::default() };
        world.read(|tx| tx.list_certificates(&ALL, &filter, None, 10)).items.len()
    };
    assert_eq!(["active", "revoked"].map(state), [1, 0]);
    let of = |branch| {
        let filter = CertificateFilter {
            organisation: Some(s::organisation_id(0)),
            branch: Some(s::branch_id(branch)),
            ..Default::default()
        };
        world.read(|tx| tx.list_certificates(&ALL, &filter, None, 10)).items.len()
    };
    assert_eq!([1, 2].map(of), [1, 0]);
}

fn instances_are_counted(world: World) {
    with_certificate(&world);
    let (branch, end) = (s::branch_id(1), NOW.plus_days(365));
    let next = |level| world.read(|tx| tx.next_instance_number(&branch, level));
    assert_eq!([Level::One, Level::Two].map(next), [1, 2]);
    let live = |at| world.read(|tx| tx.count_live_instances(&branch, Level::Two, at));
    assert_eq!([live(NOW), live(end)], [1, 0]);
    assert_eq!(world.read(|tx| tx.count_live_instances(&branch, Level::One, NOW)), 0);
}

fn figures_count_what_lies_within_the_scope(world: World) {
    let revoked = with_certificate(&world);
    issue(&world, 2, 2);
    let revocation = s::revocation(Cause::Replaced);
    let comment = String::new();
    let event = Event::CertificateRevoked { certificate: revoked, revocation, comment };
    world.record(&[event]).unwrap();
    let figures = world.read(|tx| tx.registry_figures(&ALL, NOW));
    assert_eq!((figures.organisations, figures.branches), (2, 3));
    assert_eq!((figures.certificates_valid, figures.certificates_revoked), (1, 1));
    assert_eq!((figures.certificates_expiring_30d, figures.certificates_suspended), (0, 0));
    let names: Vec<_> = figures.expiries.iter().map(|(month, _)| month.as_str()).collect();
    assert_eq!((names.len(), names[0], names[11]), (12, "2026-11", "2027-10"));
    let later = world.read(|tx| tx.registry_figures(&ours(), NOW.plus_days(340)));
    assert_eq!((later.certificates_valid, later.certificates_expiring_30d), (1, 1));
    assert_eq!(later.expiries[1], ("2027-11".to_owned(), 1));
    assert_eq!(later.expiries.iter().map(|(_, count)| count).sum::<i64>(), 1);
    let branch = world.read(|tx| tx.registry_figures(&Scope::branch(s::branch_id(1)), NOW));
    assert_eq!((branch.organisations, branch.branches), (1, 1));
    assert_eq!((branch.certificates_valid, branch.certificates_revoked), (0, 1));
    let strangers = world.read(|tx| tx.registry_figures(&theirs(), NOW));
    assert_eq!((strangers.certificates_valid, strangers.certificates_revoked), (0, 0));
}

fn a_damaged_row_is_named(world: World) {
    let certificate = with_certificate(&world);
    world.tamper("UPDATE certificates SET state = 'revoked'");
    let damaged = world.store.read(|tx| tx.load_certificate(&ALL, &certificate.id)).unwrap_err();
    let expected =
        format!("the certificate {} does not read back: its state is damaged", certificate.id);
    assert_eq!(damaged.to_string(), expected);
    assert_ne!(certificate.state, CertificateState::Pending);
}
