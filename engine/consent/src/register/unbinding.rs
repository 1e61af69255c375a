//! Devices that speak for nobody any more: given away, lost, or taken down.

use std::sync::Arc;

use sayso_store::{Condition, Op, TypedKey, Versioned};
use sayso_types::{DeviceId, TenantId};

use super::Register;
use super::answering::outdate;
use super::retaining::put_mark;
use crate::keep::head::Head;
use crate::retention::Stored;
use crate::tables::{DEVICE, DeviceKey};
use crate::{Entry, Error};

impl Register {
    /// Has `device` speak for nobody from here on: whoever speaks to it next is somebody new, and a conversation that goes on
    /// ends. What is kept of its person ends as the policy says of `device.unbound`, also if the node is down by then. Whether it
    /// spoke for somebody. What was begun is finished, also when the caller does not wait for it.
    ///
    /// # Errors
    /// As the store says.
    pub async fn unbind(self: &Arc<Self>, tenant: &TenantId, device: &DeviceId) -> Result<bool, Error> {
        let (register, tenant, device) = (Arc::clone(self), tenant.clone(), device.clone());
        self.to_the_end("unbind", async move { register.unbind_now(&tenant, &device).await }).await?
    }

    async fn unbind_now(&self, tenant: &TenantId, device: &DeviceId) -> Result<bool, Error> {
        let Some(subject) = self.find_subject(tenant, device).await? else { return Ok(false) };
        let mut turn = self.lock(subject).await?;
        let key = DeviceKey::of(tenant, device).key();
        // within the turn: its account may have been closed meanwhile, and the device be somebody else's
        let bound = self.store.read(core::slice::from_ref(&key)).await?.pop().flatten();
        let is_theirs = |bound: &Versioned| DEVICE.decode(&bound.value).is_ok_and(|(_, whose)| *whose == subject.0);
        let Some(bound) = bound.filter(is_theirs) else { return Ok(false) };
        let mut next = turn.state.clone();
        outdate(&mut next);
        let mut entry = Entry {
            require: vec![(key.clone(), Condition::Version(bound.version))],
            ops: vec![Op::Delete(key)],
            ..Entry::default()
        };
        let mut first = None;
        for head in self.heads(subject).await?.into_iter().filter(Head::is_live) {
            let head = Head { unbound_at: Some(self.clock.wall()), ..head };
            let ending = self.ending_of_kept(&head, &next.consent).map(|ending| ending.at);
            first = [first, ending].into_iter().flatten().min();
            entry.ops.push(head.put());
        }
        entry.ops.extend(first.map(|at| put_mark(Stored::Kept.mark(subject, at))));
        self.advance(&mut turn, next, entry).await?;
        metrics::counter!("sayso_devices_unbound_total").increment(1);
        Ok(true)
    }
}
