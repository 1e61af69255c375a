//! [`TestDevice`]: a device in this process, with somebody in front of it who does what a test says.

use std::net::SocketAddr;

use rustls::RootCertStore;
use sayso_device::{Device, DeviceEvent, DeviceOptions, Error, Events, Identity, Played};
use sayso_runtime::Tasks;
use sayso_types::{DeviceId, Pcm};
use sayso_wire::{AudioFormat, Capabilities, ConsentDecision, ConsentStatus, ListenMode, SessionState, ToDevice};

use crate::within;

/// A connected device, and what happens to it.
#[derive(Debug)]
pub struct TestDevice {
    /// For what has no word here.
    pub device: Device,
    events: Events,
    state: SessionState,
}

impl TestDevice {
    pub(crate) async fn connect(
        server: SocketAddr,
        roots: RootCertStore,
        identity: Identity,
        device_id: DeviceId,
    ) -> Result<Self, Error> {
        let options = DeviceOptions {
            server,
            server_name: "localhost".to_owned(),
            roots,
            identity,
            device_id,
            firmware: "test".to_owned(),
            capabilities: Capabilities { datagram: true, barge_in: true, screen: true },
            uplink: AudioFormat::MONO_16K,
            downlink: AudioFormat::MONO_24K,
            resume_token: None,
            language: Some("en".to_owned()),
            save: None,
        };
        // its tasks end when the device is dropped
        let (device, events) = Device::connect(options, &Tasks::new()).await?;
        Ok(Self { device, events, state: SessionState::Idle })
    }

    /// Waits until `found` makes something of an event.
    ///
    /// # Panics
    /// When the connection ends, or nothing comes of what comes.
    pub async fn until<T>(&mut self, what: &str, mut found: impl FnMut(&DeviceEvent) -> Option<T>) -> T {
        let waiting = async {
            loop {
                let event = self.events.next().await.unwrap_or_else(|| panic!("waited for {what}; the device is gone"));
                if let DeviceEvent::Node(ToDevice::StateChanged { state, .. }) = &event {
                    self.state = *state;
                }
                if let Some(found) = found(&event) {
                    return found;
                }
                assert!(!matches!(event, DeviceEvent::Ended(_)), "waited for {what}, but {event:?}");
            }
        };
        within(what, waiting).await
    }

    /// Starts to listen and is asked for consent; the number of the question and its text.
    pub async fn asked(&mut self) -> (String, String) {
        self.device.listen_start(ListenMode::Realtime).expect("the device is connected");
        self.until("the consent question", |event| match event {
            DeviceEvent::Node(ToDevice::ConsentPrompt { prompt_id, text, .. }) => {
                Some((prompt_id.clone(), text.clone()))
            }
            _ => None,
        })
        .await
    }

    /// Waits until what the node says was played to its end.
    pub async fn until_played(&mut self) -> Played {
        self.until("the end of what the node says", |event| match event {
            DeviceEvent::Played(played) => Some(played.clone()),
            _ => None,
        })
        .await
    }

    /// Presses yes to the question `prompt`, and waits until consent holds.
    pub async fn agree(&mut self, prompt: &str) {
        self.device.answer_consent(prompt, ConsentDecision::Agree).expect("the device is connected");
        self.until_consent(ConsentStatus::Given).await;
    }

    /// Waits until the node says that this is how consent stands now.
    pub async fn until_consent(&mut self, expected: ConsentStatus) {
        self.until("a change of consent", |event| match event {
            DeviceEvent::Node(ToDevice::ConsentChanged { status, .. }) => (*status == expected).then_some(()),
            _ => None,
        })
        .await;
    }

    /// Waits until the node listens.
    pub async fn until_listening(&mut self) {
        if self.state != SessionState::Listening {
            self.until("the node to listen", |event| match event {
                DeviceEvent::Node(ToDevice::StateChanged { state: SessionState::Listening, .. }) => Some(()),
                _ => None,
            })
            .await;
        }
    }

    /// Starts to listen, and does so without being asked for consent.
    ///
    /// # Panics
    /// When it is asked.
    pub async fn listens_unasked(&mut self) {
        self.device.listen_start(ListenMode::Realtime).expect("the device is connected");
        self.until("the node to listen", |event| match event {
            DeviceEvent::Node(ToDevice::ConsentPrompt { .. }) => panic!("consent was given before"),
            DeviceEvent::Node(ToDevice::StateChanged { state: SessionState::Listening, .. }) => Some(()),
            _ => None,
        })
        .await;
    }

    /// Begins to say `sound`, and waits until the node hears a voice. The rest of it is said meanwhile.
    ///
    /// # Panics
    /// When the node does not hear it.
    pub async fn begin(&mut self, sound: &Pcm) {
        let device = self.device.clone();
        let heard = self.until("the node to hear a voice", |event| match event {
            DeviceEvent::Node(ToDevice::VoiceActivity { speaking: true, .. }) => Some(()),
            _ => None,
        });
        tokio::select! {
            said = device.say(sound) => panic!("it was said, and not heard: {said:?}"),
            () = heard => {}
        }
    }

    /// Types `question`, and hears a sentence with `word` in it to its end.
    pub async fn hears(&mut self, question: &str, word: &str) -> Played {
        self.device.say_text(question).expect("the device is connected");
        self.until_sentence(word).await
    }

    /// Hears an answer with `word` in it to its end.
    pub async fn until_sentence(&mut self, word: &str) -> Played {
        let what = format!("an answer with {word:?} in it");
        let turn = self.until(&what, |event| match event {
            DeviceEvent::Node(ToDevice::Sentence { text, turn, .. }) => text.reveal().contains(word).then_some(*turn),
            _ => None,
        });
        let turn = turn.await;
        self.until("the end of an answer", |event| match event {
            DeviceEvent::Played(played) => (played.turn == turn).then(|| played.clone()),
            _ => None,
        })
        .await
    }

    /// Waits for an error; its code.
    pub async fn until_error(&mut self) -> String {
        self.until("an error", |event| match event {
            DeviceEvent::Node(ToDevice::Error { code, .. }) => Some(code.clone()),
            _ => None,
        })
        .await
    }
}
