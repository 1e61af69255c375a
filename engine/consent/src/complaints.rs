//! Complaints: by people, through their tenant, or by tenants themselves. Each has an id under which it can be asked for, a
//! day by which it is answered, and one answer.
//!
//! [`Complaint`] is the state machine, pure; [`ComplaintDesk`] keeps complaints in the store, puts each step into the audit
//! log in the batch that takes it, and notices what is overdue. The words stay where they were sent to: what is kept is
//! their SHA-256, so that nobody can say later that they were others.

pub mod complaint;
pub mod desk;

pub use complaint::{Answer, Complaint, Filing, NotNow, Outcome};
pub use desk::{ComplaintDesk, Error};
