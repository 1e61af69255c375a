//! `sayso policy`: its command line.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use sayso_audit::VerifierKey;
use sayso_policy::{AgeBand, Gate, Tongue};
use sayso_types::{Category, ProcessorId, Purpose, RegionClass, TenantId};

/// What scripts can rely on.
const EXIT_CODES: &str = "\
Exit codes:
  0  what was asked for: nothing is found that nobody has waived, it may be put in force, it may go there, ...
  1  it is not so, or the command failed: with --json an object {\"error\": {\"file\", \"line\", \"key\", \"message\"}} on
     standard output says why, as far as there is a file, a line and a key
  2  the command line was wrong";

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct PolicyArgs {
    #[command(subcommand)]
    pub(crate) command: PolicyCommand,
    /// Print JSON instead of text, errors too; one object a line where several files are given.
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Say what is wrong with profiles, unlawful in them, or promised without being kept.
    Lint(LintArgs),
    /// Compile profiles: the hash and the size of the decision table, or why not.
    Compile(FilesArgs),
    /// Show all that a profile says, with its defaults, and where each value comes from.
    Show(FileArgs),
    /// Say what a new revision changes, and whom it asks again. Neither text need be free of findings.
    Diff(DiffArgs),
    /// Say whether a category may go to a processor for a purpose, and why.
    Explain(ExplainArgs),
    /// Print the privacy notice, the page of processors, or what is read out.
    Notice(NoticeArgs),
    /// Say by what each clause of the written policy is kept.
    Coverage(FilesArgs),
    /// Print a profile in a form that others read.
    Export(ExportArgs),
    /// Make a key to sign profiles with, and print its public part, for `profile-keys` of a node's configuration.
    Key(KeyArgs),
    /// Sign a profile that may be put in force: writes FILE.sig.
    Sign(SignArgs),
    /// Say by whom a profile is signed.
    Verify(VerifyProfileArgs),
}

#[derive(Debug, Args)]
pub(crate) struct FileArgs {
    /// The profile.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct KeyArgs {
    /// Whose key it is, such as privacy.example.org: no spaces, no plus.
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// Where to write the key, which only you should be able to read.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct SignArgs {
    /// The profile.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The key, as `sayso policy key` wrote it; by default `policy.key` beside the profile, where `sayso init` makes it.
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyProfileArgs {
    /// The profile.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Who is trusted: the public part of a key, as `sayso policy key` printed it and `profile-keys` has it (repeatable); by
    /// default who has `policy.key` beside the profile.
    #[arg(long, value_name = "KEY")]
    pub(crate) key: Vec<VerifierKey>,
}

#[derive(Debug, Args)]
pub(crate) struct FilesArgs {
    /// The profiles.
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct LintArgs {
    /// The profiles.
    #[arg(value_name = "FILE", required_unless_present = "rules")]
    pub(crate) files: Vec<PathBuf>,
    /// List the rules and where each comes from.
    #[arg(long, conflicts_with = "files")]
    pub(crate) rules: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    /// The revision in force.
    #[arg(value_name = "OLD")]
    pub(crate) old: PathBuf,
    /// The one to come.
    #[arg(value_name = "NEW")]
    pub(crate) new: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The profile.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Which data.
    #[arg(long, value_name = "CATEGORY")]
    pub(crate) category: Category,
    /// To whom.
    #[arg(long, value_name = "PROCESSOR")]
    pub(crate) processor: ProcessorId,
    /// For what.
    #[arg(long, value_name = "PURPOSE")]
    pub(crate) purpose: Purpose,
    /// At which gate: dialogue, recognition, memory, ...; by default the one that leads to such a processor.
    #[arg(long, value_name = "GATE", value_parser = gate)]
    pub(crate) gate: Option<Gate>,
    /// What the person agreed to, aloud and to this revision, each purpose asked apart (repeatable).
    #[arg(long, value_name = "PURPOSE")]
    pub(crate) given: Vec<Purpose>,
    /// Which service that has a privacy policy of its own the person was told of (repeatable).
    #[arg(long, value_name = "PROCESSOR")]
    pub(crate) told: Vec<ProcessorId>,
    /// How old the person is.
    #[arg(long, value_name = "BAND", value_parser = age_band, default_value = "unknown")]
    pub(crate) age: AgeBand,
    /// Whether a guardian is verified.
    #[arg(long)]
    pub(crate) guardian: bool,
    /// How far the person lets data go.
    #[arg(long, value_name = "REGION", value_enum, default_value = "overseas")]
    pub(crate) farthest: Farthest,
    /// Whether the tenant whose device it is has attested where data of its users comes from (tenants.attest).
    #[arg(long)]
    pub(crate) attested: bool,
    /// The state of the person from a TOML file instead: `age`, `guardian`, `farthest`, `told`, `restricted` (categories),
    /// `closed` (whether they closed their account), `taken_back` (a list of tables with any of `purpose`, `category`, `processor`,
    /// `kind` and `region`), and for each purpose a table `consents.PURPOSE` with `status`, `type`, `separate`, `rev`, `given_at` and
    /// `expires_at`; `tenant` with `id`, `off`, `attested` and `instructs` (`purposes`, `categories`, `until`); and `registry` with
    /// `off` (categories) and `processors` (ID = "suspended", "terminated", "due_diligence_expired" or "transfer_limit_reached").
    #[arg(long, value_name = "FILE", conflicts_with_all = ["given", "told", "age", "guardian", "farthest", "attested"])]
    pub(crate) state: Option<PathBuf>,
    /// English or Chinese.
    #[arg(long, value_name = "LANG", default_value = "en")]
    pub(crate) lang: Tongue,
}

#[derive(Debug, Args)]
pub(crate) struct NoticeArgs {
    /// The profile.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// What is read out, with its length, instead of the notice. Fails when a part is longer than people listen to.
    #[arg(long, conflicts_with = "processors")]
    pub(crate) spoken: bool,
    /// The page of processors instead of the notice.
    #[arg(long)]
    pub(crate) processors: bool,
    /// English or Chinese. A page is in English where nothing is said, and what is read out in every language of the profile.
    #[arg(long, value_name = "LANG")]
    pub(crate) lang: Option<Tongue>,
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// The profile.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// In which form.
    #[arg(long, value_enum)]
    pub(crate) format: ExportFormat,
    /// On whose behalf data is processed, for the record of processing of a processor; may be given again.
    #[arg(long, value_name = "TENANT")]
    pub(crate) tenant: Vec<TenantId>,
    /// English or Chinese, for the record of processing as text.
    #[arg(long, value_name = "LANG", default_value = "en")]
    pub(crate) lang: Tongue,
}

/// The forms that others read.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ExportFormat {
    /// The record of processing activities (GDPR 30, PIPL 55): Markdown, or JSON with --json.
    Ropa,
    /// A W3C ODRL 2.2 policy, as JSON-LD.
    Odrl,
    /// The W3C Data Privacy Vocabulary 2.3, as JSON-LD.
    Dpv,
}

/// How far the person lets data go.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Farthest {
    /// To the operator's own machines.
    Local,
    /// Within the country.
    Domestic,
    /// Anywhere.
    Overseas,
}

impl From<Farthest> for RegionClass {
    fn from(farthest: Farthest) -> Self {
        match farthest {
            Farthest::Local => Self::Local,
            Farthest::Domestic => Self::Domestic,
            Farthest::Overseas => Self::Overseas,
        }
    }
}

/// Reads the name of a gate.
fn gate(text: &str) -> Result<Gate, String> {
    let names = || Gate::ALL.map(|gate| gate.name().to_string()).join(", ");
    Gate::ALL.into_iter().find(|gate| gate.name().as_str() == text).ok_or_else(|| format!("choose one of {}", names()))
}

/// Reads an age band as profiles and consent states spell it.
fn age_band(text: &str) -> Result<AgeBand, String> {
    let spelled = serde_json::Value::from(text);
    let wrong = |_| "choose unknown, under13, under14, under16, under18 or adult".to_owned();
    serde_json::from_value(spelled).map_err(wrong)
}
