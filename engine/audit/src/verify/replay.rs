//! [`Replay`]: goes through the leaves as they happened and checks each against those before.

mod acknowledged;
mod anonymised;
mod grants;
mod people;
mod places;
mod policies;
mod segments;

use std::collections::BTreeMap;

use sayso_types::{Cell, ProcessorId, Purpose};

use self::acknowledged::Acknowledged;
use self::anonymised::Anonymisations;
use self::grants::Grants;
use self::people::{People, Standing};
use self::places::Places;
use self::policies::Policies;
use self::segments::{Rests, Segments};
use super::{Finding, Report, Rule, Trust, Witnessed};
use crate::checkpoint::Checkpoint;
use crate::leaf::Leaf;
use crate::merkle::Hash;
use crate::trust::Attested;
use crate::{
    ComplaintStep, ControlEvent, DeskEvent, Event, IncidentStep, Reference, RequestStep, Scope, SubjectTag, UNCOUNTED,
    counted,
};

/// What the leaves so far have made true.
#[derive(Debug)]
pub(super) struct Replay<'a> {
    trust: &'a Trust,
    places: Places,
    policies: Policies,
    people: People,
    /// Who asked for which withdrawal, and the leaf that says so.
    withdrawals: BTreeMap<(Reference, Option<SubjectTag>, Scope), u64>,
    segments: Segments,
    grants: Grants,
    anonymisations: Anonymisations,
    /// The erasures that have begun and have no certificate yet.
    erasures: BTreeMap<Reference, u64>,
    acknowledged: Acknowledged,
    /// The certificates of erasures.
    certified: BTreeMap<Reference, Hash>,
    /// Whether the service has ended.
    has_ended: bool,
    events: BTreeMap<&'static str, u64>,
    bytes: u64,
    uncounted: u64,
    findings: Vec<Finding>,
}

impl<'a> Replay<'a> {
    pub(super) fn new(trust: &'a Trust) -> Self {
        Self {
            trust,
            places: Places::default(),
            policies: Policies::default(),
            people: People::default(),
            withdrawals: BTreeMap::new(),
            segments: Segments::default(),
            grants: Grants::default(),
            anonymisations: Anonymisations::default(),
            erasures: BTreeMap::new(),
            acknowledged: Acknowledged::default(),
            certified: BTreeMap::new(),
            has_ended: false,
            events: BTreeMap::new(),
            bytes: 0,
            uncounted: 0,
            findings: Vec::new(),
        }
    }

    /// Goes on by the leaf at `index`.
    pub(super) fn leaf(&mut self, index: u64, leaf: &Leaf) {
        for rule in self.places.leaf(index, leaf) {
            self.find(index, rule);
        }
        self.segments.leaf(leaf);
        let (fact, event) = (&leaf.fact, &leaf.fact.event);
        *self.events.entry(event.name()).or_default() += 1;
        match event {
            Event::ConsentGiven { purpose, .. } => {
                self.people.agreed(fact.subject, *purpose, (fact.cv, fact.profile_rev));
            }
            Event::ConsentExpired { purpose, .. } => self.over(leaf, *purpose),
            // whoever is asked anew because of a revision, and says no, stays governed by the one that they agreed to
            Event::ConsentRefused { purpose, .. } | Event::ConsentDeferred { purpose, .. } => {
                if self.policies.is_newest(fact.profile_rev) {
                    self.over(leaf, *purpose);
                }
            }
            Event::WithdrawRequested { withdrawal, scope }
            | Event::Control(ControlEvent::ConsentEnded { withdrawal, scope, .. }) => {
                self.withdrawals.insert((*withdrawal, fact.subject, *scope), index);
            }
            Event::Control(ControlEvent::PartGiven { part, .. }) => self.people.gave_again(fact.subject, *part),
            Event::WithdrawEffective { withdrawal, scope } => self.effective(index, leaf, *withdrawal, *scope),
            Event::SegmentOpened { segment, cell, processor, .. } => {
                self.opened(index, leaf, *segment, *cell, *processor);
            }
            Event::SegmentClosed { segment, cell, processor, bytes, reason, .. } => {
                match counted(*bytes, *reason) {
                    Some(bytes) => self.bytes += bytes,
                    None => self.uncounted += 1,
                }
                // who has let go had been given it; of whom nothing was heard may never have been
                let at_least = (*bytes).max(u64::from(*reason == UNCOUNTED));
                self.closed(index, *segment, (cell, *processor), at_least);
            }
            Event::SelfcheckFailed { .. } => self.find(index, Rule::SelfcheckFailed),
            Event::ClockAnomaly { .. } => self.find(index, Rule::ClockSetBack),
            Event::Request { step: RequestStep::Overdue, .. } => self.find(index, Rule::RequestLate),
            Event::Incident { step: IncidentStep::Overdue, .. } => self.find(index, Rule::IncidentLate),
            Event::PolicyEffective { profile } => {
                if !self.policies.effective(fact.profile_rev, *profile) {
                    self.find(index, Rule::RevisionRolledBack);
                }
            }
            Event::ExemptionExpired { grant } | Event::ExemptionRevoked { grant } => {
                self.granted(index, leaf);
                // whoever has agreed meanwhile, and whom a revision allows more, goes on without it
                let (people, policies) = (&self.people, &self.policies);
                self.segments.ungranted(*grant, |segment| {
                    let standing = people.standing(segment.subject, segment.cell.purpose);
                    !matches!(standing, Some(Standing::Given { .. })) && policies.is_newest(segment.rev)
                });
            }
            Event::Desk(DeskEvent::Complaint { step: ComplaintStep::Overdue, .. }) => {
                self.find(index, Rule::ComplaintLate);
            }
            Event::EraseCommitted { erasure, .. } => drop(self.erasures.insert(*erasure, index)),
            Event::EraseAcknowledged { erasure, replica, .. } => self.acknowledged.by(*erasure, *replica),
            Event::EraseCertified { erasure, certificate } => {
                self.erasures.remove(erasure);
                if !self.acknowledged.is_by_all(*erasure) {
                    self.find(index, Rule::CertifiedUnacknowledged);
                }
                self.certified.insert(*erasure, *certificate);
            }
            Event::Desk(DeskEvent::ResidualApproved { erasure, certificate, .. }) => {
                if self.certified.get(erasure) != Some(certificate) {
                    self.find(index, Rule::ApprovedUnsaid);
                }
            }
            Event::RetentionDue { .. } | Event::RetentionExecuted { .. } | Event::Anonymised(_) => {
                if !self.anonymisations.leaf(index, leaf) {
                    self.find(index, Rule::AnonymisedUnduly);
                }
            }
            Event::ShutdownStarted { .. } => self.has_ended = true,
            Event::ExemptionGranted { .. }
            | Event::PermittedByExemption { .. }
            | Event::OperatorAccess { .. }
            | Event::Desk(_) => self.granted(index, leaf),
            Event::NoticeServed { .. }
            | Event::ConsentRequested { .. }
            | Event::PermitGranted { .. }
            | Event::GateDenied { .. }
            | Event::SelfcheckPassed { .. }
            | Event::LogKeyRotated { .. }
            | Event::Request { .. }
            | Event::ExportCreated { .. }
            | Event::ExportDownloaded { .. }
            | Event::KeyDestroyed { .. }
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
        let broken = core::mem::take(&mut self.segments).finish();
        broken.for_each(|(leaf, rule)| self.find(leaf, rule));
        let pending = core::mem::take(&mut self.withdrawals).into_values();
        pending.for_each(|leaf| self.find(leaf, Rule::WithdrawalPending));
        let pending = core::mem::take(&mut self.erasures).into_values();
        pending.for_each(|leaf| self.find(leaf, Rule::ErasurePending));
        let due = core::mem::take(&mut self.anonymisations).pending();
        due.for_each(|leaf| self.find(leaf, Rule::EndingPending));
        self.findings.sort_by_key(|finding| (finding.leaf, finding.rule));
        Report {
            origin: checkpoint.origin.clone(),
            size: checkpoint.size,
            root: checkpoint.root.to_string(),
            witnessed: witnessed.map(|attested| Witnessed::new(attested, checkpoint.size)),
            profiles: self.policies.hashes(),
            events: self.events,
            bytes: self.bytes,
            uncounted: self.uncounted,
            findings: self.findings,
        }
    }

    /// `rule` is broken by `leaf`.
    pub(super) fn find(&mut self, leaf: u64, rule: Rule) {
        self.findings.push(Finding::new(leaf, rule));
    }

    /// Goes on by the leaf at `index` about a grant.
    fn granted(&mut self, index: u64, leaf: &Leaf) {
        if !self.grants.leaf(index, leaf) {
            self.find(index, Rule::WithoutLiveGrant);
        }
    }

    /// Goes on by the end of consent to `purpose`, otherwise than by withdrawal: what is open has to close soon.
    fn over(&mut self, leaf: &Leaf, purpose: Purpose) {
        let open = self.people.over(leaf.fact.subject, purpose);
        self.segments.over(&open, purpose);
    }

    fn effective(&mut self, index: u64, leaf: &Leaf, withdrawal: Reference, scope: Scope) {
        let (whose, epoch) = (leaf.fact.subject, leaf.fact.epoch);
        if self.withdrawals.remove(&(withdrawal, whose, scope)).is_none() {
            self.find(index, Rule::EffectiveWithoutRequest);
        }
        let (open, people) = (self.people.withdrawn(whose, scope), &self.people);
        // a part is of what was agreed to: what rests on something else goes on
        let is_agreed = |purpose| matches!(people.standing(whose, purpose), Some(Standing::Given { .. }));
        let ends = |cell: &Cell, processor| {
            scope.covers_what_goes(cell, processor) && (!matches!(scope, Scope::Part(_)) || is_agreed(cell.purpose))
        };
        if self.segments.withdrawn(&open, ends, epoch) {
            self.find(index, Rule::OpenAcrossWithdrawal);
        }
    }

    fn opened(&mut self, index: u64, leaf: &Leaf, id: Reference, cell: Cell, processor: ProcessorId) {
        let fact = &leaf.fact;
        let standing = self.people.standing(fact.subject, cell.purpose);
        let permitted = self.grants.permitted(id, fact.subject, (cell, processor));
        let rests = match &permitted {
            Some(permitted) => Rests::Grant(permitted.grant),
            None if self.trust.asks_consent(fact.profile_rev, cell.purpose) => Rests::Consent,
            None => Rests::Else,
        };
        if rests == Rests::Consent {
            match standing {
                Some(Standing::Given { at, .. }) if at <= fact.cv => {
                    if self.people.took_back(fact.subject, &cell, processor) {
                        self.find(index, Rule::SegmentAfterWithdrawal);
                    }
                }
                Some(Standing::Withdrawn) => self.find(index, Rule::SegmentAfterWithdrawal),
                Some(Standing::Given { .. } | Standing::Over) | None => self.find(index, Rule::SegmentWithoutConsent),
            }
        }
        let mut overtaken = permitted.and_then(|permitted| permitted.late).map(|leaf| (leaf, Rule::WithoutLiveGrant));
        if self.has_ended {
            overtaken = overtaken.or(Some((index, Rule::SegmentAfterShutdown)));
        }
        match self.policies.broken_by(fact.profile_rev, standing) {
            // decided before the next one came into force: it closes again before anything passes
            Some(rule @ Rule::UnderOtherRevision) => overtaken = overtaken.or(Some((index, rule))),
            Some(rule) => self.find(index, rule),
            None => {}
        }
        if !self.segments.opened((index, leaf), id, (cell, processor), rests, overtaken) {
            self.find(index, Rule::SegmentReopened);
        }
        self.people.opened(fact.subject, id);
    }

    fn closed(&mut self, index: u64, id: Reference, (cell, processor): (&Cell, ProcessorId), bytes: u64) {
        let (segment, broken) = self.segments.closed(id, bytes);
        if let Some((leaf, rule)) = broken {
            self.find(leaf, rule);
        }
        if let Some(segment) = &segment {
            self.people.closed(segment.subject, id);
        }
        match segment {
            Some(segment) if segment.is(cell, processor) => {
                if segment.is_overdue() {
                    self.find(index, Rule::ClosedAfterWithdrawal);
                }
            }
            _ => self.find(index, Rule::ClosedWithoutOpen),
        }
    }
}
