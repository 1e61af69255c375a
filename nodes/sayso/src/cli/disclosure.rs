//! `sayso disclosure ...`.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};
use jiff::Timestamp;
use sayso_types::{DeviceId, TenantId};

use super::NodeArgs;

#[derive(Debug, Args)]
#[command(after_help = "\
An authority shows a document. One of the operator's people proposes what it may have; others look at the document and
approve with `sayso exemption approve`, two where the ground is X01 to X04 or X10, more where the policy says so; then
`make` writes a file that only the recipient can read.

The recipient makes a key and sends the public one:
  openssl genpkey -algorithm X25519 -out key.pem  and  openssl pkey -in key.pem -pubout -out recipient.pem
They open the file with `sayso disclosure open`, or with any program that has HPKE (RFC 9180); the file says how.")]
pub(crate) struct DisclosureArgs {
    #[command(subcommand)]
    pub(crate) command: DisclosureCommand,
    /// Print JSON.
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DisclosureCommand {
    /// Propose to give an authority what its document demands.
    Propose(Box<ProposeDisclosureArgs>),
    /// Put together what was demanded, on a grant that is in force, and write it as an encrypted file.
    Make {
        #[command(flatten)]
        node: NodeArgs,
        /// The grant, as `propose` and `list` print it.
        #[arg(value_name = "GRANT")]
        id: String,
        /// The file, which must not be there.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Only this category of the grant (repeatable).
        #[arg(long = "category", value_name = "ID")]
        categories: Vec<String>,
    },
    /// Print what was demanded and what was given, newest first.
    List {
        #[command(flatten)]
        node: NodeArgs,
    },
    /// Print what is in a file that `make` wrote, as its recipient; needs no node.
    Open {
        /// The file.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// The recipient's private key, in PEM.
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
    },
}

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("telling").args(["tell_after", "untold"]).required(true)))]
pub(crate) struct ProposeDisclosureArgs {
    #[command(flatten)]
    pub(crate) node: NodeArgs,
    /// The ground, as in the policy's exemptions: X01 to X14.
    #[arg(value_name = "CODE")]
    pub(crate) code: String,
    /// Whose data: the device that the person speaks to (repeatable).
    #[arg(long = "device-id", value_name = "ID", required = true)]
    pub(crate) devices: Vec<DeviceId>,
    /// Whose devices these are.
    #[arg(long, value_name = "ID", default_value = "home")]
    pub(crate) tenant: TenantId,
    /// Which data (repeatable): memory_summary, consent_record, withdrawal_record, rights_request, erasure_certificate.
    #[arg(long = "category", value_name = "ID", required = true)]
    pub(crate) categories: Vec<String>,
    /// Who demands it, as the document says.
    #[arg(long, value_name = "TEXT")]
    pub(crate) authority: String,
    /// What the document calls itself, such as a file number.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reference: String,
    /// The provision that it rests on, such as cn-cpl:136.
    #[arg(long, value_name = "TEXT")]
    pub(crate) law: String,
    /// The document; its SHA-256 is put on record.
    #[arg(long, value_name = "FILE")]
    pub(crate) document: PathBuf,
    /// The public key of whoever is to read it: X25519, in PEM.
    #[arg(long, value_name = "FILE")]
    pub(crate) recipient: PathBuf,
    /// For how long from the last approval on, such as P7D; no longer than the policy lets it.
    #[arg(long = "for", value_name = "DURATION")]
    pub(crate) lasts: String,
    /// Nothing from before then, such as 2026-01-31T00:00:00Z.
    #[arg(long, value_name = "TIME")]
    pub(crate) from: Option<Timestamp>,
    /// Nothing from then on.
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<Timestamp>,
    /// By when they want it.
    #[arg(long, value_name = "TIME")]
    pub(crate) by: Option<Timestamp>,
    /// How long after the last approval the people are told, such as P30D.
    #[arg(long, value_name = "DURATION")]
    pub(crate) tell_after: Option<String>,
    /// The law forbids to tell them.
    #[arg(long)]
    pub(crate) untold: bool,
}
