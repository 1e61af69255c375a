//! [`Batch`]: a mini-transaction.

use core::cell::RefCell;
use core::fmt;

use crate::limits::{self, BATCH_BYTES_MAX, BATCH_ITEM_BYTES, BATCH_KEY_TIMES, VALUE_BYTES_MAX};
use crate::{Error, Key, Value, Version, Versioned};

/// Names one commit, so that sending it twice applies it once.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub [u8; 16]);

impl Token {
    /// A new one from the system's random source.
    ///
    /// # Panics
    /// When the operating system has no random source, without which tokens could collide.
    #[must_use]
    pub fn random() -> Self {
        Self(RANDOM.with_borrow_mut(Random::take))
    }
}

/// Tokens whose bytes are fetched from the system at once: asking it takes longer than all else that a batch begins with.
const TOKENS_FETCHED: usize = 32;

/// Random bytes of a thread, for its next tokens.
struct Random {
    tokens: [[u8; 16]; TOKENS_FETCHED],
    left: usize,
}

impl Random {
    fn take(&mut self) -> [u8; 16] {
        if self.left == 0 {
            getrandom::fill(self.tokens.as_flattened_mut()).expect("the operating system provides random bytes");
            self.left = TOKENS_FETCHED;
        }
        self.left -= 1;
        self.tokens[self.left]
    }
}

thread_local! {
    static RANDOM: RefCell<Random> = const { RefCell::new(Random { tokens: [[0; 16]; TOKENS_FETCHED], left: 0 }) };
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(")?;
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))?;
        f.write_str(")")
    }
}

/// What must be true of a key for a batch to apply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// It holds nothing.
    Absent,
    /// It was written by this commit and not since.
    Version(Version),
    /// It holds these bytes, whoever wrote them.
    Value(Value),
}

impl Condition {
    /// Whether it is true of a key that holds `held`.
    #[must_use]
    pub fn holds(&self, held: Option<&Versioned>) -> bool {
        match (self, held) {
            (Self::Absent, held) => held.is_none(),
            (Self::Version(version), Some(held)) => *version == held.version,
            (Self::Value(value), Some(held)) => *value == held.value,
            (Self::Version(_) | Self::Value(_), None) => false,
        }
    }
}

/// What a batch does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// The key holds the value from now on.
    Put(Key, Value),
    /// The key holds nothing from now on; one that held nothing is no error.
    Delete(Key),
}

impl Op {
    /// On which key.
    #[must_use]
    pub const fn key(&self) -> &Key {
        let (Self::Put(key, _) | Self::Delete(key)) = self;
        key
    }

    /// What it counts against [`BATCH_BYTES_MAX`].
    #[must_use]
    pub fn size(&self) -> usize {
        let value = match self {
            Self::Put(_, value) => value.len(),
            Self::Delete(_) => 0,
        };
        item_size(self.key(), value)
    }
}

/// A mini-transaction: if everything it requires holds, all its operations apply, in order, at one moment. Of several
/// operations on one key the last counts.
///
/// ```
/// use sayso_store::{Batch, Condition, Key};
///
/// let (lease, state) = (Key::from_bytes("lease"), Key::from_bytes("state"));
/// let batch = Batch::new().require(lease, Condition::Value("mine".into())).put(state, "speaking");
/// assert!(batch.check().is_ok());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Names the commit: two batches are the same commit exactly when their tokens are equal.
    pub token: Token,
    /// What must hold, at the moment the operations apply.
    pub require: Vec<(Key, Condition)>,
    /// What is done.
    pub ops: Vec<Op>,
}

impl Batch {
    /// An empty batch with a token of its own.
    #[must_use]
    pub fn new() -> Self {
        Self::with_token(Token::random())
    }

    /// An empty batch under `token`.
    #[must_use]
    pub const fn with_token(token: Token) -> Self {
        Self { token, require: Vec::new(), ops: Vec::new() }
    }

    /// Adds a condition.
    #[must_use]
    pub fn require(mut self, key: impl Into<Key>, condition: Condition) -> Self {
        self.require.push((key.into(), condition));
        self
    }

    /// Adds a put.
    #[must_use]
    pub fn put(mut self, key: impl Into<Key>, value: impl Into<Value>) -> Self {
        self.ops.push(Op::Put(key.into(), value.into()));
        self
    }

    /// Adds a delete.
    #[must_use]
    pub fn delete(mut self, key: impl Into<Key>) -> Self {
        self.ops.push(Op::Delete(key.into()));
        self
    }

    /// What the batch counts against [`BATCH_BYTES_MAX`]: keys [`BATCH_KEY_TIMES`], values, and [`BATCH_ITEM_BYTES`] an
    /// item.
    #[must_use]
    pub fn size(&self) -> usize {
        let require = self.require.iter().map(|(key, condition)| match condition {
            Condition::Value(value) => (key, value.len()),
            Condition::Absent | Condition::Version(_) => (key, 0),
        });
        let require = require.map(|(key, value)| item_size(key, value));
        require.chain(self.ops.iter().map(Op::size)).sum()
    }

    /// Checks the batch against [`limits`]. Every backend does so before it does anything else.
    ///
    /// # Errors
    /// [`Error::TooLarge`] or [`Error::ReservedKey`].
    pub fn check(&self) -> Result<(), Error> {
        for (key, condition) in &self.require {
            limits::check_key(key)?;
            if let Condition::Value(value) = condition {
                check_value(value)?;
            }
        }
        for op in &self.ops {
            match op {
                Op::Put(key, value) => {
                    limits::check_key(key)?;
                    check_value(value)?;
                }
                Op::Delete(key) => limits::check_key(key)?,
            }
        }
        limits::at_most("bytes in a batch", self.size(), BATCH_BYTES_MAX)
    }
}

impl Default for Batch {
    fn default() -> Self {
        Self::new()
    }
}

fn item_size(key: &Key, value_bytes: usize) -> usize {
    BATCH_KEY_TIMES * key.as_bytes().len() + value_bytes + BATCH_ITEM_BYTES
}

fn check_value(value: &Value) -> Result<(), Error> {
    limits::at_most("bytes in a value", value.len(), VALUE_BYTES_MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_tokens_are_the_same_in_one_thread_or_in_two() {
        let tokens = || (0..TOKENS_FETCHED * 3).map(|_| Token::random()).collect::<Vec<_>>();
        let other = std::thread::spawn(tokens);
        let mut all: HashSet<_> = tokens().into_iter().collect();
        all.extend(other.join().unwrap());
        assert_eq!(all.len(), TOKENS_FETCHED * 6);
    }
}
