//! A node whose audit log is witnessed from outside.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use sayso_audit::{Cosigner, VerifierKey};
use sayso_proto::admin::v1::WitnessState;
use sayso_runtime::{CancellationToken, SystemClock, TaskKind, Tasks};
use sayso_tests::{Installation, PATIENCE, TENANT};
use sayso_witness::{Options, WitnessServer};
use serde_json::Value;

use crate::sayso;

fn cosigner() -> Cosigner {
    Cosigner::new("witness.example/w1", &[8; 32]).unwrap()
}

/// A witness of `log` at `listen`, with its ledger in `dir`.
async fn witness(listen: SocketAddr, dir: &Path, log: &VerifierKey) -> (SocketAddr, Tasks) {
    let options = Options { listen, dir: dir.to_owned(), cosigner: cosigner(), logs: vec![log.clone()] };
    let tasks = Tasks::new();
    let server = WitnessServer::bind(options, Arc::new(SystemClock::new()), tasks.clone()).await.unwrap();
    let (addr, stop) = (server.local_addr(), CancellationToken::new());
    tasks.spawn(TaskKind::Listener, "witness", server.run(stop.clone())).detach();
    let stopping = tasks.stopping();
    let stopped = async move {
        stopping.cancelled().await;
        stop.cancel();
    };
    tasks.spawn(TaskKind::Connection, "witness end", stopped).detach();
    (addr, tasks)
}

#[tokio::test]
async fn a_log_is_witnessed_goes_on_without_its_witness_and_says_so() {
    let installation = Installation::new(&sayso()).await;
    let log: VerifierKey = fs::read_to_string(installation.path("log.pub")).unwrap().trim().parse().unwrap();
    let ledger = tempfile::tempdir().unwrap();
    let (addr, tasks) = witness(([127, 0, 0, 1], 0).into(), ledger.path(), &log).await;
    let policy = format!("log {log}\nwitness w1 {} http://{addr}/\nquorum w1\n", cosigner().verifier());
    fs::write(installation.path("trust.policy"), policy).unwrap();
    installation.edit("sayso.toml", |config| {
        let witnesses = [("trust", "trust.policy".into()), ("every-ms", 100.into()), ("leaves", 1.into())];
        let witnesses = witnesses.map(|(key, value): (&str, toml::Value)| (key.to_owned(), value));
        config.insert("witnesses".to_owned(), toml::Table::from_iter(witnesses).into());
    });
    let node = installation.start().await;
    let admin = installation.operator(&node).await;
    assert!(admin.until_witness(WitnessState::Cosigned).await.witnessed_size > 0);

    assert_eq!(tasks.shutdown(PATIENCE).await, 0);
    let mut device = installation.first_device(&node).await;
    let (prompt, _) = device.asked().await;
    device.agree(&prompt).await;
    device.until_listening().await;
    let standing = admin.until_witness(WitnessState::Failed).await;
    assert!(standing.size > standing.witnessed_size, "the log went on");
    assert!(standing.witnesses[0].problem.contains("cannot be reached"), "{standing:?}");

    let (_, tasks) = witness(addr, ledger.path(), &log).await;
    admin.until_witness(WitnessState::Cosigned).await;
    let (at, certs) = (node.admin.to_string(), installation.file("admin"));
    let proofs = installation.file("proofs");
    let args = ["receipts", "--admin", &at, "--certs", &certs, "--tenant", TENANT, "--proofs", &proofs];
    let _ = sayso().run(args).await.success();
    let trust = installation.file("trust.policy");
    let mut checked = 0;
    for file in fs::read_dir(&proofs).unwrap() {
        let file = file.unwrap().path().into_os_string().into_string().unwrap();
        let args = ["verify", "--json", "--receipt", &file, "--trust", &trust];
        let shown: Value = serde_json::from_str(&sayso().run(args).await.success().stdout).unwrap();
        assert_eq!(shown["witnesses"][0]["witness"], "w1");
        checked += 1;
    }
    assert!(checked > 0);

    let export = installation.file("export");
    let node = ["--admin", &at, "--certs", &certs];
    let exported = [&["audit", "export"], &node[..], &[&export]].concat();
    let told: Value = serde_json::from_str(&sayso().run(exported.clone()).await.success().stdout).unwrap();
    assert_eq!(told["origin"], log.name());
    sayso().run(exported).await.failure(&["is not empty"]);
    let profile = installation.file("profile.toml");
    let args = ["verify", "--json", &export, "--trust", &trust, "--profile", &profile];
    let verdict: Value = serde_json::from_str(&sayso().run(args).await.success().stdout).unwrap();
    assert_eq!((&verdict["clean"], &verdict["independent"]), (&true.into(), &true.into()), "{verdict}");
    assert_eq!((&verdict["size"], &verdict["witnessed"]["by"][0]["witness"]), (&told["leaves"], &"w1".into()));
    assert!(verdict["recomputed"].as_u64() > Some(0), "{verdict}");
    let asked = [&["audit", "witnesses"], &node[..]].concat();
    let standing: Value = serde_json::from_str(&sayso().run(asked).await.success().stdout).unwrap();
    assert_eq!((&standing["witnesses"][0]["name"], &standing["witnesses"][0]["problem"]), (&"w1".into(), &"".into()));

    assert_eq!(tasks.shutdown(PATIENCE).await, 0);
}
