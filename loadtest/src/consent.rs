//! `consent`: what consent costs: withdrawals idle and while many talk, answers put on record against bare commits, the
//! gate against the bare hash, sealing against the bare cipher, and how fast a log is verified.

mod gate;
mod log;
mod seal;
mod talking;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Args as ClapArgs;
use futures::{StreamExt, TryStreamExt, stream};
use sayso_audio::{FRAME_MS, FRAME_SAMPLES};
use sayso_consent::{Lineage, Means};
use sayso_egress::Context as Turn;
use sayso_policy::Labelled;
use sayso_provider::AudioStream;
use sayso_runtime::{TaskHandle, TaskKind};
use sayso_store::{Batch, Key, Store};
use sayso_types::{Category, Purpose, TurnId};
use sayso_vault::testing::vault;
use tokio::time::{MissedTickBehavior, interval};

use crate::figure::Figure;
use crate::lab::node::open_store;
use crate::lab::{Ground, Lab, Latencies, Node, Quantiles};

/// Answers that wait for the disk at the same time: enough for full batches.
const ANSWERING: usize = 256;

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Args {
    /// Withdrawals, one after another, without and with people who talk.
    #[arg(long, value_name = "COUNT", default_value_t = 200)]
    pub(crate) withdrawals: usize,
    /// People who talk meanwhile, each in a session of their own: a packet of Opus every 20 ms, as devices send it.
    #[arg(long, value_name = "COUNT", default_value_t = 1_000)]
    pub(crate) talking: usize,
    /// Answers that are put on record.
    #[arg(long, value_name = "COUNT", default_value_t = 20_000)]
    pub(crate) answers: usize,
}

pub(crate) async fn run(lab: &Lab, args: &Args) -> Result<Vec<Figure>> {
    ensure!(
        args.withdrawals > 0 && args.talking > 0 && args.answers > 0,
        "nothing to measure: give at least 1 of each"
    );
    let ground = Ground::new();
    let node = Node::open(&lab.dir("consent"), "", &ground).await?;
    let floor = open_store(&lab.dir("consent-floor"), &ground).await?;
    let mut figures = recorded(&node, &floor, &ground, args).await?;

    let idle = withdrawn(&node, &ground, args.withdrawals, args.answers).await?;
    let first = args.answers + 2 * args.withdrawals;
    let talking = talking::talk(&node, &ground, lab.seed, first..first + args.talking).await?;
    let before = node.transcriber.desk().received().pieces;
    let began = ground.clock.now();
    let busy = withdrawn(&node, &ground, args.withdrawals, args.answers + args.withdrawals).await?;
    let took = ground.clock.now().since(began);
    let frames = (node.transcriber.desk().received().pieces - before) as f64 / took.as_secs_f64();
    drop(talking);
    figures.extend(idle.figures("withdrawal, idle"));
    let busy_name = format!("withdrawal, {} talk", args.talking);
    figures.extend(busy.figures(&busy_name));
    // where fewer pass, the machine does not keep up
    let said = args.talking as f64 * 1e3 / f64::from(FRAME_MS);
    figures.push(Figure::new(format!("{busy_name}, frames through gates"), "/s", frames).above(said));
    // with everything in it that was done here
    figures.extend(log::verified(&node.register).await?);
    figures.extend(gate::measure(&ground));
    figures.extend(seal::measure(&*vault(floor).await?).await?);
    Ok(figures)
}

/// Answers a second, and audit events a second with them, against bare commits of the same weight.
async fn recorded(node: &Node, bare: &Arc<dyn Store>, ground: &Ground, args: &Args) -> Result<Vec<Figure>> {
    let (leaves_before, _) = node.register.journal().head().await?;
    node.store.take();
    let began = ground.clock.now();
    let agree = stream::iter(0..args.answers).map(|device| node.agree(device)).buffer_unordered(ANSWERING);
    agree.try_for_each(|_| std::future::ready(Ok(()))).await?;
    let took = ground.clock.now().since(began).as_secs_f64();
    let (leaves, _) = node.register.journal().head().await?;
    let commits = node.store.take();
    let weight = commits.bytes / args.answers;

    let began = ground.clock.now();
    let commit = |number: usize| {
        let key = Key::from_bytes(number.to_be_bytes().to_vec());
        bare.commit(Batch::new().put(key, vec![0; weight]))
    };
    let committed = stream::iter(0..args.answers).map(commit).buffer_unordered(ANSWERING);
    committed.try_for_each(|_| std::future::ready(Ok(()))).await.context("a bare commit failed")?;
    let bare_took = ground.clock.now().since(began).as_secs_f64();
    let (answers, events) = (args.answers as f64, (leaves - leaves_before) as f64);
    Ok(vec![
        Figure::new("answers on record", "/s", answers / took).above(answers / bare_took),
        // the bare commits weigh as much as answers with their events do, and so carry as many of them
        Figure::new("audit events with them", "/s", events / took).above(events / bare_took),
        Figure::new("answers a commit of the store", "", answers / commits.count.max(1) as f64),
    ])
}

/// Withdrawals of people who are in the midst of an utterance.
async fn withdrawn(node: &Node, ground: &Ground, count: usize, first: usize) -> Result<Quantiles> {
    let mut latencies = Latencies::new();
    for device in first..first + count {
        let turn = turn(node, device).await?;
        let begun = node.transcriber.desk().received().calls;
        let talking = utter(node, ground, turn.clone());
        node.transcriber.desk().wait_until(|received| received.calls > begun).await;
        let began = ground.clock.now();
        let withdrawal = node.register.withdraw(turn.subject, &[], Means::Button).await?;
        latencies.record(ground.clock.now().since(began));
        ensure!(withdrawal.ok, "a withdrawal is pending: the recogniser did not let go in time");
        talking.join().await;
    }
    Ok(latencies.quantiles())
}

async fn turn(node: &Node, device: usize) -> Result<Turn> {
    let subject = node.agree(device).await?;
    let cv = node.register.state(subject).await?.cv;
    Ok(Turn {
        subject,
        turn: TurnId(1),
        cv,
        purpose: Purpose::VOICE_INTERACTION,
        language: "en".to_owned(),
        lineage: Lineage::default(),
    })
}

/// An utterance that ends when it is taken back.
fn utter(node: &Node, ground: &Ground, turn: Turn) -> TaskHandle {
    let egress = node.egress.clone();
    let transcribe = async move { egress.transcribe(&turn, endless(&turn)).await.map(drop) };
    ground.tasks.spawn(TaskKind::Call, "utterance", transcribe)
}

/// A frame every 20 ms, for ever.
fn endless(turn: &Turn) -> AudioStream {
    let label = turn.label(Category::VOICE_AUDIO);
    let mut frames = interval(Duration::from_millis(FRAME_MS.into()));
    frames.set_missed_tick_behavior(MissedTickBehavior::Burst);
    Box::pin(stream::unfold(frames, move |mut frames| async move {
        frames.tick().await;
        Some((Labelled::new(label, vec![0; FRAME_SAMPLES]), frames))
    }))
}
