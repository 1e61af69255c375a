//! What is kept beyond the conversation: what was said, and how. It is written by tasks in the order in which it was said, and
//! no turn waits for them.

use sayso_audio::Recording;
use sayso_types::dialogue::Exchange;
use sayso_types::{Category, ConsentVersion, Purpose, TurnId};

use super::Conversation;
use crate::kept;

impl Conversation {
    /// Whether the person agrees to `purpose`, and data of `category` may be used. The register decides each time; this only
    /// saves asking it in vain.
    pub(super) fn may(&self, purpose: Purpose, category: Category) -> bool {
        self.consent.has_agreed(purpose, self.services.clock.wall()) && !self.consent.restricted.contains(&category)
    }

    /// Whether what is said now may come to be kept: by whoever agreed to that, or as the answer to a question that is open.
    pub(super) fn records(&self) -> bool {
        let is_answering = self.question.is_some() && self.services.register.profile().evidence().is_some();
        is_answering || self.may(Purpose::IMPROVE_VOICE, Category::CONVERSATION_AUDIO)
    }

    /// Keeps what was said in `turn`, with its time and its place. It began under the consent of version `cv`: what was agreed
    /// to since is about what is said since.
    pub(super) fn keep_exchange(&mut self, turn: TurnId, cv: ConsentVersion, exchange: Exchange) {
        let register = self.services.register.clone();
        let (subject, session) = (self.place().identity.subject, self.place().identity.session);
        let at = (session, turn, self.services.clock.wall());
        self.keeping.start(&self.services.tasks, "keep exchange", async move {
            kept::keep_exchange(&register, subject, cv, exchange, at).await;
        });
    }

    /// Keeps the sound of an utterance.
    pub(super) fn keep_recording(&mut self, recording: Recording) {
        let Some(file) = recording.finish() else { return };
        let (register, cv) = (self.services.register.clone(), self.consent.cv);
        let subject = self.place().identity.subject;
        self.keeping.start(&self.services.tasks, "keep recording", async move {
            kept::keep(&register, subject, cv, kept::recording(subject, file)).await;
        });
    }
}
