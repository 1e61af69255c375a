//! [`Rule`]: the closed list of what the linter looks for.

use core::fmt;

use super::case::Case;
use super::rules::{
    asks, assessments, bases, carried_out, categories, clauses, consent, controller, exemptions, header, incident,
    laws, minors, notices, numbering, processors, prohibitions, regions, registry, retention, revision, rights, times,
    transfers, waivers,
};

/// What a rule found: the key that it is at, and what is wrong there and what to change.
pub(super) type Found = Vec<(String, String)>;

/// One rule of the linter. Two are equal when their ids are.
pub struct Rule {
    /// Its name, as waivers spell it.
    pub(super) id: &'static str,
    /// What breaks it.
    pub(super) breach: &'static str,
    /// Where it comes from.
    pub(super) source: &'static str,
    /// Whether somebody may take the responsibility for a breach.
    pub(super) waivable: bool,
    /// Looks for breaches.
    pub(super) look: fn(&Case<'_>) -> Found,
}

impl Rule {
    /// Every rule, by the section of the profile that it looks at.
    pub const ALL: &'static [&'static Self] = &[
        // the written policy
        &controller::CTRL_MISSING,
        &controller::CTRL_JOINT_UNNAMED,
        &clauses::CLAUSE_UNREFERENCED,
        &clauses::SRC_MISSING,
        &clauses::LANG_DIVERGENCE,
        &numbering::CLAUSE_NUMBERING,
        &header::DATE_INCOMPLETE,
        &header::EFFECTIVE_BEFORE_NOTICE,
        &header::EVIDENCE_EXPIRED,
        &header::TEST_PLATFORM_NO_MAX_AGE,
        &header::TEST_PLATFORM_SENSITIVE,
        // the law
        &laws::LAW_FLOOR_UNKNOWN,
        &laws::LAW_FLOOR_MISSING,
        &laws::CALENDAR_MISSING,
        &assessments::PIA_MISSING,
        // consent
        &consent::BASIS_IMPLIED_FOR_SENSITIVE,
        &consent::CONSENT_BELOW_LAW,
        &consent::SEPARATE_MISSING,
        &consent::BASIS_CONTRADICTED,
        &bases::BASIS_NOT_IN_LAW,
        &bases::CONSENT_AVOIDED,
        &asks::SPECIAL_ASKED_TOGETHER,
        &asks::CONSENT_BUNDLED,
        &asks::EVIDENCE_UNKEPT,
        // data
        &categories::CATEGORY_UNDEFINED,
        &categories::TERM_UNKNOWN,
        &categories::SENSITIVITY_BELOW_TERM,
        &categories::NECESSITY_UNFLAGGED,
        &categories::DEIDENT_AS_ANON,
        &categories::AT_REST_CONTRADICTED,
        &categories::REDACTION_UNKNOWN,
        &prohibitions::PROHIBITION_CONTRADICTED,
        &retention::RET_MISSING,
        &retention::RET_TOO_LONG,
        &retention::MIN_RETENTION_WITHOUT_LEGAL_BASIS,
        &retention::RET_MIN_CONTRADICTED,
        &retention::RET_UNTIL_USER_DELETE_NO_CAP,
        &retention::ENDLESS_DURATION,
        &retention::ANONYMISER_UNREGISTERED,
        &carried_out::RET_NOT_CARRIED_OUT,
        &carried_out::CONFIRMATION_IMPOSSIBLE,
        &carried_out::KEPT_SHORTER_THAN_LAW,
        &times::VAGUE_TIME,
        &times::DEADLINE_TOO_LONG,
        // receivers
        &processors::PROC_CONTRACT_MISSING,
        &processors::PROC_PARTICULARS_MISSING,
        &processors::PROC_ROLE_CONTRADICTED,
        &processors::PROC_INSTRUCTIONS_MISSING,
        &regions::PROC_REGION_MISLABELLED,
        &regions::REGION_UNKNOWN,
        &processors::DUE_DILIGENCE_MISSING,
        &processors::VOLUME_UNKEEPABLE,
        &registry::PROC_LIST_MISSING,
        &registry::PROC_UNREGISTERED_IN_USE,
        &registry::RECIPIENT_UNNAMED,
        &registry::ROUTING_PREFERS_FARTHER,
        &transfers::XBORDER_NO_MECHANISM,
        &transfers::XBORDER_MECHANISM_WEAK,
        &transfers::XBORDER_CONTRADICTS_LOCATION,
        &exemptions::EXEMPTION_NOT_IN_LAW,
        &exemptions::EXEMPTION_APPROVERS,
        &exemptions::EXEMPTION_OPENS_CONTENT,
        // people
        &minors::MINOR_AGE_BELOW_LAW,
        &minors::MINOR_UNVERIFIED,
        &rights::RIGHT_MISSING,
        &rights::ERASURE_GROUND_MISSING,
        &rights::RIGHT_NO_CHANNEL,
        &rights::RIGHT_CHANNEL_UNREACHABLE,
        &rights::WITHDRAW_HARDER_THAN_GIVING,
        &rights::DEADLINE_MISSING,
        &incident::INCIDENT_UNTOLD,
        &notices::NOTICE_NOT_CARRIED_OUT,
        &revision::REVISION_SILENT_ACCEPT,
        &waivers::WAIVER_INVALID,
    ];

    /// The rule called `id`.
    #[must_use]
    pub fn named(id: &str) -> Option<&'static Self> {
        Self::ALL.iter().copied().find(|rule| rule.id == id)
    }

    /// Its name, as waivers spell it.
    #[must_use]
    pub const fn id(&self) -> &'static str {
        self.id
    }

    /// What breaks it, in a line.
    #[must_use]
    pub const fn breach(&self) -> &'static str {
        self.breach
    }

    /// Where it comes from: clauses of the five policies, then articles of laws, then promises of the engine.
    #[must_use]
    pub const fn source(&self) -> &'static str {
        self.source
    }

    /// Whether somebody may take the responsibility for a breach. Nobody can for a law in the way of running, nor for
    /// what the engine could not keep.
    #[must_use]
    pub const fn is_waivable(&self) -> bool {
        self.waivable
    }

    pub(super) fn look(&self, case: &Case<'_>) -> Found {
        (self.look)(case)
    }
}

impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Rule {}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id)
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waivers = if self.waivable { "" } else { "; takes no waiver" };
        write!(f, "{}: {} ({}{waivers})", self.id, self.breach, self.source)
    }
}
