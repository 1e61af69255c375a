//! Clusters over real QUIC on loopback: in this process, and for what a process alone can suffer, of processes.

mod cluster;
mod conformance;
mod faults;
mod membership;
mod network;
mod processes;
mod purging;
mod restarting;
mod set_clock;
mod sweeping;
mod trust;
mod versions;
