//! [`Grants`]: what people had approved to be done without consent, as far as the log says.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use sayso_audit::{ActorTag, DeskEvent, Event, Hash, Leaf, Reference, SubjectTag};
use sayso_policy::{ExemptionGrant, Profile};
use sayso_types::{Category, Name, WallTime};

use crate::exemption::proposal::code_of;

/// What may be given away, and of whom.
type OfWhom = (Option<SubjectTag>, Category);

/// The grants that live, and the segments that are said to rest on one.
#[derive(Debug, Default)]
pub(super) struct Grants {
    live: BTreeMap<Name, (Option<SubjectTag>, ExemptionGrant)>,
    /// Those of them that have ended: what was decided before may follow.
    ended: BTreeMap<Name, (Option<SubjectTag>, ExemptionGrant)>,
    permitted: BTreeMap<Reference, Name>,
    /// The grants on which something may be given away, each with what of whom.
    disclosing: BTreeMap<Name, (ExemptionGrant, BTreeSet<OfWhom>)>,
    reading: BTreeMap<Name, Reading>,
    /// By which of these something is about to be read, of whom.
    about_to_be_read: BTreeMap<(Reference, OfWhom), Name>,
}

/// A grant by which one of the operator's people reads something.
#[derive(Debug)]
struct Reading {
    grant: ExemptionGrant,
    reader: ActorTag,
    ticket: Hash,
    of_whom: BTreeSet<OfWhom>,
}

impl Grants {
    /// Goes on by a leaf.
    pub(super) fn leaf(&mut self, leaf: &Leaf) {
        match &leaf.fact.event {
            Event::ExemptionGranted { grant, cell, processor, until, evidence, approvers } => {
                let Some(new) = granted(*grant, leaf, (*until, *evidence), approvers) else { return };
                let subject = leaf.fact.subject;
                let (whose, granted) = self.live.entry(*grant).or_insert_with(|| (subject, new.clone()));
                // what others approved, or on something else, or for longer, is another
                if *whose != subject || !is_same(granted, &new) {
                    return;
                }
                granted.purposes.insert(cell.purpose);
                granted.categories.insert(cell.category);
                granted.processors.insert(*processor);
            }
            Event::Desk(DeskEvent::DisclosureGranted { grant, category, until, evidence, approvers, .. }) => {
                let Some(new) = granted(*grant, leaf, (*until, *evidence), approvers) else { return };
                let (granted, of_whom) =
                    self.disclosing.entry(*grant).or_insert_with(|| (new.clone(), BTreeSet::new()));
                if !is_same(granted, &new) {
                    return;
                }
                granted.categories.insert(*category);
                of_whom.insert((leaf.fact.subject, *category));
            }
            Event::Desk(DeskEvent::ReadingGranted { grant, category, until, evidence, ticket, reader, approvers }) => {
                let Some(new) = granted(*grant, leaf, (*until, *evidence), approvers) else { return };
                let first =
                    || Reading { grant: new.clone(), reader: *reader, ticket: *ticket, of_whom: BTreeSet::new() };
                let reading = self.reading.entry(*grant).or_insert_with(first);
                if !is_same(&reading.grant, &new) || (reading.reader, reading.ticket) != (*reader, *ticket) {
                    return;
                }
                reading.grant.categories.insert(*category);
                reading.of_whom.insert((leaf.fact.subject, *category));
            }
            Event::ExemptionExpired { grant } | Event::ExemptionRevoked { grant } => {
                let ended = self.live.remove(grant).map(|ended| (*grant, ended));
                self.ended.extend(ended);
                self.disclosing.remove(grant);
                self.reading.remove(grant);
            }
            Event::PermittedByExemption { segment, grant, .. } => {
                self.permitted.insert(*segment, *grant);
            }
            _ => {}
        }
    }

    /// Whether `category` of this person may be given away at `at`, on a grant of this name that has not ended, and that
    /// `profile` lets count.
    pub(super) fn discloses(&self, grant: Name, of_whom: OfWhom, at: WallTime, profile: &Profile) -> bool {
        let Some((grant, granted)) = self.disclosing.get(&grant) else { return false };
        let ttl = profile.defaults().permit_ttl;
        granted.contains(&of_whom)
            && decided_at(grant, at, ttl) < grant.not_after
            && grant.check_disclosure(profile).is_ok()
    }

    /// Whether `grant` is one to read by, so that what `access` reads of this person is to be told next.
    pub(super) fn is_to_read(&mut self, grant: Name, access: Reference, of_whom: OfWhom) -> bool {
        let is_known = self.reading.contains_key(&grant);
        if is_known {
            self.about_to_be_read.insert((access, of_whom), grant);
        }
        is_known
    }

    /// Whether `access` may read this of this person, as `leaf` says, on a grant for whoever reads it that has not ended, and
    /// that `profile` lets count.
    pub(super) fn reads(
        &mut self,
        leaf: &Leaf,
        (access, category): (Reference, Category),
        ticket: Hash,
        profile: &Profile,
    ) -> bool {
        let of_whom = (leaf.fact.subject, category);
        let named = self.about_to_be_read.remove(&(access, of_whom));
        let Some(reading) = named.and_then(|grant| self.reading.get(&grant)) else { return false };
        let Reading { grant, reader, ticket: why, of_whom: granted } = reading;
        // of whom the log says nothing is no child: the answer that allows most
        granted.contains(&of_whom)
            && leaf.fact.actor.tag == Some(*reader)
            && ticket == *why
            && decided_at(grant, leaf.place.wall, profile.defaults().permit_ttl) < grant.not_after
            && grant.check_reading(profile, false).is_ok()
    }

    /// The grant that `segment`, which is opened now, is said to rest on.
    pub(super) fn of(&mut self, segment: Reference) -> Option<Name> {
        self.permitted.remove(&segment)
    }

    /// The grant of this name, if it has not ended and is for this person or for anybody.
    pub(super) fn live(&self, grant: Name, subject: Option<SubjectTag>) -> Option<&ExemptionGrant> {
        of(self.live.get(&grant)?, subject)
    }

    /// The same, also if it has ended.
    pub(super) fn lived(&self, grant: Name, subject: Option<SubjectTag>) -> Option<&ExemptionGrant> {
        of(self.live.get(&grant).or_else(|| self.ended.get(&grant))?, subject)
    }
}

/// Whether leaves of `one` and of `other`, which have one name, are of one grant.
fn is_same(one: &ExemptionGrant, other: &ExemptionGrant) -> bool {
    let said = |grant: &ExemptionGrant| (grant.not_after, grant.evidence_hash, grant.approvers.clone());
    said(one) == said(other)
}

/// The grant, if it is for this person or for anybody.
fn of((whose, grant): &(Option<SubjectTag>, ExemptionGrant), subject: Option<SubjectTag>) -> Option<&ExemptionGrant> {
    whose.is_none_or(|whose| subject == Some(whose)).then_some(grant)
}

/// What `leaf` says of the grant of this name; [`None`] when there is no such ground.
fn granted(
    id: Name,
    leaf: &Leaf,
    (until, evidence): (WallTime, Hash),
    approvers: &[ActorTag],
) -> Option<ExemptionGrant> {
    Some(ExemptionGrant {
        id,
        code: code_of(id)?,
        clause: None,
        basis_code: String::new(),
        subject: None,
        purposes: [].into(),
        categories: [].into(),
        processors: [].into(),
        not_before: leaf.place.wall,
        not_after: until,
        approvers: approvers.iter().map(|tag| tag.0).collect(),
        evidence_hash: evidence.0,
        notify_subject_after: None,
    })
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
