//! Providers in this process: Whisper, the hibari voice, a deterministic responder.
