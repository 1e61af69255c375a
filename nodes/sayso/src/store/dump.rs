//! A data set as files, in a directory or an object store.
//!
//! ```text
//!   PLACE/begun.json       what is being written; there until all of it is
//!   PLACE/000001.entries   keys and values in order: length of the key, length of the value (four bytes big-endian each),
//!                          key, value
//!   PLACE/000002.entries
//!   PLACE/manifest.json    what there is, with checksums; written last, so that a place without one holds no dump
//! ```

mod bucket;
mod place;
mod reader;
mod writer;

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub(super) use self::place::Place;
pub(super) use self::reader::Entries;
pub(super) use self::writer::Writer;
use super::contents::{Sum, Summary};

/// The version of the format.
const FORMAT: u32 = 1;
const BEGUN: &str = "begun.json";
const MANIFEST: &str = "manifest.json";

/// What is being written.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Begun {
    format: u32,
    /// All of it.
    all: Summary,
}

/// What a dump holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    format: u32,
    /// When it was completed, in milliseconds since the Unix epoch.
    made_unix_ms: u64,
    /// All of it.
    pub(super) all: Summary,
    files: Vec<Part>,
}

/// One file of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    name: String,
    length: u64,
    /// Of the whole file, in hexadecimal digits.
    sha256: String,
}

/// A dump that is complete.
pub(super) struct Dump {
    place: Place,
    pub(super) manifest: Manifest,
}

impl Dump {
    /// Reads what `place` holds.
    pub(super) async fn open(place: Place) -> Result<Self> {
        let manifest: Option<Manifest> = place.describe(MANIFEST).await?;
        let Some(manifest) = manifest else {
            bail!("{place} is no dump, or not a whole one: an export that was broken off is to be run again");
        };
        require_format(&place, manifest.format)?;
        Ok(Self { place, manifest })
    }

    /// Reads all of it, and compares every checksum.
    pub(super) async fn check(&self, mut reached: impl FnMut(u64)) -> Result<()> {
        let mut all = Sum::of(self.manifest.all.portion);
        let mut entries = self.entries();
        while let Some((key, value)) = entries.next().await? {
            all.add(&key, &value);
            reached(all.bytes());
        }
        let found = all.summary();
        if found != self.manifest.all {
            bail!("{} does not hold what its manifest says: {found}", self.place);
        }
        Ok(())
    }

    /// Its entries in order.
    pub(super) fn entries(&self) -> Entries<'_> {
        Entries::of(self)
    }
}

/// What was begun to be written to `place` and not completed; `None` when nothing was.
async fn begun(place: &Place) -> Result<Option<Summary>> {
    if place.describe::<Manifest>(MANIFEST).await?.is_some() {
        bail!("{place} holds a whole dump: give a new place for each");
    }
    let Some(Begun { format, all }) = place.describe(BEGUN).await? else { return Ok(None) };
    require_format(place, format)?;
    Ok(Some(all))
}

fn require_format(place: &Place, format: u32) -> Result<()> {
    if format != FORMAT {
        bail!("{place} is of format {format}, this program reads {FORMAT}: use the program that wrote it");
    }
    Ok(())
}

/// What the part at `index`, from 0, is called.
fn name_of(index: usize) -> String {
    format!("{:06}.entries", index + 1)
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

#[cfg(test)]
mod tests;
