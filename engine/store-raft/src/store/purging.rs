//! Purging all replicas, one after another, so that a majority always writes at its usual pace.

use std::collections::{BTreeMap, BTreeSet};

use sayso_proto::peer::v1 as wire;
use sayso_proto::peer::v1::{request, response};
use sayso_store::Error;

use super::RaftStore;
use crate::codec::log_id_into;
use crate::members::{Member, Status};
use crate::purge::ANSWERED_WITHIN;
use crate::types::LogId;
use crate::within::{Wait, within};
use crate::{Address, NodeId};

/// A purge that was begun.
#[derive(Debug)]
pub(super) struct Purging {
    /// What was deleted by the entries up to here is to go.
    upto: LogId,
    /// Who has done it.
    done: BTreeSet<NodeId>,
}

impl RaftStore {
    /// Has every member purge what is deleted by now; says who they are.
    pub(super) async fn purge_everywhere(&self) -> Result<Vec<u64>, Error> {
        let mut begun = self.purging.lock().await;
        if let Some(earlier) = begun.as_mut() {
            // whoever has done that does not rewrite its disk again for as long as somebody else is away
            self.go_on(earlier).await?;
        }
        let upto = self.answered(self.catch_up()).await?;
        let upto =
            upto.ok_or(Error::Invalid { what: "a store in which nothing was ever written has nothing to purge" })?;
        let replicas = self.go_on(begun.insert(Purging { upto, done: BTreeSet::new() })).await?;
        *begun = None;
        Ok(replicas)
    }

    async fn go_on(&self, purging: &mut Purging) -> Result<Vec<u64>, Error> {
        let mut missing = BTreeMap::new();
        loop {
            // looked at anew each time: who has left is not waited for, and who has come may have been given what is to go
            self.answered(self.catch_up()).await?;
            let Status { leader, mut members, .. } = self.status();
            let rest = |node: &NodeId| !purging.done.contains(node) && !missing.contains_key(node);
            // who leads is last: the others have what it cuts off by then, and need no snapshot for it
            members.sort_by_key(|member| (Some(member.node) == leader, member.node));
            let next = members.iter().find(|member| rest(&member.node));
            let Some(Member { node, address, .. }) = next else {
                missing.retain(|node, _| members.iter().any(|member| member.node == *node));
                metrics::gauge!("sayso_store_raft_unpurged_members").set(missing.len() as f64);
                if missing.is_empty() {
                    return Ok(members
                        .iter()
                        .map(|member| member.node.0)
                        .collect::<BTreeSet<_>>()
                        .into_iter()
                        .collect());
                }
                let told: Vec<_> = missing.iter().map(|(node, reason)| format!("node {node} ({reason})")).collect();
                return Err(Error::Unpurged { replicas: told.join(", ") });
            };
            match self.purge_at(*node, address, purging.upto).await {
                Ok(()) => drop(purging.done.insert(*node)),
                Err(reason) => drop(missing.insert(*node, reason)),
            }
        }
    }

    async fn purge_at(&self, node: NodeId, address: &Address, upto: LogId) -> Result<(), String> {
        if node == self.cluster.node {
            return self.purge.here(upto).await;
        }
        let request = request::Request::Purge(wire::Purge { upto: Some(log_id_into(&upto)) });
        let asked = within(Wait::PurgedPeer, ANSWERED_WITHIN, self.links.request(node, address, request)).await;
        match asked.map_err(|late| late.to_string())?.map_err(|error| error.to_string())? {
            response::Response::Purge(_) => Ok(()),
            // also what a program says that does not know the request yet
            response::Response::Failure(failure) => Err(failure.reason),
            _ => Err("its answer is not of the request's type".to_owned()),
        }
    }
}
