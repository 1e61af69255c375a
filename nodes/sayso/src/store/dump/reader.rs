//! [`Entries`]: what the parts of a dump hold.

use anyhow::{Context, Result, bail};
use sayso_store::limits::{KEY_BYTES_MAX, VALUE_BYTES_MAX};

use super::{Dump, name_of, sha256};

/// Bytes of a part: what older versions wrote, and an entry more.
const PART_BYTES_MAX: u64 = 128 << 20;

/// The entries of a dump. A part is compared with its checksum before anything in it is believed.
pub(crate) struct Entries<'a> {
    dump: &'a Dump,
    next: usize,
    open: Vec<u8>,
    /// Bytes of the open part that were read.
    read: usize,
}

impl<'a> Entries<'a> {
    /// Those of `dump`, from the first.
    pub(super) const fn of(dump: &'a Dump) -> Self {
        Self { dump, next: 0, open: Vec::new(), read: 0 }
    }

    /// The next key and value; `None` at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<(Vec<u8>, Vec<u8>)>> {
        while self.read == self.open.len() {
            if self.next == self.dump.manifest.files.len() {
                return Ok(None);
            }
            self.open_next().await?;
        }
        let entry = self.entry();
        entry.with_context(|| damaged(&self.dump.manifest.files[self.next - 1].name)).map(Some)
    }

    async fn open_next(&mut self) -> Result<()> {
        let (index, place) = (self.next, &self.dump.place);
        let part = &self.dump.manifest.files[index];
        if part.name != name_of(index) || part.length > PART_BYTES_MAX {
            bail!("the manifest of {place} names a part {:?}, which is none of a dump's: use another dump", part.name);
        }
        let held = place.read(&part.name, part.length).await.with_context(|| damaged(&part.name))?;
        let held = held.with_context(|| format!("there is no {} in {place}: use another dump", part.name))?;
        let found = sha256(&held);
        if found != part.sha256 {
            bail!("the SHA-256 of {} bytes is {found}, it was {}: {}", held.len(), part.sha256, damaged(&part.name));
        }
        (self.next, self.open, self.read) = (index + 1, held, 0);
        Ok(())
    }

    fn entry(&mut self) -> Result<(Vec<u8>, Vec<u8>)> {
        let (key, value) = (self.length_of(KEY_BYTES_MAX)?, self.length_of(VALUE_BYTES_MAX)?);
        Ok((self.bytes(key)?, self.bytes(value)?))
    }

    fn length_of(&mut self, max: usize) -> Result<usize> {
        let bytes = self.bytes(4)?;
        let length = u32::from_be_bytes(bytes.try_into().expect("four bytes")) as usize;
        if length > max { bail!("a length of {length} is over the limit of {max}") } else { Ok(length) }
    }

    fn bytes(&mut self, count: usize) -> Result<Vec<u8>> {
        let bytes = self.open.get(self.read..self.read + count).context("it ends in the middle of an entry")?;
        self.read += count;
        Ok(bytes.to_vec())
    }
}

fn damaged(name: &str) -> String {
    format!("{name} is damaged: use another dump")
}
