//! [`Bench`]: a person who agreed, and what a check needs of them: permits, labels, calls, frames.

use core::time::Duration;
use std::sync::Arc;

use futures::stream;
use sayso_policy::permit::{Terms, issue};
use sayso_policy::{Labelled, Permit, Refused, Revoker};
use sayso_types::{
    Category, Cell, Clock, ConsentVersion, Label, ManualClock, ProcessorId, ProcessorKind, Purpose, RegionClass,
    SampleRate, SubjectId, TurnId,
};

use crate::{AudioStream, Call, Frame};

/// How long a permit lasts on the bench's clock, which stands still.
const PERMIT_TTL: Duration = Duration::from_secs(3);
/// Long enough for a model on a slow machine; what exceeds it hangs.
const CALL_TIMEOUT: Duration = Duration::from_secs(60);
const FRAME_MS: u32 = 20;

/// A person who agreed to one cell, and a clock that stands still.
#[derive(Clone, Debug)]
pub struct Bench {
    clock: ManualClock,
    terms: Terms,
}

/// A permit and a label that do not go together.
#[derive(Debug)]
pub struct Refusal {
    /// The permit to call with.
    pub permit: Permit,
    /// Its other end, kept because dropping it revokes.
    pub revoker: Revoker,
    /// The label of the data to hand over.
    pub label: Label,
    /// What the gate must say.
    pub reason: Refused,
}

impl Bench {
    /// Recordings of a person's voice, for speech recognition.
    #[must_use]
    pub fn for_transcriber() -> Self {
        Self::new(ProcessorKind::Asr, Category::VOICE_AUDIO)
    }

    /// What a person said, for dialogue.
    #[must_use]
    pub fn for_responder() -> Self {
        Self::new(ProcessorKind::Llm, Category::TRANSCRIPT)
    }

    /// What was said another day, for dialogue: it goes along with what is said now.
    #[must_use]
    pub fn for_history() -> Self {
        Self::of(ProcessorKind::Llm, Category::CHAT_HISTORY, Purpose::HISTORY)
    }

    /// What is answered, for speech synthesis.
    #[must_use]
    pub fn for_synthesizer() -> Self {
        Self::new(ProcessorKind::Tts, Category::REPLY_TEXT)
    }

    /// Pictures that a device took, for their description.
    #[must_use]
    pub fn for_viewer() -> Self {
        Self::of(ProcessorKind::Vision, Category::IMAGE, Purpose::VISION)
    }

    fn new(kind: ProcessorKind, category: Category) -> Self {
        Self::of(kind, category, Purpose::VOICE_INTERACTION)
    }

    fn of(kind: ProcessorKind, category: Category, purpose: Purpose) -> Self {
        let terms = Terms {
            subject: SubjectId([7; 16]),
            cell: Cell { purpose, category, kind, region: RegionClass::Local },
            processor: ProcessorId(sayso_types::Name::constant("under-test")),
            cv: ConsentVersion(3),
            bytes_max: None,
        };
        Self { clock: ManualClock::new(), terms }
    }

    /// An open permit and the end that revokes it.
    #[must_use]
    pub fn permit(&self) -> (Permit, Revoker) {
        issue(self.terms.clone(), Arc::new(self.clock.clone()), self.clock.now(), PERMIT_TTL)
    }

    /// Lets the permits that there are run out.
    pub fn run_out(&self) {
        self.clock.advance(PERMIT_TTL);
    }

    /// A label that the permit covers.
    #[must_use]
    pub fn label(&self) -> Label {
        Label {
            subject: self.terms.subject,
            category: self.terms.cell.category,
            purpose: self.terms.cell.purpose,
            turn: TurnId(1),
            cv: self.terms.cv,
        }
    }

    /// A call under `permit`, with a limit that a working provider keeps.
    #[must_use]
    pub fn call(&self, permit: &Permit) -> Call {
        let (timeout, language) = (CALL_TIMEOUT, "en".to_owned());
        Call { id: [5; 16], permit: permit.clone(), timeout, turn: TurnId(1), language }
    }

    /// Every way in which a permit and a piece of data may not go together.
    #[must_use]
    pub fn refusals(&self) -> Vec<Refusal> {
        let label = self.label();
        let case = |label, reason| {
            let (permit, revoker) = self.permit();
            Refusal { permit, revoker, label, reason }
        };
        let revoked = case(label, Refused::Revoked);
        revoked.revoker.revoke();
        let later = Self { clock: ManualClock::new(), ..self.clone() };
        let (permit, revoker) = later.permit();
        later.run_out();
        let expired = Refusal { permit, revoker, label, reason: Refused::Expired };
        vec![
            revoked,
            expired,
            case(label.derive(Category::MEMORY_SUMMARY), Refused::NotCovered),
            case(Label { purpose: Purpose::MEMORY, ..label }, Refused::NotCovered),
            case(Label { subject: SubjectId([8; 16]), ..label }, Refused::NotCovered),
            case(Label { cv: ConsentVersion(2), ..label }, Refused::Stale),
        ]
    }

    /// 20 ms of a voice-like buzz at 16 kHz.
    #[must_use]
    pub fn frame(&self, label: Label) -> Frame {
        let sawtooth = |i: usize| ((i % 160) as i16 - 80) * 100;
        Labelled::new(label, (0..SampleRate::HZ_16K.samples_in_ms(FRAME_MS)).map(sawtooth).collect())
    }

    /// An utterance of so many frames.
    #[must_use]
    pub fn utterance(&self, label: Label, frames: usize) -> AudioStream {
        Box::pin(stream::iter(vec![self.frame(label); frames]))
    }
}
