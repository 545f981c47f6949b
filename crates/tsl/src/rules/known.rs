//! The values that ETSI registers (TS 119 612, 5.5.1, 5.5.4, 5.5.9 and Annex D).
//!
//! Deliberately not here: values that a scheme defines under its own domain.

use crate::model::SchemeInformation;
use crate::ns;

/// What kind of list it is, by type and territory (5.3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ListKind {
    /// `EUgeneric`: the list of a member state.
    EuropeanNational,
    /// `EUlistofthelists`.
    EuropeanListOfLists,
    /// `CClist`: the list of any other territory.
    National,
    /// `CClistofthelists`.
    ListOfLists,
    /// A type of the scheme's own, or one that does not go with the territory.
    Other,
}

impl ListKind {
    pub(super) fn of(scheme: &SchemeInformation) -> Self {
        let territory = scheme.territory.as_str();
        match in_list(scheme.list_type.as_str(), "TSLType/") {
            Some("EUgeneric") => Self::EuropeanNational,
            Some("EUlistofthelists") if territory == "EU" => Self::EuropeanListOfLists,
            Some(name) => match name.strip_prefix(territory) {
                Some("list") => Self::National,
                Some("listofthelists") => Self::ListOfLists,
                Some(_) | None => Self::Other,
            },
            None => Self::Other,
        }
    }

    pub(super) const fn is_european(self) -> bool {
        matches!(self, Self::EuropeanNational | Self::EuropeanListOfLists)
    }

    pub(super) const fn is_list_of_lists(self) -> bool {
        matches!(self, Self::EuropeanListOfLists | Self::ListOfLists)
    }
}

/// Service types, without their base (5.5.1.1 to 5.5.1.3).
const SERVICE_TYPES: &[&str] = &[
    "CA/QC",
    "Certstatus/OCSP/QC",
    "Certstatus/CRL/QC",
    "TSA/QTST",
    "EDS/Q",
    "EDS/REM/Q",
    "PSES/Q",
    "QESValidation/Q",
    "RemoteQSigCDManagement/Q",
    "RemoteQSealCDManagement/Q",
    "EAA/Q",
    "ElectronicArchiving/Q",
    "Ledgers/Q",
    "CA/PKC",
    "Certstatus/OCSP",
    "Certstatus/CRL",
    "TSA",
    "TSA/TSS-QC",
    "TSA/TSS-AdESQCandQES",
    "EDS",
    "EDS/REM",
    "PSES",
    "AdESValidation",
    "AdESGeneration",
    "RemoteSigCDManagement",
    "RemoteSealCDManagement",
    "EAA",
    "ElectronicArchiving",
    "Ledgers",
    "PKCValidation",
    "PKCPreservation",
    "EAAValidation",
    "TSTValidation",
    "EDSValidation",
    "EAA/Pub-EAA",
    "CA/PKC/CertsforOtherTypesOfTS",
    "PKCValidation/CertsforOtherTypesOfTS",
    "RA",
    "RA/nothavingPKIid",
    "ACA",
    "SignaturePolicyAuthority",
    "Archiv",
    "Archiv/nothavingPKIid",
    "IdV",
    "IdV/nothavingPKIid",
    "KEscrow",
    "KEscrow/nothavingPKIid",
    "PPwd",
    "PPwd/nothavingPKIid",
    "TLIssuer",
    "NationalRootCA-QC",
    "unspecified",
];

/// Types that the Regulation qualifies (5.5.1.1); the rest is national or not qualified.
const QUALIFIED: &[&str] = &[
    "CA/QC",
    "Certstatus/OCSP/QC",
    "Certstatus/CRL/QC",
    "TSA/QTST",
    "EDS/Q",
    "EDS/REM/Q",
    "PSES/Q",
    "QESValidation/Q",
    "RemoteQSigCDManagement/Q",
    "RemoteQSealCDManagement/Q",
    "EAA/Q",
    "ElectronicArchiving/Q",
    "Ledgers/Q",
];

/// Types of services that may have no key (5.5.3).
const MAYBE_KEYLESS: &[&str] = &[
    "RemoteQSigCDManagement/Q",
    "RemoteQSealCDManagement/Q",
    "Ledgers/Q",
    "AdESGeneration",
    "RemoteSigCDManagement",
    "RemoteSealCDManagement",
    "Ledgers",
    "unspecified",
];

/// Qualifiers of certificates (5.5.9.2.3), the three of the time before July 2016 last.
const QUALIFIERS: &[&str] = &[
    "QCWithQSCD",
    "QCNoQSCD",
    "QCQSCDStatusAsInCert",
    "QCQSCDManagedOnBehalf",
    "QCForESig",
    "QCForESeal",
    "QCForWSA",
    "QCForLegalPerson",
    "QCStatement",
    "NotQualified",
    "QCWithSSCD",
    "QCNoSSCD",
    "QCSSCDStatusAsInCert",
];

/// Statuses, without their base (5.5.4, D.5.6).
const STATUSES: &[&str] = &[
    "granted",
    "withdrawn",
    "recognisedatnationallevel",
    "deprecatedatnationallevel",
    "undersupervision",
    "supervisionincessation",
    "supervisionceased",
    "supervisionrevoked",
    "accredited",
    "accreditationceased",
    "accreditationrevoked",
    "setbynationallaw",
    "deprecatedbynationallaw",
];

/// Types that may carry `ExpiredCertsRevocationInfo` (5.5.9.1).
const WITH_EXPIRED_INFO: &[&str] = &[
    "CA/PKC",
    "CA/QC",
    "NationalRootCA-QC",
    "Certstatus/OCSP",
    "Certstatus/OCSP/QC",
    "Certstatus/CRL",
    "Certstatus/CRL/QC",
];

/// What certificates of a service are for (5.5.9.4).
const PURPOSES: &[&str] = &["ForeSignatures", "ForeSeals", "ForWebSiteAuthentication"];

/// The part of an address that follows ETSI's base for service types.
pub(super) fn service_type(uri: &str) -> Option<&str> {
    uri.strip_prefix(ns::SERVICE_TYPE)
}

/// Whether the address is a registered service type, or one that somebody else owns.
pub(super) fn is_possible_service_type(uri: &str) -> bool {
    match service_type(uri) {
        Some(name) => SERVICE_TYPES.contains(&name),
        None => !uri.starts_with(ns::REGISTERED),
    }
}

/// Whether the address is a registered status, or one that somebody else owns.
pub(super) fn is_possible_status(uri: &str) -> bool {
    match in_list(uri, "Svcstatus/") {
        Some(name) => STATUSES.contains(&name),
        None => !uri.starts_with(ns::REGISTERED),
    }
}

/// Whether a service of this type may carry `ExpiredCertsRevocationInfo`.
pub(super) fn may_tell_of_expired(uri: &str) -> bool {
    service_type(uri).is_none_or(|name| WITH_EXPIRED_INFO.contains(&name))
}

/// Whether a service of this type may be without a key and is then named by an address (5.5.3).
pub(super) fn may_be_keyless(uri: &str) -> bool {
    service_type(uri)
        .is_none_or(|name| MAYBE_KEYLESS.contains(&name) || name.ends_with("/nothavingPKIid"))
}

/// Whether the address is a registered qualifier, or one that somebody else owns.
pub(super) fn is_possible_qualifier(uri: &str) -> bool {
    match in_list(uri, "SvcInfoExt/") {
        Some(name) => QUALIFIERS.contains(&name),
        None => !uri.starts_with(ns::REGISTERED),
    }
}

/// What a service of this type is called while it is vouched for, and when it is no more (5.5.4).
fn european_words(kind: &str) -> [&'static str; 2] {
    if service_type(kind).is_some_and(|kind| QUALIFIED.contains(&kind)) {
        ["granted", "withdrawn"]
    } else {
        ["recognisedatnationallevel", "deprecatedatnationallevel"]
    }
}

/// The address of the status of a service in a list of the European Union.
pub(super) fn european_status(kind: &str, is_ended: bool) -> String {
    let [running, ended] = european_words(kind);
    format!("{}Svcstatus/{}", ns::TRUSTED_LIST, if is_ended { ended } else { running })
}

/// Whether a status may stand now with a type of the European Union (5.5.4, since July 2016).
pub(super) fn is_european_status(kind: &str, status: &str) -> bool {
    service_type(kind).is_none()
        || in_list(status, "Svcstatus/")
            .is_some_and(|status| european_words(kind).contains(&status))
}

/// Whether the address says that certificates are for signatures, seals or web sites.
pub(super) fn is_purpose(uri: &str) -> bool {
    in_list(uri, "SvcInfoExt/").is_some_and(|name| PURPOSES.contains(&name))
}

/// Whether the address is the additional information `RootCA-QC`.
pub(super) fn is_root_information(uri: &str) -> bool {
    in_list(uri, "SvcInfoExt/") == Some("RootCA-QC")
}

/// What follows `folder` in an address below ETSI's base for trusted lists.
pub(super) fn in_list<'u>(uri: &'u str, folder: &str) -> Option<&'u str> {
    uri.strip_prefix(ns::TRUSTED_LIST)?.strip_prefix(folder)
}
