//! [`Inlet`]: where the gateway puts what a device sends.

use std::sync::{Arc, Mutex, PoisonError};

use sayso_session::{DeviceInlet, Full};
use sayso_wire::{AudioPacket, ToNode};

use crate::actor::Mail;
use crate::directory::Directory;
use crate::place::{Place, Seated};

/// One connection's way in. Once a newer connection has taken its place it leads nowhere.
pub(crate) struct Inlet {
    /// The place that the connection leads to, and which of its connections it is.
    seated: Mutex<Seated>,
    directory: Arc<Directory>,
}

impl Inlet {
    pub(crate) fn new(place: Arc<Place>, generation: u64, directory: Arc<Directory>) -> Self {
        Self { seated: Mutex::new((place, generation)), directory }
    }

    /// Where the connection leads now: to another place since somebody else speaks through it.
    fn seated(&self) -> Seated {
        // nothing panics while it is held
        let mut seated = self.seated.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let next = seated.0.link().next(seated.1);
            match next {
                Some(next) => *seated = next,
                None => return seated.clone(),
            }
        }
    }
}

impl DeviceInlet for Inlet {
    fn control(&self, message: ToNode) -> Result<(), Full> {
        let (place, generation) = self.seated();
        if !place.link().is_current(generation) {
            return Ok(());
        }
        // A picture rides in no mailbox.
        if let ToNode::PicturePart { turn, bytes } = &message {
            place.intake.take(*turn, bytes.reveal());
            return Ok(());
        }
        let Ok(room) = Arc::clone(&place.room).try_acquire_owned() else {
            metrics::counter!("sayso_session_control_refused_total").increment(1);
            return Err(Full);
        };
        self.directory.post(&place, Mail::Control(message, room));
        Ok(())
    }

    fn audio(&self, packet: AudioPacket) {
        let (place, generation) = self.seated();
        if !place.link().is_current(generation) || !place.ring.push(packet) {
            return;
        }
        if place.post(Mail::Audio).is_err() {
            // A sleeping session is not listening: only what the device *says* wakes it.
            place.ring.clear();
        }
    }
}

impl Drop for Inlet {
    fn drop(&mut self) {
        let (place, generation) = self.seated();
        if place.link().disconnect(generation) {
            self.directory.disconnected(&place);
        }
    }
}
