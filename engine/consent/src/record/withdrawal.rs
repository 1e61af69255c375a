//! Withdrawals as they are stored: each of everything or of one purpose, from its request until it is in effect.

use prost::Message;
use sayso_audit::Reference;
use sayso_proto::consent::v1::{Withdrawal, WithdrawalState};
use sayso_types::{ConsentVersion, Purpose, SubjectId, WallTime};

use super::{actor, channel};
use crate::Error;
use crate::evidence::Means;

/// `schema_version` of the withdrawals written here.
pub(crate) const SCHEMA: &str = "sayso/withdrawal/v1";

/// A withdrawal of `purpose` ([`None`]: of everything), requested at `now`.
pub(crate) fn requested(
    subject: SubjectId,
    reference: Reference,
    purpose: Option<Purpose>,
    means: Means,
    cv: ConsentVersion,
    now: WallTime,
) -> Withdrawal {
    Withdrawal {
        schema_version: SCHEMA.into(),
        withdrawal_id: reference.0.to_vec(),
        pii_principal_id: subject.0.to_vec(),
        purposes: purpose.iter().map(Purpose::to_string).collect(),
        actor: actor(means).into(),
        channel: channel(means).into(),
        requested_unix_ms: now.0,
        effective_unix_ms: 0,
        consent_version: cv.0,
        state: WithdrawalState::Pending.into(),
        holders: Vec::new(),
    }
}

/// Whether it is not yet in effect.
pub(crate) fn is_pending(withdrawal: &Withdrawal) -> bool {
    withdrawal.state() == WithdrawalState::Pending
}

/// Whether it takes back consent to `purpose`.
pub(crate) fn covers(withdrawal: &Withdrawal, purpose: Purpose) -> bool {
    withdrawal.purposes.is_empty() || withdrawal.purposes.iter().any(|name| name == purpose.as_str())
}

/// The purpose that it is of; [`None`] is everything.
pub(crate) fn purpose(withdrawal: &Withdrawal) -> Result<Option<Purpose>, Error> {
    let purpose = withdrawal.purposes.first().map(|name| name.parse()).transpose();
    purpose.map_err(|e| damaged(format!("its purpose: {e}")))
}

/// What its leaves call it.
pub(crate) fn reference(withdrawal: &Withdrawal) -> Result<Reference, Error> {
    let id = withdrawal.withdrawal_id.as_slice();
    id.try_into().map(Reference).map_err(|_| damaged(format!("an id of {} bytes", id.len())))
}

/// How it reached the engine.
pub(super) fn means(withdrawal: &Withdrawal) -> Option<Means> {
    let all = [Means::Voice, Means::Button, Means::Integrator, Means::Guardian, Means::Permission];
    all.into_iter().find(|means| channel(*means) == withdrawal.channel)
}

pub(crate) fn encode(withdrawal: &Withdrawal) -> Vec<u8> {
    withdrawal.encode_to_vec()
}

pub(crate) fn decode(body: &[u8]) -> Result<Withdrawal, Error> {
    Withdrawal::decode(body).map_err(|e| damaged(e.to_string()))
}

const fn damaged(found: String) -> Error {
    Error::Damaged { what: "withdrawal", found }
}
