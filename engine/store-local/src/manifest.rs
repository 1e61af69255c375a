//! The files of the tree: checked before the tree reads them, so that damage is an error that names the file.
//!
//! The tree checks its blocks as it reads them, but neither its list of tables nor whole files. Both have checksums
//! (XXH3-128), which are compared here, as lsm-tree 3.1 lays them out:
//!
//! ```text
//! current     version: u64 | checksum of file "v<version>": u128 | 0: u8                     (little-endian)
//! v<version>  an archive; its section "tables": levels: u8, of runs: u8, of tables: u32, of
//!             id: u64 | checksum type, 0: u8 | checksum of file "tables/<id>": u128 | sequence: u64
//! ```

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sayso_store::Error;
use xxhash_rust::xxh3::Xxh3;

use crate::fault;

/// Bytes read at once: a table is hashed at the speed of the disk, in little memory.
const CHUNK_BYTES: usize = 256 << 10;

/// Reads every file of the tree in `dir` and compares it to its checksum. Takes as long as reading them does.
pub(crate) fn verify(dir: &Path) -> Result<(), Error> {
    for (table, sum) in listed(dir)? {
        compare(&table, sum)?;
    }
    Ok(())
}

/// Every table there is in `dir`, whether it is listed or not.
pub(crate) fn tables(dir: &Path) -> Result<BTreeSet<PathBuf>, Error> {
    Ok(fault::list(&dir.join("tables"))?.into_iter().collect())
}

/// The tables that are listed.
pub(crate) fn current(dir: &Path) -> Result<BTreeSet<PathBuf>, Error> {
    Ok(listed(dir)?.into_iter().map(|(table, _)| table).collect())
}

/// Deletes the tables that are not of those that are `whole`, nor listed: what a full disk left of a table that could not
/// be written. Else each attempt would leave one more, and space, once freed, would be lost again.
pub(crate) fn delete_strays(dir: &Path, whole: &BTreeSet<PathBuf>) -> Result<(), Error> {
    let current = current(dir)?;
    for stray in tables(dir)?.iter().filter(|table| !whole.contains(*table) && !current.contains(*table)) {
        fs::remove_file(stray).map_err(|e| fault::io("delete", stray, e))?;
    }
    Ok(())
}

/// The tables of the tree's current version, with their checksums.
fn listed(dir: &Path) -> Result<Vec<(PathBuf, u128)>, Error> {
    let current = dir.join("current");
    let bytes = match fs::read(&current) {
        Ok(bytes) => bytes,
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => {
            // A tree without it is a new one, and the tree would make it one.
            let is_new = !dir.join("tables").exists() || tables(dir)?.is_empty();
            return if is_new { Ok(Vec::new()) } else { Err(fault::corrupt(&current, "it is missing")) };
        }
        Err(error) => return Err(fault::io("read", &current, error)),
    };
    let mut rest = &bytes[..];
    let (Ok(version), Ok(sum), Ok([0]), []) = (take(&mut rest), take(&mut rest), take(&mut rest), rest) else {
        return Err(fault::corrupt(&current, "it is malformed"));
    };
    let manifest = dir.join(format!("v{}", u64::from_le_bytes(version)));
    if !manifest.exists() {
        return Err(fault::corrupt(&current, format!("it names {}, which does not exist", manifest.display())));
    }
    compare(&manifest, u128::from_le_bytes(sum))?;
    let tables = parse(&manifest).map_err(|e| fault::corrupt(&manifest, e.to_string()))?;
    Ok(tables.into_iter().map(|(id, sum)| (dir.join("tables").join(id.to_string()), sum)).collect())
}

/// The tables that a manifest lists, with their checksums.
fn parse(manifest: &Path) -> io::Result<Vec<(u64, u128)>> {
    let archive = sfa::Reader::new(manifest).map_err(|e| io::Error::other(e.to_string()))?;
    let section = archive.toc().section(b"tables").ok_or_else(|| io::Error::other("it lists no tables"))?;
    let mut list = Vec::new();
    section.buf_reader(manifest).map_err(|e| io::Error::other(e.to_string()))?.read_to_end(&mut list)?;
    let rest = &mut &list[..];
    let mut tables = Vec::new();
    let [levels] = take(rest)?;
    for _ in 0..levels {
        let [runs] = take(rest)?;
        for _ in 0..runs {
            for _ in 0..u32::from_le_bytes(take(rest)?) {
                let id = u64::from_le_bytes(take(rest)?);
                let [_kind] = take(rest)?;
                tables.push((id, u128::from_le_bytes(take(rest)?)));
                let _sequence: [u8; 8] = take(rest)?;
            }
        }
    }
    Ok(tables)
}

fn take<const N: usize>(rest: &mut &[u8]) -> io::Result<[u8; N]> {
    let mut taken = [0; N];
    rest.read_exact(&mut taken)?;
    Ok(taken)
}

fn compare(path: &Path, sum: u128) -> Result<(), Error> {
    let found = hash(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => fault::corrupt(path, "it is missing"),
        _ => fault::io("read", path, error),
    })?;
    if found == sum { Ok(()) } else { Err(fault::corrupt(path, "its checksum does not match")) }
}

fn hash(path: &Path) -> io::Result<u128> {
    let mut file = File::open(path)?;
    let mut hasher = Xxh3::new();
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        match file.read(&mut chunk)? {
            0 => return Ok(hasher.digest128()),
            read => hasher.update(&chunk[..read]),
        }
    }
}
