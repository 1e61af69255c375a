//! The nodes of a cluster, as an operator looks after them while it serves.

use sayso_audit::Leaf;
use sayso_tests::{Finished, Installation, Node, Process};
use serde_json::Value;

use crate::cluster::Standby;
use crate::sayso;
use crate::store::{given_while, json};

/// `sayso store ARGS`, at `node`.
async fn store(founder: &Installation, node: &Node, args: &[&str]) -> Finished {
    let (admin, certs) = (node.admin.to_string(), founder.file("admin"));
    sayso().run([&["store"], args, &["--json", "--admin", &admin, "--certs", &certs]].concat()).await
}

/// The numbers of those that belong to it.
fn numbers(members: &Value) -> Vec<u64> {
    members["members"].as_array().unwrap().iter().map(|member| member["node"].as_u64().unwrap()).collect()
}

/// What a node says that was removed.
const REMOVED: &[&str] = &["was removed from cluster \"home\", for good", "sayso store invite"];

#[tokio::test]
async fn nodes_are_removed_dead_or_alive_while_a_client_writes() {
    let founder = Installation::founder(&sayso()).await;
    let node = founder.start().await;
    let (second, third) = (founder.one_more().await, founder.one_more().await);
    let (two, mut three) = (Standby::start(&second).await, Standby::start(&third).await);
    drop(founder.device(&node, "kitchen").await.unwrap());
    let admin = founder.operator(&node).await;

    let steps = async {
        let members = json(store(&founder, &node, &["members"]).await);
        assert_eq!((&members["serving"], numbers(&members)), (&1.into(), vec![1, 2, 3]));
        assert!(members["members"].as_array().unwrap().iter().all(|member| member["there"] == true), "{members}");
        assert_eq!(json(store(&founder, &node, &["lead", "2"]).await)["leader"], 2);
        assert_eq!(json(store(&founder, &node, &["lead", "1"]).await)["leader"], 1);
        store(&founder, &node, &["remove", "1"]).await.failure(&["node 1 is the one that serves", "stop it"]);
        store(&founder, &node, &["remove", "9"]).await.failure(&["node 9 is not removed", "not of this cluster"]);

        // with one dead, the living one is half of what would be left
        two.process.kill().await;
        store(&founder, &node, &["remove", "3"]).await.failure(&["node 3 is not removed", "Start the others first"]);
        store(&founder, &node, &["lead", "2"]).await.failure(&["node 2 does not lead", "start it first"]);
        assert_eq!(numbers(&json(store(&founder, &node, &["remove", "2"]).await)), [1, 3]);
        assert_eq!(numbers(&json(store(&founder, &node, &["remove", "3"]).await)), [1]);
        three.process.line("that it was removed", |line| line.contains(REMOVED[0]).then_some(())).await;
    };
    let written = given_while(&admin, steps).await;
    three.process.finished().await.failure(REMOVED);
    for installation in [&second, &third] {
        // the one of them hears it now, the other one has noted it
        Process::start(installation.serve()).finished().await.failure(REMOVED);
        Process::start(installation.serve()).finished().await.failure(REMOVED);
    }
    let is_given = |leaf: &&Leaf| ["consent.given", "consent.renewed"].contains(&leaf.fact.event.name());
    let given = admin.leaves().await.iter().filter(is_given).count();
    assert!(written > 0 && given >= written, "{given} of {written} that were acknowledged are there");
    assert!(admin.verify_log().await.is_clean());
    let _ = node.terminate().await.success();
}

#[tokio::test]
async fn a_node_that_serves_stops_when_another_comes_in_its_place() {
    let founder = Installation::founder(&sayso()).await;
    let node = founder.start().await;
    let (second, third) = (founder.one_more().await, founder.one_more().await);
    let (mut two, mut three) = (Standby::start(&second).await, Standby::start(&third).await);
    drop(founder.device(&node, "kitchen").await.unwrap());
    let given = founder.operator(&node).await.give("kitchen", "voice_interaction").await;

    let fourth = founder.one_instead_of(1).await;
    let mut four = Process::start(fourth.serve());
    four.logs("removed the node in whose place this one is").await;
    let stopped = node.process.finished().await;
    assert_eq!(stopped.status.code(), Some(1), "{}", stopped.stderr);
    assert!(stopped.stderr.contains("was removed from cluster"), "{}", stopped.stderr);
    Process::start(founder.serve()).finished().await.failure(REMOVED);

    // one of them goes on, and the others stand by
    let next = tokio::select! {
        () = two.process.logs("ready") => 0,
        () = three.process.logs("ready") => 1,
        () = four.logs("ready") => 2,
    };
    let mut left = vec![two.process, three.process, four];
    let ready = Node::ready(left.remove(next)).await;
    let found = founder.operator(&ready).await.consent("kitchen").await;
    assert_eq!((&found.subject_id, &found.records), (&given.subject_id, &given.records));
    ready.kill().await;
}
