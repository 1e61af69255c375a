//! Withdrawals as they are stored: each of everything, of one purpose or of a part, from its request until it is in effect. What ends
//! consent otherwise goes the same way, and says so.

use prost::Message;
use sayso_audit::{ActorKind, ConsentEnding, Reference, Scope};
use sayso_policy::ConsentStatus;
use sayso_proto::consent::v1::{self as proto, Withdrawal, WithdrawalState};
use sayso_types::{ConsentVersion, Purpose, SubjectId, WallTime};

use super::{actor, channel, part};
use crate::Error;
use crate::evidence::{Ending, Means};

/// `schema_version` of the withdrawals written here.
pub(crate) const SCHEMA: &str = "sayso/withdrawal/v1";

/// Through which door consent is ended otherwise than by whoever gave it.
const CONTROLLER: &str = "controller";

/// Why consent ends before its time.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cause {
    /// It was taken back this way.
    Withdrawn(Means),
    /// It was ended otherwise.
    Ended(Ending),
}

/// A withdrawal of `scope` for `cause`, requested at `now`.
pub(crate) fn requested(
    subject: SubjectId,
    reference: Reference,
    scope: Scope,
    cause: Cause,
    cv: ConsentVersion,
    now: WallTime,
) -> Withdrawal {
    let (actor, channel) = match cause {
        Cause::Withdrawn(means) => (actor(means), channel(means)),
        Cause::Ended(ending) => (operators(ending.by.kind), CONTROLLER),
    };
    let (becomes, reason) = match cause {
        Cause::Withdrawn(_) => (proto::ConsentStatus::Unspecified, String::new()),
        Cause::Ended(ending) => (super::status(becomes(ending.how)), ending.reason.to_string()),
    };
    let (purpose, part) = match scope {
        Scope::Everything => (None, None),
        Scope::Purpose(purpose) => (Some(purpose), None),
        Scope::Part(part) => (None, Some(part::write(&part))),
    };
    Withdrawal {
        schema_version: SCHEMA.into(),
        withdrawal_id: reference.0.to_vec(),
        pii_principal_id: subject.0.to_vec(),
        purposes: purpose.iter().map(Purpose::to_string).collect(),
        actor: actor.into(),
        channel: channel.into(),
        requested_unix_ms: now.0,
        effective_unix_ms: 0,
        consent_version: cv.0,
        state: WithdrawalState::Pending.into(),
        holders: Vec::new(),
        becomes: becomes.into(),
        reason,
        part,
    }
}

/// Who ended it, as records say it.
const fn operators(kind: ActorKind) -> proto::ActorKind {
    match kind {
        ActorKind::Subject => proto::ActorKind::Subject,
        ActorKind::Guardian => proto::ActorKind::Guardian,
        ActorKind::Device => proto::ActorKind::Device,
        ActorKind::Operator => proto::ActorKind::Operator,
        ActorKind::Tenant => proto::ActorKind::Tenant,
        ActorKind::System => proto::ActorKind::System,
    }
}

/// What consent becomes that ends so.
pub(crate) const fn becomes(ending: ConsentEnding) -> ConsentStatus {
    match ending {
        ConsentEnding::Revoked => ConsentStatus::Revoked,
        ConsentEnding::Invalidated => ConsentStatus::Invalidated,
    }
}

/// What the consent becomes with it.
pub(crate) fn status(withdrawal: &Withdrawal) -> ConsentStatus {
    let ended = ConsentEnding::ALL.into_iter().map(becomes);
    let mut ended = ended.filter(|status| super::status(*status) == withdrawal.becomes());
    ended.next().unwrap_or(ConsentStatus::Withdrawn)
}

/// Whether it is not yet in effect.
pub(crate) fn is_pending(withdrawal: &Withdrawal) -> bool {
    withdrawal.state() == WithdrawalState::Pending
}

/// Whether it takes back all of the consent to `purpose`.
pub(crate) fn covers(withdrawal: &Withdrawal, purpose: Purpose) -> bool {
    let of_it = || withdrawal.purposes.iter().any(|name| name == purpose.as_str());
    withdrawal.part.is_none() && (withdrawal.purposes.is_empty() || of_it())
}

/// What it is of.
pub(crate) fn scope(withdrawal: &Withdrawal) -> Result<Scope, Error> {
    if let Some(part) = &withdrawal.part {
        return part::read(part).map(Scope::Part).map_err(|field| damaged(format!("its part: {field}")));
    }
    let Some(purpose) = withdrawal.purposes.first() else { return Ok(Scope::Everything) };
    purpose.parse().map(Scope::Purpose).map_err(|e| damaged(format!("its purpose: {e}")))
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
