//! Ways to break a withdrawal on purpose, each of which a test must notice: `make mutants-withdraw`. The model in
//! `tests/model` knows them by the same numbers. They are cargo features that no manifest may name, and each also has to be
//! [chosen](sayso_policy::mutant).

use sayso_policy::mutant;

/// M1: a withdrawal takes no permit back, and so waits for nobody.
pub(crate) fn takes_nothing_back() -> bool {
    cfg!(feature = "mutant-m1") && mutant::is("m1")
}

/// M2: OK is said though a holder has not let go.
pub(crate) fn does_not_wait() -> bool {
    cfg!(feature = "mutant-m2") && mutant::is("m2")
}

/// M4: a standby leaves no margin for clocks that drift apart.
pub(crate) fn has_no_margin() -> bool {
    cfg!(feature = "mutant-m4") && mutant::is("m4")
}

/// M5: a standby takes over without waiting for the end of the tenure.
pub(crate) fn does_not_fence() -> bool {
    cfg!(feature = "mutant-m5") && mutant::is("m5")
}
