//! A node of the cluster, for whoever looks after all of them.

use async_trait::async_trait;
use sayso_store::cluster::{Cluster, ClusterError, Member, Refusal};

use super::RaftStore;
use crate::{Error, NodeId};

#[async_trait]
impl Cluster for RaftStore {
    fn node(&self) -> u64 {
        self.cluster.node.0
    }

    async fn members(&self) -> Result<Vec<Member>, ClusterError> {
        Ok(self.in_time("the leader", self.members.list()).await?)
    }

    /// Unlike [`RaftStore::remove`], which is asked again until its outcome is known, this is for people, who may have written
    /// another number than they meant.
    async fn remove(&self, node: u64) -> Result<(), ClusterError> {
        if !self.members().await?.iter().any(|member| member.node == node) {
            let reason = format!("node {node} is not of this cluster");
            return Err(ClusterError::Refused { refusal: Refusal::Unknown, reason });
        }
        Ok(Self::remove(self, NodeId(node)).await?)
    }

    async fn lead(&self, node: u64) -> Result<(), ClusterError> {
        Ok(self.transfer_to(NodeId(node)).await?)
    }
}

impl From<Error> for ClusterError {
    fn from(error: Error) -> Self {
        match error {
            Error::Membership { refusal, reason } => Self::Refused { refusal, reason },
            error => Self::Unreachable { reason: error.to_string() },
        }
    }
}
