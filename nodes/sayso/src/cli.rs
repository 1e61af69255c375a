//! The command line.

mod audit;
mod complaint;
mod consent;
mod disclosure;
mod exemption;
mod guardian;
mod hold;
mod incident;
mod kept;
mod notice;
mod peer_address;
mod permit;
mod policy;
mod referral;
mod rights;
mod shutdown;
mod statistic;
mod store;
mod switch;
mod tenant;
mod vault;
mod visit;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use sayso_policy::Place;
use sayso_types::{DeviceId, Name, ProcessorId, SubjectId, TenantId};

pub(crate) use audit::{AdminArgs, AdminCommand, AuditArgs, AuditCommand};
pub(crate) use complaint::{ComplaintArgs, ComplaintCommand, ComplaintNode, OutcomeArg};
pub(crate) use consent::{ConsentArgs, ConsentCommand, ConsentOfArgs, EvidenceArg, GiveArgs, PartArgs};
pub(crate) use disclosure::{DisclosureArgs, DisclosureCommand, ProposeDisclosureArgs};
pub(crate) use exemption::{ExemptionArgs, ExemptionCommand, ProposeArgs};
pub(crate) use guardian::{Band, GuardianArgs, GuardianCommand, WardArgs};
pub(crate) use hold::{HoldArgs, HoldCommand, SetHoldArgs};
pub(crate) use incident::{IncidentArgs, IncidentCommand, IncidentNode, OneArgs};
pub(crate) use kept::{KeptArgs, KeptCommand, KeptSourceArg, PutKeptArgs};
pub(crate) use notice::{NoticeChannelArg, NoticeKindArg, NoticeToArgs, NoticeToCommand, SendNoticeArgs, TextsArgs};
pub(crate) use peer_address::PeerAddress;
pub(crate) use permit::{PermitArgs, PermitCommand, PermitForArgs};
pub(crate) use policy::{
    DiffArgs, ExplainArgs, ExportArgs, ExportFormat, FilesArgs, KeyArgs, LintArgs, NoticeArgs, PolicyArgs,
    PolicyCommand, SignArgs, VerifyProfileArgs,
};
pub(crate) use referral::{AnswerArg, ReferralArgs, ReferralCommand};
pub(crate) use rights::{AdvanceArgs, CertificateArgs, RightsArgs, RightsCommand, StepArg};
pub(crate) use shutdown::{ShutdownArgs, ShutdownCommand};
pub(crate) use statistic::{StatisticArgs, StatisticCommand};
pub(crate) use store::{
    DumpAt, ExportStoreArgs, ImportStoreArgs, InviteArgs, MembersArgs, MigrateArgs, OneMemberArgs, StoreArgs,
    StoreCommand, StoreFileArgs,
};
pub(crate) use switch::{SortArg, SwitchArgs, SwitchCommand, ThrowArgs};
pub(crate) use tenant::{OneTenantArgs, TenantArgs, TenantCommand};
pub(crate) use vault::{VaultArgs, VaultCommand};
pub(crate) use visit::{OneVisitArgs, VisitArgs, VisitCommand};

/// Voice sessions in which no byte moves without somebody's say-so.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "\
Start here:  sayso models fetch   then   sayso demo
A node:      sayso init DIR       then   sayso serve --config DIR/sayso.toml
A device:    sayso device --server ADDR --certs DIR/device --wav FILE
A policy:    sayso policy lint DIR/profile.toml   and   sayso policy sign DIR/profile.toml

Exit codes: 0 done, 1 failed, 2 wrong usage."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show what Sayso does: a node and a device in this process, a conversation, a withdrawal, a proof.
    Demo(DemoArgs),
    /// Run a node.
    Serve(ServeArgs),
    /// Be a device: play recordings to a node in real time and save what it answers.
    Device(DeviceArgs),
    /// Fetch, list and verify the speech models.
    Models(ModelsArgs),
    /// Write a configuration, a certificate authority and certificates for a first node.
    Init(InitArgs),
    /// Check an exported audit log or a receipt, offline.
    Verify(VerifyArgs),
    /// Inspect, check, export, import and migrate a store, and look after the nodes of its cluster.
    Store(StoreArgs),
    /// Lint, compile, show, compare, explain and publish privacy profiles.
    Policy(PolicyArgs),
    /// Record, withdraw, revoke or invalidate a person's consent, with what shows it.
    Consent(ConsentArgs),
    /// Print the consent receipts of a person, from a running node.
    Receipts(ReceiptsArgs),
    /// Export the audit log of a running node for an auditor, or print how far it is witnessed.
    Audit(AuditArgs),
    /// The same, for whoever looks for what concerns a running node here: `sayso admin audit export`.
    #[command(hide = true)]
    Admin(AdminArgs),
    /// Propose, approve, revoke and list what is done without consent on a running node.
    Exemption(ExemptionArgs),
    /// Issue a certificate for one more of the operator's people, or for a service outside of the node.
    Operator(OperatorArgs),
    /// Take a person's request (to see their data, to have a copy, ...), say what became of it, hand out the copy.
    Rights(RightsArgs),
    /// Deal with an incident: whose data it was, who is told by when, what stops it.
    Incident(IncidentArgs),
    /// Turn a processor, a category of data or a tenant off at once, or on again.
    Switch(SwitchArgs),
    /// Put down what a tenant instructs, which narrows the policy, and erase one that ends.
    Tenant(TenantArgs),
    /// Keep what a law demands to be kept, whatever else ends or erases it, and release it.
    Hold(HoldArgs),
    /// Tell people that something changes, and print whom that has reached.
    Notice(NoticeToArgs),
    /// Have a guest speak through a device instead of its owner, end that, and print who visits which device.
    Visit(VisitArgs),
    /// Announce and carry out the end of the service: nothing is collected any more, everybody's data is erased.
    Shutdown(ShutdownArgs),
    /// Say how old a person is, and who answers for a child.
    Guardian(GuardianArgs),
    /// Ask, as a service outside of the node, whether something of a person may go elsewhere, and run a command while it may.
    Permit(PermitArgs),
    /// Give an authority what it demands by law, on a grant that people approved, encrypted; and open what was given.
    Disclosure(DisclosureArgs),
    /// File a complaint, answer it, and print what became of it.
    Complaint(ComplaintArgs),
    /// As a tenant: see what people asked that is the tenant's to answer first, and answer it.
    Referral(ReferralArgs),
    /// Have something kept of a person (an account, settings, a document, a picture), get, list and delete it.
    Kept(KeptArgs),
    /// Print what was released of data that was anonymised when its time was over, and how that was tested.
    Statistic(StatisticArgs),
    /// Print what wraps people's keys, and change it, on a running node.
    Vault(VaultArgs),
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// A recording to play as one more turn (any WAV; repeatable). Without it: the recordings of the Debian package
    /// pocketsphinx-testdata.
    #[arg(long, value_name = "FILE")]
    pub(crate) wav: Vec<PathBuf>,
    /// Keep the node's store here instead of in a temporary directory.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Save what the device played, as WAV files, here.
    #[arg(long, value_name = "DIR", default_value = "sayso-demo")]
    pub(crate) save: PathBuf,
    /// Leave the audit log here, for `sayso verify`, with the person's receipts and the certificate of what was erased; must be
    /// empty or not there.
    #[arg(long, value_name = "DIR")]
    pub(crate) export: Option<PathBuf>,
    /// Print one JSON object a line instead of text.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// The configuration, a TOML file. Values come from defaults, then this file, then the environment (SAYSO_ and the
    /// key, with __ between table and key, such as SAYSO_GATEWAY__LISTEN), then flags.
    #[arg(long, value_name = "FILE", env = "SAYSO_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Where devices connect (gateway.listen).
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<SocketAddr>,
    /// Where integrators connect (admin.listen).
    #[arg(long, value_name = "ADDR")]
    pub(crate) admin_listen: Option<SocketAddr>,
    /// Where the store is (data-dir).
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Print the configuration as it would be used, as TOML, and exit.
    #[arg(long)]
    pub(crate) dump_config: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Mode {
    /// The node finds where an utterance ends; it does not hear while it speaks.
    Auto,
    /// Push to talk: each recording is one utterance.
    Manual,
    /// As auto, and one may speak over the answer.
    Realtime,
}

/// A button on a device, to answer the consent question with.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Button {
    Agree,
    Refuse,
}

/// A switch on a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Switch {
    On,
    Off,
}

#[derive(Debug, Args)]
pub(crate) struct DeviceArgs {
    /// The node's address, such as 127.0.0.1:4433.
    #[arg(long, value_name = "ADDR")]
    pub(crate) server: SocketAddr,
    /// The name in the node's certificate.
    #[arg(long, value_name = "NAME", default_value = "localhost")]
    pub(crate) server_name: String,
    /// A directory with ca.pem and, unless --token is given, cert.pem and key.pem (as `sayso init` makes).
    #[arg(long, value_name = "DIR")]
    pub(crate) certs: PathBuf,
    /// A device token instead of a certificate, or a file that holds one (@FILE).
    #[arg(long, value_name = "TOKEN", env = "SAYSO_DEVICE_TOKEN", hide_env_values = true)]
    pub(crate) token: Option<String>,
    /// Which device this is; must be the one that the certificate or token names.
    #[arg(long, value_name = "ID", default_value = "speaker-1")]
    pub(crate) device_id: DeviceId,
    /// A recording to play as an utterance (any WAV; repeatable), each when the answer to the one before was heard. A
    /// consent question is answered with the next one, unless --consent answers it.
    #[arg(long, value_name = "FILE")]
    pub(crate) wav: Vec<PathBuf>,
    /// Type this instead of speaking (repeatable; after the recordings).
    #[arg(long, value_name = "TEXT")]
    pub(crate) text: Vec<String>,
    /// Show this picture (JPEG or PNG, at most 512 KiB; repeatable; after the texts). What is asked about it stands behind
    /// an equals sign (cup.jpg="Where is the cup?"); without that, what the picture shows.
    #[arg(long, value_name = "FILE[=QUESTION]")]
    pub(crate) picture: Vec<String>,
    /// Switch guest mode on or off before anything else: with it on, a guest speaks who is not the owner of the device.
    #[arg(long, value_name = "SWITCH")]
    pub(crate) guest: Option<Switch>,
    /// Answer the consent question as if by a button.
    #[arg(long, value_name = "ANSWER")]
    pub(crate) consent: Option<Button>,
    /// Who finds the end of an utterance.
    #[arg(long, value_enum, default_value = "auto")]
    pub(crate) mode: Mode,
    /// Save what the node answers, as WAV files, here.
    #[arg(long, value_name = "DIR")]
    pub(crate) save: Option<PathBuf>,
    /// BCP 47 language to be spoken to in.
    #[arg(long, value_name = "TAG")]
    pub(crate) language: Option<String>,
    /// Send sound on the control stream instead of in datagrams.
    #[arg(long)]
    pub(crate) no_datagrams: bool,
    /// Print one JSON object a line instead of text.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ModelsArgs {
    #[command(subcommand)]
    pub(crate) command: ModelsCommand,
    /// Where models are kept. Default: sayso/models in the user's cache directory.
    #[arg(long, value_name = "DIR", env = "SAYSO_MODELS", global = true)]
    pub(crate) dir: Option<PathBuf>,
    /// Print JSON instead of text.
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ModelsCommand {
    /// Download what is missing, check it and convert it. Does nothing when everything is there.
    Fetch,
    /// Say which models there are, where, of what size and under which licence.
    List,
    /// Read every file and compare its hash.
    Verify,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  sayso init my-node
  sayso init home --cluster home --peer 10.0.0.1:4435 --peer 10.0.0.2:4435 --peer 10.0.0.3:4435
  sayso init two --peer 10.0.0.4:4435 --join TOKEN --serve

The second one writes home/node-1, home/node-2 and home/node-3, a directory for each machine; `sayso serve` on each of them is all
that the cluster needs. What there is of an installation once (authorities, certificates of the first device and the first
operator) is in home/node-1.")]
pub(crate) struct InitArgs {
    /// Where to write; must be empty or new.
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// Names or addresses under which devices reach the node (repeatable).
    #[arg(long, value_name = "NAME", default_values = ["localhost", "127.0.0.1"])]
    pub(crate) name: Vec<String>,
    /// The first device's id.
    #[arg(long, value_name = "ID", default_value = "speaker-1")]
    pub(crate) device_id: DeviceId,
    /// Whose devices these are.
    #[arg(long, value_name = "ID", default_value = "home")]
    pub(crate) tenant: TenantId,
    /// Have the node found a cluster whose nodes replicate its store: where they will reach this one. Others join with
    /// `sayso store invite` and `sayso init --join`. Given three to five times, so many nodes found it together, and each has a
    /// directory in DIR.
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) peer: Vec<PeerAddress>,
    /// The name of that cluster: a-z, 0-9, `-` and `.`.
    #[arg(long, value_name = "NAME", default_value = "sayso", requires = "peer")]
    pub(crate) cluster: Name,
    /// Where the node stands, or all that found a cluster: a country (ISO 3166, such as CN), or the word of the profile's for the
    /// place. Needed where the profile says where data may be stored (transfers.storage).
    #[arg(long, value_name = "PLACE")]
    pub(crate) region: Option<Place>,
    /// Join the cluster of this token, which `sayso store invite` printed, instead: its nodes' certificates, profile and
    /// settings are those of the node that invited.
    #[arg(
        long,
        value_name = "TOKEN",
        env = "SAYSO_JOIN_TOKEN",
        hide_env_values = true,
        requires = "peer",
        conflicts_with_all = ["cluster", "device_id", "tenant"]
    )]
    // text, and read later: what clap refuses it prints, and this has a secret in it
    pub(crate) join: Option<String>,
    /// Serve at once what was written, as `sayso serve` does: with --join, one command makes this machine a node of the
    /// cluster. From then on, start it with `sayso serve`.
    #[arg(long)]
    pub(crate) serve: bool,
    /// Where devices connect while it serves (gateway.listen).
    #[arg(long, value_name = "ADDR", requires = "serve")]
    pub(crate) listen: Option<SocketAddr>,
    /// Where integrators connect while it serves (admin.listen).
    #[arg(long, value_name = "ADDR", requires = "serve")]
    pub(crate) admin_listen: Option<SocketAddr>,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// The exported log: `checkpoint`, `tile/...`.
    #[arg(value_name = "DIR", required_unless_present = "receipt")]
    pub(crate) dir: Option<PathBuf>,
    /// Check this receipt, as `sayso receipts --proofs` writes it, instead of a log. Needs --trust.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["dir", "profile"], requires = "trust")]
    pub(crate) receipt: Option<PathBuf>,
    /// Check that this certificate of an erasure, as `sayso rights certificate --json` prints it, is the one whose hash the
    /// receipt has.
    #[arg(long, value_name = "FILE", requires = "receipt")]
    pub(crate) certificate: Option<PathBuf>,
    /// A checkpoint of this log that you kept, such as `checkpoint` of an earlier export: the log must have grown from it.
    /// May be given for each. Without one, a log whose end was cut off looks like a younger log.
    #[arg(long, value_name = "FILE", conflicts_with = "receipt")]
    pub(crate) seen: Vec<PathBuf>,
    /// Whom you trust: a file with the log's public key, witnesses and how many of them it takes (c2sp.org/tlog-policy),
    /// or with the log's public key alone (`log.pub` of `sayso init`). Default: trust.keys in DIR, which shows only that
    /// the log agrees with itself: get the key from somebody you trust.
    #[arg(long, value_name = "FILE")]
    pub(crate) trust: Option<PathBuf>,
    /// A privacy profile that was in force: every verdict under it is recomputed from what people had agreed to, and it
    /// says which purposes rest on another basis than consent. May be given for each that was. Default: only reading out the
    /// notice and hearing its answer do.
    #[arg(long, value_name = "FILE")]
    pub(crate) profile: Vec<PathBuf>,
    /// When the log was exported, such as 2026-11-20T00:00:00Z: what had to be done by then and is not on record is late. Needs
    /// --profile. Default: the time of its newest leaf, or a later one at which witnesses had seen nothing newer.
    #[arg(long, value_name = "TIME", requires = "profile")]
    pub(crate) at: Option<jiff::Timestamp>,
    /// Print JSON instead of text.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ReceiptsArgs {
    #[command(flatten)]
    pub(crate) person: PersonArgs,
    /// Also write, for each consent, each withdrawal and each erasure, a proof that it is on record (c2sp.org/tlog-proof) into this
    /// directory. `sayso verify --receipt FILE --trust FILE` checks one without the node.
    #[arg(long, value_name = "DIR")]
    pub(crate) proofs: Option<PathBuf>,
    /// In whose terms the receipts are.
    #[arg(long, value_enum, default_value_t = ReceiptFormat::Kantara)]
    pub(crate) format: ReceiptFormat,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ReceiptFormat {
    /// Consent Receipt 1.1 of the Kantara Initiative: what was agreed to, and when.
    Kantara,
    /// ISO/IEC TS 27560:2023: the whole record, with what has become of the consent since.
    #[value(name = "27560")]
    Iso27560,
}

#[derive(Debug, Args)]
pub(crate) struct OperatorArgs {
    #[command(subcommand)]
    pub(crate) command: OperatorCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum OperatorCommand {
    /// Write a key and a certificate for somebody who uses the admin API under a name of their own, or for a service that
    /// asks for permits.
    Add {
        /// What they are called.
        #[arg(value_name = "NAME")]
        name: String,
        /// A service's: a processor of the policy that it is (repeatable). It may ask for permits for these, and nothing else.
        #[arg(long = "processor", value_name = "ID")]
        processors: Vec<ProcessorId>,
        /// The directory that `sayso init` wrote, with admin-ca/ and ca/.
        #[arg(long, value_name = "DIR")]
        node: PathBuf,
        /// Where to write cert.pem, key.pem and ca.pem; must be empty or new.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// Somebody of this tenant's, who sees what belongs to it and nothing else; of a service, whose people it asks about.
        #[arg(long, value_name = "ID")]
        tenant: Option<TenantId>,
        /// The company that they work for, when it is not the operator's own (a-z, 0-9, "_", "-", ".").
        #[arg(long, value_name = "NAME", requires = "nda", conflicts_with = "processors")]
        employer: Option<Name>,
        /// What they signed to keep to themselves what they see (a-z, 0-9, "_", "-", ".").
        #[arg(long, value_name = "REFERENCE", requires = "nda_until", conflicts_with = "processors")]
        nda: Option<Name>,
        /// The first moment at which that binds them no more: the certificate ends then, and after a year at the latest.
        #[arg(long, value_name = "TIME", requires = "nda")]
        nda_until: Option<jiff::Timestamp>,
    },
}

/// A running node, and what an operator shows to it.
#[derive(Debug, Args)]
pub(crate) struct NodeArgs {
    /// The node's admin API (admin.listen), such as 127.0.0.1:4434.
    #[arg(long, value_name = "ADDR")]
    pub(crate) admin: SocketAddr,
    /// The name in the node's certificate.
    #[arg(long, value_name = "NAME", default_value = "localhost")]
    pub(crate) server_name: String,
    /// A directory with an operator's cert.pem and key.pem, and the ca.pem of the node (as `sayso init` makes).
    #[arg(long, value_name = "DIR")]
    pub(crate) certs: PathBuf,
}

/// A person, by the device that they speak to, and the node that has their data.
#[derive(Debug, Args)]
pub(crate) struct PersonArgs {
    #[command(flatten)]
    pub(crate) node: NodeArgs,
    /// The device that the person speaks to.
    #[arg(long, value_name = "ID", default_value = "speaker-1")]
    pub(crate) device_id: DeviceId,
    /// Whose device it is.
    #[arg(long, value_name = "ID", default_value = "home")]
    pub(crate) tenant: TenantId,
    /// Instead of a device, the person's pseudonym, as `rights open` prints it: also of somebody whose account is closed.
    #[arg(long, value_name = "ID", conflicts_with = "device_id")]
    pub(crate) subject: Option<SubjectId>,
}

/// Tells a person what went wrong, outermost first.
pub(crate) fn complain(error: &anyhow::Error) {
    use std::io::Write;
    let mut text = format!("sayso: {error}");
    for cause in error.chain().skip(1) {
        // Of what a node refuses, its own words; the rest of a status is for programs.
        let refusal = cause.downcast_ref::<tonic::Status>().map(tonic::Status::message);
        let cause = refusal.filter(|said| !said.is_empty()).map_or_else(|| cause.to_string(), str::to_owned);
        // Many errors already quote their cause.
        if !text.contains(&cause) {
            text.push_str("\n  because ");
            text.push_str(&cause);
        }
    }
    let _ = writeln!(std::io::stderr(), "{text}");
}
