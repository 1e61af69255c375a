//! Batches, alone and as they are proposed together.

use bytes::Bytes;
use prost::Message;
use sayso_proto::peer::v1 as wire;
use sayso_proto::peer::v1::requirement;
use sayso_store::{Batch, Condition, Key, Op, Token, Value, Version};

use super::{Malformed, decode, required};
use crate::types::Proposal;

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

/// The batches that a leader took in `term`, as they are replicated.
pub(crate) fn proposal_into(term: u64, batches: &[Batch]) -> Proposal {
    let batches = batches.iter().map(batch_into).collect();
    Proposal(wire::Proposal { term, batches }.encode_to_vec().into())
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
