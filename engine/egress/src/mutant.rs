//! Ways to break a withdrawal on purpose, each of which a test must notice: `make mutants-withdraw`. The model of the
//! withdrawal knows them by the same numbers. They are cargo features that no manifest may name, and each also has to be
//! [chosen](sayso_policy::mutant).

use sayso_consent::Lease;
use sayso_policy::mutant;

use crate::Outcome;

/// Whether to be one of them.
pub(crate) fn is_chosen() -> bool {
    (cfg!(feature = "mutant-m3") && mutant::is("m3")) || goes_on()
}

/// M6.
fn goes_on() -> bool {
    cfg!(feature = "mutant-m6") && mutant::is("m6")
}

/// As it is where nothing is broken, but that the lease is let go while the work is still there (M3), or that the work
/// even goes on then, behind the gate (M6).
pub(crate) async fn run(lease: Lease, work: impl Future<Output = Outcome> + Send) {
    let mut work = core::pin::pin!(work);
    let outcome = tokio::select! {
        biased;
        () = lease.revoked() => None,
        outcome = &mut work => Some(outcome),
    };
    lease.finish(outcome.map_or("revoked", |outcome| outcome.0));
    if goes_on() && outcome.is_none() {
        work.await;
    }
}
