//! [`Processor`]: a receiver of data, and what it was told it may have.

use std::collections::BTreeSet;

use sayso_types::{Category, ProcessorId, ProcessorKind, Purpose, RegionClass, WallTime};
use serde::{Deserialize, Serialize};

use super::canonical::wall_time;
use crate::{IsoPeriod, Period};

/// One entry of the `processor` list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Processor {
    /// Its name in this profile; the configuration of providers uses the same.
    pub id: ProcessorId,
    /// What sort of service it is.
    pub kind: ProcessorKind,
    /// Who runs it.
    pub party: String,
    /// How to reach them.
    #[serde(default)]
    pub contact: Option<String>,
    /// Their privacy policy.
    #[serde(default)]
    pub privacy_url: Option<String>,
    /// Where it stands: an ISO 3166 code, or words.
    pub region: String,
    /// How far that is.
    pub region_class: RegionClass,
    /// By what legal means data may go overseas; mandatory for an active overseas processor.
    #[serde(default)]
    pub mechanism: Option<String>,
    /// The categories it may receive.
    pub accepts: BTreeSet<Category>,
    /// The purposes it may receive them for.
    pub purposes: BTreeSet<Purpose>,
    /// Whether it may receive anything now.
    pub state: ProcessorState,
    /// Whether it says that it trains models on what it receives.
    pub trains_on_data: bool,
    /// How long it says that it keeps what it receives.
    pub declared_retention: Period,
    /// Whether it can be told to delete.
    #[serde(default)]
    pub deletion_api: bool,
    /// Who looked at it, and until when that holds.
    #[serde(default)]
    pub due_diligence: Option<DueDiligence>,
    /// The clauses of the written policy that name it.
    #[serde(default)]
    pub src: BTreeSet<String>,
}

impl Processor {
    /// Whether it may receive anything at `now`.
    #[must_use]
    pub fn is_active(&self, now: WallTime) -> bool {
        self.state == ProcessorState::Active && self.examined_until().is_none_or(|end| now < end)
    }

    /// The first moment at which its due diligence has run out; [`None`] when none is on record.
    #[must_use]
    pub fn examined_until(&self) -> Option<WallTime> {
        self.due_diligence.as_ref().map(|d| d.valid.after(d.at))
    }
}

/// Whether a processor may receive data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProcessorState {
    /// Not yet.
    Draft,
    /// Yes.
    Active,
    /// Not for the time being.
    Suspended,
    /// Never again.
    Terminated,
}

/// A check of a processor's promises.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DueDiligence {
    /// When.
    #[serde(deserialize_with = "wall_time")]
    pub at: WallTime,
    /// By whom.
    pub by: String,
    /// For how long it holds. Whether a processor may receive data must not depend on how far a calendar of holidays
    /// goes, so this is never in working days.
    pub valid: IsoPeriod,
}
