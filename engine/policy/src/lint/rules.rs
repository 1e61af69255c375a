//! What each rule looks for, by the section of the profile that it looks at.

pub(super) mod asks;
pub(super) mod assessments;
pub(super) mod bases;
pub(super) mod carried_out;
pub(super) mod categories;
pub(super) mod clauses;
pub(super) mod consent;
pub(super) mod controller;
pub(super) mod exemptions;
pub(super) mod header;
pub(super) mod incident;
pub(super) mod laws;
pub(super) mod minors;
pub(super) mod notices;
pub(super) mod numbering;
pub(super) mod processors;
pub(super) mod prohibitions;
pub(super) mod regions;
pub(super) mod registry;
pub(super) mod retention;
pub(super) mod revision;
pub(super) mod rights;
pub(super) mod times;
pub(super) mod transfers;
pub(super) mod waivers;
