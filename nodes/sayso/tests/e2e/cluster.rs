//! Nodes that replicate each other's store, in processes of their own: one serves, the others stand by.

use std::collections::BTreeSet;
use std::fs;

use sayso_audit::{Event, Leaf, Replica};
use sayso_tests::{Installation, Node, Process, free_tcp_address, free_udp_address};

use crate::policy::CALENDAR;
use crate::reload::{PROFILE, set_rev, until_logged};
use crate::sayso;

/// A node that stands by.
pub(crate) struct Standby<'a> {
    pub(crate) installation: &'a Installation,
    pub(crate) process: Process,
}

impl<'a> Standby<'a> {
    /// Starts the node of `installation` while another one serves.
    pub(crate) async fn start(installation: &'a Installation) -> Self {
        let mut process = Process::start(installation.serve());
        process.logs("standing by").await;
        Self { installation, process }
    }
}

/// Waits until one of two that stand by serves; it and the other.
pub(crate) async fn first_ready<'a>(mut one: Standby<'a>, mut other: Standby<'a>) -> (Node, Standby<'a>) {
    let is_one = tokio::select! {
        () = one.process.logs("ready") => true,
        () = other.process.logs("ready") => false,
    };
    let (ready, standby) = if is_one { (one, other) } else { (other, one) };
    (Node::ready(ready.process).await, standby)
}

#[tokio::test]
async fn what_was_acknowledged_survives_the_node_that_led_and_served() {
    let founder = Installation::founder(&sayso()).await;
    let mut node = founder.start().await;
    let (second, third) = (founder.one_more().await, founder.one_more().await);
    let (two, three) = (Standby::start(&second).await, Standby::start(&third).await);

    let admin = founder.operator(&node).await;
    let devices = ["kitchen", "hall", "attic"];
    let mut given = Vec::new();
    for device in devices {
        // whose device it is, is known from its first contact on
        drop(founder.device(&node, device).await.unwrap());
        given.push(admin.give(device, "voice_interaction").await);
    }
    // those who stand by began to with revision 1, and are to serve with 2
    founder.edit(PROFILE, |profile| set_rev(profile, 2));
    for other in [&second, &third] {
        other.take_profile(&founder);
    }
    node.process.reload();
    assert_eq!(until_logged(&mut node, "the profile was read again").await, 2);
    let before = admin.leaves().await;
    // it founded the cluster alone, so it led, and nothing has made it step down
    node.kill().await;

    let (node, other) = first_ready(two, three).await;
    let admin = founder.operator(&node).await;
    for (device, given) in devices.iter().zip(&given) {
        let found = admin.consent(device).await;
        assert_eq!((&found.subject_id, &found.records), (&given.subject_id, &given.records), "{device}");
    }
    assert!(admin.verify_log().await.is_clean());
    let after = admin.leaves().await;
    assert_eq!(after[..before.len()], before, "what was in the log is in it still");
    let owners: BTreeSet<_> = after.iter().map(|leaf| leaf.fact.epoch).collect();
    assert_eq!(owners.len(), 2, "each owner has a fencing number of its own");

    // The killed one comes back. With the other one gone, two of three are left, so what is acknowledged now is on both.
    let back = Standby::start(&founder).await;
    let stopped = other.installation;
    let _ = other.process.terminate().await.success();
    let _ = admin.give("kitchen", "memory").await;
    let withdrawn = admin.withdraw("kitchen").await;
    assert_eq!(withdrawn.state(), sayso_proto::consent::v1::WithdrawalState::Ok);
    let consent = admin.consent("kitchen").await;

    // Who is asked to stop gives way at once, and whoever stands by goes on.
    let other = Standby::start(stopped).await;
    let certified = |leaf: &Leaf| matches!(leaf.fact.event, Event::EraseCertified { .. });
    admin.until_leaf("the certificate that what was remembered is erased", certified).await;
    let acknowledged = admin.leaves().await.into_iter().filter_map(|leaf| match leaf.fact.event {
        Event::EraseAcknowledged { replica, .. } => replica.map(|Replica { node, of }| (node, of)),
        _ => None,
    });
    assert_eq!(acknowledged.collect::<Vec<_>>(), [(1, 3), (2, 3), (3, 3)], "also by the one that was away");
    let _ = node.terminate().await.success();
    let (node, other) = first_ready(back, other).await;
    let found = founder.operator(&node).await.consent("kitchen").await;
    assert_eq!((found.consent_version, &found.records), (consent.consent_version, &consent.records));
    let _ = other.process.terminate().await.success();
    node.kill().await;
}

#[tokio::test]
async fn one_command_makes_a_machine_a_node_of_the_cluster() {
    let founder = Installation::founder(&sayso()).await;
    let node = founder.start().await;
    let second = founder.one_more().await;
    let two = Standby::start(&second).await;
    drop(founder.device(&node, "kitchen").await.unwrap());
    let given = founder.operator(&node).await.give("kitchen", "voice_interaction").await;
    let (third, mut three) = founder.one_more_that_serves().await;
    three.logs("standing by").await;

    // it votes: with the first one gone, two of three are needed for anything
    node.kill().await;
    let three = Standby { installation: &third, process: three };
    let (node, other) = first_ready(two, three).await;
    let found = founder.operator(&node).await.consent("kitchen").await;
    assert_eq!((&found.subject_id, &found.records), (&given.subject_id, &given.records));

    // and is started again as any node is
    node.kill().await;
    other.process.kill().await;
    let mut again = Process::start(third.serve());
    again.logs("replicating").await;
    again.kill().await;
}

#[tokio::test]
async fn a_profile_comes_with_its_signature_and_its_calendar() {
    let founder = Installation::founder(&sayso()).await;
    founder.edit_unsigned(PROFILE, |profile| {
        profile["profile"].as_table_mut().unwrap().insert("working_days".to_owned(), "de_2027".into());
    });
    fs::create_dir(founder.path("calendars")).unwrap();
    fs::write(founder.path("calendars/de_2027.toml"), CALENDAR.replace("de-2027", "de_2027")).unwrap();
    let profile = founder.file(PROFILE);
    let invite = ["store", "invite", "--config", &founder.file("sayso.toml"), "--listen", "127.0.0.1:0"];
    sayso().run(invite).await.failure(&["profile.toml.sig", &format!("`sayso policy sign {profile}`")]);

    let _ = sayso().run(["policy", "sign", &profile]).await.success();
    let node = founder.start().await;
    let second = founder.one_more().await;
    // whoever stands by has read its profile
    let standby = Standby::start(&second).await;
    fs::remove_file(second.path("profile.toml.sig")).unwrap();
    let refused = Process::start(second.serve()).finished().await;
    // the key stays where it was made
    assert!(!second.path("policy.key").exists());
    refused.failure(&[&second.file("profile.toml.sig"), "sayso policy sign", "--key KEY", "localhost/policy"]);
    standby.process.kill().await;
    node.kill().await;
}

#[tokio::test]
async fn who_has_no_token_or_an_old_one_does_not_join() {
    let founder = Installation::founder(&sayso()).await;
    let config = founder.file("sayso.toml");
    let invite = ["store", "invite", "--config", &config, "--listen", "127.0.0.1:0"];
    let mut first = Process::start(sayso().command(invite));
    let token = first.answer().await;
    first.kill().await;
    let mut open = Process::start(sayso().command(invite));
    let other = open.answer().await;
    assert_ne!(token, other);

    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("node");
    let (place, peer) = (place.to_str().unwrap(), free_udp_address().to_string());
    let join = |token: &str| sayso().command(["init", place, "--peer", &peer, "--join", token]);
    let closed = Process::start(join(&token)).finished().await;
    closed.failure(&["sayso store invite", "still running"]);
    let garbled = Process::start(join("sayso-join1.e30")).finished().await;
    garbled.failure(&["--join", "not a join token"]);
    assert!(!garbled.stderr.contains("sayso-join1.e30"), "a secret may be in it: {}", garbled.stderr);
    assert!(!dir.path().join("node").exists(), "nothing is left of what failed");
    open.kill().await;
}

#[tokio::test]
async fn a_token_of_another_cluster_lets_nobody_in() {
    let (ours, theirs) = (Installation::founder(&sayso()).await, Installation::founder(&sayso()).await);
    let at = free_tcp_address().to_string();
    let invite = async |of: &Installation| {
        let config = of.file("sayso.toml");
        let mut open = Process::start(sayso().command(["store", "invite", "--config", &config, "--listen", &at]));
        let token = open.answer().await;
        (open, token)
    };
    let (open, token) = invite(&ours).await;
    open.kill().await;
    // Where the one cluster invited, the other one does now. Both are called home.
    let (open, _) = invite(&theirs).await;
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("node");
    let (place, peer) = (place.to_str().unwrap(), free_udp_address().to_string());
    sayso().run(["init", place, "--peer", &peer, "--join", &token]).await.failure(&[&at, "is not of cluster home"]);
    assert!(!dir.path().join("node").exists(), "nothing is left of what failed");
    open.kill().await;
}

#[tokio::test]
async fn a_node_does_not_start_on_the_disk_of_another() {
    let founder = Installation::founder(&sayso()).await;
    let node = founder.start().await;
    let second = founder.one_more().await;
    node.kill().await;
    let mut swapped = second.serve();
    swapped.args(["--data", &founder.file("data")]);
    let refused = Process::start(swapped).finished().await;
    refused.failure(&["this disk is that of node 1", "give each node the disk that it was started with"]);
    founder.start().await.kill().await;
}

#[tokio::test]
async fn a_store_of_another_kind_is_not_begun_beside_one() {
    let installation = Installation::new(&sayso()).await;
    let _ = installation.start().await.terminate().await.success();
    let founder = Installation::founder(&sayso()).await;
    let mut replicated = founder.serve();
    replicated.args(["--data", &installation.file("data")]);
    let refused = Process::start(replicated).finished().await;
    refused.failure(&[&installation.file("data"), "store.kind", "sayso store migrate"]);

    installation.edit("sayso.toml", |config| {
        config["store"].as_table_mut().unwrap().insert("kind".to_owned(), "fdb".into());
    });
    let refused = Process::start(installation.serve()).finished().await;
    if cfg!(feature = "fdb") {
        refused.failure(&["[store.fdb]"]);
    } else {
        refused.failure(&["--features fdb"]);
    }
    installation.edit("sayso.toml", |config| {
        config["store"].as_table_mut().unwrap().insert("kind".to_owned(), "raft".into());
    });
    Process::start(installation.serve()).finished().await.failure(&["[store.raft]"]);
}

#[tokio::test]
async fn a_node_that_lost_its_disk_is_replaced_and_does_not_begin_anew() {
    let founder = Installation::founder(&sayso()).await;
    let node = founder.start().await;
    let (second, third) = (founder.one_more().await, founder.one_more().await);
    let (two, three) = (Standby::start(&second).await, Standby::start(&third).await);
    three.process.kill().await;
    fs::remove_dir_all(third.path("data")).unwrap();
    let refused = Process::start(third.serve()).finished().await;
    refused.failure(&["node 3", &third.file("data"), "--replaces 3", &third.file("peer/started")]);
    assert!(!third.path("data").exists(), "nothing is begun");

    let fourth = founder.one_instead_of(3).await;
    let mut four = Process::start(fourth.serve());
    four.logs("removed the node in whose place this one is").await;
    // Of four voters with the lost one among them, two would not be a majority.
    two.process.kill().await;
    drop(founder.device(&node, "kitchen").await.unwrap());
    let admin = founder.operator(&node).await;
    let _ = admin.give("kitchen", "voice_interaction").await;
    four.kill().await;
    node.kill().await;
}

#[tokio::test]
async fn three_founders_are_a_cluster_in_whatever_order_they_are_started() {
    let founders = Installation::founders(&sayso()).await;
    let mut started = Vec::new();
    for founder in founders.iter().rev() {
        let mut process = Process::start(founder.serve());
        process.logs("replicating").await;
        started.push(process);
    }
    let [one, two, three] = &mut started[..] else { unreachable!("there are three") };
    let serves = tokio::select! {
        () = one.logs("ready") => 0,
        () = two.logs("ready") => 1,
        () = three.logs("ready") => 2,
    };
    let node = Node::ready(started.remove(serves)).await;
    let first = &founders[0];
    drop(first.device(&node, "kitchen").await.unwrap());
    let given = first.operator(&node).await.give("kitchen", "voice_interaction").await;
    node.kill().await;

    let [one, two] = &mut started[..] else { unreachable!("two are left") };
    let serves = tokio::select! {
        () = one.logs("ready") => 0,
        () = two.logs("ready") => 1,
    };
    let node = Node::ready(started.remove(serves)).await;
    let admin = first.operator(&node).await;
    let found = admin.consent("kitchen").await;
    assert_eq!((&found.subject_id, &found.records), (&given.subject_id, &given.records));
    assert!(admin.verify_log().await.is_clean());
    node.kill().await;
}
