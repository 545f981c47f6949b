//! The rule that every object identifier can be read by common libraries (DOMAIN 12.1): they hold
//! each number in 32 bits, and those under 2.25 take 128.

use super::{Case, Rule, demand};
use crate::asn1::read::Reader;
use crate::asn1::tag;

/// The rules of this page.
pub(super) fn rules<'a>() -> Vec<Rule<Case<'a>>> {
    vec![Rule { name: "identifiers-decodable", clause: "DOMAIN 12.1", check: decodable }]
}

/// 2.25 as its first octet: 40 × 2 + 25 (X.690, 8.19.4).
const UUID: u8 = 105;
/// How deep values may be nested; our own are a dozen deep.
const DEPTH: usize = 32;

/// Every identifier of the body and of the values of its extensions.
fn decodable(case: &Case<'_>) -> Result<(), String> {
    walk(case.certificate.tbs(), DEPTH)?;
    case.certificate.extensions().iter().try_for_each(|extension| walk(&extension.value, DEPTH))
}

fn walk(octets: &[u8], depth: usize) -> Result<(), String> {
    let depth = depth.checked_sub(1).ok_or("values are nested too deep")?;
    let mut reader = Reader::new(octets);
    while !reader.is_empty() {
        let value = reader.any().map_err(|e| e.to_string())?;
        if value.tag == tag::OID {
            identifier(value.content)?;
        } else if value.tag & 0x20 != 0 {
            walk(value.content, depth)?;
        }
    }
    Ok(())
}

fn identifier(content: &[u8]) -> Result<(), String> {
    let shown = || hex::encode(content);
    demand(content.first() != Some(&UUID), format!("{} lies under 2.25", shown()))?;
    let mut number: u64 = 0;
    for octet in content {
        number = (number << 7) | u64::from(octet & 0x7F);
        demand(u32::try_from(number).is_ok(), format!("{} has a number over 2^32", shown()))?;
        if octet & 0x80 == 0 {
            number = 0;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(content: &str, expected: bool) {
        assert_eq!(identifier(&hex::decode(content).unwrap()).is_ok(), expected, "{content}");
    }

    #[test]
    fn numbers_over_32_bits_and_the_arc_of_uuids_are_found() {
        check("2b0601040181fd590101", true); // 1.3.6.1.4.1.32473.1.1
        check("2b8fffffff7f", true); // 1.3.4294967295
        check("2b9080808000", false); // 1.3.4294967296
        check("6901", false); // 2.25.1
        check("6a01", true); // 2.26.1
    }
}
