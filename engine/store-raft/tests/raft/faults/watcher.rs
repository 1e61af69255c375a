//! [`Watcher`]: keeps a copy of what clients change, as whoever follows a store does, and finds out where that goes wrong.

use std::collections::BTreeMap;
use std::time::Duration;

use sayso_store::limits::SCAN_LIMIT_MAX;
use sayso_store::{Change, Entry, Key, Lagged, Prefix, Range, Store, Value, Version, Watch};

use crate::processes::{Nodes, Remote};

/// How long until a node is asked after one that does not answer.
const RETRY: Duration = Duration::from_millis(5);

/// Follows what lies under a prefix, at one node after the other: when a watch ends or has lost something, it begins another one.
pub(super) struct Watcher {
    pub(super) nodes: Nodes,
    pub(super) random: fastrand::Rng,
    pub(super) prefix: Prefix,
    /// What is put last: who knows of it knows all that came before.
    pub(super) last: Key,
}

/// What a watcher has seen.
#[derive(Default)]
pub(super) struct Seen {
    /// What each key held last, and since which commit.
    copy: BTreeMap<Key, (Version, Value)>,
    /// Changes that watches gave it.
    pub(super) changes: u64,
    /// Watches that it began.
    pub(super) watches: u64,
    /// What should not have been.
    pub(super) findings: Vec<String>,
}

impl Watcher {
    /// Follows until it knows of the last change.
    pub(super) async fn run(mut self) -> Seen {
        let mut seen = Seen::default();
        while !seen.copy.contains_key(&self.last) {
            let node = self.nodes.any(&mut self.random);
            // before anything is read: from here on every change is given
            let Ok(watch) = node.watch(self.prefix.clone()).await else {
                tokio::time::sleep(RETRY).await;
                continue;
            };
            let Some(held) = held(&node, &self.prefix).await else {
                tokio::time::sleep(RETRY).await;
                continue;
            };
            seen.watches += 1;
            seen.catch_up(held);
            self.follow(watch, &mut seen).await;
        }
        seen
    }

    /// Takes what `watch` gives, until it gives no more, or has lost something.
    async fn follow(&self, mut watch: Watch, seen: &mut Seen) {
        let mut given = BTreeMap::new();
        while !seen.copy.contains_key(&self.last) {
            match watch.next().await {
                Some(Ok(change)) => seen.take(change, &mut given),
                Some(Err(Lagged)) | None => return,
            }
        }
    }
}

impl Seen {
    /// Compares the copy with what `node` has under `prefix` when nothing is changed any more.
    pub(super) async fn compare(&mut self, node: &Remote, prefix: &Prefix) {
        match held(node, prefix).await {
            Some(held) => self.compare_with(held),
            None => self.findings.push("a node that was well did not answer".to_owned()),
        }
    }

    fn compare_with(&mut self, held: Vec<Entry>) {
        let held = held.into_iter().map(|entry| (entry.key, (entry.version, entry.value))).collect();
        if self.copy != held {
            let lost: Vec<_> = held.iter().filter(|(key, held)| self.copy.get(key) != Some(held)).map(told).collect();
            let more: Vec<_> = self.copy.iter().filter(|(key, _)| !held.contains_key(key)).map(told).collect();
            self.findings.push(format!("a watcher lost the last change of {lost:?}, and made up {more:?}"));
        }
    }

    /// Takes what was read after a watch was begun, which is no older than anything that was known.
    fn catch_up(&mut self, held: Vec<Entry>) {
        let held: BTreeMap<_, _> = held.into_iter().map(|entry| (entry.key, (entry.version, entry.value))).collect();
        for (key, (version, _)) in &self.copy {
            if held.get(key).is_none_or(|(read, _)| read < version) {
                self.findings
                    .push(format!("{}: a read is older than a change that was seen", key.as_bytes().escape_ascii()));
            }
        }
        self.copy.extend(held);
    }

    /// Takes a change, after those that the same watch has `given`.
    fn take(&mut self, change: Change, given: &mut BTreeMap<Key, Version>) {
        let Change { key, value, version } = change;
        let name = key.as_bytes().escape_ascii().to_string();
        self.changes += 1;
        if given.insert(key.clone(), version).is_some_and(|before| before >= version) {
            self.findings.push(format!("{name}: a watch gave a change after a later one, or twice"));
        }
        let Some(value) = value else { return self.findings.push(format!("{name}: a watch says that it was deleted")) };
        match self.copy.get(&key) {
            Some((known, held)) if *known == version && *held != value => {
                self.findings.push(format!("{name}: a watch and a read differ about one commit"));
            }
            // what was read already
            Some((known, _)) if *known >= version => {}
            _ => drop(self.copy.insert(key, (version, value))),
        }
    }
}

fn told((key, (version, _)): (&Key, &(Version, Value))) -> String {
    format!("{} at {version:?}", key.as_bytes().escape_ascii())
}

/// What `node` has under `prefix`, if it answers.
async fn held(node: &Remote, prefix: &Prefix) -> Option<Vec<Entry>> {
    let (mut rest, mut held) = (Some(Range::from(prefix)), Vec::new());
    while let Some(range) = rest {
        let page = node.scan(range, SCAN_LIMIT_MAX).await.ok()?;
        held.extend(page.entries);
        rest = page.rest;
    }
    Some(held)
}

#[test]
fn a_watcher_notices_what_is_lost_and_what_is_not_in_order() {
    let key = Key::from_bytes("k");
    let entry = |n: u64| Entry { key: key.clone(), value: n.to_string().into(), version: Version::from_sequence(n) };
    let change =
        |n: u64| Change { key: key.clone(), value: Some(n.to_string().into()), version: Version::from_sequence(n) };
    let findings = |held: u64, changes: &[u64], last: u64| {
        let (mut seen, mut given) = (Seen::default(), BTreeMap::new());
        seen.catch_up(vec![entry(held)]);
        changes.iter().for_each(|n| seen.take(change(*n), &mut given));
        seen.compare_with(vec![entry(last)]);
        seen.findings
    };
    assert_eq!(findings(2, &[1, 2, 3], 3), [""; 0], "what was read already comes again");
    assert!(findings(1, &[2], 3)[0].contains("lost the last change of [\"k at"));
    assert!(findings(1, &[3, 2], 3)[0].contains("after a later one"));
    assert!(findings(1, &[3, 3], 3)[0].contains("or twice"));
    let mut seen = Seen::default();
    seen.take(change(4), &mut BTreeMap::new());
    seen.catch_up(vec![entry(3)]);
    assert!(seen.findings[0].contains("a read is older"));
}
