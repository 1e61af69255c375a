//! [`TestNode`]: a real gateway in front of a session that does what a test says.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use futures::FutureExt;
use futures::future::BoxFuture;
use sayso_audio::{Encoder, EncoderConfig};
use sayso_device::DeviceOptions;
use sayso_gateway::{Gateway, GatewayOptions, Limits};
use sayso_runtime::{CancellationToken, SystemClock, TaskKind, Tasks};
use sayso_session::{Attach, Attached, DeviceInlet, DeviceOutlet, Full, Refusal, Sessions};
use sayso_types::{SessionId, TurnId};
use sayso_wire::{
    AUDIO_BYTES_MAX, AudioFormat, AudioPacket, Capabilities, ConsentDecision, Goodbye, MESSAGE_BYTES_MAX, SessionState,
    ToDevice, ToNode, Welcome,
};

use crate::certs::{Authority, Identity};

/// Packets in everything that the node says.
const SPEECH_PACKETS: u32 = 5;

/// What a node does about a message.
type Script = fn(&ToNode, &Side);

pub(super) struct TestNode {
    addr: SocketAddr,
    authority: Authority,
    told: Arc<Mutex<Vec<&'static str>>>,
}

impl TestNode {
    pub(super) fn start(script: Script, tasks: &Tasks) -> Self {
        let authority = Authority::new("test").unwrap();
        let issued = authority.node(&["localhost".to_owned()]).unwrap();
        let mut tls = Identity::of(&issued).unwrap().gateway_tls(None).unwrap();
        tls.device_roots = authority.roots().unwrap();
        let listen = (Ipv4Addr::LOCALHOST, 0).into();
        let options = GatewayOptions { listen, tls, tokens: None, limits: Limits::default() };
        let told = Arc::default();
        let sessions = Arc::new(TestSessions { script, told: Arc::clone(&told) });
        let gateway = Gateway::bind(options, sessions, tasks.clone(), Arc::new(SystemClock::new())).unwrap();
        let addr = gateway.local_addr();
        tasks.spawn(TaskKind::Listener, "gateway", gateway.run(CancellationToken::new())).detach();
        Self { addr, authority, told }
    }

    pub(super) fn device_options(&self) -> DeviceOptions {
        let device_id = "speaker-1".parse().unwrap();
        let issued = self.authority.device(&"home".parse().unwrap(), &device_id).unwrap();
        DeviceOptions {
            server: self.addr,
            server_name: "localhost".to_owned(),
            roots: self.authority.roots().unwrap(),
            identity: Identity::of(&issued).unwrap().device(),
            device_id,
            firmware: "test".to_owned(),
            capabilities: Capabilities::default(),
            uplink: AudioFormat::MONO_16K,
            downlink: AudioFormat::MONO_24K,
            resume_token: None,
            language: None,
            save: None,
        }
    }

    /// What it was told so far, but for how far play-out is.
    pub(super) fn told(&self) -> Vec<&'static str> {
        self.told.lock().unwrap().clone()
    }
}

struct TestSessions {
    script: Script,
    told: Arc<Mutex<Vec<&'static str>>>,
}

impl Sessions for TestSessions {
    fn attach(&self, attach: Attach, outlet: Arc<dyn DeviceOutlet>) -> BoxFuture<'_, Result<Attached, Refusal>> {
        let welcome = Welcome {
            version: 1,
            session_id: SessionId::random(),
            resume_token: None,
            uplink: attach.hello.uplink,
            downlink: attach.hello.downlink,
            limits: sayso_wire::Limits {
                message_bytes_max: MESSAGE_BYTES_MAX as u32,
                audio_bytes_max: AUDIO_BYTES_MAX as u32,
                utterance_ms_max: 30_000,
                idle_timeout_ms: 60_000,
            },
            resumed: false,
        };
        let side = Side { script: self.script, outlet, turn: AtomicU32::new(0), told: Arc::clone(&self.told) };
        std::future::ready(Ok(Attached { welcome, inlet: Box::new(side) })).boxed()
    }
}

/// The node's side of a conversation.
pub(super) struct Side {
    script: Script,
    outlet: Arc<dyn DeviceOutlet>,
    turn: AtomicU32,
    told: Arc<Mutex<Vec<&'static str>>>,
}

impl Side {
    pub(super) fn tell(&self, message: ToDevice) {
        self.outlet.control(message).unwrap();
    }

    pub(super) fn state(&self, state: SessionState) {
        self.tell(ToDevice::StateChanged { state, turn: TurnId(self.turn.load(Ordering::SeqCst)) });
    }

    /// Says a little silence, as a turn of its own.
    pub(super) fn speak(&self) {
        let turn = TurnId(self.turn.fetch_add(1, Ordering::SeqCst) + 1);
        self.tell(ToDevice::SpeechStart { turn });
        self.state(SessionState::Speaking);
        let format = AudioFormat::MONO_24K;
        let mut encoder = Encoder::new(format.sample_rate(), format.frame_ms(), &EncoderConfig::default()).unwrap();
        let frame = vec![0; encoder.frame_samples()];
        for sequence in 0..SPEECH_PACKETS {
            let opus = encoder.encode(&frame).unwrap().to_vec().into();
            let timestamp_ms = sequence * format.frame_ms();
            self.outlet.audio(AudioPacket { turn, sequence, timestamp_ms, opus }).unwrap();
        }
        self.tell(ToDevice::SpeechEnd { turn, total_ms: SPEECH_PACKETS * format.frame_ms() });
    }

    pub(super) fn close(&self, goodbye: Goodbye) {
        self.outlet.close(goodbye);
    }

    pub(super) fn was_told(&self, what: &str) -> bool {
        self.told.lock().unwrap().contains(&what)
    }
}

impl DeviceInlet for Side {
    fn control(&self, message: ToNode) -> Result<(), Full> {
        self.told.lock().unwrap().extend(name(&message));
        (self.script)(&message, self);
        Ok(())
    }

    fn audio(&self, _packet: AudioPacket) {}
}

fn name(message: &ToNode) -> Option<&'static str> {
    match message {
        ToNode::ListenStart { .. } => Some("listen_start"),
        ToNode::ListenStop { .. } => Some("listen_stop"),
        ToNode::TextInput { .. } => Some("text"),
        ToNode::ConsentAnswer { decision: ConsentDecision::Agree, .. } => Some("agree"),
        ToNode::ConsentAnswer { .. } => Some("refuse"),
        ToNode::PlayoutPosition { finished: true, .. } => Some("played"),
        _ => None,
    }
}
