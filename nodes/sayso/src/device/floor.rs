//! [`Floor`]: whose turn it is to speak, as far as a device can tell.

use sayso_device::{DeviceEvent, Played};
use sayso_types::{Purpose, TurnId};
use sayso_wire::{ConsentStatus, SessionState, ToDevice};

/// Where the consent question stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Consent {
    /// It was not put here: it may have been answered before.
    Unasked,
    /// It is open.
    Asked {
        /// For an answer by button.
        prompt_id: String,
        /// Whether it was read out to its end.
        heard: bool,
    },
    /// It was answered, or what was answered was taken back.
    Decided(ConsentStatus),
}

/// Whose turn it is to speak.
#[derive(Debug)]
pub(super) struct Floor {
    state: SessionState,
    /// The node hears a voice.
    voice: bool,
    /// What the node says is being played.
    playing: Option<TurnId>,
    answers: u32,
    consent: Consent,
}

impl Default for Floor {
    fn default() -> Self {
        Self { state: SessionState::Idle, voice: false, playing: None, answers: 0, consent: Consent::Unasked }
    }
}

impl Floor {
    /// The node waits for somebody to speak.
    pub(super) fn listens(&self) -> bool {
        self.is_quiet() && self.state == SessionState::Listening
    }

    /// Nobody speaks, and nothing is being worked out.
    pub(super) fn is_quiet(&self) -> bool {
        let rests = matches!(self.state, SessionState::Idle | SessionState::Listening);
        rests && !self.voice && self.playing.is_none()
    }

    /// The node says something.
    pub(super) const fn plays(&self) -> bool {
        self.playing.is_some()
    }

    /// How often the node has said something, to its end or until it was cut.
    pub(super) const fn answers(&self) -> u32 {
        self.answers
    }

    pub(super) const fn consent(&self) -> &Consent {
        &self.consent
    }

    /// The consent question was read out, and waits for its answer.
    pub(super) fn was_asked(&self) -> bool {
        self.is_quiet() && matches!(self.consent, Consent::Asked { heard: true, .. })
    }

    /// Takes note of what happened.
    pub(super) fn take(&mut self, event: &DeviceEvent) {
        match event {
            DeviceEvent::Node(ToDevice::StateChanged { state, .. }) => {
                self.state = *state;
                // An utterance that is cut off has no end of its own.
                self.voice &= *state == SessionState::Listening;
            }
            DeviceEvent::Node(ToDevice::VoiceActivity { speaking, .. }) => self.voice = *speaking,
            DeviceEvent::Node(ToDevice::SpeechStart { turn }) => self.playing = Some(*turn),
            DeviceEvent::Node(ToDevice::ConsentPrompt { prompt_id, .. }) => {
                self.consent = Consent::Asked { prompt_id: prompt_id.clone(), heard: false };
            }
            // Somebody else speaks, of whom nothing is known here.
            DeviceEvent::Node(ToDevice::Notice { code, .. }) if code.starts_with("guest_mode") => {
                self.consent = Consent::Unasked;
            }
            // What else the person agrees to or not, the node may listen if it may have a conversation.
            DeviceEvent::Node(ToDevice::ConsentChanged { purpose: Purpose::VOICE_INTERACTION, status, .. }) => {
                self.consent = Consent::Decided(*status);
            }
            DeviceEvent::Played(Played { turn, .. }) => {
                self.answers += 1;
                self.playing = self.playing.filter(|playing| playing != turn);
                if let Consent::Asked { heard, .. } = &mut self.consent {
                    *heard = true;
                }
            }
            DeviceEvent::Node(_) | DeviceEvent::AudioStarted { .. } | DeviceEvent::Ended(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use sayso_types::ConsentVersion;

    use super::*;

    fn floor(events: impl IntoIterator<Item = DeviceEvent>) -> Floor {
        let mut floor = Floor::default();
        events.into_iter().for_each(|event| floor.take(&event));
        floor
    }

    fn state(state: SessionState) -> DeviceEvent {
        DeviceEvent::Node(ToDevice::StateChanged { state, turn: TurnId(1) })
    }

    fn voice(speaking: bool) -> DeviceEvent {
        DeviceEvent::Node(ToDevice::VoiceActivity { turn: TurnId(1), speaking })
    }

    fn start(turn: u32) -> DeviceEvent {
        DeviceEvent::Node(ToDevice::SpeechStart { turn: TurnId(turn) })
    }

    fn played(turn: u32) -> DeviceEvent {
        DeviceEvent::Played(Played { turn: TurnId(turn), played_ms: 100, lost: 0, late: 0, file: None })
    }

    fn prompt() -> DeviceEvent {
        let (prompt_id, text) = ("1".to_owned(), "May I listen?".to_owned());
        DeviceEvent::Node(ToDevice::ConsentPrompt { prompt_id, text, purposes: Vec::new() })
    }

    #[test]
    fn an_answer_is_over_when_it_was_played_and_the_node_rests_whichever_comes_last() {
        use SessionState::{Listening, Speaking, Thinking};
        let spoken = || [state(Listening), voice(true), voice(false), state(Thinking), start(1), state(Speaking)];
        assert!(floor(spoken()).plays() && !floor(spoken()).is_quiet());
        for end in [[played(1), state(Listening)], [state(Listening), played(1)]] {
            let [first, last] = end;
            let mut floor = floor(spoken());
            floor.take(&first);
            assert!(!floor.is_quiet());
            floor.take(&last);
            assert!(floor.listens() && floor.answers() == 1);
        }
    }

    #[test]
    fn a_voice_is_over_with_its_utterance_even_when_that_is_cut_off() {
        use SessionState::{Listening, Thinking};
        assert!(!floor([state(Listening), voice(true)]).listens());
        assert!(floor([state(Listening), voice(true), state(Thinking), state(Listening)]).listens());
        let barge_in = [start(1), voice(true), state(Listening), played(1)];
        assert!(!floor(barge_in).listens(), "the person goes on speaking");
    }

    #[test]
    fn a_late_end_of_an_older_answer_does_not_end_the_newer_one() {
        let floor = floor([start(1), start(2), played(1)]);
        assert!(floor.plays());
    }

    #[test]
    fn only_consent_to_the_conversation_decides_whether_it_goes_on() {
        let changed = |purpose, status| {
            DeviceEvent::Node(ToDevice::ConsentChanged { purpose, status, consent_version: ConsentVersion(1) })
        };
        let given = changed(Purpose::VOICE_INTERACTION, ConsentStatus::Given);
        let forgotten = changed(Purpose::MEMORY, ConsentStatus::Withdrawn);
        assert_eq!(*floor([given, forgotten]).consent(), Consent::Decided(ConsentStatus::Given));
    }

    #[test]
    fn the_consent_question_waits_for_its_answer_once_it_was_heard() {
        use SessionState::{Idle, Speaking};
        let asked = || [prompt(), start(1), state(Speaking)];
        assert!(!floor([prompt()]).was_asked() && !floor(asked()).was_asked());
        let mut floor = floor(asked());
        floor.take(&played(1));
        assert!(!floor.was_asked());
        floor.take(&state(Idle));
        assert!(floor.was_asked() && !floor.listens());
    }
}
