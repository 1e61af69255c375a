//! From frames to text: the utterance that is being heard.

use std::sync::Arc;

use futures::StreamExt;
use ractor::ActorRef;
use sayso_audio::{FRAME_MS, Frame, RATE};
use sayso_egress::Context;
use sayso_policy::Labelled;
use sayso_runtime::{TaskHandle, queue};
use sayso_session::Event;
use sayso_types::Category;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::actor::Message;
use crate::services::Services;
use crate::stage;

/// The frames of an utterance, wiped when nobody takes them.
pub(crate) type Frames = queue::Receiver<Zeroizing<Vec<i16>>>;

/// The pipeline's end of an utterance: frames go in here, in front of the gate, before anybody has decided whether
/// they may go further. Dropping it ends the utterance.
pub(crate) struct Feed {
    frames: queue::Sender<Zeroizing<Vec<i16>>>,
    hash: Sha256,
}

impl Feed {
    /// A feed with room for an utterance of `utterance_ms_max`: if need be all of it waits for the gate.
    pub(crate) fn new(utterance_ms_max: u32) -> (Self, Frames) {
        let (frames, receiver) = queue::bounded("session_frames", utterance_ms_max.div_ceil(FRAME_MS) as usize);
        (Self { frames, hash: Sha256::new() }, receiver)
    }

    /// Takes a frame. One that there is no room for is lost, and the queue counts it.
    pub(crate) fn push(&mut self, frame: &Frame) {
        let mut bytes = [0; 2 * sayso_audio::FRAME_SAMPLES];
        for (pair, sample) in bytes.chunks_exact_mut(2).zip(frame) {
            pair.copy_from_slice(&sample.to_le_bytes());
        }
        self.hash.update(bytes);
        let _ = self.frames.try_send(Zeroizing::new(frame.to_vec()));
    }

    /// SHA-256 over the samples of the utterance (16 kHz, signed 16-bit little-endian): its fingerprint as evidence.
    pub(crate) fn finish(self) -> [u8; 32] {
        self.hash.finalize().into()
    }
}

/// Recognises the utterance whose frames arrive in `frames`; posts [`Event::Transcribed`].
pub(crate) fn start(
    services: &Arc<Services>,
    actor: &ActorRef<Message>,
    context: Context,
    frames: Frames,
) -> TaskHandle {
    let (egress, turn, label) = (Arc::clone(&services.egress), context.turn, context.label(Category::VOICE_AUDIO));
    let audio = frames.map(move |mut frame| Labelled::new(label, core::mem::take(&mut *frame)));
    let work = async move {
        let transcript = egress.transcribe(&context, Box::pin(audio)).await;
        transcript.map(|transcript| transcript.text).map_err(|error| error.code())
    };
    stage::start(&services.tasks, actor, "transcription", work, move |result| Event::Transcribed(turn, result))
}

const _: () = assert!(RATE.0 == 16_000, "providers are given 16 kHz");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fingerprint_is_of_the_samples_as_decoded() {
        let (mut feed, mut frames) = Feed::new(40);
        let frame: Frame = core::array::from_fn(|i| i as i16 - 100);
        (0..3).for_each(|_| feed.push(&frame));
        assert_eq!(frames.try_recv().as_deref(), Some(&frame.to_vec()));
        assert!(frames.try_recv().is_some() && frames.try_recv().is_none(), "there was room for two");
        let bytes: Vec<u8> = [frame, frame, frame].as_flattened().iter().flat_map(|s| s.to_le_bytes()).collect();
        assert_eq!(feed.finish(), <[u8; 32]>::from(Sha256::digest(bytes)));
    }
}
