//! [`Receipt`]: that something is on record, for whoever it is about, by C2SP `tlog-proof`. It is checked offline, with
//! nothing but a [`TrustPolicy`].
//!
//! ```text
//! c2sp.org/tlog-proof@v1
//! extra CAESEndpdGhkcmF3…          the leaf itself
//! index 73894                      its place in the log
//! B95lDa8R83lS8n0eG+o0buTxRKQ…     from its sibling up to a child of the root
//!
//! home.example/sayso               a checkpoint, with cosignatures
//! …
//! ```

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::leaf::{LEN_MAX, Leaf, LeafError};
use crate::merkle::{Hash, ProofError, leaf_hash, verify_inclusion};
use crate::note::{NOTE_LEN_MAX, NoteError};
use crate::trust::{Attested, TrustPolicy};
use crate::witness::{decimal, hash};

/// The first line of a proof.
const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// The most hashes of an inclusion proof: a tree has at most 2^63 leaves.
const PROOF_LEN_MAX: usize = 63;

/// Bytes of the longest receipt: the lines of the head, the longest leaf, the longest proof, the longest note.
pub const RECEIPT_LEN_MAX: usize = 128 + LEN_MAX.div_ceil(3) * 4 + PROOF_LEN_MAX * 45 + NOTE_LEN_MAX;

/// The file name extension of receipts.
pub const EXTENSION: &str = "tlog-proof";

/// A leaf with the proof that it is in a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The encoded leaf.
    pub entry: Vec<u8>,
    /// Its place in the log.
    pub index: u64,
    /// The way from it to the root.
    pub proof: Vec<Hash>,
    /// A signed checkpoint of a tree in which it is.
    pub checkpoint: String,
}

/// Why a receipt proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// Not a receipt.
    #[error("not a tlog-proof with a leaf in its `extra` line: {0}")]
    Form(&'static str),
    /// Its checkpoint is not one that is trusted.
    #[error("its checkpoint: {0}")]
    Checkpoint(#[from] NoteError),
    /// Its checkpoint lacks cosignatures.
    #[error(
        "its checkpoint is not cosigned by the quorum of witnesses that the trust policy asks for; ask the node for the \
         receipt again once they have"
    )]
    Unwitnessed,
    /// The leaf is not in the tree of the checkpoint.
    #[error("its leaf is not in the tree of its checkpoint: {0}")]
    Proof(#[from] ProofError),
    /// What is in the log is not a leaf.
    #[error("its leaf: {0}")]
    Leaf(#[from] LeafError),
    /// The leaf names another place.
    #[error("its leaf says that it is number {0} of its log")]
    Place(u64),
}

impl Receipt {
    /// As a file.
    #[must_use]
    pub fn encode(&self) -> String {
        let Self { entry, index, proof, checkpoint } = self;
        let proof: String = proof.iter().map(|hash| BASE64.encode(hash.0) + "\n").collect();
        format!("{HEADER}\nextra {}\nindex {index}\n{proof}\n{checkpoint}", BASE64.encode(entry))
    }

    /// Reads a file. Nothing of it is to be believed before it was [checked](Self::check).
    ///
    /// # Errors
    /// [`ReceiptError::Form`].
    pub fn parse(text: &str) -> Result<Self, ReceiptError> {
        let form = |what| move || ReceiptError::Form(what);
        if text.len() > RECEIPT_LEN_MAX {
            return Err(form("it is longer than any can be")());
        }
        let (head, checkpoint) = text.split_once("\n\n").ok_or_else(form("it has no empty line"))?;
        let mut lines = head.split('\n');
        lines.next().filter(|line| *line == HEADER).ok_or_else(form("its first line is not c2sp.org/tlog-proof@v1"))?;
        let extra = lines.next().and_then(|line| line.strip_prefix("extra "));
        let entry = extra.and_then(|extra| BASE64.decode(extra).ok()).filter(|entry| entry.len() <= LEN_MAX);
        let entry = entry.ok_or_else(form("its second line is not `extra` and base64"))?;
        let index = lines.next().and_then(|line| line.strip_prefix("index ")).and_then(decimal);
        let index = index.ok_or_else(form("its third line is not `index` and a number"))?;
        let proof = lines.map(hash).collect::<Option<Vec<_>>>();
        let proof = proof.ok_or_else(form("a line of its proof is not the base64 of a SHA-256"))?;
        if proof.len() > PROOF_LEN_MAX {
            return Err(form("its proof has more than 63 hashes")());
        }
        Ok(Self { entry, index, proof, checkpoint: checkpoint.to_owned() })
    }

    /// The leaf, if the receipt proves to whoever trusts by `policy` that it is in the log; and who vouches for it.
    ///
    /// # Errors
    /// [`ReceiptError`] says why it proves nothing.
    pub fn check(&self, policy: &TrustPolicy) -> Result<(Leaf, Attested), ReceiptError> {
        let attested = policy.open(&self.checkpoint)?;
        if !attested.is_witnessed {
            return Err(ReceiptError::Unwitnessed);
        }
        let checkpoint = &attested.checkpoint;
        verify_inclusion(leaf_hash(&self.entry), self.index, checkpoint.size, &checkpoint.root, &self.proof)?;
        let leaf = Leaf::decode(&self.entry)?;
        if leaf.place.sequence != self.index {
            return Err(ReceiptError::Place(leaf.place.sequence));
        }
        Ok((leaf, attested))
    }
}

#[cfg(test)]
mod tests;
