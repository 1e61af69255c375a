//! The admin API over real TLS on loopback, with a real register, store and sessions.

#![expect(clippy::unwrap_used, reason = "a test that meets an error has failed")]

mod authority;
mod device;
mod exemptions;
mod node;
mod service;

mod audit;
mod authentication;
mod cluster;
mod consent;
mod desks;
mod guardians;
mod holds;
mod incidents;
mod kept;
mod keys;
mod limits;
mod notices;
mod permits;
mod promises;
mod rights;
mod services;
mod sessions;
mod statistics;
mod tenants;
mod visits;
mod voiceprints;
mod volumes;

use std::future::Future;
use std::time::Duration;

use tonic::{Code, Response, Status};

/// Waits for something that is certain to come; a hang is a failure.
async fn soon<T>(event: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), event).await.expect("it comes soon")
}

/// The code and message of a refusal.
async fn refused<T: std::fmt::Debug>(call: impl Future<Output = Result<Response<T>, Status>>) -> (Code, String) {
    let status = soon(call).await.unwrap_err();
    (status.code(), status.message().to_owned())
}
