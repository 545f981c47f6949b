//! Every event has its frozen record in `tests/data/events/`. Never change a stored one: records
//! of earlier releases must read, and hash, as they did.

use std::collections::BTreeSet;
use std::path::PathBuf;

use tenkoku_domain::application::Application;
use tenkoku_domain::audit::{
    AccessEvent, AuditCode, AuditRecord, AuthorityEvent, AuthorityPlan, BackupEvent, BackupSummary,
    BulkStep, Compromise, Event, FollowedEvent, FollowedStep, IdentityEvent, LifeEvent, ListEvent,
    NoticeEvent, ObjectRef, PolicyEvent, Proofing, ProposalEvent, ReceivedRoot, RegistryEvent,
    StatusEvent, StatusService,
};
use tenkoku_domain::branch::{Branch, BranchState};
use tenkoku_domain::ceremony::record::CeremonyRecord;
use tenkoku_domain::certificate::Certificate;
use tenkoku_domain::challenge::Challenge;
use tenkoku_domain::clock::ClockCheck;
use tenkoku_domain::container::{Container, ContainerState};
use tenkoku_domain::destruction::{Decision, EvidenceState};
use tenkoku_domain::followed::{FollowedList, ListFault, ListProblem, ListSource};
use tenkoku_domain::id::{OrderId, OrganisationId};
use tenkoku_domain::identifier::Lei;
use tenkoku_domain::key::Key;
use tenkoku_domain::notice::{EmailAddress, MailProblem};
use tenkoku_domain::organisation::{Language, Organisation, OrganisationState};
use tenkoku_domain::policy::draft::{PolicyDraft, Verdict};
use tenkoku_domain::policy::{DestructionClass, PossessionMethod};
use tenkoku_domain::proposal::ProposalState;
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_domain::revocation::Cause;
use tenkoku_domain::service_account::ServiceToken;
use tenkoku_domain::suspension::Suspension;
use tenkoku_domain::trusted_list::draft::ListDraftState;

use super::delegation;
use super::samples::{self as s, NOW};

/// The file of an event: one for each variant. A new variant breaks the build here.
fn file(event: &Event) -> &'static str {
    match event {
        Event::NodeStarted { .. } => "node-started",
        Event::NodeStopped => "node-stopped",
        Event::InstallationMade { .. } => "installation-made",
        Event::SchemaMigrated { .. } => "schema-migrated",
        Event::ClockCompared { .. } => "clock-compared",
        Event::KeyGenerated { .. } => "key-generated",
        Event::AuthorityPlanned { .. } => "authority-planned",
        Event::AuthorityCertified { .. } => "authority-certified",
        Event::OrganisationCreated { .. } => "organisation-created",
        Event::BranchCreated { .. } => "branch-created",
        Event::KeyClaimed { .. } => "key-claimed",
        Event::CertificateIssued { .. } => "certificate-issued",
        Event::CertificateNotAccepted { .. } => "certificate-not-accepted",
        Event::CertificateRevoked { .. } => "certificate-revoked",
        Event::CrlIssued { .. } => "crl-issued",
        Event::OcspSignerRotated { .. } => "ocsp-signer-rotated",
        Event::ListPublished { .. } => "list-published",
        Event::AccountCreated { .. } => "account-created",
        Event::RoleGranted { .. } => "role-granted",
        Event::CodeIssued { .. } => "code-issued",
        Event::CodeUsed { .. } => "code-used",
        Event::FactorAdded { .. } => "factor-added",
        Event::Access(AccessEvent::TokenIssued { .. }) => "token-issued",
        Event::Access(AccessEvent::TokenRevoked { .. }) => "token-revoked",
        Event::Access(AccessEvent::EvidencePacked { .. }) => "evidence-packed",
        Event::Access(AccessEvent::CertificateBound { .. }) => "certificate-bound",
        Event::Access(AccessEvent::CertificateEnded { .. }) => "certificate-ended",
        Event::Access(AccessEvent::AccountDisabled { .. }) => "account-disabled",
        Event::Access(AccessEvent::RoleEnded { .. }) => "role-ended",
        Event::Access(AccessEvent::LanguageSet { .. }) => "language-set",
        Event::LoggedIn { .. } => "logged-in",
        Event::SteppedUp { .. } => "stepped-up",
        Event::SessionEnded { .. } => "session-ended",
        Event::AccountLocked { .. } => "account-locked",
        Event::Policy(event) => policy(event),
        Event::Delegation(event) => delegation::file(event),
        Event::Life(event) => life(event),
        Event::Identity(event) => match event {
            IdentityEvent::ApplicationOpened { .. } => "application-opened",
            IdentityEvent::ChallengeIssued { .. } => "challenge-issued",
            IdentityEvent::PossessionShown { .. } => "possession-shown",
            IdentityEvent::OriginShown { .. } => "origin-shown",
            IdentityEvent::KeyMade { .. } => "key-made",
            IdentityEvent::ApplicationReady { .. } => "application-ready",
            IdentityEvent::ApplicationRejected { .. } => "application-rejected",
            IdentityEvent::ApplicationLapsed { .. } => "application-lapsed",
            IdentityEvent::IncidentOpened { .. } => "incident-opened",
            IdentityEvent::IncidentClosed { .. } => "incident-closed",
            IdentityEvent::KeyBlocked { .. } => "key-blocked",
            IdentityEvent::FeedTrusted { .. } => "feed-trusted",
            IdentityEvent::FeedEnded { .. } => "feed-ended",
            IdentityEvent::FeedImported { .. } => "feed-imported",
            IdentityEvent::FeedExported { .. } => "feed-exported",
        },
        Event::Authority(event) => authority_file(event),
        Event::Status(event) => match event {
            StatusEvent::Seeded { .. } => "status-seeded",
            StatusEvent::Bulk { .. } => "bulk-revocation",
            StatusEvent::BulkRevoked { .. } => "bulk-revoked",
            StatusEvent::Inconsistent { .. } => "status-inconsistent",
        },
        Event::Backup(event) => match event {
            BackupEvent::Made { .. } => "backup-made",
            BackupEvent::Rehearsed { .. } => "backup-rehearsed",
            BackupEvent::Restored { .. } => "backup-restored",
        },
        Event::Notice(event) => match event {
            NoticeEvent::Sent { .. } => "notice-sent",
            NoticeEvent::Failed { .. } => "notice-failed",
            NoticeEvent::Acknowledged { .. } => "notice-acknowledged",
            NoticeEvent::MailboxSet { .. } => "mailbox-set",
        },
        Event::List(event) => match event {
            ListEvent::Opened { .. } => "list-opened",
            ListEvent::Edited { .. } => "list-edited",
            ListEvent::Submitted { .. } => "list-submitted",
            ListEvent::Decided { .. } => "list-decided",
            ListEvent::Abandoned { .. } => "list-abandoned",
            ListEvent::Signing { .. } => "list-signing",
            ListEvent::Overdue { .. } => "list-overdue",
        },
        Event::Proposal(ProposalEvent::Proposed { .. }) => "proposed",
        Event::Proposal(ProposalEvent::Decided { .. }) => "proposal-decided",
        Event::Registry(RegistryEvent::OrganisationMoved { .. }) => "organisation-moved",
        Event::Registry(RegistryEvent::BranchMoved { .. }) => "branch-moved",
        Event::Registry(RegistryEvent::LeiProofed { .. }) => "lei-proofed",
        Event::Followed(event) => match event {
            FollowedEvent::SourceTrusted { .. } => "list-source-trusted",
            FollowedEvent::SourceEnded { .. } => "list-source-ended",
            FollowedEvent::AnchorsTaken { .. } => "list-anchors-taken",
            FollowedEvent::Step { step: FollowedStep::Troubled, .. } => "list-troubled",
            FollowedEvent::Step { .. } => "list-followed",
            FollowedEvent::PivotKept { .. } => "list-pivot-kept",
        },
        Event::Refused { .. } => "refused",
    }
}

fn policy(event: &PolicyEvent) -> &'static str {
    match event {
        PolicyEvent::Drafted { .. } => "policy-drafted",
        PolicyEvent::Replaced { .. } => "policy-replaced",
        PolicyEvent::Decided { .. } => "policy-decided",
        PolicyEvent::Activated { .. } => "policy-activated",
        PolicyEvent::Superseded { .. } => "policy-superseded",
        PolicyEvent::VendorRootAsked { .. } => "vendor-root-asked",
        PolicyEvent::VendorRootDecided { .. } => "vendor-root-decided",
        PolicyEvent::ClaimRecorded { .. } => "claim-recorded",
        PolicyEvent::ClaimEnded { .. } => "claim-ended",
    }
}

fn life(event: &LifeEvent) -> &'static str {
    match event {
        LifeEvent::Suspended { .. } => "suspended",
        LifeEvent::SuspensionExtended { .. } => "suspension-extended",
        LifeEvent::Released { .. } => "released",
        LifeEvent::Delivered { .. } => "delivered",
        LifeEvent::Acknowledged { .. } => "acknowledged",
        LifeEvent::NotAccepted { .. } => "not-acknowledged",
        LifeEvent::RotationOpened { .. } => "rotation-opened",
        LifeEvent::RotationLate { .. } => "rotation-late",
        LifeEvent::Retired { .. } => "retired",
        LifeEvent::Expired { .. } => "expired",
        LifeEvent::DestructionDue { .. } => "destruction-due",
        LifeEvent::NotEvidenced { .. } => "not-evidenced",
        LifeEvent::DestructionBegun { .. } => "destruction-begun",
        LifeEvent::DestructionBrokenOff { .. } => "destruction-broken-off",
        LifeEvent::EvidenceHanded { .. } => "evidence-handed",
        LifeEvent::EvidenceDecided { .. } => "evidence-decided",
        LifeEvent::Destroyed { .. } => "key-destroyed",
        LifeEvent::Lost { .. } => "key-lost",
        LifeEvent::SeenAfterDestruction { .. } => "seen-after-destruction",
        LifeEvent::UsageReported { .. } => "usage-reported",
        LifeEvent::CopySuspected { .. } => "copy-suspected",
        LifeEvent::ContainerRegistered { .. } => "container-registered",
        LifeEvent::ContainerVerified { .. } => "container-verified",
        LifeEvent::CustodianChanged { .. } => "custodian-changed",
        LifeEvent::ContainerMoved { .. } => "container-moved",
        LifeEvent::ContainerDisposed { .. } => "container-disposed",
        LifeEvent::KeyPlaced { .. } => "key-placed",
        LifeEvent::InstancesOrdered { .. } => "instances-ordered",
    }
}

/// The life of a certificate and its key, in the order in which it may happen.
fn life_of(certificate: &Certificate) -> Vec<LifeEvent> {
    let suspension = s::suspension(certificate);
    vec![
        LifeEvent::Suspended {
            certificate: certificate.clone(),
            suspension: suspension.clone(),
            comment: "asked by telephone".to_owned(),
        },
        LifeEvent::SuspensionExtended {
            certificate: certificate.clone(),
            suspension: Suspension {
                extension_asked_by: Some(s::user_id(1).to_string()),
                ..suspension
            },
        },
        LifeEvent::Released { certificate: certificate.clone(), comment: String::new() },
        LifeEvent::Delivered {
            certificate: certificate.clone(),
            challenge: s::digest("challenge"),
            until: NOW.plus_seconds(3600),
        },
        LifeEvent::Acknowledged { certificate: certificate.clone() },
        LifeEvent::NotAccepted {
            certificate: certificate.clone(),
            revocation: s::revocation(Cause::OfficeClosed),
        },
        LifeEvent::RotationOpened { certificate: certificate.clone() },
        LifeEvent::RotationLate { certificate: certificate.clone() },
        LifeEvent::Retired { certificate: certificate.clone(), due: NOW.plus_days(30).floor() },
        LifeEvent::Expired { certificate: certificate.clone() },
        LifeEvent::SeenAfterDestruction {
            certificate: certificate.clone(),
            destroyed: NOW.plus_days(-3).floor(),
            seen: NOW.floor(),
        },
    ]
}

/// What happens to a key and its container.
fn end_of(key: &Key, organisation: &OrganisationId) -> Vec<LifeEvent> {
    let (key, organisation) = (key.clone(), organisation.clone());
    let evidence = s::evidence(&key);
    vec![
        LifeEvent::DestructionDue {
            key: key.clone(),
            organisation: organisation.clone(),
            due: NOW.plus_days(30).floor(),
        },
        LifeEvent::NotEvidenced { key: key.clone(), organisation: organisation.clone() },
        LifeEvent::DestructionBegun {
            evidence: evidence.clone(),
            organisation: organisation.clone(),
        },
        LifeEvent::DestructionBrokenOff {
            evidence: evidence.clone(),
            organisation: organisation.clone(),
        },
        LifeEvent::EvidenceHanded {
            evidence: evidence.clone(),
            organisation: organisation.clone(),
        },
        LifeEvent::EvidenceDecided {
            evidence,
            organisation: organisation.clone(),
            person: s::user_id(2).to_string(),
            decision: Decision::Accept,
            reason: "complete".to_owned(),
            state: EvidenceState::Accepted,
        },
        LifeEvent::Destroyed {
            key: key.clone(),
            organisation: organisation.clone(),
            class: DestructionClass::D4,
            at: NOW.floor(),
        },
        LifeEvent::Lost {
            key: key.clone(),
            organisation: organisation.clone(),
            comment: "stolen".to_owned(),
        },
        LifeEvent::UsageReported {
            key: key.clone(),
            organisation: organisation.clone(),
            uses: 7,
            device: "SN-1".to_owned(),
        },
        LifeEvent::CopySuspected { key, organisation, signal: "counter-backwards".to_owned() },
    ]
}

fn places_of(key: &Key, branch: &Branch) -> Vec<LifeEvent> {
    let container = s::container(branch);
    let evidence = s::digest("evidence");
    vec![
        LifeEvent::ContainerRegistered { container: container.clone() },
        LifeEvent::ContainerVerified { container: container.clone(), evidence },
        LifeEvent::KeyPlaced {
            key: key.clone(),
            organisation: branch.organisation.clone(),
            container: container.id.clone(),
        },
        LifeEvent::CustodianChanged { container: container.clone() },
        LifeEvent::ContainerMoved {
            container: Container { state: ContainerState::Quarantined, ..container.clone() },
        },
        LifeEvent::ContainerDisposed { container, evidence },
        LifeEvent::InstancesOrdered {
            order: OrderId::new(NOW, &s::Numbered(1)),
            organisation: branch.organisation.clone(),
            branch: branch.id.clone(),
            applications: vec![s::application_id(1)],
        },
    ]
}

fn authority_file(event: &AuthorityEvent) -> &'static str {
    match event {
        AuthorityEvent::Planned { .. } => "authority-decided",
        AuthorityEvent::Certified { .. } => "authority-signed",
        AuthorityEvent::RootReceived { .. } => "authority-root-received",
        AuthorityEvent::Suspended { .. } => "authority-suspended",
        AuthorityEvent::Resumed { .. } => "authority-resumed",
        AuthorityEvent::Renewed { .. } => "authority-renewed",
        AuthorityEvent::CrossCertified { .. } => "authority-cross-certified",
        AuthorityEvent::Retired { .. } => "authority-retired",
        AuthorityEvent::KeyDestroyed { .. } => "authority-key-destroyed",
        AuthorityEvent::Ended { .. } => "authority-ended",
        AuthorityEvent::CeremonyOpened { .. } => "ceremony-opened",
        AuthorityEvent::CeremonyStep { .. } => "ceremony-step",
        AuthorityEvent::CeremonyDeviated { .. } => "ceremony-deviated",
        AuthorityEvent::CeremonyClosed { .. } => "ceremony-closed",
        AuthorityEvent::Exchanged { .. } => "bundle-exchanged",
        AuthorityEvent::EmergencyRehearsed { .. } => "emergency-rehearsed",
        AuthorityEvent::Compromised { .. } => "authority-compromised",
        AuthorityEvent::CertificateReceived { .. } => "certificate-received",
        AuthorityEvent::KeyReceived { .. } => "authority-key-received",
        AuthorityEvent::CrlReceived { .. } => "crl-received",
    }
}

/// Every event of the life of authorities once.
fn authority_events() -> Vec<Event> {
    let authority = || s::authority(2);
    let received = ReceivedRoot {
        authority: s::authority(0),
        key: s::authority_key(0),
        certificate: Certificate { policy: s::digest("policy"), ..s::signer(3) },
    };
    let certificate = received.certificate.clone();
    let compromise = Compromise {
        authority: authority(),
        certificates: vec![certificate.clone()],
        revocation: s::revocation(Cause::AuthorityCompromised),
        confirmed_by: s::user_id(2).to_string(),
    };
    let ceremony = s::ceremony().ceremony.id;
    let plan = AuthorityPlan { code: authority().code, ceremony: ceremony.clone(), at: NOW };
    let closed = CeremonyRecord { closed_at: Some(NOW), ..s::ceremony() };
    let all = vec![
        AuthorityEvent::Planned { plan },
        AuthorityEvent::Certified { authority: authority() },
        AuthorityEvent::RootReceived { root: Box::new(received) },
        AuthorityEvent::Suspended { authority: authority(), reason: "点検".to_owned() },
        AuthorityEvent::Resumed { authority: authority() },
        AuthorityEvent::Renewed { authority: authority(), successor: s::authority(3).id },
        AuthorityEvent::CrossCertified {
            certified: s::authority(0).id,
            certificate: certificate.clone(),
        },
        AuthorityEvent::Retired { authority: authority() },
        AuthorityEvent::KeyDestroyed {
            authority: authority(),
            fingerprint: s::authority_key(2).fingerprint,
        },
        AuthorityEvent::Ended { authority: authority() },
        AuthorityEvent::CeremonyOpened { record: Box::new(s::ceremony()) },
        AuthorityEvent::CeremonyStep { ceremony: ceremony.clone(), step: s::step() },
        AuthorityEvent::CeremonyDeviated { ceremony, step: 1 },
        AuthorityEvent::CeremonyClosed { record: Box::new(closed) },
        AuthorityEvent::Exchanged { exchange: Box::new(s::exchange()) },
        AuthorityEvent::EmergencyRehearsed {
            authority: authority().id,
            certificates: 7,
            plan: s::digest("plan"),
            document: "{}".to_owned(),
        },
        AuthorityEvent::Compromised { compromise: Box::new(compromise) },
        AuthorityEvent::CertificateReceived { certificate },
        AuthorityEvent::KeyReceived { key: s::authority_key(3) },
        AuthorityEvent::CrlReceived { crl: s::crl(1) },
    ];
    all.into_iter().map(Event::Authority).collect()
}

/// Every event of status as a whole once.
fn status_events() -> Vec<Event> {
    let branch = s::branch(0, 1);
    let application = Application { policy: s::digest("policy"), ..s::application(&branch, 1) };
    let certificate = s::signed(&s::certificate(&application, 1));
    let all = vec![
        StatusEvent::Seeded { seed: Box::new(s::seed()) },
        StatusEvent::Bulk { bulk: Box::new(s::bulk()), step: BulkStep::Approved },
        StatusEvent::BulkRevoked {
            certificate: Box::new(certificate),
            revocation: s::revocation(Cause::OfficeClosed),
            bulk: s::bulk().id,
        },
        StatusEvent::Inconsistent {
            authority: s::authority(2).id,
            service: StatusService::Crl,
            first: s::certificate(&application, 2).serial,
            differing: 3,
        },
    ];
    all.into_iter().map(Event::Status).collect()
}

/// The way of a list.
fn list_events() -> Vec<Event> {
    let draft = |state| Box::new(s::list_draft(state, Vec::new()));
    let decision = s::decision("other", Verdict::Approved);
    let scheme = s::list_draft(ListDraftState::Editing, Vec::new()).scheme;
    let all = [
        ListEvent::Opened { draft: draft(ListDraftState::Editing) },
        ListEvent::Edited { draft: draft(ListDraftState::SentBack), edit: s::list_edit() },
        ListEvent::Submitted { draft: draft(ListDraftState::Submitted) },
        ListEvent::Decided { draft: draft(ListDraftState::Approved), decision },
        ListEvent::Abandoned { draft: draft(ListDraftState::Abandoned) },
        ListEvent::Signing {
            scheme: scheme.clone(),
            sequence: 2,
            body: s::digest("body"),
            signer: s::key_id(9_002),
        },
        ListEvent::Overdue {
            scheme,
            sequence: 1,
            next_update: NOW.plus_days(3),
            cause: "the key store does not answer".to_owned(),
        },
    ];
    all.into_iter().map(Event::List).collect()
}

/// What waits for others, and accreditations.
fn proposal_events() -> Vec<Event> {
    let decision = s::decision("other", Verdict::Approved);
    let proposal = s::proposal(ProposalState::Done, vec![decision.clone()]);
    let open = s::proposal(ProposalState::Open, Vec::new());
    let accreditation = || Box::new(s::accreditation());
    vec![
        Event::Proposal(ProposalEvent::Proposed { proposal: open }),
        Event::Proposal(ProposalEvent::Decided { proposal, decision }),
        Event::Policy(PolicyEvent::ClaimRecorded { accreditation: accreditation() }),
        Event::Policy(PolicyEvent::ClaimEnded { accreditation: accreditation() }),
    ]
}

/// The states of organisations and branches, and a further identifier.
fn registry_events() -> Vec<Event> {
    let organisation = Organisation { state: OrganisationState::Restricted, ..s::organisation(0) };
    let branch = Branch { state: BranchState::Paused, ..s::branch(0, 1) };
    let comment = "改装".to_owned();
    let all = vec![
        RegistryEvent::OrganisationMoved {
            organisation: organisation.clone(),
            from: OrganisationState::Active,
            comment: comment.clone(),
        },
        RegistryEvent::BranchMoved { branch, from: BranchState::Open, comment },
        RegistryEvent::LeiProofed {
            organisation,
            lei: Lei::parse("5299000J2N45DDNE4Y28").unwrap(),
            proofing: Proofing { method: "P6".to_owned(), evidence: s::digest("entry") },
        },
    ];
    all.into_iter().map(Event::Registry).collect()
}

/// Blocked keys and the feeds of other authorities.
fn feed_events() -> Vec<Event> {
    let digest = s::digest("file");
    let key = s::authority_key(8);
    let evidence = s::platform_evidence(&key);
    let all = vec![
        IdentityEvent::KeyMade { key, evidence },
        IdentityEvent::KeyBlocked { blocked: s::blocked() },
        IdentityEvent::FeedTrusted { source: s::feed_source() },
        IdentityEvent::FeedImported { feed: Box::new(s::feed()), digest },
        IdentityEvent::FeedEnded { source: s::feed_source() },
        IdentityEvent::FeedExported {
            authority: s::feed_source().authority,
            sequence: 7,
            digest,
            keys: 3,
        },
    ];
    all.into_iter().map(Event::Identity).collect()
}

/// The trusted lists of others.
fn followed_events() -> Vec<Event> {
    let source = s::list_source();
    let ended = ListSource { ended_at: Some(NOW), ..source.clone() };
    let fault = ListFault::new(ListProblem::Stale, "its next update has passed", NOW);
    let troubled = FollowedList { fault: Some(fault), ..s::followed_list() };
    let step = |list, step, snapshot| FollowedEvent::Step { list: Box::new(list), step, snapshot };
    let all = vec![
        FollowedEvent::SourceTrusted { source: source.clone() },
        FollowedEvent::AnchorsTaken { source: source.clone() },
        step(s::followed_list(), FollowedStep::Taken, Some(Box::new(s::snapshot()))),
        step(troubled, FollowedStep::Troubled, None),
        FollowedEvent::PivotKept {
            source: source.code,
            address: "https://lists.example/pivot-1.xml".to_owned(),
            xml: b"pivot".to_vec(),
        },
        FollowedEvent::SourceEnded { source: ended },
    ];
    all.into_iter().map(Event::Followed).collect()
}

/// What becomes of a backup.
fn backup_events() -> Vec<Event> {
    let backup =
        || BackupSummary { made_at: NOW, digest: s::digest("backup"), rows: 1204, files: 7 };
    let request = delegation::request(3, ObjectRef::new("restore", s::digest("backup")));
    let all = vec![
        BackupEvent::Made { backup: backup() },
        BackupEvent::Rehearsed { backup: backup() },
        BackupEvent::Restored { backup: backup(), request: Some(Box::new(request)) },
    ];
    all.into_iter().map(Event::Backup).collect()
}

/// What becomes of a letter.
fn notice_events() -> Vec<Event> {
    let notice = || Box::new(s::notice());
    let all = vec![
        NoticeEvent::Sent { notice: notice() },
        NoticeEvent::Failed {
            notice: notice(),
            problem: MailProblem::Refused,
            explanation: "550 no such mailbox".to_owned(),
            next_at: None,
        },
        NoticeEvent::Acknowledged { notice: notice() },
        NoticeEvent::MailboxSet {
            user: s::user_id(1),
            email: EmailAddress::parse("hanako@sample.example").unwrap(),
        },
    ];
    all.into_iter().map(Event::Notice).collect()
}

/// Every event once, those of areas included.
fn every() -> Vec<Event> {
    let mut every = all();
    every.extend(authority_events());
    every.extend(status_events());
    every.extend(notice_events());
    every.extend(backup_events());
    every.extend(proposal_events());
    every.extend(list_events());
    every.extend(registry_events());
    every.extend(feed_events());
    every.extend(followed_events());
    every
}

/// Every event once.
pub(crate) fn all() -> Vec<Event> {
    let branch = s::branch(0, 1);
    let digest = s::digest("policy");
    let applied = |number| Application { policy: digest, ..s::application(&branch, number) };
    let (first, second) = (applied(1), applied(2));
    let issued = s::signed(&s::certificate(&first, 1));
    let lost = s::certificate(&second, 2);
    let mut policy = s::policy();
    (policy.id, policy.version) = ("kmp-sample".to_owned(), "1".to_owned());
    let signer = Certificate { policy: digest, ..s::signer(3) };
    let organisation = branch.organisation.clone();
    let owner = organisation.clone();
    let refusal = Refusal::new(RefusalCode::KeyDuplicate, "KM-6").with("instance", 1);
    let mut all = vec![
        Event::NodeStarted { version: "0.1.0".to_owned() },
        Event::SchemaMigrated { from: String::new(), to: "20261122000001".to_owned() },
        Event::Refused {
            code: AuditCode::KeyDuplicate,
            object: ObjectRef::new("branch", &branch.id),
            organisation: Some(organisation.clone()),
            policy: Some(digest),
            refusal,
        },
        Event::InstallationMade { policy: Box::new(policy) },
        Event::ClockCompared {
            check: ClockCheck { source: "time.example".to_owned(), offset_millis: 2000, at: NOW },
            trusted: false,
        },
        Event::KeyGenerated { key: s::authority_key(2) },
        Event::AuthorityPlanned { authority: s::authority(2) },
        Event::AuthorityCertified { authority: s::authority(2) },
        Event::OrganisationCreated {
            organisation: s::organisation(0),
            proofing: Proofing { method: "P1".to_owned(), evidence: s::digest("extract") },
        },
        Event::BranchCreated { branch },
        Event::Identity(IdentityEvent::ApplicationOpened {
            application: s::opened(&first),
            challenge: s::challenge(&first),
        }),
        Event::Identity(IdentityEvent::ChallengeIssued {
            challenge: Challenge { text: "the next".to_owned(), ..s::challenge(&first) },
            organisation: organisation.clone(),
        }),
        Event::Identity(IdentityEvent::PossessionShown {
            challenge: s::challenge(&first),
            method: PossessionMethod::Pkcs10Challenge,
            key: s::key_id(1),
            organisation: organisation.clone(),
        }),
        Event::KeyClaimed { key: s::seal_key(1), organisation: organisation.clone() },
        Event::Identity(IdentityEvent::OriginShown {
            key: s::seal_key(1),
            organisation,
            evidence: s::key_evidence(&s::seal_key(1)),
        }),
        Event::Identity(IdentityEvent::ApplicationReady { application: first.clone() }),
        Event::Identity(IdentityEvent::ApplicationRejected {
            application: s::opened(&first),
            reason: RefusalCode::KeyDuplicate,
        }),
        Event::Identity(IdentityEvent::ApplicationLapsed { application: s::opened(&first) }),
        Event::Identity(IdentityEvent::IncidentOpened { incident: s::incident(&first) }),
        Event::Identity(IdentityEvent::IncidentClosed {
            incident: s::closed(&s::incident(&first)),
        }),
        Event::CertificateIssued { certificate: issued.clone() },
    ];
    let seal_key = s::seal_key(1);
    let life = life_of(&issued).into_iter().chain(end_of(&seal_key, &owner));
    all.extend(life.chain(places_of(&seal_key, &s::branch(0, 1))).map(Event::Life));
    all.extend(
        [
            Event::CertificateNotAccepted {
                certificate: lost,
                revocation: s::revocation(Cause::OfficeClosed),
            },
            Event::CertificateRevoked {
                certificate: issued,
                revocation: s::revocation(Cause::KeyExposed),
                comment: "紛失".to_owned(),
            },
            Event::CrlIssued { crl: s::crl(1) },
            Event::OcspSignerRotated { authority: s::authority(2).id, certificate: signer },
            Event::ListPublished { list: s::published("sample", 1), services: Vec::new() },
            Event::AccountCreated { account: s::account(1) },
            Event::RoleGranted { user: s::user_id(1), grant: s::grant() },
            Event::CodeIssued { code: s::code(1) },
            Event::CodeUsed { code: s::code(1) },
            Event::FactorAdded { user: s::user_id(1), factor: "totp".to_owned() },
            Event::LoggedIn { session: s::session(1) },
            Event::SteppedUp { session: s::session(1) },
            Event::SessionEnded { session: s::session(1) },
            Event::AccountLocked { user: s::user_id(1), until: NOW.plus_seconds(30) },
            Event::NodeStopped,
        ]
        .into_iter()
        .chain([tokens(), policies()].into_iter().flatten())
        .chain(delegation::every().into_iter().map(Event::Delegation)),
    );
    all
}

/// Every event about tokens of service accounts.
fn tokens() -> Vec<Event> {
    let owner = s::branch(0, 1).organisation;
    let token = s::token(1);
    let ended = ServiceToken { ended_at: Some(NOW), ..token.clone() };
    let events = [
        AccessEvent::TokenIssued { token, organisation: owner.clone() },
        AccessEvent::TokenRevoked { token: ended, organisation: owner.clone() },
        AccessEvent::EvidencePacked {
            certificate: s::certificate_id(1),
            organisation: owner.clone(),
            manifest: s::digest("manifest"),
        },
        AccessEvent::CertificateBound { user: s::user_id(1), certificate: s::client_certificate() },
        AccessEvent::CertificateEnded {
            user: s::user_id(1),
            fingerprint: s::client_certificate().fingerprint,
        },
        AccessEvent::AccountDisabled { user: s::user_id(1), organisation: Some(owner.clone()) },
        AccessEvent::RoleEnded { user: s::user_id(1), grant: s::grant() },
        AccessEvent::LanguageSet { user: s::user_id(1), language: Language::En },
    ];
    events.into_iter().map(Event::Access).collect()
}

/// Every event in the life of a policy document.
fn policies() -> Vec<Event> {
    let draft = s::draft("kmp-sample");
    let (digest, by) = (s::digest("former"), s::digest("policy"));
    let decision = s::decision("one", Verdict::Approved);
    let events = [
        PolicyEvent::Replaced { digest, by },
        PolicyEvent::Decided { digest, decision, complete: false },
        PolicyEvent::Activated { policy: Box::new(draft.policy.clone()), digest },
        PolicyEvent::Superseded { digest, by },
        PolicyEvent::Drafted { draft: Box::new(PolicyDraft { digest, ..draft }) },
        PolicyEvent::VendorRootAsked { root: s::vendor_root() },
        PolicyEvent::VendorRootDecided {
            root: s::vendor_root().decide(s::root_decision()).unwrap(),
            decision: s::root_decision(),
        },
    ];
    events.into_iter().map(Event::Policy).collect()
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/events")
}

fn check(event: &Event) {
    let facts = event.facts("node-1");
    let record = AuditRecord { seq: 1, at: NOW, origin: s::origin(), facts };
    let path = folder().join(file(event)).with_extension("json");
    let frozen = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(record.canonical().unwrap(), frozen.trim_end(), "{}", path.display());
}

#[test]
fn every_event_is_recorded_as_it_always_was() {
    every().iter().for_each(check);
}

#[test]
fn every_event_has_one_frozen_record() {
    let expected: BTreeSet<String> =
        every().iter().map(|event| format!("{}.json", file(event))).collect();
    let files = folder().read_dir().unwrap().map(|entry| entry.unwrap().file_name());
    let found: BTreeSet<String> = files.map(|name| name.into_string().unwrap()).collect();
    assert_eq!(found, expected);
}
