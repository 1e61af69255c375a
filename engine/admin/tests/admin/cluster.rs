//! The nodes that replicate a store, from the door for operators.

use std::sync::{Arc, Mutex};

use sayso_proto::admin::v1::cluster_client::ClusterClient;
use sayso_proto::admin::v1::{ClusterMember, ClusterMembersRequest, LeadRequest, MemberRole, RemoveMemberRequest};
use sayso_runtime::TaskKind;
use sayso_store::cluster::{Cluster, ClusterError, Member, Refusal, Role};
use tonic::Code;
use tonic::transport::Channel;

use crate::node::{Node, TENANT, options_of};
use crate::{refused, soon};

/// Three nodes, of which the first serves and the second leads; the third does not answer.
#[derive(Default)]
struct Three {
    removed: Mutex<Vec<u64>>,
}

#[tonic::async_trait]
impl Cluster for Three {
    fn node(&self) -> u64 {
        1
    }

    async fn members(&self) -> Result<Vec<Member>, ClusterError> {
        let member =
            |node, role, behind, is_there| Member { node, address: format!("n{node}:1"), role, behind, is_there };
        Ok(vec![
            member(1, Role::Voter, Some(0), true),
            member(2, Role::Leader, Some(0), true),
            member(3, Role::Learner, None, false),
        ])
    }

    async fn remove(&self, node: u64) -> Result<(), ClusterError> {
        match node {
            2 => Err(ClusterError::Refused { refusal: Refusal::NoMajority, reason: "too few are left".to_owned() }),
            3 => {
                self.removed.lock().unwrap().push(node);
                Ok(())
            }
            _ => Err(ClusterError::Refused { refusal: Refusal::Unknown, reason: String::new() }),
        }
    }

    async fn lead(&self, node: u64) -> Result<(), ClusterError> {
        match node {
            2 => Ok(()),
            _ => Err(ClusterError::Unreachable { reason: "it is away".to_owned() }),
        }
    }
}

/// A node of such a cluster.
async fn node(cluster: Arc<Three>) -> Node {
    let mut node = Node::start().await;
    let options = options_of(&node.authority, "127.0.0.1:0".parse().unwrap());
    let admin = node.bind(options).unwrap().with_cluster(cluster);
    node.addr = admin.local_addr();
    node.tasks.spawn(TaskKind::Listener, "admin", admin.run(node.shutdown.clone())).detach();
    node
}

async fn operator(node: &Node) -> ClusterClient<Channel> {
    ClusterClient::new(node.operator().await.channel)
}

#[tokio::test]
async fn who_belongs_to_the_cluster_is_told() {
    let node = node(Arc::default()).await;
    let answer = soon(operator(&node).await.members(ClusterMembersRequest {})).await.unwrap().into_inner();
    let address = |node| format!("n{node}:1");
    let told = [
        (1, MemberRole::Voter, Some(0), true),
        (2, MemberRole::Leader, Some(0), true),
        (3, MemberRole::Learner, None, false),
    ];
    let told = told.map(|(node, role, behind, there)| ClusterMember {
        node,
        address: address(node),
        role: role.into(),
        behind,
        there,
    });
    assert_eq!((answer.serving, answer.members), (1, told.to_vec()));
}

#[tokio::test]
async fn a_node_is_removed_on_record_and_what_cannot_be_is_refused_by_name() {
    let cluster = Arc::<Three>::default();
    let node = node(cluster.clone()).await;
    let mut client = operator(&node).await;
    soon(client.remove(RemoveMemberRequest { node: 3 })).await.unwrap();
    assert_eq!(*cluster.removed.lock().unwrap(), [3]);
    let leaves = node.leaves().await;
    let last = leaves.last().unwrap();
    assert_eq!(last.fact.event.name(), "operator.access");
    assert!(last.fact.actor.tag.is_some(), "who did it is on record");

    let (code, said) = refused(client.remove(RemoveMemberRequest { node: 2 })).await;
    assert_eq!((code, said.as_str()), (Code::FailedPrecondition, "node: too few are left"));
    let (code, said) = refused(client.remove(RemoveMemberRequest { node: 1 })).await;
    assert_eq!(code, Code::FailedPrecondition);
    assert!(said.contains("stop it, and another takes over"), "{said}");
    let (code, said) = refused(client.remove(RemoveMemberRequest { node: 9 })).await;
    assert_eq!(code, Code::NotFound);
    assert!(said.contains("sayso store members"), "{said}");
    assert_eq!(*cluster.removed.lock().unwrap(), [3]);
}

#[tokio::test]
async fn leading_is_handed_over_or_it_is_said_who_does_not_answer() {
    let node = node(Arc::default()).await;
    let mut client = operator(&node).await;
    soon(client.lead(LeadRequest { node: 2 })).await.unwrap();
    let (code, said) = refused(client.lead(LeadRequest { node: 3 })).await;
    assert_eq!(code, Code::Unavailable);
    assert!(said.contains("it is away"), "{said}");
}

#[tokio::test]
async fn the_nodes_are_the_operators_and_a_store_of_one_node_has_none() {
    let node = node(Arc::default()).await;
    let mut tenant = ClusterClient::new(node.integrator(TENANT).await.channel);
    let codes = [
        refused(tenant.members(ClusterMembersRequest {})).await.0,
        refused(tenant.remove(RemoveMemberRequest { node: 3 })).await.0,
        refused(tenant.lead(LeadRequest { node: 2 })).await.0,
    ];
    assert_eq!(codes, [Code::PermissionDenied; 3]);
    let alone = Node::start().await;
    let (code, said) = refused(operator(&alone).await.members(ClusterMembersRequest {})).await;
    assert_eq!(code, Code::FailedPrecondition);
    assert!(said.contains("not replicated"), "{said}");
}
