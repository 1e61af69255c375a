//! What bounds a store.

use foundationdb::Database;
use sayso_store::limits::TOKENS_REMEMBERED;
use sayso_store::{Batch, Key, Store, Token};

use crate::part::{Part, transact};

/// Tokens beyond those that are remembered are forgotten, oldest first. The test makes the store believe that there
/// were so many commits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_oldest_tokens_are_forgotten() {
    let Some(mut part) = Part::new() else { return };
    let store = part.open_one().await;
    // all in the first lane
    let token =
        |n: u8| Token([[0, n], [0; 2], [0; 2], [0; 2], [0; 2], [0; 2], [0; 2], [0; 2]].concat().try_into().unwrap());
    let batch = |n| Batch::with_token(token(n)).put(Key::from_bytes("a"), "1");
    let mut versions = Vec::new();
    for n in 0..5 {
        versions.push(store.commit(batch(n)).await.unwrap());
    }
    let prefix = part.prefix();
    let second = [prefix.as_slice(), &[2], &token(1).0].concat();
    let database = Database::default().unwrap();
    let transaction = database.create_trx().unwrap();
    let forgotten = transaction.watch(&second);
    transaction.commit().await.unwrap();
    let commits = (TOKENS_REMEMBERED as u64 + 2).to_le_bytes();
    transact(|transaction| transaction.set(&[prefix.as_slice(), &[4, 0]].concat(), &commits)).await.unwrap();
    forgotten.await.unwrap();
    for n in [0, 1] {
        assert!(store.commit(batch(n)).await.unwrap() > versions[4], "it is forgotten, and applies anew");
    }
    for n in [2, 3, 4] {
        assert_eq!(store.commit(batch(n)).await.unwrap(), versions[usize::from(n)], "it is remembered");
    }
}
