//! What people and scripts rely on: the commands, and the keys of a configuration.

use std::process::Command;

use sayso_tests::Process;

use crate::sayso;

/// What the program prints, in a terminal of a fixed width.
async fn printed(args: &[&str]) -> String {
    let mut command: Command = sayso().command(args);
    command.env("COLUMNS", "100");
    Process::start(command).finished().await.success().stdout
}

#[tokio::test]
async fn help_names_the_commands() {
    let meant = "if this is meant, change golden/help.txt";
    assert_eq!(printed(&["--help"]).await, include_str!("golden/help.txt").trim_end(), "{meant}");
}

#[tokio::test]
async fn defaults_are_what_they_were() {
    let meant = "operators rely on these keys and values; if this is meant, change golden/defaults.toml";
    let defaults = printed(&["serve", "--dump-config"]).await;
    assert_eq!(defaults, include_str!("golden/defaults.toml").trim_end(), "{meant}");
}

#[tokio::test]
async fn wrong_usage_has_an_exit_code_of_its_own() {
    let finished = sayso().run(["serve", "--confg", "x"]).await;
    assert_eq!(finished.status.code(), Some(2));
    assert!(finished.stderr.contains("--config"), "the nearest flag is named: {}", finished.stderr);
}
