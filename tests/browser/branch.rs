//! Branches with seals: made as their custodians make them, and asked about as strangers ask.

use std::fs;
use std::path::Path;

use tenkoku_testkit::servers::{Installation, get};
use tenkoku_testkit::tools::openssl;

/// The bank of the sample.
pub(crate) const BANK: &str = "8000000990001";

/// The certificate of a branch's seal.
#[derive(Debug)]
pub(crate) struct Seal {
    /// The code of the branch.
    pub(crate) branch: &'static str,
    /// The serial number, as the console shows it in addresses.
    pub(crate) serial: String,
    /// The application that it came from.
    pub(crate) application: String,
    file: String,
}

/// A branch of the bank makes a key and gets a certificate of level 1 for it.
pub(crate) fn carve_seal(installation: &Installation, branch: &'static str) -> Seal {
    let path = |kind: &str| at(installation.path(), &format!("{branch}.{kind}"));
    let (key, file) = (path("key"), path("pem"));
    let for_branch = ["apply", "--org", BANK, "--branch", branch, "--level", "1", "--key", &key];
    let applied = installation.json(for_branch);
    let application = applied["id"].as_str().expect("the application's id");
    let issued = installation.json(["issue", application, "--out", &file]);
    let serial = issued["serial"].as_str().expect("a serial number").to_owned();
    Seal { branch, serial, application: application.to_owned(), file }
}

impl Seal {
    /// The responder says `status`, and its signature holds.
    #[track_caller]
    pub(crate) fn is_answered_as(&self, installation: &Installation, status: &str) {
        let certificate = |code: &str| at(installation.path(), &format!("certificates/{code}.pem"));
        let (root, issuer) = (certificate("root-g1"), certificate("seal-l1-g1"));
        let address = format!("{}/ocsp/seal-l1-g1", installation.public());
        let answer = openssl([
            "ocsp", "-CAfile", &root, "-issuer", &issuer, "-cert", &self.file, "-url", &address,
        ]);
        assert!(answer.success().contains(&format!(": {status}")), "{}", answer.said());
        assert!(answer.said().contains("Response verify OK"), "{}", answer.said());
    }

    /// The revocation list names it.
    #[track_caller]
    pub(crate) fn is_listed_as_revoked(&self, installation: &Installation) {
        let list = get(&format!("{}/crl/seal-l1-g1.crl", installation.public()));
        let file = at(installation.path(), "seal-l1-g1.crl");
        fs::write(&file, list.body).expect("a file for the list");
        let listed = openssl(["crl", "-inform", "DER", "-noout", "-text", "-in", &file]);
        assert!(listed.success().contains(&self.serial), "{}", listed.said());
    }
}

/// An organisation and branches whose names are as bad as names may be: markup, attributes, very
/// long words, rare characters, text from right to left.
pub(crate) fn import_hostile_names(installation: &Installation) {
    for (noun, file) in [("org", "organisations.csv"), ("branch", "branches.csv")] {
        let file = tenkoku_testkit::tools::data("hostile-names").join(file);
        installation.tenkoku([noun, "import", &file.to_string_lossy()]).success();
    }
}

fn at(folder: &Path, name: &str) -> String {
    folder.join(name).to_string_lossy().into_owned()
}
