//! Counting whose data goes overseas, and the end of it when the means covers no more. See [`transfer`](crate::transfer).

use sayso_audit::{Actor, Event, FlowEvent};
use sayso_policy::{Profile, Reason, Transfer};
use sayso_store::{Batch, Error as StoreError, Op, Range, TypedKey, limits::SCAN_LIMIT_MAX};
use sayso_types::{Name, ProcessorId, WallTime};
use tokio::sync::MutexGuard;

use super::holders::Segment;
use super::{Register, Subject};
use crate::lease::{Ask, Denied};
use crate::switch::{self, Position, Switch, Target, Throw};
use crate::tables::{TRANSFER, TRANSFER_COUNT, TransferCountKey, TransferKey};
use crate::transfer::{Counted, Crossed};
use crate::{Entry, Error};

/// Rows of people that go in one batch when their year is over.
const ROWS_AT_ONCE: usize = 256;

/// Somebody who is being counted. Nobody else is, until that is on record or was given up.
pub(super) struct Crossing<'a> {
    _turn: MutexGuard<'a, ()>,
    processor: ProcessorId,
    counted: Counted,
    is_near: bool,
}

impl Crossing<'_> {
    /// Tells that it is on record.
    pub(super) fn done(self) {
        let (together, there) = (self.counted.together, self.counted.there(self.processor));
        let tell = |to: String, people: u64, data: &'static str| {
            metrics::gauge!("sayso_transfer_people", "to" => to, "data" => data).set(people as f64);
        };
        for (to, people) in [("together".to_owned(), together), (self.processor.to_string(), there)] {
            tell(to.clone(), people.persons, "any");
            tell(to, people.sensitive, "sensitive");
        }
        if self.is_near {
            metrics::counter!("sayso_transfer_near_limit_total").increment(1);
            tracing::warn!(
                processor = %self.processor, persons = together.persons, sensitive = together.sensitive,
                "nine tenths of the people whose data may go overseas this year have been reached"
            );
        }
    }
}

impl Register {
    /// Has `entry`, which opens `segment`, count the person among those whose data goes overseas this year, if they are not
    /// yet. Within the subject's turn.
    ///
    /// # Errors
    /// [`Reason::TransferLimit`] when one person more is one too many; or as the store says.
    pub(super) async fn cross_border(
        &self,
        subject: &Subject,
        segment: &Segment,
        entry: &mut Entry,
    ) -> Result<Option<Crossing<'_>>, Denied> {
        let (profile, processor) = (self.profile(), segment.processor);
        let Some(transfer) = profile.transfer(processor, segment.cell.category) else { return Ok(None) };
        let year = profile.year_of(self.clock.wall());
        let row = TransferKey { year, subject: subject.id() }.key();
        let stored = self.store.read(core::slice::from_ref(&row)).await.map_err(Error::from)?.pop().flatten();
        let crossed = stored.map(|stored| {
            let (_, body) = TRANSFER.decode(&stored.value).map_err(StoreError::from)?;
            Crossed::decode(body)
        });
        let mut crossed = crossed.transpose()?.unwrap_or_default();
        let Some(more) = crossed.take(processor, &transfer) else { return Ok(None) };
        let turn = self.crossing.lock().await;
        let before = self.counted(year).await?;
        let counted = before.clone().with(processor, more);
        let covers = |counted: &Counted| transfer.limit.covers(counted.together, counted.there(processor));
        if !covers(&counted) {
            return Err(Denied::Policy(Reason::TransferLimit));
        }
        let near = |counted: &Counted| transfer.limit.is_near(counted.together, counted.there(processor));
        let is_near = near(&counted) && !near(&before);
        let how = Name::constant(if is_near { "near_limit" } else { "counted" });
        let (persons, sensitive) = (counted.together.persons, counted.together.sensitive);
        let (segment, about, cell) = (segment.reference, segment.about, segment.cell);
        let event = FlowEvent::CrossBorder { segment, cell, processor, how, persons, sensitive };
        entry.events.push(about.event(Event::Flow(event)));
        entry.ops.push(Op::Put(row, TRANSFER.encode(&crossed.encode())));
        entry.ops.push(Op::Put(TransferCountKey { year }.key(), TRANSFER_COUNT.encode(&counted.encode())));
        Ok(Some(Crossing { _turn: turn, processor, counted, is_near }))
    }

    /// Turns the processor off where what was `denied` would have been one person too many: nothing about anybody goes
    /// there when this returns.
    pub(super) async fn stop_at_the_limit(&self, ask: &Ask, denied: &Denied) {
        let is_full = matches!(denied, Denied::Policy(Reason::TransferLimit));
        if !is_full || self.revisions().registry().narrowed(ask.processor).is_some() {
            return;
        }
        let turn = self.rules_turn().await;
        let thrown = self.throw_with(&turn, &switch::limit(ask.processor, true), Actor::SYSTEM, Entry::default()).await;
        metrics::counter!("sayso_transfer_limit_reached_total").increment(1);
        match thrown {
            Ok(_) => tracing::error!(
                processor = %ask.processor,
                "as many people's data went there this year as may; nothing about anybody goes there any more"
            ),
            // whoever comes next is one too many as well
            Err(error) => tracing::warn!(%error, processor = %ask.processor, "it could not be turned off yet"),
        }
    }

    /// How many people's data has gone overseas in `year`, or in the one that it is; and which that is.
    ///
    /// # Errors
    /// As the store says.
    pub async fn transfers_of(&self, year: Option<u32>) -> Result<(u32, Counted), Error> {
        let year = year.unwrap_or_else(|| self.profile().year_of(self.clock.wall()));
        Ok((year, self.counted(year).await?))
    }

    async fn counted(&self, year: u32) -> Result<Counted, Error> {
        let Some(stored) = self.store.read(&[TransferCountKey { year }.key()]).await?.pop().flatten() else {
            return Ok(Counted::default());
        };
        let (_, body) = TRANSFER_COUNT.decode(&stored.value).map_err(StoreError::from)?;
        Counted::decode(body)
    }

    /// The throws that turn those of `switches` on again that are off because of how many people there were, and that have
    /// room for more at `now`: another year, or another means.
    pub(super) async fn room_for_more(&self, switches: &[Switch], now: WallTime) -> Result<Vec<Throw>, Error> {
        let off = switches.iter().filter(|switch| switch.position == Position::TransferLimitReached);
        let off: Vec<_> = off
            .filter_map(|switch| match switch.target {
                Target::Processor(id) => Some(id),
                Target::Category(_) | Target::Tenant(_) => None,
            })
            .collect();
        if off.is_empty() {
            return Ok(Vec::new());
        }
        let profile = self.profile();
        let counted = self.counted(profile.year_of(now)).await?;
        let has_room =
            |id: &ProcessorId| transfers_to(&profile, *id).all(|transfer| has_room(&counted, *id, &transfer));
        Ok(off.iter().filter(|id| has_room(id)).map(|id| switch::limit(*id, false)).collect())
    }

    /// Whether nobody more may be counted of those whose data goes to `target` this year, though perhaps nobody came who was one
    /// too many.
    pub(super) async fn is_full(&self, target: &Target, now: WallTime) -> Result<bool, Error> {
        let Target::Processor(id) = target else { return Ok(false) };
        let profile = self.profile();
        let counted = self.counted(profile.year_of(now)).await?;
        Ok(transfers_to(&profile, *id).any(|transfer| !has_room(&counted, *id, &transfer)))
    }

    /// Whether somebody's data goes overseas by `segment` in a year that has just begun, in which they are not counted by it. For
    /// as long as a permit lasts, so that none is renewed from one year into the next: whoever goes on asks anew.
    pub(super) fn is_of_last_year(&self, segment: &Segment, now: WallTime) -> bool {
        let (profile, ttl) = (self.profile(), u64::try_from(self.permit_ttl().as_millis()).unwrap_or(u64::MAX));
        let before = WallTime(now.0.saturating_sub(ttl));
        profile.year_of(before) < profile.year_of(now)
            && profile.transfer(segment.processor, segment.cell.category).is_some()
    }

    /// Takes the rows of people away whose year is over at `now`.
    pub(super) async fn forget_past_years(&self, now: WallTime) -> Result<(), Error> {
        let year = self.profile().year_of(now);
        let mut range = Range::from(TransferKey::table());
        loop {
            let page = self.store.scan(range, SCAN_LIMIT_MAX).await?;
            let (found, mut past) = (page.entries.len(), Vec::new());
            for entry in page.entries {
                if TransferKey::parse(&entry.key).map_err(StoreError::from)?.year >= year {
                    break;
                }
                past.push(Op::Delete(entry.key));
            }
            let is_all = past.len() < found;
            for some in past.chunks(ROWS_AT_ONCE) {
                self.store.commit(Batch { ops: some.to_vec(), ..Batch::new() }).await?;
            }
            let Some(rest) = page.rest.filter(|_| !is_all) else { return Ok(()) };
            range = rest;
        }
    }
}

/// What sending data to `processor` is, for each category that it accepts.
fn transfers_to(profile: &Profile, processor: ProcessorId) -> impl Iterator<Item = Transfer> {
    let accepted = profile.processor(processor).map(|processor| &processor.accepts).into_iter().flatten();
    accepted.filter_map(move |category| profile.transfer(processor, *category))
}

/// Whether one person more may be counted.
fn has_room(counted: &Counted, processor: ProcessorId, transfer: &Transfer) -> bool {
    let Some(more) = Crossed::default().take(processor, transfer) else { return true };
    let next = counted.clone().with(processor, more);
    transfer.limit.covers(next.together, next.there(processor))
}
