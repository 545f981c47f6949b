//! What must hold whenever a story ends, whatever it did.

use std::collections::BTreeMap;

use serde_json::Value;
use tenkoku_domain::access::Scope;
use tenkoku_domain::certificate::Certificate;
use tenkoku_domain::id::CertificateId;

use crate::world::World;

impl World {
    /// Checks the invariants of DOMAIN and of the issuing order, after the waiting jobs were done.
    pub fn check_invariants(&self) {
        self.run_jobs();
        assert_eq!(self.read(|tx| tx.count_jobs()), 0, "no job is left over");
        assert_eq!(self.read(|tx| tx.list_pending()), [], "nothing is left half issued");
        self.walk().expect("the audit chain holds");
        let told = self.told_after(0);
        self.check_certificates(&told);
        check_crl_numbers(&told);
    }

    /// Every certificate says what was recorded before it was signed, and no serial number is used
    /// twice, lost ones included.
    fn check_certificates(&self, told: &[Value]) {
        let mut serials = BTreeMap::new();
        for record in of(told, &["cert.issued", "cert.not-accepted"]) {
            let id = record["object"]["id"].as_str().expect("an object");
            let id = CertificateId::parse(id).expect("a certificate");
            let certificate = self.read(|tx| tx.load_certificate(&Scope::Platform, &id));
            assert_signed_as_recorded(&certificate);
            let identity = (certificate.authority, certificate.serial);
            // A certificate that was issued and not acknowledged is told of twice.
            let before = serials.insert(identity, id.clone());
            let unused = before.is_none_or(|known| known == id);
            assert!(unused, "the serial number of {id} was used before");
        }
    }
}

fn assert_signed_as_recorded(certificate: &Certificate) {
    assert!(!certificate.tbs.is_empty(), "{}: nothing was recorded before", certificate.id);
    if let Some(der) = &certificate.der {
        let signed = tenkoku_pki::cert::Certificate::parse(der).expect("a certificate");
        assert_eq!(signed.tbs(), certificate.tbs, "{}: signed as recorded", certificate.id);
        assert_eq!(signed.serial().as_ref(), Ok(&certificate.serial));
        assert_eq!(signed.validity(), certificate.validity);
    }
}

/// The numbers of an authority's CRLs rise without exception, in the order they were issued.
fn check_crl_numbers(told: &[Value]) {
    let mut last = BTreeMap::new();
    for record in of(told, &["crl.issued"]) {
        let authority = record["object"]["id"].as_str().expect("an authority");
        // A delta has the number of the list that was issued with it.
        let kind = record["detail"]["list"].as_str().unwrap_or("full");
        let number = record["detail"]["number"].as_i64().expect("a number");
        let before = last.insert((authority, kind == "delta"), number);
        assert!(before.is_none_or(|before| before < number), "CRL {number} of {authority}");
    }
}

/// The records of acts that were done, of some codes.
fn of<'a>(told: &'a [Value], codes: &'a [&str]) -> impl Iterator<Item = &'a Value> {
    told.iter().filter(move |record| {
        record["outcome"] == "ok" && codes.iter().any(|code| record["code"] == *code)
    })
}
