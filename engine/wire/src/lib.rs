//! The device protocol, sans-I/O: what a device and a node say to each other, and how it lies in bytes.
//!
//! A device connects over QUIC with the ALPN name [`ALPN`] and opens one bidirectional control stream. On it go
//! length-delimited protobuf messages, [`ToNode`] one way and [`ToDevice`] the other; sound goes in datagrams, one
//! [`AudioPacket`] each, or as a message on the control stream where a datagram cannot.
//!
//! ```text
//! device                                                       node
//!   │ Hello{versions, device id, formats, token} ───────────────▶ │ negotiate(), TokenVerifier::verify()
//!   │ ◀──────────── Welcome{version, session, formats, limits} │
//!   │ ListenStart{turn, mode} ──────────────────────────────────▶ │
//!   │ AudioPacket{turn, sequence, timestamp, opus} ... ═════════▶ │ VoiceActivity, Transcript
//!   │ ◀──────────────────────────────── SpeechStart, Sentence ... │
//!   │ ◀═══════════ AudioPacket{turn, sequence, timestamp, opus} │
//!   │ PlayoutPosition{turn, played_ms} ─────────────────────────▶ │ SpeechEnd
//!   │ PictureOffer{turn, format, bytes, question} ──────────────▶ │
//!   │ ◀──────────────────────────────────── PictureWanted{turn} │
//!   │ PicturePart{turn, bytes} ... ─────────────────────────────▶ │ SpeechStart, Sentence ...
//!   │ Goodbye{reason} ◀─────────────────────────────────────────▶ │
//! ```
//!
//! Bytes become values once, at this edge: a [`ToNode`] or [`ToDevice`] that exists is well formed, and what is not
//! becomes an [`Error`] that names the field. Nothing here reads a clock, waits, or panics; no input makes a decoder
//! hold more than [`MESSAGE_BYTES_MAX`] bytes.

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::unreachable, clippy::indexing_slicing)
)]

mod field;

mod audio;
mod decoder;
mod error;
mod goodbye;
mod hello;
mod message;
mod to_device;
mod to_node;
pub mod token;
mod version;

pub use audio::{AUDIO_BYTES_MAX, AUDIO_HEADER_BYTES, AudioFormat, AudioPacket};
pub use decoder::MessageDecoder;
pub use error::{Error, Invalid};
pub use goodbye::{Goodbye, GoodbyeReason};
pub use hello::{Capabilities, Hello, Limits, ResumeToken, Welcome};
pub use message::{MESSAGE_BYTES_MAX, Message, encode};
pub use to_device::{ConsentStatus, SessionState, ToDevice};
pub use to_node::{ConsentDecision, ListenMode, PICTURE_PART_BYTES_MAX, PictureOffer, ToNode};
pub use version::{VERSIONS, negotiate};

/// The name by which TLS selects this protocol. It changes only if the framing itself does; versions of the messages
/// are negotiated in [`Hello`].
pub const ALPN: &[u8] = b"sayso/1";
