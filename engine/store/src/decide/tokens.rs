//! [`Tokens`]: which of the last commits had which token.

use std::collections::{HashMap, VecDeque};

use crate::Token;
use crate::limits::TOKENS_REMEMBERED;

/// Where the token of commit `sequence` is stored, in place of that of the commit [`TOKENS_REMEMBERED`] before.
#[must_use]
pub fn slot(sequence: u64) -> [u8; 8] {
    (sequence % TOKENS_REMEMBERED as u64).to_be_bytes()
}

/// The tokens of the last [`TOKENS_REMEMBERED`] commits: what is stored in the slots, in memory.
#[derive(Debug, Default)]
pub struct Tokens {
    commits: HashMap<Token, u64>,
    order: VecDeque<Token>,
}

impl Tokens {
    /// The commit that had `token`.
    #[must_use]
    pub fn get(&self, token: &Token) -> Option<u64> {
        self.commits.get(token).copied()
    }

    /// Remembers the latest commit and forgets the one that falls out.
    pub fn remember(&mut self, token: Token, sequence: u64) {
        if self.order.len() >= TOKENS_REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.commits.remove(&oldest);
        }
        self.order.push_back(token);
        self.commits.insert(token, sequence);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_are_forgotten_in_memory_as_in_the_slots() {
        let token = |n: u64| Token(u128::from(n).to_be_bytes());
        let mut tokens = Tokens::default();
        let count = TOKENS_REMEMBERED as u64;
        (0..=count).for_each(|n| tokens.remember(token(n), n));
        assert_eq!(tokens.get(&token(0)), None);
        assert_eq!(tokens.get(&token(1)), Some(1));
        assert_eq!(tokens.get(&token(count)), Some(count));
        assert_eq!(slot(0), slot(count));
        assert_ne!(slot(1), slot(count));
    }
}
