//! `sayso guardian ...`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use sayso_policy::Month;
use sayso_types::Name;

use super::PersonArgs;

#[derive(Debug, Args)]
#[command(after_help = "\
Below the age that the policy names (minors.guardian_required_below) nothing personal moves before a guardian is verified. Who
is found to be a child without one is not heard any more, and their data is erased. What is agreed to for a child ends when
they are old enough, and they are asked themselves.

A child:        sayso guardian age --admin ADDR --certs DIR --device-id ID under13 --until 2031-03 --evidence FILE
Their guardian: sayso guardian request ... in_person   then   sayso guardian verify ... --evidence FILE
Their data:     sayso rights open ... guardian_erase   (for their verified guardian)")]
pub(crate) struct GuardianArgs {
    #[command(subcommand)]
    pub(crate) command: GuardianCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum GuardianCommand {
    /// Print how old a person is and how their guardian stands.
    Show {
        #[command(flatten)]
        of: WardArgs,
    },
    /// Put down how old a person is. What is not allowed at that age passes no gate when this ends.
    Age {
        #[command(flatten)]
        of: WardArgs,
        /// Their age, as a band.
        #[arg(value_name = "BAND")]
        band: Band,
        /// The month in which they grow out of it, such as 2031-03. The day would be that of their birth, and is not kept.
        #[arg(long, value_name = "MONTH")]
        until: Option<Month>,
        /// What shows it; its SHA-256 is kept.
        #[arg(long, value_name = "FILE")]
        evidence: PathBuf,
    },
    /// Ask for a guardian.
    Request {
        #[command(flatten)]
        of: WardArgs,
        /// How they are verified: one of the policy's minors.verify_methods.
        #[arg(value_name = "METHOD")]
        method: Name,
    },
    /// Put down that the guardian is verified, and agrees.
    Verify {
        #[command(flatten)]
        of: WardArgs,
        /// What shows it; its SHA-256 is kept.
        #[arg(long, value_name = "FILE")]
        evidence: PathBuf,
    },
    /// Put down that they are not the guardian, or do not agree, or not any more.
    Fail {
        #[command(flatten)]
        of: WardArgs,
    },
}

#[derive(Debug, Args)]
pub(crate) struct WardArgs {
    #[command(flatten)]
    pub(crate) person: PersonArgs,
    /// Print JSON instead of text.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Band {
    /// 0 to 12.
    Under13,
    /// 13.
    Under14,
    /// 14 and 15.
    Under16,
    /// 16 and 17.
    Under18,
    /// 18 and above.
    Adult,
}
