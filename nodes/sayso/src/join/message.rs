//! What the two commands say to each other: one request, one answer, each a length of four bytes and JSON.

use std::io;

use sayso_policy::Place;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::config::Config;

/// The version of these messages.
pub(super) const VERSION: u32 = 2;
/// Bytes of a message: a few certificates and a long profile.
const BYTES_MAX: usize = 4 << 20;

/// What a newcomer says last: that it has everything.
pub(super) const FAREWELL: &[u8; 1] = b"!";

/// What a newcomer asks for.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Request {
    pub(super) version: u32,
    /// For its peers: a certificate request, PEM.
    pub(super) peer: String,
    /// For devices and operators: the same.
    pub(super) node: String,
    /// Where it stands, if it says so.
    pub(super) region: Option<Place>,
    /// Names or addresses under which devices reach it.
    pub(super) names: Vec<String>,
    /// That it has the token, in hexadecimal digits.
    pub(super) proof: String,
}

impl Request {
    /// What is proven.
    pub(super) fn parts(&self) -> Vec<&str> {
        let region = self.region.as_ref().map_or("", Place::as_str);
        let mut parts = vec![self.peer.as_str(), self.node.as_str(), region];
        parts.extend(self.names.iter().map(String::as_str));
        parts
    }
}

/// What it is answered. It holds keys, and so has no `Debug`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Answer {
    /// It may join.
    Welcome(Box<Welcome>),
    /// It may not, for this reason.
    Refused(String),
}

/// All that a node needs and does not make itself.
#[derive(Serialize, Deserialize)]
pub(super) struct Welcome {
    /// Its certificates with those of their authorities, PEM: for its peers, for devices and operators.
    pub(super) peer_chain: String,
    pub(super) node_chain: String,
    /// The configuration of the inviting node. Paths are the names of files below.
    pub(super) config: Config,
    /// What it names.
    pub(super) files: Vec<File>,
}

/// A file of a node.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct File {
    pub(super) name: String,
    pub(super) text: String,
    /// Whether only its owner may read it.
    pub(super) is_secret: bool,
}

/// Sends a message.
pub(super) async fn send(stream: &mut (impl AsyncWrite + Unpin), message: &impl Serialize) -> io::Result<()> {
    let body = serde_json::to_vec(message)?;
    let length = u32::try_from(body.len()).map_err(|_| io::ErrorKind::FileTooLarge)?;
    stream.write_all(&length.to_be_bytes()).await?;
    stream.write_all(&body).await?;
    stream.flush().await
}

/// Receives a message.
pub(super) async fn receive<T: DeserializeOwned>(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<T> {
    let length = stream.read_u32().await? as usize;
    if length > BYTES_MAX {
        return Err(io::Error::other(format!("a message of {length} bytes is over the limit of {BYTES_MAX}")));
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    Ok(serde_json::from_slice(&body)?)
}
