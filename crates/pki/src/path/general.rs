//! General names, and where CRLs are found: distribution points (RFC 5280, 4.2.1.6, 4.2.1.13,
//! 5.2.5).

use super::name::{DistinguishedName, RelativeName};
use crate::asn1::read::{Element, Reader};
use crate::asn1::{DerError, tag};

/// A general name. Forms that are never compared in part keep their octets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum GeneralName {
    /// rfc822Name.
    Mail(String),
    /// dNSName.
    Dns(String),
    /// directoryName.
    Directory(DistinguishedName),
    /// uniformResourceIdentifier.
    Uri(String),
    /// iPAddress, or address and mask.
    Ip(Vec<u8>),
    /// otherName, x400Address, ediPartyName or registeredID: identifier octet and content.
    Unsupported(u8, Vec<u8>),
}

impl GeneralName {
    pub(crate) fn of(element: &Element<'_>) -> Result<Self, DerError> {
        let ia5 = || {
            let text = std::str::from_utf8(element.content).ok().filter(|text| text.is_ascii());
            text.map(str::to_owned).ok_or(DerError::Value("a name is not an IA5String"))
        };
        Ok(match element.tag {
            0x81 => Self::Mail(ia5()?),
            0x82 => Self::Dns(ia5()?),
            0xA4 => {
                let mut inner = Reader::new(element.content);
                let name = DistinguishedName::read(&mut inner)?;
                inner.finish()?;
                Self::Directory(name)
            }
            0x86 => Self::Uri(ia5()?),
            0x87 => Self::Ip(element.content.to_vec()),
            form @ (0xA0 | 0xA3 | 0xA5 | 0x88) => Self::Unsupported(form, element.content.to_vec()),
            _ => return Err(DerError::Value("a general name has an unknown form")),
        })
    }

    /// Reads the content of GeneralNames, at least one.
    pub(crate) fn several(mut reader: Reader<'_>) -> Result<Vec<Self>, DerError> {
        let mut names = Vec::new();
        while !reader.is_empty() {
            names.push(Self::of(&reader.any()?)?);
        }
        if names.is_empty() { Err(DerError::Value("a list of names is empty")) } else { Ok(names) }
    }
}

/// The directory names among `names`.
pub(crate) fn directories(names: &[GeneralName]) -> impl Iterator<Item = &DistinguishedName> {
    names.iter().filter_map(|name| match name {
        GeneralName::Directory(name) => Some(name),
        GeneralName::Mail(_)
        | GeneralName::Dns(_)
        | GeneralName::Uri(_)
        | GeneralName::Ip(_)
        | GeneralName::Unsupported(..) => None,
    })
}

/// A set of reasons for revocation (ReasonFlags); bit `n` stands for the named bit `n`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reasons(u16);

impl Reasons {
    pub(crate) const NONE: Self = Self(0);
    /// keyCompromise (1) to aACompromise (8).
    pub(crate) const ALL: Self = Self(0b1_1111_1110);

    /// The reasons in the content of a BIT STRING.
    fn of(content: &[u8]) -> Result<Self, DerError> {
        Ok(Self(named_bits(content)? & Self::ALL.0))
    }

    pub(crate) const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(crate) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether there is a reason in `self` that `other` has not.
    pub(crate) const fn exceeds(self, other: Self) -> bool {
        self.0 & !other.0 != 0
    }
}

/// The first 16 named bits of a BIT STRING; bit `n` of the result is the named bit `n`.
pub(crate) fn named_bits(content: &[u8]) -> Result<u16, DerError> {
    let (unused, octets) =
        content.split_first().ok_or(DerError::Value("a BIT STRING is not well-formed"))?;
    if *unused > 7 || (octets.is_empty() && *unused > 0) {
        return Err(DerError::Value("a BIT STRING is not well-formed"));
    }
    let mut first_two = octets.iter().chain([&0, &0]);
    let mut octet = || first_two.next().copied().unwrap_or(0).reverse_bits();
    Ok(u16::from_le_bytes([octet(), octet()]))
}

/// DistributionPointName.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PointName {
    Full(Vec<GeneralName>),
    /// Relative to the name of the CRL's issuer.
    Relative(RelativeName),
}

impl PointName {
    /// Reads the CHOICE inside an explicit `[0]`.
    fn read(mut reader: Reader<'_>) -> Result<Self, DerError> {
        let choice = reader.any()?;
        reader.finish()?;
        match choice.tag {
            0xA0 => GeneralName::several(Reader::new(choice.content)).map(Self::Full),
            0xA1 => RelativeName::of_set(choice.content).map(Self::Relative),
            _ => Err(DerError::Value("the name of a distribution point has an unknown form")),
        }
    }

    /// All the names, the relative one below each of `issuers`.
    pub(crate) fn names<'a>(
        &self,
        issuers: impl Iterator<Item = &'a DistinguishedName>,
    ) -> Vec<GeneralName> {
        match self {
            Self::Full(names) => names.clone(),
            Self::Relative(part) => {
                issuers.map(|issuer| GeneralName::Directory(issuer.below(part))).collect()
            }
        }
    }
}

/// Where a certificate says its CRL is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DistributionPoint {
    pub(crate) name: Option<PointName>,
    pub(crate) reasons: Reasons,
    pub(crate) crl_issuer: Vec<GeneralName>,
}

impl DistributionPoint {
    /// The point of RFC 5280, 6.3.3, last paragraph: the CRLs of the issuer itself.
    pub(crate) fn of_issuer(issuer: &DistinguishedName) -> Self {
        let name = PointName::Full(vec![GeneralName::Directory(issuer.clone())]);
        Self { name: Some(name), reasons: Reasons::ALL, crl_issuer: Vec::new() }
    }

    /// Reads CRLDistributionPoints.
    pub(crate) fn several(value: &[u8]) -> Result<Vec<Self>, DerError> {
        let mut list = crate::asn1::read::sequence(value)?;
        let mut points = Vec::new();
        while !list.is_empty() {
            points.push(Self::read(list.enter(tag::SEQUENCE)?)?);
        }
        if points.is_empty() {
            Err(DerError::Value("a list of points is empty"))
        } else {
            Ok(points)
        }
    }

    fn read(mut reader: Reader<'_>) -> Result<Self, DerError> {
        let name = reader.enter_optional(tag::context(0))?.map(PointName::read).transpose()?;
        let reasons = optional(&mut reader, tag::primitive(1))?.map(Reasons::of).transpose()?;
        let crl_issuer =
            reader.enter_optional(tag::context(2))?.map(GeneralName::several).transpose()?;
        reader.finish()?;
        if name.is_none() && crl_issuer.is_none() {
            return Err(DerError::Value("a distribution point names nothing"));
        }
        Ok(Self {
            name,
            reasons: reasons.unwrap_or(Reasons::ALL),
            crl_issuer: crl_issuer.unwrap_or_default(),
        })
    }
}

/// What a CRL covers (IssuingDistributionPoint, 5.2.5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scope {
    pub(crate) name: Option<PointName>,
    pub(crate) holders: Holders,
    pub(crate) reasons: Reasons,
    pub(crate) kind: ListKind,
}

/// Whose certificates a CRL covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holders {
    All,
    /// onlyContainsUserCerts.
    Users,
    /// onlyContainsCACerts.
    Authorities,
    /// onlyContainsAttributeCerts, or a combination that leaves no certificate.
    Nobody,
}

/// Whether a CRL speaks of certificates of other issuers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ListKind {
    Direct,
    Indirect,
}

impl Scope {
    /// Reads IssuingDistributionPoint.
    pub(crate) fn read(value: &[u8]) -> Result<Self, DerError> {
        let mut reader = crate::asn1::read::sequence(value)?;
        let name = reader.enter_optional(tag::context(0))?.map(PointName::read).transpose()?;
        let users = flag(&mut reader, 1)?;
        let authorities = flag(&mut reader, 2)?;
        let reasons = optional(&mut reader, tag::primitive(3))?.map(Reasons::of).transpose()?;
        let indirect = flag(&mut reader, 4)?;
        let attributes = flag(&mut reader, 5)?;
        reader.finish()?;
        let holders = match (users, authorities, attributes) {
            (false, false, false) => Holders::All,
            (true, false, false) => Holders::Users,
            (false, true, false) => Holders::Authorities,
            (_, _, true) | (true, true, false) => Holders::Nobody,
        };
        let kind = if indirect { ListKind::Indirect } else { ListKind::Direct };
        Ok(Self { name, holders, reasons: reasons.unwrap_or(Reasons::ALL), kind })
    }
}

/// The content of the next value if it is of this type.
pub(crate) fn optional<'a>(
    reader: &mut Reader<'a>,
    expected: u8,
) -> Result<Option<&'a [u8]>, DerError> {
    if reader.next_is(expected) { reader.content(expected).map(Some) } else { Ok(None) }
}

/// `[n] IMPLICIT BOOLEAN DEFAULT FALSE`; an explicit FALSE is let pass.
fn flag(reader: &mut Reader<'_>, n: u8) -> Result<bool, DerError> {
    optional(reader, tag::primitive(n))?.map_or(Ok(false), truth)
}

/// The content of a BOOLEAN.
pub(crate) fn truth(content: &[u8]) -> Result<bool, DerError> {
    match content {
        [0] => Ok(false),
        [0xFF] => Ok(true),
        _ => Err(DerError::Value("a BOOLEAN is not written as DER demands")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_named_bits() {
        let all = Reasons::of(&[7, 0x7F, 0x80]).unwrap();
        assert_eq!(all, Reasons::ALL);
        let key = Reasons::of(&[6, 0x40]).unwrap();
        assert_eq!(key, Reasons(0b10));
        assert!(all.exceeds(key) && !key.exceeds(all));
        assert_eq!(Reasons::of(&[0, 0x80]), Ok(Reasons::NONE));
        assert!(Reasons::of(&[]).is_err());
        assert!(Reasons::of(&[8, 0]).is_err());
    }

    #[test]
    fn a_distribution_point_names_something() {
        assert!(DistributionPoint::several(&hex::decode("30023000").unwrap()).is_err());
        assert!(DistributionPoint::several(&hex::decode("3000").unwrap()).is_err());
        let uri = hex::decode("300b3009a007a0058603612f62").unwrap();
        let points = DistributionPoint::several(&uri).unwrap();
        let name = PointName::Full(vec![GeneralName::Uri("a/b".to_owned())]);
        assert_eq!(points[0].name, Some(name));
    }

    #[test]
    fn a_scope_of_users_and_authorities_covers_nobody() {
        let check = |text: &str, expected| {
            assert_eq!(Scope::read(&hex::decode(text).unwrap()).unwrap().holders, expected);
        };
        check("3000", Holders::All);
        check("30038101ff", Holders::Users);
        check("30068101ff8201ff", Holders::Nobody);
        check("30038501ff", Holders::Nobody);
        check("3003810100", Holders::All);
    }
}
