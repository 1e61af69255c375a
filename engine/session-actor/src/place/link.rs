//! [`Link`]: the device's half of a place.

use std::sync::Arc;

use sayso_runtime::TaskHandle;
use sayso_session::{DeviceOutlet, Full};
use sayso_types::TurnId;
use sayso_wire::{AudioFormat, AudioPacket, Goodbye, Hello, ToDevice};

use super::Place;

/// A place, and which of its connections is meant.
pub(crate) type Seated = (Arc<Place>, u64);

/// The way to the device, and what it said about itself when it connected. Its methods never wait.
pub(crate) struct Link {
    /// Counts the connections.
    generation: u64,
    outlet: Option<Arc<dyn DeviceOutlet>>,
    /// Where the connection went, when somebody else came to speak through it.
    next: Option<Seated>,
    /// The latest turn that was stopped.
    silenced: TurnId,
    /// Ends the place, unless the device comes back first.
    pub(crate) expiry: Option<TaskHandle>,
    pub(crate) firmware: String,
    /// How the device sends sound. Whatever it is: an Opus packet says itself what it is, and is decoded to 16 kHz.
    pub(crate) uplink: AudioFormat,
    /// How sound is sent to the device.
    pub(crate) downlink: AudioFormat,
}

impl Link {
    /// A link to a device that says `hello`, and that is yet to be connected.
    pub(crate) fn new(hello: &Hello) -> Self {
        Self {
            generation: 0,
            outlet: None,
            next: None,
            silenced: TurnId::default(),
            expiry: None,
            firmware: hello.firmware.clone(),
            uplink: hello.uplink,
            downlink: mono(hello.downlink),
        }
    }

    /// Puts a new connection in place of an earlier one, which is returned. The newest wins.
    pub(crate) fn connect(&mut self, outlet: Arc<dyn DeviceOutlet>, hello: &Hello) -> Option<Arc<dyn DeviceOutlet>> {
        self.generation += 1;
        self.expiry = None;
        self.firmware.clone_from(&hello.firmware);
        (self.uplink, self.downlink) = (hello.uplink, mono(hello.downlink));
        self.outlet.replace(outlet)
    }

    /// A link with the connection of this one, which has none any more; [`None`] without a connection.
    pub(crate) fn hand_over(&mut self) -> Option<Self> {
        let outlet = Some(self.outlet.take()?);
        let Self { ref firmware, uplink, downlink, .. } = *self;
        let (firmware, silenced) = (firmware.clone(), TurnId::default());
        Some(Self { generation: 1, outlet, next: None, silenced, expiry: None, firmware, uplink, downlink })
    }

    /// What still comes in on the connection that was handed over belongs to `place`.
    pub(crate) fn goes_on_at(&mut self, place: Arc<Place>) {
        self.next = Some((place, 1));
    }

    /// Where the connection `generation` went, if it was handed over.
    pub(crate) fn next(&self, generation: u64) -> Option<Seated> {
        self.next.clone().filter(|_| self.generation == generation)
    }

    /// Which connection this is.
    pub(crate) const fn generation(&self) -> u64 {
        self.generation
    }

    /// The device of this connection is gone; whether it was the current one.
    pub(crate) fn disconnect(&mut self, generation: u64) -> bool {
        let current = self.generation == generation;
        if current {
            self.outlet = None;
        }
        current
    }

    pub(crate) const fn is_current(&self, generation: u64) -> bool {
        self.generation == generation && self.is_connected()
    }

    pub(crate) const fn is_connected(&self) -> bool {
        self.outlet.is_some()
    }

    pub(crate) fn tell(&self, message: ToDevice) -> Result<(), Full> {
        self.outlet.as_ref().map_or(Ok(()), |outlet| outlet.control(message))
    }

    pub(crate) fn send(&self, packet: AudioPacket) -> Result<(), Full> {
        match &self.outlet {
            Some(outlet) if packet.turn > self.silenced => outlet.audio(packet),
            _ => Ok(()),
        }
    }

    pub(crate) fn silence(&mut self, turn: TurnId) {
        self.silenced = self.silenced.max(turn);
    }

    pub(crate) fn close(&mut self, goodbye: Goodbye) {
        if let Some(outlet) = self.outlet.take() {
            outlet.close(goodbye);
        }
    }
}

/// What a device is sent that asks for this: one voice needs one channel, which every decoder takes.
fn mono(wanted: AudioFormat) -> AudioFormat {
    AudioFormat::new(wanted.sample_rate(), 1, wanted.frame_ms()).expect("one channel is as good as two")
}
