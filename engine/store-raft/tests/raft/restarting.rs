//! Nodes that come back.

use std::sync::Arc;

use sayso_store::{Batch, Key, Store};

use crate::cluster::Cluster;

/// Whoever leads meanwhile would have to be elected again, and the one who came back would stand back in the next election
/// because others know more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_led_and_comes_back_unseats_nobody() {
    let mut cluster = Cluster::start(3).await;
    let first = cluster.leader().await;
    cluster.close(first).await;
    let second = cluster.leader().await;
    let leader = Arc::clone(&cluster.nodes[&second]);
    leader.commit(Batch::new().put(Key::from_bytes("meanwhile"), "yes")).await.expect("commits");
    let elected = leader.status();
    let back = cluster.open(first.0).await;
    cluster.wait("it has what there is", |_| back.status().applied >= elected.applied).await;
    let (term, follows) = (back.status().term, back.status().leader);
    assert_eq!((term, follows), (elected.term, Some(second)));
    cluster.close_all().await;
}
