//! [`Device`]: one device, connected.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use quinn::{Connection, Endpoint};
use sayso_runtime::{TaskHandle, TaskKind, Tasks, queue};
use sayso_types::{Name, Pcm, Picture, Purpose, Redacted, TurnId};
use sayso_wire::{
    AudioFormat, ConsentDecision, Goodbye, GoodbyeReason, Hello, ListenMode, PictureOffer, ToDevice, ToNode, VERSIONS,
    Welcome,
};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::camera::Camera;
use crate::event::{Ended, Events};
use crate::link::{Control, Link};
use crate::microphone::{Microphone, SOUNDS_MAX, Sound};
use crate::options::{DeviceOptions, Identity};
use crate::speaker::Speaker;
use crate::uplink::Uplink;
use crate::{Error, tls};

/// How long connecting may take, and the welcome after it: the node's own limits, with some air.
const CONNECT_WITHIN: Duration = Duration::from_secs(20);

/// A connected device. Clones are the same device; it disconnects when the last is dropped.
#[derive(Clone, Debug)]
pub struct Device {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    welcome: Welcome,
    uplink: Uplink,
    format: AudioFormat,
    sounds: queue::Sender<Sound>,
    listening: watch::Sender<Option<TurnId>>,
    camera: Camera,
    /// The latest turn that the device has counted.
    turn: AtomicU32,
    _link: TaskHandle,
    _microphone: TaskHandle,
}

impl Device {
    /// Connects to a node and is welcomed by it.
    ///
    /// # Errors
    /// [`Error`] says what is wrong with the options, the connection or, in the node's words, the device.
    pub async fn connect(options: DeviceOptions, tasks: &Tasks) -> Result<(Self, Events), Error> {
        check_mono("uplink", options.uplink)?;
        check_mono("downlink", options.downlink)?;
        let server = options.server;
        let connection = timeout(CONNECT_WITHIN, open(&options)).await.map_err(|_| Error::NoWelcome { server })??;
        let greeting = timeout(CONNECT_WITHIN, greet(&connection, &options)).await;
        let (control, welcome) = greeting.map_err(|_| Error::NoWelcome { server })??;

        let (uplink, outbox) = Uplink::new(connection.clone());
        let (events, events_out) = Events::queue();
        let (sounds, sounds_out) = queue::bounded("device_sounds", SOUNDS_MAX);
        let listening = watch::Sender::new(None);
        let format = welcome.uplink;
        let microphone =
            Microphone { uplink: uplink.clone(), format, sounds: sounds_out, listening: listening.subscribe() };
        let speaker = Speaker::new(welcome.downlink, options.save.is_some());
        let camera = Camera::default();
        let link = Link {
            connection,
            control,
            outbox,
            speaker,
            camera: camera.clone(),
            sending: None,
            events,
            save: options.save,
            tasks: tasks.clone(),
        };
        let inner = Inner {
            welcome,
            uplink,
            format,
            sounds,
            listening,
            camera,
            turn: AtomicU32::new(0),
            _link: tasks.spawn(TaskKind::Client, "device link", link.run()),
            _microphone: tasks.spawn(TaskKind::Client, "device microphone", microphone.run()),
        };
        Ok((Self { inner: Arc::new(inner) }, events_out))
    }

    /// What the node said first.
    #[must_use]
    pub fn welcome(&self) -> &Welcome {
        &self.inner.welcome
    }

    /// Opens the microphone; the turn that it listens for.
    ///
    /// # Errors
    /// [`Error::Gone`] or [`Error::Congested`].
    pub fn listen_start(&self, mode: ListenMode) -> Result<TurnId, Error> {
        let turn = self.next_turn();
        self.inner.uplink.send(ToNode::ListenStart { turn, mode })?;
        self.inner.listening.send_replace(Some(turn));
        Ok(turn)
    }

    /// Closes the microphone; with push to talk, the utterance is over. Nothing happens when it is closed already.
    ///
    /// # Errors
    /// [`Error::Gone`] or [`Error::Congested`].
    pub fn listen_stop(&self) -> Result<(), Error> {
        match self.inner.listening.send_replace(None) {
            Some(turn) => self.inner.uplink.send(ToNode::ListenStop { turn }),
            None => Ok(()),
        }
    }

    /// Says `sound` in real time, after what is being said; returns when it has been said. It waits until the
    /// microphone is open.
    ///
    /// # Errors
    /// [`Error::CutShort`] when the microphone was closed, or the connection ended, in the middle;
    /// [`Error::Congested`] when too much waits to be said.
    pub async fn say(&self, sound: &Pcm) -> Result<(), Error> {
        let (sound, said) = Sound::new(sound, self.inner.format)?;
        self.inner.sounds.try_send(sound).map_err(|error| match error {
            queue::TrySendError::Full(_) => Error::Congested,
            queue::TrySendError::Closed(_) => Error::Gone,
        })?;
        said.await.map_err(|_| Error::CutShort)
    }

    /// Types `text` instead of speaking; its turn.
    ///
    /// # Errors
    /// [`Error::Gone`] or [`Error::Congested`].
    pub fn say_text(&self, text: &str) -> Result<TurnId, Error> {
        let turn = self.next_turn();
        self.inner.uplink.send(ToNode::TextInput { turn, text: Redacted::new(text.to_owned()) })?;
        Ok(turn)
    }

    /// Shows `picture` to the node, with what the person asks about it (empty for what it shows); its turn. The picture is
    /// sent when the node says that it wants it.
    ///
    /// # Errors
    /// [`Error::Gone`] or [`Error::Congested`].
    pub fn show(&self, picture: &Picture, question: &str) -> Result<TurnId, Error> {
        let turn = self.next_turn();
        self.inner.camera.keep(turn, picture);
        let (format, bytes) = (picture.format(), picture.bytes().len());
        let question = Redacted::new(question.to_owned());
        self.inner.uplink.send(ToNode::PictureOffer(PictureOffer { turn, format, bytes, question }))?;
        Ok(turn)
    }

    /// Wants quiet: the answer of `turn` stops.
    ///
    /// # Errors
    /// [`Error::Gone`] or [`Error::Congested`].
    pub fn abort(&self, turn: TurnId) -> Result<(), Error> {
        self.inner.uplink.send(ToNode::Abort { turn })
    }

    /// Answers the consent question `prompt_id` with a button.
    ///
    /// # Errors
    /// [`Error::Gone`] or [`Error::Congested`].
    pub fn answer_consent(&self, prompt_id: &str, decision: ConsentDecision) -> Result<(), Error> {
        self.inner.uplink.send(ToNode::ConsentAnswer { prompt_id: prompt_id.to_owned(), decision, purpose: None })
    }

    /// Takes consent back, for one purpose or for all.
    ///
    /// # Errors
    /// [`Error::Gone`] or [`Error::Congested`].
    pub fn withdraw_consent(&self, purpose: Option<Purpose>) -> Result<(), Error> {
        let decision = ConsentDecision::Withdraw;
        self.inner.uplink.send(ToNode::ConsentAnswer { prompt_id: String::new(), decision, purpose })
    }

    /// Tells that somebody took `capability` (`microphone`, ...) away in the device's settings, or gave it back.
    ///
    /// # Errors
    /// [`Error::Gone`] or [`Error::Congested`].
    pub fn permission_changed(&self, capability: Name, granted: bool) -> Result<(), Error> {
        self.inner.uplink.send(ToNode::PermissionChanged { capability, granted })
    }

    /// Tells that somebody who is not the owner of the device talks to it from here on, or has left.
    ///
    /// # Errors
    /// [`Error::Gone`] or [`Error::Congested`].
    pub fn guest_mode(&self, on: bool) -> Result<(), Error> {
        self.inner.uplink.send(ToNode::GuestMode { on })
    }

    /// Says goodbye, and returns when the connection is over.
    pub async fn goodbye(&self) {
        let goodbye = Goodbye { reason: GoodbyeReason::Done, text: String::new(), reconnect_in: None };
        if self.inner.uplink.send(ToNode::Goodbye(goodbye)).is_err() {
            self.inner.uplink.close();
        }
        self.inner.uplink.ended().await;
    }

    fn next_turn(&self) -> TurnId {
        TurnId(self.inner.turn.fetch_add(1, Ordering::Relaxed).wrapping_add(1))
    }
}

fn check_mono(direction: &'static str, format: AudioFormat) -> Result<(), Error> {
    match format.channels() {
        1 => Ok(()),
        channels => Err(Error::Channels { direction, channels }),
    }
}

async fn open(options: &DeviceOptions) -> Result<Connection, Error> {
    let DeviceOptions { server, server_name, roots, identity, capabilities, .. } = options;
    let config = tls::client_config(roots.clone(), identity, capabilities.datagram)?;
    let any = match server {
        SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
    };
    let endpoint = Endpoint::client(any).map_err(|source| Error::Socket { server: *server, source })?;
    let connecting = endpoint
        .connect_with(config, *server, server_name)
        .map_err(|source| Error::Address { server_name: server_name.clone(), source })?;
    connecting.await.map_err(|source| Error::lost(*server, source))
}

/// Says hello and waits for the welcome.
async fn greet(connection: &Connection, options: &DeviceOptions) -> Result<(Control, Welcome), Error> {
    let lost = |source| Error::lost(options.server, source);
    let (send, receive) = connection.open_bi().await.map_err(lost)?;
    let mut control = Control::new(send, receive);
    let hello = Hello {
        versions: VERSIONS.to_vec(),
        device_id: options.device_id.clone(),
        firmware: options.firmware.clone(),
        capabilities: options.capabilities,
        uplink: options.uplink,
        downlink: options.downlink,
        resume_token: options.resume_token.clone(),
        auth_token: match &options.identity {
            Identity::Certificate { .. } => None,
            Identity::Token(token) => Some(token.clone()),
        },
        language: options.language.clone(),
    };
    // a refusal may overtake the hello: what the node says is what counts
    let _ = control.say(&ToNode::Hello(hello)).await;
    let mut refused = None;
    loop {
        match control.hear().await {
            Ok(ToDevice::Welcome(welcome)) => return Ok((control, welcome)),
            Ok(ToDevice::Error { code, text, remedy, .. }) => refused = Some((code, text, remedy)),
            Ok(ToDevice::Goodbye(goodbye)) => {
                let (code, text, remedy) = refused.unwrap_or_else(|| {
                    (format!("{:?}", goodbye.reason), goodbye.text.clone(), "connect again when told".to_owned())
                });
                return Err(Error::Refused { code, text, remedy, goodbye: Some(goodbye) });
            }
            Ok(_) => {}
            Err(Ended::Protocol(error)) => return Err(Error::Protocol(error)),
            Err(_) => return Err(lost(connection.closed().await)),
        }
    }
}
