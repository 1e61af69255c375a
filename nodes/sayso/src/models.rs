//! `sayso models`: fetches, lists and verifies the speech models.

use std::fmt;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use indicatif::DecimalBytes;
use sayso_models::{Model, ModelStatus, ModelsDir};
use serde::Serialize;

use crate::cli::{ModelsArgs, ModelsCommand};
use crate::output;
use crate::progress::progress;

pub(crate) fn run(args: ModelsArgs) -> Result<ExitCode> {
    let models = args.dir.map_or_else(ModelsDir::from_env, |dir| Ok(ModelsDir::at(dir)))?;
    let fetched = match args.command {
        ModelsCommand::Fetch => models.fetch(&Model::ALL, &mut *progress())?,
        ModelsCommand::List | ModelsCommand::Verify => Vec::new(),
    };
    let found = match args.command {
        ModelsCommand::Fetch | ModelsCommand::List => models.list()?,
        ModelsCommand::Verify => models.verify(&mut *progress())?,
    };
    let inventory = Inventory::new(models.root(), &fetched, &found);
    if args.json {
        output::json(&inventory)?;
    } else {
        output::line(&inventory)?;
    }
    // A list is right whatever it lists.
    let done = inventory.ready || matches!(args.command, ModelsCommand::List);
    Ok(if done { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What there is of the models.
#[derive(Serialize)]
struct Inventory<'a> {
    dir: &'a Path,
    /// Whether every model can be used.
    ready: bool,
    /// What had to be fetched just now.
    fetched: &'a [Model],
    models: &'a [ModelStatus],
}

impl<'a> Inventory<'a> {
    fn new(dir: &'a Path, fetched: &'a [Model], models: &'a [ModelStatus]) -> Self {
        Self { dir, ready: models.iter().all(|model| model.ready), fetched, models }
    }
}

impl fmt::Display for Inventory<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "models in {}", self.dir.display())?;
        for status in self.models {
            if let Err(error) = status.require_ready() {
                write!(f, "\n{error}")?;
                continue;
            }
            let ModelStatus { model, licence, bytes, location, .. } = status;
            let size = DecimalBytes(*bytes).to_string();
            let news = if self.fetched.contains(model) { "fetched" } else { "ready" };
            write!(f, "\n{:<12}  {size:>8}  {licence:<10}  {news:<7}  {}", model.name(), location.display())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_with_what_to_do() {
        let empty = tempfile::tempdir().unwrap();
        let found = ModelsDir::at(empty.path()).list().unwrap();
        let inventory = Inventory::new(empty.path(), &[], &found);
        assert!(!inventory.ready);
        let text = inventory.to_string();
        assert!(Model::ALL.iter().all(|model| text.contains(model.name())), "{text}");
        assert!(text.contains("is missing") && text.contains("sayso models fetch"), "{text}");
        let json = serde_json::to_value(&inventory).unwrap();
        assert_eq!(json["models"][0]["files"][0]["condition"], "missing");
    }
}
