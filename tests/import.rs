//! Stories of files: recorded as a whole, or not at all with every bad row told by its line.

use tenkoku_ca::import::{FileProblem, ImportError, import_branches, import_organisations};
use tenkoku_domain::access::{Role, Scope};
use tenkoku_domain::organisation::Organisation;
use tenkoku_domain::refusal::RefusalCode::{
    self, CustodianMissing, IdentifierInvalid, IdentifierMismatch, NameInvalid, OrganisationExists,
    StateConflict,
};
use tenkoku_testkit::tools::data;
use tenkoku_testkit::world::{OURS, THEIRS, World};

use crate::support::codes;

const ORGANISATIONS: &str = "identifier,legal_name,country\n";
const BRANCHES: &str = "code,name,custodian_name,custodian_email\n";

fn sample(name: &str) -> Vec<u8> {
    std::fs::read(data(&format!("sample/{name}"))).expect("a sample file")
}

fn rows(file: &[u8]) -> usize {
    file.split(|octet| *octet == b'\n').filter(|line| !line.is_empty()).count() - 1
}

#[test]
fn the_sample_bank_is_recorded_as_a_whole() {
    World::on_each_database(|world| {
        let (organisations, branches) = (sample("organisations.csv"), sample("branches.csv"));
        let report = import_organisations(&world.env, &world.permit(), &organisations);
        assert_eq!(report.expect("a report").recorded, rows(&organisations));
        let report = import_branches(&world.env, &world.permit(), None, &branches);
        assert_eq!(report.expect("a report").recorded, 1206);
        assert_eq!(rows(&branches), 1206);
        let bank = "NTRJP-8000000990001";
        let bank = world.read(|tx| tx.find_organisation_by_identifier(&Scope::Platform, bank));
        let bank = bank.expect("the bank");
        let branch = world.find_branch(&bank, "BR-0001");
        assert_eq!(branch.name.as_str(), "札幌支店");
        assert_eq!(branch.latin_name.expect("a Latin name").as_str(), "Sapporo Branch");
        assert_eq!(world.read(|tx| tx.count_branches(&Scope::Platform, &bank.id)), 1201);
        // A second time it is there already, to the last row.
        let again = import_branches(&world.env, &world.permit(), None, &branches);
        let Err(ImportError::Rows(problems)) = again else { panic!("{again:?}") };
        assert_eq!(problems.len(), 1206);
    });
}

#[test]
fn a_file_may_begin_with_a_byte_order_mark_and_name_its_columns_in_any_order() {
    World::on_each_database(|world| {
        let ours = world.organisation(OURS);
        let file = "\u{FEFF}name,latin_name,custodian_email,custodian_name,code\r\n\
                    大阪支店,Osaka Branch,taro@sample.example,見本 太郎,BR-0002\r\n\
                    \"神戸, 三宮支店\",,jiro@sample.example,見本 次郎,BR-0003\r\n";
        let identifier = Some(ours.identifier.as_str());
        let report = import_branches(&world.env, &world.permit(), identifier, file.as_bytes());
        assert_eq!(report.expect("a report").recorded, 2);
        assert_eq!(world.find_branch(&ours, "BR-0003").name.as_str(), "神戸, 三宮支店");
    });
}

/// A bad row: its line, its column, the code of the refusal, and the fact that says why, where
/// there is one.
type Bad<'a> = (u64, &'a str, RefusalCode, (&'a str, &'a str));

/// A file of branches of [`OURS`] that is not recorded because of these rows.
fn check_branches(world: &World, ours: &Organisation, file: &str, expected: &[Bad<'_>]) {
    let before = world.read(|tx| tx.count_branches(&Scope::Platform, &ours.id));
    let identifier = Some(ours.identifier.as_str());
    let file = format!("{BRANCHES}{file}");
    let import = || import_branches(&world.env, &world.permit(), identifier, file.as_bytes());
    let (result, told) = world.told(import);
    check_rows(result.expect_err("bad rows"), expected);
    assert_eq!(codes(&told), ["branch.created"]);
    assert_eq!(told[0]["outcome"], "refused");
    assert_eq!(told[0]["detail"]["facts"]["rows"], expected.len().to_string());
    assert_eq!(world.read(|tx| tx.count_branches(&Scope::Platform, &ours.id)), before);
}

/// A file of organisations that is not recorded because of these rows.
fn check_organisations(world: &World, file: &str, expected: &[Bad<'_>]) {
    let file = format!("{ORGANISATIONS}{file}");
    let import = || import_organisations(&world.env, &world.permit(), file.as_bytes());
    let (result, told) = world.told(import);
    check_rows(result.expect_err("bad rows"), expected);
    assert_eq!(codes(&told), ["org.created"]);
    assert_eq!(told[0]["outcome"], "refused");
}

fn check_rows(error: ImportError, expected: &[Bad<'_>]) {
    let ImportError::Rows(problems) = error else { panic!("{error:?}") };
    let said: Vec<_> = problems
        .iter()
        .map(|p| (p.line, p.column.as_deref().unwrap_or_default(), p.refusal.code))
        .collect();
    let wanted: Vec<_> = expected.iter().map(|bad| (bad.0, bad.1, bad.2)).collect();
    assert_eq!(said, wanted, "{problems:#?}");
    for (problem, (.., (name, value))) in problems.iter().zip(expected) {
        if !name.is_empty() {
            assert_eq!(problem.refusal.facts.get(*name).map(String::as_str), Some(*value));
        }
    }
}

#[test]
fn every_bad_row_is_told_and_nothing_is_half_imported() {
    World::on_each_database(|world| {
        let ours = world.organisation(OURS);
        let too_long = "あ".repeat(65);
        let tail = ",見本 太郎,taro@sample.example\n";
        let file = format!(
            "A-1,よい支店{tail}\
             a-2,小文字支店{tail}\
             A-3,{too_long}{tail}\
             A-4,反転\u{202E}支店{tail}\
             A-5,外字\u{E000}支店{tail}\
             A-6,\"改行\n支店\"{tail}\
             A-7,責任者なし支店,,\n\
             A-8,住所なし支店,見本 太郎,taro\n\
             A-9,よい支店その二{tail}"
        );
        let expected = [
            (3, "code", NameInvalid, ("problem", "code")),
            (4, "name", NameInvalid, ("length", "65")),
            (5, "name", NameInvalid, ("character", "U+202E")),
            (6, "name", NameInvalid, ("character", "U+E000")),
            (7, "name", NameInvalid, ("character", "U+000A")),
            (9, "custodian_email", CustodianMissing, ("", "")),
            (10, "custodian_email", CustodianMissing, ("email", "taro")),
        ];
        check_branches(world, &ours, &file, &expected);
    });
}

#[test]
fn a_code_is_taken_by_the_file_and_by_the_register() {
    World::on_each_database(|world| {
        let ours = world.organisation(OURS);
        let row = |code: &str| format!("{code},{code}支店,見本 太郎,taro@sample.example\n");
        let conflict = StateConflict;
        let file = [row("B-1"), row("B-2"), row("B-1")].concat();
        check_branches(world, &ours, &file, &[(4, "code", conflict, ("first", "2"))]);
        world.branch(&ours, ["B-2", "二号支店", "Second Branch"]);
        let file = [row("B-1"), row("B-2")].concat();
        check_branches(world, &ours, &file, &[(3, "code", conflict, ("problem", "taken"))]);
        // The head office has its code from the first day.
        check_branches(world, &ours, &row("HQ"), &[(2, "code", conflict, ("code", "HQ"))]);
    });
}

#[test]
fn an_organisation_is_recorded_once_and_only_with_a_number_that_holds() {
    World::on_each_database(|world| {
        world.organisation(OURS);
        let file = format!(
            "NTRJP-6010401067252,検査数字違い,JP\n\
             NTRJP-501040106725,桁不足,JP\n\
             {0},{1},JP\n\
             {2},{3},JP\n\
             {2},{3},JP\n\
             NTRJP-8000012010038,国違い,DE\n",
            OURS[0], OURS[1], THEIRS[0], THEIRS[1]
        );
        check_organisations(
            world,
            &file,
            &[
                (2, "identifier", IdentifierInvalid, ("problem", "check-digit")),
                (3, "identifier", IdentifierInvalid, ("problem", "length")),
                (4, "identifier", OrganisationExists, ("identifier", OURS[0])),
                (6, "identifier", StateConflict, ("first", "5")),
                (7, "identifier", IdentifierMismatch, ("country", "DE")),
            ],
        );
        let page = world.read(|tx| tx.list_organisations(&Scope::Platform, "", None, 10));
        assert_eq!(page.items.len(), 1);
    });
}

#[test]
fn a_file_that_is_no_table_of_ours_is_told_with_advice() {
    World::on_each_database(|world| {
        let ours = world.organisation(OURS);
        let before = world.position();
        let column = "custodian_mail".to_owned();
        let nearest = Some("custodian_email".to_owned());
        for (file, expected) in [
            (
                b"code,name,custodian_name,custodian_mail\nA,a,b,c@d.example\n".to_vec(),
                FileProblem::UnknownColumn { column, nearest },
            ),
            (BRANCHES.as_bytes().to_vec(), FileProblem::Empty),
            (
                b"code,name,custodian_name\nA,a,b\n".to_vec(),
                FileProblem::MissingColumn { column: "custodian_email".to_owned() },
            ),
            ([BRANCHES.as_bytes(), b"A,\x93\xFA"].concat(), FileProblem::NotUtf8 { line: 2 }),
        ] {
            let identifier = Some(ours.identifier.as_str());
            let result = import_branches(&world.env, &world.permit(), identifier, &file);
            let Err(ImportError::File(problem)) = result else { panic!("{result:?}") };
            assert_eq!(problem, expected);
        }
        assert_eq!(world.position(), before);
    });
}

#[test]
fn an_officer_records_branches_of_the_own_organisation_only() {
    World::on_each_database(|world| {
        let (ours, theirs) = (world.organisation(OURS), world.organisation(THEIRS));
        let officer = world.officer_of(&ours, Role::OrganisationAdministrator);
        let permit = officer.permit(world.now()).expect("a permit");
        let file = format!("{BRANCHES}C-1,枝支店,見本 太郎,taro@sample.example\n");
        let import = |organisation: &Organisation| {
            let identifier = Some(organisation.identifier.as_str());
            import_branches(&world.env, &permit, identifier, file.as_bytes())
        };
        let unseen = import(&theirs).expect_err("it does not exist");
        let unknown = ("problem", "unknown");
        let bad = (2, "organisation", IdentifierInvalid, unknown);
        check_rows(unseen, &[bad]);
        assert_eq!(import(&ours).expect("a report").recorded, 1);
    });
}

#[test]
fn id_2_a_number_is_no_name_and_id_4_one_organisation_is_one_record() {
    World::on_each_database(|world| {
        let file = format!("{0},{0},JP\n", OURS[0]);
        let same = (2, "identifier", IdentifierMismatch, ("identifier", OURS[0]));
        check_organisations(world, &file, &[same]);
        world.organisation(OURS);
        let file = format!("{},別の名前,JP\n", OURS[0]);
        let again = (2, "identifier", OrganisationExists, ("identifier", OURS[0]));
        check_organisations(world, &file, &[again]);
        // Whoever may not see the first record gets no pointer to it.
        let theirs = world.organisation(THEIRS);
        let scope = Scope::organisation(theirs.id.clone());
        let officer = world.somebody("他社 審査", &[Role::RegistrationOfficer], &scope);
        let permit = officer.permit(world);
        let table = format!("{ORGANISATIONS}{file}");
        let refused = import_organisations(&world.env, &permit, table.as_bytes());
        let Err(ImportError::Rows(problems)) = refused else { panic!("{refused:?}") };
        assert_eq!(problems[0].refusal.code, OrganisationExists);
        assert!(problems[0].refusal.facts.is_empty(), "{:?}", problems[0].refusal);
    });
}

#[test]
fn id_3_what_is_recorded_is_what_was_looked_up() {
    World::on_each_database(|world| {
        let file = format!(
            "{ORGANISATIONS}LEIXG-5299000J2N45DDNE4Y28,国際商会,JP\n{},{},JP\n",
            THEIRS[0], THEIRS[1]
        );
        import_organisations(&world.env, &world.permit(), file.as_bytes()).expect("both");
        for (identifier, method) in [("LEIXG-5299000J2N45DDNE4Y28", "P6"), (THEIRS[0], "P1")] {
            let found = world
                .read(|tx| tx.find_organisation_by_identifier(&Scope::Platform, identifier))
                .expect("an organisation");
            assert_eq!(found.identifier.as_str(), identifier, "never another type");
            let records = world.read(|tx| tx.list_proofings(&Scope::Platform, &found.id));
            assert_eq!(records[0].method.word(), method);
        }
        // A national scheme is one that the operator registered, in its form.
        let file = "TD:JP-987654321,登録制度,JP\n";
        let table = format!("{ORGANISATIONS}{file}");
        import_organisations(&world.env, &world.permit(), table.as_bytes()).expect("registered");
        check_organisations(
            world,
            "TD:JP-12345,短い,JP\nXY:JP-1,知らない制度,JP\n",
            &[
                (2, "identifier", IdentifierInvalid, ("problem", "reference")),
                (3, "identifier", IdentifierInvalid, ("problem", "type")),
            ],
        );
    });
}

#[test]
fn ab_12_names_that_look_the_same_are_refused() {
    World::on_each_database(|world| {
        let ours = world.organisation(OURS);
        let tail = ",見本 太郎,taro@sample.example\n";
        world.branch(&ours, ["BR-0002", "ABC支店", "Osaka Branch"]);
        let file = format!(
            "C-1,ＡＢＣ支店{tail}C-2,Os\u{0430}ka{tail}C-3,よい支店{tail}C-4,よい支店{tail}"
        );
        let look = ("problem", "look-alike");
        check_branches(
            world,
            &ours,
            &file,
            &[
                (2, "name", NameInvalid, look),
                (3, "name", NameInvalid, look),
                (5, "name", NameInvalid, look),
            ],
        );
    });
}
