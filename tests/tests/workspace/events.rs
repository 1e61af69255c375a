//! The closed list of audit events: what is logged and by which code, and what is told otherwise and how.

use std::collections::BTreeSet;
use std::path::Path;

use crate::{all_well, read};

/// Where the events have their names.
const DEFINED: &str = "engine/audit/src/event/name.rs";

/// Where those of desks are.
const AT_DESKS: &str = "engine/audit/src/event/desk.rs";

/// Where those of what has left are.
const LEFT: &str = "engine/audit/src/event/flow.rs";

/// Where the steps are named that some of them have.
const STEPS: [&str; 5] = [
    "engine/audit/src/event/step.rs",
    "engine/audit/src/event/minor.rs",
    "engine/audit/src/event/lineage.rs",
    "engine/audit/src/event/control.rs",
    "engine/audit/src/event/node.rs",
];

/// Where a test makes all of them happen.
const WALKED: &str = "engine/consent/tests/consent/every_event.rs";

/// Events that are produced, each with what it is in the code and the file that makes it.
const PRODUCED: &[(&str, &str, &str)] = &[
    ("policy.effective", "Event::PolicyEffective", "engine/consent/src/journal.rs"),
    ("notice.served", "Event::NoticeServed", "engine/consent/src/register/asking.rs"),
    ("consent.requested", "Event::ConsentRequested", "engine/consent/src/register/asking.rs"),
    ("consent.given", "Event::ConsentGiven", "engine/consent/src/register/granting.rs"),
    ("consent.refused", "Event::ConsentRefused", "engine/consent/src/register/granting.rs"),
    ("consent.deferred", "Event::ConsentDeferred", "engine/consent/src/register/granting.rs"),
    ("consent.part_given", "ControlEvent::PartGiven", "engine/consent/src/register/granting.rs"),
    ("consent.revoked", "ConsentEnding::Revoked", "engine/admin/src/consent.rs"),
    ("consent.invalidated", "ConsentEnding::Invalidated", "engine/admin/src/consent.rs"),
    ("withdraw.requested", "Event::WithdrawRequested", "engine/consent/src/register/withdrawing.rs"),
    ("withdraw.effective", "Event::WithdrawEffective", "engine/consent/src/register/withdrawing.rs"),
    ("gate.denied", "Event::GateDenied", "engine/consent/src/register/permits.rs"),
    ("egress.segment_opened", "Event::SegmentOpened", "engine/consent/src/register/holders.rs"),
    ("egress.segment_closed", "Event::SegmentClosed", "engine/consent/src/register/holders.rs"),
    ("operator.access", "Event::OperatorAccess", "engine/consent/src/journal.rs"),
    ("log.key_rotated", "Event::LogKeyRotated", "engine/consent/src/journal.rs"),
    ("audit.selfcheck_passed", "Event::SelfcheckPassed", "engine/consent/src/journal.rs"),
    ("clock.anomaly", "Event::ClockAnomaly", "engine/consent/src/journal/writer.rs"),
    ("dsr.received", "RequestStep::Received", "engine/consent/src/rights/receiving.rs"),
    ("dsr.identity_verified", "RequestStep::IdentityVerified", "engine/consent/src/rights/desk.rs"),
    ("dsr.accepted", "RequestStep::Accepted", "engine/consent/src/rights/desk.rs"),
    ("dsr.rejected", "RequestStep::Rejected", "engine/consent/src/rights/desk.rs"),
    ("dsr.delayed", "RequestStep::Delayed", "engine/consent/src/rights/desk.rs"),
    ("dsr.fulfilled", "RequestStep::Fulfilled", "engine/consent/src/rights/desk.rs"),
    ("dsr.overdue", "RequestStep::Overdue", "engine/consent/src/rights/desk.rs"),
    ("export.created", "Event::ExportCreated", "engine/consent/src/rights/desk.rs"),
    ("export.downloaded", "Event::ExportDownloaded", "engine/consent/src/rights/desk.rs"),
    ("processor.registered", "ControlEvent::ProcessorRegistered", "engine/consent/src/register/revising.rs"),
    ("permit.expired", "FlowEvent::PermitExpired", "engine/consent/src/register/lending.rs"),
    ("permit.revoke_acked", "FlowEvent::RevokeAcknowledged", "engine/consent/src/register/lending.rs"),
    ("erase.committed", "Event::EraseCommitted", "engine/consent/src/register/erasing.rs"),
    ("key.destroyed", "Event::KeyDestroyed", "engine/consent/src/register/erasing.rs"),
    ("erase.node_acked", "Event::EraseAcknowledged", "engine/consent/src/register/purging.rs"),
    ("processor.deletion_unconfirmed", "Event::DeletionUnconfirmed", "engine/consent/src/register/erasing.rs"),
    ("erase.certified", "Event::EraseCertified", "engine/consent/src/register/erasing.rs"),
    ("processor.activated", "ProcessorChange::Activated", "engine/consent/src/switch.rs"),
    ("processor.suspended", "ProcessorChange::Suspended", "engine/consent/src/switch.rs"),
    ("processor.terminated", "ProcessorChange::Terminated", "engine/consent/src/switch.rs"),
    ("processor.due_diligence_expired", "ProcessorChange::DueDiligenceExpired", "engine/consent/src/switch.rs"),
    ("category.switched_off", "Event::CategorySwitched", "engine/consent/src/switch.rs"),
    ("category.switched_on", "Event::CategorySwitched", "engine/consent/src/switch.rs"),
    ("tenant.switched_off", "Event::TenantSwitched", "engine/consent/src/switch.rs"),
    ("tenant.switched_on", "Event::TenantSwitched", "engine/consent/src/switch.rs"),
    ("tenant.instructed", "ControlEvent::TenantInstructed", "engine/consent/src/tenants.rs"),
    ("tenant.attested", "ControlEvent::TenantAttested", "engine/consent/src/tenants.rs"),
    ("tenant.evidence_demanded", "ControlEvent::TenantDemanded", "engine/consent/src/register/instructing.rs"),
    ("tenant.evidence_accepted", "ControlEvent::TenantShown", "engine/consent/src/register/instructing.rs"),
    ("tenant.purpose_instructed", "ControlEvent::TenantInstructs", "engine/consent/src/tenants.rs"),
    ("tenant.category_instructed", "ControlEvent::TenantInstructs", "engine/consent/src/tenants.rs"),
    ("tenant.person_served", "ControlEvent::TenantServes", "engine/consent/src/register/serving.rs"),
    ("tenant.erasing", "ControlEvent::TenantErasing", "engine/consent/src/register/instructing.rs"),
    ("tenant.erased", "ControlEvent::TenantErased", "engine/consent/src/register/instructing.rs"),
    ("incident.opened", "IncidentStep::Opened", "engine/consent/src/incidents/desk.rs"),
    ("incident.assessed", "IncidentStep::Assessed", "engine/consent/src/incidents/desk.rs"),
    ("incident.contained", "IncidentStep::Contained", "engine/consent/src/incidents/desk.rs"),
    ("incident.regulator_notified", "IncidentStep::RegulatorNotified", "engine/consent/src/incidents/desk.rs"),
    ("incident.subjects_notified", "IncidentStep::SubjectsNotified", "engine/consent/src/incidents/desk.rs"),
    ("incident.closed", "IncidentStep::Closed", "engine/consent/src/incidents/desk.rs"),
    ("incident.overdue", "IncidentStep::Overdue", "engine/consent/src/incidents/desk.rs"),
    ("exemption.granted", "Event::ExemptionGranted", "engine/consent/src/register/exempting.rs"),
    ("exemption.used", "Event::ExemptionUsed", "engine/consent/src/register/exempting.rs"),
    ("exemption.expired", "Event::ExemptionExpired", "engine/consent/src/register/exempting.rs"),
    ("exemption.revoked", "Event::ExemptionRevoked", "engine/consent/src/register/exempting.rs"),
    ("gate.permitted_by_exemption", "Event::PermittedByExemption", "engine/consent/src/register/exempting.rs"),
    ("retention.due", "Event::RetentionDue", "engine/consent/src/register/retaining.rs"),
    ("retention.executed", "Event::RetentionExecuted", "engine/consent/src/register/retaining.rs"),
    ("retention.held", "Event::RetentionHeld", "engine/consent/src/register/holding.rs"),
    ("legal_hold.set", "Event::HoldSet", "engine/consent/src/register/holding.rs"),
    ("legal_hold.released", "Event::HoldReleased", "engine/consent/src/register/holding.rs"),
    ("store.restricted", "Event::StoreRestricted", "engine/consent/src/register/answering.rs"),
    ("rectify.applied", "Event::RectifyApplied", "engine/consent/src/register/remembering.rs"),
    ("account.cancelled", "Event::AccountCancelled", "engine/consent/src/register/erasing.rs"),
    ("notice.sent", "NoticeStep::Sent", "engine/consent/src/notices/delivery.rs"),
    ("notice.delivered", "NoticeStep::Delivered", "engine/consent/src/notices/delivery.rs"),
    ("notice.failed", "NoticeStep::Failed", "engine/consent/src/notices/delivery.rs"),
    ("policy.published", "Event::PolicyPublished", "engine/consent/src/register/announcing.rs"),
    ("controller.changed", "Event::ControllerChanged", "engine/consent/src/register/announcing.rs"),
    ("service.shutdown_started", "Event::ShutdownStarted", "engine/consent/src/register/ending.rs"),
    ("policy.superseded", "Event::PolicySuperseded", "engine/consent/src/register/revising.rs"),
    ("consent.renewed", "Event::ConsentGiven", "engine/consent/src/register/granting.rs"),
    ("consent.expired", "Event::ConsentExpired", "engine/consent/src/register/expiring.rs"),
    ("withdraw.pending_timeout", "Event::WithdrawPending", "engine/consent/src/register/withdrawing.rs"),
    ("service.shutdown_completed", "Event::ShutdownCompleted", "engine/consent/src/register/ending.rs"),
    ("guardian.requested", "MinorEvent::GuardianRequested", "engine/consent/src/register/guarding.rs"),
    ("guardian.verified", "MinorEvent::GuardianVerified", "engine/consent/src/register/guarding.rs"),
    ("guardian.failed", "MinorEvent::GuardianFailed", "engine/consent/src/register/guarding.rs"),
    ("minor.detected", "MinorEvent::Detected", "engine/consent/src/register/guarding.rs"),
    ("minor.cleared", "MinorEvent::Cleared", "engine/consent/src/register/guarding.rs"),
    ("minor.data_erased", "MinorEvent::DataErased", "engine/consent/src/register/erasing.rs"),
    ("store.anonymised", "AnonymisedStep::HandedOn", "engine/consent/src/register/anonymising.rs"),
    ("store.erased", "AnonymisedStep::TooFew", "engine/consent/src/register/anonymising.rs"),
    ("operator.denied", "DeskEvent::OperatorDenied", "engine/consent/src/disclosure/desk.rs"),
    ("complaint.received", "ComplaintStep::Received", "engine/consent/src/complaints/desk.rs"),
    ("complaint.answered", "ComplaintStep::Answered", "engine/consent/src/complaints/desk.rs"),
    ("complaint.overdue", "ComplaintStep::Overdue", "engine/consent/src/complaints/desk.rs"),
    ("processor.deletion_requested", "FlowEvent::DeletionRequested", "engine/consent/src/register/deleting.rs"),
    ("processor.deletion_confirmed", "FlowEvent::DeletionConfirmed", "engine/consent/src/register/deleting.rs"),
    ("rectify.propagated", "FlowEvent::RectifyPropagated", "engine/consent/src/register/deleting.rs"),
    ("transfer.cross_border", "FlowEvent::CrossBorder", "engine/consent/src/register/exporting.rs"),
    ("processor.transfer_limit_reached", "ProcessorChange::TransferLimitReached", "engine/consent/src/switch.rs"),
    ("dsr.task_done", "RequestStep::TaskDone", "engine/consent/src/rights/referring.rs"),
    ("store.written", "LineageEvent::Written", "engine/consent/src/register/keeping.rs"),
    ("derive.created", "LineageEvent::Derived", "engine/consent/src/register/keeping.rs"),
    ("config.changed", "NodeEvent::ConfigChanged", "engine/consent/src/register/noting.rs"),
    ("key.created", "KeyStep::Created", "engine/consent/src/register/noting.rs"),
    ("key.rotated", "KeyStep::Rotated", "engine/consent/src/register/noting.rs"),
    ("erase.residual_approved", "DeskEvent::ResidualApproved", "engine/consent/src/register/remaining.rs"),
];

/// Events of the list that nothing produces, because what they would say is told otherwise, each with how.
const TOLD_OTHERWISE: &[(&str, &str)] = &[
    ("permit.granted", "a permit moves nothing by itself: the segment's leaves say when one was used, and until when"),
    ("permit.renewed", "what a permit lets through is in one segment, however often it is renewed"),
    ("permit.revoke_sent", "withdraw.requested, or what else takes it back: from there on nothing passes"),
    ("ingress.segment_opened", "what is heard and given to nobody is not kept; what is kept of it is store.written"),
    ("ingress.segment_closed", "what is heard and given to nobody is not kept; what is kept of it is store.written"),
    (
        "store.zeroised",
        "memory is wiped when a holder lets go, which withdraw.effective waits for; disks by erase.node_acked",
    ),
    ("shard.split", "a store has one log, which is never split"),
    ("shard.merged", "a store has one log"),
    ("shard.moved", "a store has one log, which moves with it"),
    ("shard.head", "a store has one log, whose checkpoints witnesses cosign"),
    (
        "audit.selfcheck_failed",
        "a node whose log does not hold does not open it, and ends; that one was put back is for witnesses to say, \
         with what they have cosigned, and no leaf of such a log would prove it",
    ),
];

/// Events that have a variant, because logs may hold them, and that nothing produces.
const READ_ONLY: [&str; 2] = ["permit.granted", "audit.selfcheck_failed"];

/// The names that the code gives to events.
fn named(text: &str) -> BTreeSet<String> {
    let arms =
        text.lines().filter_map(|line| line.trim().strip_prefix("Self::")?.split_once(" => \"")?.1.split_once('"'));
    arms.map(|(name, _)| name.to_owned()).collect()
}

#[test]
fn every_event_of_the_list_is_produced_or_told_otherwise_and_no_other_exists() {
    let files = STEPS.into_iter().chain([DEFINED, AT_DESKS, LEFT]);
    let named: BTreeSet<_> = files.flat_map(|file| named(&read(Path::new(file)))).collect();
    let produced: BTreeSet<_> = PRODUCED.iter().map(|(name, ..)| (*name).to_owned()).collect();
    let otherwise: BTreeSet<_> = TOLD_OTHERWISE.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert!(produced.len() == PRODUCED.len() && otherwise.len() == TOLD_OTHERWISE.len(), "each is on its table once");
    let both = produced.intersection(&otherwise).map(|name| format!("{name} is produced: take it off TOLD_OTHERWISE"));
    let unknown = named.iter().filter(|name| {
        let name = name.as_str();
        !produced.contains(name) && !READ_ONLY.contains(&name)
    });
    let unknown = unknown.map(|name| {
        format!(
            "{DEFINED}: {name} is on no table of this test: say which code produces it, if it is on the closed list"
        )
    });
    let unlisted = READ_ONLY.iter().filter(|name| !otherwise.contains(**name));
    let unlisted = unlisted.map(|name| format!("{name} is not on the closed list"));
    let undefined = produced.iter().filter(|name| !named.contains(*name)).map(|name| format!("{name} has no variant"));
    let walk = read(Path::new(WALKED));
    let unwalked = produced.iter().filter(|name| !walk.contains(&format!("\"{name}\"")));
    let unwalked = unwalked.map(|name| format!("{WALKED}: let {name} happen, too"));
    all_well(both.chain(unknown).chain(unlisted).chain(undefined).chain(unwalked));
}

#[test]
fn events_are_produced_where_the_table_says() {
    all_well(PRODUCED.iter().filter_map(|(name, made, file)| {
        let text = read(Path::new(file));
        let mut after = text.split(made).skip(1);
        let makes = after.any(|rest| !rest.starts_with(|c: char| c.is_alphanumeric()));
        (!makes).then(|| format!("{file} makes no {made}: {name} is produced elsewhere, or not at all"))
    }));
}

#[test]
fn names_are_found_in_the_code() {
    let text = "Self::A { .. } => \"a.b\",\n  Self::C => \"c.d\",\n  Self::D { .. } => \"no end,\n// Self::X";
    assert_eq!(named(text), ["a.b".to_owned(), "c.d".to_owned()].into());
}
