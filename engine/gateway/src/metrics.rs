//! What a gateway counts. Nothing here names a device.

use std::time::Duration;

use metrics::{Counter, Gauge, counter, gauge, histogram};
use sayso_wire::GoodbyeReason;

/// Counters of what happens with every packet, looked up once.
#[derive(Debug)]
pub(crate) struct PacketCounters {
    /// Packets of sound from devices.
    pub(crate) received: Counter,
    /// Datagrams from devices that are not packets of sound.
    pub(crate) malformed: Counter,
    /// Packets of sound to devices in datagrams.
    pub(crate) sent: Counter,
    /// Packets of sound to devices on the control stream, because no datagram could carry them.
    pub(crate) sent_on_stream: Counter,
    /// Packets of sound to devices that a congested connection did not take.
    pub(crate) congested: Counter,
}

impl PacketCounters {
    pub(crate) fn new() -> Self {
        Self {
            received: counter!("sayso_gateway_audio_received_total"),
            malformed: counter!("sayso_gateway_audio_malformed_total"),
            sent: counter!("sayso_gateway_audio_sent_total", "by" => "datagram"),
            sent_on_stream: counter!("sayso_gateway_audio_sent_total", "by" => "stream"),
            congested: counter!("sayso_gateway_audio_congested_total"),
        }
    }
}

/// Connections, from the first packet to the last.
pub(crate) fn connections() -> Gauge {
    gauge!("sayso_gateway_connections")
}

/// Handshakes under way.
pub(crate) fn handshakes() -> Gauge {
    gauge!("sayso_gateway_handshakes")
}

/// A connection was not even begun.
pub(crate) fn refused(limit: &'static str) {
    counter!("sayso_gateway_refused_total", "limit" => limit).increment(1);
}

/// A device has to prove its address.
pub(crate) fn validated() {
    counter!("sayso_gateway_address_validations_total").increment(1);
}

/// A handshake ended with a connection.
pub(crate) fn handshake_took(time: Duration) {
    histogram!("sayso_gateway_handshake_seconds").record(time);
}

/// The sessions answered for a device.
pub(crate) fn attach_took(time: Duration) {
    histogram!("sayso_gateway_attach_seconds").record(time);
}

/// A handshake ended without a connection.
pub(crate) fn handshake_failed(why: &'static str) {
    counter!("sayso_gateway_handshake_failures_total", "why" => why).increment(1);
}

/// A device was told of an error.
pub(crate) fn error_told(code: &'static str) {
    counter!("sayso_gateway_errors_told_total", "code" => code).increment(1);
}

/// A message of a session could not be encoded.
pub(crate) fn unsendable(code: &'static str) {
    counter!("sayso_gateway_unsendable_total", "code" => code).increment(1);
}

/// A connection ended; without a reason when it was lost.
pub(crate) fn ended(reason: Option<GoodbyeReason>) {
    counter!("sayso_gateway_ended_total", "reason" => reason_name(reason)).increment(1);
}

fn reason_name(reason: Option<GoodbyeReason>) -> &'static str {
    match reason {
        None => "lost",
        Some(GoodbyeReason::Done) => "done",
        Some(GoodbyeReason::ShuttingDown) => "shutting_down",
        Some(GoodbyeReason::Replaced) => "replaced",
        Some(GoodbyeReason::Idle) => "idle",
        Some(GoodbyeReason::Unauthenticated) => "unauthenticated",
        Some(GoodbyeReason::OverLimit) => "over_limit",
        Some(GoodbyeReason::Protocol) => "protocol",
        Some(GoodbyeReason::Internal) => "internal",
        Some(GoodbyeReason::Version) => "version",
    }
}
