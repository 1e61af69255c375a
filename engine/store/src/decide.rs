//! What becomes of batches, decided alike by every backend that counts its commits: pure, so that replicas that decide
//! on the same state come to the same end.
//!
//! ```text
//!   batches ──decide, in order──▶ Group ──into_commits──▶ what to make durable, apply and publish
//!                                   │ reads
//!                                 State: what is committed already
//! ```

mod tokens;

use std::collections::{BTreeMap, HashMap};

pub use self::tokens::{Tokens, slot};
use crate::{Batch, Change, Condition, Error, Key, Op, Token, Value, Version, Versioned};

/// A batch that was let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Counts the commits of a store; its version is made of it.
    pub sequence: u64,
    /// Names it.
    pub token: Token,
    /// What it changes, at most once a key, keys ascending.
    pub changes: Vec<Change>,
}

/// What a [`Group`] is decided on.
pub trait State {
    /// What `keys` hold, in the order asked.
    ///
    /// # Errors
    /// When it cannot be read.
    fn read(&self, keys: &[&Key]) -> Result<Vec<Option<Versioned>>, Error>;

    /// The commit that had `token`, among the last [`TOKENS_REMEMBERED`](crate::limits::TOKENS_REMEMBERED).
    fn commit_of(&self, token: &Token) -> Option<u64>;
}

/// Batches that are decided together, each on what those before it leave, before any of them is durable or seen.
#[derive(Debug)]
pub struct Group<'a, S> {
    state: &'a S,
    /// The sequence of the next commit.
    next: u64,
    commits: Vec<Commit>,
    changed: HashMap<Key, Option<Versioned>>,
    committed: HashMap<Token, u64>,
}

impl<'a, S: State> Group<'a, S> {
    /// An empty group on `state`, whose first commit will be `next`.
    pub fn new(state: &'a S, next: u64) -> Self {
        Self { state, next, commits: Vec::new(), changed: HashMap::new(), committed: HashMap::new() }
    }

    /// Decides what becomes of `batch`, if the group becomes durable.
    ///
    /// # Errors
    /// [`Error::Conflict`] names the first condition that does not hold; otherwise why the state cannot be read.
    pub fn decide(&mut self, batch: Batch) -> Result<Version, Error> {
        let known = self.committed.get(&batch.token).copied().or_else(|| self.state.commit_of(&batch.token));
        if let Some(sequence) = known {
            return Ok(Version::from_sequence(sequence));
        }
        let holds = self.current(&batch.require)?;
        for ((key, condition), held) in batch.require.iter().zip(holds) {
            if !condition.holds(held.as_ref()) {
                return Err(Error::Conflict { key: key.clone() });
            }
        }
        Ok(self.admit(batch.token, batch.ops))
    }

    /// The batches that were let in, in order.
    #[must_use]
    pub fn into_commits(self) -> Vec<Commit> {
        self.commits
    }

    fn current(&self, require: &[(Key, Condition)]) -> Result<Vec<Option<Versioned>>, Error> {
        let keys: Vec<&Key> = require.iter().map(|(key, _)| key).collect();
        let durable = self.state.read(&keys)?;
        let pending = keys.into_iter().map(|key| self.changed.get(key));
        Ok(durable.into_iter().zip(pending).map(|(durable, pending)| pending.cloned().unwrap_or(durable)).collect())
    }

    fn admit(&mut self, token: Token, ops: Vec<Op>) -> Version {
        let sequence = self.next;
        let version = Version::from_sequence(sequence);
        // of several operations on a key the last counts
        let last: BTreeMap<Key, Option<Value>> = ops
            .into_iter()
            .map(|op| match op {
                Op::Put(key, value) => (key, Some(value)),
                Op::Delete(key) => (key, None),
            })
            .collect();
        for (key, value) in &last {
            let held = value.clone().map(|value| Versioned { value, version });
            self.changed.insert(key.clone(), held);
        }
        let changes = last.into_iter().map(|(key, value)| Change { key, value, version }).collect();
        self.commits.push(Commit { sequence, token, changes });
        self.committed.insert(token, sequence);
        self.next += 1;
        version
    }
}
