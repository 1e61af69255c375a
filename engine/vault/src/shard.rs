//! [`ShardKey`]: wraps the keys of every person of a shard, and is itself wrapped under the KEK.
//!
//! ```text
//! stored   version, 1: u8 | KeyId of the shard key: 16 bytes | what the KEK made of it
//! ```

use core::fmt;

use crate::secret::authenticated;
use crate::tables::SHARD;
use crate::{Error, KeyId, KeyWrap, SecretKey};

/// The version of the format that is written here.
const VERSION: u8 = 1;

/// Which data set keys belong to: random, and the same in the key store and in the data beside it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct VaultId(pub [u8; 16]);

impl VaultId {
    /// A new one from the system's random source.
    pub(crate) fn random() -> Self {
        let mut id = [0; 16];
        getrandom::fill(&mut id).expect("the operating system provides random bytes");
        Self(id)
    }
}

impl fmt::Debug for VaultId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VaultId(")?;
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))?;
        f.write_str(")")
    }
}

/// A key that wraps keys of people.
#[derive(Debug)]
pub(crate) struct ShardKey {
    pub(crate) generation: u32,
    pub(crate) id: KeyId,
    pub(crate) key: SecretKey,
}

impl ShardKey {
    pub(crate) fn random(generation: u32) -> Self {
        let key = SecretKey::random();
        Self { generation, id: KeyId::of(&key), key }
    }

    /// The stored form: wrapped by `kek`, for `vault` and no other.
    pub(crate) async fn wrap(&self, vault: VaultId, kek: &dyn KeyWrap) -> Result<Vec<u8>, Error> {
        Ok(encode(self.id, &kek.wrap(&self.key, &context(vault, self.generation)).await?))
    }

    /// The key that was [wrapped](Self::wrap).
    pub(crate) async fn unwrap(
        stored: &[u8],
        vault: VaultId,
        generation: u32,
        kek: &dyn KeyWrap,
    ) -> Result<Self, Error> {
        let (id, wrapped) = decode(stored)?;
        let key = kek.unwrap(wrapped, &context(vault, generation)).await?;
        if KeyId::of(&key) != id {
            return Err(damaged("what it holds is not the key that it names"));
        }
        Ok(Self { generation, id, key })
    }

    /// `stored`, wrapped anew under the newest KEK.
    pub(crate) async fn rewrap(
        stored: &[u8],
        vault: VaultId,
        generation: u32,
        kek: &dyn KeyWrap,
    ) -> Result<Vec<u8>, Error> {
        let (id, wrapped) = decode(stored)?;
        Ok(encode(id, &kek.rewrap(wrapped, &context(vault, generation)).await?))
    }
}

/// What a wrapped shard key is bound to.
pub(crate) fn context(vault: VaultId, generation: u32) -> Vec<u8> {
    authenticated(&[b"sayso/vault/shard-key/v1", &vault.0, &SHARD.to_be_bytes(), &generation.to_be_bytes()])
}

/// The part of `stored` that names the version of the KEK that it is wrapped under.
pub(crate) fn kek_of<'a>(stored: &'a [u8], kek: &dyn KeyWrap) -> Result<&'a [u8], Error> {
    Ok(kek.version_of(decode(stored)?.1))
}

fn encode(id: KeyId, wrapped: &[u8]) -> Vec<u8> {
    [&[VERSION][..], &id.0, wrapped].concat()
}

fn decode(stored: &[u8]) -> Result<(KeyId, &[u8]), Error> {
    let parsed = (|| {
        let ([version], rest) = stored.split_first_chunk()?;
        let (id, wrapped) = rest.split_first_chunk()?;
        (*version == VERSION).then_some((KeyId(*id), wrapped))
    })();
    parsed.ok_or_else(|| damaged("it has not the form of a wrapped key"))
}

fn damaged(found: &'static str) -> Error {
    Error::Damaged { what: "shard key", found: found.to_owned() }
}
