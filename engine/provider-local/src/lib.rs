//! Providers in this process: Whisper, the hibari voice, a deterministic responder.

mod error;
pub mod g2p;
mod onnx;
pub mod pool;
pub mod recognizer;
pub mod responder;
pub mod voice;

pub use error::Error;
pub use g2p::G2p;
pub use pool::InferencePool;
pub use recognizer::WhisperTranscriber;
pub use responder::RuleResponder;
pub use voice::{Voice, VoiceSynthesizer};
