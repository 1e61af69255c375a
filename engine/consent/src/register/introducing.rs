//! Services that have a privacy policy of their own: whoever is to use one is told of it first.
//!
//! Nothing of a person goes to such a service before they were told who runs it and where their policy stands: `decide()` denies
//! it for a reason of its own, which is the last that there can be. That denial is what begins to tell them.

use sayso_audit::{Actor, Event, Hash};
use sayso_policy::profile::Processor;
use sayso_policy::{IntroductionHash, Reason};
use sayso_store::TypedKey;
use sayso_types::{ProcessorId, SubjectId};

use super::{Register, Subject};
use crate::Entry;
use crate::lease::Ask;
use crate::notices::{self, Delivery, Notice, book};
use crate::tables::NoticeToKey;

impl Register {
    /// Begins to tell `subject` of the service that would be used first of those that are `asked` for with them, in this order,
    /// if all that stands against it is that they were not told of it yet.
    ///
    /// # Errors
    /// As the register says.
    pub async fn introduce_first(
        &self,
        subject: SubjectId,
        asked: impl IntoIterator<Item = Ask>,
    ) -> Result<(), notices::Error> {
        let state = self.read(subject).await?;
        for ask in asked {
            match self.revisions().decide(&ask.question(self.clock.wall()), &state.consent).answer {
                Ok(_) => break,
                Err(Reason::NotTold) => return self.introduce(subject, ask.processor).await,
                Err(_) => {}
            }
        }
        Ok(())
    }

    /// Begins to tell the person of the service that they were `denied`, if it was for not having been told of it.
    pub(super) async fn introduce_denied(&self, ask: &Ask, reason: Reason) {
        if reason != Reason::NotTold {
            return;
        }
        if let Err(error) = self.introduce(ask.subject, ask.processor).await {
            // the next who is denied tries again
            tracing::warn!(%error, processor = %ask.processor, "a person could not be told of a service yet");
        }
    }

    /// Has the person's device tell them of `processor` in their next conversation, or their tenant, unless that was begun.
    async fn introduce(&self, subject: SubjectId, processor: ProcessorId) -> Result<(), notices::Error> {
        let (profile, now) = (self.profile(), self.clock.wall());
        let receiver = profile.processor(processor);
        let Some(introduction) = receiver.and_then(Processor::introduction) else { return Ok(()) };
        let turn = self.lock(subject).await?;
        let made = Notice::introducing(processor, introduction, &profile, now);
        let begun = self.store.read(&[NoticeToKey { subject, notice: made.id }.key()]).await?.pop().flatten();
        if begun.is_some() || turn.state.consent.told.contains(&introduction.hash()) {
            return Ok(());
        }
        let known = book::get(self, made.id).await?;
        let mut entry = Entry::default();
        entry.ops.extend(known.is_none().then(|| book::put(&made)));
        let notice = known.unwrap_or(made);
        let (delivery, told) = Delivery::begun(&notice, now);
        let begins = book::written(&turn, &notice, None, &delivery);
        entry.require.extend(begins.require);
        entry.ops.extend(begins.ops);
        let about = || turn.state.about(subject);
        entry
            .events
            .extend(told.iter().map(|(step, channel)| book::event(about(), Actor::SYSTEM, &notice, *step, *channel)));
        self.journal.append(entry).await?;
        metrics::counter!("sayso_introductions_begun_total", "processor" => processor.to_string()).increment(1);
        Ok(())
    }

    /// Notes with `entry` that the person was told of a service, as `by` says: from here on it may be used with them. What no
    /// revision of the policy tells any more is forgotten with it.
    pub(crate) async fn introduced(
        &self,
        subject: &mut Subject,
        (processor, introduction): (ProcessorId, IntroductionHash),
        by: Actor,
        mut entry: Entry,
    ) -> Result<(), crate::Error> {
        let mut next = subject.state.clone();
        let revisions = self.revisions();
        let tells = |one: &IntroductionHash| {
            let mut all = revisions.all().flat_map(|profile| profile.introductions());
            all.any(|introduction| introduction.hash() == *one)
        };
        next.consent.told.retain(tells);
        next.consent.told.insert(introduction);
        let served = Event::NoticeServed { text: Hash(introduction.0), processor: Some(processor) };
        entry.events.push(next.about(subject.id).by(by, served));
        self.advance(subject, next, entry).await
    }
}
