//! People who talk on and on, each in a session of their own: their packets go the way that those of a device go from where the
//! gateway hands them over. What a device and the network cost is not in it, which one machine could not do for a thousand.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use futures::{StreamExt, TryStreamExt, stream};
use sayso_audio::FRAME_MS;
use sayso_runtime::{TaskHandle, TaskKind};
use sayso_session::{Attach, DeviceInlet, DeviceOutlet, Full, Sessions};
use sayso_types::TurnId;
use sayso_wire::{AudioPacket, Goodbye, ListenMode, ToDevice, ToNode};
use tokio::time::{MissedTickBehavior, interval};

use super::ANSWERING;
use crate::lab::device::hello;
use crate::lab::fleet::{device_id, tenant};
use crate::lab::{Ground, Node, Utterance};

/// What everybody says, again and again, without a pause: the engine ends an utterance after 15 s, and the next one begins.
const UTTERANCE_MS: u32 = 10_000;

/// The one turn that each device asks for: it goes on listening.
const TURN: TurnId = TurnId(1);

/// A device that takes whatever it is sent.
struct Deaf;

impl DeviceOutlet for Deaf {
    fn control(&self, _: ToDevice) -> Result<(), Full> {
        Ok(())
    }

    fn audio(&self, _: AudioPacket) -> Result<(), Full> {
        Ok(())
    }

    fn close(&self, _: Goodbye) {}
}

/// Has the people of these numbers talk, until what this returns is dropped. All of them are being heard when it returns.
pub(super) async fn talk(node: &Node, ground: &Ground, seed: u64, people: Range<usize>) -> Result<TaskHandle> {
    let begun = node.transcriber.desk().received().calls;
    let all = begun + people.len() as u64;
    let seated = stream::iter(people).map(|device| sit_down(node, device)).buffer_unordered(ANSWERING);
    let inlets: Vec<_> = seated.try_collect().await?;
    let talking = say(inlets, Utterance::new(seed, UTTERANCE_MS)?);
    let talking = ground.tasks.spawn(TaskKind::Call, "people who talk", talking);
    node.transcriber.desk().wait_until(|received| received.calls >= all).await;
    Ok(talking)
}

/// Somebody agrees, and their device begins to listen.
async fn sit_down(node: &Node, device: usize) -> Result<Box<dyn DeviceInlet>> {
    node.agree(device).await?;
    let attach = Attach { tenant: tenant(), device: device_id(device), hello: hello(device_id(device)) };
    let attached = node.sessions.attach(attach, Arc::new(Deaf)).await?;
    let listen = ToNode::ListenStart { turn: TURN, mode: ListenMode::Realtime };
    attached.inlet.control(listen).context("a session takes no message")?;
    Ok(attached.inlet)
}

/// A packet to each every 20 ms, for ever; less often where the machine does not keep up, which the frames through gates show.
async fn say(inlets: Vec<Box<dyn DeviceInlet>>, utterance: Utterance) {
    let mut ticks = interval(Duration::from_millis(FRAME_MS.into()));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    for sequence in 0.. {
        ticks.tick().await;
        for inlet in &inlets {
            inlet.audio(utterance.packet(TURN, sequence));
        }
    }
}
