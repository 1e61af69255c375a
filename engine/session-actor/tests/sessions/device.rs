//! A device that does what a test says, and remembers what it was told.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use bytes::Bytes;
use sayso_session::{Attach, Attached, DeviceInlet, DeviceOutlet, Full, Refusal, Sessions};
use sayso_types::{Clock, Mono, PictureFormat, Redacted, TurnId};
use sayso_wire::{
    AudioFormat, AudioPacket, Capabilities, Goodbye, GoodbyeReason, Hello, ListenMode, PictureOffer, ResumeToken,
    SessionState, ToDevice, ToNode, Welcome,
};
use tokio::sync::watch;

use crate::node::{Node, device_id, tenant};
use crate::soon;

/// What reached the device.
#[derive(Clone, Debug)]
pub(crate) enum Seen {
    Message(ToDevice),
    Packet(AudioPacket, Mono),
    Goodbye(Goodbye),
}

/// How the device takes what it is told.
#[derive(Clone, Copy)]
#[repr(u8)]
pub(crate) enum Manner {
    Takes,
    Full,
    Panics,
    PanicsAtSound,
}

/// Where the node puts what the device should receive.
struct Outlet {
    seen: watch::Sender<Vec<Seen>>,
    clock: Arc<dyn Clock>,
    manner: AtomicU8,
}

impl Outlet {
    fn take(&self, seen: Seen) -> Result<(), Full> {
        match self.manner.load(Ordering::SeqCst) {
            m if m == Manner::Full as u8 => Err(Full),
            m if m == Manner::Panics as u8 => panic!("on purpose"),
            m if m == Manner::PanicsAtSound as u8 && matches!(seen, Seen::Packet(..)) => panic!("on purpose"),
            _ => {
                self.seen.send_modify(|all| all.push(seen));
                Ok(())
            }
        }
    }
}

impl DeviceOutlet for Outlet {
    fn control(&self, message: ToDevice) -> Result<(), Full> {
        self.take(Seen::Message(message))
    }

    fn audio(&self, packet: AudioPacket) -> Result<(), Full> {
        self.take(Seen::Packet(packet, self.clock.now()))
    }

    fn close(&self, goodbye: Goodbye) {
        self.seen.send_modify(|all| all.push(Seen::Goodbye(goodbye)));
    }
}

pub(crate) struct Device {
    pub(crate) welcome: Welcome,
    outlet: Arc<Outlet>,
    seen: watch::Receiver<Vec<Seen>>,
    /// How much of what was seen was looked at.
    looked: usize,
    inlet: Box<dyn DeviceInlet>,
    /// The device's own count of what it sends.
    turn: TurnId,
    sequence: u32,
}

impl Device {
    pub(crate) async fn connect(node: &Node, device: &str) -> Self {
        Self::try_connect(node, hello(device)).await.unwrap()
    }

    /// Connects again with the token of an earlier connection.
    pub(crate) async fn resume(node: &Node, device: &str, token: Option<ResumeToken>) -> Self {
        Self::try_connect(node, Hello { resume_token: token, ..hello(device) }).await.unwrap()
    }

    pub(crate) async fn try_connect(node: &Node, hello: Hello) -> Result<Self, Refusal> {
        let (sender, seen) = watch::channel(Vec::new());
        let outlet = Outlet { seen: sender, clock: node.clock.clone(), manner: AtomicU8::new(Manner::Takes as u8) };
        let outlet = Arc::new(outlet);
        let attach = Attach { tenant: tenant(), device: hello.device_id.clone(), hello };
        let Attached { welcome, inlet } = soon(node.sessions.attach(attach, outlet.clone())).await?;
        Ok(Self { welcome, outlet, seen, looked: 0, inlet, turn: TurnId(0), sequence: 0 })
    }

    pub(crate) fn behave(&self, manner: Manner) {
        self.outlet.manner.store(manner as u8, Ordering::SeqCst);
    }

    pub(crate) fn send(&self, message: ToNode) {
        self.try_send(message).unwrap();
    }

    pub(crate) fn try_send(&self, message: ToNode) -> Result<(), Full> {
        self.inlet.control(message)
    }

    /// Opens the microphone.
    pub(crate) fn listen(&mut self, mode: ListenMode) {
        self.turn = self.turn.next();
        self.sequence = 0;
        self.send(ToNode::ListenStart { turn: self.turn, mode });
    }

    pub(crate) fn stop(&self) {
        self.send(ToNode::ListenStop { turn: self.turn });
    }

    /// Offers a picture.
    pub(crate) fn offer(&mut self, bytes: usize, question: &str) {
        self.turn = self.turn.next();
        let question = Redacted::new(question.to_owned());
        self.send(ToNode::PictureOffer(PictureOffer { turn: self.turn, format: PictureFormat::Jpeg, bytes, question }));
    }

    /// Sends a part of what it offered last.
    pub(crate) fn show(&self, part: &[u8]) {
        self.send(ToNode::PicturePart { turn: self.turn, bytes: Redacted::new(Bytes::copy_from_slice(part)) });
    }

    /// Waits until the node takes what it offered last.
    pub(crate) async fn told_wanted(&mut self) {
        let turn = self.turn;
        self.told(|m| (*m == ToDevice::PictureWanted { turn }).then_some(())).await;
    }

    pub(crate) fn write(&self, text: &str) {
        self.send(ToNode::TextInput { turn: TurnId(1_000), text: Redacted::new(text.to_owned()) });
    }

    /// Sends packets, all at once.
    pub(crate) fn say(&mut self, packets: &[Bytes]) {
        let frame_ms = self.welcome.uplink.frame_ms();
        for opus in packets {
            let timestamp_ms = self.sequence * frame_ms;
            self.inlet.audio(AudioPacket {
                turn: self.turn,
                sequence: self.sequence,
                timestamp_ms,
                opus: opus.clone(),
            });
            self.sequence += 1;
        }
    }

    /// Sends this packet, whatever it says about itself.
    pub(crate) fn say_packet(&self, packet: AudioPacket) {
        self.inlet.audio(packet);
    }

    /// Everything that was seen so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.borrow().clone()
    }

    /// Looks away: what was seen so far is not looked at.
    pub(crate) fn look_away(&mut self) {
        self.looked = self.seen.borrow().len();
    }

    /// Waits for the next thing that `find` finds; what comes before it is not looked at again.
    pub(crate) async fn until<T>(&mut self, find: impl Fn(&Seen) -> Option<T>) -> T {
        let looked = self.looked;
        let found = |all: &[Seen]| all[looked..].iter().enumerate().find_map(|(n, seen)| Some((n, find(seen)?)));
        self.seen.wait_for(|all| found(all).is_some()).await.unwrap();
        let (n, found) = found(&self.seen.borrow()).unwrap();
        self.looked += n + 1;
        found
    }

    /// Waits for a message that `find` finds.
    pub(crate) async fn told<T>(&mut self, find: impl Fn(&ToDevice) -> Option<T>) -> T {
        self.until(|seen| match seen {
            Seen::Message(message) => find(message),
            Seen::Packet(..) | Seen::Goodbye(_) => None,
        })
        .await
    }

    pub(crate) async fn told_state(&mut self, wanted: SessionState) {
        self.told(|m| matches!(m, ToDevice::StateChanged { state, .. } if *state == wanted).then_some(())).await;
    }

    pub(crate) async fn told_error(&mut self) -> String {
        let code = |m: &ToDevice| match m {
            ToDevice::Error { code, .. } => Some(code.clone()),
            _ => None,
        };
        self.told(code).await
    }

    pub(crate) async fn told_goodbye(&mut self) -> GoodbyeReason {
        let reason = |seen: &Seen| match seen {
            Seen::Goodbye(goodbye) => Some(goodbye.reason),
            _ => None,
        };
        self.until(reason).await
    }

    /// Hears the next speech out; its turn and its sentences.
    pub(crate) async fn hear_out(&mut self) -> (TurnId, Vec<String>) {
        let from = self.looked;
        let end = |m: &ToDevice| match m {
            ToDevice::SpeechEnd { turn, total_ms } => Some((*turn, *total_ms)),
            _ => None,
        };
        let (turn, played_ms) = self.told(end).await;
        self.send(ToNode::PlayoutPosition { turn, played_ms, finished: true });
        let sentence = |seen: &Seen| match seen {
            Seen::Message(ToDevice::Sentence { turn: of, text, .. }) if *of == turn => Some(text.reveal().clone()),
            _ => None,
        };
        (turn, self.seen.borrow()[from..].iter().filter_map(sentence).collect())
    }

    /// Hears out what is said until the session does what is `wanted`.
    pub(crate) async fn hear_until(&mut self, wanted: SessionState) {
        let next = |m: &ToDevice| match m {
            ToDevice::SpeechEnd { turn, total_ms } => Some(Some((*turn, *total_ms))),
            ToDevice::StateChanged { state, .. } if *state == wanted => Some(None),
            _ => None,
        };
        while let Some((turn, played_ms)) = self.told(next).await {
            self.send(ToNode::PlayoutPosition { turn, played_ms, finished: true });
        }
    }

    /// The packets of `turn` so far, and when they came.
    pub(crate) fn packets(&self, turn: TurnId) -> Vec<(AudioPacket, Mono)> {
        let packet = |seen: &Seen| match seen {
            Seen::Packet(packet, at) if packet.turn == turn => Some((packet.clone(), *at)),
            _ => None,
        };
        self.seen.borrow().iter().filter_map(packet).collect()
    }
}

pub(crate) fn hello(device: &str) -> Hello {
    Hello {
        versions: vec![1],
        device_id: device_id(device),
        firmware: "speaker 1.0".to_owned(),
        capabilities: Capabilities { datagram: true, barge_in: true, screen: true },
        uplink: AudioFormat::MONO_16K,
        downlink: AudioFormat::MONO_16K,
        resume_token: None,
        auth_token: None,
        language: None,
    }
}
