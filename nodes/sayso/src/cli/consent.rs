//! `sayso consent ...`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use sayso_types::{Name, Purpose};

use super::PersonArgs;

#[derive(Debug, Args)]
#[command(after_help = "\
Consent ends on one path, whoever ends it: when `ok` is printed, no byte of it goes anywhere any more.

Examples:
  sayso consent give --purpose memory --notice notice.txt --evidence form.pdf --kind signed --admin ADDR --certs DIR
  sayso consent withdraw --purpose memory ...
  sayso consent revoke --purpose memory --reason given_up ...
  sayso consent invalidate --reason wrong_person ...   then   sayso incident assess ... --consent RECORD

What went by a consent that was not valid is what an incident with its record in the scope finds.")]
pub(crate) struct ConsentArgs {
    #[command(subcommand)]
    pub(crate) command: ConsentCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConsentCommand {
    /// Record consent that a person gave elsewhere, with what shows it.
    Give(GiveArgs),
    /// Take consent back for the person.
    Withdraw {
        #[command(flatten)]
        of: ConsentOfArgs,
    },
    /// End consent because data is not used for that any more, or for another reason of whoever answers for it.
    Revoke {
        #[command(flatten)]
        of: ConsentOfArgs,
        /// Why: a word for the audit log, such as given_up; nothing about a person.
        #[arg(long, value_name = "WORD")]
        reason: Name,
    },
    /// End consent that turned out not to have been valid, and erase what was kept by it.
    Invalidate {
        #[command(flatten)]
        of: ConsentOfArgs,
        /// Why: a word for the audit log, such as wrong_person, false_evidence or child; nothing about a person.
        #[arg(long, value_name = "WORD")]
        reason: Name,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ConsentOfArgs {
    #[command(flatten)]
    pub(crate) person: PersonArgs,
    /// To what (repeatable). Default: everything that the person agreed to.
    #[arg(long, value_name = "NAME")]
    pub(crate) purpose: Vec<Purpose>,
    /// Print JSON instead of text.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct GiveArgs {
    #[command(flatten)]
    pub(crate) person: PersonArgs,
    /// To what (repeatable). Who is asked for one thing alone agrees to it separately.
    #[arg(long, value_name = "NAME", required = true)]
    pub(crate) purpose: Vec<Purpose>,
    /// The text that the person was given; its SHA-256 is kept.
    #[arg(long, value_name = "FILE")]
    pub(crate) notice: PathBuf,
    /// Its language, BCP 47.
    #[arg(long, value_name = "TAG", default_value = "en")]
    pub(crate) language: String,
    /// Whether it was read out rather than shown.
    #[arg(long)]
    pub(crate) oral: bool,
    /// What shows that they agreed; its SHA-256 is kept.
    #[arg(long, value_name = "FILE")]
    pub(crate) evidence: PathBuf,
    /// What that is.
    #[arg(long, value_name = "KIND", default_value = "told")]
    pub(crate) kind: EvidenceArg,
    /// With --kind implied: what the person did that implies it, a word such as went_on.
    #[arg(long, value_name = "WORD", required_if_eq("kind", "implied"))]
    pub(crate) act: Option<Name>,
    /// Their verified guardian agreed in their place.
    #[arg(long)]
    pub(crate) by_guardian: bool,
    /// Print JSON instead of text.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum EvidenceArg {
    /// They told you in some way that is none of the others.
    Told,
    /// A document that they signed. It is theirs alone.
    Signed,
    /// A document in writing that they did not sign. It is theirs alone.
    Written,
    /// A permission in the settings of the device.
    Permission,
    /// Nothing was said; something that they did implies it.
    Implied,
}
