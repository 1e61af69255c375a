//! [`Permit`] and [`Labelled`]: the only way from "this data exists" to "this data leaves".
//!
//! A [`Labelled`] value has no accessor. It opens inside [`Permit::pass`], which checks and runs the write in one
//! critical section, so that between "may we?" and "it is written" nothing can change. [`Revoker::revoke`] takes
//! the same lock: when it returns, no write is running and none will ever run again.
//!
//! Data that [takes along](Labelled::take_along) other data opens only with a permit that is made of [theirs](Permit::with),
//! and that closes with the first of them.

mod labelled;
mod weigh;

use core::fmt;
use core::time::Duration;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sayso_types::{Cell, Clock, ConsentVersion, Label, Mono, ProcessorId, SubjectId};
use sha2::{Digest, Sha256};

pub use self::labelled::Labelled;
pub use self::weigh::Weigh;
use self::weigh::weight;
use crate::mutant;

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
    /// It would be more than the permit is for, which ended it: the profile declares how much a processor is to have.
    #[error("it is more than the policy declares for the processor")]
    TooMuch,
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
    /// How many bytes may go through it, if there is a limit. What would be more ends it.
    pub bytes_max: Option<u64>,
}

impl Terms {
    /// Whether data with `label` is what it is about, and not from before the consent.
    fn cover(&self, label: &Label) -> Result<(), Refused> {
        let is_its =
            label.subject == self.subject && label.category == self.cell.category && label.purpose == self.cell.purpose;
        match (is_its, label.cv < self.cv) {
            (false, _) => Err(Refused::NotCovered),
            (true, true) => Err(Refused::Stale),
            (true, false) => Ok(()),
        }
    }
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
    /// Why nothing passes any more.
    closed: Option<Refused>,
    bytes: u64,
    pieces: u64,
    hash: Sha256,
}

impl State {
    /// Ends the permit where `more` bytes would be more than may go by `terms`.
    fn make_room(&mut self, terms: &Terms, more: impl FnOnce() -> u64) -> Result<(), Refused> {
        if terms.bytes_max.is_some_and(|most| self.bytes.saturating_add(more()) > most) {
            self.closed = Some(Refused::TooMuch);
            return Err(Refused::TooMuch);
        }
        Ok(())
    }

    fn count(&mut self, data: &impl Weigh) {
        let Self { bytes, hash, .. } = self;
        data.weigh(&mut |part| {
            *bytes += part.len() as u64;
            hash.update(part);
        });
        self.pieces += 1;
    }

    fn close(&mut self) {
        self.closed.get_or_insert(Refused::Revoked);
    }
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
            state.close();
            state
        })
    }

    fn open(&self) -> Result<MutexGuard<'_, State>, Refused> {
        let state = self.lock();
        if let Some(why) = state.closed {
            return Err(why);
        }
        if self.clock.now() >= state.deadline {
            return Err(Refused::Expired);
        }
        Ok(state)
    }
}

/// A revocable, expiring right to move one subject's data of one cell to one processor. Clones share the right.
#[derive(Clone)]
pub struct Permit {
    own: Arc<Shared>,
    /// Those of what goes along.
    along: Option<Arc<[Arc<Shared>]>>,
}

impl Permit {
    /// What it allows, apart from what goes along.
    #[must_use]
    pub fn terms(&self) -> &Terms {
        &self.own.terms
    }

    /// The right to move what this is for with what it [takes along](Labelled::take_along) that `others` are for: it is open
    /// as long as each of them is.
    #[must_use]
    pub fn with(self, others: &[Self]) -> Self {
        let others = others.iter().flat_map(|other| core::iter::once(&other.own).chain(other.along()));
        let along: Arc<[_]> = self.along().iter().chain(others).cloned().collect();
        Self { along: (!along.is_empty()).then_some(along), own: self.own }
    }

    fn along(&self) -> &[Arc<Shared>] {
        self.along.as_deref().unwrap_or_default()
    }

    /// Holds those of what goes along open, always in the same order and after its own, so that nobody waits in a circle.
    /// Nothing is allocated where nothing goes along.
    fn open_along(&self) -> Result<Vec<MutexGuard<'_, State>>, Refused> {
        self.along().iter().map(|other| other.open()).collect()
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
        let (mut state, mut along) = (self.own.open()?, self.open_along()?);
        self.own.terms.cover(item.label())?;
        let mut parts = Vec::new();
        for part in &item.along {
            let is_its = |other: &Arc<Shared>| other.terms.cover(&part.label) != Err(Refused::NotCovered);
            let index = self.along().iter().position(is_its).ok_or(Refused::NotCovered)?;
            self.along()[index].terms.cover(&part.label)?;
            parts.push((index, &*part.bytes));
        }
        state.make_room(&self.own.terms, || weight(&item.data))?;
        for (index, (other, state)) in self.along().iter().zip(&mut along).enumerate() {
            let its = parts.iter().filter(|(of, _)| *of == index);
            state.make_room(&other.terms, || its.map(|(_, bytes)| bytes.len() as u64).sum())?;
        }
        state.count(&item.data);
        for (index, bytes) in parts {
            along[index].count(bytes);
        }
        let _held = (!mutant::checks_apart_from_write()).then_some((state, along));
        Ok(write(item.data))
    }

    /// Runs a raw write of bytes that were passed before (a socket's `poll_write`), so that it cannot happen
    /// after a revocation.
    ///
    /// # Errors
    /// [`Refused::Revoked`] or [`Refused::Expired`]; `write` did not run.
    pub fn guard<R>(&self, write: impl FnOnce() -> R) -> Result<R, Refused> {
        let (_state, _along) = (self.own.open()?, self.open_along()?);
        Ok(write())
    }

    /// Whether the permit would still pass something.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.guard(|| ()).is_ok()
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").field("terms", &self.own.terms).finish_non_exhaustive()
    }
}

/// The issuer's end of a permit: renews and revokes it. Dropping it revokes, so that a lost holder fails closed.
pub struct Revoker(Arc<Shared>);

impl Revoker {
    /// Ends the permit. When this returns, no write is running and none will run; what went through is told.
    /// Safe to call again: the answer stays the same.
    pub fn revoke(&self) -> Passed {
        let mut state = self.0.lock();
        state.close();
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

    /// Whether it ended because more would have gone through it than may.
    #[must_use]
    pub fn is_overrun(&self) -> bool {
        self.0.lock().closed == Some(Refused::TooMuch)
    }
}

impl Drop for Revoker {
    fn drop(&mut self) {
        self.0.lock().close();
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
    let state = State { deadline: asked_at.after(ttl), closed: None, bytes: 0, pieces: 0, hash: Sha256::new() };
    let shared = Arc::new(Shared { terms, clock, state: Mutex::new(state) });
    (Permit { own: Arc::clone(&shared), along: None }, Revoker(shared))
}

#[cfg(test)]
mod tests;
