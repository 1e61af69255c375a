//! Guests at devices: who speaks, and what becomes of a guest who has left. See [`visits`](crate::visits).

use core::time::Duration;
use std::sync::Arc;

use sayso_audit::Reference;
use sayso_store::{Condition, Error as StoreError, Op, Store, TypedKey, limits::SCAN_LIMIT_MAX};
use sayso_types::{DeviceId, SubjectId, TenantId, WallTime};
use tokio::sync::broadcast;

use super::state::StoredState;
use super::{Register, lock};
use crate::erasure::Ground;
use crate::erasure::pending::Pending;
use crate::evidence::Means;
use crate::tables::{ERASURE, REGISTER, RegisterKey, VISIT, VisitKey};
use crate::visits::{DeviceOf, Error, Visit};
use crate::{Entry, Error as RegisterError};

/// The visits that `store` has.
pub(super) async fn visits_in(store: &dyn Store) -> Result<Vec<Visit>, RegisterError> {
    let mut range = VisitKey::table().into();
    let mut visits = Vec::new();
    loop {
        let page = store.scan(range, SCAN_LIMIT_MAX).await?;
        for entry in page.entries {
            let VisitKey { tenant, device } = VisitKey::parse(&entry.key).map_err(StoreError::from)?;
            let damaged = || RegisterError::Damaged { what: "visit", found: "its key names no device".into() };
            let device = (tenant.parse().map_err(|_| damaged())?, device.parse().map_err(|_| damaged())?);
            let (_, body) = VISIT.decode(&entry.value).map_err(StoreError::from)?;
            visits.push(Visit::decode(device, body)?);
        }
        let Some(rest) = page.rest else { return Ok(visits) };
        range = rest;
    }
}

/// The moment so long after `from`.
fn after(from: WallTime, time: Duration) -> WallTime {
    WallTime(from.0.saturating_add(u64::try_from(time.as_millis()).unwrap_or(u64::MAX)))
}

fn key((tenant, device): &DeviceOf) -> VisitKey {
    VisitKey { tenant: tenant.to_string(), device: device.to_string() }
}

impl Register {
    /// Who visits `device`, if somebody does: then they speak through it, and not its owner.
    #[must_use]
    pub fn visit(&self, tenant: &TenantId, device: &DeviceId) -> Option<Visit> {
        lock(&self.visits).of(&(tenant.clone(), device.clone())).cloned()
    }

    /// The visits that are open, by device.
    #[must_use]
    pub fn visits(&self) -> Vec<Visit> {
        lock(&self.visits).all()
    }

    /// Every device through which somebody else speaks from here on. Whoever lags has to ask for each anew.
    #[must_use]
    pub fn speakers(&self) -> broadcast::Receiver<DeviceOf> {
        self.speakers.subscribe()
    }

    /// Whom `device` speaks for now: its guest, or else its owner, who is a new pseudonym at its first contact.
    ///
    /// # Errors
    /// When the store does.
    pub async fn speaker_of(&self, tenant: &TenantId, device: &DeviceId) -> Result<SubjectId, RegisterError> {
        match self.visit(tenant, device) {
            Some(visit) => Ok(visit.subject),
            None => self.subject_of(tenant, device).await,
        }
    }

    /// Lets a guest speak through `device` from here on, durably; the one who does already, where that is so. What was begun
    /// is finished, also when the caller does not wait for it.
    ///
    /// # Errors
    /// [`Error`] says why not: nothing has changed then.
    pub async fn begin_visit(self: &Arc<Self>, tenant: &TenantId, device: &DeviceId) -> Result<Visit, Error> {
        let (register, device) = (Arc::clone(self), (tenant.clone(), device.clone()));
        self.to_the_end("begin a visit", async move { register.visit_begins(device).await }).await?
    }

    async fn visit_begins(&self, device: DeviceOf) -> Result<Visit, Error> {
        let _turn = self.visiting.lock().await;
        if self.has_ended() {
            return Err(RegisterError::Ended.into());
        }
        if let Some(open) = lock(&self.visits).of(&device) {
            return Ok(open.clone());
        }
        if self.find_subject(&device.0, &device.1).await?.is_none() {
            return Err(Error::UnknownDevice);
        }
        lock(&self.visits).check(&device, self.clock.now())?;
        let (subject, began_at) = (SubjectId::random(), self.clock.wall());
        let ends_at = after(began_at, self.profile().visits().lasts);
        let visit = Visit { id: Reference(SubjectId::random().0), device, subject, began_at, ends_at };
        let state = StoredState::new(visit.device.0.clone(), self.new_tag_key(subject).await?);
        let (row, person) = (key(&visit.device).key(), RegisterKey { subject }.key());
        let entry = Entry {
            require: vec![(row.clone(), Condition::Absent), (person.clone(), Condition::Absent)],
            ops: vec![Op::Put(row, VISIT.encode(&visit.encode())), Op::Put(person, REGISTER.encode(&state.encode()))],
            ..Entry::default()
        };
        self.journal.append(entry).await?;
        lock(&self.visits).begin(visit.clone(), self.clock.now());
        // nobody listening is fine: then nobody talks to the device
        let _ = self.speakers.send(visit.device.clone());
        Ok(visit)
    }

    /// Ends the visit to `device`, durably: its owner speaks from here on, the guest's gates close, and everything of the
    /// guest's is erased by the path of all erasures. What was begun is finished, also when the caller does not wait for it.
    ///
    /// # Errors
    /// [`Error`] says why not: nothing has changed then.
    pub async fn end_visit(self: &Arc<Self>, tenant: &TenantId, device: &DeviceId) -> Result<Visit, Error> {
        let (register, device) = (Arc::clone(self), (tenant.clone(), device.clone()));
        self.to_the_end("end a visit", async move { register.visit_ends(device).await }).await?
    }

    async fn visit_ends(self: Arc<Self>, device: DeviceOf) -> Result<Visit, Error> {
        let turn = self.visiting.lock().await;
        let visit = lock(&self.visits).of(&device).cloned().ok_or(Error::NotOpen)?;
        let mut subject = self.lock(visit.subject).await?;
        // nobody speaks for the guest any more, and nothing is agreed to in their name
        let mut next = subject.state.clone();
        next.consent.is_closed = true;
        let pending = Pending::new(None, Ground::Visit(visit.id.0), self.clock.wall());
        let ops = vec![
            Op::Delete(key(&device).key()),
            Op::Put(pending.row(visit.subject), ERASURE.encode(&pending.encode())),
        ];
        self.advance(&mut subject, next, Entry { ops, ..Entry::default() }).await?;
        drop(subject);
        lock(&self.visits).end(&device);
        let _ = self.speakers.send(device);
        drop(turn);
        // The erasure withdraws by itself. Nobody has to wait for its next step until the gates are closed.
        if let Err(error) = self.withdraw(visit.subject, &[], Means::Integrator).await {
            tracing::warn!(%error, "a guest's consent is not withdrawn yet; their erasure does that first");
        }
        Ok(visit)
    }

    /// Ends the visits whose time is over, also by the policy as it is now.
    pub(super) async fn end_visits_that_are_over(self: &Arc<Self>) -> Result<(), Error> {
        let (now, lasts) = (self.clock.wall(), self.profile().visits().lasts);
        for visit in self.visits() {
            if visit.ends_at.min(after(visit.began_at, lasts)) <= now {
                self.end_due(&visit).await?;
            }
        }
        Ok(())
    }

    /// Ends `visit`, if it is still the one to its device.
    async fn end_due(self: &Arc<Self>, visit: &Visit) -> Result<(), Error> {
        let (tenant, device) = &visit.device;
        match self.end_visit(tenant, device).await {
            // whoever ended it meanwhile was as good
            Ok(_) | Err(Error::NotOpen) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// What is left of `visits` when a node starts at `now`: no session is, so that one which ends with its session is over.
pub(super) fn at_start(visits: Vec<Visit>, ends_with_session: bool, now: WallTime) -> Vec<Visit> {
    let over =
        |visit: Visit| if ends_with_session { Visit { ends_at: visit.ends_at.min(now), ..visit } } else { visit };
    visits.into_iter().map(over).collect()
}
