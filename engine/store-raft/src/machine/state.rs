//! [`State`]: what batches are decided on.

use sayso_store::decide::{self, Tokens};
use sayso_store::{Error, Key, Token, Versioned};

use super::Machine;

/// The applied state.
pub(super) struct State<'a> {
    pub(super) machine: &'a Machine,
    pub(super) tokens: &'a Tokens,
}

impl decide::State for State<'_> {
    fn read(&self, keys: &[&Key]) -> Result<Vec<Option<Versioned>>, Error> {
        self.machine.read(keys)
    }

    fn commit_of(&self, token: &Token) -> Option<u64> {
        self.tokens.get(token)
    }
}
