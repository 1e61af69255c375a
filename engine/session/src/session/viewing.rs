//! From a picture to text.

use sayso_types::{Redacted, TurnId};
use sayso_wire::{PictureOffer, ToDevice};

use super::{Kind, Phase, Session};
use crate::{Effect, Origin, Timer, text};

/// What the device is told, and what is counted, when nobody may look at a picture.
pub(super) const NOT_LOOKED_AT: &str = "picture_not_allowed";

impl Session {
    /// The device offers a picture. It is taken in only if somebody may look at it, which the gate decides.
    pub(super) fn shown(&mut self, offer: PictureOffer, effects: &mut Vec<Effect>) {
        if self.has_to_ask() {
            self.interrupt("picture", effects);
            return self.ask(effects);
        }
        if self.asking.is_some() || !self.consent.pictures {
            return self.tell_not_looked_at(self.latest, effects);
        }
        let question = text::plain(offer.question.reveal()).trim().to_owned();
        if question.chars().count() > self.options.said_chars {
            return self.tell_too_long(effects);
        }
        self.interrupt("picture", effects);
        self.stop_hearing_itself(effects);
        let (id, now) = (self.begin(Kind::Conversation, Phase::Thinking, effects), self.now);
        if let Some(turn) = &mut self.turn {
            turn.asked_at = Some(now);
            turn.understood_at = Some(now);
            turn.looks = true;
        }
        effects.push(Effect::Arm(Timer::Answer, self.options.answer_within));
        self.context.said(id, question.clone(), Origin::Picture, self.options.history_len);
        effects.push(Effect::View(id, PictureOffer { question: Redacted::new(question), ..offer }));
    }

    /// Somebody has looked at the picture of `id`, or could not.
    pub(super) fn viewed(
        &mut self,
        id: TurnId,
        result: Result<Redacted<String>, &'static str>,
        effects: &mut Vec<Effect>,
    ) {
        if !self.answering(id).is_some_and(|turn| turn.looks) {
            return;
        }
        match result {
            Ok(seen) => {
                let seen = text::plain(seen.reveal());
                self.reply_text(id, text::cut(&seen, self.options.answer_chars), effects);
                self.reply_end(id, Ok(()), effects);
            }
            // without consent, or not with it any more; or the camera was taken away
            Err("not_allowed" | "refused") => self.look_away(effects),
            Err(code) => self.fail(code, effects),
        }
    }

    pub(super) fn tell_not_looked_at(&self, turn: TurnId, effects: &mut Vec<Effect>) {
        effects.push(Effect::Tell(ToDevice::Error {
            code: NOT_LOOKED_AT.to_owned(),
            text: "nobody may look at pictures: the person does not agree to it, or the camera was taken away"
                .to_owned(),
            remedy: "offer the picture again when the person has agreed to `vision`".to_owned(),
            turn,
        }));
    }
}
