//! All that is in a store is read as it was at one moment, at any node, while it is written to.

use futures::FutureExt;
use sayso_store::{Batch, Entry, Key, Range, Store};
use sayso_store_raft::{RaftStore, RaftSweep};

use crate::cluster::Cluster;

/// Enough for several pages.
const KEYS: u32 = 3_000;
const AT_ONCE: usize = 500;

async fn put_all(store: &RaftStore, value: u8) {
    for keys in (0..KEYS).collect::<Vec<_>>().chunks(AT_ONCE) {
        let put = |batch: Batch, n: &u32| batch.put(Key::from_bytes(n.to_be_bytes().to_vec()), vec![value; 1_000]);
        store.commit(keys.iter().fold(Batch::new(), put)).await.expect("commits");
    }
}

fn all(mut sweep: RaftSweep) -> Vec<Entry> {
    let pages = core::iter::from_fn(|| Some(sweep.next_page().expect("reads")).filter(|page| !page.is_empty()));
    pages.flatten().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_sweeps_are_of_one_moment_and_a_purge_waits_for_them() {
    let mut cluster = Cluster::start(3).await;
    let (leader, follower) = (cluster.leader().await, cluster.follower().await);
    put_all(&cluster.nodes[&leader], 1).await;
    // at a node that may not have all of it yet
    let [first, second] = follower.sweep_twice().await.expect("sweeps");
    let late = Key::from_bytes("late");
    let change = Batch::new().put(late.clone(), "1").delete(Key::from_bytes(0u32.to_be_bytes().to_vec()));
    follower.commit(change).await.expect("commits");
    put_all(&follower, 2).await;

    let found = all(first);
    assert_eq!(found.len(), KEYS as usize);
    assert!(found.iter().zip(0..).all(|(entry, n): (_, u32)| *entry.key.as_bytes() == n.to_be_bytes()));
    assert!(found.iter().all(|entry| entry.value.iter().all(|byte| *byte == 1)), "nothing of what came later");
    {
        let mut purge = core::pin::pin!(follower.purge());
        assert!(purge.as_mut().now_or_never().is_none());
        assert_eq!(all(second), found);
        assert_eq!(purge.await.expect("purges"), [1, 2, 3]);
    }
    let [now, _] = follower.sweep_twice().await.expect("sweeps");
    let page = follower.scan(Range { start: late, end: Range::all().end }, 10).await.expect("scans");
    assert_eq!(all(now).last(), page.entries.last(), "with the versions that a scan gives");
    cluster.close_all().await;
}
