//! Permits for services outside of the node: given, renewed, and over.

use core::time::Duration;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use sayso_audit::Actor;
use sayso_policy::{Gate, Passed, Terms, permit};
use sayso_store::{Error as StoreError, Op, TypedKey, limits::SCAN_LIMIT_MAX};
use sayso_types::{Mono, TurnId};
use tokio::sync::Mutex as AsyncMutex;

use super::Register;
use super::holders::{Holder, Segment};
use super::state::StoredState;
use crate::lease::{Ask, Denied};
use crate::loan::Loan;
use crate::loan::stored::{self, StoredLoan};
use crate::loan::term::Term;
use crate::tables::{LOAN, LoanKey, RegisterKey};
use crate::{Entry, Error, volume};

/// Why a segment ended, as the log says it: nothing was heard of its holder until its time was over.
pub(crate) const RAN_OUT: &str = "ran_out";

/// What a permit that is used outside of the node has besides.
pub(crate) struct Outside {
    /// When it is over. Held while it is renewed or ended, so that only one of them happens.
    term: Mutex<Term>,
    /// The longest for which it is given at once.
    longest: Duration,
    /// What its holder said had passed, when it said that it has let go.
    reported: OnceLock<Passed>,
    /// Held by whoever puts its end on record.
    ending: AsyncMutex<()>,
}

impl Outside {
    pub(super) fn new(asked_at: Mono, lasts: Duration, longest: Duration) -> Self {
        let term = Mutex::new(Term::new(asked_at, lasts));
        Self { term, longest, reported: OnceLock::new(), ending: AsyncMutex::default() }
    }

    /// What its holder said had passed; [`None`] when it said nothing.
    pub(super) fn reported(&self) -> Option<&Passed> {
        self.reported.get()
    }

    pub(super) fn term(&self) -> MutexGuard<'_, Term> {
        // Nothing panics while it is held.
        self.term.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Register {
    /// Decides whether `ask` may be, as [`acquire`](Self::acquire) does, and gives the permit to somebody outside of the
    /// node. The leaves of its segment name `by`, who asked.
    ///
    /// # Errors
    /// As for [`acquire`](Self::acquire).
    pub async fn lend(self: &Arc<Self>, ask: Ask, by: Actor) -> Result<Loan, Denied> {
        let slot = self.slot()?;
        let register = Arc::clone(self);
        let lent = async move {
            let opened = register.open_segment(&ask, slot, Some(by)).await;
            if let Err(denied) = &opened {
                register.stop_at_the_limit(&ask, denied).await;
                if let Denied::Policy(reason) = denied {
                    register.introduce_denied(&ask, *reason).await;
                }
            }
            let opened = opened?;
            metrics::counter!("sayso_consent_loans_total").increment(1);
            let (holder, grounds, lasts) = (opened.holder, opened.grounds, opened.lasts);
            Ok(Loan { register, holder, grounds, lasts })
        };
        self.to_the_end("lend permit", lent).await?
    }

    /// What is stored with the opening of a segment that is used outside.
    pub(super) fn put_loan(&self, ask: &Ask, segment: &Segment) -> Op {
        let loan = StoredLoan {
            subject: ask.subject,
            permit: segment.reference,
            cell: segment.cell,
            processor: segment.processor,
            cv: ask.cv,
            exemption: segment.exemption,
            longest: self.permit_ttl(),
        };
        Op::Put(loan.key(), LOAN.encode(&loan.encode()))
    }

    /// Gives a loan for longer, from what is stored now.
    pub(crate) async fn renew_loan(&self, holder: &Holder) -> Result<Option<Duration>, Error> {
        let Some(outside) = &holder.outside else { return Ok(None) };
        if self.journal.is_stopped() {
            return Err(Error::Stopped);
        }
        let asked_at = self.clock.now();
        let state = self.read(holder.subject()).await?;
        if self.has_ended() {
            return Ok(None);
        }
        let wall = self.clock.wall();
        let decision = self.revisions().decide(&holder.question(wall), &state.consent);
        let Ok(grounds) = decision.answer else { return Ok(None) };
        if !holder.segment.rests_on(&grounds) || self.is_of_last_year(&holder.segment, wall) {
            return Ok(None);
        }
        let lasts = self.permit_until(asked_at, grounds.until).since(asked_at).min(outside.longest);
        let mut term = outside.term();
        if !holder.revoker.renew(asked_at.after(lasts)) {
            return Ok(None);
        }
        *term = term.renewed(asked_at, lasts);
        Ok(Some(lasts))
    }

    /// Ends a loan that nobody uses any more, with what its holder `said` had passed if it said anything: its closing leaf is
    /// durable, and it is no longer stored, *before* a withdrawal can no longer find it. What is said of one that is over
    /// already changes nothing.
    pub(crate) async fn end_loan(
        &self,
        holder: &Arc<Holder>,
        said: Option<Passed>,
        reason: &'static str,
    ) -> Result<(), Error> {
        let Some(outside) = &holder.outside else { return Ok(()) };
        let _turn = outside.ending.lock().await;
        if holder.released.is_cancelled() {
            return Ok(());
        }
        if let Some(passed) = said {
            // what was said first counts
            let _ = outside.reported.set(passed);
        }
        let mut entry = Entry::default();
        entry.events.push(holder.closed(reason));
        entry.ops.push(Op::Delete(stored::key(holder.subject(), holder.segment.reference)));
        self.journal.append(entry).await?;
        self.holders.let_go(holder, reason);
        Ok(())
    }

    /// Ends the loans whose time is over, and those whose end could not be recorded when it came.
    pub(super) async fn end_loans_that_are_over(&self) -> Result<(), Error> {
        let mut outcome = Ok(());
        for holder in self.holders.loans() {
            let Some(outside) = &holder.outside else { continue };
            let is_over = outside.term().is_over(self.clock.now());
            let is_silent = outside.reported().is_none();
            if is_silent && !is_over {
                continue;
            }
            if is_silent {
                metrics::counter!("sayso_consent_loans_ran_out_total").increment(1);
            }
            // what holds up one holds up no other
            outcome = self.end_loan(&holder, None, RAN_OUT).await.and(outcome);
        }
        outcome
    }

    /// Finds the loans that somebody may still be using of whom the process knew that wrote them down. Nobody is there to
    /// renew them or to say that they are over, so each is over when its time is.
    pub(super) async fn restore_loans(&self) -> Result<(), Error> {
        let mut range = LoanKey::table().into();
        loop {
            let page = self.store.scan(range, SCAN_LIMIT_MAX).await?;
            for entry in page.entries {
                let (_, body) = LOAN.decode(&entry.value).map_err(StoreError::from)?;
                self.restore(StoredLoan::decode(&entry.key, body)?).await?;
            }
            let Some(rest) = page.rest else { return Ok(()) };
            range = rest;
        }
    }

    async fn restore(&self, loan: StoredLoan) -> Result<(), Error> {
        let StoredLoan { subject, permit: reference, cell, processor, cv, exemption, longest } = loan;
        let mut found = self.store.read(&[RegisterKey { subject }.key()]).await?;
        let state = found.pop().flatten().map(|stored| StoredState::of(&stored)).transpose()?;
        let about = state.map_or_else(Default::default, |state| state.about(subject));
        let (gate, turn, by) = (Gate::of(cell.kind), TurnId(0), Actor::SYSTEM);
        let segment = Segment { about, by, reference, cell, gate, processor, turn, exemption };
        let to = (processor, cell.category);
        let bytes_max = volume::most([&*self.profile()], to).per_call;
        let (now, terms) = (self.clock.now(), Terms { subject, cell, processor, cv, bytes_max });
        let allowance = self.volumes.resumed(to, self.clock.wall());
        // not even from here is anything passed by it
        let (_, revoker) = permit::issue(terms, Arc::clone(&self.clock), now, Duration::ZERO);
        let outside = Outside::new(now, longest, longest);
        let holder = Holder::new(revoker, segment, self.holders.slot(), allowance, Some(outside));
        self.holders.enter(&Arc::new(holder));
        Ok(())
    }
}
