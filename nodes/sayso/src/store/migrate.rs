//! `sayso store migrate`: moves a store, by the node that serves it or with no node running.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use sayso_consent::format;
use sayso_models::Progress;
use sayso_runtime::SystemClock;
use sayso_store::{Error as StoreError, Store};
use sayso_types::Clock;

use super::contents::Portion;
use super::follow::Follow;
use super::told::Moved;
use super::wish::{State, Wished};
use super::{contents, load, moved, moving, tell, with_store_in_turn};
use crate::backend::{self, Backend};
use crate::cli::{MigrateArgs, StoreFileArgs};
use crate::config::Config;
use crate::output;
use crate::progress::progress;

/// How often a node that moves its store is looked at.
const LOOKS_EVERY: Duration = Duration::from_millis(200);
/// How long one may take to answer: it looks each second.
const ANSWERED_WITHIN: Duration = Duration::from_secs(30);

pub(super) async fn run(args: &MigrateArgs) -> Result<ExitCode> {
    let config = Config::read(&args.store.config)?;
    if let Some(kind) = args.to
        && config.store.kind != kind
    {
        bail!("--to is {kind}, but store.kind is {} in {}", config.store.kind, args.store.config.display());
    }
    config.store.require_place(&config.read_profile()?)?;
    let to = backend::name(&config);
    let dir = &args.from.0;
    let (from, is_moved) = match open(dir).await {
        Err(error) if is_in_use(&error) => ask_node(dir, &args.store.config).await?,
        opened => (opened?, false),
    };
    let moved = async {
        if !is_moved {
            move_from(from.store(), &args.store, &to, dir).await?;
        }
        // what nobody serves any more is all that was moved
        anyhow::Ok(Moved { all: contents::summary(&from.store(), Portion::All, |_| {}).await?, to })
    };
    let moved = moved.await;
    from.close().await;
    tell(&moved?, args.store.json)
}

async fn open(dir: &Path) -> Result<Backend> {
    Backend::open_dir(dir, Arc::new(SystemClock::new())).await
}

fn is_in_use(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(StoreError::InUse { .. }))
}

/// Asks the node that serves the store in `dir` to move it into that of `config`, and waits until it has ended. Its store,
/// and whether it has.
async fn ask_node(dir: &Path, config: &Path) -> Result<(Backend, bool)> {
    let wished = Wished::make(dir, config)?;
    output::note("a node serves it: asking that to move its store");
    let (mut shown, clock) = (Shown { bars: progress(), state: None, step: None }, SystemClock::new());
    let asked = clock.now();
    loop {
        let state = wished.answer()?;
        shown.show(state.as_ref());
        match &state {
            Some(State::NotMoved(why)) => bail!("the node did not move its store: {why}"),
            None if clock.now().since(asked) > ANSWERED_WITHIN => bail!(
                "whoever uses {} does not answer: a node that only begins to serve, or one of an earlier version, or \
                 another command. Wait for it or stop it, and run this again",
                dir.display()
            ),
            Some(_) | None => {}
        }
        match open(dir).await {
            Err(error) if is_in_use(&error) => tokio::time::sleep(LOOKS_EVERY).await,
            opened => {
                let from = opened?;
                let state = wished.answer()?;
                shown.show(state.as_ref());
                match state {
                    Some(State::Moved) => return Ok((from, true)),
                    // it ended in order, and says which store is to be served
                    Some(State::NotMoved(why)) => {
                        from.close().await;
                        bail!("the node did not move its store: {why}");
                    }
                    _ => {
                        output::note("the node ended before its store was moved: going on without it");
                        return Ok((from, false));
                    }
                }
            }
        }
    }
}

/// What a node says of its move, on standard error.
struct Shown {
    bars: Box<dyn Progress>,
    state: Option<State>,
    /// The one whose bar is shown.
    step: Option<String>,
}

impl Shown {
    fn show(&mut self, state: Option<&State>) {
        if self.state.as_ref() == state {
            return;
        }
        self.state = state.cloned();
        match state {
            Some(State::Step { step, of, bytes }) => {
                if self.step.as_ref() != Some(step) {
                    self.end();
                    self.bars.begin(step, *of);
                    self.step = Some(step.clone());
                }
                self.bars.reach(*bytes);
            }
            other => {
                self.end();
                match other {
                    Some(State::StandingBy(owner)) => output::note(format!("{owner} serves: waiting until it stops")),
                    Some(State::Stopping) => output::note("little is left: the node stops serving"),
                    _ => {}
                }
            }
        }
    }

    fn end(&mut self) {
        if self.step.take().is_some() {
            self.bars.end();
        }
    }
}

/// Makes the store of a configuration, which people know as `to`, the same as `source`, which lies in `dir` and which nobody
/// serves, and leaves `source` for it. What was done before is not done again.
async fn move_from(source: Arc<dyn Store>, into: &StoreFileArgs, to: &str, dir: &Path) -> Result<()> {
    let (from, nothing) = (moving::of(dir), "nothing can be moved from it");
    format::require_known(source.as_ref()).await.context(nothing)?;
    load::require_whole(source.as_ref()).await.context(nothing)?;
    moved::require_not_elsewhere(source.as_ref(), to).await.context(nothing)?;
    if moved::is_moved(source.as_ref()).await? {
        // It was compared before that was noted. Who serves it by now is not waited for.
        let backend = Backend::open(&Config::read(&into.config)?, Arc::new(SystemClock::new())).await?;
        let released = load::release_followed(&backend.store(), &from).await;
        backend.close().await;
        return released;
    }
    with_store_in_turn(into, async |_, backend| {
        let store = backend.store();
        let mut follow = Follow::begin(Arc::clone(&source), Arc::clone(&store), &from).await?;
        follow.draw_near(progress().as_mut()).await?;
        follow.finish().await?;
        // Here the one stops to be served, and then the other begins to be: never both.
        moved::note(source.as_ref(), to, SystemClock::new().wall().0).await?;
        load::release_followed(&store, &from).await
    })
    .await
}
