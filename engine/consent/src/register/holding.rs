//! Legal holds: what a law demands to be kept neither ends nor is erased, whoever asks.

use std::sync::Arc;

use sayso_audit::{Actor, Event, Reference};
use sayso_store::{Error as StoreError, Op, Store, TypedKey, limits::SCAN_LIMIT_MAX};
use sayso_types::{Category, Name, SubjectId, WallTime};

use super::{Register, Subject};
use crate::erasure::Ground;
use crate::erasure::pending::Pending;
use crate::journal::{About, Noted};
use crate::retention::hold::HOLDS_MAX;
use crate::retention::{Hold, HoldError, HoldOrder, Stored};
use crate::rights::desk;
use crate::tables::{ERASURE, FACTS_CATEGORY, HELD, HOLD, HoldKey};
use crate::{Entry, Error};

/// The holds that are set.
#[derive(Debug, Default)]
pub(super) struct Holds(Vec<Hold>);

impl Holds {
    /// Those that are stored.
    pub(super) async fn stored(store: &dyn Store) -> Result<Self, Error> {
        let (mut holds, mut range) = (Vec::new(), HoldKey::table().into());
        loop {
            let page = store.scan(range, SCAN_LIMIT_MAX).await?;
            for entry in page.entries {
                let HoldKey { hold } = HoldKey::parse(&entry.key).map_err(StoreError::from)?;
                let (_, body) = HOLD.decode(&entry.value).map_err(StoreError::from)?;
                holds.push(Hold::decode(&hold, body)?);
            }
            let Some(rest) = page.rest else { return Ok(Self(holds)) };
            range = rest;
        }
    }

    /// One that keeps `category` ([`None`]: any) of `subject` at `now`.
    pub(super) fn keeping(&self, subject: SubjectId, category: Option<Category>, now: WallTime) -> Option<&Hold> {
        self.0.iter().find(|hold| hold.keeps(subject, category, now))
    }
}

impl Holds {
    /// One that keeps something of `category` that is about `people`; where that is nobody, one that is about everybody.
    pub(super) fn keeping_any(&self, people: &[SubjectId], category: Category, now: WallTime) -> Option<&Hold> {
        self.0.iter().find(|hold| {
            let keeps = |subject: &SubjectId| hold.keeps(*subject, Some(category), now);
            people.iter().any(keeps) || people.is_empty() && hold.order.subject.is_none() && keeps(&SubjectId([0; 16]))
        })
    }
}

impl Hold {
    /// That it keeps `category` from what would have ended it.
    pub(super) fn kept(&self, about: About, category: Category, from: Name) -> Noted {
        about.event(Event::RetentionHeld { hold: self.id, category, from })
    }
}

impl Register {
    /// Sets a hold. It is durable, and on record, when this returns: whatever was not about to be destroyed by then is kept.
    ///
    /// # Errors
    /// [`Error::Hold`] says what is wrong with the order; or as the store says.
    pub async fn set_hold(self: &Arc<Self>, order: HoldOrder, by: Actor) -> Result<Hold, Error> {
        let register = Arc::clone(self);
        self.to_the_end("set a hold", async move { register.set_hold_now(order, by).await }).await?
    }

    async fn set_hold_now(&self, order: HoldOrder, by: Actor) -> Result<Hold, Error> {
        // whoever is ending something has looked at the holds, and is waited for
        let mut holds = self.holds.write().await;
        let now = self.clock.wall();
        order.check(now)?;
        if holds.0.len() >= HOLDS_MAX {
            return Err(HoldError::TooMany.into());
        }
        let hold = Hold { id: Reference(SubjectId::random().0), order, set_at: now };
        let (category, law) = (hold.order.category, hold.order.law_hash());
        let set = self.about_hold(&hold).await?.by(by, Event::HoldSet { hold: hold.id, category, law });
        let ops = vec![Op::Put(HoldKey::of(hold.id).key(), HOLD.encode(&hold.encode()))];
        self.journal.append(Entry { ops, events: vec![set], ..Entry::default() }).await?;
        holds.0.push(hold.clone());
        metrics::gauge!("sayso_legal_holds").set(u32::try_from(holds.0.len()).unwrap_or(u32::MAX));
        Ok(hold)
    }

    /// Releases the hold `id`. What was due meanwhile ends, and what was to be erased is, soon after.
    ///
    /// # Errors
    /// [`Error::Hold`] when there is none; or as the store says.
    pub async fn release_hold(self: &Arc<Self>, id: Reference, by: Actor) -> Result<Hold, Error> {
        let register = Arc::clone(self);
        let release = async move { register.release(id, by, Name::constant("released")).await };
        self.to_the_end("release a hold", release).await?
    }

    /// The holds that are set, oldest first.
    pub async fn legal_holds(&self) -> Vec<Hold> {
        let mut holds = self.holds.read().await.0.clone();
        holds.sort_by_key(|hold| (hold.set_at, hold.id.0));
        holds
    }

    /// Releases those whose time is over.
    pub(super) async fn release_expired_holds(&self) -> Result<(), Error> {
        let now = self.clock.wall();
        for hold in self.legal_holds().await.into_iter().filter(|hold| hold.is_over(now)) {
            match self.release(hold.id, Actor::SYSTEM, Name::constant("expired")).await {
                // somebody else released it meanwhile
                Ok(_) | Err(Error::Hold(HoldError::Unknown)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn release(&self, id: Reference, by: Actor, why: Name) -> Result<Hold, Error> {
        let mut holds = self.holds.write().await;
        let at = holds.0.iter().position(|hold| hold.id == id).ok_or(HoldError::Unknown)?;
        let about = match self.about_hold(&holds.0[at]).await {
            // it kept nothing of them, and they were forgotten
            Err(Error::UnknownSubject) => About::default(),
            about => about?,
        };
        let released = about.by(by, Event::HoldReleased { hold: id, why });
        let ops = vec![Op::Delete(HoldKey::of(id).key())];
        self.journal.append(Entry { ops, events: vec![released], ..Entry::default() }).await?;
        let hold = holds.0.remove(at);
        metrics::gauge!("sayso_legal_holds").set(u32::try_from(holds.0.len()).unwrap_or(u32::MAX));
        drop(holds);
        // what it kept has no mark any more
        self.mark_anew();
        Ok(hold)
    }

    /// Has `entry` say that `hold` keeps what is due of `stored` of the person whose turn it is, unless that is on record.
    pub(super) async fn tell_kept(
        &self,
        hold: &Hold,
        turn: &Subject,
        stored: Stored,
        entry: &mut Entry,
    ) -> Result<(), Error> {
        let row = stored.kept(turn.id);
        if let Some(told) = self.store.read(core::slice::from_ref(&row)).await?.pop().flatten() {
            let (_, by) = HELD.decode(&told.value).map_err(StoreError::from)?;
            if by == hold.id.0 {
                return Ok(());
            }
        }
        entry.events.push(hold.kept(turn.state.about(turn.id), stored.category(), Name::constant("due")));
        entry.ops.push(Op::Put(row, HELD.encode(&hold.id.0)));
        Ok(())
    }

    /// Keeps what `pending` is of because of `hold`, and answers the cases that it was for: what they ask for is done but for
    /// what a law forbids.
    pub(super) async fn hold_back(&self, subject: &Subject, mut pending: Pending, hold: &Hold) -> Result<(), Error> {
        (pending.is_held, pending.is_to_withdraw) = (true, false);
        let from = pending.grounds.first().map_or(Name::constant("requested"), |ground| ground.name());
        let kept = hold.kept(subject.state.about(subject.id), FACTS_CATEGORY, from);
        let mut entry = Entry { events: vec![kept], ..Entry::default() };
        for ground in &pending.grounds {
            if let Ground::Request(case) = ground {
                let detail = Name::constant("legal_hold");
                desk::fulfil_into(self, subject, Reference(*case), true, detail, &mut entry).await?;
            }
        }
        entry.ops.push(Op::Put(pending.row(subject.id), ERASURE.encode(&pending.encode())));
        self.journal.append(entry).await?;
        Ok(())
    }

    async fn about_hold(&self, hold: &Hold) -> Result<About, Error> {
        Ok(match hold.order.subject {
            Some(subject) => self.read(subject).await?.about(subject),
            None => About::default(),
        })
    }
}
