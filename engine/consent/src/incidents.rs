//! Incidents: data got where it should not. Somebody finds out or reports it; it is assessed, contained, told to the
//! authority and to the people concerned, each by its day, and closed.
//!
//! [`Incident`] is the state machine, pure, and [`Trace`] finds in the audit log whose data it was; [`IncidentDesk`] keeps
//! incidents in the store, puts each step into the log in the batch that takes it, throws switches for them, and notices
//! whom nobody has told in time. Their texts are in the store alone: the log has the SHA-256 of each.
//!
//! Whom a notice about it goes to are the [`people`](Affected::people) of [`IncidentDesk::affected`], and what it says the
//! texts of [`Incident::notices`]; that they were sent is the step [`Step::TellSubjects`].

pub mod affected;
pub mod desk;
pub mod incident;
pub(crate) mod stored;

pub use affected::{Affected, Person, Scope, Trace};
pub use desk::{Deed, Error, IncidentDesk, Report};
pub use incident::{Assessment, Ending, Incident, NotNow, Notice, Step, Telling, ThrownFor};

#[cfg(test)]
mod tests;
