//! One conversation, as pure logic, and the contract through which a gateway reaches conversations.
//!
//! [`Sessions`] is all that a gateway knows: it attaches a device and gets an inlet for what the device sends; it
//! gives an outlet for what the device should receive. Which actor, node or store is behind it is none of its
//! business, and a session never knows whether its device is connected to this node or another.

pub mod sessions;

pub use sessions::{Attach, Attached, DeviceInlet, DeviceOutlet, Full, Refusal, Sessions};
