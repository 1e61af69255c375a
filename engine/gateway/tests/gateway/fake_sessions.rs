//! Sessions that do what a test says.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use futures::FutureExt;
use futures::future::BoxFuture;
use sayso_runtime::queue;
use sayso_session::{Attach, Attached, DeviceInlet, DeviceOutlet, Full, Refusal, Sessions};
use sayso_types::SessionId;
use sayso_wire::{AUDIO_BYTES_MAX, AudioPacket, Limits, MESSAGE_BYTES_MAX, ToNode, Welcome};

use crate::soon;

/// Hands every device that attaches to the test.
pub(crate) struct FakeSessions {
    attached: queue::Sender<FakeSession>,
    refusal: Mutex<Option<Refusal>>,
}

/// One attached device, as its session sees it.
pub(crate) struct FakeSession {
    pub(crate) attach: Attach,
    pub(crate) outlet: Arc<dyn DeviceOutlet>,
    pub(crate) control: queue::Receiver<ToNode>,
    pub(crate) audio: queue::Receiver<AudioPacket>,
    /// While set, the session takes no messages.
    pub(crate) busy: Arc<AtomicBool>,
}

struct FakeInlet {
    control: queue::Sender<ToNode>,
    audio: queue::Sender<AudioPacket>,
    busy: Arc<AtomicBool>,
}

impl FakeSessions {
    pub(crate) fn new() -> (Arc<Self>, queue::Receiver<FakeSession>) {
        let (attached, sessions) = queue::bounded("fake_sessions", 64);
        (Arc::new(Self { attached, refusal: Mutex::default() }), sessions)
    }

    /// From now on no device gets a session.
    pub(crate) fn refuse(&self, refusal: Refusal) {
        *self.refusal.lock().unwrap() = Some(refusal);
    }
}

impl Sessions for FakeSessions {
    fn attach(&self, attach: Attach, outlet: Arc<dyn DeviceOutlet>) -> BoxFuture<'_, Result<Attached, Refusal>> {
        let refusal = self.refusal.lock().unwrap().clone();
        if let Some(refusal) = refusal {
            return std::future::ready(Err(refusal)).boxed();
        }
        let (control, control_out) = queue::bounded("fake_control", 64);
        let (audio, audio_out) = queue::bounded("fake_audio", 64);
        let busy = Arc::new(AtomicBool::new(false));
        let welcome = Welcome {
            version: 1,
            session_id: SessionId::random(),
            resume_token: None,
            uplink: attach.hello.uplink,
            downlink: attach.hello.downlink,
            limits: Limits {
                message_bytes_max: MESSAGE_BYTES_MAX as u32,
                audio_bytes_max: AUDIO_BYTES_MAX as u32,
                utterance_ms_max: 30_000,
                idle_timeout_ms: 60_000,
            },
            resumed: false,
        };
        let session = FakeSession { attach, outlet, control: control_out, audio: audio_out, busy: busy.clone() };
        assert!(self.attached.try_send(session).is_ok(), "the test takes its sessions");
        std::future::ready(Ok(Attached { welcome, inlet: Box::new(FakeInlet { control, audio, busy }) })).boxed()
    }
}

impl DeviceInlet for FakeInlet {
    fn control(&self, message: ToNode) -> Result<(), Full> {
        if self.busy.load(Ordering::SeqCst) {
            return Err(Full);
        }
        self.control.try_send(message).map_err(|_| Full)
    }

    fn audio(&self, packet: AudioPacket) {
        // as the contract says: what a session cannot take is lost
        let _ = self.audio.try_send(packet);
    }
}

impl FakeSession {
    /// Waits for a message of the device.
    pub(crate) async fn hear(&mut self) -> ToNode {
        soon(self.control.recv()).await.expect("the device is attached")
    }

    /// Waits for a packet of the device.
    pub(crate) async fn listen(&mut self) -> AudioPacket {
        soon(self.audio.recv()).await.expect("the device is attached")
    }

    /// Waits until the device is detached.
    pub(crate) async fn detached(&mut self) {
        soon(async { while self.control.recv().await.is_some() {} }).await;
    }
}
