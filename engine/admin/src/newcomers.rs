//! [`Newcomers`]: connections on which nobody has proved yet who they are.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many there are from each source: an IPv4 address, or an IPv6 /64, which is what one host is given.
#[derive(Clone, Debug, Default)]
pub(crate) struct Newcomers(Arc<Mutex<HashMap<IpAddr, usize>>>);

impl Newcomers {
    /// Lets one in from `ip`, unless there are `limit` from there already.
    pub(crate) fn admit(&self, ip: IpAddr, limit: usize) -> Option<Newcomer> {
        let source = source(ip);
        let mut counts = lock(&self.0);
        let before = counts.get(&source).copied().unwrap_or(0);
        if before >= limit {
            metrics::counter!("sayso_admin_newcomers_refused_total").increment(1);
            return None;
        }
        counts.insert(source, before + 1);
        Some(Newcomer { counts: Arc::clone(&self.0), source })
    }
}

/// One of them.
#[derive(Debug)]
pub(crate) struct Newcomer {
    counts: Arc<Mutex<HashMap<IpAddr, usize>>>,
    source: IpAddr,
}

impl Drop for Newcomer {
    fn drop(&mut self) {
        let mut counts = lock(&self.counts);
        if let Some(count) = counts.get_mut(&self.source) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.source);
            }
        }
    }
}

/// Whether somebody has proved on a connection who they are: then it is no newcomer any more.
#[derive(Clone, Debug)]
pub(crate) struct Proof(Arc<Mutex<Option<Newcomer>>>);

impl Proof {
    pub(crate) fn awaited_of(newcomer: Newcomer) -> Self {
        Self(Arc::new(Mutex::new(Some(newcomer))))
    }

    pub(crate) fn is_awaited(&self) -> bool {
        lock(&self.0).is_some()
    }

    /// They have.
    pub(crate) fn given(&self) {
        let newcomer = lock(&self.0).take();
        drop(newcomer);
    }
}

fn source(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(ip) => Ipv6Addr::from(u128::from(ip) >> 64 << 64).into(),
        ip @ IpAddr::V4(_) => ip,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // counts are whole at every point
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_source_does_not_crowd_out_another_and_who_proves_themselves_makes_room() {
        let newcomers = Newcomers::default();
        let admit = |ip: &str| newcomers.admit(ip.parse().unwrap(), 1);
        let first = Proof::awaited_of(admit("10.0.0.1").unwrap());
        assert!(admit("10.0.0.1").is_none() && admit("::ffff:10.0.0.1").is_none());
        let (other, host) = (admit("10.0.0.2").unwrap(), admit("2001:db8:1:2::1").unwrap());
        assert!(admit("2001:db8:1:2:ffff::2").is_none() && admit("2001:db8:1:3::1").is_some());
        assert!(first.is_awaited());
        first.given();
        first.given();
        assert!(!first.is_awaited() && admit("10.0.0.1").is_some());
        drop((other, host));
        assert!(lock(&newcomers.0).is_empty());
    }
}
