//! [`Reader`]: all that is in a store on disks of our own, as it is at one moment, while it is used.

use std::sync::Arc;

use sayso_store::{Entry, Error};
use sayso_store_local::{LocalStore, Sweep};
use sayso_store_raft::{RaftStore, RaftSweep, Status};

/// Reads a store as a whole, whatever is committed meanwhile.
#[derive(Clone)]
pub(crate) enum Reader {
    /// Of one node.
    Local(Arc<LocalStore>),
    /// Of several.
    Raft(Arc<RaftStore>),
}

impl Reader {
    /// Two passes of one moment over all that was acknowledged by now.
    ///
    /// # Errors
    /// The state of the store.
    pub(crate) async fn sweep_twice(&self) -> Result<[Pass; 2], Error> {
        Ok(match self {
            Self::Local(store) => store.sweep_twice()?.map(Pass::Local),
            Self::Raft(store) => store.sweep_twice().await?.map(Pass::Raft),
        })
    }

    /// The cluster, if it is of several.
    pub(crate) fn status(&self) -> Option<Status> {
        match self {
            Self::Local(_) => None,
            Self::Raft(store) => Some(store.status()),
        }
    }
}

/// One pass. It keeps the files of its moment: a purge waits for it.
pub(crate) enum Pass {
    Local(Sweep),
    Raft(RaftSweep),
}

impl Pass {
    /// The next entries; none at the end.
    ///
    /// # Errors
    /// What the disk says.
    pub(crate) fn next_page(&mut self) -> Result<Vec<Entry>, Error> {
        match self {
            Self::Local(sweep) => sweep.next_page(),
            Self::Raft(sweep) => sweep.next_page(),
        }
    }
}
