//! Extensions as the tables of DOMAIN 12.3 to 12.5 want them, each complete with its criticality.

use const_oid::ObjectIdentifier;
use tenkoku_domain::certificate::Serial;
use tenkoku_domain::level::Level;

use super::{Repository, uri};
use crate::asn1::{tag, write};
use crate::key::PublicKey;
use crate::name::DistinguishedName;
use crate::oid;
use crate::policy::{PolicyArc, etsi_policy};
use crate::qc::{self, Claim, Device, Qualification, Semantics};
use crate::scope::NameScope;
use crate::seal::{Extras, Logotype, Term, Twin, sha256};
use crate::uri::{HttpUri, HttpsUri};

/// A KeyUsage value: the number of unused bits and the bits (RFC 5280, 4.2.1.3).
type KeyUsage = [u8; 2];
pub(super) const DIGITAL_SIGNATURE: KeyUsage = [7, 0b1000_0000];
pub(super) const NON_REPUDIATION: KeyUsage = [6, 0b0100_0000];
/// Setting B of DOMAIN 12.3.
pub(super) const SIGNATURE_AND_NON_REPUDIATION: KeyUsage = [6, 0b1100_0000];
/// keyCertSign and cRLSign.
pub(super) const AUTHORITY: KeyUsage = [1, 0b0000_0110];

const TRUE: [u8; 3] = [tag::BOOLEAN, 1, 0xFF];

fn critical(oid: &ObjectIdentifier, value: &[u8]) -> Vec<u8> {
    write::sequence(&[write::oid(oid).as_slice(), &TRUE, &write::octets(value)])
}

fn plain(oid: &ObjectIdentifier, value: &[u8]) -> Vec<u8> {
    write::sequence(&[write::oid(oid), write::octets(value)])
}

/// keyIdentifier only (RFC 5280, 4.2.1.1).
pub(super) fn authority_key_identifier(issuer: &PublicKey) -> Vec<u8> {
    let identifier = write::tlv(tag::primitive(0), &issuer.key_identifier());
    plain(&oid::AUTHORITY_KEY_IDENTIFIER, &write::sequence(&[identifier]))
}

/// Method 1 (RFC 5280, 4.2.1.2).
pub(super) fn subject_key_identifier(key: &PublicKey) -> Vec<u8> {
    plain(&oid::SUBJECT_KEY_IDENTIFIER, &write::octets(&key.key_identifier()))
}

pub(super) fn key_usage(usage: KeyUsage) -> Vec<u8> {
    critical(&oid::KEY_USAGE, &write::tlv(tag::BIT_STRING, &usage))
}

pub(super) fn ext_key_usage(purpose: &ObjectIdentifier) -> Vec<u8> {
    plain(&oid::EXT_KEY_USAGE, &write::sequence(&[write::oid(purpose)]))
}

/// Critical, as RFC 3161, 2.3 demands of time-stamping units.
pub(super) fn critical_ext_key_usage(purpose: &ObjectIdentifier) -> Vec<u8> {
    critical(&oid::EXT_KEY_USAGE, &write::sequence(&[write::oid(purpose)]))
}

/// The permitted subtrees, each a directoryName (RFC 5280, 4.2.1.10).
pub(super) fn name_constraints(scope: &NameScope) -> Vec<u8> {
    let subtrees: Vec<Vec<u8>> = scope
        .permitted()
        .iter()
        .map(|name| write::sequence(&[write::context(4, name.der())]))
        .collect();
    let permitted = write::context(0, &write::concat(&subtrees));
    critical(&oid::NAME_CONSTRAINTS, &write::sequence(&[permitted]))
}

/// An account as the only alternative name, a uniformResourceIdentifier (RFC 5280, 4.2.1.6).
pub(super) fn account(account: &HttpsUri) -> Vec<u8> {
    let name = write::tlv(tag::primitive(6), account.as_str().as_bytes());
    plain(&oid::SUBJECT_ALT_NAME, &write::sequence(&[name]))
}

/// basicConstraints of an authority (RFC 5280, 4.2.1.9).
pub(super) fn authority(path_length: Option<u8>) -> Vec<u8> {
    let mut value = vec![TRUE.to_vec()];
    value.extend(path_length.map(|length| write::unsigned(&[length])));
    critical(&oid::BASIC_CONSTRAINTS, &write::sequence(&value))
}

/// basicConstraints that say no: cA is false by default and so not written.
pub(super) fn end_entity() -> Vec<u8> {
    critical(&oid::BASIC_CONSTRAINTS, &write::sequence::<&[u8]>(&[]))
}

/// The operator's policy and that of EN 319 411-1.
pub(super) fn level_policies(arc: &PolicyArc, level: Level) -> [ObjectIdentifier; 2] {
    [arc.level(level), etsi_policy(level)]
}

/// The same; a claim of EU qualification puts its own policy in the place of the second
/// (DOMAIN 12.7).
pub(super) fn seal_policies(arc: &PolicyArc, level: Level, claim: &Claim) -> [ObjectIdentifier; 2] {
    let [own, etsi] = level_policies(arc, level);
    match claim {
        Claim::None | Claim::Accredited(_) => [own, etsi],
        Claim::EuQualified(Qualification { device: Device::Unstated, .. }) => [own, oid::QCP_LEGAL],
        Claim::EuQualified(Qualification { device: Device::Certified, .. }) => {
            [own, oid::QCP_LEGAL_DEVICE]
        }
    }
}

pub(super) fn policies(policies: &[ObjectIdentifier]) -> Vec<u8> {
    let information: Vec<Vec<u8>> =
        policies.iter().map(|policy| write::sequence(&[write::oid(policy)])).collect();
    plain(&oid::CERTIFICATE_POLICIES, &write::sequence(&information))
}

/// The Latin form as a directoryName (RFC 5280, 4.2.1.6).
pub(super) fn alternative_name(latin: &DistinguishedName) -> Vec<u8> {
    plain(&oid::SUBJECT_ALT_NAME, &write::sequence(&[write::context(4, latin.der())]))
}

/// caIssuers first, then ocsp (RFC 5280, 4.2.2.1).
pub(super) fn information_access(repository: &Repository, ocsp: Option<&HttpUri>) -> Vec<u8> {
    let access = |method: &ObjectIdentifier, address: &HttpUri| {
        write::sequence(&[write::oid(method), uri(address)])
    };
    let mut descriptions = vec![access(&oid::CA_ISSUERS, &repository.certificate)];
    descriptions.extend(ocsp.map(|address| access(&oid::OCSP, address)));
    plain(&oid::AUTHORITY_INFO_ACCESS, &write::sequence(&descriptions))
}

/// One distribution point with one address in fullName (RFC 5280, 4.2.1.13).
pub(super) fn crl_distribution(repository: &Repository, serial: &Serial) -> Vec<u8> {
    let point = repository.crl.of(serial).map(|address| {
        let full_name = write::context(0, &uri(address));
        write::sequence(&[write::context(0, &full_name)])
    });
    let points: Vec<Vec<u8>> = point.into_iter().collect();
    plain(&oid::CRL_DISTRIBUTION_POINTS, &write::sequence(&points))
}

pub(super) fn qc_statements(claim: &Claim, semantics: Semantics) -> Option<Vec<u8>> {
    qc::statements(claim, semantics).map(|value| plain(&oid::QC_STATEMENTS, &value))
}

/// LEI, logotype, relatedCertificate, noRevAvail, as far as ordered, in this order.
pub(super) fn extras(extras: &Extras) -> Vec<Vec<u8>> {
    let lei = extras.lei.as_ref().map(|lei| plain(&oid::LEI, &write::printable(lei.as_str())));
    let logotype =
        extras.logotype.as_ref().map(|picture| plain(&oid::LOGOTYPE, &logotype(picture)));
    let twin = extras.twin.as_ref().map(|twin| plain(&oid::RELATED_CERTIFICATE, &related(twin)));
    let no_status = match extras.term {
        Term::Regular => None,
        Term::Short => Some(plain(&oid::NO_REV_AVAIL, &write::null())),
    };
    [lei, logotype, twin, no_status].into_iter().flatten().collect()
}

/// SHA-256 as an AlgorithmIdentifier without parameters (RFC 5754, 2).
fn sha256_identifier() -> Vec<u8> {
    write::sequence(&[write::oid(&oid::SHA256)])
}

/// subjectLogo, direct, with one image (RFC 9399, 4.1).
fn logotype(picture: &Logotype) -> Vec<u8> {
    let hash = write::octets(&sha256(&picture.octets));
    let hashes = write::sequence(&[write::sequence(&[sha256_identifier(), hash])]);
    let addresses = write::sequence(&[write::ia5(picture.address.as_str())]);
    let media_type = write::ia5(picture.picture.media_type());
    let details = write::sequence(&[media_type, hashes, addresses]);
    let images = write::sequence(&[write::sequence(&[details])]);
    let direct = write::context(0, &images);
    write::sequence(&[write::context(2, &direct)])
}

/// RelatedCertificate (RFC 9763, 4.1).
fn related(twin: &Twin) -> Vec<u8> {
    write::sequence(&[sha256_identifier(), write::octets(twin.sha256())])
}

/// id-pkix-ocsp-nocheck (RFC 6960, 4.2.2.2.1).
pub(super) fn ocsp_nocheck() -> Vec<u8> {
    plain(&oid::OCSP_NOCHECK, &write::null())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::ImprintType;

    #[test]
    fn the_logotype_is_the_vector_of_domain_22() {
        let address = "https://repo.example.jp/imprint/5010401067252/BR-0002.svg";
        let picture = Logotype {
            picture: ImprintType::Svg,
            octets: b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>".to_vec(),
            address: HttpsUri::parse(address).unwrap(),
        };
        assert_eq!(
            hex::encode(logotype(&picture)),
            "30818da2818aa08187308184308181307f160d696d6167652f7376672b786d6c3031302f300b060960864801\
             65030402010420900fbe934249ad120004bd24adf66aad8817d89586273c0cc50e187bddebb601303b163968\
             747470733a2f2f7265706f2e6578616d706c652e6a702f696d7072696e742f353031303430313036373235322f\
             42522d303030322e737667"
        );
    }
}
