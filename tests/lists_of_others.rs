//! Stories of the trusted lists of others: a chain from a journal over a pivot to a national list,
//! fetched from a real server; what turns bad stays what it was, is told once, and is never simply
//! gone.

#[path = "../crates/tsl/tests/lists/sample.rs"]
#[expect(dead_code, clippy::unwrap_used, reason = "the tests of lists use more of it")]
mod sample;

use std::cell::Cell;
use std::fs;
use std::time::{Duration, UNIX_EPOCH};

use serde_json::Value;
use tenkoku_ca::proposal::{ProposalError, propose};
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::exchange::Octets;
use tenkoku_domain::followed::{FollowedList, ListCode, ListProblem, ListTrust, REFRESH_JOB};
use tenkoku_domain::proposal::ProposedAct;
use tenkoku_domain::time::Timestamp;
use tenkoku_fetch::{Allowed, Limits, Web, WebSettings};
use tenkoku_reader::library::Library;
use tenkoku_reader::refresh::refresh_lists;
use tenkoku_testkit::servers::{Installation, get};
use tenkoku_testkit::web_server::{Page, WebServer};
use tenkoku_testkit::world::World;
use tenkoku_tsl::algorithm::SignatureAlgorithm;
use tenkoku_tsl::certificate::Certificate;
use tenkoku_tsl::index::Answer;
use tenkoku_tsl::model::{Identity, Language, Multilingual, NextUpdate, TrustedList};

use self::sample::{ISSUE, OPERATOR, Role, Signer, at, uri};

pub(crate) const JOURNAL: &str = "https://journal.example/C/2026/1/oj";
pub(crate) const NEWER_JOURNAL: &str = "https://journal.example/C/2026/2/oj";

/// A world of lists: a list of lists `EU`, its pivot, and the list of `EE`.
pub(crate) struct Lists {
    pub(crate) web: WebServer,
    /// Published in the journal; signed the pivot.
    pub(crate) first: Signer,
    /// Announced by the pivot; signs the list of lists.
    pub(crate) second: Signer,
    /// Signs the list of EE.
    national: Signer,
    ee: TrustedList,
    /// When every list is issued.
    issue: Timestamp,
    /// How long a document is waited for.
    patience: Cell<Duration>,
}

fn signer(country: &str) -> Signer {
    let algorithm = SignatureAlgorithm::EcdsaP256Sha256;
    Signer::of_country(country, algorithm, Role::ListSigner, OPERATOR)
}

impl Lists {
    fn issued(issue: Timestamp) -> Self {
        let lists = Self {
            web: WebServer::start(),
            first: signer("EU"),
            second: signer("EU"),
            national: signer("EE"),
            ee: sample::european(),
            issue,
            patience: Cell::new(Duration::from_mins(1)),
        };
        lists.web.put("/pivot-1.xml", Page::Document(lists.pivot()));
        lists.publish_lotl(2, |_| {});
        lists.publish_ee(3, |_| {});
        lists
    }

    /// The list, issued and signed by this signer.
    fn sign(&self, signer: &Signer, mut list: TrustedList) -> Vec<u8> {
        list.scheme.issue = self.issue;
        if list.scheme.next_update == sample::list().scheme.next_update {
            list.scheme.next_update = NextUpdate::By(self.issue.plus_days(170));
        }
        signer.publish_at(list, self.issue)
    }

    /// A list of lists that announces these signers of its own.
    fn lotl(&self, sequence: u64, announced: [&Signer; 2]) -> TrustedList {
        let mut list = sample::list_of_lists("EU");
        list.scheme.sequence_number = sequence;
        list.scheme.information = Multilingual::english(uri(JOURNAL))
            .and(Language::english(), uri("https://tl.example.org/about.html"));
        let [own, ee] = list.scheme.pointers.as_mut_slice() else { panic!("two pointers") };
        own.location = uri(&self.web.address("/lotl.xml"));
        own.identities = announced.map(|signer| Identity::of(signer.certificate.clone())).to_vec();
        ee.location = uri(&self.web.address("/ee.xml"));
        ee.identities = vec![
            Identity::of(self.national.certificate.clone()),
            Identity::of(signer("EE").certificate),
        ];
        list
    }

    fn pivot(&self) -> Vec<u8> {
        self.sign(&self.first, self.lotl(1, [&self.first, &self.second]))
    }

    fn publish_lotl(&self, sequence: u64, change: impl FnOnce(&mut TrustedList)) {
        let next = signer("EU");
        let mut list = self.lotl(sequence, [&self.second, &next]);
        let pivot = uri(&self.web.address("/pivot-1.xml"));
        list.scheme.information = Multilingual::english(pivot)
            .and(Language::english(), uri(JOURNAL))
            .and(Language::english(), uri("https://tl.example.org/about.html"));
        change(&mut list);
        self.web.put("/lotl.xml", Page::Document(self.sign(&self.second, list)));
    }

    /// The list of lists names a newer publication in the journal.
    pub(crate) fn name_newer_journal(&self, sequence: u64) {
        self.publish_lotl(sequence, |list| {
            list.scheme.information = Multilingual::english(uri(NEWER_JOURNAL))
                .and(Language::english(), uri(&self.web.address("/pivot-1.xml")))
                .and(Language::english(), uri(JOURNAL))
                .and(Language::english(), uri("https://tl.example.org/about.html"));
        });
    }

    /// Lists that an installation follows from now on: it may reach them, and nothing else inside.
    pub(crate) fn followed_by(installation: &Installation) -> Self {
        let lists = Self::issued(present(installation));
        let root = pem_file(installation, "tls.pem", lists.web.root());
        let file = installation.path().join("tenkoku.toml");
        let text = fs::read_to_string(&file).expect("the configuration");
        let reader = format!(
            "[reader]\nfollow = true\nallow_hosts = [\"localhost\"]\nca_file = \"{root}\"\n"
        );
        fs::write(&file, text.replace("[reader]\n", &reader)).expect("the configuration");
        lists
    }

    fn publish_ee(&self, sequence: u64, change: impl FnOnce(&mut TrustedList)) {
        let mut list = self.ee.clone();
        list.scheme.sequence_number = sequence;
        change(&mut list);
        self.web.put("/ee.xml", Page::Document(self.sign(&self.national, list)));
    }

    fn trust(&self) -> ProposedAct {
        ProposedAct::TrustList {
            code: code("eu"),
            location: self.web.address("/lotl.xml"),
            trust: journal(JOURNAL, &[&self.first]),
        }
    }

    /// A certificate that the list of EE lists.
    fn listed(&self) -> Certificate {
        let (_, service) = self.ee.services().next().expect("a service");
        service.identity.certificate().expect("a certificate").clone()
    }
}

fn journal(address: &str, signers: &[&Signer]) -> ListTrust {
    let certificates = signers.iter().map(|one| Octets(one.certificate.der().to_vec())).collect();
    ListTrust::Journal { address: address.to_owned(), certificates }
}

fn code(text: &str) -> ListCode {
    ListCode::parse(text).expect("a code")
}

/// A reader that may go to this machine by the name `localhost`, and nowhere else inside.
fn reader(lists: &Lists) -> Web {
    Web::new(WebSettings {
        allowed: Allowed::hosts(["localhost"]),
        roots: Some(vec![lists.web.root().to_vec()]),
        user_agent: "tests".to_owned(),
        limits: Limits { octets: 1 << 20, time: lists.patience.get(), redirects: 3 },
    })
}

/// A list that was decided on, and one look at everything.
fn believing(world: &World) -> Lists {
    let lists = Lists::issued(at(ISSUE));
    decide(world, lists.trust());
    look(world, &lists);
    lists
}

/// Something is decided, at once in an evaluation, and a look is ordered.
fn decide(world: &World, act: ProposedAct) {
    propose(&world.env, &world.permit(), act, "compared with the journal").expect("done at once");
    let job = world.write(|tx| tx.claim_job(world.now())).expect("the queue").expect("a job");
    assert_eq!(job.kind, REFRESH_JOB, "what was decided is looked at soon");
    world.write(|tx| tx.finish_job(job.id)).expect("the queue");
}

fn look(world: &World, lists: &Lists) {
    refresh_lists(&world.env, &world.permit(), &reader(lists)).expect("the store answers");
}

fn standing(world: &World, list: &str) -> FollowedList {
    world.read(|tx| tx.find_followed(&code(list))).expect("a list that is followed")
}

fn problem(world: &World, list: &str) -> Option<ListProblem> {
    standing(world, list).fault.map(|fault| fault.problem)
}

/// Whether a certificate that EE lists is found, and the sequence that says so.
fn found(world: &World, library: &Library, certificate: &Certificate) -> Option<i64> {
    let shelf = world.env.store.read(|tx| library.shelf(tx)).expect("lists that verify");
    match shelf.standing(certificate, world.now(), |_| true) {
        Answer::Listed(all) => {
            let book = shelf.book(all.first()?.found.place)?;
            assert_eq!(book.citation.list, "eu-ee");
            assert!(book.citation.snapshot.is_some(), "a finding cites its snapshot");
            Some(book.citation.sequence)
        }
        Answer::Unlisted => None,
        Answer::Conflict(_) | Answer::Broken(..) => panic!("a clear answer"),
    }
}

/// Something happens to a list: the problem is recorded and told once, and what was in force stays.
fn troubles(
    world: &World,
    lists: &Lists,
    (list, expected): (&str, ListProblem),
    happens: impl FnOnce(),
) {
    let library = Library::default();
    let before = standing(world, list);
    let sequence = found(world, &library, &lists.listed());
    assert_eq!(before.fault, None, "nothing is wrong before");
    happens();
    let ((), told) = world.told(|| look(world, lists));
    assert_eq!(problem(world, list), Some(expected));
    let troubled = |told: &[Value]| {
        told.iter().filter(|record| record["detail"]["step"] == "troubled").count()
    };
    assert_eq!(troubled(&told), 1, "{told:?}");
    assert_eq!(standing(world, list).snapshot, before.snapshot, "what was in force stays");
    assert_eq!(found(world, &library, &lists.listed()), sequence, "and still counts");
    let object = tenkoku_domain::audit::ObjectRef::new("followed-list", list);
    let kind = tenkoku_domain::notice::NoticeKind::ListTroubled;
    let at = standing(world, list).fault.expect("a fault").since;
    let step = tenkoku_domain::notice::Step::At(at);
    assert!(world.read(|tx| tx.is_told(kind, &object, step)), "a letter is written");
    world.clock.advance_seconds(3600);
    let ((), again) = world.told(|| look(world, lists));
    assert_eq!(troubled(&again), 0, "the same is not told twice");
    assert_eq!(standing(world, list).fault.expect("a fault").since, at, "and began when it did");
}

/// The list is good again, and that is told too.
fn recovers(world: &World, lists: &Lists, list: &str) {
    let ((), told) = world.told(|| look(world, lists));
    assert_eq!(problem(world, list), None);
    assert!(told.iter().any(|record| record["detail"]["step"] == "recovered"), "{told:?}");
}

#[test]
fn a_journal_leads_over_a_pivot_to_a_national_list_and_findings_cite_the_snapshot() {
    World::on_each_database(|world| {
        let lists = believing(world);
        for list in ["eu", "eu-ee"] {
            assert_eq!(standing(world, list).fault, None);
        }
        let library = Library::default();
        assert_eq!(found(world, &library, &lists.listed()), Some(3));
        assert_eq!(found(world, &library, &signer("EE").certificate), None);
        let paths: Vec<_> = lists.web.asked().into_iter().map(|(path, _)| path).collect();
        assert_eq!(paths, ["/lotl.xml", "/pivot-1.xml", "/lotl.sha2", "/ee.xml", "/ee.sha2"]);
        // A second look asks whether anything changed; the pivot is kept for ever.
        world.clock.advance_seconds(3600);
        let ((), told) = world.told(|| look(world, &lists));
        assert_eq!(told, Vec::<Value>::new(), "a look that finds nothing new is no event");
        assert_eq!(lists.web.asked(), [("/lotl.xml".to_owned(), 304), ("/ee.xml".to_owned(), 304)]);
        assert_eq!(standing(world, "eu-ee").confirmed_at, Some(world.now()));
        // A newer list takes its place; the former is kept and cited as before.
        lists.publish_ee(4, |_| {});
        look(world, &lists);
        assert_eq!(found(world, &library, &lists.listed()), Some(4));
        let kept = world.read(|tx| tx.list_snapshots(&code("eu-ee")));
        assert_eq!(kept.iter().map(|head| head.sequence).collect::<Vec<_>>(), [4, 3]);
        for head in kept {
            assert_eq!(world.read(|tx| tx.load_snapshot(&head.id)).head, head);
        }
    });
}

#[test]
fn an_unreachable_list_stays_what_it_was_and_comes_back() {
    World::on_each_database(|world| {
        let lists = believing(world);
        troubles(world, &lists, ("eu-ee", ListProblem::Unreachable), || {
            lists.web.put("/ee.xml", Page::Gone);
        });
        lists.publish_ee(4, |_| {});
        recovers(world, &lists, "eu-ee");
        assert_eq!(found(world, &Library::default(), &lists.listed()), Some(4));
        // The list of lists is gone: the lists that it pointed at are looked at as before.
        troubles(world, &lists, ("eu", ListProblem::Unreachable), || {
            lists.web.put("/lotl.xml", Page::Gone);
        });
        lists.publish_ee(5, |_| {});
        look(world, &lists);
        assert_eq!(found(world, &Library::default(), &lists.listed()), Some(5));
    });
}

#[test]
fn a_stale_list_is_told_and_still_shown() {
    World::on_each_database(|world| {
        let lists = believing(world);
        let soon = NextUpdate::By(at("2026-12-01T00:00:00Z"));
        lists.publish_ee(4, |list| list.scheme.next_update = soon);
        look(world, &lists);
        troubles(world, &lists, ("eu-ee", ListProblem::Stale), || world.clock.advance_days(10));
        lists.publish_ee(5, |_| {});
        recovers(world, &lists, "eu-ee");
        // A list of lists whose time is up vouches for nothing new.
        lists.publish_lotl(3, |list| {
            list.scheme.next_update = NextUpdate::By(at("2026-12-10T00:00:00Z"));
        });
        look(world, &lists);
        troubles(world, &lists, ("eu", ListProblem::Stale), || world.clock.advance_days(10));
    });
}

#[test]
fn a_list_that_was_replaced_or_put_back_is_not_taken() {
    World::on_each_database(|world| {
        let lists = believing(world);
        lists.publish_ee(4, |_| {});
        look(world, &lists);
        let longer = NextUpdate::By(at("2027-05-01T00:00:00Z"));
        troubles(world, &lists, ("eu-ee", ListProblem::Replaced), || {
            lists.publish_ee(4, |list| list.scheme.next_update = longer);
        });
        lists.publish_ee(5, |_| {});
        recovers(world, &lists, "eu-ee");
        troubles(world, &lists, ("eu-ee", ListProblem::Older), || lists.publish_ee(3, |_| {}));
    });
}

#[test]
fn a_list_of_a_signer_who_is_not_announced_is_not_taken() {
    World::on_each_database(|world| {
        let lists = believing(world);
        let mut forged = lists.ee.clone();
        forged.scheme.sequence_number = 9;
        troubles(world, &lists, ("eu-ee", ListProblem::Signer), || {
            lists.web.put("/ee.xml", Page::Document(lists.sign(&signer("EE"), forged)));
        });
        lists.publish_ee(4, |_| {});
        recovers(world, &lists, "eu-ee");
        let damaged = lists.sign(&lists.national, lists.ee.clone());
        let damaged = String::from_utf8(damaged).expect("a list").replace("granted", "GRANTED");
        troubles(world, &lists, ("eu-ee", ListProblem::Refused), || {
            lists.web.put("/ee.xml", Page::Document(damaged.into_bytes()));
        });
    });
}

#[test]
fn a_broken_pivot_ends_the_chain_and_is_not_kept() {
    World::on_each_database(|world| {
        let lists = Lists::issued(at(ISSUE));
        // Somebody else's pivot: its signature holds, and it leads nowhere.
        let stranger = signer("EU");
        let false_pivot = lists.sign(&stranger, lists.lotl(1, [&stranger, &lists.second]));
        lists.web.put("/pivot-1.xml", Page::Document(false_pivot));
        decide(world, lists.trust());
        look(world, &lists);
        assert_eq!(problem(world, "eu"), Some(ListProblem::Journal));
        for (page, expected) in [
            (Page::Gone, ListProblem::Pivot),
            (Page::Document(b"<pivot/>".to_vec()), ListProblem::Pivot),
        ] {
            lists.web.put("/pivot-1.xml", page);
            look(world, &lists);
            assert_eq!(problem(world, "eu"), Some(expected));
        }
        assert_eq!(world.read(|tx| tx.list_followed()).len(), 1, "nothing follows from it");
        assert_eq!(found(world, &Library::default(), &lists.listed()), None);
        lists.web.put("/pivot-1.xml", Page::Document(lists.pivot()));
        recovers(world, &lists, "eu");
        assert_eq!(found(world, &Library::default(), &lists.listed()), Some(3));
    });
}

#[test]
fn a_redirect_inside_and_answers_without_end_are_left() {
    World::on_each_database(|world| {
        let lists = believing(world);
        let inside = lists.web.address("/ee.xml").replace("localhost", "127.0.0.1");
        for (page, expected) in [
            (Page::Redirect(inside), ListProblem::Forbidden),
            (Page::Redirect("http://169.254.169.254/latest".to_owned()), ListProblem::Forbidden),
            (Page::Endless, ListProblem::TooLarge),
            (Page::Drip, ListProblem::TooSlow),
        ] {
            let patience = match page {
                Page::Drip => Duration::from_secs(1),
                Page::Document(_) | Page::Redirect(_) | Page::Endless | Page::Gone => {
                    Duration::from_mins(1)
                }
            };
            troubles(world, &lists, ("eu-ee", expected), || {
                lists.patience.set(patience);
                lists.web.put("/ee.xml", page);
            });
            lists.patience.set(Duration::from_mins(1));
            let sequence = found(world, &Library::default(), &lists.listed()).expect("listed");
            lists.publish_ee(u64::try_from(sequence).expect("a number") + 1, |_| {});
            recovers(world, &lists, "eu-ee");
        }
    });
}

#[test]
fn the_digest_beside_a_list_is_compared_where_there_is_one() {
    World::on_each_database(|world| {
        let lists = believing(world);
        let beside = |text: &[u8]| lists.web.put("/ee.sha2", Page::Document(text.to_vec()));
        let published = |sequence| {
            lists.publish_ee(sequence, |_| {});
            Digest::of(&lists.web.document("/ee.xml").expect("a list"))
        };
        // A page that says that nothing is there is no digest.
        beside(b"<!doctype html><title>404</title>");
        published(4);
        look(world, &lists);
        assert_eq!(problem(world, "eu-ee"), None);
        // The list is signed and counts, whatever lies beside it; but people are told.
        beside(Digest::of(b"something else").to_string().as_bytes());
        let digest = published(5);
        look(world, &lists);
        assert_eq!(problem(world, "eu-ee"), Some(ListProblem::Digest));
        assert_eq!(found(world, &Library::default(), &lists.listed()), Some(5));
        for written in [digest.to_string().as_bytes(), &digest.0] {
            beside(written);
            look(world, &lists);
            assert_eq!(problem(world, "eu-ee"), None);
        }
    });
}

#[test]
fn a_newer_journal_waits_for_a_person() {
    World::on_each_database(|world| {
        let lists = believing(world);
        troubles(world, &lists, ("eu", ListProblem::NewJournal), || {
            lists.name_newer_journal(3);
        });
        let detail = standing(world, "eu").fault.expect("a fault").detail;
        assert!(detail.contains(NEWER_JOURNAL), "the address is shown: {detail}");
        let act = ProposedAct::TakeAnchors {
            code: code("eu"),
            trust: journal(NEWER_JOURNAL, &[&lists.second]),
        };
        decide(world, act);
        recovers(world, &lists, "eu");
        assert_eq!(world.read(|tx| tx.list_snapshots(&code("eu"))).len(), 2);
    });
}

#[test]
fn what_is_pointed_at_no_more_or_believed_no_more_does_not_count() {
    World::on_each_database(|world| {
        let lists = believing(world);
        let library = Library::default();
        lists.publish_lotl(3, |list| {
            list.scheme.pointers.truncate(1);
        });
        look(world, &lists);
        assert!(standing(world, "eu-ee").dropped_at.is_some());
        assert_eq!(found(world, &library, &lists.listed()), None);
        lists.publish_lotl(4, |_| {});
        look(world, &lists);
        assert_eq!(found(world, &library, &lists.listed()), Some(3));
        let end = ProposedAct::EndList { code: code("eu") };
        decide(world, end.clone());
        assert_eq!(found(world, &library, &lists.listed()), None);
        assert_eq!(world.read(|tx| tx.list_snapshots(&code("eu-ee"))).len(), 1, "kept");
        let again = propose(&world.env, &world.permit(), end, "twice");
        assert!(matches!(again, Err(ProposalError::Refused(_))), "{again:?}");
        let taken = propose(&world.env, &world.permit(), lists.trust(), "again");
        assert!(matches!(taken, Err(ProposalError::Refused(_))), "a code is used once: {taken:?}");
    });
}

/// The present, as the machine's clock has it: when the configuration was written.
pub(crate) fn present(installation: &Installation) -> Timestamp {
    let written = fs::metadata(installation.path().join("tenkoku.toml")).expect("a file");
    let since = written.modified().expect("a time").duration_since(UNIX_EPOCH).expect("after 1970");
    Timestamp::from_seconds(i64::try_from(since.as_secs()).expect("an instant"))
}

/// A certificate in a file of the installation's folder; its path.
fn pem_file(installation: &Installation, name: &str, der: &[u8]) -> String {
    let file = installation.path().join(name);
    fs::write(&file, tenkoku_pki::pem::encode("CERTIFICATE", der)).expect("a file");
    file.display().to_string()
}

#[test]
fn the_program_follows_lists_and_is_ready_only_with_anchors() {
    let installation = Installation::evaluation();
    let lists = Lists::followed_by(&installation);
    let anchor = pem_file(&installation, "anchor.pem", lists.first.certificate.der());
    let ready = || {
        let reply = get(&format!("{}/readyz", installation.operations()));
        serde_json::from_slice::<Value>(&reply.body).expect("JSON")
    };
    let server = installation.serve();
    let said = ready();
    assert_eq!(said["ready"], false, "{said}");
    assert_eq!(said["checks"]["anchors"]["ok"], false, "{said}");
    server.kill();
    let address = lists.web.address("/lotl.xml");
    let add =
        ["trustlist", "source", "add", "eu", &address, "--journal", JOURNAL, "--anchor", &anchor];
    installation.tenkoku(add.into_iter().chain(["--reason", "compared"])).success();
    let looked = installation.json(["trustlist", "refresh"]);
    assert_eq!(looked["counts"]["taken"], 2, "{looked}");
    let listed = installation.json(["trustlist", "source", "list"]);
    assert_eq!(listed["lists"][1]["code"], "eu-ee", "{listed}");
    assert_eq!(listed["lists"][1]["problem"], Value::Null);
    let kept = installation.json(["trustlist", "snapshots", "eu-ee"]);
    assert_eq!(kept["snapshots"][0]["sequence"], 3, "{kept}");
    // Any address can be looked at, within the same limits.
    let ee = lists.web.address("/ee.xml");
    let shown = installation.json(["trustlist", "show", &ee]);
    assert_eq!(shown["territory"], "EE");
    let same = installation.tenkoku(["trustlist", "diff", &ee, &ee]);
    assert!(same.success().starts_with("Both lists say the same"), "{}", same.stdout);
    let inside = installation.tenkoku(["trustlist", "show", "http://127.0.0.1:1/tl.xml"]);
    inside.exited(1);
    assert!(inside.said().contains("not public"), "{}", inside.said());
    let _server = installation.serve();
    let said = ready();
    assert_eq!(said["checks"]["list of others eu"]["ok"], true, "{said}");
    let page = get(&format!("{}/lists", installation.public())).text();
    assert!(page.contains("/lists/eu-ee"), "{page}");
    for path in [
        "/lists/eu",
        "/lists/eu-ee",
        "/lists/eu-ee/3.json",
        "/lists/eu-ee/3/providers/1",
        "/lists/eu-ee/3/providers/1/services/2?on=2026-10-15",
        "/lists/search?q=Example",
    ] {
        let reply = get(&format!("{}{path}", installation.public()));
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
    }
}
