//! One conversation, as pure logic, and the contract through which a gateway reaches conversations.
//!
//! ```text
//!   device ──▶ Event ─┐                         ┌─▶ Effect::Tell ──▶ device
//!   pipeline ▶ Event ─┼─▶ Session::handle(now) ─┼─▶ Effect::Transcribe / Respond / Speak ──▶ egress
//!   results ─▶ Event ─┘                         └─▶ Effect::RecordConsent / Withdraw ──▶ consent register
//! ```
//!
//! [`Session`] performs nothing: whoever runs it carries out the effects and posts their results back as events,
//! tagged with the turn, so that a result of a turn that is over is ignored. That is all there is to barge-in.
//!
//! [`Sessions`] is all that a gateway knows: it attaches a device and gets an inlet for what the device sends; it
//! gives an outlet for what the device should receive. Which actor, node or store is behind it is none of its
//! business, and a session never knows whether its device is connected to this node or another.

pub mod answer;
pub mod consent_answer;
pub mod context;
pub mod effect;
pub mod event;
pub mod guest_words;
pub mod options;
pub mod sentence;
pub mod session;
pub mod sessions;
mod text;
pub mod withdrawal_words;

pub use answer::Answer;
pub use context::{Context, Origin};
pub use effect::{Asked, Capture, Decision, Effect, Ending, GuestMode, Means, SpeechKind, Stage, Taken, Timer};
pub use event::{ConsentView, Event, Standing, ToTell};
pub use options::{Options, Prompts};
pub use session::{Observed, Session};
pub use sessions::{Attach, Attached, DeviceInlet, DeviceOutlet, Full, Refusal, Sessions};
