//! Stories of a clock that is off (DOMAIN KM-20, 22 scenario 8): nothing is issued, everything
//! that relying parties ask for goes on.

use tenkoku_ca::clock::compare_clock;
use tenkoku_domain::clock::ClockCheck;
use tenkoku_domain::key::KeyAlgorithm;
use tenkoku_domain::level::Level;
use tenkoku_domain::policy::Installation;
use tenkoku_domain::refusal::RefusalCode;
use tenkoku_domain::revocation::Cause;
use tenkoku_pki::ocsp::AnswerStatus;
use tenkoku_testkit::fixtures::ApplicantKey;
use tenkoku_testkit::servers;
use tenkoku_testkit::time_server::TimeServer;
use tenkoku_testkit::world::World;

use crate::support::{check_refused, refusal};

fn p256() -> ApplicantKey {
    ApplicantKey::make(KeyAlgorithm::P256)
}

fn compare(world: &World, offset_millis: i64) {
    let check = ClockCheck { source: "time.example".to_owned(), offset_millis, at: world.now() };
    // Whether it is trusted is seen by what is issued.
    let _ = compare_clock(&world.env, &world.permit(), &check).expect("the store answers");
}

#[test]
fn scenario_8_a_clock_that_drifts_stops_issuance_and_nothing_else() {
    World::on_each_database_of(Installation::Production, |world| {
        let osaka = world.osaka();
        compare(world, 0);
        let sealed = world.seal(&osaka, Level::One);
        let waiting = world.apply(&osaka, Level::One, &p256()).expect("an application");
        let ((), told) = world.told(|| compare(world, 2000));
        assert_eq!(told[0]["code"], "sys.clock-offset");
        assert_eq!(told[0]["detail"]["offset_ms"], 2000);
        let untrusted = (RefusalCode::ClockUntrusted, "KM-20");
        check_refused(world, || world.issue(&waiting), untrusted, "cert.issued");
        assert_eq!(world.status(&sealed), AnswerStatus::Good);
        world.revoke(&sealed, Cause::Replaced).expect("revocation goes on");
        assert!(matches!(world.status(&sealed), AnswerStatus::Revoked { .. }));
        let authority = world.read(|tx| tx.load_authority(&sealed.authority));
        assert_eq!(world.crl(authority.code.as_str()).entries().count(), 1);
        let ((), told) = world.told(|| compare(world, -3));
        assert_eq!(told[0]["outcome"], "ok");
        world.issue(&waiting).expect("the clock is right again");
        world.run_jobs();
    });
}

#[test]
fn km_20_a_clock_that_nobody_compared_for_a_day_issues_nothing() {
    World::on_each_database_of(Installation::Production, |world| {
        compare(world, 0);
        let waiting = world.apply(&world.osaka(), Level::One, &p256()).expect("an application");
        world.clock.advance_seconds(86_401);
        assert_eq!(refusal(world.issue(&waiting)).facts["problem"], "old");
    });
}

#[test]
fn km_20_the_program_asks_a_real_time_server() {
    let time = TimeServer::start();
    let installation = servers::Installation::evaluation();
    let servers = time.name();
    let doctor = || {
        let mut command = installation.command(["doctor", "--format", "json"]);
        command.env("TENKOKU_CLOCK_SERVERS", &servers);
        tenkoku_testkit::tools::run(&mut command)
    };
    let clock = |printed: &str| {
        let printed: serde_json::Value = serde_json::from_str(printed).expect("JSON");
        let all = printed["checks"].as_array().expect("checks").clone();
        all.into_iter().find(|one| one["name"] == "clock").expect("the clock")["ok"].clone()
    };
    assert_eq!(clock(&doctor().stdout), true);
    time.drift(2000);
    assert_eq!(clock(&doctor().stdout), false);
    time.drift(-900);
    assert_eq!(clock(&doctor().stdout), true);
}
