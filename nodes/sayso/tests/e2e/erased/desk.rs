//! [`Desk`]: where people's requests are carried out at a node, by its command line.

use std::fs;
use std::path::Path;

use sayso_tests::{Finished, Installation, Node, TENANT};
use serde_json::{Value, json};

use crate::sayso;

/// Longer than one part of what is kept.
const DOCUMENT_BYTES: usize = 150_000;

/// Operators and a tenant's people at a node.
pub(super) struct Desk<'a> {
    installation: &'a Installation,
    at: String,
}

impl<'a> Desk<'a> {
    pub(super) fn new(installation: &'a Installation, node: &Node) -> Self {
        Self { installation, at: node.admin.to_string() }
    }

    /// `sayso WORDS` as one of the tenant's people, about whoever has `device`.
    pub(super) async fn says(&self, device: &str, words: &[&str]) -> Finished {
        let certs = self.installation.file("tess");
        let whose = ["--admin", &self.at, "--certs", &certs, "--tenant", TENANT, "--device-id", device];
        sayso().run(words.iter().copied().chain(whose)).await
    }

    /// The same; what it answers.
    pub(super) async fn asks(&self, device: &str, words: &[&str]) -> Value {
        let told = self.says(device, &[words, &["--json"]].concat()).await.success().stdout;
        serde_json::from_str(&told).unwrap()
    }

    /// A request of whoever has `device` by this right, which was accepted; its case.
    pub(super) async fn accepted(&self, device: &str, right: &str) -> String {
        let case = self.asks(device, &["rights", "open", right]).await["case"].as_str().unwrap().to_owned();
        for step in [&["verify", "--method", "signed_in"][..], &["accept"]] {
            let _ = self.says(device, &[&["rights", "advance", &case], step].concat()).await.success();
        }
        case
    }

    /// Has a word remembered of whoever has `device`, and a document kept that is longer than one part.
    pub(super) async fn tells(&self, device: &str) {
        let (facts, document) = (self.installation.file("facts.json"), self.installation.file("document.txt"));
        fs::write(&facts, json!({ "word": word("remembered", device) }).to_string()).unwrap();
        let case = self.accepted(device, "supplement").await;
        let _ = self.says(device, &["rights", "correct", &case, &facts]).await.success();
        let between = "more ".repeat(DOCUMENT_BYTES / 5);
        fs::write(&document, format!("{} {between} {}", word("first", device), word("last", device))).unwrap();
        let put = ["kept", "put", "knowledge_base", &document, "--purpose", "knowledge", "--media-type", "text/plain"];
        let _ = self.says(device, &put).await.success();
        for file in [facts, document] {
            fs::remove_file(file).unwrap();
        }
    }

    /// The certificate that whoever has `device` was erased, once there is one.
    pub(super) async fn certified(&self, device: &str, case: &str) -> Value {
        loop {
            let asked = self.says(device, &["rights", "certificate", case, "--json"]).await;
            if asked.status.success() {
                return serde_json::from_str(&asked.stdout).unwrap();
            }
            asked.failure(&["the erasure is on its way"]);
        }
    }

    /// Exports the audit log to `dir`.
    pub(super) async fn exports(&self, dir: &Path) {
        let certs = self.installation.file("admin");
        let export = ["audit", "export", "--admin", &self.at, "--certs", &certs, dir.to_str().unwrap()];
        let _ = sayso().run(export).await.success();
    }
}

/// What whoever has `device` tells, and is nowhere else.
pub(super) fn word(which: &str, device: &str) -> String {
    format!("the {which} word of {device}, which is nowhere else")
}
