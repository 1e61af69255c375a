//! Device protocol: frames and codec, sans-I/O.
