//! What becomes of batches, decided alike by every backend that counts its commits: pure, so that replicas that decide
//! on the same state come to the same end.
//!
//! ```text
//!   batches ──decide, in order──▶ Group ──into_commits──▶ what to make durable, apply and publish
//!                                   │ reads
//!                                 State: what is committed already
//! ```

mod tokens;

use std::collections::HashMap;

pub use self::tokens::{Tokens, slot};
use crate::{Batch, Change, Condition, Error, Key, Op, Token, Version, Versioned};

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
    /// What the first `looked_up` of the commits leave: most groups have nobody who asks.
    changed: HashMap<Key, Option<Versioned>>,
    looked_up: usize,
    committed: HashMap<Token, u64>,
}

impl<'a, S: State> Group<'a, S> {
    /// An empty group on `state`, whose first commit will be `next`.
    pub fn new(state: &'a S, next: u64) -> Self {
        let (commits, changed, committed) = (Vec::new(), HashMap::new(), HashMap::new());
        Self { state, next, commits, changed, looked_up: 0, committed }
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

    fn current(&mut self, require: &[(Key, Condition)]) -> Result<Vec<Option<Versioned>>, Error> {
        if require.is_empty() {
            return Ok(Vec::new());
        }
        for commit in &self.commits[self.looked_up..] {
            for Change { key, value, version } in &commit.changes {
                let held = value.clone().map(|value| Versioned { value, version: *version });
                self.changed.insert(key.clone(), held);
            }
        }
        self.looked_up = self.commits.len();
        let keys: Vec<&Key> = require.iter().map(|(key, _)| key).collect();
        let durable = self.state.read(&keys)?;
        let pending = keys.into_iter().map(|key| self.changed.get(key));
        Ok(durable.into_iter().zip(pending).map(|(durable, pending)| pending.cloned().unwrap_or(durable)).collect())
    }

    fn admit(&mut self, token: Token, ops: Vec<Op>) -> Version {
        let sequence = self.next;
        let version = Version::from_sequence(sequence);
        let mut changes: Vec<_> = ops
            .into_iter()
            .rev()
            .map(|op| match op {
                Op::Put(key, value) => Change { key, value: Some(value), version },
                Op::Delete(key) => Change { key, value: None, version },
            })
            .collect();
        // of several operations on a key the last counts, which is the first by now and stays so
        changes.sort_by(|one, other| one.key.cmp(&other.key));
        changes.dedup_by(|later, first| later.key == first.key);
        self.commits.push(Commit { sequence, token, changes });
        self.committed.insert(token, sequence);
        self.next += 1;
        version
    }
}
