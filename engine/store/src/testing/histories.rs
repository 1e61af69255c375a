//! Recorded concurrent histories, checked for linearizability.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::linearizability::{Action, Event, is_linearizable};
use super::{Backend, in_parallel, key, number, value_of};
use crate::{Batch, Condition, Error, Key, Store, Value};

const SEEDS: u64 = 12;
const CLIENTS: u64 = 6;
const ACTIONS_EACH: usize = 16;
const REGISTERS: u64 = 2;

/// Clients read, put and swap a few registers at random; each register's history has an order. (Registers are checked
/// one by one, which is enough: linearizability is a local property.)
pub async fn reads_and_commits_are_linearizable(backend: &mut dyn Backend) {
    let store = backend.open().await;
    let clock = Arc::new(AtomicU64::new(0));
    for seed in 0..SEEDS {
        let clients = (0..CLIENTS).map(|client| run(store.clone(), Arc::clone(&clock), seed, client));
        let events: Vec<(u64, Event)> = in_parallel(clients).await.into_iter().flatten().collect();
        for register in 0..REGISTERS {
            let history: Vec<_> = events.iter().filter(|(of, _)| *of == register).map(|(_, event)| *event).collect();
            assert!(is_linearizable(&history), "seed {seed}, register {register}: {history:#?}");
        }
    }
}

async fn run(store: Arc<dyn Store>, clock: Arc<AtomicU64>, seed: u64, client: u64) -> Vec<(u64, Event)> {
    let mut random = fastrand::Rng::with_seed(seed * CLIENTS + client);
    let mut last = [None; REGISTERS as usize];
    let mut events = Vec::with_capacity(ACTIONS_EACH);
    for n in 0..ACTIONS_EACH {
        let register = random.u64(..REGISTERS);
        let key = key(format!("{seed}/{register}"));
        let value = client << 32 | n as u64;
        let known = &mut last[register as usize];
        let (choice, from) = (random.u8(..4), *known);
        let called = clock.fetch_add(1, Ordering::SeqCst);
        let action = match choice {
            0 => put(&*store, key, value).await,
            1 => swap(&*store, key, from, value).await,
            _ => Action::Read(value_of(&*store, &key).await.as_ref().map(number)),
        };
        let answered = clock.fetch_add(1, Ordering::SeqCst);
        match action {
            Action::Read(read) => *known = read,
            Action::Put(value) | Action::Swap { to: value, done: true, .. } => *known = Some(value),
            Action::Swap { done: false, .. } => {}
        }
        events.push((register, Event { called, answered, action }));
    }
    events
}

async fn put(store: &dyn Store, key: Key, value: u64) -> Action {
    super::put(store, &key, value.to_be_bytes().to_vec()).await;
    Action::Put(value)
}

async fn swap(store: &dyn Store, key: Key, from: Option<u64>, to: u64) -> Action {
    let condition = from.map_or(Condition::Absent, |from| Condition::Value(Value::from(from.to_be_bytes().to_vec())));
    let batch = Batch::new().require(key.clone(), condition).put(key, to.to_be_bytes().to_vec());
    match store.commit(batch).await {
        Ok(_) => Action::Swap { from, to, done: true },
        Err(Error::Conflict { .. }) => Action::Swap { from, to, done: false },
        Err(error) => panic!("a swap failed: {error}"),
    }
}
