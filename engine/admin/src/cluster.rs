//! The `Cluster` service: the nodes that replicate the store, and how they leave and lead.

use std::sync::Arc;

use sayso_audit::AuditKey;
use sayso_consent::Journal;
use sayso_proto::admin::v1 as proto;
use sayso_proto::admin::v1::cluster_server::Cluster;
use sayso_store::ClusterError;
use sayso_store::cluster::{Member, Refusal as Reason, Role};
use sayso_types::Name;
use tonic::{Request, Response, Status};

use crate::operator::Operator;
use crate::refusal::Refusal;

/// What is on record of a removal, before it is begun.
const REMOVED: Name = Name::constant("member.remove");

/// Serves the nodes of a cluster to its operator.
pub(crate) struct ClusterService {
    /// None where no nodes replicate the store.
    pub(crate) cluster: Option<Arc<dyn sayso_store::Cluster>>,
    pub(crate) journal: Journal,
    pub(crate) key: AuditKey,
}

impl ClusterService {
    /// The cluster, for the operator of the node.
    fn of(&self, operator: &Operator) -> Result<&dyn sayso_store::Cluster, Refusal> {
        operator.must_see_all()?;
        self.cluster.as_deref().ok_or_else(|| {
            let problem = "it is not replicated by nodes: this one alone has it".to_owned();
            Refusal::NotNow { field: "store", problem }
        })
    }

    async fn members_of(&self, operator: &Operator) -> Result<proto::ClusterMembersResponse, Refusal> {
        let cluster = self.of(operator)?;
        let members = cluster.members().await?.into_iter().map(member).collect();
        Ok(proto::ClusterMembersResponse { serving: cluster.node(), members })
    }

    async fn remove_one(&self, operator: &Operator, node: u64) -> Result<(), Refusal> {
        let cluster = self.of(operator)?;
        if node == cluster.node() {
            let problem = format!(
                "node {node} is the one that serves: stop it, and another takes over at once; ask that one to remove it"
            );
            return Err(Refusal::NotNow { field: "node", problem });
        }
        self.journal.operator(operator.actor(&self.key), REMOVED, 0).await?;
        Ok(cluster.remove(node).await?)
    }
}

#[tonic::async_trait]
impl Cluster for ClusterService {
    async fn members(
        &self,
        request: Request<proto::ClusterMembersRequest>,
    ) -> Result<Response<proto::ClusterMembersResponse>, Status> {
        Ok(Response::new(self.members_of(&Operator::of(&request)?).await?))
    }

    async fn remove(
        &self,
        request: Request<proto::RemoveMemberRequest>,
    ) -> Result<Response<proto::RemoveMemberResponse>, Status> {
        self.remove_one(&Operator::of(&request)?, request.get_ref().node).await?;
        Ok(Response::new(proto::RemoveMemberResponse {}))
    }

    async fn lead(&self, request: Request<proto::LeadRequest>) -> Result<Response<proto::LeadResponse>, Status> {
        let cluster = self.of(&Operator::of(&request)?)?;
        cluster.lead(request.get_ref().node).await.map_err(Refusal::from)?;
        Ok(Response::new(proto::LeadResponse {}))
    }
}

fn member(member: Member) -> proto::ClusterMember {
    let Member { node, address, role, behind, is_there } = member;
    let role = match role {
        Role::Leader => proto::MemberRole::Leader,
        Role::Voter => proto::MemberRole::Voter,
        Role::Learner => proto::MemberRole::Learner,
    };
    proto::ClusterMember { node, address, role: role.into(), behind, there: is_there }
}

impl From<ClusterError> for Refusal {
    fn from(error: ClusterError) -> Self {
        match error {
            ClusterError::Refused { refusal: Reason::Unknown, .. } => Self::NotFound {
                field: "node",
                problem: "it is not of this cluster; `sayso store members` lists who is",
            },
            ClusterError::Refused { reason, .. } => Self::NotNow { field: "node", problem: reason },
            ClusterError::Unreachable { reason } => Self::NoLeader { reason },
        }
    }
}
