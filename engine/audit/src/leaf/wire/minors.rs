//! The leaves about children and their guardians.

use sayso_proto::audit::v1::AuditLeaf;

use super::{LeafError, evidence, reason, reference};
use crate::event::MinorEvent;

pub(super) fn write(event: &MinorEvent, wire: &mut AuditLeaf) {
    match event {
        MinorEvent::GuardianRequested { guardian, method } | MinorEvent::GuardianFailed { guardian, method } => {
            wire.reference = guardian.0.to_vec();
            wire.reason = method.to_string();
        }
        MinorEvent::GuardianVerified { guardian, method, evidence } => {
            wire.reference = guardian.0.to_vec();
            wire.reason = method.to_string();
            wire.commitments = vec![evidence.0.to_vec()];
        }
        MinorEvent::Detected { detected, evidence } | MinorEvent::Cleared { detected, evidence } => {
            wire.reference = detected.0.to_vec();
            wire.commitments = vec![evidence.0.to_vec()];
        }
        MinorEvent::DataErased { detected } => wire.reference = detected.0.to_vec(),
    }
}

/// Reads the one of this `name`.
pub(super) fn read(name: &str, wire: &AuditLeaf) -> Result<MinorEvent, LeafError> {
    Ok(match name {
        "guardian.requested" => MinorEvent::GuardianRequested { guardian: reference(wire)?, method: reason(wire)? },
        "guardian.verified" => MinorEvent::GuardianVerified {
            guardian: reference(wire)?,
            method: reason(wire)?,
            evidence: evidence(wire)?,
        },
        "guardian.failed" => MinorEvent::GuardianFailed { guardian: reference(wire)?, method: reason(wire)? },
        "minor.detected" => MinorEvent::Detected { detected: reference(wire)?, evidence: evidence(wire)? },
        "minor.cleared" => MinorEvent::Cleared { detected: reference(wire)?, evidence: evidence(wire)? },
        "minor.data_erased" => MinorEvent::DataErased { detected: reference(wire)? },
        name => return Err(LeafError::Event(name.to_owned())),
    })
}
