//! Runs a session on ractor: actor, effects, supervisor.
