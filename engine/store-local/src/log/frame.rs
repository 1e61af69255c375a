//! The bytes of a segment. All integers are big-endian; checksums are XXH3-64.
//!
//! ```text
//! header   "saysolog" | format: u16 | base: u64 | checksum of what is before: u64
//! frame    length of the body: u32 | checksum of length and body: u64 | body
//! body     sequence: u64 | token: 16 bytes | changes
//! change   length of the key: u16 | length of the value: u32, all ones for a delete | key | value
//! ```

use bytes::Bytes;
use sayso_store::decide::Commit;
use sayso_store::{Change, Error, Key, SchemaError, Token, Value, Version};
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

const MAGIC: &[u8; 8] = b"saysolog";
const FORMAT: u16 = 1;
/// Length of a segment's header.
pub(super) const HEADER_BYTES: usize = 8 + 2 + 8 + 8;
/// Length of what is before a frame's body.
const FRAME_HEAD_BYTES: usize = 4 + 8;
/// The length of a value that says "deleted": no value is that long.
const DELETED: u32 = u32::MAX;

/// The header of the segment that begins with commit `base`.
pub(super) fn header(base: u64) -> [u8; HEADER_BYTES] {
    let mut header = [0; HEADER_BYTES];
    header[..8].copy_from_slice(MAGIC);
    header[8..10].copy_from_slice(&FORMAT.to_be_bytes());
    header[10..18].copy_from_slice(&base.to_be_bytes());
    let sum = xxh3_64(&header[..18]);
    header[18..].copy_from_slice(&sum.to_be_bytes());
    header
}

/// Why bytes are not what was written.
#[derive(Debug)]
pub(super) enum HeaderError {
    Damaged,
    Format(Error),
}

/// The base of the segment that begins with `bytes`.
pub(super) fn read_header(bytes: &[u8]) -> Result<u64, HeaderError> {
    let mut rest = bytes;
    let parsed = (|| {
        let magic = take(&mut rest, 8)?;
        let format = u16::from_be_bytes(take_array(&mut rest)?);
        let base = u64::from_be_bytes(take_array(&mut rest)?);
        let sum = u64::from_be_bytes(take_array(&mut rest)?);
        (magic == MAGIC && sum == xxh3_64(&bytes[..18])).then_some((format, base))
    })();
    match parsed {
        None => Err(HeaderError::Damaged),
        Some((FORMAT, base)) => Ok(base),
        Some((found, _)) => {
            let unknown = SchemaError::Unknown { record: "store-local log", found, oldest: FORMAT, current: FORMAT };
            Err(HeaderError::Format(unknown.into()))
        }
    }
}

/// Appends `commit` to `out` as a frame.
pub(crate) fn encode(commit: &Commit, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(&[0; FRAME_HEAD_BYTES]);
    out.extend_from_slice(&commit.sequence.to_be_bytes());
    out.extend_from_slice(&commit.token.0);
    for Change { key, value, .. } in &commit.changes {
        let key = key.as_bytes();
        let key_len = u16::try_from(key.len()).expect("a batch's keys are within KEY_BYTES_MAX");
        let value_len = value
            .as_ref()
            .map_or(DELETED, |value| u32::try_from(value.len()).expect("a batch's values are within VALUE_BYTES_MAX"));
        out.extend_from_slice(&key_len.to_be_bytes());
        out.extend_from_slice(&value_len.to_be_bytes());
        out.extend_from_slice(key);
        out.extend_from_slice(value.as_deref().map_or(&[], |value| value));
    }
    let body = start + FRAME_HEAD_BYTES;
    let length = u32::try_from(out.len() - body).expect("a batch is within BATCH_BYTES_MAX").to_be_bytes();
    let sum = checksum(length, &out[body..]).to_be_bytes();
    out[start..start + 4].copy_from_slice(&length);
    out[start + 4..body].copy_from_slice(&sum);
}

/// The frame at the start of `bytes` and its length; `None` when there is no whole, undamaged one.
pub(super) fn decode(bytes: &Bytes) -> Option<(Commit, usize)> {
    let mut rest = &bytes[..];
    let length: [u8; 4] = take_array(&mut rest)?;
    let sum = u64::from_be_bytes(take_array(&mut rest)?);
    let mut body = take(&mut rest, u32::from_be_bytes(length) as usize)?;
    if checksum(length, body) != sum {
        return None;
    }
    let frame_len = FRAME_HEAD_BYTES + body.len();
    let sequence = u64::from_be_bytes(take_array(&mut body)?);
    let token = Token(take_array(&mut body)?);
    let version = Version::from_sequence(sequence);
    let mut changes = Vec::new();
    while !body.is_empty() {
        let key_len = u16::from_be_bytes(take_array(&mut body)?);
        let value_len = u32::from_be_bytes(take_array(&mut body)?);
        let key = Key::from_bytes(bytes.slice_ref(take(&mut body, key_len.into())?));
        let value = match value_len {
            DELETED => None,
            len => Some(Value(bytes.slice_ref(take(&mut body, len as usize)?))),
        };
        changes.push(Change { key, value, version });
    }
    Some((Commit { sequence, token, changes }, frame_len))
}

fn checksum(length: [u8; 4], body: &[u8]) -> u64 {
    let mut hasher = Xxh3::new();
    hasher.update(&length);
    hasher.update(body);
    hasher.digest()
}

fn take<'a>(rest: &mut &'a [u8], len: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(len)?;
    *rest = left;
    Some(taken)
}

fn take_array<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, left) = rest.split_first_chunk()?;
    *rest = left;
    Some(*taken)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn commit(sequence: u64, token: [u8; 16], changes: Vec<(Vec<u8>, Option<Vec<u8>>)>) -> Commit {
        let version = Version::from_sequence(sequence);
        let change = |(key, value): (Vec<u8>, Option<Vec<u8>>)| Change {
            key: Key::from_bytes(key),
            value: value.map(Value::from),
            version,
        };
        Commit { sequence, token: Token(token), changes: changes.into_iter().map(change).collect() }
    }

    fn encoded(commit: &Commit) -> Bytes {
        let mut bytes = Vec::new();
        encode(commit, &mut bytes);
        bytes.into()
    }

    #[test]
    fn the_layout_is_fixed() {
        let bytes = encoded(&commit(7, [9; 16], vec![(b"k".to_vec(), Some(b"v".to_vec())), (b"d".to_vec(), None)]));
        assert_eq!(&bytes[..4], 39u32.to_be_bytes());
        assert_eq!(bytes[4..12], [173, 193, 178, 85, 68, 119, 58, 126]);
        assert_eq!(&bytes[12..20], 7u64.to_be_bytes());
        assert_eq!(&bytes[20..36], [9; 16]);
        assert_eq!(&bytes[36..], b"\0\x01\0\0\0\x01kv\0\x01\xff\xff\xff\xffd");
    }

    #[test]
    fn the_header_is_fixed() {
        let header = header(0x0102_0304_0506_0708);
        assert_eq!(&header[..18], b"saysolog\0\x01\x01\x02\x03\x04\x05\x06\x07\x08");
        assert_eq!(header[18..], [71, 56, 136, 194, 96, 65, 173, 65]);
    }

    #[test]
    fn a_header_of_another_format_says_so() {
        let mut newer = header(5);
        assert!(matches!(read_header(&newer), Ok(5)));
        newer[9] = 2;
        assert!(matches!(read_header(&newer), Err(HeaderError::Damaged)));
        let sum = xxh3_64(&newer[..18]);
        newer[18..].copy_from_slice(&sum.to_be_bytes());
        assert!(matches!(read_header(&newer), Err(HeaderError::Format(Error::Schema(_)))));
    }

    proptest! {
        #[test]
        fn frames_round_trip(
            sequence: u64,
            token: [u8; 16],
            changes in vec((vec(any::<u8>(), 0..20), proptest::option::of(vec(any::<u8>(), 0..20))), 0..5),
            behind: Vec<u8>,
        ) {
            let commit = commit(sequence, token, changes);
            let frame = encoded(&commit);
            let bytes = Bytes::from([&frame[..], &behind].concat());
            prop_assert_eq!(decode(&bytes), Some((commit, frame.len())));
        }

        #[test]
        fn no_flipped_bit_and_no_cut_goes_unnoticed(at: proptest::sample::Index, bit in 0..8u8, cut: proptest::sample::Index) {
            let frame = encoded(&commit(1 << 32, [3; 16], vec![(b"key".to_vec(), Some(vec![5; 40]))]));
            let mut flipped = frame.to_vec();
            flipped[at.index(frame.len())] ^= 1 << bit;
            prop_assert_eq!(decode(&flipped.into()), None);
            prop_assert_eq!(decode(&frame.slice(..cut.index(frame.len()))), None);
        }

        #[test]
        fn garbage_is_refused(bytes: Vec<u8>) {
            prop_assert_eq!(decode(&bytes.clone().into()), None);
            prop_assert!(read_header(&bytes).is_err());
        }
    }
}
