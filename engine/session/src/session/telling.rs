//! Notices: what the person has to be told, at the beginning of a conversation, before anything else.

use sayso_wire::ToDevice;

use super::{Kind, Session};
use crate::{Capture, Effect, Event, ToTell};

/// What a device is told it shows a text of, while it says that.
const SHOWN: &str = "told";

/// The same of which policy holds.
const POLICY: &str = "policy";

impl Session {
    /// Whoever comes is shown which policy holds when they begin, where that is promised. Who goes, or lets the device fall asleep,
    /// comes anew.
    pub(super) fn shows_policy(&mut self, event: &Event, effects: &mut Vec<Effect>) {
        let begins = match event {
            Event::Attached { .. } | Event::Detached => {
                self.comes = true;
                false
            }
            Event::Arrived { .. } => {
                self.comes = true;
                true
            }
            Event::ListenStart(_) | Event::Text(_) | Event::Picture(_) => true,
            _ => false,
        };
        if !begins || !core::mem::take(&mut self.comes) || self.options.policy.is_empty() {
            return;
        }
        effects.push(Effect::NotePolicy);
        effects.push(Effect::Tell(ToDevice::Notice { code: POLICY.to_owned(), text: self.options.policy.clone() }));
    }

    /// There is this to tell. Whoever listens or waits is told at once, whoever is in the midst of a turn after it.
    pub(super) fn has_to_tell(&mut self, notices: Vec<ToTell>, effects: &mut Vec<Effect>) {
        let is_telling = self.turn.as_ref().is_some_and(|turn| turn.kind == Kind::Told);
        let said = self.notices.pop_front().filter(|_| is_telling);
        let is_said = |notice: &ToTell| said.as_ref().is_some_and(|said| said.notice == notice.notice);
        self.notices = notices.into_iter().filter(|notice| !is_said(notice)).collect();
        if let Some(said) = said {
            self.notices.push_front(said);
        }
        if self.turn.is_none() && self.capture != Capture::PushToTalk {
            self.goes_on_to_tell(effects);
        }
    }

    /// Tells what there is to tell to whoever is in the midst of a conversation; whether there is something.
    pub(super) fn goes_on_to_tell(&mut self, effects: &mut Vec<Effect>) -> bool {
        let tells = self.mode.is_some() && self.may_converse() && self.asking.is_none() && !self.notices.is_empty();
        tells && self.tells_or_asks(effects)
    }

    /// What comes before the conversation, if something does: the next notice, or the consent question. An open question is
    /// answered first.
    pub(super) fn tells_or_asks(&mut self, effects: &mut Vec<Effect>) -> bool {
        self.arrives = false;
        let next = self.notices.front().filter(|_| self.asking.is_none());
        if let Some(ToTell { text, shown, .. }) = next.cloned() {
            self.say(Kind::Told, &text, effects);
            if !shown.is_empty() {
                effects.push(Effect::Tell(ToDevice::Notice { code: SHOWN.to_owned(), text: shown }));
            }
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
