//! The values that ETSI registers (TS 119 612, 5.5.1, 5.5.4, 5.5.9 and Annex D).
//!
//! Deliberately not here: values that a scheme defines under its own domain.

use crate::ns;

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
