//! `sayso store`: looks after what a node keeps.

mod contents;
mod dump;
mod follow;
mod live;
mod load;
mod members;
mod migrate;
mod moved;
mod moving;
mod source;
mod told;
mod wish;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail};
use sayso_consent::LogCheck;
use sayso_models::Progress;
use sayso_runtime::SystemClock;
use sayso_types::Clock;
use tokio::sync::oneshot;

use self::contents::{Portion, Sum, Summary};
use self::dump::{Dump, Place, Writer};
pub(crate) use self::live::answer as answer_commands;
pub(crate) use self::load::require_whole;
use self::load::{Complete, Load};
pub(crate) use self::moved::require_here;
pub(crate) use self::moving::{Moves, Moving};
use self::source::{Reads, with_source};
use self::told::{Checked, Exported, Inspected, Loaded};
use crate::backend::{self, Backend};
use crate::cli::{DumpAt, ExportStoreArgs, ImportStoreArgs, StoreArgs, StoreCommand, StoreFileArgs};
use crate::config::{Config, StoreKind, require_place};
use crate::progress::progress;
use crate::{join, output, serve};

pub(crate) fn run(args: StoreArgs) -> Result<ExitCode> {
    if let StoreCommand::Invite(args) = &args.command {
        return join::invite(args);
    }
    serve::runtime()?.block_on(async {
        match args.command {
            StoreCommand::Inspect(args) => inspect(&args).await,
            StoreCommand::Check(args) => check(&args).await,
            StoreCommand::Export(args) => export(&args).await,
            StoreCommand::Import(args) => import(&args).await,
            StoreCommand::Migrate(args) => migrate::run(&args).await,
            StoreCommand::Members(args) => members::list(&args).await,
            StoreCommand::Remove(args) => members::remove(&args).await,
            StoreCommand::Lead(args) => members::lead(&args).await,
            StoreCommand::Invite(_) => unreachable!("it was done above"),
        }
    })
}

/// How long a command looks whether who owns the register lives: a little longer than it takes to be sure that it does not.
const LIVES_WITHIN: Duration = Duration::from_secs(5);

/// Does `work` with the store of a configuration, which nobody else writes to meanwhile; fails where a node serves it.
async fn with_store<T>(args: &StoreFileArgs, work: impl AsyncFnOnce(&Config, &Backend) -> Result<T>) -> Result<T> {
    owning(args, own_unserved, work).await
}

/// The same, once no node serves it any more.
async fn with_store_in_turn<T>(
    args: &StoreFileArgs,
    work: impl AsyncFnOnce(&Config, &Backend) -> Result<T>,
) -> Result<T> {
    let own = async |backend: &mut Backend| {
        let standing_by = |owner: &str| output::note(format!("{owner} serves: waiting until it stops"));
        backend.own(standing_by).await.map(drop)
    };
    owning(args, own, work).await
}

async fn owning<T>(
    args: &StoreFileArgs,
    own: impl AsyncFnOnce(&mut Backend) -> Result<()>,
    work: impl AsyncFnOnce(&Config, &Backend) -> Result<T>,
) -> Result<T> {
    let config = Config::read(&args.config)?;
    let mut backend = Backend::open(&config, Arc::new(SystemClock::new())).await?;
    let done = match own(&mut backend).await {
        Ok(()) => work(&config, &backend).await,
        Err(error) => Err(error),
    };
    backend.close().await;
    done
}

/// Owns the register, unless somebody who lives does.
async fn own_unserved(backend: &mut Backend) -> Result<()> {
    let (told, owner) = oneshot::channel();
    let mut told = Some(told);
    let standing_by = |owner: &str| {
        if let Some(told) = told.take() {
            let _ = told.send(owner.to_owned());
        }
    };
    let lives = async {
        match owner.await {
            Ok(owner) => {
                tokio::time::sleep(LIVES_WITHIN).await;
                owner
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        biased;
        owned = backend.own(standing_by) => owned.map(drop),
        owner = lives => bail!("{owner} serves this store, and nothing was written: stop every node that does, and run this again"),
    }
}

async fn inspect(args: &StoreFileArgs) -> Result<ExitCode> {
    let inspected = with_source(args, Reads::Once, async |config, mut source| {
        let (mut bars, cluster) = (progress(), source.cluster().cloned());
        let mut contents = source.contents(Portion::All);
        bars.begin("reading", 0);
        let tables = contents::tables(&mut contents, |bytes| bars.reach(bytes)).await?;
        bars.end();
        Ok(Inspected::new(config.store.kind, backend::dir(config), tables, contents.is_unfinished(), cluster))
    });
    tell(&inspected.await?, args.json)
}

async fn check(args: &StoreFileArgs) -> Result<ExitCode> {
    // Opening compares every file of this machine with its checksums, and reading what a node has open those of what is read.
    let checked = with_source(args, Reads::Moment, async |_, mut source| {
        let (mut bars, mut log) = (progress(), LogCheck::default());
        let mut contents = source.contents(Portion::All);
        bars.begin("reading", 0);
        let mut sum = Sum::of(Portion::All);
        while let Some(page) = contents.next().await? {
            for (key, value) in page {
                sum.add(key.as_bytes(), &value);
                log.entry(&key, &value)?;
            }
            bars.reach(sum.bytes());
        }
        bars.end();
        if contents.is_unfinished() {
            return Err(load::unfinished());
        }
        let (all, mut leaves) = (sum.summary(), log.leaves()?);
        let (mut contents, mut bytes) = (source.contents(Portion::All), 0);
        bars.begin("comparing the log", all.bytes);
        while let Some(page) = contents.next().await? {
            for (key, value) in page {
                leaves.entry(&key, &value)?;
                bytes += (key.as_bytes().len() + value.len()) as u64;
            }
            bars.reach(bytes);
        }
        bars.end();
        let (leaves, root) = leaves.finish()?;
        Ok(Checked { all, leaves, root: hex::encode(root.0) })
    });
    tell(&checked.await?, args.json)
}

async fn export(args: &ExportStoreArgs) -> Result<ExitCode> {
    // a directory is on this machine, unless somebody says otherwise
    if matches!(args.to, DumpAt::Bucket { .. }) || args.region.is_some() {
        let profile = Config::read(&args.store.config)?.read_profile()?;
        require_place(&profile, args.region.as_ref(), "--region")?;
    }
    let place = Place::open(&args.to)?;
    // the one to say what there is, the other to write it
    let exported = with_source(&args.store, Reads::Moment, async |config, mut source| {
        let (portion, mut bars) = (portion(config, args.keys)?, progress());
        let mut contents = source.contents(portion);
        bars.begin("reading what there is", 0);
        let all = contents::summary_of(&mut contents, |bytes| bars.reach(bytes)).await?;
        bars.end();
        if contents.is_unfinished() {
            return Err(load::unfinished());
        }
        let mut writer = Writer::begin(&place, all.clone()).await?;
        let is_resumed = writer.is_resumed();
        let mut contents = source.contents(portion);
        bars.begin("exporting", all.bytes);
        while let Some(page) = contents.next().await? {
            for (key, value) in page {
                writer.add(key.as_bytes(), &value).await?;
            }
            bars.reach(writer.bytes());
        }
        bars.end();
        writer.finish(SystemClock::new().wall().0).await?;
        Ok(Exported { place: place.to_string(), all, is_resumed })
    });
    tell(&exported.await?, args.store.json)
}

/// Requires that data may be stored where the store of a configuration stands.
fn require_here_allowed(args: &StoreFileArgs) -> Result<()> {
    let config = Config::read(&args.config)?;
    Ok(config.store.require_place(&config.read_profile()?)?)
}

/// What of the store of `config` is written: never data and the keys of it together.
fn portion(config: &Config, keys: bool) -> Result<Portion> {
    match (config.store.kind, keys) {
        (StoreKind::Local, false) => Ok(Portion::All),
        (StoreKind::Local, true) => bail!(
            "the keys of one node are not in its store, but in {}: copy that directory while the node is stopped",
            config.vault.keys_dir.display()
        ),
        (_, false) => Ok(Portion::Data),
        (_, true) => Ok(Portion::Keys),
    }
}

async fn import(args: &ImportStoreArgs) -> Result<ExitCode> {
    require_here_allowed(&args.store)?;
    let dump = Dump::open(Place::open(&args.from)?).await?;
    let mut bars = progress();
    bars.begin("checking", dump.manifest.all.bytes);
    dump.check(|bytes| bars.reach(bytes)).await?;
    bars.end();
    let loaded = with_store(&args.store, async |_, backend| {
        let mut load = Load::begin(backend.store(), dump.manifest.all.clone()).await?;
        let is_resumed = load.is_resumed();
        let mut entries = dump.entries();
        bars.begin("importing", dump.manifest.all.bytes);
        while let Some((key, value)) = entries.next().await? {
            load.put(&key, &value).await?;
            bars.reach(load.bytes());
        }
        bars.end();
        compare(load, &dump.manifest.all, bars.as_mut()).await?.release().await?;
        Ok(Loaded { all: dump.manifest.all.clone(), is_resumed })
    });
    tell(&loaded.await?, args.store.json)
}

async fn compare(load: Load, all: &Summary, bars: &mut dyn Progress) -> Result<Complete> {
    bars.begin("comparing", all.bytes);
    let complete = load.finish(|bytes| bars.reach(bytes)).await?;
    bars.end();
    Ok(complete)
}

fn tell(told: &(impl serde::Serialize + core::fmt::Display), json: bool) -> Result<ExitCode> {
    if json {
        output::json(told)?
    } else {
        output::line(told)?
    }
    Ok(ExitCode::SUCCESS)
}
