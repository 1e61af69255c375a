//! How a node joins a cluster: with a token, by one command.
//!
//! ```text
//!   sayso store invite                                sayso init DIR --join TOKEN
//!   (a node that has the authorities' keys)           (the new node's machine)
//!     prints a token, listens
//!                            ◀── TLS 1.3 ───            knows the authority by the token's fingerprint
//!                            ◀── requests, proof ──     makes its own keys; they never leave it
//!     proof holds, in time   ── certificates, ──▶       writes its directory
//!     ends                      configuration
//! ```
//!
//! The [token](Token) names the cluster, the new node's number, where the invitation is open, until when, and the
//! SHA-256 of the authority of the cluster's nodes; and it holds a secret of 128 bits. The newcomer trusts whoever shows
//! a certificate of that authority; the inviting command trusts whoever proves, with an HMAC over what they ask for, that
//! they have the secret. The secret itself never travels. An invitation is for one node, once, and nothing of it is
//! stored: when the command ends, the token is worth nothing. No node that serves needs the authorities' keys, or listens
//! for strangers.

mod enter;
mod invite;
mod message;
mod token;

pub(crate) use self::enter::{Entering, enter};
pub(crate) use self::invite::run as invite;
pub(crate) use self::token::Token;
