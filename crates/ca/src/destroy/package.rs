//! Evidence of destruction as one file: what the command line packs from its parts and the console
//! takes as a whole.

use serde::{Deserialize, Serialize};
use tenkoku_domain::destruction::{CopyLine, SignerRole};
use tenkoku_domain::exchange::Octets;
use tenkoku_domain::id::KeyId;
use tenkoku_domain::policy::DestructionClass;

use super::{EvidenceOrder, Signed};

/// The version of the format.
pub const VERSION: u8 = 1;

/// Evidence as a file, JSON; octets are hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Package {
    /// The version of the format: 1.
    pub v: u8,
    /// The key.
    pub key: KeyId,
    /// The class that it claims.
    pub class: DestructionClass,
    /// One line for each copy.
    pub lines: Vec<CopyLine>,
    /// Serial numbers of the devices.
    #[serde(default)]
    pub serials: Vec<String>,
    /// Photographs, logs, certificates.
    #[serde(default)]
    pub attachments: Vec<Attachment>,
    /// The signatures over the statement.
    #[serde(default)]
    pub signatures: Vec<Signature>,
    /// A statement made with the key before deletion.
    #[serde(default)]
    pub last_act: Option<Octets>,
}

/// A file that belongs to the evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attachment {
    /// Its media type.
    pub media_type: String,
    /// Its content.
    pub content: Octets,
}

/// A signature over the statement of [`super::statement`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// Who.
    pub name: String,
    /// What they were.
    pub role: SignerRole,
    /// SubjectPublicKeyInfo, DER.
    pub public_key: Octets,
    /// The signature.
    pub signature: Octets,
}

/// Why a file is no evidence.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// Not JSON of this shape.
    #[error(transparent)]
    Malformed(#[from] serde_json::Error),
    /// Of another version of the format.
    #[error("version {0} of the format is not known; known is {VERSION}")]
    Version(u8),
}

/// Reads a file.
pub fn read(content: &[u8]) -> Result<EvidenceOrder, PackageError> {
    let package: Package = serde_json::from_slice(content)?;
    if package.v != VERSION {
        return Err(PackageError::Version(package.v));
    }
    let Package { key, class, lines, serials, .. } = package;
    let attached = |one: Attachment| (one.media_type, one.content.0);
    let signed = |one: Signature| Signed {
        name: one.name,
        role: one.role,
        public_key: one.public_key.0,
        signature: one.signature.0,
    };
    Ok(EvidenceOrder {
        key,
        class,
        lines,
        serials,
        attachments: package.attachments.into_iter().map(attached).collect(),
        signatures: package.signatures.into_iter().map(signed).collect(),
        last_act: package.last_act.map(|octets| octets.0),
    })
}

impl From<EvidenceOrder> for Package {
    fn from(order: EvidenceOrder) -> Self {
        let EvidenceOrder { key, class, lines, serials, attachments, signatures, last_act } = order;
        let attached = |(media_type, content)| Attachment { media_type, content: Octets(content) };
        let signed = |one: Signed| Signature {
            name: one.name,
            role: one.role,
            public_key: Octets(one.public_key),
            signature: Octets(one.signature),
        };
        Self {
            v: VERSION,
            key,
            class,
            lines,
            serials,
            attachments: attachments.into_iter().map(attached).collect(),
            signatures: signatures.into_iter().map(signed).collect(),
            last_act: last_act.map(Octets),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_reads_back_and_nothing_else_is_taken() {
        let key = KeyId::parse("key_01KARAZ2Z80000000000000001").unwrap();
        let order = EvidenceOrder {
            key,
            class: DestructionClass::D4,
            lines: vec![CopyLine { copy: "primary".to_owned(), method: None, at: None }],
            serials: vec!["SN-1".to_owned()],
            attachments: vec![("image/png".to_owned(), vec![1, 2])],
            signatures: Vec::new(),
            last_act: Some(vec![3]),
        };
        let packed = serde_json::to_string(&Package::from(order.clone())).unwrap();
        assert_eq!(read(packed.as_bytes()).unwrap(), order);
        assert!(read(packed.replace("\"v\":1", "\"v\":2").as_bytes()).is_err());
        assert!(read(packed.replace("\"v\":1", "\"v\":1,\"w\":1").as_bytes()).is_err());
    }
}
