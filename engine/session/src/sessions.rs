//! The contract between whoever holds a device's connection and whoever holds its conversation.

use std::sync::Arc;

use futures::future::BoxFuture;
use sayso_types::{DeviceId, TenantId};
use sayso_wire::{AudioPacket, Goodbye, Hello, ToDevice, ToNode, Welcome};

/// A bounded queue is full. The caller decides what that means; nothing was enqueued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the queue is full")]
pub struct Full;

/// Why a device gets no session.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A named limit of this node is reached.
    #[error("{what} is at its limit of {limit}")]
    OverLimit {
        /// What is full, such as `sessions`.
        what: &'static str,
        /// The limit in force.
        limit: usize,
    },
    /// The node is about to stop.
    #[error("the node is shutting down")]
    ShuttingDown,
    /// The service has ended, for good.
    #[error("the service has ended: nothing is collected any more")]
    ServiceEnded,
    /// The subject's consent state could not be read, and without it nothing may flow.
    #[error("the consent register cannot be read: {0}")]
    Register(String),
}

/// A device that has proved who it is and wants to talk.
#[derive(Clone, Debug)]
pub struct Attach {
    /// Whose device it is.
    pub tenant: TenantId,
    /// Which device: authenticated, so it may differ from nothing that `hello` claims.
    pub device: DeviceId,
    /// What it said about itself.
    pub hello: Hello,
}

/// The device's place in its conversation.
pub struct Attached {
    /// What to tell the device first.
    pub welcome: Welcome,
    /// Where to put what it sends. Dropping it detaches the device.
    pub inlet: Box<dyn DeviceInlet>,
}

impl core::fmt::Debug for Attached {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Attached").field("welcome", &self.welcome).finish_non_exhaustive()
    }
}

/// What a device sends goes in here. Neither method waits.
pub trait DeviceInlet: Send + Sync {
    /// A message of the device.
    ///
    /// # Errors
    /// [`Full`] when the device sends control messages faster than the session handles them; tell the device.
    fn control(&self, message: ToNode) -> Result<(), Full>;

    /// A packet of sound. When the session lags, the oldest waiting packet is dropped and counted.
    fn audio(&self, packet: AudioPacket);
}

/// What a device should receive goes in here. No method waits.
pub trait DeviceOutlet: Send + Sync {
    /// A message for the device, in order.
    ///
    /// # Errors
    /// [`Full`] when the device does not take its messages; the session treats the connection as lost.
    fn control(&self, message: ToDevice) -> Result<(), Full>;

    /// A packet of sound.
    ///
    /// # Errors
    /// [`Full`] when the connection is congested; the packet is lost, as it would be on the air.
    fn audio(&self, packet: AudioPacket) -> Result<(), Full>;

    /// Ends the connection after what was sent before, telling the device why.
    fn close(&self, goodbye: Goodbye);
}

/// Where conversations are.
pub trait Sessions: Send + Sync + 'static {
    /// Attaches a device to its conversation, starting or waking it. The newest connection of a device wins: an
    /// earlier one is closed with [`GoodbyeReason::Replaced`](sayso_wire::GoodbyeReason::Replaced).
    ///
    /// # Errors
    /// A [`Refusal`] that the gateway tells the device.
    fn attach(&self, device: Attach, outlet: Arc<dyn DeviceOutlet>) -> BoxFuture<'_, Result<Attached, Refusal>>;
}
