//! Parts of consent that were taken back, for the slow reference.

use sayso_policy::PartStatus;
use sayso_policy::profile::Processor;
use sayso_types::{Label, Part};

/// Whether a part with this status shuts out data of `label` from `receiver`.
pub(crate) fn shuts_out((part, status): (&Part, &PartStatus), label: &Label, receiver: &Processor) -> bool {
    [
        !matches!(status, PartStatus::GivenAgain(at) if label.cv >= *at),
        part.purpose.is_none_or(|purpose| purpose == label.purpose),
        part.category.is_none_or(|category| category == label.category),
        part.processor.is_none_or(|processor| processor == receiver.id),
        part.kind.is_none_or(|kind| kind == receiver.kind),
        part.region.is_none_or(|region| region == receiver.region_class),
    ] == [true; 6]
}
