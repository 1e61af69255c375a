//! Revisions of the policy: what was in force, and what comes next.

use core::sync::atomic::Ordering;
use std::sync::Arc;

use sayso_audit::{ControlEvent, Event, Hash};
use sayso_policy::profile::Processor;
use sayso_policy::{Diff, InForce, Profile, RevisionError, Revisions};
use sayso_store::{Error as StoreError, Op, Store, TypedKey, limits::SCAN_LIMIT_MAX};
use sayso_types::{SubjectId, WallTime};

use super::announcing::{Announced, announced, controller_changed, must_be_announced};
use super::holders::{Holder, POLICY};
use super::{Register, Subject};
use crate::journal::{About, Noted};
use crate::tables::{PROFILE, ProfileKey};
use crate::{Entry, Error};

/// The policy as `store` has it, with `profile` as its newest revision, and what is to be stored for that.
pub(super) async fn opened(
    store: &dyn Store,
    profile: Arc<Profile>,
    now: WallTime,
) -> Result<(Revisions, Entry), Error> {
    let mut stored: Option<Revisions> = None;
    let mut range = ProfileKey::table().into();
    loop {
        let page = store.scan(range, SCAN_LIMIT_MAX).await?;
        for entry in page.entries {
            let (_, body) = PROFILE.decode(&entry.value).map_err(StoreError::from)?;
            let profile = Arc::new(read(body)?);
            stored = Some(match stored {
                None => Revisions::new(InForce::new(profile)),
                // they were in force, so what they were checked for then is not asked again
                Some(before) => before.publish(profile, WallTime(u64::MAX))?.0,
            });
        }
        let Some(rest) = page.rest else { break };
        range = rest;
    }
    let put = put(&profile);
    let Some(stored) = stored else {
        let first = Entry { ops: vec![put], events: registered(None, &profile), ..Entry::default() };
        return Ok((Revisions::new(InForce::new(profile)), first));
    };
    if stored.newest().hash() == profile.hash() {
        return Ok((stored, Entry::default()));
    }
    let announced = announced(store).await?;
    let (revisions, changes) = match stored.publish(Arc::clone(&profile), now) {
        Ok(published) => published,
        // it is the one that people are being told of: until its time the one before holds
        Err(RevisionError::NotYet { .. }) if announced.as_ref().is_some_and(|a| a.profile.hash() == profile.hash()) => {
            return Ok((stored, Entry::default()));
        }
        Err(error) => return Err(error.into()),
    };
    must_be_announced(stored.newest(), &profile, &changes, announced.as_ref())?;
    let over = announced.filter(|announced| announced.profile.rev() <= profile.rev());
    let ops = over.iter().map(Announced::delete).chain([put]).collect();
    Ok((revisions, Entry { ops, events: registered(Some(stored.newest()), &profile), ..Entry::default() }))
}

/// What puts on record which processors `profile` has that the one `before` did not have, or not so.
fn registered(before: Option<&Profile>, profile: &Profile) -> Vec<Noted> {
    let about = About::default().under(profile.rev());
    let is_new = |one: &&Processor| before.and_then(|before| before.processor(one.id)) != Some(*one);
    let event = |one: &Processor| {
        let entry = serde_json::to_vec(one).expect("an entry of a profile is texts, numbers and lists of them");
        ControlEvent::ProcessorRegistered { processor: one.id, entry: Hash::of(&entry) }
    };
    profile.processors().filter(is_new).map(|one| about.event(Event::Control(event(one)))).collect()
}

/// A profile as it was stored. It was accepted once, and what the linter has learned since does not undo consents.
pub(super) fn read(body: &[u8]) -> Result<Profile, Error> {
    let damaged = |found: String| Error::Damaged { what: "profile", found };
    let text = core::str::from_utf8(body).map_err(|e| damaged(e.to_string()))?;
    Profile::in_force_before(text).map_err(|e| damaged(e.to_string()))
}

fn put(profile: &Profile) -> Op {
    Op::Put(ProfileKey { rev: profile.rev() }.key(), PROFILE.encode(profile.text().as_bytes()))
}

impl Register {
    /// Puts the next revision of the policy in force, durably, and closes every gate that it no longer allows. Whoever
    /// agreed to what it changes materially stays governed by what they agreed to. Holders that do not let go in time
    /// are not waited for: their gates are closed in any case.
    ///
    /// What was begun is finished, also when the caller does not wait for it. The same profile again changes nothing.
    ///
    /// # Errors
    /// [`Error::Revision`] when it is not the next revision; or as the store says. The revision in force stays then.
    pub async fn publish(self: &Arc<Self>, profile: Arc<Profile>) -> Result<Diff, Error> {
        let register = Arc::clone(self);
        self.to_the_end("publish policy", async move { register.publish_now(profile).await }).await?
    }

    async fn publish_now(&self, profile: Arc<Profile>) -> Result<Diff, Error> {
        let turn = self.rules_turn().await;
        let before = self.revisions();
        let (after, changes) = before.publish(Arc::clone(&profile), self.clock.wall())?;
        if after.newest().hash() == before.newest().hash() {
            return Ok(changes);
        }
        let announced = announced(self.store.as_ref()).await?;
        must_be_announced(before.newest(), &profile, &changes, announced.as_ref())?;
        let effective = Event::PolicyEffective { profile: Hash(profile.hash().0) };
        let superseded = Event::PolicySuperseded { profile: Hash(before.newest().hash().0) };
        let told =
            [Some(superseded), Some(effective), controller_changed(before.newest(), &profile)].into_iter().flatten();
        let told = told.map(|event| About::default().under(profile.rev()).event(event));
        let events = told.chain(registered(Some(before.newest()), &profile)).collect();
        let over = announced.filter(|announced| announced.profile.rev() <= profile.rev());
        let ops = over.iter().map(Announced::delete).chain([put(&profile)]).collect();
        // first: what is opened while it is written may follow it in the log, and is not by the one before
        self.coming.store(profile.rev(), Ordering::Release);
        if let Err(error) = self.journal.append(Entry { ops, events, ..Entry::default() }).await {
            self.coming.store(before.newest().rev(), Ordering::Release);
            return Err(error);
        }
        self.journal.govern(profile.rev());
        self.revisions.store(Arc::new(after));
        self.mark_anew();
        metrics::gauge!("sayso_policy_revision").set(profile.rev());
        for subject in self.holders.subjects() {
            self.enforce(subject, POLICY).await?;
        }
        // whoever was looked at anew is so by this revision
        self.examine(&turn, self.clock.wall()).await?;
        Ok(changes)
    }

    /// Takes back the permits of a subject that are no longer allowed, which is `why`; how many.
    pub(super) async fn enforce(&self, subject: SubjectId, why: &'static str) -> Result<usize, Error> {
        // Within the subject's turn, so that no permit is issued under what was in force before.
        let subject = self.lock(subject).await?;
        Ok(self.enforce_for(&subject, why))
    }

    /// As [`enforce`](Self::enforce), of the subject whose turn it is.
    pub(super) fn enforce_for(&self, subject: &Subject, why: &'static str) -> usize {
        let is_untold = |holder: &&Arc<Holder>| holder.why().is_none() && self.is_denied(subject, holder);
        let taken = self.holders.of(subject.id).iter().filter(is_untold).count();
        self.holders.take_back_if(subject.id, why, |holder| self.is_denied(subject, holder));
        metrics::counter!("sayso_policy_permits_ended_total", "why" => why).increment(taken as u64);
        taken
    }

    /// Whether everybody has let go of what the subject, whose turn it is, does not allow now.
    pub(super) fn is_enforced_for(&self, subject: &Subject) -> bool {
        !self.holders.of(subject.id).iter().any(|holder| self.is_denied(subject, holder))
    }

    fn is_denied(&self, subject: &Subject, holder: &Holder) -> bool {
        let decision = self.revisions().decide(&holder.question(self.clock.wall()), &subject.state.consent);
        !decision.answer.is_ok_and(|grounds| holder.segment.rests_on(&grounds))
    }
}
