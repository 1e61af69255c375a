//! [`Outbox`]: what a tenant is to tell people by its own means, as it comes.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use futures::FutureExt;
use sayso_store::{
    Error as StoreError, Key, Prefix, Range, TypedKey, Version, Watch, limits::READ_KEYS_MAX, limits::SCAN_LIMIT_MAX,
};
use sayso_types::{DeviceId, NoticeId, SubjectId, TenantId, WallTime};

use super::book::{Error, Notices};
use super::notice::Notice;
use crate::tables::{DEVICE, DeviceKey, NoticeOutKey};

/// A notice that a tenant is to give to a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Since when it waits.
    pub since: WallTime,
    /// Who is told.
    pub subject: SubjectId,
    /// The device that they speak to.
    pub device: Option<DeviceId>,
    /// What.
    pub notice: Arc<Notice>,
}

/// What a tenant is to tell people: first everything that waits, then what comes. Nothing is taken out by reading: what is
/// not reported is handed out again by the next one.
pub struct Outbox {
    notices: Notices,
    tenant: TenantId,
    changes: Watch,
    /// What is yet to be read of what waits.
    rest: Option<Range>,
    /// What was read, each page with the newest commit in it: changes up to that one are known.
    read: Vec<(Range, Version)>,
    found: VecDeque<(Key, Outgoing)>,
}

impl core::fmt::Debug for Outbox {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Outbox").field("tenant", &self.tenant).field("found", &self.found.len()).finish_non_exhaustive()
    }
}

impl Notices {
    /// What `tenant` is to tell people by its own means.
    ///
    /// # Errors
    /// As the register says.
    pub async fn outbox(&self, tenant: TenantId) -> Result<Outbox, Error> {
        let changes = self.register.store.watch(of(&tenant)).await?;
        let rest = Some(of(&tenant).into());
        Ok(Outbox { notices: self.clone(), tenant, changes, rest, read: Vec::new(), found: VecDeque::new() })
    }

    /// Which devices of `tenant` the `wanted` people speak to.
    async fn devices(
        &self,
        tenant: &TenantId,
        wanted: &HashSet<SubjectId>,
    ) -> Result<HashMap<SubjectId, DeviceId>, Error> {
        let mut found = HashMap::with_capacity(wanted.len());
        let mut range = Range::from(DeviceKey::table().then(&tenant.to_string()));
        while found.len() < wanted.len() {
            let page = self.register.store.scan(range, SCAN_LIMIT_MAX).await?;
            for entry in page.entries {
                let (_, subject) = DEVICE.decode(&entry.value).map_err(StoreError::from)?;
                let Some(subject) = subject.try_into().ok().map(SubjectId).filter(|one| wanted.contains(one)) else {
                    continue;
                };
                let DeviceKey { device, .. } = DeviceKey::parse(&entry.key).map_err(StoreError::from)?;
                found.extend(device.parse().ok().map(|device| (subject, device)));
            }
            let Some(rest) = page.rest else { break };
            range = rest;
        }
        Ok(found)
    }
}

impl Outbox {
    /// The next, once there is one; [`None`] when the store is closed. Not cancel-safe.
    ///
    /// # Errors
    /// As the register says.
    pub async fn next(&mut self) -> Result<Option<Outgoing>, Error> {
        loop {
            while let Some((key, outgoing)) = self.found.pop_front() {
                // the person may have been reached otherwise since it was found
                if self.notices.register.store.read(&[key]).await?.pop().flatten().is_some() {
                    return Ok(Some(outgoing));
                }
            }
            match self.rest.take() {
                Some(range) => self.read(range).await?,
                None if self.follow().await? => {}
                None => return Ok(None),
            }
        }
    }

    /// Reads the next page of what waits.
    async fn read(&mut self, range: Range) -> Result<(), Error> {
        let page = self.notices.register.store.scan(range.clone(), READ_KEYS_MAX).await?;
        let end = page.rest.as_ref().map_or(range.end, |rest| rest.start.clone());
        let newest = page.entries.iter().map(|entry| entry.version).max().unwrap_or_default();
        self.read.push((Range { start: range.start, end }, newest));
        self.rest = page.rest;
        self.find(page.entries.into_iter().map(|entry| entry.key).collect()).await
    }

    /// Waits for what comes; whether there can be more.
    async fn follow(&mut self) -> Result<bool, Error> {
        let Some(first) = self.changes.next().await else { return Ok(false) };
        let (mut keys, mut next) = (Vec::new(), Some(first));
        while let Some(change) = next {
            match change {
                Ok(change) => {
                    let is_known =
                        |(range, newest): &(Range, Version)| range.contains(&change.key) && change.version <= *newest;
                    if change.value.is_some() && !self.read.iter().any(is_known) {
                        keys.push(change.key);
                    }
                }
                // what was lost is among what waits, with what was handed out and is not reported
                Err(_) => {
                    self.read.clear();
                    self.rest = Some(of(&self.tenant).into());
                    return Ok(true);
                }
            }
            // what came with it is looked up with it
            next = (keys.len() < READ_KEYS_MAX).then(|| self.changes.next().now_or_never().flatten()).flatten();
        }
        self.find(keys).await?;
        Ok(true)
    }

    /// Looks up what is to be told under `keys`.
    async fn find(&mut self, keys: Vec<Key>) -> Result<(), Error> {
        let parsed: Result<Vec<_>, _> = keys.iter().map(NoticeOutKey::parse).collect();
        let parsed = parsed.map_err(StoreError::from)?;
        let wanted = parsed.iter().map(|key| key.subject).collect();
        let devices = self.notices.devices(&self.tenant, &wanted).await?;
        let mut notices = HashMap::<NoticeId, Arc<Notice>>::new();
        for (key, NoticeOutKey { since, subject, notice, .. }) in keys.into_iter().zip(parsed) {
            let notice = match notices.get(&notice) {
                Some(known) => Arc::clone(known),
                None => {
                    let found = Arc::new(self.notices.get(notice).await?);
                    notices.insert(notice, Arc::clone(&found));
                    found
                }
            };
            let device = devices.get(&subject).cloned();
            self.found.push_back((key, Outgoing { since: WallTime(since), subject, device, notice }));
        }
        Ok(())
    }
}

fn of(tenant: &TenantId) -> Prefix {
    NoticeOutKey::table().then(&tenant.to_string())
}
