//! QUIC front door for devices.
