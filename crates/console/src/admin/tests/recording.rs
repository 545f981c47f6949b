//! Organisations, offices, checks, delegations and lists, recorded at the console of a production
//! installation.

use tenkoku_domain::access::{Role, Scope};
use tenkoku_domain::application::ApplicationState;
use tenkoku_domain::batch::BatchState;
use tenkoku_domain::grant::GrantState;
use tenkoku_domain::organisation::Organisation;
use tenkoku_testkit::world::{OURS, THEIRS};

use super::*;

const PDF: &[u8] = b"%PDF-1.7 what was seen";

fn ours(world: &World) -> Organisation {
    world.organisation(OURS)
}

fn href(of: &Organisation) -> String {
    format!("/console/organisations/{}", of.id)
}

#[test]
fn an_organisation_and_its_branches_are_recorded_and_faults_are_told_beside_their_fields() {
    World::on_each_database(|world| {
        let house = House::of(world);
        let officer = house.person(&[Role::RegistrationOfficer]);
        officer.get("/console/organisations").check(200, "/console/organisations/new");
        let new = "/console/organisations/new";
        officer.get(new).check(200, "name=\"legal_name\"");
        let mut form = vec![
            ("identifier", "NTRJP-6010401067252"),
            ("legal_name", "株式会社 見本"),
            ("country", "JP"),
            ("language", "ja"),
        ];
        let refused = officer.submit(new, &form);
        refused.check(422, "href=\"#identifier\"");
        refused.check(422, "株式会社 見本");
        form[0].1 = OURS[0];
        let made = officer.submit(new, &form);
        assert_eq!(made.status, 303, "{}", made.body);
        let of = world.read(|tx| tx.find_organisation_by_identifier(&Scope::Platform, OURS[0]));
        let of = of.expect("an organisation");
        made.check_leads_to(&href(&of));
        officer.submit(new, &form).check(422, "href=\"#identifier\"");

        let path = format!("{}/branches/new", href(&of));
        officer.submit(&path, &[("code", "br 1"), ("name", "大阪支店")]).check(422, "href=\"#c");
        let branch = [
            ("code", "BR-0002"),
            ("name", "大阪支店"),
            ("custodian_name", "見本 花子"),
            ("custodian_email", "hanako@sample.example"),
        ];
        let made = officer.submit(&path, &branch);
        let osaka = world.find_branch(&of, "BR-0002");
        made.check_leads_to(&format!("{}/branches/{}", href(&of), osaka.id));

        let path = format!("{}/branches/import", href(&of));
        officer.upload(&path, &[], &[]).check(422, "Choose a file");
        let file = |rows: &str| {
            let head = "code,name,custodian_name,custodian_email\n";
            let table = format!("{head}{rows}");
            officer.upload(&path, &[], &[("file", table.as_bytes())])
        };
        let refused =
            file("BR-0003,名古屋支店,見本 太郎,a@b.example\nBR-0002,福岡支店,見本,a@b.example\n");
        refused.check(422, "Line 3, code: ");
        officer.upload(&path, &[], &[("file", b"a,b\n1,2\n")]).check(422, "no such table");
        file("BR-0003,名古屋支店,見本 太郎,a@b.example\n").check_leads_to(&href(&of));
        world.find_branch(&of, "BR-0003");
    });
}

#[test]
fn a_stranger_records_nothing_for_another_organisation() {
    World::on_each_database(|world| {
        let house = House::of(world);
        let ours = ours(world);
        let theirs = Scope::organisation(world.organisation(THEIRS).id);
        let roles = [Role::OrganisationAdministrator, Role::Representative];
        let stranger = house.person_within(&roles, &theirs);
        for path in ["branches/new", "branches/import", "delegates/new", "proofing", "delegation"] {
            stranger.get(&format!("{}/{path}", href(&ours))).check(404, "not-found");
        }
        let branch = [
            ("code", "BR-0666"),
            ("name", "偽支店"),
            ("custodian_name", "偽"),
            ("custodian_email", "a@b.example"),
        ];
        let path = format!("{}/branches/new", href(&ours));
        stranger.submit(&path, &branch).check(404, "not-found");
        let path = format!("{}/delegates/new", href(&ours));
        let delegate = [("name", "偽 者"), ("until", "2027-01-01")];
        stranger.submit(&path, &delegate).check(404, "not-found");
        let osaka = world.branch(&ours, ["BR-0002", "大阪支店", "Osaka Branch"]);
        let path = format!("/console/applications/new?branch={}", osaka.id);
        stranger.get(&path).check(404, "not-found");
        stranger.submit(&path, &[("level", "1")]).check(404, "not-found");
        let known = world.read(|tx| tx.list_delegates(&Scope::Platform, &ours.id));
        assert_eq!(known.len(), 0);
    });
}

#[test]
fn offices_are_recorded_on_evidence_and_ended() {
    World::on_each_database(|world| {
        let house = House::of(world);
        let ours = ours(world);
        let officer = house.person(&[Role::RegistrationOfficer]);
        let path = format!("{}/representatives/new", href(&ours));
        officer.get(&path).check(200, "enctype=\"multipart/form-data\"");
        let form = [("name", "見本 一郎"), ("capacity", "代表取締役")];
        officer.upload(&path, &form, &[]).check(422, "href=\"#evidence\"");
        officer.upload(&path, &form[1..], &[("evidence", PDF)]).check(422, "href=\"#name\"");
        let made = officer.upload(&path, &form, &[("evidence", PDF)]);
        made.check_leads_to(&format!("{}/delegation", href(&ours)));
        officer.upload(&path, &form, &[("evidence", PDF)]).check(422, "href=\"#capacity\"");
        let [office] = world
            .read(|tx| tx.list_representatives(&Scope::Platform, &ours.id))
            .try_into()
            .expect("one representative");
        let kept = world.read(|tx| tx.find_attachment(&office.evidence)).expect("evidence");
        assert_eq!(kept, ("application/pdf".to_owned(), PDF.to_vec()));
        let end = format!("/console/representatives/{}/end", office.id);
        officer.get(&format!("{}/delegation", href(&ours))).check(200, &end);
        officer.get(&end).check(200, "thirty days");
        officer.submit(&end, &[]).check_leads_to(&format!("{}/delegation", href(&ours)));
        assert!(!officer.get(&format!("{}/delegation", href(&ours))).body.contains(&end));

        let delegate = [("name", "見本 二郎"), ("until", "2027-10-01")];
        let path = format!("{}/delegates/new", href(&ours));
        officer.submit(&path, &delegate).check_leads_to(&format!("{}/delegation", href(&ours)));
        let [office] = world
            .read(|tx| tx.list_delegates(&Scope::Platform, &ours.id))
            .try_into()
            .expect("one delegate");
        let end = format!("/console/delegates/{}/end", office.id);
        officer.get(&end).check(200, "end at once");
        officer.submit(&end, &[]).check_leads_to(&format!("{}/delegation", href(&ours)));
        officer.submit(&end, &[]).check(409, "state-conflict");
    });
}

#[test]
fn a_paper_is_handed_in_and_approved_by_two_officers_who_are_shown_its_digest() {
    World::on_each_database_of(Installation::Production, |world| {
        let house = House::of(world);
        let ours = ours(world);
        let (_, office) = world.representative(&ours, "見本 一郎");
        let delegate = world.delegate(&ours, "見本 二郎");
        let grant = world.drafted(&office, world.wide_part(&delegate));
        let path = format!("/console/grants/{}", grant.terms.id);
        let officer = house.person(&[Role::RegistrationOfficer]);
        officer.get(&path).check(200, "id=\"on-paper\"");
        let text = officer.get(&format!("{path}/text"));
        let digest = tenkoku_domain::canonical::Digest::of(text.body.as_bytes());
        assert_eq!(digest, grant.terms.digest().expect("a digest"));
        let paper = format!("{path}/paper");
        officer.upload(&paper, &[], &[("scan", PDF)]).check(422, "href=\"#call_back\"");
        let files = [("scan", PDF), ("call_back", &b"called at noon"[..])];
        officer.upload(&paper, &[], &files).check_leads_to(&path);
        officer.upload(&paper, &[], &files).check(422, "href=\"#scan\"");
        let state = || world.read(|tx| tx.load_grant(&Scope::Platform, &grant.terms.id)).state;
        assert_eq!(state(), GrantState::Signed);
        for _ in 0..2 {
            let other = house.person(&[Role::RegistrationOfficer]);
            let list = other.get("/console/approvals");
            let id = list.between("/console/approvals/", "\"").to_owned();
            let request = format!("/console/approvals/{id}");
            let page = other.get(&request);
            let shown = page.between("name=\"shown\" value=\"", "\"").to_owned();
            let ruling = [("verdict", "approved"), ("shown", shown.as_str())];
            other.submit(&request, &ruling).check_leads_to("/console/approvals");
        }
        assert_eq!(state(), GrantState::Active);
    });
}

#[test]
fn a_signature_that_is_none_is_refused_beside_its_field() {
    World::on_each_database(|world| {
        let house = House::of(world);
        let ours = ours(world);
        let (_, office) = world.representative(&ours, "見本 一郎");
        let delegate = world.delegate(&ours, "見本 二郎");
        let grant = world.drafted(&office, world.wide_part(&delegate));
        let officer = house.person(&[Role::RegistrationOfficer]);
        let path = format!("/console/grants/{}/signature", grant.terms.id);
        officer.upload(&path, &[], &[]).check(422, "href=\"#signature\"");
        officer.upload(&path, &[], &[("signature", PDF)]).check(422, "href=\"#signature\"");
        let files = [("signature", PDF), ("crl", PDF)];
        officer.upload(&path, &[], &files).check(422, "href=\"#crl\"");
        let state = world.read(|tx| tx.load_grant(&Scope::Platform, &grant.terms.id)).state;
        assert_eq!(state, GrantState::Draft);
    });
}

#[test]
fn checks_of_identity_are_recorded_and_an_application_that_waited_goes_on() {
    World::on_each_database_of(Installation::Production, |world| {
        let house = House::of(world);
        let ours = ours(world);
        let osaka = world.branch(&ours, ["BR-0002", "大阪支店", "Osaka Branch"]);
        let given = world.delegation(&ours);
        let applicant = house.person_as(&given.delegate);
        let apply = format!("/console/applications/new?branch={}", osaka.id);
        applicant.get(&apply).check(200, given.grant.terms.id.as_str());
        let grant = ("grant", given.grant.terms.id.as_str());
        applicant.submit(&apply, &[grant, ("level", "9")]).check(422, "href=\"#level\"");
        applicant.submit(&apply, &[grant, ("level", "2"), ("days", "9999")]).check(422, "days");
        let made = applicant.submit(&apply, &[grant, ("level", "2")]);
        assert_eq!(made.status, 303, "{}", made.body);
        let id = made.location.rsplit('/').next().expect("an id");
        let id = tenkoku_domain::id::ApplicationId::parse(id).expect("an id");
        let state = || world.read(|tx| tx.load_application(&Scope::Platform, &id)).state;
        assert_eq!(state(), ApplicationState::Proofing);

        let officer = house.person(&[Role::RegistrationOfficer]);
        let path = format!("{}/proofing", href(&ours));
        officer.get(&path).check(200, "name=\"method\"");
        assert!(!applicant.get(&path).body.contains("name=\"method\""), "it is not a delegate's");
        let keep =
            |fields: &[(&str, &str)], files: &[(&str, &[u8])]| officer.upload(&path, fields, files);
        let seen = [("evidence", PDF)];
        keep(&[("method", "P2")], &[]).check(422, "href=\"#evidence\"");
        keep(&[("method", "P5")], &seen).check(422, "href=\"#person\"");
        keep(&[("method", "P9"), ("branch", "BR-0666")], &seen).check(422, "href=\"#branch\"");
        keep(&[("method", "P0")], &seen).check(422, "href=\"#method\"");
        let person = given.representative.person().to_string();
        keep(&[("method", "P3"), ("person", &person)], &seen).check(422, "href=\"#signature\"");
        let statement = officer.get(&format!("{path}/{person}"));
        statement.check(200, "\"statement\":\"acts-for\"");
        for fields in [
            &[("method", "P2")][..],
            &[("method", "P5"), ("person", person.as_str())],
            &[("method", "P9"), ("branch", "BR-0002")],
        ] {
            keep(fields, &seen).check_leads_to(&path);
        }
        officer.get(&path).check(200, "P9 Evidence about a branch");
        assert_eq!(state(), ApplicationState::Approval);
    });
}

#[test]
fn a_list_comes_as_a_file_and_the_keys_with_another() {
    World::on_each_database(|world| {
        let house = House::of(world);
        let ours = ours(world);
        world.branch(&ours, ["BR-0002", "大阪支店", "Osaka Branch"]);
        let scope = Scope::organisation(ours.id.clone());
        let delegate = house.person_within(&[Role::Delegate], &scope);
        let path = format!("{}/batches", href(&ours));
        let level = [("level", "1")];
        delegate.upload(&path, &level, &[("file", b"x\n1\n")]).check(422, "href=\"#file\"");
        let wrong = delegate.upload(&path, &level, &[("file", b"branch\nHQ\nNOWHERE\n")]);
        wrong.check(422, "Line 3: ");
        let made = delegate.upload(&path, &level, &[("file", b"branch\nHQ\nBR-0002\n")]);
        assert_eq!(made.status, 303, "{}", made.body);
        let [batch] = world.read(|tx| tx.list_batches(&scope, &ours.id, 9)).try_into().unwrap();
        let list = format!("/console/batches/{}", batch.id);
        made.check_leads_to(&list);
        let work = || {
            let permit = world.permit();
            tenkoku_ca::batch::work_batch(&world.env, &permit, &batch.id, 0).expect("a turn")
        };
        work();
        let rows = delegate.get(&format!("{list}/rows")).body;
        let proofs = format!("{list}/proofs");
        delegate.upload(&proofs, &[], &[]).check(422, "href=\"#proofs\"");
        delegate.upload(&proofs, &[], &[("proofs", b"[]")]).check(422, "href=\"#proofs\"");
        let mut file = csv::Writer::from_writer(Vec::new());
        file.write_record(["branch", "request"]).unwrap();
        for line in rows.lines().skip(1) {
            let fields: Vec<&str> = line.split(',').collect();
            let key = tenkoku_testkit::fixtures::ApplicantKey::make(
                tenkoku_domain::key::KeyAlgorithm::P256,
            );
            let request = tenkoku_pki::pem::encode("CERTIFICATE REQUEST", &key.proof(fields[4]));
            file.write_record([fields[1], &request]).unwrap();
        }
        let file = file.into_inner().unwrap();
        delegate.upload(&proofs, &[], &[("proofs", &file)]).check_leads_to(&list);
        assert_eq!(work().batch.state, BatchState::Done);
        delegate.get(&list).check(200, "2 of 2 issued");
        let theirs = Scope::organisation(world.organisation(THEIRS).id);
        let stranger = house.person_within(&[Role::Delegate], &theirs);
        stranger.get(&format!("{list}/rows")).check(404, "not-found");
        stranger.upload(&proofs, &[], &[("proofs", &file)]).check(404, "not-found");
    });
}
