//! Which events may be told at all.

use sayso_audit::{
    AnonymisedStep, ComplaintStep, DeskEvent, Event, FlowEvent, IncidentStep, KeyStep, NodeEvent, NoticeStep,
    ProcessorChange, RequestStep,
};

/// Whether the event may be told at all. A new one does not compile until it is looked at here, and not told until it is
/// in [`TOLD`](super::TOLD).
pub(super) fn is_told(event: &Event) -> bool {
    match event {
        Event::PolicyEffective { .. }
        | Event::NoticeServed { .. }
        | Event::ConsentRequested { .. }
        | Event::ConsentGiven { .. }
        | Event::ConsentRefused { .. }
        | Event::ConsentDeferred { .. }
        | Event::WithdrawRequested { .. }
        | Event::WithdrawEffective { .. }
        | Event::GateDenied { .. }
        | Event::SegmentOpened { .. }
        | Event::SegmentClosed { .. }
        | Event::SelfcheckPassed { .. }
        | Event::LogKeyRotated { .. }
        | Event::ClockAnomaly { .. }
        | Event::OperatorAccess { .. }
        | Event::ExportCreated { .. }
        | Event::ExportDownloaded { .. }
        | Event::EraseCommitted { .. }
        | Event::KeyDestroyed { .. }
        | Event::EraseAcknowledged { .. }
        | Event::DeletionUnconfirmed { .. }
        | Event::EraseCertified { .. }
        | Event::RetentionDue { .. }
        | Event::RetentionExecuted { .. }
        | Event::RetentionHeld { .. }
        | Event::HoldSet { .. }
        | Event::HoldReleased { .. }
        | Event::ExemptionGranted { .. }
        | Event::ExemptionUsed { .. }
        | Event::ExemptionExpired { .. }
        | Event::ExemptionRevoked { .. }
        | Event::PermittedByExemption { .. }
        | Event::CategorySwitched { .. }
        | Event::TenantSwitched { .. }
        | Event::StoreRestricted { .. }
        | Event::RectifyApplied { .. }
        | Event::AccountCancelled { .. }
        | Event::PolicyPublished { .. }
        | Event::ControllerChanged { .. }
        | Event::ShutdownStarted { .. }
        | Event::ShutdownCompleted { .. }
        | Event::PolicySuperseded { .. }
        | Event::ConsentExpired { .. }
        | Event::WithdrawPending { .. }
        | Event::Lineage(_)
        | Event::Minor(_)
        | Event::Control(_) => true,
        Event::Anonymised(anonymised) => AnonymisedStep::ALL.contains(&anonymised.step),
        Event::ProcessorChanged { change, .. } => ProcessorChange::ALL.contains(change),
        Event::Incident { step, .. } => IncidentStep::ALL.contains(step),
        Event::Request { step, .. } => RequestStep::ALL.contains(step),
        Event::Notice { step, .. } => NoticeStep::ALL.contains(step),
        Event::Desk(event) => is_told_at_a_desk(event),
        Event::Flow(event) => is_told_of_what_left(event),
        Event::Node(NodeEvent::ConfigChanged { .. }) => true,
        Event::Node(NodeEvent::Key { step, .. }) => KeyStep::ALL.contains(step),
        // in logs of earlier versions; and a node whose log does not hold cannot write to it
        Event::PermitGranted { .. } | Event::SelfcheckFailed { .. } => false,
    }
}

/// The same of what happens at desks.
fn is_told_at_a_desk(event: &DeskEvent) -> bool {
    match event {
        DeskEvent::DisclosureGranted { .. }
        | DeskEvent::ReadingGranted { .. }
        | DeskEvent::ContentRead { .. }
        | DeskEvent::DisclosurePermitted { .. }
        | DeskEvent::DisclosureCreated { .. }
        | DeskEvent::OperatorDenied { .. }
        | DeskEvent::ResidualApproved { .. } => true,
        DeskEvent::Complaint { step, .. } => ComplaintStep::ALL.contains(step),
    }
}

/// The same of what has left.
fn is_told_of_what_left(event: &FlowEvent) -> bool {
    match event {
        FlowEvent::CrossBorder { .. }
        | FlowEvent::RevokeAcknowledged { .. }
        | FlowEvent::PermitExpired { .. }
        | FlowEvent::DeletionRequested { .. }
        | FlowEvent::DeletionConfirmed { .. }
        | FlowEvent::RectifyPropagated { .. } => true,
    }
}
