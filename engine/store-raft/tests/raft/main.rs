//! Clusters over real QUIC on loopback: in this process, and for what a process alone can suffer, of processes.

mod cluster;
mod conformance;
mod faults;
mod membership;
mod network;
mod restarting;
mod processes;
mod trust;
mod versions;
