//! Stories of bulk applications: a list checked as a whole, one approval over its digest, an
//! application for each row, made and issued by a job that survives everything (DOMAIN 15).

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::thread;
use std::time::Duration;

use serde_json::Value;
use tenkoku_ca::act::ActError;
use tenkoku_ca::approval::Ruling;
use tenkoku_ca::batch::{
    BATCH, BatchError, BatchOrder, Faulty, Loaded, Turn, decide_batch, hand_in_proofs, load_batch,
    retry_row, turn_batch, work_batch,
};
use tenkoku_ca::closing::{BranchStep, move_branch};
use tenkoku_ca::import::{RowProblem, import_branches};
use tenkoku_domain::access::{Apply, Issue, Permit, Scope};
use tenkoku_domain::application::ApplicationState;
use tenkoku_domain::approval::Verdict;
use tenkoku_domain::audit::ObjectRef;
use tenkoku_domain::batch::{Batch, BatchRow, BatchState, RowState};
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::grant::GrantQuota;
use tenkoku_domain::id::{BatchId, GrantId};
use tenkoku_domain::key::KeyAlgorithm;
use tenkoku_domain::level::Level;
use tenkoku_domain::organisation::Organisation;
use tenkoku_domain::policy::Installation as Kind;
use tenkoku_domain::refusal::RefusalCode;
use tenkoku_pki::pem;
use tenkoku_testkit::fixtures::ApplicantKey;
use tenkoku_testkit::postgres::Database;
use tenkoku_testkit::servers::{Installation, Server};
use tenkoku_testkit::world::{OURS, World, at_once};

use crate::cli::{BANK, word};

/// An organisation with branches `B-01` and so on.
fn with_branches(world: &World, count: usize) -> Organisation {
    let ours = world.organisation(OURS);
    let mut file = "code,name,custodian_name,custodian_email\n".to_owned();
    for number in 1..=count {
        writeln!(file, "B-{number:02},第{number}支店,見本 太郎,taro@sample.example").expect("text");
    }
    let whose = Some(ours.identifier.as_str());
    import_branches(&world.env, &world.permit(), whose, file.as_bytes()).expect("branches");
    ours
}

fn list(codes: &[&str]) -> Vec<u8> {
    format!("branch\n{}\n", codes.join("\n")).into_bytes()
}

fn order(ours: &Organisation, list: Vec<u8>) -> BatchOrder {
    BatchOrder {
        organisation: ours.id.clone(),
        level: Level::One,
        validity_days: None,
        grant: None,
        list,
        faulty: Faulty::Refuse,
    }
}

fn load(world: &World, order: &BatchOrder) -> Result<Loaded, BatchError> {
    load_batch(&world.env, &world.permit(), order)
}

fn faults(result: Result<Loaded, BatchError>) -> Vec<(u64, RefusalCode)> {
    let Err(BatchError::Rows(rows)) = result else { panic!("rows at fault, not {result:?}") };
    rows.iter().map(|RowProblem { line, refusal, .. }| (*line, refusal.code)).collect()
}

/// Lets the job go on until it finds nothing to do.
fn work(world: &World, id: &BatchId) -> Turn {
    let mut after = 0;
    loop {
        let turn = work_batch(&world.env, &world.permit(), id, after).expect("a turn");
        let Some(next) = turn.next else { return turn };
        after = next;
    }
}

fn rows(world: &World, id: &BatchId) -> Vec<BatchRow> {
    world.read(|tx| tx.batch_rows(id, 0, 1000))
}

/// The request that answers the challenge of a row with a fresh key.
fn request(world: &World, row: &BatchRow) -> String {
    let id = row.application.as_ref().expect("an application");
    let challenge = world.read(|tx| tx.current_challenge(id)).text;
    let key = ApplicantKey::make(KeyAlgorithm::P256);
    pem::encode("CERTIFICATE REQUEST", &key.proof(&challenge))
}

/// Requests for rows as a JSON document.
fn proofs(world: &World, rows: &[BatchRow]) -> Vec<u8> {
    let row =
        |row: &BatchRow| serde_json::json!({ "branch": row.code, "request": request(world, row) });
    Value::from(rows.iter().map(row).collect::<Vec<_>>()).to_string().into_bytes()
}

#[test]
fn a_list_becomes_applications_and_certificates() {
    World::on_each_database(|world| {
        let ours = with_branches(world, 30);
        let codes: Vec<String> = (1..=30).map(|number| format!("B-{number:02}")).collect();
        let codes: Vec<&str> = codes.iter().map(String::as_str).collect();
        let loaded = load(world, &order(&ours, list(&codes))).expect("a batch");
        let id = loaded.batch.id;
        assert_eq!((loaded.batch.rows, loaded.batch.state), (30, BatchState::Approved));
        let turn = work(world, &id);
        assert_eq!((turn.progress.applied, turn.progress.issued), (30, 0));
        let waiting = rows(world, &id);
        let file = proofs(world, &waiting);
        hand_in_proofs(&world.env, &world.permit(), &id, &file).expect("requests");
        let turn = work(world, &id);
        assert_eq!(turn.batch.state, BatchState::Done);
        assert_eq!(turn.progress.issued, 30);
        let mut serials = BTreeSet::new();
        for row in rows(world, &id) {
            let certificate = row.certificate.expect("a certificate");
            let certificate = world.read(|tx| tx.load_certificate(&Scope::Platform, &certificate));
            assert_eq!(certificate.seal.expect("a seal").branch, row.branch);
            serials.insert(certificate.serial);
        }
        assert_eq!(serials.len(), 30);
        let position = world.position();
        work(world, &id);
        assert_eq!(world.position(), position, "a job that runs again does nothing");
    });
}

#[test]
fn a_list_with_a_fault_creates_nothing_and_names_every_line() {
    World::on_each_database(|world| {
        let ours = with_branches(world, 4);
        let closing = world.find_branch(&ours, "B-03");
        let step = (BranchStep::Pause, "");
        move_branch(&world.env, &world.permit(), &closing.id, step).expect("a pause");
        let bad = list(&["B-01", "B-99", "B-03", "b 1", "B-01", "B-02"]);
        let (result, told) = world.told(|| load(world, &order(&ours, bad.clone())));
        let expected = [
            (3, RefusalCode::BranchClosed),
            (4, RefusalCode::BranchClosed),
            (5, RefusalCode::NameInvalid),
            (6, RefusalCode::StateConflict),
        ];
        assert_eq!(faults(result), expected);
        let [record] = told.as_slice() else { panic!("one record, not {told:?}") };
        assert_eq!(
            (&record["code"], &record["outcome"]),
            (&"app.bulk-loaded".into(), &"refused".into())
        );
        assert!(world.read(|tx| tx.list_batches(&Scope::Platform, &ours.id, 10)).is_empty());
        // The same as JSON, whose places are counted from 1.
        let json = br#"[{"branch":"B-01"},{"branch":"B-99"}]"#.to_vec();
        assert_eq!(faults(load(world, &order(&ours, json))), [(2, RefusalCode::BranchClosed)]);
        for no_list in ["", "branch\n", "[]", "[1]", "name\nB-01\n", "[{\"branch\":1}]"] {
            let refused = load(world, &order(&ours, no_list.as_bytes().to_vec()));
            assert!(matches!(refused, Err(BatchError::File(_))), "{no_list}: {refused:?}");
        }
        let loaded = load(world, &BatchOrder { faulty: Faulty::LeaveOut, ..order(&ours, bad) });
        let loaded = loaded.expect("the rows that are right");
        assert_eq!((loaded.batch.rows, loaded.left_out.len()), (2, 4));
    });
}

/// A production installation with a delegate whose grant has this quota.
fn delegated(
    world: &World,
    count: usize,
    quota: i64,
) -> (Organisation, tenkoku_testkit::people::Delegation) {
    let ours = with_branches(world, count);
    let delegation = world.delegation_of(&ours, |part| {
        part.quota = GrantQuota { active: quota, per_day: quota, total: quota };
    });
    (ours, delegation)
}

fn asked(ours: &Organisation, grant: &GrantId, codes: &[&str]) -> BatchOrder {
    BatchOrder { grant: Some(grant.clone()), ..order(ours, list(codes)) }
}

#[test]
fn scenario_3_a_list_beyond_the_quota_names_the_rows_that_are_too_many() {
    World::on_each_database_of(Kind::Production, |world| {
        let (ours, delegation) = delegated(world, 6, 4);
        let permit: Permit<Apply> = delegation.delegate.permit(world);
        let codes = ["B-01", "B-02", "B-03", "B-04", "B-05", "B-06"];
        let order = asked(&ours, &delegation.grant.terms.id, &codes);
        let refused = load_batch(&world.env, &permit, &order);
        // Line 1 is the header: the fifth and the sixth row.
        let expected = [(6, RefusalCode::GrantQuota), (7, RefusalCode::GrantQuota)];
        assert_eq!(faults(refused), expected);
        let order = BatchOrder { faulty: Faulty::LeaveOut, ..order };
        let loaded = load_batch(&world.env, &permit, &order).expect("four rows");
        assert_eq!((loaded.batch.rows, loaded.left_out.len()), (4, 2));
        let missing = BatchOrder { grant: None, ..order };
        let refused = load_batch(&world.env, &permit, &missing);
        assert!(
            matches!(&refused, Err(BatchError::Act(ActError::Refused(refusal)))
                if refusal.code == RefusalCode::GrantMissing),
            "{refused:?}"
        );
    });
}

fn decide(
    world: &World,
    permit: &Permit<Issue>,
    batch: &Batch,
    shown: Digest,
) -> Result<Batch, ActError> {
    let ruling = Ruling { shown, verdict: Verdict::Approved, reason: String::new() };
    decide_batch(&world.env, permit, &batch.id, &ruling)
}

#[test]
fn dom_17_one_officer_of_elsewhere_approves_the_digest_of_the_list() {
    World::on_each_database_of(Kind::Production, |world| {
        let (ours, delegation) = delegated(world, 2, 10);
        let permit: Permit<Apply> = delegation.delegate.permit(world);
        let order = asked(&ours, &delegation.grant.terms.id, &["B-01", "B-02"]);
        let batch = load_batch(&world.env, &permit, &order).expect("a batch").batch;
        assert_eq!(batch.state, BatchState::Asked);
        assert_eq!(work(world, &batch.id).progress.waiting, 2, "nothing before the approval");
        let officer: Permit<Issue> = delegation.officers[0].permit(world);
        let code = |result: Result<Batch, ActError>| match result {
            Err(ActError::Refused(refusal)) => refusal.code,
            other => panic!("a refusal, not {other:?}"),
        };
        let other = decide(world, &officer, &batch, Digest([7; 32]));
        assert_eq!(code(other), RefusalCode::StateConflict, "another digest");
        let request = world.read(|tx| tx.find_approval_request(&ObjectRef::new(BATCH, &batch.id)));
        let shown = request.expect("a request").digest;
        assert_eq!(shown, batch.digest);
        // I-6: an account of the very person who asked, with an officer's role.
        let own = world.somebody(
            "例 花子",
            &[tenkoku_domain::access::Role::RegistrationOfficer],
            &Scope::Platform,
        );
        assert_eq!(
            code(decide(world, &own.permit(world), &batch, shown)),
            RefusalCode::SelfApproval
        );
        let approved = decide(world, &officer, &batch, shown).expect("an approval");
        assert_eq!(approved.state, BatchState::Approved);
        let again = decide(world, &officer, &batch, shown);
        assert_eq!(code(again), RefusalCode::StateConflict);
        assert_eq!(work(world, &batch.id).progress.applied, 2);
        let made = rows(world, &batch.id);
        for row in &made {
            let id = row.application.as_ref().expect("an application");
            let application = world.read(|tx| tx.load_application(&Scope::Platform, id));
            assert_eq!(application.state, ApplicationState::KeyProof);
            assert_eq!(application.applicant, delegation.delegate.principal.actor);
            let grant = application.grant.expect("a grant");
            assert_eq!(grant.id, delegation.grant.terms.id, "DG-3");
        }
    });
}

#[test]
fn a_row_that_is_refused_stops_no_other_and_is_corrected() {
    World::on_each_database(|world| {
        let ours = with_branches(world, 3);
        let loaded = load(world, &order(&ours, list(&["B-01", "B-02", "B-03"]))).expect("a batch");
        let id = loaded.batch.id;
        let second = world.find_branch(&ours, "B-02");
        let step = |step| move_branch(&world.env, &world.permit(), &second.id, (step, ""));
        step(BranchStep::Pause).expect("a pause");
        let turn = work(world, &id);
        assert_eq!((turn.progress.applied, turn.progress.failed), (2, 1));
        let failed = rows(world, &id).swap_remove(1);
        assert_eq!(failed.refusal.expect("a refusal").code, RefusalCode::BranchClosed);
        step(BranchStep::Reopen).expect("it is open again");
        retry_row(&world.env, &world.permit(), &id, failed.line).expect("another try");
        assert_eq!(work(world, &id).progress.applied, 3);
        // The same key for two rows: the second is refused, and gets another key.
        let made = rows(world, &id);
        let key = ApplicantKey::make(KeyAlgorithm::P256);
        let with = |key: &ApplicantKey, row: &BatchRow| {
            let application = row.application.as_ref().expect("an application");
            let challenge = world.read(|tx| tx.current_challenge(application)).text;
            let request = pem::encode("CERTIFICATE REQUEST", &key.proof(&challenge));
            serde_json::json!({ "branch": row.code, "request": request })
        };
        let file = Value::from(vec![with(&key, &made[0]), with(&key, &made[1])]).to_string();
        let hand_in =
            |file: &str| hand_in_proofs(&world.env, &world.permit(), &id, file.as_bytes());
        hand_in(&file).expect("requests");
        let turn = work(world, &id);
        assert_eq!((turn.progress.issued, turn.progress.failed), (1, 1));
        let failed = rows(world, &id).swap_remove(1);
        assert_eq!(failed.refusal.expect("a refusal").code, RefusalCode::KeyDuplicate);
        // It is corrected: an application of its own, and a key of its own.
        retry_row(&world.env, &world.permit(), &id, failed.line).expect("another try");
        work(world, &id);
        let again = rows(world, &id).swap_remove(1);
        assert_ne!(again.application, made[1].application);
        let another = with(&ApplicantKey::make(KeyAlgorithm::P256), &again);
        hand_in(&Value::from(vec![another]).to_string()).expect("a request");
        assert_eq!(work(world, &id).progress.issued, 2);
        for wrong in [
            "[{\"branch\":\"B-01\",\"request\":\"x\"}]",
            "[{\"branch\":\"B-9\",\"request\":\"x\"}]",
        ] {
            assert!(matches!(hand_in(wrong), Err(BatchError::Rows(_))), "{wrong}");
        }
    });
}

#[test]
fn a_paused_list_waits_and_a_cancelled_one_ends() {
    World::on_each_database(|world| {
        let ours = with_branches(world, 2);
        let loaded = load(world, &order(&ours, list(&["B-01", "B-02"]))).expect("a batch");
        let id = loaded.batch.id;
        let turn = |to| turn_batch(&world.env, &world.permit(), &id, to);
        turn(BatchState::Paused).expect("a pause");
        assert_eq!(work(world, &id).progress.waiting, 2);
        assert!(turn(BatchState::Paused).is_err(), "it is paused already");
        turn(BatchState::Approved).expect("it goes on");
        assert_eq!(work(world, &id).progress.applied, 2);
        turn(BatchState::Cancelled).expect("its end");
        let file = proofs(world, &rows(world, &id));
        let refused = hand_in_proofs(&world.env, &world.permit(), &id, &file);
        assert!(matches!(refused, Err(BatchError::Act(ActError::Refused(_)))), "{refused:?}");
        assert!(turn(BatchState::Approved).is_err(), "an end is an end");
    });
}

#[test]
fn several_jobs_at_once_make_one_application_for_each_row() {
    World::on_each_database(|world| {
        let ours = with_branches(world, 12);
        let codes: Vec<String> = (1..=12).map(|number| format!("B-{number:02}")).collect();
        let codes: Vec<&str> = codes.iter().map(String::as_str).collect();
        let id = load(world, &order(&ours, list(&codes))).expect("a batch").batch.id;
        at_once(4, |_| work(world, &id));
        let made = rows(world, &id);
        let file = proofs(world, &made);
        hand_in_proofs(&world.env, &world.permit(), &id, &file).expect("requests");
        at_once(4, |_| work(world, &id));
        let done = rows(world, &id);
        assert!(done.iter().all(|row| row.state == RowState::Issued), "{done:?}");
        let filter = tenkoku_store::ApplicationFilter {
            organisation: Some(ours.id.clone()),
            ..Default::default()
        };
        let all = world.read(|tx| tx.list_applications(&Scope::Platform, &filter, None, 1000));
        assert_eq!(all.items.len(), 12);
    });
}

#[expect(clippy::disallowed_methods, reason = "the program under test goes by the wall clock")]
fn kill_after(server: Server<'_>, time: u64) {
    thread::sleep(Duration::from_millis(time));
    server.kill();
}

/// The real program, killed again and again while its job works.
fn killed(installation: &Installation) {
    const ROWS: usize = 60;
    let write = |name: &str, text: &str| {
        let file = installation.path().join(name);
        fs::write(&file, text).expect("a file");
        word(&file).to_owned()
    };
    let organisations = tenkoku_testkit::tools::data("sample/organisations.csv");
    installation.tenkoku(["org", "import", word(&organisations)]).success();
    let codes: Vec<String> = (0..ROWS).map(|number| format!("K-{number:03}")).collect();
    let row = |code: &String| format!("{code},支店 {code},山田 花,k@k.example\n");
    let table: String = codes.iter().map(row).collect();
    let table = format!("code,name,custodian_name,custodian_email\n{table}");
    let branches = write("branches.csv", &table);
    installation.tenkoku(["branch", "import", "--org", BANK, &branches]).success();
    let list = write("list.csv", &format!("branch\n{}\n", codes.join("\n")));
    let load = ["batch", "load", &list, "--org", BANK, "--level", "1"];
    let id = installation.json(load)["id"].as_str().expect("an id").to_owned();
    let count = |member: &str| {
        let shown = installation.json(["batch", "show", &id]);
        let count = shown["progress"][member].as_u64().expect("a count");
        usize::try_from(count).expect("a small number")
    };
    let mut kills = 0;
    let mut until = |member: &str| {
        for pause in (0..200_u64).map(|round| 300 + 150 * (round % 7)) {
            kill_after(installation.serve(), pause);
            kills += 1;
            if count(member) == ROWS {
                return;
            }
        }
        panic!("the job does not come to its end: {}", installation.json(["batch", "show", &id]));
    };
    until("applied");
    let printed = installation.tenkoku(["batch", "rows", &id]);
    let mut requests = Vec::new();
    for line in printed.success().lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let key = ApplicantKey::make(KeyAlgorithm::P256);
        let request = pem::encode("CERTIFICATE REQUEST", &key.proof(fields[4]));
        requests.push(serde_json::json!({ "branch": fields[1], "request": request }));
    }
    let file = write("proofs.json", &Value::from(requests).to_string());
    installation.tenkoku(["batch", "proofs", &id, &file]).success();
    until("issued");
    assert!(kills >= 2, "it was never killed");
    // The last record of the list may be the one that the last kill took.
    let ended = (0..40).any(|_| {
        kill_after(installation.serve(), 500);
        installation.json(["batch", "show", &id])["state"] == "done"
    });
    assert!(ended, "its end is never recorded");
    let words = ["application", "list"];
    let applications = installation.json(words)["applications"].as_array().expect("a list").len();
    assert_eq!(applications, ROWS, "one application for each row");
    installation.tenkoku(["audit", "verify"]).success();
}

#[test]
fn kill_9_loses_and_repeats_no_row() {
    killed(&Installation::evaluation());
    let database = Database::create();
    killed(&Installation::empty_on(&database.url()).set_up());
}
