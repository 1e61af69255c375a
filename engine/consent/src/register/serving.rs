//! [`Served`]: of whom the log says already whose people they are. Where a tenant has given instructions an auditor needs that to
//! decide by them; whoever agreed to something before there were any is told of when something of theirs is opened or stored.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use sayso_audit::{ControlEvent, Event};
use sayso_store::Version;
use sayso_types::SubjectId;

use super::{Register, Subject};
use crate::tenants::hash_of;
use crate::{Entry, Error};

/// People whose tenant this process need not tell of again: as many as have permits at once, with 16 bytes each. Beyond it they
/// are told of anew, which changes nothing.
const SERVED_MAX: usize = 100_000;

/// People whose tenant is on record.
#[derive(Debug, Default)]
pub(super) struct Served(Mutex<HashSet<SubjectId>>);

impl Served {
    fn has(&self, subject: SubjectId) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&subject)
    }

    fn add(&self, subjects: impl IntoIterator<Item = SubjectId>) {
        let mut served = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if served.len() >= SERVED_MAX {
            served.clear();
        }
        served.extend(subjects);
    }
}

impl Register {
    /// Appends `entry`, which says something of `people`; first it says whose they are, where their tenant has given instructions
    /// and this process has not said so before.
    ///
    /// # Errors
    /// As [`Journal::append`](crate::Journal::append).
    pub(super) async fn append_of<'a>(
        &self,
        people: impl IntoIterator<Item = &'a Subject>,
        mut entry: Entry,
    ) -> Result<Version, Error> {
        let revisions = self.revisions();
        let is_instructed = |subject: &&Subject| {
            let tenant = Some(&subject.state.tenant);
            revisions.registry().instructions_of(tenant).is_some() && !self.served.has(subject.id())
        };
        let (mut told, mut leaves) = (Vec::new(), Vec::new());
        for subject in people.into_iter().filter(is_instructed) {
            let tenant = hash_of(&subject.state.tenant);
            let serves = Event::Control(ControlEvent::TenantServes { tenant });
            leaves.push(subject.state.about(subject.id()).event(serves));
            told.push(subject.id());
        }
        entry.events.splice(0..0, leaves);
        let version = self.journal.append(entry).await?;
        self.served.add(told);
        Ok(version)
    }
}
