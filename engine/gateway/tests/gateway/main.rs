//! A gateway over real QUIC on loopback, with devices that do right and wrong, and sessions that are fakes.

#![expect(clippy::unwrap_used, reason = "a test that meets an error has failed")]

mod authority;
mod fake_sessions;
mod node;
mod raw_device;

mod authentication;
mod conversation;
mod drain;
mod limits;
mod misbehaviour;
mod reference_device;
mod start;

use std::future::Future;
use std::time::Duration;

/// Waits for something that is certain to come; a hang is a failure.
pub(crate) async fn soon<T>(event: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), event).await.expect("it comes soon")
}
