//! [`Dependants`]: whether what requires consent to something else was closed with it.

use std::collections::{BTreeMap, BTreeSet};

use sayso_audit::{Actor, Leaf, Reference, Scope, SubjectTag};
use sayso_policy::Profile;
use sayso_types::Purpose;

/// What is open of each person, and what they have asked to be closed.
#[derive(Debug, Default)]
pub(super) struct Dependants {
    open: BTreeMap<Reference, Open>,
    of: BTreeMap<SubjectTag, BTreeSet<Reference>>,
    /// The leaves by which withdrawals were asked for.
    requested: BTreeMap<Reference, u64>,
}

#[derive(Debug)]
struct Open {
    leaf: u64,
    whose: SubjectTag,
    purpose: Purpose,
    epoch: u64,
    /// Whether it is used outside of the process that opened it, and outlives it.
    is_lent: bool,
}

impl Dependants {
    /// `segment` is opened for `purpose` by the leaf at `index`. Of what rests on a grant nothing is asked.
    pub(super) fn opened(&mut self, (index, leaf): (u64, &Leaf), segment: Reference, purpose: Purpose) {
        let Some(whose) = leaf.fact.subject else { return };
        let (epoch, is_lent) = (leaf.fact.epoch, leaf.fact.actor != Actor::SYSTEM);
        self.open.insert(segment, Open { leaf: index, whose, purpose, epoch, is_lent });
        self.of.entry(whose).or_default().insert(segment);
    }

    pub(super) fn closed(&mut self, segment: Reference) {
        if let Some(open) = self.open.remove(&segment)
            && let Some(of) = self.of.get_mut(&open.whose)
        {
            of.remove(&segment);
        }
    }

    /// A withdrawal is asked for by the leaf at `index`.
    pub(super) fn requested(&mut self, withdrawal: Reference, index: u64) {
        self.requested.insert(withdrawal, index);
    }

    /// Whether a withdrawal of `scope` takes effect by `leaf` while something is open that had to close with it, because by
    /// `profile` it requires consent to what is withdrawn. What was opened since it was asked for, another revision allowed.
    pub(super) fn are_open(&mut self, leaf: &Leaf, withdrawal: Reference, scope: Scope, profile: &Profile) -> bool {
        let (Some(requested), Some(whose)) = (self.requested.remove(&withdrawal), leaf.fact.subject) else {
            return false;
        };
        let open = self.of.get(&whose).into_iter().flatten().filter_map(|segment| self.open.get(segment));
        let mut bound = open.filter(|open| open.leaf < requested && (open.is_lent || open.epoch == leaf.fact.epoch));
        bound.any(|open| {
            let rule = profile.purpose(open.purpose);
            let required = rule.map(|rule| profile.document().required(rule)).unwrap_or_default();
            required.into_iter().any(|purpose| scope.covers(purpose))
        })
    }
}
