//! `turn-latency`: what the engine adds to a turn. Recogniser, responder and voice are fakes that take no time, and
//! the devices push to talk, so that there is no hang-over: all that is left between "the person has finished" and
//! the first sound of the answer is the engine's, the store's and the network's.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Args as ClapArgs;
use futures::future::try_join_all;
use sayso_audio::FRAME_MS;
use sayso_runtime::SystemClock;
use sayso_types::{Clock, TurnId};
use sayso_wire::{ListenMode, SessionState, ToDevice, ToNode};
use tokio::time::{interval, sleep};

use crate::figure::{Aim, Figure};
use crate::lab::{Device, Fleet, Heard, Lab, Latencies, Server, Utterance};
use crate::server::Kind;

/// What the engine should add at most in 99 of 100 turns, in milliseconds.
const AIM: Aim = Aim::Value(20.0);
/// How long an utterance is: enough to be one, in a command of two words.
const UTTERANCE_MS: u32 = 500;
/// The longest that a device waits before its next turn. It is random, so that turns do not fall into step.
const PAUSE_MAX: Duration = Duration::from_millis(200);

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Args {
    /// Devices that hold conversations at the same time.
    #[arg(long, value_name = "COUNT", default_value_t = 10)]
    pub(crate) sessions: usize,
    /// Turns of each.
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    pub(crate) turns: u32,
}

pub(crate) async fn run(lab: &Lab, args: &Args) -> Result<Vec<Figure>> {
    ensure!(args.sessions > 0 && args.turns > 0, "nothing to measure: give at least 1 of each");
    let fleet = Fleet::new()?;
    let kind = Kind::Node { agreed: args.sessions, hears: "what time is it".to_owned(), stages: true };
    let mut node = Server::start(lab, "turn-latency", &fleet.authority, kind)?;
    let devices = fleet.attach(node.addr, 0..args.sessions).await.context("cannot attach devices to the node")?;
    // commits so far are not those of turns
    node.stats()?;
    let utterance = Utterance::new(lab.seed, UTTERANCE_MS)?;
    let talkers = devices.into_iter().zip(lab.seed..).map(|(device, seed)| Talker {
        device,
        utterance: utterance.clone(),
        heard: TurnId::default(),
        random: fastrand::Rng::with_seed(seed),
    });
    let clock = SystemClock::new();
    let took = try_join_all(talkers.map(|talker| talker.converse(args.turns, &clock))).await?;
    let mut latencies = Latencies::new();
    latencies.extend(took.into_iter().flatten());

    let stats = node.stats()?;
    let [p50, p95, p99, max] = latencies.quantiles().figures("turn");
    let mut figures = vec![p50, p95, p99.aiming(AIM), max];
    for (stage, quantiles) in &stats.stages {
        let [p50, _, p99, _] = quantiles.figures(&format!("turn, {stage}"));
        figures.extend([p50, p99]);
    }
    let [p50, _, p99, _] = stats.commits.figures("turn, a durable commit in it");
    figures.extend([p50, p99]);
    Ok(figures)
}

/// A device with somebody who talks to it.
struct Talker {
    device: Device,
    utterance: Utterance,
    /// The latest turn that sounded.
    heard: TurnId,
    random: fastrand::Rng,
}

impl Talker {
    async fn converse(mut self, turns: u32, clock: &SystemClock) -> Result<Vec<Duration>> {
        let mut took = Vec::new();
        for turn in (1..=turns).map(TurnId) {
            sleep(PAUSE_MAX.mul_f64(self.random.f64())).await;
            took.push(self.take_turn(turn, clock).await?);
        }
        Ok(took)
    }

    /// One turn: how long it took from the end of the utterance to the first packet of the answer.
    async fn take_turn(&mut self, turn: TurnId, clock: &SystemClock) -> Result<Duration> {
        let Self { device, utterance, .. } = self;
        device.say(&ToNode::ListenStart { turn, mode: ListenMode::Manual }).await?;
        let mut next = interval(Duration::from_millis(FRAME_MS.into()));
        for sequence in 0..utterance.packets().len() as u32 {
            next.tick().await;
            device.connection.send_datagram(utterance.datagram(turn, sequence)?)?;
        }
        let ended = clock.now();
        device.say(&ToNode::ListenStop { turn }).await?;
        let answer = loop {
            match device.hear().await? {
                Heard::Sound(packet) if packet.turn > self.heard => break packet.turn,
                Heard::Sound(_) | Heard::Message(_) => {}
            }
        };
        let took = clock.now().since(ended);
        self.heard = answer;

        let end = device.wait_for(|message| matches!(message, ToDevice::SpeechEnd { .. })).await?;
        if let ToDevice::SpeechEnd { turn, total_ms } = end {
            device.say(&ToNode::PlayoutPosition { turn, played_ms: total_ms, finished: true }).await?;
        }
        let idle = |message: &ToDevice| matches!(message, ToDevice::StateChanged { state: SessionState::Idle, .. });
        device.wait_for(idle).await?;
        Ok(took)
    }
}
