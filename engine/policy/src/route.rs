//! [`route()`]: who may be asked, nearest first.

use sayso_types::{Label, ProcessorId, WallTime};

use crate::decide::Reason;
use crate::{ConsentState, Gate, InForce, Question, decide};

/// Why nobody may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no permitted processor: {0}")]
pub struct NoRoute(
    /// The reason of the receiver that came closest to being allowed.
    pub Reason,
);

/// Those of `processors` that data labelled `label` may go to through `gate` at `now`, in the order in which they are to be tried: by the
/// profile's order of regions, and otherwise as they were given. A fallback is the next of them, so that none ever goes
/// further than what the person allows.
///
/// # Errors
/// [`NoRoute`] when there is none: the turn fails, it does not go further.
pub fn route(
    processors: impl IntoIterator<Item = ProcessorId>,
    label: Label,
    gate: Gate,
    now: WallTime,
    state: &ConsentState,
    in_force: &InForce,
) -> Result<Vec<ProcessorId>, NoRoute> {
    let place = |region| in_force.profile().document().routing.place(region);
    let mut closest = None;
    let mut allowed = Vec::new();
    for processor in processors {
        match decide(&Question { label, gate, processor, now }, state, in_force).answer {
            Ok(grounds) => allowed.push((place(grounds.cell.region), processor)),
            Err(reason) => closest = closest.max(Some(reason)),
        }
    }
    if allowed.is_empty() {
        return Err(NoRoute(closest.unwrap_or(Reason::ProcessorState)));
    }
    // stable: receivers of one region stay in the order of the configuration
    allowed.sort_by_key(|(place, _)| *place);
    Ok(allowed.into_iter().map(|(_, id)| id).collect())
}
