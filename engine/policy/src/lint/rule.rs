//! [`Rule`]: the closed list of what the linter looks for.

use super::rules;
use crate::profile::Document;

/// What a rule found: the key that it is at, and what is wrong there and what to change.
pub(super) type Found = Vec<(String, String)>;

/// One rule of the linter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// Nobody could reach the controller.
    CtrlMissing,
    /// An active overseas processor without a legal means of transfer.
    XborderNoMechanism,
    /// A clause of the written policy that nothing in the profile keeps.
    ClauseUnreferenced,
    /// A waiver for a rule that there is not, or without a reason.
    WaiverInvalid,
}

impl Rule {
    /// Every rule.
    pub const ALL: &[Self] =
        &[Self::CtrlMissing, Self::XborderNoMechanism, Self::ClauseUnreferenced, Self::WaiverInvalid];

    /// Its name, as waivers spell it.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::CtrlMissing => "CTRL_MISSING",
            Self::XborderNoMechanism => "XBORDER_NO_MECHANISM",
            Self::ClauseUnreferenced => "CLAUSE_UNREFERENCED",
            Self::WaiverInvalid => "WAIVER_INVALID",
        }
    }

    /// Where it comes from: a clause of the five policies, an article of a law, or a promise of the engine.
    #[must_use]
    pub const fn source(self) -> &'static str {
        match self {
            Self::CtrlMissing => "XZ-0.1, CA-8; cn-pipl:17, gdpr:13-1-a",
            Self::XborderNoMechanism => "XZ-4.6b; cn-pipl:38, gdpr:44",
            Self::ClauseUnreferenced => "every promise is kept or said not to be",
            Self::WaiverInvalid => "a waiver is somebody's responsibility for something",
        }
    }

    pub(super) fn look(self, document: &Document) -> Found {
        match self {
            Self::CtrlMissing => rules::controller::missing(document),
            Self::XborderNoMechanism => rules::processors::no_mechanism(document),
            Self::ClauseUnreferenced => rules::clauses::unreferenced(document),
            Self::WaiverInvalid => rules::waivers::invalid(document),
        }
    }
}
