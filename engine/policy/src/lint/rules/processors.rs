//! Rules about processors.

use sayso_types::RegionClass;

use crate::lint::rule::Found;
use crate::profile::{Document, Mechanism, Processor, ProcessorState};

/// Active overseas processors without a legal means of transfer.
pub(in crate::lint) fn no_mechanism(document: &Document) -> Found {
    let without = document.processor.values().filter(|p| is_active_overseas(p) && !has_mechanism(p));
    without
        .map(|p| {
            let message = "is active and overseas but has no transfer mechanism; name one or set state = \"draft\"";
            (format!("processor.{}.mechanism", p.id), message.to_owned())
        })
        .collect()
}

fn is_active_overseas(processor: &Processor) -> bool {
    processor.region_class == RegionClass::Overseas && processor.state == ProcessorState::Active
}

fn has_mechanism(processor: &Processor) -> bool {
    processor.mechanism.as_ref().is_some_and(|m| *m != Mechanism::None)
}
