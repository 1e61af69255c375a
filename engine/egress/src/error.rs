//! Why data did not go out, or no answer came back.

use sayso_consent::Denied;
use sayso_policy::Refused;
use sayso_types::{PictureError, ProcessorKind};

/// Why a call through the door failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No permit: nothing was handed over.
    #[error(transparent)]
    Denied(Denied),
    /// The processor did not do it.
    #[error(transparent)]
    Provider(#[from] sayso_provider::Error),
    /// What came is not the picture that was announced: nothing was handed over.
    #[error(transparent)]
    Picture(#[from] PictureError),
    /// There is none of this kind.
    #[error("no processor of kind {0:?} is configured; add one to the configuration and the profile")]
    NoProcessor(ProcessorKind),
}

impl Error {
    pub(crate) const REVOKED: Self = Self::Provider(sayso_provider::Error::Refused(Refused::Revoked));

    /// A short, fixed word for metrics, reason codes and the device.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Denied(Denied::Policy(_)) => "not_allowed",
            Self::Denied(Denied::Busy { .. }) => "permits_at_limit",
            Self::Denied(Denied::TooMuch { .. }) => "too_much",
            Self::Denied(Denied::Register(error)) => error.code(),
            Self::Provider(error) => error.code(),
            Self::Picture(error) => error.code(),
            Self::NoProcessor(_) => "no_processor",
        }
    }
}
