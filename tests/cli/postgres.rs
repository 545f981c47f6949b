//! The same on PostgreSQL: set up, issue, serve, revoke, ask.

use tenkoku_testkit::postgres::Database;
use tenkoku_testkit::servers::{Installation, get};
use tenkoku_testkit::tools::openssl;

use super::{P256, issue, make_request, populate, records, word};

#[test]
fn an_installation_on_postgresql_does_the_main_job() {
    let database = Database::create();
    let installation = populate(Installation::empty_on(&database.url()).set_up());
    assert!(!installation.path().join("tenkoku.db").exists());
    let request = make_request(installation.path(), "branch", &P256);
    let certificate = issue(&installation, "BR-0001", "2", &request);
    let server = installation.serve();
    let status = || {
        let issuer = installation.path().join("certificates/seal-l2-g1.pem");
        let root = installation.path().join("certificates/root-g1.pem");
        let address = format!("{}/ocsp/seal-l2-g1", installation.public());
        let about = ["-issuer", word(&issuer), "-cert", word(&certificate), "-url", &address];
        let trust = ["-CAfile", word(&root), "-verify_other", word(&issuer)];
        let outcome = openssl(["ocsp"].iter().chain(&about).chain(&trust));
        outcome.success().to_owned()
    };
    assert!(status().contains(": good"));
    let words = ["revoke", word(&certificate), "--reason", "replaced", "--yes"];
    installation.tenkoku(words).success();
    assert!(status().contains(": revoked"));
    assert_eq!(get(&format!("{}/tl/jp-2021.xml", installation.public())).status, 200);
    // A running server goes on recording: it sends the letter about the revocation.
    assert_eq!(server.terminate(), Some(0));
    let before = records(&installation);
    installation.tenkoku(["init", "--evaluation"]).success();
    assert_eq!(records(&installation), before, "a second init changes nothing");
}
