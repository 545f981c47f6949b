//! What one address may take of the public listener: so many connections at once, and so many OCSP
//! requests in a second. Proxies of one's own are exempt: they count for everybody behind them.
//!
//! No memory is taken for an address, as in `budget`.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::budget::{Budget, Table};

/// What one address may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at once.
    pub connections: u32,
    /// OCSP requests in a second.
    pub requests_per_second: u32,
    /// Addresses that may take what they like: one's own proxies.
    pub exempt: Vec<IpAddr>,
}

/// Keeps the limits.
#[derive(Debug)]
pub struct Gate {
    limits: Limits,
    connections: Table<AtomicU32>,
    requests: Budget,
}

impl Gate {
    /// A gate with nobody in it.
    pub fn new(limits: Limits) -> Arc<Self> {
        let requests = Budget::new(u32::MAX, limits.requests_per_second);
        Arc::new(Self { limits, connections: Table::default(), requests })
    }

    fn limits(&self, from: IpAddr) -> bool {
        !self.limits.exempt.contains(&from.to_canonical())
    }

    /// A place for a connection, held until it is dropped; `None` when the address has its number.
    pub fn connect(self: &Arc<Self>, from: IpAddr) -> Option<Connected> {
        if !self.limits(from) {
            return Some(Connected { gate: Arc::clone(self), from: None });
        }
        let most = self.limits.connections;
        let taken =
            self.connections.at(from).fetch_update(Ordering::Relaxed, Ordering::Relaxed, |open| {
                (open < most).then_some(open + 1)
            });
        taken.is_ok().then(|| Connected { gate: Arc::clone(self), from: Some(from) })
    }

    /// Whether a request of an address is answered in this second.
    pub(crate) fn admits(&self, second: i64, from: Option<IpAddr>) -> bool {
        match from {
            Some(from) if self.limits(from) => self.requests.take(second, Some(from)),
            Some(_) | None => true,
        }
    }
}

/// The place of a connection.
#[derive(Debug)]
pub struct Connected {
    gate: Arc<Gate>,
    /// Whose it is; nobody's, where it is not counted.
    from: Option<IpAddr>,
}

impl Drop for Connected {
    fn drop(&mut self) {
        if let Some(from) = self.from {
            self.gate.connections.at(from).fetch_sub(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate() -> Arc<Gate> {
        let exempt = vec!["127.0.0.1".parse().unwrap()];
        Gate::new(Limits { connections: 2, requests_per_second: 3, exempt })
    }

    #[test]
    fn a_connection_gives_its_place_back() {
        let gate = gate();
        let from = "192.0.2.1".parse().unwrap();
        let first = gate.connect(from).unwrap();
        let second = gate.connect(from).unwrap();
        assert!(gate.connect(from).is_none());
        // Another one has its own places, and one's own proxy has as many as it wants.
        assert!(gate.connect("198.51.100.7".parse().unwrap()).is_some());
        for mine in ["127.0.0.1", "::ffff:127.0.0.1"] {
            let held: Vec<_> = (0..5).map(|_| gate.connect(mine.parse().unwrap())).collect();
            assert!(held.iter().all(Option::is_some), "{mine}");
        }
        drop(first);
        let third = gate.connect(from).unwrap();
        assert!(gate.connect(from).is_none());
        drop((second, third));
        assert!(gate.connect(from).is_some());
    }

    #[test]
    fn requests_are_counted_by_the_second() {
        let gate = gate();
        let from = "192.0.2.1".parse().ok();
        let taken = |second| (0..9).filter(|_| gate.admits(second, from)).count();
        assert_eq!((taken(1), taken(1), taken(2)), (3, 0, 3));
        assert!((0..9).all(|_| gate.admits(2, "127.0.0.1".parse().ok())));
        assert!(gate.admits(2, None));
    }
}
