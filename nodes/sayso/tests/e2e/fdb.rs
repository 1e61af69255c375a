//! A node on FoundationDB, where `FDB_CLUSTER_FILE` names a cluster. With the stand-in for its client each process has a
//! cluster of its own, so what one of them wrote no other is asked for. Parts of a real cluster are cleared by `.ci/fdb`, which finds
//! them by what their names begin with.

use std::io::Write;

use sayso_proto::consent::v1::WithdrawalState;
use sayso_tests::Installation;

use crate::sayso;
use crate::store::{hand_over, json, store, used};

/// An installation whose store is a part of the cluster under a random name; `None`, and a word about it, without one.
async fn on_fdb() -> Option<Installation> {
    if std::env::var_os("FDB_CLUSTER_FILE").is_none() {
        let _ =
            writeln!(std::io::stderr(), "NOT RUN: set FDB_CLUSTER_FILE to the cluster file of a FoundationDB cluster");
        return None;
    }
    let installation = Installation::new(&sayso()).await;
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).unwrap();
    let mut name = std::env::var("SAYSO_FDB_RUN").unwrap_or_default() + &hex::encode(bytes);
    // a part's prefix is not long
    name.truncate(16);
    installation.edit("sayso.toml", |config| {
        let place = toml::toml! { kind = "fdb" };
        let mut part = toml::Table::new();
        part.insert("subspace".into(), vec!["sayso-tests".to_owned(), name].into());
        let store = config.entry("store").or_insert_with(|| toml::Table::new().into()).as_table_mut().unwrap();
        store.extend(place);
        store.insert("fdb".into(), part.into());
    });
    Some(installation)
}

#[tokio::test]
async fn a_node_serves_on_it() {
    let Some(installation) = on_fdb().await else { return };
    let node = installation.start().await;
    drop(installation.device(&node, "kitchen").await.unwrap());
    let admin = installation.operator(&node).await;
    let given = admin.give("kitchen", "voice_interaction").await;
    assert_eq!(admin.consent("kitchen").await.records, given.records);
    let withdrawn = admin.withdraw("kitchen").await;
    assert_eq!(withdrawn.state(), WithdrawalState::Ok, "{withdrawn:?}");
    let report = admin.verify_log().await;
    assert!(report.is_clean(), "{report:?}");
    let _ = node.terminate().await.success();
}

#[tokio::test]
async fn a_store_of_one_node_moves_into_it() {
    let Some(new) = on_fdb().await else { return };
    let (old, _) = used().await;
    hand_over(&old, &new, &["keys"]);
    let from = format!("local:{}", old.file("data"));
    // what was copied is compared before it says so
    let moved = json(store(&new, &["migrate", "--from", &from, "--to", "fdb"]).await);
    assert_eq!(moved["all"], json(store(&old, &["check"]).await)["all"]);
    assert!(moved["all"]["entries"].as_u64() > Some(0), "{moved}");
}
