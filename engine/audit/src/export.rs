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
                files.push(last(self.size(), Row::Entries, level, core::mem::take(&mut self.bundle)));
            }
            let hashes = core::mem::take(&mut self.rows[level]);
            files.push(last(self.size(), Row::Hashes(level as u32), level, tile::encode_hashes(&hashes)));
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
        for (level, hashes) in self.rows.iter().enumerate().filter(|(_, hashes)| !hashes.is_empty()) {
            if level == 0 {
                files.push(last(self.size(), Row::Entries, level, self.bundle.clone()));
            }
            files.push(last(self.size(), Row::Hashes(level as u32), level, tile::encode_hashes(hashes)));
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
    File { tile: Tile { row, index, width }, bytes }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merkle::{HashSource, Tree};

    /// Every file of a log of `size` entries, entry `i` being the number `i`.
    fn files(size: u64) -> (Vec<File>, Tree) {
        let (mut export, mut tree) = (Export::new(), Tree::new());
        let mut files = Vec::new();
        for i in 0..size {
            files.extend(export.append(&i.to_be_bytes()).unwrap());
            tree.append(leaf_hash(&i.to_be_bytes()));
        }
        files.extend(export.partial());
        assert_eq!((export.size(), export.root()), (size, tree.root()));
        (files, tree)
    }

    #[test]
    fn files_hold_the_entries_and_the_hashes_of_the_tree() {
        for size in [0, 1, 255, 256, 257, 65_535, 65_536, 65_836] {
            let (files, tree) = files(size);
            let mut entries = 0..size;
            let mut hashes = [0; 3];
            for File { tile, bytes } in files {
                let first = tile.index * u64::from(WIDTH);
                match tile.row {
                    Row::Entries => {
                        for entry in tile::entries(&bytes, tile.width).unwrap() {
                            assert_eq!(entry, entries.next().unwrap().to_be_bytes());
                        }
                    }
                    Row::Hashes(row) => {
                        hashes[row as usize] += u64::from(tile.width);
                        let nodes =
                            (first..first + u64::from(tile.width)).map(|i| tree.node(row * tile::HEIGHT, i).unwrap());
                        assert_eq!(bytes, tile::encode_hashes(&nodes.collect::<Vec<_>>()));
                    }
                }
            }
            assert_eq!(entries.next(), None, "{size}");
            assert_eq!(hashes, [size, size >> 8, size >> 16], "{size}");
        }
    }

    #[test]
    fn an_entry_that_is_too_long_changes_nothing() {
        let mut export = Export::new();
        assert_eq!(export.append(&vec![0; 65_536]), Err(TileError::EntryLength(65_536)));
        assert_eq!((export.size(), export.partial()), (0, vec![]));
    }
}
