//! Issuing and renewing permits.

use core::sync::atomic::Ordering;
use core::time::Duration;
use std::sync::Arc;

use sayso_audit::{Actor, Event, Reference};
use sayso_policy::{Decision, Grounds, Permit, Reason, Terms, permit};
use sayso_store::limits::READ_KEYS_MAX;
use sayso_store::{TypedKey, Versioned};
use sayso_types::{Mono, Name, SubjectId, WallTime};

use super::holders::{Holder, POLICY, SHUTDOWN, Segment, Slot};
use super::lending::Outside;
use super::state::StoredState;
use super::{Register, Subject};
use crate::lease::{Ask, Denied, Lease};
use crate::loan::Borrower;
use crate::tables::RegisterKey;
use crate::{Entry, Error, Lineage};

/// A permit is renewed this often within its life, so that one lost renewal does not end it.
const RENEWALS_PER_TTL: u32 = 3;

/// Permits that one subject may have in use: many times what a person's devices use at once, and few enough that one
/// record names them all when they are taken back.
const PERMITS_OF_SUBJECT_MAX: usize = 256;

/// A segment that was opened, with the permit for it.
pub(super) struct Opened {
    pub(super) permit: Permit,
    pub(super) holder: Arc<Holder>,
    pub(super) grounds: Grounds,
    pub(super) lasts: Duration,
}

/// Why something is refused, and by what: so that whoever reads the log can ask again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refused {
    pub(super) reason: Reason,
    /// Of the policy and of the registry, the revisions.
    pub(super) revs: (u32, u32),
}

impl Refused {
    /// By `decision`, for `reason`.
    pub(super) const fn by(decision: &Decision, reason: Reason) -> Self {
        Self { reason, revs: (decision.profile_rev, decision.registry_rev) }
    }
}

impl Register {
    /// Decides whether `ask` may be, and if so opens a segment in the audit log, durably, and issues the permit for
    /// it. Nothing can be handed over before this returns. A caller that does not wait for it leaves no segment open.
    ///
    /// # Errors
    /// [`Denied::Policy`] with the reason, which is noted in the log; [`Denied::Register`] when it could not be
    /// recorded.
    pub async fn acquire(self: &Arc<Self>, ask: Ask) -> Result<Lease, Denied> {
        self.acquire_of(ask, &Lineage::default()).await
    }

    /// The same for what was made of `lineage`, and ends with it: when something of that is taken back, so is the permit.
    ///
    /// # Errors
    /// As there; [`Reason::TakenBack`] when something of it was, of which the log has the withdrawal and no denial: the gate
    /// was not asked.
    pub async fn acquire_of(self: &Arc<Self>, ask: Ask, lineage: &Lineage) -> Result<Lease, Denied> {
        let lineage = lineage.clone();
        let slot = self.slot()?;
        let register = Arc::clone(self);
        let opened = async move {
            let opened = register.open_segment(&ask, lineage, slot, None).await;
            if let Err(denied) = &opened {
                register.stop_at_the_limit(&ask, denied).await;
                if let Denied::Policy(reason) = denied {
                    register.introduce_denied(&ask, *reason).await;
                }
            }
            let Opened { permit, holder, .. } = opened?;
            Ok(Lease { permit, holder, holders: Arc::clone(&register.holders), reason: "dropped" })
        };
        self.to_the_end("open segment", opened).await?
    }

    /// A place for one more permit.
    pub(super) fn slot(&self) -> Result<Slot, Denied> {
        self.holders.slot().ok_or_else(|| busy(self.holders.limit()))
    }

    /// Opens a segment for whoever uses the permit: this process, or somebody outside of it who proved who they are.
    pub(super) async fn open_segment(
        &self,
        ask: &Ask,
        lineage: Lineage,
        mut slot: Slot,
        to: Option<Borrower>,
    ) -> Result<Opened, Denied> {
        loop {
            if let Some(opened) = self.open_at_once(ask, &lineage, slot, to).await? {
                return Ok(opened);
            }
            // whoever changes the rules has done so then
            drop(self.rules_turn().await);
            slot = self.slot()?;
        }
    }

    /// The same, if no revision comes into force meanwhile, and no grant: what was opened under the one before closes again, so
    /// that nothing passes by another right than the log names.
    async fn open_at_once(
        &self,
        ask: &Ask,
        lineage: &Lineage,
        slot: Slot,
        to: Option<Borrower>,
    ) -> Result<Option<Opened>, Denied> {
        if self.has_ended() {
            return Err(Error::Ended.into());
        }
        // Held until the permit is entered: a withdrawal comes either before the decision or after the entry.
        let mut subject = self.lock(ask.subject).await?;
        if self.holders.of(ask.subject).len() >= PERMITS_OF_SUBJECT_MAX {
            return Err(busy(PERMITS_OF_SUBJECT_MAX));
        }
        let state = &subject.state;
        let question = ask.question(self.clock.wall());
        let revisions = self.revisions();
        let decision = revisions.decide(&question, &state.consent);
        let grounds = match decision.answer {
            Ok(grounds) => grounds,
            Err(reason) => {
                self.deny(&subject, ask, Refused::by(&decision, reason));
                return Err(Denied::Policy(reason));
            }
        };
        if lineage.is_taken_back(&state.consent) {
            return Err(Denied::Policy(Reason::TakenBack));
        }
        let profile = revisions.governing(ask.purpose, &state.consent);
        let governing = profile.rev();
        let segment = Segment {
            about: state.about(ask.subject).under(governing).by_registry(decision.registry_rev),
            by: to.map_or(Actor::SYSTEM, |borrower| borrower.actor),
            reference: Reference(SubjectId::random().0),
            cell: grounds.cell,
            gate: ask.gate,
            processor: ask.processor,
            turn: ask.turn,
            exemption: grounds.exemption(),
        };
        let (allowance, bytes_max) = self.set_aside(&segment, profile).await?;
        let mut entry = Entry::default();
        if let Some(grant) = segment.exemption {
            self.use_exemption(&subject, grant, &segment, &mut entry).await?;
        }
        let crossing = match self.cross_border(&subject, &segment, &mut entry).await {
            Ok(crossing) => crossing,
            Err(denied) => {
                if let Denied::Policy(reason) = denied {
                    self.deny(&subject, ask, Refused { reason, revs: (governing, decision.registry_rev) });
                }
                return Err(denied);
            }
        };
        entry.events.push(segment.opened());
        entry.ops.extend(to.map(|borrower| self.put_loan(ask, &segment, borrower)));
        self.append_of([&subject], entry).await?;
        if let Some(crossing) = crossing {
            crossing.done();
        }
        self.refresh(&mut subject).await;
        let state = &subject.state;
        let (cell, processor) = (grounds.cell, ask.processor);
        let terms = Terms { subject: ask.subject, cell, processor, cv: ask.cv, bytes_max };
        let lasts = self.permit_until(subject.asked_at, grounds.until).since(subject.asked_at);
        let (permit, revoker) = permit::issue(terms, Arc::clone(&self.clock), subject.asked_at, lasts);
        let outside =
            to.map(|borrower| Outside::new(subject.asked_at, lasts, self.permit_ttl(), borrower.ends_by_itself));
        let holder = Arc::new(Holder::new(revoker, segment, lineage.clone(), Some(slot), allowance, outside));
        self.holders.enter(&holder);
        if self.has_ended() {
            self.give_up(&holder, SHUTDOWN).await;
            return Err(Error::Ended.into());
        }
        // A revision or a switch that came into force meanwhile has looked through the holders, perhaps too early for this one.
        let revisions = self.revisions();
        let is_settled = self.coming.load(Ordering::Acquire) == revisions.newest().rev();
        let is_governed = is_settled && revisions.governing(ask.purpose, &state.consent).rev() == governing;
        let decision = revisions.decide(&question, &state.consent);
        let reason = match decision.answer {
            Ok(now) if is_governed && now.exemption() == holder.segment.exemption => {
                return Ok(Some(Opened { permit, holder, grounds, lasts }));
            }
            Ok(_) => {
                self.give_up(&holder, POLICY).await;
                return Ok(None);
            }
            Err(reason) => reason,
        };
        self.deny(&subject, ask, Refused::by(&decision, reason));
        self.give_up(&holder, POLICY).await;
        Err(Denied::Policy(reason))
    }

    /// Ends a permit that nobody was given.
    async fn give_up(&self, holder: &Arc<Holder>, reason: &'static str) {
        if holder.outside.is_none() {
            return self.holders.release(holder, reason);
        }
        if let Err(error) = self.give_up_loan(holder, reason).await {
            tracing::warn!(%error, reason, "the end of a permit that nobody was given could not be recorded yet");
        }
    }

    /// How long a permit lasts that rests on what was read at `asked_at`, and on something that `ends`.
    pub(super) fn permit_until(&self, asked_at: Mono, ends: Option<WallTime>) -> Mono {
        let until = asked_at.after(self.permit_ttl()).min(self.options.tenure.until());
        let left = |end: WallTime| Duration::from_millis(end.0.saturating_sub(self.clock.wall().0));
        ends.map_or(until, |end| until.min(self.clock.now().after(left(end))))
    }

    /// A permit lives from the reading of what it rests on. Where the record took so long that it would come used up,
    /// that is read again, still within the subject's turn. If it cannot be, the permit comes with what life is left.
    async fn refresh(&self, subject: &mut Subject) {
        let now = self.clock.now();
        if now < subject.asked_at.after(self.renewal_interval()) {
            return;
        }
        metrics::counter!("sayso_consent_slow_intents_total").increment(1);
        if let Ok(state) = self.read(subject.id).await {
            (subject.state, subject.asked_at) = (state, now);
        }
    }

    /// Puts a denial on record. What the profile does not even know has no cell to name.
    pub(super) fn deny(&self, subject: &Subject, ask: &Ask, refused: Refused) {
        let Refused { reason, revs: (profile_rev, registry_rev) } = refused;
        metrics::counter!("sayso_consent_denied_total", "reason" => reason.as_str()).increment(1);
        let Some(cell) = self.profile().cell(ask.purpose, ask.category, ask.processor) else { return };
        let about = subject.state.about(ask.subject).under(profile_rev).by_registry(registry_rev);
        self.journal.note(about.event(Event::GateDenied {
            gate: ask.gate.name(),
            cell,
            processor: ask.processor,
            reason: Name::parse(reason.as_str()).expect("reasons are names"),
            count: 1,
            labelled: Some(ask.cv.min(about.cv)),
        }));
    }

    pub(super) fn permit_ttl(&self) -> Duration {
        self.profile().defaults().permit_ttl
    }

    /// How long between two renewals. No permit lives longer than the tenure, whatever the profile gives it.
    pub(crate) fn renewal_interval(&self) -> Duration {
        self.permit_ttl().min(self.options.tenure.left()) / RENEWALS_PER_TTL
    }

    /// Reads anew how the subjects with permits stand, and renews those that still hold. What cannot be read is not
    /// renewed, and neither is anything whose end could not be recorded: the gates close by themselves.
    pub(super) async fn renew_permits(&self) -> Result<(), Error> {
        if self.journal.is_stopped() {
            return Err(Error::Stopped);
        }
        if self.has_ended() {
            return Ok(());
        }
        for subjects in self.holders.subjects().chunks(READ_KEYS_MAX) {
            let asked_at = self.clock.now();
            let keys: Vec<_> = subjects.iter().map(|subject| RegisterKey { subject: *subject }.key()).collect();
            let stored = self.store.read(&keys).await?;
            let wall = self.clock.wall();
            for (subject, stored) in subjects.iter().zip(stored) {
                self.renew_permits_of(*subject, stored, asked_at, wall);
            }
        }
        Ok(())
    }

    /// No lock is needed: what was withdrawn since `stored` was read is revoked, and that is for good.
    fn renew_permits_of(&self, subject: SubjectId, stored: Option<Versioned>, asked_at: Mono, wall: WallTime) {
        let state = match stored.map(|stored| StoredState::of(&stored)) {
            Some(Ok(state)) => state,
            Some(Err(error)) => return tracing::error!(%error, "permits of a subject cannot be renewed"),
            None => return,
        };
        let revisions = self.revisions();
        // those outside of this process are renewed when they ask for it
        for holder in self.holders.of(subject).into_iter().filter(|holder| holder.outside.is_none()) {
            match revisions.decide(&holder.question(wall), state.consent()).answer {
                Ok(grounds) if holder.segment.rests_on(&grounds) && !self.is_of_last_year(&holder.segment, wall) => {
                    holder.revoker.renew(self.permit_until(asked_at, grounds.until));
                }
                _ => {}
            }
        }
    }
}

fn busy(limit: usize) -> Denied {
    metrics::counter!("sayso_consent_permits_refused_total").increment(1);
    Denied::Busy { limit }
}
