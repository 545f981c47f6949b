//! The whole way in the browser: an organisation with a thousand branches, its representative, a
//! delegation that is confirmed, a list of a thousand applications, and their certificates; in both
//! languages, with script and without, within the budgets of clicks (UX 3).

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use tenkoku_domain::key::KeyAlgorithm;
use tenkoku_pki::pem;
use tenkoku_testkit::fixtures::ApplicantKey;
use tenkoku_testkit::servers::Installation;
use tenkoku_testkit::webdriver::By;

use super::person::Person;
use super::screens;

/// Clicks of a representative from the link in the letter on (UX 3).
const CLICKS_TO_CONFIRM: u32 = 2;
/// Clicks from the organisation's page until a CSV of 1,000 branches is being worked on (UX 3).
const CLICKS_FOR_CSV: u32 = 4;
/// Clicks of a branch from the link in the letter until its application waits for nothing of it
/// (UX 3).
const CLICKS_TO_APPLY: u32 = 5;
/// Clicks from Home until an application is approved (UX 3).
const CLICKS_TO_APPROVE: u32 = 3;
/// Clicks from the organisation's delegation to the draft: set up, draft.
const CLICKS_TO_DRAFT: u32 = 2;

/// The organisation of these stories.
const COMPANY: &str = "NTRJP-5010401067252";

/// How the representative confirms.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Passkey,
    Paper,
}

/// One installation, and the officer at a browser.
struct Story<'a> {
    installation: &'a Installation,
    language: &'static str,
    script: bool,
}

impl Story<'_> {
    fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let file = self.installation.path().join(name);
        fs::write(&file, content).expect("a file");
        file
    }

    /// Somebody with an account, signed in.
    fn person(&self, [login, name]: [&str; 2], more: &[&str]) -> Person {
        let person = Person::arrive(self.installation, self.language);
        let words = [&["--language", self.language], more].concat();
        person.enrol_with_a_code_generator(&invite(self.installation, [login, name], &words));
        if !self.script {
            person.browser.disable_script();
        }
        person
    }

    /// An organisation with its branches; gives its path.
    fn organisation(&self, officer: &Person, branches: usize) -> String {
        officer.follow("nav a[href='/console/organisations']");
        officer.follow("#add-organisation");
        officer.fill("identifier", "NTRJP-6010401067252");
        officer.fill("legal_name", "株式会社サンプル");
        officer.follow("#save");
        assert!(officer.shows(".errsum a[href='#identifier']"), "the check digit is wrong");
        officer.fill("identifier", COMPANY);
        officer.fill("latin_name", "Sample Co., Ltd.");
        officer.fill("custodian_name", "見本 花子");
        officer.fill("custodian_email", "hanako@sample.example");
        officer.follow("#save");
        officer.sees("5010401067252");
        let path = path_of(officer);
        officer.clicks();
        officer.follow("#add-branches");
        officer.choose("file", &self.file("bad.csv", &table(3, "nobody")));
        officer.follow("#save");
        assert!(officer.shows(".errsum a[href='#file']"), "no address is no custodian");
        officer.open(&path);
        officer.clicks();
        officer.follow("#add-branches");
        officer.choose("file", &self.file("branches.csv", &table(branches, "taro@sample.example")));
        officer.follow("#save");
        assert!(officer.clicks() <= CLICKS_FOR_CSV);
        officer.is_at(&path);
        path
    }

    /// Ichiro represents it, Jiro may be given a part; the grant is drafted. Gives its path.
    fn draft(&self, officer: &Person, organisation: &str) -> String {
        officer.follow("#delegation");
        let delegation = path_of(officer);
        assert!(!officer.shows("#set-up"), "there is nobody to delegate to");
        officer.follow("#add-representative");
        officer.fill("name", "見本 一郎");
        officer.fill("contact", "ichiro@sample.example");
        officer.fill("capacity", "代表取締役");
        officer.follow("#save");
        assert!(officer.shows(".errsum a[href='#evidence']"), "nobody represents without evidence");
        officer.fill("name", "見本 一郎");
        officer.fill("capacity", "代表取締役");
        let extract = self.file("extract.pdf", b"%PDF-1.7 an extract of the register");
        officer.choose("evidence", &extract);
        officer.follow("#save");
        officer.sees("見本 一郎");
        officer.follow("#add-delegate");
        officer.fill("name", "");
        officer.follow("#save");
        assert!(!officer.text(".errsum").is_empty(), "a delegate has a name");
        officer.fill("name", "見本 二郎");
        officer.follow("#save");
        officer.sees("見本 二郎");

        officer.open(&delegation);
        officer.clicks();
        officer.follow("#set-up");
        officer.click("#level-1");
        officer.click("#reach-some");
        officer.fill("live", "0");
        officer.follow("#draft");
        for field in ["live", "level-1", "branches"] {
            let told = format!(".errsum a[href='#{field}']");
            assert!(officer.shows(&told), "{field} is not complained of");
        }
        officer.open(&delegation);
        officer.clicks();
        officer.follow("#set-up");
        officer.fill("per-day", "5000");
        officer.follow("#draft");
        assert!(officer.clicks() <= CLICKS_TO_DRAFT);
        let sentence = officer.text("#sentence");
        assert!(sentence.contains("見本 一郎"), "{sentence}");
        assert!(sentence.contains("見本 二郎"), "{sentence}");
        screens::keep(officer, &format!("grant.{}", self.language));
        assert!(delegation.starts_with(organisation));
        path_of(officer)
    }

    /// The representative's own word.
    fn confirm(&self, officer: &Person, grant: &str, form: Form) {
        match form {
            Form::Passkey => {
                let words = ["--role", "representative", "--org", COMPANY];
                let words = [&["--language", self.language], &words[..]].concat();
                let boss = Person::arrive(self.installation, self.language);
                boss.browser.add_authenticator();
                boss.open(&invite(self.installation, ["ichiro", "見本 一郎"], &words));
                boss.click("#enrol-passkey");
                boss.browser.find(By::Css("a.who"));
                boss.clicks();
                boss.open(grant);
                assert_eq!(boss.browser.find_all(By::Css("#sentence")).len(), 1);
                boss.click("#sign");
                boss.waits_for(".chip", active(self.language));
                assert!(boss.clicks() <= CLICKS_TO_CONFIRM);
            }
            Form::Paper => {
                officer.open(grant);
                officer.follow("#hand-in-paper");
                assert!(officer.shows(".errsum a[href='#scan']"), "a paper has a scan");
                let scan = self.file("scan.pdf", b"%PDF-1.7 a signed paper");
                officer.choose("scan", &scan);
                officer.choose("call_back", &self.file("call.txt", b"called at noon"));
                officer.follow("#hand-in-paper");
                officer.is_at(grant);
                for who in [["shinsa1", "審査 一"], ["shinsa2", "審査 二"]] {
                    let other = self.person(who, &["--role", "registration-officer"]);
                    other.open("/console/approvals");
                    other.clicks();
                    other.follow("tbody th a");
                    other.follow("#approve");
                    assert!(other.clicks() <= CLICKS_TO_APPROVE);
                }
                officer.open(grant);
            }
        }
        officer.open(grant);
        officer.waits_for(".chip", active(self.language));
    }

    /// The delegate applies for every branch with one file, and the keys come with another.
    fn list(&self, delegate: &Person, organisation: &str, branches: usize) {
        delegate.open(organisation);
        delegate.follow("#batches");
        delegate.choose("file", &self.file("wrong.csv", b"branch\nBR-0001\nNOWHERE\n"));
        delegate.follow("#hand-in");
        assert!(delegate.shows(".errsum a[href='#file']"), "a branch that nobody knows");
        delegate.open(organisation);
        delegate.clicks();
        delegate.follow("#batches");
        let codes = (1..=branches).fold("branch\n".to_owned(), |mut text, number| {
            writeln!(text, "BR-{number:04}").expect("text");
            text
        });
        delegate.choose("file", &self.file("list.csv", codes.as_bytes()));
        delegate.follow("#hand-in");
        assert!(delegate.clicks() <= CLICKS_FOR_CSV);
        let batch = path_of(delegate);
        let id = batch.rsplit('/').next().expect("an id").to_owned();
        self.until(delegate, &id, "applied", branches);
        let proofs = self.proofs(&id);
        assert_eq!(proofs.as_array().map(Vec::len), Some(branches));
        delegate.choose("proofs", &self.file("proofs.json", proofs.to_string().as_bytes()));
        delegate.follow("#hand-in-proofs");
        self.until(delegate, &id, "issued", branches);
        screens::keep(delegate, &format!("batch.{}", self.language));
        delegate.open(organisation);
        delegate.sees("BR-0001");
        let live = self.installation.json(["certificate", "list", "--limit", "5000"]);
        let live = live["certificates"].as_array().expect("a list").len();
        assert_eq!(live, branches);
    }

    /// Looks at the page until the job is that far.
    fn until(&self, delegate: &Person, id: &str, member: &str, count: usize) {
        let done = |installation: &Installation| {
            let shown = installation.json(["batch", "show", id]);
            assert_eq!(shown["progress"]["failed"], 0, "{shown}");
            shown["progress"][member] == count
        };
        for _ in 0..1200 {
            delegate.browser.reload();
            if done(self.installation) {
                delegate.browser.reload();
                return;
            }
        }
        panic!("the list does not come to its end");
    }

    /// What the custodians make of the file that the page gives them: a key and a request for each
    /// line.
    fn proofs(&self, id: &str) -> Value {
        let printed = self.installation.tenkoku(["batch", "rows", id]);
        let row = |line: &str| {
            let fields: Vec<&str> = line.split(',').collect();
            let key = ApplicantKey::make(KeyAlgorithm::P256);
            let request = pem::encode("CERTIFICATE REQUEST", &key.proof(fields[4]));
            json!({ "branch": fields[1], "request": request })
        };
        printed.success().lines().skip(1).map(row).collect()
    }

    /// A branch applies from the link in its letter; the officer approves from Home, first with the
    /// mouse, then with the keyboard alone.
    fn branch_applies(&self, delegate: &Person, officer: &Person, organisation: &str) {
        for keyboard in [false, true] {
            delegate.open(organisation);
            delegate.follow("tbody th a");
            let link = delegate.browser.find(By::Css("#apply")).attribute("href");
            let link = link.expect("a link");
            delegate.clicks();
            delegate.open(&link);
            delegate.follow("#save");
            let application = path_of(delegate);
            let challenge = delegate.text("section[aria-labelledby='h-proof'] .copyable code");
            let key = ApplicantKey::make(KeyAlgorithm::P256);
            let request = pem::encode("CERTIFICATE REQUEST", &key.proof(&challenge));
            delegate.choose("proof_file", &self.file("own.csr", request.as_bytes()));
            delegate.follow("#prove");
            assert!(delegate.clicks() <= CLICKS_TO_APPLY);
            officer.open("/console");
            officer.clicks();
            if keyboard {
                const ENTER: &str = "\u{e007}";
                officer.press_at("nav a[href='/console/applications']", ENTER);
                officer.press_at(&format!("main a[href='{application}']"), ENTER);
                officer.fills_code();
                officer.press_at("#issue", ENTER);
                assert_eq!(officer.clicks(), 0, "no mouse");
            } else {
                officer.follow("nav a[href='/console/applications']");
                officer.follow(&format!("main a[href='{application}']"));
                officer.fills_code();
                officer.follow("#issue");
                assert!(officer.clicks() <= CLICKS_TO_APPROVE);
            }
            assert!(path_of(officer).starts_with("/console/certificates/"), "{}", path_of(officer));
        }
    }
}

/// The word for a grant in force.
fn active(language: &str) -> &'static str {
    if language == "ja" { "有効" } else { "In force" }
}

fn path_of(person: &Person) -> String {
    let address = person.browser.address();
    let (_, rest) = address.split_once("/console").expect("a page of the console");
    format!("/console{}", rest.split(['?', '#']).next().unwrap_or_default())
}

/// So many branches as a table.
fn table(branches: usize, email: &str) -> Vec<u8> {
    let head = "code,name,latin_name,custodian_name,custodian_email\n".to_owned();
    let text = (1..=branches).fold(head, |mut text, number| {
        writeln!(text, "BR-{number:04},第{number}支店,Branch {number},見本 太郎,{email}")
            .expect("text");
        text
    });
    text.into_bytes()
}

/// A one-time link for somebody of this name.
fn invite(installation: &Installation, [login, name]: [&str; 2], more: &[&str]) -> String {
    let words = ["user", "invite", login, "--name", name].into_iter();
    let invited = installation.json(words.chain(more.iter().copied()));
    let link = invited["link"].as_str().expect("a link");
    link.strip_prefix(&installation.console()).expect("a link to the console").to_owned()
}

fn the_whole_way(language: &'static str, (script, form): (bool, Form), branches: usize) {
    let installation = Installation::evaluation();
    let _server = installation.serve();
    let story = Story { installation: &installation, language, script };
    let officer = story.person(["kaede", "海野 楓"], &[]);
    let organisation = story.organisation(&officer, branches);
    // The delegate's account, made in the browser as well.
    officer.open("/console/people");
    officer.fill("login", "jiro");
    officer.fill("display_name", "見本 二郎");
    officer.fill("organisation", COMPANY);
    officer.click("input[name='role'][value='delegate']");
    officer.follow("#invite");
    let link = officer.text("#link code");
    officer.open(&organisation);
    let grant = story.draft(&officer, &organisation);
    story.confirm(&officer, &grant, form);
    let delegate = Person::arrive(&installation, language);
    delegate.enrol_with_a_code_generator(link.strip_prefix(&installation.console()).expect("here"));
    if !script {
        delegate.browser.disable_script();
    }
    story.list(&delegate, &organisation, branches);
    story.branch_applies(&delegate, &officer, &organisation);
}

#[test]
fn a_company_with_a_thousand_branches_gets_its_certificates_in_japanese() {
    the_whole_way("ja", (true, Form::Passkey), 1000);
}

#[test]
fn a_company_gets_its_certificates_in_english_without_script() {
    the_whole_way("en", (false, Form::Paper), 30);
}
