//! What was anonymised, from the door for operators.

use sayso_proto::admin::v1::ListStatisticsRequest;
use tonic::Code;

use crate::node::{Node, TENANT};
use crate::soon;

#[tokio::test]
async fn what_was_anonymised_is_for_the_operator_of_the_node() {
    let node = Node::start().await;
    let (operator, tenant) = (node.operator().await, node.integrator(TENANT).await);
    let listed = soon(operator.statistics().list(ListStatisticsRequest {})).await.unwrap().into_inner();
    assert_eq!(listed.statistics, [], "nothing was anonymised yet");
    let refused = soon(tenant.statistics().list(ListStatisticsRequest {})).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied, "{refused:?}");
}
