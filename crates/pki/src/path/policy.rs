//! The valid policies of a path, as the graph of RFC 9618, which says the same as the tree of
//! RFC 5280, 6.1 and stays small: each depth holds each policy once.

use std::collections::{BTreeMap, BTreeSet};

use const_oid::ObjectIdentifier;

use super::extension::ANY_POLICY;

type Policies = BTreeSet<ObjectIdentifier>;

/// How many nodes a graph may have in all; more is an attack.
const NODES: usize = 50_000;

/// One policy at one depth.
#[derive(Clone, Debug, Default)]
struct Node {
    expected: Policies,
    /// The policies of the nodes above, of the depth before.
    parents: Policies,
}

type Level = BTreeMap<ObjectIdentifier, Node>;

/// The graph; without levels it is the NULL of the standard.
#[derive(Clone, Debug)]
pub(crate) struct PolicyGraph {
    levels: Vec<Level>,
    nodes: usize,
}

/// Whether anyPolicy stands for every policy in this certificate (6.1.3 d 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AnyPolicy {
    Processed,
    Inhibited,
}

/// Whether policies may be mapped here (6.1.4 b).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mapping {
    Allowed,
    Inhibited,
}

/// The policies under which a path is valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValidPolicies {
    /// Every policy.
    Any,
    /// These; none of them if it is empty.
    These(BTreeSet<ObjectIdentifier>),
}

impl PolicyGraph {
    /// The graph before the first certificate (6.1.2 a).
    pub(crate) fn new() -> Self {
        let root = Node { expected: Policies::from([ANY_POLICY]), parents: Policies::new() };
        Self { levels: vec![Level::from([(ANY_POLICY, root)])], nodes: 1 }
    }

    /// Whether no policy is left.
    pub(crate) fn is_null(&self) -> bool {
        self.levels.is_empty()
    }

    /// How much work went into it.
    pub(crate) fn size(&self) -> usize {
        self.nodes
    }

    /// Whether it grew beyond all reason.
    pub(crate) fn is_too_large(&self) -> bool {
        self.nodes > NODES
    }

    /// Takes the policies of the next certificate in (6.1.3 d, e).
    pub(crate) fn extend(&mut self, policies: Option<&[ObjectIdentifier]>, any: AnyPolicy) {
        let Some(policies) = policies else {
            self.levels.clear();
            return;
        };
        let Some(above) = self.levels.last() else { return };
        let claims = claims(above);
        let mut level = Level::new();
        for policy in policies.iter().filter(|policy| **policy != ANY_POLICY) {
            let parents = claims
                .get(policy)
                .cloned()
                .or_else(|| above.contains_key(&ANY_POLICY).then(|| Policies::from([ANY_POLICY])));
            if let Some(parents) = parents {
                level.insert(*policy, Node { expected: Policies::from([*policy]), parents });
            }
        }
        if policies.contains(&ANY_POLICY) && any == AnyPolicy::Processed {
            for (policy, parents) in claims {
                let expected = Policies::from([policy]);
                level.entry(policy).or_insert(Node { expected, parents });
            }
        }
        self.nodes += level.values().map(|node| node.parents.len()).sum::<usize>();
        self.levels.push(level);
        self.prune();
    }

    /// Maps policies for the certificates below (6.1.4 b).
    pub(crate) fn map(&mut self, pairs: &[(ObjectIdentifier, ObjectIdentifier)], mapping: Mapping) {
        let mut domains: BTreeMap<ObjectIdentifier, Policies> = BTreeMap::new();
        for (issuer, subject) in pairs {
            domains.entry(*issuer).or_default().insert(*subject);
        }
        self.nodes += pairs.len();
        let Some(level) = self.levels.last_mut() else { return };
        for (policy, expected) in domains {
            match mapping {
                Mapping::Inhibited => drop(level.remove(&policy)),
                Mapping::Allowed if level.contains_key(&ANY_POLICY) => {
                    let parents = Policies::from([ANY_POLICY]);
                    let fresh = || Node { expected: Policies::new(), parents };
                    level.entry(policy).or_insert_with(fresh).expected = expected;
                }
                Mapping::Allowed => {
                    if let Some(node) = level.get_mut(&policy) {
                        node.expected = expected;
                    }
                }
            }
        }
        self.prune();
    }

    /// Removes nodes without children, from below (6.1.3 d 3).
    fn prune(&mut self) {
        let mut levels = self.levels.iter_mut().rev();
        let parents = |level: &Level| -> Policies {
            level.values().flat_map(|node| &node.parents).copied().collect()
        };
        let mut wanted = levels.next().map(|level| parents(level)).unwrap_or_default();
        for level in levels {
            let before = level.len();
            level.retain(|policy, _| wanted.contains(policy));
            if level.len() == before {
                break;
            }
            wanted = parents(level);
        }
        if self.levels.last().is_some_and(BTreeMap::is_empty) {
            self.levels.clear();
        }
    }

    /// The policies of the path that the user accepts (6.1.5 g); no `acceptable` one means any.
    pub(crate) fn accepted(&self, acceptable: &[ObjectIdentifier]) -> ValidPolicies {
        let ends_in_any = self.levels.last().is_some_and(|level| level.contains_key(&ANY_POLICY));
        let below_any =
            self.levels.iter().flatten().filter(|(policy, node)| {
                **policy != ANY_POLICY && node.parents.contains(&ANY_POLICY)
            });
        let of_authorities: Policies = below_any.map(|(policy, _)| *policy).collect();
        if acceptable.is_empty() || acceptable.contains(&ANY_POLICY) {
            return if ends_in_any {
                ValidPolicies::Any
            } else {
                ValidPolicies::These(of_authorities)
            };
        }
        let is_accepted = |p: &&ObjectIdentifier| ends_in_any || of_authorities.contains(*p);
        ValidPolicies::These(acceptable.iter().filter(is_accepted).copied().collect())
    }
}

impl ValidPolicies {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Any => false,
            Self::These(policies) => policies.is_empty(),
        }
    }
}

/// For each policy expected at the depth above, who expects it.
fn claims(above: &Level) -> BTreeMap<ObjectIdentifier, Policies> {
    let mut claims: BTreeMap<ObjectIdentifier, Policies> = BTreeMap::new();
    for (policy, node) in above {
        for expected in &node.expected {
            claims.entry(*expected).or_default().insert(*policy);
        }
    }
    claims
}

#[cfg(test)]
mod tests {
    use super::*;

    fn oid(n: u32) -> ObjectIdentifier {
        ObjectIdentifier::new(&format!("1.2.3.{n}")).unwrap()
    }

    fn these(numbers: &[u32]) -> ValidPolicies {
        ValidPolicies::These(numbers.iter().map(|n| oid(*n)).collect())
    }

    #[test]
    fn a_certificate_without_policies_ends_them() {
        let mut graph = PolicyGraph::new();
        graph.extend(Some(&[oid(1)]), AnyPolicy::Processed);
        assert_eq!(graph.accepted(&[]), these(&[1]));
        graph.extend(None, AnyPolicy::Processed);
        assert!(graph.is_null());
        assert_eq!(graph.accepted(&[]), these(&[]));
    }

    #[test]
    fn any_policy_counts_unless_it_is_inhibited() {
        let mut graph = PolicyGraph::new();
        graph.extend(Some(&[ANY_POLICY]), AnyPolicy::Processed);
        assert_eq!(graph.accepted(&[]), ValidPolicies::Any);
        assert_eq!(graph.accepted(&[oid(1)]), these(&[1]));
        graph.extend(Some(&[ANY_POLICY]), AnyPolicy::Inhibited);
        assert!(graph.is_null());
    }

    #[test]
    fn mapped_policies_are_told_by_the_name_of_the_first_domain() {
        let mut graph = PolicyGraph::new();
        graph.extend(Some(&[oid(1)]), AnyPolicy::Processed);
        graph.map(&[(oid(1), oid(2))], Mapping::Allowed);
        graph.extend(Some(&[oid(2)]), AnyPolicy::Processed);
        assert_eq!(graph.accepted(&[oid(1)]), these(&[1]));
        assert_eq!(graph.accepted(&[oid(2)]), these(&[]));
    }

    #[test]
    fn any_policy_can_be_mapped_one_policy_at_a_time() {
        let mut graph = PolicyGraph::new();
        graph.extend(Some(&[ANY_POLICY]), AnyPolicy::Processed);
        graph.map(&[(oid(1), oid(2))], Mapping::Allowed);
        graph.extend(Some(&[oid(2)]), AnyPolicy::Processed);
        assert_eq!(graph.accepted(&[]), these(&[1]));
    }

    #[test]
    fn an_inhibited_mapping_removes_the_policy() {
        let mut graph = PolicyGraph::new();
        graph.extend(Some(&[oid(1), oid(3)]), AnyPolicy::Processed);
        graph.map(&[(oid(1), oid(2))], Mapping::Inhibited);
        assert_eq!(graph.accepted(&[]), these(&[3]));
    }

    #[test]
    fn mappings_of_everything_to_everything_do_not_explode() {
        let all: Vec<_> = (0..12).map(oid).collect();
        let pairs: Vec<_> = all.iter().flat_map(|a| all.iter().map(|b| (*a, *b))).collect();
        let mut graph = PolicyGraph::new();
        for _ in 0..60 {
            graph.extend(Some(&all), AnyPolicy::Processed);
            graph.map(&pairs, Mapping::Allowed);
        }
        assert_eq!(graph.accepted(&[]), ValidPolicies::These(all.into_iter().collect()));
        assert!(graph.levels.iter().skip(1).all(|level| level.len() == 12));
    }
}
