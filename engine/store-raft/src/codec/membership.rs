//! Who belongs to the cluster, and what a snapshot is of.

use std::collections::{BTreeMap, BTreeSet};

use sayso_proto::peer::v1 as wire;

use super::{Malformed, log_id_from, log_id_into, required};
use crate::types::{Address, Membership, NodeId, SnapshotMeta, StoredMembership};

pub(crate) fn membership_into(membership: &Membership) -> wire::Membership {
    let voters = membership.get_joint_config().iter();
    let members = membership.nodes();
    wire::Membership {
        voters: voters.map(|set| wire::Voters { nodes: set.iter().map(|node| node.0).collect() }).collect(),
        members: members.map(|(node, address)| wire::Member { node: node.0, address: address.0.clone() }).collect(),
    }
}

pub(crate) fn membership_from(membership: wire::Membership) -> Membership {
    let voters = membership.voters.into_iter();
    let voters: Vec<BTreeSet<_>> = voters.map(|set| set.nodes.into_iter().map(NodeId).collect()).collect();
    let members = membership.members.into_iter();
    let members: BTreeMap<_, _> = members.map(|member| (NodeId(member.node), Address(member.address))).collect();
    Membership::new(voters, members)
}

pub(crate) fn stored_membership_into(stored: &StoredMembership) -> wire::StoredMembership {
    wire::StoredMembership {
        log_id: stored.log_id().as_ref().map(log_id_into),
        membership: Some(membership_into(stored.membership())),
    }
}

pub(crate) fn stored_membership_from(stored: Option<wire::StoredMembership>) -> Result<StoredMembership, Malformed> {
    let wire::StoredMembership { log_id, membership } = required(stored, "it has no membership")?;
    let membership = membership_from(required(membership, "a stored membership is empty")?);
    Ok(StoredMembership::new(log_id.map(log_id_from), membership))
}

pub(crate) fn meta_into(meta: &SnapshotMeta) -> wire::SnapshotMeta {
    wire::SnapshotMeta {
        last_log_id: meta.last_log_id.as_ref().map(log_id_into),
        membership: Some(stored_membership_into(&meta.last_membership)),
        id: meta.snapshot_id.clone(),
    }
}

pub(crate) fn meta_from(meta: Option<wire::SnapshotMeta>) -> Result<SnapshotMeta, Malformed> {
    let wire::SnapshotMeta { last_log_id, membership, id } = required(meta, "a snapshot does not say what it is of")?;
    Ok(SnapshotMeta {
        last_log_id: last_log_id.map(log_id_from),
        last_membership: stored_membership_from(membership)?,
        snapshot_id: id,
    })
}
