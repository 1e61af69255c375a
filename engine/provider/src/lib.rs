//! What the engine asks of others: recognise speech, answer, speak, look at a picture.
//!
//! The contracts here are implemented by `provider-*` crates (in this process, or over a network) and reached only
//! through `sayso-egress`. Rules for every implementation:
//!
//! * Personal data arrives as [`Labelled`](sayso_policy::Labelled) and MUST be opened with
//!   [`Permit::pass`](sayso_policy::Permit::pass) at the last moment before it leaves: inside the copy into a
//!   model's input, or the hand-over to the connection. Bytes already passed that still sit in a buffer MUST be
//!   written under [`Permit::guard`](sayso_policy::Permit::guard). A refusal ends the call with
//!   [`Error::Refused`]. The permit of a call is [that of all](sayso_policy::Permit::with) that goes along in it.
//! * Dropping a call's future (or the stream it returned) MUST stop the work, reset the connection it was using and
//!   wipe what it held. There is no other cancel.
//! * No call waits for ever: [`Call::timeout`] is the limit from the last input to the final result.
//! * No buffer is kept for a retry. A call may be retried only while nothing was passed.
//! * Nothing personal in errors, logs or metrics.

pub mod call;
#[cfg(feature = "testing")]
pub mod conformance;
pub mod error;
#[cfg(feature = "testing")]
pub mod fake;
pub mod forgetter;
pub mod limit;
pub mod responder;
pub mod synthesizer;
pub mod transcriber;
pub mod viewer;

pub use call::Call;
pub use error::Error;
pub use forgetter::{Forget, Forgetter, Forgotten};
pub use limit::Limit;
pub use responder::{Reply, ReplyStream, Responder};
pub use sayso_types::dialogue::{Action, Exchange, Fact, Request};
pub use synthesizer::{Speech, SpeechStream, Synthesizer};
pub use transcriber::{AudioStream, Frame, Transcriber, Transcript};
pub use viewer::{Sight, Viewer};
