//! Questions by chance.

use proptest::option::weighted as maybe;
use proptest::prelude::*;
use proptest::sample::select;
use sayso_policy::profile::Document;
use sayso_policy::{Gate, Question};
use sayso_types::{ConsentVersion, Label, SubjectId, TurnId};

use crate::generators::{NAMED, at, category_named, processor_named, purpose_named};

/// A question in numbers. Without a gate it is asked at that of the processor.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    cell: (usize, usize, usize),
    gate: Option<Gate>,
    subject: u8,
    cv: u64,
    day: u64,
}

impl Asked {
    pub(crate) fn of(self, document: &Document) -> Question {
        let (purpose, category, processor) = self.cell;
        let processor = processor_named(processor);
        let own = document.processor.get(&processor).map_or(Gate::Ingress, |receiver| Gate::of(receiver.kind));
        let label = Label {
            subject: SubjectId([self.subject; 16]),
            category: category_named(category),
            purpose: purpose_named(purpose),
            turn: TurnId(1),
            cv: ConsentVersion(self.cv),
        };

        Question { label, gate: self.gate.unwrap_or(own), processor, now: at(self.day) }
    }
}

prop_compose! {
    fn asked()(
        cell in (0..NAMED, 0..NAMED, 0..NAMED),
        gate in maybe(0.5, select(Gate::ALL.to_vec())),
        subject in 0..2_u8,
        cv in 0..5_u64,
        day in 0..150_u64,
    ) -> Asked {
        Asked { cell, gate, subject, cv, day }
    }
}

/// Many questions about one world.
pub(crate) fn questions() -> impl Strategy<Value = Vec<Asked>> {
    prop::collection::vec(asked(), QUESTIONS)
}

/// Questions about each world: what a world costs is to be parsed and compiled.
const QUESTIONS: usize = 200;
