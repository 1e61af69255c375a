//! Incidents: data got where it should not. Somebody finds out or reports it; it is assessed, contained, told to the
//! authority and to the people concerned, each by its day, and closed.
//!
//! [`Incident`] is the state machine, pure, and [`Trace`] finds in the audit log whose data it was; [`IncidentDesk`] keeps
//! incidents in the store, puts each step into the log in the batch that takes it, throws switches for them, and notices
//! whom nobody has told in time. Their texts are in the store alone: the log has the SHA-256 of each.
//!
//! The step [`Step::TellSubjects`] sends [`Incident::notices`] to the [`people`](Affected::people) whom the log shows to be
//! concerned, in the batch that takes it: a [notice](crate::notices) like any other, whose device says it first and whose
//! tenant tells it where the device does not reach them.

pub mod affected;
pub mod desk;
pub mod incident;
mod mailing;
pub(crate) mod stored;

pub use affected::{Affected, Person, Scope, Trace};
pub use desk::{Deed, Error, IncidentDesk, Report};
pub use incident::{Assessment, Ending, Incident, NotNow, Notice, Step, Telling, ThrownFor};

#[cfg(test)]
mod tests;
