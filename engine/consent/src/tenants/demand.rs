//! [`Demand`]: evidence that a tenant is to show, and by when.

use sayso_audit::Reference;
use sayso_policy::Profile;
use sayso_types::WallTime;
use serde::{Deserialize, Serialize};

use super::NotInstructed;

/// Bytes of what is demanded.
pub const WHAT_BYTES_MAX: usize = 500;

/// Evidence that was demanded of a tenant, such as of where data of its people comes from and how far their consent goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Demand {
    #[serde(with = "hex")]
    id: [u8; 16],
    /// What is to be shown.
    pub what: String,
    /// Since when.
    pub since: WallTime,
    /// By when. From then on nothing of the tenant's people passes a gate, until it is shown.
    pub due: WallTime,
}

impl Demand {
    /// Demands `what` by `due`, or else by the last moment that `profile` gives, which is no earlier than any `due`.
    ///
    /// # Errors
    /// [`NotInstructed::What`] and [`NotInstructed::Due`].
    pub fn new(
        id: Reference,
        what: String,
        due: Option<WallTime>,
        profile: &Profile,
        now: WallTime,
    ) -> Result<Self, NotInstructed> {
        if what.trim().is_empty() || what.len() > WHAT_BYTES_MAX {
            return Err(NotInstructed::What);
        }
        let latest = profile.document().tenants.evidence_within.map(|within| within.after(now));
        let due = due.or(latest).filter(|due| *due > now && latest.is_none_or(|latest| *due <= latest));
        Ok(Self { id: id.0, what, since: now, due: due.ok_or(NotInstructed::Due)? })
    }

    /// As the log names it.
    #[must_use]
    pub const fn id(&self) -> Reference {
        Reference(self.id)
    }
}
