//! `sayso permit ...`.

use std::ffi::OsString;

use clap::{Args, Subcommand};

use super::PersonArgs;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  sayso operator add campaign --processor partner-sms --node my-node --out campaign
  sayso permit ask  --processor partner-sms --category contact_phone --purpose marketing \\
      --admin 127.0.0.1:4434 --certs campaign --tenant acme --device-id speaker-1
  sayso permit hold --processor partner-sms --category contact_phone --purpose marketing \\
      --admin 127.0.0.1:4434 --certs campaign --tenant acme --device-id speaker-1 -- ./send-sms.sh

The certificate is that of a service: sayso operator add NAME --processor ID. Programs that ask for many people at once do so
over gRPC (Permits.Hold).

Exit codes of ask: 0 it may, 3 it may not. Of hold: that of COMMAND; 124 when it was stopped, 125 when it may not be started.
Of both: 1 failed, 2 wrong usage.")]
pub(crate) struct PermitArgs {
    #[command(subcommand)]
    pub(crate) command: PermitCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PermitCommand {
    /// Ask whether something of a person may go to a processor now, and why. The answer is no permit to send anything.
    Ask {
        #[command(flatten)]
        what: PermitForArgs,
        /// Print JSON instead of text.
        #[arg(long)]
        json: bool,
    },
    /// Run a command for as long as something of a person may go to a processor. When it may no longer, the command is
    /// stopped (SIGTERM, and SIGKILL after a second at most), and only when it has ended does the node say OK to a withdrawal.
    Hold {
        #[command(flatten)]
        what: PermitForArgs,
        /// The command. It finds the permit in SAYSO_PERMIT, the person's pseudonym in SAYSO_SUBJECT, in SAYSO_FIELDS the
        /// only fields that may go, with commas between them, when not all may, and in SAYSO_BYTES_MAX how much may, when
        /// that is limited. What it starts in sessions of their own (setsid) is not stopped with it.
        #[arg(last = true, required = true, value_name = "COMMAND")]
        command: Vec<OsString>,
    },
    /// Run a command that ends when whoever started this ends.
    #[command(hide = true)]
    Bound {
        /// Who started this.
        #[arg(long)]
        parent: i32,
        #[arg(last = true, required = true)]
        command: Vec<OsString>,
    },
}

/// What is asked.
#[derive(Debug, Args)]
pub(crate) struct PermitForArgs {
    #[command(flatten)]
    pub(crate) person: PersonArgs,
    /// What for: a purpose of the policy.
    #[arg(long, value_name = "ID")]
    pub(crate) purpose: String,
    /// Which data: a category of the policy.
    #[arg(long, value_name = "ID")]
    pub(crate) category: String,
    /// To whom: a processor of the policy that the certificate names.
    #[arg(long, value_name = "ID")]
    pub(crate) processor: String,
}
