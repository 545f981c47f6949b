//! Rules on the fields of the body outside the subject and the extensions.

use tenkoku_domain::certificate::{Profile, Validity};
use tenkoku_domain::key::KeyAlgorithm;
use tenkoku_domain::time::Timestamp;

use x509_cert::der::{Decode as _, Encode as _};

use super::{Case, Rule, demand};
use crate::asn1::tag;
use crate::key::PublicKey;
use crate::profile::{Content, max_days};

/// The first second of 2050.
const YEAR_2050: Timestamp = Timestamp::from_seconds(2_524_608_000);
const DAY_SECONDS: i64 = 86_400;

/// The rules of this page.
pub(super) fn rules<'a>() -> Vec<Rule<Case<'a>>> {
    vec![
        Rule { name: "other-reader", clause: "DOMAIN 12.8", check: other_reader },
        Rule { name: "version", clause: "RFC 5280, 4.1.2.1", check: version },
        Rule { name: "serial-form", clause: "DOMAIN I-4", check: serial_form },
        Rule { name: "serial-ordered", clause: "DOMAIN I-9", check: serial_ordered },
        Rule { name: "algorithms-equal", clause: "RFC 5280, 4.1.1.2", check: algorithms_equal },
        Rule { name: "throwaway-signature", clause: "DOMAIN 12.8", check: throwaway_signature },
        Rule { name: "issuer-name", clause: "RFC 5280, 4.1.2.4", check: issuer_name },
        Rule { name: "validity-form", clause: "RFC 5280, 4.1.2.5", check: validity_form },
        Rule { name: "validity-ordered", clause: "DOMAIN I-9", check: validity_ordered },
        Rule { name: "validity-length", clause: "DOMAIN 12.1", check: validity_length },
        Rule { name: "validity-issuer", clause: "DOMAIN I-8", check: validity_issuer },
        Rule { name: "key-ordered", clause: "DOMAIN I-9", check: key_ordered },
        Rule { name: "key-type", clause: "DOMAIN 12.3", check: key_type },
        Rule { name: "key-own", clause: "DOMAIN I-2", check: key_own },
    ]
}

/// Another implementation reads the certificate and writes the same octets back.
fn other_reader(case: &Case<'_>) -> Result<(), String> {
    let other = x509_cert::Certificate::from_der(case.certificate.der());
    let again = other.and_then(|certificate| certificate.to_der()).map_err(|e| e.to_string())?;
    demand(again == case.certificate.der(), "another reader writes the certificate differently")
}

fn version(case: &Case<'_>) -> Result<(), String> {
    demand(case.certificate.version() == [2], "the version is not 3")
}

/// Positive, at least 64 bits, at most 20 octets.
fn serial_form(case: &Case<'_>) -> Result<(), String> {
    let serial = case.certificate.serial().map_err(|e| e.to_string())?;
    demand(serial.octets().len() >= 8, format!("{serial} has fewer than 64 bits"))
}

fn serial_ordered(case: &Case<'_>) -> Result<(), String> {
    let serial = case.certificate.serial().ok();
    demand(serial.as_ref() == Some(&case.order.serial), "the serial number is not the ordered one")
}

/// Inner and outer identifier are equal and are those of the issuer's key.
fn algorithms_equal(case: &Case<'_>) -> Result<(), String> {
    let demanded = case.order.signature_algorithm().identifier();
    let found = case.certificate.algorithms();
    demand(
        found.iter().all(|identifier| *identifier == demanded),
        "an algorithm identifier is not that of the issuer's key",
    )
}

/// The throw-away key is of the issuer's type, is not the issuer's, and its signature verifies over
/// the octets that were read back.
fn throwaway_signature(case: &Case<'_>) -> Result<(), String> {
    let key = PublicKey::parse(&case.throwaway.spki).map_err(|e| e.to_string())?;
    let issuer = &case.order.issuer.key;
    demand(key.algorithm() == issuer.algorithm(), "the throw-away key is of another type")?;
    let foreign = [issuer, &case.order.key].iter().all(|k| k.fingerprint() != key.fingerprint());
    demand(foreign, "the throw-away key is a key of the platform")?;
    let (body, signature) = (case.certificate.tbs(), case.certificate.signature());
    key.verify(case.order.signature_algorithm(), body, signature).map_err(|e| e.to_string())
}

fn issuer_name(case: &Case<'_>) -> Result<(), String> {
    demand(
        *case.certificate.issuer() == case.order.issuer.name,
        "the issuer's name differs from the subject of its certificate",
    )
}

/// UTCTime through 2049, GeneralizedTime after. Whole seconds are a matter of the reader.
fn validity_form(case: &Case<'_>) -> Result<(), String> {
    let Validity { not_before, not_after } = case.certificate.validity();
    for (at, found) in [not_before, not_after].into_iter().zip(case.certificate.validity_tags()) {
        date_form(at, found)?;
    }
    Ok(())
}

/// Whether the type of a date is that of RFC 5280, 4.1.2.5.
pub(crate) fn date_form(at: Timestamp, found: Option<u8>) -> Result<(), String> {
    let demanded = if at < YEAR_2050 { tag::UTC_TIME } else { tag::GENERALIZED_TIME };
    demand(found == Some(demanded), format!("{at} is written with the wrong type"))
}

fn validity_ordered(case: &Case<'_>) -> Result<(), String> {
    demand(
        case.certificate.validity() == case.order.validity,
        "the validity is not the ordered one",
    )
}

/// Both ends count: notAfter = notBefore + days − 1 second, within the profile's maximum.
fn validity_length(case: &Case<'_>) -> Result<(), String> {
    let Validity { not_before, not_after } = case.certificate.validity();
    let seconds = not_after.seconds() - not_before.seconds() + 1;
    let limit = max_days(case.order.content.profile()) * DAY_SECONDS;
    demand(
        (1..=limit).contains(&seconds),
        format!("{seconds} seconds are not within 1 and {limit}"),
    )
}

/// Inside the issuer's validity; a cross certificate also inside that of the certified root.
fn validity_issuer(case: &Case<'_>) -> Result<(), String> {
    let found = case.certificate.validity();
    let within = |outer: &Validity| {
        outer.not_before <= found.not_before && found.not_after <= outer.not_after
    };
    demand(within(&case.order.issuer.validity), "the validity is not within that of the issuer")?;
    match &case.order.content {
        Content::Cross { own, .. } => {
            demand(within(own), "the validity is not within that of the certified root")
        }
        Content::Root
        | Content::Policy { .. }
        | Content::Issuing { .. }
        | Content::Dedicated { .. }
        | Content::ServiceAuthority { .. }
        | Content::Seal { .. }
        | Content::OcspSigner
        | Content::ListSigner { .. }
        | Content::TimeStamping { .. }
        | Content::Administrator { .. }
        | Content::AuditSigner { .. } => Ok(()),
    }
}

fn key_ordered(case: &Case<'_>) -> Result<(), String> {
    demand(
        case.certificate.spki() == case.order.key.spki_der(),
        "the key is not the one of the application",
    )
}

fn key_type(case: &Case<'_>) -> Result<(), String> {
    let key = case.certificate.public_key().map_err(|e| e.to_string())?;
    let allowed = allowed_keys(case.order.content.profile());
    demand(allowed.contains(&key.algorithm()), format!("{} is not allowed here", key.algorithm()))
}

/// The row "keys" of a profile. What of it the policy in force allows is decided before (KM-1).
pub(crate) const fn allowed_keys(profile: Profile) -> &'static [KeyAlgorithm] {
    use KeyAlgorithm::{MlDsa65, MlDsa87, P256, P384, P521, Rsa2048, Rsa3072, Rsa4096};
    match profile {
        Profile::Root
        | Profile::Policy
        | Profile::Cross
        | Profile::Issuing
        | Profile::Dedicated
        | Profile::TimeStampingAuthority
        | Profile::InternalAuthority => &[P384, Rsa4096, MlDsa65, MlDsa87],
        Profile::Seal1 | Profile::Seal1Short | Profile::OcspSigner => &KeyAlgorithm::ALL,
        // XML signatures have no ML-DSA yet.
        Profile::ListSigner => &[Rsa2048, Rsa3072, Rsa4096, P256, P384, P521],
        Profile::TimeStamping | Profile::AuditSigner | Profile::Seal2 | Profile::Seal2Short => {
            &[Rsa3072, Rsa4096, P256, P384, P521, MlDsa65, MlDsa87]
        }
        Profile::Administrator => &[Rsa3072, Rsa4096, P256, P384, P521],
        Profile::Seal3 | Profile::Seal3Short => &[Rsa3072, Rsa4096, P256, P384, MlDsa65, MlDsa87],
    }
}

/// Only a root carries its issuer's key.
fn key_own(case: &Case<'_>) -> Result<(), String> {
    let key = case.certificate.public_key().map_err(|e| e.to_string())?;
    let same = key.fingerprint() == case.order.issuer.key.fingerprint();
    if case.order.content.profile() == Profile::Root {
        return demand(same, "a root does not certify its own key");
    }
    demand(!same, "the key is the issuer's own")
}
