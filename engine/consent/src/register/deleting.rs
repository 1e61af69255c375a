//! Telling receivers to delete. See [`deletion`] for the steps.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use sayso_audit::{Event, FlowEvent, Leaf, Reference, SubjectTag};
use sayso_policy::Deadline;
use sayso_policy::profile::{Processor, ProcessorState};
use sayso_store::{Error as StoreError, Key, Op, Range, TypedKey, limits::SCAN_LIMIT_MAX};
use sayso_types::{Category, Name, ProcessorId, SubjectId, WallTime};

use super::{Register, Subject};
use crate::deletion::given::Given;
use crate::deletion::{self, Deletion, DeletionAnswer, DeletionOrder, Standing, Why};
use crate::erasure::certificate::{Deleted, Ground};
use crate::erasure::pending::Pending;
use crate::tables::{DELETION, DeletionKey};
use crate::{Entry, Error};

/// Leaves that are read at once.
const LEAVES_AT_ONCE: usize = 1_000;

/// Orders that are looked for in the log together: each is some hundred bytes, and a pass over the log costs the same for one.
const ORDERS_AT_ONCE: usize = 1_024;

/// A deletion and where it is stored.
struct Found {
    key: Key,
    subject: SubjectId,
    of: Reference,
    processor: ProcessorId,
    deletion: Deletion,
}

impl Register {
    /// What there is to be told receivers now, but for those that are `busy`. An order is handed out again and again until it is
    /// [requested](Self::deletion_requested), later again unless it was [confirmed](Self::deletion_confirmed), and not after its
    /// time; but whom nobody could tell in time is told late, once. Whom nobody can tell any more is given up on when its time
    /// is over.
    ///
    /// # Errors
    /// As the store says; what was not reached is found next time.
    pub async fn due_deletions(&self, busy: &BTreeSet<ProcessorId>) -> Result<Vec<DeletionOrder>, Error> {
        let now = self.clock.wall();
        let mut due = Vec::new();
        for found in self.deletions(Range::from(DeletionKey::table())).await? {
            let Deletion { standing, until, tries, next_at, .. } = found.deletion;
            let can_be_told = self.options.deletes.contains(&found.processor);
            if standing.is_over() {
                continue;
            }
            if until <= now && (tries > 0 || !can_be_told) {
                self.give_up_on(found).await?;
            } else if can_be_told && next_at <= now && !busy.contains(&found.processor) && due.len() < ORDERS_AT_ONCE {
                due.push(found);
            }
        }
        let mut orders = Vec::new();
        for (found, segments) in self.given_to(due).await? {
            if segments.is_empty() {
                self.nothing_to_delete(found).await?;
                continue;
            }
            let Found { subject, of, processor, deletion: Deletion { why, tries, .. }, .. } = found;
            orders.push(DeletionOrder { subject, of, processor, why, segments, tries });
        }
        Ok(orders)
    }

    /// Puts on record that the receiver of `order` is about to be told; `false` when there is nothing to tell any more.
    ///
    /// # Errors
    /// As the store says: then it must not be told.
    pub async fn deletion_requested(&self, order: &DeletionOrder) -> Result<bool, Error> {
        let turn = self.lock(order.subject).await?;
        let key = deletion::key(order.subject, order.of, order.processor);
        let Some(deletion) = self.deletion(&key).await?.filter(|deletion| !deletion.standing.is_over()) else {
            return Ok(false);
        };
        let mut entry = Entry::default();
        if deletion.standing == Standing::Due {
            let event = FlowEvent::DeletionRequested { erasure: order.of, processor: order.processor };
            entry.events.push(turn.state.about(order.subject).event(Event::Flow(event)));
        }
        entry.ops.push(deletion.tried(self.clock.wall()).put(key));
        self.journal.append(entry).await?;
        Ok(true)
    }

    /// Puts on record that the receiver of `order` says that it has deleted it, with its `answer`.
    ///
    /// # Errors
    /// As the store says: then it is asked again.
    pub async fn deletion_confirmed(&self, order: &DeletionOrder, answer: DeletionAnswer) -> Result<(), Error> {
        let turn = self.lock(order.subject).await?;
        let key = deletion::key(order.subject, order.of, order.processor);
        let Some(deletion) = self.deletion(&key).await?.filter(|deletion| !deletion.standing.is_over()) else {
            return Ok(());
        };
        let (about, processor) = (turn.state.about(order.subject), order.processor);
        let (op, event) = match deletion.why {
            Why::Erasure => {
                let standing = Standing::Confirmed { answer: answer.0, at: self.clock.wall() };
                let event = FlowEvent::DeletionConfirmed { erasure: order.of, processor, answer: answer.into() };
                (Deletion { standing, ..deletion }.put(key), event)
            }
            Why::Rectification => {
                let event = FlowEvent::RectifyPropagated { request: order.of, processor, answer: answer.into() };
                (Op::Delete(key), event)
            }
        };
        self.journal
            .append(Entry { ops: vec![op], events: vec![about.event(Event::Flow(event))], ..Entry::default() })
            .await?;
        metrics::counter!("sayso_deletions_confirmed_total", "processor" => processor.to_string()).increment(1);
        Ok(())
    }

    /// How every receiver stands that can be told of the erasure `of` by a machine; [`None`] while one may still say that it
    /// has deleted it. Makes them due that were not told. Within the subject's turn.
    pub(super) async fn receivers_told(
        &self,
        turn: &Subject,
        of: Reference,
        category: Option<Category>,
        within: Duration,
    ) -> Result<Option<BTreeMap<ProcessorId, Deletion>>, Error> {
        let told = self.deletions(Range::from(DeletionKey::table().then(&turn.id()).then(&of.0.to_vec()))).await?;
        let told: BTreeMap<_, _> = told.into_iter().map(|found| (found.processor, found.deletion)).collect();
        let untold: Vec<_> = self.deletes(category).filter(|id| !told.contains_key(id)).collect();
        if !untold.is_empty() {
            let now = self.asked_now().await?;
            let ops = untold.into_iter().map(|id| tell((turn.id(), of, id), Why::Erasure, now, within)).collect();
            self.journal.append(Entry { ops, ..Entry::default() }).await?;
            return Ok(None);
        }
        Ok(told.values().all(|deletion| deletion.standing.is_over()).then_some(told))
    }

    /// What has the receivers told that may have what was put right by the request `of`.
    pub(super) async fn tell_of_correction(
        &self,
        subject: SubjectId,
        of: Reference,
        category: Category,
    ) -> Result<Vec<Op>, Error> {
        let (now, within) = (self.asked_now().await?, self.options.confirm_within);
        let told = self.deletes(Some(category)).map(|id| tell((subject, of, id), Why::Rectification, now, within));
        Ok(told.collect())
    }

    /// What time it is, and how much of the log there is.
    async fn asked_now(&self) -> Result<(WallTime, u64), Error> {
        Ok((self.clock.wall(), self.journal.head().await?.0))
    }

    /// How long receivers have to confirm: of a child's data no longer than half of what is left of the time in which it is to
    /// be gone.
    pub(super) fn confirm_within(&self, pending: &Pending) -> Duration {
        let most = self.options.confirm_within;
        let is_child = pending.grounds.iter().any(|ground| matches!(ground, Ground::Minor(_)));
        let profile = self.profile();
        let Some(within) = profile.minors().erase_on_discovery.as_ref().and_then(Deadline::period).filter(|_| is_child)
        else {
            return most;
        };
        let end = profile.end_of(within, pending.asked_at, String::new()).at;
        most.min(Duration::from_millis(end.0.saturating_sub(self.clock.wall().0)) / 2)
    }

    /// The receivers that say that they have deleted it.
    pub(super) fn deleted(&self, told: BTreeMap<ProcessorId, Deletion>) -> Vec<Deleted> {
        let receivers = self.receivers(None);
        let deleted = told.into_iter().filter_map(|(id, told)| match told.standing {
            Standing::Confirmed { answer, at } => {
                let party = receivers.get(&id).map(|one| one.party.clone()).unwrap_or_default();
                Some(Deleted { id, party, at, answer })
            }
            _ => None,
        });
        deleted.collect()
    }

    /// Those of the receivers that a machine can tell to delete.
    fn deletes(&self, category: Option<Category>) -> impl Iterator<Item = ProcessorId> {
        let receivers = self.receivers(category).into_values();
        receivers.filter(|one| one.deletion_api && self.options.deletes.contains(&one.id)).map(|one| one.id)
    }

    /// Who else may have been given something of `category` ([`None`]: anything), and may keep it, under any revision that
    /// somebody may still be governed by. What the newest says of a receiver stands.
    pub(super) fn receivers(&self, category: Option<Category>) -> BTreeMap<ProcessorId, Processor> {
        let revisions = self.revisions();
        let all = revisions.all().flat_map(|profile| profile.document().processor.values());
        let is_told = |one: &Processor| self.options.deletes.contains(&one.id);
        all.filter(|one| is_receiver(one, category, is_told(one))).map(|one| (one.id, one.clone())).collect()
    }

    /// Says of one whose time is over that nothing is known. Of an erasure its certificate says so.
    async fn give_up_on(&self, found: Found) -> Result<(), Error> {
        let Found { key, subject, of, processor, .. } = found;
        let turn = self.lock(subject).await?;
        // its answer may have come meanwhile
        let Some(deletion) = self.deletion(&key).await?.filter(|deletion| !deletion.standing.is_over()) else {
            return Ok(());
        };
        let mut entry = Entry::default();
        match deletion.why {
            Why::Erasure => entry.ops.push(Deletion { standing: Standing::Unconfirmed, ..deletion }.put(key)),
            Why::Rectification => {
                let reason = if deletion.tries > 0 { NO_ANSWER } else { NOT_TOLD };
                let event = Event::DeletionUnconfirmed { erasure: of, processor, reason };
                entry.events.push(turn.state.about(subject).event(event));
                entry.ops.push(Op::Delete(key));
            }
        }
        self.journal.append(entry).await?;
        metrics::counter!("sayso_deletions_unconfirmed_total", "processor" => processor.to_string()).increment(1);
        tracing::warn!(%processor, "it has not confirmed in time that it has deleted what it was told to delete");
        Ok(())
    }

    /// Notes that the receiver was never given anything, or by its own word has it no more.
    async fn nothing_to_delete(&self, found: Found) -> Result<(), Error> {
        let _turn = self.lock(found.subject).await?;
        let Some(deletion) = self.deletion(&found.key).await?.filter(|deletion| !deletion.standing.is_over()) else {
            return Ok(());
        };
        let op = match deletion.why {
            Why::Erasure => Deletion { standing: Standing::Nothing, ..deletion }.put(found.key),
            Why::Rectification => Op::Delete(found.key),
        };
        self.journal.append(Entry { ops: vec![op], ..Entry::default() }).await?;
        Ok(())
    }

    /// Each of `due` with the segments in which it was given something that it still had by its own word when it was asked for:
    /// one pass over the log.
    async fn given_to(&self, due: Vec<Found>) -> Result<Vec<(Found, Vec<Reference>)>, Error> {
        let (mut tags, mut wanted): (BTreeMap<SubjectId, SubjectTag>, Vec<_>) = (BTreeMap::new(), Vec::new());
        for found in &due {
            if let Some(tag) = self.read(found.subject).await?.about(found.subject).tag {
                tags.insert(found.subject, tag);
                wanted.push((tag, found.processor));
            }
        }
        let size = due.iter().map(|found| found.deletion.log_size.unwrap_or(u64::MAX)).max();
        let (mut given, mut next) = (Given::of(wanted), 0);
        while next < size.filter(|_| !tags.is_empty()).unwrap_or(0) {
            let entries = self.journal.read(next, LEAVES_AT_ONCE).await?;
            if entries.is_empty() {
                break;
            }
            for (index, entry) in (next..).zip(&entries) {
                given.leaf(index, &Leaf::decode(entry).map_err(|e| Error::Log(e.to_string()))?);
            }
            next += entries.len() as u64;
        }
        let (given, receivers) = (given.finish(), self.receivers(None));
        let named = due.into_iter().map(|found| {
            let Deletion { asked_at, log_size, .. } = found.deletion;
            let keeps = receivers.get(&found.processor).and_then(|one| one.declared_retention.as_ref());
            let calls = tags.get(&found.subject).and_then(|tag| given.get(&(*tag, found.processor)));
            let calls =
                calls.into_iter().flatten().filter_map(|call| call.as_of(log_size.unwrap_or(u64::MAX), asked_at));
            let kept = calls.filter(|(_, at)| self.is_kept(keeps, *at, asked_at));
            // in an order that does not depend on when each was closed
            let kept: BTreeSet<_> = kept.map(|(segment, _)| segment).collect();
            (found, kept.into_iter().collect())
        });
        Ok(named.collect())
    }

    /// Whether what was given `at` that time is still there at `now`, by what its receiver declares.
    fn is_kept(&self, keeps: Option<&Deadline>, at: WallTime, now: WallTime) -> bool {
        let end = keeps.and_then(Deadline::period).map(|time| self.profile().end_of(time, at, String::new()).at);
        end.is_none_or(|end| now < end)
    }

    async fn deletions(&self, mut range: Range) -> Result<Vec<Found>, Error> {
        let mut all = Vec::new();
        loop {
            let page = self.store.scan(range, SCAN_LIMIT_MAX).await?;
            for entry in page.entries {
                let (subject, of, processor) = deletion::parsed(&entry.key)?;
                let (_, body) = DELETION.decode(&entry.value).map_err(StoreError::from)?;
                all.push(Found { key: entry.key, subject, of, processor, deletion: Deletion::decode(body)? });
            }
            let Some(rest) = page.rest else { return Ok(all) };
            range = rest;
        }
    }

    async fn deletion(&self, key: &Key) -> Result<Option<Deletion>, Error> {
        let Some(stored) = self.store.read(core::slice::from_ref(key)).await?.pop().flatten() else { return Ok(None) };
        let (_, body) = DELETION.decode(&stored.value).map_err(StoreError::from)?;
        Deletion::decode(body).map(Some)
    }
}

/// Why nothing is known of a receiver that was told.
pub(super) const NO_ANSWER: Name = Name::constant("no_answer");

/// Why nothing is known of one that could have been.
pub(super) const NOT_TOLD: Name = Name::constant("not_told");

fn tell(
    (subject, of, processor): (SubjectId, Reference, ProcessorId),
    why: Why,
    now: (WallTime, u64),
    within: Duration,
) -> Op {
    Deletion::due(why, now, within).put(deletion::key(subject, of, processor))
}

/// Whether `processor` is somebody else who may have been given what is erased, and may keep it: also a service of the operator's
/// own that is told by its end point, because what it has is beyond the keys that are destroyed here.
fn is_receiver(processor: &Processor, category: Option<Category>, is_told: bool) -> bool {
    let accepts = match category {
        Some(category) => processor.accepts.contains(&category),
        None => !processor.accepts.is_empty(),
    };
    let keeps = processor.declared_retention.as_ref().and_then(Deadline::period).is_none_or(|time| !time.is_zero());
    let is_elsewhere = !processor.is_own() || processor.deletion_api && is_told;
    accepts && keeps && !processor.zero_retention && is_elsewhere && processor.state != ProcessorState::Draft
}
