//! [`Grants`]: what people had approved to be done without consent, as far as the log says.

use core::time::Duration;
use std::collections::BTreeMap;

use sayso_audit::{Event, Leaf, Reference, SubjectTag};
use sayso_policy::ExemptionGrant;
use sayso_types::{Name, WallTime};

use crate::exemption::proposal::code_of;

/// The grants that live, and the segments that are said to rest on one.
#[derive(Debug, Default)]
pub(super) struct Grants {
    live: BTreeMap<Name, (Option<SubjectTag>, ExemptionGrant)>,
    permitted: BTreeMap<Reference, Name>,
}

impl Grants {
    /// Goes on by a leaf.
    pub(super) fn leaf(&mut self, leaf: &Leaf) {
        match &leaf.fact.event {
            Event::ExemptionGranted { grant, cell, processor, until, evidence, approvers } => {
                // a grant on no ground is none
                let Some(code) = code_of(*grant) else { return };
                let granted = || ExemptionGrant {
                    id: *grant,
                    code,
                    clause: None,
                    basis_code: String::new(),
                    subject: None,
                    purposes: [].into(),
                    categories: [].into(),
                    processors: [].into(),
                    not_before: leaf.place.wall,
                    not_after: *until,
                    approvers: approvers.iter().map(|tag| tag.0).collect(),
                    evidence_hash: evidence.0,
                    notify_subject_after: None,
                };
                let (_, granted) = self.live.entry(*grant).or_insert_with(|| (leaf.fact.subject, granted()));
                granted.purposes.insert(cell.purpose);
                granted.categories.insert(cell.category);
                granted.processors.insert(*processor);
            }
            Event::ExemptionExpired { grant } | Event::ExemptionRevoked { grant } => {
                self.live.remove(grant);
            }
            Event::PermittedByExemption { segment, grant, .. } => {
                self.permitted.insert(*segment, *grant);
            }
            _ => {}
        }
    }

    /// The grant that `segment`, which is opened now, is said to rest on.
    pub(super) fn of(&mut self, segment: Reference) -> Option<Name> {
        self.permitted.remove(&segment)
    }

    /// The grant of this name, if it has not ended and is for this person or for anybody.
    pub(super) fn live(&self, grant: Name, subject: Option<SubjectTag>) -> Option<&ExemptionGrant> {
        let (whose, grant) = self.live.get(&grant)?;
        whose.is_none_or(|whose| subject == Some(whose)).then_some(grant)
    }
}

/// When something was decided on `grant` whose leaf was written at `wall`: perhaps a little before the grant ended, if the
/// leaf came no later after its end than a permit lives, on which nothing could be handed over any more.
pub(super) fn decided_at(grant: &ExemptionGrant, wall: WallTime, permit_ttl: Duration) -> WallTime {
    let ttl_ms = u64::try_from(permit_ttl.as_millis()).unwrap_or(u64::MAX);
    if wall < grant.not_after || wall.0 - grant.not_after.0 >= ttl_ms {
        return wall;
    }
    WallTime(grant.not_after.0.saturating_sub(1))
}
