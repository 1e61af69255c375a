//! [`Holders`]: every permit in use, so that a withdrawal finds them all.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use sayso_audit::{Actor, Event, FENCED, Hash, RAN_OUT, Reference, UNCOUNTED};
use sayso_policy::{Gate, Grounds, Passed, Question, Revoker, Terms};
use sayso_proto::consent::v1 as proto;
use sayso_types::{Cell, Label, Name, Part, ProcessorId, Purpose, SubjectId, TurnId, WallTime};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use super::lending::{End, Outside};
use crate::journal::{About, Noted};
use crate::mutant;
use crate::volume::Allowance;
use crate::{Journal, Lineage};

/// Why a permit was taken back: consent was withdrawn.
const WITHDRAWN: &str = "withdrawn";

/// Why a permit was taken back: the policy was revised.
pub(crate) const POLICY: &str = "policy";
/// Why a segment ended, as the log says it: the service has ended.
pub(crate) const SHUTDOWN: &str = "shutdown";

/// Why a call ended, as egress says it: what came back is no answer.
const MALFORMED: &str = "malformed";

/// Why a permit was taken back: a switch was thrown.
pub(crate) const SWITCHED_OFF: &str = "switched_off";

/// A permit in use.
pub(crate) struct Holder {
    pub(crate) revoker: Revoker,
    /// What the leaves of its segment say.
    pub(crate) segment: Segment,
    /// Tells the holder to let go.
    pub(crate) revoked: CancellationToken,
    /// Tells that the holder has let go.
    pub(crate) released: CancellationToken,
    /// Why it was told so, for the log.
    why: OnceLock<&'static str>,
    /// What was made of what it passes, and of whatever came before.
    lineage: Lineage,
    /// What it has besides when it is used outside of this process.
    pub(super) outside: Option<Outside>,
    /// What is set aside of its receiver's day; [`None`] once it is over.
    allowance: Mutex<Option<Allowance>>,
    /// Its share of [`Holders`]. One that another process gave has none where there is none left.
    _slot: Option<Slot>,
}

/// One of the places in [`Holders`]; given back when it is dropped.
pub(crate) type Slot = OwnedSemaphorePermit;

impl Holder {
    pub(crate) fn new(
        revoker: Revoker,
        segment: Segment,
        lineage: Lineage,
        slot: Option<Slot>,
        allowance: Allowance,
        outside: Option<Outside>,
    ) -> Self {
        let (revoked, released) = (CancellationToken::new(), CancellationToken::new());
        let (why, allowance) = (OnceLock::new(), Mutex::new(Some(allowance)));
        Self { revoker, segment, revoked, released, why, lineage, outside, allowance, _slot: slot }
    }

    /// Tells the holder to let go, and why; whether it was not told before. Its gate is yet to be closed.
    pub(super) fn tell(&self, why: &'static str) -> bool {
        // whoever told first is who ended it
        let is_first = self.why.set(why).is_ok();
        self.revoked.cancel();
        is_first
    }

    /// Why it was told to let go; [`None`] while it was not.
    pub(crate) fn why(&self) -> Option<&'static str> {
        self.why.get().copied()
    }

    /// Closes its gate; what had passed. Of what passes outside, that is what its holder has counted, if it has.
    fn passed(&self) -> Option<Passed> {
        let passed = self.revoker.revoke();
        match &self.outside {
            None => Some(passed),
            Some(outside) => match outside.end() {
                Some(End::LetGo(counted)) => counted.clone(),
                Some(End::Fenced(_)) | None => None,
            },
        }
    }

    /// Closes its gate and counts what has passed, of the call that ended for `reason`; the leaf that raises the alarm, where
    /// that was more than may.
    fn accounted(&self, reason: &'static str) -> Option<Noted> {
        // nothing panics while it is held, and only one takes it
        let allowance = self.allowance.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        // who has not counted has had as much as it might
        let bytes = self.passed().map_or_else(|| allowance.bytes(), |passed| passed.bytes);
        let most = self.revoker.terms().bytes_max;
        let is_over = self.revoker.is_overrun() || most.is_some_and(|most| bytes > most);
        let alarm = is_over.then(|| self.segment.alarm(allowance.overran()));
        let is_malformed = reason == MALFORMED;
        let (to, of) = (self.segment.processor.to_string(), self.segment.cell.category.to_string());
        if is_malformed {
            metrics::counter!("sayso_egress_malformed_total", "processor" => to.clone()).increment(1);
        }
        metrics::counter!("sayso_egress_bytes_total", "processor" => to, "category" => of).increment(bytes);
        allowance.used(bytes, is_malformed);
        alarm
    }

    /// Closes its gate; the leaf that closes its segment, which ended for `reason` if it was not told another.
    pub(super) fn closed(&self, reason: &'static str) -> Noted {
        let passed = self.passed();
        let told = Name::parse(self.why().unwrap_or(reason)).unwrap_or(Name::constant("other"));
        let by = self.segment.by;
        // that nobody knows what passed is what the log has to say, whatever its holder was told
        let (by, reason) = match self.outside.as_ref().map(Outside::end) {
            None | Some(Some(End::LetGo(Some(_)))) => (by, told),
            Some(Some(End::LetGo(None))) => (by, UNCOUNTED),
            Some(Some(End::Fenced(operator))) => (*operator, FENCED),
            Some(None) => (by, RAN_OUT),
        };
        self.segment.closed(&passed.unwrap_or_default(), by, reason)
    }

    /// As a withdrawal reports it.
    pub(crate) fn outcome(&self) -> proto::HolderOutcome {
        let passed = self.passed();
        let state = match self.outside.as_ref().map(Outside::end) {
            _ if !self.released.is_cancelled() => proto::HolderState::Outstanding,
            None | Some(Some(End::LetGo(_))) => proto::HolderState::Acknowledged,
            Some(Some(End::Fenced(_))) => proto::HolderState::Fenced,
            Some(None) => proto::HolderState::Expired,
        };
        let uncounted = passed.is_none();
        let Passed { bytes, pieces, .. } = passed.unwrap_or_default();
        proto::HolderOutcome {
            permit_id: self.segment.reference.0.to_vec(),
            processor_id: self.segment.processor.to_string(),
            state: state.into(),
            bytes,
            pieces,
            uncounted,
        }
    }

    /// What is asked at `now` when it is to be renewed: what was asked when it was issued.
    pub(crate) fn question(&self, now: WallTime) -> Question {
        let Terms { subject, cell, processor, cv, .. } = *self.revoker.terms();
        let Segment { gate, turn, .. } = self.segment;
        let label = Label { subject, category: cell.category, purpose: cell.purpose, turn, cv };
        Question { label, gate, processor, now }
    }

    /// Whether what it passes, or what that was made of, is for one of `purposes`.
    pub(super) fn is_for(&self, purposes: &[Purpose]) -> bool {
        purposes.contains(&self.segment.cell.purpose) || self.lineage.has_purpose(|purpose| purposes.contains(&purpose))
    }

    /// Whether what it passes, or what that was made of, is in one of `parts` of what its subject agreed to. What rests on a
    /// grant is in none.
    pub(super) fn is_in(&self, parts: &[Part]) -> bool {
        let Segment { cell, processor, exemption, .. } = &self.segment;
        let is_itself = exemption.is_none() && parts.iter().any(|part| part.covers(cell, *processor));
        is_itself || self.lineage.is_in(parts)
    }

    pub(super) fn subject(&self) -> SubjectId {
        self.revoker.terms().subject
    }
}

impl core::fmt::Debug for Holder {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.revoker.fmt(f)
    }
}

/// What the opening and the closing leaf of a segment have in common.
#[derive(Clone)]
pub(crate) struct Segment {
    pub(crate) about: About,
    /// Who asked for it.
    pub(crate) by: Actor,
    pub(crate) reference: Reference,
    pub(crate) cell: Cell,
    pub(crate) gate: Gate,
    pub(crate) processor: ProcessorId,
    pub(crate) turn: TurnId,
    /// The grant that it rests on, if it rests on one.
    pub(crate) exemption: Option<Name>,
}

impl Segment {
    /// Whether `grounds` are still such as it was put on record with: on a grant that nobody noted, nothing goes on.
    pub(crate) fn rests_on(&self, grounds: &Grounds) -> bool {
        grounds.exemption().is_none_or(|grant| self.exemption == Some(grant))
    }

    /// The leaf that opens it.
    pub(crate) fn opened(&self) -> Noted {
        let Self { about, by, reference: segment, cell, processor, turn, .. } = *self;
        about.by(by, Event::SegmentOpened { segment, cell, processor, turn })
    }

    /// The leaf that closes it.
    fn closed(&self, passed: &Passed, by: Actor, reason: Name) -> Noted {
        let Self { about, reference: segment, cell, processor, turn, .. } = *self;
        let (bytes, pieces, content) = (passed.bytes, passed.pieces, Hash(passed.hash));
        about.by(by, Event::SegmentClosed { segment, cell, processor, turn, bytes, pieces, content, reason })
    }
}

/// Every permit in use on this node, by whose data it is for.
///
/// A gate may be busy with a write when it is closed or renewed, so neither is ever done under the lock of the table:
/// one slow write holds up its own withdrawal and nobody else's.
pub(crate) struct Holders {
    journal: Journal,
    limit: usize,
    slots: Arc<Semaphore>,
    by_subject: Mutex<HashMap<SubjectId, Vec<Arc<Holder>>>>,
    /// Those that are used outside of this process.
    loans: Mutex<HashMap<Reference, Arc<Holder>>>,
}

impl core::fmt::Debug for Holders {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Holders({} of {})", self.limit - self.slots.available_permits(), self.limit)
    }
}

impl Holders {
    pub(crate) fn new(journal: Journal, limit: usize) -> Self {
        let limit = limit.min(Semaphore::MAX_PERMITS);
        let slots = Arc::new(Semaphore::new(limit));
        Self { journal, limit, slots, by_subject: Mutex::default(), loans: Mutex::default() }
    }

    pub(crate) const fn limit(&self) -> usize {
        self.limit
    }

    /// A place for one more; [`None`] when as many are in use as may be.
    pub(crate) fn slot(&self) -> Option<Slot> {
        Arc::clone(&self.slots).try_acquire_owned().ok()
    }

    /// From here on a withdrawal finds `holder`.
    pub(crate) fn enter(&self, holder: &Arc<Holder>) {
        metrics::gauge!("sayso_consent_permits").increment(1);
        if holder.outside.is_some() {
            metrics::gauge!("sayso_consent_loans").increment(1);
            self.lock_loans().insert(holder.segment.reference, Arc::clone(holder));
        }
        self.lock().entry(holder.subject()).or_default().push(Arc::clone(holder));
    }

    /// The holder has let go. Its gate is closed and its closing leaf on the way *before* a withdrawal can no longer
    /// find it: else the withdrawal could take effect in between.
    pub(crate) fn release(&self, holder: &Arc<Holder>, reason: &'static str) {
        self.journal.note(holder.closed(reason));
        self.let_go(holder, reason);
    }

    /// What [`release`](Self::release) does once the closing leaf is on the way.
    pub(super) fn let_go(&self, holder: &Arc<Holder>, reason: &'static str) {
        if let Some(alarm) = holder.accounted(reason) {
            self.journal.note(alarm);
        }
        if self.lock_loans().remove(&holder.segment.reference).is_some() {
            metrics::gauge!("sayso_consent_loans").decrement(1);
        }
        self.forget(holder);
        metrics::gauge!("sayso_consent_permits").decrement(1);
        holder.released.cancel();
    }

    fn forget(&self, holder: &Arc<Holder>) {
        let mut by_subject = self.lock();
        let Some(of_subject) = by_subject.get_mut(&holder.subject()) else { return };
        of_subject.retain(|other| !Arc::ptr_eq(other, holder));
        if of_subject.is_empty() {
            by_subject.remove(&holder.subject());
        }
    }

    /// Takes back every permit of `subject` for one of `purposes`, because consent was withdrawn.
    pub(crate) fn take_back(&self, subject: SubjectId, purposes: &[Purpose]) -> Vec<Arc<Holder>> {
        self.take_back_if(subject, WITHDRAWN, |holder| holder.is_for(purposes) && !mutant::takes_nothing_back())
    }

    /// Takes back every permit of `subject` for `parts` of one of `purposes`, because those were.
    pub(crate) fn take_parts_back(&self, subject: SubjectId, purposes: &[Purpose], parts: &[Part]) -> Vec<Arc<Holder>> {
        self.take_back_if(subject, WITHDRAWN, |holder| {
            let is_of = holder.is_for(purposes) && holder.is_in(parts);
            is_of && !mutant::takes_nothing_back()
        })
    }

    /// Takes back the permits of `subject` that `ends` picks: when this returns none of them passes anything. They stay
    /// entered until their holders let go.
    pub(crate) fn take_back_if(
        &self,
        subject: SubjectId,
        why: &'static str,
        ends: impl Fn(&Holder) -> bool,
    ) -> Vec<Arc<Holder>> {
        let mut taken = self.of(subject);
        taken.retain(|holder| ends(holder));
        // All are told before the first gate is closed: that may have to wait for a write to end.
        for holder in &taken {
            holder.tell(why);
        }
        for holder in &taken {
            holder.revoker.revoke();
        }
        taken
    }

    /// The permits of `subject`.
    pub(crate) fn of(&self, subject: SubjectId) -> Vec<Arc<Holder>> {
        self.lock().get(&subject).cloned().unwrap_or_default()
    }

    /// The permits that are used outside of this process.
    pub(super) fn loans(&self) -> Vec<Arc<Holder>> {
        self.lock_loans().values().cloned().collect()
    }

    /// The one of them that `permit` names.
    pub(super) fn loan(&self, permit: Reference) -> Option<Arc<Holder>> {
        self.lock_loans().get(&permit).cloned()
    }

    /// The subjects that have permits in use.
    pub(crate) fn subjects(&self) -> Vec<SubjectId> {
        self.lock().keys().copied().collect()
    }

    fn lock_loans(&self) -> MutexGuard<'_, HashMap<Reference, Arc<Holder>>> {
        // Nothing panics while it is held.
        self.loans.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SubjectId, Vec<Arc<Holder>>>> {
        // Nothing panics while it is held.
        self.by_subject.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
