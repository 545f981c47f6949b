//! Stories of delivery: the addresses of the own lists are fetched as anybody fetches them, and what
//! is not the list in force is told.

use serde_json::Value;
use tenkoku_domain::trusted_list::delivery::{Delivery, DeliveryProblem};
use tenkoku_domain::trusted_list::draft::{ListEdit, ListPart};
use tenkoku_domain::trusted_list::{PublishedList, SchemeCode};
use tenkoku_fetch::{Allowed, Limits, Web, WebSettings};
use tenkoku_publisher::draft::{
    Beginning, DraftVerdict, decide_draft, edit_draft, open_draft, submit_draft,
};
use tenkoku_publisher::publish::publish_list;
use tenkoku_reader::delivery::{Which, check_deliveries};
use tenkoku_testkit::servers::Installation;
use tenkoku_testkit::web_server::{Page, WebServer};
use tenkoku_testkit::world::World;

/// The mirror of a list, and the digest beside it.
const MIRROR: &str = "/jp-2021.xml";
const BESIDE: &str = "/jp-2021.sha2";

fn web(mirror: &WebServer) -> Web {
    Web::new(WebSettings {
        allowed: Allowed::hosts(["localhost"]),
        roots: Some(vec![mirror.root().to_vec()]),
        user_agent: "tests".to_owned(),
        limits: Limits { octets: 1 << 20, time: std::time::Duration::from_mins(1), redirects: 3 },
    })
}

fn live(world: &World) -> PublishedList {
    world.read(|tx| tx.latest_list("jp-2021")).expect("a list")
}

/// Lets the list name the mirror.
fn name_mirror(world: &World, mirror: &WebServer) -> PublishedList {
    let scheme = SchemeCode::parse("jp-2021").expect("a code");
    let draft = open_draft(&world.env, &world.permit(), &scheme, &Beginning::Live);
    let draft = draft.expect("a draft");
    let own = "http://seal.example.jp/tl/jp-2021.xml";
    let points = format!("{own}\n{}", mirror.address(MIRROR));
    let fields = [("distribution-points".to_owned(), points)].into();
    let change = ListEdit::Change { part: ListPart::Scheme, fields };
    let draft = edit_draft(&world.env, &world.permit(), &draft.id, &draft.content, &change);
    let draft = draft.expect("a change");
    let draft = submit_draft(&world.env, &world.permit(), &draft.id, &draft.content);
    let draft = draft.expect("put forward");
    let verdict = tenkoku_domain::policy::draft::Verdict::Approved;
    let order =
        DraftVerdict { draft: draft.id, shown: draft.content, verdict, reason: String::new() };
    let decided = decide_draft(&world.env, &world.permit(), &order).expect("agreed to");
    decided.published.expect("published")
}

fn upload(mirror: &WebServer, list: &PublishedList) {
    mirror.put(MIRROR, Page::Document(list.xml.clone()));
    mirror.put(BESIDE, Page::Document(list.digest.to_string().into_bytes()));
}

fn found(world: &World, address: &str) -> Delivery {
    let all = world.read(|tx| tx.list_deliveries("jp-2021"));
    all.into_iter().find(|one| one.address == address).expect("an address that was looked at")
}

fn problem(world: &World, mirror: &WebServer, path: &str) -> Option<DeliveryProblem> {
    found(world, &mirror.address(path)).fault.map(|fault| fault.problem)
}

#[test]
fn an_address_that_does_not_serve_the_list_in_force_is_told() {
    World::on_each_database(|world| {
        let mirror = WebServer::start();
        let web = web(&mirror);
        let look = || check_deliveries(&world.env, &world.permit(), &web, Which::Due);
        let before = live(world);
        let named = name_mirror(world, &mirror);
        upload(&mirror, &named);
        // The own address of this world leads nowhere: list, digest and JSON.
        assert_eq!(look().expect("the store answers"), (5, 3));
        let own = found(world, "http://seal.example.jp/tl/jp-2021.xml");
        let fault = own.fault.expect("a fault").problem;
        assert_eq!((fault, own.served_at), (DeliveryProblem::Unreachable, None));
        let there = found(world, &mirror.address(MIRROR));
        assert_eq!((there.sequence, there.served_at), (Some(2), Some(world.now())));
        assert!(there.etag.is_some() && there.fault.is_none(), "{there:?}");
        assert_eq!(problem(world, &mirror, BESIDE), None);
        // What is good is left alone for an hour, what is not for ten minutes.
        assert_eq!(look().expect("the store answers"), (0, 0));
        world.clock.advance_seconds(600);
        assert_eq!(look().expect("the store answers"), (3, 3));
        // A new sequence is looked for at once; the mirror still has the former one.
        let good = found(world, &mirror.address(MIRROR)).served_at;
        let next = publish_list(&world.env, &world.permit()).expect("a list");
        assert_eq!(look().expect("the store answers"), (5, 5));
        let there = found(world, &mirror.address(MIRROR));
        assert_eq!((there.live, there.sequence, there.served_at), (3, Some(2), good));
        for path in [MIRROR, BESIDE] {
            assert_eq!(problem(world, &mirror, path), Some(DeliveryProblem::Former), "{path}");
        }
        let all = || check_deliveries(&world.env, &world.permit(), &web, Which::All);
        upload(&mirror, &before);
        all().expect("the store answers");
        assert_eq!(problem(world, &mirror, MIRROR), Some(DeliveryProblem::Other));
        assert_eq!(found(world, &mirror.address(MIRROR)).sequence, Some(1), "it is a list of ours");
        mirror.put(MIRROR, Page::Document(b"<html>".to_vec()));
        all().expect("the store answers");
        assert_eq!(found(world, &mirror.address(MIRROR)).sequence, None);
        upload(&mirror, &next);
        all().expect("the store answers");
        assert_eq!([MIRROR, BESIDE].map(|path| problem(world, &mirror, path)), [None, None]);
    });
}

#[test]
fn the_program_s_own_addresses_serve_the_list_in_force() {
    let installation = Installation::evaluation();
    let _server = installation.serve();
    installation.json(["trustlist", "publish"]);
    let told = installation.json(["trustlist", "delivery"]);
    let rows = told["addresses"].as_array().expect("addresses");
    assert!(rows.len() >= 3, "{told}");
    let own = rows.iter().filter(|row| {
        row["address"].as_str().is_some_and(|address| address.starts_with(&installation.public()))
    });
    for row in own {
        assert_eq!((&row["problem"], &row["sequence"]), (&Value::Null, &row["live"]), "{row}");
        assert!(row["etag"].as_str().is_some_and(|tag| tag.starts_with('"')), "{row}");
    }
}
