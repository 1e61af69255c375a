//! [`Visits`]: how long a guest is spoken with as a guest.

use core::time::Duration;

use serde::{Deserialize, Serialize};

use super::Src;
use super::canonical::iso_duration;

/// A longer visit would be a stay: whoever stays is asked again the next day.
pub const VISIT_MAX: Duration = Duration::from_secs(24 * 3_600);

/// `[visits]`: what holds while somebody talks to a device who is not its owner (guest mode).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Visits {
    /// When a visit ends by itself, from its beginning.
    #[serde(with = "iso_duration")]
    pub lasts: Duration,
    /// Whether it ends with the session of the device, if that is earlier.
    pub end_with_session: bool,
    /// The clauses that say so.
    pub src: Src,
}

/// An evening.
impl Default for Visits {
    fn default() -> Self {
        Self { lasts: Duration::from_secs(4 * 3_600), end_with_session: false, src: Src::default() }
    }
}

impl Visits {
    /// Whether it says what holds where nothing is said: then it is no part of the canonical form.
    pub(super) fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}
