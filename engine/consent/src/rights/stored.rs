//! Requests as they are stored, schema version 2: JSON, because they outlive the program that wrote them. Version 1 did not say
//! by what people proved who they are, nor by when they had to.

use sayso_audit::Reference;
use sayso_policy::due::{Clocks, Due};
use sayso_policy::profile::{ErasureGround, RightKind};
use sayso_types::{Purpose, SubjectId, WallTime};
use serde::{Deserialize, Serialize};

use super::referral::Referral;
use super::request::{Delay, Identity, Relative, Request, Standing};
use crate::Error;

#[derive(Serialize, Deserialize)]
struct Body {
    kind: RightKind,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    purposes: Vec<Purpose>,
    received: WallTime,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    identity_verified: Option<WallTime>,
    standing: Standing,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due: Option<StoredDue>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    delayed: Option<Delay>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    answered: Option<WallTime>,
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    is_overdue: bool,
    profile_rev: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    referral: Option<Referral>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    relative: Option<Relative>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    identity: Option<Identity>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    identity_due: Option<StoredDue>,
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    is_identity_overdue: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ground: Option<ErasureGround>,
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    may_cost: bool,
}

#[derive(Serialize, Deserialize)]
struct StoredDue {
    at: WallTime,
    by: String,
    is_exact: bool,
}

pub(crate) fn encode(request: &Request) -> Vec<u8> {
    let due = |due: &Option<Due>| due.clone().map(|Due { at, by, is_exact }| StoredDue { at, by, is_exact });
    let body = Body {
        kind: request.kind,
        purposes: request.purposes.clone(),
        received: request.clocks.received,
        identity_verified: request.clocks.identity_verified,
        standing: request.standing,
        due: due(&request.due),
        delayed: request.delayed,
        answered: request.answered,
        is_overdue: request.is_overdue,
        profile_rev: request.profile_rev,
        referral: request.referral,
        relative: request.relative,
        identity: request.identity,
        identity_due: due(&request.identity_due),
        is_identity_overdue: request.is_identity_overdue,
        ground: request.ground,
        may_cost: request.may_cost,
    };
    serde_json::to_vec(&body).expect("plain values are JSON")
}

/// The request `id` of `subject` that is stored as `body`.
pub(crate) fn decode(subject: SubjectId, id: &[u8], body: &[u8]) -> Result<Request, Error> {
    let damaged = |found: String| Error::Damaged { what: "request", found };
    let id = id.try_into().map_err(|_| damaged(format!("an id of {} bytes", id.len())))?;
    let body: Body =
        serde_json::from_slice(body).map_err(|e| damaged(format!("{:?} at column {}", e.classify(), e.column())))?;
    let due = |StoredDue { at, by, is_exact }| Due { at, by, is_exact };
    Ok(Request {
        id: Reference(id),
        subject,
        kind: body.kind,
        purposes: body.purposes,
        clocks: Clocks { received: body.received, identity_verified: body.identity_verified },
        standing: body.standing,
        due: body.due.map(due),
        delayed: body.delayed,
        answered: body.answered,
        is_overdue: body.is_overdue,
        profile_rev: body.profile_rev,
        referral: body.referral,
        relative: body.relative,
        identity: body.identity,
        identity_due: body.identity_due.map(due),
        is_identity_overdue: body.is_identity_overdue,
        ground: body.ground,
        may_cost: body.may_cost,
    })
}
