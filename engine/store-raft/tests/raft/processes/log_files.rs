//! A node's log, while it does not run: what a loss of power or a bad disk makes of it.

use std::fs;
use std::path::{Path, PathBuf};

/// Length of a segment's header, which is durable before there is a commit.
const HEADER_BYTES: u64 = 26;

/// The log in a store's directory, as its files say. [The store] describes them.
///
/// [The store]: ../../../../store-local/src/log.rs
struct Files {
    /// The last segment.
    segment: PathBuf,
    /// Up to where it was acknowledged.
    acknowledged: u64,
    length: u64,
    mark: PathBuf,
}

impl Files {
    fn read(disk: &Path) -> Self {
        let segments = fs::read_dir(disk.join("log")).expect("a log").map(|entry| entry.expect("lists").path());
        let segment = segments.max().expect("a segment");
        let mark = disk.join("mark");
        let marked = fs::read(&mark).expect("a mark");
        let number = |at: usize| u64::from_be_bytes(marked[at..at + 8].try_into().expect("eight bytes"));
        let base = segment.file_stem().and_then(|name| name.to_str()?.parse().ok());
        let acknowledged = if base == Some(number(0)) { number(8).max(HEADER_BYTES) } else { HEADER_BYTES };
        let length = fs::metadata(&segment).expect("is there").len();
        Self { segment, acknowledged, length, mark }
    }
}

fn flip(file: &Path, at: u64, random: &mut fastrand::Rng) {
    let mut bytes = fs::read(file).expect("reads");
    bytes[usize::try_from(at).expect("fits")] ^= 1 << random.u8(..8);
    fs::write(file, bytes).expect("writes");
}

/// Takes away what was never acknowledged, from some point on, and puts in its place what the disk had there before.
pub(crate) fn tear(disk: &Path, random: &mut fastrand::Rng) {
    let files = Files::read(disk);
    let kept = random.u64(files.acknowledged..=files.length) as usize;
    let mut bytes = fs::read(&files.segment).expect("reads");
    bytes.truncate(kept);
    bytes.extend((0..random.u32(..300)).map(|_| random.u8(..)));
    fs::write(&files.segment, bytes).expect("writes");
}

/// Flips a bit of what was never acknowledged, if there is anything.
pub(crate) fn flip_behind_the_mark(disk: &Path, random: &mut fastrand::Rng) {
    let files = Files::read(disk);
    if files.acknowledged < files.length {
        flip(&files.segment, random.u64(files.acknowledged..files.length), random);
    }
}

/// Flips a bit of what was acknowledged, or of the mark that says so; which file that is.
pub(crate) fn damage(disk: &Path, random: &mut fastrand::Rng) -> PathBuf {
    let files = Files::read(disk);
    if files.acknowledged > HEADER_BYTES && random.u8(..4) > 0 {
        flip(&files.segment, random.u64(..files.acknowledged), random);
        files.segment
    } else {
        flip(&files.mark, random.u64(..24), random);
        files.mark
    }
}
