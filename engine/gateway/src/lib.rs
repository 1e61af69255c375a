//! QUIC front door for devices.
//!
//! ```text
//!  Endpoint ──▶ Admission ──▶ TLS handshake ──▶ Hello ──▶ Identity ──▶ Sessions::attach ──▶ Connection
//!               per node,     ALPN sayso/1      within    certificate                        one task, that moves
//!               per source                      a time    or token                           messages and sound
//! ```
//!
//! It knows QUIC, who a device is, and the contract [`Sessions`](sayso_session::Sessions); of conversations it knows
//! nothing. One device in trouble is told so, and no other notices.

mod admission;
mod connection;
mod control;
mod error;
mod farewell;
mod gateway;
mod greeting;
mod identity;
mod metrics;
mod options;
mod outlet;
mod tls;

pub use error::Error;
pub use gateway::Gateway;
pub use options::{GatewayOptions, Limits, Tls};
