//! What a seal certificate says about its holder (DOMAIN 12.2), before any encoding.

use serde::{Deserialize, Serialize};

use crate::branch::{Branch, BranchKind};
use crate::identifier::OrganizationIdentifier;
use crate::name::{NAME_MAX_CHARS, Name};
use crate::organisation::Organisation;
use crate::refusal::{Refusal, RefusalCode};

/// The subject of a seal certificate. The order of the fields is the order of the RDNs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealSubject {
    /// countryName.
    pub country: String,
    /// stateOrProvinceName.
    pub region: Option<Name>,
    /// localityName.
    pub locality: Option<Name>,
    /// organizationName: the legal name.
    pub organisation: Name,
    /// organizationIdentifier.
    pub identifier: OrganizationIdentifier,
    /// organizationalUnitName: the branch as registered; absent for the organisation's own seal.
    pub unit: Option<Name>,
    /// serialNumber: branch code, `/`, instance of two digits or more.
    pub serial_number: String,
    /// commonName: the seal's display name.
    pub common_name: Name,
    /// The same in Latin script, for subjectAltName; where every part has a Latin form.
    pub latin: Option<LatinSubject>,
}

/// The Latin form of the names; the rest is as in the subject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LatinSubject {
    /// organizationName.
    pub organisation: Name,
    /// organizationalUnitName.
    pub unit: Option<Name>,
    /// commonName.
    pub common_name: Name,
}

impl SealSubject {
    /// The subject of instance `instance` of a branch's seal.
    ///
    /// Refused with `name-invalid` when the display name exceeds 64 characters: nothing is cut.
    pub fn of(
        organisation: &Organisation,
        branch: &Branch,
        instance: i32,
    ) -> Result<Self, Refusal> {
        let whole = branch.kind == BranchKind::HeadOffice;
        let unit = (!whole).then(|| branch.name.clone());
        let latin_unit = if whole { None } else { branch.latin_name.clone() };
        let latin = match (&organisation.latin_name, &latin_unit, whole) {
            (Some(name), None, true) | (Some(name), Some(_), _) => Some(LatinSubject {
                organisation: name.clone(),
                common_name: display_name(name, latin_unit.as_ref(), "e-Seal")?,
                unit: latin_unit,
            }),
            (Some(_), None, false) | (None, _, _) => None,
        };
        Ok(Self {
            country: organisation.address.country.clone(),
            region: branch.address.region.clone(),
            locality: branch.address.locality.clone(),
            organisation: organisation.legal_name.clone(),
            identifier: organisation.identifier.clone(),
            common_name: display_name(&organisation.legal_name, unit.as_ref(), "電子印")?,
            unit,
            serial_number: format!("{}/{instance:02}", branch.code),
            latin,
        })
    }
}

fn display_name(organisation: &Name, unit: Option<&Name>, suffix: &str) -> Result<Name, Refusal> {
    let text = match unit {
        Some(unit) => format!("{organisation} {unit} {suffix}"),
        None => format!("{organisation} {suffix}"),
    };
    Name::parse(&text).map_err(|_| {
        Refusal::new(RefusalCode::NameInvalid, "4.4")
            .with("problem", "display-name-too-long")
            .with("name", &text)
            .with("limit", NAME_MAX_CHARS)
    })
}
