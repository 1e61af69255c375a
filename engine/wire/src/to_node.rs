//! [`ToNode`]: what a device says.

use sayso_proto::device::v1 as proto;
use sayso_proto::device::v1::to_node::Message as Proto;
use sayso_types::{Name, Purpose, Redacted, TurnId};

use crate::field::{closed_list, invalid, parse};
use crate::{AudioPacket, Error, Goodbye, Hello, Invalid};

/// A message of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToNode {
    /// The first message.
    Hello(Hello),
    /// Sound follows, tagged with this turn.
    ListenStart {
        /// The device counts its turns from 1.
        turn: TurnId,
        /// Who finds the end of the utterance.
        mode: ListenMode,
    },
    /// No more sound for this turn.
    ListenStop {
        /// The turn of the [`ListenStart`](Self::ListenStart).
        turn: TurnId,
    },
    /// The person typed instead of speaking.
    TextInput {
        /// The device counts its turns from 1.
        turn: TurnId,
        /// What they typed.
        text: Redacted<String>,
    },
    /// The person wants quiet.
    Abort {
        /// The turn whose answer plays.
        turn: TurnId,
    },
    /// How much of an answer the person has heard.
    PlayoutPosition {
        /// The answer's turn.
        turn: TurnId,
        /// Milliseconds that have left the loudspeaker.
        played_ms: u32,
        /// Nothing more of it will be played.
        finished: bool,
    },
    /// The person answered with a button or on a screen, or takes consent back.
    ConsentAnswer {
        /// From the [`ConsentPrompt`](crate::ToDevice::ConsentPrompt); empty for a withdrawal.
        prompt_id: String,
        /// What they decided.
        decision: ConsentDecision,
        /// What is taken back; `None` means everything.
        purpose: Option<Purpose>,
    },
    /// Somebody took something of the device away in its settings, or gave it back.
    PermissionChanged {
        /// What: `microphone`, `camera`, `storage`, ...
        capability: Name,
        /// Whether it may be used.
        granted: bool,
    },
    /// Sound that cannot go as a datagram.
    Audio(AudioPacket),
    /// The device leaves.
    Goodbye(Goodbye),
}

closed_list! {
    /// Who finds where an utterance starts and ends.
    ListenMode {
        /// The node: it answers and listens again.
        Auto,
        /// The device: push to talk.
        Manual,
        /// The node, and the person may speak over the answer.
        Realtime,
    }
}

closed_list! {
    /// What a person decides about a consent.
    ConsentDecision {
        /// Agrees to what the prompt asks.
        Agree,
        /// Does not agree.
        Refuse,
        /// Takes back what was agreed to.
        Withdraw,
    }
}

impl TryFrom<Proto> for ToNode {
    type Error = Error;

    fn try_from(p: Proto) -> Result<Self, Error> {
        Ok(match p {
            Proto::Hello(m) => Self::Hello(m.try_into()?),
            Proto::ListenStart(m) => Self::ListenStart {
                turn: counted("listen_start.turn", m.turn)?,
                mode: ListenMode::from_proto("listen_start.mode", m.mode)?,
            },
            Proto::ListenStop(m) => Self::ListenStop { turn: counted("listen_stop.turn", m.turn)? },
            Proto::TextInput(m) => {
                Self::TextInput { turn: counted("text_input.turn", m.turn)?, text: Redacted::new(m.text) }
            }
            Proto::Abort(m) => Self::Abort { turn: TurnId(m.turn) },
            Proto::PlayoutPosition(m) => {
                Self::PlayoutPosition { turn: TurnId(m.turn), played_ms: m.played_ms, finished: m.finished }
            }
            Proto::ConsentAnswer(m) => consent_answer(m)?,
            Proto::PermissionChanged(m) => Self::PermissionChanged {
                capability: parse("permission_changed.capability", &m.capability)?,
                granted: m.granted,
            },
            Proto::Audio(m) => Self::Audio(m.try_into()?),
            Proto::Goodbye(m) => Self::Goodbye(m.try_into()?),
        })
    }
}

impl TryFrom<&ToNode> for Proto {
    type Error = Error;

    fn try_from(message: &ToNode) -> Result<Self, Error> {
        Ok(match message {
            ToNode::Hello(hello) => Self::Hello(hello.into()),
            ToNode::ListenStart { turn, mode } => {
                Self::ListenStart(proto::ListenStart { turn: turn.0, mode: mode.to_proto() })
            }
            ToNode::ListenStop { turn } => Self::ListenStop(proto::ListenStop { turn: turn.0 }),
            ToNode::TextInput { turn, text } => {
                Self::TextInput(proto::TextInput { turn: turn.0, text: text.reveal().clone() })
            }
            ToNode::Abort { turn } => Self::Abort(proto::Abort { turn: turn.0 }),
            ToNode::PlayoutPosition { turn, played_ms, finished } => Self::PlayoutPosition(proto::PlayoutPosition {
                turn: turn.0,
                played_ms: *played_ms,
                finished: *finished,
            }),
            ToNode::ConsentAnswer { prompt_id, decision, purpose } => Self::ConsentAnswer(proto::ConsentAnswer {
                prompt_id: prompt_id.clone(),
                decision: decision.to_proto(),
                purpose: purpose.map_or_else(String::new, |p| p.to_string()),
            }),
            ToNode::PermissionChanged { capability, granted } => Self::PermissionChanged(proto::PermissionChanged {
                capability: capability.to_string(),
                granted: *granted,
            }),
            ToNode::Audio(packet) => Self::Audio(packet.try_into()?),
            ToNode::Goodbye(goodbye) => Self::Goodbye(goodbye.into()),
        })
    }
}

/// A turn that the device counted: never zero.
fn counted(field: &'static str, turn: u32) -> Result<TurnId, Error> {
    if turn == 0 { Err(invalid(field, Invalid::Missing)) } else { Ok(TurnId(turn)) }
}

fn consent_answer(m: proto::ConsentAnswer) -> Result<ToNode, Error> {
    let decision = ConsentDecision::from_proto("consent_answer.decision", m.decision)?;
    if m.prompt_id.is_empty() && decision != ConsentDecision::Withdraw {
        return Err(invalid("consent_answer.prompt_id", Invalid::Missing));
    }
    let purpose = if m.purpose.is_empty() { None } else { Some(parse("consent_answer.purpose", &m.purpose)?) };
    Ok(ToNode::ConsentAnswer { prompt_id: m.prompt_id, decision, purpose })
}
