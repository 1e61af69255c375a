//! Configuration: defaults, then a TOML file, then `SAYSO_` in the environment, then flags; later ones win.
//!
//! A key `listen` of a table `gateway` is `SAYSO_GATEWAY__LISTEN` in the environment. A key that nothing reads is an
//! error, not a surprise in production.

mod error;

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::path::Path;

use figment::providers::{Env, Format, Serialized, Toml};
use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};

pub use self::error::{Error, Problem};

/// What the names of environment variables start with.
pub const ENV_PREFIX: &str = "SAYSO_";
/// What stands between the names of tables and keys in environment variables; a single `_` is part of a name.
const ENV_NESTING: &str = "__";
/// The name of the environment as a source; errors name the variable instead.
const ENVIRONMENT: &str = "the environment";

/// Gathers the sources of a configuration `T`, weakest first.
#[derive(Debug)]
pub struct Loader<T> {
    sources: Figment,
    config: PhantomData<T>,
}

impl<T: Serialize + DeserializeOwned + Default> Loader<T> {
    /// Starts with `T::default()`.
    #[must_use]
    pub fn new() -> Self {
        Self { sources: Figment::from(Serialized::defaults(T::default())), config: PhantomData }
    }

    /// Adds a TOML file, which must exist.
    #[must_use]
    pub fn file(mut self, path: &Path) -> Self {
        self.sources = self.sources.merge(Toml::file_exact(path));
        self
    }

    /// Adds the environment. `reserved` are the variables that start with [`ENV_PREFIX`] and mean something else.
    #[must_use]
    pub fn env(mut self, reserved: &[&'static str]) -> Self {
        let reserved: Vec<_> = reserved.iter().filter_map(|name| name.strip_prefix(ENV_PREFIX)).collect();
        let known = Value::serialize(T::default()).ok();
        let variables = Env::prefixed(ENV_PREFIX)
            .filter(move |name| !reserved.iter().any(|reserved| name == *reserved))
            .map(move |name| key_of(name.as_str(), known.as_ref()).into());
        self.sources = self.sources.merge(Named { name: ENVIRONMENT.to_owned(), source: variables });
        self
    }

    /// Adds a flag of the command line for the key at the dotted path `key`, if it was given.
    #[must_use]
    pub fn flag(mut self, name: &'static str, key: &str, value: Option<impl Serialize>) -> Self {
        if let Some(value) = value {
            self.sources =
                self.sources.merge(Named { name: format!("flag {name}"), source: Serialized::default(key, value) });
        }
        self
    }

    /// Reads all sources.
    ///
    /// # Errors
    /// [`Error`] lists all keys that nothing reads, or the first value that is not what its key needs.
    pub fn load(self) -> Result<T, Error> {
        let Read { config, unread } = self.sources.extract::<Read<T>>().map_err(Error::value)?;
        if unread.is_empty() {
            return Ok(config);
        }
        let known = Value::serialize(T::default()).map_err(Error::value)?;
        Err(Error::unknown(unread.iter().map(|path| Problem::unknown(path, &self.sources, &known)).collect()))
    }
}

impl<T: Serialize + DeserializeOwned + Default> Default for Loader<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// Writes a configuration as TOML that [`Loader::file`] reads back.
///
/// # Errors
/// When `config` holds something that TOML has no way to write.
pub fn dump(config: &impl Serialize) -> Result<String, toml::ser::Error> {
    toml::to_string_pretty(config)
}

/// A value, and the keys that it had no use for.
struct Read<T> {
    config: T,
    unread: Vec<String>,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Read<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut unread = Vec::new();
        let config = serde_ignored::deserialize(deserializer, |path| unread.push(path.to_string()))?;
        Ok(Self { config, unread })
    }
}

/// A source under a name that a person knows it by.
struct Named<P> {
    name: String,
    source: P,
}

impl<P: Provider> Provider for Named<P> {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.name.clone())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        self.source.data()
    }
}

/// The dotted path of the key that a variable (without the prefix) sets. No shell accepts `-` in a name, so its `_`
/// stands for either; a key that the defaults do not show is spelled with `-`.
fn key_of(variable: &str, known: Option<&Value>) -> String {
    let mut path: Vec<String> = Vec::new();
    for part in variable.to_ascii_lowercase().split(ENV_NESTING) {
        let table: Vec<_> = path.iter().map(String::as_str).collect();
        let keys = known.map(|known| keys_at(known, &table)).unwrap_or_default();
        let key = keys.into_iter().find(|key| key.replace('-', "_") == part);
        path.push(key.unwrap_or_else(|| part.replace('_', "-")));
    }
    path.join(".")
}

/// The keys of the table at `path`, as far as the defaults show them.
fn keys_at(known: &Value, path: &[&str]) -> Vec<String> {
    let table =
        path.iter().try_fold(known, |value, key| value.as_dict().and_then(|dict: &BTreeMap<_, _>| dict.get(*key)));
    table.and_then(Value::as_dict).map(|dict| dict.keys().cloned().collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
