//! [`Holders`]: every permit in use, so that a withdrawal finds them all.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sayso_audit::{Event, Hash, Reference};
use sayso_policy::{Passed, Revoker};
use sayso_proto::consent::v1 as proto;
use sayso_types::{Cell, Mono, Name, ProcessorId, Purpose, SubjectId, TurnId};
use tokio_util::sync::CancellationToken;

use super::Subject;
use crate::Journal;
use crate::journal::{About, Noted};

/// A permit in use.
pub(crate) struct Holder {
    /// Keeps the subject's one entry alive, so that its state stays at hand as long as a permit rests on it.
    pub(crate) subject: Arc<Subject>,
    pub(crate) revoker: Revoker,
    /// What the leaves of its segment say.
    pub(crate) segment: Segment,
    /// Tells the holder to let go.
    pub(crate) revoked: CancellationToken,
    /// Tells that the holder has let go.
    pub(crate) released: CancellationToken,
    /// Whether a withdrawal took it back.
    pub(crate) withdrawn: bool,
}

impl Holder {
    fn take_back(&mut self) -> Taken {
        let passed = self.revoker.revoke();
        self.withdrawn = true;
        self.revoked.cancel();
        Taken {
            reference: self.segment.reference,
            processor: self.revoker.terms().processor,
            passed,
            released: self.released.clone(),
        }
    }
}

/// A permit that was taken back: what it had passed, and when its holder lets go.
pub(crate) struct Taken {
    reference: Reference,
    processor: ProcessorId,
    passed: Passed,
    pub(crate) released: CancellationToken,
}

impl Taken {
    /// As a withdrawal reports it.
    pub(crate) fn outcome(&self) -> proto::HolderOutcome {
        let state =
            if self.released.is_cancelled() { proto::HolderState::Acknowledged } else { proto::HolderState::Outstanding };
        proto::HolderOutcome {
            permit_id: self.reference.0.to_vec(),
            processor_id: self.processor.to_string(),
            state: state.into(),
            bytes: self.passed.bytes,
            pieces: self.passed.pieces,
        }
    }
}

/// What the opening and the closing leaf of a segment have in common.
#[derive(Clone)]
pub(crate) struct Segment {
    pub(crate) about: About,
    pub(crate) reference: Reference,
    pub(crate) cell: Cell,
    pub(crate) processor: ProcessorId,
    pub(crate) turn: TurnId,
}

impl Segment {
    /// The leaf that opens it.
    pub(crate) fn opened(&self) -> Noted {
        let Self { about, reference: segment, cell, processor, turn } = *self;
        about.event(Event::SegmentOpened { segment, cell, processor, turn })
    }

    /// The leaf that closes it.
    fn closed(&self, passed: &Passed, reason: &'static str) -> Noted {
        let Self { about, reference: segment, cell, processor, turn } = *self;
        let (bytes, pieces, content) = (passed.bytes, passed.pieces, Hash(passed.hash));
        let reason = Name::parse(reason).unwrap_or(Name::constant("other"));
        about.event(Event::SegmentClosed { segment, cell, processor, turn, bytes, pieces, content, reason })
    }
}

/// Every permit in use on this node.
pub(crate) struct Holders {
    journal: Journal,
    limit: usize,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    next: u64,
    holders: HashMap<u64, Holder>,
}

impl core::fmt::Debug for Holders {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Holders({} of {})", self.lock().holders.len(), self.limit)
    }
}

impl Holders {
    pub(crate) fn new(journal: Journal, limit: usize) -> Self {
        Self { journal, limit, inner: Mutex::default() }
    }

    pub(crate) const fn limit(&self) -> usize {
        self.limit
    }

    pub(crate) fn is_full(&self) -> bool {
        self.lock().holders.len() >= self.limit
    }

    /// Enters a permit; its number.
    pub(crate) fn enter(&self, holder: Holder) -> u64 {
        let mut inner = self.lock();
        inner.next += 1;
        let id = inner.next;
        inner.holders.insert(id, holder);
        metrics::gauge!("sayso_consent_permits").set(inner.holders.len() as f64);
        id
    }

    /// The holder has let go. A permit that nobody took back is closed here.
    pub(crate) fn release(&self, id: u64, reason: &'static str) {
        let holder = {
            let mut inner = self.lock();
            let holder = inner.holders.remove(&id);
            metrics::gauge!("sayso_consent_permits").set(inner.holders.len() as f64);
            holder
        };
        if let Some(holder) = holder {
            let passed = holder.revoker.revoke();
            let reason = if holder.withdrawn { "withdrawn" } else { reason };
            self.journal.note(holder.segment.closed(&passed, reason));
        }
    }

    /// Takes back every permit of `subject` for one of `purposes`: when this returns none of them passes anything.
    /// They stay entered until their holders let go.
    pub(crate) fn take_back(&self, subject: SubjectId, purposes: &[Purpose]) -> Vec<Taken> {
        let mut inner = self.lock();
        let scope = inner
            .holders
            .values_mut()
            .filter(|h| h.revoker.terms().subject == subject && purposes.contains(&h.revoker.terms().cell.purpose));
        scope.map(Holder::take_back).collect()
    }

    /// The subjects that have permits in use.
    pub(crate) fn subjects(&self) -> Vec<Arc<Subject>> {
        let mut subjects: Vec<_> = self.lock().holders.values().map(|holder| Arc::clone(&holder.subject)).collect();
        subjects.sort_unstable_by_key(|subject| subject.id);
        subjects.dedup_by_key(|subject| subject.id);
        subjects
    }

    /// Renews the permits of `subject` that `still` holds for; the others run out by themselves.
    pub(crate) fn renew(&self, subject: SubjectId, until: Mono, still: impl Fn(&Holder) -> bool) {
        let inner = self.lock();
        let of_subject = inner.holders.values().filter(|h| h.revoker.terms().subject == subject);
        for holder in of_subject.filter(|h| still(h)) {
            holder.revoker.renew(until);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
