//! `sayso rights ...`.

use clap::{Args, Subcommand, ValueEnum};
use sayso_policy::Tongue;

use super::PersonArgs;

#[derive(Debug, Args)]
pub(crate) struct RightsArgs {
    #[command(subcommand)]
    pub(crate) command: RightsCommand,
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
    },
    /// Print a person's requests, oldest first.
    List {
        #[command(flatten)]
        person: PersonArgs,
    },
    /// Say what became of a request: verify, accept and fulfil it, or reject or delay it.
    Advance(AdvanceArgs),
    /// Print everything that is held of the person, for an accepted request of access, copy or port.
    Copy {
        #[command(flatten)]
        person: PersonArgs,
        /// The request, as `open` and `list` print it.
        #[arg(value_name = "CASE")]
        case: String,
    },
    /// Print the certificate of an erasure: what was erased, how, and what remains elsewhere.
    Certificate(CertificateArgs),
}

#[derive(Debug, Args)]
pub(crate) struct CertificateArgs {
    #[command(flatten)]
    pub(crate) person: PersonArgs,
    /// The request that it answers, as `open` and `list` print it, or a withdrawal.
    #[arg(value_name = "CASE")]
    pub(crate) case: String,
    /// Print the certificate itself, whose SHA-256 is in the audit log.
    #[arg(long)]
    pub(crate) json: bool,
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
    /// With delay: by when it is answered then, in milliseconds since the Unix epoch.
    #[arg(long, value_name = "MS", default_value_t = 0)]
    pub(crate) until: u64,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum StepArg {
    /// The person has proved who they are.
    Verify,
    /// It will be done. An erasure begins with this, and ends fulfilled by itself.
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
