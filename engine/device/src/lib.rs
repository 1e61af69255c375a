//! A reference device: QUIC client, microphone from WAV files, play-out.
