//! `witness serve`: runs the witness until it is asked to stop.

use core::time::Duration;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use sayso_runtime::shutdown::Signals;
use sayso_runtime::{CancellationToken, SystemClock, TaskKind, Tasks, telemetry};
use sayso_witness::WitnessServer;

use crate::cli::ServeArgs;
use crate::config::Config;

/// How long requests under way have to be answered.
const STOP_WITHIN: Duration = Duration::from_secs(5);

pub(crate) fn run(args: &ServeArgs) -> Result<ExitCode> {
    let config = Config::load(args)?;
    let options = config.options()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(async {
        let tasks = Tasks::new();
        telemetry::init(&config.telemetry, &tasks)?;
        let mut signals = Signals::catch()?;
        let key = options.cosigner.verifier().to_string();
        let server = WitnessServer::bind(options, Arc::new(SystemClock::new()), tasks.clone()).await?;
        tracing::info!(listen = %server.local_addr(), key, logs = config.logs.len(), "ready");
        let stop = CancellationToken::new();
        tasks.spawn(TaskKind::Listener, "witness", server.run(stop.clone())).detach();
        let failed = tokio::select! {
            signal = signals.next() => {
                tracing::info!(%signal, "stopping");
                false
            }
            failure = tasks.failure() => {
                tracing::error!(task = failure.name, "a task that the witness cannot do without has failed; stopping");
                true
            }
        };
        stop.cancel();
        tasks.shutdown(STOP_WITHIN).await;
        Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    })
}
