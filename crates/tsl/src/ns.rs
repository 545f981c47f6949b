//! Namespaces and addresses that TS 119 612, XAdES and XML Signature define.
//!
//! Deliberately not here: addresses that a scheme makes for itself; those come with the list.

/// Elements of a trusted list (TS 119 612, Annex C).
pub(crate) const TSL: &str = "http://uri.etsi.org/02231/v2#";
/// Additional types of a trusted list (TS 119 612, Annex C).
pub(crate) const TSLX: &str = "http://uri.etsi.org/02231/v2/additionaltypes#";
/// Qualifications of services (TS 119 612, 5.5.9.2).
pub(crate) const SIE: &str =
    "http://uri.etsi.org/TrstSvc/SvcInfoExt/eSigDir-1999-93-EC-TrustedList/#";
/// The Commission's mutual recognition, version 2 of its schema.
pub(crate) const MRA: &str = "http://ec.europa.eu/tools/lotl/mra/schema/v2#";
/// XML Signature.
pub(crate) const DS: &str = "http://www.w3.org/2000/09/xmldsig#";
/// XAdES (EN 319 132-1).
pub(crate) const XADES: &str = "http://uri.etsi.org/01903/v1.3.2#";
/// What tells a trusted list from any other XML (TS 119 612, 5.2.1).
pub(crate) const TSL_TAG: &str = "http://uri.etsi.org/19612/TSLTag";
/// The type of the reference to the signed properties (EN 319 132-1, 4.4).
pub(crate) const SIGNED_PROPERTIES: &str = "http://uri.etsi.org/01903#SignedProperties";
/// The enveloped-signature transform (XMLDSIG, 6.6.4).
pub(crate) const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
/// Exclusive canonicalisation without comments.
pub(crate) const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";

/// Base of list types, approaches, community rules, statuses and extension values.
pub(crate) const TRUSTED_LIST: &str = "http://uri.etsi.org/TrstSvc/TrustedList/";
/// Base of everything that ETSI registers for trusted lists.
pub(crate) const REGISTERED: &str = "http://uri.etsi.org/TrstSvc/";
/// Base of service types (TS 119 612, 5.5.1).
pub(crate) const SERVICE_TYPE: &str = "http://uri.etsi.org/TrstSvc/Svctype/";
