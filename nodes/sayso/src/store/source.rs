//! [`Source`]: a store that is read as a whole: as it was at one moment, while it is used; or one of FoundationDB, page by
//! page.

use std::array::IntoIter;
use std::sync::Arc;

use anyhow::{Result, bail};
use sayso_consent::format;
use sayso_runtime::SystemClock;
use sayso_store::{Error as StoreError, Key, Store, Value};
use sayso_store_raft::Error as RaftError;

use super::contents::{Contents, Portion};
use super::live::Live;
use super::told::ClusterTold;
use super::with_store;
use crate::backend::{self, Backend, Pass};
use crate::cli::StoreFileArgs;
use crate::config::Config;
use crate::output;

/// What is read.
pub(super) enum Source {
    /// As it is, page by page: that of one moment where nobody else writes to it.
    Asked(Arc<dyn Store>),
    /// As it was at one moment.
    Cut(Cut),
}

impl Source {
    /// A pass over that `portion` of it. Of a cut there are as many as were asked for.
    pub(super) fn contents(&mut self, portion: Portion) -> Contents<'_> {
        match self {
            Self::Asked(store) => Contents::of(store, portion),
            Self::Cut(cut) => Contents::of_cut(cut, portion),
        }
    }

    /// The cluster, if it is of one.
    pub(super) fn cluster(&self) -> Option<&ClusterTold> {
        match self {
            Self::Asked(_) => None,
            Self::Cut(Cut::Here { cluster, .. }) => cluster.as_ref(),
            Self::Cut(Cut::There(live)) => live.cluster.as_ref(),
        }
    }
}

/// Passes over what a store held at one moment.
pub(super) enum Cut {
    /// On the disk that this process has.
    Here {
        /// The pass that is under way first.
        passes: IntoIter<Pass, 2>,
        /// It.
        pass: Option<Pass>,
        cluster: Option<ClusterTold>,
    },
    /// On that of a node that runs.
    There(Live),
}

impl Cut {
    /// The next entries of a pass; `None` at its end, after which the next one begins.
    pub(super) async fn next_page(&mut self) -> Result<Option<Vec<(Key, Value)>>> {
        match self {
            Self::There(live) => live.next_page().await,
            Self::Here { passes, pass, .. } => {
                let Some(current) = pass else { bail!("it was passed over as often as it can be") };
                let page = current.next_page()?;
                if page.is_empty() {
                    *pass = passes.next();
                    return Ok(None);
                }
                Ok(Some(page.into_iter().map(|entry| (entry.key, entry.value)).collect()))
            }
        }
    }
}

/// How a command reads a store.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reads {
    /// Once, where it matters little that FoundationDB has something from a moment ago beside something from now.
    Once,
    /// Twice, as it was at one moment.
    Moment,
}

/// Does `work` with what is in the store of a configuration. Nothing is begun where there is none.
pub(super) async fn with_source<T>(
    args: &StoreFileArgs,
    reads: Reads,
    work: impl AsyncFnOnce(&Config, Source) -> Result<T>,
) -> Result<T> {
    let config = Config::read(&args.config)?;
    let Some(dir) = backend::dir(&config) else {
        if reads == Reads::Moment {
            return with_store(args, async |config, backend| work(config, Source::Asked(backend.store())).await).await;
        }
        let backend = Backend::open(&config, Arc::new(SystemClock::new())).await?;
        let done = match format::require_known(backend.store().as_ref()).await {
            Ok(()) => work(&config, Source::Asked(backend.store())).await,
            Err(error) => Err(error.into()),
        };
        backend.close().await;
        return done;
    };
    backend::require_begun(&config)?;
    let passes = match reads {
        Reads::Once => 1,
        Reads::Moment => 2,
    };
    let backend = match Backend::open(&config, Arc::new(SystemClock::new())).await {
        Err(error) if is_in_use(&error) => {
            let live = Live::ask(&dir, passes).await?;
            output::note("the node runs: reading what it gives");
            return work(&config, Source::Cut(Cut::There(live))).await;
        }
        opened => opened?,
    };
    let done = match cut(&backend).await {
        Ok(cut) => work(&config, Source::Cut(cut)).await,
        Err(error) => Err(error),
    };
    backend.close().await;
    done
}

/// A cut of the store that this process has open.
async fn cut(backend: &Backend) -> Result<Cut> {
    let Some(reader) = backend.reader() else { bail!("the store is not on a disk of this machine") };
    format::require_known(backend.store().as_ref()).await?;
    let mut passes = reader.sweep_twice().await?.into_iter();
    let (pass, cluster) = (passes.next(), reader.status().map(Into::into));
    Ok(Cut::Here { passes, pass, cluster })
}

fn is_in_use(error: &anyhow::Error) -> bool {
    let of_several = error.downcast_ref().and_then(|error| match error {
        RaftError::Store(error) => Some(error),
        _ => None,
    });
    matches!(of_several.or_else(|| error.downcast_ref()), Some(StoreError::InUse { .. }))
}
