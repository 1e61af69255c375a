//! What the person takes back in words.

use super::{Kind, Session};
use crate::{Effect, Means, Taken, Timer, withdrawal_words};

impl Session {
    /// Takes back what `text` says; whether it says so. The words go to nobody, and are kept by nobody.
    pub(super) fn takes_back(&mut self, text: &str, means: Means, effects: &mut Vec<Effect>) -> bool {
        let Some(taken) = withdrawal_words::understand(text) else { return false };
        effects.push(Effect::Withdraw(taken, means));
        // The gates close under this turn, which is no failure of it: it is over now, and what there is to say is said when
        // the withdrawal holds.
        if taken == Taken::Everything {
            self.mode = None;
        }
        if self.asking.take().is_some() {
            self.put_off = true;
            effects.push(Effect::Disarm(Timer::Consent));
        }
        self.interrupt("withdrawing", effects);
        self.rest(effects);
        true
    }

    /// Says that what was taken back is not used from here on.
    pub(super) fn taken_back(&mut self, taken: Taken, effects: &mut Vec<Effect>) {
        let prompts = &self.options.prompts;
        let text = if taken == Taken::Everything { &prompts.withdrawn } else { &prompts.taken_back };
        let text = text.clone();
        self.interrupt("withdrawn", effects);
        self.say(Kind::Notice, &text, effects);
    }
}
