//! A cluster in this process, over real QUIC on loopback.

mod cluster;
mod conformance;
mod faults;
mod membership;
mod network;
mod restarting;
mod trust;
mod versions;
