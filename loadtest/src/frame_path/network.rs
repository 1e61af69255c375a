//! With the network: devices that talk to a node over QUIC, against the same packets sent to a bare quinn server that
//! echoes, decodes and detects voice. The CPU time is the server's, all of it.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use futures::FutureExt;
use futures::future::{join_all, try_join_all};
use quinn::Connection;
use sayso_audio::FRAME_MS;
use sayso_types::TurnId;
use sayso_wire::{ListenMode, ToDevice, ToNode};
use tokio::time::{Instant, interval_at, sleep};

use super::{Args, Pairs};
use crate::lab::{Device, Fleet, Lab, Server, Utterance};
use crate::server::{Kind, Stats};

/// How long the last frames have to come through after they were sent.
const THROUGH_WITHIN: Duration = Duration::from_secs(2);
/// How often to look whether they have.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// The part of the frames that must come through. A busy machine loses packets in its socket buffers; when it loses
/// more, something else than their path was measured.
const THROUGH_LEAST: f64 = 0.9;

/// Two servers and those who talk to them.
struct Pair {
    bare: Server,
    clients: Vec<Connection>,
    node: Server,
    devices: Vec<Device>,
    utterance: Utterance,
    random: fastrand::Rng,
    frames: u32,
}

/// Measures as many pairs as `args` says, in alternating order, after one that warms up both.
pub(super) async fn measure(lab: &Lab, args: &Args) -> Result<Pairs> {
    let fleet = Fleet::new()?;
    let bare = Server::start(lab, "bare", &fleet.authority, Kind::Bare)?;
    // what it hears is nothing, so that nobody answers
    let kind = Kind::Node { agreed: args.devices, hears: String::new(), stages: false };
    let node = Server::start(lab, "frame-path", &fleet.authority, kind)?;
    let mut pair = Pair {
        clients: fleet.connect(bare.addr, args.devices).await.context("cannot connect to the bare server")?,
        devices: fleet.attach(node.addr, 0..args.devices).await.context("cannot attach devices to the node")?,
        utterance: Utterance::new(lab.seed, args.seconds * 1_000)?,
        random: fastrand::Rng::with_seed(lab.seed),
        frames: args.seconds * 1_000 / FRAME_MS,
        bare,
        node,
    };
    let mut pairs = Pairs::default();
    for round in 0..=args.network_rounds {
        let turn = TurnId(round as u32 + 1);
        let (bare_ns, node_ns) = if round % 2 == 0 {
            let bare_ns = pair.bare(turn).await?;
            (bare_ns, pair.node(turn).await?)
        } else {
            let node_ns = pair.node(turn).await?;
            (pair.bare(turn).await?, node_ns)
        };
        if round > 0 {
            pairs.push(bare_ns, node_ns);
        }
    }
    Ok(pairs)
}

impl Pair {
    /// Everybody talks to the bare server: nanoseconds a frame.
    async fn bare(&mut self, turn: TurnId) -> Result<f64> {
        let before = self.bare.stats()?;
        talk(&self.clients, &self.utterance, turn, self.frames, &mut self.random).await?;
        through(&mut self.bare, &before, self.clients.len() as u64 * u64::from(self.frames)).await
    }

    /// Everybody talks to the node, one utterance each: nanoseconds a frame, with what an utterance costs to open
    /// and to close.
    async fn node(&mut self, turn: TurnId) -> Result<f64> {
        let before = self.node.stats()?;
        let start = ToNode::ListenStart { turn, mode: ListenMode::Realtime };
        try_join_all(self.devices.iter_mut().map(|device| device.say(&start))).await?;
        let connections: Vec<_> = self.devices.iter().map(|device| device.connection.clone()).collect();
        talk(&connections, &self.utterance, turn, self.frames, &mut self.random).await?;
        let over = |message: &ToDevice| matches!(message, ToDevice::VoiceActivity { speaking: false, .. });
        try_join_all(self.devices.iter_mut().map(async |device| {
            device.say(&ToNode::ListenStop { turn }).await?;
            device.wait_for(over).await
        }))
        .await?;
        through(&mut self.node, &before, self.devices.len() as u64 * u64::from(self.frames)).await
    }
}

/// Sends `frames` frames on every connection, in real time, each beginning at a moment of its own.
async fn talk(
    connections: &[Connection],
    utterance: &Utterance,
    turn: TurnId,
    frames: u32,
    random: &mut fastrand::Rng,
) -> Result<()> {
    let frame = Duration::from_millis(FRAME_MS.into());
    let talkers = connections.iter().map(|connection| {
        let mut next = interval_at(Instant::now() + frame.mul_f64(random.f64()), frame);
        async move {
            for sequence in 0..frames {
                next.tick().await;
                connection.send_datagram(utterance.datagram(turn, sequence)?)?;
                // a bare server's echo: nobody listens to it
                while let Some(echo) = connection.read_datagram().now_or_never() {
                    echo?;
                }
            }
            anyhow::Ok(())
        }
    });
    join_all(talkers).await.into_iter().collect()
}

/// Waits until `sent` frames have come through since `before`: nanoseconds of CPU time for each that has.
async fn through(server: &mut Server, before: &Stats, sent: u64) -> Result<f64> {
    let patience = Instant::now() + THROUGH_WITHIN;
    let after = loop {
        let stats = server.stats()?;
        if stats.frames - before.frames >= sent || Instant::now() >= patience {
            break stats;
        }
        sleep(LOOK_EVERY).await;
    };
    let came = after.frames - before.frames;
    ensure!(
        came as f64 >= THROUGH_LEAST * sent as f64,
        "only {came} of {sent} frames came through; is the machine busy?"
    );
    Ok((after.cpu - before.cpu).as_nanos() as f64 / came as f64)
}
