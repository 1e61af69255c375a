//! `sayso serve`: runs a node until it is asked to stop.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Result;
use sayso_runtime::shutdown::{Reload, Signals};
use sayso_runtime::{Tasks, config as loader, telemetry};

use crate::cli::ServeArgs;
use crate::config::Config;
use crate::node::{Node, close};
use crate::store::Moving;

pub(crate) fn run(args: ServeArgs) -> Result<ExitCode> {
    let config = Config::load(&args)?;
    if args.dump_config {
        write!(std::io::stdout(), "{}", loader::dump(&config)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    runtime()?.block_on(async {
        let tasks = Tasks::new();
        telemetry::init(&config.telemetry, &tasks)?;
        let (mut signals, mut reload) = (Signals::catch()?, Reload::catch()?);
        // A node that stands by may be asked to stop before it ever serves.
        let mut opened = None;
        let started = tokio::select! {
            node = Node::start(&config, tasks.clone(), &mut opened) => Some(node?),
            signal = signals.next() => {
                tracing::info!(%signal, "stopping before it served");
                None
            }
        };
        let Some(node) = started else {
            // it may lead those who replicate the store all the same
            if let Some(backend) = opened {
                close(backend, &mut signals).await;
            }
            return Ok(ExitCode::SUCCESS);
        };
        let pages = node.pages_addr.map(tracing::field::display);
        tracing::info!(gateway = %node.gateway_addr, admin = %node.admin_addr, pages, "ready");
        let moves = node.moves(&config);
        let mut moving = Box::pin(moves.next());
        let mut ended = Box::pin(node.ended());
        let end = loop {
            tokio::select! {
                // what it is told first: that the store takes nothing any more follows from it
                biased;
                error = &mut ended => {
                    tracing::error!(error = format!("{error:#}"), "stopping");
                    break End::Failed;
                }
                signal = signals.next() => {
                    tracing::info!(%signal, "stopping");
                    break End::Asked;
                }
                task = node.failure() => {
                    tracing::error!(task, "a task that the node cannot do without has failed; stopping");
                    break End::Failed;
                }
                moving = &mut moving => break End::Moving(Box::new(moving)),
                () = reload.next() => node.reload(&config).await,
            }
        };
        drop(moving);
        let failed = match end {
            End::Moving(moving) => return leave(node, *moving, &mut signals).await,
            End::Failed => true,
            End::Asked => false,
        };
        let overdue = node.stop(&mut signals).await;
        if !overdue.is_empty() {
            tracing::warn!(?overdue, "stopped late");
        }
        Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    })
}

/// Why a node ends.
enum End {
    Asked,
    Failed,
    /// Its store is left for another.
    Moving(Box<Moving>),
}

/// Ends a node whose store moves.
async fn leave(node: Node, moving: Moving, signals: &mut Signals) -> Result<ExitCode> {
    let to = moving.to.clone();
    tracing::info!(to, "stopping: everything is there but for the rest");
    node.leave(moving, signals).await?;
    tracing::info!(to, "the data of this node has moved: start it with the configuration of where it is now");
    Ok(ExitCode::SUCCESS)
}

/// The runtime that a node, or a client, lives in.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}
