//! `withdraw-latency`: how long a person who takes consent back in the middle of a sentence waits for the OK, and
//! what still reaches the recogniser after it, counted by the recogniser.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Args as ClapArgs;
use futures::stream;
use sayso_audio::FRAME_SAMPLES;
use sayso_consent::{Lineage, Means};
use sayso_egress::Context as Turn;
use sayso_policy::Labelled;
use sayso_provider::AudioStream;
use sayso_runtime::TaskKind;
use sayso_store::{Batch, Key, Store};
use sayso_types::{Category, Purpose, SubjectId, TurnId};
use tokio::time::sleep;

use crate::figure::{Aim, Figure};
use crate::lab::node::open_store;
use crate::lab::{Ground, Lab, Latencies, Node};

/// A withdrawal is two durable commits: requested, and in effect.
const COMMITS: f64 = 2.0;
/// What it may take besides, in milliseconds.
const BESIDES_MS: f64 = 5.0;
/// How often a frame is offered: twenty times as often as people's sound comes, to give the gate a chance to err.
const OFFER_EVERY: Duration = Duration::from_millis(1);
/// Frames that the recogniser has before consent is taken back.
const FRAMES_BEFORE: u64 = 10;

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Args {
    /// Withdrawals, one after another, each in the middle of somebody's utterance.
    #[arg(long, value_name = "COUNT", default_value_t = 200)]
    pub(crate) withdrawals: usize,
}

pub(crate) async fn run(lab: &Lab, args: &Args) -> Result<Vec<Figure>> {
    ensure!(args.withdrawals > 0, "nothing to measure: give at least 1 withdrawal");
    let ground = Ground::new();
    let node = Node::open(&lab.dir("withdraw"), "", &ground).await?;
    let bare = open_store(&lab.dir("withdraw-floor"), &ground).await?;
    let (mut withdrawals, mut commits, mut counts) = (Latencies::new(), Latencies::new(), Counts::default());
    for number in 0..args.withdrawals {
        let subject = node.agree(number).await?;
        let (took, weight) = withdraw(&node, subject, &ground, &mut counts).await?;
        withdrawals.record(took);
        commits.record(commit(bare.as_ref(), weight, &ground).await?);
    }
    ensure!(
        counts.bytes_after == 0,
        "{} bytes reached the recogniser after the OK of a withdrawal: a promise is broken",
        counts.bytes_after
    );
    let (took, floor) = (withdrawals.quantiles(), commits.quantiles());
    let withdrawal = |quantile: &str, ms, commit_ms| {
        let aim = Aim::Value(COMMITS * commit_ms + BESIDES_MS);
        Figure::new(format!("withdrawal, {quantile}"), "ms", ms).above(COMMITS * commit_ms).aiming(aim)
    };
    Ok(vec![
        withdrawal("p50", took.p50, floor.p50),
        withdrawal("p99", took.p99, floor.p99),
        Figure::new("withdrawal, commits in it", "", counts.commits as f64 / args.withdrawals as f64).above(COMMITS),
        Figure::new("withdrawal, bytes after OK", "B", counts.bytes_after as f64).aiming(Aim::Value(0.0)),
    ])
}

/// What is added up over all withdrawals.
#[derive(Debug, Default)]
struct Counts {
    commits: usize,
    bytes_after: u64,
}

/// One withdrawal in the middle of an utterance: how long it took, and the bytes of a commit in it.
async fn withdraw(node: &Node, subject: SubjectId, ground: &Ground, counts: &mut Counts) -> Result<(Duration, usize)> {
    let desk = node.transcriber.desk();
    let heard_before = desk.received().pieces;
    let turn = Turn {
        subject,
        turn: TurnId(1),
        cv: node.register.state(subject).await?.cv,
        purpose: Purpose::VOICE_INTERACTION,
        language: "en".to_owned(),
        lineage: Lineage::default(),
    };
    let (egress, call) = (node.egress.clone(), turn.clone());
    let transcribe = async move { egress.transcribe(&call, endless(&call)).await.map(drop) };
    let utterance = ground.tasks.spawn(TaskKind::Call, "utterance", transcribe);
    desk.wait_until(|received| received.pieces >= heard_before + FRAMES_BEFORE).await;

    node.store.take();
    let began = ground.clock.now();
    let withdrawal = node.register.withdraw(subject, &[], Means::Button).await?;
    let took = ground.clock.now().since(began);
    let bytes_at_ok = desk.received().bytes;
    ensure!(withdrawal.ok, "a withdrawal is pending: the recogniser did not let go in time");
    let commits = node.store.take();

    // whoever goes on talking, or begins again, is not heard
    utterance.join().await;
    let again = node.egress.transcribe(&turn, endless(&turn)).await;
    ensure!(again.is_err(), "the recogniser was asked again after consent had been taken back");
    counts.bytes_after += desk.received().bytes - bytes_at_ok;
    counts.commits += commits.count;
    Ok((took, commits.bytes / commits.count.max(1)))
}

/// An utterance that does not end.
fn endless(turn: &Turn) -> AudioStream {
    let label = turn.label(Category::VOICE_AUDIO);
    Box::pin(stream::unfold((), move |()| async move {
        sleep(OFFER_EVERY).await;
        Some((Labelled::new(label, vec![0; FRAME_SAMPLES]), ()))
    }))
}

/// A commit of `bytes` to a store that has nothing else to do.
async fn commit(store: &dyn Store, bytes: usize, ground: &Ground) -> Result<Duration> {
    let batch = Batch::new().put(Key::from_bytes(&b"floor"[..]), vec![0; bytes]);
    let began = ground.clock.now();
    store.commit(batch).await.context("a bare commit failed")?;
    Ok(ground.clock.now().since(began))
}
