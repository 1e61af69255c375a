//! Nodes come, go and hand over, while others write.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sayso_runtime::{TaskHandle, TaskKind, Tasks};
use sayso_store::cluster::{Cluster as _, ClusterError, Refusal, Role};
use sayso_store::{Batch, Key, Range, Store};
use sayso_store_raft::{Error, NodeId, RaftStore, Timers};

use crate::cluster::Cluster;

/// Commits one key after another, until it is told to stop. Every one of them must succeed.
struct Writer {
    stop: Arc<AtomicBool>,
    task: TaskHandle,
}

impl Writer {
    fn start(store: Arc<RaftStore>, tasks: &Tasks) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let task = tasks.spawn(TaskKind::Client, "writer", async move {
            let mut count = 0u64;
            while !stopped.load(Ordering::Relaxed) {
                put(&store, &format!("written {count:08}")).await;
                count += 1;
            }
            assert!(count > 0);
        });
        Self { stop, task }
    }

    async fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        assert_eq!(self.task.join().await, sayso_runtime::tasks::Exit::Done, "every commit succeeded");
    }
}

async fn put(store: &RaftStore, key: &str) {
    store.commit(Batch::new().put(Key::from_bytes(key.to_owned()), "1")).await.expect("commits");
}

async fn count(store: &RaftStore) -> usize {
    let (mut count, mut rest) = (0, Some(Range::all()));
    while let Some(range) = rest {
        let page = store.scan(range, 1_000).await.expect("scans");
        count += page.entries.len();
        rest = page.rest;
    }
    count
}

fn voters(store: &RaftStore) -> Vec<u64> {
    store.status().members.iter().filter(|member| member.voter).map(|member| member.node.0).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_joins_with_a_snapshot_and_one_leaves() {
    let mut cluster = Cluster::new(1);
    let mut options = cluster.options(1);
    options.log_entries = 20;
    let first = cluster.try_open(options, 1).await.expect("opens");
    cluster.nodes.insert(NodeId(1), Arc::clone(&first));
    for n in 0..100 {
        put(&first, &format!("before {n}")).await;
    }
    cluster.wait("the log is cut", |_| first.status().applied > Some(100)).await;

    let second = cluster.open(2).await;
    second.join().await.expect("joins");
    second.join().await.expect("joining again does nothing");
    assert_eq!(voters(&first), [1, 2]);
    assert_eq!(count(&second).await, 100, "what was there before it came is there");
    put(&second, "after").await;
    assert_eq!(count(&first).await, 101);

    first.remove(NodeId(2)).await.expect("leaves");
    first.remove(NodeId(2)).await.expect("removing again does nothing");
    cluster.wait("one is left", |_| voters(&first) == [1]).await;
    put(&first, "alone").await;
    let last = first.remove(NodeId(1)).await;
    assert!(matches!(last, Err(Error::Membership { refusal: Refusal::LastVoter, .. })), "{last:?}");
    cluster.close_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_node_is_replaced_while_others_write() {
    let mut cluster = Cluster::start(3).await;
    let tasks = Tasks::new();
    let leader = cluster.leader().await;
    let dead = *cluster.nodes.keys().find(|node| **node != leader).expect("a follower");
    let store = Arc::clone(&cluster.nodes[&leader]);
    let writer = Writer::start(Arc::clone(&store), &tasks);
    cluster.close(dead).await;
    let fourth = cluster.open(4).await;
    fourth.join().await.expect("joins");
    store.remove(dead).await.expect("is removed");
    writer.stop().await;
    let mut expected: Vec<u64> = [1, 2, 3, 4].into_iter().filter(|node| *node != dead.0).collect();
    cluster.wait("all know it", |cluster| cluster.nodes.values().all(|node| voters(node) == expected)).await;
    assert_eq!(count(&fourth).await, count(&store).await);

    // the cluster does without any one of the three, so the new one counts
    expected.retain(|node| *node != 4);
    cluster.close(NodeId(expected[0])).await;
    put(&fourth, "with two of three").await;
    cluster.close_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_hands_over_without_losing_a_commit() {
    let mut cluster = Cluster::start(3).await;
    let tasks = Tasks::new();
    let from = cluster.leader().await;
    let to = *cluster.nodes.keys().find(|node| **node != from).expect("a follower");
    let other = *cluster.nodes.keys().find(|node| **node != from && **node != to).expect("a follower");
    let writer = Writer::start(Arc::clone(&cluster.nodes[&other]), &tasks);
    cluster.nodes[&other].transfer_to(to).await.expect("hands over");
    cluster
        .wait("all follow the new one", |cluster| cluster.nodes.values().all(|node| node.status().leader == Some(to)))
        .await;
    cluster.close(from).await;
    writer.stop().await;
    let unknown = cluster.nodes[&other].transfer_to(NodeId(9)).await;
    assert!(matches!(unknown, Err(Error::Membership { refusal: Refusal::Unknown, .. })), "{unknown:?}");
    cluster.close_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hand_over_that_is_cut_off_leaves_the_leader_as_it_was() {
    let mut cluster = Cluster::start(3).await;
    let leader = cluster.leader().await;
    let gone = *cluster.nodes.keys().find(|node| **node != leader).expect("a follower");
    cluster.close(gone).await;
    let store = Arc::clone(&cluster.nodes[&leader]);
    {
        let mut handing_over = core::pin::pin!(store.transfer_to(gone));
        assert!(futures::poll!(&mut handing_over).is_pending(), "nobody is there to take over");
    }
    put(&store, "afterwards").await;
    cluster.close_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_that_is_closed_has_handed_over_before_it_is_missed() {
    let mut cluster = Cluster::new(3);
    // how long it takes at most to hand over is counted in elections, and a busy machine is not to use that up
    cluster.timers = Timers { heartbeat: Duration::from_millis(400), election: Duration::from_secs(2) };
    cluster.open_all().await;
    let from = cluster.leader().await;
    let other = cluster.follower().await;
    let tasks = Tasks::new();
    let writer = Writer::start(Arc::clone(&other), &tasks);
    let closed = Arc::clone(&cluster.nodes[&from]);
    cluster.close(from).await;
    // what it knew last; the others may hear of it after it has ended
    let next = closed.status().leader;
    assert!(next.is_some_and(|next| next != from), "it has ended before another led: {next:?}");
    cluster.wait("the next leader", |cluster| cluster.nodes.values().any(|node| node.status().leader == next)).await;
    writer.stop().await;
    // the last two hand over, and the last one closes without
    cluster.close_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_that_is_taken_is_refused() {
    let mut cluster = Cluster::start(1).await;
    let second = cluster.open(2).await;
    cluster.nodes[&NodeId(1)]
        .add_learner(NodeId(2), "127.0.0.1:9".parse::<std::net::SocketAddr>().expect("an address").into())
        .await
        .expect("is added");
    let joined = second.join().await;
    assert!(matches!(joined, Err(Error::Membership { refusal: Refusal::Taken, .. })), "{joined:?}");
    cluster.close_all().await;
}

/// Opens `node` again, whose disk says that it was removed.
async fn does_not_come_back(cluster: &mut Cluster, node: NodeId) {
    let options = cluster.options(node.0);
    let refused = cluster.try_open(options, node.0).await.map(drop);
    assert!(matches!(refused, Err(Error::Removed { node: removed, .. }) if removed == node), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_living_node_that_is_removed_is_told_so_and_does_not_come_back() {
    let mut cluster = Cluster::start(3).await;
    let tasks = Tasks::new();
    let leader = Arc::clone(&cluster.nodes[&cluster.leader().await]);
    let gone = cluster.follower().await;
    let id = gone.status().node;
    let writer = Writer::start(Arc::clone(&leader), &tasks);
    leader.remove(id).await.expect("is removed");
    let told = gone.ended().await;
    assert!(matches!(told, Error::Removed { node, .. } if node == id), "{told:?}");
    let read = gone.read(&[Key::from_bytes("written 00000000")]).await;
    assert!(matches!(read, Err(sayso_store::Error::Closed)), "{read:?}");
    writer.stop().await;
    cluster.close(id).await;
    does_not_come_back(&mut cluster, id).await;

    // its number is not given again, also by a member that came later and never saw it
    let fourth = cluster.open(4).await;
    fourth.join().await.expect("joins");
    fourth.transfer_to(NodeId(4)).await.expect("leads");
    let again = fourth.add_learner(id, "127.0.0.1:9".parse::<std::net::SocketAddr>().expect("an address").into()).await;
    assert!(matches!(again, Err(Error::Membership { refusal: Refusal::Removed, .. })), "{again:?}");
    cluster.close_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_was_removed_while_it_was_dead_is_told_when_it_comes_back() {
    let mut cluster = Cluster::start(3).await;
    let leader = cluster.leader().await;
    let dead = cluster.follower().await.status().node;
    cluster.close(dead).await;
    cluster.nodes[&leader].remove(dead).await.expect("is removed");
    let back = cluster.open(dead.0).await;
    let told = back.ended().await;
    assert!(matches!(told, Error::Removed { node, .. } if node == dead), "{told:?}");
    cluster.close(dead).await;
    does_not_come_back(&mut cluster, dead).await;
    put(&cluster.nodes[&leader], "without it").await;
    cluster.close_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_that_is_removed_hands_over_first() {
    let mut cluster = Cluster::start(3).await;
    let tasks = Tasks::new();
    let from = cluster.leader().await;
    let other = cluster.follower().await;
    let writer = Writer::start(Arc::clone(&other), &tasks);
    other.remove(from).await.expect("is removed");
    let told = cluster.nodes[&from].ended().await;
    assert!(matches!(told, Error::Removed { .. }), "{told:?}");
    writer.stop().await;
    assert_eq!(voters(&other).len(), 2);
    cluster.close_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_that_would_leave_no_majority_is_refused_and_holds_up_nobody() {
    let mut cluster = Cluster::start(3).await;
    let leader = cluster.leader().await;
    let dead = cluster.follower().await.status().node;
    cluster.close(dead).await;
    let alive = *cluster.nodes.keys().find(|node| **node != leader).expect("one is left");
    let store = Arc::clone(&cluster.nodes[&leader]);
    let refused = store.remove(alive).await;
    assert!(matches!(refused, Err(Error::Membership { refusal: Refusal::NoMajority, .. })), "{refused:?}");
    let gone = store.transfer_to(dead).await;
    assert!(matches!(gone, Err(Error::Membership { refusal: Refusal::NotThere, .. })), "{gone:?}");
    put(&store, "afterwards").await;
    store.remove(dead).await.expect("who is left is a majority");
    put(&store, "with two").await;
    cluster.close_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_member_says_who_leads_and_how_far_each_is() {
    let mut cluster = Cluster::start(3).await;
    let leader = cluster.leader().await;
    let fourth = cluster.open(4).await;
    cluster.nodes[&leader].add_learner(NodeId(4), fourth.local_addr().into()).await.expect("is added");
    put(&fourth, "through one that only follows").await;
    let follows = |node: &&NodeId| **node != leader && **node != NodeId(4);
    let lagging = *cluster.nodes.keys().find(follows).expect("another voter");
    cluster.close(lagging).await;
    put(&cluster.nodes[&cluster.leader().await], "while one is away").await;
    let leader = cluster.leader().await;
    for store in cluster.nodes.values() {
        let members = store.members().await.expect("the leader says");
        let of = |node: NodeId| members.iter().find(|member| member.node == node.0).expect("it belongs to it").clone();
        assert_eq!(members.len(), 4);
        assert_eq!((of(leader).role, of(leader).behind, of(leader).is_there), (Role::Leader, Some(0), true));
        assert_eq!((of(NodeId(4)).role, of(NodeId(4)).is_there), (Role::Learner, true));
        assert!(!of(lagging).is_there && of(lagging).behind != Some(0), "{members:?}");
    }
    let learner = cluster.nodes[&leader].lead(4).await;
    assert!(matches!(learner, Err(ClusterError::Refused { refusal: Refusal::NoVoter, .. })), "{learner:?}");
    for unknown in [cluster.nodes[&leader].lead(9).await, sayso_store::Cluster::remove(&*fourth, 9).await] {
        assert!(matches!(unknown, Err(ClusterError::Refused { refusal: Refusal::Unknown, .. })), "{unknown:?}");
    }
    cluster.close_all().await;
}
