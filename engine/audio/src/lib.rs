//! One voice, frame by frame: Opus, VAD, endpointing, jitter, resampling, play-out.
