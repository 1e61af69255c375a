//! Carrying out what people asked for, once that is accepted: see [`Carrier`] for what carries out which.
//!
//! What is left to be done is in the store from the batch that accepts the request until the one that answers it. Each part
//! can be done twice, so that the next process goes on where one ended.

use std::sync::Arc;

use sayso_audit::{Actor, Event, Reference, RequestStep};
use sayso_store::{Condition, Op, Range, TypedKey, limits::SCAN_LIMIT_MAX};
use sayso_types::{Category, ConsentVersion, Name, Purpose, RegionClass, SubjectId};

use super::holders::POLICY;
use super::state::StoredState;
use super::{Register, Subject};
use crate::erasure::Ground;
use crate::erasure::pending::Pending;
use crate::evidence::Means;
use crate::rights::carrier::Carrier;
use crate::rights::desk;
use crate::rights::left::Left;
use crate::tables::{DEVICE, DeviceKey, FACTS_CATEGORY};
use crate::{Entry, Error};

impl Register {
    /// Takes every accepted request as far as it comes.
    pub(super) async fn carry_out_requests(self: &Arc<Self>) -> Result<(), Error> {
        let mut outcome = Ok(());
        for (subject, id) in Left::All.all(self).await? {
            // What holds up one holds up no other.
            if let Err(error) = self.carry_out(subject, id).await {
                outcome = Err(error);
            }
        }
        outcome
    }

    /// Takes the accepted request `id` as far as it comes, and answers it when it is done.
    pub(crate) async fn carry_out(self: &Arc<Self>, subject: SubjectId, id: Reference) -> Result<(), Error> {
        let Some((request, _)) = desk::get(self, subject, id).await? else { return Ok(()) };
        match request.carrier() {
            Carrier::Withdrawal => {
                if !self.withdraw_named(subject, &request.purposes).await? {
                    return Ok(());
                }
            }
            Carrier::Limit => {
                if !self.keep_near(subject, id).await? {
                    return Ok(());
                }
            }
            Carrier::Restriction => {
                if !self.restrict(subject, id).await? {
                    return Ok(());
                }
            }
            Carrier::Barring => self.bar_relatives(subject, id).await?,
            // answered by what carries them out
            Carrier::Erasure | Carrier::Closing | Carrier::Correction | Carrier::People => return Ok(()),
        }
        self.answer(subject, id).await
    }

    /// Answers the request `id`, of which nothing is left to be done.
    pub(super) async fn answer(&self, subject: SubjectId, id: Reference) -> Result<(), Error> {
        let turn = self.lock(subject).await?;
        let mut entry = Entry { ops: vec![Left::done(subject, id)], ..Entry::default() };
        desk::fulfil_into(self, &turn, id, false, Name::constant("whole"), &mut entry).await?;
        self.journal.append(entry).await?;
        Ok(())
    }

    /// Withdraws consent to `named` purposes, or to everything if there are none; whether every holder has let go. What a
    /// later revision of the policy asks no consent for is not processed by consent any more.
    async fn withdraw_named(self: &Arc<Self>, subject: SubjectId, named: &[Purpose]) -> Result<bool, Error> {
        let consents = self.state(subject).await?.consents;
        let known = |purpose: &Purpose| self.is_consented_to(*purpose) || consents.contains_key(purpose);
        let purposes: Vec<_> = named.iter().copied().filter(known).collect();
        if purposes.is_empty() && !named.is_empty() {
            return Ok(true);
        }
        Ok(self.withdraw(subject, &purposes, Means::Integrator).await?.ok)
    }

    /// Data about the person goes no further than their country from here on; whether whoever had something further away has let
    /// go of it. A consent of their own to a purpose that is served overseas is the way back.
    async fn keep_near(&self, subject: SubjectId, id: Reference) -> Result<bool, Error> {
        let mut subject = self.lock(subject).await?;
        if subject.state.consent.farthest > RegionClass::Domestic {
            let mut next = subject.state.clone();
            next.consent.cv = ConsentVersion(next.consent.cv.0 + 1);
            next.consent.farthest = RegionClass::Domestic;
            let event =
                Event::Request { request: id, step: RequestStep::TaskDone, detail: RequestStep::NEAR, evidence: None };
            let entry = Entry { events: vec![next.about(subject.id).event(event)], ..Entry::default() };
            self.advance(&mut subject, next, entry).await?;
        }
        self.enforce_for(&subject, POLICY);
        Ok(self.is_enforced_for(&subject))
    }

    /// What is stored of the person is kept and used for nothing from here on; whether whoever was using it has let go of it.
    async fn restrict(&self, subject: SubjectId, id: Reference) -> Result<bool, Error> {
        let mut subject = self.lock(subject).await?;
        let mut next = subject.state.clone();
        let stored = self.kept_categories(subject.id).await?.into_iter().chain([FACTS_CATEGORY]);
        let added: Vec<_> = stored.filter(|category| next.consent.restricted.insert(*category)).collect();
        if !added.is_empty() {
            let entry = restriction(&mut next, &subject, &added, (id, "restricted"), Actor::SYSTEM);
            self.advance(&mut subject, next, entry).await?;
        }
        self.enforce_for(&subject, POLICY);
        Ok(self.is_enforced_for(&subject))
    }

    /// Relatives have nothing of what is stored of the person from here on, once they have died.
    async fn bar_relatives(&self, subject: SubjectId, id: Reference) -> Result<(), Error> {
        let mut subject = self.lock(subject).await?;
        self.say_of_relatives(&mut subject, id, true, Actor::SYSTEM).await?;
        Ok(())
    }

    /// Relatives may ask for it, or not; whether that is anything new.
    pub(crate) async fn say_of_relatives(
        &self,
        subject: &mut Subject,
        id: Reference,
        bars: bool,
        by: Actor,
    ) -> Result<bool, Error> {
        if subject.state.bars_relatives == bars {
            return Ok(false);
        }
        let next = StoredState { bars_relatives: bars, ..subject.state.clone() };
        let detail = Name::constant(if bars { "relatives_barred" } else { "relatives_let" });
        let event = Event::Request { request: id, step: RequestStep::TaskDone, detail, evidence: None };
        let entry = Entry { events: vec![next.about(subject.id).by(by, event)], ..Entry::default() };
        self.advance(subject, next, entry).await?;
        Ok(true)
    }

    /// Ends the restriction that the request `id` was for; whether there was one.
    pub(crate) async fn lift(&self, subject: &mut Subject, id: Reference, by: Actor) -> Result<bool, Error> {
        let mut next = subject.state.clone();
        let lifted: Vec<_> = core::mem::take(&mut next.consent.restricted).into_iter().collect();
        if lifted.is_empty() {
            return Ok(false);
        }
        let entry = restriction(&mut next, subject, &lifted, (id, "lifted"), by);
        self.advance(subject, next, entry).await?;
        Ok(true)
    }

    /// Appends `entry`, which commits the erasure `pending` of the subject. Where it is for the closing of their account, that
    /// is closed with it: the certificate may wait for receivers for a day, and nothing new comes in meanwhile.
    pub(super) async fn commit_erasure(
        &self,
        subject: &mut Subject,
        pending: &Pending,
        mut entry: Entry,
    ) -> Result<(), Error> {
        let mut closes = false;
        for ground in &pending.grounds {
            let Ground::Request(case) = ground else { continue };
            let request = desk::get(self, subject.id, Reference(*case)).await?;
            closes |=
                request.is_some_and(|(request, _)| request.standing.is_open() && request.carrier() == Carrier::Closing);
        }
        if !closes || subject.state.consent.is_closed {
            self.journal.append(entry).await?;
            return Ok(());
        }
        let mut next = subject.state.clone();
        self.close_account(subject, &mut next, &mut entry).await?;
        self.advance(subject, next, entry).await
    }

    /// Has `entry`, which makes `next` of the subject's state, close their account: whoever speaks through their devices from
    /// here on is somebody new.
    pub(super) async fn close_account(
        &self,
        subject: &Subject,
        next: &mut StoredState,
        entry: &mut Entry,
    ) -> Result<(), Error> {
        next.consent.is_closed = true;
        outdate(next);
        let tenant = next.tenant.to_string();
        let mut range = Range::from(DeviceKey::table().then(&tenant));
        // One pass over the tenant's devices for each account that is closed: which devices somebody has is written nowhere
        // else.
        loop {
            let page = self.store.scan(range, SCAN_LIMIT_MAX).await?;
            for row in page.entries {
                let (_, bound) = DEVICE.decode(&row.value).map_err(sayso_store::Error::from)?;
                if *bound == subject.id.0 {
                    entry.require.push((row.key.clone(), Condition::Version(row.version)));
                    entry.ops.push(Op::Delete(row.key));
                }
            }
            let Some(rest) = page.rest else { break };
            range = rest;
        }
        Ok(())
    }
}

/// What puts on record that the use of what is stored was restricted, or is no longer.
fn restriction(
    next: &mut StoredState,
    subject: &Subject,
    categories: &[Category],
    (request, how): (Reference, &'static str),
    by: Actor,
) -> Entry {
    outdate(next);
    let about = next.about(subject.id);
    let restricted = categories.iter().map(|category| {
        about.by(by, Event::StoreRestricted { request, category: *category, how: Name::constant(how) })
    });
    Entry { events: restricted.collect(), ..Entry::default() }
}

/// Whatever was read of what is stored of the person is out of date with this version.
pub(super) const fn outdate(next: &mut StoredState) {
    next.consent.cv = ConsentVersion(next.consent.cv.0 + 1);
    next.consent.stale_before = next.consent.cv;
}
