//! The engine finds speech in sound itself: a processor like any other, which is asked for before sound is decoded.

use sayso_consent::Lease;
use sayso_policy::Gate;
use sayso_types::{Category, Name, ProcessorId, ProcessorKind};

use crate::{Context, Egress, Error};

/// What profiles know the engine's own detection of speech as, of kind `vad`.
pub const DETECTOR: ProcessorId = ProcessorId(Name::constant("vad-local"));

impl Egress {
    /// Asks to decode what a device sends and to look for speech in it. Whoever listens passes each packet through the permit,
    /// and drops what is left of the sound, and then the lease, when that is taken back.
    ///
    /// # Errors
    /// [`Error::Denied`] says why not.
    pub async fn listen(&self, context: &Context) -> Result<Lease, Error> {
        let ask = context.ask(Category::VOICE_AUDIO, Gate::of(ProcessorKind::Vad), DETECTOR);
        self.register.acquire(ask).await.map_err(Error::Denied)
    }
}
