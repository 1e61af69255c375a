//! Between the domain and the messages of `sayso.peer.v1`, checked on the way in.

mod batch;
mod log;
mod member;
mod membership;

use prost::Message;

#[cfg(test)]
pub(crate) use self::batch::proposal_into;
pub(crate) use self::batch::{EncodedBatch, batch_from, batch_into, proposal_from, proposal_of, version_from};
pub(crate) use self::log::{entry_from, entry_into, log_id_from, log_id_into, vote_from, vote_into};
pub(crate) use self::member::{member_state_from, member_state_into, refusal_from, refusal_into};
pub(crate) use self::membership::{
    membership_into, meta_from, meta_into, stored_membership_from, stored_membership_into,
};

/// Bytes from a peer or from the disk are not the message that they should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a message is malformed: {what}")]
pub(crate) struct Malformed {
    /// What is wrong with it.
    pub(crate) what: &'static str,
}

/// A field that must be there.
pub(crate) fn required<T>(field: Option<T>, what: &'static str) -> Result<T, Malformed> {
    field.ok_or(Malformed { what })
}

/// The message that `bytes` are.
pub(crate) fn decode<M: Message + Default>(bytes: impl bytes::Buf) -> Result<M, Malformed> {
    M::decode(bytes).map_err(|_| Malformed { what: "it does not parse" })
}
