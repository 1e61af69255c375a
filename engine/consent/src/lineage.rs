//! [`Lineage`]: what the data of a turn was made of.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sayso_policy::{ConsentState, ConsentStatus};
use sayso_types::{Cell, Part, ProcessorId, Purpose};

use crate::Lease;

/// Whose hands the data of a turn has passed through by its subject's consent: the text of an utterance was made of their
/// voice by a recogniser, the answer of that text by a dialogue, and so on. Whoever takes back what an answer was made of
/// takes back the answer: its permits end as if they were for what it came from. Clones are of one lineage.
#[derive(Clone, Debug, Default)]
pub struct Lineage(Arc<Mutex<Vec<Origin>>>);

/// What data was made of: data of a cell, by a processor. A turn has as many as it has calls whose results go on, which its
/// stages bound: one recogniser or viewer, one dialogue, and what goes along to that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Origin {
    cell: Cell,
    processor: ProcessorId,
}

impl Lineage {
    /// From here on there is something in it that was made of what `lease` is for. What rests on a grant is nobody's to take
    /// back, and no origin.
    pub fn grows_from(&self, lease: &Lease) {
        let segment = &lease.holder.segment;
        let origin = Origin { cell: segment.cell, processor: segment.processor };
        let mut origins = self.lock();
        if segment.exemption.is_none() && !origins.contains(&origin) {
            origins.push(origin);
        }
    }

    /// Whether somebody who stands like `consent` has taken back something that it was made of.
    #[must_use]
    pub fn is_taken_back(&self, consent: &ConsentState) -> bool {
        let parts: Vec<_> = consent.taken_back().collect();
        self.has_purpose(|purpose| has_ended(consent.status(purpose))) || self.is_in(&parts)
    }

    /// Whether something that it was made of was for a purpose that `is_meant`.
    pub(crate) fn has_purpose(&self, is_meant: impl Fn(Purpose) -> bool) -> bool {
        self.lock().iter().any(|origin| is_meant(origin.cell.purpose))
    }

    /// Whether something that it was made of is in one of `parts` of what its subject agreed to.
    pub(crate) fn is_in(&self, parts: &[Part]) -> bool {
        self.lock().iter().any(|Origin { cell, processor }| parts.iter().any(|part| part.covers(cell, *processor)))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Origin>> {
        // nothing panics while it is held
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether there was a consent and it is over. Where there never was one, the data moves by another right.
const fn has_ended(status: ConsentStatus) -> bool {
    match status {
        ConsentStatus::Withdrawing
        | ConsentStatus::Withdrawn
        | ConsentStatus::Revoked
        | ConsentStatus::Expired
        | ConsentStatus::Invalidated => true,
        ConsentStatus::Unknown
        | ConsentStatus::Requested
        | ConsentStatus::Given
        | ConsentStatus::Refused
        | ConsentStatus::Deferred
        | ConsentStatus::Renewed => false,
    }
}
