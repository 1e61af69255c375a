//! Ways to break a withdrawal on purpose, each of which a test must notice: `make mutants-withdraw`. The model of the
//! withdrawal knows them by the same numbers. They are cargo features that no manifest may name.

use sayso_consent::Lease;

use crate::Outcome;

#[cfg(not(debug_assertions))]
compile_error!("a mutant breaks promises on purpose: it is for tests, build it without --release");

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
    if cfg!(feature = "mutant-m6") && outcome.is_none() {
        work.await;
    }
}
