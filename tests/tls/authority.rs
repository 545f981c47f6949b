//! A certification authority of `openssl`, for the console's own certificate and for people's.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use tempfile::TempDir;
use tenkoku_testkit::tools::openssl;

use crate::cli::{P256, word};

/// The authority; its files are gone when it is dropped.
pub(super) struct TestAuthority {
    folder: TempDir,
    name: &'static str,
}

/// What is certified: the file's name, the extensions, and the days of validity, counted from today
/// or, when they are negative, up to so many days ago.
pub(super) struct Leaf<'a> {
    pub(super) name: &'a str,
    pub(super) extensions: &'a str,
    pub(super) days: i32,
}

/// Extensions of the console's certificate.
pub(super) const CONSOLE: &str = "subjectAltName=DNS:localhost,IP:127.0.0.1\n";
/// Extensions of a person's certificate.
pub(super) const PERSON: &str = "keyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth\n";

impl TestAuthority {
    pub(super) fn new(name: &'static str) -> Self {
        let authority = Self { folder: TempDir::new().expect("a folder"), name };
        let [key, pem] = ["ca.key", "ca.pem"].map(|file| authority.path(file));
        openssl(["genpkey", "-quiet", "-out", word(&key)].iter().chain(&P256)).success();
        let subject = format!("/CN={name}");
        let usage = "keyUsage=critical,keyCertSign,cRLSign";
        let words = ["req", "-x509", "-new", "-key", word(&key), "-subj", &subject, "-days", "30"];
        openssl(words.iter().chain(&["-addext", usage, "-out", word(&pem)])).success();
        fs::write(authority.path("index"), "").expect("the index");
        fs::write(authority.path("crlnumber"), "01\n").expect("the number");
        let settings = format!(
            "[ca]\ndefault_ca=own\n[own]\ndatabase={}\ncrlnumber={}\nnew_certs_dir={}\n\
             default_md=sha256\npolicy=any\nunique_subject=no\nrand_serial=yes\n\
             default_crl_days=7\n[any]\ncommonName=supplied\n",
            authority.path("index").display(),
            authority.path("crlnumber").display(),
            authority.folder.path().display(),
        );
        fs::write(authority.path("ca.cnf"), settings).expect("the settings");
        authority
    }

    pub(super) fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    fn ca(&self, more: &[&str]) {
        let [settings, key, pem] = ["ca.cnf", "ca.key", "ca.pem"].map(|file| self.path(file));
        let words = [
            "ca",
            "-batch",
            "-config",
            word(&settings),
            "-keyfile",
            word(&key),
            "-cert",
            word(&pem),
        ];
        openssl(words.iter().chain(more)).success();
    }

    /// Certifies a new key: `NAME.pem` with the authority's certificate behind it, and `NAME.key`.
    pub(super) fn certify(&self, leaf: &Leaf<'_>) -> [PathBuf; 2] {
        let Leaf { name, extensions, days } = leaf;
        let [key, csr, pem, more] =
            ["key", "csr", "pem", "ext"].map(|kind| self.path(&format!("{name}.{kind}")));
        openssl(["genpkey", "-quiet", "-out", word(&key)].iter().chain(&P256)).success();
        fs::set_permissions(&key, Permissions::from_mode(0o600)).expect("its mode");
        let subject = format!("/CN={name} of {}", self.name);
        let request = ["req", "-new", "-key", word(&key), "-subj", &subject, "-out", word(&csr)];
        openssl(request).success();
        fs::write(&more, extensions).expect("the extensions");
        let days = days.to_string();
        let signed = ["-notext", "-in", word(&csr), "-out", word(&pem), "-extfile", word(&more)];
        let dates: &[&str] = if days.starts_with('-') {
            &["-startdate", "20240101000000Z", "-enddate", "20240201000000Z"]
        } else {
            &["-days", &days]
        };
        self.ca(&[&signed[..], dates].concat());
        let own = fs::read_to_string(&pem).expect("the certificate");
        let issuer = fs::read_to_string(self.path("ca.pem")).expect("the authority's");
        fs::write(&pem, own + &issuer).expect("the chain");
        fs::set_permissions(&pem, Permissions::from_mode(0o600)).expect("its mode");
        [pem, key]
    }

    /// Revokes what was certified.
    pub(super) fn revoke(&self, name: &str) {
        self.ca(&["-revoke", word(&self.path(&format!("{name}.pem")))]);
    }

    /// The list of what was revoked.
    pub(super) fn list(&self) -> PathBuf {
        let list = self.path("ca.crl");
        self.ca(&["-gencrl", "-out", word(&list)]);
        list
    }
}
