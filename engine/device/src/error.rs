//! Why a device cannot do what it was asked to.

use std::net::SocketAddr;
use std::path::PathBuf;

use quinn::{ConnectionError, TransportErrorCode};
use sayso_wire::{Goodbye, GoodbyeReason};

/// Why a device cannot do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No UDP socket, or no room in it.
    #[error("no UDP socket to reach {server} from: {source}")]
    Socket {
        /// The node's address.
        server: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The device's certificate and key do not work, or not together.
    #[error("the device's certificate or key is wrong: {0}; give a PEM chain and the key of its first certificate")]
    Certificate(rustls::Error),
    /// The node's name or address cannot be connected to.
    #[error("cannot connect to {server_name}: {source}")]
    Address {
        /// The configured name.
        server_name: String,
        /// What is wrong with it.
        source: quinn::ConnectError,
    },
    /// Nobody answers, or the connection broke off.
    #[error(
        "no connection with {server}: {source}; check the address, the certificates of both sides, and that the node runs"
    )]
    Connection {
        /// The node's address.
        server: SocketAddr,
        /// What QUIC said.
        source: ConnectionError,
    },
    /// The node does not begin connections now.
    #[error("the node at {server} refuses connections: it is at a limit or shutting down; try again later")]
    Busy {
        /// The node's address.
        server: SocketAddr,
    },
    /// The node answered the hello with a refusal.
    #[error("the node refuses this device ({code}): {text}; {remedy}")]
    Refused {
        /// A short word for why.
        code: String,
        /// The same for people.
        text: String,
        /// What to do.
        remedy: String,
        /// When to come again, and why not now; `None` when the connection ended without it.
        goodbye: Option<Goodbye>,
    },
    /// The node closed the connection with a reason and without a word.
    #[error("the node ended the connection: {0:?}")]
    Closed(GoodbyeReason),
    /// The node did not answer the hello.
    #[error("the node did not welcome the device in time; check that {server} is a node")]
    NoWelcome {
        /// The node's address.
        server: SocketAddr,
    },
    /// The node does not speak the protocol.
    #[error("the node does not speak the device protocol: {0}")]
    Protocol(#[from] sayso_wire::Error),
    /// The connection is over.
    #[error("the connection with the node is over; connect again")]
    Gone,
    /// The microphone was closed, or the connection ended, before everything was said.
    #[error("the microphone was closed before everything was said; start listening first and stop afterwards")]
    CutShort,
    /// Too much waits to be sent.
    #[error("too much waits to be sent to the node")]
    Congested,
    /// The device plays and records one channel.
    #[error("this device is mono, and {direction} asks for {channels} channels")]
    Channels {
        /// `uplink` or `downlink`.
        direction: &'static str,
        /// The channels asked for.
        channels: u8,
    },
    /// The codec or the resampler does not do this.
    #[error(transparent)]
    Audio(#[from] sayso_audio::Error),
    /// A WAV file cannot be read or written.
    #[error("WAV file {path}: {source}", path = .path.display())]
    Wav {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        source: hound::Error,
    },
}

impl Error {
    /// What the end of a connection with `server` means.
    pub(crate) fn lost(server: SocketAddr, source: ConnectionError) -> Self {
        match &source {
            ConnectionError::ConnectionClosed(close) if close.error_code == TransportErrorCode::CONNECTION_REFUSED => {
                Self::Busy { server }
            }
            ConnectionError::ApplicationClosed(close) => {
                match GoodbyeReason::from_close_code(close.error_code.into_inner()) {
                    Some(reason) => Self::Closed(reason),
                    None => Self::Connection { server, source },
                }
            }
            _ => Self::Connection { server, source },
        }
    }
}
