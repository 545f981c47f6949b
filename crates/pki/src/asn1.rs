//! The little DER this crate needs: a writer of values and a strict, borrowing reader.
//!
//! Deliberately not here: BER, tags above 30, and any knowledge of what the values mean.

pub(crate) mod read;
pub(crate) mod write;

pub use self::read::DerError;

/// Identifier octets of the universal and context types in use (X.690, 8.1.2).
pub(crate) mod tag {
    pub(crate) const BOOLEAN: u8 = 0x01;
    pub(crate) const INTEGER: u8 = 0x02;
    pub(crate) const BIT_STRING: u8 = 0x03;
    pub(crate) const OCTET_STRING: u8 = 0x04;
    pub(crate) const NULL: u8 = 0x05;
    pub(crate) const OID: u8 = 0x06;
    pub(crate) const ENUMERATED: u8 = 0x0A;
    pub(crate) const UTF8_STRING: u8 = 0x0C;
    pub(crate) const PRINTABLE_STRING: u8 = 0x13;
    pub(crate) const IA5_STRING: u8 = 0x16;
    pub(crate) const UTC_TIME: u8 = 0x17;
    pub(crate) const GENERALIZED_TIME: u8 = 0x18;
    pub(crate) const BMP_STRING: u8 = 0x1E;
    pub(crate) const SEQUENCE: u8 = 0x30;
    pub(crate) const SET: u8 = 0x31;

    /// The identifier of a constructed, context-specific value (`[n]`), n below 31.
    pub(crate) const fn context(n: u8) -> u8 {
        0xA0 | n
    }

    /// The identifier of a primitive, context-specific value (`[n] IMPLICIT`), n below 31.
    pub(crate) const fn primitive(n: u8) -> u8 {
        0x80 | n
    }
}
