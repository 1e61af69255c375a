//! A node in one process, a device in another.

use std::fs;
use std::path::Path;

use sayso_tests::{Installation, recordings};
use serde_json::Value;

use crate::sayso;

/// Below this a file is as good as silent: full scale is 32,768.
const LOUDNESS_MIN: f64 = 200.0;

#[tokio::test]
async fn a_device_gets_spoken_answers() {
    let installation = Installation::new(&sayso()).await;
    let node = installation.start().await;
    let saved = installation.file("answers");
    let (server, certs) = (node.gateway.to_string(), installation.file("device"));
    let (first, second) = (recordings::path(recordings::SHORT), recordings::path(recordings::LONG));
    let args = ["device", "--server", &server, "--certs", &certs, "--wav", &first, "--wav", &second];
    let talked = sayso().run(args.iter().chain(&["--consent", "agree", "--save", &saved, "--json"])).await.success();

    let events: Vec<Value> = talked.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |name: &str| events.iter().filter(|event| event["event"] == name).collect::<Vec<_>>();
    assert_eq!(of("consent")[0]["status"], "given");
    let understood = of("understood");
    assert_eq!(understood.len(), 2, "{understood:?}");
    let last_heard = events.iter().rposition(|event| event["event"] == "understood").unwrap();
    let answers: Vec<_> = events[last_heard..].iter().filter(|event| event["event"] == "played").collect();
    assert!(!answers.is_empty(), "the second recording was answered too: {}", talked.stdout);
    for played in of("played").into_iter().filter(|played| played["played_ms"].as_u64() > Some(500)) {
        let file = played["file"].as_str().unwrap();
        assert!(loudness(Path::new(file)) > LOUDNESS_MIN, "{file} is silent");
    }

    // what people say and who they are stays out of the log
    let log = node.terminate().await.success().stderr;
    let words = understood.iter().map(|event| event["text"].as_str().unwrap());
    for private in words.chain(["speaker-1"]) {
        assert!(!log.contains(private), "the log tells {private:?}");
    }
}

/// The root mean square of a file's samples.
fn loudness(file: &Path) -> f64 {
    assert!(fs::metadata(file).is_ok(), "{} was saved", file.display());
    let samples = sayso_device::wav::read(file).unwrap().samples;
    let energy: f64 = samples.iter().map(|&sample| f64::from(sample).powi(2)).sum();
    (energy / samples.len() as f64).sqrt()
}
