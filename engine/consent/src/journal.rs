//! [`Journal`]: the audit log of this node's shard, appended in the same batch as what it records.
//!
//! One task owns the end of the log. It takes every change that waits, numbers their leaves, extends the Merkle
//! frontier and commits all of it in one batch, so that a thousand waiting sessions cost one fsync. A change whose own
//! condition fails is taken out and told so; the others go on.

mod check;
pub(crate) mod log;
mod notes;
mod proofs;
mod writer;

use core::sync::atomic::{AtomicU32, Ordering};
use std::sync::Arc;

use sayso_audit::{Actor, Checkpoint, Event, Hash, Receipt, Reference, Signer, SubjectTag, VerifierKey};
use sayso_policy::Revisions;
use sayso_runtime::queue::{self, TrySendError};
use sayso_runtime::{TaskKind, Tasks};
use sayso_store::limits::BATCH_BYTES_MAX;
use sayso_store::{Batch, Condition, Error as StoreError, Key, Op, Store, Token, Version};
use sayso_types::{Clock, ConsentVersion, Name, SubjectId};
use tokio::sync::oneshot;

pub use self::check::{LeafCheck, LogCheck};
use self::notes::Notes;
use self::proofs::Proofs;
use self::writer::Writer;
use crate::Error;
use crate::register::state::StoredState;

/// The log of a single node. A cluster has one a shard.
pub const SHARD: u32 = 0;

/// A change and the leaves that record it.
#[derive(Debug, Default)]
pub struct Entry {
    /// What must hold.
    pub require: Vec<(Key, Condition)>,
    /// What changes.
    pub ops: Vec<Op>,
    /// What is put on record.
    pub events: Vec<Noted>,
}

/// Bytes of one change with its leaves: some hundred records of consent. More would leave a batch no room for others.
const ENTRY_BYTES_MAX: usize = BATCH_BYTES_MAX / 2;

/// Bytes that a leaf counts in a batch, with its key and the entry by which it is found again: its longest fields are a few
/// names of 31 and hashes of 32 bytes.
const LEAF_BYTES: usize = 1_024;

impl Entry {
    /// What it counts against the size of a batch. One that no batch could hold is refused here, before it meets
    /// others that have nothing to do with it.
    fn size(&self) -> Result<usize, StoreError> {
        let batch = Batch { token: Token([0; 16]), require: self.require.clone(), ops: self.ops.clone() };
        batch.check()?;
        let size = batch.size() + self.events.len() * LEAF_BYTES;
        if size > ENTRY_BYTES_MAX {
            return Err(StoreError::TooLarge { what: "bytes in a change", size, max: ENTRY_BYTES_MAX });
        }
        Ok(size)
    }
}

/// An event with the circumstances that its leaf names.
#[derive(Clone, Debug)]
pub struct Noted {
    pub(crate) about: About,
    pub(crate) actor: Actor,
    pub(crate) event: Event,
}

/// Whom an event is about, as far as the log may know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct About {
    /// Keyed pseudonym; `None` for events about nobody.
    pub(crate) tag: Option<SubjectTag>,
    pub(crate) cv: ConsentVersion,
    /// The revision of the policy that governs it, where that is not the newest.
    pub(crate) profile_rev: Option<u32>,
    /// The revision of the registry that it rests on, where that need not be the newest.
    pub(crate) registry_rev: Option<u32>,
}

impl About {
    /// The same under a revision of the policy.
    pub(crate) const fn under(self, profile_rev: u32) -> Self {
        Self { profile_rev: Some(profile_rev), ..self }
    }

    /// The same by a revision of the registry.
    pub(crate) const fn by_registry(self, registry_rev: u32) -> Self {
        Self { registry_rev: Some(registry_rev), ..self }
    }

    /// Something that the engine did.
    pub(crate) const fn event(self, event: Event) -> Noted {
        self.by(Actor::SYSTEM, event)
    }

    /// Something that somebody did.
    pub(crate) const fn by(self, actor: Actor, event: Event) -> Noted {
        Noted { about: self, actor, event }
    }
}

impl StoredState {
    /// What the log may know of this subject.
    pub(crate) fn about(&self, subject: SubjectId) -> About {
        About { tag: Some(self.audit_key().subject(subject)), cv: self.consent.cv, ..About::default() }
    }
}

/// A change that somebody waits for.
pub(crate) struct Waiting {
    entry: Entry,
    size: usize,
    done: oneshot::Sender<Result<Version, Error>>,
}

impl Waiting {
    /// The keys that it writes.
    fn written(&self) -> impl Iterator<Item = &Key> {
        self.entry.ops.iter().map(|op| match op {
            Op::Put(key, _) | Op::Delete(key) => key,
        })
    }
}

/// The handle of the journal. Clones are the same journal.
#[derive(Clone)]
pub struct Journal {
    queue: queue::Sender<Waiting>,
    queue_len: usize,
    notes: Arc<Notes>,
    proofs: Arc<Proofs>,
    store: Arc<dyn Store>,
    newest: Arc<Newest>,
}

/// The newest revisions: what leaves say that name no other.
#[derive(Debug)]
pub(crate) struct Newest {
    /// Of the policy.
    profile: AtomicU32,
    /// Of the registry.
    registry: AtomicU32,
}

impl core::fmt::Debug for Journal {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Journal")
    }
}

impl Journal {
    /// Reads the log in `store` from its first leaf, checks that its end is where the last batch left it, starts the
    /// task that appends, and puts on record that the newest of `revisions` is in force, together with `changes`.
    ///
    /// # Errors
    /// [`Error::Log`] when leaves are missing, changed or surplus.
    pub async fn open(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        tasks: &Tasks,
        revisions: &Revisions,
        changes: Entry,
        queue_len: usize,
    ) -> Result<Self, Error> {
        let profile = revisions.newest();
        let (mut end, version) = log::check(store.as_ref(), SHARD).await?;
        end.epoch += 1;
        let selfcheck = Event::SelfcheckPassed { size: end.frontier.size(), root: end.frontier.root() };
        let effective = Event::PolicyEffective { profile: Hash(profile.hash().0) };
        let notes = Arc::new(Notes::default());
        let (sender, receiver) = queue::bounded("journal", queue_len);
        let registry = AtomicU32::new(revisions.registry().rev());
        let newest = Arc::new(Newest { profile: AtomicU32::new(profile.rev()), registry });
        let governing = Arc::clone(&newest);
        let writer = Writer::new(Arc::clone(&store), clock, (end, version), governing, Arc::clone(&notes));
        tasks.spawn(TaskKind::Storage, "journal", writer.run(receiver, tasks.stopping())).detach();
        let journal = Self { queue: sender, queue_len, notes, proofs: Arc::default(), store, newest };
        let events = [selfcheck, effective].map(|event| About::default().event(event)).into_iter();
        let events = events.chain(changes.events).collect();
        journal.append(Entry { events, ..changes }).await?;
        Ok(journal)
    }

    /// Appends `entry`; its changes and leaves are durable, together, when this returns. One that requires something of what
    /// another one writes goes into a later batch, so that of two which change the same the second is refused.
    ///
    /// # Errors
    /// [`Error::Store`] with `Conflict` when a condition does not hold, `Full` or `TooLarge`; [`Error::Busy`]: nothing
    /// of the entry is applied then. After [`Error::Stopped`] it is not known whether it was, and nothing more will be.
    pub async fn append(&self, entry: Entry) -> Result<Version, Error> {
        let size = entry.size()?;
        let (done, outcome) = oneshot::channel();
        self.queue.try_send(Waiting { entry, size, done }).map_err(|refused| match refused {
            TrySendError::Full(_) => Error::Busy { limit: self.queue_len },
            TrySendError::Closed(_) => Error::Stopped,
        })?;
        outcome.await.map_err(|_| Error::Stopped)?
    }

    /// From here on leaves that name no other revision of the policy are under this one.
    pub(crate) fn govern(&self, profile_rev: u32) {
        self.newest.profile.store(profile_rev, Ordering::Release);
    }

    /// From here on leaves that name no other revision of the registry are by this one.
    pub(crate) fn govern_registry(&self, registry_rev: u32) {
        self.newest.registry.store(registry_rev, Ordering::Release);
    }

    /// Appends a leaf without waiting for it.
    pub(crate) fn note(&self, noted: Noted) {
        self.notes.push(noted);
    }

    /// Whether nothing is appended any more.
    pub(crate) fn is_stopped(&self) -> bool {
        self.queue.is_closed()
    }

    /// Puts on record, durably, that somebody of the operator's looked at or changed `rows` records of people.
    ///
    /// # Errors
    /// As for [`append`](Self::append).
    pub async fn operator(&self, operator: Actor, what: Name, rows: u64) -> Result<(), Error> {
        let ticket = Reference(SubjectId::random().0);
        let event = Event::OperatorAccess { ticket, reason: what, rows };
        self.append(Entry { events: vec![About::default().by(operator, event)], ..Entry::default() }).await?;
        Ok(())
    }

    /// Up to `limit` encoded leaves from index `from` on.
    ///
    /// # Errors
    /// As the store says.
    pub async fn read(&self, from: u64, limit: usize) -> Result<Vec<Vec<u8>>, Error> {
        log::read(self.store.as_ref(), SHARD, from, limit).await
    }

    /// How many leaves are durable, and the root of the tree over them.
    ///
    /// # Errors
    /// As the store says.
    pub async fn head(&self) -> Result<(u64, Hash), Error> {
        let (end, _) = log::end(self.store.as_ref(), SHARD).await?;
        Ok((end.frontier.size(), end.frontier.root()))
    }

    /// That leaf `index` is in the tree of the first `size` leaves; [`None`] when it is not.
    ///
    /// # Errors
    /// As the store says; [`Error::Log`] when there are fewer leaves.
    pub async fn prove_inclusion(&self, index: u64, size: u64) -> Result<Option<Vec<Hash>>, Error> {
        self.proofs.inclusion(self.store.as_ref(), SHARD, (index, size)).await
    }

    /// That the tree of the first `old` leaves is the beginning of that of the first `new`; [`None`] when it is not.
    ///
    /// # Errors
    /// As the store says; [`Error::Log`] when there are fewer leaves.
    pub async fn prove_consistency(&self, old: u64, new: u64) -> Result<Option<Vec<Hash>>, Error> {
        self.proofs.consistency(self.store.as_ref(), SHARD, (old, new)).await
    }

    /// The public key that checkpoints of this log were last said to be signed with, as its text.
    ///
    /// # Errors
    /// As the store says.
    pub async fn signing_key(&self) -> Result<Option<String>, Error> {
        log::signing_key(self.store.as_ref(), SHARD).await
    }

    /// Says, durably, that checkpoints are signed with `key` from here on; that it is another key than before is put on
    /// record.
    ///
    /// # Errors
    /// As for [`append`](Self::append).
    pub async fn sign_with(&self, key: &VerifierKey) -> Result<(), Error> {
        let text = key.to_string();
        let before = self.signing_key().await?;
        if before.as_ref() == Some(&text) {
            return Ok(());
        }
        let rotated = Event::LogKeyRotated { key: Hash::of(text.as_bytes()) };
        let events = before.map(|_| About::default().event(rotated)).into_iter().collect();
        let ops = vec![log::put_signing_key(SHARD, &text)];
        self.append(Entry { events, ops, ..Entry::default() }).await?;
        Ok(())
    }

    /// Where the consent record, withdrawal or erasure `reference` is on record: the index of `consent.given`,
    /// `withdraw.effective` or `erase.certified`. [`None`] before that is so.
    ///
    /// # Errors
    /// As the store says.
    pub async fn find(&self, reference: Reference) -> Result<Option<u64>, Error> {
        log::find(self.store.as_ref(), SHARD, reference).await
    }

    /// The receipt for the consent record, withdrawal or erasure `reference`, and whether its checkpoint is witnessed:
    /// the one that was kept last if that covers it, else one of the log as it is now, signed by `signer`. [`None`]
    /// while it is not on record.
    ///
    /// # Errors
    /// As the store says.
    pub async fn receipt(&self, reference: Reference, signer: &Signer) -> Result<Option<(Receipt, bool)>, Error> {
        let Some(index) = self.find(reference).await? else { return Ok(None) };
        let covers = |note: String| {
            let size = Checkpoint::unverified(&note).ok()?.size;
            (size > index).then_some((note, size))
        };
        let witnessed = self.witnessed().await?.and_then(covers);
        let is_witnessed = witnessed.is_some();
        let (checkpoint, size) = match witnessed {
            Some(witnessed) => witnessed,
            None => {
                let (size, root) = self.head().await?;
                (Checkpoint::sign(size, root, signer), size)
            }
        };
        let lost = || Error::Log(format!("leaf {index} is missing"));
        let entry = self.read(index, 1).await?.pop().ok_or_else(lost)?;
        let proof = self.prove_inclusion(index, size).await?.ok_or_else(lost)?;
        Ok(Some((Receipt { entry, index, proof, checkpoint }, is_witnessed)))
    }

    /// The newest checkpoint that was kept with [`keep_witnessed`](Self::keep_witnessed), as a signed note.
    ///
    /// # Errors
    /// As the store says.
    pub async fn witnessed(&self) -> Result<Option<String>, Error> {
        log::witnessed(self.store.as_ref(), SHARD).await
    }

    /// Keeps a checkpoint that witnesses have cosigned, durably. From then on a log that has less than it says, or
    /// something else, does not open.
    ///
    /// # Errors
    /// As for [`append`](Self::append).
    pub async fn keep_witnessed(&self, note: &str) -> Result<(), Error> {
        self.append(Entry { ops: vec![log::put_witnessed(SHARD, note)], ..Entry::default() }).await?;
        Ok(())
    }
}
