//! `all`: every measurement of a node, briefly. What a store costs is measured by itself.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args as ClapArgs;

use crate::figure::Figure;
use crate::lab::{Lab, begin};
use crate::{frame_path, idle_memory, turn_latency, withdraw_latency, withdraw_wire};

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Args {
    /// Write the figures here as well, as JSON.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

pub(crate) async fn run(lab: &Lab) -> Result<Vec<Figure>> {
    begin("frame-path");
    let frame_path = frame_path::Args { rounds: 100, network_rounds: 4, devices: 100, seconds: 2 };
    let mut figures = frame_path::run(lab, &frame_path).await.context("frame-path")?;
    begin("idle-memory");
    figures.extend(idle_memory::run(lab, &idle_memory::Args { devices: 1_000 }).await.context("idle-memory")?);
    begin("turn-latency");
    let turn_latency = turn_latency::Args { sessions: 10, turns: 30 };
    figures.extend(turn_latency::run(lab, &turn_latency).await.context("turn-latency")?);
    begin("withdraw-latency");
    let withdraw_latency = withdraw_latency::Args { withdrawals: 100 };
    figures.extend(withdraw_latency::run(lab, &withdraw_latency).await.context("withdraw-latency")?);
    begin("withdraw-wire");
    let withdraw_wire = withdraw_wire::Args { withdrawals: 100, over: None };
    figures.extend(withdraw_wire::run(lab, &withdraw_wire).await.context("withdraw-wire")?);
    Ok(figures)
}
