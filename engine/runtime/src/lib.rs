//! How processes live: tasks, shutdown, telemetry, configuration, system clock, core dumps.
//!
//! Everything here is about the process, nothing about what it does. It is the only crate that spawns, reads the
//! system's clocks and makes queues; every other crate is handed a [`Tasks`], a [`Clock`](sayso_types::Clock) or a
//! [`queue`] and so can be tested without any of them.

mod clock;
pub mod config;
pub mod process;
pub mod queue;
pub mod shutdown;
pub mod tasks;
pub mod telemetry;

pub use clock::SystemClock;
pub use tasks::{TaskHandle, TaskKind, Tasks};
pub use tokio_util::sync::CancellationToken;
