//! What a store does before it is open: check, replay, go on where it stopped.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sayso_store::Error;
use sayso_store::decide::{Commit, Tokens};

use crate::index::{FIRST_SEQUENCE, Index};
use crate::keeper::Keeper;
use crate::log::{Log, Mark, Segment};
use crate::writer::Writer;
use crate::{LocalOptions, fault, log, manifest};

/// Brings the store in `dir` to where its last commit left it.
pub(crate) fn recover(dir: &Path, options: &LocalOptions) -> Result<Writer, Error> {
    let (tree_dir, log_dir) = (dir.join("tree"), dir.join("log"));
    fault::create_dir(&log_dir)?;
    let segments = log::segments(&log_dir)?;
    // Before the first of them is taken in, because that may write a table.
    segments.iter().try_for_each(|segment| Segment::require_known(segment))?;
    manifest::verify(&tree_dir)?;
    let index = Arc::new(Index::open(&tree_dir, options.cache_bytes)?);
    let is_new = segments.is_empty() && index.persisted().is_none();
    let mark = Mark::open(dir, FIRST_SEQUENCE, is_new)?;
    let keeper = Keeper::start(Arc::clone(&index), dir)?;
    let (log, next) = replay(&log_dir, &segments, &index, &keeper, mark)?;
    index.publish(next);
    let mut tokens = Tokens::default();
    for (sequence, token) in index.tokens()? {
        tokens.remember(token, sequence);
    }
    Ok(Writer { index, log, keeper, tokens, next, memtable_bytes: options.memtable_bytes })
}

/// Takes in what the log holds and the tables do not. Gives back the log, ready to go on, and the sequence of the next
/// commit.
fn replay(dir: &Path, segments: &[PathBuf], index: &Index, keeper: &Keeper, mark: Mark) -> Result<(Log, u64), Error> {
    let Some((last, closed)) = segments.split_last() else {
        if !mark.is_new() || index.persisted().is_some() {
            return Err(fault::corrupt(dir, "the log is missing"));
        }
        return Ok((Log::create(dir, FIRST_SEQUENCE, mark)?, FIRST_SEQUENCE));
    };
    let unpersisted = index.persisted().map_or(FIRST_SEQUENCE, |last| last + 1);
    let mut next = log::base_of(closed.first().unwrap_or(last))?;
    if next > unpersisted || log::base_of(last)? < mark.base {
        return Err(fault::corrupt(dir, format!("a segment is missing; the oldest begins with commit {next}")));
    }
    let take_in = |commit: Commit| {
        if commit.sequence >= unpersisted {
            index.apply(&commit);
        }
    };
    for path in closed {
        Segment::read(path, &mut next, false, &mark, take_in)?;
        keeper.room()?;
        index.rotate();
        keeper.flush(path.clone());
    }
    let segment = Segment::read(last, &mut next, true, &mark, take_in)?;
    if next < unpersisted {
        return Err(fault::corrupt(last, format!("it ends before commit {unpersisted}, which is in a table")));
    }
    Ok((Log::resume(dir, &segment, mark)?, next))
}
