//! [`Tile`]: how a log lies in files, by C2SP `tlog-tiles`.
//!
//! A hash tile holds 256 neighbouring hashes of every eighth level of the tree, an entry bundle 256 entries, each
//! behind its length in 16 bits. The last of a row may be partial; its path says how wide it is.

use core::fmt;

use crate::merkle::Hash;

/// Hashes or entries in a full tile.
pub const WIDTH: u16 = 256;

/// Levels of the tree from one row of tiles to the next.
pub const HEIGHT: u32 = WIDTH.ilog2();

/// Where the signed head of a log lies.
pub const CHECKPOINT_PATH: &str = "checkpoint";

/// Where an earlier head lies that witnesses have cosigned, when they have not cosigned the last one yet. Not a path of
/// `tlog-tiles`: whoever does not know it has the newest checkpoint and misses nothing.
pub const WITNESSED_PATH: &str = "checkpoint.witnessed";

/// Which row a tile is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Row {
    /// The entries themselves.
    Entries,
    /// Hashes of full subtrees of 256 to the power of this many leaves.
    Hashes(u32),
}

/// One file of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tile {
    /// Its row.
    pub row: Row,
    /// Its place in the row, from 0.
    pub index: u64,
    /// How many hashes or entries it holds: 1 to [`WIDTH`].
    pub width: u16,
}

/// Why bytes are not a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TileError {
    /// A length that runs over the end, or bytes after the last entry.
    #[error("holds something else than exactly {expected} entries")]
    Entries {
        /// How many it should hold.
        expected: u16,
    },
    /// An entry that is too long to be given a length.
    #[error("an entry of {0} bytes is longer than {max} bytes", max = u16::MAX)]
    EntryLength(usize),
}

/// The path, relative to the log's directory: `tile/0/x001/234`, `tile/entries/000.p/17`.
impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.row {
            Row::Entries => f.write_str("tile/entries/")?,
            Row::Hashes(level) => write!(f, "tile/{level}/")?,
        }
        // groups of three digits, all but the last marked, so that no directory grows beyond a thousand names
        let mut groups = vec![self.index % 1000];
        let mut rest = self.index / 1000;
        while rest > 0 {
            groups.push(rest % 1000);
            rest /= 1000;
        }
        for group in groups[1..].iter().rev() {
            write!(f, "x{group:03}/")?;
        }
        write!(f, "{:03}", groups[0])?;
        if self.width < WIDTH { write!(f, ".p/{}", self.width) } else { Ok(()) }
    }
}

/// The content of a hash tile.
#[must_use]
pub fn encode_hashes(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.0).collect()
}

/// Adds an entry to a bundle.
///
/// # Errors
/// [`TileError::EntryLength`]; the bundle is as before.
pub fn push_entry(bundle: &mut Vec<u8>, entry: &[u8]) -> Result<(), TileError> {
    let len = u16::try_from(entry.len()).map_err(|_| TileError::EntryLength(entry.len()))?;
    bundle.extend_from_slice(&len.to_be_bytes());
    bundle.extend_from_slice(entry);
    Ok(())
}

/// The entries of a bundle that must hold `expected` of them and nothing else.
///
/// # Errors
/// [`TileError::Entries`].
pub fn entries(bundle: &[u8], expected: u16) -> Result<Vec<&[u8]>, TileError> {
    let error = TileError::Entries { expected };
    let mut entries = Vec::with_capacity(expected.into());
    let mut rest = bundle;
    for _ in 0..expected {
        let (len, tail) = rest.split_first_chunk().ok_or(error)?;
        let (entry, tail) = tail.split_at_checked(u16::from_be_bytes(*len).into()).ok_or(error)?;
        entries.push(entry);
        rest = tail;
    }
    if rest.is_empty() { Ok(entries) } else { Err(error) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn paths_are_those_of_the_specification() {
        let path = |row, index, width| Tile { row, index, width }.to_string();
        assert_eq!(path(Row::Hashes(0), 0, 256), "tile/0/000");
        assert_eq!(path(Row::Hashes(3), 1_234_067, 256), "tile/3/x001/x234/067");
        assert_eq!(path(Row::Hashes(1), 1_000, 112), "tile/1/x001/000.p/112");
        assert_eq!(path(Row::Entries, 17, 1), "tile/entries/017.p/1");
    }

    proptest! {
        #[test]
        fn bundles_round_trip(list in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..20)) {
            let mut bundle = Vec::new();
            list.iter().for_each(|entry| push_entry(&mut bundle, entry).unwrap());
            let width = u16::try_from(list.len()).unwrap();
            prop_assert_eq!(entries(&bundle, width).unwrap(), list.iter().map(Vec::as_slice).collect::<Vec<_>>());
            prop_assert!(entries(&bundle, width + 1).is_err());
            bundle.push(0);
            prop_assert!(entries(&bundle, width).is_err());
        }

        #[test]
        fn any_bytes_are_a_bundle_or_an_error(bytes: Vec<u8>, width in 0..300u16) {
            let read = entries(&bytes, width);
            prop_assert!(read.is_err() || read.unwrap().len() == usize::from(width));
        }
    }
}
