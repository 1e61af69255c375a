//! `sayso demo`: the whole story on one machine, through the same doors that a fleet uses.

mod audit;
mod person;
mod setting;
mod story;
mod view;

use std::process::ExitCode;

use anyhow::Result;

use crate::cli::DemoArgs;
use crate::serve::runtime;

pub(crate) fn run(args: DemoArgs) -> Result<ExitCode> {
    runtime()?.block_on(story::tell(args))
}
