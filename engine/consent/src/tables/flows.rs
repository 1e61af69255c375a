//! What is known of data that has left.

use sayso_store::{Schema, key};
use sayso_types::SubjectId;

key! {
    /// Whom of a person's data went overseas to in a calendar year.
    pub(crate) struct TransferKey in "transfer" {
        /// The year.
        pub(crate) year: u32,
        /// Whose.
        pub(crate) subject: SubjectId,
    }
}

key! {
    /// How many people's data went overseas in a calendar year.
    pub(crate) struct TransferCountKey in "transfer_count" {
        /// The year.
        pub(crate) year: u32,
    }
}

key! {
    /// How much has gone to a processor in a day, of one category.
    pub(crate) struct VolumeKey in "volume" {
        /// To whom.
        pub(crate) processor: String,
        /// What.
        pub(crate) category: String,
    }
}

key! {
    /// That a receiver is told to delete what it has of a person.
    pub(crate) struct DeletionKey in "deletion" {
        /// Whose.
        pub(crate) subject: SubjectId,
        /// The id of the erasure, or of the request by which something was put right.
        pub(crate) of: Vec<u8>,
        /// Who is told.
        pub(crate) processor: String,
    }
}

key! {
    /// Who answers for something that an erasure does not reach.
    pub(crate) struct ResidualKey in "residual" {
        /// Whose.
        pub(crate) subject: SubjectId,
        /// The erasure's id.
        pub(crate) erasure: Vec<u8>,
        /// What remains.
        pub(crate) residual: String,
    }
}

pub(crate) const DELETION: Schema = Schema::new("deletion", 1, 2);
pub(crate) const RESIDUAL: Schema = Schema::new("residual", 1, 1);
pub(crate) const TRANSFER: Schema = Schema::new("transfer", 1, 1);
pub(crate) const TRANSFER_COUNT: Schema = Schema::new("transfer_count", 1, 1);
pub(crate) const VOLUME: Schema = Schema::new("volume", 1, 1);
