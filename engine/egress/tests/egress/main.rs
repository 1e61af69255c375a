//! The door on a real register and store, with fakes behind it that count what reaches them.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod calls;
mod forgetting;
mod providers;
mod redacting;
mod viewing;
mod watching;
mod withdrawing;
mod world;
