//! `sayso rights ...`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use sayso_policy::Tongue;
use sayso_types::{Name, Purpose, TenantId};

use super::{NodeArgs, PersonArgs};

#[derive(Debug, Args)]
pub(crate) struct RightsArgs {
    #[command(subcommand)]
    pub(crate) command: RightsCommand,
    /// Print JSON: of a certificate the very bytes whose SHA-256 is in the audit log. A copy is JSON in any case.
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RightsCommand {
    /// Take a request; prints it, with the day by which it is answered.
    Open {
        #[command(flatten)]
        person: PersonArgs,
        /// What the person asks for, as in the policy's rights.offers: access, copy, erase, ...
        #[arg(value_name = "RIGHT")]
        right: String,
        /// With withdraw, object and marketing_opt_out: of this purpose; may be given again for others. Without it,
        /// withdraw is of everything, and marketing_opt_out of all that the policy calls marketing.
        #[arg(long = "purpose", value_name = "PURPOSE")]
        purposes: Vec<Purpose>,
        /// A relative asks for access, copy, rectify or erase, because the person has died: what proves the kinship. Whoever
        /// wants that nobody may opens deceased_relatives for themselves.
        #[arg(long, value_name = "FILE", requires = "death")]
        kinship: Option<PathBuf>,
        /// What proves the death.
        #[arg(long, value_name = "FILE", requires = "kinship")]
        death: Option<PathBuf>,
        /// With erase and guardian_erase: on which ground, as in the policy's rights.offers, such as without_consent.
        #[arg(long, value_name = "WORD", default_value = "")]
        ground: String,
    },
    /// Print a person's requests, oldest first.
    List {
        #[command(flatten)]
        person: PersonArgs,
    },
    /// Say what became of a request: verify, accept and fulfil it, or reject or delay it.
    Advance(AdvanceArgs),
    /// Put right or complete what is remembered of the person, for an accepted request of rectify or supplement.
    Correct {
        #[command(flatten)]
        person: PersonArgs,
        /// The request, as `open` and `list` print it.
        #[arg(value_name = "CASE")]
        case: String,
        /// A file with what is to be remembered, as JSON: {"key": "value", ...}. A file, so that what people say is in no
        /// list of processes and no history of a shell.
        #[arg(value_name = "FILE")]
        facts: PathBuf,
    },
    /// End a restriction because the person wants it: what is stored is used again for what they agree to.
    Lift {
        #[command(flatten)]
        person: PersonArgs,
        /// The request to restrict, as `open` and `list` print it.
        #[arg(value_name = "CASE")]
        case: String,
    },
    /// Print why each use of the person's data is allowed or not, by purpose, for an accepted request of explain.
    Explain(CertificateArgs),
    /// Print everything that is held of the person, for an accepted request of access, copy or port.
    Copy {
        #[command(flatten)]
        person: PersonArgs,
        /// The request, as `open` and `list` print it.
        #[arg(value_name = "CASE")]
        case: String,
        /// Write it here instead of printing it, for nobody but you to read: into one file where the name ends in .json, else
        /// into a directory, with pages to read, recordings and whatever else is kept, certificates and proofs. Nothing may be
        /// there by that name.
        #[arg(long, value_name = "DIR|FILE.json")]
        out: Option<PathBuf>,
    },
    /// Write everything that is held of the person into a directory that another Sayso takes in, as `copy --out DIR` does: JSON,
    /// pages to read, certificates and proofs, with a manifest signed by the log's key.
    Port {
        #[command(flatten)]
        person: PersonArgs,
        /// The request, as `open` and `list` print it.
        #[arg(value_name = "CASE")]
        case: String,
        /// The directory, which must not be there.
        #[arg(value_name = "DIR")]
        dir: PathBuf,
    },
    /// Take in what a directory that `port` wrote elsewhere brings: what the person has remembered, if they agree to that
    /// here. Their consents stay with whom they gave them to.
    Import {
        #[command(flatten)]
        person: PersonArgs,
        /// The directory.
        #[arg(value_name = "DIR")]
        dir: PathBuf,
        /// The public key of the log that it comes from, as that node's `sayso init` wrote it (log.pub).
        #[arg(long, value_name = "FILE")]
        trust: PathBuf,
    },
    /// Print the certificate of an erasure: what was erased, how, and what remains elsewhere.
    Certificate(CertificateArgs),
    /// Print what receivers may still have that did not say that they have deleted it, over everybody, and for which nobody
    /// answers.
    Residuals {
        #[command(flatten)]
        node: NodeArgs,
        /// Of this tenant's people alone.
        #[arg(long, value_name = "ID")]
        tenant: Option<TenantId>,
    },
    /// Answer for it that something remains which a certificate names, such as what a receiver has that never answers; prints
    /// it. The certificate stays as it is, and is printed with who answers.
    ApproveResidual {
        #[command(flatten)]
        person: PersonArgs,
        /// What the certificate answers, as `open` and `list` print it, or the withdrawal.
        #[arg(value_name = "CASE")]
        case: String,
        /// What remains: the processor, as the certificate names it in brackets, or key_backups, store_logs, evidence, device or
        /// people.
        #[arg(value_name = "RESIDUAL")]
        residual: Name,
        /// Why, in a word such as receiver_dissolved. It goes into the audit log: nothing about the person.
        #[arg(long, value_name = "WORD")]
        reason: Name,
    },
}

#[derive(Debug, Args)]
pub(crate) struct CertificateArgs {
    #[command(flatten)]
    pub(crate) person: PersonArgs,
    /// The request, as `open` and `list` print it; for a certificate also the withdrawal that it answers.
    #[arg(value_name = "CASE")]
    pub(crate) case: String,
    /// The language of the sentences: en or zh.
    #[arg(long, value_name = "LANGUAGE", default_value = "en")]
    pub(crate) lang: Tongue,
}

#[derive(Debug, Args)]
pub(crate) struct AdvanceArgs {
    #[command(flatten)]
    pub(crate) person: PersonArgs,
    /// The request, as `open` and `list` print it.
    #[arg(value_name = "CASE")]
    pub(crate) case: String,
    /// What became of it.
    #[arg(value_name = "STEP")]
    pub(crate) step: StepArg,
    /// With reject: one of the policy's rights.refusals. With delay: complex or numerous.
    #[arg(long, value_name = "WORD", default_value = "")]
    pub(crate) reason: String,
    /// With verify: how the person proved who they are, in a word such as signed_in or in_person. It goes into the audit log:
    /// nothing about the person.
    #[arg(long, value_name = "WORD", default_value = "", required_if_eq("step", "verify"))]
    pub(crate) method: String,
    /// With verify: what shows it. Its SHA-256 is kept with the request, and bound in the audit log.
    #[arg(long, value_name = "FILE")]
    pub(crate) evidence: Option<PathBuf>,
    /// With delay: by when it is answered then, in milliseconds since the Unix epoch.
    #[arg(long, value_name = "MS", default_value_t = 0)]
    pub(crate) until: u64,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum StepArg {
    /// The person has proved who they are.
    Verify,
    /// It will be done. What the node carries out itself begins with this, and ends fulfilled by itself: erase, cancel,
    /// withdraw, refuse_overseas, restrict, and an objection to a named purpose.
    Accept,
    /// It will not be done.
    Reject,
    /// The answer takes longer; possible once, and for two months at most.
    Delay,
    /// It is done.
    Fulfil,
    /// It is done as far as it can be.
    FulfilInPart,
}
