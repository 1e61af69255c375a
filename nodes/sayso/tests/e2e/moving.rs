//! A store moves while its node serves: nothing that was acknowledged is left behind, whoever is killed on the way.

use sayso_audit::{Event, Reference};
use sayso_tests::{Admin, Installation, Node, Process, free_udp_address, recordings};
use serde_json::Value;

use crate::cluster::{Standby, first_ready};
use crate::sayso;
use crate::store::hand_over;

/// Those who agree all the time, and one who takes it back all the time.
const DEVICES: [&str; 2] = ["kitchen", "hall"];
const FICKLE: &str = "hall";

/// What a node acknowledged.
#[derive(Default)]
struct Acknowledged {
    given: Vec<Reference>,
    withdrawn: Vec<Reference>,
    /// The last consent of those who take nothing back.
    last: Option<Reference>,
}

/// A node on which people have devices.
async fn used() -> (Installation, Node) {
    let installation = Installation::new(&sayso()).await;
    let node = installation.start().await;
    for device in DEVICES {
        drop(installation.device(&node, device).await.unwrap());
    }
    (installation, node)
}

/// Moves the store of `old` into that of `new`, by the command.
fn migrate(old: &Installation, new: &Installation) -> Process {
    let (from, config) = (format!("local:{}", old.file("data")), new.file("sayso.toml"));
    let args = ["store", "migrate", "--from", &from, "--to", "raft", "--json", "--config", &config];
    Process::start(sayso().command(args))
}

/// Agrees and takes it back, again and again, until the node does not answer any more.
async fn talk_to_the_end(admin: &Admin, acknowledged: &mut Acknowledged) {
    loop {
        for device in DEVICES {
            let Some(given) = admin.try_give(device, "voice_interaction").await else { return };
            let ids = given.records.into_iter().map(|record| reference(&record.record_id));
            acknowledged.given.extend(ids);
            if device != FICKLE {
                acknowledged.last = acknowledged.given.last().copied();
            }
        }
        let Some(withdrawn) = admin.try_withdraw(FICKLE).await else { return };
        acknowledged.withdrawn.push(reference(&withdrawn.withdrawal_id));
    }
}

fn reference(id: &[u8]) -> Reference {
    Reference(id.try_into().unwrap())
}

/// Expects that `node`, which serves the cluster of `new`, has all that was acknowledged, in one log that an auditor takes,
/// and that it goes on from there.
async fn is_served(new: &Installation, node: &Node, acknowledged: &Acknowledged) {
    let admin = new.operator(node).await;
    let (mut given, mut withdrawn) = (Vec::new(), Vec::new());
    for leaf in admin.leaves().await {
        match leaf.fact.event {
            Event::ConsentGiven { record, .. } => given.push(record),
            Event::WithdrawEffective { withdrawal, .. } => withdrawn.push(withdrawal),
            _ => {}
        }
    }
    let lost = acknowledged.given.iter().filter(|record| !given.contains(record)).count();
    assert_eq!(lost, 0, "of {} consents that were acknowledged", acknowledged.given.len());
    let lost = acknowledged.withdrawn.iter().filter(|withdrawal| !withdrawn.contains(withdrawal)).count();
    assert_eq!(lost, 0, "of {} withdrawals that were acknowledged", acknowledged.withdrawn.len());
    // the last word holds, or one after it that was not acknowledged any more
    let when = |wanted: Reference| given.iter().position(|record| *record == wanted);
    let held = admin.consent(DEVICES[0]).await.records;
    let held = held.iter().filter_map(|record| when(reference(&record.record_id))).max();
    assert!(held.is_some() && held >= acknowledged.last.and_then(when), "{held:?}");
    assert!(admin.try_give(FICKLE, "voice_interaction").await.is_some(), "it goes on from there");

    let out = tempfile::tempdir().unwrap();
    let log = out.path().join("log").into_os_string().into_string().unwrap();
    let (at, certs, trust) = (node.admin.to_string(), new.file("admin"), new.file("log.pub"));
    let _ = sayso().run(["audit", "export", "--admin", &at, "--certs", &certs, &log]).await.success();
    let _ = sayso().run(["verify", &log, "--trust", &trust, "--profile", &new.file("profile.toml")]).await.success();
}

/// Expects that the node of `old` serves nothing any more.
async fn is_left(old: &Installation) {
    Process::start(old.serve()).finished().await.failure(&["was moved to the cluster home", "serve that one"]);
}

#[tokio::test]
async fn a_store_moves_into_a_cluster_while_people_talk_and_agree() {
    let (old, node) = used().await;
    let new = Installation::founder(&sayso()).await;
    hand_over(&old, &new, &[]);
    let admin = old.operator(&node).await;
    let mut speaker = old.first_device(&node).await;
    let (prompt, _) = speaker.asked().await;
    speaker.agree(&prompt).await;
    speaker.until_listening().await;
    speaker.begin(&recordings::sound(recordings::LONG)).await;

    let mut acknowledged = Acknowledged::default();
    let (moved, ()) = tokio::join!(migrate(&old, &new).finished(), talk_to_the_end(&admin, &mut acknowledged));
    let told: Value = serde_json::from_str(&moved.success().stdout).unwrap();
    assert_eq!(told["to"], "the cluster home");
    assert!(told["all"]["entries"].as_u64() > Some(0), "{told}");
    assert!(!acknowledged.withdrawn.is_empty(), "people went on meanwhile");
    let ended = node.process.finished().await.success();
    for said in ["copying", "comparing", "start it with the configuration of where it is now"] {
        assert!(ended.stderr.contains(said), "{said} is not in: {}", ended.stderr);
    }
    for left in ["move", "moving"] {
        assert!(!old.path("data").join(left).exists(), "{left} is taken away");
    }
    is_left(&old).await;
    // the keys came with it: there was no need to hand them over
    let node = new.start().await;
    is_served(&new, &node, &acknowledged).await;
    let _ = node.terminate().await.success();
    let again: Value = serde_json::from_str(&migrate(&old, &new).finished().await.success().stdout).unwrap();
    assert_eq!(again, told, "and it says so again");
}

/// Starts the node of `old` again; `None` when its store has moved.
async fn start_again(old: &Installation) -> Option<Node> {
    let mut process = Process::start(old.serve());
    let is_moved = |line: &str| match line {
        line if line.contains("was moved to the cluster home") => Some(true),
        line => line.contains("\"ready\"").then_some(false),
    };
    let is_moved = process.line("a node that serves or does not", is_moved).await;
    if is_moved { None } else { Some(Node::ready(process).await) }
}

#[tokio::test]
async fn whoever_is_killed_at_whichever_step_the_same_command_goes_on_and_nothing_is_lost() {
    let (old, node) = used().await;
    let new = Installation::founder(&sayso()).await;
    hand_over(&old, &new, &[]);
    let mut acknowledged = Acknowledged::default();
    let mut left = Some(node);
    for step in ["the store is to move", "the store moves", "stopping: everything is there but for the rest"] {
        // it may have been quicker than who kills it
        let Some(mut node) = left.take() else { break };
        let (command, admin) = (migrate(&old, &new), old.operator(&node).await);
        let killed = async {
            node.process.logs(step).await;
            command.kill().await;
            node.kill().await;
        };
        tokio::join!(talk_to_the_end(&admin, &mut acknowledged), killed);
        left = start_again(&old).await;
    }
    assert!(!acknowledged.given.is_empty());
    // the node alone: the command goes on without it
    let command = migrate(&old, &new);
    if let Some(mut node) = left {
        node.process.logs("the store is to move").await;
        node.kill().await;
    }
    let _ = command.finished().await.success();
    is_left(&old).await;
    // those that were not taken along yet
    hand_over(&old, &new, &["keys"]);
    let node = new.start().await;
    is_served(&new, &node, &acknowledged).await;
    let _ = node.terminate().await.success();
}

#[tokio::test]
async fn nodes_that_wait_for_a_store_that_moves_serve_it_when_it_is_there() {
    let (old, mut node) = used().await;
    let founder = Installation::founder(&sayso()).await;
    hand_over(&old, &founder, &[]);
    let mut acknowledged = Acknowledged::default();
    let command = migrate(&old, &founder);
    node.process.logs("the store moves").await;
    command.kill().await;
    node.kill().await;
    // a store of this size may have moved before it was killed, and then there is nothing to wait for
    let Some(node) = start_again(&old).await else { return };

    // three nodes with a part of a store serve nobody
    let waiting = "waiting until all is there that is put into the store";
    let (second, third) = (founder.one_more().await, founder.one_more().await);
    let mut one = Process::start(founder.serve());
    one.logs("replicating").await;
    let (mut two, mut three) = (Process::start(second.serve()), Process::start(third.serve()));
    for process in [&mut two, &mut three] {
        process.logs(waiting).await;
    }
    let _ = one.terminate().await.success();

    let admin = old.operator(&node).await;
    let (moved, ()) = tokio::join!(migrate(&old, &founder).finished(), talk_to_the_end(&admin, &mut acknowledged));
    let _ = moved.success();
    let _ = node.process.finished().await.success();
    is_left(&old).await;
    let two = Standby { installation: &second, process: two };
    let three = Standby { installation: &third, process: three };
    let (node, other) = first_ready(two, three).await;
    is_served(&founder, &node, &acknowledged).await;
    let _ = other.process.terminate().await.success();
    node.kill().await;
}

#[tokio::test]
async fn a_store_that_cannot_move_is_served_as_before() {
    let (old, mut node) = used().await;
    // a cluster of two of whom one is not there takes nothing; a command that is killed wishes nothing
    let half = Installation::founder(&sayso()).await;
    half.edit("sayso.toml", |config| {
        let founders = config["store"]["raft"]["founders"].as_array_mut().unwrap();
        let mut other = founders[0].as_table().unwrap().clone();
        other.insert("node".to_owned(), 2.into());
        other.insert("address".to_owned(), free_udp_address().to_string().into());
        founders.push(other.into());
    });
    let mut command = migrate(&old, &half);
    command.line("that the node is asked", |line| line.contains("asking that to move its store").then_some(())).await;
    migrate(&old, &half).finished().await.failure(&["another command moves this store already"]);
    node.process.logs("replicating").await;
    command.kill().await;
    let is_over = |line: &str| line.contains("the command that wished it has ended").then_some(());
    node.process.line("that the store does not move", is_over).await;

    let used_before = Installation::founder(&sayso()).await;
    let _ = used_before.start().await.terminate().await.success();
    migrate(&old, &used_before).finished().await.failure(&["did not move its store", "the store is not empty"]);
    let admin = old.operator(&node).await;
    assert!(admin.try_give(DEVICES[0], "voice_interaction").await.is_some());
    let _ = node.terminate().await.success();
}
