//! [`EnvKek`]: the KEK in an environment variable.

use async_trait::async_trait;
use zeroize::Zeroizing;

use super::{Keks, version_of};
use crate::{KekError, KeyWrap, SecretKey};

/// An environment variable that holds the KEK, for where secrets are handed to processes that way.
#[derive(Clone, Debug)]
pub struct EnvKek {
    name: String,
}

impl EnvKek {
    /// The KEK in the variable `name`, which is read whenever it is needed.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned() }
    }

    fn read(&self) -> Result<Keks, KekError> {
        let text = std::env::var(&self.name).map_err(|_| KekError::Variable { name: self.name.clone() })?;
        Keks::parse(Zeroizing::new(text).as_bytes(), format!("the environment variable {}", self.name))
    }
}

#[async_trait]
impl KeyWrap for EnvKek {
    async fn wrap(&self, key: &SecretKey, context: &[u8]) -> Result<Vec<u8>, KekError> {
        Ok(self.read()?.wrap(key, context))
    }

    async fn unwrap(&self, wrapped: &[u8], context: &[u8]) -> Result<SecretKey, KekError> {
        self.read()?.unwrap(wrapped, context)
    }

    fn version_of<'a>(&self, wrapped: &'a [u8]) -> &'a [u8] {
        version_of(wrapped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_variable_that_holds_no_key_is_named_and_not_shown() {
        let missing = EnvKek::new("SAYSO_NO_SUCH_VARIABLE").wrap(&SecretKey::random(), b"").await.unwrap_err();
        assert!(missing.to_string().contains("SAYSO_NO_SUCH_VARIABLE"), "{missing}");
        // Cargo sets it, and a test must not change the environment of the others.
        let wrong = EnvKek::new("CARGO_PKG_NAME").wrap(&SecretKey::random(), b"").await.unwrap_err().to_string();
        assert!(wrong.contains("CARGO_PKG_NAME") && !wrong.contains("sayso-vault"), "{wrong}");
    }
}
