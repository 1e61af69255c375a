//! What the closing of a segment tells of how much passed in it.

use sayso_types::Name;

/// Why a segment ended: nothing was heard of its holder until its time was over.
pub const RAN_OUT: Name = Name::constant("ran_out");

/// Why a segment ended: its holder has let go, and had not counted what passed.
pub const UNCOUNTED: Name = Name::constant("uncounted");

/// Why a segment ended: nothing was heard of its holder, and somebody of the operator's has made sure that it can do nothing any
/// more.
pub const FENCED: Name = Name::constant("fenced");

/// How many bytes passed in a segment that is closed with `bytes`, because of `reason`; [`None`] when nobody knows.
#[must_use]
pub fn counted(bytes: u64, reason: Name) -> Option<u64> {
    (![RAN_OUT, UNCOUNTED, FENCED].contains(&reason)).then_some(bytes)
}
