//! The contract's conformance suite, on a directory.

use std::sync::Arc;

use async_trait::async_trait;
use sayso_store::Store;
use sayso_store::testing::Backend;
use sayso_store_local::{LocalOptions, LocalStore};
use sayso_types::ManualClock;
use tempfile::TempDir;

/// One directory, with memtables so small that the laws see logs turn into tables and tables merge.
struct Local {
    dir: TempDir,
    open: Option<Arc<LocalStore>>,
}

impl Local {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().expect("a directory"), open: None }
    }
}

#[async_trait]
impl Backend for Local {
    async fn open(&mut self) -> Arc<dyn Store> {
        let options = LocalOptions { memtable_bytes: 16 << 10, ..LocalOptions::new(Arc::new(ManualClock::new())) };
        let store = LocalStore::open(self.dir.path(), options).expect("opens");
        self.open = Some(Arc::clone(&store));
        store
    }

    async fn close(&mut self, _store: Arc<dyn Store>) {
        self.open.take().expect("the store that was opened last").close();
    }
}

sayso_store::conformance!(Local::new());
