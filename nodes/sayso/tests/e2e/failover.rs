//! W6 on a cluster: `kill -9` of the node that leads and serves, at each step of a withdrawal that anybody can see from outside.
//! Whoever takes over completes what was asked for, OK is never said too early, and nothing is sent after it.

use rustix::process::{Pid, Signal, kill_process};
use sayso_audit::{Event, Leaf};
use sayso_proto::consent::v1::WithdrawalState;
use sayso_tests::{Admin, Installation, Node, Process};
use serde_json::Value;

use crate::cluster::{Standby, first_ready};
use crate::permits::{CAMPAIGN, DEVICE, campaign, certify, examine, runs, sent, until_sent};
use crate::sayso;

/// When the node is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// The request is on its way to the node.
    Asked,
    /// It is on record, and the holder is told.
    Requested,
    /// The same, of a holder that is stopped: it holds on.
    RequestedOfSilent,
    /// The holder has let go, and that is on record.
    LetGo,
    /// The effect is on record.
    Effective,
    /// OK was said.
    Ok,
}

const STEPS: [Step; 6] =
    [Step::Asked, Step::Requested, Step::RequestedOfSilent, Step::LetGo, Step::Effective, Step::Ok];

impl Step {
    /// Whether `leaf` shows that a withdrawal has come so far.
    fn is_shown_by(self, leaf: &Leaf) -> bool {
        match self {
            Self::Asked | Self::Ok => false,
            Self::Requested | Self::RequestedOfSilent => matches!(leaf.fact.event, Event::WithdrawRequested { .. }),
            Self::LetGo => matches!(leaf.fact.event, Event::SegmentClosed { .. }),
            Self::Effective => matches!(leaf.fact.event, Event::WithdrawEffective { .. }),
        }
    }
}

/// Has the node that serves lead as well.
async fn lead(founder: &Installation, node: &Node) {
    let (at, certs) = (node.admin.to_string(), founder.file("admin"));
    let store = async |args: &[&str]| {
        let told = sayso().run([&["store"], args, &["--json", "--admin", &at, "--certs", &certs]].concat()).await;
        serde_json::from_str::<Value>(&told.success().stdout).unwrap()
    };
    let serving = store(&["members"]).await["serving"].to_string();
    assert_eq!(store(&["lead", &serving]).await["leader"].to_string(), serving);
}

/// Withdraws at `node` and kills it at `step`; how much had been sent by the time it said OK, if it did.
async fn killed(step: Step, operator: &Admin, node: Node, outbox: &std::path::Path) -> Option<usize> {
    let before = operator.leaves().await.len() as u64;
    let asked = async {
        let answer = operator.try_withdraw(DEVICE).await?;
        (answer.state() == WithdrawalState::Ok).then(|| sent(outbox))
    };
    let shown = operator.until_leaf("the step", |leaf| leaf.place.sequence >= before && step.is_shown_by(leaf));
    match step {
        Step::Asked => {
            tokio::select! {
                biased;
                at_ok = asked => {
                    node.kill().await;
                    at_ok
                }
                () = tokio::task::yield_now() => {
                    node.kill().await;
                    None
                }
            }
        }
        Step::Ok => {
            let at_ok = asked.await;
            node.kill().await;
            at_ok
        }
        _ => {
            let kill = async {
                shown.await;
                node.kill().await;
            };
            tokio::join!(asked, kill).0
        }
    }
}

fn signal(process: &Process, signal: Signal) {
    kill_process(Pid::from_raw(i32::try_from(process.id()).unwrap()).unwrap(), signal).unwrap();
}

#[tokio::test]
async fn w6_killed_at_each_step_the_standby_completes_a_withdrawal() {
    let founder = Installation::founder(&sayso()).await;
    examine(&founder);
    certify(&founder).await;
    let mut node = founder.start().await;
    let (second, third) = (founder.one_more().await, founder.one_more().await);
    for joined in [&second, &third] {
        examine(joined);
    }
    let (mut two, mut three) = (Standby::start(&second).await, Standby::start(&third).await);
    drop(founder.first_device(&node).await);

    let mut serving = &founder;
    for step in STEPS {
        lead(&founder, &node).await;
        let operator = founder.operator(&node).await;
        operator.give(DEVICE, "marketing").await;
        let outbox = founder.path(&format!("outbox-{step:?}"));
        let campaign = campaign(&founder, &node, CAMPAIGN, &outbox);
        until_sent(&outbox, 20).await;
        if step == Step::RequestedOfSilent {
            signal(&campaign, Signal::STOP);
        }
        let at_ok = killed(step, &operator, node, &outbox).await;
        assert!(step != Step::Ok || at_ok.is_some(), "OK was said");
        assert!(step != Step::RequestedOfSilent || at_ok.is_none(), "somebody held on");

        let (next, other) = first_ready(two, three).await;
        let operator = founder.operator(&next).await;
        let mut withdrawn = operator.withdraw(DEVICE).await;
        while withdrawn.state() != WithdrawalState::Ok {
            withdrawn = operator.withdraw(DEVICE).await;
        }
        let sent_at_ok = sent(&outbox);
        assert!(!runs(&outbox), "{step:?}: it has ended before OK was said");
        assert!(at_ok.is_none_or(|at_ok| at_ok == sent_at_ok), "{step:?}: nothing was sent after the first OK either");
        if step == Step::RequestedOfSilent {
            signal(&campaign, Signal::CONT);
        }
        assert_eq!(campaign.finished().await.status.code(), Some(124), "{step:?}");
        assert_eq!(sent(&outbox), sent_at_ok, "{step:?}: not one more");

        // who was killed comes back, and stands by
        (node, two) = (next, other);
        three = Standby::start(serving).await;
        serving = [&founder, &second, &third]
            .into_iter()
            .find(|one| [&two, &three].iter().all(|standby| standby.installation.path("") != one.path("")))
            .unwrap();
    }

    let leaves = founder.operator(&node).await.leaves().await;
    let count = |wanted: fn(&Event) -> bool| leaves.iter().filter(|leaf| wanted(&leaf.fact.event)).count();
    let requested = count(|event| matches!(event, Event::WithdrawRequested { .. }));
    assert_eq!(requested, count(|event| matches!(event, Event::WithdrawEffective { .. })), "each took effect, once");
    assert!(requested >= STEPS.len(), "{requested}");
    let (at, certs) = (node.admin.to_string(), founder.file("admin"));
    let (log, key, profile) = (founder.file("log"), founder.file("log.pub"), founder.file("profile.toml"));
    let _ = sayso().run(["audit", "export", "--admin", &at, "--certs", &certs, &log]).await.success();
    let _ = sayso().run(["verify", &log, "--trust", &key, "--profile", &profile]).await.success();
    node.kill().await;
}
