//! What a process leaves that ended in order, and one that did not.

use std::env;
use std::process::{Command, Stdio};

use super::*;

/// In which directory the child of a test is to die.
const DIES_IN: &str = "SAYSO_VAULT_DIES_IN";

#[tokio::test]
async fn nothing_is_due_after_a_process_that_ended_in_order() {
    let world = World::new().await;
    for _ in 0..2 {
        world.vault.enter().await.unwrap();
        assert!(!world.vault.wrapping().await.unwrap().is_purge_due);
        world.seal(ANNA, MEMORY).await.unwrap();
        world.vault.leave().await.unwrap();
    }
    let world = world.again().await.unwrap();
    world.vault.enter().await.unwrap();
    assert!(!world.vault.wrapping().await.unwrap().is_purge_due);
}

#[tokio::test]
async fn who_leaves_late_takes_no_other_process_for_one_that_ended_in_order() {
    let world = World::new().await;
    world.vault.enter().await.unwrap();
    let kek = Arc::new(FileKek::new(&world.dir.path().join("kek")));
    let other = Vault::unlock(world.store.clone(), kek.clone()).await.unwrap();
    other.enter().await.unwrap();
    assert!(other.purge().await.unwrap().is_some(), "the first one had not left");
    world.vault.leave().await.unwrap();
    let third = Vault::unlock(world.store.clone(), kek).await.unwrap();
    third.enter().await.unwrap();
    assert!(third.wrapping().await.unwrap().is_purge_due, "the second one has not");
}

#[tokio::test]
async fn what_a_store_never_answered_for_is_left_to_the_next_process_to_purge() {
    let dir = tempfile::tempdir().unwrap();
    write_kek(&dir.path().join("kek"), &[1]);
    let (silence, vault) = silent_store(dir.path()).await;
    let row = Key::from_bytes("row");
    let at_anna = at(&row, ANNA, MEMORY);
    tokio::select! {
        _ = vault.seal(&at_anna, b"canary") => panic!("nobody answers"),
        () = silence.committed.notified() => {}
    }
    silence.is_silent.store(false, Ordering::SeqCst);
    vault.leave().await.unwrap();
    let next = Vault::unlock(silence.clone(), Arc::new(FileKek::new(&dir.path().join("kek")))).await.unwrap();
    next.enter().await.unwrap();
    assert!(next.wrapping().await.unwrap().is_purge_due);
}

/// A vault that is in use, whose store answers nothing from here on.
async fn silent_store(dir: &Path) -> (Arc<FakeSilence>, Arc<Vault>) {
    let silence = FakeSilence { store: open_store(dir), is_silent: false.into(), committed: Notify::new() };
    let silence = Arc::new(silence);
    let vault = Vault::unlock(silence.clone(), Arc::new(FileKek::new(&dir.join("kek")))).await.unwrap();
    vault.enter().await.unwrap();
    silence.is_silent.store(true, Ordering::SeqCst);
    (silence, vault)
}

#[tokio::test]
async fn what_a_killed_process_was_never_answered_is_purged_by_the_next() {
    if let Some(dir) = env::var_os(DIES_IN) {
        let (silence, vault) = silent_store(Path::new(&dir)).await;
        let row = Key::from_bytes("row");
        let at_anna = at(&row, ANNA, MEMORY);
        tokio::select! {
            _ = vault.seal(&at_anna, b"canary") => panic!("nobody answers"),
            () = silence.committed.notified() => std::process::abort(),
        }
    }
    let dir = tempfile::tempdir().unwrap();
    write_kek(&dir.path().join("kek"), &[1]);
    let name = "vault::tests::using::what_a_killed_process_was_never_answered_is_purged_by_the_next";
    let child = Command::new(env::current_exe().unwrap())
        .args(["--exact", name])
        .env(DIES_IN, dir.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    assert_eq!(child.unwrap().code(), None, "it dies of a signal");
    let world = World::open(dir).await.unwrap();
    assert!(!world.vault.wrapping().await.unwrap().is_purge_due, "nothing was destroyed");
    world.vault.enter().await.unwrap();
    assert!(world.vault.wrapping().await.unwrap().is_purge_due);
    assert!(world.vault.purge().await.unwrap().is_some());
    assert!(!world.vault.wrapping().await.unwrap().is_purge_due);
    world.vault.leave().await.unwrap();
}
