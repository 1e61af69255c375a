//! Load and cost measurements against the bare parts.
