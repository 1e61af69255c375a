//! [`Report`]: what an auditor is told.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::trust::{Attestation, Attested};

/// What a sound log says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Which log.
    pub origin: String,
    /// How many leaves.
    pub size: u64,
    /// The signed root over them, in hexadecimal.
    pub root: String,
    /// How far witnesses vouch for it; [`None`] when none were asked for.
    pub witnessed: Option<Witnessed>,
    /// The hashes of the profiles that came into force, in hexadecimal.
    pub profiles: BTreeSet<String>,
    /// How many leaves there are of each event.
    pub events: BTreeMap<&'static str, u64>,
    /// What the closed segments say was handed over, in bytes.
    pub bytes: u64,
    /// Closed segments of which nobody knows how much was handed over.
    pub uncounted: u64,
    /// What a reader must know of, in the order of the leaves.
    pub findings: Vec<Finding>,
}

/// How far a log is vouched for by witnesses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Witnessed {
    /// Leaves that the newest witnessed checkpoint covers: nobody can be shown others.
    pub size: u64,
    /// Leaves that came after it. The log's keeper alone vouches for them; a later export shows whether they stayed.
    pub unanchored: u64,
    /// Who has cosigned it.
    pub by: Vec<Attestation>,
}

impl Witnessed {
    pub(super) fn new(attested: Attested, size: u64) -> Self {
        let Attested { checkpoint, witnesses, .. } = attested;
        Self { size: checkpoint.size, unanchored: size.saturating_sub(checkpoint.size), by: witnesses }
    }
}

impl Report {
    /// Adds what somebody else found, each once.
    pub fn add(&mut self, found: impl IntoIterator<Item = (u64, Rule)>) {
        self.findings.extend(found.into_iter().map(|(leaf, rule)| Finding::new(leaf, rule)));
        self.findings.sort_by_key(|finding| (finding.leaf, finding.rule));
        self.findings.dedup();
    }

    /// The findings that break a promise.
    pub fn violations(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.severity == Severity::Violation)
    }

    /// Whether no promise was broken.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.violations().next().is_none()
    }
}

/// Something in the log that a reader must know of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The leaf that shows it, from 0.
    pub leaf: u64,
    /// Which rule.
    pub rule: Rule,
    /// How bad it is.
    pub severity: Severity,
    /// What it means.
    pub meaning: &'static str,
}

impl Finding {
    pub(super) const fn new(leaf: u64, rule: Rule) -> Self {
        Self { leaf, rule, severity: rule.severity(), meaning: rule.meaning() }
    }
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The log leaves something open, within known bounds.
    Open,
    /// A promise was broken, or the log does not show that it was kept.
    Violation,
}

/// What the leaves of a log must keep to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// A leaf says another index than it has.
    SequenceBroken,
    /// A leaf says another shard than the first one.
    ShardMixed,
    /// A leaf is dated before the one it follows, or otherwise than by its own time.
    ClockWentBack,
    /// A leaf's own time is before that of the one it follows, and the log does not say that the clock was set back.
    DatedBack,
    /// A leaf names another process than wrote the one before it, which is not the next that checked the log.
    EpochBroken,
    /// A profile in force that is older than the one before it, or another of the same number.
    RevisionRolledBack,
    /// A segment under a revision of the policy that never was in force.
    UnderNoRevision,
    /// A segment under another revision than the one that governs the person. Found whole by whoever has the profiles.
    UnderOtherRevision,
    /// A segment without consent before it.
    SegmentWithoutConsent,
    /// A segment opened after the withdrawal of its purpose.
    SegmentAfterWithdrawal,
    /// The same segment opened twice.
    SegmentReopened,
    /// A segment closed that is not open, or that is another than was opened.
    ClosedWithoutOpen,
    /// A segment closed after the withdrawal that had to close it.
    ClosedAfterWithdrawal,
    /// A withdrawal in effect while a segment of the same process was open.
    OpenAcrossWithdrawal,
    /// A withdrawal in effect that nobody requested, of this person and of that.
    EffectiveWithoutRequest,
    /// A segment that the profile did not allow, whatever the log is silent about. Found by whoever has the profile.
    DeniedByProfile,
    /// A refusal for a reason that there was not, whatever the log is silent about. Found by whoever has the profile.
    DeniedUnfounded,
    /// A segment, a disclosure or a reading on a grant that there was not, that had ended, or that was for something else.
    WithoutLiveGrant,
    /// A segment that was used for long after what it rested on had ended.
    OpenAfterEnd,
    /// A segment in which something passed that was opened after the service had ended.
    SegmentAfterShutdown,
    /// A person's request that was not answered by its day. Said by the log, or found by whoever has the profile.
    RequestLate,
    /// An incident of which somebody was not told in time.
    IncidentLate,
    /// A withdrawal that took effect after its day, or has not by then. Found by whoever has the profile.
    WithdrawalLate,
    /// An erasure that was certified after its day, or has not been by then. Found by whoever has the profile.
    ErasureLate,
    /// A complaint that was not answered by its day.
    ComplaintLate,
    /// Somebody was told of a revision later than the one before it promised, or not at all. Found by whoever has both profiles.
    NoticeLate,
    /// Something that is stored ended later than its rule allows. Found by whoever has the profile.
    EndedLate,
    /// Somebody was counted as anonymised, or more were released, than was due; or without the report of the test.
    AnonymisedUnduly,
    /// An erasure is certified though not each replica of the store has said that it holds nothing of it.
    CertifiedUnacknowledged,
    /// Somebody answers for what an erasure left whose certificate the log does not have.
    ApprovedUnsaid,
    /// Something was kept on a legal hold that nobody had set for it. Found by whoever has each profile that was in force.
    HeldByNone,
    /// The node found its own log damaged.
    SelfcheckFailed,
    /// A process says that it found another log before it than this one.
    SelfcheckUntrue,
    /// The node's clock was set back.
    ClockSetBack,
    /// A segment that was never closed.
    NeverClosed,
    /// A withdrawal that was never in effect.
    WithdrawalPending,
    /// An erasure that has begun and has no certificate.
    ErasurePending,
    /// Something that was due and has not ended.
    EndingPending,
}

impl Rule {
    /// How bad a breach is.
    #[must_use]
    pub const fn severity(self) -> Severity {
        match self {
            Self::ClockSetBack
            | Self::NeverClosed
            | Self::WithdrawalPending
            | Self::ErasurePending
            | Self::EndingPending => Severity::Open,
            _ => Severity::Violation,
        }
    }

    /// What a breach means.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::SequenceBroken => {
                "the leaf does not give its own place in the log: leaves were dropped or moved before it was signed"
            }
            Self::ShardMixed => "the leaf belongs to another shard's log",
            Self::ClockWentBack => {
                "the leaf's place in time does not follow from its own time and the leaf before it: leaves were moved, or dated otherwise than they were written"
            }
            Self::DatedBack => {
                "the leaf gives an earlier time than the one before it, and the log does not say that the clock was set back: days that count from it are doubtful"
            }
            Self::EpochBroken => {
                "the leaf names another process than the one that was writing, without that process having checked the log first: what was open in which of them cannot be told"
            }
            Self::RevisionRolledBack => {
                "a profile came into force that is older than the one in force before it, or that says something else under the same number"
            }
            Self::UnderNoRevision => {
                "data was about to be handed over under a revision of the policy that never was in force"
            }
            Self::UnderOtherRevision => {
                "data was handed over under another revision of the policy than governs the person: the newest, or the one that they agreed to where what changed since matters to them"
            }
            Self::SegmentWithoutConsent => {
                "data was about to be handed over for a purpose to which the log shows no consent at that consent version"
            }
            Self::SegmentAfterWithdrawal => {
                "data was about to be handed over after the withdrawal was in effect, without new consent"
            }
            Self::SegmentReopened => "a segment was opened twice: what was handed over cannot be told apart",
            Self::ClosedWithoutOpen => {
                "data was handed over without an intent in the log before it, or to another receiver than intended"
            }
            Self::ClosedAfterWithdrawal => {
                "a gate closed only after the withdrawal had been confirmed: data may have been handed over in between"
            }
            Self::OpenAcrossWithdrawal => "the withdrawal was confirmed while a gate in its scope was open",
            Self::EffectiveWithoutRequest => {
                "the log does not show who asked for the withdrawal, or it was of somebody or something else"
            }
            Self::DeniedByProfile => {
                "data was about to be handed over that the profile did not allow there, by what the person had agreed to"
            }
            Self::DeniedUnfounded => {
                "data was refused for a reason that there was not, by the profile and what the person had agreed to: what happened there is not what the log says"
            }
            Self::WithoutLiveGrant => {
                "data was about to be handed over without consent, or was read by somebody of the operator's, on a grant that nobody had given for it, or that had ended"
            }
            Self::OpenAfterEnd => {
                "a gate stayed open for longer than a permit lives after what it rested on had ended: the consent was over or refused, or the grant had ended"
            }
            Self::SegmentAfterShutdown => {
                "data was handed over in a segment that was opened after the service had ended"
            }
            Self::EndedLate => "something that is stored ended later than the profile allows",
            Self::RequestLate => "a person's request was not answered by the day by which it was to be",
            Self::IncidentLate => "an incident was not told to somebody by the moment by which it was to be",
            Self::WithdrawalLate => "a withdrawal was not in effect by the day by which it was to be",
            Self::ErasureLate => "an erasure was not certified by the day by which it was to be",
            Self::NoticeLate => {
                "people were told of a revision of the policy later than the one before it promised, or somebody was not told at all"
            }
            Self::ComplaintLate => "a complaint was not answered by the day by which it was to be",
            Self::AnonymisedUnduly => {
                "data was counted or released as anonymised that was not due, that had been counted before, or without the report of its test"
            }
            Self::CertifiedUnacknowledged => {
                "an erasure is certified that some replica of the store has not acknowledged: its keys may still be there"
            }
            Self::ApprovedUnsaid => "somebody answers for what remains of an erasure that has no such certificate",
            Self::SelfcheckFailed => "the node found that its log was not what it had written",
            Self::HeldByNone => {
                "something that is stored was kept on a legal hold that nobody had set for it, or that had been released"
            }
            Self::SelfcheckUntrue => {
                "the process that starts here says that it found another log before it than this one: what is before it was changed since, or is another's"
            }
            Self::ClockSetBack => {
                "the node's clock was set back: the order of the leaves holds, the times that they give from here on may not"
            }
            Self::NeverClosed => {
                "the segment has no end, as after a crash or while the node runs: its content is not known, but only this processor received it, between this leaf and the end of its process"
            }
            Self::WithdrawalPending => {
                "the withdrawal was not confirmed by the end of this log: the person was not told OK"
            }
            Self::ErasurePending => {
                "the erasure has no certificate by the end of this log: whether the keys are destroyed is not shown"
            }
            Self::EndingPending => {
                "the time of something that is stored was over, and it had not ended by the end of this log"
            }
        }
    }
}
