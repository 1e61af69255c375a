//! [`Link`]: the task that holds a device's connection: messages both ways, and the loudspeaker.

use std::future::ready;
use std::path::PathBuf;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use quinn::{Connection, RecvStream, SendStream, VarInt};
use sayso_runtime::{TaskKind, Tasks, queue};
use sayso_wire::{AudioPacket, Goodbye, MessageDecoder, ToDevice, ToNode, encode};
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::camera::{Camera, Shot};
use crate::event::{DeviceEvent, Ended, Played};
use crate::speaker::{BEAT_MS, Finished, Report, Speaker};
use crate::uplink::Outbox;
use crate::wav;

/// How long the node has to take the last message.
const FAREWELL_WITHIN: Duration = Duration::from_secs(2);

/// Most bytes taken from QUIC at a time.
const CHUNK_BYTES_MAX: usize = 4_096;

/// The control stream as the device sees it. Every wait can be given up without losing a byte.
#[derive(Debug)]
pub(crate) struct Control {
    send: SendStream,
    receive: Incoming,
}

#[derive(Debug)]
struct Incoming {
    stream: RecvStream,
    decoder: MessageDecoder<ToDevice>,
    unread: Bytes,
}

impl Control {
    pub(crate) const fn new(send: SendStream, stream: RecvStream) -> Self {
        Self { send, receive: Incoming { stream, decoder: MessageDecoder::new(), unread: Bytes::new() } }
    }

    /// Sends one message at once.
    pub(crate) async fn say(&mut self, message: &ToNode) -> Result<(), Ended> {
        let mut bytes = BytesMut::new();
        encode(message, &mut bytes).map_err(Ended::Protocol)?;
        self.send.write_all(&bytes).await.map_err(|_| Ended::Lost)
    }

    /// Waits for the next message.
    pub(crate) async fn hear(&mut self) -> Result<ToDevice, Ended> {
        self.receive.next().await
    }
}

impl Incoming {
    async fn next(&mut self) -> Result<ToDevice, Ended> {
        loop {
            match self.decoder.decode(&mut self.unread) {
                Some(Ok(message)) => return Ok(message),
                Some(Err(error)) if error.is_fatal() => return Err(Ended::Protocol(error)),
                // a newer node says things that this device does not know
                Some(Err(error)) => tracing::debug!(%error, "message of the node skipped"),
                None => match self.stream.read_chunk(CHUNK_BYTES_MAX, true).await {
                    Ok(Some(chunk)) => self.unread = chunk.bytes,
                    Ok(None) | Err(_) => return Err(Ended::Lost),
                },
            }
        }
    }
}

/// What the task of a connection needs.
pub(crate) struct Link {
    pub(crate) connection: Connection,
    pub(crate) control: Control,
    pub(crate) outbox: Outbox,
    pub(crate) speaker: Speaker,
    pub(crate) camera: Camera,
    /// The picture that is being sent.
    pub(crate) sending: Option<Shot>,
    pub(crate) events: queue::Sender<DeviceEvent>,
    /// Where to put what was played.
    pub(crate) save: Option<PathBuf>,
    pub(crate) tasks: Tasks,
}

impl Link {
    /// Runs until one side leaves, and says why as the last event.
    pub(crate) async fn run(mut self) {
        let ended = self.serve().await;
        self.connection.close(VarInt::from_u32(ended.reason().close_code()), b"");
        if self.events.try_send(DeviceEvent::Ended(ended)).is_err() {
            tracing::debug!("nobody reads the device's events");
        }
    }

    async fn serve(&mut self) -> Ended {
        let mut outgoing = BytesMut::new();
        let mut beat = interval(Duration::from_millis(BEAT_MS.into()));
        beat.set_missed_tick_behavior(MissedTickBehavior::Burst);
        loop {
            let Self { connection, control, outbox, speaker, sending, .. } = self;
            let outcome = tokio::select! {
                message = control.receive.next() => match message {
                    Ok(message) => self.heard(message, &mut outgoing),
                    Err(ended) => Err(ended),
                },
                datagram = connection.read_datagram() => match datagram {
                    Ok(datagram) => match AudioPacket::decode_datagram(datagram) {
                        Ok(packet) => self.sound(&packet, &mut outgoing),
                        Err(error) => {
                            tracing::debug!(%error, "datagram of the node skipped");
                            Ok(())
                        }
                    },
                    Err(_) => Err(Ended::Lost),
                },
                _ = beat.tick(), if speaker.is_playing() => self.beat(&mut outgoing),
                Some(message) = outbox.messages.recv(), if outgoing.is_empty() => match message {
                    ToNode::Goodbye(goodbye) => return self.leave(goodbye).await,
                    message => encode(&message, &mut outgoing).map_err(Ended::Protocol),
                },
                Some(packet) = outbox.audio.recv(), if outgoing.is_empty() => {
                    encode(&ToNode::Audio(packet), &mut outgoing).map_err(Ended::Protocol)
                }
                () = ready(()), if outgoing.is_empty() && sending.is_some() => self.send_part(&mut outgoing),
                written = control.send.write(&outgoing), if !outgoing.is_empty() => match written {
                    Ok(bytes) => {
                        outgoing.advance(bytes);
                        Ok(())
                    }
                    Err(_) => Err(Ended::Lost),
                },
            };
            if let Err(ended) = outcome {
                return ended;
            }
        }
    }

    fn heard(&mut self, message: ToDevice, outgoing: &mut BytesMut) -> Result<(), Ended> {
        let report = match &message {
            ToDevice::Audio(packet) => return self.sound(packet, outgoing),
            ToDevice::Goodbye(goodbye) => return Err(Ended::Goodbye(goodbye.clone())),
            ToDevice::SpeechStart { turn } => self.speaker.start(*turn).map_err(Ended::failed)?,
            ToDevice::SpeechStop { turn, .. } => self.speaker.stop(*turn),
            ToDevice::SpeechEnd { turn, total_ms } => {
                self.speaker.end(*turn, *total_ms);
                None
            }
            ToDevice::PictureWanted { turn } => {
                self.sending = self.camera.take(*turn);
                None
            }
            _ => None,
        };
        self.tell(DeviceEvent::Node(message))?;
        report.map_or(Ok(()), |report| self.report(report, outgoing))
    }

    /// Sends the next part of the picture that is being sent.
    fn send_part(&mut self, outgoing: &mut BytesMut) -> Result<(), Ended> {
        match self.sending.as_mut().and_then(Shot::next) {
            Some(part) => encode(&part, outgoing).map_err(Ended::Protocol),
            None => {
                self.sending = None;
                Ok(())
            }
        }
    }

    fn sound(&mut self, packet: &AudioPacket, outgoing: &mut BytesMut) -> Result<(), Ended> {
        match self.speaker.push(packet).map_err(Ended::failed)? {
            Some(report) => self.report(report, outgoing),
            None => Ok(()),
        }
    }

    fn beat(&mut self, outgoing: &mut BytesMut) -> Result<(), Ended> {
        let mut reports = Vec::new();
        self.speaker.beat(|report| reports.push(report));
        reports.into_iter().try_for_each(|report| self.report(report, outgoing))
    }

    fn report(&mut self, report: Report, outgoing: &mut BytesMut) -> Result<(), Ended> {
        let position = match report {
            Report::Started(turn) => return self.tell(DeviceEvent::AudioStarted { turn }),
            Report::Position { turn, played_ms } => ToNode::PlayoutPosition { turn, played_ms, finished: false },
            Report::Finished(finished) => {
                let Finished { turn, played_ms, .. } = finished;
                self.finished(finished)?;
                ToNode::PlayoutPosition { turn, played_ms, finished: true }
            }
        };
        encode(&position, outgoing).map_err(Ended::Protocol)
    }

    /// Tells what became of an answer, once it is saved.
    fn finished(&self, finished: Finished) -> Result<(), Ended> {
        let Finished { turn, played_ms, lost, late, sound } = finished;
        let played = Played { turn, played_ms, lost, late, file: None };
        let (Some(sound), Some(dir)) = (sound, &self.save) else {
            return self.tell(DeviceEvent::Played(played));
        };
        let file = dir.join(format!("answer-{turn}.wav"));
        let (tasks, events) = (self.tasks.clone(), self.events.clone());
        let save = async move {
            let path = file.clone();
            let saved = tasks.blocking("save answer", move || wav::write(&path, &sound)).await;
            let file = match saved {
                Ok(Ok(())) => Some(file),
                Ok(Err(error)) => {
                    tracing::warn!(%error, "answer not saved");
                    None
                }
                Err(_) => None,
            };
            // whoever stopped reading does not miss it
            let _ = events.try_send(DeviceEvent::Played(Played { file, ..played }));
        };
        self.tasks.spawn(TaskKind::Client, "device save", save).detach();
        Ok(())
    }

    fn tell(&self, event: DeviceEvent) -> Result<(), Ended> {
        self.events.try_send(event).map_err(|_| Ended::Unread)
    }

    /// Says goodbye, and leaves when the node has it.
    async fn leave(&mut self, goodbye: Goodbye) -> Ended {
        let said = async {
            self.control.say(&ToNode::Goodbye(goodbye.clone())).await?;
            if self.control.send.finish().is_ok() {
                // the node answers with its own goodbye, or is gone
                while !matches!(self.control.hear().await?, ToDevice::Goodbye(_)) {}
            }
            Ok::<_, Ended>(())
        };
        let _ = timeout(FAREWELL_WITHIN, said).await;
        Ended::Left(goodbye)
    }
}
