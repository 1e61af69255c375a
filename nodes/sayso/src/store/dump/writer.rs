//! [`Writer`]: writes a dump, so that it can be broken off and gone on with.

use anyhow::{Result, bail};

use super::{BEGUN, Begun, FORMAT, MANIFEST, Manifest, Part, Place, Sum, Summary, begun, name_of, sha256};

/// Bytes after which a part ends. One is in memory at a time; what is damaged is named by its part, and what is broken off
/// loses no more than one.
const PART_BYTES: usize = 16 << 20;

/// A dump that is being written.
///
/// Parts end where they end whoever writes them, so that going on is to write the same again: what the place holds already,
/// by its checksum, is not sent there once more.
pub(crate) struct Writer<'a> {
    place: &'a Place,
    part_bytes: usize,
    /// What is being written.
    of: Summary,
    /// What was added.
    all: Sum,
    parts: Vec<Part>,
    is_resumed: bool,
    /// The part that is not whole yet.
    open: Vec<u8>,
}

impl<'a> Writer<'a> {
    /// Begins to write the data set `of` to `place`, or goes on where that was broken off.
    ///
    /// # Errors
    /// When there is something else, such as another data set.
    pub(crate) async fn begin(place: &'a Place, of: Summary) -> Result<Self> {
        Self::with_parts_of(PART_BYTES, place, of).await
    }

    /// The same with another length of parts.
    pub(super) async fn with_parts_of(part_bytes: usize, place: &'a Place, of: Summary) -> Result<Self> {
        let is_resumed = match begun(place).await? {
            None => {
                place.begin()?;
                place.write_description(BEGUN, &Begun { format: FORMAT, all: of.clone() }).await?;
                false
            }
            Some(begun) if begun == of => true,
            Some(_) => bail!("the store has changed since the export to {place} was begun: give a new place"),
        };
        let all = Sum::of(of.portion);
        Ok(Self { place, part_bytes, of, all, parts: Vec::new(), is_resumed, open: Vec::new() })
    }

    /// Whether it goes on where it was broken off.
    pub(crate) const fn is_resumed(&self) -> bool {
        self.is_resumed
    }

    /// Bytes of keys and values so far.
    pub(crate) const fn bytes(&self) -> u64 {
        self.all.bytes()
    }

    /// Adds the next entry.
    pub(crate) async fn add(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        self.all.add(key, value);
        for bytes in [&(key.len() as u32).to_be_bytes(), &(value.len() as u32).to_be_bytes(), key, value] {
            self.open.extend_from_slice(bytes);
        }
        if self.open.len() >= self.part_bytes { self.end_part().await } else { Ok(()) }
    }

    /// Completes the dump.
    ///
    /// # Errors
    /// Also when it does not hold what was to be written.
    pub(crate) async fn finish(mut self, made_unix_ms: u64) -> Result<()> {
        if !self.open.is_empty() {
            self.end_part().await?;
        }
        let Self { place, of, all, parts, .. } = self;
        let all = all.summary();
        if all != of {
            bail!("the store has changed while it was exported to {place}: give a new place");
        }
        let manifest = Manifest { format: FORMAT, made_unix_ms, all, files: parts };
        place.write_description(MANIFEST, &manifest).await?;
        place.remove(BEGUN).await
    }

    async fn end_part(&mut self) -> Result<()> {
        let bytes = core::mem::take(&mut self.open);
        let part = Part { name: name_of(self.parts.len()), length: bytes.len() as u64, sha256: sha256(&bytes) };
        if !(self.is_resumed && self.place.holds(&part).await?) {
            self.place.write(&part.name, bytes).await?;
        }
        self.parts.push(part);
        Ok(())
    }
}
