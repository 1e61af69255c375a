//! The providers against a service on a real socket.

mod bench;
mod failures;
mod fake_openai;
mod reuse;
mod services;
mod tls;
mod withdrawal;
