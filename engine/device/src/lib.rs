//! A reference device: what a speaker or a toy does, with files in place of its microphone and loudspeaker.
//!
//! ```text
//!   Pcm ──▶ say() ──▶ microphone: a frame of speech or silence every 20 ms ──▶ Opus ──▶ datagram ──▶ node
//!
//!   Events ◀── link ◀── messages ◀──────────────────────────────────────────────────────────────── node
//!               └─ speaker: datagram ──▶ JitterBuffer ──▶ Decoder ──▶ played in real time ──▶ WAV file
//!                                                                       └─ PlayoutPosition ──▶ node
//! ```
//!
//! It keeps real time in both directions, as a real device cannot help doing: the node's pacing, endpointing and
//! barge-in see what they would see in the field.

mod camera;
mod device;
mod error;
mod event;
mod link;
mod microphone;
mod options;
mod speaker;
mod tls;
mod uplink;
pub mod wav;

pub use device::Device;
pub use error::Error;
pub use event::{DeviceEvent, Ended, Events, Played};
pub use options::{DeviceOptions, Identity};
