//! [`PeerAddress`]: where a node is reached by its peers.

use core::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

/// Where a node is reached by its peers: HOST:PORT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PeerAddress {
    host: String,
    port: u16,
}

impl FromStr for PeerAddress {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const EXPECTED: &str = "expected HOST:PORT, such as 10.0.0.1:4435";
        let (host, port) = text.rsplit_once(':').ok_or(EXPECTED)?;
        let port = port.parse().ok().filter(|port| *port != 0).ok_or(EXPECTED)?;
        if host.is_empty() {
            return Err(EXPECTED);
        }
        Ok(Self { host: host.to_owned(), port })
    }
}

impl fmt::Display for PeerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl PeerAddress {
    /// The machine.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Where a node that is reached there listens: on all addresses of its machine, because the one that others use need
    /// not be its own; on loopback, if that is where it is reached.
    pub(crate) fn listen(&self) -> SocketAddr {
        let address = self.host.trim_start_matches('[').trim_end_matches(']').parse().ok();
        match address.filter(IpAddr::is_loopback) {
            Some(loopback) => (loopback, self.port).into(),
            None => (Ipv4Addr::UNSPECIFIED, self.port).into(),
        }
    }
}
