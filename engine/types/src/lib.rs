//! Words that every other crate uses: identifiers, names, units of time, labels and redaction.
//!
//! The rule of this crate is that a word has no behaviour beyond being well formed: if a type needs to *do*
//! something, it lives in the crate whose job that is. Nothing here performs I/O or reads a clock; [`Clock`] is
//! the contract that lets others be given one.

pub mod audio;
pub mod clock;
pub mod dialogue;
pub mod id;
pub mod label;
pub mod name;
pub mod part;
pub mod picture;
pub mod redacted;

pub use audio::{Pcm, SampleRate};
pub use clock::{Clock, ManualClock, Mono, WallTime};
pub use id::{ConsentVersion, DeviceId, IdError, NoticeId, SessionId, SubjectId, TenantId, TurnId};
pub use label::{Cell, Label, ProcessorKind, RegionClass, UnknownWord};
pub use name::{Category, Name, NameError, ProcessorId, Purpose};
pub use part::{Part, PartError};
pub use picture::{Picture, PictureError, PictureFormat};
pub use redacted::Redacted;
