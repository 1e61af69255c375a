//! The log as it lies in the store: leaves by index, and a head that says where it ends.

use sayso_audit::merkle::leaf_hash;
use sayso_audit::{Checkpoint, Event, Frontier, Hash, HybridClock, NoteError, Reference};
use sayso_store::{Error as StoreError, Key, Op, Range, Schema, Store, TypedKey, Version, limits::SCAN_LIMIT_MAX};

use crate::Error;
use crate::tables::{
    HEAD, HeadKey, LEAF, LeafKey, ProfileKey, RECEIPT, ReceiptKey, SIGNING_KEY, SigningKeyKey, WITNESSED, WitnessedKey,
};

/// Where a log ends, and which owner left it there.
#[derive(Clone, Debug, Default)]
pub(crate) struct End {
    pub(crate) frontier: Frontier,
    /// Fencing number of the owner; goes up with every opening.
    pub(crate) epoch: u64,
    /// The reading of the last leaf.
    pub(crate) clock: HybridClock,
}

impl End {
    /// The stored form: size, epoch and clock, eight bytes big-endian each, then the peaks.
    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(24 + 32 * self.frontier.peaks().len());
        for number in [self.frontier.size(), self.epoch, self.clock.0] {
            bytes.extend_from_slice(&number.to_be_bytes());
        }
        self.frontier.peaks().iter().for_each(|peak| bytes.extend_from_slice(&peak.0));
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (numbers, peaks) = bytes.split_at_checked(24)?;
        let number = |i: usize| numbers[8 * i..8 * i + 8].try_into().map(u64::from_be_bytes).ok();
        let (peaks, rest) = peaks.as_chunks::<32>();
        if !rest.is_empty() {
            return None;
        }
        let frontier = Frontier::restore(number(0)?, peaks.iter().map(|peak| Hash(*peak)).collect())?;
        Some(Self { frontier, epoch: number(1)?, clock: HybridClock(number(2)?) })
    }
}

/// Where the log of `shard` ends, as its head says, and the version of the head.
pub(crate) async fn end(store: &dyn Store, shard: u32) -> Result<(End, Option<Version>), Error> {
    let mut found = store.read(&[head(shard)]).await?;
    let Some(stored) = found.pop().flatten() else { return Ok((End::default(), None)) };
    Ok((read_head(&stored.value)?, Some(stored.version)))
}

/// What a head says.
pub(crate) fn read_head(stored: &[u8]) -> Result<End, Error> {
    let (_, body) = HEAD.decode(stored).map_err(StoreError::from)?;
    End::decode(body).ok_or_else(|| Error::Log("its head cannot be read".to_owned()))
}

/// Reads every leaf and compares with the head, and with the checkpoint that witnesses have cosigned: a log that lost its
/// tail, with or without its head, or a leaf that changed, is found here.
pub(crate) async fn check(store: &dyn Store, shard: u32) -> Result<(End, Option<Version>), Error> {
    let (end, version) = end(store, shard).await?;
    if version.is_none() && is_in_use(store).await? {
        return Err(gone());
    }
    let witnessed = witnessed(store, shard).await?.map(|note| checkpoint(&note)).transpose()?;
    let mut compared = Compared::with(end, witnessed);
    let mut range: Range = LeafKey::table().then(&shard).into();
    loop {
        let page = store.scan(range, SCAN_LIMIT_MAX).await?;
        for entry in &page.entries {
            compared.leaf(&entry.key, &entry.value)?;
        }
        let Some(rest) = page.rest else { break };
        range = rest;
    }
    Ok((compared.finish()?, version))
}

/// That there is no log where there has to be one.
pub(crate) fn gone() -> Error {
    Error::Log("it is gone, though the store holds what was put on record with it".to_owned())
}

/// Leaves, as they are compared with what is known of their log.
#[derive(Debug)]
pub(crate) struct Compared {
    end: End,
    witnessed: Option<Checkpoint>,
    found: Frontier,
}

impl Compared {
    /// None yet, of a log that ends at `end` and of which `witnessed` was cosigned.
    pub(crate) fn with(end: End, witnessed: Option<Checkpoint>) -> Self {
        Self { end, witnessed, found: Frontier::new() }
    }

    /// Takes the next leaf, as it is stored.
    pub(crate) fn leaf(&mut self, key: &Key, stored: &[u8]) -> Result<(), Error> {
        let (found, key) = (&mut self.found, LeafKey::parse(key).map_err(StoreError::from)?);
        if key.index != found.size() {
            return Err(Error::Log(format!("leaf {} is missing", found.size())));
        }
        let (_, leaf) = LEAF.decode(stored).map_err(StoreError::from)?;
        found.append(leaf_hash(leaf));
        if self.witnessed.as_ref().is_some_and(|w| w.size == found.size() && w.root != found.root()) {
            return Err(Error::Log(format!("its first {} leaves are not those that were witnessed", found.size())));
        }
        Ok(())
    }

    /// Where the log ends, after its last leaf.
    pub(crate) fn finish(self) -> Result<End, Error> {
        let (counted, found) = (self.end.frontier.size(), self.found.size());
        if found != counted {
            return Err(Error::Log(format!("its head counts {counted} leaves, there are {found}")));
        }
        if let Some(witnessed) = self.witnessed.filter(|witnessed| witnessed.size > found) {
            return Err(Error::Log(format!("{} leaves were witnessed, there are {found}", witnessed.size)));
        }
        if self.found.root() != self.end.frontier.root() {
            return Err(Error::Log("a leaf is not what was written".to_owned()));
        }
        Ok(self.end)
    }
}

/// Whether a policy is in force by what the store holds. Its first revision is written in the batch of the first leaf.
async fn is_in_use(store: &dyn Store) -> Result<bool, Error> {
    Ok(!store.scan(ProfileKey::table().into(), 1).await?.entries.is_empty())
}

/// Up to `limit` encoded leaves from index `from` on.
pub(crate) async fn read(store: &dyn Store, shard: u32, from: u64, limit: usize) -> Result<Vec<Vec<u8>>, Error> {
    let whole: Range = LeafKey::table().then(&shard).into();
    let range = Range { start: LeafKey { shard, index: from }.key(), end: whole.end };
    let page = store.scan(range, limit.clamp(1, SCAN_LIMIT_MAX)).await?;
    page.entries
        .iter()
        .map(|entry| {
            let (_, leaf) = LEAF.decode(&entry.value).map_err(StoreError::from)?;
            Ok(leaf.to_vec())
        })
        .collect()
}

/// The newest checkpoint that witnesses have cosigned, as a signed note.
pub(crate) async fn witnessed(store: &dyn Store, shard: u32) -> Result<Option<String>, Error> {
    text(store, WitnessedKey { shard }.key(), WITNESSED, "witnessed checkpoint").await
}

/// The write that keeps a checkpoint that witnesses have cosigned.
pub(crate) fn put_witnessed(shard: u32, note: &str) -> Op {
    Op::Put(WitnessedKey { shard }.key(), WITNESSED.encode(note.as_bytes()))
}

/// The public key that the checkpoints of the log are signed with, as its text.
pub(crate) async fn signing_key(store: &dyn Store, shard: u32) -> Result<Option<String>, Error> {
    text(store, SigningKeyKey { shard }.key(), SIGNING_KEY, "signing key").await
}

/// The write that says with which key checkpoints are signed.
pub(crate) fn put_signing_key(shard: u32, key: &str) -> Op {
    Op::Put(SigningKeyKey { shard }.key(), SIGNING_KEY.encode(key.as_bytes()))
}

async fn text(store: &dyn Store, key: Key, schema: Schema, what: &'static str) -> Result<Option<String>, Error> {
    let mut found = store.read(&[key]).await?;
    let Some(stored) = found.pop().flatten() else { return Ok(None) };
    read_text(&stored.value, schema, what).map(Some)
}

fn read_text(stored: &[u8], schema: Schema, what: &'static str) -> Result<String, Error> {
    let (_, text) = schema.decode(stored).map_err(StoreError::from)?;
    let text = core::str::from_utf8(text).map_err(|e| Error::Damaged { what, found: e.to_string() })?;
    Ok(text.to_owned())
}

/// The newest checkpoint that witnesses have cosigned, as it is stored.
pub(crate) fn read_witnessed(stored: &[u8]) -> Result<Checkpoint, Error> {
    checkpoint(&read_text(stored, WITNESSED, "witnessed checkpoint")?)
}

/// What a checkpoint says whose signatures were checked when it was stored.
fn checkpoint(note: &str) -> Result<Checkpoint, Error> {
    let damaged = |e: NoteError| Error::Damaged { what: "witnessed checkpoint", found: e.to_string() };
    Checkpoint::unverified(note).map_err(damaged)
}

/// The leaf at which `reference` is on record, if people are given receipts for it.
pub(crate) async fn find(store: &dyn Store, shard: u32, reference: Reference) -> Result<Option<u64>, Error> {
    let mut found = store.read(&[receipt(shard, reference)]).await?;
    let Some(stored) = found.pop().flatten() else { return Ok(None) };
    let (_, index) = RECEIPT.decode(&stored.value).map_err(StoreError::from)?;
    let index =
        index.try_into().map_err(|_| Error::Damaged { what: "receipt", found: format!("{} bytes", index.len()) })?;
    Ok(Some(u64::from_be_bytes(index)))
}

/// The write by which the leaf at `index` is found again, if people are given receipts for what it says.
pub(crate) fn put_receipt(shard: u32, index: u64, event: &Event) -> Option<Op> {
    let (Event::ConsentGiven { record: reference, .. }
    | Event::WithdrawEffective { withdrawal: reference, .. }
    | Event::EraseCertified { erasure: reference, .. }) = event
    else {
        return None;
    };
    Some(Op::Put(receipt(shard, *reference), RECEIPT.encode(&index.to_be_bytes())))
}

fn receipt(shard: u32, reference: Reference) -> Key {
    ReceiptKey { shard, reference: reference.0.to_vec() }.key()
}

/// The write that appends `leaf` at `index`.
pub(crate) fn put_leaf(shard: u32, index: u64, leaf: &[u8]) -> Op {
    Op::Put(LeafKey { shard, index }.key(), LEAF.encode(leaf))
}

/// The write that moves the end.
pub(crate) fn put_head(shard: u32, end: &End) -> Op {
    Op::Put(head(shard), HEAD.encode(&end.encode()))
}

/// Where the head is.
pub(crate) fn head(shard: u32) -> Key {
    HeadKey { shard }.key()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stored_form_of_an_end_stays_what_it_is() {
        let mut end = End { epoch: 2, clock: HybridClock(3), ..End::default() };
        for leaf in [b"a", b"b", b"c"] {
            end.frontier.append(leaf_hash(leaf));
        }
        let bytes = end.encode();
        assert_eq!(bytes.len(), 24 + 64);
        assert_eq!(bytes[..24], [0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 3]);
        let again = End::decode(&bytes).unwrap();
        assert_eq!((again.frontier.root(), again.epoch, again.clock), (end.frontier.root(), 2, HybridClock(3)));
        assert!(End::decode(&bytes[..bytes.len() - 1]).is_none());
        assert!(End::decode(&bytes[..24]).is_none(), "three leaves have two peaks");
        assert!(End::decode(&[]).is_none());
    }
}
