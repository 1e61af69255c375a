//! [`Flow`]: one way that a profile lets data go once nothing about the person stands against it.

use sayso_types::Category;

use crate::profile::{Document, Processing, Processor, ProcessorState, PurposeRule};

/// One way that data may go: a category, for a purpose, to a processor that is in use.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flow<'a> {
    pub(crate) purpose: &'a PurposeRule,
    pub(crate) id: Category,
    pub(crate) processor: &'a Processor,
}

impl Document {
    /// Every way that data may go, by purpose, category and processor; without what is prohibited for everybody.
    pub(crate) fn flows(&self) -> impl Iterator<Item = Flow<'_>> {
        let uses = self.purpose.values().flat_map(|purpose| {
            let used = self.category.iter().filter(|(_, rule)| rule.purposes.contains(&purpose.id));
            used.map(move |(id, _)| (purpose, *id))
        });
        let flows = uses
            .flat_map(|(purpose, id)| self.processor.values().map(move |processor| Flow { purpose, id, processor }));
        flows.filter(|flow| flow.is_open() && !self.is_prohibited(flow))
    }

    fn is_prohibited(&self, flow: &Flow<'_>) -> bool {
        {
            let purpose = flow.purpose;
            let does = |done| done == Processing::Transmit || purpose.processing.contains(&done);
            self.prohibition.iter().any(|rule| rule.covers((purpose.id, Some(purpose)), flow.id, does, u8::MAX))
        }
    }
}

impl Flow<'_> {
    fn is_open(&self) -> bool {
        let processor = self.processor;
        processor.state == ProcessorState::Active
            && processor.accepts.contains(&self.id)
            && processor.purposes.contains(&self.purpose.id)
    }
}
