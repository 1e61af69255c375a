//! A device that does what a test says, right or wrong.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use quinn::crypto::rustls::QuicClientConfig;
use quinn::{ClientConfig, Connection, ConnectionError, Endpoint, RecvStream, SendStream, TransportConfig, VarInt};
use sayso_types::TurnId;
use sayso_wire::{
    ALPN, AudioFormat, AudioPacket, Capabilities, Goodbye, GoodbyeReason, Hello, ListenMode, MessageDecoder, ToDevice,
    ToNode, encode,
};

use crate::authority::{Authority, Credential};
use crate::soon;

/// How to connect.
pub(crate) struct Dial {
    pub(crate) crypto: rustls::ClientConfig,
    pub(crate) transport: TransportConfig,
}

impl Dial {
    pub(crate) fn new(node: &Authority, credential: Option<Credential>) -> Self {
        let builder = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_root_certificates(node.roots());
        let mut crypto = match credential {
            Some(Credential { chain, key }) => builder.with_client_auth_cert(chain, key).unwrap(),
            None => builder.with_no_client_auth(),
        };
        crypto.alpn_protocols = vec![ALPN.to_vec()];
        Self { crypto, transport: TransportConfig::default() }
    }

    pub(crate) async fn connect(self, node: SocketAddr) -> Result<Connection, ConnectionError> {
        let endpoint = self.endpoint([127, 0, 0, 1]);
        soon(endpoint.connect(node, "localhost").unwrap()).await
    }

    /// Any number of such devices behind one address.
    pub(crate) fn endpoint(self, address: [u8; 4]) -> Endpoint {
        let mut config = ClientConfig::new(Arc::new(QuicClientConfig::try_from(self.crypto).unwrap()));
        config.transport_config(Arc::new(self.transport));
        let mut endpoint = Endpoint::client((address, 0).into()).unwrap();
        endpoint.set_default_client_config(config);
        endpoint
    }
}

/// One end of a control stream.
pub(crate) struct RawDevice {
    pub(crate) connection: Connection,
    pub(crate) send: SendStream,
    receive: RecvStream,
    decoder: MessageDecoder<ToDevice>,
    unread: Bytes,
}

impl RawDevice {
    /// Opens the control stream. The node sees it with the first bytes.
    pub(crate) async fn open(connection: Connection) -> Self {
        let (send, receive) = soon(connection.open_bi()).await.unwrap();
        Self { connection, send, receive, decoder: MessageDecoder::new(), unread: Bytes::new() }
    }

    pub(crate) async fn say(&mut self, message: &ToNode) {
        let mut bytes = BytesMut::new();
        encode(message, &mut bytes).unwrap();
        self.say_bytes(&bytes).await;
    }

    pub(crate) async fn say_bytes(&mut self, bytes: &[u8]) {
        soon(self.send.write_all(bytes)).await.unwrap();
    }

    /// Waits for the next message; `None` at the end of the stream or connection.
    pub(crate) async fn hear(&mut self) -> Option<ToDevice> {
        loop {
            if let Some(message) = self.decoder.decode(&mut self.unread) {
                return Some(message.unwrap());
            }
            self.unread = soon(self.receive.read_chunk(1_024, true)).await.ok()??.bytes;
        }
    }

    /// Waits for the end: the error and the goodbye of the node, and the code of the closed connection.
    pub(crate) async fn dismissed(&mut self) -> (Option<String>, Goodbye, Option<GoodbyeReason>) {
        let mut error = None;
        let goodbye = loop {
            match self.hear().await.expect("the node says goodbye") {
                ToDevice::Error { code, .. } => error = Some(code),
                ToDevice::Goodbye(goodbye) => break goodbye,
                _ => {}
            }
        };
        assert_eq!(self.hear().await, None, "nothing comes after a goodbye");
        (error, goodbye, closed(&self.connection).await)
    }
}

/// The code with which the node closes a connection.
pub(crate) async fn closed(connection: &Connection) -> Option<GoodbyeReason> {
    match soon(connection.closed()).await {
        ConnectionError::ApplicationClosed(close) => GoodbyeReason::from_close_code(close.error_code.into_inner()),
        other => panic!("not closed by the node: {other}"),
    }
}

pub(crate) fn hello(device: &str) -> Hello {
    Hello {
        versions: vec![1],
        device_id: device.parse().unwrap(),
        firmware: "test".to_owned(),
        capabilities: Capabilities { datagram: true, ..Capabilities::default() },
        uplink: AudioFormat::MONO_16K,
        downlink: AudioFormat::MONO_24K,
        resume_token: None,
        auth_token: None,
        language: None,
    }
}

pub(crate) fn listen(turn: u32) -> ToNode {
    ToNode::ListenStart { turn: TurnId(turn), mode: ListenMode::Auto }
}

pub(crate) fn packet(sequence: u32, bytes: usize) -> AudioPacket {
    AudioPacket { turn: TurnId(1), sequence, timestamp_ms: 20 * sequence, opus: vec![7; bytes].into() }
}

/// No datagrams.
pub(crate) fn streams_only() -> TransportConfig {
    let mut transport = TransportConfig::default();
    transport.datagram_receive_buffer_size(None);
    transport
}

/// Takes next to nothing that it does not read.
pub(crate) fn narrow() -> TransportConfig {
    let mut transport = TransportConfig::default();
    transport.stream_receive_window(VarInt::from_u32(1_024)).receive_window(VarInt::from_u32(1_024));
    transport
}
