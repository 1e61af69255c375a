//! Throwing switches: what is turned off stops at once, and stays off.

use std::sync::Arc;

use sayso_audit::{Actor, Reference};
use sayso_policy::Registry;
use sayso_store::{Condition, Error as StoreError, Range, Store, TypedKey, Versioned, limits::SCAN_LIMIT_MAX};
use sayso_types::{SubjectId, TenantId, WallTime};
use tokio::sync::MutexGuard;

use super::Register;
use super::holders::SWITCHED_OFF;
use crate::journal::About;
use crate::switch::{self, NotThrown, Position, SWITCHES_MAX, Switch, Target, Throw, stored};
use crate::tables::{DeviceKey, RegisterKey, SWITCH, SwitchKey};
use crate::{Entry, Error};

/// The turn of whoever changes the rules.
pub(crate) type Turn<'a> = MutexGuard<'a, ()>;

/// What came of a throw.
#[derive(Clone, Debug)]
pub struct Thrown {
    /// How the switch stands.
    pub switch: Switch,
    /// Permits that were taken back for it.
    pub ended: usize,
}

/// The switches that `store` has.
pub(super) async fn switches_in(store: &dyn Store) -> Result<Vec<Switch>, Error> {
    let mut range = SwitchKey::table().into();
    let mut switches = Vec::new();
    loop {
        let page = store.scan(range, SCAN_LIMIT_MAX).await?;
        for entry in page.entries {
            let (_, body) = SWITCH.decode(&entry.value).map_err(StoreError::from)?;
            switches.push(stored::decode(&entry.key, body)?);
        }
        let Some(rest) = page.rest else { return Ok(switches) };
        range = rest;
    }
}

/// Tells how many switches are off.
pub(super) fn count_off(switches: &[Switch]) {
    let off = switches.iter().filter(|switch| switch.position != Position::On).count();
    metrics::gauge!("sayso_switches_off").set(off as f64);
}

impl Register {
    /// Throws a switch, durably. What it turns off passes no gate any more when this returns; everything else loses
    /// nothing. A switch that stands so already is left as it is. What was begun is finished, also when the caller does not
    /// wait for it.
    ///
    /// # Errors
    /// [`Error::NotThrown`] says why not: nothing has changed then. Or as the store says: throw it again, which tells how it
    /// stands.
    pub async fn throw(self: &Arc<Self>, throw: Throw, by: Actor) -> Result<Thrown, Error> {
        let register = Arc::clone(self);
        let work = async move {
            let turn = register.rules_turn().await;
            register.throw_with(&turn, &throw, by, Entry::default()).await
        };
        self.to_the_end("throw a switch", work).await?
    }

    /// Every switch that was ever thrown, by sort and name.
    ///
    /// # Errors
    /// As the store says.
    pub async fn switches(&self) -> Result<Vec<Switch>, Error> {
        switches_in(self.store.as_ref()).await
    }

    /// Whether anything here is of `tenant`: a misspelled one would be turned off, and the one that is meant go on.
    async fn has_tenant(&self, tenant: &TenantId) -> Result<bool, Error> {
        let devices = Range::from(DeviceKey::table().then(&tenant.to_string()));
        if !self.store.scan(devices, 1).await?.entries.is_empty() {
            return Ok(true);
        }
        if self.tenants().await?.iter().any(|known| known.order.tenant == *tenant) {
            return Ok(true);
        }
        // those whose devices were given away; a pass over everybody, before somebody is told that they are mistaken
        let mut range = RegisterKey::table().into();
        loop {
            let page = self.store.scan(range, SCAN_LIMIT_MAX).await?;
            for entry in page.entries {
                let RegisterKey { subject } = RegisterKey::parse(&entry.key).map_err(StoreError::from)?;
                let stored = Versioned { value: entry.value, version: entry.version };
                match self.opened_state(subject, stored).await {
                    Ok(state) if state.tenant == *tenant => return Ok(true),
                    Ok(_) => {}
                    Err(Error::Vault(error)) if error.is_forgotten() => {}
                    Err(error) => return Err(error),
                }
            }
            let Some(rest) = page.rest else { return Ok(false) };
            range = rest;
        }
    }

    /// Waits for the turn of those who change the rules, or what is kept beside them.
    pub(crate) async fn rules_turn(&self) -> Turn<'_> {
        self.publishing.lock().await
    }

    /// Throws a switch within the turn, with what `entry` changes and records in the same batch.
    pub(crate) async fn throw_with(
        &self,
        _turn: &Turn<'_>,
        throw: &Throw,
        by: Actor,
        mut entry: Entry,
    ) -> Result<Thrown, Error> {
        let mut switches = self.switches().await?;
        let at = switches.iter().position(|switch| switch.target == throw.target);
        if at.is_none() && switches.len() >= SWITCHES_MAX {
            return Err(NotThrown::TooMany.into());
        }
        if let (Target::Tenant(tenant), None) = (&throw.target, at)
            && !self.has_tenant(tenant).await?
        {
            return Err(NotThrown::UnknownTenant.into());
        }
        let before = self.revisions();
        let made = (Reference(SubjectId::random().0), before.registry().rev() + 1, self.clock.wall());
        let known = at.map(|at| &switches[at]);
        let Some(switch) = Switch::thrown(known, throw, before.newest(), made)? else {
            let switch = known.cloned().ok_or(NotThrown::NeverOff)?;
            if !(entry.ops.is_empty() && entry.events.is_empty()) {
                self.journal.append(entry).await?;
            }
            // whoever asks again is told so only if nothing was left open by an error
            let ended = self.enforce_switches().await?;
            return Ok(Thrown { switch, ended });
        };
        // turned off in between, it would have been forgotten that there is no room
        let is_wish = throw.to == Position::On && by != Actor::SYSTEM;
        if is_wish && self.is_full(&throw.target, made.2).await? {
            return Err(NotThrown::LimitReached.into());
        }
        if at.is_none() {
            entry.require.push((stored::key(&switch.target), Condition::Absent));
        }
        entry.ops.push(stored::put(&switch));
        entry.events.push(About::default().by_registry(switch.rev).by(by, switch.event()));
        match at {
            Some(at) => switches[at] = switch.clone(),
            None => switches.push(switch.clone()),
        }
        let registry = switch::registry(&switches).with_instructions(before.registry().instructions().clone());
        let ended = self.swap_registry(registry, switch.position, entry).await?;
        count_off(&switches);
        Ok(Thrown { switch, ended })
    }

    /// Makes `entry` durable and decides by `registry` from then on; how many permits ended for it. What takes away holds
    /// before it is on record and what gives back after, so that no leaf that follows rests on what is no longer so.
    async fn swap_registry(&self, registry: Registry, to: Position, entry: Entry) -> Result<usize, Error> {
        let (before, rev) = (self.revisions(), registry.rev());
        let after = Arc::new(before.with_registry(registry));
        if to == Position::On {
            self.journal.append(entry).await?;
            self.journal.govern_registry(rev);
            self.revisions.store(after);
            return Ok(0);
        }
        self.revisions.store(after);
        if let Err(error) = self.journal.append(entry).await {
            self.revisions.store(before);
            return Err(error);
        }
        self.journal.govern_registry(rev);
        self.enforce_switches().await
    }

    /// Takes back every permit that is no longer allowed; how many.
    pub(super) async fn enforce_switches(&self) -> Result<usize, Error> {
        let mut ended = 0;
        for subject in self.holders.subjects() {
            ended += self.enforce(subject, SWITCHED_OFF).await?;
        }
        Ok(ended)
    }

    /// Turns processors off whose due diligence has run out, and on again those that were looked at anew, or that more people's
    /// data may go to in another year; how many.
    ///
    /// # Errors
    /// As the store says; what was not reached is found next time.
    pub async fn note_due_diligence(&self) -> Result<usize, Error> {
        let now = self.clock.wall();
        self.forget_past_years(now).await?;
        let turn = self.rules_turn().await;
        self.examine(&turn, now).await
    }

    pub(super) async fn examine(&self, turn: &Turn<'_>, now: WallTime) -> Result<usize, Error> {
        let switches = self.switches().await?;
        let mut throws = switch::examinations(&self.profile(), &switches, now);
        throws.extend(self.room_for_more(&switches, now).await?);
        for throw in &throws {
            self.throw_with(turn, throw, Actor::SYSTEM, Entry::default()).await?;
            tracing::warn!(target = %throw.target, reason = %throw.reason, "a processor was turned off or on by what is due");
        }
        Ok(throws.len())
    }
}
