//! [`Client`]: registers that it shares with others, and keys of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sayso_store::testing::linearizability::{Action, Event};
use sayso_store::{Batch, Condition, Error, Key, Prefix, Retryable, Store, Value};

use crate::processes::Nodes;

pub(super) const CLIENTS: u64 = 4;
pub(super) const ACTIONS_EACH: u64 = 20;
pub(super) const REGISTERS: u64 = 2;
/// How long until a node is asked after one that did not know.
const RETRY: Duration = Duration::from_millis(5);

pub(super) struct Client {
    pub(super) nodes: Nodes,
    /// Counts calls and answers.
    pub(super) clock: Arc<AtomicU64>,
    pub(super) random: fastrand::Rng,
    pub(super) seed: u64,
    pub(super) number: u64,
}

impl Client {
    /// Commits `batch`, asking node after node, until the outcome is known.
    async fn commit(&mut self, batch: Batch) -> bool {
        loop {
            match self.nodes.any(&mut self.random).commit(batch.clone()).await {
                Ok(_) => return true,
                Err(Error::Conflict { .. }) => return false,
                Err(error) => assert!(error.retryable() || matches!(error, Error::Closed), "{error}"),
            }
            tokio::time::sleep(RETRY).await;
        }
    }

    async fn read(&mut self, key: &Key) -> Option<u64> {
        loop {
            let read = self.nodes.any(&mut self.random).read(core::slice::from_ref(key)).await;
            if let Ok(mut held) = read {
                let number = |value: Value| u64::from_be_bytes(value[..].try_into().expect("eight bytes"));
                return held.remove(0).map(|held| number(held.value));
            }
            tokio::time::sleep(RETRY).await;
        }
    }

    /// What it did to the registers; all its own keys are committed.
    pub(super) async fn run(mut self) -> Vec<(u64, Event)> {
        let mut events = Vec::new();
        let mut known = [None; REGISTERS as usize];
        for n in 0..ACTIONS_EACH {
            let own = Batch::new().put(own_key(self.seed, self.number, n), "kept");
            assert!(self.commit(own).await);
            let register = self.random.u64(..REGISTERS);
            let key = Key::from_bytes([registers(self.seed).as_bytes(), register.to_string().as_bytes()].concat());
            let (value, from) = (self.number << 32 | n, known[register as usize]);
            let put = Batch::new().put(key.clone(), value.to_be_bytes().to_vec());
            let choice = self.random.u8(..4);
            let called = self.clock.fetch_add(1, Ordering::SeqCst);
            let action = match choice {
                0 => {
                    assert!(self.commit(put).await);
                    Action::Put(value)
                }
                1 => {
                    let bytes = |from: u64| Condition::Value(from.to_be_bytes().to_vec().into());
                    let done = self.commit(put.require(key, from.map_or(Condition::Absent, bytes))).await;
                    Action::Swap { from, to: value, done }
                }
                _ => Action::Read(self.read(&key).await),
            };
            let answered = self.clock.fetch_add(1, Ordering::SeqCst);
            match action {
                Action::Read(read) => known[register as usize] = read,
                Action::Put(value) | Action::Swap { to: value, done: true, .. } => {
                    known[register as usize] = Some(value)
                }
                Action::Swap { done: false, .. } => {}
            }
            events.push((register, Event { called, answered, action }));
        }
        events
    }
}

/// Under what the registers of a run lie.
pub(super) fn registers(seed: u64) -> Prefix {
    Prefix::from_bytes(format!("register {seed} "))
}

/// Under what the keys of its clients lie.
pub(super) fn own_keys(seed: u64) -> Prefix {
    Prefix::from_bytes(format!("own {seed:06} "))
}

pub(super) fn own_key(seed: u64, client: u64, n: u64) -> Key {
    Key::from_bytes([own_keys(seed).as_bytes(), format!("{client} {n:04}").as_bytes()].concat())
}
