//! How far a scope reaches, in SQL.
//!
//! A row of one branch is visible to whoever holds its organisation or the branch itself. An
//! organisation is visible to whoever holds it or one of its branches: its name is on their seals.

use tenkoku_domain::access::Scope;
use tenkoku_domain::id::{BranchId, OrganisationId};

/// The identifiers of a scope that does not reach everywhere.
pub(crate) struct Reach<'a> {
    /// Whole organisations.
    pub(crate) organisations: Vec<&'a str>,
    /// Single branches.
    pub(crate) branches: Vec<&'a str>,
}

/// The identifiers of a scope; `None` when it reaches everywhere.
pub(crate) fn reach(scope: &Scope) -> Option<Reach<'_>> {
    match scope {
        Scope::Platform => None,
        Scope::Within { organisations, branches } => Some(Reach {
            organisations: organisations.iter().map(OrganisationId::as_str).collect(),
            branches: branches.iter().map(BranchId::as_str).collect(),
        }),
        Scope::Authorities(_) => Some(Reach { organisations: Vec::new(), branches: Vec::new() }),
    }
}

/// Adds to a boxed query that the row lies within a scope, by its organisation and its branch.
macro_rules! within {
    ($query:expr, $scope:expr, $organisation:expr, $branch:expr) => {
        match $crate::scope::reach($scope) {
            None => $query,
            Some(reach) => $query.filter(
                $organisation.eq_any(reach.organisations).or($branch.eq_any(reach.branches)),
            ),
        }
    };
}
pub(crate) use within;
