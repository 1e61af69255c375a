//! What a device is, and where its node is.

use std::net::SocketAddr;
use std::path::PathBuf;

use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sayso_types::{DeviceId, Redacted};
use sayso_wire::{AudioFormat, Capabilities, ResumeToken};

/// Everything that a device needs to connect.
#[derive(Debug)]
pub struct DeviceOptions {
    /// The node's UDP address.
    pub server: SocketAddr,
    /// The name in the node's certificate.
    pub server_name: String,
    /// Who may vouch for the node.
    pub roots: RootCertStore,
    /// How the device proves who it is.
    pub identity: Identity,
    /// Who it is.
    pub device_id: DeviceId,
    /// What runs on it: at most 64 printable ASCII characters.
    pub firmware: String,
    /// What it can do. Without `datagram`, all sound goes on the control stream.
    pub capabilities: Capabilities,
    /// How it sends sound; mono.
    pub uplink: AudioFormat,
    /// How it wants to receive sound; mono.
    pub downlink: AudioFormat,
    /// From an earlier welcome, to go on with that session.
    pub resume_token: Option<ResumeToken>,
    /// BCP 47 tag of the language to speak; `None` leaves it to the node.
    pub language: Option<String>,
    /// A directory for what was played, as `answer-<turn>.wav`; `None` keeps nothing.
    pub save: Option<PathBuf>,
}

/// How a device proves who it is.
#[derive(Debug)]
pub enum Identity {
    /// By a certificate whose subject has the device id as CN and the tenant as O.
    Certificate {
        /// The device's certificate, then those that vouch for it.
        chain: Vec<CertificateDer<'static>>,
        /// Its private key.
        key: PrivateKeyDer<'static>,
    },
    /// By a device token (see [`sayso_wire::token`]).
    Token(Redacted<String>),
}
