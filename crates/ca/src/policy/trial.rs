//! What a policy would say: about one key before it is handed in, and about every live credential
//! before a draft is in force. Nothing is changed, nothing recorded.

use std::collections::BTreeMap;

use tenkoku_domain::access::{Permit, Scope, ViewRegistry};
use tenkoku_domain::certificate::{Certificate, Profile};
use tenkoku_domain::id::BranchId;
use tenkoku_domain::key::{Key, OriginClass};
use tenkoku_domain::level::Level;
use tenkoku_domain::policy::KeyPolicy;
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_domain::time::Timestamp;
use tenkoku_pki::cert::Certificate as Parsed;
use tenkoku_pki::csr::Request;
use tenkoku_pki::key::PublicKey;
use tenkoku_ports::Env;
use tenkoku_store::{CertificateFilter, StoreError};

/// Certificates that are read at once.
const PAGE: i64 = 500;

const SECONDS_OF_A_DAY: i64 = 86_400;

/// What is tried under a policy, PEM or DER.
#[derive(Clone, Copy, Debug)]
pub enum Specimen<'a> {
    /// A certification request.
    Request(&'a [u8]),
    /// A certificate, of any issuer.
    Certificate(&'a [u8]),
}

/// What one rule says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// The rule.
    pub rule: &'static str,
    /// The refusal; `None` where it passes.
    pub refusal: Option<Refusal>,
}

/// A live credential that a policy would refuse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The credential.
    pub certificate: Certificate,
    /// Its level.
    pub level: Level,
    /// What would be refused, each rule once.
    pub refusals: Vec<Refusal>,
}

fn check(rule: &'static str, result: Result<(), Refusal>) -> Check {
    Check { rule, refusal: result.err() }
}

/// What each rule says about a request or a certificate at a level. The origin counts as unknown:
/// nothing about it is in either.
pub fn test_key(
    env: &Env,
    _permit: &Permit<ViewRegistry>,
    policy: &KeyPolicy,
    level: Level,
    specimen: Specimen<'_>,
) -> Result<Vec<Check>, StoreError> {
    let now = env.clock.now();
    let mut checks = Vec::new();
    let Some((key, days)) = read(specimen, &mut checks) else { return Ok(checks) };
    checks.push(check("KM-1", policy.check_algorithm(level, key.algorithm(), now)));
    let known = env.store.read(|tx| tx.find_key_by_fingerprint(&key.fingerprint()))?;
    let fresh = match known {
        None => Ok(()),
        // Nothing about the holder: the key may be another's.
        Some(_) => Err(Refusal::new(RefusalCode::KeyDuplicate, "KM-6")),
    };
    checks.push(check("KM-6", fresh));
    checks.push(check("KM-8", policy.check_origin(level, OriginClass::K0)));
    if let Some(days) = days {
        checks.push(check("KM-12", policy.check_validity(level, days)));
    }
    Ok(checks)
}

/// The key of a specimen, and the validity in days where it has one. What is wrong with the key
/// itself, or with the proof of possession, is among the checks.
fn read(specimen: Specimen<'_>, checks: &mut Vec<Check>) -> Option<(PublicKey, Option<i64>)> {
    let found = match specimen {
        Specimen::Request(bytes) => Request::parse(bytes)
            .map(|request| (request.key().clone(), None))
            .map_err(|error| error.refusal()),
        Specimen::Certificate(bytes) => certified(bytes),
    };
    let possession = matches!(specimen, Specimen::Request(_));
    match found {
        Ok(found) => {
            checks.push(check("KM-2", Ok(())));
            checks.push(check("KM-4", Ok(())));
            if possession {
                checks.push(check("KM-7", Ok(())));
            }
            Some(found)
        }
        Err(refusal) => {
            let rule = ["KM-1", "KM-2", "KM-3", "KM-4", "KM-5", "KM-7"];
            let rule = rule.into_iter().find(|rule| *rule == refusal.rule).unwrap_or("KM-2");
            checks.push(check(rule, Err(refusal)));
            None
        }
    }
}

fn certified(bytes: &[u8]) -> Result<(PublicKey, Option<i64>), Refusal> {
    let wrong =
        |problem: String| Refusal::new(RefusalCode::KeyParameters, "KM-2").with("problem", problem);
    let certificate = Parsed::parse(bytes).map_err(|error| wrong(error.to_string()))?;
    let key = certificate.public_key().map_err(|error| error.refusal())?;
    let validity = certificate.validity();
    Ok((key, Some(days(validity.not_before, validity.not_after))))
}

/// Whole days, a begun one counted: both ends belong to a validity.
fn days(from: Timestamp, to: Timestamp) -> i64 {
    let seconds = to.seconds().saturating_sub(from.seconds());
    seconds.saturating_add(SECONDS_OF_A_DAY) / SECONDS_OF_A_DAY
}

/// The live credentials that a policy would refuse. KM-14 is counted for each branch and level.
pub fn dry_run(
    env: &Env,
    permit: &Permit<ViewRegistry>,
    policy: &KeyPolicy,
) -> Result<Vec<Violation>, StoreError> {
    let now = env.clock.now();
    let (mut violations, mut live) = (Vec::new(), BTreeMap::new());
    let mut after: Option<String> = None;
    loop {
        let (page, next) = credentials(env, permit.scope(), after.as_deref(), now)?;
        for (certificate, level, key) in page {
            let mut refusals = refusals(policy, level, &certificate, &key, now);
            if let Some(seal) = &certificate.seal {
                refusals.extend(too_many(policy, &mut live, &seal.branch, level).err());
            }
            if !refusals.is_empty() {
                violations.push(Violation { certificate, level, refusals });
            }
        }
        match next {
            Some(next) => after = Some(next),
            None => return Ok(violations),
        }
    }
}

type Credentials = (Vec<(Certificate, Level, Key)>, Option<String>);

/// A page of live credentials with their keys, and where the next begins.
fn credentials(
    env: &Env,
    scope: &Scope,
    after: Option<&str>,
    now: Timestamp,
) -> Result<Credentials, StoreError> {
    env.store.read(|tx| {
        let page = tx.list_certificates(scope, &CertificateFilter::default(), after, PAGE)?;
        let mut found = Vec::new();
        for certificate in page.items.into_iter().filter(|one| one.is_live(now)) {
            let of = |level: &Level| Profile::seal(*level) == certificate.profile;
            let Some(level) = Level::ALL.into_iter().find(of) else { continue };
            let key = tx.load_key(&certificate.key)?;
            found.push((certificate, level, key));
        }
        Ok((found, page.next))
    })
}

fn refusals(
    policy: &KeyPolicy,
    level: Level,
    certificate: &Certificate,
    key: &Key,
    now: Timestamp,
) -> Vec<Refusal> {
    let validity = certificate.validity;
    let seals = certificate.sealing_not_after.map(|end| days(validity.not_before, end));
    let checks = [
        policy.check_algorithm(level, key.algorithm, now),
        policy.check_origin(level, key.origin),
        policy.check_validity(level, days(validity.not_before, validity.not_after)),
        seals.map_or(Ok(()), |days| policy.check_sealing_period(level, days)),
    ];
    checks.into_iter().filter_map(Result::err).collect()
}

fn too_many(
    policy: &KeyPolicy,
    live: &mut BTreeMap<(BranchId, Level), i64>,
    branch: &BranchId,
    level: Level,
) -> Result<(), Refusal> {
    let count = live.entry((branch.clone(), level)).or_insert(0);
    *count += 1;
    policy.check_instances(count.saturating_sub(1))
}
