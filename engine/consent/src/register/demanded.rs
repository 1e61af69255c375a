//! What a law demands to be kept for a time, whoever wants it erased: the least time that a category's retention names.

use std::collections::BTreeMap;

use sayso_audit::Reference;
use sayso_policy::ConsentState;
use sayso_policy::ending::Floor;
use sayso_types::{SubjectId, WallTime};

use super::Register;
use crate::Error;
use crate::erasure::LegalMinimum;
use crate::keep::head::Head;

/// What laws demand of items that are about to end. It reads the consents of each keeper once.
pub(super) struct Demanded<'a> {
    register: &'a Register,
    consents: BTreeMap<SubjectId, ConsentState>,
}

impl<'a> Demanded<'a> {
    pub(super) const fn new(register: &'a Register) -> Self {
        Self { register, consents: BTreeMap::new() }
    }

    /// What a law demands at `now` of the item of `head`, if one does.
    pub(super) async fn of(&mut self, head: &Head, now: WallTime) -> Result<Option<LegalMinimum>, Error> {
        let Self { register, consents } = self;
        if head.is_begun || register.profile().floor(head.category, head.collected_at).is_none() {
            return Ok(None);
        }
        let consent = match consents.entry(head.subject) {
            std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::btree_map::Entry::Vacant(new) => new.insert(register.state(head.subject).await?),
        };
        let floor = register.floor_of_kept(head, consent).filter(|floor| now < floor.at);
        Ok(floor.map(|floor| LegalMinimum::of(head.category, floor)))
    }
}

impl Register {
    /// Until when a law demands that the item of `head` is kept, of somebody whose consent is `consent`.
    pub(super) fn floor_of_kept(&self, head: &Head, consent: &ConsentState) -> Option<Floor> {
        self.revisions().floor((head.category, head.purpose), head.collected_at, consent)
    }

    /// The law because of which the item `id` of `subject`, which was deleted, is still stored, and until when; it is used for
    /// nothing.
    ///
    /// # Errors
    /// As the store says.
    pub async fn kept_by_law(&self, subject: SubjectId, id: Reference) -> Result<Option<LegalMinimum>, Error> {
        let Some(head) = self.head(subject, id).await?.filter(|head| head.dropped_at.is_some()) else {
            return Ok(None);
        };
        Demanded::new(self).of(&head, self.clock.wall()).await
    }
}
