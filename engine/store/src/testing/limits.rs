//! Limits: refused before anything happens, and not one byte earlier.

use super::{Backend, key, put, value_of};
use crate::limits::{
    BATCH_BYTES_MAX, BATCH_ITEM_BYTES, BATCH_KEY_TIMES, KEY_BYTES_MAX, READ_KEYS_MAX, SCAN_LIMIT_MAX, VALUE_BYTES_MAX,
};
use crate::{Batch, Condition, Error, Key, Range, Token};

fn long_key(bytes: usize, n: u8) -> Key {
    let mut key = vec![b'k'; bytes];
    key[0] = n;
    Key::from_bytes(key)
}

/// The greatest key, value, batch, read and scan.
pub async fn everything_within_the_limits_is_taken(backend: &mut dyn Backend) {
    let store = backend.open().await;
    let greatest = long_key(KEY_BYTES_MAX, b'a');
    put(&*store, &greatest, vec![7; VALUE_BYTES_MAX]).await;
    assert_eq!(value_of(&*store, &greatest).await.map(|value| value.len()), Some(VALUE_BYTES_MAX));

    let few_large = filled(8, VALUE_BYTES_MAX);
    let n = few_large.ops.len() as u64;
    store.commit(few_large).await.expect("a batch of the greatest size");

    let keys: Vec<_> = (0..READ_KEYS_MAX as u64).map(|n| Key::from_bytes(n.to_be_bytes().to_vec())).collect();
    assert_eq!(store.read(&keys).await.expect("reads").iter().flatten().count() as u64, n);
    let rest = Range { start: greatest.successor(), end: Range::all().end };
    assert_eq!(store.scan(rest, SCAN_LIMIT_MAX).await.expect("scans").entries, []);
}

/// A batch of the greatest size: puts under keys of `key_bytes`, with values of up to `value_bytes`.
fn filled(key_bytes: usize, value_bytes: usize) -> Batch {
    let item = BATCH_ITEM_BYTES + BATCH_KEY_TIMES * key_bytes;
    let (mut batch, mut size) = (Batch::new(), 0);
    while let Some(room) = (BATCH_BYTES_MAX - size).checked_sub(item) {
        let value = room.min(value_bytes);
        let key = numbered_key(batch.ops.len(), key_bytes);
        batch = batch.put(key, vec![1; value]);
        size += item + value;
    }
    assert_eq!(batch.size(), size);
    batch
}

/// Batches of the greatest size, whatever fills them: many short keys or few long ones, put, deleted or required. With one
/// more, each is refused.
pub async fn the_greatest_batches_are_taken_and_no_greater_ones(backend: &mut dyn Backend) {
    let store = backend.open().await;
    let fillings: [fn(Batch, Key) -> Batch; 4] = [
        |batch, key| batch.put(key, ""),
        |batch, key| batch.delete(key),
        |batch, key| batch.require(key, Condition::Absent),
        |batch, key| batch.require(key.clone(), Condition::Absent).delete(key),
    ];
    for key_bytes in [8, KEY_BYTES_MAX] {
        // what the first puts the second deletes
        for fill in fillings {
            let count = BATCH_BYTES_MAX / fill(Batch::new(), numbered_key(0, key_bytes)).size();
            let greatest = (0..count).fold(Batch::new(), |batch, n| fill(batch, numbered_key(n, key_bytes)));
            let mut greater = fill(greatest.clone(), numbered_key(count, key_bytes));
            store.commit(greatest).await.expect("a batch of the greatest size");
            greater.token = Token::random();
            let outcome = store.commit(greater).await;
            assert!(matches!(outcome, Err(Error::TooLarge { .. })), "{outcome:?}");
        }
    }
}

fn numbered_key(n: usize, bytes: usize) -> Key {
    let mut key = (n as u64).to_be_bytes().to_vec();
    key.resize(bytes, b'k');
    Key::from_bytes(key)
}

/// One more than each limit, in every place where it can be.
pub async fn everything_over_a_limit_is_refused(backend: &mut dyn Backend) {
    let store = backend.open().await;
    let long = long_key(KEY_BYTES_MAX + 1, b'a');
    let reserved = Key::from_bytes(&b"\xff"[..]);
    let large = vec![0; VALUE_BYTES_MAX + 1];
    let batch = || Batch::new().put(key("witness"), "1");

    let too_large = [
        batch().put(long.clone(), "1"),
        batch().delete(long.clone()),
        batch().require(long.clone(), Condition::Absent),
        batch().put(key("a"), large.clone()),
        batch().require(key("a"), Condition::Value(large.into())),
        (0..=90u8).fold(batch(), |batch, n| batch.put(long_key(10, n), vec![0; VALUE_BYTES_MAX])),
    ];
    for batch in too_large {
        let outcome = store.commit(batch).await;
        assert!(matches!(outcome, Err(Error::TooLarge { .. })), "{outcome:?}");
    }
    let reserved_keys = [
        batch().put(reserved.clone(), "1"),
        batch().delete(reserved.clone()),
        batch().require(reserved.clone(), Condition::Absent),
    ];
    for batch in reserved_keys {
        let outcome = store.commit(batch).await;
        assert!(matches!(outcome, Err(Error::ReservedKey)), "{outcome:?}");
    }
    assert_eq!(value_of(&*store, &key("witness")).await, None);

    assert!(matches!(store.read(core::slice::from_ref(&long)).await, Err(Error::TooLarge { .. })));
    assert!(matches!(store.read(core::slice::from_ref(&reserved)).await, Err(Error::ReservedKey)));
    let many = vec![key("a"); READ_KEYS_MAX + 1];
    assert!(matches!(store.read(&many).await, Err(Error::TooLarge { .. })));
    assert!(matches!(store.scan(Range::all(), 0).await, Err(Error::Invalid { .. })));
    assert!(matches!(store.scan(Range::all(), SCAN_LIMIT_MAX + 1).await, Err(Error::TooLarge { .. })));
    let beyond = Range { start: key("a"), end: reserved.successor() };
    assert!(matches!(store.scan(beyond, 1).await, Err(Error::ReservedKey)));
}
