//! The vault: personal data at rest is sealed, and whoever destroys a key forgets what was sealed under it.
//!
//! ```text
//!   KEK ──wraps──▶ shard key ──wraps──▶ subject key ─┐
//!   (KeyWrap:      (key store)          (key store)  ├─HKDF─▶ category key ──seals──▶ record (data store)
//!    file, variable,                    a salt for each
//!    key service)                       category ────┘
//! ```
//!
//! * A record is sealed with XChaCha20-Poly1305 under the key of one category of one subject, and bound to where it
//!   lies and to what it is ([`Binding`]): moved anywhere else it does not open.
//! * The salts are independent and random. Destroying one forgets a category; destroying the subject key forgets the
//!   person; neither touches anything else. Each key has a generation, and what was destroyed is never made again.
//! * Wrapped keys lie in a [`Store`](sayso_store::Store) of their own, the *key store*, apart from the data, which holds
//!   nothing but ciphertext. What is deleted there is *purged*: rewritten out of every file.
//! * The KEK is elsewhere again ([`KeyWrap`]). It wraps the shard key only, so that changing it is one write however many
//!   people there are.
//!
//! What it does not do: reach into a disk for what a deleted file held, into backups of the key store, or into a
//! processor that was given the data.

pub mod error;
pub mod kek;
pub mod key_wrap;
pub mod record;
pub mod secret;
mod shard;
mod subject;
mod tables;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod vault;

pub use error::Error;
pub use kek::{EnvKek, FileKek};
pub use key_wrap::{KekError, KeyWrap};
pub use record::{Binding, RecordError};
pub use secret::{KeyId, SecretKey};
pub use tables::SCHEMAS;
pub use vault::{KeyRef, Vault, VaultId, Wrapping, key_tables, move_keys, purge_due};

#[cfg(test)]
mod erasure;
#[cfg(test)]
mod golden;
