//! Name constraints (RFC 5280, 4.2.1.10): which names a certificate below may hold.
//!
//! What cannot be compared with certainty is refused: an unsupported form that is constrained, a
//! subtree with a minimum or maximum, a name that is not well-formed.

use super::general::GeneralName;
use crate::asn1::read::{Reader, sequence};
use crate::asn1::{DerError, tag};

/// The NameConstraints of one certificate.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) struct NameConstraints {
    permitted: Vec<Subtree>,
    excluded: Vec<Subtree>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Subtree {
    base: GeneralName,
    /// Whether minimum is 0 and maximum absent, as 4.2.1.10 demands.
    plain: bool,
}

/// How a name lies to a subtree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Relation {
    /// Another form of name: the subtree says nothing about it.
    Unrelated,
    Inside,
    Outside,
    /// It cannot be said.
    Unclear,
}

impl NameConstraints {
    pub(crate) fn read(value: &[u8]) -> Result<Self, DerError> {
        let mut reader = sequence(value)?;
        let permitted = reader.enter_optional(tag::context(0))?.map(subtrees).transpose()?;
        let excluded = reader.enter_optional(tag::context(1))?.map(subtrees).transpose()?;
        reader.finish()?;
        if permitted.is_none() && excluded.is_none() {
            return Err(DerError::Value("name constraints constrain nothing"));
        }
        Ok(Self {
            permitted: permitted.unwrap_or_default(),
            excluded: excluded.unwrap_or_default(),
        })
    }

    /// How many subtrees a name is compared with.
    pub(crate) fn size(&self) -> usize {
        self.permitted.len() + self.excluded.len()
    }

    /// Whether a certificate below may hold this name.
    pub(crate) fn allow(&self, name: &GeneralName) -> bool {
        let free = self.excluded.iter().all(|tree| match tree.relation(name, excludes) {
            Relation::Unrelated | Relation::Outside => true,
            Relation::Inside | Relation::Unclear => false,
        });
        free && self.permit(name)
    }

    fn permit(&self, name: &GeneralName) -> bool {
        let mut constrained = false;
        for tree in &self.permitted {
            match tree.relation(name, permits) {
                Relation::Unrelated => {}
                Relation::Inside => return true,
                Relation::Outside | Relation::Unclear => constrained = true,
            }
        }
        !constrained
    }
}

impl Subtree {
    fn relation(&self, name: &GeneralName, compare: fn(&str, &str) -> Option<bool>) -> Relation {
        use GeneralName as N;
        let found = match (&self.base, name) {
            (N::Directory(base), N::Directory(name)) => Some(name.is_within(base)),
            (N::Dns(base), N::Dns(name)) => compare(base, name),
            (N::Mail(base), N::Mail(name)) => mail(base, name),
            (N::Uri(base), N::Uri(name)) => uri(base, name),
            (N::Ip(base), N::Ip(address)) => ip(base, address),
            (N::Unsupported(base, _), N::Unsupported(form, _)) if base == form => None,
            (
                N::Directory(_)
                | N::Dns(_)
                | N::Mail(_)
                | N::Uri(_)
                | N::Ip(_)
                | N::Unsupported(..),
                _,
            ) => return Relation::Unrelated,
        };
        match found {
            Some(true) if self.plain => Relation::Inside,
            Some(false) if self.plain => Relation::Outside,
            Some(_) | None => Relation::Unclear,
        }
    }
}

fn subtrees(mut reader: Reader<'_>) -> Result<Vec<Subtree>, DerError> {
    let mut trees = Vec::new();
    while !reader.is_empty() {
        let mut tree = reader.enter(tag::SEQUENCE)?;
        let base = GeneralName::of(&tree.any()?)?;
        let mut plain = true;
        if tree.next_is(tag::primitive(0)) {
            plain = tree.content(tag::primitive(0))? == [0];
        }
        if tree.next_is(tag::primitive(1)) {
            tree.any()?;
            plain = false;
        }
        tree.finish()?;
        trees.push(Subtree { base, plain });
    }
    if trees.is_empty() { Err(DerError::Value("a list of subtrees is empty")) } else { Ok(trees) }
}

/// Whether a host name is well-formed: labels of letters, digits, hyphens and underscores.
fn is_host(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 253
        && name.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        })
}

/// Whether `name` is `base` or has more labels in front of it, without regard to case.
fn is_host_within(base: &str, name: &str) -> bool {
    let (base, name) = (base.to_ascii_lowercase(), name.to_ascii_lowercase());
    name.strip_suffix(&base).is_some_and(|front| front.is_empty() || front.ends_with('.'))
}

/// dNSName and a permitted subtree. An empty base holds everything.
fn permits(base: &str, name: &str) -> Option<bool> {
    let host = name.strip_prefix("*.").unwrap_or(name);
    if !is_host(host) || !(base.is_empty() || is_host(base)) {
        return None;
    }
    // What a wildcard stands for lies where the rest of it lies.
    Some(base.is_empty() || is_host_within(base, host))
}

/// dNSName and an excluded subtree: a wildcard may stand for the host that is excluded.
fn excludes(base: &str, name: &str) -> Option<bool> {
    let inside = permits(base, name)?;
    let wildcard = name.strip_prefix("*.").is_some_and(|parent| {
        base.split_once('.').is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(parent))
    });
    Some(inside || wildcard)
}

/// rfc822Name: a mailbox, all mailboxes of a host, or (`.domain`) of all hosts of a domain.
fn mail(base: &str, name: &str) -> Option<bool> {
    let (local, host) = name.rsplit_once('@')?;
    if local.is_empty() || !is_host(host) {
        return None;
    }
    match base.rsplit_once('@') {
        Some((mailbox, at)) => Some(mailbox == local && at.eq_ignore_ascii_case(host)),
        None => host_or_domain(base, host),
    }
}

/// uniformResourceIdentifier: the host part, which must be there and be a name (4.2.1.10).
fn uri(base: &str, name: &str) -> Option<bool> {
    let (_, rest) = name.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = match host.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        Some(_) => return None,
        None => host,
    };
    let is_address =
        host.split('.').next_back().is_some_and(|l| l.bytes().all(|b| b.is_ascii_digit()));
    if !is_host(host) || is_address { None } else { host_or_domain(base, host) }
}

/// `.domain` holds the hosts below the domain, `host` itself only, the empty text everything.
fn host_or_domain(base: &str, host: &str) -> Option<bool> {
    if base.is_empty() {
        return Some(true);
    }
    match base.strip_prefix('.') {
        Some(domain) if is_host(domain) => {
            Some(is_host_within(domain, host) && host.len() > domain.len())
        }
        None if is_host(base) => Some(base.eq_ignore_ascii_case(host)),
        Some(_) | None => None,
    }
}

/// iPAddress: 4 or 16 octets within address and mask of the same kind; the mask is a prefix.
fn ip(base: &[u8], address: &[u8]) -> Option<bool> {
    if !matches!(address.len(), 4 | 16) || !matches!(base.len(), 8 | 32) {
        return None;
    }
    let (network, mask) = base.split_at_checked(base.len() / 2)?;
    let ones: u32 = mask.iter().map(|octet| octet.leading_ones()).sum();
    let whole = mask.iter().skip_while(|octet| **octet == 0xFF).skip(1).all(|octet| *octet == 0);
    let set: u32 = mask.iter().map(|octet| octet.count_ones()).sum();
    if ones != set || !whole {
        return None;
    }
    let agree = network.iter().zip(mask).zip(address).all(|((n, m), a)| n & m == a & m);
    Some(network.len() == address.len() && agree)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_lie_in_their_domain() {
        let check =
            |base, name, expected| assert_eq!(permits(base, name), expected, "{base} {name}");
        check("example.com", "example.com", Some(true));
        check("example.com", "WWW.Example.COM", Some(true));
        check("example.com", "badexample.com", Some(false));
        check("example.com", "*.example.com", Some(true));
        check("www.example.com", "*.example.com", Some(false));
        check("", "anything.example", Some(true));
        check(".example.com", "www.example.com", None);
        check("example.com", "www..example.com", None);
        check("example.com", "www.example.com.", None);
        check("example.com", "", None);
        check("example.com", "w*.example.com", None);
    }

    #[test]
    fn a_wildcard_does_not_slip_past_an_exclusion() {
        assert_eq!(excludes("www.example.com", "*.example.com"), Some(true));
        assert_eq!(excludes("example.com", "*.example.com"), Some(true));
        assert_eq!(excludes("www.example.org", "*.example.com"), Some(false));
    }

    #[test]
    fn mailboxes_hosts_and_domains_are_told_apart() {
        let check = |base, name, expected| assert_eq!(mail(base, name), expected, "{base} {name}");
        check("a@example.com", "a@EXAMPLE.com", Some(true));
        check("a@example.com", "A@example.com", Some(false));
        check("example.com", "a@example.com", Some(true));
        check("example.com", "a@mail.example.com", Some(false));
        check(".example.com", "a@mail.example.com", Some(true));
        check(".example.com", "a@example.com", Some(false));
        check("example.com", "example.com", None);
        check("example.com", "@example.com", None);
    }

    #[test]
    fn an_address_without_a_host_cannot_be_judged() {
        let check = |base, name, expected| assert_eq!(uri(base, name), expected, "{base} {name}");
        check("example.com", "http://u@example.com:80/x?y", Some(true));
        check(".example.com", "https://www.example.com", Some(true));
        check(".example.com", "https://example.com", Some(false));
        check("example.com", "http://example.com@evil.org/", Some(false));
        check("example.com", "http://evil.org#@example.com/", Some(false));
        check("example.com", "mailto:a@example.com", None);
        check("example.com", "http://192.0.2.1/", None);
        check("example.com", "http://[2001:db8::1]/", None);
    }

    #[test]
    fn addresses_are_masked() {
        let net = [192, 0, 2, 0, 255, 255, 255, 0];
        assert_eq!(ip(&net, &[192, 0, 2, 9]), Some(true));
        assert_eq!(ip(&net, &[192, 0, 3, 9]), Some(false));
        assert_eq!(ip(&net, &[0; 16]), Some(false));
        assert_eq!(ip(&net, &[1, 2, 3]), None);
        assert_eq!(ip(&[1, 2, 3, 4, 255, 0, 255, 0], &[1, 2, 3, 4]), None);
    }

    #[test]
    fn an_unsupported_form_is_refused_only_where_it_is_constrained() {
        let form = |octets: &[u8]| GeneralName::Unsupported(0x88, octets.to_vec());
        let tree = Subtree { base: form(&[42]), plain: true };
        let limits = NameConstraints { permitted: vec![tree.clone()], excluded: vec![] };
        assert!(!limits.allow(&form(&[42])));
        assert!(limits.allow(&GeneralName::Dns("example.com".to_owned())));
        let limits = NameConstraints { permitted: vec![], excluded: vec![tree] };
        assert!(!limits.allow(&form(&[43])));
    }
}
