//! [`Inlet`]: where the gateway puts what a device sends.

use core::sync::atomic::Ordering;
use std::sync::Arc;

use sayso_session::{DeviceInlet, Full};
use sayso_wire::{AudioPacket, ToNode};

use crate::actor::Message;
use crate::options::CONTROL_WAITING_MAX;
use crate::place::Place;
use crate::sessions::Directory;

/// One connection's way in. Once a newer connection has taken its place it leads nowhere.
pub(crate) struct Inlet {
    pub(crate) generation: u64,
    pub(crate) place: Arc<Place>,
    pub(crate) directory: Arc<Directory>,
}

impl DeviceInlet for Inlet {
    fn control(&self, message: ToNode) -> Result<(), Full> {
        if !self.place.is_current(self.generation) {
            return Ok(());
        }
        if self.place.control_waiting.fetch_add(1, Ordering::AcqRel) >= CONTROL_WAITING_MAX {
            self.place.control_waiting.fetch_sub(1, Ordering::AcqRel);
            metrics::counter!("sayso_session_control_refused_total").increment(1);
            return Err(Full);
        }
        self.directory.post(&self.place, Message::Control(message));
        Ok(())
    }

    fn audio(&self, packet: AudioPacket) {
        // A sleeping session is not listening: only what the device *says* wakes it.
        if self.place.ring.push(packet) {
            let _ = self.place.post(Message::Audio);
        }
    }
}

impl Drop for Inlet {
    fn drop(&mut self) {
        if self.place.disconnect(self.generation) {
            self.directory.disconnected(&self.place);
        }
    }
}
