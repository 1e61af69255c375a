//! Reading the audit log.

use sayso_audit::merkle::leaf_hash;
use sayso_audit::{Checkpoint, Frontier, Leaf};
use sayso_proto::admin::v1::{CheckpointRequest, ListSessionsRequest, ReadAuditRequest};
use tonic::Code;

use crate::device::attach;
use crate::node::{Client, Node, TENANT};
use crate::{refused, soon};

async fn read(client: &Client, request: ReadAuditRequest) -> Vec<(u64, Vec<u8>)> {
    let mut stream = soon(client.audit().read(request)).await.unwrap().into_inner();
    let mut leaves = Vec::new();
    while let Some(read) = soon(stream.message()).await.unwrap() {
        leaves.push((read.index, read.leaf));
    }
    leaves
}

/// Makes `count` leaves.
async fn look(client: &Client, count: usize) {
    for _ in 0..count {
        soon(client.sessions().list(ListSessionsRequest::default())).await.unwrap();
    }
}

#[tokio::test]
async fn the_checkpoint_is_of_the_leaves_that_are_read() {
    let node = Node::start().await;
    let _attached = attach(&node.sessions, TENANT, "speaker-1").await;
    let client = node.operator().await;
    let begun = node.leaves().await.len() as u64;
    look(&client, 3).await;
    let note = soon(client.audit().checkpoint(CheckpointRequest::default())).await.unwrap().into_inner().note;
    let checkpoint = Checkpoint::open(&note, &[node.signer.verifier().clone()]).unwrap();
    let leaves = read(&client, ReadAuditRequest::default()).await;
    let mut frontier = Frontier::new();
    for (expected, (index, leaf)) in leaves.iter().enumerate() {
        assert_eq!(*index, expected as u64);
        assert_eq!(Leaf::decode(leaf).unwrap().place.sequence, *index);
        frontier.append(leaf_hash(leaf));
    }
    assert_eq!(checkpoint.origin, "test.example/log");
    assert_eq!((checkpoint.size, checkpoint.root), (begun + 3, frontier.root()));
}

#[tokio::test]
async fn parts_are_read_and_the_end_is_the_end() {
    let node = Node::start().await;
    let _attached = attach(&node.sessions, TENANT, "speaker-1").await;
    let client = node.operator().await;
    let begun = node.leaves().await.len() as u64;
    look(&client, 300).await;
    let end = begun + 300;
    let part = |from_index, limit| ReadAuditRequest { from_index, limit, ..Default::default() };
    let indices = |leaves: Vec<(u64, Vec<u8>)>| leaves.into_iter().map(|(index, _)| index).collect::<Vec<_>>();
    assert_eq!(indices(read(&client, part(0, 0)).await), (0..end).collect::<Vec<_>>());
    assert_eq!(indices(read(&client, part(1, 2)).await), [1, 2]);
    assert_eq!(indices(read(&client, part(end - 2, 9)).await), [end - 2, end - 1]);
    assert!(read(&client, part(end, 0)).await.is_empty());
    let (code, message) = refused(client.audit().read(part(end + 1, 0))).await;
    assert_eq!(code, Code::OutOfRange);
    assert!(message.starts_with(&format!("from_index: the log has {end} leaves")), "{message}");
    let elsewhere = ReadAuditRequest { shard: 1, ..Default::default() };
    assert_eq!(refused(client.audit().read(elsewhere)).await.0, Code::NotFound);
    assert_eq!(refused(client.audit().checkpoint(CheckpointRequest { shard: 1 })).await.0, Code::NotFound);
}

#[tokio::test]
async fn a_follower_gets_what_comes_next() {
    let node = Node::start().await;
    let _attached = attach(&node.sessions, TENANT, "speaker-1").await;
    let client = node.operator().await;
    let begun = node.leaves().await.len() as u64;
    let request = ReadAuditRequest { from_index: begun, limit: 2, follow: true, ..Default::default() };
    let mut follow = soon(client.audit().read(request)).await.unwrap().into_inner();
    for index in begun..begun + 2 {
        look(&client, 1).await;
        assert_eq!(soon(follow.message()).await.unwrap().unwrap().index, index);
    }
    assert_eq!(soon(follow.message()).await.unwrap(), None, "as many as were asked for");
}
