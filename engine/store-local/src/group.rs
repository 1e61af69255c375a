//! [`Group`]: commits that are decided together, before one fsync answers them all.

use std::collections::{BTreeMap, HashMap};

use sayso_store::{Batch, Change, Condition, Error, Key, Op, Token, Value, Version, Versioned};

use crate::commit::Commit;
use crate::index::Index;
use crate::log;
use crate::tokens::Tokens;

/// Commits that were let in but are not durable yet, and what they would change. Nobody else sees them.
#[derive(Debug)]
pub(crate) struct Group<'a> {
    index: &'a Index,
    tokens: &'a Tokens,
    /// The sequence of the next commit.
    next: u64,
    commits: Vec<Commit>,
    changed: HashMap<Key, Option<Versioned>>,
    committed: HashMap<Token, u64>,
    frames: Vec<u8>,
}

impl<'a> Group<'a> {
    /// An empty group whose first commit will be `next`.
    pub(crate) fn new(index: &'a Index, tokens: &'a Tokens, next: u64) -> Self {
        let (commits, frames) = (Vec::new(), Vec::new());
        Self { index, tokens, next, commits, changed: HashMap::new(), committed: HashMap::new(), frames }
    }

    /// Decides what becomes of `batch`, if the group becomes durable.
    pub(crate) fn decide(&mut self, batch: Batch) -> Result<Version, Error> {
        let known = self.committed.get(&batch.token).copied().or_else(|| self.tokens.get(&batch.token));
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

    /// What is durable when the group is: frames for the log, and the commits in them.
    pub(crate) fn into_parts(self) -> (Vec<u8>, Vec<Commit>) {
        (self.frames, self.commits)
    }

    fn current(&self, require: &[(Key, Condition)]) -> Result<Vec<Option<Versioned>>, Error> {
        let durable = self.index.read(require.iter().map(|(key, _)| key))?;
        let pending = require.iter().map(|(key, _)| self.changed.get(key));
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
        let commit = Commit { sequence, token, changes };
        log::encode(&commit, &mut self.frames);
        self.commits.push(commit);
        self.committed.insert(token, sequence);
        self.next += 1;
        version
    }
}
