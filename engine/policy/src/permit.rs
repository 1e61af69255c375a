//! [`Permit`] and [`Labelled`]: the only way from "this data exists" to "this data leaves".
//!
//! A [`Labelled`] value has no accessor. It opens inside [`Permit::pass`], which checks and runs the write in one
//! critical section, so that between "may we?" and "it is written" nothing can change. [`Revoker::revoke`] takes
//! the same lock: when it returns, no write is running and none will ever run again.

use core::fmt;
use core::time::Duration;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sayso_types::dialogue::{Exchange, Fact, Request};
use sayso_types::{Cell, Clock, ConsentVersion, Label, Mono, ProcessorId, SubjectId};
use sha2::{Digest, Sha256};

use crate::mutant;

/// Data with its label. It has no accessor, no `Deref` and a `Debug` that shows the label only.
#[derive(Clone)]
pub struct Labelled<T> {
    label: Label,
    data: T,
}

impl<T> Labelled<T> {
    /// Labels `data`. From here on it opens only with a permit.
    pub const fn new(label: Label, data: T) -> Self {
        Self { label, data }
    }

    /// What it is.
    pub const fn label(&self) -> &Label {
        &self.label
    }

    /// Data derived from this without looking at anything but this: keeps subject, turn, purpose and version.
    pub fn derive<U>(self, category: sayso_types::Category, f: impl FnOnce(T) -> U) -> Labelled<U> {
        Labelled { label: self.label.derive(category), data: f(self.data) }
    }
}

impl<T> fmt::Debug for Labelled<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Labelled({:?})", self.label)
    }
}

/// How much of itself a piece of data hands over: what the audit log counts and hashes.
pub trait Weigh {
    /// The bytes handed over, in order. Called once a pass.
    fn weigh(&self, visit: &mut dyn FnMut(&[u8]));
}

impl Weigh for [u8] {
    fn weigh(&self, visit: &mut dyn FnMut(&[u8])) {
        visit(self);
    }
}

impl Weigh for Vec<u8> {
    fn weigh(&self, visit: &mut dyn FnMut(&[u8])) {
        visit(self);
    }
}

impl Weigh for Request {
    fn weigh(&self, visit: &mut dyn FnMut(&[u8])) {
        self.earlier.weigh(visit);
        self.history.weigh(visit);
        self.passages.weigh(visit);
        self.facts.weigh(visit);
        visit(self.role.as_bytes());
        visit(self.text.as_bytes());
    }
}

impl Weigh for Vec<Exchange> {
    fn weigh(&self, visit: &mut dyn FnMut(&[u8])) {
        for exchange in self {
            visit(exchange.said.as_bytes());
            visit(exchange.heard.as_bytes());
        }
    }
}

impl Weigh for Vec<Fact> {
    fn weigh(&self, visit: &mut dyn FnMut(&[u8])) {
        for fact in self {
            visit(fact.key.as_bytes());
            visit(fact.value.as_bytes());
        }
    }
}

impl Weigh for Vec<String> {
    fn weigh(&self, visit: &mut dyn FnMut(&[u8])) {
        self.iter().for_each(|text| visit(text.as_bytes()));
    }
}

impl Weigh for String {
    fn weigh(&self, visit: &mut dyn FnMut(&[u8])) {
        visit(self.as_bytes());
    }
}

impl Weigh for [i16] {
    fn weigh(&self, visit: &mut dyn FnMut(&[u8])) {
        let mut block = [0u8; 512];
        for chunk in self.chunks(256) {
            for (pair, sample) in block.chunks_exact_mut(2).zip(chunk) {
                pair.copy_from_slice(&sample.to_le_bytes());
            }
            visit(&block[..chunk.len() * 2]);
        }
    }
}

impl Weigh for Vec<i16> {
    fn weigh(&self, visit: &mut dyn FnMut(&[u8])) {
        self.as_slice().weigh(visit);
    }
}

/// Why a gate did not let something through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The permit was revoked: consent was withdrawn, the turn ended, or the owner changed.
    #[error("the permit was revoked")]
    Revoked,
    /// The permit ran out and was not renewed, which happens when the store cannot be reached.
    #[error("the permit ran out")]
    Expired,
    /// The data is older than the consent that is in force: it came in before a withdrawal.
    #[error("the data came in under an older consent version")]
    Stale,
    /// The data is not what the permit is for.
    #[error("the permit does not cover this data")]
    NotCovered,
}

/// What a permit allows.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Whose data.
    pub subject: SubjectId,
    /// What, what for, to what sort of receiver, how far.
    pub cell: Cell,
    /// To whom.
    pub processor: ProcessorId,
    /// The consent version it was issued under; data labelled with an older one is refused.
    pub cv: ConsentVersion,
}

/// What went through a permit by the time it closed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Passed {
    /// Bytes handed over.
    pub bytes: u64,
    /// Pieces (frames, texts) handed over.
    pub pieces: u64,
    /// SHA-256 over the bytes handed over, in order.
    pub hash: [u8; 32],
}

struct State {
    deadline: Mono,
    revoked: bool,
    bytes: u64,
    pieces: u64,
    hash: Sha256,
}

struct Shared {
    terms: Terms,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic inside a write closes the permit for good: what was half written must not be continued.
        self.state.lock().unwrap_or_else(|poisoned: PoisonError<_>| {
            let mut state = poisoned.into_inner();
            state.revoked = true;
            state
        })
    }

    fn open(&self) -> Result<MutexGuard<'_, State>, Refused> {
        let state = self.lock();
        if state.revoked {
            return Err(Refused::Revoked);
        }
        if self.clock.now() >= state.deadline {
            return Err(Refused::Expired);
        }
        Ok(state)
    }
}

/// A revocable, expiring right to move one subject's data of one cell to one processor. Clones share the right.
#[derive(Clone)]
pub struct Permit(Arc<Shared>);

impl Permit {
    /// What it allows.
    #[must_use]
    pub fn terms(&self) -> &Terms {
        &self.0.terms
    }

    /// Opens `item` and runs `write` on it, in one critical section with the check. `write` must not wait: it
    /// hands the data to the last buffer before the receiver (a model's input, a socket) and returns.
    ///
    /// # Errors
    /// [`Refused`] says why; `write` did not run.
    pub fn pass<T, R>(&self, item: Labelled<T>, write: impl FnOnce(T) -> R) -> Result<R, Refused>
    where
        T: Weigh,
    {
        let terms = &self.0.terms;
        let mut state = self.0.open()?;
        let label = &item.label;
        if label.subject != terms.subject
            || label.category != terms.cell.category
            || label.purpose != terms.cell.purpose
        {
            return Err(Refused::NotCovered);
        }
        if label.cv < terms.cv {
            return Err(Refused::Stale);
        }
        let State { bytes, hash, .. } = &mut *state;
        item.data.weigh(&mut |part| {
            *bytes += part.len() as u64;
            hash.update(part);
        });
        state.pieces += 1;
        let _held = (!mutant::CHECK_APART_FROM_WRITE).then_some(state);
        Ok(write(item.data))
    }

    /// Runs a raw write of bytes that were passed before (a socket's `poll_write`), so that it cannot happen
    /// after a revocation.
    ///
    /// # Errors
    /// [`Refused::Revoked`] or [`Refused::Expired`]; `write` did not run.
    pub fn guard<R>(&self, write: impl FnOnce() -> R) -> Result<R, Refused> {
        let _state = self.0.open()?;
        Ok(write())
    }

    /// Whether the permit would still pass something.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.0.open().is_ok()
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").field("terms", &self.0.terms).finish_non_exhaustive()
    }
}

/// The issuer's end of a permit: renews and revokes it. Dropping it revokes, so that a lost holder fails closed.
pub struct Revoker(Arc<Shared>);

impl Revoker {
    /// Ends the permit. When this returns, no write is running and none will run; what went through is told.
    /// Safe to call again: the answer stays the same.
    pub fn revoke(&self) -> Passed {
        let mut state = self.0.lock();
        state.revoked = true;
        Passed { bytes: state.bytes, pieces: state.pieces, hash: state.hash.clone().finalize().into() }
    }

    /// Moves the deadline to `until`, unless the permit is revoked or had already run out.
    pub fn renew(&self, until: Mono) -> bool {
        match self.0.open() {
            Ok(mut state) => {
                state.deadline = state.deadline.max(until);
                true
            }
            Err(_) => false,
        }
    }

    /// What the permit allows.
    #[must_use]
    pub fn terms(&self) -> &Terms {
        &self.0.terms
    }
}

impl Drop for Revoker {
    fn drop(&mut self) {
        self.0.lock().revoked = true;
    }
}

impl fmt::Debug for Revoker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Revoker").field("terms", &self.0.terms).finish_non_exhaustive()
    }
}

/// Issues a permit for `terms` that lasts `ttl` from `asked_at`, the moment *before* the consent was read: a slow
/// read shortens the permit, it never lengthens it.
pub fn issue(terms: Terms, clock: Arc<dyn Clock>, asked_at: Mono, ttl: Duration) -> (Permit, Revoker) {
    let state = State { deadline: asked_at.after(ttl), revoked: false, bytes: 0, pieces: 0, hash: Sha256::new() };
    let shared = Arc::new(Shared { terms, clock, state: Mutex::new(state) });
    (Permit(Arc::clone(&shared)), Revoker(shared))
}

#[cfg(test)]
mod tests {
    use sayso_types::{Category, ManualClock, ProcessorKind, Purpose, RegionClass, TurnId};

    use super::*;

    fn terms() -> Terms {
        Terms {
            subject: SubjectId([1; 16]),
            cell: Cell {
                purpose: Purpose::VOICE_INTERACTION,
                category: Category::VOICE_AUDIO,
                kind: ProcessorKind::Asr,
                region: RegionClass::Local,
            },
            processor: "whisper".parse().unwrap(),
            cv: ConsentVersion(3),
        }
    }

    fn frame(cv: u64) -> Labelled<Vec<i16>> {
        let t = terms();
        let label = Label {
            subject: t.subject,
            category: t.cell.category,
            purpose: t.cell.purpose,
            turn: TurnId(1),
            cv: ConsentVersion(cv),
        };
        Labelled::new(label, vec![1, 2, 3])
    }

    fn permit(clock: &ManualClock) -> (Permit, Revoker) {
        issue(terms(), Arc::new(clock.clone()), clock.now(), Duration::from_secs(3))
    }

    #[test]
    fn passes_what_it_is_for_and_counts_it() {
        let clock = ManualClock::new();
        let (permit, revoker) = permit(&clock);
        assert_eq!(permit.pass(frame(3), |s| s.len()), Ok(3));
        assert_eq!(permit.pass(frame(4), |s| s.len()), Ok(3));
        let passed = revoker.revoke();
        assert_eq!((passed.bytes, passed.pieces), (12, 2));
        assert_eq!(passed.hash, <[u8; 32]>::from(Sha256::digest([1, 0, 2, 0, 3, 0, 1, 0, 2, 0, 3, 0])));
    }

    #[test]
    fn nobody_can_revoke_between_the_check_and_the_end_of_the_write() {
        let clock = ManualClock::new();
        let (permit, _revoker) = permit(&clock);
        let is_held = || permit.0.state.try_lock().is_err();
        assert_eq!(permit.pass(frame(3), |_| is_held()), Ok(true));
        assert_eq!(permit.guard(is_held), Ok(true));
        assert!(!is_held());
    }

    #[test]
    fn nothing_passes_after_revocation_and_the_count_stands() {
        let clock = ManualClock::new();
        let (permit, revoker) = permit(&clock);
        let before = revoker.revoke();
        assert_eq!(permit.pass(frame(3), |_| ()), Err(Refused::Revoked));
        assert_eq!(permit.guard(|| ()), Err(Refused::Revoked));
        assert!(!revoker.renew(Mono(u64::MAX)));
        assert_eq!(revoker.revoke(), before);
    }

    #[test]
    fn a_dropped_revoker_fails_closed() {
        let clock = ManualClock::new();
        let (permit, revoker) = permit(&clock);
        drop(revoker);
        assert_eq!(permit.pass(frame(3), |_| ()), Err(Refused::Revoked));
    }

    #[test]
    fn a_permit_runs_out_unless_renewed_in_time() {
        let clock = ManualClock::new();
        let (permit, revoker) = permit(&clock);
        clock.advance(Duration::from_secs(2));
        assert!(revoker.renew(clock.now().after(Duration::from_secs(3))));
        clock.advance(Duration::from_secs(2));
        assert!(permit.is_open());
        clock.advance(Duration::from_secs(1));
        assert_eq!(permit.pass(frame(3), |_| ()), Err(Refused::Expired));
        assert!(!revoker.renew(clock.now().after(Duration::from_secs(3))), "what ran out stays closed");
    }

    #[test]
    fn frames_from_before_a_withdrawal_stay_refused_under_a_new_grant() {
        let clock = ManualClock::new();
        let (permit, _revoker) = permit(&clock);
        assert_eq!(permit.pass(frame(2), |_| ()), Err(Refused::Stale));
    }

    #[test]
    fn another_purpose_or_category_is_not_covered() {
        let clock = ManualClock::new();
        let (permit, _revoker) = permit(&clock);
        let other = frame(3).derive(Category::TRANSCRIPT, |s| s);
        assert_eq!(permit.pass(other, |_| ()), Err(Refused::NotCovered));
    }
}
