//! A WebSocket at `/v1/realtime`, with the events of OpenAI's Realtime API.

use std::sync::Arc;

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::accept_async;
use tokio_tungstenite::tungstenite::Message;

use super::tap::Tap;
use super::{Announced, Service};

/// Serves a connection until it ends.
pub(super) async fn serve(io: impl AsyncRead + AsyncWrite + Unpin, service: &Service, tap: &Arc<Tap>) {
    let Ok(mut socket) = accept_async(io).await else { return };
    let (mut upload, mut sound) = (None, 0);
    while let Some(Ok(message)) = socket.next().await {
        let Message::Text(text) = message else { continue };
        let Ok(event) = serde_json::from_str::<Value>(&text) else { return };
        match event["type"].as_str() {
            Some("session.update") => {
                let language = &event["session"]["audio"]["input"]["transcription"]["language"];
                let language = language.as_str().unwrap_or_default().to_owned();
                upload = service.watched(&Announced::Language(language), tap);
            }
            Some("input_audio_buffer.append") => sound += event["audio"].as_str().map_or(0, str::len),
            Some("input_audio_buffer.commit") => match &upload {
                Some(upload) => upload.is_whole(),
                None => {
                    let kind = "conversation.item.input_audio_transcription.completed";
                    let heard = json!({ "type": kind, "transcript": sound.to_string() });
                    if socket.send(Message::text(heard.to_string())).await.is_err() {
                        return;
                    }
                }
            },
            _ => return,
        }
    }
}
