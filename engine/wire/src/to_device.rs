//! [`ToDevice`]: what a node says.

use sayso_proto::device::v1 as proto;
use sayso_proto::device::v1::to_device::Message as Proto;
use sayso_types::{ConsentVersion, Purpose, Redacted, TurnId};

use crate::field::{at_most, closed_list, invalid, parse};
use crate::{AudioPacket, Error, Goodbye, Invalid, Welcome};

/// Purposes that one prompt may ask for: more than a person can listen to.
const PURPOSES_MAX: usize = 32;

/// A message of a node. Turn zero is "no turn".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToDevice {
    /// The device is accepted.
    Welcome(Welcome),
    /// What the session does now.
    StateChanged {
        /// What it does.
        state: SessionState,
        /// The turn that it does it for.
        turn: TurnId,
    },
    /// The node hears speech begin or end.
    VoiceActivity {
        /// The utterance's turn.
        turn: TurnId,
        /// Whether the person speaks.
        speaking: bool,
    },
    /// The node takes the picture that was offered.
    PictureWanted {
        /// The turn of the [`PictureOffer`](crate::PictureOffer), as the device counts.
        turn: TurnId,
    },
    /// What was understood.
    Transcript {
        /// The utterance's turn.
        turn: TurnId,
        /// What the person said.
        text: Redacted<String>,
    },
    /// An answer begins; its sound carries the same turn.
    SpeechStart {
        /// The answer's turn.
        turn: TurnId,
    },
    /// A sentence starts at this place of the answer's sound.
    Sentence {
        /// The answer's turn.
        turn: TurnId,
        /// What is said.
        text: Redacted<String>,
        /// Milliseconds from the start of the answer's sound.
        at_ms: u32,
    },
    /// No more sound of this answer will come.
    SpeechEnd {
        /// The answer's turn.
        turn: TurnId,
        /// Milliseconds of sound in all.
        total_ms: u32,
    },
    /// Stop playing this answer at once and drop what is buffered.
    SpeechStop {
        /// The answer's turn.
        turn: TurnId,
        /// A short word for why, such as `barge_in`.
        reason: String,
    },
    /// The person is asked for consent; the same text is being spoken.
    ConsentPrompt {
        /// For the answer.
        prompt_id: String,
        /// The question; the controller's words, about nobody.
        text: String,
        /// What the person is asked for, 1 to 32.
        purposes: Vec<Purpose>,
    },
    /// A consent changed, whoever changed it.
    ConsentChanged {
        /// For what.
        purpose: Purpose,
        /// What holds now.
        status: ConsentStatus,
        /// The subject's consent version from this change on.
        consent_version: ConsentVersion,
    },
    /// Something the person should know.
    Notice {
        /// A short word for it.
        code: String,
        /// The same for people.
        text: String,
    },
    /// Something went wrong. The connection lives unless a [`Goodbye`] follows.
    Error {
        /// A short word for it.
        code: String,
        /// The same for people.
        text: String,
        /// What the person, or the device's maker, can do.
        remedy: String,
        /// The turn that it is about.
        turn: TurnId,
    },
    /// Sound that cannot go as a datagram.
    Audio(AudioPacket),
    /// The node leaves.
    Goodbye(Goodbye),
}

closed_list! {
    /// What a session does.
    SessionState {
        /// Nothing.
        Idle,
        /// Hears what the person says.
        Listening,
        /// Works out an answer.
        Thinking,
        /// Says it.
        Speaking,
    }
}

closed_list! {
    /// What holds of a consent.
    ConsentStatus {
        /// The person agreed.
        Given,
        /// The person did not agree.
        Refused,
        /// The person did not decide.
        Deferred,
        /// Taken back: no further byte of this purpose goes anywhere.
        Withdrawn,
        /// Taken back: nothing is let through any more, but somebody has yet to let go of what they have.
        Withdrawing,
    }
}

impl TryFrom<Proto> for ToDevice {
    type Error = Error;

    fn try_from(p: Proto) -> Result<Self, Error> {
        Ok(match p {
            Proto::Welcome(m) => Self::Welcome(m.try_into()?),
            Proto::StateChanged(m) => Self::StateChanged {
                state: SessionState::from_proto("state_changed.state", m.state)?,
                turn: TurnId(m.turn),
            },
            Proto::VoiceActivity(m) => Self::VoiceActivity { turn: TurnId(m.turn), speaking: m.speaking },
            Proto::PictureWanted(m) => Self::PictureWanted { turn: TurnId(m.turn) },
            Proto::Transcript(m) => Self::Transcript { turn: TurnId(m.turn), text: Redacted::new(m.text) },
            Proto::SpeechStart(m) => Self::SpeechStart { turn: TurnId(m.turn) },
            Proto::Sentence(m) => Self::Sentence { turn: TurnId(m.turn), text: Redacted::new(m.text), at_ms: m.at_ms },
            Proto::SpeechEnd(m) => Self::SpeechEnd { turn: TurnId(m.turn), total_ms: m.total_ms },
            Proto::SpeechStop(m) => Self::SpeechStop { turn: TurnId(m.turn), reason: m.reason },
            Proto::ConsentPrompt(m) => {
                let purposes = purposes(&m.purposes)?;
                Self::ConsentPrompt { prompt_id: m.prompt_id, text: m.text, purposes }
            }
            Proto::ConsentChanged(m) => Self::ConsentChanged {
                purpose: parse("consent_changed.purpose", &m.purpose)?,
                status: ConsentStatus::from_proto("consent_changed.status", m.status)?,
                consent_version: ConsentVersion(m.consent_version),
            },
            Proto::Notice(m) => Self::Notice { code: m.code, text: m.text },
            Proto::Error(m) => Self::Error { code: m.code, text: m.text, remedy: m.remedy, turn: TurnId(m.turn) },
            Proto::Audio(m) => Self::Audio(m.try_into()?),
            Proto::Goodbye(m) => Self::Goodbye(m.try_into()?),
        })
    }
}

impl TryFrom<&ToDevice> for Proto {
    type Error = Error;

    fn try_from(message: &ToDevice) -> Result<Self, Error> {
        Ok(match message {
            ToDevice::Welcome(welcome) => Self::Welcome(welcome.into()),
            ToDevice::StateChanged { state, turn } => {
                Self::StateChanged(proto::StateChanged { state: state.to_proto(), turn: turn.0 })
            }
            ToDevice::VoiceActivity { turn, speaking } => {
                Self::VoiceActivity(proto::VoiceActivity { turn: turn.0, speaking: *speaking })
            }
            ToDevice::PictureWanted { turn } => Self::PictureWanted(proto::PictureWanted { turn: turn.0 }),
            ToDevice::Transcript { turn, text } => {
                Self::Transcript(proto::Transcript { turn: turn.0, text: text.reveal().clone() })
            }
            ToDevice::SpeechStart { turn } => Self::SpeechStart(proto::SpeechStart { turn: turn.0 }),
            ToDevice::Sentence { turn, text, at_ms } => {
                Self::Sentence(proto::Sentence { turn: turn.0, text: text.reveal().clone(), at_ms: *at_ms })
            }
            ToDevice::SpeechEnd { turn, total_ms } => {
                Self::SpeechEnd(proto::SpeechEnd { turn: turn.0, total_ms: *total_ms })
            }
            ToDevice::SpeechStop { turn, reason } => {
                Self::SpeechStop(proto::SpeechStop { turn: turn.0, reason: reason.clone() })
            }
            ToDevice::ConsentPrompt { prompt_id, text, purposes } => Self::ConsentPrompt(proto::ConsentPrompt {
                prompt_id: prompt_id.clone(),
                text: text.clone(),
                purposes: purposes.iter().map(Purpose::to_string).collect(),
            }),
            ToDevice::ConsentChanged { purpose, status, consent_version } => {
                Self::ConsentChanged(proto::ConsentChanged {
                    purpose: purpose.to_string(),
                    status: status.to_proto(),
                    consent_version: consent_version.0,
                })
            }
            ToDevice::Notice { code, text } => Self::Notice(proto::Notice { code: code.clone(), text: text.clone() }),
            ToDevice::Error { code, text, remedy, turn } => Self::Error(proto::Error {
                code: code.clone(),
                text: text.clone(),
                remedy: remedy.clone(),
                turn: turn.0,
            }),
            ToDevice::Audio(packet) => Self::Audio(packet.try_into()?),
            ToDevice::Goodbye(goodbye) => Self::Goodbye(goodbye.into()),
        })
    }
}

fn purposes(names: &[String]) -> Result<Vec<Purpose>, Error> {
    const FIELD: &str = "consent_prompt.purposes";
    if names.is_empty() {
        return Err(invalid(FIELD, Invalid::Missing));
    }
    at_most(FIELD, names.len(), PURPOSES_MAX)?;
    names.iter().map(|name| parse(FIELD, name)).collect()
}
