//! `idle-memory`: what a device that is connected and says nothing takes of a node's memory, all in: the connection,
//! its place among the sessions, its entry in the consent register.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Args as ClapArgs;
use tokio::time::sleep;

use crate::figure::{Aim, Figure};
use crate::lab::{Fleet, Lab, Server};
use crate::server::Kind;

/// What an idle device should take at most, in kilobytes.
const AIM: Aim = Aim::Value(40.0);
/// Devices that connect first and are not counted: they pay for what is there once, such as threads' own memory.
const FIRST: usize = 64;
/// How long a server may tidy up after the last handshake: acknowledgements wait for 25 ms, keys of the handshake are
/// dropped after three probe timeouts.
const SETTLE: Duration = Duration::from_secs(2);

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Args {
    /// Devices that connect.
    #[arg(long, value_name = "COUNT", default_value_t = 1_000)]
    pub(crate) devices: usize,
}

pub(crate) async fn run(lab: &Lab, args: &Args) -> Result<Vec<Figure>> {
    ensure!(args.devices > 0, "nothing to measure: give at least 1 device");
    let fleet = Fleet::new()?;
    let bare = {
        let mut server = Server::start(lab, "idle-bare", &fleet.authority, Kind::Bare)?;
        let _first = fleet.connect(server.addr, FIRST).await?;
        let before = resident(&mut server).await?;
        let _counted = fleet.connect(server.addr, args.devices).await.context("cannot connect to the bare server")?;
        resident(&mut server).await?.saturating_sub(before)
    };
    let node = {
        let kind = Kind::Node { agreed: 0, hears: String::new(), stages: false };
        let mut server = Server::start(lab, "idle-node", &fleet.authority, kind)?;
        let _first = fleet.attach(server.addr, args.devices..args.devices + FIRST).await?;
        let before = resident(&mut server).await?;
        let _counted = fleet.attach(server.addr, 0..args.devices).await.context("cannot attach devices to the node")?;
        resident(&mut server).await?.saturating_sub(before)
    };
    let kilobytes = |bytes: u64| bytes as f64 / 1_000.0 / args.devices as f64;
    Ok(vec![Figure::new("idle device", "kB", kilobytes(node)).above(kilobytes(bare)).aiming(AIM)])
}

async fn resident(server: &mut Server) -> Result<u64> {
    sleep(SETTLE).await;
    Ok(server.stats()?.resident_bytes)
}
