//! A way to break a withdrawal on purpose, which a test must notice: `make mutants-withdraw`. The model of the withdrawal
//! knows it by the same number. It is a cargo feature that no manifest may name.

#[cfg(all(not(debug_assertions), feature = "mutant-m7"))]
compile_error!("a mutant breaks promises on purpose: it is for tests, build it without --release");

/// M7: the check and the write are no critical section any more.
pub(crate) const CHECK_APART_FROM_WRITE: bool = cfg!(feature = "mutant-m7");
