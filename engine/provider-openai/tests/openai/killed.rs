//! W6: `kill -9` in the midst of an upload. What the process had handed to its socket, and the kernel had not sent, never
//! leaves: nobody is left who could be told of a withdrawal.

use std::env;
use std::process::{Command, Stdio};

use sayso_provider::Transcriber;
use sayso_provider::conformance::Bench;

use crate::bench::{endpoint_at, transcriber};
use crate::fake_openai::{FakeOpenAi, Plan};

/// Tells the test's own program that it is the one to be killed, and where the service is.
const CHILD: &str = "SAYSO_OPENAI_KILL_URL";
const NAME: &str = "killed::w6_what_a_killed_process_had_in_its_socket_is_not_sent";
/// More than all buffers hold.
const FRAMES: usize = 6_000;
/// Where the service stops to read.
const PAUSE_AFTER: usize = 200_000;

#[tokio::test]
async fn w6_what_a_killed_process_had_in_its_socket_is_not_sent() {
    if let Ok(url) = env::var(CHILD) {
        let bench = Bench::for_transcriber();
        let (permit, _revoker) = bench.permit();
        let utterance = bench.utterance(bench.label(), FRAMES);
        let _ = transcriber(endpoint_at(&url)).transcribe(bench.call(&permit), utterance).await;
        panic!("it is killed before the service has read everything");
    }
    let fake = FakeOpenAi::start();
    fake.plan(Plan { pause_after: Some(PAUSE_AFTER), ..Plan::silence() });
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", NAME])
        .env(CHILD, format!("http://{}/v1", fake.address))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    fake.wait_until(|log| log.bytes.len() >= PAUSE_AFTER).await;
    child.kill().unwrap();
    child.wait().unwrap();
    fake.read_on.notify_one();
    let log = fake.wait_until(|log| log.ended == 1).await;
    assert_eq!((log.requests.len(), log.resets), (0, 1), "reset, not sent to its end and closed");
}
