//! Notices: what the person has to be told, at the beginning of a conversation, before anything else.

use super::{Kind, Session};
use crate::Effect;

impl Session {
    /// What comes before the conversation, if something does: the next notice, or the consent question. An open question is
    /// answered first.
    pub(super) fn tells_or_asks(&mut self, effects: &mut Vec<Effect>) -> bool {
        let next = self.notices.front().filter(|_| self.asking.is_none());
        if let Some(text) = next.map(|notice| notice.text.clone()) {
            self.say(Kind::Told, &text, effects);
            return true;
        }
        let asks = self.has_to_ask();
        if asks {
            self.ask(effects);
        }
        asks
    }

    /// A notice was told. It counts as heard when the device says that all of it was played; otherwise it is told again in
    /// the next conversation.
    pub(super) fn told_notice(&mut self, is_heard: bool, effects: &mut Vec<Effect>) {
        if let Some(told) = self.notices.pop_front().filter(|_| is_heard) {
            effects.push(Effect::NoticeHeard(told.notice));
        }
        // Who stopped listening meanwhile is told the rest, and asked, when they come back.
        if self.mode.is_none() || !self.tells_or_asks(effects) {
            self.rest(effects);
        }
    }

    /// What was not told waits for the next conversation.
    pub(super) fn put_off_notices(&mut self) {
        self.notices.clear();
    }
}
