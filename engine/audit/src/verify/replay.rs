//! [`Replay`]: goes through the leaves as they happened and checks each against those before.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use sayso_types::{Cell, ConsentVersion, ProcessorId, Purpose};

mod anonymised;
mod grants;

use self::anonymised::Anonymisations;
use self::grants::Grants;
use super::{Finding, Report, Rule, Trust, Witnessed};
use crate::checkpoint::Checkpoint;
use crate::leaf::{HybridClock, Leaf};
use crate::merkle::Hash;
use crate::trust::Attested;
use crate::{
    ComplaintStep, ControlEvent, DeskEvent, Event, IncidentStep, Reference, RequestStep, Scope, SubjectTag, counted,
};

/// What the leaves so far have made true.
#[derive(Debug)]
pub(super) struct Replay<'a> {
    without_consent: &'a BTreeSet<Purpose>,
    shard: Option<u32>,
    clock: HybridClock,
    consents: BTreeMap<(SubjectTag, Purpose), Standing>,
    withdrawals: BTreeMap<Reference, u64>,
    segments: BTreeMap<Reference, Segment>,
    grants: Grants,
    anonymisations: Anonymisations,
    /// The certificates of erasures.
    certified: BTreeMap<Reference, Hash>,
    profiles: BTreeSet<String>,
    events: BTreeMap<&'static str, u64>,
    bytes: u64,
    uncounted: u64,
    findings: Vec<Finding>,
}

/// Where a purpose stands with a person.
#[derive(Clone, Copy, Debug)]
enum Standing {
    GivenAt(ConsentVersion),
    Withdrawn,
}

/// A segment that is open.
#[derive(Debug)]
struct Segment {
    leaf: u64,
    subject: Option<SubjectTag>,
    cell: Cell,
    processor: ProcessorId,
    epoch: u64,
    /// Whether it rests on a grant, which no withdrawal ends.
    exempted: bool,
    /// A withdrawal that should have closed it took effect meanwhile.
    overdue: bool,
}

impl<'a> Replay<'a> {
    pub(super) const fn new(trust: &'a Trust) -> Self {
        Self {
            without_consent: &trust.without_consent,
            shard: None,
            clock: HybridClock(0),
            consents: BTreeMap::new(),
            withdrawals: BTreeMap::new(),
            segments: BTreeMap::new(),
            grants: Grants::new(),
            anonymisations: Anonymisations::new(),
            certified: BTreeMap::new(),
            profiles: BTreeSet::new(),
            events: BTreeMap::new(),
            bytes: 0,
            uncounted: 0,
            findings: Vec::new(),
        }
    }

    /// Goes on by the leaf at `index`.
    pub(super) fn leaf(&mut self, index: u64, leaf: &Leaf) {
        self.place(index, leaf);
        let event = &leaf.fact.event;
        *self.events.entry(event.name()).or_default() += 1;
        match event {
            Event::ConsentGiven { purpose, .. } => {
                if let Some(subject) = leaf.fact.subject {
                    self.consents.insert((subject, *purpose), Standing::GivenAt(leaf.fact.cv));
                }
            }
            Event::ConsentExpired { purpose, .. } => {
                if let Some(subject) = leaf.fact.subject {
                    self.consents.remove(&(subject, *purpose));
                }
            }
            Event::WithdrawRequested { withdrawal, .. }
            | Event::Control(ControlEvent::ConsentEnded { withdrawal, .. }) => {
                self.withdrawals.insert(*withdrawal, index);
            }
            Event::WithdrawEffective { withdrawal, scope } => self.effective(index, leaf, *withdrawal, *scope),
            Event::SegmentOpened { segment, cell, processor, .. } => {
                self.opened(index, leaf, *segment, *cell, *processor);
            }
            Event::SegmentClosed { segment, cell, processor, bytes, reason, .. } => {
                match counted(*bytes, *reason) {
                    Some(bytes) => self.bytes += bytes,
                    None => self.uncounted += 1,
                }
                self.closed(index, *segment, cell, *processor);
            }
            Event::SelfcheckFailed { .. } => self.find(index, Rule::SelfcheckFailed),
            Event::ClockAnomaly { .. } => self.find(index, Rule::ClockSetBack),
            Event::Request { step: RequestStep::Overdue, .. } => self.find(index, Rule::RequestLate),
            Event::Incident { step: IncidentStep::Overdue, .. } => self.find(index, Rule::IncidentLate),
            Event::PolicyEffective { profile } => {
                self.profiles.insert(profile.to_string());
            }
            Event::ExemptionGranted { .. }
            | Event::ExemptionExpired { .. }
            | Event::ExemptionRevoked { .. }
            | Event::PermittedByExemption { .. }
            | Event::OperatorAccess { .. } => {
                if !self.grants.leaf(leaf) {
                    self.find(index, Rule::WithoutLiveGrant);
                }
            }
            Event::Desk(DeskEvent::Complaint { step: ComplaintStep::Overdue, .. }) => {
                self.find(index, Rule::ComplaintLate);
            }
            Event::EraseCertified { erasure, certificate } => {
                self.certified.insert(*erasure, *certificate);
            }
            Event::Desk(DeskEvent::ResidualApproved { erasure, certificate, .. }) => {
                if self.certified.get(erasure) != Some(certificate) {
                    self.find(index, Rule::ApprovedUnsaid);
                }
            }
            Event::RetentionDue { .. } | Event::RetentionExecuted { .. } | Event::Anonymised(_) => {
                if !self.anonymisations.leaf(leaf) {
                    self.find(index, Rule::AnonymisedUnduly);
                }
            }
            Event::Desk(_) => {
                if !self.grants.leaf(leaf) {
                    self.find(index, Rule::WithoutLiveGrant);
                }
            }
            Event::NoticeServed { .. }
            | Event::ConsentRequested { .. }
            | Event::ConsentRefused { .. }
            | Event::ConsentDeferred { .. }
            | Event::PermitGranted { .. }
            | Event::GateDenied { .. }
            | Event::SelfcheckPassed { .. }
            | Event::LogKeyRotated { .. }
            | Event::Request { .. }
            | Event::ExportCreated { .. }
            | Event::EraseCommitted { .. }
            | Event::KeyDestroyed { .. }
            | Event::EraseAcknowledged { .. }
            | Event::DeletionUnconfirmed { .. }
            | Event::ProcessorChanged { .. }
            | Event::CategorySwitched { .. }
            | Event::TenantSwitched { .. }
            | Event::Incident { .. }
            | Event::ExemptionUsed { .. }
            | Event::RetentionHeld { .. }
            | Event::HoldSet { .. }
            | Event::HoldReleased { .. }
            | Event::StoreRestricted { .. }
            | Event::RectifyApplied { .. }
            | Event::AccountCancelled { .. }
            | Event::Notice { .. }
            | Event::PolicyPublished { .. }
            | Event::ControllerChanged { .. }
            | Event::PolicySuperseded { .. }
            | Event::WithdrawPending { .. }
            | Event::ShutdownStarted { .. }
            | Event::ShutdownCompleted { .. }
            | Event::Lineage(_)
            | Event::Flow(_)
            | Event::Control(_)
            | Event::Node(_)
            | Event::Minor(_) => {}
        }
    }

    /// What is left open at the end, and the report.
    pub(super) fn finish(mut self, checkpoint: &Checkpoint, witnessed: Option<Attested>) -> Report {
        for segment in core::mem::take(&mut self.segments).into_values() {
            self.find(segment.leaf, Rule::NeverClosed);
        }
        for leaf in core::mem::take(&mut self.withdrawals).into_values() {
            self.find(leaf, Rule::WithdrawalPending);
        }
        self.findings.sort_by_key(|finding| (finding.leaf, finding.rule));
        Report {
            origin: checkpoint.origin.clone(),
            size: checkpoint.size,
            root: checkpoint.root.to_string(),
            witnessed: witnessed.map(|attested| Witnessed::new(attested, checkpoint.size)),
            profiles: self.profiles,
            events: self.events,
            bytes: self.bytes,
            uncounted: self.uncounted,
            findings: self.findings,
        }
    }

    fn find(&mut self, leaf: u64, rule: Rule) {
        self.findings.push(Finding::new(leaf, rule));
    }

    fn place(&mut self, index: u64, leaf: &Leaf) {
        let place = leaf.place;
        if place.sequence != index {
            self.find(index, Rule::SequenceBroken);
        }
        if *self.shard.get_or_insert(place.shard) != place.shard {
            self.find(index, Rule::ShardMixed);
        }
        if place.clock < self.clock {
            self.find(index, Rule::ClockWentBack);
        }
        self.clock = self.clock.max(place.clock);
    }

    fn effective(&mut self, index: u64, leaf: &Leaf, withdrawal: Reference, scope: Scope) {
        if self.withdrawals.remove(&withdrawal).is_none() {
            self.find(index, Rule::EffectiveWithoutRequest);
        }
        let Some(subject) = leaf.fact.subject else {
            return;
        };
        for ((whose, purpose), standing) in &mut self.consents {
            if *whose == subject && scope.covers(*purpose) {
                *standing = Standing::Withdrawn;
            }
        }
        let mut open = false;
        for segment in self.segments.values_mut() {
            // a segment of an earlier epoch ended with its process: nobody was left to close it
            if segment.subject == Some(subject)
                && segment.epoch == leaf.fact.epoch
                && !segment.exempted
                && scope.covers(segment.cell.purpose)
                && !self.without_consent.contains(&segment.cell.purpose)
            {
                segment.overdue = true;
                open = true;
            }
        }
        if open {
            self.find(index, Rule::OpenAcrossWithdrawal);
        }
    }

    fn opened(&mut self, index: u64, leaf: &Leaf, id: Reference, cell: Cell, processor: ProcessorId) {
        let fact = &leaf.fact;
        let exempted = self.grants.permitted(id, cell, processor);
        if !exempted && !self.without_consent.contains(&cell.purpose) {
            match fact.subject.and_then(|subject| self.consents.get(&(subject, cell.purpose))) {
                Some(Standing::GivenAt(cv)) if *cv <= fact.cv => {}
                Some(Standing::Withdrawn) => self.find(index, Rule::SegmentAfterWithdrawal),
                Some(Standing::GivenAt(_)) | None => self.find(index, Rule::SegmentWithoutConsent),
            }
        }
        let (subject, epoch) = (fact.subject, fact.epoch);
        let segment = Segment { leaf: index, subject, cell, processor, epoch, exempted, overdue: false };
        match self.segments.entry(id) {
            Entry::Vacant(entry) => {
                entry.insert(segment);
            }
            Entry::Occupied(_) => self.find(index, Rule::SegmentReopened),
        }
    }

    fn closed(&mut self, index: u64, id: Reference, cell: &Cell, processor: ProcessorId) {
        match self.segments.remove(&id) {
            Some(segment) if segment.cell == *cell && segment.processor == processor => {
                if segment.overdue {
                    self.find(index, Rule::ClosedAfterWithdrawal);
                }
            }
            _ => self.find(index, Rule::ClosedWithoutOpen),
        }
    }
}
