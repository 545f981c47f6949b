//! The lint of a CRL before it is signed: read back from its octets and compared with the order.

use tenkoku_domain::revocation::ReasonCode;

use super::read::{Fields, RawEntries};
use super::{CrlDraft, CrlKind, CrlOrder};
use crate::cert::Extension;
use crate::key::PublicKey;
use crate::lint::fields::date_form;
use crate::lint::{LintFailed, Rule, apply, demand, single};
use crate::oid;
use crate::signature::SignatureAlgorithm;
use crate::signed::{self, AssembleError, Signable, sealed};

struct Case<'a> {
    order: &'a CrlOrder<'a>,
    fields: &'a Fields,
    /// Content of revokedCertificates; `None` where it is absent.
    entries: Option<&'a [u8]>,
    survey: &'a Survey,
}

/// What one reading of all entries found. A list of a million is read once.
#[derive(Default)]
struct Survey {
    count: usize,
    /// The first that cannot be read, has no reason, is removed, or lies in the future.
    unreadable: Option<String>,
    removed: Option<String>,
    future: Option<String>,
    /// The last eight octets of every serial number.
    marks: Vec<u64>,
}

impl Survey {
    fn of(entries: &[u8], order: &CrlOrder<'_>) -> Self {
        let mut survey = Self::default();
        survey.marks.reserve_exact(order.entries.len());
        for entry in RawEntries::new(entries) {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    survey.unreadable.get_or_insert_with(|| error.to_string());
                    break;
                }
            };
            survey.count += 1;
            survey.marks.push(mark(entry.serial));
            let serial = || hex::encode_upper(entry.serial);
            match entry.reason {
                None => drop(
                    survey.unreadable.get_or_insert_with(|| format!("{} has no reason", serial())),
                ),
                Some(ReasonCode::RemoveFromCrl) => drop(survey.removed.get_or_insert_with(serial)),
                Some(_) => {}
            }
            if entry.at > order.this_update {
                survey.future.get_or_insert_with(serial);
            }
        }
        survey.marks.sort_unstable();
        survey
    }
}

/// The last eight octets. Serial numbers are random, so they tell nearly all apart.
fn mark(serial: &[u8]) -> u64 {
    serial.iter().fold(0, |sum, octet| (sum << 8) | u64::from(*octet))
}

/// The rules of this page.
fn rules<'a>() -> Vec<Rule<Case<'a>>> {
    vec![
        Rule { name: "version", clause: "RFC 5280, 5.1.2.1", check: version },
        Rule { name: "algorithm", clause: "RFC 5280, 5.1.2.2", check: algorithm },
        Rule { name: "issuer-name", clause: "RFC 5280, 5.1.2.3", check: issuer_name },
        Rule { name: "dates-ordered", clause: "DOMAIN 13", check: dates_ordered },
        Rule { name: "dates-form", clause: "RFC 5280, 5.1.2.4", check: dates_form },
        Rule { name: "next-update", clause: "RFC 5280, 5.1.2.5", check: next_update },
        Rule { name: "number-rising", clause: "RFC 5280, 5.2.3", check: number_rising },
        Rule { name: "delta-base", clause: "RFC 5280, 5.2.4", check: delta_base },
        Rule { name: "shard", clause: "RFC 5280, 5.2.5", check: shard },
        Rule { name: "freshest", clause: "RFC 5280, 5.2.6", check: freshest },
        Rule { name: "extensions", clause: "RFC 5280, 5.2", check: extensions },
        Rule { name: "entries-ordered", clause: "DOMAIN 14", check: entries_ordered },
        Rule { name: "entries-present", clause: "RFC 5280, 5.1.2.6", check: entries_present },
        Rule { name: "entries-readable", clause: "RFC 5280, 5.3", check: entries_readable },
        Rule { name: "removed-in-delta", clause: "RFC 5280, 5.3.1", check: removed_in_delta },
        Rule { name: "entries-once", clause: "RFC 5280, 5.1.2.6", check: entries_once },
        Rule { name: "entries-past", clause: "RFC 5280, 5.1.2.6", check: entries_past },
    ]
}

/// The body of a CRL that passed every rule. Only [`lint()`] makes one; assembling consumes it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct LintedCrl {
    tbs: Vec<u8>,
    algorithm: SignatureAlgorithm,
    issuer: PublicKey,
}

impl sealed::Sealed for LintedCrl {}

impl Signable for LintedCrl {
    fn to_be_signed(&self) -> &[u8] {
        &self.tbs
    }

    fn signature_algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    fn signer(&self) -> &PublicKey {
        &self.issuer
    }
}

impl From<LintedCrl> for Vec<u8> {
    fn from(linted: LintedCrl) -> Self {
        linted.tbs
    }
}

impl LintedCrl {
    /// Verifies the signature that came back with the issuer's key and gives the CRL, DER.
    pub fn assemble(self, signature: &[u8]) -> Result<Vec<u8>, AssembleError> {
        signed::assemble_in_place(self, signature)
    }
}

/// Checks a draft against its order.
pub fn lint(draft: CrlDraft, order: &CrlOrder<'_>) -> Result<LintedCrl, LintFailed> {
    let (fields, entries) = Fields::read(draft.der())
        .map_err(|e| single("decodable", "RFC 5280, 5.1", e.to_string()))?;
    let survey = Survey::of(entries.unwrap_or_default(), order);
    apply(&rules(), &Case { order, fields: &fields, entries, survey: &survey })?;
    let (algorithm, issuer) = (order.signature_algorithm(), order.issuer.key.clone());
    Ok(LintedCrl { tbs: draft.0, algorithm, issuer })
}

fn version(case: &Case<'_>) -> Result<(), String> {
    demand(case.fields.version == [1], "the version is not 2")
}

fn algorithm(case: &Case<'_>) -> Result<(), String> {
    let demanded = case.order.signature_algorithm().identifier();
    demand(case.fields.algorithm == demanded, "the algorithm is not that of the issuer's key")
}

fn issuer_name(case: &Case<'_>) -> Result<(), String> {
    demand(
        case.fields.issuer == case.order.issuer.name,
        "the issuer's name differs from the subject of its certificate",
    )
}

fn dates_ordered(case: &Case<'_>) -> Result<(), String> {
    let found = [case.fields.this_update, case.fields.next_update];
    let demanded = [case.order.this_update.floor(), case.order.next_update.floor()];
    demand(found == demanded, "the dates are not the ordered ones")
}

fn dates_form(case: &Case<'_>) -> Result<(), String> {
    let [first, second] = case.fields.date_tags;
    date_form(case.fields.this_update, first)?;
    date_form(case.fields.next_update, second)
}

fn next_update(case: &Case<'_>) -> Result<(), String> {
    demand(case.fields.this_update < case.fields.next_update, "nextUpdate is not after thisUpdate")
}

fn number_rising(case: &Case<'_>) -> Result<(), String> {
    let CrlOrder { number, previous, .. } = *case.order;
    demand(
        previous.is_none_or(|previous| number > previous) && number > 0,
        format!("{number} does not follow {}", previous.unwrap_or(0)),
    )
}

/// A delta tells of a complete list with a lower number.
fn delta_base(case: &Case<'_>) -> Result<(), String> {
    let CrlKind::Delta { base } = case.order.kind else { return Ok(()) };
    demand(
        (1..case.order.number).contains(&base),
        format!("{base} is no number of a list before {}", case.order.number),
    )
}

/// What critical extensions the draft has: an IDP exactly where a shard is ordered, so that nobody
/// takes a part for the whole, or the whole for a part.
fn shard(case: &Case<'_>) -> Result<(), String> {
    let scope = find(case, oid::ISSUING_DISTRIBUTION_POINT);
    match (case.order.shard, scope) {
        (None, None) => Ok(()),
        (Some(_), Some(extension)) => {
            demand(extension.critical, "the issuing distribution point is not critical")
        }
        (None, Some(_)) => Err("a list of everything has an issuing distribution point".to_owned()),
        (Some(_), None) => Err("the list of a shard names no distribution point".to_owned()),
    }
}

/// A delta has no freshestCRL.
fn freshest(case: &Case<'_>) -> Result<(), String> {
    let has = [oid::DELTA_CRL_INDICATOR, oid::FRESHEST_CRL].map(|kind| find(case, kind).is_some());
    demand(has != [true, true], "a delta points to a delta")
}

fn find<'a>(case: &Case<'a>, kind: const_oid::ObjectIdentifier) -> Option<&'a Extension> {
    case.fields.extensions.iter().find(|extension| extension.oid == kind)
}

/// Exactly the ordered ones, octet for octet, critical where they must be.
fn extensions(case: &Case<'_>) -> Result<(), String> {
    let found = case.fields.extensions.iter().map(|e| (e.oid, e.critical, e.value.clone()));
    demand(found.eq(case.order.demanded()), "the extensions are not the ordered ones")
}

fn entries_ordered(case: &Case<'_>) -> Result<(), String> {
    let found = case.entries.unwrap_or_default();
    demand(found == case.order.entries.der(), "the entries are not the ordered ones")
}

/// A list without entries has no revokedCertificates at all.
fn entries_present(case: &Case<'_>) -> Result<(), String> {
    let empty = case.entries.is_some_and(<[u8]>::is_empty);
    demand(!empty, "revokedCertificates is there and empty")
}

fn entries_readable(case: &Case<'_>) -> Result<(), String> {
    if let Some(problem) = &case.survey.unreadable {
        return Err(problem.clone());
    }
    demand(
        case.survey.count == case.order.entries.len(),
        "there are more or fewer entries than ordered",
    )
}

/// removeFromCRL stands in delta lists only.
fn removed_in_delta(case: &Case<'_>) -> Result<(), String> {
    match (&case.survey.removed, case.order.kind) {
        (Some(serial), CrlKind::Complete { .. }) => Err(format!("{serial} is removed")),
        (_, CrlKind::Delta { .. }) | (None, CrlKind::Complete { .. }) => Ok(()),
    }
}

fn entries_once(case: &Case<'_>) -> Result<(), String> {
    let same = |[one, other]: &[u64; 2]| one == other;
    if !case.survey.marks.array_windows().any(same) {
        return Ok(());
    }
    // Two that end alike are compared whole.
    let entries = RawEntries::new(case.entries.unwrap_or_default());
    let mut all: Vec<&[u8]> = entries.flatten().map(|entry| entry.serial).collect();
    all.sort_unstable();
    let twice = all.array_windows().find(|[one, other]| one == other);
    twice.map_or(Ok(()), |[one, _]| Err(format!("{} stands twice", hex::encode_upper(one))))
}

fn entries_past(case: &Case<'_>) -> Result<(), String> {
    match &case.survey.future {
        Some(serial) => Err(format!("{serial} is revoked after thisUpdate")),
        None => Ok(()),
    }
}

#[cfg(test)]
pub(super) fn rule_names() -> Vec<&'static str> {
    rules().iter().map(|rule| rule.name).collect()
}
