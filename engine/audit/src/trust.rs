//! [`TrustPolicy`]: whom an auditor believes, by C2SP `tlog-policy`.
//!
//! ```text
//! log sayso.example/audit+5f1ac9d2+AXk…
//! witness library library.example/w1+fea3b187+BBO…
//! witness press   press.example/witness+0a1b2c3d+BC0…
//! group outside any library press
//! quorum outside
//! ```
//!
//! A checkpoint is believed when one of the logs has signed it. It is *witnessed* when the quorum has cosigned it: then
//! nobody can show another past of that log to somebody else, not even whoever has stolen its key.

mod parse;

use sayso_types::WallTime;
use serde::Serialize;

use crate::checkpoint::Checkpoint;
use crate::key::{VerifierKey, WitnessKey};
use crate::note::{Note, NoteError};

pub use parse::{Problem, TrustError};

/// Logs, witnesses and groups that a policy may name, of each: what the specification asks everybody to have room for.
pub const NAMED_MAX: usize = 32;

/// The logs and witnesses that are trusted, and how many of the witnesses it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustPolicy {
    logs: Vec<VerifierKey>,
    witnesses: Vec<Witness>,
    quorum: Quorum,
}

/// A witness by the name that the policy gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    /// What the policy calls it.
    pub name: String,
    /// What its cosignatures are checked with.
    pub key: WitnessKey,
    /// Where it takes checkpoints, if the policy says so.
    pub url: Option<String>,
}

/// What it takes for a checkpoint to be witnessed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Quorum {
    /// Nothing: the log's word is enough.
    None,
    /// The cosignature of the witness at this place.
    Witness(usize),
    /// At least `needed` of `members`.
    Group { needed: usize, members: Vec<Quorum> },
}

/// A checkpoint that a trusted log has signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attested {
    /// The checkpoint.
    pub checkpoint: Checkpoint,
    /// Who of the policy's witnesses cosigned it.
    pub witnesses: Vec<Attestation>,
    /// Whether they are enough.
    pub is_witnessed: bool,
}

/// The word of a witness.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Attestation {
    /// What the policy calls the witness.
    pub witness: String,
    /// When it had seen nothing newer of this log, in Unix milliseconds, to the second.
    pub at_unix_ms: u64,
}

impl TrustPolicy {
    /// Trust in whoever holds one of these keys, without witnesses.
    #[must_use]
    pub const fn logs_alone(logs: Vec<VerifierKey>) -> Self {
        Self { logs, witnesses: Vec::new(), quorum: Quorum::None }
    }

    /// The keys of the logs.
    #[must_use]
    pub fn logs(&self) -> &[VerifierKey] {
        &self.logs
    }

    /// The witnesses, in the order in which they are named.
    #[must_use]
    pub fn witnesses(&self) -> &[Witness] {
        &self.witnesses
    }

    /// Whether a checkpoint must be cosigned to be evidence.
    #[must_use]
    pub const fn needs_witnesses(&self) -> bool {
        !matches!(self.quorum, Quorum::None)
    }

    /// Reads a signed checkpoint, and who has cosigned it.
    ///
    /// # Errors
    /// [`NoteError`] when no trusted log has signed it, or a signature by a known key is wrong. Too few cosignatures are no
    /// error: [`Attested::is_witnessed`] says so.
    pub fn open(&self, note: &str) -> Result<Attested, NoteError> {
        let checkpoint = Checkpoint::open(note, &self.logs)?;
        let note = Note::parse(note)?;
        let times: Vec<Option<WallTime>> =
            self.witnesses.iter().map(|witness| note.cosigned_by(&witness.key)).collect::<Result<_, _>>()?;
        let cosigned: Vec<_> = times.iter().map(Option::is_some).collect();
        let named = self.witnesses.iter().zip(times);
        let witnesses = named
            .filter_map(|(witness, at)| at.map(|at| Attestation { witness: witness.name.clone(), at_unix_ms: at.0 }));
        Ok(Attested { checkpoint, witnesses: witnesses.collect(), is_witnessed: self.quorum.is_met(&cosigned) })
    }
}

impl Quorum {
    /// Whether it is met when those witnesses have cosigned for whom `cosigned` is true.
    fn is_met(&self, cosigned: &[bool]) -> bool {
        match self {
            Self::None => true,
            Self::Witness(at) => cosigned[*at],
            Self::Group { needed, members } => {
                members.iter().filter(|member| member.is_met(cosigned)).count() >= *needed
            }
        }
    }
}

#[cfg(test)]
mod tests;
