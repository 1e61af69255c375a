//! What can go wrong in the register.

use sayso_policy::RevisionError;
use sayso_types::Purpose;

use crate::switch::NotThrown;

use crate::retention::HoldError;

/// Why the register did not do it. Whatever it was, nothing is half on record.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store refused or failed.
    #[error("the store did not take it: {0}")]
    Store(#[from] sayso_store::Error),
    /// A record in the store cannot be read.
    #[error("the {what} record is damaged: {found}; restore the store from a backup")]
    Damaged {
        /// Which sort of record.
        what: &'static str,
        /// How it shows.
        found: String,
    },
    /// The audit log in the store is not the one that was written.
    #[error("the audit log is damaged: {0}; nothing may be processed until it is restored from a backup")]
    Log(String),
    /// The journal has stopped, because a write failed in a way after which order is not certain.
    #[error("the journal has stopped; the node must be restarted")]
    Stopped,
    /// More changes wait than the journal holds.
    #[error("the journal has {limit} changes waiting; try again later")]
    Busy {
        /// How many may wait.
        limit: usize,
    },
    /// The profile knows no such purpose, or one that needs no consent.
    #[error("the profile has no purpose {0} that is consented to")]
    UnknownPurpose(Purpose),
    /// The person closed their account.
    #[error("the account is closed; whoever connects the device anew is somebody else")]
    Closed,
    /// The service has ended.
    #[error("the service has ended: nothing is collected any more, and nothing can be agreed to")]
    Ended,
    /// The vault refused or failed.
    #[error(transparent)]
    Vault(#[from] sayso_vault::Error),
    /// What is sealed in the store was sealed by another vault.
    #[error("the key store is not the one whose keys seal this data: put the key store of this data back beside it")]
    OtherVault,
    /// The profile is not the next revision of the policy in force.
    #[error("the profile is not put in force: {0}")]
    Revision(#[from] RevisionError),
    /// The switch cannot be thrown.
    #[error(transparent)]
    NotThrown(#[from] NotThrown),
    /// The person is a child of whom no guardian is verified; or somebody agreed for them as their guardian who is none.
    #[error("this person has no verified guardian who could agree for them; verify one first, or put their age right")]
    NoGuardian,
    /// A legal hold is not set or not released.
    #[error(transparent)]
    Hold(#[from] HoldError),
}

impl Error {
    /// A short, fixed word for metrics, reason codes and the device.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Store(sayso_store::Error::Full { .. }) => "store_full",
            Self::Store(_) => "store_unavailable",
            Self::Damaged { .. } | Self::Log(_) => "store_damaged",
            Self::Stopped => "journal_stopped",
            Self::Busy { .. } => "journal_busy",
            Self::Vault(_) | Self::OtherVault => "vault_unavailable",
            Self::Closed => "account_closed",
            Self::UnknownPurpose(_) => "unknown_purpose",
            Self::Ended => "service_ended",
            Self::Revision(_) => "profile_refused",
            Self::NotThrown(_) => "switch_refused",
            Self::Hold(_) => "hold_refused",
            Self::NoGuardian => "no_guardian",
        }
    }
}
