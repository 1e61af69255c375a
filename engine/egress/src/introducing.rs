//! People are told of services that have a privacy policy of their own before they come to use them.

use sayso_consent::{Ask, Lineage, notices};
use sayso_policy::{Gate, Profile};
use sayso_types::{Category, ConsentVersion, ProcessorId, ProcessorKind, Purpose, SubjectId, TurnId};

use crate::{Context, Egress, processors};

impl Egress {
    /// Begins to tell the person of each service that a conversation with them would use, under version `cv` of their consent,
    /// if that has a policy of its own and they were not told of it.
    ///
    /// # Errors
    /// As the register says.
    pub async fn introduce(&self, subject: SubjectId, cv: ConsentVersion) -> Result<(), notices::Error> {
        let profile = self.register.profile();
        if profile.introductions().next().is_none() {
            return Ok(());
        }
        let of = |purpose, category, (kind, ids): (ProcessorKind, Vec<ProcessorId>)| {
            let context =
                Context { subject, turn: TurnId(0), cv, purpose, language: String::new(), lineage: Lineage::default() };
            ids.into_iter().map(|id| context.ask(category, Gate::of(kind), id)).collect::<Vec<Ask>>()
        };
        let known = &self.processors;
        for asked in [
            of(Purpose::VOICE_INTERACTION, Category::VOICE_AUDIO, in_order(&known.transcribers, &profile)),
            of(Purpose::VOICE_INTERACTION, Category::TRANSCRIPT, in_order(&known.responders, &profile)),
            of(Purpose::VOICE_INTERACTION, Category::REPLY_TEXT, in_order(&known.synthesizers, &profile)),
            of(Purpose::VISION, Category::IMAGE, in_order(&known.viewers, &profile)),
        ] {
            self.register.introduce_first(subject, asked).await?;
        }
        Ok(())
    }
}

/// The processors of one kind, in the order in which they are asked.
fn in_order<P: ?Sized>(processors: &processors::Kind<P>, profile: &Profile) -> (ProcessorKind, Vec<ProcessorId>) {
    (processors.kind(), processors.in_order(profile).map(|(id, _)| id).collect())
}
