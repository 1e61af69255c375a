//! [`Inlet`]: where the gateway puts what a device sends.

use std::sync::Arc;

use sayso_session::{DeviceInlet, Full};
use sayso_wire::{AudioPacket, ToNode};

use crate::actor::Mail;
use crate::directory::Directory;
use crate::place::Place;

/// One connection's way in. Once a newer connection has taken its place it leads nowhere.
pub(crate) struct Inlet {
    /// Which connection of the place it is.
    pub(crate) generation: u64,
    pub(crate) place: Arc<Place>,
    pub(crate) directory: Arc<Directory>,
}

impl DeviceInlet for Inlet {
    fn control(&self, message: ToNode) -> Result<(), Full> {
        if !self.place.link().is_current(self.generation) {
            return Ok(());
        }
        // A picture rides in no mailbox.
        if let ToNode::PicturePart { turn, bytes } = &message {
            self.place.intake.take(*turn, bytes.reveal());
            return Ok(());
        }
        let Ok(room) = Arc::clone(&self.place.room).try_acquire_owned() else {
            metrics::counter!("sayso_session_control_refused_total").increment(1);
            return Err(Full);
        };
        self.directory.post(&self.place, Mail::Control(message, room));
        Ok(())
    }

    fn audio(&self, packet: AudioPacket) {
        if !self.place.link().is_current(self.generation) || !self.place.ring.push(packet) {
            return;
        }
        if self.place.post(Mail::Audio).is_err() {
            // A sleeping session is not listening: only what the device *says* wakes it.
            self.place.ring.clear();
        }
    }
}

impl Drop for Inlet {
    fn drop(&mut self) {
        if self.place.link().disconnect(self.generation) {
            self.directory.disconnected(&self.place);
        }
    }
}
