//! Samples of people, proofing, grants and approvals: every event of this part, and what reads back.

use std::collections::BTreeSet;

use serde_json::json;
use tenkoku_domain::access::Scope;
use tenkoku_domain::application::{Application, ApplicationState};
use tenkoku_domain::approval::{
    Approvable, Approval, ApprovalRequest, ApprovalState, Conditions, Footing, Step, Verdict, needs,
};
use tenkoku_domain::audit::{DelegationEvent as E, Event, ObjectRef};
use tenkoku_domain::batch::{Batch, BatchState};
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::certificate::Profile;
use tenkoku_domain::grant::{
    Grant, GrantAction, GrantEnd, GrantForm, GrantQuota, GrantScope, GrantState, GrantTerms,
    GrantUsage,
};
use tenkoku_domain::id::{
    ApprovalId, BatchId, DelegateId, GrantId, IssuerId, PersonId, ProofingId, RepresentativeId,
};
use tenkoku_domain::issuer::{IssuerState, IssuerUse, TrustedIssuer};
use tenkoku_domain::level::Level;
use tenkoku_domain::name::Name;
use tenkoku_domain::person::{Delegate, Party, Person, Representative};
use tenkoku_domain::proofing::{Method, ProofingRecord, Source, Subject};

use super::samples::{self as s, NOW, Numbered};
use super::{World, both};

both! {
    people_and_offices_read_back
    a_grant_reads_back_and_its_use_is_counted
    approvals_read_back_and_one_person_decides_once
    proofings_and_issuers_read_back
}

/// The file of an event.
pub(super) fn file(event: &E) -> &'static str {
    match event {
        E::PersonRecorded { .. } => "person-recorded",
        E::RepresentativeRecorded { .. } => "representative-recorded",
        E::RepresentativeEnded { .. } => "representative-ended",
        E::DelegateAdded { .. } => "delegate-added",
        E::DelegateRemoved { .. } => "delegate-removed",
        E::Proofed { .. } => "proofed",
        E::IssuerProposed { .. } => "issuer-proposed",
        E::IssuerMoved { .. } => "issuer-moved",
        E::GrantDrafted { .. } => "grant-drafted",
        E::GrantMoved { .. } => "grant-moved",
        E::GrantReviewed { .. } => "grant-reviewed",
        E::QuotaReserved { .. } => "quota-reserved",
        E::QuotaReleased { .. } => "quota-released",
        E::CustodianWanted { .. } => "custodian-wanted",
        E::CustodianMissing { .. } => "custodian-missing",
        E::ApplicationMoved { .. } => "application-moved",
        E::ApplicationChanged { .. } => "application-changed",
        E::ApplicationWithdrawn { .. } => "application-withdrawn",
        E::ApplicationDeclined { .. } => "application-declined",
        E::BatchLoaded { .. } => "batch-loaded",
        E::BatchMoved { .. } => "batch-moved",
        E::RoleAsked { .. } => "role-asked",
        E::ReleaseAsked { .. } => "release-asked",
        E::Decided { .. } => "decided",
    }
}

fn person(number: u64) -> Person {
    Person {
        id: PersonId::new(NOW, &Numbered(number)),
        name: Name::parse("例 花子").unwrap(),
        contact: "hanako@sample.example".to_owned(),
        created_at: NOW,
    }
}

fn representative() -> Representative {
    Representative {
        id: RepresentativeId::new(NOW, &Numbered(1)),
        organisation: s::organisation_id(0),
        person: person(1).id,
        capacity: Name::parse("代表取締役").unwrap(),
        evidence: s::digest("extract"),
        from: NOW,
        until: None,
    }
}

fn delegate() -> Delegate {
    Delegate {
        id: DelegateId::new(NOW, &Numbered(1)),
        organisation: s::organisation_id(0),
        person: person(1).id,
        branch: Some(s::branch_id(1)),
        from: NOW,
        until: NOW.plus_days(365),
    }
}

fn source() -> Source {
    Source {
        certificate: s::digest("certificate"),
        not_after: NOW.plus_days(100).floor(),
        path: vec!["CN=Register".to_owned(), "CN=例 花子".to_owned()],
        judged_at: NOW,
    }
}

fn proofing(number: u64, subject: Subject, method: Method) -> ProofingRecord {
    ProofingRecord {
        id: ProofingId::new(NOW, &Numbered(number)),
        organisation: s::organisation_id(0),
        subject,
        method,
        level: method.reaches(),
        performed_by: Party::Person(person(2).id),
        performed_at: NOW,
        valid_until: NOW.plus_days(30),
        evidence: vec![s::digest("file")],
        source: (method == Method::P3).then(source),
    }
}

fn issuer() -> TrustedIssuer {
    TrustedIssuer {
        id: IssuerId::new(NOW, &Numbered(1)),
        name: Name::parse("商業登記認証局").unwrap(),
        certificate: vec![0x30, 0x01, 0x00],
        uses: BTreeSet::from([IssuerUse::Representative, IssuerUse::Statement]),
        organisation: None,
        from: NOW,
        until: NOW.plus_days(30),
        state: IssuerState::Proposed,
    }
}

fn grant() -> Grant {
    Grant {
        terms: GrantTerms {
            id: GrantId::new(NOW, &Numbered(1)),
            organisation: s::organisation(0).identifier,
            grantor: Name::parse("代表取締役 例 花子").unwrap(),
            capacity: "representative".to_owned(),
            grantee: s::user_id(1),
            grantee_name: Name::parse("例 太郎").unwrap(),
            scope: GrantScope {
                actions: vec![GrantAction::Apply, GrantAction::Rotate],
                branches: BTreeSet::from([s::branch(0, 1).code]),
                follow_new_branches: false,
                levels: BTreeSet::from([Level::Two]),
                profiles: vec![Profile::Seal2],
            },
            quota: GrantQuota { active: 4, per_day: 2, total: 12 },
            not_before: NOW.floor(),
            not_after: NOW.plus_days(300).floor(),
            subgrant_depth: 0,
            policy: Digest([0; 32]),
            conditions: Conditions::default(),
            parent: None,
        },
        organisation: s::organisation_id(0),
        grantor: person(1).id,
        representative: representative().id,
        drafted_by: Party::Shell,
        drafted_at: NOW,
        form: None,
        state: GrantState::Draft,
        review_until: None,
        end: None,
        ended_at: None,
    }
}

fn signed() -> Grant {
    let form = GrantForm::Certificate { source: source(), evidence: s::digest("signature") };
    Grant { form: Some(form), state: GrantState::Active, ..grant() }
}

pub(crate) fn request(number: u64, object: ObjectRef) -> ApprovalRequest {
    let shown = json!({ "v": 3, "level": 2 });
    let footing = Footing::Grant(Conditions::default());
    ApprovalRequest {
        id: ApprovalId::new(NOW, &Numbered(number)),
        object,
        organisation: Some(s::organisation_id(0)),
        digest: Digest::of_json(&shown).unwrap(),
        shown,
        askers: BTreeSet::from([Party::Shell]),
        needs: needs(Approvable::Issue(Level::Three, footing)),
        opened_at: NOW,
        state: ApprovalState::Open,
        decisions: Vec::new(),
    }
}

fn approval(of: &ApprovalRequest, verdict: Verdict) -> Approval {
    Approval {
        step: Step::Officer,
        verdict,
        person: Party::Person(person(3).id),
        at: NOW,
        reason: "期間が短い".to_owned(),
        actor: s::origin().actor,
        digest: of.digest,
    }
}

fn application(state: ApplicationState) -> Application {
    Application { state, ..s::opened(&s::application(&s::branch(0, 1), 1)) }
}

fn about_application() -> ApprovalRequest {
    request(1, ObjectRef::new("application", s::application_id(1)))
}

/// Every event of this part.
pub(super) fn every() -> Vec<E> {
    let batch = |state| Batch {
        id: BatchId::new(NOW, &Numbered(1)),
        organisation: s::organisation_id(0),
        level: Level::One,
        validity_days: None,
        grant: None,
        digest: s::digest("list"),
        rows: 2,
        asked_by: s::origin().actor,
        asked_at: NOW,
        state,
    };
    let organisation = s::organisation_id(0);
    let asked = about_application();
    let decision = approval(&asked, Verdict::Rejected);
    let ended = Representative { until: Some(NOW.plus_days(1)), ..representative() };
    let review_until = Some(NOW.plus_days(30));
    let container = s::container(&s::branch(0, 1)).id;
    vec![
        E::PersonRecorded { person: person(1) },
        E::RepresentativeRecorded { representative: representative() },
        E::RepresentativeEnded { representative: ended },
        E::DelegateAdded { delegate: delegate() },
        E::DelegateRemoved { delegate: delegate() },
        E::Proofed { record: proofing(1, Subject::Person(person(1).id), Method::P3) },
        E::IssuerProposed { issuer: issuer(), request: None },
        E::IssuerMoved {
            issuer: TrustedIssuer { state: IssuerState::Trusted, ..issuer() },
            from: IssuerState::Proposed,
        },
        E::GrantDrafted { grant: Box::new(grant()) },
        E::GrantMoved { grant: Box::new(signed()), from: GrantState::Draft, request: None },
        E::GrantReviewed { grant: Box::new(Grant { review_until, ..signed() }) },
        E::QuotaReserved {
            grant: grant().terms.id,
            organisation: organisation.clone(),
            application: s::application_id(1),
            usage: GrantUsage { active: 1, today: 1, total: 1 },
        },
        E::QuotaReleased {
            grant: grant().terms.id,
            organisation: organisation.clone(),
            application: s::application_id(1),
        },
        E::CustodianWanted {
            container: container.clone(),
            organisation: organisation.clone(),
            grant: grant().terms.id,
            due: NOW.plus_days(14),
        },
        E::CustodianMissing { container, organisation },
        E::ApplicationMoved {
            application: application(ApplicationState::Proofing),
            to: ApplicationState::Approval,
            request: Some(Box::new(asked.clone())),
        },
        E::ApplicationChanged {
            application: application(ApplicationState::Submitted),
            from: ApplicationState::Approval,
            voided: Some(asked.id.clone()),
        },
        E::ApplicationWithdrawn {
            application: application(ApplicationState::Approval),
            voided: None,
        },
        E::ApplicationDeclined {
            application: application(ApplicationState::Approval),
            request: Some(asked.id.clone()),
            reason: "期間が短い".to_owned(),
        },
        E::BatchLoaded { batch: batch(BatchState::Asked), rows: Vec::new(), request: None },
        E::BatchMoved { batch: batch(BatchState::Approved), from: BatchState::Asked },
        E::RoleAsked {
            request: Box::new(request(2, ObjectRef::new("role", s::user_id(1)))),
            user: s::user_id(1),
            grant: s::grant(),
        },
        E::ReleaseAsked {
            certificate: Box::new(s::certificate(&s::application(&s::branch(0, 1), 1), 1)),
            request: Box::new(request(3, ObjectRef::new("release", s::certificate_id(1)))),
            comment: "the device was found".to_owned(),
        },
        E::Decided { request: Box::new(asked.with(decision.clone())), decision },
    ]
}

fn record(world: &World, events: Vec<E>) {
    let events: Vec<Event> = events.into_iter().map(Event::Delegation).collect();
    world.record(&events).unwrap();
}

fn people_and_offices_read_back(world: World) {
    world.record(&s::registry()).unwrap();
    record(
        &world,
        vec![
            E::PersonRecorded { person: person(1) },
            E::RepresentativeRecorded { representative: representative() },
            E::DelegateAdded { delegate: delegate() },
        ],
    );
    let ours = Scope::organisation(s::organisation_id(0));
    let organisation = s::organisation_id(0);
    assert_eq!(world.read(|tx| tx.load_person(&person(1).id)), person(1));
    let found = world.read(|tx| tx.find_person_by_name("例　花子"));
    assert_eq!(found, Some(person(1)));
    let found = world.read(|tx| tx.list_representatives(&ours, &organisation));
    assert_eq!(found, [representative()]);
    let found = world.read(|tx| tx.list_delegates(&ours, &organisation));
    assert_eq!(found, [delegate()]);
    let theirs = Scope::organisation(s::organisation_id(1));
    assert!(world.store.read(|tx| tx.load_delegate(&theirs, &delegate().id)).is_err());
    let ended = Representative { until: Some(NOW.plus_days(1)), ..representative() };
    record(&world, vec![E::RepresentativeEnded { representative: ended.clone() }]);
    let again = [Event::Delegation(E::RepresentativeEnded { representative: ended })];
    assert!(world.record(&again).is_err(), "an office ends once");
    let holds = |days| {
        let at = NOW.plus_days(days);
        world.read(|tx| tx.find_representative(&organisation, &person(1).id, at)).is_some()
    };
    assert!(holds(0) && !holds(1));
}

fn a_grant_reads_back_and_its_use_is_counted(world: World) {
    world.record(&s::registry()).unwrap();
    world.record(&[Event::AccountCreated { account: s::account(1) }]).unwrap();
    record(
        &world,
        vec![
            E::PersonRecorded { person: person(1) },
            E::RepresentativeRecorded { representative: representative() },
            E::GrantDrafted { grant: Box::new(grant()) },
            E::GrantMoved { grant: Box::new(signed()), from: GrantState::Draft, request: None },
        ],
    );
    let ours = Scope::organisation(s::organisation_id(0));
    let id = grant().terms.id;
    assert_eq!(world.read(|tx| tx.load_grant(&ours, &id)), signed());
    let theirs = Scope::organisation(s::organisation_id(1));
    assert!(world.store.read(|tx| tx.load_grant(&theirs, &id)).is_err());
    let used = world.read(|tx| tx.grant_usage(&id, NOW));
    assert_eq!(used, GrantUsage::default());
    assert_eq!(world.read(|tx| tx.list_due_grants(NOW)), []);
    let reviewed = Grant { review_until: Some(NOW.plus_days(30)), ..signed() };
    record(&world, vec![E::GrantReviewed { grant: Box::new(reviewed.clone()) }]);
    assert_eq!(world.read(|tx| tx.list_due_grants(NOW.plus_days(29))), []);
    assert_eq!(
        world.read(|tx| tx.list_due_grants(NOW.plus_days(30))),
        std::slice::from_ref(&reviewed)
    );
    let over = Grant { state: GrantState::Ended, end: Some(GrantEnd::Expired), ..reviewed };
    let over = Box::new(over);
    record(&world, vec![E::GrantMoved { grant: over, from: GrantState::Active, request: None }]);
    assert_eq!(world.read(|tx| tx.list_due_grants(NOW.plus_days(400))), []);
}

fn approvals_read_back_and_one_person_decides_once(world: World) {
    world.record(&s::registry()).unwrap();
    let asked = about_application();
    let first = application(ApplicationState::Submitted);
    world
        .record(&[Event::Identity(tenkoku_domain::audit::IdentityEvent::ApplicationOpened {
            application: first.clone(),
            challenge: s::challenge(&first),
        })])
        .unwrap();
    let moved =
        |from, to, request| E::ApplicationMoved { application: application(from), to, request };
    record(
        &world,
        vec![
            moved(ApplicationState::Submitted, ApplicationState::Proofing, None),
            moved(
                ApplicationState::Proofing,
                ApplicationState::Approval,
                Some(Box::new(asked.clone())),
            ),
        ],
    );
    let found = world.read(|tx| tx.find_approval_request(&asked.object));
    assert_eq!(found.as_ref(), Some(&asked));
    let decision = approval(&asked, Verdict::Approved);
    let decided = asked.clone().with(decision.clone());
    let event = E::Decided { request: Box::new(decided.clone()), decision };
    record(&world, vec![event.clone()]);
    assert!(world.record(&[Event::Delegation(event)]).is_err(), "one person decides once");
    let theirs = Scope::organisation(s::organisation_id(1));
    let read = |scope: &Scope| world.store.read(|tx| tx.load_approval_request(scope, &asked.id));
    assert_eq!(read(&Scope::Platform).unwrap(), decided);
    assert!(read(&theirs).is_err());
    let voided = E::ApplicationChanged {
        application: application(ApplicationState::Submitted),
        from: ApplicationState::Approval,
        voided: Some(asked.id.clone()),
    };
    record(&world, vec![voided]);
    assert_eq!(read(&Scope::Platform).unwrap().state, ApprovalState::Void);
}

fn proofings_and_issuers_read_back(world: World) {
    world.record(&s::registry()).unwrap();
    let one = proofing(11, Subject::Person(person(1).id), Method::P3);
    let two = proofing(12, Subject::Branch(s::branch_id(1)), Method::P9);
    let trusted = TrustedIssuer { state: IssuerState::Trusted, ..issuer() };
    record(
        &world,
        vec![
            E::Proofed { record: one.clone() },
            E::Proofed { record: two.clone() },
            E::IssuerProposed { issuer: issuer(), request: None },
            E::IssuerMoved { issuer: trusted.clone(), from: IssuerState::Proposed },
        ],
    );
    let found = world.read(|tx| tx.list_proofings(&Scope::Platform, &s::organisation_id(0)));
    assert_eq!(found.get(1..), Some(&[one, two][..]));
    assert_eq!(world.read(|tx| tx.list_issuers()), [trusted]);
}
