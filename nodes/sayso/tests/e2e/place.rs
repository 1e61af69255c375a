//! Data is stored where the profile lets it be, and nowhere else: a node, one more of its cluster, a backup.

use std::fs;

use sayso_tests::{FakeObjectStore, Installation, Process, free_udp_address};

use crate::reload::PROFILE;
use crate::sayso;

/// The node says that it stands in `region`.
pub(crate) fn stands_in(installation: &Installation, region: &str) {
    installation.edit("sayso.toml", |config| {
        config["store"].as_table_mut().unwrap().insert("region".to_owned(), region.into());
    });
}

/// Its profile lets data be stored in China only.
fn keep_in_china(installation: &Installation) {
    installation.edit(PROFILE, |profile| {
        profile["transfers"].as_table_mut().unwrap().insert("storage".to_owned(), vec!["CN"].into());
        let processors = profile["processor"].as_array_mut().unwrap().iter_mut();
        for store in processors.filter(|one| one["kind"].as_str() == Some("database")) {
            store["region"] = "CN".into();
        }
    });
}

#[tokio::test]
async fn a_node_starts_and_is_backed_up_only_where_the_profile_lets_data_be_stored() {
    let installation = Installation::new(&sayso()).await;
    keep_in_china(&installation);
    let refuses = async |words: &[&str]| {
        Process::start(installation.serve()).finished().await.failure(words);
        assert!(!installation.path("data").exists(), "nothing is begun there");
    };
    refuses(&["store.region is not given", "only in CN (transfers.storage)"]).await;
    stands_in(&installation, "DE");
    refuses(&["store.region is \"DE\"", "only in CN (transfers.storage)"]).await;
    stands_in(&installation, "cn");
    refuses(&["store.region", "did you mean `CN`"]).await;
    stands_in(&installation, "CN");
    let _ = installation.start().await.terminate().await.success();

    let service = FakeObjectStore::start("backups");
    let backup = async |region: &[&str]| {
        let config = installation.file("sayso.toml");
        let mut ask = sayso().command([&["store", "backup", "s3://backups", "--config", &config], region].concat());
        ask.env("AWS_ENDPOINT_URL", service.url())
            .env("AWS_ACCESS_KEY_ID", "key")
            .env("AWS_SECRET_ACCESS_KEY", "secret");
        Process::start(ask).finished().await
    };
    backup(&[]).await.failure(&["--region is not given", "only in CN (transfers.storage)"]);
    backup(&["--region", "US"]).await.failure(&["--region is \"US\"", "only in CN (transfers.storage)"]);
    assert!(service.written().is_empty(), "not a byte went there");
    let _ = backup(&["--region", "CN"]).await.success();
    assert!(!service.written().is_empty());
}

#[tokio::test]
async fn a_node_joins_only_where_the_profile_lets_data_be_stored() {
    let founder = Installation::founder(&sayso()).await;
    keep_in_china(&founder);
    stands_in(&founder, "CN");
    let config = founder.file("sayso.toml");
    let mut open = Process::start(sayso().command(["store", "invite", "--config", &config, "--listen", "127.0.0.1:0"]));
    let token = open.answer().await;
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("node");
    let (to, peer) = (place.to_str().unwrap(), free_udp_address().to_string());
    let join =
        async |region: &[&str]| sayso().run([&["init", to, "--peer", &peer, "--join", &token], region].concat()).await;
    join(&[]).await.failure(&["cluster home refuses", "--region is not given", "only in CN (transfers.storage)"]);
    join(&["--region", "DE"]).await.failure(&["cluster home refuses", "--region is \"DE\""]);
    assert!(!place.exists(), "it gets nothing of the cluster's");
    let _ = join(&["--region", "CN"]).await.success();
    let _ = open.finished().await.success();
    let joined = fs::read_to_string(place.join("sayso.toml")).unwrap();
    assert!(joined.contains("region = \"CN\""), "{joined}");
}
