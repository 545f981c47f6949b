//! Which addresses may be fetched.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

use crate::FetchError;

/// Hosts, by name or address, that may be fetched from although they are not public: for tests and
/// evaluations on one machine. Empty in production.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowed(BTreeSet<String>);

impl Allowed {
    /// These hosts, as they stand in addresses: `localhost`, `127.0.0.1`, `::1`.
    pub fn hosts<S: AsRef<str>>(hosts: impl IntoIterator<Item = S>) -> Self {
        let bare = |host: S| {
            let host = host.as_ref().trim_start_matches('[').trim_end_matches(']');
            host.to_ascii_lowercase()
        };
        Self(hosts.into_iter().map(bare).collect())
    }

    /// These and one more.
    #[must_use]
    pub fn and(mut self, host: &str) -> Self {
        self.0.extend(Self::hosts([host]).0);
        self
    }

    /// Whether a host may be fetched from wherever it is.
    pub(crate) fn has(&self, host: &str) -> bool {
        self.0.contains(host.trim_start_matches('[').trim_end_matches(']'))
    }
}

/// Reads an address and judges what can be judged before its name is resolved.
pub(crate) fn checked(address: &str, allowed: &Allowed) -> Result<Url, FetchError> {
    let refused = |why| FetchError::Forbidden { address: address.to_owned(), why };
    let url = Url::parse(address).map_err(|_| refused("it is no address"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(refused("only http and https are fetched"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused("it names a user"));
    }
    let literal = match url.host() {
        None => return Err(refused("it names no host")),
        Some(Host::Domain(_)) => None,
        Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
    };
    let internal = literal.is_some_and(|address| !is_public(address));
    if internal && !allowed.has(url.host_str().unwrap_or_default()) {
        return Err(refused("it leads to an address that is not public"));
    }
    Ok(url)
}

/// Whether an address belongs to the public internet: none of the special-purpose blocks of RFC
/// 6890 and its registries, no multicast, nothing that embeds another address.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !matches!(
        (a, b, c),
        // This network; private; loopback; multicast, reserved and broadcast.
        (0 | 10 | 127 | 224..=255, _, _)
            // Shared (carrier-grade) addresses.
            | (100, 64..=127, _)
            // Link-local, where clouds keep their metadata; private.
            | (169, 254, _) | (172, 16..=31, _) | (192, 168, _)
            // IETF protocols, documentation, 6to4 relays, AS112, AMT.
            | (192, 0, 0 | 2) | (192, 88, 99) | (192, 31, 196) | (192, 52, 193) | (192, 175, 48)
            // Benchmarks; documentation.
            | (198, 18 | 19, _) | (198, 51, 100) | (203, 0, 113)
    )
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(inner) = address.to_ipv4_mapped() {
        return is_public_v4(inner);
    }
    match address.segments() {
        // IETF protocols with Teredo and ORCHID; documentation; 6to4, which embeds an IPv4 address.
        [0x2001, 0..=0x01ff | 0x0db8, ..] | [0x2002, ..] | [0x3fff, 0..=0x0fff, ..] => false,
        // Global unicast. NAT64, unique local, link-local, multicast and loopback lie outside.
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(address: &str, expected: bool) {
        assert_eq!(is_public(address.parse().unwrap()), expected, "{address}");
    }

    #[test]
    fn internal_addresses_are_known_in_every_notation() {
        for internal in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.168.0.1",
            "198.19.0.1",
            "203.0.113.9",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "ff02::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
        ] {
            check(internal, false);
        }
        for public in
            ["1.1.1.1", "100.128.0.1", "172.32.0.1", "192.0.1.1", "198.20.0.1", "2606:4700::1111"]
        {
            check(public, true);
        }
    }

    #[test]
    fn an_address_that_leads_inside_is_refused_before_anything_is_sent() {
        let nothing = Allowed::default();
        for address in [
            "http://127.0.0.1/",
            "http://127.1/",
            "http://0x7f000001/",
            "http://2130706433/",
            "http://0177.0.0.1/",
            "http://[::1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://169.254.169.254/latest/meta-data/",
            "file:///etc/passwd",
            "ftp://example.org/list.xml",
            "gopher://example.org/",
            "https://user@example.org/list.xml",
            "https://user:secret@example.org/",
            "list.xml",
            "http://",
            "",
        ] {
            let refused = checked(address, &nothing).unwrap_err();
            assert!(matches!(refused, FetchError::Forbidden { .. }), "{address}: {refused}");
        }
        assert!(checked("https://example.org:8443/list.xml?x=1", &nothing).is_ok());
        let this = Allowed::hosts(["127.0.0.1", "[::1]"]);
        assert!(checked("http://127.0.0.1:8080/", &this).is_ok());
        assert!(checked("http://[::1]:8080/", &this).is_ok());
        assert!(checked("http://127.0.0.2:8080/", &this).is_err());
    }
}
