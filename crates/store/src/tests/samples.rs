//! Fixed nouns that tests record: two organisations with branches, an authority, a seal.

use tenkoku_domain::access::{Actor, Origin, Permission, Role, RoleGrant, Scope};
use tenkoku_domain::account::{Account, ClientCertificate, EnrolmentCode, Session};
use tenkoku_domain::accreditation::{
    Accreditation, AccreditationRecord, ClaimKind, DisclosureStatement,
};
use tenkoku_domain::application::{Application, ApplicationState, AppliedKey, Wishes};
use tenkoku_domain::audit::{
    CrlList, Event, Exchange, IdentityEvent, IssuedCrl, ObjectRef, Proofing, SignedCrl,
};
use tenkoku_domain::authority::{
    Authority, AuthorityCode, AuthorityKind, AuthorityName, AuthorityState, Custody, ShardCount,
};
use tenkoku_domain::branch::{Branch, BranchCode, BranchKind, BranchState, Custodian};
use tenkoku_domain::bulk::{BulkApproval, BulkRevocation, BulkSelection, BulkState};
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::ceremony::record::{CeremonyRecord, StepRecord};
use tenkoku_domain::ceremony::template::{OfflineIssuer, Wish, script};
use tenkoku_domain::ceremony::{CeremonyKind, CeremonyRole, Participant, Subject};
use tenkoku_domain::certificate::{
    Certificate, CertificateState, Profile, SealBinding, Serial, Validity,
};
use tenkoku_domain::challenge::Challenge;
use tenkoku_domain::container::{BackupCopy, Container, ContainerKind, ContainerState, PRIMARY};
use tenkoku_domain::destruction::{CopyLine, Evidence, Method, Signatory, SignerRole};
use tenkoku_domain::exchange::{BundleKind, CompareCode, Octets};
use tenkoku_domain::feed::{Feed, FeedAuthority, FeedKey, FeedSource, FeedState};
use tenkoku_domain::followed::{
    FollowedList, ListCode, ListSource, ListTrust, Snapshot, SnapshotHead,
};
use tenkoku_domain::id::{
    AccreditationId, ApplicationId, AuthorityId, BranchId, BulkId, CeremonyId, CertificateId,
    ContainerId, Entropy, EvidenceId, ExchangeId, IncidentId, InstanceId, KeyEvidenceId, KeyId,
    ListDraftId, OrganisationId, PersonId, ProposalId, RequestId, SessionId, SnapshotId, TokenId,
    UserId,
};
use tenkoku_domain::identifier::OrganizationIdentifier;
use tenkoku_domain::incident::{Incident, IncidentClosing, IncidentDecision, IncidentKind};
use tenkoku_domain::key::{
    BlockList, BlockedKey, Fingerprint, Key, KeyAlgorithm, KeyHolder, KeyRole, KeyState,
    OriginClass,
};
use tenkoku_domain::level::Level;
use tenkoku_domain::name::Name;
use tenkoku_domain::notice::{Delivery, EmailAddress, Matter, Notice, NoticeKind, Recipient, Step};
use tenkoku_domain::organisation::{Address, Language, Organisation, OrganisationState};
use tenkoku_domain::origin::{EvidenceFormat, KeyEvidence};
use tenkoku_domain::policy::draft::{DraftState, PolicyDecision, PolicyDraft, Verdict};
use tenkoku_domain::policy::{DestructionClass, Installation, KeyPolicy, PossessionMethod};
use tenkoku_domain::proposal::{self, Proposal, ProposalState, ProposedAct};
use tenkoku_domain::revocation::{Cause, Revocation};
use tenkoku_domain::seed::{Seed, SeedRow};
use tenkoku_domain::service_account::{ServiceToken, TokenAlgorithm, TokenKey, TokenProof};
use tenkoku_domain::suspension::{HoldCause, Suspension};
use tenkoku_domain::time::Timestamp;
use tenkoku_domain::trusted_list::draft::{
    DraftEdit, ListDraft, ListDraftState, ListEdit, ListPart, StatusGround,
};
use tenkoku_domain::trusted_list::{ListedService, PublishedList, SchemeCode, Standing};
use tenkoku_domain::vendor_root::{VendorRoot, VendorRootDecision};

/// 2026-11-22T18:10:00.120Z.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_795_371_000_120);

/// Fills with one number, so that what is made with the same number is the same.
pub(crate) struct Numbered(pub(crate) u64);

impl Entropy for Numbered {
    fn fill(&self, bytes: &mut [u8]) {
        let number = self.0.to_be_bytes();
        bytes
            .iter_mut()
            .rev()
            .zip(number.iter().rev().chain([0].iter().cycle()))
            .for_each(|(byte, value)| *byte = *value);
    }
}

macro_rules! numbered {
    ($($name:ident -> $id:ident)*) => {
        $(pub(crate) fn $name(number: u64) -> $id { $id::new(NOW, &Numbered(number)) })*
    };
}

numbered! {
    application_id -> ApplicationId
    authority_id -> AuthorityId
    branch_id -> BranchId
    certificate_id -> CertificateId
    incident_id -> IncidentId
    instance_id -> InstanceId
    key_id -> KeyId
    organisation_id -> OrganisationId
    person_id -> PersonId
    session_id -> SessionId
    user_id -> UserId
}

pub(crate) fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

pub(crate) fn digest(text: &str) -> Digest {
    Digest::of(text.as_bytes())
}

pub(crate) fn serial(number: u64) -> Serial {
    Serial::parse(&format!("40000000{number:024X}")).unwrap()
}

pub(crate) fn origin() -> Origin {
    Origin {
        actor: Actor::user(&user_id(1), "password+totp"),
        request: RequestId::new(NOW, &Numbered(1)),
        source: Some("192.0.2.7".to_owned()),
    }
}

pub(crate) fn policy() -> KeyPolicy {
    KeyPolicy::initial(Installation::Evaluation)
}

/// A draft that takes effect a day later.
pub(crate) fn draft(id: &str) -> PolicyDraft {
    let mut policy = policy();
    id.clone_into(&mut policy.id);
    policy.effective_from = NOW.floor().plus_days(1);
    PolicyDraft {
        digest: policy.digest().unwrap(),
        policy,
        text: "# 原本".to_owned(),
        author: "author".to_owned(),
        drafted_at: NOW,
        state: DraftState::Drafted,
        decisions: Vec::new(),
    }
}

/// What a person decides about a draft.
pub(crate) fn decision(person: &str, verdict: Verdict) -> PolicyDecision {
    let (person, reason) = (person.to_owned(), String::new());
    PolicyDecision { person, verdict, at: NOW, reason, actor: origin().actor }
}

fn address() -> Address {
    Address {
        country: "JP".to_owned(),
        postal_code: Some("530-0001".to_owned()),
        region: Some(name("大阪府")),
        locality: Some(name("大阪市")),
        street: None,
    }
}

/// Corporate numbers of the specification's examples, one per organisation.
const NUMBERS: [&str; 3] = ["5010401067252", "7000012050002", "8000012010038"];

pub(crate) fn organisation(number: u64) -> Organisation {
    let index = usize::try_from(number).unwrap();
    Organisation {
        id: organisation_id(number),
        identifier: OrganizationIdentifier::of_corporate_number(NUMBERS[index]).unwrap(),
        legal_name: name(&format!("株式会社サンプル{number}")),
        kana: Some(name("カブシキガイシャサンプル")),
        latin_name: Some(name(&format!("Sample_{number} Co., Ltd."))),
        address: address(),
        language: Language::Ja,
        state: OrganisationState::Active,
        created_at: NOW,
    }
}

pub(crate) fn branch(organisation: u64, number: u64) -> Branch {
    Branch {
        id: branch_id(organisation * 10_000 + number),
        organisation: organisation_id(organisation),
        code: BranchCode::parse(&format!("BR-{number:04}")).unwrap(),
        kind: BranchKind::Branch,
        name: name(&format!("第{number}支店")),
        latin_name: Some(name(&format!("Branch No {number}"))),
        custodian: Some(Custodian::parse("例 花子", "hanako@branch.example").unwrap()),
        address: address(),
        state: BranchState::Open,
        opened_at: NOW,
    }
}

/// The key of a seal's instance.
pub(crate) fn seal_key(number: u64) -> Key {
    Key {
        id: key_id(number),
        role: KeyRole::Seal,
        holder: KeyHolder::Instance(instance_id(number)),
        algorithm: KeyAlgorithm::P256,
        fingerprint: Fingerprint(digest(&format!("key {number}"))),
        public_key: vec![0x30, 0x00, 0xFF],
        origin: OriginClass::K0,
        state: KeyState::Proven,
        created_at: NOW,
    }
}

/// The key of an authority.
pub(crate) fn authority_key(number: u64) -> Key {
    Key {
        id: key_id(9_000 + number),
        role: KeyRole::Authority,
        holder: KeyHolder::Authority(authority_id(number)),
        algorithm: KeyAlgorithm::P384,
        fingerprint: Fingerprint(digest(&format!("authority key {number}"))),
        origin: OriginClass::K2,
        state: KeyState::Generated,
        ..seal_key(number)
    }
}

/// Number 0 is the root, the others issue at their level.
pub(crate) fn authority(number: u8) -> Authority {
    let kind = Level::try_from(number).map_or(AuthorityKind::Root, AuthorityKind::Issuing);
    let code = if number == 0 { "root-g1".to_owned() } else { format!("seal-l{number}-g1") };
    Authority {
        id: authority_id(number.into()),
        code: AuthorityCode::parse(&code).unwrap(),
        kind,
        generation: 1,
        name: AuthorityName {
            country: "JP".to_owned(),
            organisation: name("株式会社サンプル認証"),
            identifier: OrganizationIdentifier::of_corporate_number("1180301018771").unwrap(),
            common_name: name(&format!("Sample Evaluation CA {number} G1")),
        },
        issuer: (number > 0).then(|| authority_id(0)),
        key: key_id(9_000 + u64::from(number)),
        algorithm: KeyAlgorithm::P384,
        serial: serial(9_000 + u64::from(number)),
        validity: Validity::days(NOW, 3650),
        certificate: None,
        state: AuthorityState::Planned,
        created_at: NOW,
        custody: Custody::Online,
        dedicated: None,
        predecessor: None,
        crl_shards: ShardCount::ONE,
    }
}

/// The application of instance `number` of a branch's seal.
pub(crate) fn application(branch: &Branch, number: u64) -> Application {
    let policy = policy().digest().unwrap();
    Application {
        id: application_id(number),
        organisation: branch.organisation.clone(),
        branch: branch.id.clone(),
        level: Level::Two,
        instance: instance_id(number),
        instance_number: i32::try_from(number).unwrap(),
        validity_days: 365,
        key: Some(AppliedKey { id: key_id(number), fingerprint: seal_key(number).fingerprint }),
        request: Some(vec![0x30, 0x01, 0x02]),
        policy,
        digest: digest("what is decided on"),
        grant: None,
        applicant: origin().actor,
        state: ApplicationState::Ready,
        certificate: None,
        created_at: NOW,
        changed_at: NOW,
        wishes: Wishes::default(),
    }
}

/// The same application before its key was shown.
pub(crate) fn opened(application: &Application) -> Application {
    Application { key: None, state: ApplicationState::KeyProof, ..application.clone() }
}

/// The challenge of an application.
pub(crate) fn challenge(application: &Application) -> Challenge {
    Challenge {
        application: application.id.clone(),
        text: format!("challenge of {}", application.id),
        issued_at: NOW,
        expires_at: NOW.plus_seconds(3600),
        used_at: None,
    }
}

/// An incident over the key of an application.
pub(crate) fn incident(application: &Application) -> Incident {
    Incident {
        id: incident_id(1),
        kind: IncidentKind::SiblingKey,
        fingerprint: application.key.as_ref().unwrap().fingerprint,
        application: Some(application.id.clone()),
        organisations: vec![application.organisation.clone()],
        certificates: vec![certificate_id(1)],
        told: vec![format!("custodian/{}", application.branch)],
        opened_at: NOW,
        closed: None,
    }
}

/// The same incident, decided.
pub(crate) fn closed(incident: &Incident) -> Incident {
    let decision = IncidentDecision::NoCopy;
    let reason = "調査の結果、複製なし".to_owned();
    incident.close(IncidentClosing { decision, reason, at: NOW }).unwrap()
}

/// The certificate of an application, about to be signed by authority 2.
pub(crate) fn certificate(application: &Application, number: u64) -> Certificate {
    Certificate {
        id: certificate_id(number),
        authority: authority_id(2),
        serial: serial(number),
        profile: Profile::Seal2,
        key: application.key.as_ref().unwrap().id.clone(),
        seal: Some(SealBinding {
            organisation: application.organisation.clone(),
            branch: application.branch.clone(),
            instance: application.instance.clone(),
            application: application.id.clone(),
        }),
        common_name: format!("株式会社サンプル 第{number}支店 電子印"),
        validity: Validity::days(NOW, 365),
        sealing_not_after: Some(NOW.plus_days(300)),
        policy: application.policy,
        tbs: vec![0x30, 0x03, 0xAA],
        der: None,
        state: CertificateState::Pending,
        created_at: NOW,
    }
}

/// The same certificate, signed and in use.
pub(crate) fn signed(certificate: &Certificate) -> Certificate {
    Certificate {
        der: Some(vec![0x30, 0x04, 0xBB]),
        state: CertificateState::Active,
        ..certificate.clone()
    }
}

/// A certificate of a service of authority 2, with the key of number `number`.
pub(crate) fn signer(number: u64) -> Certificate {
    let any = branch(0, 1);
    Certificate {
        profile: Profile::OcspSigner,
        seal: None,
        sealing_not_after: None,
        common_name: "Sample OCSP Signer".to_owned(),
        validity: Validity::days(NOW, 30),
        ..certificate(&application(&any, number), number)
    }
}

/// Evidence of the destruction of a key.
pub(crate) fn evidence(key: &Key) -> Evidence {
    Evidence {
        id: EvidenceId::new(NOW, &Numbered(1)),
        key: key.id.clone(),
        class: DestructionClass::D4,
        lines: vec![CopyLine {
            copy: PRIMARY.to_owned(),
            method: Some(Method::Zeroise),
            at: Some(NOW.floor()),
        }],
        serials: vec!["SN-1".to_owned()],
        signatories: vec![Signatory {
            name: "例 花子".to_owned(),
            role: SignerRole::Custodian,
            key: Fingerprint(digest("another key")),
        }],
        attachments: vec![digest("photograph")],
        report: None,
        last_act: None,
        handed_by: user_id(1).to_string(),
        handed_at: NOW,
    }
}

/// A token of a branch, with one backup.
pub(crate) fn container(branch: &Branch) -> Container {
    Container {
        id: ContainerId::new(NOW, &Numbered(1)),
        organisation: branch.organisation.clone(),
        branch: Some(branch.id.clone()),
        kind: ContainerKind::Token,
        model: "Sample Token".to_owned(),
        serial: "SN-1".to_owned(),
        firmware: "1.2".to_owned(),
        certification: String::new(),
        partition: String::new(),
        custodian: Custodian::parse("例 花子", "hanako@branch.example").unwrap(),
        location: "大阪".to_owned(),
        inventory: vec![BackupCopy { label: "safe".to_owned(), location: "東京".to_owned() }],
        state: ContainerState::Registered,
        registered_at: NOW,
    }
}

/// A vendor's root that waits for approvals.
pub(crate) fn vendor_root() -> VendorRoot {
    let what = ("sample-vendor".to_owned(), vec![0x30, 0x00, 0x09]);
    VendorRoot::propose(what, "author".to_owned(), Installation::Production, NOW)
}

/// The first approval of it.
pub(crate) fn root_decision() -> VendorRootDecision {
    VendorRootDecision {
        person: "second".to_owned(),
        verdict: Verdict::Approved,
        at: NOW,
        reason: String::new(),
        actor: origin().actor,
    }
}

/// What a device attested of a key.
pub(crate) fn key_evidence(key: &Key) -> KeyEvidence {
    KeyEvidence {
        id: KeyEvidenceId::new(NOW, &Numbered(1)),
        key: key.id.clone(),
        format: EvidenceFormat::YubiHsm,
        class: OriginClass::K3,
        vendor: Some("sample-vendor".to_owned()),
        serial: Some("7550140".to_owned()),
        object: Some("0x0003".to_owned()),
        container: Some(ContainerId::new(NOW, &Numbered(1))),
        content: vec![0x30, 0x00, 0x07],
        digest: digest("evidence of origin"),
        at: NOW,
    }
}

pub(crate) fn platform_evidence(key: &Key) -> KeyEvidence {
    KeyEvidence {
        id: KeyEvidenceId::new(NOW, &Numbered(2)),
        format: EvidenceFormat::Platform,
        class: OriginClass::K2,
        vendor: None,
        serial: Some("a1b2c3d4e5f60718".to_owned()),
        object: Some("6b6579".to_owned()),
        container: None,
        ..key_evidence(key)
    }
}

/// A hold that the certificate is put on.
pub(crate) fn suspension(certificate: &Certificate) -> Suspension {
    Suspension {
        certificate: certificate.id.clone(),
        from: NOW.floor(),
        until: NOW.floor().plus_days(30),
        because: HoldCause::UnclearFacts,
        by: user_id(1).to_string(),
        extension_asked_by: None,
        extended_at: None,
        ended_at: None,
    }
}

pub(crate) fn revocation(cause: Cause) -> Revocation {
    let invalid_since = (cause == Cause::KeyExposed).then(|| NOW.plus_days(-3).floor());
    Revocation { cause, at: NOW.floor(), invalid_since }
}

/// A revocation of everything of an organisation, approved by one.
pub(crate) fn bulk() -> BulkRevocation {
    BulkRevocation {
        id: BulkId::new(NOW, &Numbered(1)),
        selection: BulkSelection {
            organisation: Some(organisation_id(0)),
            ..BulkSelection::default()
        },
        cause: Cause::OfficeClosed,
        comment: "閉鎖".to_owned(),
        due: Some(NOW.plus_days(7).floor()),
        matched: 2,
        asked_by: user_id(1).to_string(),
        asked_at: NOW,
        approvals: vec![BulkApproval { person: user_id(2).to_string(), at: NOW }],
        state: BulkState::Asked,
        cursor: None,
        revoked: 0,
        skipped: 0,
    }
}

/// Serial numbers of authority 2 over the key of number 9001, every second one revoked.
pub(crate) fn seed() -> Seed {
    let row = |number: u64| SeedRow {
        id: certificate_id(number),
        serial: Serial::random(&Numbered(number)),
        revocation: number.is_multiple_of(2).then(|| revocation(Cause::Replaced)),
    };
    Seed {
        authority: authority_id(2),
        profile: Profile::Seal2,
        key: authority_key(2).id,
        policy: digest("policy"),
        validity: Validity::days(NOW, 365),
        common_name: "Demonstration seal".to_owned(),
        rows: (101..=104).map(row).collect(),
    }
}

pub(crate) fn crl(number: i64) -> SignedCrl {
    let der = vec![0x30, 0x05, 0xCC];
    let head = IssuedCrl {
        authority: authority_id(2),
        list: CrlList::Full,
        base: None,
        number,
        this_update: NOW.floor(),
        next_update: NOW.floor().plus_days(3),
        revision: 4,
        entries: 1,
        octets: 3,
        digest: Digest::of(&der),
    };
    SignedCrl { head, der }
}

pub(crate) fn published(scheme: &str, sequence: i64) -> PublishedList {
    PublishedList {
        scheme: scheme.to_owned(),
        sequence,
        issued_at: NOW.floor(),
        next_update: Some(NOW.floor().plus_days(180)),
        signer: key_id(9_002),
        digest: digest("the list"),
        content: digest("what it says"),
        draft: None,
        xml: b"<list/>".to_vec(),
        json: Some("e30.e30.eA".to_owned()),
    }
}

/// A draft of a list, with what was changed in it.
pub(crate) fn list_draft(state: ListDraftState, decisions: Vec<PolicyDecision>) -> ListDraft {
    let content = digest("the draft");
    let edit = list_edit();
    ListDraft {
        id: ListDraftId::new(NOW, &Numbered(1)),
        scheme: SchemeCode::parse("sample").unwrap(),
        base: Some(digest("what it says")),
        author: "author".to_owned(),
        opened_at: NOW,
        document: "<list/>".to_owned(),
        content,
        state,
        submitted_at: (state == ListDraftState::Submitted).then_some(NOW),
        edits: if state == ListDraftState::Editing { Vec::new() } else { vec![edit] },
        decisions,
    }
}

pub(crate) fn list_edit() -> DraftEdit {
    let ground = StatusGround {
        reason: "監査の結果".to_owned(),
        legal_ja: "規程第5条".to_owned(),
        legal_en: "Rules, article 5".to_owned(),
    };
    let edit = ListEdit::Status {
        part: ListPart::Service { provider: 1, service: 2 },
        status: "https://sample.example/lists#withdrawn".to_owned(),
        from: Some(NOW.plus_days(1)),
        ground,
    };
    DraftEdit { edit, person: "author".to_owned(), at: NOW, content: digest("the draft") }
}

/// What a list says of a key.
pub(crate) fn listed_service(standing: Standing) -> ListedService {
    ListedService {
        scheme: "sample".to_owned(),
        fingerprint: Fingerprint(digest("listed")),
        name: "Sample CA".to_owned(),
        status: "https://sample.example/lists#granted".to_owned(),
        since: NOW,
        standing,
        sequence: 1,
    }
}

pub(crate) fn grant() -> RoleGrant {
    RoleGrant {
        role: Role::Custodian,
        scope: Scope::branch(branch_id(1)),
        until: NOW.plus_days(365),
    }
}

pub(crate) fn account(number: u64) -> Account {
    let platform = RoleGrant { scope: Scope::Platform, role: Role::Auditor, ..grant() };
    Account {
        id: user_id(number),
        login: format!("sample.{number}"),
        display_name: "例 太郎".to_owned(),
        person: person_id(number),
        language: Language::En,
        roles: vec![platform, grant()],
        email: None,
        registered_by: "setup".to_owned(),
        created_at: NOW,
        disabled_at: None,
    }
}

pub(crate) fn code(number: u64) -> EnrolmentCode {
    EnrolmentCode {
        digest: digest(&format!("link {number}")),
        user: user_id(1),
        expires_at: NOW.plus_seconds(3600),
        used_at: None,
        attempts: 0,
    }
}

pub(crate) fn session(number: u64) -> Session {
    Session {
        id: session_id(number),
        digest: digest(&format!("cookie {number}")),
        user: user_id(1),
        authenticator: "password+totp".to_owned(),
        csrf: "token".to_owned(),
        created_at: NOW,
        seen_at: NOW,
        factor_at: NOW,
        ended_at: None,
    }
}

pub(crate) fn organisation_created(number: u64) -> Event {
    Event::OrganisationCreated {
        organisation: organisation(number),
        proofing: Proofing { method: "P1".to_owned(), evidence: digest("extract") },
    }
}

pub(crate) fn branch_created(organisation: u64, number: u64) -> Event {
    Event::BranchCreated { branch: branch(organisation, number) }
}

/// The installation that everything else rests on: policy, root, authority 2.
pub(crate) fn installation() -> Vec<Event> {
    let mut events = vec![Event::InstallationMade { policy: Box::new(policy()) }];
    for number in [0, 2] {
        events.push(Event::KeyGenerated { key: authority_key(number.into()) });
        events.push(Event::AuthorityPlanned { authority: authority(number) });
    }
    events
}

/// Two organisations: the first with two branches, the second with one of the same code.
pub(crate) fn registry() -> Vec<Event> {
    let mut events = installation();
    events.extend([organisation_created(0), organisation_created(1)]);
    events.extend([branch_created(0, 1), branch_created(0, 2), branch_created(1, 1)]);
    events
}

/// An application, possession of its key shown, and the key claimed.
pub(crate) fn applied(branch: &Branch, number: u64) -> Vec<Event> {
    let application = application(branch, number);
    let organisation = branch.organisation.clone();
    let challenge = challenge(&application);
    let opened = opened(&application);
    let shown = IdentityEvent::PossessionShown {
        challenge: challenge.clone(),
        method: PossessionMethod::Pkcs10Challenge,
        key: key_id(number),
        organisation: organisation.clone(),
    };
    vec![
        Event::Identity(IdentityEvent::ApplicationOpened { application: opened, challenge }),
        Event::Identity(shown),
        Event::KeyClaimed { key: seal_key(number), organisation },
        Event::Identity(IdentityEvent::ApplicationReady { application }),
    ]
}

/// The record of a ceremony that makes a root, with its first step done.
pub(crate) fn ceremony() -> CeremonyRecord {
    let participant =
        |role, person: &str| Participant { role, person: Name::parse(person).unwrap() };
    let ceremony = script(Wish {
        id: CeremonyId::parse("crm_01J00000000000000000000001").unwrap(),
        kind: CeremonyKind::Destruction,
        subject: Subject::Authority { authority: AuthorityCode::parse("root-g1").unwrap() },
        language: Language::Ja,
        installation: Installation::Production,
        roles: vec![
            participant(CeremonyRole::Leader, "佐藤 恵"),
            participant(CeremonyRole::Witness, "高橋 花"),
        ],
        recording: None,
        offline_issuer: OfflineIssuer::Here,
    });
    let mut record = CeremonyRecord::open(ceremony, "0.1.0", NOW).unwrap();
    record.steps.push(step());
    record
}

/// The first step of [`ceremony`].
pub(crate) fn step() -> StepRecord {
    StepRecord { number: 1, at: NOW, ticks: Vec::new(), outputs: Vec::new(), deviation: None }
}

/// A request that was sealed.
pub(crate) fn exchange() -> Exchange {
    Exchange {
        id: ExchangeId::parse("xch_01J00000000000000000000001").unwrap(),
        kind: BundleKind::Request,
        root: AuthorityCode::parse("root-g1").unwrap(),
        digest: digest("bundle"),
        code: CompareCode::of(&digest("bundle")),
        signer: digest("signer"),
        document: "{}".to_owned(),
        at: NOW,
    }
}

/// A letter to the custodian of a branch.
pub(crate) fn notice() -> Notice {
    let certificate = ObjectRef::new("certificate", certificate_id(1));
    let organisation = organisation(0).id;
    Notice {
        number: 1,
        matter: Matter::new(NoticeKind::SealingEnds, certificate, Some(&organisation)),
        step: Step::Before(14),
        recipient: Recipient::Person {
            address: EmailAddress::parse("taro@sample.example").unwrap(),
            name: "見本 太郎".to_owned(),
            language: Language::Ja,
        },
        due_at: NOW,
        attempts: 1,
        delivery: Delivery::Waiting { next_at: NOW, problem: None },
    }
}

/// A proposal to block a key, with what is decided about it.
pub(crate) fn proposal(state: ProposalState, decisions: Vec<PolicyDecision>) -> Proposal {
    let act = ProposedAct::BlockKey { fingerprint: Fingerprint(digest("found")) };
    Proposal {
        id: ProposalId::new(NOW, &Numbered(1)),
        digest: proposal::digest(&act, "found").unwrap(),
        act,
        reason: "found".to_owned(),
        author: "author".to_owned(),
        proposed_at: NOW,
        state,
        decisions,
    }
}

pub(crate) fn blocked() -> BlockedKey {
    BlockedKey {
        fingerprint: Fingerprint(digest("found")),
        list: BlockList::Operator,
        reason: "found".to_owned(),
        since: NOW,
    }
}

pub(crate) fn feed_source() -> FeedSource {
    FeedSource {
        authority: FeedAuthority::parse("ca.other.example").unwrap(),
        public_key: b"key".to_vec(),
        sequence: 0,
        issued_at: None,
        trusted_at: NOW,
        ended_at: None,
    }
}

pub(crate) fn list_source() -> ListSource {
    ListSource {
        code: ListCode::parse("eu").unwrap(),
        location: "https://lists.example/lotl.xml".to_owned(),
        trust: ListTrust::Journal {
            address: "https://journal.example/C/2026/1".to_owned(),
            certificates: vec![Octets(b"anchor".to_vec())],
        },
        trusted_at: NOW,
        ended_at: None,
    }
}

pub(crate) fn followed_list() -> FollowedList {
    let source = list_source();
    FollowedList {
        snapshot: Some(snapshot().head.id),
        etag: Some("\"7\"".to_owned()),
        checked_at: Some(NOW),
        confirmed_at: Some(NOW),
        ..FollowedList::new(source.code.clone(), source.code, source.location, None)
    }
}

pub(crate) fn snapshot() -> Snapshot {
    let xml = b"list".to_vec();
    let head = SnapshotHead {
        id: SnapshotId::parse("snp_01M8276R9R0000000000000001").unwrap(),
        list: list_source().code,
        address: list_source().location,
        sequence: 388,
        issued_at: NOW.floor(),
        next_update: Some(NOW.floor().plus_days(180)),
        signer: digest("list signer"),
        digest: Digest::of(&xml),
        taken_at: NOW,
    };
    Snapshot { head, xml }
}

pub(crate) fn feed() -> Feed {
    let key = FeedKey {
        fingerprint: Fingerprint(digest("theirs")),
        state: FeedState::Live,
        first_seen: "2026-11-01".to_owned(),
    };
    let authority = feed_source().authority;
    Feed { v: 1, authority, issued_at: NOW.floor(), sequence: 1, keys: vec![key] }
}

pub(crate) fn accreditation() -> Accreditation {
    Accreditation {
        id: AccreditationId::new(NOW, &Numbered(1)),
        record: AccreditationRecord {
            authority: authority(2).id,
            claim: ClaimKind::Accredited,
            profiles: vec![Profile::Seal3],
            country: "JP".to_owned(),
            disclosures: vec![DisclosureStatement {
                address: "https://pds.example.jp/en.pdf".to_owned(),
                language: "en".to_owned(),
            }],
            validity: Validity::days(NOW, 365),
            reference: "2026-17".to_owned(),
        },
        recorded_at: NOW,
        ended_at: None,
    }
}

/// A certificate that an account signs in with.
pub(crate) fn client_certificate() -> ClientCertificate {
    ClientCertificate {
        fingerprint: digest("client certificate"),
        subject: "CN=海野 楓".to_owned(),
        not_after: NOW.plus_days(365),
        created_at: NOW,
    }
}

/// A token of the account of a number, whose key signs.
pub(crate) fn token(number: u64) -> ServiceToken {
    ServiceToken {
        id: TokenId::new(NOW, &Numbered(number)),
        user: user_id(number),
        label: "更新".to_owned(),
        proof: TokenProof::Key(TokenKey {
            algorithm: TokenAlgorithm::EdDsa,
            public_key: vec![0x30, 0x2A],
            fingerprint: Fingerprint(digest("token key")),
        }),
        permissions: [Permission::ViewRegistry, Permission::Apply].into(),
        created_at: NOW,
        until: NOW.plus_days(90),
        ended_at: None,
    }
}
