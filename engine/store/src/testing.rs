//! The conformance suite: laws of the contract as plain functions, which every backend's tests run.
//!
//! A backend's test file is:
//!
//! ```ignore
//! sayso_store::conformance!(MyBackend::new());
//! ```

pub mod commits;
pub mod histories;
pub mod limits;
pub mod linearizability;
pub mod restarts;
pub mod scans;
pub mod tokens;
pub mod watches;

use std::sync::Arc;

use async_trait::async_trait;

use crate::{Batch, Condition, Key, Store, Value, Version};

/// How the suite gets at a store. Each law has a backend of its own, empty at first.
#[async_trait]
pub trait Backend: Send {
    /// Opens the store, with what was committed to it before.
    async fn open(&mut self) -> Arc<dyn Store>;

    /// Closes `store`, so that it can be opened again.
    async fn close(&mut self, store: Arc<dyn Store>);
}

/// Runs every law on a backend, as a test each. `$backend` is evaluated for each.
#[macro_export]
macro_rules! conformance {
    ($backend:expr) => {
        $crate::conformance! { @laws $backend;
            commits: what_is_put_is_read, conditions_decide, a_conflict_names_the_key_and_changes_nothing,
                the_last_operation_on_a_key_counts, versions_grow, a_batch_is_seen_whole_or_not_at_all,
                one_of_many_wins;
            histories: reads_and_commits_are_linearizable;
            limits: everything_within_the_limits_is_taken, the_greatest_batches_are_taken_and_no_greater_ones,
                everything_over_a_limit_is_refused;
            restarts: what_was_acknowledged_is_there_again, versions_go_on_growing, a_closed_store_says_so;
            scans: a_scan_is_in_the_order_of_bytes, a_scan_goes_on_where_it_stopped, a_page_is_bounded_in_bytes,
                a_store_behaves_like_a_map;
            tokens: a_token_commits_once, a_commit_that_is_given_up_happens_once, a_refused_batch_leaves_no_trace,
                tokens_survive_a_restart;
            watches: a_watch_delivers_every_change_in_order, a_scan_and_a_watch_leave_no_gap,
                a_slow_watch_is_told, a_watch_ends_with_the_store;
        }
    };
    (@laws $backend:expr; $($module:ident: $($law:ident),+;)+) => {
        $(mod $module {
            use super::*;

            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $law() {
                $crate::testing::$module::$law(&mut $backend).await;
            })+
        })+
    };
}

/// The key that is `text`.
pub(crate) fn key(text: impl AsRef<str>) -> Key {
    Key::from_bytes(text.as_ref().as_bytes().to_vec())
}

/// What `key` holds.
pub(crate) async fn value_of(store: &dyn Store, key: &Key) -> Option<Value> {
    let read = store.read(core::slice::from_ref(key)).await.expect("reads");
    read.into_iter().next().expect("an answer a key").map(|held| held.value)
}

/// Puts `value` under `key`.
pub(crate) async fn put(store: &dyn Store, key: &Key, value: impl Into<Value>) -> Version {
    store.commit(Batch::new().put(key.clone(), value)).await.expect("commits")
}

/// Adds one to the number under `key`, again and again until nobody else did so in between.
pub(crate) async fn increment(store: &dyn Store, key: &Key) -> u64 {
    loop {
        let held = value_of(store, key).await;
        let count = held.as_ref().map_or(0, number) + 1;
        let condition = held.map_or(Condition::Absent, Condition::Value);
        let batch = Batch::new().require(key.clone(), condition).put(key.clone(), count.to_be_bytes().to_vec());
        match store.commit(batch).await {
            Ok(_) => return count,
            Err(crate::Error::Conflict { .. }) => {}
            Err(error) => panic!("an increment failed: {error}"),
        }
    }
}

/// The number that [`increment`] left.
pub(crate) fn number(value: &Value) -> u64 {
    u64::from_be_bytes(value[..].try_into().expect("eight bytes"))
}

/// Runs `tasks` in parallel and gives back what they gave.
pub(crate) async fn in_parallel<T, F>(tasks: impl Iterator<Item = F>) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    #[expect(clippy::disallowed_methods, reason = "tests of concurrency; sayso-runtime is above this crate")]
    let tasks: Vec<_> = tasks.map(tokio::spawn).collect();
    futures::future::join_all(tasks).await.into_iter().map(|ended| ended.expect("no task panics")).collect()
}
