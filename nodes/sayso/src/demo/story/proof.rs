//! The last act: the log is exported and checked as an auditor would, and the person is left with papers, each of which is
//! checked before it is said to hold.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sayso_audit::receipt::EXTENSION;
use sayso_proto::admin::v1::ReceiptRequest;
use sayso_proto::admin::v1::audit_client::AuditClient;
use serde_json::json;

use super::{Story, Who};
use crate::cli::DemoArgs;
use crate::{export, verify};

/// The certificate of what was erased, beside the receipts.
const CERTIFICATE: &str = "erasure.certificate.json";

/// Something on record of which the person gets a receipt.
pub(super) struct OnRecord {
    /// What it is, for people; with hyphens, the name of the receipt's file.
    pub(super) what: String,
    /// What the log calls it.
    pub(super) reference: Vec<u8>,
    /// The certificate that it is of, as it was issued.
    pub(super) certificate: Option<Vec<u8>>,
}

/// What a person at a terminal would type to check what they were left with.
type Command = Vec<String>;

impl Story {
    /// Leaves the log in `--export`, the person's papers there, too, or else where the answers are saved.
    pub(super) async fn proof(mut self, args: &DemoArgs) -> Result<Vec<String>> {
        self.view.act(6, "the proof: the audit log, checked as an outsider would");
        // not beside the log: whoever changes that must not choose by whose key it is checked
        let (trust, profile) = (args.save.join("log.pub"), args.save.join("profile.toml"));
        let (key, rules) = (self.setting.node.signer.verifier(), self.setting.node.register.profile());
        save(&trust, format!("{key}\n").as_bytes())?;
        save(&profile, rules.text().as_bytes())?;

        let temporary = std::env::temp_dir().join(format!("sayso-demo-log-{}", std::process::id()));
        let log = args.export.clone().unwrap_or_else(|| temporary.clone());
        self.check_log(&log, &trust, &profile).await?;
        let mut commands = Vec::new();
        if args.export.is_some() {
            commands.push(words(&[
                Path::new("verify"),
                &log,
                "--trust".as_ref(),
                &trust,
                "--profile".as_ref(),
                &profile,
            ]));
        } else {
            let _ = std::fs::remove_dir_all(&temporary);
        }
        let papers = args.export.as_deref().unwrap_or(&args.save);
        for on_record in std::mem::take(&mut self.on_record) {
            commands.push(self.hand_out(&on_record, papers, &trust).await?);
        }
        self.view.line(Who::Story, "saved", &format!("answers are saved in {}", args.save.display()), json!({}));
        let text = format!("the papers are in {}; check them yourself:", papers.display());
        self.view.line(Who::Story, "exported", &text, json!({"dir": papers}));
        for command in commands {
            self.view.line(Who::Story, "command", &format!("  sayso {}", command.join(" ")), json!({"args": command}));
        }
        let Self { setting, failed, .. } = self;
        setting.stop().await?;
        Ok(failed)
    }

    async fn check_log(&mut self, dir: &Path, trust: &Path, profile: &Path) -> Result<()> {
        let leaves = export::log(self.setting.node.register.journal(), &self.setting.node.signer, dir).await?;
        let checked = verify::check(dir, Some(trust), &[profile], &[])?;
        let sound = checked.report.is_clean();
        let (recomputed, refusals) = checked.replayed.map_or((0, 0), |replayed| (replayed.checked, replayed.refusals));
        let text = format!(
            "{leaves} leaves, {recomputed} verdicts recomputed, {refusals} of them refusals, root {:.16}…",
            checked.report.root
        );
        let data = json!({"leaves": leaves, "recomputed": recomputed, "refusals": refusals, "sound": sound});
        self.view.line(Who::Check, "verified", &text, data);
        self.check("the audit log verifies", sound, json!({}));
        self.check("every verdict is the one that the profile gives", recomputed > 0 && sound, json!({}));
        Ok(())
    }

    /// Gets the person's receipt, and its certificate where it is of one, and checks them as they can: with nothing but files
    /// and the log's public key. What checks them again.
    async fn hand_out(&mut self, on_record: &OnRecord, dir: &Path, trust: &Path) -> Result<Command> {
        let OnRecord { what, reference, certificate } = on_record;
        let request = ReceiptRequest { shard: 0, reference: reference.clone() };
        let receipt = AuditClient::new(self.setting.admin().await?).receipt(request).await?.into_inner().receipt;
        let file = dir.join(format!("{}.{EXTENSION}", what.replace(' ', "-")));
        save(&file, receipt.as_bytes())?;
        let mut command = words(&[Path::new("verify"), "--receipt".as_ref(), &file, "--trust".as_ref(), trust]);
        let mut beside = None;
        if let Some(json) = certificate {
            let certificate: PathBuf = dir.join(CERTIFICATE);
            // as `sayso rights certificate --json` prints it
            save(&certificate, &[json, &b"\n"[..]].concat())?;
            command.extend(words(&["--certificate".as_ref(), &certificate]));
            beside = Some(certificate);
        }
        let shown = verify::check_receipt(&file, beside.as_deref(), &verify::trust::read(trust)?);
        let text = match &shown {
            Ok(_) => format!("the receipt for the {what}: {}", file.display()),
            Err(error) => format!("{error:#}"),
        };
        self.view.line(Who::Check, "receipt", &text, json!({"file": file, "certificate": beside, "trust": trust}));
        self.check(&format!("the receipt for the {what} proves it"), shown.is_ok(), json!({}));
        Ok(command)
    }
}

fn words(words: &[&Path]) -> Command {
    words.iter().map(|word| word.display().to_string()).collect()
}

/// Writes what the person is left with.
fn save(file: &Path, content: &[u8]) -> Result<()> {
    std::fs::write(file, content).with_context(|| format!("cannot write {}", file.display()))
}
