//! What a seal certificate says about its holder (DOMAIN 12.2), before any encoding.

use serde::{Deserialize, Serialize};

use crate::branch::{Branch, BranchKind};
use crate::identifier::OrganizationIdentifier;
use crate::level::Level;
use crate::name::{NAME_MAX_CHARS, Name};
use crate::organisation::Organisation;
use crate::refusal::{Refusal, RefusalCode};

/// organizationalUnitName of a seal whose key is the service's, on instruction (DOMAIN 12.2). No
/// branch may have this name.
pub const WITNESS_UNIT: &str = "Witness-type seal service";

/// Whose seal it is. It follows from the subject, so that the certificate says it too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SealForm {
    /// The organisation's own: no unit, instance of the head office.
    Organisation,
    /// A branch's, with the branch as unit.
    Branch,
    /// The service's, sealing for others.
    Witness,
}

impl SealForm {
    /// The form that goes with an organizationalUnitName.
    pub fn of_unit(unit: Option<&str>) -> Self {
        match unit {
            None => Self::Organisation,
            Some(WITNESS_UNIT) => Self::Witness,
            Some(_) => Self::Branch,
        }
    }

    /// DOMAIN 5: witness-type seals are refused at level 3.
    pub fn check_level(self, level: Level) -> Result<(), Refusal> {
        match (self, level) {
            (Self::Witness, Level::Three) => {
                Err(Refusal::new(RefusalCode::LevelNotAllowed, "5").with("level", level))
            }
            (Self::Organisation | Self::Branch, _) | (Self::Witness, Level::One | Level::Two) => {
                Ok(())
            }
        }
    }
}

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
        if branch.name.as_str() == WITNESS_UNIT {
            return Err(Refusal::new(RefusalCode::NameInvalid, "12.2")
                .with("problem", "reserved")
                .with("name", &branch.name));
        }
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

    /// The subject of instance `instance` of a witness-type seal: the names are the service's, and
    /// there is no place.
    pub fn of_witness(service: &Organisation, instance: i32) -> Result<Self, Refusal> {
        let unit = Name::parse(WITNESS_UNIT)?;
        let latin = service.latin_name.as_ref().map(|name| {
            Ok::<_, Refusal>(LatinSubject {
                organisation: name.clone(),
                unit: Some(unit.clone()),
                common_name: display_name(name, None, "Witness e-Seal")?,
            })
        });
        Ok(Self {
            country: service.address.country.clone(),
            region: None,
            locality: None,
            organisation: service.legal_name.clone(),
            identifier: service.identifier.clone(),
            common_name: display_name(&service.legal_name, None, "立会人型電子印")?,
            latin: latin.transpose()?,
            unit: Some(unit),
            serial_number: format!("{instance:02}"),
        })
    }

    /// Whose seal it is.
    pub fn form(&self) -> SealForm {
        SealForm::of_unit(self.unit.as_ref().map(Name::as_str))
    }

    /// The same without region and city, for authorities with name constraints (DOMAIN 12.4).
    #[must_use]
    pub fn without_place(self) -> Self {
        Self { region: None, locality: None, ..self }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn check(unit: Option<&str>, level: Level, expected: Option<RefusalCode>) {
        let refused = SealForm::of_unit(unit).check_level(level).err().map(|r| r.code);
        assert_eq!(refused, expected, "{unit:?} {level}");
    }

    #[test]
    fn a_witness_seal_is_refused_at_level_3() {
        for level in Level::ALL {
            check(None, level, None);
            check(Some("大阪支店"), level, None);
        }
        check(Some(WITNESS_UNIT), Level::Two, None);
        check(Some(WITNESS_UNIT), Level::Three, Some(RefusalCode::LevelNotAllowed));
    }
}
