//! Runs sessions on ractor.
//!
//! ```text
//!  ActorSessions (Sessions) ──▶ Supervisor ─ links ─▶ SessionActor, one a device that is awake
//!        │  Directory: places, by subject                 │ Conversation: Session + pipeline + effects
//!        ▼                                                │
//!      Place ◀── Inlet (gateway)                          ├─▶ transcription   stage: frames ▶ egress ▶ Event
//!        ring of packets, link to the device,             ├─▶ reply           stage: egress ▶ Events
//!        the sleeping session, what may be observed,      ├─▶ viewing         stage: picture ▶ egress ▶ Event
//!        the intake of a picture                          └─▶ speech          stage: egress ▶ Opus ▶ pace ▶ link
//! ```
//!
//! Sound never rides in a mailbox: packets wait in the place's bounded ring, which drops the oldest, and the actor is
//! told once that there are some. Handlers never wait for anyone: each stage of a turn is a task that posts its results
//! back as events, tagged with the turn; dropping its handle ends it. A failure ends one session, and the device is
//! told to come again.
//!
//! A session that rests has no actor: its conversation sleeps in its place until there is mail for it. Mail is counted
//! under the same lock under which a session falls asleep, so none is lost in between.

pub mod error;
pub mod observed;
pub mod options;
pub mod sessions;

mod actor;
mod consents;
mod conversation;
mod directory;
mod inlet;
mod kept;
mod language;
mod listening;
mod place;
mod reply;
mod ring;
mod search;
mod services;
mod speech;
mod stage;
mod supervisor;
mod timers;
mod transcription;
mod viewing;

pub use error::Error;
pub use observed::{Change, Snapshot};
pub use options::Options;
pub use sessions::ActorSessions;
