//! gRPC services for integrators and operators.
//!
//! ```text
//!  TCP ──▶ connections ──▶ Doorman ──▶ Sessions ──▶ ActorSessions
//!          slot, TLS 1.3   certificate  Consent ───▶ Register ──▶ Journal (operator.access, keyed tag)
//!          within a time   or token     Audit ─────▶ Journal, Signer
//!                         Rights, Incidents, Switches ──▶ Desk, IncidentDesk, Register
//!                               Rights, Notices ▶ Register
//!                                    Guardians ─▶ Register
//!                                       Visits ─▶ Register
//!                               Permits ▶ Register (loans)
//!                                      Cluster ──▶ sayso_store::Cluster
//!                                       health, reflection
//! ```
//!
//! Nobody is served without having proved who they are, the health service included. Whoever looks at or changes a
//! person's data is on record before they get an answer. What a call can be refused for is one closed list, in
//! `refusal.rs`.

mod access;
mod admin;
mod audit;
mod cluster;
mod complaints;
mod connections;
mod consent;
mod disclosures;
mod doorman;
mod error;
mod exemptions;
mod feed;
mod field;
mod guardians;
mod holds;
mod incidents;
mod kept;
mod keys;
mod newcomers;
mod notices;
mod operator;
mod options;
mod permits;
mod principal;
mod referrals;
mod refusal;
mod residuals;
mod rights;
mod sessions;
mod shutdown;
mod statistics;
mod switches;
mod tenants;
mod tls;
mod visits;
mod withdrawal;

pub use admin::{AUDIT_HEALTH, Admin, EGRESS_HEALTH, POLICY_HEALTH};
pub use error::Error;
pub use options::{AdminOptions, AdminTokens, Limits, Tls};
