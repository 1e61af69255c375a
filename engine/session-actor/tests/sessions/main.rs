//! Sessions with a real register on a real store, fakes for models and a device that remembers what it was told.

#![expect(clippy::unwrap_used, reason = "the helpers of a test fail as the test itself does")]

mod device;
mod failures;
mod first_contact;
mod guests;
mod keeping;
mod life;
mod limits;
mod listening;
mod node;
mod notices;
mod pictures;
mod slow_store;
mod sound;
mod turns;
mod withdrawal;

use std::time::Duration;

use tokio::time::timeout;

/// Waits for what must happen; not for ever, so that a test that hangs says where.
#[track_caller]
fn soon<T>(work: impl Future<Output = T>) -> impl Future<Output = T> {
    let place = std::panic::Location::caller();
    async move {
        match timeout(Duration::from_secs(40), work).await {
            Ok(done) => done,
            Err(_) => panic!("nothing came of what is waited for at {place}"),
        }
    }
}
