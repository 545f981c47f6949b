//! Stories of the comparison of what is recorded, answered and listed.

use tenkoku_domain::audit::AuditCode;
use tenkoku_domain::level::Level;
use tenkoku_domain::revocation::Cause;
use tenkoku_domain::suspension::HoldCause;
use tenkoku_responder::consistency::{Compared, compare_status};
use tenkoku_responder::crl::current_crl;
use tenkoku_testkit::world::{World, authority_code};

use crate::suspension::suspend;

const CODE: &str = "seal-l1-g1";

fn compare(world: &World) -> Compared {
    compare_status(&world.env, &world.permit(), &world.responder).expect("a comparison")
}

/// What was recorded about differences: the service and how many.
fn recorded(world: &World) -> Vec<(String, i64)> {
    let all = world.records_after(0).into_iter().filter_map(|record| {
        let read: serde_json::Value = serde_json::from_str(&record.record).expect("JSON");
        let is_it = read["code"] == AuditCode::StatusInconsistent.word();
        is_it.then(|| {
            assert_eq!(read["outcome"], "failed");
            let service = read["detail"]["service"].as_str().expect("a service").to_owned();
            (service, read["detail"]["differing"].as_i64().expect("a number"))
        })
    });
    all.collect()
}

#[test]
fn services_that_agree_leave_no_record() {
    World::on_each_database(|world| {
        let branch = world.osaka();
        let seals: Vec<_> = (0..4).map(|_| world.seal(&branch, Level::One)).collect();
        world.revoke(&seals[0], Cause::KeyExposed).expect("a revocation");
        suspend(world, &seals[1], HoldCause::UnclearFacts).expect("a hold");
        current_crl(&world.env, &authority_code(CODE)).expect("a list");
        // Revoked, but not in a list yet: it may lag behind for an hour.
        world.revoke(&seals[2], Cause::Replaced).expect("a revocation");
        world.clock.advance_seconds(3_599);
        let compared = compare(world);
        assert!(compared.certificates >= 8, "{compared:?}");
        assert_eq!(compared.differing, 0);
        assert_eq!(recorded(world), []);
        // After that hour it is late.
        world.clock.advance_seconds(1);
        assert_eq!(compare(world).differing, 1);
        assert_eq!(recorded(world), [("crl".to_owned(), 1)]);
        current_crl(&world.env, &authority_code(CODE)).expect("a list");
        assert_eq!(compare(world).differing, 0);
    });
}

#[test]
fn a_service_that_disagrees_with_the_record_is_recorded() {
    World::on_each_database(|world| {
        let branch = world.osaka();
        let seals: Vec<_> = (0..3).map(|_| world.seal(&branch, Level::One)).collect();
        world.revoke(&seals[0], Cause::KeyExposed).expect("a revocation");
        current_crl(&world.env, &authority_code(CODE)).expect("a list");
        assert_eq!(compare(world).differing, 0);
        // Somebody with the database's password makes a revoked certificate active again: the
        // answers and the list still tell the truth.
        world.tamper(&format!(
            "UPDATE certificates SET state = 'active', cause = NULL, revoked_at = NULL \
             WHERE serial = '{}'",
            seals[0].serial
        ));
        assert_eq!(compare(world).differing, 2);
        // And takes one away altogether.
        world.tamper(&format!("DELETE FROM certificates WHERE serial = '{}'", seals[1].serial));
        assert_eq!(compare(world).differing, 3);
        let told = |service: &str, count| (service.to_owned(), count);
        let expected = [told("ocsp", 1), told("crl", 1), told("ocsp", 2), told("crl", 1)];
        assert_eq!(recorded(world), expected);
    });
}
