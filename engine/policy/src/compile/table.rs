//! [`Table`]: the bits.

use core::fmt;
use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use sayso_types::{
    Category, Cell, ConsentVersion, Label, ProcessorId, ProcessorKind, Purpose, RegionClass, SubjectId, TurnId,
    WallTime,
};

use crate::decide::{Case, is_instructable};
use crate::gate::Gates;
use crate::profile::{CategoryRule, Processor, Profile};
use crate::{ConsentState, Gate, InForce, IntroductionHash, LegalBasis, Obligations, PurposeConsent, Question};

/// The bits of one shape of consent under one [`InForce`]: one entry for each use of a category and each processor, at
/// most [`CELLS_MAX`](crate::profile::CELLS_MAX) of 16 bytes.
pub(super) struct Table {
    in_force: Arc<InForce>,
    // whoever asks cannot add a key, so the hash need not withstand anybody
    pairs: FxHashMap<(Purpose, Category), Pair>,
    receivers: FxHashMap<ProcessorId, Receiver>,
    /// By pair, then by receiver.
    entries: Vec<Entry>,
}

/// A use of a category.
pub(super) struct Pair {
    at: usize,
    pub(super) basis: LegalBasis,
    /// Whether the category is about somebody.
    pub(super) is_personal: bool,
    /// Whether the person's tenant has to have attested where it comes from.
    pub(super) is_attested: bool,
    /// The purposes that must have been agreed to first.
    pub(super) required: Vec<Purpose>,
}

/// A processor.
pub(super) struct Receiver {
    at: usize,
    kind: ProcessorKind,
    region: RegionClass,
    /// The first moment at which it may have nothing any more.
    pub(super) examined_until: Option<WallTime>,
    /// What people have to be told of it first.
    pub(super) introduction: Option<IntroductionHash>,
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

impl Receiver {
    pub(super) const fn cell(&self, label: &Label) -> Cell {
        Cell { purpose: label.purpose, category: label.category, kind: self.kind, region: self.region }
    }
}

impl Table {
    pub(super) fn new(in_force: Arc<InForce>, state: &ConsentState) -> Self {
        let profile: &Profile = in_force.profile();
        let uses = profile.categories().flat_map(|(id, rule)| rule.purposes.iter().map(move |purpose| (*purpose, id)));
        let uses: Vec<_> = uses.filter_map(|(purpose, id)| Some(((purpose, id), profile.purpose(purpose)?))).collect();
        let timeless = timeless(state);
        let entries = uses.iter().flat_map(|(pair, _)| {
            profile.processors().map(|receiver| Entry::new(*pair, receiver, &timeless, &in_force)).collect::<Vec<_>>()
        });
        let entries = entries.collect();
        let pairs = uses.iter().enumerate().map(|(at, (pair, rule))| {
            let required = profile.document().required(rule).into_iter().collect();
            let is_personal = profile.category(pair.1).is_some_and(CategoryRule::is_personal);
            let attested = |category| profile.document().is_attested(category) && is_instructable(rule);
            let is_attested = profile.category(pair.1).is_some_and(attested);
            (*pair, Pair { at, basis: rule.basis, is_personal, is_attested, required })
        });
        let pairs = pairs.collect();
        let receivers = profile.processors().enumerate().map(|(at, p)| {
            let examined_until = p.examined_until();
            let introduction = p.introduction().map(|one| one.hash());
            (p.id, Receiver { at, kind: p.kind, region: p.region_class, examined_until, introduction })
        });
        let receivers = receivers.collect();
        Self { pairs, receivers, entries, in_force }
    }

    pub(super) const fn in_force(&self) -> &Arc<InForce> {
        &self.in_force
    }

    /// What is said about the cell of `question`, if the profile has it.
    pub(super) fn find(&self, question: &Question) -> Option<(&Entry, &Pair, &Receiver)> {
        let Question { label, processor, .. } = question;
        let pair = self.pairs.get(&(label.purpose, label.category))?;
        let receiver = self.receivers.get(processor)?;
        Some((&self.entries[pair.at * self.receivers.len() + receiver.at], pair, receiver))
    }
}

impl Entry {
    fn new(
        (purpose, category): (Purpose, Category),
        receiver: &Processor,
        state: &ConsentState,
        in_force: &InForce,
    ) -> Self {
        // the newest data at the earliest time: whatever is denied now is denied always
        let label =
            Label { subject: SubjectId([0; 16]), category, purpose, turn: TurnId(0), cv: ConsentVersion(u64::MAX) };
        let mut entry = Self::default();
        for gate in Gate::ALL.into_iter().filter(|gate| gate.leads_to(receiver.kind)) {
            let question = Question { label, gate, processor: receiver.id, now: WallTime(0) };
            let Ok(case) = Case::of_any_tenant(&question, state, in_force) else { continue };
            entry.admits.insert(gate);
            entry.obligations = case.obligations();
            if case.own_basis(&question, state).is_ok() {
                entry.rests.insert(gate);
            }
        }
        entry
    }
}

/// `state` with consents that never end, of which nothing was taken back, of nobody's tenant.
fn timeless(state: &ConsentState) -> ConsentState {
    let consents: BTreeMap<_, _> = state
        .consents
        .iter()
        .map(|(purpose, given)| (*purpose, PurposeConsent { expires_at: None, ..given.clone() }))
        .collect();
    ConsentState { consents, tenant: None, parts: BTreeMap::new(), ..state.clone() }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pairs, receivers, .. } = self;
        write!(f, "Table({} uses x {} processors)", pairs.len(), receivers.len())
    }
}
