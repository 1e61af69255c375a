//! What every provider must do, as checks that any implementation runs: fakes, models in this process, services over
//! a network.
//!
//! A check panics with what the provider did wrong. `all` in each module runs the checks that need no preparation;
//! the others (a provider that hangs, say) take one that the caller prepared. Some return what was
//! [`Passed`](sayso_policy::permit::Passed), for callers that can see the receiving side and compare.

mod bench;
pub mod responder;
pub mod synthesizer;
pub mod transcriber;
pub mod viewer;

pub use bench::{Bench, Refusal};
