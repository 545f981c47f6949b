//! How many answers are signed for one request alone in a second: in all, and for one address.
//!
//! A signature costs a hundred times what a kept answer costs, so this is what strangers could
//! exhaust. No memory is taken for an address: addresses share a table by a hash that outsiders
//! cannot foresee, and two that meet share their budget.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};

/// Places in the table of addresses.
const ADDRESSES: u64 = 8192;

/// A second and what was used in it, in one word.
#[derive(Debug, Default)]
struct Meter(AtomicU64);

impl Meter {
    /// Takes one if there is one left in this second.
    fn take(&self, second: u32, most: u32) -> bool {
        let now = u64::from(second) << 32;
        let used = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |word| {
            let count =
                if word & !u64::from(u32::MAX) == now { word & u64::from(u32::MAX) } else { 0 };
            (count < u64::from(most)).then_some(now | (count + 1))
        });
        used.is_ok()
    }
}

/// Something for each address, in a table of fixed size.
#[derive(Debug)]
pub(crate) struct Table<T> {
    places: Vec<T>,
    hash: RandomState,
    /// Where the table has no such place, which does not happen.
    spare: T,
}

impl<T: Default> Default for Table<T> {
    fn default() -> Self {
        let places = (0..ADDRESSES).map(|_| T::default()).collect();
        Self { places, hash: RandomState::new(), spare: T::default() }
    }
}

impl<T> Table<T> {
    /// What is kept for an address, and for whoever shares its place.
    pub(crate) fn at(&self, from: IpAddr) -> &T {
        let hash = self.hash.hash_one(network(from));
        let place = usize::try_from(hash % ADDRESSES).unwrap_or_default();
        self.places.get(place).unwrap_or(&self.spare)
    }
}

/// The budget.
#[derive(Debug)]
pub(crate) struct Budget {
    all: Meter,
    addresses: Table<Meter>,
    per_second: u32,
    per_address: u32,
}

impl Budget {
    /// So many in a second, in all and for one address.
    pub(crate) fn new(per_second: u32, per_address: u32) -> Self {
        Self { all: Meter::default(), addresses: Table::default(), per_second, per_address }
    }

    /// Takes one signature for an address, if both budgets allow. `second` counts seconds from
    /// anywhere.
    pub(crate) fn take(&self, second: i64, from: Option<IpAddr>) -> bool {
        let second = u32::try_from(second & i64::from(u32::MAX)).unwrap_or_default();
        let allowed =
            from.is_none_or(|from| self.addresses.at(from).take(second, self.per_address));
        allowed && self.all.take(second, self.per_second)
    }
}

/// Whoever has one IPv6 address has all of its /64.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => IpAddr::V4(v4),
            None => IpAddr::V6((u128::from(v6) >> 64 << 64).into()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(budget: &Budget, second: i64, from: &str, tries: usize) -> usize {
        let from = from.parse().ok();
        (0..tries).filter(|_| budget.take(second, from)).count()
    }

    #[test]
    fn nobody_uses_up_what_is_everybody_s() {
        let budget = Budget::new(10, 4);
        assert_eq!(taken(&budget, 1, "192.0.2.1", 100), 4);
        assert_eq!(taken(&budget, 1, "::ffff:192.0.2.1", 100), 0);
        assert_eq!(taken(&budget, 1, "2001:db8::1", 100), 4);
        assert_eq!(taken(&budget, 1, "2001:db8::2", 100), 0);
        assert_eq!(taken(&budget, 1, "192.0.2.3", 100), 2);
        assert_eq!(taken(&budget, 2, "192.0.2.1", 100), 4);
        // A clock that is set back begins a new second.
        assert_eq!(taken(&budget, 1, "192.0.2.1", 100), 4);
        assert_eq!(taken(&Budget::new(0, 4), 1, "192.0.2.1", 9), 0);
    }
}
