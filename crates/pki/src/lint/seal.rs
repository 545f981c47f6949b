//! Rules on seal certificates alone (DOMAIN 12.2, 12.3, 12.6, 12.7): the form of the subject, the
//! key usage setting, claims and their statements, LEI, imprint, twin, and the short life.

use tenkoku_domain::identifier::{Lei, OrganizationIdentifier};
use tenkoku_domain::level::Level;
use tenkoku_domain::subject::SealForm;

use super::{Case, Rule, demand};
use crate::asn1::read::{self, Reader};
use crate::asn1::{DerError, tag, write};
use crate::oid;
use crate::profile::Content;
use crate::qc::{Claim, Device, Disclosure};
use crate::seal::{Extras, KeyUsageSetting, Term, sha256};
use crate::uri::HttpsUri;

/// The rules of this page.
pub(super) fn rules<'a>() -> Vec<Rule<Case<'a>>> {
    vec![
        Rule { name: "seal-form", clause: "DOMAIN 12.2", check: seal_form },
        Rule { name: "witness-level", clause: "DOMAIN 5", check: witness_level },
        Rule { name: "usage-level", clause: "DOMAIN 12.3", check: usage_level },
        Rule { name: "qc-statements", clause: "DOMAIN 12.6", check: qc_statements },
        Rule { name: "statement-compliance", clause: "DOMAIN PR-3", check: compliance },
        Rule { name: "disclosure-address", clause: "DOMAIN 12.8", check: disclosure_address },
        Rule { name: "claim-level", clause: "DOMAIN 12.3", check: claim_level },
        Rule { name: "lei", clause: "DOMAIN 4.3", check: lei },
        Rule { name: "logotype", clause: "RFC 9399, 4.1", check: logotype },
        Rule { name: "twin", clause: "RFC 9763, 4.1", check: twin },
        Rule { name: "no-rev-avail", clause: "RFC 9608, 2", check: no_rev_avail },
    ]
}

/// One QCStatement each, as the table of DOMAIN 12.6 gives them.
const STATEMENT_SEMANTICS: &[u8] = &[
    0x30, 0x15, 0x06, 0x08, 0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x0B, 0x02, 0x30, 0x09, 0x06, 0x07,
    0x04, 0x00, 0x8B, 0xEC, 0x49, 0x01, 0x02,
];
const STATEMENT_COMPLIANCE: &[u8] = &[0x30, 0x08, 0x06, 0x06, 0x04, 0x00, 0x8E, 0x46, 0x01, 0x01];
const STATEMENT_DEVICE: &[u8] = &[0x30, 0x08, 0x06, 0x06, 0x04, 0x00, 0x8E, 0x46, 0x01, 0x04];
const STATEMENT_TYPE: &[u8] = &[
    0x30, 0x13, 0x06, 0x06, 0x04, 0x00, 0x8E, 0x46, 0x01, 0x06, 0x30, 0x09, 0x06, 0x07, 0x04, 0x00,
    0x8E, 0x46, 0x01, 0x06, 0x02,
];
/// AlgorithmIdentifier of SHA-256 without parameters.
const SHA256: &[u8] =
    &[0x30, 0x0B, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
/// The head office's code, which an organisation's own seal begins with.
const HEAD_OFFICE: &str = "HQ";

/// What a seal was ordered with; `None` for what is no seal.
struct Seal<'a> {
    level: Level,
    claim: &'a Claim,
    extras: &'a Extras,
}

const fn seal<'a>(case: &Case<'a>) -> Option<Seal<'a>> {
    match &case.order.content {
        Content::Seal { level, claim, extras, .. } => Some(Seal { level: *level, claim, extras }),
        Content::Root
        | Content::Policy { .. }
        | Content::Cross { .. }
        | Content::Issuing { .. }
        | Content::Dedicated { .. }
        | Content::ServiceAuthority { .. }
        | Content::OcspSigner
        | Content::ListSigner { .. }
        | Content::TimeStamping { .. }
        | Content::Administrator { .. }
        | Content::AuditSigner { .. } => None,
    }
}

fn form(case: &Case<'_>) -> SealForm {
    SealForm::of_unit(case.certificate.subject().first(oid::UNIT))
}

/// The columns of DOMAIN 12.2: organisation seal, branch seal, witness seal. A Latin form is of the
/// same kind and has the same serialNumber.
fn seal_form(case: &Case<'_>) -> Result<(), String> {
    if seal(case).is_none() {
        return Ok(());
    }
    let subject = case.certificate.subject();
    let latin = case.certificate.alternative_directory_name();
    let number = subject.first(oid::SERIAL_NUMBER).unwrap_or_default();
    let latin_fits = latin.is_none_or(|name| {
        name.first(oid::SERIAL_NUMBER) == Some(number)
            && SealForm::of_unit(name.first(oid::UNIT)) == form(case)
    });
    demand(latin_fits, "the Latin form is of another instance or another form of seal")?;
    let parts = number.split_once('/');
    let fits = match form(case) {
        SealForm::Organisation => {
            parts.is_some_and(|(code, number)| code == HEAD_OFFICE && is_instance(number))
        }
        SealForm::Branch => parts.is_some_and(|(code, number)| {
            is_branch_code(code) && code != HEAD_OFFICE && is_instance(number)
        }),
        SealForm::Witness => {
            let placed = [oid::STATE, oid::LOCALITY].iter().any(|o| subject.first(*o).is_some());
            is_instance(number) && !placed
        }
    };
    demand(fits, format!("serialNumber {number} or the place does not fit {:?} seals", form(case)))
}

/// `01` and on: at least two digits.
fn is_instance(text: &str) -> bool {
    text.len() >= 2 && text.bytes().all(|b| b.is_ascii_digit()) && text.bytes().any(|b| b != b'0')
}

fn is_branch_code(text: &str) -> bool {
    tenkoku_domain::branch::BranchCode::parse(text).is_ok()
}

fn witness_level(case: &Case<'_>) -> Result<(), String> {
    let Some(seal) = seal(case) else { return Ok(()) };
    demand(form(case).check_level(seal.level).is_ok(), "a witness-type seal at level 3")
}

/// Level 3 knows setting A only.
fn usage_level(case: &Case<'_>) -> Result<(), String> {
    match seal(case).map(|seal| (seal.level, seal.extras.usage)) {
        Some((Level::Three, KeyUsageSetting::B)) => {
            Err("digitalSignature is not for level 3".to_owned())
        }
        Some((Level::Three, KeyUsageSetting::A) | (Level::One | Level::Two, _)) | None => Ok(()),
    }
}

pub(super) fn has_semantics(case: &Case<'_>) -> bool {
    let text = case.certificate.subject().first(oid::ORGANISATION_IDENTIFIER).unwrap_or_default();
    OrganizationIdentifier::parse(text).is_ok_and(|identifier| identifier.has_semantics())
}

/// The set is complete, in order, each statement once; semantics last.
fn qc_statements(case: &Case<'_>) -> Result<(), String> {
    let seal = seal(case);
    let mut demanded = match seal.as_ref().map(|seal| seal.claim) {
        None | Some(Claim::None) => Vec::new(),
        Some(Claim::Accredited(accreditation)) => {
            let mut octets = common(accreditation.device(), accreditation.disclosures());
            octets.extend([0x30, 0x0E, 0x06, 0x06, 0x04, 0x00, 0x8E, 0x46, 0x01, 0x07]);
            octets.extend([0x30, 0x04, 0x13, 0x02]);
            octets.extend(accreditation.country().bytes());
            octets
        }
        Some(Claim::EuQualified(qualification)) => {
            common(qualification.device(), qualification.disclosures())
        }
    };
    if seal.is_some() && has_semantics(case) {
        demanded.extend_from_slice(STATEMENT_SEMANTICS);
    }
    let found = match case.certificate.extension(oid::QC_STATEMENTS) {
        Some(value) => content(value).ok_or("the statements are not one SEQUENCE")?,
        None => &[],
    };
    demand(found == demanded, "the statements are not those of the claim")
}

fn content(sequence: &[u8]) -> Option<&[u8]> {
    let mut outer = Reader::new(sequence);
    let content = outer.content(tag::SEQUENCE).ok()?;
    outer.finish().ok().map(|()| content)
}

/// What both claims state: QcCompliance, QcSSCD if true, QcType, QcPDS (DOMAIN 12.7).
fn common(device: Device, statements: &[Disclosure]) -> Vec<u8> {
    let mut octets = STATEMENT_COMPLIANCE.to_vec();
    if device == Device::Certified {
        octets.extend_from_slice(STATEMENT_DEVICE);
    }
    octets.extend_from_slice(STATEMENT_TYPE);
    octets.extend(disclosures(statements));
    octets
}

/// QcPDS: the OID and one pair of address and language for each disclosure.
fn disclosures(statements: &[Disclosure]) -> Vec<u8> {
    let pairs: Vec<u8> = statements
        .iter()
        .flat_map(|d| {
            let address = write::tlv(tag::IA5_STRING, d.address.as_str().as_bytes());
            let language = write::tlv(tag::PRINTABLE_STRING, d.language.as_bytes());
            write::tlv(tag::SEQUENCE, &[address, language].concat())
        })
        .collect();
    let pairs = write::tlv(tag::SEQUENCE, &pairs);
    let statement = [&[0x06, 0x06, 0x04, 0x00, 0x8E, 0x46, 0x01, 0x05], &pairs[..]];
    write::tlv(tag::SEQUENCE, &statement.concat())
}

/// The statements that are there, by type; an unreadable value is the finding of the rule above.
fn statements<'a>(case: &Case<'a>) -> Vec<(const_oid::ObjectIdentifier, Reader<'a>)> {
    let value = case.certificate.extension(oid::QC_STATEMENTS).unwrap_or_default();
    let Ok(mut list) = read::sequence(value) else { return Vec::new() };
    let mut found = Vec::new();
    while let Ok(mut statement) = list.enter(tag::SEQUENCE) {
        let Ok(oid) = statement.oid() else { break };
        found.push((oid, statement));
    }
    found
}

/// PR-3: no single ETSI statement appears without QcCompliance.
fn compliance(case: &Case<'_>) -> Result<(), String> {
    let found = statements(case);
    let etsi = |oid: &const_oid::ObjectIdentifier| {
        [oid::QC_SSCD, oid::QC_TYPE, oid::QC_PDS, oid::QC_LEGISLATION].contains(oid)
    };
    let alone = found.iter().find(|(oid, _)| etsi(oid)).map(|(oid, _)| oid.to_string());
    let complies = found.iter().any(|(oid, _)| *oid == oid::QC_COMPLIANCE);
    match alone {
        Some(oid) if !complies => Err(format!("{oid} is stated without QcCompliance")),
        Some(_) | None => Ok(()),
    }
}

/// Disclosure statements lie at https addresses.
fn disclosure_address(case: &Case<'_>) -> Result<(), String> {
    let found = statements(case).into_iter().find(|(oid, _)| *oid == oid::QC_PDS);
    let Some((_, mut statement)) = found else { return Ok(()) };
    addresses(&mut statement)
        .map_err(|e| e.to_string())?
        .iter()
        .try_for_each(|address| HttpsUri::parse(address).map(drop).map_err(|e| e.to_string()))
}

fn addresses(statement: &mut Reader<'_>) -> Result<Vec<String>, DerError> {
    let mut list = statement.enter(tag::SEQUENCE)?;
    let mut found = Vec::new();
    while !list.is_empty() {
        let address = list.enter(tag::SEQUENCE)?.content(tag::IA5_STRING)?;
        found.push(String::from_utf8_lossy(address).into_owned());
    }
    Ok(found)
}

/// Only level 3 may claim anything.
fn claim_level(case: &Case<'_>) -> Result<(), String> {
    let Some(seal) = seal(case) else { return Ok(()) };
    let claims = match seal.claim {
        Claim::None => false,
        Claim::Accredited(_) | Claim::EuQualified(_) => true,
    };
    demand(!claims || seal.level == Level::Three, "a claim below level 3")
}

/// PrintableString of 20, the one ordered, with its check digits right; and where the identifier of
/// the subject is an LEI, the same.
fn lei(case: &Case<'_>) -> Result<(), String> {
    let ordered = seal(case).and_then(|seal| seal.extras.lei.clone());
    let Some(value) = case.certificate.extension(oid::LEI) else {
        return demand(ordered.is_none(), "the LEI is missing");
    };
    let text = value.strip_prefix(&[tag::PRINTABLE_STRING, 20]).unwrap_or_default();
    let found = Lei::parse(&String::from_utf8_lossy(text)).map_err(|e| e.to_string())?;
    demand(ordered.as_ref() == Some(&found), "the LEI is not the ordered one")?;
    let text = case.certificate.subject().first(oid::ORGANISATION_IDENTIFIER).unwrap_or_default();
    let identifier = OrganizationIdentifier::parse(text).ok().and_then(|found| found.lei());
    demand(identifier.is_none_or(|own| own == found), "the subject has another LEI")
}

/// What a logotype says: media type, hash, address.
struct Logo {
    media_type: String,
    algorithm: Vec<u8>,
    hash: Vec<u8>,
    address: String,
}

/// The hash is that of the stored imprint, the picture and its address are the ordered ones.
fn logotype(case: &Case<'_>) -> Result<(), String> {
    let ordered = seal(case).and_then(|seal| seal.extras.logotype.as_ref());
    let (value, picture) = match (case.certificate.extension(oid::LOGOTYPE), ordered) {
        (None, None) => return Ok(()),
        (Some(value), Some(picture)) => (value, picture),
        (Some(_), None) | (None, Some(_)) => return Err("there is no such order".to_owned()),
    };
    let logo = read_logotype(value).map_err(|e| e.to_string())?;
    demand(logo.algorithm == SHA256, "the hash is not SHA-256")?;
    demand(logo.hash == sha256(&picture.octets), "the hash is not that of the stored imprint")?;
    let same =
        logo.media_type == picture.picture.media_type() && logo.address == picture.address.as_str();
    demand(same, "the picture or its address is not the ordered one")?;
    HttpsUri::parse(&logo.address).map(drop).map_err(|e| e.to_string())
}

/// subjectLogo [2], direct [0], one image with one hash and one address, and nothing else.
fn read_logotype(value: &[u8]) -> Result<Logo, DerError> {
    let only = |mut outer: Reader<'_>, expected| -> Result<Vec<u8>, DerError> {
        let inner = outer.content(expected)?.to_vec();
        outer.finish().map(|()| inner)
    };
    let subject = only(read::sequence(value)?, tag::context(2))?;
    let direct = only(Reader::new(&subject), tag::context(0))?;
    let images = only(Reader::new(&direct), tag::SEQUENCE)?;
    let image = only(Reader::new(&images), tag::SEQUENCE)?;
    let details = only(Reader::new(&image), tag::SEQUENCE)?;
    let mut details = Reader::new(&details);
    let media_type = text(details.content(tag::IA5_STRING)?);
    let hash = only(details.enter(tag::SEQUENCE)?, tag::SEQUENCE)?;
    let address = only(details.enter(tag::SEQUENCE)?, tag::IA5_STRING)?;
    details.finish()?;
    let mut hash = Reader::new(&hash);
    let algorithm = hash.element(tag::SEQUENCE)?.whole.to_vec();
    let digest = hash.content(tag::OCTET_STRING)?.to_vec();
    hash.finish()?;
    Ok(Logo { media_type, algorithm, hash: digest, address: text(&address) })
}

fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

/// SHA-256 over the ordered twin; not at level 1.
fn twin(case: &Case<'_>) -> Result<(), String> {
    let ordered = seal(case).and_then(|seal| Some((seal.level, seal.extras.twin?)));
    let demanded = ordered.map(|(_, twin)| {
        let hash = [&[0x04, 0x20], &twin.sha256()[..]].concat();
        [&[0x30, 0x2F], SHA256, &hash].concat()
    });
    let found = case.certificate.extension(oid::RELATED_CERTIFICATE);
    demand(found == demanded.as_deref(), "the twin is not the ordered one")?;
    let low = ordered.is_some_and(|(level, _)| level == Level::One);
    demand(!low, "a certificate of level 1 has no twin")
}

/// noRevAvail is NULL and stands with neither cRLDistributionPoints nor an ocsp access method; what
/// does not have it has both.
fn no_rev_avail(case: &Case<'_>) -> Result<(), String> {
    let short = seal(case).is_some_and(|seal| seal.extras.term == Term::Short);
    let found = case.certificate.extension(oid::NO_REV_AVAIL);
    demand(found.is_some() == short, "noRevAvail is for short-lived certificates, and for all")?;
    let Some(value) = found else { return Ok(()) };
    demand(value == [0x05, 0x00], "noRevAvail is not NULL")?;
    let listed = case.certificate.extension(oid::CRL_DISTRIBUTION_POINTS).is_some();
    let asked = !case.certificate.access_addresses(oid::OCSP).is_empty();
    demand(!listed && !asked, "noRevAvail stands beside an address for revocation information")
}
