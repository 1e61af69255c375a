//! Where things are in the key store.

use sayso_store::{Schema, key};
use sayso_types::SubjectId;

/// The shard of this node: every subject is of one shard.
pub(crate) const SHARD: u32 = 0;

key! {
    /// Which data set the keys are of.
    pub(crate) struct VaultKey in "vault" {
        /// Which shard.
        pub(crate) shard: u32,
    }
}

key! {
    /// A wrapped shard key.
    pub(crate) struct ShardRow in "vault_shard" {
        /// Which shard.
        pub(crate) shard: u32,
        /// Counts up from 1.
        pub(crate) generation: u32,
    }
}

key! {
    /// The wrapped keys of a person.
    pub(crate) struct SubjectRow in "vault_subject" {
        /// Whose.
        pub(crate) subject: SubjectId,
    }
}

key! {
    /// Whose keys were destroyed: up to which generation, four bytes big-endian.
    pub(crate) struct TombstoneRow in "vault_tombstone" {
        /// Whose.
        pub(crate) subject: SubjectId,
    }
}

key! {
    /// Something was deleted that is not yet purged from the files.
    pub(crate) struct PurgeRow in "vault_purge" {
        /// Which shard.
        pub(crate) shard: u32,
    }
}

key! {
    /// That a process uses the vault, or did not end in order.
    pub(crate) struct InUseRow in "vault_in_use" {
        /// Which shard.
        pub(crate) shard: u32,
    }
}

/// Everything that a vault keeps in its store.
pub const SCHEMAS: [Schema; 6] = [VAULT, SHARD_KEY, SUBJECT, TOMBSTONE, PURGE, IN_USE];

pub(crate) const VAULT: Schema = Schema::new("vault", 1, 1);
pub(crate) const SHARD_KEY: Schema = Schema::new("vault_shard", 1, 1);
pub(crate) const SUBJECT: Schema = Schema::new("vault_subject", 1, 1);
pub(crate) const TOMBSTONE: Schema = Schema::new("vault_tombstone", 1, 1);
pub(crate) const PURGE: Schema = Schema::new("vault_purge", 1, 1);
pub(crate) const IN_USE: Schema = Schema::new("vault_in_use", 1, 1);
