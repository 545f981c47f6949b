//! The digest that lies beside a list: the same path, ending `.sha2` (TS 119 612, 6.1). It tells of
//! change only and proves nothing.

use tenkoku_domain::canonical::Digest;

/// Where the digest of a list lies; nothing for an address that does not end as those of lists do.
pub(crate) fn address(list: &str) -> Option<String> {
    let base = list.strip_suffix(".xml").or_else(|| list.strip_suffix(".xtsl"))?;
    Some(format!("{base}.sha2"))
}

/// Reads a digest: 64 hexadecimal digits, or 32 octets.
pub(crate) fn read(octets: &[u8]) -> Option<Digest> {
    let written = std::str::from_utf8(octets).ok().and_then(|text| Digest::parse(text.trim()).ok());
    written.or_else(|| Digest::from_slice(octets).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_written_in_either_way() {
        let digest = Digest::of(b"list");
        assert_eq!(read(&digest.0), Some(digest));
        assert_eq!(read(format!("{digest}\n").as_bytes()), Some(digest));
        assert_eq!(read(digest.to_string().to_uppercase().as_bytes()), Some(digest));
        for other in [b"".as_slice(), b"<html>", &digest.0[1..]] {
            assert_eq!(read(other), None);
        }
        assert_eq!(address("https://a.b/tl.xml").as_deref(), Some("https://a.b/tl.sha2"));
        assert_eq!(address("https://a.b/tl.xtsl").as_deref(), Some("https://a.b/tl.sha2"));
        assert_eq!(address("https://a.b/tl.xml?x=1"), None);
    }
}
