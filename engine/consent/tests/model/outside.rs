//! Permits at a service outside of the node, looked through exhaustively.
//!
//! The register lends permits for two scopes, takes them back and is told that they were let go of (`loan`,
//! `register::lending`) by messages of which each may be lost, late, overtaken and duplicated. The two scopes are withdrawn one
//! without the other, one after the other's withdrawal, or together. Register and service are killed and started again: the
//! register reads from the store who may still be using a permit. In front of the receiver there may be a gateway, which checks the
//! consent version again, and which knows nothing when it was started again until it has read that anew; the node has none
//! today, and what the model says of it is what one would have to do.
//!
//! Who owns the register, and how what it decides comes to the store, is the other model's matter: here a commit is one step.

mod message;
mod mutants;
mod properties;
mod protocol;
mod state;
mod step;
mod whole;
