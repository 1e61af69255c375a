//! Commits: what a batch requires is read, what it does is written under the commit's stamp, and its token says later
//! that it was.

use std::collections::BTreeMap;
use std::pin::pin;

use foundationdb::options::MutationType;
use foundationdb::{FdbError, Transaction, TransactionCommitError};
use futures::{TryStreamExt, future};
use sayso_store::{Batch, Error, Key, Op, Token, Value, Version};

use crate::cluster::Cluster;
use crate::layout::{lane, stamped_value};
use crate::read::{Stopped, version_of};
use crate::{fault, record};

/// Transactions that one commit is tried in. FoundationDB ends a transaction at its time limit without saying whether
/// it was committed; the second one asks.
const TRANSACTIONS_MAX: u32 = 2;

/// What reading says of a batch.
enum Decision {
    /// It was committed before.
    Known(Version),
    /// It can be, if nothing of what was read changes meanwhile.
    Holds,
}

/// Why an attempt did not commit, or is not known to have.
enum Failed {
    /// The batch is refused.
    Decided(Error),
    /// Reading failed; nothing was sent.
    Read(Transaction, FdbError),
    /// FoundationDB refused to commit, or does not know whether it did.
    Commit(TransactionCommitError),
    /// It may have committed, and its transaction is of no more use.
    Lost(FdbError),
}

impl Failed {
    fn leaves_outcome_unknown(&self) -> bool {
        match self {
            Self::Decided(_) | Self::Read(..) => false,
            Self::Commit(error) => error.is_maybe_committed(),
            Self::Lost(_) => true,
        }
    }
}

impl Cluster {
    /// Commits `batch`, whatever it takes to know what became of it.
    pub(crate) async fn commit(&self, batch: &Batch) -> Result<Version, Error> {
        let mut is_unknown = false;
        match self.try_commit(batch, &mut is_unknown).await {
            Ok(version) => Ok(version),
            // see the crate's documentation for why a refusal is final whatever went before
            Err(error @ (Error::Conflict { .. } | Error::Unavailable { .. })) => Err(error),
            Err(error) if is_unknown => Err(Error::Unavailable { reason: error.to_string() }),
            Err(error) => Err(error),
        }
    }

    async fn try_commit(&self, batch: &Batch, is_unknown: &mut bool) -> Result<Version, Error> {
        let mut transactions = 1;
        let mut transaction = self.transaction()?;
        loop {
            let failed = match self.attempt(transaction, batch).await {
                Ok(version) => return Ok(version),
                Err(failed) => failed,
            };
            if failed.leaves_outcome_unknown() {
                *is_unknown = true;
                metrics::counter!("sayso_store_fdb_unknown_total").increment(1);
            }
            transaction = match failed {
                Failed::Decided(error) => return Err(error),
                Failed::Read(transaction, error) => self.again(transaction, error).await?,
                Failed::Commit(error) => self.again_after_commit(error).await?,
                Failed::Lost(error) if transactions == TRANSACTIONS_MAX => return Err(self.failed(error)),
                Failed::Lost(_) => {
                    transactions += 1;
                    self.transaction()?
                }
            };
        }
    }

    async fn attempt(&self, transaction: Transaction, batch: &Batch) -> Result<Version, Failed> {
        match self.decide(&transaction, batch).await {
            Ok(Decision::Known(version)) => return Ok(version),
            Ok(Decision::Holds) => {}
            Err(Stopped::Fdb(error)) => return Err(Failed::Read(transaction, error)),
            Err(Stopped::Store(error)) => return Err(Failed::Decided(error)),
        }
        self.write(&transaction, batch);
        let stamp = transaction.get_versionstamp();
        // the transaction lives until its stamp is known
        let _committed = transaction.commit().await.map_err(|error| match error.code() {
            fault::TIMED_OUT => Failed::Lost(error.into()),
            _ => Failed::Commit(error),
        })?;
        let stamp = stamp.await.map_err(Failed::Lost)?;
        version_of(&stamp, "a commit's stamp").map_err(Failed::Decided)
    }

    /// Whether `batch` was committed before; if not, whether it can be. Everything read gets a conflict range.
    async fn decide(&self, transaction: &Transaction, batch: &Batch) -> Result<Decision, Stopped> {
        let (known, conflict) =
            future::try_join(self.known(transaction, &batch.token), self.conflict(transaction, batch)).await?;
        match (known, conflict) {
            (Some(version), _) => Ok(Decision::Known(version)),
            (None, Some(key)) => Err(Error::Conflict { key }.into()),
            (None, None) => Ok(Decision::Holds),
        }
    }

    /// The commit that `token` names.
    async fn known(&self, transaction: &Transaction, token: &Token) -> Result<Option<Version>, Stopped> {
        let stored = transaction.get(&self.layout.token(token), false).await?;
        Ok(stored.map(|stored| version_of(&stored, "a token's record")).transpose()?)
    }

    /// The first key whose condition does not hold.
    async fn conflict(&self, transaction: &Transaction, batch: &Batch) -> Result<Option<Key>, Stopped> {
        let keys = batch.require.iter().map(|(key, _)| key);
        let mut held = pin!(self.held(transaction, keys, false));
        for (key, condition) in &batch.require {
            let held = held.try_next().await?.flatten();
            if !condition.holds(held.as_ref()) {
                return Ok(Some(key.clone()));
            }
        }
        Ok(None)
    }

    /// Writes what `batch` does, and that it did.
    fn write(&self, transaction: &Transaction, batch: &Batch) {
        let (layout, lane) = (&self.layout, lane(&batch.token));
        // of several operations on a key the last counts
        let last: BTreeMap<&Key, Option<&Value>> = batch
            .ops
            .iter()
            .map(|op| match op {
                Op::Put(key, value) => (key, Some(value)),
                Op::Delete(key) => (key, None),
            })
            .collect();
        for (key, value) in &last {
            let entry = layout.entry(key);
            match value {
                Some(value) => {
                    transaction.atomic_op(&entry, &stamped_value(value), MutationType::SetVersionstampedValue);
                }
                None => transaction.clear(&entry),
            }
        }
        let token = layout.token(&batch.token);
        transaction.atomic_op(&token, &stamped_value(&[]), MutationType::SetVersionstampedValue);
        transaction.atomic_op(&layout.token_age_operand(lane), &batch.token.0, MutationType::SetVersionstampedKey);
        for (chunk, changes) in (0..).zip(record::encode(last.iter().map(|(key, value)| (*key, *value)))) {
            let place = layout.log_operand(lane, chunk);
            transaction.atomic_op(&place, &changes, MutationType::SetVersionstampedKey);
        }
        transaction.atomic_op(&layout.commits(lane), &1u64.to_le_bytes(), MutationType::Add);
    }
}
