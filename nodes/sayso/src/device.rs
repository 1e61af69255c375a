//! `sayso device`: a device with recordings for a microphone and files for a loudspeaker.

use std::process::ExitCode;

use anyhow::Result;

use crate::cli::DeviceArgs;
use crate::serve::runtime;
use crate::{certs, output};

pub(crate) fn run(args: DeviceArgs) -> Result<ExitCode> {
    let roots = certs::read_roots(&args.certs.join("ca.pem"))?;
    runtime()?.block_on(async { output::line(format!("{} authorities", roots.len())) })?;
    Ok(ExitCode::SUCCESS)
}
