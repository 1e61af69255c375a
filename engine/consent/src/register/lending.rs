//! Permits for services outside of the node: given, renewed, and over.

use core::time::Duration;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use sayso_audit::{Actor, Event, FlowEvent, Reference};
use sayso_policy::profile::WithdrawMode;
use sayso_policy::{Gate, Passed, Terms, permit};
use sayso_store::{Error as StoreError, Op, TypedKey, limits::SCAN_LIMIT_MAX};
use sayso_types::{Mono, ProcessorId, TurnId};
use tokio::sync::Mutex as AsyncMutex;

use super::Register;
use super::holders::{Holder, Segment};
use crate::journal::{About, Noted};
use crate::lease::{Ask, Denied};
use crate::loan::stored::{self, StoredLoan};
use crate::loan::term::Term;
use crate::loan::{Borrower, Loan};
use crate::tables::{LOAN, LoanKey, RegisterKey};
use crate::{Entry, Error, Lineage, volume};

/// Why a segment ended, as the log says it: its holder had done what it was for.
const DONE: &str = "done";

/// Why a permit was taken back: its holder has not renewed it.
const NOT_RENEWED: &str = "not_renewed";

/// What a permit that is used outside of the node has besides.
pub(crate) struct Outside {
    /// When it is over. Held while it is renewed or ended, so that only one of them happens.
    term: Mutex<Term>,
    /// The longest for which it is given at once.
    longest: Duration,
    /// Whether what uses it is ended at its time, whatever has become of its holder.
    ends_by_itself: bool,
    /// How it is known that its holder uses it no more.
    end: OnceLock<End>,
    /// Held by whoever puts its end on record.
    ending: AsyncMutex<()>,
}

/// How it is known that somebody uses a permit no more.
#[derive(Debug)]
pub(crate) enum End {
    /// They said so, and what had passed, if they had counted that.
    LetGo(Option<Passed>),
    /// Nothing was heard of them, and this operator has made sure that they can do nothing any more.
    Fenced(Actor),
}

/// What came of fencing those of whom nothing is heard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fenced {
    /// Permits that are over.
    pub ended: usize,
    /// Permits that are not, because their time is not over yet: somebody may be renewing them.
    pub left: usize,
}

impl Outside {
    pub(super) fn new(asked_at: Mono, lasts: Duration, longest: Duration, ends_by_itself: bool) -> Self {
        let term = Mutex::new(Term::new(asked_at, lasts));
        Self { term, longest, ends_by_itself, end: OnceLock::new(), ending: AsyncMutex::default() }
    }

    /// How it is known that its holder uses it no more; [`None`] when nothing was heard of it.
    pub(super) fn end(&self) -> Option<&End> {
        self.end.get()
    }

    /// Whether nothing is heard of its holder: it has said nothing until its time was over.
    fn is_silent(&self, now: Mono) -> bool {
        self.end().is_none() && self.term().is_over(now)
    }

    pub(super) fn term(&self) -> MutexGuard<'_, Term> {
        // Nothing panics while it is held.
        self.term.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Register {
    /// Decides whether `ask` may be, as [`acquire`](Self::acquire) does, and gives the permit to a borrower outside of the node,
    /// whom the leaves of its segment name.
    ///
    /// # Errors
    /// As for [`acquire`](Self::acquire).
    pub async fn lend(self: &Arc<Self>, ask: Ask, to: Borrower) -> Result<Loan, Denied> {
        let slot = self.slot()?;
        let register = Arc::clone(self);
        let lent = async move {
            let opened = register.open_segment(&ask, Lineage::default(), slot, Some(to)).await;
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
    pub(super) fn put_loan(&self, ask: &Ask, segment: &Segment, to: Borrower) -> Op {
        let loan = StoredLoan {
            subject: ask.subject,
            permit: segment.reference,
            cell: segment.cell,
            processor: segment.processor,
            cv: ask.cv,
            exemption: segment.exemption,
            longest: self.permit_ttl(),
            ends_by_itself: to.ends_by_itself,
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

    /// Ends a loan that nobody uses any more, which is known by `end` if anything was heard of its holder: its closing leaf is
    /// durable, and it is no longer stored, *before* a withdrawal can no longer find it. What is said of one that is over
    /// already changes nothing.
    async fn end_loan(&self, holder: &Arc<Holder>, end: Option<End>, reason: &'static str) -> Result<(), Error> {
        let Some(outside) = &holder.outside else { return Ok(()) };
        let _turn = outside.ending.lock().await;
        if holder.released.is_cancelled() {
            return Ok(());
        }
        if let Some(end) = end {
            // what was said first counts
            let _ = outside.end.set(end);
        }
        let mut entry = Entry::default();
        entry.events.extend(heard_of(holder, outside, reason));
        entry.events.push(holder.closed(reason));
        entry.ops.push(Op::Delete(stored::key(holder.subject(), holder.segment.reference)));
        self.journal.append(entry).await?;
        self.holders.let_go(holder, reason);
        Ok(())
    }

    /// Ends a loan whose holder says that it has let go, and what had passed if it had counted that.
    pub(crate) async fn let_go_of_loan(&self, holder: &Arc<Holder>, passed: Option<Passed>) -> Result<(), Error> {
        self.end_loan(holder, Some(End::LetGo(passed)), DONE).await
    }

    /// Ends one that nobody was given, for `reason`.
    pub(super) async fn give_up_loan(&self, holder: &Arc<Holder>, reason: &'static str) -> Result<(), Error> {
        self.end_loan(holder, Some(End::LetGo(Some(holder.revoker.revoke()))), reason).await
    }

    /// Ends the loan `permit`, as [`Loan::let_go`] does, for somebody who got it on a stream that is lost; whether there is such a
    /// loan for one of the receivers that are `theirs`.
    ///
    /// # Errors
    /// As there.
    pub async fn let_go_elsewhere(
        self: &Arc<Self>,
        permit: [u8; 16],
        theirs: &BTreeSet<ProcessorId>,
        passed: Option<Passed>,
    ) -> Result<bool, Error> {
        let found = self.holders.loan(Reference(permit));
        let Some(holder) = found.filter(|holder| theirs.contains(&holder.segment.processor)) else { return Ok(false) };
        let register = Arc::clone(self);
        let ended = async move { register.let_go_of_loan(&holder, passed).await };
        self.to_the_end("end loan", ended).await??;
        Ok(true)
    }

    /// Ends those loans of the receiver `processor`, or the one of them that `permit` names, of which nothing is heard: the
    /// operator `by` has made sure that whoever had them can do nothing any more. Their segments say by whom they were closed.
    ///
    /// # Errors
    /// [`Error::UnknownPart`] for a processor that no revision of the profile has; or when it cannot be recorded yet: it is recorded
    /// later then.
    pub async fn fence(
        self: &Arc<Self>,
        processor: ProcessorId,
        permit: Option<[u8; 16]>,
        by: Actor,
    ) -> Result<Fenced, Error> {
        self.require_processor(processor)?;
        let register = Arc::clone(self);
        let fenced = async move {
            let (mut fenced, now) = (Fenced::default(), register.clock.now());
            for holder in register.holders.loans() {
                let is_meant = permit.is_none_or(|permit| holder.segment.reference.0 == permit);
                if holder.segment.processor != processor || !is_meant {
                    continue;
                }
                if holder.outside.as_ref().is_some_and(|outside| outside.is_silent(now)) {
                    register.end_loan(&holder, Some(End::Fenced(by)), DONE).await?;
                    fenced.ended += 1;
                } else {
                    fenced.left += 1;
                }
            }
            metrics::counter!("sayso_consent_loans_fenced_total").increment(fenced.ended as u64);
            Ok(fenced)
        };
        self.to_the_end("fence loans", fenced).await?
    }

    /// Whether a loan is over when its time is, though nothing is heard of its holder.
    pub(super) fn runs_out(&self, outside: &Outside) -> bool {
        outside.ends_by_itself || self.profile().defaults().withdraw_mode == WithdrawMode::Expiry
    }

    /// Whether nothing is heard of `holder`, and it is not known to have ended.
    pub(super) fn is_silent(&self, holder: &Holder) -> bool {
        let now = self.clock.now();
        holder.outside.as_ref().is_some_and(|outside| outside.is_silent(now) && !self.runs_out(outside))
    }

    /// Ends the loans that have run out, and those whose end could not be recorded when it came. Whoever else is silent is told
    /// to let go, should they listen.
    pub(super) async fn end_loans_that_are_over(&self) -> Result<(), Error> {
        let (mut outcome, mut silent) = (Ok(()), 0_u32);
        for holder in self.holders.loans() {
            let Some(outside) = &holder.outside else { continue };
            if outside.end().is_none() {
                if !outside.is_silent(self.clock.now()) {
                    continue;
                }
                if !self.runs_out(outside) {
                    silent += 1;
                    if holder.tell(NOT_RENEWED) {
                        let processor = holder.segment.processor;
                        tracing::warn!(%processor, "nothing is heard of whoever has a permit: it counts as in use until they, or an operator, say that it is not");
                    }
                    continue;
                }
                metrics::counter!("sayso_consent_loans_ran_out_total").increment(1);
            }
            // what holds up one holds up no other
            outcome = self.end_loan(&holder, None, DONE).await.and(outcome);
        }
        metrics::gauge!("sayso_consent_loans_silent").set(f64::from(silent));
        outcome
    }

    /// Finds the loans that somebody may still be using of whom the process knew that wrote them down. Nobody is there to
    /// renew them.
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
        let StoredLoan { subject, permit: reference, cell, processor, cv, exemption, longest, ends_by_itself } = loan;
        let mut found = self.store.read(&[RegisterKey { subject }.key()]).await?;
        let about = match found.pop().flatten() {
            Some(stored) => self.opened_state(subject, stored).await?.about(subject),
            None => About::default(),
        };
        let (gate, turn, by) = (Gate::of(cell.kind), TurnId(0), Actor::SYSTEM);
        let segment = Segment { about, by, reference, cell, gate, processor, turn, exemption };
        let to = (processor, cell.category);
        let bytes_max = volume::most([&*self.profile()], to).per_call;
        let (now, terms) = (self.clock.now(), Terms { subject, cell, processor, cv, bytes_max });
        let allowance = self.volumes.resumed(to, self.clock.wall());
        // not even from here is anything passed by it
        let (_, revoker) = permit::issue(terms, Arc::clone(&self.clock), now, Duration::ZERO);
        let outside = Outside::new(now, longest, longest, ends_by_itself);
        let holder = Holder::new(revoker, segment, Lineage::default(), self.holders.slot(), allowance, Some(outside));
        self.holders.enter(&Arc::new(holder));
        Ok(())
    }
}

/// What is told of `holder` besides that its segment is closed for `reason`: that its holder has let go of what was taken back,
/// which is `DONE` by their word, or that nothing was heard of them.
fn heard_of(holder: &Holder, outside: &Outside, reason: &'static str) -> Option<Noted> {
    let Segment { about, by, reference: permit, cell, processor, .. } = holder.segment;
    match outside.end() {
        None => Some(about.event(Event::Flow(FlowEvent::PermitExpired { permit, cell, processor }))),
        Some(End::LetGo(_)) if reason == DONE && holder.why().is_some() => {
            Some(about.by(by, Event::Flow(FlowEvent::RevokeAcknowledged { permit, cell, processor })))
        }
        Some(End::LetGo(_) | End::Fenced(_)) => None,
    }
}
