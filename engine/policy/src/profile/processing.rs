//! [`Processing`]: what is done with data, in DPV's words where it has them.

use serde::{Deserialize, Serialize};

/// What is done with data: what gates and prohibitions speak of, by the terms of DPV 2.3, and by four of our own where it has
/// none (`Identify`, `Publish`, `Contact`, `Train`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Processing {
    /// Taken in.
    Collect,
    /// Looked at by a machine, to understand it.
    Analyse,
    /// Handed to whoever does something with it.
    Transmit,
    /// Used to recognise somebody.
    Identify,
    /// Made into other data.
    Derive,
    /// Kept.
    Store,
    /// Copied to another place.
    Copy,
    /// Looked at or taken out by a person.
    Export,
    /// Given to somebody who uses it for their own purposes.
    Share,
    /// Made public.
    Publish,
    /// Written into a log or metric.
    Record,
    /// Used to reach the person.
    Contact,
    /// Used to judge the person.
    Profiling,
    /// Used to train a model.
    Train,
}
