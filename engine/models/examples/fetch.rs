//! Fetches every model into the models directory and lists what is there.

use std::io;

use anyhow::Result;
use sayso_models::{Bars, Model, ModelsDir};

fn main() -> Result<()> {
    let directory = ModelsDir::from_env()?;
    directory.fetch(&Model::ALL, &mut Bars::new())?;
    serde_json::to_writer_pretty(io::stdout(), &directory.list()?)?;
    Ok(())
}
