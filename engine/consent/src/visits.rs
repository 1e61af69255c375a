//! Visits: somebody talks to a device who is not its owner.
//!
//! ```text
//!  owner speaks ── begin ──▶ the guest speaks ── end, or its time is over ──▶ owner speaks
//!                                                  └ the guest's consent is withdrawn, and everything of theirs erased
//! ```
//!
//! A guest is a *subject of their own*, a new one with each visit: bound to the device for as long as the visit lasts, and to
//! no account. So all that holds between two people holds between the owner and the guest, and needs no rule of its own: what
//! one agreed to opens nothing for the other, what one takes back ends nothing of the other's, and nothing that is kept of one
//! is read for the other. That somebody is a guest is what they or the device say. It protects guests from being taken for the
//! owner, and keeps the owner's memory from being told to them; it is no lock, because whoever has the device at hand can end
//! it, as they could have talked to it without.
//!
//! The visit is over in the batch that also begins the erasure, so that no crash leaves a guest behind of whom nobody knows
//! any more. A visit outlives the node: who speaks is not changed by a restart, unless the policy ends it with the session,
//! which no restart leaves.

use core::time::Duration;
use std::collections::{HashMap, VecDeque};

use sayso_audit::Reference;
use sayso_types::{DeviceId, Mono, SubjectId, TenantId, WallTime};
use serde::{Deserialize, Serialize};

/// Visits that are open at once on a node: as many as a node has sessions at the most.
pub const VISITS_OPEN_MAX: usize = 10_000;

/// Visits to one device that begin within an hour: one every five minutes. Each leaves a certificate, and has the stores
/// rewritten without what was erased.
pub const VISITS_PER_HOUR: usize = 12;

const HOUR: Duration = Duration::from_secs(3_600);

/// Why a visit did not begin or end. Nothing has changed then.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A limit is reached.
    #[error("{what} are at their limit of {limit}; {remedy}")]
    OverLimit {
        /// What there are too many of.
        what: &'static str,
        /// The limit.
        limit: usize,
        /// What to do.
        remedy: &'static str,
    },
    /// The device was never here.
    #[error("no such device of this tenant was ever connected; check the id, or connect it once")]
    UnknownDevice,
    /// There is nothing to end.
    #[error("nobody visits this device; `sayso visit list` prints the visits that are open")]
    NotOpen,
    /// The register did not do it.
    #[error(transparent)]
    Register(#[from] crate::Error),
}

impl Error {
    /// A short word for it.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::OverLimit { .. } => "too_many_visits",
            Self::UnknownDevice => "unknown_device",
            Self::NotOpen => "no_visit",
            Self::Register(error) => error.code(),
        }
    }
}

/// A device, and whose it is.
pub type DeviceOf = (TenantId, DeviceId);

/// A guest at a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visit {
    /// The visit, as the certificate of its end names it.
    pub id: Reference,
    /// The device.
    pub device: DeviceOf,
    /// The guest.
    pub subject: SubjectId,
    /// Since when.
    pub began_at: WallTime,
    /// When it ends by itself.
    pub ends_at: WallTime,
}

/// The stored form of a visit, schema version 1, is JSON; its device is in the key.
#[derive(Serialize, Deserialize)]
struct Body {
    #[serde(with = "hex")]
    id: [u8; 16],
    #[serde(with = "hex")]
    subject: [u8; 16],
    began_at: WallTime,
    ends_at: WallTime,
}

impl Visit {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let Self { id, subject, began_at, ends_at, .. } = self;
        let body = Body { id: id.0, subject: subject.0, began_at: *began_at, ends_at: *ends_at };
        serde_json::to_vec(&body).expect("plain values are JSON")
    }

    /// The visit to `device` that is stored as `body`.
    pub(crate) fn decode(device: DeviceOf, body: &[u8]) -> Result<Self, crate::Error> {
        let damaged = |e: serde_json::Error| format!("{:?} at column {}", e.classify(), e.column());
        let Body { id, subject, began_at, ends_at } =
            serde_json::from_slice(body).map_err(|e| crate::Error::Damaged { what: "visit", found: damaged(e) })?;
        Ok(Self { id: Reference(id), device, subject: SubjectId(subject), began_at, ends_at })
    }
}

/// The visits of a node: those that are open, and how many began lately.
#[derive(Debug, Default)]
pub(crate) struct Visits {
    open: HashMap<DeviceOf, Visit>,
    /// When those of the last hour began. A restart forgets it, which takes longer than to begin one.
    began: HashMap<DeviceOf, VecDeque<Mono>>,
}

impl Visits {
    /// Visits that were open when a node ended.
    pub(crate) fn stored(visits: Vec<Visit>) -> Self {
        let open = visits.into_iter().map(|visit| (visit.device.clone(), visit)).collect();
        let visits = Self { open, began: HashMap::new() };
        visits.count();
        visits
    }

    pub(crate) fn of(&self, device: &DeviceOf) -> Option<&Visit> {
        self.open.get(device)
    }

    /// Those that are open, by device.
    pub(crate) fn all(&self) -> Vec<Visit> {
        let mut all: Vec<_> = self.open.values().cloned().collect();
        all.sort_by(|a, b| a.device.cmp(&b.device));
        all
    }

    /// Whether one more may begin at `now`.
    pub(crate) fn check(&mut self, device: &DeviceOf, now: Mono) -> Result<(), Error> {
        for began in self.began.values_mut() {
            while began.front().is_some_and(|at| now.since(*at) >= HOUR) {
                began.pop_front();
            }
        }
        self.began.retain(|_, began| !began.is_empty());
        let over = |what, limit, remedy| {
            metrics::counter!("sayso_consent_visits_refused_total", "limit" => what).increment(1);
            Err(Error::OverLimit { what, limit, remedy })
        };
        if self.began.get(device).is_some_and(|began| began.len() >= VISITS_PER_HOUR) {
            return over("visits to this device in an hour", VISITS_PER_HOUR, "begin the next one later");
        }
        if self.open.len() >= VISITS_OPEN_MAX {
            return over("open visits", VISITS_OPEN_MAX, "end one, or try again later");
        }
        Ok(())
    }

    /// One has begun at `now`.
    pub(crate) fn begin(&mut self, visit: Visit, now: Mono) {
        metrics::counter!("sayso_consent_visits_total").increment(1);
        self.began.entry(visit.device.clone()).or_default().push_back(now);
        self.open.insert(visit.device.clone(), visit);
        self.count();
    }

    /// The one to `device` is over.
    pub(crate) fn end(&mut self, device: &DeviceOf) {
        self.open.remove(device);
        self.count();
    }

    fn count(&self) {
        metrics::gauge!("sayso_consent_visits_open").set(self.open.len() as f64);
    }
}

#[cfg(test)]
mod tests {
    use sayso_types::{Clock as _, ManualClock};

    use super::*;

    fn device(number: usize) -> DeviceOf {
        ("acme".parse().unwrap(), format!("speaker-{number}").parse().unwrap())
    }

    fn visit(device: DeviceOf) -> Visit {
        let (began_at, ends_at) = (WallTime(1), WallTime(2));
        Visit { id: Reference([1; 16]), device, subject: SubjectId([2; 16]), began_at, ends_at }
    }

    #[test]
    fn a_device_has_so_many_visits_in_an_hour_and_others_are_not_held_up() {
        let (mut visits, clock) = (Visits::default(), ManualClock::new());
        for _ in 0..VISITS_PER_HOUR {
            visits.check(&device(1), clock.now()).unwrap();
            visits.begin(visit(device(1)), clock.now());
            visits.end(&device(1));
            clock.advance(HOUR / 60);
        }
        let refused = visits.check(&device(1), clock.now()).unwrap_err();
        assert!(matches!(refused, Error::OverLimit { limit: VISITS_PER_HOUR, .. }), "{refused}");
        visits.check(&device(2), clock.now()).unwrap();
        clock.advance(HOUR - HOUR / 60 * u32::try_from(VISITS_PER_HOUR).unwrap());
        visits.check(&device(1), clock.now()).unwrap();
        clock.advance(HOUR);
        visits.check(&device(2), clock.now()).unwrap();
        assert!(visits.began.is_empty(), "what is longer ago is forgotten");
    }

    #[test]
    fn a_node_has_so_many_open_visits() {
        let (mut visits, clock) = (Visits::default(), ManualClock::new());
        for number in 0..VISITS_OPEN_MAX {
            visits.begin(visit(device(number)), clock.now());
        }
        let one_more = device(VISITS_OPEN_MAX);
        let refused = visits.check(&one_more, clock.now()).unwrap_err();
        assert!(matches!(refused, Error::OverLimit { limit: VISITS_OPEN_MAX, .. }), "{refused}");
        visits.end(&device(0));
        visits.check(&one_more, clock.now()).unwrap();
        assert_eq!(visits.all().len(), VISITS_OPEN_MAX - 1);
    }
}
