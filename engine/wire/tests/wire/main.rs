//! The protocol as others see it: its bytes, its laws, and what it makes of input that keeps to neither.

#![expect(clippy::unwrap_used, reason = "this whole target is tests")]

mod strategies;

mod garbage;
mod golden;
mod refused;
mod round_trip;
mod seeds;
