//! An evaluation installation inside the process: a real database, software keys, a clock that
//! tests move, seeded entropy. Made through the use cases that `tenkoku init --evaluation` calls.
//!
//! When a story ends, [`crate::invariants`] looks at what it left behind.

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};

use secrecy::SecretString;
use serde_json::Value;
use tempfile::TempDir;
use tenkoku_ca::apply::{Applied, ApplyError, ApplyOrder, apply_for_seal, apply_under_grant};
use tenkoku_ca::authority::{AuthorityOrder, create_authority, establish_authority};
use tenkoku_ca::batch::{JOB as BATCH_JOB, work_batch};
use tenkoku_ca::clock::compare_clock;
use tenkoku_ca::import::{import_branches, import_organisations};
use tenkoku_ca::issue::{IssueError, issue_certificate};
use tenkoku_ca::prove::{Proof, ProveError, prove_possession};
use tenkoku_ca::revoke::{RevokeError, RevokeOrder, revoke_certificate};
use tenkoku_ca::signer::{renew_document_signer, renew_list_signers, renew_ocsp_signers};
use tenkoku_domain::access::{Act, Actor, Permit, Principal, Role, RoleGrant, Scope};
use tenkoku_domain::application::{Application, Wishes};
use tenkoku_domain::audit::{ChainBreak, ChainWalk, Event, StoredRecord};
use tenkoku_domain::authority::{Authority, AuthorityCode, AuthorityKind, ShardCount};
use tenkoku_domain::branch::{Branch, BranchCode};
use tenkoku_domain::ceremony::template::{OfflineIssuer, Wish, script};
use tenkoku_domain::ceremony::{
    Ceremony, CeremonyKind, CeremonyRole, CeremonyRules, Consent, Participant, Subject, Tick,
};
use tenkoku_domain::certificate::{Certificate, Serial};
use tenkoku_domain::clock::ClockCheck;
use tenkoku_domain::followed::REFRESH_JOB;
use tenkoku_domain::id::{AuthorityId, BatchId, CeremonyId, RequestId};
use tenkoku_domain::identifier::{NationalScheme, OrganizationIdentifier};
use tenkoku_domain::key::KeyAlgorithm;
use tenkoku_domain::level::Level;
use tenkoku_domain::name::Name;
use tenkoku_domain::organisation::{Language, Organisation};
use tenkoku_domain::policy::{Installation, KeyPolicy};
use tenkoku_domain::revocation::Cause;
use tenkoku_domain::time::Timestamp;
use tenkoku_pki::crl::Crl;
use tenkoku_pki::ocsp::{Answer, AnswerStatus, HashAlgorithm, IssuerHashes, encode_request};
use tenkoku_pki::policy::PolicyArc;
use tenkoku_ports::settings::{
    Acknowledgement, ClockWatch, Operator, PublicAddress, Scheme, Settings, StatusSettings,
};
use tenkoku_ports::{Env, NoOtherNodes};
use tenkoku_publisher::publish::renew_lists;
use tenkoku_responder::crl::current_crl;
use tenkoku_responder::responder::Responder;
use tenkoku_softkeys::SoftKeys;
use tenkoku_store::{Store, StoreError, Tx};

use crate::clock::TestClock;
use crate::entropy::SeededEntropy;
use crate::fixtures::ApplicantKey;
use crate::keys::BreakableKeys;
use crate::postgres::Database;
use crate::tools::run;

/// The instant at which every world begins: 2026-11-22T18:10:00.120Z.
pub const BEGIN: Timestamp = Timestamp::from_millis(1_795_371_000_120);

/// The organisation of DOMAIN 22: its identifier, legal name and Latin name.
pub const OURS: [&str; 3] = ["NTRJP-5010401067252", "株式会社サンプル", "Sample Co., Ltd."];
/// Another organisation.
pub const THEIRS: [&str; 3] = ["NTRJP-7000000990002", "架空商事株式会社", "Kaku Trading Co., Ltd."];

/// Keeps the database for as long as the story runs.
#[derive(Debug)]
enum Home {
    Sqlite(TempDir),
    Postgresql(Database),
}

impl Home {
    fn url(&self) -> String {
        match self {
            Self::Sqlite(folder) => format!("sqlite:{}", folder.path().join("world.db").display()),
            Self::Postgresql(database) => database.url(),
        }
    }
}

/// An installation of a story's own.
pub struct World {
    /// What use cases are given. Dropped before its home.
    pub env: Env,
    /// The clock behind it.
    pub clock: Arc<TestClock>,
    /// The keys behind it.
    pub keys: Arc<BreakableKeys>,
    /// The responder, which follows the store behind it.
    pub responder: Arc<Responder>,
    home: Home,
    _folder: TempDir,
    spoilt: AtomicBool,
}

impl World {
    /// Runs a story on SQLite and on PostgreSQL, each in an evaluation installation of its own, and
    /// checks the invariants when it ends.
    pub fn on_each_database(story: impl Fn(&Self)) {
        Self::on_each_database_of(Installation::Evaluation, story);
    }

    /// The same in a production installation, whose authorities are made alike.
    pub fn on_each_database_of(installation: Installation, story: impl Fn(&Self)) {
        let sqlite = || Home::Sqlite(folder());
        let homes: [&dyn Fn() -> Home; 2] = [&sqlite, &|| Home::Postgresql(Database::create())];
        for home in homes {
            let world = Self::begin(home(), installation);
            story(&world);
            if !world.spoilt.load(Ordering::SeqCst) {
                world.check_invariants();
            }
        }
    }

    fn begin(home: Home, installation: Installation) -> Self {
        let folder = folder();
        let entropy = Arc::new(SeededEntropy::new(22));
        let clock = Arc::new(TestClock::at(BEGIN));
        let passphrase = SecretString::from("a passphrase of the tests");
        let keys = SoftKeys::create(&folder.path().join("keys"), &passphrase, &*entropy)
            .expect("a key store");
        let keys = Arc::new(BreakableKeys::new(keys));
        let env = Env {
            store: Store::open(&home.url(), "node-1").expect("a store"),
            keys: Arc::<BreakableKeys>::clone(&keys),
            clock: Arc::<TestClock>::clone(&clock),
            entropy,
            settings: Arc::new(settings(installation)),
            nodes: Arc::new(NoOtherNodes),
        };
        let spoilt = AtomicBool::new(false);
        let responder = Responder::idle(env.clone());
        let world = Self { env, clock, keys, responder, home, _folder: folder, spoilt };
        world.set_up(installation);
        world
    }

    /// What `tenkoku init --evaluation` does.
    fn set_up(&self, installation: Installation) {
        let (now, shell) = (self.now(), self.shell());
        self.env.store.migrate(&shell.origin(), now).expect("a migrated store");
        let policy = Box::new(KeyPolicy::initial(installation));
        self.write(|tx| tx.record(&shell.origin(), now, &Event::InstallationMade { policy }))
            .expect("a policy");
        if installation == Installation::Production {
            let check = ClockCheck { source: "time.example".to_owned(), offset_millis: 0, at: now };
            let compared = compare_clock(&self.env, &self.permit(), &check);
            compared.expect("the store answers").expect("a clock that is right");
        }
        self.create_authority("root-g1", AuthorityKind::Root, 1);
        for level in Level::ALL {
            let code = format!("seal-l{level}-g1");
            self.create_authority(&code, AuthorityKind::Issuing(level), 1);
        }
        self.renew_signers();
        for authority in self.read(|tx| tx.list_authorities()) {
            current_crl(&self.env, &authority.code).expect("a CRL");
        }
        let lists = renew_lists(&self.env, &self.permit()).expect("a list");
        assert_eq!(lists.len(), 1, "its first sequence");
    }

    /// An authority in service, issued by `root-g1` where it is no root.
    pub fn create_authority(&self, code: &str, kind: AuthorityKind, generation: i32) -> Authority {
        let order = self.authority_order(code, kind, generation);
        let consent = self.consent();
        match self.env.settings.installation {
            Installation::Evaluation => create_authority(&self.env, &self.permit(), &order),
            Installation::Production => {
                establish_authority(&self.env, &self.permit(), &order, &consent)
            }
        }
        .expect("an authority")
    }

    /// The consent of a ceremony at which everybody whom KM-19 demands was there.
    pub fn consent(&self) -> Consent {
        let ceremony = ceremony(
            CeremonyKind::Activation,
            Subject::Authority { authority: authority_code("root-g1") },
            self.env.settings.installation,
        );
        let ticks: Vec<Tick> = ceremony
            .roles
            .iter()
            .map(|p| Tick { step: 1, role: p.role, person: p.person.clone(), at: self.now() })
            .collect();
        ceremony.consent(&CeremonyRules::DEFAULT, &ticks).expect("everybody is there")
    }

    /// The order of an authority, issued by `root-g1` where it is no root.
    pub fn authority_order(
        &self,
        code: &str,
        kind: AuthorityKind,
        generation: i32,
    ) -> AuthorityOrder {
        let (name, issuer) = match kind {
            AuthorityKind::Root => ("Root CA".to_owned(), None),
            AuthorityKind::Policy => ("Policy CA".to_owned(), Some(authority_code("root-g1"))),
            AuthorityKind::Issuing(level) => {
                (format!("E-Seal Issuing CA L{level}"), Some(authority_code("root-g1")))
            }
            AuthorityKind::Service(service) => {
                (format!("{} CA", service.word()), Some(authority_code("root-g1")))
            }
        };
        let name = format!("Tenkoku Evaluation {name} G{generation}");
        AuthorityOrder {
            code: authority_code(code),
            kind,
            generation,
            common_name: Name::parse(&name).expect("a name"),
            algorithm: KeyAlgorithm::P384,
            validity_days: None,
            issuer,
            dedicated: None,
            predecessor: None,
            crl_shards: ShardCount::ONE,
        }
    }

    /// What the jobs do for signers: OCSP signers and the list signer that are due.
    pub fn renew_signers(&self) -> usize {
        renew_list_signers(&self.env, &self.permit()).expect("a list signer");
        renew_document_signer(&self.env, &self.permit()).expect("a signer of documents");
        renew_ocsp_signers(&self.env, &self.permit()).expect("OCSP signers")
    }

    /// The address of the database.
    pub fn url(&self) -> String {
        self.home.url()
    }

    /// The present instant.
    pub fn now(&self) -> Timestamp {
        self.clock.present()
    }

    /// The operator at the command line.
    pub fn shell(&self) -> Principal {
        Principal::system("shell", RequestId::new(self.now(), &*self.env.entropy))
    }

    /// Leave for anything, on the whole platform.
    pub fn permit<A: Act>(&self) -> Permit<A> {
        self.shell().permit(self.now()).expect("the shell may do everything")
    }

    /// A person who holds a role over one organisation.
    pub fn officer_of(&self, organisation: &Organisation, role: Role) -> Principal {
        let scope = Scope::organisation(organisation.id.clone());
        let grant = RoleGrant { role, scope, until: self.now().plus_days(365) };
        Principal { actor: Actor::system("officer"), roles: vec![grant], ..self.shell() }
    }

    /// Reads something that must be there.
    pub fn read<T>(&self, f: impl FnOnce(&mut Tx<'_>) -> Result<T, StoreError>) -> T {
        self.env.store.read(f).expect("the store answers")
    }

    /// Writes something.
    pub fn write<T>(
        &self,
        f: impl FnOnce(&mut Tx<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.env.store.write(f)
    }

    /// Records an organisation with a custodian of its head office.
    pub fn organisation(&self, [identifier, name, latin]: [&str; 3]) -> Organisation {
        let file = format!(
            "identifier,legal_name,latin_name,country,custodian_name,custodian_email\n\
             {identifier},{name},\"{latin}\",JP,見本 花子,hanako@sample.example\n"
        );
        import_organisations(&self.env, &self.permit(), file.as_bytes()).expect("an organisation");
        let found =
            self.read(|tx| tx.find_organisation_by_identifier(&Scope::Platform, identifier));
        found.expect("the organisation just recorded")
    }

    /// Records a branch office without an address.
    pub fn branch(&self, organisation: &Organisation, [code, name, latin]: [&str; 3]) -> Branch {
        let file = format!(
            "code,name,latin_name,custodian_name,custodian_email\n\
             {code},{name},{latin},見本 太郎,taro@sample.example\n"
        );
        let identifier = Some(organisation.identifier.as_str());
        import_branches(&self.env, &self.permit(), identifier, file.as_bytes()).expect("a branch");
        self.find_branch(organisation, code)
    }

    /// A recorded branch; `HQ` is the head office.
    pub fn find_branch(&self, organisation: &Organisation, code: &str) -> Branch {
        let code = BranchCode::parse(code).expect("a code");
        let found =
            self.read(|tx| tx.find_branch_by_code(&Scope::Platform, &organisation.id, &code));
        found.expect("a recorded branch")
    }

    /// The branch of DOMAIN 22: the Osaka branch of [`OURS`].
    pub fn osaka(&self) -> Branch {
        let organisation = self.organisation(OURS);
        self.branch(&organisation, ["BR-0002", "大阪支店", "Osaka Branch"])
    }

    /// Applies as the operator, with a request attached for the early checks or none.
    pub fn open(
        &self,
        branch: &Branch,
        level: Level,
        request: Option<Vec<u8>>,
    ) -> Result<Applied, ApplyError> {
        let id = branch.id.clone();
        let order = ApplyOrder {
            branch: id,
            level,
            validity_days: None,
            request,
            instance: None,
            wishes: Wishes::default(),
        };
        match self.env.settings.installation {
            Installation::Evaluation => apply_for_seal(&self.env, &self.permit(), &order),
            Installation::Production => {
                let grant = self.standing_grant(branch).terms.id;
                apply_under_grant(&self.env, &self.permit(), &order, &grant)
            }
        }
    }

    /// Hands in a request as the operator that answers an application's challenge.
    pub fn prove(&self, applied: &Applied, request: Vec<u8>) -> Result<Application, ProveError> {
        let proof = Proof::Request(request);
        prove_possession(&self.env, &self.permit(), &applied.application.id, &proof)
    }

    /// Applies as the operator and shows possession of a key.
    pub fn apply(
        &self,
        branch: &Branch,
        level: Level,
        key: &ApplicantKey,
    ) -> Result<Application, ProveError> {
        let applied = self.open(branch, level, None).map_err(|error| match error {
            ApplyError::Refused(refusal) => ProveError::Refused(refusal),
            ApplyError::Canonical(error) => ProveError::Canonical(error),
            ApplyError::Store(error) => ProveError::Store(error),
        })?;
        self.prove(&applied, key.proof(&applied.challenge.text))
    }

    /// Issues as the operator.
    pub fn issue(&self, application: &Application) -> Result<Certificate, IssueError> {
        issue_certificate(&self.env, &self.permit(), &application.id)
    }

    /// A branch's new seal certificate, with a fresh key on P-256.
    pub fn seal(&self, branch: &Branch, level: Level) -> Certificate {
        self.seal_with(branch, level, &ApplicantKey::make(KeyAlgorithm::P256))
    }

    /// A branch's new seal certificate for a key.
    pub fn seal_with(&self, branch: &Branch, level: Level, key: &ApplicantKey) -> Certificate {
        let application = self.apply(branch, level, key).expect("an application");
        self.issue(&application).expect("a certificate")
    }

    /// Revokes as the operator.
    pub fn revoke(
        &self,
        certificate: &Certificate,
        cause: Cause,
    ) -> Result<Certificate, RevokeError> {
        revoke_certificate(&self.env, &self.permit(), &revocation(certificate, cause))
    }

    /// The authority of a code.
    pub fn authority(&self, code: &str) -> Authority {
        self.read(|tx| tx.find_authority(code)).expect("an authority of this code")
    }

    /// The certificate of an authority, read.
    pub fn certificate_of(&self, authority: &Authority) -> tenkoku_pki::cert::Certificate {
        let der = authority.certificate.as_deref().expect("a certified authority");
        tenkoku_pki::cert::Certificate::parse(der).expect("a certificate")
    }

    /// The CertID of a serial number under an authority.
    pub fn cert_id(&self, id: &AuthorityId, serial: &Serial, hash: HashAlgorithm) -> Vec<u8> {
        let authority = self.read(|tx| tx.load_authority(id));
        let issuer = self.certificate_of(&authority);
        let key = issuer.public_key().expect("the authority's key");
        IssuerHashes::of(hash, issuer.subject(), &key).cert_id(serial)
    }

    /// Asks an authority's responder, as a client does.
    pub fn ask(&self, code: &str, request: &[u8]) -> Vec<u8> {
        self.responder.answer(code, request)
    }

    /// What OCSP says about a certificate now; the answer's signature is verified.
    pub fn status(&self, certificate: &Certificate) -> AnswerStatus {
        let id = self.cert_id(&certificate.authority, &certificate.serial, HashAlgorithm::Sha256);
        let authority = self.read(|tx| tx.load_authority(&certificate.authority));
        let der = self.ask(authority.code.as_str(), &encode_request(&[id], None));
        let answer = Answer::parse(&der).expect("an answer");
        self.check_answer(&authority, &answer);
        answer.singles()[0].status
    }

    /// Checks an answer as relying parties do: the signer is the authority's delegate, valid now.
    pub fn check_answer(&self, authority: &Authority, answer: &Answer) {
        let signer = &answer.certificates()[0];
        let key = signer.public_key().expect("the signer's key");
        answer.verify(&key).expect("the answer's signature");
        let issuer = self.certificate_of(authority).public_key().expect("the authority's key");
        issuer
            .verify(signer_algorithm(authority), signer.tbs(), signer.signature())
            .expect("the authority's signature on its delegate");
        assert!(signer.validity().contains(self.now()), "the signer is valid now");
    }

    /// The CRL that relying parties get now; its signature is verified.
    pub fn crl(&self, code: &str) -> Crl {
        let issued = current_crl(&self.env, &authority_code(code)).expect("a CRL");
        let crl = Crl::parse(&issued.der).expect("a CRL");
        let key = self.certificate_of(&self.authority(code)).public_key();
        crl.verify(&key.expect("the authority's key")).expect("the CRL's signature");
        crl
    }

    /// The records of the audit trail after a position, as they are stored.
    pub fn records_after(&self, seq: i64) -> Vec<StoredRecord> {
        self.read(|tx| tx.audit_after(seq, i64::from(i32::MAX)))
    }

    /// What the audit trail says happened after a position.
    pub fn told_after(&self, seq: i64) -> Vec<Value> {
        let records = self.records_after(seq);
        records.iter().map(|r| serde_json::from_str(&r.record).expect("JSON")).collect()
    }

    /// The position of the last record.
    pub fn position(&self) -> i64 {
        self.read(|tx| tx.audit_head()).expect("a chain").0
    }

    /// Runs an act and gives what it came to, and what the audit trail says about it.
    pub fn told<T>(&self, act: impl FnOnce() -> T) -> (T, Vec<Value>) {
        let before = self.position();
        let done = act();
        (done, self.told_after(before))
    }

    /// Walks the audit chain to its end; gives the number of records.
    pub fn walk(&self) -> Result<i64, ChainBreak> {
        let mut walk = ChainWalk::default();
        self.records_after(0).iter().try_for_each(|record| walk.step(record))?;
        let (last, hash) = self.read(|tx| tx.audit_head()).expect("a chain");
        walk.finish(last, &hash)
    }

    /// Runs SQL as somebody with the database's password would. The invariants are not checked any
    /// more.
    pub fn tamper(&self, sql: &str) {
        self.spoilt.store(true, Ordering::SeqCst);
        self.change_directly(sql);
    }

    /// Runs SQL that brings about what no use case does yet, such as an authority that retires.
    pub fn change_directly(&self, sql: &str) {
        match &self.home {
            Home::Sqlite(folder) => {
                let wait = [".timeout 10000", sql];
                run(Command::new("sqlite3").arg(folder.path().join("world.db")).args(wait))
                    .success();
            }
            Home::Postgresql(database) => database.execute(sql),
        }
    }

    /// Octets as a literal of the database's SQL.
    pub fn octets(&self, octets: &[u8]) -> String {
        let digits = hex::encode(octets);
        match &self.home {
            Home::Sqlite(_) => format!("X'{digits}'"),
            Home::Postgresql(_) => format!("decode('{digits}', 'hex')"),
        }
    }

    /// Does the waiting jobs: lists of applications, and those that follow a change of status, whose
    /// number it gives.
    pub fn run_jobs(&self) -> usize {
        let mut done = 0;
        while let Some(job) = self.write(|tx| tx.claim_job(self.now())).expect("the queue") {
            if job.kind == BATCH_JOB {
                let id = BatchId::parse(&job.object).expect("a batch");
                let mut after = Some(0);
                while let Some(line) = after {
                    let turn = work_batch(&self.env, &self.permit(), &id, line);
                    after = turn.expect("a turn").next;
                }
                self.write(|tx| tx.finish_job(job.id)).expect("the queue");
                continue;
            }
            if job.kind == REFRESH_JOB {
                // Lists of others are fetched in stories that have a web of their own.
                self.write(|tx| tx.finish_job(job.id)).expect("the queue");
                continue;
            }
            assert_eq!(job.kind, "refresh-status", "the only other job that a change leaves");
            let authority = AuthorityId::parse(&job.object).expect("an authority");
            let code = self.read(|tx| tx.load_authority(&authority)).code;
            current_crl(&self.env, &code).expect("a CRL");
            self.write(|tx| tx.finish_job(job.id)).expect("the queue");
            done += 1;
        }
        done
    }
}

/// The order that revokes a certificate now.
pub fn revocation(certificate: &Certificate, cause: Cause) -> RevokeOrder {
    RevokeOrder {
        authority: certificate.authority.clone(),
        serial: certificate.serial.clone(),
        cause,
        invalid_since: None,
        comment: String::new(),
    }
}

/// Runs `work` in `count` threads that begin at once, and gives what each came to.
///
/// # Panics
/// When one of them does.
pub fn at_once<T: Send>(count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let start = Barrier::new(count);
    std::thread::scope(|scope| {
        let (work, start) = (&work, &start);
        let begin = |number| {
            scope.spawn(move || {
                start.wait();
                work(number)
            })
        };
        let threads: Vec<_> = (0..count).map(begin).collect();
        threads.into_iter().map(|thread| thread.join().expect("a thread's result")).collect()
    })
}

/// The code of an authority.
///
/// # Panics
/// When it is none.
pub fn authority_code(code: &str) -> AuthorityCode {
    AuthorityCode::parse(code).expect("a code")
}

fn signer_algorithm(authority: &Authority) -> tenkoku_pki::signature::SignatureAlgorithm {
    tenkoku_pki::signature::SignatureAlgorithm::of_issuer(authority.algorithm)
}

/// In memory where the machine has such a place: stories ask what is recorded, not whether the disk
/// keeps it, and each of them waits for it hundreds of times.
fn folder() -> TempDir {
    let made = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
    made.expect("a folder for temporary files")
}

/// The settings of the starter file; a production installation has an arc of its own.
fn settings(installation: Installation) -> Settings {
    let arc = match installation {
        Installation::Evaluation => "1.3.6.1.4.1.32473.1",
        Installation::Production => "1.3.6.1.4.1.99999.1",
    };
    let name = |text| Name::parse(text).expect("a name");
    Settings {
        installation,
        acknowledgement: Acknowledgement::of(installation),
        public_address: PublicAddress::parse("http://seal.example.jp").expect("an address"),
        arc: PolicyArc::parse(arc).expect("an arc"),
        clock: match installation {
            Installation::Evaluation => ClockWatch::Unwatched,
            Installation::Production => ClockWatch::Watched { servers: Vec::new() },
        },
        status: StatusSettings::default(),
        key_feed: None,
        follows_lists: false,
        sends_letters: true,
        operator: Operator {
            name: name("Sample Trust Services"),
            name_ja: name("見本認証局"),
            name_latn: name("Mihon Ninshokyoku"),
            identifier: OrganizationIdentifier::parse("NTRJP-7123456789012").expect("a number"),
            country: "JP".to_owned(),
            street: "1-1 Mihoncho".to_owned(),
            locality: "Chiyoda-ku, Tokyo".to_owned(),
            postal_code: "100-0000".to_owned(),
            email: "info@tenkoku.example".to_owned(),
            website: "https://tenkoku.example/".to_owned(),
            language: Language::Ja,
        },
        scheme: Scheme {
            code: "jp-2021".to_owned(),
            territory: "JP".to_owned(),
            name_en: "Sample e-seal scheme".to_owned(),
            name_ja: "見本eシール制度".to_owned(),
            name_latn: "Mihon e-shiiru seido".to_owned(),
        },
        identifier_schemes: NationalScheme::parse("TD:JP", "999999999").into_iter().collect(),
    }
}

/// A ceremony with everybody whom KM-19 demands.
pub fn ceremony(kind: CeremonyKind, subject: Subject, installation: Installation) -> Ceremony {
    let person =
        |role, name: &str| Participant { role, person: Name::parse(name).expect("a name") };
    script(Wish {
        id: CeremonyId::new(BEGIN, &SeededEntropy::new(u64::from(kind.word().as_bytes()[0]))),
        kind,
        subject,
        language: Language::En,
        installation,
        roles: vec![
            person(CeremonyRole::Leader, "佐藤 恵"),
            person(CeremonyRole::Officer, "鈴木 一郎"),
            person(CeremonyRole::Witness, "高橋 花"),
            person(CeremonyRole::Auditor, "田中 実"),
        ],
        recording: None,
        offline_issuer: OfflineIssuer::Here,
    })
}
