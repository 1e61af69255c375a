//! `sayso kept ...`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;
use sayso_types::{Category, DeviceId, Purpose};

use super::PersonArgs;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  sayso kept put  --admin ADDR --certs DIR --device-id speaker-1 agent_config settings.json --purpose provide_service
  sayso kept put  ... --device-id speaker-1 face_image anna.jpg --media-type image/jpeg --purpose image_avatar --of phone-7
  sayso kept put  ... account login.json --purpose account --party sign-in --basis Consent --reference \"scope 1, 2026-11-22\"
  sayso kept list ... --device-id speaker-1

What is kept is sealed under the person's keys, and ends by itself: with the consent that it was kept by, when the policy's time
for its category is over, and with the account. What the policy does not declare, or does not let be stored, is refused.

Exit codes: 0 done, 1 failed or refused, 2 wrong usage.")]
pub(crate) struct KeptArgs {
    #[command(subcommand)]
    pub(crate) command: KeptCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeptCommand {
    /// Have something kept of a person; prints its id.
    Put(Box<PutKeptArgs>),
    /// Write the content of an item to a file, or to standard output.
    Get {
        #[command(flatten)]
        person: PersonArgs,
        /// The item, as `put` and `list` print it.
        #[arg(value_name = "ITEM")]
        item: String,
        /// Where to. Without it: standard output.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Print what it is as JSON, to standard output; the content goes to --out.
        #[arg(long, requires = "out")]
        json: bool,
    },
    /// Print what is kept of a person, oldest first, without contents.
    List {
        #[command(flatten)]
        person: PersonArgs,
        /// Of one category. Without it: of all.
        #[arg(long, value_name = "NAME")]
        category: Option<Category>,
        /// Print JSON instead of text.
        #[arg(long)]
        json: bool,
    },
    /// Have a device speak for nobody from here on: it was given away, lost or taken down.
    Unbind {
        #[command(flatten)]
        person: PersonArgs,
        /// Print JSON instead of text.
        #[arg(long)]
        json: bool,
    },
    /// Delete an item, and what was made from it.
    Delete {
        #[command(flatten)]
        person: PersonArgs,
        /// The item, as `put` and `list` print it.
        #[arg(value_name = "ITEM")]
        item: String,
        /// Print JSON instead of text.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct PutKeptArgs {
    #[command(flatten)]
    pub(crate) person: PersonArgs,
    /// What it is: a category of the policy.
    #[arg(value_name = "CATEGORY")]
    pub(crate) category: Category,
    /// Its content, 8 MiB at most.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// What it is kept for: a purpose of the policy.
    #[arg(long, value_name = "NAME")]
    pub(crate) purpose: Purpose,
    /// What the bytes are. JSON holds the attributes that the policy declares for the category.
    #[arg(long, value_name = "TYPE", default_value = "application/json")]
    pub(crate) media_type: String,
    /// Which attribute of the category the content is, where it is not JSON with all of them.
    #[arg(long, value_name = "NAME")]
    pub(crate) attribute: Option<String>,
    /// When it was collected, such as 2026-11-22T12:00:00Z. Without it: now.
    #[arg(long, value_name = "TIME")]
    pub(crate) collected: Option<Timestamp>,
    /// Where it comes from.
    #[arg(long, value_enum, default_value = "person", conflicts_with = "party")]
    pub(crate) source: KeptSourceArg,
    /// Who handed it on: a processor of the policy. It needs --basis and --reference, too.
    #[arg(long, value_name = "ID", requires = "basis", requires = "reference")]
    pub(crate) party: Option<String>,
    /// By what right they did, such as Consent or ContractPerformance.
    #[arg(long, value_name = "BASIS", requires = "party")]
    pub(crate) basis: Option<String>,
    /// What shows that: their record of the consent, the agreement, the law.
    #[arg(long, value_name = "TEXT", requires = "party")]
    pub(crate) reference: Option<String>,
    /// The device of whoever is seen or heard in it, of the same tenant: also where that is the person themselves.
    #[arg(long, value_name = "ID")]
    pub(crate) of: Option<DeviceId>,
    /// An item that it was made from, and ends with (repeatable).
    #[arg(long, value_name = "ITEM")]
    pub(crate) from: Vec<String>,
    /// What it belongs to, such as the ticket of a question to support.
    #[arg(long, value_name = "TEXT")]
    pub(crate) ticket: Option<String>,
    /// Print JSON instead of text.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum KeptSourceArg {
    /// The person gave it.
    Person,
    /// Their device reported it: what the policy does not declare is taken out.
    Device,
}
