//! The providers against a service on a real socket.

#![expect(clippy::unwrap_used, reason = "a helper of tests that cannot go on fails the test")]

mod bench;
mod failures;
mod fake_http2;
mod fake_openai;
mod fake_realtime;
mod forgetting;
mod http2;
mod killed;
mod realtime;
mod reuse;
mod services;
mod tls;
mod withdrawal;
