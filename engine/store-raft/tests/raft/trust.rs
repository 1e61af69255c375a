//! Who does not belong together is told so, before anything is written.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sayso_runtime::SystemClock;
use sayso_store::{Batch, Key, Store};
use sayso_store_local::{Durability, Engine, LocalOptions};
use sayso_store_raft::{Error, NodeId, RaftOptions, RaftStore, Timers};
use sayso_types::Name;

use crate::cluster::{Authority, Cluster};
use crate::set_clock::SetClock;

/// Every file below `dir`, with its contents.
pub(crate) fn contents(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).expect("lists") {
        let path = entry.expect("lists").path();
        match path.is_dir() {
            true => found.extend(contents(&path)),
            false => found.push((path.display().to_string(), fs::read(&path).expect("reads"))),
        }
    }
    found.sort();
    found
}

/// Opens node 9, which is not a founder, and has it join.
async fn join(cluster: &Cluster, options: RaftOptions) -> (Arc<RaftStore>, Result<(), Error>) {
    let stranger = cluster.try_open(options, 9).await.expect("opens");
    let before = contents(&cluster.dir_of(9));
    let joined = stranger.join().await;
    assert_eq!(contents(&cluster.dir_of(9)), before, "nothing is written");
    (stranger, joined)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_of_another_authority_is_refused() {
    let mut cluster = Cluster::start(1).await;
    let options = cluster.options(9);
    let tls = Authority::new().tls(&cluster.name, NodeId(9));
    let (stranger, joined) = join(&cluster, RaftOptions { tls, ..options }).await;
    assert!(matches!(joined, Err(Error::ForeignCertificate { .. })), "{joined:?}");
    stranger.close().await;
    cluster.close_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_of_another_node_is_refused() {
    let mut cluster = Cluster::start(1).await;
    let options = cluster.options(9);
    let mut tls = cluster.authority.tls(&cluster.name, NodeId(8));
    tls.roots = options.tls.roots.clone();
    let (stranger, joined) = join(&cluster, RaftOptions { tls, ..options }).await;
    assert!(matches!(joined, Err(Error::ForeignCertificate { .. })), "{joined:?}");
    assert_eq!(cluster.nodes[&NodeId(1)].status().members.len(), 1);
    stranger.close().await;
    cluster.close_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_cluster_is_refused_although_it_has_the_same_name() {
    let mut cluster = Cluster::start(1).await;
    // a node that belongs to the other cluster, with certificates that this one trusts
    let founder = RaftOptions { node: NodeId(2), ..cluster.options(2) };
    let founders = [(NodeId(2), founder.address.clone()), (NodeId(1), cluster.founders[&NodeId(1)].clone())].into();
    let founder = RaftOptions { founders, ..founder };
    let stranger = cluster.try_open(founder, 2).await.expect("opens");
    let joined = stranger.join().await;
    assert!(matches!(joined, Err(Error::ForeignCluster { node: NodeId(1) })), "{joined:?}");
    stranger.close().await;
    cluster.close_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_founder_whom_no_other_knows_ends_and_says_why() {
    let mut cluster = Cluster::new(3);
    let _ = (cluster.open(1).await, cluster.open(2).await);
    let theirs = Authority::new();
    // one that knows the others and is not known, and one that knows nobody either
    for knows_us in [true, false] {
        let options = cluster.options(3);
        let mut tls = theirs.tls(&cluster.name, NodeId(3));
        if knows_us {
            tls.roots = options.tls.roots.clone();
        }
        let stranger = cluster.try_open(RaftOptions { tls, ..options }, 3).await.expect("opens");
        let ended = stranger.ended().await;
        assert!(matches!(ended, Error::ForeignCertificate { for_good: true, .. }), "{knows_us}: {ended:?}");
        stranger.close().await;
    }
    // with a certificate of the cluster it is a founder
    cluster.open(3).await;
    let put = Batch::new().put(Key::from_bytes("k"), "v");
    cluster.nodes[&NodeId(3)].commit(put).await.expect("commits");
    cluster.close_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_that_is_founded_anew_in_the_same_place_takes_no_disk_of_the_old_one() {
    let mut cluster = Cluster::start(3).await;
    let old = Batch::new().put(Key::from_bytes("old"), "1");
    cluster.nodes[&cluster.leader().await].commit(old).await.expect("commits");
    cluster.close_all().await;
    for lost in [1, 3] {
        fs::remove_dir_all(cluster.dir_of(lost)).expect("is removed");
    }
    // the same addresses and certificates of the same authority; the one that still has its disk is there first
    for node in [2, 3, 1] {
        cluster.open(node).await;
    }
    let new = &cluster.nodes[&NodeId(3)];
    new.commit(Batch::new().put(Key::from_bytes("new"), "1")).await.expect("two of three are a majority");
    let found = new.read(&[Key::from_bytes("old"), Key::from_bytes("new")]).await.expect("reads");
    assert_eq!(found.iter().map(Option::is_some).collect::<Vec<_>>(), [false, true]);
    let told = cluster.nodes[&NodeId(2)].join().await;
    assert!(matches!(told, Err(Error::ForeignCluster { .. })), "{told:?}");
    cluster.close_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_belongs_to_its_node_and_cluster() {
    let mut cluster = Cluster::start(1).await;
    let store = Arc::clone(&cluster.nodes[&NodeId(1)]);
    store.commit(Batch::new().put(Key::from_bytes("a"), "1")).await.expect("commits");
    drop(store);
    cluster.close_all().await;
    let of_another_node = cluster.options(2);
    let name = Name::constant("other");
    let tls = cluster.authority.tls(&name, NodeId(1));
    let of_another_cluster = RaftOptions { cluster: name, tls, ..cluster.options(1) };
    let before = contents(&cluster.dir_of(1));
    for options in [of_another_node, of_another_cluster] {
        let opened = cluster.try_open(options, 1).await;
        assert!(matches!(opened, Err(Error::ForeignDisk { node: NodeId(1), .. })), "{opened:?}");
        assert_eq!(contents(&cluster.dir_of(1)), before, "nothing is written");
    }
    cluster.open(1).await;
    cluster.close_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_newer_program_wrote_is_left_alone() {
    // a record of a node is under a zero and its name, and begins with the version of its schema
    for record in ["raft identity", "raft vote", "raft applied"] {
        let mut cluster = Cluster::start(1).await;
        cluster.leader().await;
        cluster.close_all().await;
        let dir = cluster.dir_of(1);
        let engine = Engine::open(&dir, LocalOptions::new(Arc::new(SystemClock::new()))).expect("opens");
        let key = Key::from_bytes([b"\0", record.as_bytes()].concat());
        let held = engine.read(core::slice::from_ref(&key)).expect("reads").remove(0).expect("is there").value;
        let newer = Batch::new().put(key, [&[0, 2][..], &held[2..]].concat());
        engine.commit(newer, Durability::Synced).await.expect("commits");
        engine.close();
        drop(engine);
        let before = contents(&dir);
        let options = cluster.options(1);
        match cluster.try_open(options, 1).await {
            Err(error) => assert!(error.to_string().contains("run a version that knows it"), "{record}: {error}"),
            Ok(_) => panic!("{record}: a node of an older program opens"),
        }
        assert_eq!(contents(&dir), before, "{record}: nothing is written");
    }
}

#[tokio::test]
async fn options_that_make_no_sense_are_named() {
    let mut cluster = Cluster::new(1);
    let good = cluster.options(1);
    let timers = Timers { election: good.timers.heartbeat, ..good.timers };
    let cases = [
        ("node", RaftOptions { node: NodeId(0), ..good.clone() }),
        ("founders", RaftOptions { founders: BTreeMap::new(), ..good.clone() }),
        ("cluster", RaftOptions { cluster: Name::constant("my_cluster"), ..good.clone() }),
        ("timers", RaftOptions { timers, ..good }),
    ];
    for (expected, options) in cases {
        let opened = cluster.try_open(options, 1).await;
        assert!(matches!(&opened, Err(Error::Options { key, .. }) if *key == expected), "{opened:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_a_clock_that_is_days_off_nobody_is_trusted_until_it_is_right() {
    const DAYS_MS: i64 = 3 * 24 * 3_600_000;
    let mut cluster = Cluster::new(3);
    let _ = (cluster.open(1).await, cluster.open(2).await);
    let leader = cluster.leader().await;
    let key = Key::from_bytes("k");
    cluster.nodes[&leader].commit(Batch::new().put(key.clone(), "v")).await.expect("commits");

    let clock = Arc::new(SetClock::default());
    for ahead_ms in [DAYS_MS, -DAYS_MS] {
        clock.set(ahead_ms);
        let answer_within = Duration::from_secs(1);
        let options = RaftOptions { clock: clock.clone(), answer_within, ..cluster.options(3) };
        let third = cluster.try_open(options, 3).await.expect("opens");
        let alone = third.read(core::slice::from_ref(&key)).await;
        assert!(matches!(alone, Err(sayso_store::Error::Unavailable { .. })), "{ahead_ms}: {alone:?}");
        clock.set(0);
        // whoever leads goes on asking for it
        while third.read(core::slice::from_ref(&key)).await.is_err() {}
        third.close().await;
    }
    cluster.close_all().await;
}
