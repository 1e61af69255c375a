//! Providers behind an OpenAI-compatible HTTP API.
