//! Providers behind an OpenAI-compatible HTTP API: OpenAI itself, Groq, Ollama, vLLM, LM Studio, llama.cpp and others,
//! by base URL.
//!
//! ```text
//! OpenAiTranscriber            POST {base}/audio/transcriptions   multipart WAV in, JSON out
//! OpenAiRealtimeTranscriber    WebSocket {base}/realtime          events with PCM in, as it is spoken, events out
//! OpenAiResponder              POST {base}/chat/completions       JSON in, server-sent events out
//! OpenAiViewer                 POST {base}/chat/completions       JSON with a picture in, server-sent events out
//! OpenAiSynthesizer            POST {base}/audio/speech           JSON in, PCM or WAV out, as it is made
//! HttpForgetter                POST {base}/deletions              JSON in, JSON out: ids of calls, and nothing of anybody
//!        │ Labelled pieces
//!        ▼
//!  Permit::pass ──▶ hyper, tungstenite ──▶ (TLS) ──▶ GatedIo ── Permit::guard ──▶ socket
//! ```
//!
//! **The gate is the socket.** Data opens when the connection is ready for the next piece, and every write to the
//! socket runs under the permit of the call that owns the connection, so that no byte leaves a buffer of a library or
//! of TLS after a revocation. A connection whose call was refused, failed or was dropped is reset: what the kernel had
//! not sent yet is discarded. Pieces are wiped when a
//! library lets go of them; what it has copied is not (tungstenite copies one event, to mask it).
//!
//! **Nothing is spawned.** A call's own future drives its connection, so that dropping the future drops both.
//!
//! **Retries** happen only while nothing of the person's was passed: when no connection comes about, or when a kept
//! connection turns out to be closed before hyper took the request.
//!
//! Architecture invariant: an error of the service is reported by its status code alone, because its body may repeat
//! what the person said.

mod api_key;
mod base_url;
mod chat;
mod client;
mod endpoint;
mod error;
mod forgetter;
mod multipart;
#[cfg(feature = "mutant-m6")]
mod mutant;
mod realtime;
mod responder;
mod speech;
mod sse;
mod synthesizer;
mod transcriber;
mod viewer;
mod wav;

pub use api_key::ApiKey;
pub use base_url::BaseUrl;
pub use endpoint::Endpoint;
pub use error::Error;
pub use forgetter::HttpForgetter;
pub use realtime::OpenAiRealtimeTranscriber;
pub use responder::OpenAiResponder;
pub use synthesizer::{OpenAiSynthesizer, SpeechFormat};
pub use transcriber::OpenAiTranscriber;
pub use viewer::OpenAiViewer;
