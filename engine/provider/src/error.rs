//! Why a provider did not do it.

use core::time::Duration;

use sayso_policy::Refused;

/// Why a call failed. Texts name the provider's trouble, never the person's data.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The gate closed: consent was withdrawn, the permit ran out or never covered this.
    #[error("the gate refused: {0}")]
    Refused(#[from] Refused),
    /// The provider could not be reached.
    #[error("cannot be reached: {0}")]
    Unreachable(String),
    /// The provider did not finish within the limit.
    #[error("took longer than {0:?}")]
    TimedOut(Duration),
    /// The provider has too much to do; asking again later may help.
    #[error("is busy{}", .retry_after.map(|d| format!(", asks to wait {d:?}")).unwrap_or_default())]
    Busy {
        /// How long it asks us to wait.
        retry_after: Option<Duration>,
    },
    /// The provider does not accept our credentials.
    #[error("does not accept our credentials; check the key in the configuration")]
    Unauthorized,
    /// The provider refuses the request itself; asking again will not help.
    #[error("refused the request: {0}")]
    Rejected(String),
    /// The provider stopped in the middle of its answer.
    #[error("broke off its answer: {0}")]
    Incomplete(String),
    /// The provider answered something that is not an answer.
    #[error("answered something that cannot be understood: {0}")]
    Malformed(String),
    /// The input is more than the provider takes.
    #[error("was given more than it takes: {0}")]
    TooLarge(String),
    /// Something broke inside the provider.
    #[error("failed: {0}")]
    Failed(String),
}

impl Error {
    /// Whether the same call may succeed later.
    #[must_use]
    pub const fn retryable(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::TimedOut(_) | Self::Busy { .. } | Self::Incomplete(_))
    }

    /// A short, fixed word for metrics and reason codes.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Refused(Refused::TooMuch) => "too_much",
            Self::Refused(_) => "refused",
            Self::Unreachable(_) => "unreachable",
            Self::TimedOut(_) => "timed_out",
            Self::Busy { .. } => "busy",
            Self::Unauthorized => "unauthorized",
            Self::Rejected(_) => "rejected",
            Self::Incomplete(_) => "incomplete",
            Self::Malformed(_) => "malformed",
            Self::TooLarge(_) => "too_large",
            Self::Failed(_) => "failed",
        }
    }
}
