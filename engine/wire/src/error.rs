//! [`Error`]: why bytes are not a message, and what to do about it.

use sayso_types::{IdError, NameError, TurnId};

use crate::{AUDIO_BYTES_MAX, AUDIO_HEADER_BYTES, MESSAGE_BYTES_MAX, ToDevice, VERSIONS};

/// Why bytes are not a message, or a message cannot become bytes. It never holds what a message says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A message is longer than the control stream takes. The stream cannot be read on.
    #[error("a message of {bytes} bytes was announced, at most {max} are taken", max = MESSAGE_BYTES_MAX)]
    MessageTooLong {
        /// Bytes announced, without the length itself.
        bytes: usize,
    },
    /// What stands where a message's length should is not one. The stream cannot be read on.
    #[error("the length in front of a message is not a varint of at most 32 bits")]
    LengthPrefix,
    /// A message is not protobuf, or not of this protocol.
    #[error("the message is malformed: {0}")]
    Malformed(#[from] prost::DecodeError),
    /// A message is well formed, but of a kind that this version does not know.
    #[error("the message is of a kind that protocol version {ours:?} does not know", ours = VERSIONS)]
    UnknownMessage,
    /// A field of a message has a value that it cannot have.
    #[error("{field} {invalid}")]
    Field {
        /// Which field, such as `hello.device_id`.
        field: &'static str,
        /// What is wrong with it.
        invalid: Invalid,
    },
    /// A datagram begins with a byte that stands for nothing yet.
    #[error("datagrams of kind {0:#04x} are not known")]
    DatagramKind(u8),
    /// A datagram ends before its header does.
    #[error("a datagram of {bytes} bytes is too short: the header has {header}", header = AUDIO_HEADER_BYTES)]
    DatagramTooShort {
        /// Bytes in the datagram.
        bytes: usize,
    },
    /// An Opus packet has a length that it cannot have.
    #[error("an Opus packet has 1 to {max} bytes, this one {bytes}", max = AUDIO_BYTES_MAX)]
    OpusLength {
        /// Bytes in the packet.
        bytes: usize,
    },
    /// Both sides speak the protocol, but no version of it in common.
    #[error("no common protocol version: offered {offered:?}, spoken here {ours:?}", ours = VERSIONS)]
    NoCommonVersion {
        /// Versions that the device offered.
        offered: Vec<u32>,
    },
}

/// What is wrong with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// It must be there.
    #[error("is missing")]
    Missing,
    /// It is too long, or holds too many.
    #[error("has {len} bytes or entries, at most {max} are taken")]
    TooLong {
        /// Bytes or entries found.
        len: usize,
        /// Bytes or entries allowed.
        max: usize,
    },
    /// It must have exactly this length.
    #[error("has {len} bytes, exactly {expected} are needed")]
    Length {
        /// Bytes found.
        len: usize,
        /// Bytes needed.
        expected: usize,
    },
    /// It is none of the values that the protocol lists.
    #[error("has the value {0}, which the protocol does not list")]
    Unlisted(i64),
    /// It is text with a character that it may not have.
    #[error("has a character, at byte {at}, that does not belong there")]
    Character {
        /// Byte position, from 0.
        at: usize,
    },
    /// It is not an identifier.
    #[error(transparent)]
    Id(#[from] IdError),
    /// It is not a name.
    #[error(transparent)]
    Name(#[from] NameError),
}

impl Error {
    /// Whether the control stream cannot be read on after this: the connection ends. After any other error, the next
    /// message is read as if nothing had been.
    #[must_use]
    pub const fn is_fatal(&self) -> bool {
        matches!(self, Self::MessageTooLong { .. } | Self::LengthPrefix)
    }

    /// A short word for it, for messages and metrics.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::MessageTooLong { .. } => "message_too_long",
            Self::LengthPrefix => "bad_length",
            Self::Malformed(_) => "malformed_message",
            Self::UnknownMessage => "unknown_message",
            Self::Field { .. } => "bad_field",
            Self::DatagramKind(_) => "unknown_datagram",
            Self::DatagramTooShort { .. } => "short_datagram",
            Self::OpusLength { .. } => "bad_opus_length",
            Self::NoCommonVersion { .. } => "no_common_version",
        }
    }

    /// What the device's maker can do about it.
    #[must_use]
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::MessageTooLong { .. } => "split what is said over several messages; sound goes in datagrams",
            Self::LengthPrefix => "put the message's length in front of it as a varint, and send nothing in between",
            Self::Malformed(_) => "encode messages as sayso/device/v1/device.proto says",
            Self::UnknownMessage => "send what the negotiated version knows, or update the node",
            Self::Field { .. } => "set the field as sayso/device/v1/device.proto says",
            Self::DatagramKind(_) => "send sound in datagrams of kind 0x01",
            Self::DatagramTooShort { .. } => "send kind, turn, sequence, timestamp and then the Opus packet",
            Self::OpusLength { .. } => "send one Opus packet at a time, of a lower bit rate or shorter frame",
            Self::NoCommonVersion { .. } => "update the firmware of the device",
        }
    }

    /// This error, as the device is told.
    #[must_use]
    pub fn report(&self) -> ToDevice {
        ToDevice::Error {
            code: self.code().to_owned(),
            text: self.to_string(),
            remedy: self.remedy().to_owned(),
            turn: TurnId::default(),
        }
    }
}
