//! [`FakeRealtime`]: a service that speaks the Realtime API over a WebSocket, and records what arrives.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};

use crate::fake_openai::HEARD;

/// Small, so that an upload is held up soon after the service stops to read.
const RECEIVE_BUFFER_BYTES: u32 = 16 * 1024;

/// What arrived so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log {
    /// Connections accepted.
    pub accepted: usize,
    /// Connections that ended, by whatever.
    pub ended: usize,
    /// The target and the key of each request for a WebSocket.
    pub requests: Vec<(String, String)>,
    /// How sessions were to be.
    pub sessions: Vec<Value>,
    /// Bytes of sound.
    pub sound: usize,
    /// Utterances whose end was told.
    pub commits: usize,
}

/// What the service does.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    /// Reads sound as far as this, and then waits for [`FakeRealtime::read_on`].
    pub pause_after: usize,
    /// What it says to the end of an utterance.
    pub says: Vec<Value>,
    /// The status with which it refuses a WebSocket.
    pub refuses: Option<u16>,
}

impl Default for Script {
    fn default() -> Self {
        let transcript = |kind: &str, key: &str, text: &str| {
            let mut event = json!({ "type": format!("conversation.item.input_audio_transcription.{kind}") });
            event[key] = text.into();
            event
        };
        let says = vec![
            json!({ "type": "input_audio_buffer.committed", "item_id": "item_1" }),
            transcript("delta", "delta", "hello"),
            transcript("completed", "transcript", &format!(" {HEARD}\n")),
        ];
        Self { pause_after: usize::MAX, says, refuses: None }
    }
}

/// The service. Dropping it ends it.
pub(crate) struct FakeRealtime {
    pub address: SocketAddr,
    /// Lets a connection that was paused be read again.
    pub read_on: Arc<Notify>,
    log: watch::Sender<Log>,
    _connections: JoinSet<()>,
}

impl FakeRealtime {
    pub(crate) fn start(script: Script) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(RECEIVE_BUFFER_BYTES).unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(16).unwrap();
        let (address, read_on) = (listener.local_addr().unwrap(), Arc::new(Notify::new()));
        let (log, mut connections) = (watch::Sender::<Log>::default(), JoinSet::new());
        let (told, resumed) = (log.clone(), Arc::clone(&read_on));
        connections.spawn(async move {
            let mut served = JoinSet::new();
            loop {
                let (tcp, _) = listener.accept().await.unwrap();
                told.send_modify(|log| log.accepted += 1);
                let (script, log, read_on) = (script.clone(), told.clone(), Arc::clone(&resumed));
                served.spawn(async move {
                    serve(tcp, script, &read_on, &log).await;
                    log.send_modify(|log| log.ended += 1);
                });
            }
        });
        Self { address, read_on, log, _connections: connections }
    }

    /// What arrived so far.
    pub(crate) fn log(&self) -> Log {
        self.log.borrow().clone()
    }

    /// Waits until what arrived satisfies `condition`.
    pub(crate) async fn wait_until(&self, condition: impl FnMut(&Log) -> bool) -> Log {
        self.log.subscribe().wait_for(condition).await.unwrap().clone()
    }
}

/// Serves a connection until it ends.
async fn serve(tcp: TcpStream, script: Script, read_on: &Notify, log: &watch::Sender<Log>) {
    let seen = Mutex::default();
    #[expect(clippy::result_large_err, reason = "tungstenite wants it so")]
    let look = |request: &Request, response: Response| {
        let key = request.headers().get("authorization").map(|key| key.to_str().unwrap().to_owned());
        *seen.lock().unwrap() = (request.uri().to_string(), key.unwrap_or_default());
        match script.refuses {
            None => Ok(response),
            Some(status) => {
                let mut refused = ErrorResponse::new(None);
                *refused.status_mut() = status.try_into().unwrap();
                Err(refused)
            }
        }
    };
    let accepted = tokio_tungstenite::accept_hdr_async(tcp, look).await;
    log.send_modify(|log| log.requests.push(seen.into_inner().unwrap()));
    let Ok(mut socket) = accepted else { return };
    let created = json!({ "type": "session.created", "session": {} });
    if socket.send(Message::text(created.to_string())).await.is_err() {
        return;
    }
    let mut sound = 0;
    while let Some(Ok(message)) = socket.next().await {
        let Message::Text(text) = message else { continue };
        let event: Value = serde_json::from_str(&text).unwrap();
        match event["type"].as_str().unwrap() {
            "session.update" => log.send_modify(|log| log.sessions.push(event["session"].clone())),
            "input_audio_buffer.append" => {
                let bytes = BASE64_STANDARD.decode(event["audio"].as_str().unwrap()).unwrap().len();
                sound += bytes;
                log.send_modify(|log| log.sound += bytes);
                if sound >= script.pause_after && sound - bytes < script.pause_after {
                    read_on.notified().await;
                }
            }
            "input_audio_buffer.commit" => {
                log.send_modify(|log| log.commits += 1);
                for event in &script.says {
                    if socket.send(Message::text(event.to_string())).await.is_err() {
                        return;
                    }
                }
            }
            other => panic!("nobody sends {other}"),
        }
    }
}
