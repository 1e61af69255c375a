//! [`Export`]: turns entries, one after the other, into the files of a log.

use crate::merkle::{Frontier, Hash, leaf_hash};
use crate::tile::{self, Row, Tile, TileError, WIDTH};

/// A file of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Which; its path is its text.
    pub tile: Tile,
    /// What it holds.
    pub bytes: Vec<u8>,
}

/// Takes a log's entries in order and gives out its files as they fill. Holds at most one bundle and one tile a row.
#[derive(Clone, Debug, Default)]
pub struct Export {
    frontier: Frontier,
    bundle: Vec<u8>,
    /// The hashes of the last, not yet full tile of each row.
    rows: Vec<Vec<Hash>>,
}

impl Export {
    /// An export of an empty log.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many entries were taken.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// The root over the entries taken.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.frontier.root()
    }

    /// Takes the next entry; returns the files that it completes (none, but for one entry in 256).
    ///
    /// # Errors
    /// [`TileError::EntryLength`]; the export is as before.
    pub fn append(&mut self, entry: &[u8]) -> Result<Vec<File>, TileError> {
        tile::push_entry(&mut self.bundle, entry)?;
        let mut files = Vec::new();
        let mut hash = leaf_hash(entry);
        self.frontier.append(hash);
        for level in 0.. {
            if self.rows.len() == level {
                self.rows.push(Vec::new());
            }
            self.rows[level].push(hash);
            if self.rows[level].len() < usize::from(WIDTH) {
                break;
            }
            if level == 0 {
                files.push(last(
                    self.size(),
                    Row::Entries,
                    level,
                    core::mem::take(&mut self.bundle),
                ));
            }
            let hashes = core::mem::take(&mut self.rows[level]);
            files.push(last(
                self.size(),
                Row::Hashes(level as u32),
                level,
                tile::encode_hashes(&hashes),
            ));
            // the row's root is the next hash of the row above
            let mut above = Frontier::new();
            hashes.into_iter().for_each(|hash| above.append(hash));
            hash = above.root();
        }
        Ok(files)
    }

    /// The partial files: with the full ones, all that a log of this size has but its checkpoint. More entries may
    /// follow; the partial files are then out of date.
    #[must_use]
    pub fn partial(&self) -> Vec<File> {
        let mut files = Vec::new();
        for (level, hashes) in self
            .rows
            .iter()
            .enumerate()
            .filter(|(_, hashes)| !hashes.is_empty())
        {
            if level == 0 {
                files.push(last(self.size(), Row::Entries, level, self.bundle.clone()));
            }
            files.push(last(
                self.size(),
                Row::Hashes(level as u32),
                level,
                tile::encode_hashes(hashes),
            ));
        }
        files
    }
}

/// The last file of `row` in a log of `size` entries. `level` counts rows of hashes; entries lie as row 0 does.
fn last(size: u64, row: Row, level: usize, bytes: Vec<u8>) -> File {
    let hashes = size >> (tile::HEIGHT * level as u32);
    let index = (hashes - 1) / u64::from(WIDTH);
    let width = hashes - index * u64::from(WIDTH);
    let width = u16::try_from(width).expect("at most a full tile");
    File {
        tile: Tile { row, index, width },
        bytes,
    }
}
