//! A device that is attached and says nothing.

use std::sync::Arc;

use sayso_session::{Attach, Attached, DeviceOutlet, Full, Sessions};
use sayso_session_actor::ActorSessions;
use sayso_wire::{AudioFormat, AudioPacket, Capabilities, Goodbye, Hello, ToDevice};

struct Deaf;

impl DeviceOutlet for Deaf {
    fn control(&self, _: ToDevice) -> Result<(), Full> {
        Ok(())
    }

    fn audio(&self, _: AudioPacket) -> Result<(), Full> {
        Ok(())
    }

    fn close(&self, _: Goodbye) {}
}

/// Attaches `device`. Dropping what is returned detaches it.
pub(crate) async fn attach(sessions: &ActorSessions, tenant: &str, device: &str) -> Attached {
    let hello = Hello {
        versions: vec![1],
        device_id: device.parse().unwrap(),
        firmware: "speaker 1.0".to_owned(),
        capabilities: Capabilities::default(),
        uplink: AudioFormat::MONO_16K,
        downlink: AudioFormat::MONO_24K,
        resume_token: None,
        auth_token: None,
        language: None,
    };
    let attach = Attach { tenant: tenant.parse().unwrap(), device: device.parse().unwrap(), hello };
    sessions.attach(attach, Arc::new(Deaf)).await.unwrap()
}
