//! Named fakes: providers for tests and benchmarks that keep the contract, answer from a script and remember what
//! sort of data they were handed, never the data.
//!
//! They answer without delay unless told otherwise through [`Desk::behave`]. Delays run on tokio's clock, so that a
//! test with a paused clock does not wait for them.

mod desk;
mod manner;
mod responder;
mod script;
mod synthesizer;
mod transcriber;
mod viewer;

pub use desk::{Desk, Received};
pub use manner::Manner;
pub use responder::FakeResponder;
pub use synthesizer::FakeSynthesizer;
pub use transcriber::FakeTranscriber;
pub use viewer::FakeViewer;
