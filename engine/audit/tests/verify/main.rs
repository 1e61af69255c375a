//! What an auditor finds in logs: in sound ones nothing, in damaged ones the damage, in bad ones the deed.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod closing;
mod deeds;
mod log;
mod order;
mod tampering;
mod witnesses;
