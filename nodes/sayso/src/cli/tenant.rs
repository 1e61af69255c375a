//! `sayso tenant ...`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use sayso_types::{Category, Purpose, TenantId};

use super::NodeArgs;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  sayso tenant set acme --reference 'DPA 2026-7' --purpose voice_interaction --purpose consent_answer --category voice_audio \\
    --category transcript --category reply_text --until 2027-01-01T00:00:00Z --admin 127.0.0.1:4434 --certs my-node/admin
  sayso tenant demand acme --what 'where the recordings come from' --due 2027-01-15T00:00:00Z ...
  sayso tenant accept acme --evidence statement.pdf ...
  sayso tenant erase acme ...

Instructions narrow the policy and never widen it: what they do not name is closed for the tenant's people, but for what a law
asks. When they end, by their term or by `erase`, everything of the tenant's people is erased.")]
pub(crate) struct TenantArgs {
    #[command(subcommand)]
    pub(crate) command: TenantCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TenantCommand {
    /// Put down what a tenant instructs, in place of what it instructed before.
    Set {
        #[command(flatten)]
        one: OneTenantArgs,
        /// Where that is written down, such as the number of a contract.
        #[arg(long, value_name = "TEXT")]
        reference: String,
        /// What data may be used for (repeatable).
        #[arg(long, value_name = "NAME", required = true)]
        purpose: Vec<Purpose>,
        /// Which data (repeatable).
        #[arg(long, value_name = "NAME", required = true)]
        category: Vec<Category>,
        /// The first moment at which it no longer counts. Default: until it is erased.
        #[arg(long, value_name = "TIME")]
        until: Option<jiff::Timestamp>,
        /// Where its word is written down, and in which version, on where data of its people comes from and that it may pass it
        /// on. A policy with tenants.attest takes no instructions without.
        #[arg(long, value_name = "TEXT")]
        attestation: Option<String>,
    },
    /// Demand evidence of a tenant. What is due and was not accepted closes every gate to its people until it is.
    Demand {
        #[command(flatten)]
        one: OneTenantArgs,
        /// What it is to show.
        #[arg(long, value_name = "TEXT")]
        what: String,
        /// By when. Default: the latest that the policy gives (tenants.evidence_within).
        #[arg(long, value_name = "TIME")]
        due: Option<jiff::Timestamp>,
    },
    /// Accept what a tenant showed as what was demanded.
    Accept {
        #[command(flatten)]
        one: OneTenantArgs,
        /// What it showed; its SHA-256 goes on record, and it stays here.
        #[arg(long, value_name = "FILE")]
        evidence: PathBuf,
    },
    /// Print what a tenant instructs, and how far its erasure has come.
    Show {
        #[command(flatten)]
        one: OneTenantArgs,
    },
    /// Print the instructions of all tenants.
    List {
        #[command(flatten)]
        node: NodeArgs,
        /// Print JSON instead of text.
        #[arg(long)]
        json: bool,
    },
    /// Serve a tenant no more, and erase everything of its people. A tenant can say so itself, with its own certificate.
    Erase {
        #[command(flatten)]
        one: OneTenantArgs,
    },
}

#[derive(Debug, Args)]
pub(crate) struct OneTenantArgs {
    #[command(flatten)]
    pub(crate) node: NodeArgs,
    /// The tenant.
    #[arg(value_name = "TENANT")]
    pub(crate) tenant: TenantId,
    /// Print JSON instead of text.
    #[arg(long)]
    pub(crate) json: bool,
}
