//! May we? Privacy profiles, their compiler, `decide()`, and the permits that carry its answer to the gates.
//!
//! ```text
//! profile.toml ──Profile::parse──▶ Profile ─┐
//! what has become of processors ──▶ Registry├─▶ InForce ─┐
//! who may do what without consent ──▶ Grants┘            ├─ decide(Question) ─▶ Decision ──▶ Permit ──▶ Gate
//! the subject's register ──▶ ConsentState ───────────────┘       ▲
//!                                  Tables::compiled() ─▶ Compiled: the same answers as bit tests
//! ```
//!
//! Everything here is a function of its arguments: the auditor replays decisions with the same code.

pub mod anonymise;
pub mod calendar;
mod capability;
pub mod compile;
pub mod consent;
mod country;
pub mod coverage;
pub mod deadline;
pub mod decide;
pub mod diff;
pub mod due;
pub mod ending;
pub mod error;
pub mod exemption;
pub mod explain;
pub mod export;
mod flow;
pub mod gate;
pub mod in_force;
mod incident;
pub mod introduction;
pub mod law;
pub mod lint;
mod markdown;
pub mod month;
#[doc(hidden)]
pub mod mutant;
pub mod pages;
pub mod period;
pub mod permit;
pub mod place;
mod practice;
pub mod profile;
pub mod redact;
pub mod registry;
pub mod revisions;
pub mod route;
pub mod tongue;
pub mod transfer;
pub mod vocabulary;
mod words;

pub use anonymise::{AnonymisedData, Transformation};
pub use calendar::{BeyondCalendar, WorkingCalendar};
pub use compile::{Compiled, Tables, compile};
pub use consent::{AgeBand, ConsentState, ConsentStatus, ConsentType, PartStatus, PurposeConsent};
pub use coverage::Coverage;
pub use deadline::Deadline;
pub use decide::{BasisRef, Decision, Grounds, Obligations, Question, Reason, decide, decide_anonymised};
pub use diff::{Change, ChangeKind, Diff, diff, rev_to_exceed};
pub use due::Due;
pub use ending::{Ending, Happened};
pub use error::{Error, Problem};
pub use exemption::{ExemptionGrant, GrantError, MINORS_APPROVERS, READING_MS_MAX};
pub use explain::{Explanation, explain};
pub use gate::Gate;
pub use in_force::{EXEMPTIONS_MAX, InForce};
pub use introduction::{Introduction, IntroductionHash};
pub use law::LawFloor;
pub use month::{Month, NoMonth};
pub use period::{IsoPeriod, Period};
pub use permit::{Labelled, Passed, Permit, Refused, Revoker, Terms, Weigh};
pub use place::{NoPlace, Place};
pub use practice::Practice;
pub use profile::{LegalBasis, Profile, ProfileHash, TomlText};
pub use redact::{Redaction, Redactor};
pub use registry::{Instructions, Narrowed, Registry};
pub use revisions::{RevisionError, Revisions};
pub use route::{NoRoute, route};
pub use tongue::Tongue;
pub use transfer::{Covered, People, Transfer, TransferLimit};
pub use vocabulary::Vocabulary;
