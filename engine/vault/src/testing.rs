//! For tests of what uses a vault: one whose KEK everybody knows, and somebody who takes every file.

mod adversary;

use std::sync::Arc;

use async_trait::async_trait;
use sayso_store::Store;

pub use self::adversary::Adversary;
use crate::kek::{Keks, version_of};
use crate::{Error, KekError, KeyWrap, SecretKey, Vault};

/// A KEK that is no secret.
#[derive(Clone, Copy, Debug, Default)]
pub struct FakeKek;

impl FakeKek {
    /// The key.
    pub const KEY: [u8; 32] = [1; 32];

    fn keks() -> Result<Keks, KekError> {
        Keks::parse(&Self::KEY, "the fake".to_owned())
    }
}

#[async_trait]
impl KeyWrap for FakeKek {
    async fn wrap(&self, key: &SecretKey, context: &[u8]) -> Result<Vec<u8>, KekError> {
        Ok(Self::keks()?.wrap(key, context))
    }

    async fn unwrap(&self, wrapped: &[u8], context: &[u8]) -> Result<SecretKey, KekError> {
        Self::keks()?.unwrap(wrapped, context)
    }

    fn version_of<'a>(&self, wrapped: &'a [u8]) -> &'a [u8] {
        version_of(wrapped)
    }
}

/// A vault with its keys in `store`, which may be that of the data, too.
///
/// # Errors
/// As the store says.
pub async fn vault(store: Arc<dyn Store>) -> Result<Arc<Vault>, Error> {
    Vault::unlock(store, Arc::new(FakeKek)).await
}
