//! [`Anchored`] and [`Standing`]: how far the log is witnessed, and what is the matter where it is not.

use sayso_audit::witness::WitnessError;
use sayso_types::WallTime;

/// How far a log is witnessed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchored {
    /// Leaves that the newest checkpoint covers which the quorum has cosigned; 0 when there is none.
    pub size: u64,
    /// Each witness.
    pub witnesses: Vec<WitnessStanding>,
}

/// How one witness stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WitnessStanding {
    /// What the trust policy calls it.
    pub name: String,
    /// How it stands.
    pub standing: Standing,
}

/// What came of asking a witness last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It was not asked yet.
    Unasked,
    /// It has cosigned.
    Cosigned {
        /// How many leaves.
        size: u64,
        /// When.
        at: WallTime,
    },
    /// It gave no cosignature; it is asked again.
    Failed {
        /// Why not.
        error: WitnessError,
    },
    /// It has cosigned more leaves than the log has: the log's end was cut off, or an old copy of it was put back.
    Ahead {
        /// How many it has cosigned.
        size: u64,
    },
    /// It has cosigned another log of this name: the log's past was rewritten, or two nodes write one log.
    Forked {
        /// How many leaves that had.
        size: u64,
    },
}

impl Standing {
    /// Whether the log is not the one that was witnessed. That is never put right by asking again.
    #[must_use]
    pub const fn is_alarm(&self) -> bool {
        matches!(self, Self::Ahead { .. } | Self::Forked { .. })
    }

    /// A short, fixed word for metrics and the admin API.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unasked => "unasked",
            Self::Cosigned { .. } => "cosigned",
            Self::Failed { error: WitnessError::Unreached(_) } => "unreached",
            Self::Failed { error: WitnessError::Refused(_) } => "refused",
            Self::Failed { error: WitnessError::Malformed(_) } => "malformed",
            Self::Ahead { .. } => "ahead",
            Self::Forked { .. } => "forked",
        }
    }
}

impl Anchored {
    pub(super) fn unasked(names: impl Iterator<Item = String>) -> Self {
        let witnesses = names.map(|name| WitnessStanding { name, standing: Standing::Unasked });
        Self { size: 0, witnesses: witnesses.collect() }
    }

    /// Whether a witness knows more than the log, or something else.
    #[must_use]
    pub fn is_alarm(&self) -> bool {
        self.witnesses.iter().any(|witness| witness.standing.is_alarm())
    }
}

impl WitnessStanding {
    /// Takes note of what came of asking. What has changed is told once.
    pub(super) fn becomes(&mut self, next: Standing) {
        let (name, code) = (self.name.as_str(), next.code());
        metrics::counter!("sayso_audit_witness_answers_total", "witness" => name.to_owned(), "answer" => code)
            .increment(1);
        if self.standing.code() != code {
            match &next {
                Standing::Unasked => {}
                Standing::Cosigned { size, .. } => tracing::info!(witness = name, size, "the witness cosigns the log"),
                Standing::Failed { error } => {
                    tracing::warn!(witness = name, %error, "the witness does not cosign; it is asked again");
                }
                Standing::Ahead { size } => tracing::error!(
                    witness = name,
                    witnessed = size,
                    "the witness has cosigned more leaves than the audit log has: its end was cut off, or an old copy \
                     was put back; restore it from a backup"
                ),
                Standing::Forked { size } => tracing::error!(
                    witness = name,
                    witnessed = size,
                    "the witness has cosigned another audit log of this name: its past was rewritten, or two nodes \
                     write it"
                ),
            }
        }
        self.standing = next;
    }
}
