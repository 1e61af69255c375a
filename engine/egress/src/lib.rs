//! The only door to processors: gate, processor registry, calls.
