//! A cluster in this process, over real QUIC on loopback.

mod cluster;
mod conformance;
mod membership;
mod trust;
