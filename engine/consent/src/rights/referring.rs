//! Passing requests to tenants first, and taking back what they do not answer.

use sayso_audit::{Actor, Event, Reference, RequestStep};
use sayso_store::{Error as StoreError, Key, TypedKey};
use sayso_types::{Name, SubjectId, TenantId};

use super::carrier::Carrier;
use super::desk::entry;
use super::names::{refusal_name, right_name};
use super::referral::{Outcome, TENANT, TenantAnswer};
use super::{Desk, Error, Request, Standing};
use crate::Error as RegisterError;
use crate::journal::Noted;
use crate::register::Subject;
use crate::retention::Stored;
use crate::tables::{REFERRAL, ReferralDueKey, ReferralKey};

impl Desk {
    /// The requests that wait for `tenant`, oldest first.
    ///
    /// # Errors
    /// As the register says.
    pub async fn referred(&self, tenant: &TenantId) -> Result<Vec<Request>, Error> {
        let prefix = ReferralKey::table().then(&tenant.to_string());
        let mut requests = Vec::new();
        for (key, ()) in self.register.scan(prefix, REFERRAL, |_| Ok(())).await? {
            let ReferralKey { subject, request, .. } = ReferralKey::parse(&key).map_err(StoreError::from)?;
            requests.push(self.get(subject, reference(&request)?).await?.0);
        }
        requests.sort_by_key(|request| (request.clocks.received, request.id.0));
        Ok(requests)
    }

    /// Takes the tenant's `answer` to the request `id` of `subject`. What the engine can carry out it begins to carry out when
    /// the tenant has done its part. It is on record when this returns.
    ///
    /// # Errors
    /// [`Error::Unknown`], [`Error::NotNow`] when it is not with the tenant; or as the register says.
    pub async fn answer_referral(
        &self,
        subject: SubjectId,
        id: Reference,
        answer: TenantAnswer,
        by: Actor,
    ) -> Result<Request, Error> {
        let turn = self.register.lock(subject).await?;
        let (request, stored) = self.get(subject, id).await?;
        let now = self.register.clock.wall();
        let next = request.answered_by_tenant(answer, &self.register.profile(), now)?;
        let outcome =
            next.referral.and_then(|referral| referral.outcome).map_or(Outcome::Silent, |(outcome, _)| outcome);
        let task = RequestStep::TaskDone;
        let mut entry = entry(&turn, Some((&request, &stored)), &next, by, (task, outcome.name()));
        let kind = right_name(next.kind);
        let then: &[(RequestStep, Name)] = match (answer, next.standing) {
            (TenantAnswer::Done, Standing::Fulfilled) => &[(RequestStep::Fulfilled, Name::constant("by_tenant"))],
            (TenantAnswer::Done, _) => &[(RequestStep::IdentityVerified, TENANT), (RequestStep::Accepted, kind)],
            (TenantAnswer::Refused(why), _) => &[(RequestStep::Rejected, refusal_name(why))],
            (TenantAnswer::Cannot, _) => &[],
        };
        entry.events.extend(then.iter().map(|(step, detail)| step_of(&turn, id, by, *step, *detail)));
        if next.answered.is_some() {
            entry.ops.extend(self.register.marks(&turn, Stored::Requests, now));
        }
        let is_accepted = next.standing == Standing::Accepted && next.carrier() != Carrier::People;
        self.take(turn, next, entry, task, is_accepted).await
    }

    /// Takes back the requests that tenants have said nothing to until their time was over; how many.
    ///
    /// # Errors
    /// As the register says; what was not reached is found next time.
    pub async fn take_back(&self) -> Result<u64, Error> {
        let take = |due: ReferralDueKey| async move {
            self.take_one_back(due.subject, reference(&due.request)?).await.map(u64::from)
        };
        self.register.due(self.register.clock.wall()).each(take).await
    }

    /// Takes the request back, if its tenant's time is over; whether it is.
    async fn take_one_back(&self, subject: SubjectId, id: Reference) -> Result<bool, Error> {
        let turn = self.register.lock(subject).await?;
        let (request, stored) = self.get(subject, id).await?;
        let Some(next) = request.taken_back(&self.register.profile(), self.register.clock.wall()) else {
            return Ok(false);
        };
        let (task, silent) = (RequestStep::TaskDone, Outcome::Silent.name());
        let entry = entry(&turn, Some((&request, &stored)), &next, Actor::SYSTEM, (task, silent));
        self.take(turn, next, entry, task, false).await?;
        Ok(true)
    }
}

/// Under which it is found while it is with the tenant: by whose it is, and by when it goes back.
pub(super) fn keys(turn: &Subject, request: &Request) -> Vec<Key> {
    let Some(referral) = request.referral.filter(|_| request.is_with_tenant()) else { return Vec::new() };
    let (tenant, subject, id) = (turn.state.tenant.to_string(), request.subject, request.id.0.to_vec());
    let due = ReferralDueKey { at: referral.until.0, subject, request: id.clone() };
    vec![ReferralKey { tenant, subject, request: id }.key(), due.key()]
}

/// The leaf of one more step of the request `id` of the person whose turn it is.
pub(super) fn step_of(turn: &Subject, id: Reference, by: Actor, step: RequestStep, detail: Name) -> Noted {
    turn.state.about(turn.id()).by(by, Event::Request { request: id, step, detail, evidence: None })
}

pub(super) fn reference(id: &[u8]) -> Result<Reference, RegisterError> {
    let found = || format!("an id of {} bytes", id.len());
    id.try_into().map(Reference).map_err(|_| RegisterError::Damaged { what: "referral", found: found() })
}
