//! Every command measures, on a small scale. What the figures are is not judged here: that depends on the machine.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::process::Command;

use serde_json::Value;

/// Runs the load test and returns its figures.
fn figures(args: &[&str]) -> Vec<Value> {
    let run = Command::new(env!("CARGO_BIN_EXE_sayso-loadtest")).args(args).arg("--json").output().unwrap();
    assert!(run.status.success(), "{args:?}: {}", String::from_utf8_lossy(&run.stderr));
    let mut report: Value = serde_json::from_slice(&run.stdout).unwrap();
    let Value::Array(figures) = report["figures"].take() else { panic!("{report} has no figures") };
    figures
}

fn figure<'a>(figures: &'a [Value], name: &str) -> &'a Value {
    figures.iter().find(|figure| figure["name"] == name).unwrap_or_else(|| panic!("no {name:?} in {figures:?}"))
}

/// A figure that was measured, and so was what it is compared with.
fn assert_above_zero(figure: &Value) {
    for part in ["value", "floor", "ratio"] {
        assert!(figure[part].as_f64().unwrap() > 0.0, "{part} of {figure}");
    }
    assert!(figure["met"].is_boolean(), "{figure}");
}

#[test]
fn a_frames_path_is_measured_without_and_with_the_network() {
    let args = ["frame-path", "--rounds", "1", "--network-rounds", "1", "--devices", "2", "--seconds", "1"];
    let figures = figures(&args);
    assert_above_zero(figure(&figures, "frame path, median"));
    assert_above_zero(figure(&figures, "frame path over QUIC, median"));
}

#[test]
fn an_idle_devices_memory_is_measured() {
    assert_above_zero(figure(&figures(&["idle-memory", "--devices", "100"]), "idle device"));
}

#[test]
fn a_turns_latency_is_measured_with_its_stages() {
    let figures = figures(&["turn-latency", "--sessions", "2", "--turns", "1"]);
    for name in
        ["turn, p99", "turn, answer, p50", "turn, recognise, p50", "turn, respond, p50", "turn, synthesize, p50"]
    {
        assert!(figure(&figures, name)["value"].as_f64().unwrap() > 0.0, "{name}");
    }
}

#[test]
fn a_withdrawals_latency_is_measured_and_nothing_comes_after_its_ok() {
    let figures = figures(&["withdraw-latency", "--withdrawals", "3"]);
    assert_above_zero(figure(&figures, "withdrawal, p99"));
    assert_eq!(figure(&figures, "withdrawal, bytes after OK")["value"], 0.0);
}

#[test]
fn a_leader_that_is_killed_and_a_snapshot_are_measured() {
    let figures = figures(&["store", "--rounds", "0", "--kills", "2", "--snapshot-mb", "8"]);
    for name in [
        "commit after kill -9 of the leader, 2 rounds, slowest",
        "snapshot of 8 MB, leader, memory above it",
        "snapshot of 8 MB, new node, memory above it",
    ] {
        let figure = figure(&figures, name);
        assert!(figure["value"].as_f64().unwrap() > 0.0 && figure["met"].is_boolean(), "{figure}");
    }
}

#[test]
fn what_cannot_be_measured_is_said() {
    let run = |args: &[&str]| {
        let run = Command::new(env!("CARGO_BIN_EXE_sayso-loadtest")).args(args).output().unwrap();
        (run.status.code(), String::from_utf8(run.stderr).unwrap())
    };
    let (code, said) = run(&["idle-memory", "--devices", "0"]);
    assert_eq!(code, Some(1));
    assert!(said.contains("at least 1 device"), "{said}");
    let (code, said) = run(&["withdraw-latency", "--data", "/nowhere/at/all"]);
    assert_eq!(code, Some(1));
    assert!(said.contains("/nowhere/at/all") && said.contains("--data"), "{said}");
    let (code, _) = run(&["frame-path", "--seconds", "11"]);
    assert_eq!(code, Some(2));
}

/// W2: also of what is on its way, nothing comes after the OK, and whoever else talks is heard whole.
#[test]
fn w2_nothing_comes_over_the_wire_after_a_withdrawals_ok() {
    let figures = figures(&["withdraw-wire", "--withdrawals", "20"]);
    for protocol in ["HTTP/1.1", "HTTP/2", "WebSocket"] {
        let value =
            |name: &str| figure(&figures, &format!("withdrawal over {protocol}, {name}"))["value"].as_f64().unwrap();
        assert_eq!(value("bytes after OK"), 0.0);
        assert_eq!(value("neighbour's utterances, not whole"), 0.0);
        assert!(value("uploads cut short") > 0.0 && value("neighbour's utterances, whole") > 0.0);
    }
}

#[test]
fn what_consent_costs_is_measured() {
    let figures = figures(&["consent", "--withdrawals", "2", "--talking", "4", "--answers", "100"]);
    for name in ["answers on record", "gate, a frame counted and hashed", "a record sealed", "a record opened"] {
        assert!(figure(&figures, name)["ratio"].as_f64().unwrap() > 0.0, "{name}");
    }
    for name in ["withdrawal, idle, p99", "withdrawal, 4 talk, p99", "withdrawal, 4 talk, frames through gates"] {
        assert!(figure(&figures, name)["value"].as_f64().unwrap() > 0.0, "{name}");
    }
}
