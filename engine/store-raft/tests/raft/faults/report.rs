//! [`Report`]: what ran and what came of it, as a line for people and as JSON.

use core::fmt;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::watcher::Seen;
use super::{Fault, Plan};

#[derive(Default)]
pub(super) struct Report {
    pub(super) faults: BTreeMap<Fault, u64>,
    pub(super) acknowledged: u64,
    pub(super) lost: usize,
    pub(super) actions: u64,
    pub(super) violations: u64,
    watchers: u64,
    watches: u64,
    changes: u64,
    /// What watchers lost, or saw in another order than it happened.
    missed: usize,
    runs: Vec<serde_json::Value>,
    /// What makes the test fail.
    pub(super) findings: Vec<String>,
}

impl Report {
    /// Notes a run: which nodes were hit, and how many milliseconds it took with all clients done.
    pub(super) fn ran(&mut self, seed: u64, plan: &Plan, hit: &[u64], milliseconds: u128) {
        *self.faults.entry(plan.fault).or_default() += 1;
        self.runs.push(json!({
            "seed": seed,
            "fault": format!("{:?}", plan.fault),
            "nodes": hit,
            "after_actions_and_answers": plan.at,
            "and_microseconds": plan.after.as_micros() as u64,
            "for_milliseconds": plan.lasts.as_millis() as u64,
            "run_milliseconds": milliseconds as u64,
        }));
    }

    /// Notes what a watcher has seen of a run.
    pub(super) fn watched(&mut self, seed: u64, plan: &Plan, seen: Seen) {
        self.watchers += 1;
        self.watches += seen.watches;
        self.changes += seen.changes;
        self.missed += seen.findings.len();
        self.findings.extend(seen.findings.iter().map(|finding| format!("seed {seed}, {:?}: {finding}", plan.fault)));
    }

    /// Writes it where the build puts what it makes; the path.
    pub(super) fn write(&self) -> PathBuf {
        let faults: BTreeMap<String, u64> = self.faults.iter().map(|(fault, n)| (format!("{fault:?}"), *n)).collect();
        let report = json!({
            "faults": faults,
            "acknowledged_commits": self.acknowledged,
            "lost": self.lost,
            "actions_in_histories": self.actions,
            "violations_of_linearizability": self.violations,
            "watchers": self.watchers,
            "watches": self.watches,
            "changes_watched": self.changes,
            "changes_lost_or_reordered": self.missed,
            "findings": self.findings,
            "runs": self.runs,
        });
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("store-raft-faults.json");
        fs::write(&path, format!("{report:#}\n")).expect("writes");
        path
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "faults {:?}; acknowledged commits {}, lost {}; ", self.faults, self.acknowledged, self.lost)?;
        write!(f, "actions in histories {}, violations of linearizability {}; ", self.actions, self.violations)?;
        let Self { watchers, watches, changes, missed, .. } = self;
        write!(f, "{watchers} watchers with {watches} watches saw {changes} changes, lost or reordered {missed}")
    }
}
