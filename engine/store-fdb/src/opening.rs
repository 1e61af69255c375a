//! What is done before a store is open: finding its prefix, and checking who wrote there.

use foundationdb::directory::{Directory, DirectoryError, DirectoryLayer};
use foundationdb::{FdbError, Transaction};
use sayso_store::{Error, Schema, limits};

use crate::Space;
use crate::cluster::Cluster;
use crate::layout::{Layout, PREFIX_BYTES_MAX};
use crate::read::Stopped;

/// The version of [`Layout`], of the encoding of the log, and of what the stamps mean.
const LAYOUT: Schema = Schema::new("FoundationDB layout", 1, 1);

/// What the directory layer is told that a directory holds; it refuses one that holds something else.
const DIRECTORY_LAYER: &[u8] = b"sayso-store";

/// Where FoundationDB says which processes it has.
const STATUS_KEY: &[u8] = b"\xff\xff/status/json";

impl Cluster {
    /// Finds the prefix of `space`, and makes sure that it holds a store that this program can read, or nothing yet.
    pub(crate) async fn locate(&mut self, space: &Space) -> Result<(), Error> {
        let mut transaction = self.transaction()?;
        loop {
            let layout = match Self::find(&transaction, space).await {
                Ok(layout) => layout,
                Err(Stopped::Fdb(error)) => {
                    transaction = self.again(transaction, error).await?;
                    continue;
                }
                Err(Stopped::Store(error)) => return Err(error),
            };
            // Several that open a new store at once write the same, so an outcome that is not known needs no care.
            match transaction.commit().await {
                Ok(_) => {
                    self.layout = layout;
                    return Ok(());
                }
                Err(error) => transaction = self.again_after_commit(error).await?,
            }
        }
    }

    async fn find(transaction: &Transaction, space: &Space) -> Result<Layout, Stopped> {
        let prefix = match space {
            Space::Subspace(path) => foundationdb_tuple::pack(path),
            Space::Directory(path) => directory(transaction, path).await?,
        };
        if prefix.is_empty() {
            let what = "a store's part of the cluster has a name: give its space at least one string";
            return Err(Error::Invalid { what }.into());
        }
        limits::at_most("bytes in the prefix of a store", prefix.len(), PREFIX_BYTES_MAX)?;
        let layout = Layout::new(prefix);
        match transaction.get(&layout.layout(), false).await? {
            Some(stored) => {
                LAYOUT.decode(&stored).map_err(Error::from)?;
            }
            None => transaction.set(&layout.layout(), &LAYOUT.encode(&[])),
        }
        Ok(layout)
    }

    /// The versions of the cluster's servers, as they say themselves; several while it is being upgraded.
    pub(crate) async fn server_versions(&self) -> Result<Vec<String>, Error> {
        let mut transaction = self.transaction()?;
        let status = loop {
            match transaction.get(STATUS_KEY, true).await {
                Ok(status) => break status,
                Err(error) => transaction = self.again(transaction, error).await?,
            }
        };
        let status: Option<serde_json::Value> = status.and_then(|status| serde_json::from_slice(&status).ok());
        let processes = status.as_ref().and_then(|status| status.pointer("/cluster/processes")?.as_object());
        let versions = processes.into_iter().flatten().filter_map(|(_, process)| process.get("version")?.as_str());
        let mut versions: Vec<_> = versions.map(str::to_owned).collect();
        versions.sort_unstable();
        versions.dedup();
        Ok(versions)
    }
}

async fn directory(transaction: &Transaction, path: &[String]) -> Result<Vec<u8>, Stopped> {
    let layer = DirectoryLayer::default();
    let found = layer.create_or_open(transaction, path, None, Some(DIRECTORY_LAYER)).await;
    let prefix = found.and_then(|directory| directory.bytes().map(<[u8]>::to_vec));
    prefix.map_err(|error| match fdb_error(&error) {
        Some(error) => Stopped::Fdb(error),
        None => Stopped::Store(Error::Corrupt {
            what: format!("FoundationDB: the directory {path:?}"),
            found: format!("{error:?}"),
            remedy: "give the store a directory of its own, or remove what another program left there",
        }),
    })
}

/// The error of the database behind one of the directory layer.
fn fdb_error(error: &DirectoryError) -> Option<FdbError> {
    match error {
        DirectoryError::FdbError(error)
        | DirectoryError::HcaError(foundationdb::tuple::hca::HcaError::FdbError(error)) => Some(*error),
        _ => None,
    }
}
