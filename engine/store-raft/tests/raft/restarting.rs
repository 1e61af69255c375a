//! Nodes that come back.

use std::path::Path;
use std::sync::Arc;
use std::{fs, io};

use sayso_store::{Batch, Key, Store};
use sayso_store_raft::Error;

use crate::cluster::Cluster;

/// A copy of the files of `from`, in place of what is at `to`.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    if to.exists() {
        fs::remove_dir_all(to)?;
    }
    fs::create_dir(to)?;
    for file in fs::read_dir(from)? {
        let (file, name) = file.map(|file| (file.path(), file.file_name()))?;
        let to = to.join(name);
        if file.is_dir() { copy(&file, &to)? } else { fs::copy(file, to).map(|_bytes| ())? }
    }
    Ok(())
}

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

/// Whoever leads when the disk of another has gone back in time cannot go on, says so to whoever runs it, and does not stay
/// as one who answers nobody; the others go on without it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whose_raft_has_ended_says_so_and_the_others_go_on() {
    let mut cluster = Cluster::start(3).await;
    let leader = cluster.leader().await;
    let follower = cluster.follower().await.status().node;
    let dir = cluster.dir_of(follower.0);
    let old = cluster.dir_of(99);
    let put = |key: &str| Batch::new().put(Key::from_bytes(key.to_owned()), "yes");
    cluster.nodes[&leader].commit(put("before")).await.expect("commits");
    cluster.close(follower).await;
    copy(&dir, &old).expect("copies");
    let back = cluster.open(follower.0).await;
    let committed = (0..20).map(|n| put(&n.to_string()));
    for batch in committed {
        cluster.nodes[&leader].commit(batch).await.expect("commits");
    }
    let seen = cluster.nodes[&leader].status();
    cluster.wait("it has what there is", |_| back.status().applied >= seen.applied).await;
    assert_eq!(cluster.leader().await, leader);
    drop(back);
    cluster.close(follower).await;
    copy(&old, &dir).expect("copies");

    cluster.open(follower.0).await;
    let told = cluster.nodes[&leader].ended().await;
    assert!(matches!(told, Error::Ended { node, .. } if node == leader), "{told:?}");
    assert!(told.to_string().contains("start it again"), "{told}");
    cluster.close(leader).await;
    let next = cluster.leader().await;
    assert_ne!(next, leader);
    cluster.nodes[&next].commit(put("after")).await.expect("commits");
    cluster.open(leader.0).await;
    cluster.leader().await;
    cluster.close_all().await;
}
