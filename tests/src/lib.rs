//! The harness of end-to-end tests: the real program, real certificates, real models, real disks.
//!
//! ```text
//! Sayso ──init──▶ Installation ──serve──▶ Node ──▶ kill, terminate, limit
//!                   ├─ operator() ──gRPC──▶ Admin: consent, withdrawal, the audit log and its proof
//!                   ├─ device() ───QUIC──▶ TestDevice: somebody who talks
//!                   └─ connect() ──QUIC──▶ whatever a stranger sends
//! ```
//!
//! A test waits on a state (a log line, an event of a device, the end of a process) and never for a time; what does
//! not come within [`PATIENCE`] fails the test with what the processes said. The tests themselves lie with the program
//! that they run, in `nodes/sayso/tests`, because Cargo then builds it for them.

mod admin;
mod device;
mod installation;
mod node;
mod object_store;
mod process;
mod program;
pub mod recordings;
pub mod stranger;

use std::time::Duration;

pub use admin::{Admin, TENANT};
pub use device::TestDevice;
pub use installation::{Installation, free_tcp_address, free_udp_address};
pub use node::Node;
pub use object_store::FakeObjectStore;
pub use process::{Finished, Process};
pub use program::Sayso;

/// How long anything may take before it counts as broken: far longer than it should on a busy machine, and less than
/// what the runner allows a test, so that the test can say what it waited for.
pub const PATIENCE: Duration = Duration::from_secs(200);

/// Waits for `future`.
///
/// # Panics
/// When it takes longer than [`PATIENCE`]; the message says that it was waiting for `what`.
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("waited too long for {what}"))
}
