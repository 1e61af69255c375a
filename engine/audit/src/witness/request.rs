//! [`AddCheckpoint`]: what a log asks of a witness.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::Refusal;
use crate::merkle::Hash;
use crate::note::NOTE_LEN_MAX;

/// The most hashes of a consistency proof: a tree has at most 2^63 leaves.
pub const PROOF_LEN_MAX: usize = 63;

/// Bytes of the longest request: the old size, the longest proof, the longest note.
pub const REQUEST_LEN_MAX: usize = 32 + PROOF_LEN_MAX * 45 + 1 + NOTE_LEN_MAX;

/// A request to cosign a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddCheckpoint {
    /// The size of the checkpoint that the witness cosigned last, as far as the log knows; 0 for none.
    pub old: u64,
    /// That the new tree has grown from that one.
    pub proof: Vec<Hash>,
    /// The signed checkpoint.
    pub note: String,
}

impl AddCheckpoint {
    /// The body of the request.
    #[must_use]
    pub fn encode(&self) -> String {
        let proof: String = self.proof.iter().map(|hash| BASE64.encode(hash.0) + "\n").collect();
        format!("old {}\n{proof}\n{}", self.old, self.note)
    }

    /// Reads the body of a request. Nothing of it is to be believed.
    ///
    /// # Errors
    /// [`Refusal::Malformed`] says what is wrong.
    pub fn parse(body: &str) -> Result<Self, Refusal> {
        if body.len() > REQUEST_LEN_MAX {
            return Err(Refusal::Malformed("the request is longer than any can be"));
        }
        let form = || Refusal::Malformed("a request begins with `old SIZE`, hashes one a line, and an empty line");
        let (head, note) = body.split_once("\n\n").ok_or_else(form)?;
        let mut lines = head.split('\n');
        let old = lines.next().and_then(|line| line.strip_prefix("old ")).and_then(decimal).ok_or_else(form)?;
        let proof = lines.map(hash).collect::<Option<Vec<_>>>();
        let proof = proof.ok_or(Refusal::Malformed("a line of the proof is not the base64 of a SHA-256"))?;
        if proof.len() > PROOF_LEN_MAX {
            return Err(Refusal::Malformed("the proof has more than 63 hashes"));
        }
        Ok(Self { old, proof, note: note.to_owned() })
    }
}

/// A number as it must be written: digits, without leading zeros.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

/// A hash as a line of a proof has it.
pub(crate) fn hash(line: &str) -> Option<Hash> {
    BASE64.decode(line).ok()?.try_into().ok().map(Hash)
}
