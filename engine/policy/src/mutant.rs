//! Ways to break a withdrawal on purpose, each of which a test must notice: `make mutants-withdraw`. The model of the withdrawal
//! knows them by the same numbers. They are cargo features that no manifest may name. A build may have all of them, and is whole
//! until it is told which to be: so one build serves them all.

#[cfg(all(not(debug_assertions), feature = "mutants"))]
compile_error!("a mutant breaks promises on purpose: it is for tests, build it without --release");

/// Whether this process is to be the mutant of this number, `m1` to `m7`, as the variable `SAYSO_MUTANT` says. Never, in a build
/// without mutants.
#[cfg(not(feature = "mutants"))]
#[must_use]
pub const fn is(_: &str) -> bool {
    false
}

/// Whether this process is to be the mutant of this number, `m1` to `m7`, as the variable `SAYSO_MUTANT` says.
#[cfg(feature = "mutants")]
#[must_use]
pub fn is(number: &str) -> bool {
    static CHOSEN: std::sync::LazyLock<Option<String>> =
        std::sync::LazyLock::new(|| std::env::var("SAYSO_MUTANT").ok());
    CHOSEN.as_deref() == Some(number)
}

/// M7: the check and the write are no critical section any more.
pub(crate) fn checks_apart_from_write() -> bool {
    cfg!(feature = "mutant-m7") && is("m7")
}
