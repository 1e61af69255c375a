//! What a commit changed, as chunks in the log that watches are fed from.
//!
//! ```text
//!   00  key length (2, big-endian)  key                              deleted
//!   01  key length                  key  value length (4)  value     put
//!   02  key length                  key  value length (4)            put; the value is where the key is
//! ```

use bytes::Bytes;
use sayso_store::{Key, Value};

/// Bytes of a chunk: FoundationDB refuses values over 100,000.
const CHUNK_BYTES_MAX: usize = 90_000;

/// Bytes that a change has beyond its key and value.
const ITEM_BYTES: usize = 7;

const DELETED: u8 = 0;
const PUT: u8 = 1;
const PUT_ELSEWHERE: u8 = 2;

/// What became of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Became {
    /// It holds nothing.
    Absent,
    /// It holds this.
    Holds(Value),
    /// It holds what is found at the key, unless a later commit put something else there: the batch was too large to
    /// be written twice.
    HoldsWhatIsThere {
        /// Bytes of the value.
        bytes: usize,
    },
}

/// The chunks that record `changes`, at most one a key. Values are among them when everything fits into one chunk.
pub(crate) fn encode<'a>(changes: impl Iterator<Item = (&'a Key, Option<&'a Value>)> + Clone) -> Vec<Vec<u8>> {
    let size =
        |(key, value): (&Key, Option<&Value>)| ITEM_BYTES + key.as_bytes().len() + value.map_or(0, |value| value.len());
    let with_values = changes.clone().map(size).sum::<usize>() <= CHUNK_BYTES_MAX;
    let mut chunks = Vec::new();
    let mut chunk = Vec::new();
    for (key, value) in changes {
        if chunk.len() + ITEM_BYTES + key.as_bytes().len() > CHUNK_BYTES_MAX {
            chunks.push(core::mem::take(&mut chunk));
        }
        chunk.push(match value {
            None => DELETED,
            Some(_) if with_values => PUT,
            Some(_) => PUT_ELSEWHERE,
        });
        let length = u16::try_from(key.as_bytes().len()).expect("a key is within KEY_BYTES_MAX");
        chunk.extend_from_slice(&length.to_be_bytes());
        chunk.extend_from_slice(key.as_bytes());
        if let Some(value) = value {
            let length = u32::try_from(value.len()).expect("a value is within VALUE_BYTES_MAX");
            chunk.extend_from_slice(&length.to_be_bytes());
            chunk.extend_from_slice(if with_values { value } else { &[] });
        }
    }
    if !chunk.is_empty() {
        chunks.push(chunk);
    }
    chunks
}

/// What is in a chunk; `None` when it is not one.
pub(crate) fn decode(chunk: &[u8]) -> Option<Vec<(Key, Became)>> {
    let mut left = chunk;
    let mut changes = Vec::new();
    while let Some((kind, rest)) = left.split_first() {
        let (length, rest) = rest.split_first_chunk()?;
        let (key, mut rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        let became = match *kind {
            DELETED => Became::Absent,
            PUT | PUT_ELSEWHERE => {
                let (length, after) = rest.split_first_chunk()?;
                let bytes = u32::from_be_bytes(*length) as usize;
                let (value, after) = after.split_at_checked(if *kind == PUT { bytes } else { 0 })?;
                rest = after;
                match *kind {
                    PUT => Became::Holds(Value(Bytes::copy_from_slice(value))),
                    _ => Became::HoldsWhatIsThere { bytes },
                }
            }
            _ => return None,
        };
        changes.push((Key::from_bytes(Bytes::copy_from_slice(key)), became));
        left = rest;
    }
    Some(changes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sayso_store::limits::{KEY_BYTES_MAX, VALUE_BYTES_MAX};

    use super::*;

    type Changes = Vec<(Key, Option<Value>)>;

    fn encoded(changes: &Changes) -> Vec<Vec<u8>> {
        encode(changes.iter().map(|(key, value)| (key, value.as_ref())))
    }

    #[test]
    fn the_encoding_is_fixed() {
        let changes = vec![(Key::from_bytes("a"), None), (Key::from_bytes("bc"), Some(Value::from("v")))];
        assert_eq!(encoded(&changes), [b"\0\0\x01a\x01\0\x02bc\0\0\0\x01v"]);
        let large = vec![(Key::from_bytes("a"), Some(Value::from(vec![0; VALUE_BYTES_MAX])))];
        assert_eq!(encoded(&large), [b"\x02\0\x01a\0\x01\x86\x3c"]);
        assert!(encoded(&Vec::new()).is_empty());
    }

    #[test]
    fn long_keys_go_to_several_chunks() {
        let key = |n: u8| {
            let mut key = vec![b'k'; KEY_BYTES_MAX];
            key[0] = n;
            Key::from_bytes(key)
        };
        let changes: Changes = (0..50).map(|n| (key(n), (n % 2 == 0).then(|| Value::from("v")))).collect();
        let chunks = encoded(&changes);
        assert!(chunks.len() > 1 && chunks.iter().all(|chunk| chunk.len() <= CHUNK_BYTES_MAX));
        let decoded: Vec<_> = chunks.iter().flat_map(|chunk| decode(chunk).unwrap()).collect();
        let expected = |value: Option<Value>| {
            value.map_or(Became::Absent, |value| Became::HoldsWhatIsThere { bytes: value.len() })
        };
        assert_eq!(decoded, changes.into_iter().map(|(key, value)| (key, expected(value))).collect::<Vec<_>>());
    }

    #[test]
    fn what_is_no_chunk_is_refused() {
        for damaged in
            [&b"\x03\0\x01a"[..], b"\0\0", b"\0\0\x02a", b"\x01\0\x01a\0\0\0\x02v", b"\x01\0\x01a\0", b"\x02\0\x01a"]
        {
            assert_eq!(decode(damaged), None, "{damaged:?}");
        }
    }

    proptest! {
        #[test]
        fn small_changes_are_read_back_whole(changes: Vec<(Vec<u8>, Option<Vec<u8>>)>) {
            let changes: Changes =
                changes.into_iter().map(|(key, value)| (Key::from_bytes(key), value.map(Value::from))).collect();
            let decoded: Vec<_> = encoded(&changes).iter().flat_map(|chunk| decode(chunk).unwrap()).collect();
            let expected = |value: Option<Value>| value.map_or(Became::Absent, Became::Holds);
            prop_assert_eq!(decoded, changes.into_iter().map(|(key, value)| (key, expected(value))).collect::<Vec<_>>());
        }

        #[test]
        fn decoding_never_panics(bytes: Vec<u8>) {
            let _ = decode(&bytes);
        }
    }
}
