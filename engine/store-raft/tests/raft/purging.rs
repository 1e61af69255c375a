//! What was deleted is in no file of any replica once a purge is answered; and so are the keys of whoever was forgotten.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sayso_store::{Batch, Error, Key, Range, Retryable, Store};
use sayso_store_raft::{NodeId, RaftStore};
use sayso_types::{Category, Purpose, SubjectId};
use sayso_vault::testing::{Adversary, FakeKek, vault};
use sayso_vault::{Binding, Vault, VaultId};

use crate::cluster::Cluster;

const ANNA: SubjectId = SubjectId([0xaa; 16]);
const BEN: SubjectId = SubjectId([0xbb; 16]);
const CANARY: &[u8] = b"a-word-that-is-nowhere-else";

fn key(name: &str) -> Key {
    Key::from_bytes(name.to_owned())
}

async fn put(store: &RaftStore, name: &str, value: &str) {
    store.commit(Batch::new().put(key(name), value.to_owned())).await.expect("commits");
}

/// The nodes of which a file holds `text`.
fn holding(cluster: &Cluster, text: &str) -> Vec<u64> {
    let holds = |node: &u64| {
        let adversary = Adversary::new(&[&cluster.dir_of(*node)], FakeKek::KEY, VaultId([0; 16])).expect("reads");
        adversary.sees(text.as_bytes())
    };
    (1..=4).filter(|node| cluster.dir_of(*node).exists()).filter(holds).collect()
}

/// Something deleted, something replaced, something kept, and the nodes that have all of it.
async fn story(cluster: &Cluster) -> Arc<RaftStore> {
    let store = cluster.follower().await;
    put(&store, "a", "deleted-value").await;
    put(&store, "b", "replaced-value").await;
    put(&store, "c", "kept-value").await;
    put(&store, "b", "current-value").await;
    store.commit(Batch::new().delete(key("a"))).await.expect("commits");
    let applied = store.status().applied;
    cluster.wait("all have it", |cluster| cluster.nodes.values().all(|node| node.status().applied >= applied)).await;
    store
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_deleted_or_replaced_is_on_no_disk_and_the_rest_is_there_after_a_restart() {
    let mut cluster = Cluster::start(3).await;
    let store = story(&cluster).await;
    assert_eq!(holding(&cluster, "deleted-value"), [1, 2, 3], "without a purge it would be found");
    assert_eq!(store.purge().await.expect("purges"), [1, 2, 3]);
    let assert_purged = |cluster: &Cluster| {
        assert_eq!(holding(cluster, "deleted-value"), [0; 0]);
        assert_eq!(holding(cluster, "replaced-value"), [0; 0]);
        assert_eq!((holding(cluster, "kept-value"), holding(cluster, "current-value")), (vec![1, 2, 3], vec![1, 2, 3]));
    };
    assert_purged(&cluster);
    put(&store, "d", "later-value").await;
    cluster.close_all().await;
    cluster.open_all().await;
    assert_purged(&cluster);
    let store = cluster.follower().await;
    let page = store.scan(Range::all(), 10).await.expect("scans");
    let values: Vec<_> = page.entries.iter().map(|entry| entry.value.to_vec()).collect();
    assert_eq!(values, [&b"current-value"[..], b"kept-value", b"later-value"]);
    store.commit(Batch::new().delete(key("c"))).await.expect("commits");
    assert_eq!(store.purge().await.expect("purges"), [1, 2, 3]);
    assert_eq!(holding(&cluster, "kept-value"), [0; 0], "also what is in a table of an earlier purge");
    cluster.close_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_left_is_not_waited_for_and_who_has_come_is() {
    let mut cluster = Cluster::start(3).await;
    let store = story(&cluster).await;
    let leader = cluster.leader().await;
    let gone = *cluster.nodes.keys().find(|node| **node != leader && **node != store.status().node).expect("a third");
    cluster.close(gone).await;
    let fourth = cluster.open(4).await;
    fourth.join().await.expect("joins");
    let refused = store.purge().await.expect_err("one is away");
    assert!(refused.retryable() && refused.to_string().contains(&format!("node {gone} (")), "{refused}");
    assert_eq!(holding(&cluster, "deleted-value"), [gone.0], "the others have done it");

    store.remove(gone).await.expect("is removed");
    let left: Vec<u64> = (1..=4).filter(|node| *node != gone.0).collect();
    assert_eq!(store.purge().await.expect("purges"), left);
    cluster.close_all().await;
}

/// What is kept of somebody, sealed, and where.
struct Sealed(SubjectId, Vec<u8>);

fn at(row: &Key, subject: SubjectId) -> Binding<'_> {
    let (category, purpose) = (Category::MEMORY_SUMMARY, Purpose::MEMORY);
    Binding { table: "row", row, schema: 1, subject, category, purpose }
}

/// Whose canary somebody reads who has all files below `dirs`, and the KEK.
fn reads(dirs: &[PathBuf], vault: &Vault, sealed: &[Sealed]) -> Vec<SubjectId> {
    let dirs: Vec<&Path> = dirs.iter().map(PathBuf::as_path).collect();
    let adversary = Adversary::new(&dirs, FakeKek::KEY, vault.id()).expect("reads");
    assert!(!adversary.sees(CANARY), "it is in no file in clear");
    let row = key("row");
    let opens = |Sealed(subject, record): &&Sealed| {
        adversary.read(&at(&row, *subject), record).is_some_and(|opened| opened.as_slice() == CANARY)
    };
    sealed.iter().filter(opens).map(|Sealed(subject, _)| *subject).collect()
}

/// Has a record of each of both sealed and stored.
async fn seal_for_both(vault: &Vault, store: &RaftStore) -> Vec<Sealed> {
    let (row, mut sealed) = (key("row"), Vec::new());
    for subject in [ANNA, BEN] {
        let record = vault.seal(&at(&row, subject), CANARY).await.expect("seals");
        store.commit(Batch::new().put(key(&format!("{subject}")), record.clone())).await.expect("commits");
        sealed.push(Sealed(subject, record));
    }
    sealed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_was_destroyed_dies_on_every_replica_also_on_one_that_was_away() {
    let mut cluster = Cluster::start(3).await;
    let store = cluster.nodes[&cluster.leader().await].clone();
    let vault = vault(store.clone()).await.expect("unlocks");
    let (row, sealed) = (key("row"), seal_for_both(&vault, &store).await);
    let applied = store.status().applied;
    cluster.wait("all have it", |cluster| cluster.nodes.values().all(|node| node.status().applied >= applied)).await;
    let dirs: Vec<_> = (1..=3).map(|node| cluster.dir_of(node)).collect();
    for dir in &dirs {
        assert_eq!(reads(core::slice::from_ref(dir), &vault, &sealed), [ANNA, BEN], "each replica has all");
    }

    let away = cluster.follower().await.status().node;
    cluster.close(away).await;
    vault.forget_subject(ANNA).await.expect("forgets");
    let refused = vault.purge().await.expect_err("one is away");
    assert!(refused.to_string().contains(&format!("node {away} (")), "{refused}");
    let (there, gone): (Vec<_>, Vec<_>) = dirs.iter().cloned().partition(|dir| *dir != cluster.dir_of(away.0));
    assert_eq!(reads(&there, &vault, &sealed), [BEN], "nobody waits for it to do what they can");
    assert_eq!(reads(&gone, &vault, &sealed), [ANNA, BEN], "which is why it is waited for");

    cluster.open(away.0).await;
    cluster.wait("all follow", |cluster| cluster.nodes.values().all(|node| node.status().leader.is_some())).await;
    let purged = loop {
        match vault.purge().await {
            Ok(purged) => break purged,
            // the link to it may still be the one that broke when it went
            Err(refused) => assert!(refused.to_string().contains(&format!("node {away} (")), "{refused}"),
        }
    };
    assert_eq!(purged, Some(vec![1, 2, 3]));
    assert_eq!(reads(&dirs, &vault, &sealed), [BEN], "all files of all, and the KEK");
    assert_eq!(vault.purge().await.expect("purges"), None, "nothing is due any more");

    // what a backup of the data from before has of her
    let opened = vault.open(&at(&row, ANNA), &sealed[0].1).await;
    assert!(opened.is_err_and(|error| error.is_forgotten()));
    let opened = vault.open(&at(&row, BEN), &sealed[1].1).await.expect("opens");
    assert_eq!(opened.as_slice(), CANARY);
    cluster.close_all().await;
    assert_eq!(reads(&dirs, &vault, &sealed), [BEN], "also of what closing writes");
}

/// Somebody else than [`FakeKek`] holds this: who has it and nothing from before reads nothing.
const NO_KEK: [u8; 32] = [0; 32];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_stole_the_shard_key_before_it_was_rotated_opens_nothing_on_any_replica() {
    let mut cluster = Cluster::start(3).await;
    let store = cluster.nodes[&cluster.leader().await].clone();
    let vault = vault(store.clone()).await.expect("unlocks");
    let (row, sealed) = (key("row"), seal_for_both(&vault, &store).await);
    let dirs: Vec<_> = (1..=3).map(|node| cluster.dir_of(node)).collect();
    let applied = store.status().applied;
    cluster.wait("all have it", |cluster| cluster.nodes.values().all(|node| node.status().applied >= applied)).await;
    let stolen = Adversary::new(&[&dirs[0]], FakeKek::KEY, vault.id()).expect("reads");
    let thief_reads = |dirs: &[PathBuf]| -> Vec<SubjectId> {
        let dirs: Vec<&Path> = dirs.iter().map(PathBuf::as_path).collect();
        let thief = Adversary::new(&dirs, NO_KEK, vault.id()).expect("reads").who_broke_in_before(&stolen);
        let opens = |Sealed(subject, record): &&Sealed| thief.read(&at(&row, *subject), record).is_some();
        sealed.iter().filter(opens).map(|Sealed(subject, _)| *subject).collect()
    };
    for dir in &dirs {
        assert_eq!(thief_reads(core::slice::from_ref(dir)), [ANNA, BEN], "each replica has what it opens");
    }

    // one replica is away, and has entries in its log that the others no longer send it
    let away = cluster.follower().await.status().node;
    cluster.close(away).await;
    vault.forget_subject(ANNA).await.expect("forgets");
    vault.rotate().await.expect("rotates");
    vault.purge().await.expect_err("one is away");
    assert!(vault.wrapping().await.expect("is told").is_purge_due, "it is not over before that one has done so, too");
    assert_eq!(thief_reads(&[cluster.dir_of(away.0)]), [ANNA, BEN]);
    cluster.open(away.0).await;
    cluster.wait("all follow", |cluster| cluster.nodes.values().all(|node| node.status().leader.is_some())).await;
    while vault.wrapping().await.expect("is told").is_purge_due {
        if let Err(refused) = vault.purge().await {
            // the link to it may still be the one that broke when it went
            assert!(refused.to_string().contains(&format!("node {away} (")), "{refused}");
        }
    }
    assert_eq!(thief_reads(&dirs), [], "logs, snapshots and state of all three");
    assert_eq!(
        reads(&dirs, &vault, &sealed),
        [BEN],
        "who has the KEK finds the new shard key, and under it who is there"
    );

    // whoever comes is given a snapshot
    let fourth = cluster.open(4).await;
    fourth.join().await.expect("joins");
    let dirs: Vec<_> = (1..=4).map(|node| cluster.dir_of(node)).collect();
    let applied = store.status().applied;
    cluster.wait("it has it", |cluster| cluster.nodes.values().all(|node| node.status().applied >= applied)).await;
    assert_eq!(thief_reads(&dirs), []);
    cluster.close_all().await;
    assert_eq!(thief_reads(&dirs), [], "also of what closing writes");
    assert_eq!(reads(&dirs[3..], &vault, &sealed), [BEN]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_closed_purges_nothing() {
    let mut cluster = Cluster::start(1).await;
    let store = cluster.nodes[&NodeId(1)].clone();
    put(&store, "a", "1").await;
    assert_eq!(store.purge().await.expect("purges"), [1]);
    cluster.close_all().await;
    assert!(matches!(store.purge().await, Err(Error::Closed)));
}
