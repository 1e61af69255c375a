//! What bounds a store.

use foundationdb::FdbResult;
use sayso_store::limits::TOKENS_REMEMBERED;
use sayso_store::{Batch, Key, Store, Token};
use tokio::time::timeout;

use crate::part::{ANSWER_WITHIN, Part, database};

/// Commits, all in the first lane: more than FoundationDB gives tokens of on one page unless it is told otherwise.
const COMMITS: u16 = 300;

/// Those of them that are made to be too many.
const TOO_MANY: u16 = 250;

fn token(n: u16) -> Token {
    let mut token = [0; 16];
    token[14..].copy_from_slice(&n.to_be_bytes());
    Token(token)
}

/// Waits until there is nothing under `key`. A watch may fire for nothing, fail, or outlive the cluster; what counts is
/// what is there.
async fn until_gone(key: &[u8]) -> FdbResult<()> {
    let database = database()?;
    let mut transaction = database.create_trx()?;
    loop {
        let changed = transaction.watch(key);
        match transaction.get(key, true).await {
            Ok(None) => return Ok(()),
            Ok(Some(_)) => {}
            Err(error) => {
                transaction = transaction.on_error(error).await?;
                continue;
            }
        }
        match transaction.commit().await {
            Ok(_) => {
                let _ = timeout(ANSWER_WITHIN, changed).await;
                transaction = database.create_trx()?;
            }
            Err(error) => transaction = error.on_error().await?,
        }
    }
}

/// Tokens beyond those that are remembered are forgotten, oldest first, and all at once. The test makes the store believe
/// that there were so many commits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_oldest_tokens_are_forgotten() {
    let Some(mut part) = Part::new() else { return };
    let store = part.open_one().await;
    let batch = |n| Batch::with_token(token(n)).put(Key::from_bytes("a"), "1");
    let mut versions = Vec::new();
    for n in 0..COMMITS {
        versions.push(store.commit(batch(n)).await.unwrap());
    }
    let prefix = part.prefix();
    let oldest = [prefix.as_slice(), &[2], &token(0).0].concat();
    let commits = (TOKENS_REMEMBERED as u64 + u64::from(TOO_MANY)).to_le_bytes();
    part.transact(|transaction| transaction.set(&[prefix.as_slice(), &[4, 0]].concat(), &commits)).await;
    until_gone(&oldest).await.unwrap();
    for n in [TOO_MANY - 1, 0] {
        assert!(store.commit(batch(n)).await.unwrap() > versions[usize::from(COMMITS) - 1], "{n} is forgotten");
    }
    for n in [TOO_MANY, COMMITS - 1] {
        assert_eq!(store.commit(batch(n)).await.unwrap(), versions[usize::from(n)], "{n} is remembered");
    }
}
