//! Reading anybody's revocation list (RFC 5280, 5), complete or delta, direct or indirect.

use tenkoku_domain::time::Timestamp;

use super::certificate::{Envelope, Foreign};
use super::extension::{self, Raw};
use super::general::{GeneralName, ListKind, Scope, directories};
use super::name::DistinguishedName;
use crate::asn1::read::{Reader, sequence};
use crate::asn1::{DerError, tag};
use crate::oid;

/// A revocation list of anybody.
#[derive(Clone, Debug)]
pub(crate) struct List {
    pub(crate) envelope: Envelope,
    pub(crate) issuer: DistinguishedName,
    pub(crate) this_update: Timestamp,
    pub(crate) next_update: Option<Timestamp>,
    entries: Vec<Entry>,
    /// The magnitude of cRLNumber.
    pub(crate) number: Option<Vec<u8>>,
    /// The magnitude of the base's number, in a delta.
    pub(crate) base: Option<Vec<u8>>,
    /// The octets of issuingDistributionPoint, by which deltas find their base.
    pub(crate) scope_der: Option<Vec<u8>>,
    pub(crate) scope: Option<Scope>,
    pub(crate) issuer_key: Option<Vec<u8>>,
    /// Whether everything critical in it is processed here; else it says nothing (5.2, 5.3).
    pub(crate) usable: bool,
}

#[derive(Clone, Debug)]
struct Entry {
    serial: Vec<u8>,
    at: Timestamp,
    reason: u8,
    /// From this entry on, the entries are about certificates of these issuers.
    issuer: Option<Vec<DistinguishedName>>,
}

/// What a list says of a certificate that it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mention {
    Revoked(Timestamp),
    /// removeFromCRL (8).
    Removed,
}

/// The reason removeFromCRL.
const REMOVE: u8 = 8;

impl List {
    pub(crate) fn read(der: &[u8]) -> Result<Self, DerError> {
        let envelope = Envelope::read(der)?;
        let mut body = sequence(&envelope.body)?;
        let is_second = body.next_is(tag::INTEGER);
        if is_second && body.unsigned()? != [1] {
            return Err(DerError::Value("the version is unknown"));
        }
        envelope.expect(body.element(tag::SEQUENCE)?.whole)?;
        let issuer = DistinguishedName::read(&mut body)?;
        let this_update = body.time()?;
        let has_next = body.next_is(tag::UTC_TIME) || body.next_is(tag::GENERALIZED_TIME);
        let next_update = if has_next { Some(body.time()?) } else { None };
        let entries = body.enter_optional(tag::SEQUENCE)?;
        let extensions = body.enter_optional(tag::context(0))?;
        body.finish()?;
        let mut list = Self {
            envelope: envelope.clone(),
            issuer,
            this_update,
            next_update,
            entries: Vec::new(),
            number: None,
            base: None,
            scope_der: None,
            scope: None,
            issuer_key: None,
            usable: is_second || extensions.is_none(),
        };
        for found in extensions.map(extension::list).transpose()?.unwrap_or_default() {
            list.take(&found)?;
        }
        list.read_entries(entries)?;
        Ok(list)
    }

    fn take(&mut self, found: &Raw<'_>) -> Result<(), DerError> {
        match found.kind {
            oid::CRL_NUMBER => self.number = Some(magnitude(found.value)?),
            oid::DELTA_CRL_INDICATOR => self.base = Some(magnitude(found.value)?),
            oid::ISSUING_DISTRIBUTION_POINT => {
                self.scope = Some(Scope::read(found.value)?);
                self.scope_der = Some(found.value.to_vec());
            }
            oid::AUTHORITY_KEY_IDENTIFIER if !found.critical => {
                self.issuer_key = extension::authority_key(found.value)?;
            }
            _ => self.note(found),
        }
        Ok(())
    }

    fn note(&mut self, found: &Raw<'_>) {
        self.usable &= !found.critical || extension::is_known_in_lists(&found.kind);
    }

    fn read_entries(&mut self, entries: Option<Reader<'_>>) -> Result<(), DerError> {
        let Some(mut entries) = entries else { return Ok(()) };
        while !entries.is_empty() {
            let mut reader = entries.enter(tag::SEQUENCE)?;
            let serial = reader.integer()?.to_vec();
            let at = reader.time()?;
            let mut entry = Entry { serial, at, reason: 0, issuer: None };
            if let Some(extensions) = reader.enter_optional(tag::SEQUENCE)? {
                for found in extension::each(extensions)? {
                    self.take_in_entry(&found, &mut entry)?;
                }
            }
            reader.finish()?;
            self.entries.push(entry);
        }
        Ok(())
    }

    fn take_in_entry(&mut self, found: &Raw<'_>, entry: &mut Entry) -> Result<(), DerError> {
        match found.kind {
            oid::CRL_REASON => entry.reason = reason(found.value)?,
            extension::CERTIFICATE_ISSUER => {
                let names = GeneralName::several(sequence(found.value)?)?;
                entry.issuer = Some(directories(&names).cloned().collect());
                // Only an indirect CRL may speak of other issuers (5.3.3).
                self.usable &= self.kind() == ListKind::Indirect;
            }
            _ => self.note(found),
        }
        Ok(())
    }

    /// Whether it speaks of certificates of other issuers.
    pub(crate) fn kind(&self) -> ListKind {
        self.scope.as_ref().map_or(ListKind::Direct, |scope| scope.kind)
    }

    /// Whether it only tells what changed since another list.
    pub(crate) fn is_delta(&self) -> bool {
        self.base.is_some()
    }

    /// Whether it was issued, and not yet to be replaced, at this instant.
    pub(crate) fn is_current(&self, at: Timestamp) -> bool {
        self.this_update <= at && self.next_update.is_some_and(|next| at <= next)
    }

    /// What it says of a certificate (6.3.3 i, j). An issuer named in an entry holds for the
    /// entries after it too (5.3.3).
    pub(crate) fn mention(&self, certificate: &Foreign) -> Option<Mention> {
        let mut ours = self.issuer == certificate.issuer;
        for entry in &self.entries {
            if let Some(issuers) = &entry.issuer {
                ours = issuers.contains(&certificate.issuer);
            }
            if ours && entry.serial == certificate.serial {
                let removed = entry.reason == REMOVE;
                return Some(if removed { Mention::Removed } else { Mention::Revoked(entry.at) });
            }
        }
        None
    }

    /// Whether this delta brings `complete` up to date (5.2.4, 6.3.3 c).
    pub(crate) fn updates(&self, complete: &Self) -> bool {
        let (Some(base), Some(own)) = (&self.base, &self.number) else { return false };
        let Some(number) = &complete.number else { return false };
        self.issuer == complete.issuer
            && self.scope_der == complete.scope_der
            && self.issuer_key == complete.issuer_key
            && !is_less(number, base)
            && is_less(number, own)
    }
}

/// Compares magnitudes without leading zeros.
pub(crate) fn is_less(one: &[u8], other: &[u8]) -> bool {
    (one.len(), one) < (other.len(), other)
}

fn magnitude(value: &[u8]) -> Result<Vec<u8>, DerError> {
    let mut reader = Reader::new(value);
    let number = reader.unsigned()?.to_vec();
    reader.finish()?;
    Ok(number)
}

fn reason(value: &[u8]) -> Result<u8, DerError> {
    let mut reader = Reader::new(value);
    let reason = match reader.content(tag::ENUMERATED)? {
        [reason] => *reason,
        _ => return Err(DerError::Value("a reason is not known")),
    };
    reader.finish()?;
    Ok(reason)
}

#[cfg(test)]
mod tests {
    use const_oid::ObjectIdentifier;

    use super::*;

    #[test]
    fn numbers_are_compared_by_size() {
        assert!(is_less(&[2], &[3]));
        assert!(is_less(&[], &[1]));
        assert!(is_less(&[0xFF], &[1, 0]));
        assert!(!is_less(&[1, 0], &[0xFF]));
        assert!(!is_less(&[7], &[7]));
    }

    #[test]
    fn what_informs_may_be_critical() {
        assert!(extension::is_known_in_lists(&oid::CRL_NUMBER));
        assert!(!extension::is_known_in_lists(&ObjectIdentifier::new_unwrap("1.2.3")));
    }
}
