//! [`Limits`]: where a page of a range read ends.

use core::ffi::c_int;

use crate::code::{CLIENT_INVALID_OPERATION, Code, EXACT_MODE_WITHOUT_LIMITS};

const WANT_ALL: c_int = -2;
const ITERATOR: c_int = -1;
const EXACT: c_int = 0;

/// Bytes of a page in the modes SMALL to SERIAL, of which WANT_ALL is the last.
const MODES: [usize; 4] = [256, 1_000, 4_096, 80_000];

/// Bytes of the pages of an iteration; those after have as many as the last.
const ITERATION: [usize; 10] = [4_096, 6_144, 9_216, 13_824, 20_736, 31_104, 46_656, 69_984, 80_000, 120_000];

/// Bytes that a row counts beyond its key and value.
const ROW_BYTES: usize = 8;

/// When a page is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    rows: usize,
    bytes: usize,
    /// Whether the page ends there and nowhere before.
    pub(crate) is_exact: bool,
}

impl Limits {
    /// As the caller of `fdb_transaction_get_range` has them: zero is no limit.
    pub(crate) fn new(rows: c_int, bytes: c_int, mode: c_int, iteration: c_int) -> Result<Self, Code> {
        let limit = |limit: c_int| match usize::try_from(limit) {
            Ok(0) => Ok(usize::MAX),
            Ok(limit) => Ok(limit),
            Err(_) => Err(CLIENT_INVALID_OPERATION),
        };
        let (rows, bytes) = (limit(rows)?, limit(bytes)?);
        let of_mode = match mode {
            EXACT if rows == usize::MAX && bytes == usize::MAX => return Err(EXACT_MODE_WITHOUT_LIMITS),
            EXACT => usize::MAX,
            WANT_ALL => MODES[MODES.len() - 1],
            ITERATOR => match usize::try_from(iteration) {
                Ok(iteration @ 1..) => ITERATION[iteration.min(ITERATION.len()) - 1],
                _ => return Err(CLIENT_INVALID_OPERATION),
            },
            mode => usize::try_from(mode - 1)
                .ok()
                .and_then(|mode| MODES.get(mode))
                .copied()
                .ok_or(CLIENT_INVALID_OPERATION)?,
        };
        Ok(Self { rows, bytes: bytes.min(of_mode), is_exact: mode == EXACT })
    }

    /// Counts a row of `bytes`; says whether the page is full.
    pub(crate) fn take(&mut self, bytes: usize) -> bool {
        self.rows -= 1;
        self.bytes = self.bytes.saturating_sub(bytes + ROW_BYTES);
        self.rows == 0 || self.bytes == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of 92 bytes, which count a hundred, that are on a page.
    fn rows(limits: Result<Limits, Code>) -> usize {
        let mut limits = limits.unwrap();
        (1..).find(|_| limits.take(92)).unwrap()
    }

    #[test]
    fn a_page_is_as_long_as_its_mode_has_it() {
        assert_eq!(rows(Limits::new(0, 0, WANT_ALL, 0)), 800);
        assert_eq!(rows(Limits::new(1_000, 0, ITERATOR, 1)), 41, "however many are asked for");
        assert_eq!(rows(Limits::new(1_000, 0, ITERATOR, 11)), 1_000);
        assert_eq!(rows(Limits::new(2_000, 0, ITERATOR, 11)), 1_200);
        assert_eq!(rows(Limits::new(1_000, 0, EXACT, 0)), 1_000);
        assert_eq!(rows(Limits::new(0, 250, WANT_ALL, 0)), 3, "it ends after its bytes");
        assert_eq!(rows(Limits::new(0, 0, 1, 0)), 3);
    }

    #[test]
    fn what_makes_no_page_is_refused() {
        assert_eq!(Limits::new(0, 0, EXACT, 0), Err(EXACT_MODE_WITHOUT_LIMITS));
        for (rows, mode, iteration) in [(0, ITERATOR, 0), (-1, EXACT, 0), (0, 5, 0), (0, -3, 0)] {
            assert_eq!(Limits::new(rows, 0, mode, iteration), Err(CLIENT_INVALID_OPERATION), "{mode}");
        }
    }
}
