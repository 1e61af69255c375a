//! [`Outlet`]: the session's end of a device's connection.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::BytesMut;
use quinn::{Connection, SendDatagramError};
use sayso_runtime::queue;
use sayso_session::{DeviceOutlet, Full};
use sayso_wire::{AUDIO_HEADER_BYTES, AudioPacket, Goodbye, ToDevice};
use tokio::sync::oneshot;

use crate::metrics::PacketCounters;

/// What a session tells a device. Messages wait in a queue for the connection's task; sound goes straight to QUIC,
/// whose datagram buffer is its queue, and only where no datagram can carry it waits for the task too.
#[derive(Debug)]
pub(crate) struct Outlet {
    connection: Connection,
    /// Whether the device takes sound in datagrams.
    datagrams: bool,
    control: queue::Sender<ToDevice>,
    audio: queue::Sender<AudioPacket>,
    /// Taken by the first [`close`](DeviceOutlet::close); dropped unused when the session is gone without a word.
    closing: Mutex<Option<oneshot::Sender<Goodbye>>>,
    counters: Arc<PacketCounters>,
}

/// The connection's end of an [`Outlet`].
#[derive(Debug)]
pub(crate) struct Outbox {
    pub(crate) control: queue::Receiver<ToDevice>,
    pub(crate) audio: queue::Receiver<AudioPacket>,
    pub(crate) closing: oneshot::Receiver<Goodbye>,
}

impl Outlet {
    /// An outlet to a device, which says whether it takes `datagrams`, with room for this many messages and packets.
    pub(crate) fn new(
        connection: Connection,
        datagrams: bool,
        control_queue: usize,
        audio_queue: usize,
        counters: Arc<PacketCounters>,
    ) -> (Self, Outbox) {
        let (control, control_out) = queue::bounded("gateway_control", control_queue);
        let (audio, audio_out) = queue::bounded("gateway_audio", audio_queue);
        let (closing, closing_out) = oneshot::channel();
        let closing = Mutex::new(Some(closing));
        let outlet = Self { connection, datagrams, control, audio, closing, counters };
        (outlet, Outbox { control: control_out, audio: audio_out, closing: closing_out })
    }

    /// Sends `packet` as a datagram; `false` when no datagram can carry it.
    fn audio_datagram(&self, packet: &AudioPacket) -> Result<bool, Full> {
        let len = AUDIO_HEADER_BYTES + packet.opus.len();
        if !self.datagrams || self.connection.max_datagram_size().is_none_or(|max| len > max) {
            return Ok(false);
        }
        // quinn would make room by dropping the oldest packet; the session is to know, and to lose the newest
        if self.connection.datagram_send_buffer_space() < len {
            self.counters.congested.increment(1);
            return Err(Full);
        }
        let mut datagram = BytesMut::with_capacity(len);
        packet.encode_datagram(&mut datagram).map_err(|_| Full)?;
        match self.connection.send_datagram(datagram.freeze()) {
            Ok(()) => {
                self.counters.sent.increment(1);
                Ok(true)
            }
            // the path's limit shrank in between
            Err(SendDatagramError::TooLarge) => Ok(false),
            Err(_) => Err(Full),
        }
    }
}

impl DeviceOutlet for Outlet {
    fn control(&self, message: ToDevice) -> Result<(), Full> {
        self.control.try_send(message).map_err(|_| Full)
    }

    fn audio(&self, packet: AudioPacket) -> Result<(), Full> {
        if self.audio_datagram(&packet)? {
            return Ok(());
        }
        self.audio.try_send(packet).map_err(|_| {
            self.counters.congested.increment(1);
            Full
        })?;
        self.counters.sent_on_stream.increment(1);
        Ok(())
    }

    fn close(&self, goodbye: Goodbye) {
        if let Some(closing) = self.closing.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // a connection that is gone needs no goodbye
            let _ = closing.send(goodbye);
        }
    }
}
