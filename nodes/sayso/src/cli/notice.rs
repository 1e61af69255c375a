//! `sayso notice ...`.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Subcommand, ValueEnum};
use sayso_types::{Name, TenantId};

use super::NodeArgs;

#[derive(Debug, Args)]
pub(crate) struct NoticeToArgs {
    #[command(subcommand)]
    pub(crate) command: NoticeToCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum NoticeToCommand {
    /// Tell people something, in every language of the policy; prints the notice.
    ///
    /// A person's device says it at the beginning of their next conversation. Whom it has not told after its share of the time
    /// is told by their tenant, which watches for such notices and reports what became of them; and where neither did, it is
    /// announced on the node's public page, if it has one (`[pages]`).
    #[command(after_help = "\
Example:  sayso notice send --admin 127.0.0.1:4434 --certs DIR/admin --kind revision \\
              --say en='We will keep memories for longer from May on.' --say zh='从五月起，记忆将保存更久。' \\
              --write en=notice.en.md --write zh=notice.zh.md")]
    Send(SendNoticeArgs),
    /// Print every notice, the oldest first.
    List {
        #[command(flatten)]
        node: NodeArgs,
        /// Print JSON instead of text.
        #[arg(long)]
        json: bool,
    },
    /// Print a notice, and how many people it has reached.
    Status {
        #[command(flatten)]
        node: NodeArgs,
        /// The notice, as `send` and `list` print it.
        #[arg(value_name = "NOTICE")]
        notice: String,
        /// Print JSON instead of text.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct SendNoticeArgs {
    #[command(flatten)]
    pub(crate) node: NodeArgs,
    /// Why people are told.
    #[arg(long, value_name = "KIND")]
    pub(crate) kind: NoticeKindArg,
    #[command(flatten)]
    pub(crate) texts: TextsArgs,
    /// Tell the people of this tenant only.
    #[arg(long, value_name = "ID")]
    pub(crate) tenant: Option<TenantId>,
    /// How people are told (repeatable), in the order in which it is tried. Default: device, tenant, and page where the node has
    /// one.
    #[arg(long, value_name = "CHANNEL")]
    pub(crate) channel: Vec<NoticeChannelArg>,
    /// By when people must have been told, such as 2027-01-31T00:00:00Z. Without it, as soon as the policy allows.
    #[arg(long, value_name = "TIME")]
    pub(crate) by: Option<jiff::Timestamp>,
    /// Print JSON instead of text.
    #[arg(long)]
    pub(crate) json: bool,
}

/// The texts of a notice.
#[derive(Debug, Args)]
pub(crate) struct TextsArgs {
    /// What devices say, once for each language of the policy; at most 20 seconds.
    #[arg(long, value_name = "LANGUAGE=TEXT", required = true)]
    pub(crate) say: Vec<InLanguage<String>>,
    /// A file with what is there to be read, for each language of the policy.
    #[arg(long, value_name = "LANGUAGE=FILE")]
    pub(crate) write: Vec<InLanguage<PathBuf>>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum NoticeKindArg {
    /// The policy is revised.
    Revision,
    /// Somebody else becomes the controller.
    ControllerChange,
    /// Data got where it should not.
    Incident,
    /// The service ends.
    Shutdown,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum NoticeChannelArg {
    /// Their device says it.
    Device,
    /// Their tenant tells them by its own means.
    Tenant,
    /// Everybody can read it on the node's public page.
    Page,
}

/// LANGUAGE=VALUE.
#[derive(Clone, Debug)]
pub(crate) struct InLanguage<T> {
    pub(crate) language: Name,
    pub(crate) value: T,
}

impl<T: From<String>> FromStr for InLanguage<T> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (language, value) = text.split_once('=').ok_or("expected a language, =, and a text, such as en=Hello")?;
        let language = language.parse().map_err(|error| format!("{language:?} is no language: {error}"))?;
        Ok(Self { language, value: value.to_owned().into() })
    }
}
