//! The object identifiers of DOMAIN 12, by the names their standards give them.
//!
//! The operator's own policies are not here: they hang under a [`crate::policy::PolicyArc`].

use const_oid::ObjectIdentifier;

macro_rules! oids {
    ($($(#[$doc:meta])* $name:ident = $dotted:literal;)*) => {$(
        $(#[$doc])*
        pub const $name: ObjectIdentifier = ObjectIdentifier::new_unwrap($dotted);
    )*};
}

oids! {
    /// countryName.
    COUNTRY = "2.5.4.6";
    /// stateOrProvinceName.
    STATE = "2.5.4.8";
    /// localityName.
    LOCALITY = "2.5.4.7";
    /// organizationName.
    ORGANISATION = "2.5.4.10";
    /// organizationIdentifier.
    ORGANISATION_IDENTIFIER = "2.5.4.97";
    /// organizationalUnitName.
    UNIT = "2.5.4.11";
    /// serialNumber.
    SERIAL_NUMBER = "2.5.4.5";
    /// commonName.
    COMMON_NAME = "2.5.4.3";

    /// rsaEncryption.
    RSA_ENCRYPTION = "1.2.840.113549.1.1.1";
    /// id-RSASSA-PSS.
    RSASSA_PSS = "1.2.840.113549.1.1.10";
    /// id-ecPublicKey.
    EC_PUBLIC_KEY = "1.2.840.10045.2.1";
    /// secp256r1, P-256.
    P256 = "1.2.840.10045.3.1.7";
    /// secp384r1, P-384.
    P384 = "1.3.132.0.34";
    /// secp521r1, P-521.
    P521 = "1.3.132.0.35";
    /// id-Ed25519.
    ED25519 = "1.3.101.112";
    /// id-Ed448.
    ED448 = "1.3.101.113";

    /// id-ml-dsa-44.
    ML_DSA_44 = "2.16.840.1.101.3.4.3.17";
    /// id-ml-dsa-65.
    ML_DSA_65 = "2.16.840.1.101.3.4.3.18";
    /// id-ml-dsa-87.
    ML_DSA_87 = "2.16.840.1.101.3.4.3.19";
    /// id-hash-ml-dsa-44-with-sha512.
    HASH_ML_DSA_44 = "2.16.840.1.101.3.4.3.32";
    /// id-hash-ml-dsa-65-with-sha512.
    HASH_ML_DSA_65 = "2.16.840.1.101.3.4.3.33";
    /// id-hash-ml-dsa-87-with-sha512.
    HASH_ML_DSA_87 = "2.16.840.1.101.3.4.3.34";

    /// ecdsa-with-SHA256.
    ECDSA_SHA256 = "1.2.840.10045.4.3.2";
    /// ecdsa-with-SHA384.
    ECDSA_SHA384 = "1.2.840.10045.4.3.3";
    /// ecdsa-with-SHA512.
    ECDSA_SHA512 = "1.2.840.10045.4.3.4";
    /// sha256WithRSAEncryption.
    RSA_SHA256 = "1.2.840.113549.1.1.11";
    /// sha384WithRSAEncryption.
    RSA_SHA384 = "1.2.840.113549.1.1.12";
    /// sha512WithRSAEncryption.
    RSA_SHA512 = "1.2.840.113549.1.1.13";
    /// id-aa-attestation (draft-ietf-lamps-csr-attestation).
    ATTESTATION = "1.2.840.113549.1.9.16.2.59";
    /// md5WithRSAEncryption; known only to be refused by name.
    RSA_MD5 = "1.2.840.113549.1.1.4";
    /// sha1WithRSAEncryption; known only to be refused by name.
    RSA_SHA1 = "1.2.840.113549.1.1.5";
    /// ecdsa-with-SHA1; known only to be refused by name.
    ECDSA_SHA1 = "1.2.840.10045.4.1";
    /// id-mgf1.
    MGF1 = "1.2.840.113549.1.1.8";
    /// id-sha1.
    SHA1 = "1.3.14.3.2.26";
    /// id-sha256.
    SHA256 = "2.16.840.1.101.3.4.2.1";
    /// id-sha384.
    SHA384 = "2.16.840.1.101.3.4.2.2";
    /// id-sha512.
    SHA512 = "2.16.840.1.101.3.4.2.3";

    /// authorityKeyIdentifier.
    AUTHORITY_KEY_IDENTIFIER = "2.5.29.35";
    /// subjectKeyIdentifier.
    SUBJECT_KEY_IDENTIFIER = "2.5.29.14";
    /// keyUsage.
    KEY_USAGE = "2.5.29.15";
    /// extKeyUsage.
    EXT_KEY_USAGE = "2.5.29.37";
    /// certificatePolicies.
    CERTIFICATE_POLICIES = "2.5.29.32";
    /// subjectAltName.
    SUBJECT_ALT_NAME = "2.5.29.17";
    /// nameConstraints.
    NAME_CONSTRAINTS = "2.5.29.30";
    /// basicConstraints.
    BASIC_CONSTRAINTS = "2.5.29.19";
    /// cRLDistributionPoints.
    CRL_DISTRIBUTION_POINTS = "2.5.29.31";
    /// authorityInfoAccess.
    AUTHORITY_INFO_ACCESS = "1.3.6.1.5.5.7.1.1";
    /// qcStatements.
    QC_STATEMENTS = "1.3.6.1.5.5.7.1.3";
    /// noRevAvail (RFC 9608).
    NO_REV_AVAIL = "2.5.29.56";
    /// LEI of the subject (GLEIF).
    LEI = "1.3.6.1.4.1.52266.1";
    /// logotype (RFC 9399).
    LOGOTYPE = "1.3.6.1.5.5.7.1.12";
    /// relatedCertificate (RFC 9763).
    RELATED_CERTIFICATE = "1.3.6.1.5.5.7.1.36";
    /// cRLNumber.
    CRL_NUMBER = "2.5.29.20";
    /// deltaCRLIndicator.
    DELTA_CRL_INDICATOR = "2.5.29.27";
    /// issuingDistributionPoint.
    ISSUING_DISTRIBUTION_POINT = "2.5.29.28";
    /// freshestCRL.
    FRESHEST_CRL = "2.5.29.46";
    /// reasonCode, of a CRL entry.
    CRL_REASON = "2.5.29.21";
    /// invalidityDate, of a CRL entry.
    INVALIDITY_DATE = "2.5.29.24";
    /// ExpiredCertsOnCRL.
    EXPIRED_CERTS_ON_CRL = "2.5.29.60";

    /// caIssuers access method.
    CA_ISSUERS = "1.3.6.1.5.5.7.48.2";
    /// ocsp access method.
    OCSP = "1.3.6.1.5.5.7.48.1";
    /// id-pkix-ocsp-basic.
    OCSP_BASIC = "1.3.6.1.5.5.7.48.1.1";
    /// id-pkix-ocsp-nonce.
    OCSP_NONCE = "1.3.6.1.5.5.7.48.1.2";
    /// id-pkix-ocsp-nocheck.
    OCSP_NOCHECK = "1.3.6.1.5.5.7.48.1.5";
    /// id-pkix-ocsp-archive-cutoff.
    OCSP_ARCHIVE_CUTOFF = "1.3.6.1.5.5.7.48.1.6";
    /// id-pkix-ocsp-extended-revoke.
    OCSP_EXTENDED_REVOKE = "1.3.6.1.5.5.7.48.1.9";

    /// documentSigning (RFC 9336).
    DOCUMENT_SIGNING = "1.3.6.1.5.5.7.3.36";
    /// ocspSigning.
    OCSP_SIGNING = "1.3.6.1.5.5.7.3.9";
    /// timeStamping.
    TIME_STAMPING = "1.3.6.1.5.5.7.3.8";
    /// clientAuth.
    CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";
    /// anyPolicy.
    ANY_POLICY = "2.5.29.32.0";
    /// id-tsl-kp-tslSigning (TS 119 612, 5.7.1).
    TSL_SIGNING = "0.4.0.2231.3.0";

    /// Normalised certificate policy (EN 319 411-1).
    NCP = "0.4.0.2042.1.1";
    /// Extended normalised certificate policy.
    NCP_PLUS = "0.4.0.2042.1.2";
    /// Lightweight certificate policy.
    LCP = "0.4.0.2042.1.3";

    /// Policy for EU qualified certificates of legal persons (EN 319 411-2).
    QCP_LEGAL = "0.4.0.194112.1.1";
    /// The same with the key in a qualified device.
    QCP_LEGAL_DEVICE = "0.4.0.194112.1.3";

    /// id-qcs-pkixQCSyntax-v2.
    QC_SYNTAX_V2 = "1.3.6.1.5.5.7.11.2";
    /// id-etsi-qcs-SemanticsId-Legal.
    SEMANTICS_LEGAL = "0.4.0.194121.1.2";
    /// id-etsi-qcs-QcCompliance.
    QC_COMPLIANCE = "0.4.0.1862.1.1";
    /// id-etsi-qcs-QcSSCD.
    QC_SSCD = "0.4.0.1862.1.4";
    /// id-etsi-qcs-QcPDS.
    QC_PDS = "0.4.0.1862.1.5";
    /// id-etsi-qcs-QcType.
    QC_TYPE = "0.4.0.1862.1.6";
    /// id-etsi-qct-eseal.
    QC_TYPE_ESEAL = "0.4.0.1862.1.6.2";
    /// id-etsi-qcs-QcCClegislation.
    QC_LEGISLATION = "0.4.0.1862.1.7";

    /// challengePassword, attribute of a request (RFC 2985, 5.4.1).
    CHALLENGE_PASSWORD = "1.2.840.113549.1.9.7";

    /// id-data, a content type of CMS (RFC 5652, 4).
    CMS_DATA = "1.2.840.113549.1.7.1";
    /// id-signedData (RFC 5652, 5.1).
    CMS_SIGNED_DATA = "1.2.840.113549.1.7.2";
    /// contentType, a signed attribute (RFC 5652, 11.1).
    CMS_CONTENT_TYPE = "1.2.840.113549.1.9.3";
    /// messageDigest, a signed attribute (RFC 5652, 11.2).
    CMS_MESSAGE_DIGEST = "1.2.840.113549.1.9.4";
}
