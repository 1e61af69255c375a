//! [`Admission`]: who may begin a connection at all. Decided before any cryptography.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::metrics;
use crate::options::Limits;

/// Counts connections and handshakes of a node. Clones share the counts.
#[derive(Clone, Debug)]
pub(crate) struct Admission {
    limits: Limits,
    counts: Arc<Mutex<Counts>>,
}

#[derive(Debug, Default)]
struct Counts {
    connections: usize,
    handshakes: usize,
    sources: HashMap<Source, usize>,
}

/// What is to become of a device's first packet.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// Begin the handshake; the slot is held for as long as the connection lives.
    Admit(Slot),
    /// Have the device prove that it can receive at its address first: this much load from addresses that could be
    /// forged is an attack on the node, or on whoever really has them.
    Validate,
    /// No: this limit is reached.
    Refuse(&'static str),
}

/// Whose connections are counted together: an IPv4 address, or the /64 that an IPv6 host picks its addresses from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Source(Ipv6Addr);

impl Source {
    fn of(ip: IpAddr) -> Self {
        match ip.to_canonical() {
            IpAddr::V4(v4) => Self(v4.to_ipv6_mapped()),
            IpAddr::V6(v6) => {
                let [a, b, c, d, ..] = v6.segments();
                Self(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
        }
    }
}

impl Admission {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, counts: Arc::default() }
    }

    /// Decides on a connection from `ip`, which is `validated` when the device has shown that it receives there.
    pub(crate) fn decide(&self, ip: IpAddr, validated: bool) -> Verdict {
        let source = Source::of(ip);
        let mut counts = lock(&self.counts);
        let from_source = counts.sources.get(&source).copied().unwrap_or(0);
        if counts.connections >= self.limits.connections {
            return Verdict::Refuse("connections");
        }
        if counts.handshakes >= self.limits.handshakes {
            return Verdict::Refuse("handshakes");
        }
        let crowded = from_source >= self.limits.connections_per_source;
        if !validated && (crowded || counts.handshakes >= self.limits.handshakes / 2) {
            return Verdict::Validate;
        }
        if crowded {
            return Verdict::Refuse("connections_per_source");
        }
        counts.connections += 1;
        counts.handshakes += 1;
        *counts.sources.entry(source).or_default() += 1;
        metrics::connections().increment(1);
        metrics::handshakes().increment(1);
        Verdict::Admit(Slot { counts: self.counts.clone(), source, handshaking: true })
    }
}

/// A place among the connections, and at first among the handshakes. Dropping it gives both back.
#[derive(Debug)]
pub(crate) struct Slot {
    counts: Arc<Mutex<Counts>>,
    source: Source,
    handshaking: bool,
}

impl Slot {
    /// The handshake is over; the connection goes on.
    pub(crate) fn handshake_done(&mut self) {
        if self.handshaking {
            self.handshaking = false;
            lock(&self.counts).handshakes -= 1;
            metrics::handshakes().decrement(1);
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.handshake_done();
        let mut counts = lock(&self.counts);
        counts.connections -= 1;
        if let Some(left) = counts.sources.get_mut(&self.source) {
            *left -= 1;
            if *left == 0 {
                counts.sources.remove(&self.source);
            }
        }
        metrics::connections().decrement(1);
    }
}

fn lock(counts: &Mutex<Counts>) -> MutexGuard<'_, Counts> {
    counts.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admission(connections: usize, per_source: usize, handshakes: usize) -> Admission {
        Admission::new(Limits { connections, connections_per_source: per_source, handshakes, ..Limits::default() })
    }

    fn admit(admission: &Admission, ip: &str) -> Slot {
        match admission.decide(ip.parse().unwrap(), true) {
            Verdict::Admit(slot) => slot,
            other => panic!("{ip} is not admitted: {other:?}"),
        }
    }

    fn refused(admission: &Admission, ip: &str) -> &'static str {
        match admission.decide(ip.parse().unwrap(), true) {
            Verdict::Refuse(limit) => limit,
            other => panic!("{ip} is not refused: {other:?}"),
        }
    }

    #[test]
    fn each_limit_is_named_and_places_come_back() {
        let full = admission(2, 9, 9);
        let first = admit(&full, "10.0.0.1");
        let _second = admit(&full, "10.0.0.2");
        assert_eq!(refused(&full, "10.0.0.3"), "connections");
        drop(first);
        admit(&full, "10.0.0.3");

        let busy = admission(9, 9, 1);
        let mut first = admit(&busy, "10.0.0.1");
        assert_eq!(refused(&busy, "10.0.0.2"), "handshakes");
        first.handshake_done();
        admit(&busy, "10.0.0.2");
    }

    #[test]
    fn one_source_does_not_crowd_out_another() {
        let admission = admission(9, 1, 9);
        let _one = admit(&admission, "10.0.0.1");
        assert_eq!(refused(&admission, "10.0.0.1"), "connections_per_source");
        assert_eq!(refused(&admission, "::ffff:10.0.0.1"), "connections_per_source");
        let _other = admit(&admission, "10.0.0.2");
        let _host = admit(&admission, "2001:db8:1:2::1");
        assert_eq!(refused(&admission, "2001:db8:1:2:ffff::2"), "connections_per_source");
        let _neighbour = admit(&admission, "2001:db8:1:3::1");
    }

    #[test]
    fn under_load_addresses_are_proved_first() {
        let admission = admission(9, 1, 4);
        let unproved = |ip: &str| admission.decide(ip.parse().unwrap(), false);
        assert!(matches!(unproved("10.0.0.1"), Verdict::Admit(_)), "and dropped at once");
        let _a = admit(&admission, "10.0.0.1");
        assert!(matches!(unproved("10.0.0.1"), Verdict::Validate), "whoever sends may have forged the address");
        let _b = admit(&admission, "10.0.0.2");
        assert!(matches!(unproved("10.0.0.3"), Verdict::Validate), "half of the handshakes are under way");
    }

    #[test]
    fn only_what_is_admitted_takes_up_anything_and_nothing_is_left_behind() {
        let admission = admission(9, 9, 9);
        let counted = || {
            let counts = lock(&admission.counts);
            (counts.connections, counts.handshakes, counts.sources.len())
        };
        let slots: Vec<_> = (0..9).map(|i| admit(&admission, &format!("10.0.0.{}", i % 3))).collect();
        for i in 0..=u16::MAX {
            refused(&admission, &format!("2001:db8:0:{i:x}::1"));
        }
        assert_eq!(counted(), (9, 9, 3));
        drop(slots);
        assert_eq!(counted(), (0, 0, 0));
    }
}
