//! Runs sessions on ractor.
//!
//! ```text
//!  ActorSessions (Sessions) ──▶ Supervisor ─ links ─▶ SessionActor, one a device that is awake
//!        │  places, by subject                            │ Conversation: Session + pipeline + effects
//!        ▼                                                │
//!      Place ◀── Inlet (gateway)                          ├─▶ transcription   task: frames ▶ egress ▶ Event
//!        ring of packets, outlet, parked session          ├─▶ reply           task: egress ▶ Events
//!        what may be observed                             └─▶ speech          task: egress ▶ Opus ▶ pace ▶ outlet
//! ```
//!
//! Sound never rides in a mailbox: packets wait in the place's bounded ring, which drops the oldest, and the actor is
//! told once that there are some. Handlers never wait for anyone: each stage of a turn is a task that posts its results
//! back as events, tagged with the turn; dropping its handle ends it. A failure ends one session, and the device is
//! told to come again.

pub mod observed;
pub mod options;
pub mod sessions;

mod actor;
mod conversation;
mod inlet;
mod place;
mod reply;
mod ring;
mod services;
mod speech;
mod supervisor;
mod timers;
mod transcription;

pub use observed::{Change, Snapshot};
pub use options::Options;
pub use sessions::ActorSessions;
