//! [`Anchor`]: has the log's head witnessed, so that not even whoever has its key can change its past unseen.
//!
//! ```text
//!  Journal ── head, proof ──▶ Anchor ── old size, proof, signed checkpoint ──▶ each witness
//!     ▲                         │  ◀── cosignature ──────────────────────────────┘
//!     └── checkpoint with the quorum's cosignatures, durable ──┘
//! ```
//!
//! The log never waits for it. What it has come to is [`Standing`], for health checks and for whoever operates the node.

mod standing;

use core::time::Duration;
use std::sync::Arc;

use futures::future::join_all;
use sayso_audit::note::Note;
use sayso_audit::witness::{AddCheckpoint, Answer, Witness, WitnessError};
use sayso_audit::{Checkpoint, Hash, Signer, TrustPolicy, WitnessKey};
use sayso_runtime::{TaskKind, Tasks};
use sayso_types::{Clock, Mono};
use tokio::sync::watch;

use crate::{Error, Journal};

pub use standing::{Anchored, Standing, WitnessStanding};

/// How often the head is looked at: soon enough for the count of leaves to matter, and a cheap read.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// When witnesses are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnchorOptions {
    /// After this time, if there is anything new.
    pub every: Duration,
    /// After so many leaves, whatever the time.
    pub leaves: u64,
}

/// A witness that is asked, and the key that its answers are checked with.
#[derive(Clone, Debug)]
pub struct Asked {
    /// What the trust policy calls it.
    pub name: String,
    /// What its cosignatures are checked with.
    pub key: WitnessKey,
    /// The way to it.
    pub witness: Arc<dyn Witness>,
}

/// Asks the witnesses of one log.
pub struct Anchor {
    journal: Journal,
    signer: Arc<Signer>,
    policy: TrustPolicy,
    witnesses: Vec<Known>,
    options: AnchorOptions,
    clock: Arc<dyn Clock>,
    standing: watch::Sender<Anchored>,
    /// When the witnesses were asked last.
    asked_at: Mono,
}

impl core::fmt::Debug for Anchor {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Anchor").field("witnesses", &self.witnesses).finish_non_exhaustive()
    }
}

/// A witness with what is known of it.
#[derive(Debug)]
struct Known {
    asked: Asked,
    /// What it cosigned last, as far as is known.
    size: u64,
}

impl Anchor {
    /// An anchor of the log in `journal`, whose checkpoints `signer` signs. `policy` says when a checkpoint is witnessed;
    /// `witnesses` are those of its witnesses that can be asked.
    #[must_use]
    pub fn new(
        journal: Journal,
        signer: Arc<Signer>,
        policy: TrustPolicy,
        witnesses: Vec<Asked>,
        options: AnchorOptions,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let standing = watch::Sender::new(Anchored::unasked(witnesses.iter().map(|asked| asked.name.clone())));
        let witnesses = witnesses.into_iter().map(|asked| Known { asked, size: 0 }).collect();
        Self { journal, signer, policy, witnesses, options, clock, standing, asked_at: Mono::default() }
    }

    /// What it has come to, from now on.
    #[must_use]
    pub fn standing(&self) -> watch::Receiver<Anchored> {
        self.standing.subscribe()
    }

    /// Starts asking, at once and then when it is time, for as long as the journal is written.
    pub fn start(mut self, tasks: &Tasks) {
        let asking = async move {
            self.recall().await;
            while !self.journal.is_stopped() {
                if let Err(error) = self.look().await {
                    tracing::warn!(%error, "the head of the audit log could not be witnessed");
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        tasks.spawn(TaskKind::Upkeep, "audit witnesses", asking).detach();
    }

    /// Goes on from what was kept before this process started. What cannot be read now is learned from the witnesses.
    async fn recall(&mut self) {
        let kept = self.journal.witnessed().await.ok().flatten();
        let Some(kept) = kept.and_then(|note| Checkpoint::unverified(&note).ok()) else { return };
        self.witnesses.iter_mut().for_each(|known| known.size = kept.size);
        self.standing.send_modify(|standing| standing.size = kept.size);
    }

    /// Asks if it is time.
    async fn look(&mut self) -> Result<(), Error> {
        let (size, root) = self.journal.head().await?;
        let behind = size.saturating_sub(self.standing.borrow().size);
        metrics::gauge!("sayso_audit_unwitnessed_leaves").set(behind as f64);
        let is_first = self.asked_at == Mono::default();
        let is_time = self.clock.now().since(self.asked_at) >= self.options.every;
        if is_first || behind > 0 && (is_time || behind >= self.options.leaves && self.all_well()) {
            self.round(size, root).await?;
        }
        Ok(())
    }

    /// Whether every witness answered last time: one that did not is left alone until it is time.
    fn all_well(&self) -> bool {
        self.standing.borrow().witnesses.iter().all(|witness| matches!(witness.standing, Standing::Cosigned { .. }))
    }

    /// Asks every witness to cosign the head, and keeps it if the quorum has.
    ///
    /// # Errors
    /// As the store says. What a witness does wrong is no error: it is in the [standing](Self::standing).
    pub async fn round(&mut self, size: u64, root: Hash) -> Result<(), Error> {
        self.asked_at = self.clock.now();
        let note = Checkpoint::sign(size, root, &self.signer);
        let (journal, checkpoint) = (&self.journal, note.as_str());
        let asking = self.witnesses.iter_mut().map(|known| known.ask(journal, size, checkpoint));
        let answers = join_all(asking).await.into_iter().collect::<Result<Vec<_>, _>>()?;
        let cosigned: String = answers.iter().filter_map(|answer| answer.as_ref().ok()).map(String::as_str).collect();
        let at = self.clock.wall();
        let mut next = self.standing.borrow().clone();
        for (witness, answer) in next.witnesses.iter_mut().zip(answers) {
            witness.becomes(answer.map_or_else(|why| why, |_| Standing::Cosigned { size, at }));
        }
        let note = note + &cosigned;
        let is_witnessed = self.policy.open(&note).is_ok_and(|attested| attested.is_witnessed);
        if is_witnessed && !cosigned.is_empty() {
            self.journal.keep_witnessed(&note).await?;
            next.size = size;
            metrics::gauge!("sayso_audit_witnessed_leaves").set(size as f64);
        }
        self.standing.send_replace(next);
        Ok(())
    }
}

impl Known {
    /// Signature lines for the checkpoint of `size` in `note`, or how the witness stands instead. A witness that has
    /// another size in mind than is known here says so, and is asked once more.
    async fn ask(&mut self, journal: &Journal, size: u64, note: &str) -> Result<Result<String, Standing>, Error> {
        for _ in 0..2 {
            let Some(proof) = journal.prove_consistency(self.size, size).await? else {
                return Ok(Err(Standing::Ahead { size: self.size }));
            };
            let request = AddCheckpoint { old: self.size, proof, note: note.to_owned() };
            match self.asked.witness.add_checkpoint(&request).await {
                Ok(Answer::Cosigned(lines)) => return Ok(self.checked(size, note, lines)),
                Ok(Answer::OtherSize(other)) if other == self.size => return Ok(Err(Standing::Forked { size: other })),
                Ok(Answer::OtherSize(other)) => self.size = other,
                // what it cannot be shown to have grown from, it has another past of
                Err(WitnessError::Refused(422)) => return Ok(Err(Standing::Forked { size: self.size })),
                Err(error) => return Ok(Err(Standing::Failed { error })),
            }
        }
        Ok(Err(Standing::Failed { error: WitnessError::Malformed("it says another size each time") }))
    }

    /// The lines, if they hold this witness's cosignature of `note` and no other's.
    fn checked(&mut self, size: u64, note: &str, lines: String) -> Result<String, Standing> {
        let malformed = |problem| Standing::Failed { error: WitnessError::Malformed(problem) };
        let both = format!("{note}{lines}");
        let parsed = Note::parse(&both).map_err(|_| malformed("it holds something else than signature lines"))?;
        match parsed.cosigned_by(&self.asked.key) {
            Ok(Some(_)) => {
                self.size = size;
                Ok(lines)
            }
            Ok(None) => Err(malformed("it is not signed with the key that the trust policy has for the witness")),
            Err(_) => Err(malformed("its signature is wrong")),
        }
    }
}
