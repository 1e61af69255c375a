//! What each rule looks for, by the section of the profile that it looks at.

pub(super) mod clauses;
pub(super) mod controller;
pub(super) mod processors;
pub(super) mod waivers;
