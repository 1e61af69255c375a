//! Ways to break a withdrawal on purpose, each of which a test must notice: `make mutants-withdraw`. The model in
//! `tests/model` knows them by the same numbers. They are cargo features that no manifest may name.

#[cfg(all(
    not(debug_assertions),
    any(feature = "mutant-m1", feature = "mutant-m2", feature = "mutant-m4", feature = "mutant-m5")
))]
compile_error!("a mutant breaks promises on purpose: it is for tests, build it without --release");

/// M1: a withdrawal takes no permit back, and so waits for nobody.
pub(crate) const NOTHING_TAKEN_BACK: bool = cfg!(feature = "mutant-m1");

/// M2: OK is said though a holder has not let go.
pub(crate) const NO_WAIT: bool = cfg!(feature = "mutant-m2");

/// M4: a standby leaves no margin for clocks that drift apart.
pub(crate) const NO_MARGIN: bool = cfg!(feature = "mutant-m4");

/// M5: a standby takes over without waiting for the end of the tenure.
pub(crate) const NO_FENCING: bool = cfg!(feature = "mutant-m5");
