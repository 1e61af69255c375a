//! The withdrawal protocol, looked through exhaustively.
//!
//! The model follows the code: a process owns the register for as long as its tenure lasts (`tenure`), reads consent
//! and issues permits that last no longer (`register::permits`), checks and hands over in one step (`Permit::pass`), and
//! withdraws as `register::withdrawing` does: request on record, gates closed, holders let go, effect on record, OK. The
//! store is linearizable; between it and the processes every message may be lost, late or duplicated. A process may be
//! stopped at any step, killed and started again, and replaced by the other; one clock may fall behind by a tick.
//!
//! Left out, each on the safe side: permits that are shorter than the tenure, refusals by the store (who is refused goes on
//! and tries again in vain), and the entries of segments in the log.
//!
//! What it assumes: the receiver reads, so that what was handed to a socket is gone within a tick; and the process is not
//! stopped *between* check and write for longer than a tenure. The tests of M7 say what becomes of the second. Permits that are
//! used outside of the process, and a second scope, have a model of their own: [`outside`].
#![expect(clippy::print_stdout, reason = "how much was looked at, and how a mutant breaks the promise")]

mod message;
mod mutants;
mod outside;
mod properties;
mod protocol;
mod search;
mod state;
mod step;
mod whole;
