//! How a session behaves: limits and deadlines, each with its reason, and the words it says on its own behalf.

use core::time::Duration;

use sayso_types::Purpose;

/// Limits and deadlines of one session.
#[derive(Clone, Debug)]
pub struct Options {
    /// From the end of an utterance to the first sound of its answer. A person who hears nothing for longer thinks
    /// that the device is broken.
    pub answer_within: Duration,
    /// How long to wait for the spoken answer to the consent question, from the end of the question.
    pub consent_within: Duration,
    /// How often the consent question is put before the answer counts as deferred.
    pub consent_attempts: u32,
    /// How long after its expected end the play-out of an answer may stay unconfirmed by the device.
    pub playout_grace: Duration,
    /// How long a session may do nothing before it is put to sleep.
    pub idle_after: Duration,
    /// Characters of what a person says or types in one turn: a minute of fast speech, several times over. More that is
    /// typed is refused, more that is heard is cut.
    pub said_chars: usize,
    /// Exchanges kept as context. More would grow every request without making answers better.
    pub history_len: usize,
    /// Facts kept, and the characters of one: what a person can be expected to ask for in a conversation.
    pub facts_len: usize,
    /// Characters of one fact, key and value together.
    pub fact_chars: usize,
    /// Characters of one answer. A responder that does not stop is cut here.
    pub answer_chars: usize,
    /// What one yes to the consent question grants, as the profile says; told with the question.
    pub asked_purposes: Vec<Purpose>,
    /// What the device shows whenever somebody begins to use it: which policy holds, and where to read it. Empty where the policy
    /// does not promise that.
    pub policy: String,
    /// The agent's role and manner, given to the responder.
    pub role: String,
    /// What the session says on its own behalf.
    pub prompts: Prompts,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            answer_within: Duration::from_secs(15),
            consent_within: Duration::from_secs(10),
            consent_attempts: 3,
            playout_grace: Duration::from_secs(3),
            idle_after: Duration::from_secs(60),
            said_chars: 4_000,
            history_len: 8,
            facts_len: 32,
            fact_chars: 256,
            answer_chars: 4_000,
            asked_purposes: vec![Purpose::VOICE_INTERACTION],
            policy: String::new(),
            role: String::new(),
            prompts: Prompts::default(),
        }
    }
}

/// What the session says on its own behalf, in the device's language. They come from the profile's notice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prompts {
    /// The consent question as it is read out.
    pub consent: String,
    /// The same for whoever agreed to it before it changed.
    pub consent_again: String,
    /// What there is to say piece by piece to whoever wants to know more before they answer.
    pub more: Vec<String>,
    /// After a yes.
    pub thanks: String,
    /// After a no.
    pub refused: String,
    /// When no answer was understood often enough.
    pub deferred: String,
    /// After consent was taken back.
    pub withdrawn: String,
    /// When what has changed was not agreed to: what was agreed to before stays.
    pub kept: String,
    /// When something that the person agreed to, and not all of it, was taken back aloud.
    pub taken_back: String,
    /// When the answer to the consent question was not understood.
    pub not_understood: String,
    /// When a guest is spoken with from here on.
    pub guest_mode: String,
    /// When the owner is spoken with again.
    pub guest_mode_off: String,
    /// When an answer could not be made.
    pub failed: String,
}
