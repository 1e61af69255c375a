//! May we? Privacy profiles, their compiler, `decide()`, and the permits that carry its answer to the gates.

pub mod permit;

pub use permit::{Labelled, Passed, Permit, Refused, Revoker, Terms, Weigh};
