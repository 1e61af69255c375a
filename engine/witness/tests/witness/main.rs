//! A witness over HTTP, asked by its own client and by whoever sends it something else.

#![expect(clippy::unwrap_used, reason = "a test that meets an error has failed")]

mod asked;
mod setting;
mod strangers;
