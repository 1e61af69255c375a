//! Guests: somebody talks to the device who is not its owner. Whoever runs the session ends it then, and begins one of the
//! guest's; when the guest has left it is the other way round.

use sayso_types::TurnId;
use sayso_wire::{ListenMode, ToDevice};

use super::{Kind, Session};
use crate::{Capture, Effect, GuestMode, Timer, guest_words};

impl Session {
    /// Does what `text` wants of guest mode; whether it wants something. Nothing of it goes any further.
    pub(super) fn heeds(&mut self, text: &str, effects: &mut Vec<Effect>) -> bool {
        let other = if self.is_guests { GuestMode::Off } else { GuestMode::On };
        let heeds = guest_words::understand(text) == Some(other);
        if heeds {
            self.change_speaker(other, effects);
        }
        heeds
    }

    /// The device says that a guest is there, or has left.
    pub(super) fn guest_mode(&mut self, wanted: GuestMode, effects: &mut Vec<Effect>) {
        if (wanted == GuestMode::On) != self.is_guests {
            return self.change_speaker(wanted, effects);
        }
        // what has to be heard out is
        if !self.turn.as_ref().is_some_and(|turn| matches!(turn.kind, Kind::Question | Kind::Told)) {
            self.interrupt("guest_mode", effects);
            self.say_who_speaks(effects);
        }
    }

    /// Nothing that is said from here on is of the person whose session this is.
    fn change_speaker(&mut self, wanted: GuestMode, effects: &mut Vec<Effect>) {
        self.interrupt("guest_mode", effects);
        if self.asking.take().is_some() {
            self.put_off = true;
            effects.push(Effect::Disarm(Timer::Consent));
        }
        self.set_capture(Capture::Off, effects);
        effects.push(Effect::Arm(Timer::Idle, self.options.idle_after));
        effects.push(Effect::GuestMode(wanted));
    }

    /// It could not be changed who speaks.
    pub(super) fn guest_mode_refused(&mut self, code: &'static str, effects: &mut Vec<Effect>) {
        effects.push(Effect::Tell(ToDevice::Error {
            code: code.to_owned(),
            text: "guest mode is as it was before".to_owned(),
            remedy: "try again later; the operator finds the reason in the log of the node".to_owned(),
            turn: self.latest,
        }));
        self.interrupt("guest_mode_refused", effects);
        self.say_failed(effects);
    }

    /// The person whose session this is speaks from here on, through a device that listens in this mode and has heard turns up
    /// to `after`. They are told so, and asked what there is to ask.
    pub(super) fn arrived(&mut self, mode: Option<ListenMode>, after: TurnId, effects: &mut Vec<Effect>) {
        self.interrupt("guest_mode", effects);
        self.latest = self.latest.max(after);
        self.mode = mode;
        self.arrives = true;
        self.say_who_speaks(effects);
    }

    fn say_who_speaks(&mut self, effects: &mut Vec<Effect>) {
        let prompts = &self.options.prompts;
        let text = if self.is_guests { &prompts.guest_mode } else { &prompts.guest_mode_off };
        let text = text.clone();
        self.say(Kind::Notice, &text, effects);
    }

    /// What comes first for somebody who has just arrived, while the device listens; whether something does.
    pub(super) fn goes_on_to_ask(&mut self, effects: &mut Vec<Effect>) -> bool {
        core::mem::take(&mut self.arrives) && self.mode.is_some() && self.tells_or_asks(effects)
    }
}
