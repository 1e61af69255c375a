//! Batches, alone and as they are proposed together.

use core::fmt;

use bytes::Bytes;
use prost::Message;
use prost::encoding::{self, WireType};
use sayso_proto::peer::v1 as wire;
use sayso_proto::peer::v1::requirement;
use sayso_store::{Batch, Condition, Key, Op, Token, Value, Version};

use super::{Malformed, decode, required};
use crate::types::Proposal;

/// The tag of the batches of a `Proposal`.
const BATCHES: u32 = 2;

pub(crate) fn batch_into(batch: &Batch) -> wire::Batch {
    let require = batch.require.iter().map(|(key, condition)| wire::Requirement {
        key: key_into(key),
        condition: Some(match condition {
            Condition::Absent => requirement::Condition::Absent(wire::Absent {}),
            Condition::Version(version) => requirement::Condition::Version(Bytes::copy_from_slice(&version.to_bytes())),
            Condition::Value(value) => requirement::Condition::Value(value.0.clone()),
        }),
    });
    let operations = batch.ops.iter().map(|op| match op {
        Op::Put(key, value) => wire::Operation { key: key_into(key), value: Some(value.0.clone()) },
        Op::Delete(key) => wire::Operation { key: key_into(key), value: None },
    });
    wire::Batch {
        token: Bytes::copy_from_slice(&batch.token.0),
        require: require.collect(),
        operations: operations.collect(),
    }
}

pub(crate) fn batch_from(batch: wire::Batch) -> Result<Batch, Malformed> {
    let token = batch.token[..].try_into().map_err(|_| Malformed { what: "a token is not of 16 bytes" })?;
    let require = batch.require.into_iter().map(|requirement| {
        let condition = match required(requirement.condition, "a requirement has no condition")? {
            requirement::Condition::Absent(_) => Condition::Absent,
            requirement::Condition::Version(version) => Condition::Version(version_from(&version)?),
            requirement::Condition::Value(value) => Condition::Value(Value(value)),
        };
        Ok((Key::from_bytes(requirement.key), condition))
    });
    let ops = batch.operations.into_iter().map(|operation| {
        let key = Key::from_bytes(operation.key);
        match operation.value {
            Some(value) => Op::Put(key, Value(value)),
            None => Op::Delete(key),
        }
    });
    Ok(Batch { token: Token(token), require: require.collect::<Result<_, _>>()?, ops: ops.collect() })
}

/// A batch as it is a part of what is replicated. Who commits it makes this, so that what is proposed has only to be joined.
/// Its `Debug` shows the length only.
pub(crate) struct EncodedBatch(Vec<u8>);

impl fmt::Debug for EncodedBatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EncodedBatch({} bytes)", self.0.len())
    }
}

impl From<&Batch> for EncodedBatch {
    fn from(batch: &Batch) -> Self {
        Self(batch_into(batch).encode_to_vec())
    }
}

/// The batches that a leader took in `term`, as they are replicated: a `Proposal` whose batches are encoded already.
pub(crate) fn proposal_of(term: u64, batches: &[EncodedBatch]) -> Proposal {
    let proposal = wire::Proposal { term, batches: Vec::new() };
    let bytes_of = |EncodedBatch(batch): &EncodedBatch| {
        let length = batch.len();
        encoding::key_len(BATCHES) + encoding::encoded_len_varint(length as u64) + length
    };
    let mut bytes = Vec::with_capacity(proposal.encoded_len() + batches.iter().map(bytes_of).sum::<usize>());
    proposal.encode(&mut bytes).expect("a vector grows");
    for EncodedBatch(batch) in batches {
        encoding::encode_key(BATCHES, WireType::LengthDelimited, &mut bytes);
        encoding::encode_varint(batch.len() as u64, &mut bytes);
        bytes.extend_from_slice(batch);
    }
    Proposal(bytes.into())
}

/// The same of batches that are not encoded yet.
#[cfg(test)]
pub(crate) fn proposal_into(term: u64, batches: &[Batch]) -> Proposal {
    proposal_of(term, &batches.iter().map(EncodedBatch::from).collect::<Vec<_>>())
}

/// The term in which they were taken, and the batches.
pub(crate) fn proposal_from(Proposal(bytes): Proposal) -> Result<(u64, Vec<Batch>), Malformed> {
    let wire::Proposal { term, batches } = decode(bytes)?;
    Ok((term, batches.into_iter().map(batch_from).collect::<Result<_, _>>()?))
}

pub(crate) fn version_from(bytes: &[u8]) -> Result<Version, Malformed> {
    let bytes = bytes.try_into().map_err(|_| Malformed { what: "a version is not of 10 bytes" })?;
    Ok(Version::from_bytes(bytes))
}

fn key_into(key: &Key) -> Bytes {
    Bytes::copy_from_slice(key.as_bytes())
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn batches() -> impl Strategy<Value = Batch> {
        let bytes = || vec(any::<u8>(), 0..9);
        let condition = prop_oneof![
            Just(Condition::Absent),
            any::<[u8; 10]>().prop_map(|bytes| Condition::Version(Version::from_bytes(bytes))),
            bytes().prop_map(|bytes| Condition::Value(bytes.into())),
        ];
        let op = (bytes(), proptest::option::of(bytes())).prop_map(|(key, value)| match value {
            Some(value) => Op::Put(Key::from_bytes(key), value.into()),
            None => Op::Delete(Key::from_bytes(key)),
        });
        let require = (bytes().prop_map(Key::from_bytes), condition);
        let parts = (any::<[u8; 16]>(), vec(require, 0..4), vec(op, 0..4));
        parts.prop_map(|(token, require, ops)| Batch { token: Token(token), require, ops })
    }

    proptest! {
        #[test]
        fn a_proposal_of_encoded_batches_is_the_message(term: u64, batches in vec(batches(), 0..4)) {
            let message = wire::Proposal { term, batches: batches.iter().map(batch_into).collect() };
            prop_assert_eq!(&proposal_into(term, &batches).0[..], message.encode_to_vec());
        }

        #[test]
        fn proposals_round_trip(term: u64, batches in vec(batches(), 0..4)) {
            prop_assert_eq!(proposal_from(proposal_into(term, &batches)), Ok((term, batches)));
        }

        #[test]
        fn garbage_is_refused_or_read_without_harm(bytes: Vec<u8>) {
            let _ = proposal_from(Proposal(bytes.into()));
        }
    }

    #[test]
    fn the_layout_is_fixed() {
        let batch = Batch::with_token(Token([7; 16]))
            .require(Key::from_bytes("a"), Condition::Absent)
            .put(Key::from_bytes("k"), "v")
            .delete(Key::from_bytes("d"));
        let Proposal(bytes) = proposal_into(3, &[batch]);
        let token = [7; 16];
        let golden = [
            b"\x08\x03\x12\x26\x0a\x10".as_slice(),
            &token,
            b"\x12\x05\x0a\x01a\x12\x00\x1a\x06\x0a\x01k\x12\x01v\x1a\x03\x0a\x01d",
        ]
        .concat();
        assert_eq!(bytes, golden);
    }
}
