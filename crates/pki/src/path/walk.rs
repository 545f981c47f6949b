//! Judging one path from the anchor down (RFC 5280, 6.1.2 to 6.1.6).
//!
//! Signatures and the chain of names were settled when the path was built.

use tenkoku_domain::time::Timestamp;

use super::bag::Held;
use super::certificate::Foreign;
use super::extension::{ANY_POLICY, PolicyLimits};
use super::general::GeneralName;
use super::policy::{AnyPolicy, Mapping, PolicyGraph, ValidPolicies};
use super::search::{Halt, Quest, Search, Source};
use super::{Fault, PolicyDemands, Reason, Revocation, ValidPath};

/// The state variables of 6.1.2.
#[derive(Debug)]
struct State<'q> {
    graph: PolicyGraph,
    explicit: usize,
    mapping: usize,
    any: usize,
    depth: usize,
    constraints: Vec<(Source, &'q Foreign)>,
}

/// Where a certificate stands in the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Between,
    Last,
}

impl<'q> State<'q> {
    /// 6.1.2, with what the anchor's certificate restricts (RFC 5937, 3).
    fn new(anchor: &'q Held, length: usize, demands: &PolicyDemands) -> Self {
        let first = |inhibited: bool| if inhibited { 0 } else { length + 1 };
        let own = &anchor.certificate.extensions;
        let mut state = Self {
            graph: PolicyGraph::new(),
            explicit: first(demands.require_explicit),
            mapping: first(demands.inhibit_mapping),
            any: first(demands.inhibit_any),
            depth: own.authority.and_then(|authority| authority.depth).unwrap_or(length),
            constraints: Vec::new(),
        };
        state.limit(&own.limits);
        if own.constraints.is_some() {
            state.constraints.push((Source::Anchor(anchor.id), &anchor.certificate));
        }
        state
    }

    /// 6.1.4 i and j.
    fn limit(&mut self, limits: &PolicyLimits) {
        let least = |old: usize, new: Option<usize>| new.map_or(old, |new| old.min(new));
        self.explicit = least(self.explicit, limits.require_explicit);
        self.mapping = least(self.mapping, limits.inhibit_mapping);
        self.any = least(self.any, limits.inhibit_any);
    }

    /// 6.1.4 a to n: what this certificate changes for the next.
    fn prepare(&mut self, held: &'q Held) -> Result<(), Fault> {
        let certificate = &held.certificate;
        let own = &certificate.extensions;
        let fault = |reason| Fault::new(reason, &certificate.line);
        if own.mappings.iter().any(|(from, to)| *from == ANY_POLICY || *to == ANY_POLICY) {
            return Err(fault(Reason::Policy));
        }
        let mapping = if self.mapping > 0 { Mapping::Allowed } else { Mapping::Inhibited };
        self.graph.map(&own.mappings, mapping);
        if !certificate.is_self_issued() {
            self.explicit = self.explicit.saturating_sub(1);
            self.mapping = self.mapping.saturating_sub(1);
            self.any = self.any.saturating_sub(1);
            self.depth = self.depth.checked_sub(1).ok_or_else(|| fault(Reason::PathLength))?;
        }
        self.limit(&own.limits);
        if let Some(depth) = own.authority.and_then(|authority| authority.depth) {
            self.depth = self.depth.min(depth);
        }
        if own.constraints.is_some() {
            self.constraints.push((Source::Certificate(held.id), certificate));
        }
        Ok(())
    }

    /// 6.1.5 a, b and g.
    fn wrap_up(&mut self, held: &Held, demands: &PolicyDemands) -> Result<ValidPolicies, Fault> {
        let certificate = &held.certificate;
        self.explicit = self.explicit.saturating_sub(1);
        if certificate.extensions.limits.require_explicit == Some(0) {
            self.explicit = 0;
        }
        let policies = self.graph.accepted(&demands.acceptable);
        if self.explicit == 0 && policies.is_empty() {
            return Err(Fault::new(Reason::Policy, &certificate.line));
        }
        Ok(policies)
    }
}

impl<'q> Search<'q> {
    /// Judges a path: the target first, `anchor` above the last.
    pub(crate) fn walk(
        &mut self,
        anchor: &'q Held,
        path: &[&'q Held],
        quest: &Quest<'q>,
    ) -> Result<ValidPath, Halt> {
        self.step(path.len())?;
        anchor_fault(anchor, path).map_or(Ok(()), Err)?;
        let mut state = State::new(anchor, path.len(), quest.policies);
        for held in path.iter().skip(1).rev() {
            self.judge(&mut state, held, Place::Between)?;
            issuer_fault(held, self.question.at).map_or(Ok(()), Err)?;
            state.prepare(held)?;
        }
        self.judge(&mut state, quest.target, Place::Last)?;
        let policies = state.wrap_up(quest.target, quest.policies)?;
        self.check_revocation(anchor, path, quest)?;
        Ok(ValidPath {
            anchor: anchor.certificate.der.clone(),
            certificates: path.iter().rev().map(|held| held.certificate.der.clone()).collect(),
            subjects: [anchor]
                .into_iter()
                .chain(path.iter().rev().copied())
                .map(|held| held.certificate.line.clone())
                .collect(),
            policies,
        })
    }

    /// 6.1.3 but for signature, name of the issuer, and revocation.
    fn judge(&mut self, state: &mut State<'q>, held: &Held, place: Place) -> Result<(), Halt> {
        let certificate = &held.certificate;
        if let Some(fault) = own_fault(certificate, self.question.at) {
            let is_last = place == Place::Last;
            return Err(if is_last { Halt::Final(fault) } else { Halt::Fault(fault) });
        }
        let is_exempt = place == Place::Between && certificate.is_self_issued();
        if !is_exempt {
            self.check_names(state, held)?;
        }
        let processed = state.any > 0 || is_exempt;
        let any = if processed { AnyPolicy::Processed } else { AnyPolicy::Inhibited };
        let before = state.graph.size();
        state.graph.extend(certificate.extensions.policies.as_deref(), any);
        self.step(state.graph.size().saturating_sub(before))?;
        if state.graph.is_too_large() {
            return Err(Fault::new(Reason::TooComplex, &certificate.line).into());
        }
        if state.explicit == 0 && state.graph.is_null() {
            return Err(Fault::new(Reason::Policy, &certificate.line).into());
        }
        Ok(())
    }

    /// 6.1.3 b and c.
    fn check_names(&mut self, state: &State<'q>, held: &Held) -> Result<(), Halt> {
        for (source, above) in &state.constraints {
            let key = (*source, held.id);
            let allowed = match self.names.get(&key) {
                Some(known) => *known,
                None => self.compare_names(above, &held.certificate)?,
            };
            self.names.insert(key, allowed);
            if !allowed {
                let line = &held.certificate.line;
                return Err(Fault::new(Reason::NameConstraints, line).into());
            }
        }
        Ok(())
    }

    fn compare_names(&mut self, above: &Foreign, below: &Foreign) -> Result<bool, Halt> {
        let Some(constraints) = &above.extensions.constraints else { return Ok(true) };
        let names = names(below);
        self.compare(names.len().saturating_mul(constraints.size()))?;
        Ok(names.iter().all(|name| constraints.allow(name)))
    }

    /// The status of every certificate, from the top (6.1.3 a 3).
    fn check_revocation(
        &mut self,
        anchor: &'q Held,
        path: &[&'q Held],
        quest: &Quest<'q>,
    ) -> Result<(), Halt> {
        if self.question.revocation == Revocation::Ignored {
            return Ok(());
        }
        for place in (0..path.len()).rev() {
            if let Some((held, above)) = path.get(place..).and_then(<[_]>::split_first) {
                self.check_status(anchor, held, above, &quest.signing).map_err(
                    |halt| match halt {
                        Halt::Fault(fault) if place == 0 && fault.reason == Reason::Revoked => {
                            Halt::Final(fault)
                        }
                        other @ (Halt::Fault(_) | Halt::Final(_) | Halt::Spent) => other,
                    },
                )?;
            }
        }
        Ok(())
    }
}

/// All names of a certificate. Mail addresses in the subject count where none stands in the
/// alternative names (4.2.1.10).
fn names(certificate: &Foreign) -> Vec<GeneralName> {
    let mut names = certificate.extensions.names.clone();
    if !names.iter().any(|name| matches!(name, GeneralName::Mail(_))) {
        let addresses = certificate.subject.mail_addresses();
        names.extend(addresses.map(|address| GeneralName::Mail(address.to_owned())));
    }
    if !certificate.subject.is_empty() {
        names.push(GeneralName::Directory(certificate.subject.clone()));
    }
    names
}

/// What is wrong with any certificate of a path, wherever it stands (6.1.3 a 2, 6.1.4 o, 6.1.5 f).
fn own_fault(certificate: &Foreign, at: Timestamp) -> Option<Fault> {
    let fault = |reason| Fault::new(reason, &certificate.line);
    if certificate.extensions.unprocessed.is_some() {
        Some(fault(Reason::Extension))
    } else if at < certificate.not_before {
        Some(fault(Reason::NotYetValid).when(certificate.not_before))
    } else if certificate.not_after < at {
        Some(fault(Reason::Expired).when(certificate.not_after))
    } else {
        None
    }
}

/// What is wrong with a certificate that issues others (6.1.4 k, n).
pub(crate) fn issuer_fault(held: &Held, at: Timestamp) -> Option<Fault> {
    let certificate = &held.certificate;
    if !certificate.is_authority() {
        Some(Fault::new(Reason::NotAuthority, &certificate.line))
    } else if !certificate.signs_certificates() {
        Some(Fault::new(Reason::KeyUsage, &certificate.line))
    } else {
        own_fault(certificate, at)
    }
}

/// What keeps an anchor from issuing: what its certificate says against it. A self-signed
/// certificate that is trusted for itself need not be an authority.
fn anchor_fault(anchor: &Held, path: &[&Held]) -> Option<Fault> {
    let certificate = &anchor.certificate;
    let own = &certificate.extensions;
    let fault = |reason| Some(Fault::new(reason, &certificate.line));
    if own.unprocessed.is_some() {
        return fault(Reason::Extension);
    }
    if path.len() == 1 && path.iter().all(|held| held.certificate.der == certificate.der) {
        return None;
    }
    if own.authority.is_some_and(|authority| !authority.is_authority) {
        fault(Reason::NotAuthority)
    } else if certificate.signs_certificates() {
        None
    } else {
        fault(Reason::KeyUsage)
    }
}
