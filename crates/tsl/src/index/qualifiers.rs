//! Whether a certificate meets the criteria of a list, and what it then is (TS 119 612, 5.5.9.2).
//!
//! A criterion can be met, not met, or beyond what is understood here; the last is never guessed.

use der::asn1::ObjectIdentifier;
use x509_cert::ext::pkix::{CertificatePolicies, KeyUsages};

use crate::certificate::{Certificate, Statement};
use crate::model::{
    Assertion, CriteriaList, Criterion, ObjectId, QcStatement, QcStatementInfo, State, Uri, Usage,
    UsageBit,
};

/// The qualifiers of a certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Qualifiers<'i> {
    /// Those whose criteria it meets, each once, in the order of the list.
    pub met: Vec<&'i Uri>,
    /// Those whose criteria nobody here understands.
    pub unknown: Vec<&'i Uri>,
}

/// What the qualifications of a state say about a certificate.
pub fn qualifiers<'i>(state: &State<'i>, certificate: &Certificate) -> Qualifiers<'i> {
    let mut found = Qualifiers::default();
    let subject = Subject::of(certificate);
    let all = state.extensions.iter().flat_map(|extension| extension.as_qualifications());
    for qualification in all {
        let into = match list_met(&qualification.criteria, &subject) {
            Some(true) => &mut found.met,
            None => &mut found.unknown,
            Some(false) => continue,
        };
        for qualifier in &qualification.qualifiers {
            if !into.contains(&qualifier) {
                into.push(qualifier);
            }
        }
    }
    found
}

/// What criteria look at, read once.
struct Subject {
    usage: Option<der::flagset::FlagSet<KeyUsages>>,
    policies: Vec<ObjectIdentifier>,
    purposes: Vec<ObjectIdentifier>,
    attributes: Vec<ObjectIdentifier>,
    /// `None` when they are there and cannot be read.
    statements: Option<Vec<Statement>>,
}

impl Subject {
    fn of(certificate: &Certificate) -> Self {
        let policies = certificate.extension::<CertificatePolicies>();
        let policies = policies.into_iter().flat_map(|policies| policies.0);
        Self {
            usage: certificate.key_usage().map(|usage| usage.0),
            policies: policies.map(|policy| policy.policy_identifier).collect(),
            purposes: certificate.purposes(),
            attributes: certificate.subject_attributes(),
            statements: certificate.statements(),
        }
    }
}

fn list_met(list: &CriteriaList, subject: &Subject) -> Option<bool> {
    let mut met = list.criteria.iter().map(|criterion| criterion_met(criterion, subject));
    match list.assertion? {
        // Of several answers the one that settles the matter counts, then ignorance.
        Assertion::All => settle(&mut met, false),
        Assertion::AtLeastOne => settle(&mut met, true),
        Assertion::None => settle(&mut met, true).map(|found| !found),
    }
}

/// `decisive` if any answer is; nothing if any is unknown; else the opposite.
fn settle(met: &mut dyn Iterator<Item = Option<bool>>, decisive: bool) -> Option<bool> {
    let mut unknown = false;
    for answer in met {
        match answer {
            Some(answer) if answer == decisive => return Some(decisive),
            Some(_) => {}
            None => unknown = true,
        }
    }
    if unknown { None } else { Some(!decisive) }
}

fn criterion_met(criterion: &Criterion, subject: &Subject) -> Option<bool> {
    match criterion {
        // Without the extension the criterion is not met (5.5.9.2.2.1).
        Criterion::KeyUsage(bits) => Some(
            subject.usage.is_some_and(|usage| bits.iter().all(|entry| bit_fits(*entry, usage))),
        ),
        Criterion::PolicySet(ids) => all_in(ids, &subject.policies),
        Criterion::ExtendedKeyUsage(ids) => all_in(ids, &subject.purposes),
        Criterion::SubjectAttributes(ids) => all_in(ids, &subject.attributes),
        Criterion::QcStatements(wanted) => makes_all(wanted, subject.statements.as_ref()?),
        Criterion::List(list) => list_met(list, subject),
        Criterion::Unknown(_) => None,
    }
}

fn all_in(wanted: &[ObjectId], given: &[ObjectIdentifier]) -> Option<bool> {
    let mut each = wanted.iter().map(|id| {
        let id = ObjectIdentifier::new(id.dotted()).ok()?;
        Some(given.contains(&id))
    });
    settle(&mut each, false)
}

/// Whether a certificate makes every one of the statements; `None` when what is asked of one is beyond
/// what is understood here.
fn makes_all(wanted: &[QcStatement], made: &[Statement]) -> Option<bool> {
    let mut each = wanted.iter().map(|one| {
        let id = ObjectIdentifier::new(one.id.dotted()).ok()?;
        let Some(statement) = made.iter().find(|statement| statement.id == id) else {
            return Some(false);
        };
        Some(match &one.says {
            None => true,
            Some(QcStatementInfo::Type(kind)) => {
                statement.types()?.contains(&ObjectIdentifier::new(kind.dotted()).ok()?)
            }
            Some(QcStatementInfo::Legislation(country)) => {
                statement.countries()?.iter().any(|one| one.eq_ignore_ascii_case(country.trim()))
            }
        })
    });
    settle(&mut each, false)
}

fn bit_fits(bit: UsageBit, usage: der::flagset::FlagSet<KeyUsages>) -> bool {
    let flag = match bit.usage {
        Usage::DigitalSignature => KeyUsages::DigitalSignature,
        Usage::NonRepudiation => KeyUsages::NonRepudiation,
        Usage::KeyEncipherment => KeyUsages::KeyEncipherment,
        Usage::DataEncipherment => KeyUsages::DataEncipherment,
        Usage::KeyAgreement => KeyUsages::KeyAgreement,
        Usage::KeyCertSign => KeyUsages::KeyCertSign,
        Usage::CrlSign => KeyUsages::CRLSign,
        Usage::EncipherOnly => KeyUsages::EncipherOnly,
        Usage::DecipherOnly => KeyUsages::DecipherOnly,
    };
    usage.contains(flag) == bit.value
}
