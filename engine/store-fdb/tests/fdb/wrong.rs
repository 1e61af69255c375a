//! What is refused when a store is opened.

use sayso_store::{Batch, Error, Key, Store};
use sayso_store_fdb::Space;

use crate::part::Part;

/// A space has a name, and not a long one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_space_needs_a_name_that_fits() {
    let Some(mut part) = Part::new() else { return };
    assert!(matches!(part.try_open(Space::Subspace(Vec::new())).await, Err(Error::Invalid { .. })));
    let long = Space::Subspace(vec!["x".repeat(39)]);
    assert!(matches!(part.try_open(long).await, Err(Error::TooLarge { size: 41, max: 40, .. })));
}

/// A store that a newer program made is not touched.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newer_layout_is_refused() {
    let Some(mut part) = Part::new() else { return };
    let layout = [part.prefix().as_slice(), &[0]].concat();
    part.transact(|transaction| transaction.set(&layout, &2u16.to_be_bytes())).await;
    assert!(matches!(part.try_open(part.space()).await, Err(Error::Schema(_))));
}

/// What somebody else wrote among the entries is named, not read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_foreign_entry_is_damage() {
    let Some(mut part) = Part::new() else { return };
    let store = part.open_one().await;
    let entry = [part.prefix().as_slice(), b"\x01a"].concat();
    part.transact(|transaction| transaction.set(&entry, b"short")).await;
    assert!(matches!(store.read(&[Key::from_bytes("a")]).await, Err(Error::Corrupt { .. })));
    store.commit(Batch::new().put(Key::from_bytes("a"), "1")).await.unwrap();
    assert!(store.read(&[Key::from_bytes("a")]).await.is_ok());
}
