//! [`Moving`]: a store that moves while its node serves, and the end of the node that goes with it.
//!
//! ```text
//!   wish ─▶ open the new store, own it, mark it ─▶ copy, compare, follow ─▶ the node stops serving
//!        ─▶ hold commits ─▶ bring the rest, compare it ─▶ note the old store as moved ─▶ take the keys there
//!        ─▶ take the new one's mark away
//! ```
//!
//! Up to the note the old store is the one that is served, and from the note on nobody serves it; the new one is served by
//! nobody before its mark is gone. Killed in between, the same command goes on where it was, with or without the node.

use core::convert::Infallible;
use core::time::Duration;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail};
use sayso_models::Progress;
use sayso_runtime::SystemClock;
use sayso_types::{Clock, Mono};
use sayso_vault::move_keys;
use tokio::time::{sleep, timeout};

use super::follow::Follow;
use super::wish::{self, State, Wish};
use super::{load, moved};
use crate::backend::{self, Backend, HeldStore};
use crate::config::Config;

/// How often a node looks whether its store is wished elsewhere: a file that is looked for.
const LOOKS_EVERY: Duration = Duration::from_secs(1);
/// How often it says how far it is: as often as whoever reads it does.
const SAYS_EVERY: Duration = Duration::from_millis(200);
/// How long the rest may take, in which nobody is served by either store. It is longer than a new store takes that has
/// just lost its leader.
const FINISH_WITHIN: Duration = Duration::from_secs(30);

/// Where a node is told that its store is to move.
pub(crate) struct Moves {
    /// Of the old store; none where there is nothing on this machine.
    dir: Option<PathBuf>,
    /// It and its keys; none where only stores of one node move.
    held: Option<(Arc<HeldStore>, Arc<HeldStore>)>,
}

impl Moves {
    /// Those of the node of `config`, with its store.
    pub(crate) fn of(config: &Config, backend: &Backend) -> Self {
        Self { dir: backend::dir(config), held: backend.held() }
    }

    /// Waits until the store is wished elsewhere and is there but for the rest. What cannot be done is told to whoever
    /// wishes it, and the node goes on.
    pub(crate) async fn next(&self) -> Moving {
        let (Some(dir), Some((store, keys))) = (&self.dir, &self.held) else { return std::future::pending().await };
        loop {
            match wish::found(dir) {
                Ok(Some(wish)) => {
                    tracing::info!(config = %wish.config.display(), "the store is to move");
                    match begin(dir, store, &wish).await {
                        Ok((to, target, follow, says)) => {
                            let (source, keys) = (Arc::clone(store), Arc::clone(keys));
                            return Moving { to, from: of(dir), source, keys, target, follow, says };
                        }
                        Err(error) => {
                            let error = format!("{error:#}");
                            tracing::error!(error, "the store does not move; it is served as before");
                            refuse(dir, &wish, error).await;
                        }
                    }
                }
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(error = format!("{error:#}"), "cannot look whether the store is to move");
                }
            }
            sleep(LOOKS_EVERY).await;
        }
    }
}

/// Opens the store that `wish` is about, and makes it the same as `source`, which lies in `dir`, but for the rest.
async fn begin(dir: &Path, source: &HeldStore, wish: &Wish) -> Result<(String, Backend, Follow, Says)> {
    let clock = Arc::new(SystemClock::new());
    let (said, step) = (Mono::default(), (String::new(), 0));
    let mut says = Says { dir: dir.to_owned(), id: wish.id.clone(), step, clock: clock.clone(), said };
    says.say(State::Opening);
    let config = Config::read(&wish.config)?;
    let to = backend::name(&config);
    let over = || anyhow!("the command that wished it has ended");
    let opened = tokio::select! {
        opened = Backend::open(&config, clock) => opened,
        () = unwished(dir, &wish.id) => Err(over()),
    };
    let mut target = opened?;
    let near = tokio::select! {
        near = draw_near(dir, source, &mut target, &mut says) => near,
        () = unwished(dir, &wish.id) => Err(over()),
    };
    match near {
        Ok(follow) => Ok((to, target, follow, says)),
        Err(error) => {
            target.close().await;
            Err(error)
        }
    }
}

async fn draw_near(dir: &Path, source: &HeldStore, target: &mut Backend, says: &mut Says) -> Result<Follow> {
    target.own(|owner| says.say(State::StandingBy(owner.to_owned()))).await?;
    let mut follow = Follow::begin(source.beneath(), target.store(), &of(dir)).await?;
    tokio::select! {
        near = follow.draw_near(says) => near?,
        failure = target.failure() => bail!("the new store has failed: {failure}"),
    }
    Ok(follow)
}

/// Says that it is not done, and waits until whoever wished it knows.
async fn refuse(dir: &Path, wish: &Wish, error: String) {
    if let Err(error) = wish::say(dir, &wish.id, State::NotMoved(error)) {
        tracing::warn!(error = format!("{error:#}"), "cannot say that the store does not move");
    }
    unwished(dir, &wish.id).await;
}

/// What tells the old store in `dir` from others.
pub(super) fn of(dir: &Path) -> String {
    dir.canonicalize().unwrap_or_else(|_| dir.to_owned()).display().to_string()
}

/// Waits until nobody wishes `id` any more.
async fn unwished(dir: &Path, id: &str) {
    while matches!(wish::found(dir), Ok(Some(found)) if found.id == id) {
        sleep(LOOKS_EVERY).await;
    }
}

/// A store whose data is elsewhere but for the rest.
pub(crate) struct Moving {
    /// Where, for people.
    pub(crate) to: String,
    from: String,
    source: Arc<HeldStore>,
    keys: Arc<HeldStore>,
    target: Backend,
    follow: Follow,
    says: Says,
}

impl Moving {
    /// Follows what the node still writes, for as long as this is polled.
    pub(crate) async fn keep_up(&mut self) -> Infallible {
        self.says.say(State::Stopping);
        self.follow.keep_up().await
    }

    /// Holds the old store, brings the rest, and leaves the old store for the new one. Nobody may be served any more.
    ///
    /// # Errors
    /// What was in the way; it says which of the two stores is to be served.
    pub(crate) async fn finish(self) -> Result<()> {
        let Self { to, from, source, keys, target, follow, mut says } = self;
        let (store, now) = (target.store(), says.clock.wall().0);
        let finished = async {
            source.hold().await;
            keys.hold().await;
            let (source, keys) = (source.beneath(), keys.beneath());
            let left = async {
                timeout(FINISH_WITHIN, follow.finish())
                    .await
                    .context("the new store takes too long for the rest")??;
                // Here the one stops to be served, and then the other begins to be: never both.
                moved::note(source.as_ref(), &to, now).await
            };
            left.await.context("the store has not moved: start the node again as it was")?;
            let released = async {
                move_keys(keys.as_ref(), store.as_ref()).await?;
                load::release_followed(&store, &from).await
            };
            let unreleased = || format!("everything is in {to}, which is not released yet: migrate it again");
            released.await.with_context(unreleased)
        };
        let finished = finished.await;
        target.close().await;
        says.say(match &finished {
            Ok(()) => State::Moved,
            Err(error) => State::NotMoved(format!("{error:#}")),
        });
        finished
    }
}

/// Says how far it is, in the file for that.
struct Says {
    dir: PathBuf,
    id: String,
    step: (String, u64),
    clock: Arc<SystemClock>,
    said: Mono,
}

impl Says {
    fn say(&mut self, state: State) {
        self.said = self.clock.now();
        if let Err(error) = wish::say(&self.dir, &self.id, state) {
            tracing::warn!(error = format!("{error:#}"), "cannot say how far the store has moved");
        }
    }
}

impl Progress for Says {
    fn begin(&mut self, step: &str, of: u64) {
        tracing::info!(step, of, "the store moves");
        self.step = (step.to_owned(), of);
        self.say(State::Step { step: step.to_owned(), of, bytes: 0 });
    }

    fn reach(&mut self, bytes: u64) {
        if self.clock.now().since(self.said) >= SAYS_EVERY {
            let (step, of) = self.step.clone();
            self.say(State::Step { step, of, bytes });
        }
    }

    fn end(&mut self) {}
}
