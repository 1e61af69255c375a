//! Logs and metrics of a process.

use std::io::IsTerminal;
use std::net::SocketAddr;
use std::panic::PanicHookInfo;

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder};
use serde::{Deserialize, Serialize};
use tracing_subscriber::EnvFilter;

use crate::{TaskKind, Tasks};

/// Bounds of the histograms of durations, in seconds (the metrics end in `_seconds`): from a frame's path in
/// microseconds to a turn in seconds, fine around 20 ms, which is a frame and so the unit in which delay is heard.
const SECONDS_BUCKETS: [f64; 18] = [
    0.000_03, 0.000_1, 0.000_3, 0.001, 0.002, 0.005, 0.01, 0.02, 0.035, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0,
];

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line, for machines.
    Json,
}

/// What to log and where to show metrics.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct TelemetryOptions {
    /// How log lines look.
    pub log_format: LogFormat,
    /// Which lines: `tracing-subscriber` directives, such as `info,sayso_session=debug`.
    pub log_filter: String,
    /// Where Prometheus fetches metrics over HTTP; without it nothing listens and nothing is measured.
    pub metrics_listen: Option<SocketAddr>,
}

impl Default for TelemetryOptions {
    fn default() -> Self {
        Self { log_format: LogFormat::Text, log_filter: "info".to_owned(), metrics_listen: None }
    }
}

/// Why telemetry did not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The filter is not made of directives.
    #[error("log-filter {filter:?} is wrong: {source}; write directives such as \"info,sayso_session=debug\"")]
    Filter {
        /// What was configured.
        filter: String,
        /// Which part is wrong.
        source: tracing_subscriber::filter::ParseError,
    },
    /// A logger or a recorder is there already.
    #[error("telemetry of this process is already set up: call init once, before anything else does")]
    Twice,
    /// Nothing can listen there.
    #[error(
        "metrics cannot be served on {addr}: {reason}; choose another metrics-listen or stop the process that holds it"
    )]
    Listen {
        /// The configured address.
        addr: SocketAddr,
        /// What the system said.
        reason: String,
    },
}

/// Starts logging to standard error and, if configured, the metrics listener. Call it once, in `main`, within a
/// tokio runtime. From then on a panic is logged with its place and without its message, which may hold anything.
///
/// # Errors
/// [`Error`] says what is wrong with the options or the process.
pub fn init(options: &TelemetryOptions, tasks: &Tasks) -> Result<(), Error> {
    init_logs(options)?;
    std::panic::set_hook(Box::new(log_panic));
    options.metrics_listen.map_or(Ok(()), |addr| serve_metrics(addr, tasks))
}

fn init_logs(options: &TelemetryOptions) -> Result<(), Error> {
    let filter = EnvFilter::try_new(&options.log_filter)
        .map_err(|source| Error::Filter { filter: options.log_filter.clone(), source })?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match options.log_format {
        LogFormat::Text => lines.with_ansi(std::io::stderr().is_terminal()).try_init(),
        LogFormat::Json => lines.json().try_init(),
    };
    started.map_err(|_| Error::Twice)
}

fn log_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    tracing::error!(place, thread = std::thread::current().name(), "panic");
}

fn serve_metrics(addr: SocketAddr, tasks: &Tasks) -> Result<(), Error> {
    let (recorder, exporter) = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS_BUCKETS)
        .expect("there are buckets")
        .with_http_listener(addr)
        .build()
        .map_err(|error| match error {
            BuildError::FailedToCreateHTTPListener(reason) => Error::Listen { addr, reason },
            other => Error::Listen { addr, reason: other.to_string() },
        })?;
    metrics::set_global_recorder(recorder).map_err(|_| Error::Twice)?;
    // a node that cannot be measured still serves its devices: upkeep, not listener
    tasks
        .spawn(TaskKind::Upkeep, "metrics exporter", async {
            exporter.await.map_err(|error| format!("metrics can no longer be fetched: {error:?}"))
        })
        .detach();
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_port_in_use_is_named() {
        let holder = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = holder.local_addr().unwrap();
        let error = serve_metrics(addr, &Tasks::new()).unwrap_err().to_string();
        assert!(error.contains(&addr.to_string()) && error.contains("metrics-listen"), "{error}");
    }

    #[test]
    fn a_wrong_filter_is_named() {
        let options = TelemetryOptions { log_filter: "sayso=louder".to_owned(), ..TelemetryOptions::default() };
        assert!(matches!(init_logs(&options), Err(Error::Filter { .. })));
    }
}
