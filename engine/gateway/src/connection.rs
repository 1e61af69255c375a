//! One device's connection: one task that moves messages and sound between QUIC and the session.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use quinn::{Connection, VarInt};
use sayso_session::DeviceInlet;
use sayso_wire::{AudioPacket, ToDevice, ToNode};
use tokio::time::timeout;

use crate::admission::Slot;
use crate::control::{Arrival, Outgoing};
use crate::farewell::{Farewell, report};
use crate::gateway::Shared;
use crate::greeting::{Denied, Greeted, greet};
use crate::metrics;

/// How long a device has to take the last messages: a few round trips of a poor link.
const FAREWELL_WITHIN: Duration = Duration::from_secs(2);

/// Bytes of replies to a device that wait before it is read on: it may make the node answer, but not hoard answers.
const REPLIES_BYTES_MAX: usize = 8 * 1_024;

/// Serves one device from its first packet to its last. `number` stands for it in logs.
pub(crate) async fn serve(shared: Arc<Shared>, incoming: quinn::Incoming, mut slot: Slot, number: u64) {
    let Some(connection) = shake_hands(&shared, incoming).await else {
        return;
    };
    slot.handshake_done();
    // on the heap, and gone with the last word of it: what stays is what an idle device costs
    let greeting = Box::pin(async {
        tokio::select! {
            greeted = greet(&shared, &connection) => greeted,
            () = shared.draining.cancelled() => {
                let farewell = Some(Farewell::shutting_down(shared.reconnect_in(number)));
                Err(Denied { farewell, outgoing: None })
            }
        }
    });
    let (farewell, outgoing) = match greeting.await {
        Ok(greeted) => {
            tracing::debug!(connection = number, session = %greeted.session, "device attached");
            talk(&shared, &connection, greeted, number).await
        }
        Err(Denied { farewell, outgoing }) => (farewell, outgoing),
    };
    let reason = farewell.as_ref().map(|f| f.goodbye.reason);
    if let Some(farewell) = farewell {
        Box::pin(part(&connection, farewell, outgoing)).await;
    }
    metrics::ended(reason);
    tracing::debug!(connection = number, ?reason, "device connection ended");
}

async fn shake_hands(shared: &Shared, incoming: quinn::Incoming) -> Option<Connection> {
    let began = shared.clock.now();
    let connecting = incoming.accept().inspect_err(|_| metrics::handshake_failed("refused")).ok()?;
    match timeout(Duration::from_millis(shared.limits.handshake_ms), connecting).await {
        Ok(Ok(connection)) => {
            metrics::handshake_took(shared.clock.now().since(began));
            Some(connection)
        }
        Ok(Err(error)) => {
            // which certificate or protocol name was offered is the device's affair; what was wrong with it is not
            metrics::handshake_failed("failed");
            tracing::debug!(%error, "handshake failed");
            None
        }
        Err(_) => {
            metrics::handshake_failed("timeout");
            None
        }
    }
}

/// Moves messages and sound until one side leaves; says what to tell the device, unless it is gone.
async fn talk(
    shared: &Shared,
    connection: &Connection,
    greeted: Greeted,
    number: u64,
) -> (Option<Farewell>, Option<Outgoing>) {
    let Greeted { mut incoming, mut outgoing, inlet, mut outbox, .. } = greeted;
    let mut draining = pin!(shared.draining.cancelled());
    let farewell = loop {
        tokio::select! {
            arrival = incoming.next(), if outgoing.len() < REPLIES_BYTES_MAX => match arrival {
                Ok(arrival) => {
                    if let Some(farewell) = hear(arrival, &*inlet, &mut outgoing) {
                        break Some(farewell);
                    }
                }
                Err(_) => break None,
            },
            datagram = connection.read_datagram() => match datagram {
                Ok(datagram) => listen(shared, datagram, &*inlet),
                Err(_) => break None,
            },
            Some(message) = outbox.control.recv(), if outgoing.is_empty() => outgoing.push(&message),
            Some(packet) = outbox.audio.recv(), if outgoing.is_empty() => outgoing.push(&ToDevice::Audio(packet)),
            written = outgoing.write(), if !outgoing.is_empty() => if written.is_err() {
                break None;
            },
            goodbye = &mut outbox.closing => {
                break Some(goodbye.map_or_else(|_| Farewell::internal("the conversation ended unexpectedly"), Farewell::goodbye));
            }
            () = &mut draining => break Some(Farewell::shutting_down(shared.reconnect_in(number))),
        }
    };
    // what the session said before goes before
    while let Some(message) = outbox.control.try_recv() {
        outgoing.push(&message);
    }
    (farewell, Some(outgoing))
}

/// Takes in what came on the control stream; says when that ends the connection.
fn hear(arrival: Arrival, inlet: &dyn DeviceInlet, outgoing: &mut Outgoing) -> Option<Farewell> {
    match arrival {
        Arrival::Message(ToNode::Audio(packet)) => inlet.audio(packet),
        Arrival::Message(ToNode::Hello(_)) => {
            outgoing.push(&report(
                "hello_unexpected",
                "the device has said hello before",
                "send one Hello a connection",
            ));
        }
        Arrival::Message(message) => {
            let leaves = matches!(message, ToNode::Goodbye(_));
            if inlet.control(message).is_err() {
                let remedy = "wait for the answers to what was sent";
                outgoing.push(&report("too_many_messages", "a message was not taken: too many wait", remedy));
            }
            return leaves.then(Farewell::done);
        }
        Arrival::Bad(error) if error.is_fatal() => return Some(Farewell::protocol(&error)),
        Arrival::Bad(error) => {
            metrics::error_told(error.code());
            outgoing.push(&error.report());
        }
        Arrival::Finished => return Some(Farewell::done()),
    }
    None
}

/// Takes in a datagram. One that is not sound is counted; telling the device would cost more than it did.
fn listen(shared: &Shared, datagram: Bytes, inlet: &dyn DeviceInlet) {
    match AudioPacket::decode_datagram(datagram) {
        Ok(packet) => {
            shared.counters.received.increment(1);
            inlet.audio(packet);
        }
        Err(_) => shared.counters.malformed.increment(1),
    }
}

/// Tells the device why the connection ends, then ends it.
async fn part(connection: &Connection, farewell: Farewell, outgoing: Option<Outgoing>) {
    let code = VarInt::from_u32(farewell.goodbye.reason.close_code());
    let text = farewell.goodbye.text.clone();
    if let Some(mut outgoing) = outgoing {
        if let Some(error) = farewell.error {
            outgoing.push(&error);
        }
        outgoing.push(&ToDevice::Goodbye(farewell.goodbye));
        // a device that does not take it in time still gets the code
        let _ = timeout(FAREWELL_WITHIN, outgoing.finish()).await;
    }
    connection.close(code, text.as_bytes());
}
