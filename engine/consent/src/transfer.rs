//! How many people's data has gone overseas in a calendar year: of everybody's together, as laws count, and to each
//! processor.
//!
//! ```text
//! a segment is opened overseas ──▶ was this person counted there this year?
//!                                     │ yes                       │ no: one more, in the batch that opens the segment
//!                                     ▼                           ▼
//!                                   opened              does the means cover so many? ── no ──▶ denied, and the processor
//!                                                         │ yes                                 has nothing more about
//!                                                         ▼                                     anybody this year
//!                                                       opened
//! ```
//!
//! What the means covers is in the profile and the laws that it names ([`sayso_policy::transfer`]); the row of a person goes
//! when the year is over, the numbers stay.

use std::collections::BTreeMap;

use sayso_policy::{People, Transfer};
use sayso_types::ProcessorId;
use serde::{Deserialize, Serialize};

use crate::Error;

/// To whom of a person's data went in a year, each with whether it was sensitive.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Crossed {
    /// To anybody, as far as laws count that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    together: Option<bool>,
    #[serde(default)]
    to: BTreeMap<ProcessorId, bool>,
}

/// How many people's data went overseas in a year.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// As far as laws count that: to whomever.
    pub together: People,
    /// To each processor.
    #[serde(default)]
    pub to: BTreeMap<ProcessorId, People>,
}

/// How many people more it is when something of somebody goes overseas.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct More {
    together: People,
    there: People,
}

impl Crossed {
    /// Has something of the person go to `processor`, too; how many people more that is. [`None`] when they are counted
    /// already.
    pub(crate) fn take(&mut self, processor: ProcessorId, transfer: &Transfer) -> Option<More> {
        let (is_sensitive, there) = raised(self.to.get(&processor).copied(), transfer.is_sensitive);
        self.to.insert(processor, is_sensitive);
        let mut more = More { there, ..More::default() };
        if transfer.counts {
            let (is_sensitive, together) = raised(self.together, transfer.is_sensitive);
            (self.together, more.together) = (Some(is_sensitive), together);
        }
        (more != More::default()).then_some(more)
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("plain values are JSON")
    }

    pub(crate) fn decode(body: &[u8]) -> Result<Self, Error> {
        read("transfer", body)
    }
}

/// What is known of a person of whom `before` was known, and how many people more that is.
fn raised(before: Option<bool>, is_sensitive: bool) -> (bool, People) {
    match (before, is_sensitive) {
        (None, _) => (is_sensitive, People { persons: 1, sensitive: u64::from(is_sensitive) }),
        (Some(false), true) => (true, People { persons: 0, sensitive: 1 }),
        (Some(was), _) => (was, People::default()),
    }
}

impl Counted {
    /// How many there are to `processor`.
    #[must_use]
    pub fn there(&self, processor: ProcessorId) -> People {
        self.to.get(&processor).copied().unwrap_or_default()
    }

    /// The same with so many more to `processor`.
    #[must_use]
    pub(crate) fn with(mut self, processor: ProcessorId, more: More) -> Self {
        let sum =
            |a: People, b: People| People { persons: a.persons + b.persons, sensitive: a.sensitive + b.sensitive };
        self.together = sum(self.together, more.together);
        self.to.insert(processor, sum(self.there(processor), more.there));
        self
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("plain values are JSON")
    }

    pub(crate) fn decode(body: &[u8]) -> Result<Self, Error> {
        read("transfer count", body)
    }
}

fn read<'a, T: Deserialize<'a>>(what: &'static str, body: &'a [u8]) -> Result<T, Error> {
    let damaged =
        |e: serde_json::Error| Error::Damaged { what, found: format!("{:?} at column {}", e.classify(), e.column()) };
    serde_json::from_slice(body).map_err(damaged)
}

#[cfg(test)]
mod tests {
    use sayso_policy::{Covered, TransferLimit};

    use super::*;

    fn to(is_sensitive: bool, most: u64) -> Transfer {
        let together = Covered { persons: None, sensitive: Some(most) };
        Transfer { is_sensitive, counts: true, limit: TransferLimit { together, ..TransferLimit::default() } }
    }

    #[test]
    fn a_person_counts_once_to_each_and_once_together() {
        let (far, farther) = ("far".parse().unwrap(), "farther".parse().unwrap());
        let (ordinary, sensitive) = (to(false, 9), to(true, 9));
        let (mut person, mut counted) = (Crossed::default(), Counted::default());
        let mut goes = |to, transfer| {
            if let Some(more) = person.take(to, transfer) {
                counted = counted.clone().with(to, more);
            }
        };
        for transfer in [&ordinary, &ordinary, &sensitive, &ordinary] {
            goes(far, transfer);
        }
        goes(farther, &ordinary);
        let exempt = Transfer { counts: false, ..sensitive };
        goes(farther, &exempt);
        let of = |persons, sensitive| People { persons, sensitive };
        assert_eq!(counted.together, of(1, 1));
        assert_eq!((counted.there(far), counted.there(farther)), (of(1, 1), of(1, 1)));
        assert_eq!(person.take(far, &sensitive), None);
    }

    #[test]
    fn the_law_lets_as_many_people_cross_as_it_says_and_not_the_next() {
        let far = "far".parse().unwrap();
        for most in [9_999, 10_000] {
            let sensitive = to(true, most);
            let mut counted = Counted::default();
            for person in 1..=10_001 {
                let more = Crossed::default().take(far, &sensitive).expect("somebody new");
                let next = counted.clone().with(far, more);
                let is_covered = sensitive.limit.covers(next.together, next.there(far));
                assert_eq!(is_covered, person <= most, "the {person}th of {most}");
                if is_covered {
                    counted = next;
                }
            }
        }
    }
}
