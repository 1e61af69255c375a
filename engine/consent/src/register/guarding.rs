//! How old people are, and who answers for children. See [`guardian`](crate::guardian) for the steps.

use std::sync::Arc;

use sayso_audit::{Actor, Event, MinorEvent, Reference};
use sayso_policy::ConsentState;
use sayso_store::{Op, TypedKey};
use sayso_types::{ConsentVersion, SubjectId};

use super::holders::POLICY;
use super::purging::Due;
use super::state::StoredState;
use super::{Register, Subject};
use crate::guardian::age::Age;
use crate::guardian::ward::Found;
use crate::guardian::{Error, Guardian, Guardianship, Said, Step};
use crate::tables::{GROWING, GrowingKey};
use crate::{Entry, Error as RegisterError};

impl Register {
    /// Puts down how old the subject is. What is not allowed at that age passes no gate any more when this returns. A child
    /// of whom no guardian is verified has their consent withdrawn and their data erased; holders of data that do not let go
    /// in time are not waited for. Who is found to need no guardian is asked anew for what was agreed to while they did.
    ///
    /// What was begun is finished, also when the caller does not wait for it.
    ///
    /// # Errors
    /// [`Error::Age`] for what cannot be; or as the store says. Nothing has changed then.
    pub async fn set_age(self: &Arc<Self>, subject: SubjectId, said: Said, by: Actor) -> Result<Guardianship, Error> {
        let register = Arc::clone(self);
        self.to_the_end("set age", async move {
            let now = register.clock.wall();
            let age = Age::said(&said, now)?;
            let mut subject = register.lock(subject).await?;
            let mut next = subject.advanced();
            let mut entry = Entry::default();
            let ends = [next.ward.age.as_ref().and_then(|age| age.ends), age.ends];
            let [before, after] = ends.map(|at| at.map(|at| GrowingKey { at: at.0, subject: subject.id }.key()));
            if before != after {
                entry.ops.extend(before.map(Op::Delete));
                entry.ops.extend(after.map(|key| Op::Put(key, GROWING.encode(&[]))));
            }
            next.consent.age = said.band;
            next.ward.age = Some(age);
            let over = register.limit_to_childhood(&subject, &mut next, &mut entry).await?;
            let holds = register.holds.read().await;
            register.forget_childhood(&subject, &next, &over, &holds, &mut entry).await?;
            let found = register.stand(&mut subject, next, entry, by).await?;
            drop(holds);
            register.after_finding(subject, found).await
        })
        .await?
    }

    /// Takes a step with the subject's guardian. It is on record, and what is no longer allowed passes no gate any more, when
    /// this returns; a child who has lost their guardian is treated as in [`set_age`](Self::set_age).
    ///
    /// # Errors
    /// [`Error::NotNow`] when the step is not the next one; or as the store says. Nothing has changed then.
    pub async fn guardian_step(
        self: &Arc<Self>,
        subject: SubjectId,
        step: Step,
        by: Actor,
    ) -> Result<Guardianship, Error> {
        let register = Arc::clone(self);
        self.to_the_end("guardian", async move {
            let mut subject = register.lock(subject).await?;
            let mut next = subject.advanced();
            let before = next.ward.guardian.as_ref();
            let after = Guardian::after(before, step, &register.profile(), register.clock.wall())?;
            let (guardian, method) = (after.reference(), after.method);
            let event = match step {
                Step::Request(_) => MinorEvent::GuardianRequested { guardian, method },
                Step::Verify(evidence) => {
                    let evidence = next.audit_key().commit(&evidence);
                    MinorEvent::GuardianVerified { guardian, method, evidence }
                }
                Step::Fail => MinorEvent::GuardianFailed { guardian, method },
            };
            next.consent.guardian_verified = after.is_verified();
            next.ward.guardian = Some(after);
            let events = vec![next.about(subject.id).by(by, Event::Minor(event))];
            let found = register.stand(&mut subject, next, Entry { events, ..Entry::default() }, by).await?;
            register.after_finding(subject, found).await
        })
        .await?
    }

    /// The subject's age and guardian, as far as known.
    ///
    /// # Errors
    /// As the store says.
    pub async fn guardianship(&self, subject: SubjectId) -> Result<Guardianship, RegisterError> {
        Ok(self.guardianship_of(&self.read(subject).await?))
    }

    fn guardianship_of(&self, state: &StoredState) -> Guardianship {
        Guardianship {
            age: state.consent.age,
            age_ends: state.ward.age.as_ref().and_then(|age| age.ends),
            needs_guardian: self.needs_guardian(&state.consent),
            guardian: state.ward.guardian.clone(),
            is_alone: self.is_alone(state),
        }
    }

    /// Whether the policy asks for a guardian of a person who stands like this.
    pub(super) fn needs_guardian(&self, consent: &ConsentState) -> bool {
        let profile = self.profile();
        profile.youngest(consent.age) < profile.guardian_required_below()
    }

    /// Whether it is known that they are a child, and no guardian is verified. Of whom nothing was said the policy says how
    /// they are treated, and nothing is found.
    pub(super) fn is_alone(&self, state: &StoredState) -> bool {
        state.ward.age.is_some() && !state.consent.guardian_verified && self.needs_guardian(&state.consent)
    }

    /// Writes `next` with `entry`, and takes back what it does not allow. A child who is found to be without a guardian has
    /// the erasure of their data begun in the same batch: it is given back.
    pub(super) async fn stand(
        &self,
        subject: &mut Subject,
        mut next: StoredState,
        mut entry: Entry,
        by: Actor,
    ) -> Result<Option<Due>, RegisterError> {
        let about = next.about(subject.id);
        let evidence = next.audit_key().commit(&next.ward.evidence_sha256());
        let mut begun = None;
        match (self.is_alone(&next), next.ward.found) {
            (true, None) => {
                let detected = Reference(SubjectId::random().0);
                next.ward.found = Some(Found { id: detected.0 });
                entry.events.push(about.by(by, Event::Minor(MinorEvent::Detected { detected, evidence })));
                let (erasure, begins) = self.erase_minor(subject.id, detected);
                entry.ops.push(begins);
                begun = Some((subject.id, erasure));
            }
            (false, Some(found)) => {
                next.ward.found = None;
                if !next.consent.guardian_verified {
                    let detected = Reference(found.id);
                    entry.events.push(about.by(by, Event::Minor(MinorEvent::Cleared { detected, evidence })));
                }
            }
            _ => {}
        }
        self.advance(subject, next, entry).await?;
        self.enforce_for(subject, POLICY);
        if begun.is_some() {
            metrics::counter!("sayso_consent_minors_detected_total").increment(1);
        }
        Ok(begun)
    }

    /// Withdraws everything of a child who was found, and destroys the keys of their data, as far as that comes at once; how
    /// the person stands.
    async fn after_finding(self: &Arc<Self>, subject: Subject, begun: Option<Due>) -> Result<Guardianship, Error> {
        let stands = self.guardianship_of(&subject.state);
        drop(subject);
        if let Some(due) = begun
            && let Err(error) = self.destroy_for(due).await
        {
            tracing::warn!(%error, "a child's data is not erased yet, trying again; their gates are closed");
        }
        Ok(stands)
    }
}

impl Subject {
    /// The state that comes after the one that is stored, the same so far.
    pub(super) fn advanced(&self) -> StoredState {
        let mut next = self.state.clone();
        next.consent.cv = ConsentVersion(next.consent.cv.0 + 1);
        next
    }
}
