//! [`ToNode`]: what a device says.

use bytes::Bytes;
use sayso_proto::device::v1 as proto;
use sayso_proto::device::v1::to_node::Message as Proto;
use sayso_types::{Name, Picture, PictureFormat, Purpose, Redacted, TurnId};

use crate::field::{at_most, closed_list, invalid, parse};
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
    /// Somebody who is not the owner talks to the device from here on, or has left.
    GuestMode {
        /// Whether they are there.
        on: bool,
    },
    /// The device has taken a picture, and sends it when it is told that it is wanted.
    PictureOffer(PictureOffer),
    /// Some of a picture that is wanted, in order.
    PicturePart {
        /// The turn of the [`PictureOffer`](Self::PictureOffer).
        turn: TurnId,
        /// 1 to [`PICTURE_PART_BYTES_MAX`] bytes.
        bytes: Redacted<Bytes>,
    },
    /// Sound that cannot go as a datagram.
    Audio(AudioPacket),
    /// The device leaves.
    Goodbye(Goodbye),
}

/// Bytes of a part of a picture: what fits into a message of the control stream with what stands around it.
pub const PICTURE_PART_BYTES_MAX: usize = 15 * 1024;

/// A picture that a device has taken, before it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PictureOffer {
    /// The device counts its turns from 1.
    pub turn: TurnId,
    /// How it lies in bytes.
    pub format: PictureFormat,
    /// How many bytes; as many as [`Picture::check_len`] takes.
    pub bytes: usize,
    /// What the person asks about it; empty for what it shows.
    pub question: Redacted<String>,
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
            Proto::GuestMode(m) => Self::GuestMode { on: m.on },
            Proto::PictureOffer(m) => Self::PictureOffer(picture_offer(m)?),
            Proto::PicturePart(m) => {
                let turn = counted("picture_part.turn", m.turn)?;
                if m.bytes.is_empty() {
                    return Err(invalid("picture_part.bytes", Invalid::Missing));
                }
                at_most("picture_part.bytes", m.bytes.len(), PICTURE_PART_BYTES_MAX)?;
                Self::PicturePart { turn, bytes: Redacted::new(m.bytes) }
            }
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
            ToNode::GuestMode { on } => Self::GuestMode(proto::GuestMode { on: *on }),
            ToNode::PictureOffer(offer) => Self::PictureOffer(proto::PictureOffer {
                turn: offer.turn.0,
                format: match offer.format {
                    PictureFormat::Jpeg => proto::PictureFormat::Jpeg,
                    PictureFormat::Png => proto::PictureFormat::Png,
                } as i32,
                // a length that does not fit is one that is refused, too
                bytes: u32::try_from(offer.bytes).unwrap_or(u32::MAX),
                question: offer.question.reveal().clone(),
            }),
            ToNode::PicturePart { turn, bytes } => {
                Self::PicturePart(proto::PicturePart { turn: turn.0, bytes: bytes.reveal().clone() })
            }
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

fn picture_offer(m: proto::PictureOffer) -> Result<PictureOffer, Error> {
    let turn = counted("picture_offer.turn", m.turn)?;
    let format = match proto::PictureFormat::try_from(m.format) {
        Ok(proto::PictureFormat::Jpeg) => PictureFormat::Jpeg,
        Ok(proto::PictureFormat::Png) => PictureFormat::Png,
        Ok(proto::PictureFormat::Unspecified) => return Err(invalid("picture_offer.format", Invalid::Missing)),
        Err(_) => return Err(invalid("picture_offer.format", Invalid::Unlisted(m.format.into()))),
    };
    let bytes = m.bytes as usize;
    if bytes == 0 {
        return Err(invalid("picture_offer.bytes", Invalid::Missing));
    }
    at_most("picture_offer.bytes", bytes, Picture::BYTES_MAX)?;
    Ok(PictureOffer { turn, format, bytes, question: Redacted::new(m.question) })
}
