//! [`Table`]: the bits.

use core::fmt;
use std::collections::BTreeMap;
use std::sync::Arc;

use sayso_types::{
    Category, Cell, ConsentVersion, Label, ProcessorId, ProcessorKind, Purpose, RegionClass, SubjectId, TurnId,
    WallTime,
};

use crate::decide::Case;
use crate::gate::Gates;
use crate::profile::Profile;
use crate::{ConsentState, Gate, InForce, LegalBasis, Obligations, PurposeConsent, Question};

/// The bits of one shape of consent under one [`InForce`]: one entry for each use of a category and each processor, at
/// most [`CELLS_MAX`](crate::profile::CELLS_MAX) of 16 bytes.
pub(super) struct Table {
    in_force: Arc<InForce>,
    /// Sorted.
    pairs: Vec<Pair>,
    /// Sorted.
    receivers: Vec<Receiver>,
    /// By pair, then by receiver.
    entries: Vec<Entry>,
}

/// A use of a category.
pub(super) struct Pair {
    purpose: Purpose,
    category: Category,
    pub(super) basis: LegalBasis,
}

/// A processor.
pub(super) struct Receiver {
    id: ProcessorId,
    kind: ProcessorKind,
    region: RegionClass,
    /// The first moment at which it may have nothing any more.
    pub(super) examined_until: Option<WallTime>,
}

/// What may go from a pair to a receiver.
#[derive(Clone, Copy, Default)]
pub(super) struct Entry {
    /// The gates where nothing but the want of a basis can stand against it.
    pub(super) admits: Gates,
    /// Of those, the ones where it rests on the basis of its purpose.
    pub(super) rests: Gates,
    pub(super) obligations: Obligations,
}

impl Entry {
    pub(super) const fn cell(&self, pair: &Pair, receiver: &Receiver) -> Cell {
        Cell { purpose: pair.purpose, category: pair.category, kind: receiver.kind, region: receiver.region }
    }
}

impl Table {
    pub(super) fn new(in_force: Arc<InForce>, state: &ConsentState) -> Self {
        let profile: &Profile = in_force.profile();
        let mut pairs: Vec<_> = profile
            .categories()
            .flat_map(|(category, rule)| rule.purposes.iter().map(move |purpose| (*purpose, category)))
            .filter_map(|(purpose, category)| Some(Pair { purpose, category, basis: profile.purpose(purpose)?.basis }))
            .collect();
        pairs.sort_unstable_by_key(|pair| (pair.purpose, pair.category));
        // the profile's map is in the order of ids
        let receivers: Vec<_> = profile
            .processors()
            .map(|p| Receiver { id: p.id, kind: p.kind, region: p.region_class, examined_until: p.examined_until() })
            .collect();
        let timeless = timeless(state);
        let entries = pairs.iter().flat_map(|pair| {
            receivers.iter().map(|receiver| Entry::new(pair, receiver, &timeless, &in_force)).collect::<Vec<_>>()
        });
        let entries = entries.collect();
        Self { pairs, receivers, entries, in_force }
    }

    pub(super) const fn in_force(&self) -> &Arc<InForce> {
        &self.in_force
    }

    /// What is said about the cell of `question`, if the profile has it.
    pub(super) fn find(&self, question: &Question) -> Option<(&Entry, &Pair, &Receiver)> {
        let Question { label, processor, .. } = question;
        let key = (label.purpose, label.category);
        let p = self.pairs.binary_search_by(|pair| (pair.purpose, pair.category).cmp(&key)).ok()?;
        let r = self.receivers.binary_search_by(|receiver| receiver.id.cmp(processor)).ok()?;
        Some((&self.entries[p * self.receivers.len() + r], &self.pairs[p], &self.receivers[r]))
    }
}

impl Entry {
    fn new(pair: &Pair, receiver: &Receiver, state: &ConsentState, in_force: &InForce) -> Self {
        // the newest data at the earliest time: whatever is denied now is denied always
        let label = Label {
            subject: SubjectId([0; 16]),
            category: pair.category,
            purpose: pair.purpose,
            turn: TurnId(0),
            cv: ConsentVersion(u64::MAX),
        };
        let mut entry = Self::default();
        for gate in Gate::ALL.into_iter().filter(|gate| gate.leads_to(receiver.kind)) {
            let question = Question { label, gate, processor: receiver.id, now: WallTime(0) };
            let Ok(case) = Case::of(&question, state, in_force) else { continue };
            entry.admits.insert(gate);
            entry.obligations = case.obligations();
            if case.own_basis(&question, state).is_some() {
                entry.rests.insert(gate);
            }
        }
        entry
    }
}

/// `state` with consents that never end.
fn timeless(state: &ConsentState) -> ConsentState {
    let consents: BTreeMap<_, _> = state
        .consents
        .iter()
        .map(|(purpose, given)| (*purpose, PurposeConsent { expires_at: None, ..given.clone() }))
        .collect();
    ConsentState { consents, ..state.clone() }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pairs, receivers, .. } = self;
        write!(f, "Table({} uses x {} processors)", pairs.len(), receivers.len())
    }
}
