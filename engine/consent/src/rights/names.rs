//! What the log calls rights and reasons to refuse them.

use sayso_policy::profile::{Refusal, RightKind};
use sayso_types::Name;
use serde::Serialize;

/// What the log calls a right.
pub(crate) fn right_name(kind: RightKind) -> Name {
    Name::constant(match kind {
        RightKind::Access => "access",
        RightKind::Copy => "copy",
        RightKind::Rectify => "rectify",
        RightKind::Supplement => "supplement",
        RightKind::Erase => "erase",
        RightKind::Restrict => "restrict",
        RightKind::Withdraw => "withdraw",
        RightKind::Cancel => "cancel",
        RightKind::Port => "port",
        RightKind::Explain => "explain",
        RightKind::Object => "object",
        RightKind::Complain => "complain",
        RightKind::MarketingOptOut => "marketing_opt_out",
        RightKind::ShutdownNotice => "shutdown_notice",
        RightKind::DeceasedRelatives => "deceased_relatives",
        RightKind::RefuseOverseas => "refuse_overseas",
        RightKind::GuardianErase => "guardian_erase",
    })
}

/// How the policy spells a word of its own.
pub(super) fn spelled(word: &impl Serialize) -> String {
    serde_json::to_value(word).ok().and_then(|value| Some(value.as_str()?.to_owned())).unwrap_or_default()
}

/// What the log calls a reason to refuse.
pub(super) fn refusal_name(why: Refusal) -> Name {
    Name::constant(match why {
        Refusal::ProcessExcessive => "excessive",
        Refusal::ProcessFrivolous => "frivolous",
        Refusal::ThirdPartyRightsImpaired => "third_party_rights",
        Refusal::DisproportionateEffortRequired => "disproportionate_effort",
        Refusal::IdentityVerificationFailure => "identity_not_proved",
        Refusal::LegalObligationImpaired => "legal_obligation",
    })
}
