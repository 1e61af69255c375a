//! [`BareServer`]: the parts that a node is made of, and nothing else.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, anyhow};
use opus::Channels;
use quinn::crypto::rustls::QuicServerConfig;
use quinn::{Endpoint, Incoming, ServerConfig, TransportConfig, VarInt};
use rustls::pki_types::PrivateKeyDer;
use sayso_audio::{Aggressiveness, FRAME_SAMPLES, RATE, Vad};
use sayso_wire::{ALPN, AUDIO_HEADER_BYTES};

use super::{LOOPBACK, Spec, Stats};

/// Streams that a client may open at a time. quinn keeps state for each: with its default of 100 an idle connection
/// would take a quarter more, and be no floor.
const STREAMS_MAX: u32 = 8;

pub(super) struct BareServer {
    pub(super) addr: SocketAddr,
    frames: Arc<AtomicU64>,
}

impl BareServer {
    #[expect(clippy::disallowed_methods, reason = "the floor is what one gets without the engine's Tasks")]
    pub(super) fn start(spec: Spec) -> Result<Self> {
        let endpoint = Endpoint::server(config(spec)?, LOOPBACK).context("cannot listen")?;
        let (addr, frames) = (endpoint.local_addr()?, Arc::new(AtomicU64::new(0)));
        let count = frames.clone();
        tokio::spawn(async move {
            while let Some(incoming) = endpoint.accept().await {
                tokio::spawn(serve(incoming, count.clone()));
            }
        });
        Ok(Self { addr, frames })
    }

    pub(super) fn stats(&self) -> Stats {
        Stats { frames: self.frames.load(Ordering::Relaxed), ..Stats::default() }
    }
}

/// Listens to one client until it leaves, or sends what is not sound.
async fn serve(incoming: Incoming, frames: Arc<AtomicU64>) -> Result<()> {
    let connection = incoming.await?;
    // made with the first sound, as an engine would
    let mut ear = None;
    let mut pcm = [0; FRAME_SAMPLES];
    loop {
        let datagram = connection.read_datagram().await?;
        let (decoder, vad) = match &mut ear {
            Some(ear) => ear,
            none => none.insert((
                opus::Decoder::new(RATE.0, Channels::Mono)?,
                // webrtc-vad's own type does not move between threads
                Vad::new(RATE, Aggressiveness::default())?,
            )),
        };
        let samples = decoder.decode(&datagram[AUDIO_HEADER_BYTES..], &mut pcm, false)?;
        std::hint::black_box(vad.is_voice(&pcm[..samples])?);
        frames.fetch_add(1, Ordering::Relaxed);
        connection.send_datagram(datagram)?;
    }
}

fn config(spec: Spec) -> Result<ServerConfig> {
    let key = PrivateKeyDer::try_from(spec.key).map_err(|why| anyhow!("the server's key: {why}"))?;
    let mut crypto = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_no_client_auth()
        .with_single_cert(vec![spec.certificate.into()], key)?;
    crypto.alpn_protocols = vec![ALPN.to_vec()];
    let mut config = ServerConfig::with_crypto(Arc::new(QuicServerConfig::try_from(crypto)?));
    let mut transport = TransportConfig::default();
    transport
        .max_concurrent_bidi_streams(VarInt::from_u32(STREAMS_MAX))
        .max_concurrent_uni_streams(VarInt::from_u32(STREAMS_MAX));
    config.transport_config(Arc::new(transport));
    Ok(config)
}
