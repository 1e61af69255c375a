//! [`Hello`] and [`Welcome`]: the first message of each side.

use core::fmt;

use sayso_proto::device::v1 as proto;
use sayso_types::{DeviceId, Redacted, SessionId};

use crate::field::{at_most, invalid, parse, required, text};
use crate::{AudioFormat, Error, Invalid};

/// Protocol versions that a device may offer: more than there will be in its lifetime.
const VERSIONS_MAX: usize = 8;
/// Words that a device may say about itself.
const CAPABILITIES_MAX: usize = 16;
/// Bytes of a firmware's name and version.
const FIRMWARE_BYTES_MAX: usize = 64;
/// Bytes of a BCP 47 tag: what RFC 5646, section 4.4.1, says is enough for every tag in practice.
const LANGUAGE_BYTES_MAX: usize = 35;

/// What a device says first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    /// Protocol versions that it speaks, best first, 1 to 8; see [`negotiate`](crate::negotiate).
    pub versions: Vec<u32>,
    /// Who it claims to be: true only once its certificate or token says the same.
    pub device_id: DeviceId,
    /// What runs on it: at most 64 printable ASCII characters, may be empty.
    pub firmware: String,
    /// What it can do.
    pub capabilities: Capabilities,
    /// How it will send sound.
    pub uplink: AudioFormat,
    /// How it wants to receive sound.
    pub downlink: AudioFormat,
    /// From an earlier [`Welcome`], to go on with that session.
    pub resume_token: Option<ResumeToken>,
    /// A device token (see [`token`](crate::token)); `None` for a device with a client certificate.
    pub auth_token: Option<Redacted<String>>,
    /// BCP 47 tag of the language to speak; `None` leaves it to the node.
    pub language: Option<String>,
}

/// What a device can do beyond the protocol's minimum. Words not known here are ignored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Capabilities {
    /// It takes sound in datagrams.
    pub datagram: bool,
    /// It cancels its own echo, so that the person may speak over the answer.
    pub barge_in: bool,
    /// It shows text.
    pub screen: bool,
}

/// What a node answers to a [`Hello`] that it accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Welcome {
    /// The version that is spoken from here on.
    pub version: u32,
    /// The conversation.
    pub session_id: SessionId,
    /// For the next [`Hello`], to go on with this session.
    pub resume_token: Option<ResumeToken>,
    /// How the node takes sound.
    pub uplink: AudioFormat,
    /// How the node sends sound.
    pub downlink: AudioFormat,
    /// What this device may do.
    pub limits: Limits,
    /// Whether this goes on with the session of the resume token.
    pub resumed: bool,
}

/// What a node allows a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Limits {
    /// Bytes of a message on the control stream, without its length.
    pub message_bytes_max: u32,
    /// Bytes of an Opus packet.
    pub audio_bytes_max: u32,
    /// Milliseconds after which the node ends an utterance.
    pub utterance_ms_max: u32,
    /// Milliseconds without a word after which the node closes the connection.
    pub idle_timeout_ms: u32,
}

/// What gives a device its session back: 1 to 64 bytes that only the node that made them reads.
#[derive(Clone, PartialEq, Eq)]
pub struct ResumeToken(Vec<u8>);

impl ResumeToken {
    /// Most bytes that one may have.
    pub const BYTES_MAX: usize = 64;

    /// A token of these bytes.
    ///
    /// # Errors
    /// [`Error::Field`] when there are none or too many.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Self, Error> {
        let bytes = bytes.into();
        if bytes.is_empty() {
            return Err(invalid("resume_token", Invalid::Missing));
        }
        at_most("resume_token", bytes.len(), Self::BYTES_MAX)?;
        Ok(Self(bytes))
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    fn from_proto(bytes: Vec<u8>) -> Result<Option<Self>, Error> {
        if bytes.is_empty() { Ok(None) } else { Self::new(bytes).map(Some) }
    }

    fn to_proto(token: Option<&Self>) -> Vec<u8> {
        token.map_or_else(Vec::new, |token| token.0.clone())
    }
}

impl fmt::Debug for ResumeToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResumeToken([redacted])")
    }
}

impl TryFrom<proto::Hello> for Hello {
    type Error = Error;

    fn try_from(p: proto::Hello) -> Result<Self, Error> {
        if p.versions.is_empty() {
            return Err(invalid("hello.versions", Invalid::Missing));
        }
        at_most("hello.versions", p.versions.len(), VERSIONS_MAX)?;
        at_most("hello.capabilities", p.capabilities.len(), CAPABILITIES_MAX)?;
        let can = |word: &str| p.capabilities.iter().any(|c| c == word);
        let capabilities = Capabilities { datagram: can("datagram"), barge_in: can("barge_in"), screen: can("screen") };
        let language =
            text("hello.language", p.language, LANGUAGE_BYTES_MAX, |b| b.is_ascii_alphanumeric() || b == b'-')?;
        Ok(Self {
            versions: p.versions,
            device_id: parse("hello.device_id", &p.device_id)?,
            firmware: text("hello.firmware", p.firmware, FIRMWARE_BYTES_MAX, |b| matches!(b, b' '..=b'~'))?,
            capabilities,
            uplink: required("hello.uplink", p.uplink)?.try_into()?,
            downlink: required("hello.downlink", p.downlink)?.try_into()?,
            resume_token: ResumeToken::from_proto(p.resume_token)?,
            auth_token: Some(p.auth_token).filter(|t| !t.is_empty()).map(Redacted::new),
            language: Some(language).filter(|l| !l.is_empty()),
        })
    }
}

impl From<&Hello> for proto::Hello {
    fn from(hello: &Hello) -> Self {
        let Capabilities { datagram, barge_in, screen } = hello.capabilities;
        let words = [(datagram, "datagram"), (barge_in, "barge_in"), (screen, "screen")];
        Self {
            versions: hello.versions.clone(),
            device_id: hello.device_id.to_string(),
            firmware: hello.firmware.clone(),
            capabilities: words.into_iter().filter(|(can, _)| *can).map(|(_, word)| word.to_owned()).collect(),
            uplink: Some(hello.uplink.into()),
            downlink: Some(hello.downlink.into()),
            resume_token: ResumeToken::to_proto(hello.resume_token.as_ref()),
            auth_token: hello.auth_token.as_ref().map_or_else(String::new, |t| t.reveal().clone()),
            language: hello.language.clone().unwrap_or_default(),
        }
    }
}

impl TryFrom<proto::Welcome> for Welcome {
    type Error = Error;

    fn try_from(p: proto::Welcome) -> Result<Self, Error> {
        let len = p.session_id.len();
        let session_id = <[u8; 16]>::try_from(p.session_id)
            .map_err(|_| invalid("welcome.session_id", Invalid::Length { len, expected: 16 }))?;
        let limits = required("welcome.limits", p.limits)?;
        Ok(Self {
            version: p.version,
            session_id: SessionId(session_id),
            resume_token: ResumeToken::from_proto(p.resume_token)?,
            uplink: required("welcome.uplink", p.uplink)?.try_into()?,
            downlink: required("welcome.downlink", p.downlink)?.try_into()?,
            limits: Limits {
                message_bytes_max: limits.message_bytes_max,
                audio_bytes_max: limits.audio_bytes_max,
                utterance_ms_max: limits.utterance_ms_max,
                idle_timeout_ms: limits.idle_timeout_ms,
            },
            resumed: p.resumed,
        })
    }
}

impl From<&Welcome> for proto::Welcome {
    fn from(welcome: &Welcome) -> Self {
        let Limits { message_bytes_max, audio_bytes_max, utterance_ms_max, idle_timeout_ms } = welcome.limits;
        Self {
            version: welcome.version,
            session_id: welcome.session_id.0.to_vec(),
            resume_token: ResumeToken::to_proto(welcome.resume_token.as_ref()),
            uplink: Some(welcome.uplink.into()),
            downlink: Some(welcome.downlink.into()),
            limits: Some(proto::Limits { message_bytes_max, audio_bytes_max, utterance_ms_max, idle_timeout_ms }),
            resumed: welcome.resumed,
        }
    }
}
