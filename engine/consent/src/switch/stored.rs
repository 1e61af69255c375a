//! Switches as they are stored, schema version 1: JSON, because they outlive the program that wrote them.

use sayso_audit::Reference;
use sayso_store::{Error as StoreError, Key, Op, TypedKey};
use sayso_types::{Name, WallTime};
use serde::{Deserialize, Serialize};

use super::{Position, Switch, Target};
use crate::Error;
use crate::tables::{SWITCH, SwitchKey};

#[derive(Serialize, Deserialize)]
struct Body {
    #[serde(with = "hex")]
    id: [u8; 16],
    position: Position,
    reason: Name,
    since: WallTime,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    incident: Option<Incident>,
    rev: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct Incident(#[serde(with = "hex")] [u8; 16]);

/// Where the switch of `target` is stored.
pub(crate) fn key(target: &Target) -> Key {
    SwitchKey { sort: target.sort().to_owned(), name: target.name().to_owned() }.key()
}

/// What stores `switch`.
pub(crate) fn put(switch: &Switch) -> Op {
    let body = Body {
        id: switch.id.0,
        position: switch.position,
        reason: switch.reason,
        since: switch.since,
        incident: switch.incident.map(|incident| Incident(incident.0)),
        rev: switch.rev,
    };
    Op::Put(key(&switch.target), SWITCH.encode(&serde_json::to_vec(&body).expect("plain values are JSON")))
}

/// The switch that is stored as `body` under `key`.
pub(crate) fn decode(key: &Key, body: &[u8]) -> Result<Switch, Error> {
    let damaged = |found: String| Error::Damaged { what: "switch", found };
    let SwitchKey { sort, name } = SwitchKey::parse(key).map_err(StoreError::from)?;
    let unread = || damaged(format!("a {sort} whose name cannot be read"));
    let target = Target::parse(&sort, &name).ok_or_else(unread)?;
    let body: Body =
        serde_json::from_slice(body).map_err(|e| damaged(format!("{:?} at column {}", e.classify(), e.column())))?;
    Ok(Switch {
        id: Reference(body.id),
        target,
        position: body.position,
        reason: body.reason,
        since: body.since,
        incident: body.incident.map(|incident| Reference(incident.0)),
        rev: body.rev,
    })
}
