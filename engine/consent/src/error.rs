//! What can go wrong in the register.

use core::time::Duration;

use sayso_policy::RevisionError;
use sayso_types::{Name, Part, ProcessorId, Purpose};

use crate::register::PARTS_MAX;
use crate::switch::NotThrown;
use crate::tenants::NotInstructed;

use crate::retention::HoldError;

/// Why the register did not do it. Whatever it was, nothing is half on record.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store refused or failed.
    #[error("the store did not take it: {0}")]
    Store(#[from] sayso_store::Error),
    /// A newer program has used the store.
    #[error(
        "a newer program has used this store: it may have {record} records of version {found}, and this program knows \
         them up to version {known}: run a version that knows them. Nothing was written"
    )]
    Newer {
        /// Which sort of record.
        record: String,
        /// The version that is there, or may be.
        found: u16,
        /// The one that this program writes; 0 when it knows no such records.
        known: u16,
    },
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
    /// What is to be taken back, or given again, is not a part of anything: no policy that is gone by has it.
    #[error("no revision of the profile has the {what} {name}; check its name")]
    UnknownPart {
        /// Which field.
        what: &'static str,
        /// What it says.
        name: Name,
    },
    /// What is to be taken back in part is everything, or a whole purpose.
    #[error(
        "that is no part of anything: name a category, a processor, its kind or its region; or withdraw the purpose"
    )]
    NotPartial,
    /// More parts would be kept of a person than may.
    #[error(
        "{PARTS_MAX} parts are kept of a person, taken back or given again; take back a purpose, or a part with several of them in it"
    )]
    TooManyParts,
    /// What is to be given again was not taken back.
    #[error("nothing in {0} was taken back; name it as it was")]
    NotTakenBack(Box<Part>),
    /// Nobody has this pseudonym, or not any more.
    #[error(
        "nobody is known by this subject id: name the tenant's device, or the id that `sayso consent give --json` prints"
    )]
    UnknownSubject,
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
    /// A tenant's instructions are not taken, or not ended.
    #[error(transparent)]
    NotInstructed(#[from] NotInstructed),
    /// The person is a child of whom no guardian is verified; or somebody agreed for them as their guardian who is none.
    #[error("this person has no verified guardian who could agree for them; verify one first, or put their age right")]
    NoGuardian,
    /// An earlier withdrawal waits for somebody who has not let go of data yet.
    #[error("an earlier withdrawal is not in effect yet: somebody has not let go of data; agree again {}", when(*.within))]
    Withdrawing {
        /// How long that can take at most; [`None`] for a holder who says when they have let go, and is about to.
        within: Option<Duration>,
    },
    /// An earlier withdrawal waits for somebody outside of the node of whom nothing is heard.
    #[error(
        "an earlier withdrawal is not in effect yet: {0} has not let go of data, and nothing is heard of it; have it do so, or have an operator make sure that it is gone (sayso permit fence)"
    )]
    Silent(ProcessorId),
    /// What shows that consent is given shows that somebody else gave it.
    #[error("by this very evidence somebody else has agreed; give what shows that this person did, and nobody else")]
    OthersEvidence,
    /// Consent is to be ended that nobody gave.
    #[error("the person has not agreed to that, or not any more: there is nothing to end")]
    NothingToEnd,
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
            Self::Newer { .. } => "store_newer",
            Self::Damaged { .. } | Self::Log(_) => "store_damaged",
            Self::Stopped => "journal_stopped",
            Self::Busy { .. } => "journal_busy",
            Self::Vault(_) | Self::OtherVault => "vault_unavailable",
            Self::UnknownSubject => "unknown_subject",
            Self::Closed => "account_closed",
            Self::UnknownPurpose(_) => "unknown_purpose",
            Self::UnknownPart { .. } | Self::NotPartial => "unknown_part",
            Self::TooManyParts => "too_many_parts",
            Self::NotTakenBack(_) => "not_taken_back",
            Self::Ended => "service_ended",
            Self::Revision(_) => "profile_refused",
            Self::NotThrown(_) => "switch_refused",
            Self::Hold(_) => "hold_refused",
            Self::NoGuardian => "no_guardian",
            Self::Withdrawing { .. } | Self::Silent(_) => "withdrawing",
            Self::OthersEvidence => "others_evidence",
            Self::NotInstructed(_) => "instructions_refused",
            Self::NothingToEnd => "nothing_to_end",
        }
    }
}

/// When to try again.
fn when(within: Option<Duration>) -> String {
    within.map_or_else(|| "in a moment".to_owned(), |within| format!("in {} ms", within.as_millis()))
}
