//! From frames to text: the utterance that is being heard.

use std::sync::Arc;

use futures::StreamExt;
use ractor::ActorRef;
use sayso_audio::{Frame, RATE};
use sayso_egress::Context;
use sayso_policy::Labelled;
use sayso_runtime::{TaskHandle, TaskKind};
use sayso_session::Event;
use sayso_types::{Category, TurnId};
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

use crate::actor::Message;
use crate::services::Services;

/// Frames of one utterance that may wait in front of the gate: 20 s, more than the longest utterance that the
/// endpointer lets through.
const FRAMES_WAITING_MAX: usize = 1_000;

/// The pipeline's end of an utterance: frames go in here, in front of the gate, before anybody has decided whether
/// they may go further. Dropping it ends the utterance.
pub(crate) struct Feed {
    frames: mpsc::Sender<Frame>,
    hash: Sha256,
}

impl Feed {
    pub(crate) fn new() -> (Self, mpsc::Receiver<Frame>) {
        let (frames, receiver) = mpsc::channel(FRAMES_WAITING_MAX);
        (Self { frames, hash: Sha256::new() }, receiver)
    }

    /// Takes a frame. One that nobody takes in time is lost, and counted.
    pub(crate) fn push(&mut self, frame: &Frame) {
        for sample in frame {
            self.hash.update(sample.to_le_bytes());
        }
        if self.frames.try_send(*frame).is_err() {
            metrics::counter!("sayso_session_frames_dropped_total").increment(1);
        }
    }

    /// SHA-256 over the samples of the utterance: its fingerprint as evidence.
    pub(crate) fn finish(self) -> [u8; 32] {
        self.hash.finalize().into()
    }
}

/// Recognises the utterance whose frames arrive in `frames`; posts [`Event::Transcribed`].
pub(crate) fn start(
    services: &Arc<Services>,
    actor: &ActorRef<Message>,
    context: Context,
    frames: mpsc::Receiver<Frame>,
) -> TaskHandle {
    let (services, actor) = (Arc::clone(services), actor.clone());
    let tasks = services.tasks.clone();
    tasks.spawn(TaskKind::Call, "transcription", async move {
        let label = context.label(Category::VOICE_AUDIO);
        let audio = futures::stream::unfold(frames, |mut frames| async { Some((frames.recv().await?, frames)) });
        let audio = audio.map(move |frame| Labelled::new(label, frame.to_vec()));
        let result = services.egress.transcribe(&context, Box::pin(audio)).await;
        if let Err(error) = &result {
            tracing::debug!(turn = context.turn.0, %error, "transcription failed");
        }
        let result = result.map(|transcript| transcript.text).map_err(|error| error.code());
        post(&actor, Event::Transcribed(context.turn, result));
    })
}

/// Posts a result to its session; one that is gone needs it no more.
pub(crate) fn post(actor: &ActorRef<Message>, event: Event) {
    let _ = actor.cast(Message::Event(event));
}

const _: () = assert!(RATE.0 == 16_000, "providers are given 16 kHz");

/// What is left of the utterance of a turn once it is complete.
#[derive(Clone, Copy)]
pub(crate) struct Heard {
    pub(crate) turn: TurnId,
    pub(crate) sha256: [u8; 32],
}
