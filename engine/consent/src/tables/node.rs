//! What is known of a node.

use sayso_store::{Schema, key};

key! {
    /// The configuration that a node has last started with.
    pub(crate) struct ConfigKey in "config" {
        /// Which, among those that share the store.
        pub(crate) node: u64,
    }
}

key! {
    /// What wraps the keys of people.
    pub(crate) struct WrappingKey in "wrapping" {
        /// Which shard.
        pub(crate) shard: u32,
    }
}

pub(crate) const CONFIG: Schema = Schema::new("config", 1, 1);
pub(crate) const WRAPPING: Schema = Schema::new("wrapping", 1, 1);
