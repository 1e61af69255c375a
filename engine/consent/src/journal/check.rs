//! [`LogCheck`]: the comparison of a log with its head, of a store that is read in order.

use sayso_audit::{Checkpoint, Hash};
use sayso_store::{Key, TypedKey};

use super::SHARD;
use super::log::{self, Compared, End};
use crate::Error;
use crate::tables::{LeafKey, ProfileKey, WitnessedKey};

/// Compares a log with its head without appending, where a store is not asked but passed over: its entries as they were at one
/// moment, in order, twice. Leaves are read in the second pass, because what they are compared with stands behind them.
#[derive(Debug, Default)]
pub struct LogCheck {
    end: Option<End>,
    witnessed: Option<Checkpoint>,
    is_in_use: bool,
}

/// The second pass of a [`LogCheck`].
#[derive(Debug)]
pub struct LeafCheck(Compared);

impl LogCheck {
    /// Takes the next entry of the first pass.
    ///
    /// # Errors
    /// What cannot be read.
    pub fn entry(&mut self, key: &Key, value: &[u8]) -> Result<(), Error> {
        if *key == log::head(SHARD) {
            self.end = Some(log::read_head(value)?);
        } else if *key == (WitnessedKey { shard: SHARD }.key()) {
            self.witnessed = Some(log::read_witnessed(value)?);
        } else {
            self.is_in_use |= ProfileKey::table().contains(key);
        }
        Ok(())
    }

    /// Goes over to the second pass.
    ///
    /// # Errors
    /// [`Error::Log`] when there is no log and has to be one.
    pub fn leaves(self) -> Result<LeafCheck, Error> {
        if self.end.is_none() && self.is_in_use {
            return Err(log::gone());
        }
        Ok(LeafCheck(Compared::with(self.end.unwrap_or_default(), self.witnessed)))
    }
}

impl LeafCheck {
    /// Takes the next entry of the second pass.
    ///
    /// # Errors
    /// [`Error::Log`] for a leaf that is missing, or not what was witnessed.
    pub fn entry(&mut self, key: &Key, value: &[u8]) -> Result<(), Error> {
        if LeafKey::table().then(&SHARD).contains(key) { self.0.leaf(key, value) } else { Ok(()) }
    }

    /// How many leaves the log has, and the root of the tree over them.
    ///
    /// # Errors
    /// [`Error::Log`] when leaves are missing, changed or surplus.
    pub fn finish(self) -> Result<(u64, Hash), Error> {
        let end = self.0.finish()?;
        Ok((end.frontier.size(), end.frontier.root()))
    }
}
