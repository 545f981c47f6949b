//! The names that a dedicated issuing authority may certify (DOMAIN 12.4; RFC 5280, 4.2.1.10).
//!
//! A scope is a list of permitted directoryName subtrees. Not here: other forms of names and
//! excluded subtrees, which no profile has; path validation reads those for itself.

use tenkoku_domain::authority::AuthorityName;
use tenkoku_domain::identifier::OrganizationIdentifier;
use tenkoku_domain::name::Name;
use tenkoku_domain::refusal::Refusal;

use crate::asn1::{DerError, read, tag};
use crate::name::DistinguishedName;

/// The subtrees under which every certified name must lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameScope(Vec<DistinguishedName>);

impl NameScope {
    /// The names of one organisation: C, O, organizationIdentifier, in script and, where there is
    /// one, in Latin, because the Latin form in subjectAltName is constrained too. The operator's
    /// own names are permitted last, for the OCSP signer of the authority.
    ///
    /// A region or city stands before O in a seal's subject and would leave the subtree, so seals
    /// of a dedicated authority carry neither.
    pub fn of(
        country: &str,
        organisation: &Name,
        latin: Option<&Name>,
        identifier: &OrganizationIdentifier,
        operator: &AuthorityName,
    ) -> Result<Self, Refusal> {
        let script = DistinguishedName::subtree(country, organisation, identifier)?;
        let latin = latin.map(|name| DistinguishedName::subtree(country, name, identifier));
        let AuthorityName { country, organisation, identifier, .. } = operator;
        let own = DistinguishedName::subtree(country, organisation, identifier)?;
        Ok(Self([Some(script), latin.transpose()?, Some(own)].into_iter().flatten().collect()))
    }

    /// A scope in which no name lies.
    pub const fn nothing() -> Self {
        Self(Vec::new())
    }

    /// Reads the value of nameConstraints that has permitted directory names and nothing else.
    pub(crate) fn parse(value: &[u8]) -> Result<Self, DerError> {
        let mut constraints = read::sequence(value)?;
        let mut subtrees = constraints.enter(tag::context(0))?;
        constraints.finish()?;
        let mut permitted = Vec::new();
        while !subtrees.is_empty() {
            let mut subtree = subtrees.enter(tag::SEQUENCE)?;
            let base = subtree.content(tag::context(4))?;
            subtree.finish()?;
            permitted.push(DistinguishedName::parse(base)?);
        }
        Ok(Self(permitted))
    }

    /// The subtrees.
    pub fn permitted(&self) -> &[DistinguishedName] {
        &self.0
    }

    /// Whether a name begins with one of the subtrees, attribute for attribute. No folding: the
    /// names compared were written by the same hand.
    pub fn permits(&self, name: &DistinguishedName) -> bool {
        self.0.iter().any(|subtree| name.attributes().starts_with(subtree.attributes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::specimens::{branch_seal, name, operator, operator_name};

    fn scope() -> NameScope {
        let seal = branch_seal();
        let latin = name("Sample Co., Ltd.");
        NameScope::of("JP", &seal.organisation, Some(&latin), &seal.identifier, &operator_name("x"))
            .unwrap()
    }

    fn check(subject: &DistinguishedName, expected: bool) {
        assert_eq!(scope().permits(subject), expected, "{subject}");
    }

    #[test]
    fn an_organisation_s_names_lie_in_its_scope_and_others_do_not() {
        let mut seal = branch_seal();
        check(&DistinguishedName::of_seal(&seal).unwrap(), true);
        check(&DistinguishedName::of_seal_latin(&seal).unwrap().unwrap(), true);
        check(&operator("OCSP Signer"), true);
        seal.locality = Some(name("大阪市"));
        check(&DistinguishedName::of_seal(&seal).unwrap(), false);
        seal = branch_seal();
        seal.organisation = name("別の会社");
        check(&DistinguishedName::of_seal(&seal).unwrap(), false);
    }

    #[test]
    fn constraints_of_another_form_are_not_read_as_a_scope() {
        // permitted [0] with a dNSName; excluded [1] alone; nothing at all.
        for value in ["3007a0053003820161", "3007a1053003820161", "3000"] {
            assert!(NameScope::parse(&hex::decode(value).unwrap()).is_err(), "{value}");
        }
        assert!(!NameScope::nothing().permits(&operator("x")));
    }
}
