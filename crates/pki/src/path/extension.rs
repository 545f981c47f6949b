//! The extensions of certificates and CRLs that are numbers, bits and identifiers
//! (RFC 5280, 4.2.1 and 5.2).

use const_oid::ObjectIdentifier;

use super::general::{named_bits, truth};
use crate::asn1::read::{Reader, sequence};
use crate::asn1::{DerError, tag};
use crate::oid;

macro_rules! identifiers {
    ($($(#[$doc:meta])* $name:ident = $dotted:literal;)*) => {$(
        $(#[$doc])*
        pub(crate) const $name: ObjectIdentifier = ObjectIdentifier::new_unwrap($dotted);
    )*};
}

identifiers! {
    /// issuerAltName.
    ISSUER_ALT_NAME = "2.5.29.18";
    /// certificateIssuer, of a CRL entry.
    CERTIFICATE_ISSUER = "2.5.29.29";
    /// nameConstraints.
    NAME_CONSTRAINTS = "2.5.29.30";
    /// policyMappings.
    POLICY_MAPPINGS = "2.5.29.33";
    /// policyConstraints.
    POLICY_CONSTRAINTS = "2.5.29.36";
    /// inhibitAnyPolicy.
    INHIBIT_ANY_POLICY = "2.5.29.54";
    /// anyPolicy.
    ANY_POLICY = "2.5.29.32.0";
    /// anyExtendedKeyUsage.
    ANY_PURPOSE = "2.5.29.37.0";
    /// id-qt-cps.
    CPS = "1.3.6.1.5.5.7.2.1";
    /// id-qt-unotice.
    USER_NOTICE = "1.3.6.1.5.5.7.2.2";
}

/// One extension as it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Raw<'a> {
    pub(crate) kind: ObjectIdentifier,
    pub(crate) critical: bool,
    /// The content of extnValue.
    pub(crate) value: &'a [u8],
}

/// The content of an explicit tag around Extensions; none may stand twice (4.2).
pub(crate) fn list(mut explicit: Reader<'_>) -> Result<Vec<Raw<'_>>, DerError> {
    let extensions = explicit.enter(tag::SEQUENCE)?;
    explicit.finish()?;
    each(extensions)
}

/// The content of Extensions.
pub(crate) fn each(mut extensions: Reader<'_>) -> Result<Vec<Raw<'_>>, DerError> {
    let mut all: Vec<Raw<'_>> = Vec::new();
    while !extensions.is_empty() {
        let mut one = extensions.enter(tag::SEQUENCE)?;
        let kind = one.oid()?;
        let critical = boolean(&mut one)?;
        let value = one.content(tag::OCTET_STRING)?;
        one.finish()?;
        if all.iter().any(|known| known.kind == kind) {
            return Err(DerError::Value("an extension stands twice"));
        }
        all.push(Raw { kind, critical, value });
    }
    Ok(all)
}

/// A BOOLEAN with the default FALSE; an explicit FALSE is let pass.
fn boolean(reader: &mut Reader<'_>) -> Result<bool, DerError> {
    if reader.next_is(tag::BOOLEAN) { truth(reader.content(tag::BOOLEAN)?) } else { Ok(false) }
}

/// Whether a certificate is one of an authority (basicConstraints).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Authority {
    pub(crate) is_authority: bool,
    /// How many authorities that are not self-issued may follow.
    pub(crate) depth: Option<usize>,
}

impl Authority {
    pub(crate) fn read(value: &[u8]) -> Result<Self, DerError> {
        let mut reader = sequence(value)?;
        let is_authority = boolean(&mut reader)?;
        let depth = if reader.is_empty() { None } else { Some(number(reader.unsigned()?)) };
        reader.finish()?;
        Ok(Self { is_authority, depth })
    }
}

/// What a key may sign (keyUsage).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeyUsage(u16);

impl KeyUsage {
    pub(crate) fn read(value: &[u8]) -> Result<Self, DerError> {
        let mut reader = Reader::new(value);
        let bits = named_bits(reader.content(tag::BIT_STRING)?)?;
        reader.finish()?;
        Ok(Self(bits))
    }

    /// digitalSignature (0) or contentCommitment (1).
    pub(crate) const fn signs_documents(self) -> bool {
        self.0 & 0b11 != 0
    }

    /// digitalSignature (0).
    pub(crate) const fn signs(self) -> bool {
        self.0 & 1 != 0
    }

    /// keyCertSign (5).
    pub(crate) const fn signs_certificates(self) -> bool {
        self.0 & 1 << 5 != 0
    }

    /// cRLSign (6).
    pub(crate) const fn signs_lists(self) -> bool {
        self.0 & 1 << 6 != 0
    }
}

/// From how many certificates on something about policies holds: policyConstraints and
/// inhibitAnyPolicy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PolicyLimits {
    pub(crate) require_explicit: Option<usize>,
    pub(crate) inhibit_mapping: Option<usize>,
    pub(crate) inhibit_any: Option<usize>,
}

impl PolicyLimits {
    pub(crate) fn read_constraints(&mut self, value: &[u8]) -> Result<(), DerError> {
        let mut reader = sequence(value)?;
        self.require_explicit = implicit_number(&mut reader, 0)?;
        self.inhibit_mapping = implicit_number(&mut reader, 1)?;
        reader.finish()?;
        if self.require_explicit.is_none() && self.inhibit_mapping.is_none() {
            return Err(DerError::Value("policy constraints constrain nothing"));
        }
        Ok(())
    }

    pub(crate) fn read_any_policy(&mut self, value: &[u8]) -> Result<(), DerError> {
        let mut reader = Reader::new(value);
        self.inhibit_any = Some(number(reader.unsigned()?));
        reader.finish()
    }
}

/// A magnitude as a number; what is larger than any path is as large as can be.
fn number(magnitude: &[u8]) -> usize {
    if magnitude.len() > 4 {
        return usize::MAX;
    }
    magnitude.iter().fold(0, |n, octet| n << 8 | usize::from(*octet))
}

/// `[n] IMPLICIT INTEGER (0..MAX) OPTIONAL`.
fn implicit_number(reader: &mut Reader<'_>, n: u8) -> Result<Option<usize>, DerError> {
    if !reader.next_is(tag::primitive(n)) {
        return Ok(None);
    }
    match reader.content(tag::primitive(n))? {
        [] | [0x80..=0xFF, ..] => Err(DerError::Value("a number is negative")),
        [0, magnitude @ ..] | magnitude => Ok(Some(number(magnitude))),
    }
}

/// The purposes of a key (extKeyUsage).
pub(crate) fn purposes(value: &[u8]) -> Result<Vec<ObjectIdentifier>, DerError> {
    let mut reader = sequence(value)?;
    let mut all = Vec::new();
    while !reader.is_empty() {
        all.push(reader.oid()?);
    }
    Ok(all)
}

/// certificatePolicies; where it is critical, all qualifiers must be known (4.2.1.4).
pub(crate) fn policies(found: &Raw<'_>) -> Result<Vec<ObjectIdentifier>, DerError> {
    let mut reader = sequence(found.value)?;
    let mut policies = Vec::new();
    while !reader.is_empty() {
        let mut information = reader.enter(tag::SEQUENCE)?;
        let policy = information.oid()?;
        if policies.contains(&policy) {
            return Err(DerError::Value("a policy stands twice"));
        }
        policies.push(policy);
        if let Some(qualifiers) = information.enter_optional(tag::SEQUENCE)?
            && !are_known(qualifiers)?
            && found.critical
        {
            return Err(DerError::Value("a qualifier in critical policies is not known"));
        }
        information.finish()?;
    }
    if policies.is_empty() {
        Err(DerError::Value("a list of policies is empty"))
    } else {
        Ok(policies)
    }
}

fn are_known(mut qualifiers: Reader<'_>) -> Result<bool, DerError> {
    let mut known = true;
    while !qualifiers.is_empty() {
        let kind = qualifiers.enter(tag::SEQUENCE)?.oid()?;
        known &= kind == CPS || kind == USER_NOTICE;
    }
    Ok(known)
}

/// policyMappings.
pub(crate) fn mappings(
    value: &[u8],
) -> Result<Vec<(ObjectIdentifier, ObjectIdentifier)>, DerError> {
    let mut reader = sequence(value)?;
    let mut pairs = Vec::new();
    while !reader.is_empty() {
        let mut pair = reader.enter(tag::SEQUENCE)?;
        pairs.push((pair.oid()?, pair.oid()?));
        pair.finish()?;
    }
    if pairs.is_empty() { Err(DerError::Value("a list of mappings is empty")) } else { Ok(pairs) }
}

/// A whole OCTET STRING.
pub(crate) fn octets(value: &[u8]) -> Result<Vec<u8>, DerError> {
    let mut reader = Reader::new(value);
    let content = reader.content(tag::OCTET_STRING)?.to_vec();
    reader.finish()?;
    Ok(content)
}

/// The keyIdentifier of authorityKeyIdentifier.
pub(crate) fn authority_key(value: &[u8]) -> Result<Option<Vec<u8>>, DerError> {
    let mut reader = sequence(value)?;
    if reader.next_is(tag::primitive(0)) {
        return Ok(Some(reader.content(tag::primitive(0))?.to_vec()));
    }
    Ok(None)
}

/// Whether an extension of a CRL or of an entry may be passed over if it is critical: it is
/// processed here, or only informs.
pub(crate) fn is_known_in_lists(kind: &ObjectIdentifier) -> bool {
    [
        oid::CRL_NUMBER,
        oid::DELTA_CRL_INDICATOR,
        oid::ISSUING_DISTRIBUTION_POINT,
        CERTIFICATE_ISSUER,
        oid::CRL_REASON,
        oid::INVALIDITY_DATE,
    ]
    .contains(kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_says_so() {
        let check = |text: &str, expected: Option<(bool, Option<usize>)>| {
            let read = Authority::read(&hex::decode(text).unwrap()).ok();
            assert_eq!(read.map(|a| (a.is_authority, a.depth)), expected, "{text}");
        };
        check("3000", Some((false, None)));
        check("3003010100", Some((false, None)));
        check("30030101ff", Some((true, None)));
        check("30060101ff020100", Some((true, Some(0))));
        check("300a0101ff02050100000000", Some((true, Some(usize::MAX))));
        check("30060101ff0201ff", None);
        check("3003010101", None);
    }

    #[test]
    fn key_usage_is_bits() {
        let usage = KeyUsage::read(&hex::decode("03020106").unwrap()).unwrap();
        assert!(usage.signs_certificates() && usage.signs_lists());
        let usage = KeyUsage::read(&hex::decode("03020780").unwrap()).unwrap();
        assert!(!usage.signs_certificates() && !usage.signs_lists());
    }

    #[test]
    fn policy_limits_are_numbers() {
        let mut limits = PolicyLimits::default();
        limits.read_constraints(&hex::decode("3006800102810103").unwrap()).unwrap();
        limits.read_any_policy(&hex::decode("020105").unwrap()).unwrap();
        assert_eq!(limits.require_explicit, Some(2));
        assert_eq!(limits.inhibit_mapping, Some(3));
        assert_eq!(limits.inhibit_any, Some(5));
        assert!(limits.read_constraints(&hex::decode("3000").unwrap()).is_err());
        assert!(limits.read_constraints(&hex::decode("30038001ff").unwrap()).is_err());
    }
}
